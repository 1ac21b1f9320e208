/*
 * Pricing stored spans anew, part by part.
 *
 * DESIGN: a part is some traces of one day, in the order of (trace id, tenant): one transaction with
 * the same locks as a writer's, taken in the same order. How far the run is and what it did so far
 * stand in the same transaction, so a run that is killed goes on where it was; that is also why parts
 * need not wait for the disk. Another connection reads the spans of the locked traces, row by row,
 * while this one writes: memory does not grow with a trace. A dry run locks nothing.
 */
#include "store/reprice.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/clock.h"
#include "queries.h"
#include "store/locks.h"
#include "store/pgtypes.h"
#include "store/reprice_parts.h"
#include "store/row.h"
#include "store/span_row.h"

#define PART_SPANS 10000 /* about so many of one transaction; one trace may have more */
#define LOCK_BYTES ((size_t)1 << 20)

/* Of advisory locks, beside those of write_lock.sql. The session of a run that was killed lives until
 * its statement ends: that is waited for. */
#define ONLY_ONE "SET lock_timeout = '10s'; SELECT pg_advisory_lock(7003, 0); SET lock_timeout = 0"

/* As a writer's (store/write): rows are found by key, whatever the tables held when they were
 * analysed. */
#define PLANS                                                                                      \
    "SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off;"             \
    "SET enable_bitmapscan = off; SET enable_material = off; SET jit = off"

static bool take_only_one(struct db *db, struct err *err)
{
    if (db_exec(db, ONLY_ONE, err))
        return true;
    return err->kind == ERR_CONTENDED
               ? err_set(err, ERR_CONTENDED, "another re-pricing runs: wait until it has ended")
               : false;
}

static bool begin_run(struct reprice *r, int64_t *out_done_day, struct err *err)
{
    const struct reprice_scope *s = &r->scope;
    struct call call = {0};
    DB_RESULT result = NULL;

    call_int4(&call, s->tenant_id);
    call_timestamp(&call, s->from_ns);
    call_timestamp(&call, s->to_ns);
    call_text(&call, s->provider);
    call_text(&call, s->model);
    call_text(&call, s->prices);
    call_text(&call, s->actor);
    call_bool(&call, s->dry_run);
    if (!call_run(r->db, NULL, NULL, sql_reprice_begin, &call, &result, err))
        return false;
    struct row row = {.res = result, .err = err};
    if (PQntuples(result) == 0)
        return err_set(err, ERR_BAD_INPUT, "tenant %" PRId32 " is not known", s->tenant_id);
    r->change_id = row_int8(&row, 0);
    r->resumed = !row_is_null(&row, 1);
    *out_done_day = INT64_MIN;
    if (r->resumed) {
        *out_done_day = row_day(&row, 1);
        r->after_trace_id = row_uuid(&row, 2);
        r->after_tenant_id = row_int4(&row, 3);
    }
    return row_ok(&row);
}

static bool find_days(struct reprice *r, int64_t done_day, struct err *err)
{
    struct call call = {0};
    DB_RESULT result = NULL;

    call_int4(&call, r->scope.tenant_id);
    call_timestamp(&call, r->scope.from_ns);
    call_timestamp(&call, r->scope.to_ns);
    if (!call_run(r->db, NULL, NULL, sql_reprice_days, &call, &result, err))
        return false;
    struct row row = {.res = result, .err = err};
    r->days = calloc((size_t)PQntuples(result) + 1, sizeof(*r->days));
    if (!r->days)
        return err_set(err, ERR_UNAVAILABLE, "no memory for %d days", PQntuples(result));
    for (row.at = 0; row.at < PQntuples(result); row.at++) {
        const int64_t day = row_day(&row, 0);
        if (day >= done_day)
            r->days[r->day_count++] = day;
    }
    if (r->day_count == 0 || r->days[0] != done_day) {
        r->after_trace_id = (struct uuid){0};
        r->after_tenant_id = INT32_MIN;
    }
    return row_ok(&row);
}

