/* What a span means, written by store/write and read back by store/query: every column, on the way of
 * new spans, of staged ones and of replaced versions. */
#include "store/query.h"
#include "store/write.h"
#include "test.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/text.h"
#include "queries.h"
#include "store/migrate.h"
#include "support/cluster.h"
#include "support/must.h"

#define NOW_NS (INT64_C(20778) * S_PER_DAY * NS_PER_S + 3600 * NS_PER_S) /* 2026-11-21 01:00 */
#define ARENA_BYTES ((size_t)64 << 20)

static struct cfg cfg;
static struct cluster *cluster;
static char conninfo[CLUSTER_CONNINFO_BYTES];
static struct seen *seen;
static struct writer *writer;
static struct db db;
static struct reader *reader;
static struct arena arena;

static struct stored_resource resource = {
    .id.at = {1}, .service_name = BYTES_CONSTANT("shop"), .attributes = BYTES_CONSTANT("{}")};
static struct stored_scope scope = {
    .id.at = {2}, .name = BYTES_CONSTANT("lib"), .attributes = BYTES_CONSTANT("{}")};

static int setup(void **state)
{
    struct err err = {0};
    int rest;
    int applied;
    char program[] = "it_meaning";
    char *argv[] = {program};

    (void)state;
    cluster = cluster_start(NULL);
    cluster_new_database(cluster, conninfo);
    must(cfg_load(&cfg, 0, argv, NULL, &rest, &err));
    must(db_open(&db, conninfo, DB_ADMIN, 0, &err));
    must(migrate_run(&db, &cfg, &applied, &err));
    seen = seen_new();
    must(writer_new(&cfg, conninfo, seen, &writer, &err));
    must(reader_new(&cfg, conninfo, &reader, &err));
    arena_init(&arena, ARENA_BYTES);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_done(&arena);
    reader_free(reader);
    writer_free(writer);
    seen_free(seen);
    cfg_done(&cfg);
    db_close(&db);
    cluster_stop(cluster);
    return 0;
}

static struct stored_span span_of(uint8_t trace, const struct meaning *meaning)
{
    struct stored_span s = {.tenant_id = TENANT_DEFAULT,
                            .trace_id.at = {trace, 7},
                            .span_id = 1,
                            .start_unix_ns = NOW_NS,
                            .duration_ns = 5000,
                            .kind = 1,
                            .name = BYTES_LITERAL("work"),
                            .service_name = BYTES_LITERAL("shop"),
                            .attributes = BYTES_LITERAL("{}"),
                            .content_hash = 1,
                            .received_ns = NOW_NS,
                            .resource = &resource,
                            .scope = &scope,
                            .meaning = meaning};
    s.trace_bucket = stored_bucket(&s.trace_id);
    return s;
}

static void write_one(struct stored_span *row, enum write_outcome want)
{
    struct write_item item = {.row = row};
    struct err err = {0};

    must(writer_write(writer, &item, 1, &err));
    assert_int_equal(item.outcome, want);
}

static const struct stored_span *read_one(uint8_t trace, bool full)
{
    const struct uuid id = {{trace, 7}};
    struct trace_spans spans;
    struct err err = {0};

    arena_reset(&arena);
    must(reader_trace(reader, TENANT_DEFAULT, &id, full, &arena, &spans, &err));
    assert_int_equal(spans.count, 1);
    return &spans.items[0];
}

static struct bytes tags[] = {BYTES_CONSTANT("beta"), BYTES_CONSTANT("a \"quoted\", {tag}")};

