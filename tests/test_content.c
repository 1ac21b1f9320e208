/* Input and output, parameters, metadata, tools and previews of a span (genai/content.h). */
#include "test.h"

#include "support/genai_case.h"

#define ROOM ((size_t)512 << 20)

static struct arena arena;

static int fresh_arena(void **state)
{
    (void)state;
    arena_done(&arena);
    arena_init(&arena, ROOM);
    return 0;
}

#define LLM OBSERVATION_LLM

struct field_case {
    const char *why;
    enum observation observation;
    struct case_attribute attributes[10];
    struct case_event events[4];
    const char *input;
    const char *output;
    const char *parameters;
    const char *metadata;
    const char *tools;
    const char *finish; /* the first reason */
};

static const struct field_case fields[] = {
    {.why = "a chain's texts as sent; an explicit word of the user comes first",
     .observation = OBSERVATION_CHAIN,
     .attributes = {{"langfuse.observation.input", "{\"q\": 1}"},
                    {"input.value", "other"},
                    {"output.value", "done"}},
     .input = "{\"q\": 1}",
     .output = "done"},
    {.why = "OTLP values become JSON",
     .observation = OBSERVATION_CHAIN,
     .attributes = {{"input", AS_VALUE "{\"a\":[1,2.5,true,null,\"x\"]}"},
                    {"output", AS_VALUE "[]"}},
     .input = "{\"a\":[1,2.5,true,null,\"x\"]}"},
    {.why = "nothing said: empty, redacted, null",
     .observation = OBSERVATION_CHAIN,
     .attributes = {{"langfuse.observation.input", ""},
                    {"input.value", "<REDACTED>"},
                    {"traceloop.entity.input", "null"},
                    {"output.value", "\"\""}}},
    {.why = "messages alone are input and output too",
     .observation = LLM,
     .attributes = {{"llm.input_messages.0.message.role", "user"},
                    {"llm.input_messages.0.message.content", "hi"},
                    {"llm.output_messages.0.message.content", "ho"}},
     .input = "[" HI_USER "]",
     .output = "[" HO_ASSISTANT "]"},
    {.why = "texts to embed: one is a text, several a list",
     .observation = OBSERVATION_EMBEDDING,
     .attributes = {{"embedding.embeddings.1.embedding.text", "b"},
                    {"embedding.embeddings.0.embedding.text", "a"}},
     .input = "[\"a\",\"b\"]"},
    {.why = "one text to embed",
     .observation = OBSERVATION_EMBEDDING,
     .attributes = {{"embedding.embeddings.0.embedding.text", "a"}},
     .input = "a"},
    {.why = "a retriever's documents",
     .observation = OBSERVATION_RETRIEVER,
     .attributes = {{"input.value", "Oslo?"},
                    {"retrieval.documents.1.document.content", "two"},
                    {"retrieval.documents.0.document.content", "one"},
                    {"retrieval.documents.0.document.score", AS_VALUE "0.5"}},
     .input = "Oslo?",
     .output = "[{\"content\":\"one\",\"score\":0.5},\"two\"]"},
    {.why = "parameters under the convention's names, with what others send",
     .observation = LLM,
     .attributes = {{"gen_ai.request.temperature", AS_VALUE "0.2"},
                    {"llm.invocation_parameters",
                     "{\"model\":\"m\",\"temperature\":1,\"max_completion_tokens\":5,\"stop\":["
                     "\"END\"],\"logit_bias\":{\"a\":1},\"tools\":[],\"stream\":true}"},
                    {"ai.settings.topP", AS_VALUE "0.9"},
                    {"ai.settings.maxRetries", AS_VALUE "2"}},
     .parameters = "{\"temperature\":0.2,\"top_p\":0.9,\"max_tokens\":5,"
                   "\"stop_sequences\":[\"END\"],\"logit_bias\":{\"a\":1}}"},
    {.why = "parameters inside the request",
     .observation = LLM,
     .attributes = {{"gen_ai.prompt",
                     "{\"messages\":[],\"temperature\":0,\"max_tokens\":5,\"x\":1}"}},
     .parameters = "{\"temperature\":0,\"max_tokens\":5}"},
    {.why = "no limit is no number (Langfuse)",
     .observation = LLM,
     .attributes = {{"langfuse.observation.model.parameters",
                     "{\"temperature\":1,\"max_tokens\":\"Infinity\"}"}},
     .parameters = "{\"temperature\":1}"},
    {.why = "metadata from keys and JSON; the first of a name stands",
     .observation = OBSERVATION_CHAIN,
     .attributes = {{"langfuse.observation.metadata.nested", "{\"deep\":true}"},
                    {"langfuse.trace.metadata.plan", "pro"},
                    {"metadata", "{\"plan\":\"free\",\"seats\":3}"},
                    {"traceloop.association.properties.team", "a"},
                    {"ai.telemetry.metadata.tags", AS_VALUE "[\"x\"]"},
                    {"langsmith.metadata.run", "7"}},
     .metadata = "{\"nested\":{\"deep\":true},\"plan\":\"pro\",\"seats\":3,\"team\":\"a\","
                 "\"tags\":[\"x\"],\"run\":\"7\"}"},
    {.why = "tools as a list of JSON texts (Vercel)",
     .observation = LLM,
     .attributes = {{"ai.prompt.tools", AS_VALUE "[\"{\\\"name\\\":\\\"f\\\"}\"]"}},
     .tools = "[{\"name\":\"f\"}]"},
    {.why = "tools by index",
     .observation = LLM,
     .attributes = {{"llm.tools.1.tool.json_schema", "{\"name\":\"g\"}"},
                    {"llm.tools.0.tool.json_schema", "{\"name\":\"f\"}"}},
     .tools = "[{\"name\":\"f\"},{\"name\":\"g\"}]"},
    {.why = "tools by index, member by member",
     .observation = LLM,
     .attributes = {{"llm.request.functions.0.name", "f"},
                    {"llm.request.functions.0.parameters", "{\"type\":\"object\"}"}},
     .tools = "[{\"name\":\"f\",\"parameters\":{\"type\":\"object\"}}]"},
    {.why = "tools inside the request",
     .observation = LLM,
     .attributes = {{"gen_ai.prompt", "{\"messages\":[],\"tools\":[{\"name\":\"f\"}]}"}},
     .input = "{\"messages\":[],\"tools\":[{\"name\":\"f\"}]}",
     .tools = "[{\"name\":\"f\"}]"},
    {.why = "finish reasons as JSON in a text (LiteLLM)",
     .observation = LLM,
     .attributes = {{"gen_ai.response.finish_reasons", "[\"stop\"]"}},
     .finish = "stop"},
    {.why = "finish reasons by index",
     .observation = LLM,
     .attributes = {{"gen_ai.completion.0.finish_reason", "length"}},
     .finish = "length"},
};