bool reprice_open(struct db *db, const char *conninfo, const struct reprice_scope *scope,
                  struct reprice **out_reprice, struct err *err)
{
    struct reprice *r = calloc(1, sizeof(*r));
    int64_t done_day;

    if (!r)
        return err_set(err, ERR_UNAVAILABLE, "no memory for a re-pricing");
    r->db = db;
    r->scope = *scope;
    reprice_write_init(&r->batch);
    if (!db_open(&r->reader, conninfo, DB_READ, 0, err) || !db_exec(&r->reader, PLANS, err) ||
        !db_exec(db, PLANS, err) || !take_only_one(db, err) ||
        !db_exec(db, "DELETE FROM spanledger.price_change WHERE dry_run", err) ||
        !begin_run(r, &done_day, err) || !find_days(r, done_day, err) ||
        !db_exec(db, "SET synchronous_commit = off", err)) {
        reprice_free(r);
        return false;
    }
    *out_reprice = r;
    return true;
}

void reprice_free(struct reprice *reprice)
{
    if (!reprice)
        return;
    db_close(&reprice->reader);
    reprice_write_done(&reprice->batch);
    free(reprice->days);
    free(reprice);
}

bool reprice_resumed(const struct reprice *reprice)
{
    return reprice->resumed;
}

static bool find_traces(struct reprice *r, struct err *err)
{
    struct call call = {0};
    DB_RESULT result = NULL;
    int64_t spans = 0;

    call_int4(&call, r->scope.tenant_id);
    call_date(&call, r->days[r->day]);
    call_uuid(&call, &r->after_trace_id);
    call_int4(&call, r->after_tenant_id);
    call_int4(&call, REPRICE_PART_TRACES);
    if (!call_run(r->db, NULL, NULL, sql_reprice_find, &call, &result, err))
        return false;
    struct row row = {.res = result, .err = err};
    r->trace_count = 0;
    for (; row.at < PQntuples(result) && row.at < REPRICE_PART_TRACES && spans < PART_SPANS;
         row.at++) {
        r->traces[r->trace_count++] = (struct reprice_trace){.tenant_id = row_int4(&row, 0),
                                                             .bucket = row_int2(&row, 1),
                                                             .trace_id = row_uuid(&row, 2)};
        spans += row_int4(&row, 3);
    }
    return row_ok(&row);
}

static bool run_lock(struct reprice *r, struct pg_array *tenants, struct pg_array *traces,
                     struct err *err)
{
    struct call call = {0};

    if (!buf_ok(&tenants->bytes) || !buf_ok(&traces->bytes))
        return err_set(err, ERR_UNAVAILABLE, "no memory for %zu locks", r->trace_count);
    call_array(&call, INT4ARRAYOID, tenants);
    call_array(&call, INT8ARRAYOID, traces);
    call_bool(&call, false);
    return call_run(r->db, NULL, NULL, sql_write_lock, &call, NULL, err);
}

/* The locks of a writer: tenants, then traces in ascending order. */
static bool lock_traces(struct reprice *r, struct err *err)
{
    const size_t count = r->trace_count;
    int64_t *tenant_keys = r->lock_keys;
    int64_t *trace_keys = r->lock_keys + count;
    size_t tenant_count;
    size_t trace_count;
    struct pg_array tenants;
    struct pg_array traces;
    bool done;

    for (size_t i = 0; i < count; i++) {
        tenant_keys[i] = r->traces[i].tenant_id;
        trace_keys[i] = locks_of_trace(r->traces[i].tenant_id, &r->traces[i].trace_id);
    }
    tenant_count = locks_order(tenant_keys, count);
    trace_count = locks_order(trace_keys, count);
    pg_array_init(&tenants, INT4OID, LOCK_BYTES);
    pg_array_init(&traces, INT8OID, LOCK_BYTES);
    for (size_t i = 0; i < tenant_count; i++)
        pg_array_int4(&tenants, (int32_t)tenant_keys[i]);
    for (size_t i = 0; i < trace_count; i++)
        pg_array_int8(&traces, trace_keys[i]);
    done = run_lock(r, &tenants, &traces, err);
    pg_array_done(&tenants);
    pg_array_done(&traces);
    return done;
}

