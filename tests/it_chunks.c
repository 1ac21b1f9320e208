/* Chunks of the native engine on a real PostgreSQL: made on demand, ahead, by many at once, beside
 * writers. With TimescaleDB there is nothing to make and most of this is skipped. */
#include "test.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/text.h"
#include "queries.h"
#include "store/chunks.h"
#include "store/migrate.h"
#include "support/cluster.h"
#include "support/must.h"

static struct cluster *cluster;
static const struct cfg cfg = {.partition_days_back = 400};

static int setup(void **state)
{
    (void)state;
    cluster = cluster_start(NULL);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    cluster_stop(cluster);
    return 0;
}

static char conninfo[CLUSTER_CONNINFO_BYTES];

/* A migrated database of its own for each test. */
static struct db open_fresh(void)
{
    struct db db;
    struct err err;
    int applied = 0;

    cluster_new_database(cluster, conninfo);
    must(db_open(&db, conninfo, DB_ADMIN, 0, &err));
    /* The engine under test, also where TimescaleDB is installed. */
    must(db_exec(&db, "SET spanledger.engine = 'native'", &err));
    must(migrate_run(&db, &cfg, &applied, &err));
    return db;
}

static struct db open_again(void)
{
    struct db db;
    struct err err;

    must(db_open(&db, conninfo, DB_ADMIN, 0, &err));
    return db;
}

static int64_t number(struct db *db, const char *sql)
{
    DB_RESULT res = PQexec(db->conn, sql);

    if (PQresultStatus(res) != PGRES_TUPLES_OK)
        fail_msg("%s: %s", sql, PQresultErrorMessage(res));
    int64_t found = 0;
    assert_true(text_int64(bytes_of(PQgetvalue(res, 0, 0)), &found));
    return found;
}

static int64_t chunk_count(struct db *db, const char *table)
{
    char sql[160];

    (void)snprintf(sql, sizeof(sql),
                   "SELECT count(*) FROM pg_catalog.pg_inherits"
                   " WHERE inhparent = 'spanledger.%s'::regclass",
                   table);
    return number(db, sql);
}

/* Day of the setting window_first or window_end. */
static int64_t window(struct db *db, const char *name)
{
    char sql[160];

    (void)snprintf(
        sql, sizeof(sql),
        "SELECT value::date - date '1970-01-01' FROM spanledger.setting WHERE name = '%s'", name);
    return number(db, sql);
}

/* A span, its payload and its trace row, an hour into the day. */
static bool insert_span(struct db *db, int64_t day, int64_t span_id, struct err *err)
{
    char sql[1600];

    (void)snprintf(
        sql, sizeof(sql),
        "INSERT INTO spanledger.span (start_time, trace_id, span_id, duration_ns, content_hash,"
        " received_at, ingest_seq, resource_id, scope_id, tenant_id, kind, status_code, marks,"
        " attribute_count, trace_bucket, start_ns, outcome, name, service_name, attributes)"
        " VALUES (timestamptz '1970-01-01 01:00:00+00' + %ld * interval '24 hours',"
        " '01020304-0506-0708-090a-0b0c0d0e0f10', %ld, 1, 1, now(), 1,"
        " '01020304-0506-0708-090a-0b0c0d0e0f10', '01020304-0506-0708-090a-0b0c0d0e0f10',"
        " 1, 1, 0, 0, 0, 3, 0, 0, 'name', 'service', '{}');"
        "INSERT INTO spanledger.span_payload (start_time, trace_id, span_id, tenant_id, kind,"
        " trace_bucket) VALUES (timestamptz '1970-01-01 01:00:00+00' + %ld * interval '24 hours',"
        " '01020304-0506-0708-090a-0b0c0d0e0f10', %ld, 1, 1, 3);"
        "INSERT INTO spanledger.trace (day, tenant_id, trace_id, start_ns, end_ns, last_received,"
        " first_span_id, span_count, error_count, roots_ended, roots_failed, roots_cancelled,"
        " roots_unfinished, trace_bucket, multi_day, first_name, first_service, services)"
        " VALUES (date '1970-01-01' + %ld, 1, '01020304-0506-0708-090a-0b0c0d0e0f10', 0, 0, now(),"
        " 1, 1, 0, 0, 0, 0, 0, 3, false, '', '', '{}')"
        " ON CONFLICT DO NOTHING",
        (long)day, (long)span_id, (long)day, (long)span_id, (long)day);
    return db_exec(db, sql, err);
}

