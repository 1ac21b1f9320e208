/*
 * The schema and every statement of schema/query/ on real hypertables: TimescaleDB in a process of
 * its own (tests/timescale/serve.sh), which takes one connection and no COPY. First with rows, then
 * with every chunk in the columnstore. Skipped, and says so, where npm cannot be reached.
 */
#include "test.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/text.h"
#include "queries.h"
#include "store/chunks.h"
#include "store/migrate.h"
#include "store/proc.h"
#include "store/query.h"
#include "support/must.h"

#define START_MS 180000
#define CONNINFO                                                                                   \
    "host=127.0.0.1 port=%d user=postgres password=postgres dbname=postgres sslmode=disable "      \
    "gssencmode=disable"
#define MAX_PARAMS 24

static const struct cfg cfg = {.partition_days_back = 400, .query_timeout_ms = 60000};
static char conninfo[256];
static int to_server = -1; /* closing it ends the server */
static pid_t server;
static struct db db; /* the one connection */

static void connect_again(void)
{
    struct err err;

    must(db_open(&db, conninfo, DB_ADMIN, 0, &err));
    /* Every connection is the same session there, so the reader's settings are still in force. */
    must(db_exec(&db,
                 "SET default_transaction_read_only = off; SET statement_timeout = 0;"
                 "DEALLOCATE ALL",
                 &err));
}

/* Reads the server's first line. */
static bool read_line(int fd, char *line, size_t line_bytes)
{
    size_t len = 0;
    struct pollfd ready = {.fd = fd, .events = POLLIN};

    while (len + 1 < line_bytes && poll(&ready, 1, START_MS) > 0 && read(fd, line + len, 1) == 1 &&
           line[len] != '\n')
        len++;
    line[len] = '\0';
    return len > 0;
}

