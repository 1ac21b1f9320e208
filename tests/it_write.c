/* Writing spans into a real PostgreSQL: outcomes, versions, trace rows. The trace rows are compared with an independent recount in SQL. */
#include "test.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"
#include "store/embedded.h"
#include "store/migrate.h"
#include "store/write.h"

#define DAY_NS (S_PER_DAY * NS_PER_S)
#define NOW_NS (INT64_C(20778) * DAY_NS + 3600 * NS_PER_S) /* 2026-11-21 01:00 */

struct fixture {
    struct cfg cfg;
    char dir[64];
    struct embedded *embedded;
    struct seen *seen;
    struct writer *writer;
    struct db db;
};

static struct stored_resource resource = {.id.at = {1, 2, 3},
                                          .service_name = {(const uint8_t *)"shop", 4},
                                          .attributes = {(const uint8_t *)"{\"a\":1}", 7}};
static struct stored_scope scope = {.id.at = {9},
                                    .name = {(const uint8_t *)"lib", 3},
                                    .version = {(const uint8_t *)"1", 1},
                                    .attributes = {(const uint8_t *)"{}", 2}};

static int remove_entry(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    (void)st;
    (void)flag;
    (void)ftw;
    return remove(path);
}

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    struct err err = {0};
    int rest;
    int applied;
    char template[] = "/tmp/it-write-XXXXXX";
    char flag[] = "--data-dir";
    char *argv[] = {flag, f->dir};

    assert_non_null(mkdtemp(template));
    (void)snprintf(f->dir, sizeof(f->dir), "%s", template);
    if (!cfg_load(&f->cfg, 2, argv, NULL, &rest, &err) ||
        !embedded_start(&f->cfg, &f->embedded, &err) ||
        !db_open(&f->db, embedded_conninfo(f->embedded), DB_ADMIN, 0, &err) ||
        !migrate_run(&f->db, &f->cfg, &applied, &err))
        fail_msg("set-up: %s", err.text);
    f->seen = seen_new();
    if (!writer_new(&f->cfg, embedded_conninfo(f->embedded), f->seen, &f->writer, &err))
        fail_msg("writer: %s", err.text);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    writer_free(f->writer);
    seen_free(f->seen);
    db_close(&f->db);
    embedded_stop(f->embedded);
    cfg_done(&f->cfg);
    (void)nftw(f->dir, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    free(f);
    return 0;
}

/* Each test has traces of its own: the number goes into the trace id. */
static struct stored_span span_of(uint8_t test, uint8_t trace, int64_t span_id, int64_t start_ns)
{
    struct stored_span s = {.tenant_id = TENANT_DEFAULT,
                            .trace_id.at = {test, trace, 7},
                            .span_id = span_id,
                            .start_unix_ns = start_ns,
                            .duration_ns = 5000,
                            .kind = 1,
                            .name = BYTES_LITERAL("work"),
                            .service_name = BYTES_LITERAL("shop"),
                            .attributes = BYTES_LITERAL("{\"k\":\"v\"}"),
                            .attribute_count = 1,
                            .content_hash = span_id * 31 + start_ns,
                            .received_ns = NOW_NS,
                            .resource = &resource,
                            .scope = &scope};
    s.trace_bucket = stored_bucket(&s.trace_id);
    if (span_id != 1) {
        s.has_parent = true;
        s.parent_span_id = 1;
    }
    return s;
}

static void write_all(struct fixture *f, struct write_item *items, size_t count)
{
    struct err err = {0};
    if (!writer_write(f->writer, items, count, &err))
        fail_msg("write: %s", err.text);
}

static int64_t number(struct fixture *f, const char *sql)
{
    PGresult *result = PQexec(f->db.conn, sql);
    int64_t value;

    if (PQresultStatus(result) != PGRES_TUPLES_OK || PQntuples(result) != 1)
        fail_msg("%s: %s", sql, PQerrorMessage(f->db.conn));
    if (!text_int64(bytes_of(PQgetvalue(result, 0, 0)), &value))
        value = -1;
    PQclear(result);
    return value;
}

