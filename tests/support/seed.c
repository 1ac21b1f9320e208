/* Seeds. */
#include "support/seed.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "store/chunks.h"
#include "store/migrate.h"

static void die(const struct err *err)
{
    (void)fprintf(stderr, "seed: %s: %s\n", err_kind_name(err->kind), err->text);
    exit(1);
}

struct uuid seed_trace_id(uint8_t first)
{
    return (struct uuid){{first, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, first}};
}

void seed_run(struct db *db, const char *sql)
{
    struct err err;

    if (!db_exec(db, sql, &err))
        die(&err);
}

void seed_span(struct db *db, const struct seed *s)
{
    const struct uuid trace_id = seed_trace_id(s->trace);
    const int64_t start_ns = SEED_DAY0_NS + s->start_ns;
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
    seed_run(db, sql);
}

/* Trace rows from the spans, as the write path keeps them. */
void seed_traces(struct db *db)
{
    seed_run(
        db,
        "TRUNCATE spanledger.trace, spanledger.resource, spanledger.scope;"
        "INSERT INTO spanledger.resource SELECT DISTINCT 1, resource_id, service_name,"
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
        " count(*) FILTER (WHERE status_code = 2 OR outcome IN (1, 2)),"
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

#define H SEED_HOUR_NS
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

void seed_database(struct cluster *cluster, char conninfo[CLUSTER_CONNINFO_BYTES], struct db *db)
{
    static const struct cfg cfg = {.partition_days_back = 400};
    static const int64_t days[] = {SEED_DAY, SEED_DAY + 1, SEED_DAY + 2};
    int applied;
    struct err err;

    cluster_new_database(cluster, conninfo);
    if (!db_open(db, conninfo, DB_ADMIN, 0, &err) || !migrate_run(db, &cfg, &applied, &err) ||
        !chunks_ensure_days(db, days, 3, &err))
        die(&err);
    seed_run(db, "CREATE FUNCTION spanledger.keys(facets text[]) RETURNS int8[] LANGUAGE sql"
                 " RETURN (SELECT array_agg(hashtextextended(f, 1)) FROM unnest(facets) AS f)");
    for (size_t i = 0; i < sizeof(seeds) / sizeof(seeds[0]); i++)
        seed_span(db, &seeds[i]);
    seed_traces(db);
}

const struct cfg seed_rig_cfg = {.query_timeout_ms = 20000};
struct seed_rig seed_rig;

void seed_rig_start(const char *meanings)
{
    struct err err;

    seed_rig.cluster = cluster_start(NULL);
    seed_database(seed_rig.cluster, seed_rig.conninfo, &seed_rig.db);
    if (meanings)
        seed_run(&seed_rig.db, meanings);
    if (!reader_new(&seed_rig_cfg, seed_rig.conninfo, &seed_rig.reader, &err))
        die(&err);
    arena_init(&seed_rig.arena, SEED_ARENA_BYTES);
}

int seed_rig_stop(void **state)
{
    (void)state;
    arena_done(&seed_rig.arena);
    reader_free(seed_rig.reader);
    db_close(&seed_rig.db);
    cluster_stop(seed_rig.cluster);
    return 0;
}
