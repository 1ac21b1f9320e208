/* store/query on a real PostgreSQL: spans come out whole and in order. */
#include "store/query.h"
#include "test.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "support/must.h"
#include "support/seed.h"

#define H SEED_HOUR_NS

static int setup(void **state)
{
    (void)state;
    seed_rig_start(NULL);
    return 0;
}

static struct trace_spans read_trace(uint8_t first, bool full)
{
    const struct uuid id = seed_trace_id(first);
    struct trace_spans spans;
    struct err err;

    arena_reset(&seed_rig.arena);
    must(reader_trace(seed_rig.reader, 1, &id, full, &seed_rig.arena, &spans, &err));
    return spans;
}

static void gives_every_column_of_a_trace_back(void **state)
{
    const struct trace_spans spans = read_trace(1, true);
    const struct stored_span *span = &spans.items[0];

    (void)state;
    assert_int_equal(spans.count, 3);
    assert_true(span->span_id == 10 && !span->has_parent);
    assert_true(span->start_unix_ns == SEED_DAY0_NS + H + 1);
    assert_true(span->duration_ns == 9 * NS_PER_S);
    assert_true(span->received_ns == SEED_DAY0_NS + H + NS_PER_S);
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
        const struct uuid id = seed_trace_id(cases[i].trace);
        struct trace_spans spans;
        struct err err;

        arena_reset(&seed_rig.arena);
        must(reader_span(seed_rig.reader, 1, &id, cases[i].span_id, &seed_rig.arena, &spans, &err));
        assert_int_equal(spans.count, cases[i].count);
        if (cases[i].trace == 6) {
            assert_int_equal(spans.items[0].kind, 2);
            assert_int_equal(spans.items[1].kind, 3);
            assert_true(spans.items[2].start_unix_ns > spans.items[1].start_unix_ns);
        }
    }
}

static void other_tenants_see_nothing(void **state)
{
    const struct uuid id = seed_trace_id(1);
    const struct trace_filter filter = {.to_ns = SEED_NOW_NS, .limit = 1};
    struct trace_spans spans;
    struct trace_page page;
    struct service_list services;
    struct err err;

    (void)state;
    arena_reset(&seed_rig.arena);
    must(reader_trace(seed_rig.reader, 2, &id, true, &seed_rig.arena, &spans, &err));
    must(reader_list(seed_rig.reader, 2, &filter, &seed_rig.arena, &page, &err));
    must(reader_services(seed_rig.reader, 2, &seed_rig.arena, &services, &err));
    assert_int_equal(spans.count + page.count + services.count, 0);
}

static void opens_a_new_connection_when_the_old_one_was_ended(void **state)
{
    const struct trace_filter filter = {.limit = 1};
    struct trace_page page;
    struct err err;

    (void)state;
    (void)read_trace(1, true);
    seed_run(&seed_rig.db, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                           " WHERE datname = current_database() AND pid <> pg_backend_pid()");
    assert_int_equal(read_trace(1, true).count, 3);
    seed_run(&seed_rig.db, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                           " WHERE datname = current_database() AND pid <> pg_backend_pid()");
    must(reader_list(seed_rig.reader, 1, &filter, &seed_rig.arena, &page, &err));
    assert_int_equal(page.count, 0);
}

static void a_full_arena_is_too_large_and_leaves_output_alone(void **state)
{
    const struct uuid id = seed_trace_id(1);
    struct trace_spans spans = {.count = 77};
    struct arena small;
    struct err err = {0};

    (void)state;
    arena_init(&small, 600);
    assert_false(reader_trace(seed_rig.reader, 1, &id, true, &small, &spans, &err));
    assert_int_equal(err.kind, ERR_TOO_LARGE);
    assert_int_equal(spans.count, 77);
    arena_done(&small);
}

static void a_changed_column_stops_the_reader_at_its_start(void **state)
{
    const struct uuid id = seed_trace_id(1);
    struct trace_spans spans;
    struct reader *other;
    struct err err = {0};

    (void)state;
    seed_run(&seed_rig.db,
             "ALTER TABLE spanledger.scope ALTER COLUMN dropped_attributes TYPE int4");
    must(reader_new(&seed_rig_cfg, seed_rig.conninfo, &other, &err));
    assert_false(reader_trace(other, 1, &id, true, &seed_rig.arena, &spans, &err));
    assert_int_equal(err.kind, ERR_INTERNAL);
    assert_non_null(strstr(err.text, "dropped_attributes"));
    seed_run(&seed_rig.db,
             "ALTER TABLE spanledger.scope ALTER COLUMN dropped_attributes TYPE int8");
    reader_free(other);
}

/* The client's request is sound: 503, not 400 with the database's words (OTLP-58). */
static void a_refused_login_is_not_the_fault_of_the_client(void **state)
{
    const struct uuid id = seed_trace_id(1);
    struct trace_spans spans;
    struct reader *other;
    struct err err = {0};
    char refused[CLUSTER_CONNINFO_BYTES + 32];

    (void)state;
    (void)snprintf(refused, sizeof(refused), "%s dbname=nobody_made_this", seed_rig.conninfo);
    must(reader_new(&seed_rig_cfg, refused, &other, &err));
    assert_false(reader_trace(other, 1, &id, true, &seed_rig.arena, &spans, &err));
    assert_int_equal(err.kind, ERR_UNAVAILABLE);
    assert_int_not_equal(err.text[0], '\0');
    reader_free(other);
}

/* More spans than one part has, on two days, with ids that do not follow the time. */
static void reads_large_traces_part_by_part(void **state)
{
    const struct uuid id = seed_trace_id(9);
    char sql[1024];
    struct trace_spans spans;

    (void)state;
    (void)snprintf(
        sql, sizeof(sql),
        "INSERT INTO spanledger.span SELECT start_time + n * interval '8 second', trace_id,"
        " hashint8(n)::int8 * 65536 + n, 1, duration_ns, content_hash, received_at, ingest_seq,"
        " resource_id, scope_id, NULL, tenant_id, kind, status_code, marks, attribute_count, %d,"
        " start_ns, outcome, name, service_name, attributes"
        " FROM spanledger.span, generate_series(0, 9998) AS n"
        " WHERE trace_id = '%02x02030405060708090a0b0c0d0e0f%02x'",
        stored_bucket(&id), 9, 9);
    seed_span(&seed_rig.db, &(struct seed){.trace = 9, .span_id = 1, .start_ns = 20 * H});
    seed_run(&seed_rig.db, sql);
    seed_traces(&seed_rig.db);
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
        cmocka_unit_test(other_tenants_see_nothing),
        cmocka_unit_test(opens_a_new_connection_when_the_old_one_was_ended),
        cmocka_unit_test(a_full_arena_is_too_large_and_leaves_output_alone),
        cmocka_unit_test(a_changed_column_stops_the_reader_at_its_start),
        cmocka_unit_test(a_refused_login_is_not_the_fault_of_the_client),
        cmocka_unit_test(reads_large_traces_part_by_part),
    };

    return cmocka_run_group_tests(tests, setup, seed_rig_stop);
}