static void fields_are_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        const struct field_case *c = &fields[i];
        const struct span *span = case_span(&arena, c->attributes, c->events);
        const struct content content = case_content(&arena, c->why, span, c->observation);

        if (c->input && (c->input[0] == '[' || c->input[0] == '{'))
            same_json(&arena, c->why, content.input, c->input);
        else if (c->input || c->observation == OBSERVATION_CHAIN)
            same_text(c->why, content.input, c->input);
        if (c->output && c->output[0] == '[')
            same_json(&arena, c->why, content.output, c->output);
        else if (c->output || c->observation == OBSERVATION_CHAIN)
            same_text(c->why, content.output, c->output);
        same_json(&arena, c->why, content.parameters, c->parameters);
        same_json(&arena, c->why, content.metadata, c->metadata);
        same_json(&arena, c->why, content.tool_definitions, c->tools);
        if (c->finish && content.finish_reason_count == 0)
            fail_msg("%s: no reason", c->why);
        else if (c->finish)
            same_text(c->why, content.finish_reasons[0], c->finish);
    }
}

static const struct {
    const char *why;
    struct case_attribute attributes[5];
    struct case_event events[3];
    const char *id;
    const char *arguments;
    const char *result;
} tools[] = {
    {"the convention",
     {{"gen_ai.tool.call.id", "c1"},
      {"gen_ai.tool.call.arguments", "{\"a\":1}"},
      {"gen_ai.tool.call.result", AS_VALUE "{\"b\":2}"}},
     {{0}},
     "c1",
     "{\"a\":1}",
     "{\"b\":2}"},
    {"input and output of a tool span",
     {{"input.value", "Oslo"}, {"output.value", "sunny"}, {"tool.id", "c2"}},
     {{0}},
     "c2",
     "Oslo",
     "sunny"},
    {"Vercel AI SDK",
     {{"ai.toolCall.args", "{\"a\":1}"}, {"ai.toolCall.result", "\"x\""}, {"ai.toolCall.id", "c3"}},
     {{0}},
     "c3",
     "{\"a\":1}",
     "\"x\""},
    {"Strands: events",
     {{"gen_ai.tool.call.id", "c4"}},
     {{"gen_ai.tool.message", {{"role", "tool"}, {"content", "{\"a\":1}"}, {"id", "c4"}}},
      {"gen_ai.choice", {{"message", "[{\"text\": \"x\"}]"}, {"id", "c4"}}}},
     "c4",
     "{\"a\":1}",
     "[{\"text\": \"x\"}]"},
    {"Traceloop",
     {{"traceloop.entity.input", "{\"args\":[]}"}, {"traceloop.entity.output", "\"x\""}},
     {{0}},
     "",
     "{\"args\":[]}",
     "\"x\""},
};

