/*
 * Statements that change rows named in arrays begin with the arrays and look each row up, also in a
 * chunk that was never analysed, as every day's is at first: otherwise the planner, which knows how
 * long the arrays are and takes the chunk for nearly empty, reads the chunk and for each of its rows
 * all of the arrays (2,000 spans whose response ids lie in other traces: 14 s instead of half a second).
 */
#include "test.h"

#include <stdio.h>

#include "base/cfg.h"
#include "queries.h"
#include "store/migrate.h"
#include "support/cluster.h"
#include "support/must.h"

#define ELEMENTS 2000
#define ROOM (ELEMENTS * 40)
#define MOST_PARAMS 24

/* As writers and repricing set their sessions (store/write.c, store/reprice.c). */
#define SESSION                                                                                    \
    "SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off;"             \
    "SET enable_bitmapscan = off; SET enable_material = off; SET jit = off"

/* params: arrays of (b)ool, (2) int2, (4) int4, (8) int8, (u)uid, (t)imestamptz, (d)ate; of the
 * bounds behind them (T) a time, (D) a day. */
static const struct statement {
    const char *name;
    const char *sql;
    const char *params;
} statements[] = {
    {"write_fold", sql_write_fold, "42u8t4b2u8TT"},
    {"write_trace_recount", sql_write_trace_recount, "42udTTDD"},
    {"write_trace_multi", sql_write_trace_multi, "42udDD"},
    {"write_payload_delete", sql_write_payload_delete, "42u8t4TT"},
    {"reprice_write", sql_reprice_write, "42u8t488888888888828TT"},
};

static struct cluster *cluster;
static struct db db;
static char arrays[MOST_PARAMS][ROOM];

static int setup(void **state)
{
    static const struct cfg cfg = {.partition_days_back = 400};
    static const char rows[] =
        "SELECT spanledger.ensure_days('{2026-11-21}');"
        "INSERT INTO spanledger.span (start_time, trace_id, span_id, duration_ns, content_hash,"
        " received_at, ingest_seq, resource_id, scope_id, tenant_id, kind, status_code, marks,"
        " attribute_count, trace_bucket, start_ns, outcome, name, service_name, attributes,"
        " other_versions) SELECT timestamptz '2026-11-21 01:00:00+00', md5(i::text)::uuid, i, 1, i,"
        " now(), 1, md5('r')::uuid, md5('s')::uuid, 1, 1, 0, 0, 0, 3, 0, 0, 'name', 'svc', '{}',"
        " '{}'::int8[] FROM generate_series(1, 2000) AS i;"
        "INSERT INTO spanledger.span_payload SELECT start_time, trace_id, span_id, tenant_id, kind,"
        " trace_bucket FROM spanledger.span;"
        "INSERT INTO spanledger.trace (day, tenant_id, trace_id, start_ns, end_ns, last_received,"
        " first_span_id, span_count, error_count, roots_ended, roots_failed, roots_cancelled,"
        " roots_unfinished, trace_bucket, multi_day, first_name, first_service, services)"
        " SELECT '2026-11-21', 1, trace_id, span_id, span_id, received_at, span_id, 1, 0, 1, 0, 0, "
        "0,"
        " trace_bucket, false, name, service_name, '{}' FROM spanledger.span;";
    char conninfo[CLUSTER_CONNINFO_BYTES];
    int applied;
    struct err err;

    (void)state;
    cluster = cluster_start(NULL);
    cluster_new_database(cluster, conninfo);
    must(db_open(&db, conninfo, DB_ADMIN, 0, &err));
    must(migrate_run(&db, &cfg, &applied, &err));
    must(db_exec(&db, rows, &err));
    must(db_exec(&db, SESSION, &err));
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    db_close(&db);
    cluster_stop(cluster);
    return 0;
}

static const char *element_of(char kind)
{
    switch (kind) {
    case 'b':
        return "t";
    case 'u':
        return "0a000000-0000-0000-0000-000000000000";
    case 't':
    case 'T':
        return "2026-11-21 01:00:00+00";
    case 'd':
    case 'D':
        return "2026-11-21";
    default:
        return "1";
    }
}

static const char *param_of(char *room, char kind)
{
    char *at = room;

    if (kind == 'T' || kind == 'D')
        return element_of(kind);
    for (size_t i = 0; i < ELEMENTS; i++)
        at += snprintf(at, (size_t)(room + ROOM - at), "%c%s", i ? ',' : '{', element_of(kind));
    (void)snprintf(at, (size_t)(room + ROOM - at), "}");
    return room;
}

/* The plan, a line each row; fails the test where the server refuses the statement. */
static PGresult *explain(const struct statement *s)
{
    const char *values[MOST_PARAMS];
    const size_t count = strlen(s->params);
    static char sql[64 << 10];
    PGresult *result;

    for (size_t i = 0; i < count; i++)
        values[i] = param_of(arrays[i], s->params[i]);
    (void)snprintf(sql, sizeof(sql), "EXPLAIN %s", s->sql);
    result = PQexecParams(db.conn, sql, (int)count, NULL, values, NULL, NULL, 0);
    if (PQresultStatus(result) != PGRES_TUPLES_OK)
        fail_msg("%s: %s", s->name, PQerrorMessage(db.conn));
    return result;
}

static void changes_begin_with_their_arrays(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(statements) / sizeof(statements[0]); i++) {
        DB_RESULT plan = explain(&statements[i]);
        bool begun = false;

        for (int r = 0; r < PQntuples(plan) && !begun; r++) {
            const char *line = PQgetvalue(plan, r, 0);

            begun = strstr(line, "Function Scan on ") != NULL;
            if (!begun && strstr(line, "Index Scan "))
                fail_msg("%s begins with the table: %s", statements[i].name, line);
        }
        assert_true(begun);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(changes_begin_with_their_arrays),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
