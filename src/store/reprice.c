/*
 * Pricing stored spans anew, part by part.
 *
 * DESIGN: a part is some traces of one day, in the order of (trace id, tenant): one transaction with
 * the same locks as a writer's. How far the run is and what it did so far stand in the same
 * transaction, so a run that is killed goes on where it was.
 */
#include "store/reprice.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/clock.h"
#include "queries.h"
#include "store/call.h"
#include "store/counting.h"
#include "store/pgtypes.h"
#include "store/row.h"

#define ARRAYS 20
#define ARRAY_MAX_BYTES ((size_t)256 << 20)

/* Of advisory locks, beside those of write_lock.sql. */
#define ONLY_ONE "SELECT pg_try_advisory_lock(7003, 0)"

struct reprice {
    struct db *db;
    struct reprice_scope scope;
    int64_t change_id;
    int64_t *days;
    size_t day_count;
    size_t day; /* index of the one at hand */
    bool resumed;
    struct uuid after_trace_id; /* on the day at hand */
    int32_t after_tenant_id;
    struct reprice_trace last; /* of the part at hand */
    struct pg_array arrays[ARRAYS];
};

static const Oid write_types[ARRAYS][2] = {
    {INT4OID, INT4ARRAYOID},
    {INT2OID, INT2ARRAYOID},
    {UUIDOID, UUIDARRAYOID},
    {INT8OID, INT8ARRAYOID},
    {TIMESTAMPTZOID, TIMESTAMPTZARRAYOID},
    {INT4OID, INT4ARRAYOID},
    {INT8OID, INT8ARRAYOID},
    {INT8OID, INT8ARRAYOID},
    {INT8OID, INT8ARRAYOID},
    {INT8OID, INT8ARRAYOID},
    {INT8OID, INT8ARRAYOID},
    {INT8OID, INT8ARRAYOID},
    {INT8OID, INT8ARRAYOID},
    {INT8OID, INT8ARRAYOID},
    {INT8OID, INT8ARRAYOID},
    {INT8OID, INT8ARRAYOID},
    {INT8OID, INT8ARRAYOID},
    {INT8OID, INT8ARRAYOID},
    {INT2OID, INT2ARRAYOID},
    {INT8OID, INT8ARRAYOID},
};
static const Oid sum_types[7][2] = {
    {INT4OID, INT4ARRAYOID}, {TEXTOID, TEXTARRAYOID}, {TEXTOID, TEXTARRAYOID},
    {BOOLOID, BOOLARRAYOID}, {BOOLOID, BOOLARRAYOID}, {INT8OID, INT8ARRAYOID},
    {INT8OID, INT8ARRAYOID},
};

static void start_arrays(struct reprice *r, const Oid types[][2], size_t count)
{
    for (size_t i = 0; i < count; i++) {
        pg_array_clear(&r->arrays[i]);
        r->arrays[i].element_oid = types[i][0];
    }
}

static bool add_arrays(struct reprice *r, const Oid types[][2], size_t count, struct call *call,
                       struct err *err)
{
    for (size_t i = 0; i < count; i++) {
        if (!buf_ok(&r->arrays[i].bytes))
            return err_set(err, ERR_UNAVAILABLE, "no memory for a part of a re-pricing");
        call_array(call, types[i][1], &r->arrays[i]);
    }
    return true;
}