static void a_tools_call_and_result_are_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(tools) / sizeof(tools[0]); i++) {
        const struct span *span = case_span(&arena, tools[i].attributes, tools[i].events);
        const struct content content = case_content(&arena, tools[i].why, span, OBSERVATION_TOOL);

        same_text(tools[i].why, content.tool_call_id, tools[i].id);
        same_text(tools[i].why, content.tool_arguments, tools[i].arguments);
        same_text(tools[i].why, content.tool_result, tools[i].result);
        same_text(tools[i].why, content.input, tools[i].arguments);
        same_text(tools[i].why, content.output, tools[i].result);
        same_text(tools[i].why, content.messages, "");
    }
}

static const struct {
    const char *why;
    struct case_attribute attributes[6];
    struct case_event events[3];
    const char *input;
    const char *output;
} previews[] = {
    {"the last user message, role first",
     {{"gen_ai.input.messages", "[" BE_BRIEF "," HI_USER "," CALL "]"},
      {"gen_ai.output.messages", "[" HO_STOP "]"}},
     {{0}},
     "hi",
     "ho"},
    {"role last, spaces, escapes",
     {{"input.value", "{ \"messages\" : [ { \"content\" : \" a\\n\\tb \\u00e9\\ud83d\\ude00\\\" \","
                      " \"role\" : \"user\" }, {\"content\":\"x\",\"role\":\"assistant\"} ] }"},
      {"output.value",
       "{\"choices\":[{\"message\":{\"content\":\"ho\",\"role\":\"assistant\"}}]}"}},
     {{0}},
     "a b \xc3\xa9\xf0\x9f\x98\x80\"",
     "ho"},
    {"LangChain's words",
     {{"input.value", "{\"messages\":[{\"type\":\"human\",\"data\":{\"content\":\"hi\"}}]}"},
      {"output.value", "{\"type\": \"ai\", \"data\": {\"content\": \"ho\"}}"}},
     {{0}},
     "hi",
     "ho"},
    {"indexed keys",
     {{"llm.input_messages.0.message.role", "user"},
      {"llm.input_messages.0.message.content", "hi"},
      {"llm.input_messages.1.message.role", "assistant"},
      {"llm.input_messages.1.message.content", "x"},
      {"llm.output_messages.0.message.contents.0.message_content.text", "ho"}},
     {{0}},
     "hi",
     "ho"},
    {"events",
     {{0}},
     {{"gen_ai.user.message", {{"content", "[{\"text\": \"hi\"}]"}}},
      {"gen_ai.choice", {{"message", "[{\"text\": \"ho\"}]"}}}},
     "hi",
     "ho"},
    {"plain and quoted texts, blanks folded",
     {{"langfuse.observation.input", " a \n  b\t"}, {"traceloop.entity.output", "\"x\\ny\""}},
     {{0}},
     "a b",
     "x y"},
    {"JSON of no known shape begins as it was sent",
     {{"langfuse.observation.input", "{\"city\": \"Oslo\"}"}},
     {{0}},
     "{\"city\": \"Oslo\"}",
     ""},
    {"a call, its list's name first",
     {{"output.value",
       "{\"id\":\"x\",\"choices\":[{\"message\":{\"role\":\"assistant\",\"content\":null,"
       "\"tool_calls\":[{\"id\":\"c1\",\"function\":{\"arguments\":\"{\\\"a\\\":1}\","
       "\"name\":\"f\"}}]}}]}"}},
     {{0}},
     "",
     "f {\"a\":1}"},
    {"a call, its name before its type",
     {{"gen_ai.output.messages",
       "[{\"role\":\"assistant\",\"parts\":[{\"arguments\":{\"a\":{\"b\":\"}\"}},\"name\":\"f\","
       "\"id\":\"c1\",\"type\":\"tool_call\"}],\"finish_reason\":\"tool_call\"}]"}},
     {{0}},
     "",
     "f {\"a\":{\"b\":\"}\"}}"},
    {"calls of the AI SDK",
     {{"ai.response.toolCalls",
       "[{\"toolCallId\":\"c1\",\"toolName\":\"f\",\"input\":\"{\\\"a\\\":1}\"}]"}},
     {{0}},
     "",
     "f {\"a\":1}"},
    {"OTLP values",
     {{"gen_ai.input.messages", AS_VALUE "[" HI_USER "]"}, {"output", AS_VALUE "[1,2]"}},
     {{0}},
     "hi",
     "[1,2]"},
};

