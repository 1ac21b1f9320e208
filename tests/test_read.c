/* What spans mean, dialect by dialect: kind of work, provider and models, response ids, whose they
 * are, how they went; and that hostile values change nothing. */
#include "test.h"

#include <stdio.h>
#include <time.h>

#include "base/text.h"
#include "genai/read.h"

#define ROOM ((size_t)64 << 20)
#define START INT64_C(1763720112000000000) /* 2025-11-21T10:15:12Z */
enum { MOST_PAIRS = 10 };

static struct arena arena;

static int start(void **state)
{
    (void)state;
    arena_init(&arena, ROOM);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    arena_done(&arena);
    return 0;
}

/* A span in short: pairs of key and value; a value that starts with '#' is an integer. */
struct sent {
    const char *scope;
    const char *name;
    const char *pairs[2 * MOST_PAIRS];
};

static struct meaning read_span(const struct sent *sent, struct span *span, struct sources *sources)
{
    static struct resource resource;
    struct attribute *items = arena_array(&arena, struct attribute, MOST_PAIRS);
    struct scope *scope = arena_new(&arena, struct scope);
    struct findings f;
    struct meaning m;
    struct err err = {0};
    uint32_t count = 0;

    while (count < MOST_PAIRS && sent->pairs[2 * count] != NULL) {
        const char *value = sent->pairs[2 * count + 1];

        items[count].key = bytes_of(sent->pairs[2 * count]);
        items[count].value.kind = value[0] == '#' ? VALUE_INT : VALUE_STRING;
        if (value[0] == '#')
            assert_true(text_int64(bytes_of(value + 1), &items[count].value.integer));
        else
            items[count].value.text = bytes_of(value);
        count++;
    }
    scope->name = bytes_of(sent->scope ? sent->scope : "");
    span->name = bytes_of(sent->name ? sent->name : "");
    span->attributes = (struct attributes){.items = items, .count = count};
    span->resource = &resource;
    span->scope = scope;
    span->start_unix_nano = (uint64_t)START;
    if (!genai_find(span, FIND_FACTS, &arena, &f, &err) || !genai_read(&f, sources, &m, &err))
        fail_msg("%s", err.text);
    return m;
}