static void every_day_inside_the_window_gets_a_chunk_when_it_is_asked_for(void **state)
{
    struct db db = open_fresh();
    const int64_t today = clock_day(clock_wall_ns());
    const int64_t days[] = {today - 300, today - 5, today + 20, today - 5};
    struct err err;

    (void)state;
    const int64_t before = chunk_count(&db, "span");
    must(chunks_ensure_days(&db, days, 4, &err));
    assert_int_equal(chunk_count(&db, "span"), before + 3);
    assert_int_equal(chunk_count(&db, "span_payload"), before + 3);
    must(chunks_ensure_days(&db, days, 4, &err)); /* again: nothing new */
    must(chunks_ensure_days(&db, days, 0, &err));
    assert_int_equal(chunk_count(&db, "span"), before + 3);
    for (size_t i = 0; i < 3; i++)
        must(insert_span(&db, days[i], 1, &err));
    db_close(&db);
}

/* More than one transaction makes */
static void hundreds_of_days_get_their_chunks_by_one_call(void **state)
{
    struct db db = open_fresh();
    const int64_t today = clock_day(clock_wall_ns());
    int64_t days[120];
    struct err err;

    (void)state;
    for (int64_t i = 0; i < 120; i++)
        days[i] = today - 10 - i;
    const int64_t before = chunk_count(&db, "span");
    must(chunks_ensure_days(&db, days, 120, &err));
    assert_int_equal(chunk_count(&db, "span"), before + 120);
    assert_int_equal(chunk_count(&db, "span_payload"), before + 120);
    must(insert_span(&db, days[119], 1, &err));
    db_close(&db);
}

static void a_row_without_a_chunk_is_refused_as_no_chunk_until_it_is_made(void **state)
{
    struct db db = open_fresh();
    const int64_t day = clock_day(clock_wall_ns()) - 100;
    struct err err;

    (void)state;
    assert_false(insert_span(&db, day, 1, &err));
    assert_int_equal(err.kind, ERR_NO_CHUNK);
    must(chunks_ensure_days(&db, &day, 1, &err));
    must(insert_span(&db, day, 1, &err));
    db_close(&db);
}

static void days_outside_the_window_share_a_chunk_at_either_end(void **state)
{
    struct db db = open_fresh();
    const int64_t today = clock_day(clock_wall_ns());
    const int64_t days[] = {0, today - 5000, today + 5000, 106751, INT64_MIN, INT64_MAX};
    struct err err;

    (void)state;
    const int64_t before = chunk_count(&db, "span");
    must(chunks_ensure_days(&db, days, 6, &err));
    assert_int_equal(chunk_count(&db, "span"), before); /* a sender cannot make chunks at will */
    for (size_t i = 0; i < 4; i++)
        must(insert_span(&db, days[i], 1, &err));
    assert_int_equal(number(&db, "SELECT count(*) FROM spanledger.span_past"), 2);
    assert_int_equal(number(&db, "SELECT count(*) FROM spanledger.span_future"), 2);
    db_close(&db);
}

static void upkeep_keeps_a_week_made_and_the_window_35_to_65_days_ahead(void **state)
{
    struct db db = open_fresh();
    const int64_t today = clock_day(clock_wall_ns());
    struct err err;

    (void)state;
    for (int64_t day = today; day < today + 120; day += 3) {
        must(chunks_upkeep(&db, day, &err));
        const int64_t ahead = window(&db, "window_end") - day;

        if (ahead < 35 || ahead > 65)
            fail_msg("on day +%ld the window ends %ld days ahead", (long)(day - today),
                     (long)ahead);
        assert_int_equal(window(&db, "window_end") % 30, 0);
        must(insert_span(&db, day + 7, 1, &err)); /* made ahead: nobody had to ask for it */
    }
    db_close(&db);
}

