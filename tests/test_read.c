/* Whose spans are and how they went, dialect by dialect; what was used and what lost; and that hostile
 * values change nothing. */
#include "test.h"

#include <stdio.h>
#include <time.h>

#include "support/meaning_case.h"

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
    MEANING_FACTS(sessions, session_id);
    MEANING_FACTS(projects, project);
    MEANING_FACTS(users, user_id);
    MEANING_FACTS(agents, agent_name);
    MEANING_FACTS(tools, tool_name);
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
        const struct meaning m = meaning_of(&rows[i].sent, &span, NULL);
        const char *all = "";

        for (uint32_t t = 0; t < m.tag_count; t++)
            all = arena_printf(&meaning_arena, "%s%s%.*s", all, t ? " " : "", (int)m.tags[t].len,
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
        const struct meaning m = meaning_of(&rows[i].sent, &span, NULL);

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
    assert_true(meaning_of(&(struct sent){.name = "x"}, &span, NULL).failed);
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
        const struct meaning m = meaning_of(&rows[i].sent, &span, NULL);
        const int64_t after =
            m.completion_start_ns == 0 ? -1 : m.completion_start_ns - MEANING_START_NS;

        if (after != rows[i].after)
            fail_msg("%s: %lld", rows[i].why, (long long)after);
    }
}

static void sources_tell_what_was_used_and_what_lost(void **state)
{
    const struct sent sent = {.pairs = {"gen_ai.provider.name", "openai", "gen_ai.system",
                                        "anthropic", "llm.provider", "OpenAI"}};
    struct sources sources = {.arena = &meaning_arena};
    struct span span = {0};
    size_t used = 0;
    size_t lost = 0;
    size_t conflicts = 0;

    (void)state;
    (void)meaning_of(&sent, &span, &sources);
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
    char *text = arena_alloc(&meaning_arena, len + 1);
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
    m = meaning_of(&sent, &span, NULL);
    assert_in_range(m.session_id.len, 100, 1000);
    assert_int_equal(m.response_id.len, 0);
    assert_true(clock() - before < CLOCKS_PER_SEC / 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whose_spans_are),
        cmocka_unit_test(tags_of_all_forms),
        cmocka_unit_test(levels_and_failures),
        cmocka_unit_test(an_exception_is_a_failure_whatever_the_status),
        cmocka_unit_test(first_tokens_have_units),
        cmocka_unit_test(sources_tell_what_was_used_and_what_lost),
        cmocka_unit_test(long_texts_are_cut_and_long_outputs_stay_cheap),
    };

    return cmocka_run_group_tests(tests, meaning_setup, meaning_teardown);
}