static const struct kind_row {
    const char *why;
    struct sent sent;
    enum observation observation;
    unsigned flags;
} kind_rows[] = {
    {"a chat", {.pairs = {"gen_ai.operation.name", "chat"}}, OBSERVATION_LLM, 0},
    {"an agent sums up",
     {.pairs = {"gen_ai.operation.name", "invoke_agent"}},
     OBSERVATION_AGENT,
     MEANING_AGGREGATE},
    {"a workflow sums up",
     {.pairs = {"gen_ai.operation.name", "invoke_workflow"}},
     OBSERVATION_CHAIN,
     MEANING_AGGREGATE},
    {"a step of the AI SDK sums up",
     {.pairs = {"gen_ai.operation.name", "agent_step"}},
     OBSERVATION_AGENT,
     MEANING_AGGREGATE},
    {"the user's own word beats the library's",
     {.pairs = {"gen_ai.operation.name", "chat", "langfuse.observation.type", "tool"}},
     OBSERVATION_TOOL,
     0},
    {"a kind in any case",
     {.pairs = {"openinference.span.kind", "Reranker"}},
     OBSERVATION_RERANKER,
     0},
    {"an unknown kind leaves it to the next key",
     {.pairs = {"openinference.span.kind", "UNKNOWN", "gen_ai.operation.name", "chat"}},
     OBSERVATION_LLM,
     0},
    {"LangSmith calls a retriever's operation embeddings",
     {.pairs = {"gen_ai.operation.name", "embeddings", "langsmith.span.kind", "retriever"}},
     OBSERVATION_RETRIEVER,
     0},
    {"MLflow's quotes", {.pairs = {"mlflow.spanType", "\"CHAT_MODEL\""}}, OBSERVATION_LLM, 0},
    {"the AI SDK's wrapper",
     {.pairs = {"ai.operationId", "ai.generateText", "gen_ai.request.model", "gpt-4o"}},
     OBSERVATION_CHAIN,
     MEANING_AGGREGATE},
    {"the AI SDK's call",
     {.pairs = {"ai.operationId", "ai.streamText.doStream"}},
     OBSERVATION_LLM,
     MEANING_STREAMED},
    {"LiteLLM's copy of a request, by its name",
     {.scope = "litellm", .name = "raw_gen_ai_request"},
     OBSERVATION_SPAN,
     MEANING_COPY},
    {"LiteLLM's copy of a request, by its keys",
     {.scope = "litellm",
      .name = "weather",
      .pairs = {"llm.openai.messages", "[]", "llm.openai.id", "chatcmpl-1"}},
     OBSERVATION_SPAN,
     MEANING_COPY},
    {"a cached answer of Laminar",
     {.pairs = {"lmnr.span.type", "CACHED"}},
     OBSERVATION_LLM,
     MEANING_CACHE_HIT},
    {"LangWatch's mark of a copy",
     {.pairs = {"langwatch.span.type", "llm", "langwatch.reserved.skip_token_accumulation",
                "true"}},
     OBSERVATION_LLM,
     MEANING_COPY},
    {"Logfire's placeholder",
     {.pairs = {"logfire.span_type", "pending_span", "gen_ai.operation.name", "chat"}},
     OBSERVATION_LLM,
     MEANING_PENDING},
    {"Anthropic's SDK",
     {.scope = "com.anthropic.sdk.python",
      .name = "anthropic.messages.create",
      .pairs = {"gen_ai.operation.name", "chat"}},
     OBSERVATION_LLM,
     MEANING_NATIVE},
    {"Anthropic's server",
     {.scope = "com.anthropic.claude-platform", .name = "anthropic.messages.create"},
     OBSERVATION_LLM,
     MEANING_SERVER},
    {"a tool of Anthropic's runner",
     {.scope = "com.anthropic.sdk.python", .name = "anthropic.tool_use get_weather"},
     OBSERVATION_TOOL,
     MEANING_NATIVE},
    {"OpenClaw's repeat of a usage",
     {.scope = "openclaw", .name = "openclaw.model.usage"},
     OBSERVATION_SPAN,
     MEANING_COPY},
    {"Mastra's generation",
     {.pairs = {"mastra.span.type", "model_generation"}},
     OBSERVATION_LLM,
     0},
    {"Mastra's step repeats it",
     {.pairs = {"mastra.span.type", "model_step"}},
     OBSERVATION_CHAIN,
     MEANING_COPY},
    {"a name means something only with its library",
     {.scope = "http", .name = "llm_request"},
     OBSERVATION_SPAN,
     0},
    {"Laminar knows no type for embeddings",
     {.pairs = {"lmnr.span.type", "LLM", "gen_ai.request.model", "text-embedding-3-small"}},
     OBSERVATION_EMBEDDING,
     0},
    {"Logfire: the end of a stream",
     {.scope = "logfire.openai",
      .pairs = {"logfire.span_type", "log", "gen_ai.operation.name", "chat"}},
     OBSERVATION_LLM,
     MEANING_STREAM_END | MEANING_STREAMED},
    {"Logfire: a log that is no call",
     {.scope = "logfire", .pairs = {"logfire.span_type", "log"}},
     OBSERVATION_SPAN,
     0},
    {"Logfire: a tool of OpenAI's agents",
     {.scope = "logfire.openai_agents", .name = "Function: {name}"},
     OBSERVATION_TOOL,
     0},
    {"Logfire: an agent",
     {.scope = "logfire.openai_agents", .name = "Agent run: {name!r}"},
     OBSERVATION_AGENT,
     0},
    {"the same name elsewhere", {.scope = "x", .name = "Function: {name}"}, OBSERVATION_SPAN, 0},
    {"Logfire: a turn sums up",
     {.pairs = {"sdk_span_type", "turn"}},
     OBSERVATION_CHAIN,
     MEANING_AGGREGATE},
    {"LiveKit's call", {.scope = "livekit-agents", .name = "llm_request"}, OBSERVATION_LLM, 0},
    {"a tool's name without a model",
     {.pairs = {"gen_ai.tool.name", "search"}},
     OBSERVATION_TOOL,
     0},
    {"a model and nothing else", {.pairs = {"gen_ai.request.model", "gpt-4o"}}, OBSERVATION_LLM, 0},
    {"a model that embeds",
     {.pairs = {"gen_ai.request.model", "text-embedding-3-small"}},
     OBSERVATION_EMBEDDING,
     0},
    {"documents",
     {.pairs = {"retrieval.documents.0.document.content", "x"}},
     OBSERVATION_RETRIEVER,
     0},
    {"a vector store", {.pairs = {"db.system.name", "qdrant"}}, OBSERVATION_RETRIEVER, 0},
    {"a database", {.pairs = {"db.system.name", "postgresql"}}, OBSERVATION_SPAN, 0},
    {"Claude Code", {.pairs = {"span.type", "llm_request"}}, OBSERVATION_LLM, 0},
    {"a tool of MCP", {.pairs = {"mcp.method.name", "tools/call"}}, OBSERVATION_TOOL, 0},
    {"Genkit's model", {.pairs = {"genkit:metadata:subtype", "model"}}, OBSERVATION_LLM, 0},
    {"Braintrust's JSON",
     {.pairs = {"braintrust.span_attributes", "{\"type\": \"llm\"}"}},
     OBSERVATION_LLM,
     0},
    {"batch",
     {.pairs = {"gen_ai.operation.name", "chat", "openai.response.service_tier", "batch"}},
     OBSERVATION_LLM,
     MEANING_BATCH},
    {"what was billed, not what was asked",
     {.pairs = {"gen_ai.operation.name", "chat", "openai.response.service_tier", "default",
                "openai.request.service_tier", "flex"}},
     OBSERVATION_LLM,
     0},
    {"True as text",
     {.pairs = {"gen_ai.operation.name", "chat", "llm.is_streaming", "True"}},
     OBSERVATION_LLM,
     MEANING_STREAMED},
    {"a plain span", {.name = "GET /", .pairs = {"http.route", "/"}}, OBSERVATION_SPAN, 0},
};

