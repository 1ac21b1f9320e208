/* Messages in every shape in which they are sent (genai/message.h), by way of genai_content. */
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

struct message_case {
    const char *why;
    enum observation observation;
    struct case_attribute attributes[14];
    struct case_event events[6];
    const char *messages;
};

static void check_messages(const struct message_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct message_case *c = &cases[i];
        const struct span *span = case_span(&arena, c->attributes, c->events);

        same_json(&arena, c->why, case_content(&arena, c->why, span, c->observation).messages,
                  c->messages);
    }
}
#define CHECK_MESSAGES(cases) check_messages(cases, sizeof(cases) / sizeof((cases)[0]))
#define LLM OBSERVATION_LLM

static const struct message_case convention[] = {
    {"JSON text",
     LLM,
     {{"gen_ai.input.messages", "[" HI_USER "," CALL "," RESULT "]"},
      {"gen_ai.output.messages", "[" HO_STOP "]"}},
     {{0}},
     "[" HI_USER "," CALL "," RESULT "," HO_STOP "]"},
    {"OTLP arrays and kvlists",
     LLM,
     {{"gen_ai.input.messages", AS_VALUE "[" HI_USER "," CALL "," RESULT "]"},
      {"gen_ai.output.messages", AS_VALUE "[" HO_STOP "]"}},
     {{0}},
     "[" HI_USER "," CALL "," RESULT "," HO_STOP "]"},
    {"instructions of their own come first",
     LLM,
     {{"gen_ai.system_instructions", "[{\"type\":\"text\",\"content\":\"be brief\"}]"},
      {"gen_ai.input.messages", "[" HI_USER "]"}},
     {{0}},
     "[" BE_BRIEF "," HI_USER "]"},
    {"instructions that are the first message too stand once",
     LLM,
     {{"gen_ai.system_instructions", "be brief"},
      {"gen_ai.input.messages", "[" BE_BRIEF "," HI_USER "]"}},
     {{0}},
     "[" BE_BRIEF "," HI_USER "]"},
    {"arguments in a text become the object they are",
     LLM,
     {{"gen_ai.output.messages",
       "[{\"role\":\"assistant\",\"parts\":[{\"type\":\"tool_call\",\"id\":\"c1\","
       "\"name\":\"f\",\"arguments\":\"{\\\"a\\\":1}\"}]}]"}},
     {{0}},
     "[" CALL "]"},
    {"reasoning, media and unknown parts are kept",
     LLM,
     {{"gen_ai.input.messages",
       "[{\"role\":\"user\",\"parts\":[{\"type\":\"reasoning\",\"content\":\"hm\"},"
       "{\"type\":\"blob\",\"mime_type\":\"image/png\",\"modality\":\"image\","
       "\"content\":\"aGk=\"},"
       "{\"type\":\"uri\",\"modality\":\"image\",\"uri\":\"https://x/y.png\"},"
       "{\"type\":\"file\",\"modality\":\"audio\",\"file_id\":\"f1\"},"
       "{\"type\":\"hologram\",\"depth\":3}]}]"}},
     {{0}},
     "[{\"role\":\"user\",\"parts\":[{\"type\":\"reasoning\",\"content\":\"hm\"},"
     "{\"type\":\"blob\",\"mime_type\":\"image/png\",\"modality\":\"image\","
     "\"content\":\"aGk=\"},"
     "{\"type\":\"uri\",\"modality\":\"image\",\"uri\":\"https://x/y.png\"},"
     "{\"type\":\"file\",\"modality\":\"audio\",\"file_id\":\"f1\"},"
     "{\"type\":\"hologram\",\"depth\":3}]}]"},
    {"a provider's own request and answer under the convention's keys (Cloudflare)",
     LLM,
     {{"gen_ai.input.messages",
       "{\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}],\"model\":\"m\"}"},
      {"gen_ai.output.messages",
       "{\"choices\":[{\"message\":{\"role\":\"assistant\",\"content\":\"ho\"},"
       "\"finish_reason\":\"stop\"}]}"}},
     {{0}},
     "[" HI_USER "," HO_STOP "]"},
    {"redacted and empty contents are none",
     LLM,
     {{"gen_ai.input.messages", "<REDACTED>"},
      {"gen_ai.output.messages", "[{\"role\":\"assistant\",\"parts\":[]}]"}},
     {{0}},
     NULL},
    {"encoded twice",
     LLM,
     {{"gen_ai.input.messages", "\"[{\\\"role\\\":\\\"user\\\",\\\"content\\\":\\\"hi\\\"}]\""}},
     {{0}},
     "[" HI_USER "]"},
    {"cut off in the middle: shown as text",
     LLM,
     {{"gen_ai.input.messages", "[{\"role\":\"user\",\"par"}},
     {{0}},
     "[{\"role\":\"user\",\"parts\":[{\"type\":\"text\",\"content\":"
     "\"[{\\\"role\\\":\\\"user\\\",\\\"par\"}]}]"},
};