/* Rows of trace that differ from what their spans say. */
static void assert_traces_add_up(struct fixture *f)
{
    static const char sql[] =
        "WITH s AS (SELECT *, (extract(epoch FROM start_time) * 1000000)::int8 * 1000 + start_ns "
        "AS at FROM "
        "spanledger.span), "
        "e AS (SELECT tenant_id, trace_id, (start_time AT TIME ZONE 'UTC')::date AS day, count(*) "
        "AS n, "
        "count(*) FILTER (WHERE status_code = 2) AS bad, min(at) AS first, max(at + duration_ns) "
        "AS last, "
        "count(*) FILTER (WHERE parent_span_id IS NULL) AS roots, "
        "array_agg(DISTINCT service_name ORDER BY service_name) AS services, "
        "(array_agg(name ORDER BY at, span_id))[1] AS name FROM s GROUP BY 1, 2, 3) "
        "SELECT count(*) FROM e FULL JOIN spanledger.trace t USING (tenant_id, trace_id, day) "
        "WHERE "
        "(e.n, e.bad, e.first, e.last, e.roots, e.services, e.name, EXISTS (SELECT FROM e AS m "
        "WHERE "
        "m.trace_id = e.trace_id AND m.day <> e.day AND abs(m.day - e.day) <= 31)) "
        "IS DISTINCT FROM (t.span_count::int8, t.error_count::int8, t.start_ns, t.end_ns, "
        "(t.roots_ended + t.roots_failed + t.roots_cancelled + t.roots_unfinished)::int8, "
        "t.services, t.first_name, "
        "t.multi_day)";
    assert_int_equal(number(f, sql), 0);
}

static void stores_new_spans_once(void **state)
{
    struct fixture *f = *state;
    struct stored_span rows[20];
    struct write_item items[20];

    for (int i = 0; i < 20; i++) {
        rows[i] = span_of(1, (uint8_t)(i / 10), i % 10 + 1, NOW_NS + i * 1001);
        items[i] = (struct write_item){.row = &rows[i]};
    }
    write_all(f, items, 20);
    for (int i = 0; i < 20; i++)
        assert_int_equal(items[i].outcome, WRITE_NEW);
    write_all(f, items, 20);
    for (int i = 0; i < 20; i++)
        assert_int_equal(items[i].outcome, WRITE_IDENTICAL);
    assert_int_equal(
        number(f, "SELECT count(*) FROM spanledger.span WHERE trace_id::text LIKE '01%'"), 20);
    assert_int_equal(number(f, "SELECT count(*) FROM spanledger.resource"), 1);
    assert_traces_add_up(f);
}

/* Another writer has no memory of the keys: COPY meets the unique key first. */
static void resends_without_memory_go_through_staging_as_a_whole(void **state)
{
    struct fixture *f = *state;
    struct seen *empty = seen_new();
    struct writer *other;
    struct stored_span rows[3] = {span_of(2, 0, 1, NOW_NS), span_of(2, 0, 2, NOW_NS),
                                  span_of(2, 0, 3, NOW_NS)};
    struct write_item items[3] = {{.row = &rows[0]}, {.row = &rows[1]}, {.row = &rows[2]}};
    struct err err = {0};

    write_all(f, items, 2);
    assert_true(writer_new(&f->cfg, embedded_conninfo(f->embedded), empty, &other, &err));
    if (!writer_write(other, items, 3, &err))
        fail_msg("%s", err.text);
    writer_free(other);
    seen_free(empty);
    assert_int_equal(items[0].outcome, WRITE_IDENTICAL);
    assert_int_equal(items[1].outcome, WRITE_IDENTICAL);
    assert_int_equal(items[2].outcome, WRITE_NEW);
    assert_traces_add_up(f);
}