static void kinds_of_work(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(kind_rows) / sizeof(kind_rows[0]); i++) {
        struct span span = {0};
        const struct meaning m = read_span(&kind_rows[i].sent, &span, NULL);

        if (m.observation != kind_rows[i].observation || m.flags != kind_rows[i].flags)
            fail_msg("%s: %s, flags %x", kind_rows[i].why, observation_name(m.observation),
                     m.flags);
    }
}

struct fact {
    const char *why;
    struct sent sent;
    const char *want;
};

static void check_facts(const struct fact *rows, size_t count, size_t offset)
{
    for (size_t i = 0; i < count; i++) {
        struct span span = {0};
        struct sources sources = {.arena = &arena};
        const struct meaning m = read_span(&rows[i].sent, &span, NULL);
        const struct meaning with = read_span(&rows[i].sent, &span, &sources);
        const struct bytes *is = (const struct bytes *)(const void *)((const char *)&m + offset);
        const struct bytes *same =
            (const struct bytes *)(const void *)((const char *)&with + offset);

        if (!bytes_is(*is, rows[i].want) || !bytes_equal(*is, *same))
            fail_msg("%s: \"%.*s\", want \"%s\"", rows[i].why, (int)is->len,
                     is->len ? (const char *)is->at : "", rows[i].want);
    }
}

#define CHECK_FACTS(rows, member)                                                                  \
    check_facts(rows, sizeof(rows) / sizeof((rows)[0]), offsetof(struct meaning, member))

