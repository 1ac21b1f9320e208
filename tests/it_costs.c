/*
 * Which cost of a call counts, through HTTP and in the tables: the setting --cost-preference at
 * arrival and when stored spans are priced anew. Usage that is none: kept as sent, left out of sums,
 * marked.
 */
#include "test.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "support/cluster.h"
#include "support/doc.h"
#include "support/expect.h"
#include "support/server.h"
#include "support/sql_value.h"

#define ROOM ((size_t)64 << 20)

static struct server server;
static struct arena arena;
static char conninfo[CLUSTER_CONNINFO_BYTES];

/* 1000 tokens in, 100 out: 0.0035 USD by the list, where the model is known. */
static const struct call {
    const char *why;
    const char *model;
    const char *cost;               /* as sent; NULL: none */
    const char *prefer_reported[2]; /* total_usd, source */
    const char *prefer_computed[2];
} calls[] = {
    {"both are known", "gpt-4o", "0.5", {"0.5", "reported"}, {"0.0035", "computed"}},
    {"only reported: the model has no price",
     "nobody-knows-it",
     "0.25",
     {"0.25", "reported"},
     {"0.25", "reported"}},
    {"only computed", "gpt-4o", NULL, {"0.0035", "computed"}, {"0.0035", "computed"}},
    {"neither", "nobody-knows-it", NULL, {"", ""}, {"", ""}},
    {"reported as nothing", "gpt-4o", "0.0", {"0", "reported"}, {"0.0035", "computed"}},
    {"a negative cost is none", "gpt-4o", "-1.5", {"0.0035", "computed"}, {"0.0035", "computed"}},
};
#define CALLS (sizeof(calls) / sizeof(calls[0]))

static const char *trace_id(size_t i)
{
    return arena_printf(&arena, "%032zx", 0xca11 + i);
}

/* A call in a trace of its own; more: further attributes, each behind a comma. */
static void send_span(size_t trace, const char *model, const char *more)
{
    const int64_t now = clock_wall_ns();
    struct reply reply;
    const char *body = arena_printf(
        &arena,
        "{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[{\"traceId\":\"%s\",\"spanId\":"
        "\"00000000000000c1\",\"name\":\"chat\",\"startTimeUnixNano\":\"%" PRId64
        "\",\"endTimeUnixNano\":\"%" PRId64 "\",\"attributes\":["
        "{\"key\":\"gen_ai.operation.name\",\"value\":{\"stringValue\":\"chat\"}},"
        "{\"key\":\"gen_ai.provider.name\",\"value\":{\"stringValue\":\"openai\"}},"
        "{\"key\":\"gen_ai.request.model\",\"value\":{\"stringValue\":\"%s\"}}%s]}]}]}]}",
        trace_id(trace), now, now + NS_PER_S, model, more);

    assert_non_null(body);
    reply_init(&reply);
    http_export(server.http_port, /* json= */ true, bytes_of(body), &reply);
    assert_int_equal(reply.status, 200);
    reply_done(&reply);
}

#define ATTRIBUTE(key, value) ",{\"key\":\"" key "\",\"value\":" value "}"
#define INPUT(value) ATTRIBUTE("gen_ai.usage.input_tokens", value)
#define OUTPUT(value) ATTRIBUTE("gen_ai.usage.output_tokens", value)
#define INT(number) "{\"intValue\":\"" #number "\"}"
#define DOUBLE(number) "{\"doubleValue\":" number "}"
#define STRING(text) "{\"stringValue\":\"" text "\"}"

static void send_call(size_t i)
{
    const char *usage = INPUT(INT(1000)) OUTPUT(INT(100));

    if (calls[i].cost)
        usage = arena_printf(&arena, "%s" ATTRIBUTE("gen_ai.usage.cost", DOUBLE("%s")), usage,
                             calls[i].cost);
    send_span(i, calls[i].model, usage);
}

/* What the API says of each call, and of its trace. */
static void check(bool reported)
{
    for (size_t i = 0; i < CALLS; i++) {
        const char *const *want = reported ? calls[i].prefer_reported : calls[i].prefer_computed;
        const struct doc *trace = get_doc(&arena, server.http_port,
                                          arena_printf(&arena, "/api/v1/traces/%s", trace_id(i)));
        const struct doc *cost = doc_get(doc_item(doc_get(trace, "spans"), 0), "cost");

        if (strcmp(doc_at(cost, "total_usd", NULL), want[0]) != 0 ||
            strcmp(doc_at(cost, "source", NULL), want[1]) != 0 ||
            strcmp(doc_at(trace, "cost", "total_usd", NULL), want[0]) != 0)
            fail_msg("%s: %s, trace %s; want %s %s", calls[i].why, doc_sorted(&arena, cost),
                     doc_at(trace, "cost", "total_usd", NULL), want[0], want[1]);
    }
}