static void greatest_version_stands_in_any_order(void **state)
{
    struct fixture *f = *state;

    for (uint8_t order = 0; order < 2; order++) {
        struct stored_span open = span_of(3, order, 1, NOW_NS);
        struct stored_span closed = open;
        struct write_item first = {.row = order ? &closed : &open};
        struct write_item second = {.row = order ? &open : &closed};

        open.duration_ns = 0;
        open.outcome = SPAN_UNFINISHED;
        open.content_hash = 99;
        closed.status_code = 2;
        closed.outcome = SPAN_FAILED;
        closed.service_name = BYTES_LITERAL("other \"quoted\\ one");
        write_all(f, &first, 1);
        write_all(f, &second, 1);
        assert_int_equal(second.outcome, order ? WRITE_SUPERSEDED : WRITE_REPLACED);
        write_all(f, &first, 1);
        write_all(f, &second, 1);
        assert_int_equal(first.outcome, WRITE_IDENTICAL);
        assert_int_equal(second.outcome, WRITE_IDENTICAL);
    }
    assert_int_equal(number(f,
                            "SELECT count(*) FROM spanledger.span WHERE trace_id::text LIKE '03%' "
                            "AND duration_ns = 5000 AND cardinality(other_versions) = 1"),
                     2);
    assert_int_equal(
        number(f, "SELECT sum(roots_failed) FROM spanledger.trace WHERE trace_id::text LIKE '03%'"),
        2);
    assert_traces_add_up(f);
}

/* OTLP-115: the last day that nanoseconds can name ends beyond them. */
static void a_version_replaced_on_the_last_day_has_its_trace_counted_anew(void **state)
{
    struct fixture *f = *state;
    struct stored_span small = span_of(10, 0, 1, INT64_MAX - 9000);
    struct stored_span great = small;
    struct write_item first = {.row = &small};
    struct write_item second = {.row = &great};

    small.status_code = 2;
    small.content_hash = 77;
    great.duration_ns = 9000;
    write_all(f, &first, 1);
    write_all(f, &second, 1);
    assert_int_equal(second.outcome, WRITE_REPLACED);
    assert_traces_add_up(f);
}

static void versions_within_one_batch_are_settled_and_remembered(void **state)
{
    struct fixture *f = *state;
    struct stored_span rows[5];
    struct write_item items[5];

    for (int i = 0; i < 5; i++) {
        rows[i] = span_of(4, 0, 1, NOW_NS);
        rows[i].duration_ns = 1000 * (int64_t[]){1, 3, 2, 3, 1}[i];
        rows[i].content_hash = rows[i].duration_ns;
        items[i] = (struct write_item){.row = &rows[i]};
    }
    write_all(f, items, 5);
    assert_int_equal(items[0].outcome, WRITE_SUPERSEDED);
    assert_int_equal(items[2].outcome, WRITE_SUPERSEDED);
    assert_true((items[1].outcome == WRITE_NEW) != (items[3].outcome == WRITE_NEW));
    assert_int_equal(number(f, "SELECT cardinality(other_versions) FROM spanledger.span WHERE "
                               "trace_id::text LIKE '04%'"),
                     2);
    write_all(f, &items[2], 1);
    assert_int_equal(items[2].outcome, WRITE_IDENTICAL);
    assert_traces_add_up(f);
}

static void a_trace_over_midnight_has_marked_rows(void **state)
{
    struct fixture *f = *state;
    struct stored_span rows[4] = {
        span_of(5, 0, 1, NOW_NS), span_of(5, 0, 2, NOW_NS + DAY_NS), /* one batch */
        span_of(5, 1, 1, NOW_NS), span_of(5, 1, 2, NOW_NS + DAY_NS), /* two batches */
    };
    struct write_item items[4] = {
        {.row = &rows[0]}, {.row = &rows[1]}, {.row = &rows[2]}, {.row = &rows[3]}};

    write_all(f, items, 2);
    write_all(f, items + 2, 1);
    write_all(f, items + 3, 1);
    assert_int_equal(
        number(
            f,
            "SELECT count(*) FROM spanledger.trace WHERE trace_id::text LIKE '05%' AND multi_day"),
        4);
    assert_traces_add_up(f);
}

