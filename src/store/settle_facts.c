/* What counting must know of spans of the table. */
#include "queries.h"
#include "store/call.h"
#include "store/pgtypes.h"
#include "store/row.h"
#include "store/settle.h"
#include "store/span_row.h"

#define DAYS_AROUND 31
#define DAY_NS (S_PER_DAY * NS_PER_S)

/* Of counting.arrays: those that hold times. */
#define SINCE_ARRAY 4
#define UNTIL_ARRAY 10

static bool no_memory(struct err *err)
{
    return err_set(err, ERR_UNAVAILABLE, "no memory to count the spans of a trace anew");
}

int64_t settle_facts_end_ns(int64_t day)
{
    return day < INT64_MAX / DAY_NS ? (day + 1) * DAY_NS - 1 : INT64_MAX;
}

static void put_traces(struct settle_round *r, size_t first)
{
    struct pg_array *a = r->c->arrays;

    for (size_t i = 0; i < 3; i++)
        pg_array_clear(&a[i]);
    pg_array_clear(&a[SINCE_ARRAY]);
    pg_array_clear(&a[UNTIL_ARRAY]);
    for (size_t i = first; i < r->count; i++) {
        pg_array_int4(&a[0], r->traces[i].tenant_id);
        pg_array_int2(&a[1], r->traces[i].bucket);
        pg_array_uuid(&a[2], &r->traces[i].trace_id);
        pg_array_int8(&a[SINCE_ARRAY], pg_timestamp(r->traces[i].first_day * DAY_NS));
        pg_array_int8(&a[UNTIL_ARRAY], pg_timestamp(settle_facts_end_ns(r->traces[i].last_day)));
    }
}

static void add_trace_params(struct settle_round *r, struct call *call)
{
    static const Oid types[] = {INT4ARRAYOID, INT2ARRAYOID, UUIDARRAYOID};

    for (size_t i = 0; i < 3; i++)
        call_array(call, types[i], &r->c->arrays[i]);
}

enum column {
    PLACE,
    SPAN_ID,
    START_TIME,
    START_NS,
    KIND,
    PARENT_SPAN_ID,
    DURATION_NS,
    OBSERVATION_TYPE,
    MEANING_FLAGS,
    RESPONSE_KEY,
    MODEL,
    REQUEST_MODEL,
    SCOPE_NAME,
    HAS_COST,
    FAILED,
    USAGE,
    BILLABLE,
    BILLING_REASON,
    DUPLICATE_OF_TRACE_ID,
    DUPLICATE_OF_SPAN_ID,
};

static void read_facts(struct row *row, const struct settle_trace *trace, struct fold_span *span,
                       struct settle_known *known)
{
    int64_t usage[TOKEN_KIND_COUNT + 1] = {0};

    known->start_us = row_time_us(row, START_TIME);
    *span = (struct fold_span){
        .trace_id = trace->trace_id,
        .span_id = row_int8(row, SPAN_ID),
        .start_ns = known->start_us * NS_PER_US + row_int2(row, START_NS),
        .kind = row_int4(row, KIND),
        .has_parent = !row_is_null(row, PARENT_SPAN_ID),
        .parent_span_id = row_int8_or_0(row, PARENT_SPAN_ID),
        .duration_ns = row_int8(row, DURATION_NS),
        .observation = span_row_observation(row_text_or_empty(row, OBSERVATION_TYPE)),
        .flags = (unsigned)row_int4_or_0(row, MEANING_FLAGS) &
                 ~(unsigned)(STORED_FLAG_COUNTED | STORED_FLAG_PLAIN),
        .has_usage = row_int8s(row, USAGE, usage, TOKEN_KIND_COUNT + 1, /* if_null= */ 0),
        .has_cost = row_bool(row, HAS_COST),
        .failed = row_bool(row, FAILED),
        .response_key = (uint64_t)row_int8_or_0(row, RESPONSE_KEY),
        .model_key = fold_model_key(row_text_or_empty(row, MODEL)),
        .request_model_key = fold_model_key(row_text_or_empty(row, REQUEST_MODEL)),
        .scope_key = fold_scope_key(row_text_or_empty(row, SCOPE_NAME)),
        .duplicate_of = SIZE_MAX,
    };
    memcpy(span->tokens, usage, sizeof(span->tokens));
    span->total_tokens = usage[TOKEN_KIND_COUNT];
    known->billing = (struct billing){
        .billable = row_bool_or_false(row, BILLABLE),
        .reason = (enum billing_reason)row_int2_or_0(row, BILLING_REASON),
        .is_duplicate = !row_is_null(row, DUPLICATE_OF_TRACE_ID),
        .duplicate_of_span_id = row_int8_or_0(row, DUPLICATE_OF_SPAN_ID),
    };
    if (known->billing.is_duplicate)
        known->billing.duplicate_of_trace_id = row_uuid(row, DUPLICATE_OF_TRACE_ID);
}