static const struct fact provider_rows[] = {
    {"as it is", {.pairs = {"gen_ai.provider.name", "openai"}}, "openai"},
    {"capitals", {.pairs = {"gen_ai.system", "OpenAI"}}, "openai"},
    {"another name", {.pairs = {"gen_ai.provider.name", "aws.bedrock"}}, "aws"},
    {"the API behind a dot", {.pairs = {"ai.model.provider", "openai.chat"}}, "openai"},
    {"two dots", {.pairs = {"ai.model.provider", "google.vertex.chat"}}, "google"},
    {"xAI", {.pairs = {"gen_ai.provider.name", "x_ai"}}, "x-ai"},
    {"nobody lists it", {.pairs = {"gen_ai.provider.name", "Ollama"}}, "ollama"},
    {"unknown", {.pairs = {"gen_ai.provider.name", "In-House"}}, "in-house"},
    {"the host before the maker",
     {.pairs = {"llm.system", "anthropic", "llm.provider", "aws"}},
     "aws"},
    {"a framework, and a model",
     {.pairs = {"gen_ai.system", "strands-agents", "gen_ai.request.model", "gpt-4o"}},
     "openai"},
    {"a framework, and the next key",
     {.pairs = {"gen_ai.provider.name", "litellm", "gen_ai.system", "anthropic"}},
     "anthropic"},
    {"a framework alone", {.pairs = {"gen_ai.system", "langchain"}}, ""},
    {"the address",
     {.pairs = {"server.address", "x.openai.azure.com", "gen_ai.request.model", "gpt-4o"}},
     "azure"},
    {"an address that says nothing",
     {.pairs = {"server.address", "127.0.0.1", "gen_ai.request.model", "claude-x"}},
     "anthropic"},
    {"a model of Bedrock",
     {.pairs = {"gen_ai.request.model", "eu.anthropic.claude-sonnet-4-5"}},
     "aws"},
    {"a routing prefix", {.pairs = {"gen_ai.request.model", "vertex_ai/some-model"}}, "google"},
    {"OpenRouter charges for its upstream",
     {.pairs = {"openrouter.provider_slug", "anthropic"}},
     "openrouter"},
    {"a plug-in of Genkit", {.pairs = {"genkit:name", "googleai/gemini-2.5-flash"}}, "google"},
    {"the library",
     {.scope = "opentelemetry.instrumentation.mistralai",
      .pairs = {"gen_ai.operation.name", "chat"}},
     "mistral"},
    {"a library that is no provider",
     {.scope = "openinference.instrumentation.langchain",
      .pairs = {"openinference.span.kind", "LLM"}},
     ""},
    {"MLflow's quotes", {.pairs = {"mlflow.llm.provider", "\"anthropic\""}}, "anthropic"},
    {"an unknown model", {.pairs = {"gen_ai.request.model", "in-house-7b"}}, ""},
    {"no UTF-8", {.pairs = {"gen_ai.provider.name", "a\xff"}}, "a\xef\xbf\xbd"},
};

static void providers_have_the_names_of_price_lists(void **state)
{
    (void)state;
    CHECK_FACTS(provider_rows, provider);
}

static void models_are_the_responses_else_the_requests(void **state)
{
    static const struct fact models[] = {
        {"both",
         {.pairs = {"gen_ai.request.model", "gpt-4o", "gen_ai.response.model", "gpt-4o-x"}},
         "gpt-4o-x"},
        {"the request's", {.pairs = {"gen_ai.request.model", "gpt-4o"}}, "gpt-4o"},
        {"no name", {.pairs = {"gen_ai.request.model", "none", "llm.model_name", "m"}}, "m"},
        {"OpenInference's one key is the response's",
         {.pairs = {"llm.model_name", "gpt-4o-x", "llm.invocation_parameters",
                    "{\"model\": \"gpt-4o\"}"}},
         "gpt-4o-x"},
        {"a bare key on a model's span",
         {.pairs = {"gen_ai.operation.name", "chat", "model", "m"}},
         "m"},
        {"a bare key elsewhere", {.pairs = {"model", "Corolla"}}, ""},
        {"Genkit's name without its plug-in",
         {.pairs = {"genkit:metadata:subtype", "model", "genkit:name", "googleai/gemini"}},
         "gemini"},
        {"empty", {.pairs = {"gen_ai.request.model", " "}}, ""},
    };
    static const struct fact requests[] = {
        {"OpenInference's parameters",
         {.pairs = {"llm.model_name", "gpt-4o-x", "llm.invocation_parameters",
                    "{\"model\": \"gpt-4o\"}"}},
         "gpt-4o"},
        {"parameters cut off",
         {.pairs = {"llm.invocation_parameters", "{\"model\": \"gpt-4o\", \"tools\": [{\"na"}},
         "gpt-4o"},
    };

    (void)state;
    CHECK_FACTS(models, model);
    CHECK_FACTS(requests, request_model);
}