static void messages_of_the_convention_keep_their_shape(void **state)
{
    (void)state;
    CHECK_MESSAGES(convention);
}

static const struct message_case indexed[] = {
    {"OpenLLMetry, with tool calls on a second level; 10 comes after 2, gaps are left out",
     LLM,
     {{"gen_ai.prompt.10.role", "tool"},
      {"gen_ai.prompt.10.tool_call_id", "c1"},
      {"gen_ai.prompt.10.content", "42"},
      {"gen_ai.prompt.2.role", "assistant"},
      {"gen_ai.prompt.2.tool_calls.0.arguments", "{\"a\":1}"},
      {"gen_ai.prompt.2.tool_calls.0.id", "c1"},
      {"gen_ai.prompt.2.tool_calls.0.name", "f"},
      {"gen_ai.prompt.0.content", "hi"},
      {"gen_ai.prompt.0.role", "user"},
      {"gen_ai.completion.0.content", "ho"},
      {"gen_ai.completion.0.role", "assistant"},
      {"gen_ai.completion.0.finish_reason", "stop"}},
     {{0}},
     "[" HI_USER "," CALL "," RESULT "," HO_STOP "]"},
    {"of a repeated key the last one stands",
     LLM,
     {{"gen_ai.prompt.0.content", "first"},
      {"gen_ai.prompt.0.role", "user"},
      {"gen_ai.prompt.0.content", "hi"}},
     {{0}},
     "[" HI_USER "]"},
    {"a prompt's name is no message",
     LLM,
     {{"gen_ai.prompt.name", "weather"}, {"gen_ai.prompt.variable.city", "Oslo"}},
     {{0}},
     NULL},
    {"OpenInference",
     LLM,
     {{"llm.input_messages.0.message.role", "user"},
      {"llm.input_messages.0.message.content", "hi"},
      {"llm.input_messages.1.message.role", "assistant"},
      {"llm.input_messages.1.message.tool_calls.0.tool_call.id", "c1"},
      {"llm.input_messages.1.message.tool_calls.0.tool_call.function.name", "f"},
      {"llm.input_messages.1.message.tool_calls.0.tool_call.function.arguments", "{\"a\":1}"},
      {"llm.input_messages.2.message.role", "tool"},
      {"llm.input_messages.2.message.content", "42"},
      {"llm.input_messages.2.message.tool_call_id", "c1"},
      {"llm.output_messages.0.message.role", "assistant"},
      {"llm.output_messages.0.message.content", "ho"}},
     {{0}},
     "[" HI_USER "," CALL "," RESULT "," HO_ASSISTANT "]"},
    {"OpenInference contents: text and image; the calls in them are not told twice",
     LLM,
     {{"llm.input_messages.0.message.role", "user"},
      {"llm.input_messages.0.message.contents.0.message_content.type", "text"},
      {"llm.input_messages.0.message.contents.0.message_content.text", "look"},
      {"llm.input_messages.0.message.contents.1.message_content.type", "image"},
      {"llm.input_messages.0.message.contents.1.message_content.image.image.url",
       "data:image/png;base64,aGk="},
      {"llm.output_messages.0.message.role", "assistant"},
      {"llm.output_messages.0.message.tool_calls.0.tool_call.id", "c1"},
      {"llm.output_messages.0.message.tool_calls.0.tool_call.function.name", "f"},
      {"llm.output_messages.0.message.contents.0.message_content.type", "tool_use"},
      {"llm.output_messages.0.message.contents.0.tool_call.id", "c1"},
      {"llm.output_messages.0.message.contents.0.tool_call.function.name", "f"},
      {"llm.output_messages.0.message.contents.0.tool_call.function.arguments", "{\"a\":1}"}},
     {{0}},
     "[{\"role\":\"user\",\"parts\":[{\"type\":\"text\",\"content\":\"look\"},"
     "{\"type\":\"blob\",\"mime_type\":\"image/png\",\"modality\":\"image\","
     "\"content\":\"aGk=\"}]}," CALL "]"},
    {"the oldest prefix",
     LLM,
     {{"llm.prompts.0.role", "user"},
      {"llm.prompts.0.content", "hi"},
      {"llm.completions.0.content", "ho"}},
     {{0}},
     "[" HI_USER "," HO_ASSISTANT "]"},
    {"a function call of old (LiteLLM)",
     LLM,
     {{"gen_ai.output.messages", "[{\"role\":\"assistant\",\"parts\":[]}]"},
      {"gen_ai.completion.0.function_call.name", "f"},
      {"gen_ai.completion.0.function_call.arguments", "{\"a\":1}"}},
     {{0}},
     "[{\"role\":\"assistant\",\"parts\":[{\"type\":\"tool_call\",\"name\":\"f\","
     "\"arguments\":{\"a\":1}}]}]"},
};