static void previews_are_one_short_line(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(previews) / sizeof(previews[0]); i++) {
        const struct span *span = case_span(&arena, previews[i].attributes, previews[i].events);
        struct findings findings;
        struct bytes input;
        struct bytes output;
        struct err err = {0};

        if (!genai_find(span, FIND_FACTS | FIND_CONTENT, &arena, &findings, &err) ||
            !genai_previews(&findings, &input, &output, &err))
            fail_msg("%s: %s", previews[i].why, err.text);
        same_text(previews[i].why, input, previews[i].input);
        same_text(previews[i].why, output, previews[i].output);
    }
}

static void a_preview_ends_after_200_characters(void **state)
{
    static const char *const pieces[] = {"a", "ab ", "\xc3\xa9", " \xf0\x9f\x98\x80", "a b  c\n"};

    (void)state;
    for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
        char text[2048] = "x";
        struct case_attribute attributes[] = {{"input.value", text}, {0}};
        struct bytes line;
        size_t characters = 0;

        while (strlen(text) < 1500)
            memcpy(text + strlen(text), pieces[i], strlen(pieces[i]) + 1);
        line =
            case_content(&arena, pieces[i], case_span(&arena, attributes, NULL), LLM).input_preview;
        for (size_t k = 0; k < line.len; k++)
            characters += (line.at[k] & 0xc0) != 0x80;
        assert_in_range(characters, 199, 200);
        assert_int_not_equal(line.at[line.len - 1], ' ');
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(fields_are_read, fresh_arena),
        cmocka_unit_test_setup(a_tools_call_and_result_are_read, fresh_arena),
        cmocka_unit_test_setup(previews_are_one_short_line, fresh_arena),
        cmocka_unit_test_setup(a_preview_ends_after_200_characters, fresh_arena),
    };
    int failed;

    arena_init(&arena, ROOM);
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    arena_done(&arena);
    return failed;
}
