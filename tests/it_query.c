/* store/query on a real PostgreSQL: what stands in the tables comes out whole, in order, and pages
 * fit together. */
#include "store/query.h"
#include "test.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "store/chunks.h"
#include "store/list_sql.h"
#include "store/migrate.h"
#include "support/cluster.h"

#define DAY_NS (S_PER_DAY * NS_PER_S)
/* Midnight before the tests' days: far enough behind now that nothing counts as running. */
#define DAY0_NS (INT64_C(20700) * DAY_NS)
#define NOW_NS (DAY0_NS + 3 * DAY_NS)
#define ARENA_BYTES ((size_t)512 << 20)

static const struct cfg cfg = {.partition_days_back = 400, .query_timeout_ms = 20000};

static struct cluster *cluster;
static char conninfo[CLUSTER_CONNINFO_BYTES];
static struct db db;
static struct reader *reader;
static struct arena arena;

#define must(call)                                                                                 \
    do {                                                                                           \
        if (!(call))                                                                               \
            fail_msg("%s: %s: %s", #call, err_kind_name(err.kind), err.text);                      \
    } while (0)

/* One span to be stored; what is 0 or NULL takes a default. */
struct seed {
    uint8_t trace; /* first byte of its id */
    int64_t span_id;
    int64_t parent;
    int64_t start_ns; /* behind DAY0_NS */
    int64_t duration_ns;
    int32_t kind;
    enum span_outcome outcome;
    const char *name;
    const char *service;
};

static struct uuid trace_id_of(uint8_t first)
{
    return (struct uuid){{first, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, first}};
}

static void run(const char *sql)
{
    struct err err;

    must(db_exec(&db, sql, &err));
}

static void seed_span(const struct seed *s)
{
    const struct uuid trace_id = trace_id_of(s->trace);
    const int64_t start_ns = DAY0_NS + s->start_ns;
    const char *service = s->service ? s->service : "shop";
    char hex[33] = {0};
    char parent[24] = "NULL";
    char sql[2048];

    for (size_t i = 0; i < 16; i++)
        (void)snprintf(hex + 2 * i, 3, "%02x", trace_id.at[i]);
    if (s->parent)
        (void)snprintf(parent, sizeof(parent), "%" PRId64, s->parent);
    (void)snprintf(
        sql, sizeof(sql),
        "INSERT INTO spanledger.span (start_time, start_ns, trace_id, span_id, parent_span_id,"
        " duration_ns, content_hash, received_at, ingest_seq, resource_id, scope_id, tenant_id,"
        " kind, status_code, marks, attribute_count, trace_bucket, outcome, name, service_name,"
        " attributes, events, exact, flags, other_versions)"
        " VALUES (timestamptz 'epoch' + %" PRId64 " * interval '1 microsecond', %d, '%s', %" PRId64
        ", %s, %" PRId64 ", 42, timestamptz 'epoch' + %" PRId64
        " * interval '1 microsecond', 7, md5('%s')::uuid, md5('lib')::uuid, 1, %d, %d, 0, 1, %d,"
        " %d, '%s', '%s', '{\"a\":1.0}', '[{\"name\":\"e\"}]', '\\x00ff', 257, '{1,2}')",
        start_ns / 1000, (int)(start_ns % 1000), hex, s->span_id, parent, s->duration_ns,
        (start_ns + NS_PER_S) / 1000, service, s->kind, s->outcome == SPAN_FAILED ? 2 : 0,
        stored_bucket(&trace_id), (int)s->outcome, s->name ? s->name : "step", service);
    run(sql);
}

/* Trace rows from the spans, as the write path keeps them. */
static void seed_traces(void)
{
    run("INSERT INTO spanledger.resource SELECT DISTINCT 1, resource_id, service_name,"
        " '{\"service.name\":\"' || service_name || '\"}', NULL::int8, 'url', NULL::bytea,"
        " min(start_time)::date, max(start_time)::date FROM spanledger.span"
        " GROUP BY resource_id, service_name;"
        "INSERT INTO spanledger.scope VALUES (1, md5('lib')::uuid, 'lib', '1.2', '{}', 5, '',"
        " '\\x01', '2026-01-01', '2026-01-01');"
        "INSERT INTO spanledger.trace (day, tenant_id, trace_id, start_ns, end_ns, last_received,"
        " first_span_id, root_start_ns, root_span_id, span_count, error_count, roots_ended,"
        " roots_failed, roots_cancelled, roots_unfinished, trace_bucket, multi_day, first_name,"
        " first_service, root_name, root_service, services)"
        " SELECT day, 1, trace_id, min(s), max(s + duration_ns), max(received_at),"
        " (array_agg(span_id ORDER BY s))[1], min(s) FILTER (WHERE parent_span_id IS NULL),"
        " (array_agg(span_id ORDER BY s) FILTER (WHERE parent_span_id IS NULL))[1], count(*),"
        " count(*) FILTER (WHERE status_code = 2),"
        " count(*) FILTER (WHERE parent_span_id IS NULL AND outcome = 0),"
        " count(*) FILTER (WHERE parent_span_id IS NULL AND outcome = 1),"
        " count(*) FILTER (WHERE parent_span_id IS NULL AND outcome = 2),"
        " count(*) FILTER (WHERE parent_span_id IS NULL AND outcome = 3), trace_bucket,"
        " count(*) OVER (PARTITION BY trace_id) > 1, (array_agg(name ORDER BY s))[1],"
        " (array_agg(service_name ORDER BY s))[1],"
        " (array_agg(name ORDER BY s) FILTER (WHERE parent_span_id IS NULL))[1],"
        " (array_agg(service_name ORDER BY s) FILTER (WHERE parent_span_id IS NULL))[1],"
        " array_agg(DISTINCT service_name)"
        " FROM (SELECT *, (start_time AT TIME ZONE 'UTC')::date AS day,"
        " (extract(epoch FROM start_time) * 1000000)::int8 * 1000 + start_ns AS s"
        " FROM spanledger.span) AS x GROUP BY day, trace_id, trace_bucket");
}

#define H (INT64_C(3600) * NS_PER_S)
static const struct seed seeds[] = {
    /* 1: whole, with ids on both sides of 2^63 and nanoseconds */
    {1, 10, 0, 1 * H + 1, 9 * NS_PER_S, 2, SPAN_ENDED, "run", "shop"},
    {1, -20, 10, 1 * H + 2, 5, 3, SPAN_ENDED, NULL, "bank"},
    {1, 30, -20, 1 * H + 2, 5, 2, SPAN_FAILED, NULL, NULL},
    /* 2: over midnight, its root on the second day */
    {2, 1, 2, 23 * H, 5, 0, SPAN_ENDED, "early", "night"},
    {2, 2, 0, 25 * H, 10, 0, SPAN_CANCELLED, "root", "day"},
    {2, 3, 2, 26 * H, 30, 0, SPAN_ENDED, NULL, "day"},
    /* 3: failed; 4: no root; 5: unfinished, received in the last hour */
    {3, 1, 0, 3 * H, 7 * NS_PER_S, 0, SPAN_FAILED, "run", NULL},
    {4, 1, 99, 4 * H, 5, 0, SPAN_ENDED, "lost", NULL},
    {5, 1, 0, 71 * H + H / 2, 0, 0, SPAN_UNFINISHED, "now", NULL},
    /* 6: the same id as client and server, and at another time */
    {6, 1, 0, 6 * H, 5, 3, SPAN_ENDED, "run", NULL},
    {6, 1, 0, 6 * H, 5, 2, SPAN_ENDED, "run", NULL},
    {6, 1, 0, 7 * H, 5, 2, SPAN_ENDED, "run", NULL},
    /* 7 and 8: equal start and duration */
    {7, 1, 0, 8 * H, 5, 0, SPAN_ENDED, "twin", NULL},
    {8, 1, 0, 8 * H, 5, 0, SPAN_ENDED, "twin", NULL},
};

static int setup(void **state)
{
    static const int64_t days[] = {20700, 20701, 20702};
    int applied;
    struct err err;

    (void)state;
    cluster = cluster_start(NULL);
    cluster_new_database(cluster, conninfo);
    must(db_open(&db, conninfo, DB_ADMIN, 0, &err));
    must(migrate_run(&db, &cfg, &applied, &err));
    must(chunks_ensure_days(&db, days, 3, &err));
    for (size_t i = 0; i < sizeof(seeds) / sizeof(seeds[0]); i++)
        seed_span(&seeds[i]);
    seed_traces();
    must(reader_new(&cfg, conninfo, &reader, &err));
    arena_init(&arena, ARENA_BYTES);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_done(&arena);
    reader_free(reader);
    db_close(&db);
    cluster_stop(cluster);
    return 0;
}

static struct trace_spans read_trace(uint8_t first, bool full)
{
    const struct uuid id = trace_id_of(first);
    struct trace_spans spans;
    struct err err;

    arena_reset(&arena);
    must(reader_trace(reader, 1, &id, full, &arena, &spans, &err));
    return spans;
}

static void gives_every_column_of_a_trace_back(void **state)
{
    const struct trace_spans spans = read_trace(1, true);
    const struct stored_span *span = &spans.items[0];

    (void)state;
    assert_int_equal(spans.count, 3);
    assert_true(span->span_id == 10 && !span->has_parent);
    assert_true(span->start_unix_ns == DAY0_NS + H + 1);
    assert_true(span->duration_ns == 9 * NS_PER_S);
    assert_true(span->received_ns == DAY0_NS + H + NS_PER_S);
    assert_int_equal(span->kind, 2);
    assert_true(span->content_hash == 42 && span->ingest_seq == 7);
    assert_int_equal(span->other_versions, 2);
    assert_int_equal(span->flags, 257);
    assert_true(bytes_is(span->name, "run") && bytes_is(span->service_name, "shop"));
    assert_true(bytes_is(span->attributes, "{\"a\":1.0}"));
    assert_true(bytes_is(span->events, "[{\"name\":\"e\"}]"));
    assert_int_equal(span->links.len, 0);
    assert_memory_equal(span->exact.at, "\0\xff", 2);
    assert_true(bytes_is(span->resource->attributes, "{\"service.name\":\"shop\"}"));
    assert_true(bytes_is(span->resource->schema_url, "url"));
    assert_true(bytes_is(span->scope->name, "lib") && bytes_is(span->scope->version, "1.2"));
    assert_int_equal(span->scope->dropped_attributes, 5);
    assert_memory_equal(span->scope->exact.at, "\1", 1);
    /* Equal starts: ids in order as unsigned numbers. */
    assert_true(spans.items[1].span_id == 30 && spans.items[1].parent_span_id == -20);
    assert_int_equal(spans.items[1].status_code, 2);
    assert_true(spans.items[2].span_id == -20);
    assert_true(bytes_is(spans.items[2].resource->service_name, "bank"));
    assert_ptr_equal(spans.items[1].resource, span->resource);
}

static void reads_skeletons_without_payload(void **state)
{
    const struct trace_spans spans = read_trace(1, false);

    (void)state;
    assert_int_equal(spans.count, 3);
    assert_true(bytes_is(spans.items[0].name, "run"));
    assert_null(spans.items[0].resource);
    assert_null(spans.items[0].attributes.at);
}

static void finds_the_spans_of_every_day(void **state)
{
    const struct trace_spans spans = read_trace(2, true);

    (void)state;
    assert_int_equal(spans.count, 3);
    for (int64_t i = 0; i < 3; i++)
        assert_true(spans.items[i].span_id == i + 1);
}

static void unknown_traces_have_no_spans(void **state)
{
    (void)state;
    assert_int_equal(read_trace(200, true).count, 0);
}

static void gives_all_spans_of_one_id(void **state)
{
    static const struct {
        uint8_t trace;
        int64_t span_id;
        size_t count;
    } cases[] = {{1, -20, 1}, {2, 3, 1}, {6, 1, 3}, {1, 11, 0}, {200, 1, 0}};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct uuid id = trace_id_of(cases[i].trace);
        struct trace_spans spans;
        struct err err;

        arena_reset(&arena);
        must(reader_span(reader, 1, &id, cases[i].span_id, &arena, &spans, &err));
        assert_int_equal(spans.count, cases[i].count);
        if (cases[i].trace == 6) {
            assert_int_equal(spans.items[0].kind, 2);
            assert_int_equal(spans.items[1].kind, 3);
            assert_true(spans.items[2].start_unix_ns > spans.items[1].start_unix_ns);
        }
    }
}