static void rows_of_the_far_future_and_past_move_into_their_days_when_the_window_grows(void **state)
{
    struct db db = open_fresh();
    const int64_t end = window(&db, "window_end");
    const int64_t first = window(&db, "window_first");
    struct err err;

    (void)state;
    must(insert_span(&db, end, 1, &err));
    must(insert_span(&db, end, 2, &err));
    must(insert_span(&db, end + 29, 3, &err));
    must(insert_span(&db, end + 4000, 4, &err));
    must(insert_span(&db, first - 1, 5, &err));
    must(insert_span(&db, first - 400, 6, &err));

    must(chunks_upkeep(&db, end - 34, &err)); /* less than 35 days are left */
    assert_int_equal(window(&db, "window_end"), end + 30);
    assert_int_equal(number(&db, "SELECT count(*) FROM spanledger.span_future"), 1);
    assert_int_equal(number(&db, "SELECT count(*) FROM spanledger.trace_future"), 1);

    must(db_exec(&db,
                 "UPDATE spanledger.setting SET value = '500'"
                 " WHERE name = 'partition_days_back'",
                 &err)); /* the operator keeps more days now */
    must(chunks_upkeep(&db, end - 34, &err));
    assert_true(window(&db, "window_first") < first - 30);
    assert_int_equal(number(&db, "SELECT count(*) FROM spanledger.span_past"), 1);

    assert_int_equal(number(&db, "SELECT count(*) FROM spanledger.span"), 6);
    assert_int_equal(number(&db, "SELECT count(*) FROM spanledger.span_payload"), 6);
    assert_int_equal(number(&db, "SELECT count(*) FROM spanledger.trace"), 5);
    must(insert_span(&db, end + 29, 7, &err));
    db_close(&db);
}

static void a_clock_that_jumps_ahead_or_back_keeps_every_row_and_every_bound(void **state)
{
    struct db db = open_fresh();
    const int64_t today = clock_day(clock_wall_ns());
    struct err err;

    (void)state;
    must(insert_span(&db, today, 1, &err));
    must(chunks_upkeep(&db, today + 30000, &err)); /* 82 years ahead */
    must(insert_span(&db, today + 30000, 2, &err));
    const int64_t end = window(&db, "window_end");
    must(chunks_upkeep(&db, 0, &err)); /* 1970 */
    assert_int_equal(window(&db, "window_end"), end);
    must(insert_span(&db, 0, 3, &err));
    must(chunks_upkeep(&db, today, &err));
    must(insert_span(&db, today + 7, 4, &err));
    assert_int_equal(number(&db, "SELECT count(*) FROM spanledger.span"), 4);
    db_close(&db);
}

struct session {
    int64_t today;
    int64_t from;
    bool done;
    struct err err;
};

static void *ensure_in_thread(void *arg)
{
    struct session *s = arg;
    struct db db = open_again();

    s->done = true;
    for (int64_t i = 0; i < 20 && s->done; i++) {
        const int64_t days[] = {s->today - s->from - i, s->today - 20 + i};

        s->done = chunks_ensure_days(&db, days, 2, &s->err);
    }
    db_close(&db);
    return NULL;
}

static void sessions_that_ask_for_the_same_days_at_once_all_get_them(void **state)
{
    enum { SESSIONS = 4 };
    struct db db = open_fresh();
    struct session sessions[SESSIONS];
    pthread_t threads[SESSIONS];

    (void)state;
    for (int i = 0; i < SESSIONS; i++) {
        sessions[i] = (struct session){.today = clock_day(clock_wall_ns()), .from = 30 + i};
        assert_int_equal(pthread_create(&threads[i], NULL, ensure_in_thread, &sessions[i]), 0);
    }
    for (int i = 0; i < SESSIONS; i++) {
        (void)pthread_join(threads[i], NULL);
        if (!sessions[i].done)
            fail_msg("session %d: %s", i, sessions[i].err.text);
    }
    db_close(&db);
}

static void a_chunk_is_made_while_a_writer_holds_its_transaction_open(void **state)
{
    struct db db = open_fresh();
    struct db writer = open_again();
    const int64_t today = clock_day(clock_wall_ns());
    const int64_t day = today - 50;
    struct err err;

    (void)state;
    must(db_exec(&writer, "BEGIN", &err));
    must(insert_span(&writer, today, 1, &err));
    must(db_exec(&db, "SET lock_timeout = '1s'", &err));
    must(chunks_ensure_days(&db, &day, 1, &err)); /* ATTACH waits for no writer */
    must(db_exec(&writer, "COMMIT", &err));
    db_close(&writer);
    db_close(&db);
}

static void upkeep_gives_up_soon_when_a_writer_holds_its_transaction_open(void **state)
{
    struct db db = open_fresh();
    struct db writer = open_again();
    const int64_t today = clock_day(clock_wall_ns());
    const int64_t end = window(&db, "window_end");
    struct err err;

    (void)state;
    must(db_exec(&writer, "BEGIN", &err));
    must(insert_span(&writer, today, 1, &err));
    assert_false(chunks_upkeep(&db, today + 40, &err)); /* the window has to move */
    assert_int_equal(err.kind, ERR_CONTENDED);
    assert_int_equal(window(&db, "window_end"), end);
    must(db_exec(&writer, "COMMIT", &err));
    must(chunks_upkeep(&db, today + 40, &err));
    assert_true(window(&db, "window_end") > end);
    db_close(&writer);
    db_close(&db);
}