/* Days that are marked are shown as one trace in lists; which are may not depend on the order. */
static const struct day_story {
    const char *why;
    int days[4];
    size_t count;
    int64_t marked;
} day_stories[] = {
    {"31 days apart are near", {0, 31}, 2, 2},
    {"32 days apart are not", {0, 32}, 2, 0},
    {"one far from two that are near", {0, 1, 60}, 3, 2},
    {"the one between joins both", {0, 60, 30}, 3, 3},
    {"two and two, far from each other", {0, 100, 1, 101}, 4, 4},
    {"a far one between two batches of near ones", {5, 200, 0}, 3, 2},
};

/* way 0: in one batch, 1: one after the other, 2: in reverse, 3: the last with the first. */
static void write_days(struct fixture *f, const struct day_story *story, uint8_t trace, int way)
{
    struct stored_span rows[4];
    struct write_item items[4];
    const size_t n = story->count;

    for (size_t i = 0; i < n; i++) {
        const size_t at = way == 2 ? n - 1 - i : way == 3 ? (i + n - 1) % n : i;

        rows[i] = span_of(13, trace, (int64_t)at + 1, NOW_NS - story->days[at] * DAY_NS);
        items[i] = (struct write_item){.row = &rows[i]};
    }
    if (way == 0 || way == 3)
        write_all(f, items, way == 0 ? n : 2);
    for (size_t i = way == 3 ? 2 : way == 0 ? n : 0; i < n; i++)
        write_all(f, &items[i], 1);
}

static void a_day_far_from_all_others_is_not_marked_in_any_order(void **state)
{
    struct fixture *f = *state;

    for (size_t i = 0; i < sizeof(day_stories) / sizeof(day_stories[0]); i++)
        for (int way = 0; way < 4; way++) {
            const uint8_t trace = (uint8_t)(i * 4 + (size_t)way);
            char sql[160];
            int64_t marked;

            write_days(f, &day_stories[i], trace, way);
            (void)snprintf(sql, sizeof(sql),
                           "SELECT count(*) FROM spanledger.trace WHERE trace_id::text LIKE"
                           " '0d%02x%%' AND multi_day",
                           trace);
            marked = number(f, sql);
            if (marked != day_stories[i].marked)
                fail_msg("%s, way %d: %d rows are marked", day_stories[i].why, way, (int)marked);
        }
    assert_traces_add_up(f);
}

static void times_from_1970_to_2262_find_a_chunk(void **state)
{
    struct fixture *f = *state;
    static const int64_t starts[] = {0,
                                     1,
                                     INT64_C(1000000000) * NS_PER_S,
                                     NOW_NS - 399 * DAY_NS,
                                     NOW_NS + 30 * DAY_NS,
                                     NOW_NS + 3000 * DAY_NS,
                                     INT64_MAX - 10000};
    struct stored_span rows[7];
    struct write_item items[7];

    for (size_t i = 0; i < 7; i++) {
        rows[i] = span_of(6, (uint8_t)i, 1, starts[i]);
        items[i] = (struct write_item){.row = &rows[i]};
    }
    write_all(f, items, 7);
    assert_int_equal(
        number(f, "SELECT count(*) FROM spanledger.span WHERE trace_id::text LIKE '06%'"), 7);
    assert_traces_add_up(f);
}

static void a_collision_of_resource_ids_keeps_both_contents(void **state)
{
    struct fixture *f = *state;
    struct stored_resource other = resource;
    struct stored_span row = span_of(7, 0, 1, NOW_NS);
    struct write_item item = {.row = &row};

    other.attributes = BYTES_LITERAL("{\"a\":2}");
    row.resource = &other;
    write_all(f, &item, 1);
    assert_int_equal(
        number(
            f,
            "SELECT count(*) FROM spanledger.span s JOIN spanledger.resource r USING (resource_id) "
            "WHERE s.trace_id::text LIKE '07%' AND r.attributes = '{\"a\":2}'"),
        1);
}