static pid_t spawn(int in, int out)
{
    const pid_t pid = fork();

    if (pid == 0) {
        if (dup2(in, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0)
            _exit(1);
        (void)close(to_server);
        (void)execl("/bin/sh", "sh", "tests/timescale/serve.sh", (char *)NULL);
        _exit(1);
    }
    return pid;
}

static int setup(void **state)
{
    char line[256] = "";
    int in[2];
    int out[2];
    int64_t port = 0;

    (void)state;
    if (pipe(in) != 0 || pipe(out) != 0)
        return -1;
    to_server = in[1];
    server = spawn(in[0], out[1]);
    (void)close(in[0]);
    (void)close(out[1]);
    if (!read_line(out[0], line, sizeof(line)))
        return -1;
    if (strncmp(line, "SKIP", 4) == 0) {
        (void)printf("%s\n", line);
        return 0;
    }
    if (strncmp(line, "port ", 5) != 0 || !text_int64(bytes_of(line + 5), &port))
        return -1;
    (void)snprintf(conninfo, sizeof(conninfo), CONNINFO, (int)port);
    connect_again();
    return 0;
}

static int teardown(void **state)
{
    int status = 0;

    (void)state;
    db_close(&db);
    (void)close(to_server);
    if (!proc_ended(server, 10000, &status)) {
        (void)kill(server, SIGKILL);
        return proc_ended(server, 10000, &status) ? 0 : -1;
    }
    return 0;
}

#define needs_timescale()                                                                          \
    do {                                                                                           \
        if (!conninfo[0])                                                                          \
            skip();                                                                                \
    } while (0)

static int64_t number(const char *sql)
{
    DB_RESULT res = PQexec(db.conn, sql);
    int64_t found = 0;

    if (PQresultStatus(res) != PGRES_TUPLES_OK)
        fail_msg("%s: %s", sql, PQresultErrorMessage(res));
    assert_true(text_int64(bytes_of(PQgetvalue(res, 0, 0)), &found));
    return found;
}

static void the_schema_becomes_hypertables(void **state)
{
    struct err err;
    char engine[16] = "";
    int applied = 0;

    (void)state;
    needs_timescale();
    must(db_exec(&db, "SET spanledger.engine = 'timescale'", &err));
    must(migrate_run(&db, &cfg, &applied, &err));
    must(migrate_check(&db, &err));
    must(migrate_engine(&db, engine, sizeof(engine), &err));
    assert_string_equal(engine, "timescale");
    must(migrate_run(&db, &cfg, &applied, &err));
    assert_int_equal(applied, 0);

    DB_RESULT res = PQexec(db.conn, "SELECT current_setting('server_version'), extversion"
                                    " FROM pg_extension WHERE extname = 'timescaledb'");
    (void)printf("engine: %s, PostgreSQL %s, TimescaleDB %s\n", engine, PQgetvalue(res, 0, 0),
                 PQgetvalue(res, 0, 1));
    assert_int_equal(number("SELECT count(*) FROM timescaledb_information.hypertables"
                            " WHERE hypertable_schema = 'spanledger'"),
                     number("SELECT count(*) FROM spanledger.hypertable"));
    assert_int_equal(number("SELECT count(*) FROM timescaledb_information.dimensions AS d"
                            " JOIN spanledger.hypertable AS h ON h.table_name = d.hypertable_name"
                            " WHERE d.column_name = h.time_column"
                            " AND d.time_interval = h.chunk_days * interval '1 day'"),
                     number("SELECT count(*) FROM spanledger.hypertable"));
}

static void there_are_no_chunks_to_make(void **state)
{
    const int64_t days[] = {20000, 20001};
    struct err err;

    (void)state;
    needs_timescale();
    must(chunks_ensure_days(&db, days, 2, &err));
    must(chunks_upkeep(&db, 20000, &err));
}

/* Parameters in text form; NULL: SQL's NULL. The statements stand in the order in which a batch with
 * re-sent spans runs them: rows 1 .. 4 are in the table, the stage holds 2 (the same), 3 (a later
 * end), 4 (an earlier end) and 5 (new). */
#define TRACE "01020304-0506-0708-090a-0b0c0d0e0f10"
#define SINCE "2026-11-20 00:00:00+00"
#define UNTIL "2026-11-23 00:00:00+00"

/* Array parameters of one element. */
#define ONE "{1}"
#define LIST(text) "{" text "}"
#define NONE "{NULL}"
#define EMPTY "{\"\"}"
#define NO_ATTRIBUTES "{\"{}\"}"
#define DAY_1 "2026-11-21"
#define DAY_2 "2026-11-22"

struct call {
    const char *name;
    int rows; /* answered or changed */
    const char *params[MAX_PARAMS];
    int count;
};

static const struct call calls[] = {
    {"write_lock", 1, {"{1}", "{5,6}", "f"}, 3},
    {"write_resource", 1, {ONE, LIST(TRACE), "{svc}", NO_ATTRIBUTES, NONE, EMPTY, NONE, DAY_1}, 8},
    {"write_resource", 0, {ONE, LIST(TRACE), "{svc}", NO_ATTRIBUTES, NONE, EMPTY, NONE, DAY_1}, 8},
    {"write_resource", 1, {ONE, LIST(TRACE), "{svc}", NO_ATTRIBUTES, NONE, EMPTY, NONE, DAY_2}, 8},
    {"write_resource_same", 1, {ONE, LIST(TRACE), "{svc}", NO_ATTRIBUTES, NONE, EMPTY, NONE}, 7},
    {"write_scope",
     1,
     {ONE, LIST(TRACE), "{s}", "{1}", NO_ATTRIBUTES, NONE, EMPTY, NONE, DAY_1},
     9},
    {"write_scope_same", 1, {ONE, LIST(TRACE), "{s}", "{1}", NO_ATTRIBUTES, NONE, EMPTY, NONE}, 8},
    {"write_versions", 3, {SINCE, UNTIL}, 2},
    {"write_insert_staged", 1, {"{2,3,4}"}, 1},
    {"write_replace", 1, {SINCE, UNTIL, "{3}"}, 3},
    {"write_supersede", 1, {SINCE, UNTIL, "{4}"}, 3},
    {"write_responses", 1, {"{1}", "{77}", "{" SINCE "}", "{" UNTIL "}", SINCE, UNTIL, "100"}, 7},
    {"write_responses_near", 1, {"{1}", "{77}", SINCE, UNTIL, "100"}, 5},
    {"write_fold_facts",
     5,
     {"{1}", "{3}", "{" TRACE "}", "{" SINCE "}", "{" UNTIL "}", SINCE, UNTIL},
     7},
    {"write_fold",
     1,
     {"{1}", "{3}", "{" TRACE "}", "{2}", "{2026-11-21 01:00:01+00}", "{1}", "{t}", "{1}", "{NULL}",
      "{NULL}", SINCE, UNTIL},
     12},
    {"write_payload_delete",
     1,
     {"{1}", "{3}", "{" TRACE "}", "{2}", "{2026-11-21 01:00:01+00}", "{1}", SINCE, UNTIL},
     8},
    {"write_trace_days", 1, {"{1}", "{3}", "{" TRACE "}", "2026-11-20", "2026-11-23"}, 5},
    {"write_trace", 2, {NULL}, 0},
    {"write_trace_multi",
     2,
     {"{1}", "{3}", "{" TRACE "}", "{2026-11-20}", "2026-11-20", "2026-11-23"},
     6},
    {"write_trace_recount",
     1,
     {"{1}", "{3}", "{" TRACE "}", "{2026-11-21}", SINCE, UNTIL, "2026-11-20", "2026-11-23"},
     8},
    {"trace_days", 2, {"1", "3", TRACE}, 3},
    {"trace_spans", 5, {"1", "3", TRACE, SINCE, UNTIL, "-99", SINCE, "0", "100"}, 9},
    {"trace_skeleton", 5, {"1", "3", TRACE, SINCE, UNTIL, "-99", SINCE, "0", "100"}, 9},
    {"span", 1, {"1", "3", TRACE, SINCE, UNTIL, "3", "10"}, 7},
    {"write_logs",
     1,
     {"{1,1}", "{3,3}", LIST(TRACE "," TRACE), "{3,4}",
      "{2026-11-21 01:00:00+00,2026-11-21 01:00:00+00}", "{0,1}", "{7,8}", "{0,1}",
      "{2026-11-21 02:00:00+00,2026-11-21 02:00:00+00}", "{\"{}\",\"{}\"}", "1000"},
     11},
    {"span_logs", 2, {"1", "3", TRACE, SINCE, UNTIL, "-99", "99", "-99", SINCE, "0", "100"}, 11},
    {"drop_lost_logs", 1, {SINCE, "1000"}, 2},
    {"resources", 1, {"1", "{" TRACE "}"}, 2},
    {"scopes", 1, {"1", "{" TRACE "}"}, 2},
    {"services", 1, {"1", "10"}, 2},
    {"prices", 0, {"{1}"}, 1},
    {"price_keep", 1, {"{5}", "{openai:m}", "{openai}", "{test}", "{NULL}", "{\"{}\"}"}, 6},
    {"price_replace",
     0,
     {"{0}", "{openai}", "{m}", "{2026-01-01 00:00:00+00}", "{\"{}\"}", "{own}", "me"},
     7},
    {"price_insert",
     1,
     {"{0}", "{openai}", "{m}", "{2026-01-01 00:00:00+00}", "{\"{}\"}", "{own}"},
     6},
    {"price_imported", 1, {"me", "1", "1", "0"}, 4},
    {"price_epoch", 1, {NULL}, 0},
    {"price_rows", 1, {NULL}, 0},
    {"price_tenants", 1, {"{default}"}, 1},
    {"price_unpriced", 1, {SINCE, UNTIL, "10"}, 3},
    {"tenant_create", 1, {"acme", "me"}, 2},
    {"tenant_rename", 1, {"acme", "apex", "me"}, 3},
    {"tenant_list", 2, {NULL}, 0},
    {"key_create",
     1,
     {"apex", "5b8efff7-9803-4103-a269-b633813fc60c", "pk-sl-1", "00", "{read}", "p", "", "me",
      "10"},
     9},
    {"key_list", 1, {"apex"}, 1},
    {"key_epoch", 1, {NULL}, 0},
    {"key_load", 1, {"10"}, 1},
    {"key_used", 1, {"{5b8efff7-9803-4103-a269-b633813fc60c}", "2026-11-21"}, 2},
    {"key_revoke", 1, {"pk-sl-1", "me"}, 2},
    {"tenant_delete", 1, {"apex", "me"}, 2},
    {"reprice_begin", 1, {"0", SINCE, UNTIL, "", "", "p", "me", "f"}, 8},
    {"reprice_days", 0, {"0", SINCE, UNTIL}, 3},
    {"reprice_find", 0, {"0", "2026-11-21", TRACE, "0", "10"}, 5},
    {"reprice_read", 0, {"{1}", "{3}", "{" TRACE "}", SINCE, UNTIL}, 5},
    {"reprice_trace",
     1,
     {"{1}", "{3}", "{" TRACE "}", "{0}", "{1}", "{0}", "{0}", "{0}", "{0}", "{0}", "{0}", "{0}",
      "{0}", "{0}", "{1}", "2026-11-21"},
     16},
    {"reprice_write",
     1,
     {"{1}",    "{3}",    "{" TRACE "}", "{2}",    "{2026-11-21 01:00:01+00}",
      "{1}",    "{NULL}", "{NULL}",      "{NULL}", "{NULL}",
      "{NULL}", "{NULL}", "{NULL}",      "{NULL}", "{NULL}",
      "{NULL}", "{NULL}", "{NULL}",      "{NULL}", "{NULL}",
      SINCE,    UNTIL},
     22},
    {"reprice_sum",
     1,
     {"1", "{1}", "{openai}", "{m}", "{t}", "{t}", "{NULL}", "{7}", "2026-11-21", TRACE, "1"},
     11},
    {"reprice_sums", 1, {"1"}, 1},
    {"reprice_end", 1, {"1"}, 1},
    {"group_one",
     0,
     {"1", "2026-11-20", "2026-11-23", "1795222000000000000", "1795400000000000000", "user", "ada"},
     7},
    {"group_page",
     1,
     {"1", "2026-11-20", "2026-11-23", "1795222000000000000", "1795400000000000000", "session",
      "51", "9223372036854775807", "ffffffff-ffff-ffff-ffff-ffffffffffff", "256"},
     10},
    {"models",
     1,
     {"1", "2026-11-20", "2026-11-23", "1795222000000000000", "1795400000000000000",
      "9223372036854775807", "ffffffff-ffff-ffff-ffff-ffffffffffff", "256"},
     8},
    {"trace_list",
     1,
     {"1", "2026-11-20", "2026-11-23", "1795222000000000000", "1795400000000000000", "50"},
     6},
};

static const char *sql_of(const char *name)
{
    for (const struct query_text *q = query_texts; q->name; q++)
        if (strcmp(q->name, name) == 0)
            return q->sql;
    return NULL;
}

static int rows_of(PGresult *res)
{
    int64_t changed = 0;

    if (PQresultStatus(res) == PGRES_TUPLES_OK)
        return PQntuples(res);
    return text_int64(bytes_of(PQcmdTuples(res)), &changed) ? (int)changed : 0;
}

static void run(const struct call *call)
{
    const char *sql = sql_of(call->name);

    if (!sql)
        fail_msg("schema/query/%s.sql is not there", call->name);
    DB_RESULT res = PQexecParams(db.conn, sql, call->count, NULL, call->params, NULL, NULL, 0);

    if (PQresultStatus(res) != PGRES_TUPLES_OK && PQresultStatus(res) != PGRES_COMMAND_OK)
        fail_msg("%s: %s", call->name, PQresultErrorMessage(res));
    if (rows_of(res) != call->rows)
        fail_msg("%s: %d rows, want %d", call->name, rows_of(res), call->rows);
}

/* Spans 1 .. 4 of a trace, the same with later ends for the stage. */
static void fill(const char *table, const char *columns, const char *values, const char *from)
{
    char sql[1600];
    struct err err;

    (void)snprintf(
        sql, sizeof(sql),
        "INSERT INTO %s (start_time, trace_id, span_id, duration_ns, content_hash, received_at,"
        " ingest_seq, resource_id, scope_id, tenant_id, kind, status_code, marks, attribute_count,"
        " trace_bucket, start_ns, outcome, name, service_name, attributes, other_versions%s)"
        " SELECT timestamptz '2026-11-21 01:00:00+00' + (i - 1) * interval '1 second', '" TRACE "',"
        " i, %s, timestamptz '2026-11-21 02:00:00+00', 1, '" TRACE "', '" TRACE "', 1, 1, 0, 0, 0,"
        " 3, 0, 0, 'name', 'svc', '{\"a\":1}', '{}'::int8[]%s FROM %s AS i",
        table, columns, values, *columns ? ", i" : "", from);
    must(db_exec(&db, sql, &err));
}

static void empty_tables(void)
{
    struct err err;

    must(db_exec(
        &db,
        "TRUNCATE spanledger.span, spanledger.span_payload, spanledger.trace, spanledger.resource,"
        " spanledger.scope, spanledger.span_log, spanledger.price, spanledger.model_price,"
        " spanledger.price_change, spanledger.price_change_sum RESTART IDENTITY; DROP TABLE IF "
        "EXISTS pg_temp.span_stage,"
        " pg_temp.trace_stage",
        &err));
}

static void fill_table(void)
{
    struct err err;

    must(db_exec(&db,
                 "DELETE FROM spanledger.api_key; DELETE FROM spanledger.project;"
                 " DELETE FROM spanledger.tenant WHERE tenant_id > 1",
                 &err));
    empty_tables();
    fill("spanledger.span", "", "1000, i", "generate_series(1, 4)");
    must(db_exec(&db,
                 "UPDATE spanledger.span SET response_key = 77 WHERE span_id = 1;"
                 "INSERT INTO spanledger.span_payload (start_time, trace_id, span_id, tenant_id,"
                 " kind, trace_bucket, attributes) VALUES ('2026-11-21 01:00:01+00', '" TRACE "',"
                 " 2, 1, 1, 3, '[[0,\"a\",1]]')",
                 &err));
    must(db_exec(&db,
                 "INSERT INTO spanledger.trace (day, tenant_id, trace_id, start_ns, end_ns,"
                 " last_received, first_span_id, span_count, error_count, roots_ended,"
                 " roots_failed, roots_cancelled, roots_unfinished, trace_bucket, multi_day,"
                 " first_name, first_service, services) VALUES ('2026-11-21', 1, '" TRACE "',"
                 " 1795222800000000000, 1795222803000001000, now(), 1, 4, 0, 4, 0, 0, 0, 3, false,"
                 " 'name', 'svc', '{svc}')",
                 &err));
}

/* The rows of a batch that meets the table's: everything in one transaction, as the writer does. */
static void run_all_calls(void)
{
    struct err err;

    must(db_exec(&db, "BEGIN", &err));
    must(db_exec(&db, sql_of("write_stage"), &err));
    must(db_exec(&db, sql_of("write_trace_stage"), &err));
    must(
        db_exec(&db,
                "INSERT INTO pg_temp.trace_stage (day, tenant_id, trace_id, start_ns, end_ns,"
                " last_received, first_span_id, span_count, error_count, roots_ended,"
                " roots_failed, roots_cancelled, roots_unfinished, trace_bucket, multi_day,"
                " first_name, first_service, services, facets, session_id, session_rank,"
                " input_tokens) SELECT day, 1, '" TRACE "', start_ns, start_ns + 5,"
                " '2026-11-22 02:00:00+00', 9, 1, 0, 1, 0, 0, 0, 3, false, 'name', 'other',"
                " '{other}', ARRAY[hashtextextended('session:s', 1)], 's', start_ns, 5 FROM (VALUES"
                " (date '2026-11-21', 1795222800000000000),"
                " ('2026-11-22', 1795309200000000000)) AS v (day, start_ns)",
                &err));
    fill("pg_temp.span_stage", ", ord",
         "CASE i WHEN 2 THEN 1000 WHEN 3 THEN 2000 WHEN 4 THEN 500 ELSE 1000 END,"
         " CASE i WHEN 2 THEN 2 ELSE i + 100 END",
         "generate_series(2, 5)");
    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
        run(&calls[i]);
    must(db_exec(&db, "COMMIT", &err));
    assert_int_equal(number("SELECT span_count FROM spanledger.trace WHERE day = '2026-11-21'"), 5);
    assert_int_equal(number("SELECT duration_ns FROM spanledger.span WHERE span_id = 3"), 2000);
    assert_int_equal(number("SELECT duration_ns FROM spanledger.span WHERE span_id = 4"), 1000);
}

static void every_statement_runs_on_hypertables(void **state)
{
    (void)state;
    needs_timescale();
    fill_table();
    run_all_calls();
}

static void every_statement_of_the_folder_is_tried(void **state)
{
    struct err err;

    (void)state;
    needs_timescale();
    must(db_exec(&db, sql_of("write_stage"), &err));
    must(db_exec(&db, sql_of("write_trace_stage"), &err));
    for (const struct query_text *q = query_texts; q->name; q++) {
        /* They make tables: run by hand. */
        bool known =
            strcmp(q->name, "write_stage") == 0 || strcmp(q->name, "write_trace_stage") == 0;

        for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
            known = known || strcmp(calls[i].name, q->name) == 0;
        if (!known)
            fail_msg("schema/query/%s.sql has no row in tests/it_timescale.c", q->name);
        DB_RESULT res = PQprepare(db.conn, "", q->sql, 0, NULL);
        if (PQresultStatus(res) != PGRES_COMMAND_OK)
            fail_msg("%s: %s", q->name, PQresultErrorMessage(res));
    }
}

static void every_statement_runs_on_compressed_chunks(void **state)
{
    struct err err;

    (void)state;
    needs_timescale();
    fill_table();
    must(db_exec(&db,
                 "ALTER TABLE spanledger.span SET (timescaledb.compress,"
                 " timescaledb.compress_segmentby = 'tenant_id, trace_bucket',"
                 " timescaledb.compress_orderby = 'trace_id, span_id, start_time, kind');"
                 "ALTER TABLE spanledger.trace SET (timescaledb.compress,"
                 " timescaledb.compress_segmentby = 'tenant_id, trace_bucket',"
                 " timescaledb.compress_orderby = 'trace_id, day')",
                 &err));
    must(db_exec(&db,
                 "SELECT public.compress_chunk(c) FROM public.show_chunks('spanledger.span') AS c;"
                 "SELECT public.compress_chunk(c) FROM public.show_chunks('spanledger.trace') AS c",
                 &err));
    assert_int_equal(number("SELECT count(*) FROM timescaledb_information.chunks"
                            " WHERE is_compressed"),
                     2);
    run_all_calls();
}

static void a_repeated_key_is_refused_as_on_plain_partitions(void **state)
{
    struct err err;

    (void)state;
    needs_timescale();
    fill_table();
    assert_false(db_exec(
        &db, "INSERT INTO spanledger.span SELECT * FROM spanledger.span WHERE span_id = 1", &err));
    assert_int_equal(err.kind, ERR_CONFLICT);
}

static void views_for_people_answer(void **state)
{
    (void)state;
    needs_timescale();
    fill_table();
    assert_int_equal(number("SELECT count(*) FROM api.spans WHERE attributes @> '{\"a\": 1}'"), 4);
    assert_int_equal(number("SELECT span_count FROM api.traces"), 4);
}

static void the_reader_works_on_hypertables(void **state)
{
    struct reader *reader = NULL;
    struct trace_spans spans = {.count = 0};
    struct trace_page page = {.count = 0};
    struct service_list services = {.count = 0};
    struct uuid id;
    struct arena arena;
    struct err err;
    const struct trace_filter filter = {.from_ns = INT64_C(1795222000000000000),
                                        .to_ns = INT64_C(1795400000000000000),
                                        .sort = TRACE_SORT_START,
                                        .descending = true,
                                        .limit = 10,
                                        .service = BYTES_LITERAL("svc")};

    (void)state;
    needs_timescale();
    fill_table();
    must(db_exec(&db,
                 "INSERT INTO spanledger.resource VALUES (1, '" TRACE "', 'svc', '{}', NULL,"
                 " '', NULL, now(), now());"
                 "INSERT INTO spanledger.scope VALUES (1, '" TRACE "', 's', '', '{}', NULL,"
                 " '', NULL, now(), now())",
                 &err));
    db_close(&db); /* there is one connection at a time */
    arena_init(&arena, 1 << 24);
    assert_true(text_unhex(BYTES_LITERAL("0102030405060708090a0b0c0d0e0f10"), id.at));
    must(reader_new(&cfg, conninfo, &reader, &err));
    /* The rows were not written with the bucket of their id; a list does not need it. */
    must(reader_list(reader, 1, &filter, &arena, &page, &err));
    assert_int_equal(page.count, 1);
    must(reader_services(reader, 1, &arena, &services, &err));
    assert_int_equal(services.count, 1);
    must(reader_trace(reader, 1, &id, true, &arena, &spans, &err));
    reader_free(reader);
    arena_done(&arena);
    connect_again();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_schema_becomes_hypertables),
        cmocka_unit_test(there_are_no_chunks_to_make),
        cmocka_unit_test(every_statement_of_the_folder_is_tried),
        cmocka_unit_test(every_statement_runs_on_hypertables),
        cmocka_unit_test(a_repeated_key_is_refused_as_on_plain_partitions),
        cmocka_unit_test(views_for_people_answer),
        cmocka_unit_test(the_reader_works_on_hypertables),
        cmocka_unit_test(every_statement_runs_on_compressed_chunks),
    };

    return cmocka_run_group_tests_name("it_timescale", tests, setup, teardown);
}