static void response_ids_are_the_providers(void **state)
{
    static const struct fact rows[] = {
        {"its key", {.pairs = {"gen_ai.response.id", "msg_1"}}, "msg_1"},
        {"Logfire: OpenAI's agents", {.pairs = {"response_id", "resp_1"}}, "resp_1"},
        {"anybody's bare key", {.pairs = {"response_id", "17"}}, ""},
        {"LangChain's own number", {.pairs = {"gen_ai.response.id", "run--1-0"}}, ""},
        {"in an OpenAI response",
         {.pairs = {"openinference.span.kind", "LLM", "output.value",
                    "{\"id\": \"chatcmpl-7\", \"choices\": [], \"model\": \"m\"}"}},
         "chatcmpl-7"},
        {"in LangChain's generations, behind its own numbers",
         {.pairs = {"openinference.span.kind", "LLM", "output.value",
                    "{\"generations\":[[{\"message\":{\"kwargs\":{\"id\":\"run--9-0\","
                    "\"response_metadata\":{\"id\":\"chatcmpl-8\"}}}}]]}"}},
         "chatcmpl-8"},
        {"a call of a tool is no response",
         {.pairs = {"openinference.span.kind", "LLM", "output.value",
                    "{\"messages\":[{\"id\":\"call_0000001\"}]}"}},
         ""},
        {"what a model wrote is no response",
         {.pairs = {"openinference.span.kind", "LLM", "output.value",
                    "{\"text\":\"{\\\"id\\\":\\\"chatcmpl-9\\\"}\"}"}},
         ""},
        {"a provider that numbers otherwise",
         {.pairs = {"openinference.span.kind", "LLM", "output.value",
                    "{\"id\":\"6f1c0d2e\",\"model\":\"mistral-small\"}"}},
         "6f1c0d2e"},
        {"on the span of a chain it belongs to a call below",
         {.pairs = {"openinference.span.kind", "CHAIN", "output.value", "{\"id\":\"chatcmpl-7\"}"}},
         ""},
        {"a request's id of somebody else", {.pairs = {"request_id", "r1"}}, ""},
        {"cut in the id",
         {.pairs = {"openinference.span.kind", "LLM", "output.value", "{\"id\":\"chatcm"}},
         ""},
    };

    (void)state;
    CHECK_FACTS(rows, response_id);
}

static void whose_spans_are(void **state)
{
    static const struct fact sessions[] = {
        {"a session before its conversation",
         {.pairs = {"gen_ai.conversation.id", "c", "session.id", "s"}},
         "s"},
        {"a conversation", {.pairs = {"gen_ai.conversation.id", "c"}}, "c"},
        {"a thread of Azure", {.pairs = {"gen_ai.thread.id", "t"}}, "t"},
        {"LangSmith's session is its project",
         {.pairs = {"langsmith.trace.session_name", "p"}},
         ""},
        {"LangSmith's thread", {.pairs = {"langsmith.metadata.thread_id", "t"}}, "t"},
        {"a number", {.pairs = {"session.id", "#42"}}, "42"},
        {"hidden", {.pairs = {"session.id", "<REDACTED>", "langfuse.session.id", "s"}}, "s"},
        {"MLflow's quotes", {.pairs = {"mlflow.trace.session", "\"s\""}}, "s"},
        {"a bare key", {.pairs = {"session_id", "s"}}, "s"},
        {"scrubbed by Logfire", {.pairs = {"session_id", "[Scrubbed due to 'session']"}}, ""},
        {"LangWatch's metadata", {.pairs = {"metadata", "{\"thread_id\": \"t\"}"}}, "t"},
        {"OpenAI's agents: a group",
         {.pairs = {"logfire.span_type", "span", "group_id", "g"}},
         "g"},
        {"OpenAI's agents without one",
         {.pairs = {"logfire.span_type", "span", "group_id", "null"}},
         ""},
        {"somebody else's group", {.pairs = {"group_id", "g"}}, ""},
    };
    static const struct fact projects[] = {
        {"LangSmith's session", {.pairs = {"langsmith.trace.session_name", "p"}}, "p"},
    };
    static const struct fact users[] = {
        {"the general key", {.pairs = {"user.id", "u", "llm.user", "other"}}, "u"},
        {"the AI SDK", {.pairs = {"ai.telemetry.metadata.userId", "u"}}, "u"},
        {"OpenAI's field", {.pairs = {"llm.user", "u"}}, "u"},
        {"LangWatch's metadata", {.pairs = {"metadata", "{\"user_id\": \"u\"}"}}, "u"},
    };
    static const struct fact agents[] = {
        {"an entity that is an agent",
         {.pairs = {"traceloop.span.kind", "agent", "traceloop.entity.name", "a"}},
         "a"},
        {"an entity that is none",
         {.pairs = {"traceloop.span.kind", "task", "traceloop.entity.name", "a"}},
         ""},
    };
    static const struct fact tools[] = {
        {"an entity that is a tool",
         {.pairs = {"traceloop.span.kind", "tool", "traceloop.entity.name", "t"}},
         "t"},
        {"Logfire's tool",
         {.scope = "logfire.openai_agents", .name = "Function: {name}", .pairs = {"name", "t"}},
         "t"},
        {"anybody's name", {.pairs = {"gen_ai.operation.name", "execute_tool", "name", "t"}}, ""},
    };

    (void)state;
    CHECK_FACTS(sessions, session_id);
    CHECK_FACTS(projects, project);
    CHECK_FACTS(users, user_id);
    CHECK_FACTS(agents, agent_name);
    CHECK_FACTS(tools, tool_name);
}