/* Exit status of `spanledger WORD --cost-preference …`. */
static int run(const char *word, const char *preference)
{
    char program[512];
    char *argv[] = {program,
                    (char *)(uintptr_t)word,
                    (char *)(uintptr_t) "--db",
                    conninfo,
                    (char *)(uintptr_t) "--cost-preference",
                    (char *)(uintptr_t)preference,
                    NULL};
    int status = 0;

    server_program(program, sizeof(program));
    const pid_t pid = fork();
    if (pid == 0) {
        (void)execv(program, argv);
        _exit(127);
    }
    assert_true(pid > 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void what_was_reported_counts_where_that_is_preferred(void **state)
{
    (void)state;
    for (size_t i = 0; i < CALLS; i++)
        send_call(i);
    check(/* reported= */ true);
}

static void a_changed_preference_moves_stored_spans_when_they_are_priced_anew(void **state)
{
    (void)state;
    assert_int_equal(run("reprice", "computed"), 0);
    check(/* reported= */ false);
    assert_string_equal(
        sql_value(conninfo, "SELECT count(*) FROM spanledger.price_change_sum WHERE changed > 0"),
        "1");
    assert_int_equal(run("reprice", "reported"), 0);
    check(/* reported= */ true);
    assert_string_equal(
        sql_value(conninfo, "SELECT count(*) FROM spanledger.span s JOIN spanledger.trace t USING"
                            " (trace_id) WHERE s.cost_total IS DISTINCT FROM t.cost_total AND"
                            " s.cost_total <> 0"),
        "0");
}

/* One that was interrupted under another preference is another one. */
static void a_run_does_not_go_on_with_another_preference(void **state)
{
    (void)state;
    assert_string_equal(
        sql_value(conninfo,
                  "WITH again AS (UPDATE spanledger.price_change SET finished_at = NULL, done_day ="
                  " '9999-01-01' WHERE prices LIKE '%reported costs first' RETURNING 1) SELECT"
                  " count(*) FROM again"),
        "1");
    assert_int_equal(run("reprice", "computed"), 0);
    check(/* reported= */ false);
}

static const struct odd {
    const char *why;
    const char *attributes;
    const char *key;      /* in ledger.received */
    const char *received; /* as sent */
    int64_t total;        /* of the numbers that are some */
} odds[] = {
    {"negative", INPUT(INT(-5)) OUTPUT(INT(100)), "gen_ai.usage.input_tokens", "-5", 100},
    {"2^63", INPUT(STRING("9223372036854775808")) OUTPUT(INT(100)), "gen_ai.usage.input_tokens",
     "9223372036854775808", 100},
    {"NaN", INPUT(DOUBLE("\"NaN\"")) OUTPUT(INT(100)), "gen_ai.usage.input_tokens", "NaN", 100},
    {"words", INPUT(STRING("12.5 tokens")) OUTPUT(INT(100)), "gen_ai.usage.input_tokens",
     "12.5 tokens", 100},
    {"the sound side of it", INPUT(INT(1000)) OUTPUT(INT(-1)), "gen_ai.usage.input_tokens", "1000",
     1000},
};
#define FIRST_ODD 100

static void usage_that_is_none_is_kept_left_out_of_sums_and_marked(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(odds) / sizeof(odds[0]); i++) {
        const struct doc *trace;
        const struct doc *span;
        const struct doc *ledger;

        send_span(FIRST_ODD + i, "gpt-4o", odds[i].attributes);
        trace = get_doc(&arena, server.http_port,
                        arena_printf(&arena, "/api/v1/traces/%s", trace_id(FIRST_ODD + i)));
        span = doc_item(doc_get(trace, "spans"), 0);
        ledger = doc_get(span, "ledger");
        if (doc_int_at(span, "usage", "total", NULL) != odds[i].total ||
            doc_walk(span, "cost", "total_usd", NULL)->kind != DOC_NULL ||
            doc_int_at(trace, "usage", "total", NULL) != odds[i].total ||
            doc_int_at(trace, "unpriced_calls", NULL) != 1 ||
            strcmp(doc_at(ledger, "usage_rule", NULL), "odd") != 0 ||
            doc_count(doc_get(ledger, "flags")) != 1 ||
            strcmp(doc_at(doc_item(doc_get(ledger, "flags"), 0), NULL), "odd_usage") != 0 ||
            strcmp(doc_at(doc_get(ledger, "received"), odds[i].key, NULL), odds[i].received) != 0)
            fail_msg("%s: %s", odds[i].why, doc_sorted(&arena, trace));
    }
    assert_string_equal(
        sql_value(conninfo, "SELECT count(*) FROM spanledger.span WHERE meaning_flags & 128 <> 0"
                            " AND usage_rule = 13 AND cost_total IS NULL"),
        "5");
}

static void other_words_are_refused(void **state)
{
    (void)state;
    assert_int_equal(run("reprice", "best"), 2);
    assert_int_equal(run("serve", "Reported"), 2);
}

static int start(void **state)
{
    static const char *const flags[] = {"--cost-preference", "reported", NULL};

    (void)state;
    arena_init(&arena, ROOM);
    return server_up(&server, flags) && server_conninfo(&server, conninfo, sizeof(conninfo)) ? 0
                                                                                             : -1;
}

static int stop(void **state)
{
    (void)state;
    server_remove(&server);
    arena_done(&arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_reported_counts_where_that_is_preferred),
        cmocka_unit_test(a_changed_preference_moves_stored_spans_when_they_are_priced_anew),
        cmocka_unit_test(a_run_does_not_go_on_with_another_preference),
        cmocka_unit_test(usage_that_is_none_is_kept_left_out_of_sums_and_marked),
        cmocka_unit_test(other_words_are_refused),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