/* Asks for the spans of the part. */
static bool send_read(struct reprice *r, struct err *err)
{
    struct call call = {0};
    struct pg_array arrays[3];

    pg_array_init(&arrays[0], INT4OID, LOCK_BYTES);
    pg_array_init(&arrays[1], INT2OID, LOCK_BYTES);
    pg_array_init(&arrays[2], UUIDOID, LOCK_BYTES);
    for (size_t i = 0; i < r->trace_count; i++) {
        pg_array_int4(&arrays[0], r->traces[i].tenant_id);
        pg_array_int2(&arrays[1], r->traces[i].bucket);
        pg_array_uuid(&arrays[2], &r->traces[i].trace_id);
    }
    call_array(&call, INT4ARRAYOID, &arrays[0]);
    call_array(&call, INT2ARRAYOID, &arrays[1]);
    call_array(&call, UUIDARRAYOID, &arrays[2]);
    reprice_write_add_day(r, &call);
    r->reading = buf_ok(&arrays[2].bytes)
                     ? call_stream(&r->reader, sql_reprice_read, &call, err)
                     : err_set(err, ERR_UNAVAILABLE, "no memory for %zu traces", r->trace_count);
    for (size_t i = 0; i < 3; i++)
        pg_array_done(&arrays[i]);
    return r->reading;
}

bool reprice_next(struct reprice *r, size_t *out_traces, int64_t *out_day, struct err *err)
{
    for (r->trace_count = 0; r->day < r->day_count; r->day++) {
        if (!find_traces(r, err))
            return false;
        if (r->trace_count > 0)
            break;
        r->after_trace_id = (struct uuid){0};
        r->after_tenant_id = INT32_MIN;
    }
    *out_traces = r->trace_count;
    if (r->trace_count == 0)
        return true;
    *out_day = r->days[r->day];
    reprice_write_clear(&r->batch);
    return db_exec(r->db, "BEGIN", err) && (r->scope.dry_run || lock_traces(r, err)) &&
           send_read(r, err);
}

/* Columns of reprice_read.sql. */
enum column {
    PLACE,
    SPAN_ID,
    START_TIME,
    START_NS,
    KIND,
    BILLABLE,
    MEANING_FLAGS,
    OBSERVATION_TYPE,
    PROVIDER,
    MODEL,
    REQUEST_MODEL,
    USAGE,
    COST,
    MARKS,
    ATTRIBUTES,
    EXACT,
};

static bool read_row(const struct reprice *r, struct row *row, struct stored_span *out,
                     struct meaning *m)
{
    const size_t place = (size_t)row_int4(row, PLACE);

    if (!row_ok(row))
        return false;
    if (place >= r->trace_count)
        return err_set(row->err, ERR_INTERNAL, "spans of trace %zu of %zu", place, r->trace_count);
    m->flags = (unsigned)row_int4_or_0(row, MEANING_FLAGS) &
               ~(unsigned)(STORED_FLAG_COUNTED | STORED_FLAG_PLAIN);
    m->observation = span_row_observation(row_text_or_empty(row, OBSERVATION_TYPE));
    m->provider = row_text_or_empty(row, PROVIDER);
    m->model = row_text_or_empty(row, MODEL);
    m->request_model = row_text_or_empty(row, REQUEST_MODEL);
    span_row_usage(row, USAGE, &m->usage);
    span_row_cost(row, COST, &m->cost);
    m->reported_cost = m->cost.reported;
    *out = (struct stored_span){
        .tenant_id = r->traces[place].tenant_id,
        .trace_bucket = r->traces[place].bucket,
        .trace_id = r->traces[place].trace_id,
        .span_id = row_int8(row, SPAN_ID),
        .start_unix_ns = row_time_us(row, START_TIME) * NS_PER_US + row_int2(row, START_NS),
        .kind = row_int4(row, KIND),
        .marks = (unsigned)row_int4(row, MARKS),
        .attributes = row_text_or_empty(row, ATTRIBUTES),
        .exact = row_text_or_empty(row, EXACT),
        .billing = {.billable = row_bool_or_false(row, BILLABLE)},
        .meaning = m,
    };
    return row_ok(row);
}

