/*
 * Pricing stored spans anew: what is written.
 *
 * DESIGN: spans that changed are collected in arrays and updated by one statement; what that comes
 * to is added to the rows of their traces by another, so that neither is read again. Both lie in one
 * transaction, behind the traces' locks.
 */
#include "base/clock.h"
#include "queries.h"
#include "store/pgtypes.h"
#include "store/reprice_parts.h"

#define ARRAY_MAX_BYTES ((size_t)64 << 20)
#define MOST_CHANGED 5000 /* of one statement */
#define MOST_NOTED 20000
#define MOST_NAME_BYTES ((size_t)8 << 20)

struct column {
    Oid element;
    Oid array;
};

static const struct column int2_column = {INT2OID, INT2ARRAYOID};
static const struct column int4_column = {INT4OID, INT4ARRAYOID};
static const struct column int8_column = {INT8OID, INT8ARRAYOID};
static const struct column uuid_column = {UUIDOID, UUIDARRAYOID};
static const struct column time_column = {TIMESTAMPTZOID, TIMESTAMPTZARRAYOID};
static const struct column text_column = {TEXTOID, TEXTARRAYOID};
static const struct column bool_column = {BOOLOID, BOOLARRAYOID};

/* Arrays of reprice_write.sql: key, kinds and request, computed, total, source, price. */
enum {
    WRITE_COSTS = 6,
    WRITE_REQUEST = WRITE_COSTS + TOKEN_KIND_COUNT,
    WRITE_COMPUTED,
    WRITE_TOTAL,
    WRITE_SOURCE,
    WRITE_PRICE,
};

/* Of reprice_trace.sql: key, unpriced, kinds, request, total. */
enum {
    TRACE_UNPRICED = 3,
    TRACE_COSTS,
    TRACE_REQUEST = TRACE_COSTS + TOKEN_KIND_COUNT,
    TRACE_TOTAL,
};

static const struct column *write_column(size_t i)
{
    static const struct column *const first[] = {&int4_column, &int2_column, &uuid_column,
                                                 &int8_column, &time_column, &int4_column};

    return i == WRITE_SOURCE ? &int2_column : i < WRITE_COSTS ? first[i] : &int8_column;
}

static const struct column *trace_column(size_t i)
{
    static const struct column *const first[] = {&int4_column, &int2_column, &uuid_column,
                                                 &int4_column};

    return i < TRACE_COSTS ? first[i] : &int8_column;
}

static const struct column *sum_column(size_t i)
{
    static const struct column *const all[REPRICE_SUM_ARRAYS] = {
        &int4_column, &text_column, &text_column, &bool_column,
        &bool_column, &int8_column, &int8_column};

    return all[i];
}

typedef const struct column *column_fn(size_t i);

static void init_arrays(struct pg_array *arrays, size_t count, column_fn *column)
{
    for (size_t i = 0; i < count; i++)
        pg_array_init(&arrays[i], column(i)->element, ARRAY_MAX_BYTES);
}

void reprice_write_init(struct reprice_batch *batch)
{
    init_arrays(batch->costs, REPRICE_WRITE_ARRAYS, write_column);
    init_arrays(batch->traces, REPRICE_TRACE_ARRAYS, trace_column);
    init_arrays(batch->sums, REPRICE_SUM_ARRAYS, sum_column);
}

static void each_array(struct reprice_batch *batch, void (*act)(struct pg_array *array))
{
    for (size_t i = 0; i < REPRICE_WRITE_ARRAYS; i++)
        act(&batch->costs[i]);
    for (size_t i = 0; i < REPRICE_TRACE_ARRAYS; i++)
        act(&batch->traces[i]);
    for (size_t i = 0; i < REPRICE_SUM_ARRAYS; i++)
        act(&batch->sums[i]);
}

void reprice_write_done(struct reprice_batch *batch)
{
    each_array(batch, pg_array_done);
}

void reprice_write_clear(struct reprice_batch *batch)
{
    each_array(batch, pg_array_clear);
}

static bool add_arrays(struct pg_array *arrays, size_t count, column_fn *column, struct call *call,
                       struct err *err)
{
    for (size_t i = 0; i < count; i++) {
        if (!buf_ok(&arrays[i].bytes))
            return err_set(err, ERR_UNAVAILABLE, "no memory for a part of a re-pricing");
        call_array(call, column(i)->array, &arrays[i]);
    }
    return true;
}

static void add_cost(struct pg_array *array, int64_t amount, int64_t none)
{
    if (amount == none)
        pg_array_null(array);
    else
        pg_array_int8(array, amount);
}