static bool take_only_one(struct db *db, struct err *err)
{
    DB_RESULT result = db_answer(db, PQsendQuery(db->conn, ONLY_ONE));

    if (PQresultStatus(result) != PGRES_TUPLES_OK)
        return db_fail(db, result, err);
    return PQgetvalue(result, 0, 0)[0] == 't' ||
           err_set(err, ERR_CONTENDED, "another re-pricing runs: wait until it has ended");
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

bool reprice_open(struct db *db, const struct reprice_scope *scope, struct reprice **out_reprice,
                  struct err *err)
{
    struct reprice *r = calloc(1, sizeof(*r));
    int64_t done_day;

    if (!r)
        return err_set(err, ERR_UNAVAILABLE, "no memory for a re-pricing");
    r->db = db;
    r->scope = *scope;
    for (size_t i = 0; i < ARRAYS; i++)
        pg_array_init(&r->arrays[i], INT4OID, ARRAY_MAX_BYTES);
    if (!take_only_one(db, err) ||
        !db_exec(db, "DELETE FROM spanledger.price_change WHERE dry_run", err) ||
        !begin_run(r, &done_day, err) || !find_days(r, done_day, err)) {
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
    for (size_t i = 0; i < ARRAYS; i++)
        pg_array_done(&reprice->arrays[i]);
    free(reprice->days);
    free(reprice);
}

bool reprice_resumed(const struct reprice *reprice)
{
    return reprice->resumed;
}

static bool find_traces(struct reprice *r, struct reprice_trace *traces, size_t most,
                        size_t *out_count, struct err *err)
{
    struct call call = {0};
    DB_RESULT result = NULL;

    call_int4(&call, r->scope.tenant_id);
    call_date(&call, r->days[r->day]);
    call_uuid(&call, &r->after_trace_id);
    call_int4(&call, r->after_tenant_id);
    call_int4(&call, (int32_t)most);
    if (!call_run(r->db, NULL, NULL, sql_reprice_find, &call, &result, err))
        return false;
    struct row row = {.res = result, .err = err};
    for (row.at = 0; row.at < PQntuples(result) && (size_t)row.at < most; row.at++)
        traces[row.at] = (struct reprice_trace){.tenant_id = row_int4(&row, 0),
                                                .bucket = row_int2(&row, 1),
                                                .trace_id = row_uuid(&row, 2)};
    *out_count = (size_t)row.at;
    return row_ok(&row);
}

static int compare_keys(const void *a, const void *b)
{
    const int64_t x = *(const int64_t *)a;
    const int64_t y = *(const int64_t *)b;

    return ((uint64_t)x > (uint64_t)y) - ((uint64_t)x < (uint64_t)y);
}

/* The locks of a writer: tenants, then traces in ascending order. */
static bool lock_traces(struct reprice *r, const struct reprice_trace *traces, size_t count,
                        struct err *err)
{
    static const Oid types[2][2] = {{INT4OID, INT4ARRAYOID}, {INT8OID, INT8ARRAYOID}};
    int64_t *keys = calloc(2 * count, sizeof(*keys)); /* of traces, then tenants */
    struct call call = {0};
    bool done;

    if (!keys)
        return err_set(err, ERR_UNAVAILABLE, "no memory for %zu locks", count);
    for (size_t i = 0; i < count; i++) {
        keys[i] = (int64_t)counting_trace_lock(traces[i].tenant_id, &traces[i].trace_id);
        keys[count + i] = traces[i].tenant_id;
    }
    qsort(keys, count, sizeof(*keys), compare_keys);
    qsort(keys + count, count, sizeof(*keys), compare_keys);
    start_arrays(r, types, 2);
    for (size_t i = 0; i < count; i++) {
        if (i == 0 || keys[count + i] != keys[count + i - 1])
            pg_array_int4(&r->arrays[0], (int32_t)keys[count + i]);
        if (i == 0 || keys[i] != keys[i - 1])
            pg_array_int8(&r->arrays[1], keys[i]);
    }
    free(keys);
    done = add_arrays(r, types, 2, &call, err);
    call_bool(&call, false);
    return done && call_run(r->db, NULL, NULL, sql_write_lock, &call, NULL, err);
}

bool reprice_next(struct reprice *r, struct reprice_trace *traces, size_t most, size_t *out_count,
                  int64_t *out_day, struct err *err)
{
    for (*out_count = 0; r->day < r->day_count; r->day++) {
        if (!find_traces(r, traces, most, out_count, err))
            return false;
        if (*out_count > 0)
            break;
        r->after_trace_id = (struct uuid){0};
        r->after_tenant_id = INT32_MIN;
    }
    if (*out_count == 0)
        return true;
    r->last = traces[*out_count - 1];
    *out_day = r->days[r->day];
    return db_exec(r->db, "BEGIN", err) && lock_traces(r, traces, *out_count, err);
}

bool reprice_leave(struct reprice *r, struct err *err)
{
    return db_exec(r->db, "ROLLBACK", err);
}

static void add_cost(struct pg_array *array, int64_t amount, int64_t none)
{
    if (amount == none)
        pg_array_null(array);
    else
        pg_array_int8(array, amount);
}

static void add_span(struct pg_array *a, const struct reprice_span *s)
{
    const struct stored_span *row = s->row;

    pg_array_int4(&a[0], row->tenant_id);
    pg_array_int2(&a[1], row->trace_bucket);
    pg_array_uuid(&a[2], &row->trace_id);
    pg_array_int8(&a[3], row->span_id);
    pg_array_int8(&a[4], pg_timestamp(row->start_unix_ns));
    pg_array_int4(&a[5], row->kind);
    for (size_t k = 0; k < TOKEN_KIND_COUNT; k++)
        add_cost(&a[6 + k], s->cost.by_kind[k], 0);
    add_cost(&a[15], s->cost.request, 0);
    add_cost(&a[16], s->cost.computed, COST_UNKNOWN);
    add_cost(&a[17], s->cost.total, COST_UNKNOWN);
    if (s->cost.source == COST_SOURCE_NONE)
        pg_array_null(&a[18]);
    else
        pg_array_int2(&a[18], (int16_t)s->cost.source);
    add_cost(&a[19], (int64_t)s->cost.price_id, 0);
}

static void add_day(struct reprice *r, struct call *call)
{
    const int64_t begin = r->days[r->day] * S_PER_DAY;

    call_timestamp(call, begin * NS_PER_S);
    call_timestamp(call, begin >= INT64_MAX / NS_PER_S - S_PER_DAY
                             ? INT64_MAX
                             : (begin + S_PER_DAY) * NS_PER_S - 1);
}

static bool write_costs(struct reprice *r, const struct reprice_span *spans, size_t count,
                        struct err *err)
{
    struct call call = {0};

    start_arrays(r, write_types, ARRAYS);
    for (size_t i = 0; i < count; i++)
        if (spans[i].changed)
            add_span(r->arrays, &spans[i]);
    if (r->arrays[0].count == 0)
        return true;
    if (!add_arrays(r, write_types, ARRAYS, &call, err))
        return false;
    add_day(r, &call);
    return call_run(r->db, NULL, NULL, sql_reprice_write, &call, NULL, err);
}

/* The day's rows of traces with spans that changed. Spans of one trace stand beside each other. */
static bool recount(struct reprice *r, const struct reprice_span *spans, size_t count,
                    struct err *err)
{
    static const Oid types[4][2] = {{INT4OID, INT4ARRAYOID},
                                    {INT2OID, INT2ARRAYOID},
                                    {UUIDOID, UUIDARRAYOID},
                                    {DATEOID, DATEARRAYOID}};
    const struct stored_span *last = NULL;
    struct call call = {0};

    start_arrays(r, types, 4);
    for (size_t i = 0; i < count; i++) {
        const struct stored_span *row = spans[i].row;

        if (!spans[i].changed ||
            (last && last->tenant_id == row->tenant_id &&
             memcmp(last->trace_id.at, row->trace_id.at, sizeof(row->trace_id)) == 0))
            continue;
        last = row;
        pg_array_int4(&r->arrays[0], row->tenant_id);
        pg_array_int2(&r->arrays[1], row->trace_bucket);
        pg_array_uuid(&r->arrays[2], &row->trace_id);
        pg_array_int4(&r->arrays[3], pg_date(r->days[r->day]));
    }
    if (r->arrays[0].count == 0)
        return true;
    if (!add_arrays(r, types, 4, &call, err))
        return false;
    add_day(r, &call);
    call_date(&call, r->days[r->day]);
    call_date(&call, r->days[r->day]);
    return call_run(r->db, NULL, NULL, sql_write_trace_recount, &call, NULL, err);
}

static bool add_sums(struct reprice *r, const struct reprice_span *spans, size_t count,
                     struct err *err)
{
    struct call call = {0};

    start_arrays(r, sum_types, 7);
    for (size_t i = 0; i < count; i++) {
        const struct stored_span *row = spans[i].row;
        struct pg_array *a = r->arrays;

        pg_array_int4(&a[0], row->tenant_id);
        pg_array_bytes(&a[1], row->meaning->provider);
        pg_array_bytes(&a[2], row->meaning->model);
        pg_array_bool(&a[3], spans[i].changed);
        pg_array_bool(&a[4], row->billing.billable);
        add_cost(&a[5], row->meaning->cost.total, COST_UNKNOWN);
        add_cost(&a[6], spans[i].cost.total, COST_UNKNOWN);
    }
    call_int8(&call, r->change_id);
    if (!add_arrays(r, sum_types, 7, &call, err))
        return false;
    call_date(&call, r->days[r->day]);
    call_uuid(&call, &r->last.trace_id);
    call_int4(&call, r->last.tenant_id);
    return call_run(r->db, NULL, NULL, sql_reprice_sum, &call, NULL, err);
}

bool reprice_apply(struct reprice *r, const struct reprice_span *spans, size_t count,
                   struct err *err)
{
    r->after_trace_id = r->last.trace_id;
    r->after_tenant_id = r->last.tenant_id;
    return (r->scope.dry_run ||
            (write_costs(r, spans, count, err) && recount(r, spans, count, err))) &&
           add_sums(r, spans, count, err) && db_exec(r->db, "COMMIT", err);
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
    return call_run(r->db, NULL, NULL, sql_reprice_end, &call, NULL, err);
}