static struct trace_filter everything(void)
{
    return (struct trace_filter){
        .from_ns = DAY0_NS, .to_ns = NOW_NS, .descending = true, .limit = 50, .now_ns = NOW_NS};
}

static struct trace_page list(const struct trace_filter *filter)
{
    struct trace_page page;
    struct err err;

    must(reader_list(reader, 1, filter, &arena, &page, &err));
    return page;
}

static void lists_a_trace_of_several_days_once_with_whole_values(void **state)
{
    struct trace_filter filter = everything();
    struct trace_page page;
    const struct trace_row *row;

    (void)state;
    filter.name = BYTES_LITERAL("root");
    page = list(&filter);
    assert_int_equal(page.count, 1);
    row = &page.items[0];
    assert_int_equal(row->trace_id.at[0], 2);
    assert_true(row->start_ns == DAY0_NS + 23 * H && row->end_ns == DAY0_NS + 26 * H + 30);
    assert_true(bytes_is(row->root_service, "day") && row->has_root);
    assert_int_equal(row->span_count, 3);
    assert_int_equal(row->status, TRACE_CANCELLED);
    assert_int_equal(row->service_count, 2);
    assert_true(bytes_is(row->services[0], "day") && bytes_is(row->services[1], "night"));
    assert_true(page.total == 1 && page.total_exact && !page.more);
}