static void tags_of_all_forms(void **state)
{
    static const struct fact rows[] = {
        {"JSON text", {.pairs = {"langfuse.trace.tags", "[\"a\", \"b\", \"a\"]"}}, "a b"},
        {"a list with commas", {.pairs = {"langsmith.span.tags", "a, b,,  c"}}, "a b c"},
        {"one word", {.pairs = {"langsmith.span.tags", "a"}}, "a"},
        {"two keys",
         {.pairs = {"langfuse.trace.tags", "[\"a\"]", "tag.tags", "[\"b\", \"a\"]"}},
         "a b"},
        {"names with values", {.pairs = {"mlflow.traceTag.team", "blue"}}, "team:blue"},
        {"MLflow's own", {.pairs = {"mlflow.traceTag.mlflow.user", "x"}}, ""},
        {"no tags", {.pairs = {"langfuse.trace.tags", "[]"}}, ""},
        {"numbers", {.pairs = {"langfuse.trace.tags", "[1, null, true]"}}, "1 true"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct span span = {0};
        const struct meaning m = read_span(&rows[i].sent, &span, NULL);
        const char *all = "";

        for (uint32_t t = 0; t < m.tag_count; t++)
            all = arena_printf(&arena, "%s%s%.*s", all, t ? " " : "", (int)m.tags[t].len,
                               (const char *)m.tags[t].at);
        if (strcmp(all, rows[i].want) != 0)
            fail_msg("%s: \"%s\"", rows[i].why, all);
    }
}

static void levels_and_failures(void **state)
{
    static const struct row {
        const char *why;
        struct sent sent;
        const char *level;
        bool failed;
    } rows[] = {
        {"Langfuse", {.pairs = {"langfuse.observation.level", "ERROR"}}, "ERROR", true},
        {"other words", {.pairs = {"langfuse.observation.level", "warn"}}, "WARNING", false},
        {"Logfire's numbers", {.pairs = {"logfire.level_num", "#17"}}, "ERROR", true},
        {"info", {.pairs = {"logfire.level_num", "#9"}}, "DEFAULT", false},
        {"no level", {.pairs = {"langfuse.observation.level", "loud"}}, "", false},
        {"an error's type", {.pairs = {"error.type", "429"}}, "", true},
        {"an empty one", {.pairs = {"error.type", ""}}, "", false},
        {"a tool of Strands", {.pairs = {"gen_ai.tool.status", "error"}}, "", true},
        {"and its success", {.pairs = {"gen_ai.tool.status", "success"}}, "", false},
        {"LiveKit", {.pairs = {"lk.function_tool.is_error", "true"}}, "", true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct span span = {0};
        const struct meaning m = read_span(&rows[i].sent, &span, NULL);

        if (!bytes_is(m.level, rows[i].level) || m.failed != rows[i].failed)
            fail_msg("%s: \"%.*s\", failed %d", rows[i].why, (int)m.level.len,
                     m.level.len ? (const char *)m.level.at : "", m.failed);
    }
}

static void an_exception_is_a_failure_whatever_the_status(void **state)
{
    struct event event = {.name = BYTES_LITERAL("exception")};
    struct span span = {.events = &event, .event_count = 1, .status_code = 1};

    (void)state;
    assert_true(read_span(&(struct sent){.name = "x"}, &span, NULL).failed);
}

static void first_tokens_have_units(void **state)
{
    static const struct row {
        const char *why;
        struct sent sent;
        int64_t after; /* ns behind the start; -1: not known */
    } rows[] = {
        {"seconds", {.pairs = {"gen_ai.response.time_to_first_chunk", "0.5"}}, 500000000},
        {"milliseconds", {.pairs = {"ai.response.msToFirstChunk", "#250"}}, 250000000},
        {"seconds of OpenLIT", {.pairs = {"gen_ai.server.time_to_first_token", "#2"}}, 2000000000},
        {"milliseconds of Strands under the same key",
         {.scope = "strands.telemetry.tracer",
          .pairs = {"gen_ai.server.time_to_first_token", "#459"}},
         459000000},
        {"a time in quotes",
         {.pairs = {"langfuse.observation.completion_start_time",
                    "\"2025-11-21T10:15:12.924078Z\""}},
         924078000},
        {"a zone",
         {.pairs = {"mastra.completion_start_time", "2025-11-21T11:15:13+01:00"}},
         1000000000},
        {"milliseconds since 1970",
         {.pairs = {"langwatch.timestamps", "{\"first_token_at\": 1763720112500}"}},
         500000000},
        {"another day: the provider's mistake",
         {.pairs = {"langfuse.observation.completion_start_time", "2020-01-01T00:00:00Z"}},
         -1},
        {"no time", {.pairs = {"langfuse.observation.completion_start_time", "soon"}}, -1},
        {"the 45th of May",
         {.pairs = {"langfuse.observation.completion_start_time", "2025-05-45T00:00:00Z"}},
         -1},
        {"a wait of years", {.pairs = {"ttft_ms", "#99999999999999"}}, -1},
        {"a negative wait", {.pairs = {"ttft_ms", "#-5"}}, -1},
        {"the provider's time stamp is no first token",
         {.pairs = {"ai.response.timestamp", "2025-11-21T10:15:13Z"}},
         -1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct span span = {0};
        const struct meaning m = read_span(&rows[i].sent, &span, NULL);
        const int64_t after = m.completion_start_ns == 0 ? -1 : m.completion_start_ns - START;

        if (after != rows[i].after)
            fail_msg("%s: %lld", rows[i].why, (long long)after);
    }
}

static void sources_tell_what_was_used_and_what_lost(void **state)
{
    const struct sent sent = {.pairs = {"gen_ai.provider.name", "openai", "gen_ai.system",
                                        "anthropic", "llm.provider", "OpenAI"}};
    struct sources sources = {.arena = &arena};
    struct span span = {0};
    size_t used = 0;
    size_t lost = 0;
    size_t conflicts = 0;

    (void)state;
    (void)read_span(&sent, &span, &sources);
    for (size_t i = 0; i < sources.count; i++) {
        if (strcmp(sources.items[i].field, "provider") != 0)
            continue;
        used += sources.items[i].used;
        lost += !sources.items[i].used;
        conflicts += sources.items[i].conflict;
    }
    assert_int_equal(used, 1);
    assert_int_equal(lost, 2);
    assert_int_equal(conflicts, 1);
}

static void long_texts_are_cut_and_long_outputs_stay_cheap(void **state)
{
    const size_t len = 20 << 20;
    char *text = arena_alloc(&arena, len + 1);
    struct sent sent = {
        .pairs = {"openinference.span.kind", "LLM", "output.value", text, "session.id", text}};
    struct span span = {0};
    clock_t before;
    struct meaning m;

    (void)state;
    memset(text, 'x', len);
    memcpy(text, "{\"id\"", 5);
    text[len] = '\0';
    before = clock();
    m = read_span(&sent, &span, NULL);
    assert_in_range(m.session_id.len, 100, 1000);
    assert_int_equal(m.response_id.len, 0);
    assert_true(clock() - before < CLOCKS_PER_SEC / 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kinds_of_work),
        cmocka_unit_test(providers_have_the_names_of_price_lists),
        cmocka_unit_test(models_are_the_responses_else_the_requests),
        cmocka_unit_test(response_ids_are_the_providers),
        cmocka_unit_test(whose_spans_are),
        cmocka_unit_test(tags_of_all_forms),
        cmocka_unit_test(levels_and_failures),
        cmocka_unit_test(an_exception_is_a_failure_whatever_the_status),
        cmocka_unit_test(first_tokens_have_units),
        cmocka_unit_test(sources_tell_what_was_used_and_what_lost),
        cmocka_unit_test(long_texts_are_cut_and_long_outputs_stay_cheap),
    };

    return cmocka_run_group_tests(tests, start, stop);
}