static void indexed_keys_become_messages(void **state)
{
    (void)state;
    CHECK_MESSAGES(indexed);
}

static const struct message_case providers[] = {
    {"OpenAI chat",
     LLM,
     {{"input.value",
       "{\"model\":\"m\",\"messages\":[{\"role\":\"system\",\"content\":\"be brief\"},"
       "{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"hi\"}]},"
       "{\"role\":\"assistant\",\"content\":null,\"tool_calls\":[{\"id\":\"c1\","
       "\"type\":\"function\",\"function\":{\"name\":\"f\",\"arguments\":\"{\\\"a\\\":1}\"}}]},"
       "{\"role\":\"tool\",\"tool_call_id\":\"c1\",\"content\":\"42\"}]}"},
      {"output.value", "{\"choices\":[{\"index\":0,\"finish_reason\":\"stop\",\"message\":"
                       "{\"role\":\"assistant\",\"content\":\"ho\",\"tool_calls\":null}}]}"}},
     {{0}},
     "[" BE_BRIEF "," HI_USER "," CALL "," RESULT "," HO_STOP "]"},
    {"OpenAI responses: items of one answer are one message",
     LLM,
     {{"input.value",
       "{\"model\":\"m\",\"instructions\":\"be brief\",\"input\":[{\"role\":\"user\","
       "\"content\":\"hi\"},{\"type\":\"function_call\",\"call_id\":\"c1\",\"id\":\"fc1\","
       "\"name\":\"f\",\"arguments\":\"{\\\"a\\\":1}\"},{\"type\":\"function_call_output\","
       "\"call_id\":\"c1\",\"output\":\"42\"}]}"},
      {"output.value",
       "{\"object\":\"response\",\"instructions\":\"be brief\",\"output\":[{\"type\":"
       "\"reasoning\",\"id\":\"r\",\"summary\":[{\"type\":\"summary_text\",\"text\":\"hm\"}]},"
       "{\"type\":\"function_call\",\"call_id\":\"c1\",\"id\":\"fc1\",\"name\":\"f\","
       "\"arguments\":\"{\\\"a\\\":1}\"}]}"}},
     {{0}},
     "[" BE_BRIEF "," HI_USER "," CALL "," RESULT
     ",{\"role\":\"assistant\",\"parts\":[{\"type\":\"reasoning\",\"content\":\"hm\"}"
     "," CALL_PART "]}]"},
    {"Anthropic",
     LLM,
     {{"input.value",
       "{\"model\":\"m\",\"system\":[{\"type\":\"text\",\"text\":\"be brief\"}],"
       "\"messages\":[{\"role\":\"user\",\"content\":\"hi\"},{\"role\":\"assistant\","
       "\"content\":[{\"type\":\"tool_use\",\"id\":\"c1\",\"name\":\"f\",\"input\":{\"a\":1}}]}"
       ","
       "{\"role\":\"user\",\"content\":[{\"type\":\"tool_result\",\"tool_use_id\":\"c1\","
       "\"content\":[{\"type\":\"text\",\"text\":\"42\"}]}]}]}"},
      {"output.value",
       "{\"type\":\"message\",\"role\":\"assistant\",\"stop_reason\":\"end_turn\",\"content\":"
       "[{\"type\":\"thinking\",\"thinking\":\"hm\",\"signature\":\"x\"},"
       "{\"type\":\"text\",\"text\":\"ho\"}]}"}},
     {{0}},
     "[" BE_BRIEF "," HI_USER "," CALL
     ",{\"role\":\"user\",\"parts\":[{\"type\":\"tool_call_response\",\"id\":\"c1\","
     "\"response\":\"42\"}]},{\"role\":\"assistant\",\"parts\":[{\"type\":\"reasoning\","
     "\"content\":\"hm\"},{\"type\":\"text\",\"content\":\"ho\"}],"
     "\"finish_reason\":\"end_turn\"}]"},
    {"Gemini",
     LLM,
     {{"input.value",
       "{\"systemInstruction\":{\"parts\":[{\"text\":\"be brief\"}]},\"contents\":[{\"role\":"
       "\"user\",\"parts\":[{\"text\":\"hi\"},{\"inlineData\":{\"mimeType\":\"image/png\","
       "\"data\":\"aGk=\"}}]},{\"role\":\"model\",\"parts\":[{\"functionCall\":{\"id\":\"c1\","
       "\"name\":\"f\",\"args\":{\"a\":1}}}]},{\"role\":\"user\",\"parts\":["
       "{\"functionResponse\":{\"id\":\"c1\",\"name\":\"f\",\"response\":{\"x\":2}}}]}]}"},
      {"output.value",
       "{\"candidates\":[{\"finishReason\":\"STOP\",\"content\":{\"role\":\"model\",\"parts\":"
       "[{\"text\":\"hm\",\"thought\":true},{\"text\":\"ho\"}]}}]}"}},
     {{0}},
     "[" BE_BRIEF
     ",{\"role\":\"user\",\"parts\":[{\"type\":\"text\",\"content\":\"hi\"},{\"type\":\"blob\","
     "\"mime_type\":\"image/png\",\"modality\":\"image\",\"content\":\"aGk=\"}]}," CALL
     ",{\"role\":\"user\",\"parts\":[{\"type\":\"tool_call_response\",\"id\":\"c1\","
     "\"name\":\"f\",\"response\":{\"x\":2}}]},{\"role\":\"assistant\",\"parts\":[{\"type\":"
     "\"reasoning\",\"content\":\"hm\"},{\"type\":\"text\",\"content\":\"ho\"}],"
     "\"finish_reason\":\"STOP\"}]"},
    {"Bedrock Converse",
     LLM,
     {{"input.value", "{\"modelId\":\"m\",\"system\":[{\"text\":\"be brief\"}],\"messages\":["
                      "{\"role\":\"user\",\"content\":[{\"text\":\"hi\"}]}]}"},
      {"output.value", "{\"output\":{\"message\":{\"role\":\"assistant\",\"content\":[{\"toolUse\":"
                       "{\"toolUseId\":\"c1\",\"name\":\"f\",\"input\":{\"a\":1}}}]}}}"}},
     {{0}},
     "[" BE_BRIEF "," HI_USER "," CALL "]"},
    {"LangChain: constructors, lists of lists, generations",
     LLM,
     {{"input.value",
       "{\"messages\":[[{\"lc\":1,\"type\":\"constructor\",\"id\":[\"langchain\",\"schema\","
       "\"SystemMessage\"],\"kwargs\":{\"content\":\"be brief\",\"type\":\"system\"}},"
       "{\"lc\":1,\"type\":\"constructor\",\"id\":[\"x\",\"HumanMessage\"],"
       "\"kwargs\":{\"content\":\"hi\"}},{\"type\":\"tool\",\"data\":{\"content\":\"42\","
       "\"tool_call_id\":\"c1\"}}]]}"},
      {"output.value",
       "{\"generations\":[[{\"text\":\"\",\"generation_info\":{\"finish_reason\":\"stop\"},"
       "\"message\":{\"lc\":1,\"type\":\"constructor\",\"id\":[\"x\",\"AIMessage\"],"
       "\"kwargs\":{\"content\":\"\",\"tool_calls\":[{\"name\":\"f\",\"args\":{\"a\":1},"
       "\"id\":\"c1\",\"type\":\"tool_call\"}]}}}]]}"}},
     {{0}},
     "[" BE_BRIEF "," HI_USER "," RESULT ",{\"role\":\"assistant\",\"parts\":[" CALL_PART
     "],\"finish_reason\":\"stop\"}]"},
    {"LangChain: a graph's state goes in and comes out longer; pairs of role and text",
     OBSERVATION_AGENT,
     {{"input.value", "{\"messages\":[[\"user\",\"hi\"]]}"},
      {"output.value", "{\"messages\":[{\"type\":\"human\",\"data\":{\"content\":\"hi\"}},"
                       "{\"type\":\"ai\",\"data\":{\"content\":\"ho\"}}]}"}},
     {{0}},
     "[" HI_USER "," HO_ASSISTANT "]"},
    {"an agent's history holds its answer",
     OBSERVATION_AGENT,
     {{"pydantic_ai.all_messages", "[" HI_USER "," HO_STOP "]"}, {"final_result", "ho"}},
     {{0}},
     "[" HI_USER "," HO_STOP "]"},
    {"LiteLLM's raw child: Python's repr",
     OBSERVATION_SPAN,
     {{"llm.openai.messages", "[{'role': 'user', 'content': 'hi'}]"},
      {"llm.openai.choices", "[{'finish_reason': 'stop', 'index': 0, 'message': "
                             "{'content': 'ho', 'role': 'assistant', 'tool_calls': None}}]"}},
     {{0}},
     "[" HI_USER "," HO_STOP "]"},
    {"Genkit",
     LLM,
     {{"genkit:input", "{\"messages\":[{\"role\":\"user\",\"content\":[{\"text\":\"hi\"}]}]}"},
      {"genkit:output", "{\"message\":{\"role\":\"model\",\"content\":[{\"toolRequest\":"
                        "{\"ref\":\"c1\",\"name\":\"f\",\"input\":{\"a\":1}}}]},"
                        "\"finishReason\":\"stop\"}"}},
     {{0}},
     "[" HI_USER ",{\"role\":\"assistant\",\"parts\":[" CALL_PART "],\"finish_reason\":\"stop\"}]"},
    {"Google ADK",
     LLM,
     {{"gcp.vertex.agent.llm_request",
       "{\"model\":\"m\",\"config\":{\"system_instruction\":\"be brief\"},\"contents\":[{"
       "\"role\":\"user\",\"parts\":[{\"text\":\"hi\"}]}]}"},
      {"gcp.vertex.agent.llm_response",
       "{\"content\":{\"role\":\"model\",\"parts\":[{\"function_call\":{\"id\":\"c1\","
       "\"name\":\"f\",\"args\":{\"a\":1}}}]},\"finish_reason\":\"STOP\"}"}},
     {{0}},
     "[" BE_BRIEF "," HI_USER ",{\"role\":\"assistant\",\"parts\":[" CALL_PART
     "],\"finish_reason\":\"STOP\"}]"},
    {"LiveKit",
     LLM,
     {{"lk.pii.chat_ctx",
       "{\"items\":[{\"type\":\"message\",\"role\":\"user\",\"content\":[\"hi\"]},"
       "{\"type\":\"function_call\",\"call_id\":\"c1\",\"name\":\"f\","
       "\"arguments\":\"{\\\"a\\\":1}\"}]}"},
      {"lk.pii.response.text", "ho"}},
     {{0}},
     "[" HI_USER "," CALL "," HO_ASSISTANT "]"},
    {"MLflow keeps quotes",
     LLM,
     {{"mlflow.spanInputs", "{\"messages\": [{\"role\": \"user\", \"content\": \"hi\"}]}"},
      {"mlflow.spanOutputs", "\"ho\""}},
     {{0}},
     "[" HI_USER "," HO_ASSISTANT "]"},
    {"LangWatch's envelope",
     LLM,
     {{"langwatch.input", "{\"type\":\"chat_messages\",\"value\":[{\"role\":\"user\","
                          "\"content\":\"hi\"}]}"},
      {"langwatch.output", "{\"type\":\"text\",\"value\":\"ho\"}"}},
     {{0}},
     "[" HI_USER "," HO_ASSISTANT "]"},
    {"arguments of a traced function (Langfuse) hold a list",
     LLM,
     {{"langfuse.observation.input",
       "{\"args\":[[{\"role\":\"user\",\"content\":\"hi\"}]],\"kwargs\":{}}"},
      {"langfuse.observation.output", "ho"}},
     {{0}},
     "[" HI_USER "," HO_ASSISTANT "]"},
    {"a structured answer of a model is its text",
     LLM,
     {{"langfuse.observation.input", "hi"}, {"langfuse.observation.output", "{\"n\":1}"}},
     {{0}},
     "[" HI_USER ",{\"role\":\"assistant\",\"parts\":[{\"type\":\"text\","
     "\"content\":\"{\\\"n\\\":1}\"}]}]"},
    {"a chain's text and a retriever's records are no messages",
     OBSERVATION_CHAIN,
     {{"langfuse.observation.input", "hi"},
      {"langfuse.observation.output", "[{\"id\":1,\"text\":\"Oslo\"},{\"id\":2}]"}},
     {{0}},
     NULL},
    {"an answer without content is no message",
     LLM,
     {{"gen_ai.prompt", "{\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}"},
      {"gen_ai.completion", "{\"output\":null}"}},
     {{0}},
     "[" HI_USER "]"},
};