/* Which traces a filter finds, as first bytes of ids in the order of the page. */
static const struct {
    const char *why;
    struct trace_filter filter; /* on top of everything() */
    const char *found;
} finds[] = {
    {"all, newest first, larger id first among equals", {.descending = true}, "52876431"},
    {"oldest first", {.descending = false}, "13467825"},
    {"service of any span", {.descending = true, .service = BYTES_LITERAL("bank")}, "1"},
    {"service of another day of the trace",
     {.descending = true, .service = BYTES_LITERAL("day")},
     "2"},
    {"no such service", {.descending = true, .service = BYTES_LITERAL("")}, ""},
    {"name of the root", {.descending = true, .name = BYTES_LITERAL("run")}, "631"},
    {"name of a first span is none where there is a root",
     {.descending = true, .name = BYTES_LITERAL("early")},
     ""},
    {"name of the first span without a root",
     {.descending = true, .name = BYTES_LITERAL("lost")},
     "4"},
    {"failed", {.descending = true, .status = TRACE_FAILED}, "3"},
    {"cancelled on its second day", {.descending = true, .status = TRACE_CANCELLED}, "2"},
    {"running", {.descending = true, .status = TRACE_RUNNING}, "5"},
    {"completed, also without a root", {.descending = true, .status = TRACE_COMPLETED}, "87641"},
    {"long ones", {.descending = true, .min_duration_ns = 7 * NS_PER_S}, "2631"},
    {"two filters",
     {.descending = true, .name = BYTES_LITERAL("run"), .status = TRACE_COMPLETED},
     "61"},
    {"by duration", {.descending = true, .sort = TRACE_SORT_DURATION}, "26138745"},
    {"by duration, shortest first", {.sort = TRACE_SORT_DURATION}, "54783162"},
    {"by errors", {.descending = true, .sort = TRACE_SORT_ERRORS}, "31876542"},
};