static void a_day_whose_chunk_was_detached_gets_a_new_one(void **state)
{
    struct db db = open_fresh();
    const int64_t day = clock_day(clock_wall_ns());
    struct err err;

    (void)state;
    must(insert_span(&db, day, 1, &err));
    must(db_exec(&db,
                 "DO $$ BEGIN EXECUTE format('ALTER TABLE spanledger.span DETACH PARTITION"
                 " spanledger.span_d%s', to_char(now() AT TIME ZONE 'UTC', 'YYYYMMDD')); END $$",
                 &err));
    assert_false(insert_span(&db, day, 2, &err));
    assert_int_equal(err.kind, ERR_NO_CHUNK);
    must(chunks_ensure_days(&db, &day, 1, &err));
    must(insert_span(&db, day, 2, &err));
    assert_int_equal(number(&db, "SELECT count(*) FROM spanledger.span"), 1);
    db_close(&db);
}

static void the_same_key_is_refused_twice_and_lz4_goes_to_every_chunk(void **state)
{
    struct db db = open_fresh();
    const int64_t day = clock_day(clock_wall_ns());
    struct err err;

    (void)state;
    must(insert_span(&db, day, 1, &err));
    assert_false(insert_span(&db, day, 1, &err));
    assert_int_equal(err.kind, ERR_CONFLICT);
    assert_int_equal(number(&db, "SELECT count(DISTINCT attcompression) FROM pg_attribute a JOIN"
                                 " pg_inherits i ON i.inhrelid = a.attrelid WHERE i.inhparent ="
                                 " 'spanledger.span'::regclass AND attname = 'attributes'"),
                     1);
    db_close(&db);
}

static void a_plan_made_while_a_chunk_is_empty_looks_traces_up_by_their_key(void **state)
{
    struct db db = open_fresh();
    struct buf sql;
    struct err err;

    (void)state;
    must(db_exec(&db,
                 "SET enable_seqscan = off; SET enable_bitmapscan = off;"
                 "SET enable_hashjoin = off; SET enable_mergejoin = off;"
                 "SET plan_cache_mode = force_generic_plan",
                 &err)); /* as writers do */
    buf_init(&sql, 65536);
    buf_printf(&sql, "PREPARE find (int4[], int2[], uuid[], date, date) AS %s",
               sql_write_trace_days);
    buf_add_byte(&sql, 0);
    must(db_exec(&db, (const char *)sql.at, &err));
    buf_done(&sql);
    DB_RESULT res = PQexec(db.conn, "EXPLAIN EXECUTE find('{1}', '{1}',"
                                    " '{01020304-0506-0708-090a-0b0c0d0e0f10}', now()::date - 31,"
                                    " now()::date + 31)");
    assert_true(PQntuples(res) > 0);
    for (int i = 0; i < PQntuples(res); i++)
        if (strstr(PQgetvalue(res, i, 0), "_start_ns_"))
            fail_msg("%s", PQgetvalue(res, i, 0));
    db_close(&db);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_day_inside_the_window_gets_a_chunk_when_it_is_asked_for),
        cmocka_unit_test(hundreds_of_days_get_their_chunks_by_one_call),
        cmocka_unit_test(a_row_without_a_chunk_is_refused_as_no_chunk_until_it_is_made),
        cmocka_unit_test(days_outside_the_window_share_a_chunk_at_either_end),
        cmocka_unit_test(upkeep_keeps_a_week_made_and_the_window_35_to_65_days_ahead),
        cmocka_unit_test(
            rows_of_the_far_future_and_past_move_into_their_days_when_the_window_grows),
        cmocka_unit_test(a_clock_that_jumps_ahead_or_back_keeps_every_row_and_every_bound),
        cmocka_unit_test(sessions_that_ask_for_the_same_days_at_once_all_get_them),
        cmocka_unit_test(a_chunk_is_made_while_a_writer_holds_its_transaction_open),
        cmocka_unit_test(upkeep_gives_up_soon_when_a_writer_holds_its_transaction_open),
        cmocka_unit_test(a_day_whose_chunk_was_detached_gets_a_new_one),
        cmocka_unit_test(a_plan_made_while_a_chunk_is_empty_looks_traces_up_by_their_key),
        cmocka_unit_test(the_same_key_is_refused_twice_and_lz4_goes_to_every_chunk),
    };

    return cmocka_run_group_tests_name("it_chunks", tests, setup, teardown);
}