/* Every field has a value of its own, so that two changed columns are seen. */
static struct meaning whole(void)
{
    struct meaning m = {
        .observation = OBSERVATION_LLM,
        .flags = MEANING_STREAMED | MEANING_NATIVE,
        .provider = BYTES_LITERAL("openai"),
        .model = BYTES_LITERAL("gpt-4o-2024-08-06"),
        .request_model = BYTES_LITERAL("gpt-4o"),
        .response_id = BYTES_LITERAL("chatcmpl-1"),
        .session_id = BYTES_LITERAL("session"),
        .user_id = BYTES_LITERAL("user"),
        .environment = BYTES_LITERAL("production"),
        .project = BYTES_LITERAL("project"),
        .release = BYTES_LITERAL("1.2"),
        .level = BYTES_LITERAL("WARNING"),
        .trace_name = BYTES_LITERAL("trace name"),
        .agent_name = BYTES_LITERAL("agent"),
        .prompt_name = BYTES_LITERAL("prompt"),
        .prompt_version = BYTES_LITERAL("3"),
        .tags = tags,
        .tag_count = 2,
        .input_preview = BYTES_LITERAL("asked"),
        .output_preview = BYTES_LITERAL("answered"),
        .completion_start_ns = NOW_NS + 3000,
        .usage = {.sent = true,
                  .rule = USAGE_RULE_DIALECT_INCLUSIVE,
                  .total = 145,
                  .cached_audio = 9,
                  .image_output = 8},
        .reported_cost = 1002,
        .cost = {.source = COST_SOURCE_COMPUTED,
                 .total = 1001,
                 .computed = 1001,
                 .reported = 1002,
                 .request = 1003,
                 .price_id = UINT64_C(0xf000000000000001)},
    };

    for (int64_t i = 0; i < TOKEN_KIND_COUNT; i++) {
        m.usage.tokens[i] = 11 + i;
        m.cost.by_kind[i] = 1100 + i;
    }
    return m;
}