static void found_text(const struct trace_page *page, char *to)
{
    for (size_t i = 0; i < page->count; i++)
        *to++ = (char)('0' + page->items[i].trace_id.at[0]);
    *to = '\0';
}

static struct trace_filter filter_of(size_t i)
{
    struct trace_filter filter = finds[i].filter;

    filter.from_ns = DAY0_NS;
    filter.to_ns = NOW_NS;
    filter.now_ns = NOW_NS;
    filter.limit = 50;
    return filter;
}

static void filters_and_sorts_by_values_of_the_whole_trace(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(finds) / sizeof(finds[0]); i++) {
        const struct trace_filter filter = filter_of(i);
        struct trace_page page;
        char found[64];

        arena_reset(&arena);
        page = list(&filter);
        found_text(&page, found);
        if (strcmp(found, finds[i].found) != 0)
            fail_msg("%s: found %s, want %s", finds[i].why, found, finds[i].found);
    }
}

static int64_t sort_value(const struct trace_filter *filter, const struct trace_row *row)
{
    if (filter->sort == TRACE_SORT_START)
        return row->start_ns;
    return filter->sort == TRACE_SORT_DURATION ? row->end_ns - row->start_ns : row->error_count;
}

static void pages_fit_together_without_gap_or_repeat(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(finds) / sizeof(finds[0]); i++) {
        for (uint32_t limit = 1; limit <= 3; limit++) {
            struct trace_filter filter = filter_of(i);
            char found[64] = "";
            struct trace_page page;

            filter.limit = limit;
            arena_reset(&arena);
            do {
                page = list(&filter);
                found_text(&page, found + strlen(found));
                if (page.count == 0)
                    break;
                filter.cursor = (struct trace_cursor){
                    .given = true,
                    .sort_value = sort_value(&filter, &page.items[page.count - 1]),
                    .trace_id = page.items[page.count - 1].trace_id,
                    .seen = filter.cursor.seen + (int64_t)page.count};
            } while (page.more);
            if (strcmp(found, finds[i].found) != 0)
                fail_msg("%s, %u at a time: found %s, want %s", finds[i].why, limit, found,
                         finds[i].found);
            if (!page.total_exact || page.total != (int64_t)strlen(found))
                fail_msg("%s: total %" PRId64, finds[i].why, page.total);
        }
    }
}