/* The answer of write_fold_facts.sql, ordered by trace. */
static bool read_spans(struct settle_round *r, size_t first, const PGresult *res, struct err *err)
{
    const size_t count = (size_t)PQntuples(res);
    struct fold_span *spans = arena_array(&r->c->scratch, struct fold_span, count);
    struct settle_known *known = arena_array(&r->c->scratch, struct settle_known, count);
    struct row row = {.res = res, .arena = &r->c->scratch, .err = err};

    if (!spans || !known)
        return no_memory(err);
    for (row.at = 0; row.at < (int)count; row.at++) {
        const size_t place = first + (size_t)row_int4(&row, PLACE);
        struct settle_trace *trace;

        if (place >= r->count)
            return err_set(err, ERR_INTERNAL, "facts of trace %zu of %zu", place, r->count);
        trace = &r->traces[place];
        if (trace->count == 0) {
            trace->spans = &spans[row.at];
            trace->known = &known[row.at];
        }
        read_facts(&row, trace, &spans[row.at], &known[row.at]);
        trace->count++;
    }
    return row_ok(&row);
}

bool settle_facts_load(struct settle_round *r, size_t first, struct err *err)
{
    struct call call = {0};
    DB_RESULT res = NULL;

    put_traces(r, first);
    add_trace_params(r, &call);
    call_array(&call, TIMESTAMPTZARRAYOID, &r->c->arrays[SINCE_ARRAY]);
    call_array(&call, TIMESTAMPTZARRAYOID, &r->c->arrays[UNTIL_ARRAY]);
    call_timestamp(&call, r->first_day * DAY_NS);
    call_timestamp(&call, settle_facts_end_ns(r->last_day));
    if (!call_run(r->db, NULL, NULL, sql_write_fold_facts, &call, &res, err) ||
        !read_spans(r, first, res, err))
        return false;
    for (size_t i = first; i < r->count; i++)
        if (r->traces[i].count > 0 &&
            !fold_trace(r->traces[i].spans, r->traces[i].count, &r->c->scratch, err))
            return false;
    return true;
}

bool settle_facts_days(struct settle_round *r, size_t first, int64_t first_day, int64_t last_day,
                       struct err *err)
{
    struct call call = {0};
    DB_RESULT res = NULL;

    put_traces(r, first);
    add_trace_params(r, &call);
    call_date(&call, first_day - DAYS_AROUND);
    call_date(&call, last_day + DAYS_AROUND);
    if (!call_run(r->db, "settle_days", &r->c->prepared[0], sql_write_trace_days, &call, &res, err))
        return false;
    for (int i = 0; i < PQntuples(res); i++) {
        const size_t place = first + read_be32((const uint8_t *)PQgetvalue(res, i, 0));
        const int64_t day =
            (int32_t)read_be32((const uint8_t *)PQgetvalue(res, i, 1)) + PG_EPOCH_DAY;

        if (place < r->count && day < r->traces[place].first_day)
            r->traces[place].first_day = day;
        if (place < r->count && day > r->traces[place].last_day)
            r->traces[place].last_day = day;
        r->first_day = day < r->first_day ? day : r->first_day;
        r->last_day = day > r->last_day ? day : r->last_day;
    }
    return true;
}