#define same_text(field)                                                                           \
    do {                                                                                           \
        if (!bytes_equal(got->field, want->field))                                                 \
            fail_msg("%s: %.*s", #field, (int)got->field.len, (const char *)got->field.at);        \
    } while (0)

static void assert_skeleton(const struct meaning *got, const struct meaning *want)
{
    assert_non_null(got);
    assert_int_equal(got->observation, want->observation);
    assert_int_equal(got->flags, want->flags);
    same_text(provider);
    same_text(model);
    same_text(request_model);
    same_text(level);
    assert_int_equal(got->completion_start_ns, want->completion_start_ns);
    assert_int_equal(got->usage.sent, want->usage.sent);
    assert_int_equal(got->usage.rule, want->usage.rule);
    assert_int_equal(got->usage.total, want->usage.total);
    assert_int_equal(got->usage.cached_audio, want->usage.cached_audio);
    assert_int_equal(got->usage.image_output, want->usage.image_output);
    assert_int_equal(got->cost.source, want->cost.source);
    assert_int_equal(got->cost.total, want->cost.total);
    assert_int_equal(got->cost.computed, want->cost.computed);
    assert_int_equal(got->cost.reported, want->cost.reported);
    assert_int_equal(got->cost.request, want->cost.request);
    assert_true(got->cost.price_id == want->cost.price_id);
    for (size_t i = 0; i < TOKEN_KIND_COUNT; i++) {
        assert_int_equal(got->usage.tokens[i], want->usage.tokens[i]);
        assert_int_equal(got->cost.by_kind[i], want->cost.by_kind[i]);
    }
}

static void assert_whole(const struct meaning *got, const struct meaning *want)
{
    assert_skeleton(got, want);
    same_text(session_id);
    same_text(user_id);
    same_text(environment);
    same_text(project);
    same_text(release);
    same_text(trace_name);
    same_text(agent_name);
    same_text(prompt_name);
    same_text(prompt_version);
    assert_int_equal(got->tag_count, want->tag_count);
    for (uint32_t i = 0; i < want->tag_count; i++)
        assert_true(bytes_equal(got->tags[i], want->tags[i]));
}

static void every_column_comes_back(void **state)
{
    const struct meaning want = whole();
    struct stored_span row = span_of(1, &want);

    (void)state;
    write_one(&row, WRITE_NEW);
    assert_whole(read_one(1, true)->meaning, &want);
    assert_skeleton(read_one(1, false)->meaning, &want);
}

static void a_plain_span_has_no_meaning(void **state)
{
    struct stored_span row = span_of(2, NULL);

    (void)state;
    write_one(&row, WRITE_NEW);
    assert_null(read_one(2, true)->meaning);
    assert_int_equal(read_one(2, true)->billing.reason, BILLING_REASON_NONE);
}

/* A call without usage and price is neither free nor of zero tokens. */
static void unknown_stays_unknown(void **state)
{
    const struct meaning want = {
        .observation = OBSERVATION_LLM,
        .reported_cost = COST_UNKNOWN,
        .cost = {.total = COST_UNKNOWN, .computed = COST_UNKNOWN, .reported = COST_UNKNOWN}};
    struct stored_span row = span_of(3, &want);

    (void)state;
    write_one(&row, WRITE_NEW);
    assert_whole(read_one(3, true)->meaning, &want);
}

static void a_session_alone_is_kept(void **state)
{
    const struct meaning want = {
        .session_id = BYTES_LITERAL("s"),
        .reported_cost = COST_UNKNOWN,
        .cost = {.total = COST_UNKNOWN, .computed = COST_UNKNOWN, .reported = COST_UNKNOWN}};
    struct stored_span row = span_of(4, &want);

    (void)state;
    write_one(&row, WRITE_NEW);
    assert_whole(read_one(4, true)->meaning, &want);
}

static void a_greater_version_brings_its_own(void **state)
{
    const struct meaning first = {
        .observation = OBSERVATION_AGENT,
        .user_id = BYTES_LITERAL("nobody"),
        .reported_cost = COST_UNKNOWN,
        .cost = {.total = COST_UNKNOWN, .computed = COST_UNKNOWN, .reported = COST_UNKNOWN}};
    const struct meaning want = whole();
    struct stored_span early = span_of(5, &first);
    struct stored_span late = span_of(5, &want);
    struct stored_span none = span_of(5, NULL);

    (void)state;
    late.duration_ns++;
    late.content_hash = 2;
    none.duration_ns += 2;
    none.content_hash = 3;
    write_one(&early, WRITE_NEW);
    write_one(&late, WRITE_REPLACED);
    assert_whole(read_one(5, true)->meaning, &want);
    write_one(&early, WRITE_IDENTICAL);
    write_one(&none, WRITE_REPLACED);
    assert_null(read_one(5, true)->meaning);
}

/* What has been written lately, or is there in two versions, goes through staging. */
static void staged_spans_keep_it_too(void **state)
{
    const struct meaning want = whole();
    struct stored_span early = span_of(6, NULL);
    struct stored_span late = span_of(6, &want);
    struct write_item items[] = {{.row = &early}, {.row = &late}};
    struct err err = {0};

    (void)state;
    late.duration_ns++;
    late.content_hash = 2;
    must(writer_write(writer, items, 2, &err));
    assert_int_equal(items[0].outcome, WRITE_SUPERSEDED);
    assert_int_equal(items[1].outcome, WRITE_NEW);
    assert_whole(read_one(6, true)->meaning, &want);
}

static int64_t number(const char *sql)
{
    DB_RESULT res = PQexec(db.conn, sql);
    int64_t found = 0;

    if (PQresultStatus(res) != PGRES_TUPLES_OK || PQntuples(res) != 1)
        fail_msg("%s: %s", sql, PQresultErrorMessage(res));
    assert_true(text_int64(bytes_of(PQgetvalue(res, 0, 0)), &found));
    return found;
}

/* Long texts stand apart and come back; what a replaced version had goes with it. */
static void payloads_follow_the_version_that_stands(void **state)
{
    static const char count[] = "SELECT count(*) FROM spanledger.span_payload";
    struct stored_payload long_text = {.attributes = BYTES_LITERAL("[[1,\"input\",\"long\"]]"),
                                       .events = BYTES_LITERAL("[{\"name\":\"e\"}]")};
    struct stored_payload other = {.attributes = BYTES_LITERAL("[[0,\"output\",\"longer\"]]")};
    struct stored_span rows[4];

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        rows[i] = span_of(7, NULL);
        rows[i].attributes = BYTES_LITERAL("{\"a\":1}");
        rows[i].duration_ns += (int64_t)i;
        rows[i].content_hash = (int64_t)i;
    }
    rows[1].payload = &long_text;
    rows[2].payload = &other;
    write_one(&rows[1], WRITE_NEW);
    assert_int_equal(number(count), 1);
    assert_true(bytes_is(read_one(7, true)->attributes, "{\"a\":1,\"input\":\"long\"}"));
    assert_true(bytes_is(read_one(7, true)->events, "[{\"name\":\"e\"}]"));
    assert_int_equal(read_one(7, false)->attributes.len, 0);
    assert_int_equal(number("SELECT count(*) FROM api.spans WHERE attributes = '{\"a\": 1, "
                            "\"input\": \"long\"}' AND events = '[{\"name\": \"e\"}]'"),
                     1);
    write_one(&rows[0], WRITE_SUPERSEDED);
    write_one(&rows[1], WRITE_IDENTICAL);
    assert_int_equal(number(count), 1);
    write_one(&rows[2], WRITE_REPLACED);
    assert_int_equal(number(count), 1);
    assert_true(bytes_is(read_one(7, true)->attributes, "{\"output\":\"longer\",\"a\":1}"));
    assert_int_equal(read_one(7, true)->events.len, 0);
    write_one(&rows[3], WRITE_REPLACED);
    assert_int_equal(number(count), 0);
    assert_true(bytes_is(read_one(7, true)->attributes, "{\"a\":1}"));
}