static void range_is_that_of_the_true_start(void **state)
{
    static const struct {
        const char *why;
        int64_t from_ns;
        int64_t to_ns;
        const char *found;
    } cases[] = {
        {"the second day of a trace is not its start", 24 * H, 70 * H, ""},
        {"from is inclusive", 23 * H, 70 * H, "2"},
        {"to is exclusive", 22 * H, 23 * H, ""},
        {"empty range", 5 * H, 5 * H, ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct trace_filter filter = everything();
        struct trace_page page;
        char found[64];

        filter.from_ns = DAY0_NS + cases[i].from_ns;
        filter.to_ns = DAY0_NS + cases[i].to_ns;
        page = list(&filter);
        found_text(&page, found);
        if (strcmp(found, cases[i].found) != 0)
            fail_msg("%s: found %s", cases[i].why, found);
    }
}

static void other_tenants_see_nothing(void **state)
{
    const struct uuid id = trace_id_of(1);
    const struct trace_filter filter = everything();
    struct trace_spans spans;
    struct trace_page page;
    struct service_list services;
    struct err err;

    (void)state;
    arena_reset(&arena);
    must(reader_trace(reader, 2, &id, true, &arena, &spans, &err));
    must(reader_list(reader, 2, &filter, &arena, &page, &err));
    must(reader_services(reader, 2, &arena, &services, &err));
    assert_int_equal(spans.count + page.count + services.count, 0);
}

static void lists_services_in_order_with_their_days(void **state)
{
    static const char *const names[] = {"bank", "day", "night", "shop"};
    struct service_list services;
    struct err err;

    (void)state;
    arena_reset(&arena);
    must(reader_services(reader, 1, &arena, &services, &err));
    assert_int_equal(services.count, 4);
    for (size_t i = 0; i < 4; i++)
        assert_true(bytes_is(services.items[i].name, names[i]));
    assert_true(services.items[1].first_used_day == 20701);
    assert_true(services.items[3].first_used_day == 20700);
    assert_true(services.items[3].last_used_day == 20702);
}

static void every_combination_of_the_list_is_accepted_by_the_server(void **state)
{
    (void)state;
    for (unsigned bits = 0; bits < 32; bits++)
        for (unsigned status = 0; status < TRACE_STATUS_MAX; status++)
            for (unsigned sort = 0; sort <= TRACE_SORT_ERRORS; sort++) {
                struct trace_filter filter = everything();

                if (bits & 1)
                    filter.service = BYTES_LITERAL("shop");
                if (bits & 2)
                    filter.name = BYTES_LITERAL("run");
                filter.min_duration_ns = bits & 4 ? 1 : 0;
                filter.cursor.given = (bits & 8) != 0;
                filter.descending = (bits & 16) != 0;
                filter.status = (enum trace_status)status;
                filter.sort = (enum trace_sort)sort;
                arena_reset(&arena);
                (void)list(&filter);
            }
}

static void opens_a_new_connection_when_the_old_one_was_ended(void **state)
{
    (void)state;
    (void)read_trace(1, true);
    run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()");
    assert_int_equal(read_trace(1, true).count, 3);
    run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()");
    assert_int_equal(list(&(struct trace_filter){.limit = 1}).count, 0);
}

static void a_full_arena_is_too_large_and_leaves_output_alone(void **state)
{
    const struct uuid id = trace_id_of(1);
    struct trace_spans spans = {.count = 77};
    struct arena small;
    struct err err = {0};

    (void)state;
    arena_init(&small, 600);
    assert_false(reader_trace(reader, 1, &id, true, &small, &spans, &err));
    assert_int_equal(err.kind, ERR_TOO_LARGE);
    assert_int_equal(spans.count, 77);
    arena_done(&small);
}

static void a_changed_column_stops_the_reader_at_its_start(void **state)
{
    const struct uuid id = trace_id_of(1);
    struct trace_spans spans;
    struct reader *other;
    struct err err = {0};

    (void)state;
    run("ALTER TABLE spanledger.scope ALTER COLUMN dropped_attributes TYPE int4");
    must(reader_new(&cfg, conninfo, &other, &err));
    assert_false(reader_trace(other, 1, &id, true, &arena, &spans, &err));
    assert_int_equal(err.kind, ERR_INTERNAL);
    assert_non_null(strstr(err.text, "dropped_attributes"));
    run("ALTER TABLE spanledger.scope ALTER COLUMN dropped_attributes TYPE int8");
    reader_free(other);
}

/* More spans than one part has, on two days, with ids that do not follow the time. */
static void reads_large_traces_part_by_part(void **state)
{
    const struct uuid id = trace_id_of(9);
    char sql[1024];
    struct trace_spans spans;

    (void)state;
    (void)snprintf(
        sql, sizeof(sql),
        "INSERT INTO spanledger.span SELECT start_time + n * interval '8 second', trace_id,"
        " hashint8(n)::int8 * 65536 + n, 1, duration_ns, content_hash, received_at, ingest_seq,"
        " resource_id, scope_id, tenant_id, kind, status_code, marks, attribute_count, %d,"
        " start_ns, outcome, name, service_name, attributes"
        " FROM spanledger.span, generate_series(0, 9998) AS n"
        " WHERE trace_id = '%02x02030405060708090a0b0c0d0e0f%02x'",
        stored_bucket(&id), 9, 9);
    seed_span(&(struct seed){.trace = 9, .span_id = 1, .start_ns = 20 * H});
    run(sql);
    run("TRUNCATE spanledger.trace, spanledger.resource, spanledger.scope");
    seed_traces();
    spans = read_trace(9, true);
    assert_int_equal(spans.count, 10000);
    for (size_t i = 1; i < spans.count; i++)
        assert_true(spans.items[i - 1].start_unix_ns <= spans.items[i].start_unix_ns);
    assert_int_equal(read_trace(9, false).count, 10000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_every_column_of_a_trace_back),
        cmocka_unit_test(reads_skeletons_without_payload),
        cmocka_unit_test(finds_the_spans_of_every_day),
        cmocka_unit_test(unknown_traces_have_no_spans),
        cmocka_unit_test(gives_all_spans_of_one_id),
        cmocka_unit_test(lists_a_trace_of_several_days_once_with_whole_values),
        cmocka_unit_test(filters_and_sorts_by_values_of_the_whole_trace),
        cmocka_unit_test(pages_fit_together_without_gap_or_repeat),
        cmocka_unit_test(range_is_that_of_the_true_start),
        cmocka_unit_test(other_tenants_see_nothing),
        cmocka_unit_test(lists_services_in_order_with_their_days),
        cmocka_unit_test(every_combination_of_the_list_is_accepted_by_the_server),
        cmocka_unit_test(opens_a_new_connection_when_the_old_one_was_ended),
        cmocka_unit_test(a_full_arena_is_too_large_and_leaves_output_alone),
        cmocka_unit_test(a_changed_column_stops_the_reader_at_its_start),
        cmocka_unit_test(reads_large_traces_part_by_part),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