static void providers_requests_and_answers_become_messages(void **state)
{
    (void)state;
    CHECK_MESSAGES(providers);
}

static const struct message_case pieces[] = {
    {"Vercel AI SDK",
     LLM,
     {{"ai.prompt.messages",
       "[{\"role\":\"system\",\"content\":\"be brief\"},{\"role\":\"user\",\"content\":[{"
       "\"type\":\"text\",\"text\":\"hi\"}]},{\"role\":\"assistant\",\"content\":[{\"type\":"
       "\"tool-call\",\"toolCallId\":\"c1\",\"toolName\":\"f\",\"input\":{\"a\":1}}]},{"
       "\"role\":"
       "\"tool\",\"content\":[{\"type\":\"tool-result\",\"toolCallId\":\"c1\",\"output\":{"
       "\"type\":\"text\",\"value\":\"42\"}}]}]"},
      {"ai.response.text", "ho"},
      {"ai.response.reasoning", "hm"},
      {"ai.response.toolCalls",
       "[{\"toolCallId\":\"c1\",\"toolName\":\"f\",\"args\":\"{\\\"a\\\":1}\"}]"}},
     {{0}},
     "[" BE_BRIEF "," HI_USER "," CALL "," RESULT
     ",{\"role\":\"assistant\",\"parts\":[{\"type\":\"reasoning\",\"content\":\"hm\"},"
     "{\"type\":\"text\",\"content\":\"ho\"}," CALL_PART "]}]"},
    {"its outer span",
     OBSERVATION_AGENT,
     {{"ai.prompt", "{\"system\":\"be brief\",\"prompt\":\"hi\"}"}, {"ai.response.text", "ho"}},
     {{0}},
     "[" BE_BRIEF "," HI_USER "," HO_ASSISTANT "]"},
    {"Sentry: lists in texts",
     LLM,
     {{"gen_ai.request.messages", "[{\"role\":\"user\",\"content\":\"hi\"}]"},
      {"gen_ai.response.text", "[\"ho\"]"}},
     {{0}},
     "[" HI_USER "," HO_ASSISTANT "]"},
};