/* All trace rows as text, in order of their key. */
static char *dump_traces(void)
{
    DB_RESULT res =
        PQexec(db.conn, "SELECT string_agg(t::text, E'\\n' ORDER BY t.trace_id, t.day) FROM "
                        "spanledger.trace AS t");

    if (PQresultStatus(res) != PGRES_TUPLES_OK)
        fail_msg("%s", PQresultErrorMessage(res));
    return strdup(PQgetvalue(res, 0, 0));
}

static const char *sql_of(const char *name)
{
    for (const struct query_text *q = query_texts; q->name; q++)
        if (strcmp(q->name, name) == 0)
            return q->sql;
    fail_msg("no statement %s", name);
    return NULL;
}

/* Counts every trace row anew. */
static void recount_all(void)
{
    DB_RESULT keys = PQexec(db.conn, "SELECT array_agg(tenant_id), array_agg(trace_bucket), "
                                     "array_agg(trace_id), array_agg(day) FROM spanledger.trace");
    const char *params[] = {PQgetvalue(keys, 0, 0), PQgetvalue(keys, 0, 1),
                            PQgetvalue(keys, 0, 2), PQgetvalue(keys, 0, 3),
                            "2026-01-01",           "2027-01-01",
                            "2026-01-01",           "2027-01-01"};
    DB_RESULT res =
        PQexecParams(db.conn, sql_of("write_trace_recount"), 8, NULL, params, NULL, NULL, 0);

    if (PQresultStatus(res) != PGRES_COMMAND_OK)
        fail_msg("%s", PQresultErrorMessage(res));
}

static uint32_t dice;

static uint32_t roll(uint32_t sides)
{
    dice = dice * 1664525 + 1013904223;
    return (dice >> 8) % sides;
}

/* One of a few texts, or none. */
static struct bytes some(const char *kind)
{
    const uint32_t n = roll(5);
    char text[400];

    if (n == 0)
        return (struct bytes){0};
    (void)snprintf(text, sizeof(text), "%s %u", kind, n);
    if (n == 4) /* cut in facets */
        (void)snprintf(text, sizeof(text), "%s %0250u", kind, roll(2));
    return arena_copy(&arena, bytes_of(text));
}