bool reprice_read(struct reprice *r, struct arena *arena, struct stored_span **out_row,
                  struct err *err)
{
    DB_RESULT result = NULL;
    struct stored_span *span;
    struct meaning *meaning;
    bool done;

    *out_row = NULL;
    done = call_next(&r->reader, &result, err);
    r->reading = done && result;
    if (!r->reading)
        return done;
    struct row row = {.res = result, .arena = arena, .err = err};
    span = arena_new(arena, struct stored_span);
    meaning = arena_new(arena, struct meaning);
    if (!span || !meaning)
        return err_set(err, ERR_TOO_LARGE, "no memory for a span");
    if (!read_row(r, &row, span, meaning))
        return false;
    *out_row = span;
    return true;
}

bool reprice_leave(struct reprice *r, struct err *err)
{
    struct err ignored;

    for (PGresult *row = NULL; r->reading; PQclear(row))
        if (!call_next(&r->reader, &row, &ignored) || !row)
            r->reading = false;
    return db_exec(r->db, "ROLLBACK", err);
}

bool reprice_apply(struct reprice *r, struct err *err)
{
    const struct reprice_trace last = r->traces[r->trace_count - 1];

    if (!reprice_write_flush(r, err) || !db_exec(r->db, "COMMIT", err))
        return false;
    r->after_trace_id = last.trace_id;
    r->after_tenant_id = last.tenant_id;
    return true;
}

static bool read_sums(struct reprice *r, struct arena *arena, struct reprice_sum **out_sums,
                      size_t *out_count, struct err *err)
{
    struct call call = {0};
    DB_RESULT result = NULL;

    call_int8(&call, r->change_id);
    if (!call_run(r->db, NULL, NULL, sql_reprice_sums, &call, &result, err))
        return false;
    struct row row = {.res = result, .arena = arena, .err = err};
    struct reprice_sum *sums =
        arena_array(arena, struct reprice_sum, (size_t)PQntuples(result) + 1);
    if (!sums)
        return err_set(err, ERR_TOO_LARGE, "no memory for %d sums", PQntuples(result));
    for (row.at = 0; row.at < PQntuples(result); row.at++)
        sums[row.at] = (struct reprice_sum){
            .tenant_id = row_int4(&row, 0),
            .provider = row_text(&row, 1),
            .model = row_text(&row, 2),
            .spans = row_int8(&row, 3),
            .changed = row_int8(&row, 4),
            .calls = row_int8(&row, 5),
            .unpriced_before = row_int8(&row, 6),
            .unpriced_after = row_int8(&row, 7),
            .cost_before = row_text(&row, 8),
            .cost_after = row_text(&row, 9),
        };
    *out_sums = sums;
    *out_count = (size_t)row.at;
    return row_ok(&row);
}

bool reprice_finish(struct reprice *r, struct arena *arena, struct reprice_sum **out_sums,
                    size_t *out_count, struct err *err)
{
    struct call call = {0};

    if (!read_sums(r, arena, out_sums, out_count, err))
        return false;
    if (r->scope.dry_run)
        return db_exec(r->db, "DELETE FROM spanledger.price_change WHERE dry_run", err);
    call_int8(&call, r->change_id);
    /* From here on the run is said to be done: that, and with it all before, waits for the disk. */
    return db_exec(r->db, "SET synchronous_commit = on", err) &&
           call_run(r->db, NULL, NULL, sql_reprice_end, &call, NULL, err);
}