static void pieces_of_an_answer_are_one_message(void **state)
{
    (void)state;
    CHECK_MESSAGES(pieces);
}

static const struct message_case events[] = {
    {"the convention's first events",
     LLM,
     {{0}},
     {{"gen_ai.system.message", {{"content", "be brief"}}},
      {"gen_ai.user.message", {{"content", "hi"}}},
      {"gen_ai.assistant.message",
       {{"tool_calls", "[{\"id\":\"c1\",\"type\":\"function\",\"function\":{\"name\":\"f\","
                       "\"arguments\":\"{\\\"a\\\":1}\"}}]"}}},
      {"gen_ai.tool.message", {{"content", "42"}, {"id", "c1"}}},
      {"gen_ai.choice",
       {{"index", AS_VALUE "0"},
        {"finish_reason", "stop"},
        {"message", "{\"role\":\"assistant\",\"content\":\"ho\"}"}}}},
     "[" BE_BRIEF "," HI_USER "," CALL "," RESULT "," HO_STOP "]"},
    {"Strands: parts as JSON",
     LLM,
     {{0}},
     {{"gen_ai.user.message", {{"content", "[{\"text\": \"hi\"}]"}}},
      {"gen_ai.assistant.message",
       {{"content", "[{\"toolUse\": {\"toolUseId\": \"c1\", \"name\": \"f\", "
                    "\"input\": {\"a\": 1}}}]"}}},
      {"gen_ai.tool.message",
       {{"content", "[{\"toolResult\": {\"toolUseId\": \"c1\", \"status\": \"success\", "
                    "\"content\": [{\"text\": \"42\"}]}}]"}}},
      {"gen_ai.choice", {{"message", "[{\"text\": \"ho\"}]"}, {"finish_reason", "stop"}}}},
     "[" HI_USER "," CALL "," RESULT "," HO_STOP "]"},
    {"Azure: the body as JSON in one attribute",
     LLM,
     {{0}},
     {{"gen_ai.user.message", {{"gen_ai.event.content", "{\"role\":\"user\",\"content\":\"hi\"}"}}},
      {"gen_ai.choice",
       {{"gen_ai.event.content", "{\"message\":{\"role\":\"assistant\","
                                 "\"content\":\"ho\"},\"finish_reason\":"
                                 "\"stop\"}"}}}},
     "[" HI_USER "," HO_STOP "]"},
    {"prompt and completion as events",
     LLM,
     {{0}},
     {{"gen_ai.content.prompt", {{"gen_ai.prompt", "hi"}}},
      {"gen_ai.content.completion", {{"gen_ai.completion", "ho"}}}},
     "[" HI_USER "," HO_ASSISTANT "]"},
    {"one event with all",
     LLM,
     {{0}},
     {{"gen_ai.client.inference.operation.details",
       {{"gen_ai.input.messages", "[" HI_USER "]"},
        {"gen_ai.output.messages", AS_VALUE "[" HO_STOP "]"},
        {"gen_ai.system_instructions", "[{\"type\":\"text\",\"content\":\"be brief\"}]"}}}},
     "[" BE_BRIEF "," HI_USER "," HO_STOP "]"},
    {"Logfire packs events into an attribute",
     LLM,
     {{"events",
       "[{\"event.name\":\"gen_ai.user.message\",\"content\":\"hi\",\"role\":\"user\"},"
       "{\"event.name\":\"gen_ai.choice\",\"index\":0,\"message\":{\"role\":\"assistant\","
       "\"content\":\"ho\"}}]"}},
     {{0}},
     "[" HI_USER "," HO_ASSISTANT "]"},
    {"attributes come before events: one source for a side",
     LLM,
     {{"gen_ai.input.messages", "[" HI_USER "]"}},
     {{"gen_ai.user.message", {{"content", "other"}}}, {"gen_ai.choice", {{"message", "ho"}}}},
     "[" HI_USER "," HO_ASSISTANT "]"},
};

static void events_become_messages(void **state)
{
    (void)state;
    CHECK_MESSAGES(events);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(messages_of_the_convention_keep_their_shape, fresh_arena),
        cmocka_unit_test_setup(indexed_keys_become_messages, fresh_arena),
        cmocka_unit_test_setup(providers_requests_and_answers_become_messages, fresh_arena),
        cmocka_unit_test_setup(pieces_of_an_answer_are_one_message, fresh_arena),
        cmocka_unit_test_setup(events_become_messages, fresh_arena),
    };
    int failed;

    arena_init(&arena, ROOM);
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    arena_done(&arena);
    return failed;
}