/* More than the memory of shared rows holds, each wanted twice: two statements, not two for each. */
static void five_thousand_resources_and_scopes_take_few_statements(void **state)
{
    enum { COUNT = 5000 };
    struct fixture *f = *state;
    struct stored_resource *resources = calloc(2 * COUNT, sizeof(*resources));
    struct stored_scope *scopes = calloc(2 * COUNT, sizeof(*scopes));
    struct stored_span *rows = calloc(2 * COUNT, sizeof(*rows));
    struct write_item *items = calloc(2 * COUNT, sizeof(*items));
    const int64_t begin = clock_mono_ns();

    for (size_t i = 0; i < 2 * COUNT; i++) {
        resources[i] = resource;
        scopes[i] = scope;
        put_be64(resources[i].id.at, 0x7e50000 + i % COUNT);
        put_be64(scopes[i].id.at, 0x5c09e00 + i % COUNT);
        rows[i] = span_of(12, (uint8_t)(i % 200), (int64_t)i + 1, NOW_NS);
        rows[i].resource = &resources[i];
        rows[i].scope = &scopes[i];
        items[i] = (struct write_item){.row = &rows[i]};
    }
    write_all(f, items, 2 * COUNT);
    assert_true(clock_mono_ns() - begin < 5 * NS_PER_S);
    assert_int_equal(
        number(f, "SELECT count(DISTINCT resource_id) FROM spanledger.span JOIN spanledger.resource"
                  " USING (resource_id) JOIN spanledger.scope USING (scope_id)"
                  " WHERE trace_id::text LIKE '0c%'"),
        COUNT);
    free(resources);
    free(scopes);
    free(rows);
    free(items);
}

static void a_lost_connection_is_made_anew(void **state)
{
    struct fixture *f = *state;
    struct stored_span row = span_of(8, 0, 1, NOW_NS);
    struct write_item item = {.row = &row};

    assert_int_equal(
        number(f, "SELECT count(pg_terminate_backend(pid)) > 0 FROM pg_stat_activity WHERE pid <> "
                  "pg_backend_pid() AND backend_type = 'client backend'"),
        -1 /* the answer is t or f */);
    (void)usleep(100000);
    write_all(f, &item, 1);
    assert_int_equal(item.outcome, WRITE_NEW);
}

/* Otherwise a password that was changed would make every span a rejected one, which no sender sends again. */
static void a_refused_login_is_not_the_fault_of_the_spans(void **state)
{
    struct fixture *f = *state;
    struct stored_span row = span_of(9, 0, 1, NOW_NS);
    struct write_item item = {.row = &row};
    struct writer *writer;
    struct err err = {0};
    char conninfo[512];

    (void)snprintf(conninfo, sizeof(conninfo), "%s dbname=nobody_made_this",
                   embedded_conninfo(f->embedded));
    assert_true(writer_new(&f->cfg, conninfo, f->seen, &writer, &err));
    assert_false(writer_write(writer, &item, 1, &err));
    assert_int_equal(err.kind, ERR_UNAVAILABLE);
    assert_int_not_equal(err.text[0], '\0');
    writer_free(writer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stores_new_spans_once),
        cmocka_unit_test(resends_without_memory_go_through_staging_as_a_whole),
        cmocka_unit_test(greatest_version_stands_in_any_order),
        cmocka_unit_test(a_version_replaced_on_the_last_day_has_its_trace_counted_anew),
        cmocka_unit_test(versions_within_one_batch_are_settled_and_remembered),
        cmocka_unit_test(a_trace_over_midnight_has_marked_rows),
        cmocka_unit_test(a_day_far_from_all_others_is_not_marked_in_any_order),
        cmocka_unit_test(times_from_1970_to_2262_find_a_chunk),
        cmocka_unit_test(a_collision_of_resource_ids_keeps_both_contents),
        cmocka_unit_test(five_thousand_resources_and_scopes_take_few_statements),
        cmocka_unit_test(a_lost_connection_is_made_anew),
        cmocka_unit_test(a_refused_login_is_not_the_fault_of_the_spans),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