static const struct meaning *random_meaning(void)
{
    static struct bytes labels[] = {BYTES_CONSTANT("b"), BYTES_CONSTANT("a \"x\"\\,"),
                                    BYTES_CONSTANT("c")};
    struct meaning *m = arena_new(&arena, struct meaning);

    *m = whole();
    m->observation = (enum observation)roll(OBSERVATION_COUNT);
    m->response_id = (struct bytes){0}; /* calls of their own: tests/it_fold.c */
    m->model = some("model");
    m->provider = some("provider");
    m->session_id = some("session");
    m->user_id = some("user");
    m->environment = some("environment");
    m->project = some("project");
    m->release = some("release");
    m->trace_name = some("name");
    m->agent_name = some("agent");
    m->prompt_name = some("prompt");
    m->input_preview = some("input");
    m->output_preview = some("output");
    m->tags = labels;
    m->tag_count = roll(4);
    m->usage.sent = roll(3) > 0;
    m->usage.total = INT64_MAX - roll(1000);
    for (size_t i = 0; i < TOKEN_KIND_COUNT; i++)
        m->usage.tokens[i] = roll(3) ? roll(100000) : 0;
    if (!m->usage.sent)
        m->usage = (struct token_usage){0};
    m->cost.total = roll(4) ? INT64_MAX - roll(7) : COST_UNKNOWN;
    return m;
}

/* Traces of 7 spans with meanings at random, some over midnight, some with equal starts. */
static void random_spans(struct stored_span *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        rows[i] = span_of((uint8_t)(100 + i % 11), roll(4) ? random_meaning() : NULL);
        rows[i].span_id = (int64_t)i;
        rows[i].content_hash = (int64_t)i;
        rows[i].start_unix_ns += roll(5) * 1000 + (int64_t)roll(2) * S_PER_DAY * NS_PER_S;
        rows[i].has_parent = roll(3) > 0;
        rows[i].outcome = (enum span_outcome)roll(4);
        rows[i].billing.billable = rows[i].meaning && roll(2);
        rows[i].billing.counted = rows[i].billing.billable;
        rows[i].billing.plain = rows[i].billing.billable && roll(2);
    }
}

/* Whatever came in which request: the rows are the same, and the same as counted from the spans. */
static void trace_rows_add_up_in_any_order(void **state)
{
    static struct stored_span rows[300];
    char *first = NULL;

    (void)state;
    for (uint32_t order = 0; order < 5; order++) {
        struct err err = {0};
        char *merged;
        char *recounted;

        must(db_exec(&db, "TRUNCATE spanledger.span, spanledger.trace", &err));
        arena_reset(&arena);
        dice = 1;
        random_spans(rows, 300);
        dice = order;
        for (size_t i = 0; i < 300 && order > 0; i++) {
            const size_t other = roll(300);
            const struct stored_span swapped = rows[i];

            rows[i] = rows[other];
            rows[other] = swapped;
        }
        for (size_t i = 0, n; i < 300; i += n) {
            struct write_item items[300];

            n = order < 2 ? 300 : 1 + roll(40);
            n = n < 300 - i ? n : 300 - i;
            for (size_t k = 0; k < n; k++)
                items[k] = (struct write_item){.row = &rows[i + k]};
            must(writer_write(writer, items, n, &err));
        }
        merged = dump_traces();
        recount_all();
        recounted = dump_traces();
        assert_string_equal(merged, recounted);
        if (first)
            assert_string_equal(merged, first);
        else
            first = strdup(merged);
        free(merged);
        free(recounted);
    }
    free(first);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_column_comes_back),
        cmocka_unit_test(a_plain_span_has_no_meaning),
        cmocka_unit_test(unknown_stays_unknown),
        cmocka_unit_test(a_session_alone_is_kept),
        cmocka_unit_test(a_greater_version_brings_its_own),
        cmocka_unit_test(staged_spans_keep_it_too),
        cmocka_unit_test(payloads_follow_the_version_that_stands),
        cmocka_unit_test(trace_rows_add_up_in_any_order),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