static void note_cost(struct pg_array *a, const struct stored_span *row, const struct cost *cost)
{
    pg_array_int4(&a[0], row->tenant_id);
    pg_array_int2(&a[1], row->trace_bucket);
    pg_array_uuid(&a[2], &row->trace_id);
    pg_array_int8(&a[3], row->span_id);
    pg_array_int8(&a[4], pg_timestamp(row->start_unix_ns));
    pg_array_int4(&a[5], row->kind);
    for (size_t k = 0; k < TOKEN_KIND_COUNT; k++)
        add_cost(&a[WRITE_COSTS + k], cost->by_kind[k], 0);
    add_cost(&a[WRITE_REQUEST], cost->request, 0);
    add_cost(&a[WRITE_COMPUTED], cost->computed, COST_UNKNOWN);
    add_cost(&a[WRITE_TOTAL], cost->total, COST_UNKNOWN);
    if (cost->source == COST_SOURCE_NONE)
        pg_array_null(&a[WRITE_SOURCE]);
    else
        pg_array_int2(&a[WRITE_SOURCE], (int16_t)cost->source);
    add_cost(&a[WRITE_PRICE], (int64_t)cost->price_id, 0);
}

static int64_t known_or_0(int64_t cost)
{
    return cost == COST_UNKNOWN ? 0 : cost;
}

/* Amounts are never negative, so their difference is one of 64 bits. */
static void note_difference(struct pg_array *a, const struct stored_span *row,
                            const struct cost *after)
{
    const struct cost *before = &row->meaning->cost;

    pg_array_int4(&a[0], row->tenant_id);
    pg_array_int2(&a[1], row->trace_bucket);
    pg_array_uuid(&a[2], &row->trace_id);
    pg_array_int4(&a[TRACE_UNPRICED],
                  (after->total == COST_UNKNOWN) - (before->total == COST_UNKNOWN));
    for (size_t k = 0; k < TOKEN_KIND_COUNT; k++)
        pg_array_int8(&a[TRACE_COSTS + k], after->by_kind[k] - before->by_kind[k]);
    pg_array_int8(&a[TRACE_REQUEST], after->request - before->request);
    pg_array_int8(&a[TRACE_TOTAL], known_or_0(after->total) - known_or_0(before->total));
}

static void note_sum(struct pg_array *a, const struct stored_span *row, const struct cost *after,
                     bool changed)
{
    pg_array_int4(&a[0], row->tenant_id);
    pg_array_bytes(&a[1], row->meaning->provider);
    pg_array_bytes(&a[2], row->meaning->model);
    pg_array_bool(&a[3], changed);
    pg_array_bool(&a[4], row->billing.billable);
    add_cost(&a[5], row->meaning->cost.total, COST_UNKNOWN);
    add_cost(&a[6], after->total, COST_UNKNOWN);
}

bool reprice_note(struct reprice *r, const struct stored_span *row, const struct cost *cost,
                  bool changed, struct err *err)
{
    struct reprice_batch *b = &r->batch;

    note_sum(b->sums, row, cost, changed);
    if (changed && !r->scope.dry_run) {
        note_cost(b->costs, row, cost);
        if (row->billing.billable)
            note_difference(b->traces, row, cost);
    }
    if (b->costs[0].count < MOST_CHANGED && b->sums[0].count < MOST_NOTED &&
        b->sums[2].bytes.len < MOST_NAME_BYTES)
        return true;
    return reprice_write_flush(r, err);
}

void reprice_write_add_day(const struct reprice *r, struct call *call)
{
    const int64_t begin = r->days[r->day] * S_PER_DAY;

    call_timestamp(call, begin * NS_PER_S);
    call_timestamp(call, begin >= INT64_MAX / NS_PER_S - S_PER_DAY
                             ? INT64_MAX
                             : (begin + S_PER_DAY) * NS_PER_S - 1);
}

static bool write_costs(struct reprice *r, struct err *err)
{
    struct call call = {0};

    if (r->batch.costs[0].count == 0)
        return true;
    if (!add_arrays(r->batch.costs, REPRICE_WRITE_ARRAYS, write_column, &call, err))
        return false;
    reprice_write_add_day(r, &call);
    return call_run(r->db, NULL, NULL, sql_reprice_write, &call, NULL, err);
}

static bool write_traces(struct reprice *r, struct err *err)
{
    struct call call = {0};

    if (r->batch.traces[0].count == 0)
        return true;
    if (!add_arrays(r->batch.traces, REPRICE_TRACE_ARRAYS, trace_column, &call, err))
        return false;
    call_date(&call, r->days[r->day]);
    return call_run(r->db, NULL, NULL, sql_reprice_trace, &call, NULL, err);
}

static bool write_sums(struct reprice *r, struct err *err)
{
    const struct reprice_trace *last = &r->traces[r->trace_count - 1];
    struct call call = {0};

    call_int8(&call, r->change_id);
    if (!add_arrays(r->batch.sums, REPRICE_SUM_ARRAYS, sum_column, &call, err))
        return false;
    call_date(&call, r->days[r->day]);
    call_uuid(&call, &last->trace_id);
    call_int4(&call, last->tenant_id);
    return call_run(r->db, NULL, NULL, sql_reprice_sum, &call, NULL, err);
}

bool reprice_write_flush(struct reprice *r, struct err *err)
{
    if (!write_costs(r, err) || !write_traces(r, err) || !write_sums(r, err))
        return false;
    reprice_write_clear(&r->batch);
    return true;
}
