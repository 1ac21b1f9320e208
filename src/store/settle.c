/*
 * Judging traces anew by all their spans in the table (store/counting).
 *
 * A round takes some traces of the batch (`wanted`), whose spans are all judged, and the traces of
 * others that share a response id with them, of which only those spans are judged that have such an
 * id and whose neighbours within a day were all looked for.
 */
#include <stdlib.h>

#include "queries.h"
#include "store/call.h"
#include "store/counting_parts.h"
#include "store/pgtypes.h"
#include "store/row.h"

/* A trace of more spans is left as its batches were judged; a round reads about so many. */
#define MOST_TRACE_SPANS 100000
#define ROUND_SPANS 100000
#define DAYS_AROUND 31
#define DAY_NS (S_PER_DAY * NS_PER_S)

/* What the table has of a span beside what counting looks at. */
struct known {
    int64_t start_us;
    struct billing billing; /* as it is stored */
    bool judged;
    const struct fold_span
        *elsewhere; /* where the same call is billed, in another trace; or NULL */
};

struct loaded {
    int32_t tenant_id;
    int16_t bucket;
    struct uuid trace_id;
    bool wanted;
    struct fold_span *spans;
    struct known *known;
    size_t count;
};

struct round {
    struct counting *c;
    struct db *db;
    const struct buf *locked;
    struct loaded *traces;
    size_t count;
    size_t cap;
    int64_t first_day; /* between which all spans of the traces lie */
    int64_t last_day;
    uint64_t *keys; /* response keys that were looked for, ascending: those of wanted spans */
    size_t key_count;
    int64_t since_ns; /* between which starts */
    int64_t until_ns;
};

/* A billable span by its call key. */
struct call_of {
    uint64_t key;
    struct loaded *trace;
    size_t span;
};

static bool no_memory(struct err *err)
{
    return err_set(err, ERR_UNAVAILABLE, "no memory to count the spans of a trace anew");
}

/* The last nanosecond of a day; of the last day that nanoseconds can name, the last of them. */
static int64_t last_ns_of(int64_t day)
{
    return day < INT64_MAX / DAY_NS ? (day + 1) * DAY_NS - 1 : INT64_MAX;
}

static void put_traces(struct round *r, size_t first)
{
    struct pg_array *a = r->c->arrays;

    for (size_t i = 0; i < 3; i++)
        pg_array_clear(&a[i]);
    for (size_t i = first; i < r->count; i++) {
        pg_array_int4(&a[0], r->traces[i].tenant_id);
        pg_array_int2(&a[1], r->traces[i].bucket);
        pg_array_uuid(&a[2], &r->traces[i].trace_id);
    }
}

static void add_trace_params(struct round *r, struct call *call)
{
    static const Oid types[] = {INT4ARRAYOID, INT2ARRAYOID, UUIDARRAYOID};

    for (size_t i = 0; i < 3; i++)
        call_array(call, types[i], &r->c->arrays[i]);
}

static enum observation observation_of(struct row *row, int column)
{
    const struct bytes name = row_text_or_empty(row, column);

    for (unsigned o = 0; o < OBSERVATION_COUNT; o++)
        if (bytes_is(name, observation_name((enum observation)o)))
            return (enum observation)o;
    return OBSERVATION_SPAN;
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
    USAGE,
    BILLABLE,
    BILLING_REASON,
    DUPLICATE_OF_TRACE_ID,
    DUPLICATE_OF_SPAN_ID,
};

static void read_facts(struct row *row, const struct loaded *trace, struct fold_span *span,
                       struct known *known)
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
        .observation = observation_of(row, OBSERVATION_TYPE),
        .flags = (unsigned)row_int4_or_0(row, MEANING_FLAGS) &
                 ~(unsigned)(STORED_FLAG_COUNTED | STORED_FLAG_PLAIN),
        .has_usage = row_int8s(row, USAGE, usage, TOKEN_KIND_COUNT + 1, /* if_null= */ 0),
        .has_cost = row_bool(row, HAS_COST),
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
static bool read_spans(struct round *r, size_t first, const PGresult *res, struct err *err)
{
    const size_t count = (size_t)PQntuples(res);
    struct fold_span *spans = arena_array(&r->c->scratch, struct fold_span, count);
    struct known *known = arena_array(&r->c->scratch, struct known, count);
    struct row row = {.res = res, .arena = &r->c->scratch, .err = err};

    if (!spans || !known)
        return no_memory(err);
    for (row.at = 0; row.at < (int)count; row.at++) {
        const size_t place = first + (size_t)row_int4(&row, PLACE);
        struct loaded *trace;

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

/* Reads the spans of the traces from `first` on and folds each. */
static bool load(struct round *r, size_t first, struct err *err)
{
    struct call call = {0};
    DB_RESULT res = NULL;

    put_traces(r, first);
    add_trace_params(r, &call);
    call_timestamp(&call, r->first_day * DAY_NS);
    call_timestamp(&call, last_ns_of(r->last_day));
    if (!call_run(r->db, NULL, NULL, sql_write_fold_facts, &call, &res, err) ||
        !read_spans(r, first, res, err))
        return false;
    for (size_t i = first; i < r->count; i++)
        if (r->traces[i].count > 0 &&
            !fold_trace(r->traces[i].spans, r->traces[i].count, &r->c->scratch, err))
            return false;
    return true;
}

static struct loaded *find_trace(struct round *r, const struct uuid *trace_id)
{
    for (size_t i = 0; i < r->count; i++)
        if (memcmp(r->traces[i].trace_id.at, trace_id->at, sizeof(trace_id->at)) == 0)
            return &r->traces[i];
    return NULL;
}

static int compare_calls(const void *a, const void *b)
{
    const struct call_of *x = a;
    const struct call_of *y = b;

    return x->key < y->key ? -1 : x->key > y->key;
}

/* The billable spans that have a call key, by key. */
static bool collect_calls(struct round *r, struct call_of **out_calls, size_t *out_count,
                          struct err *err)
{
    struct call_of *calls;
    size_t count = 0;

    for (size_t i = 0; i < r->count; i++)
        count += r->traces[i].count;
    calls = arena_array(&r->c->scratch, struct call_of, count);
    if (!calls)
        return no_memory(err);
    count = 0;
    for (size_t i = 0; i < r->count; i++)
        for (size_t s = 0; s < r->traces[i].count; s++)
            if (r->traces[i].spans[s].billable && r->traces[i].spans[s].call_key)
                calls[count++] = (struct call_of){r->traces[i].spans[s].call_key, &r->traces[i], s};
    if (count > 1)
        qsort(calls, count, sizeof(*calls), compare_calls);
    *out_calls = calls;
    *out_count = count;
    return true;
}

static int64_t plus_days(int64_t ns, int64_t days)
{
    int64_t sum;

    if (__builtin_add_overflow(ns, days * FOLD_SAME_RESPONSE_NS, &sum))
        return INT64_MAX;
    return sum < 0 ? 0 : sum;
}

static void add_key(struct round *r, uint64_t key, int64_t start_ns)
{
    if (key == 0)
        return;
    r->keys[r->key_count++] = key;
    r->since_ns = start_ns < r->since_ns ? start_ns : r->since_ns;
    r->until_ns = start_ns > r->until_ns ? start_ns : r->until_ns;
}

static int compare_keys(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a;
    const uint64_t y = *(const uint64_t *)b;

    return x < y ? -1 : x > y;
}

/* Every response key that wanted spans have, or had before they were replaced: whoever was judged by
 * them is to be judged anew. */
static bool collect_keys(struct round *r, const struct write_item *items, size_t item_count,
                         struct err *err)
{
    size_t kept = 0;
    size_t most = item_count;

    for (size_t t = 0; t < r->count; t++)
        most += r->traces[t].count;
    r->keys = arena_alloc(&r->c->scratch, most * sizeof(*r->keys));
    if (!r->keys)
        return no_memory(err);
    r->key_count = 0;
    r->since_ns = INT64_MAX;
    r->until_ns = 0;
    for (size_t t = 0; t < r->count; t++)
        for (size_t s = 0; s < r->traces[t].count; s++)
            add_key(r, r->traces[t].spans[s].response_key, r->traces[t].spans[s].start_ns);
    for (size_t i = 0; i < item_count; i++)
        if (items[i].outcome == WRITE_REPLACED)
            add_key(r, items[i].old_response_key, items[i].row->start_unix_ns);
    if (r->key_count > 1)
        qsort(r->keys, r->key_count, sizeof(*r->keys), compare_keys);
    for (size_t i = 0; i < r->key_count; i++)
        if (i == 0 || r->keys[i] != r->keys[i - 1])
            r->keys[kept++] = r->keys[i];
    r->key_count = kept;
    r->since_ns = plus_days(r->since_ns, -2);
    r->until_ns = plus_days(r->until_ns, 2);
    return true;
}

/* Days on which the traces from `first` on have spans. */
static bool widen_days(struct round *r, size_t first, int64_t first_day, int64_t last_day,
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
        const int64_t day =
            (int32_t)read_be32((const uint8_t *)PQgetvalue(res, i, 1)) + PG_EPOCH_DAY;

        r->first_day = day < r->first_day ? day : r->first_day;
        r->last_day = day > r->last_day ? day : r->last_day;
    }
    return true;
}

static bool make_room(struct round *r, size_t more, struct err *err)
{
    struct loaded *traces;

    if (more <= r->cap - r->count)
        return true;
    traces = arena_array(&r->c->scratch, struct loaded, r->count + more);
    if (!traces)
        return no_memory(err);
    memcpy(traces, r->traces, r->count * sizeof(*traces));
    r->traces = traces;
    r->cap = r->count + more;
    return true;
}

/* Reads the traces of others that have one of the keys. */
static bool load_others(struct round *r, struct err *err)
{
    const size_t first = r->count;
    const int32_t tenant_id = r->traces[0].tenant_id;
    struct same_response *found;
    size_t count;
    bool has_locks = true;
    int64_t first_day = INT64_MAX;
    int64_t last_day = INT64_MIN;

    if (r->key_count == 0)
        return true;
    if (!counting_find(r->c, r->db, tenant_id, r->keys, r->key_count, r->since_ns, r->until_ns,
                       &found, &count, err) ||
        !make_room(r, count, err))
        return false;
    for (size_t i = 0; i < count; i++) {
        const int64_t day = clock_day(found[i].start_us * NS_PER_US);

        if (find_trace(r, &found[i].trace_id))
            continue;
        has_locks &= counting_has_lock(r->c, r->locked, tenant_id, &found[i].trace_id);
        first_day = day < first_day ? day : first_day;
        last_day = day > last_day ? day : last_day;
        r->traces[r->count++] = (struct loaded){
            .tenant_id = tenant_id, .bucket = found[i].bucket, .trace_id = found[i].trace_id};
    }
    if (!has_locks)
        return counting_want_more(r->c, err);
    return r->count == first ||
           (widen_days(r, first, first_day, last_day, err) && load(r, first, err));
}

/* Whether all spans with this key within a day of this start were looked for. */
static bool is_known_around(const struct round *r, uint64_t key, int64_t start_ns)
{
    return bsearch(&key, r->keys, r->key_count, sizeof(key), compare_keys) &&
           start_ns >= plus_days(r->since_ns, r->since_ns > 0) &&
           start_ns <= plus_days(r->until_ns, -1);
}

static const struct call_of *member(const struct call_of *group, size_t count,
                                    const struct fold_span *span)
{
    for (size_t i = 0; i < count; i++)
        if (&group[i].trace->spans[group[i].span] == span)
            return &group[i];
    return NULL;
}

/* All billable spans of one call key. */
static bool settle_group(struct round *r, const struct call_of *group, size_t count,
                         struct err *err)
{
    struct fold_span **spans = arena_alloc(&r->c->scratch, count * sizeof(struct fold_span *));

    if (!spans)
        return no_memory(err);
    for (size_t i = 0; i < count; i++) {
        spans[i] = &group[i].trace->spans[group[i].span];
        group[i].trace->known[group[i].span].judged =
            is_known_around(r, group[i].key, spans[i]->start_ns);
    }
    if (count < 2 || count > (size_t)4 * COUNTING_MOST_SAME)
        return true;
    fold_response(spans, count);
    for (size_t i = 0; i < count; i++) {
        const struct call_of *call = member(group, count, spans[i]);

        if (call && !spans[i]->billable)
            call->trace->known[call->span].elsewhere = spans[spans[i]->duplicate_of];
    }
    return true;
}

static bool settle_calls(struct round *r, struct err *err)
{
    struct call_of *calls = NULL;
    size_t count = 0;

    if (!collect_calls(r, &calls, &count, err))
        return false;
    for (size_t i = 0, end; i < count; i = end) {
        for (end = i; end < count && calls[end].key == calls[i].key;)
            end++;
        if (!settle_group(r, &calls[i], end - i, err))
            return false;
    }
    return true;
}

static struct billing outcome_of(const struct loaded *trace, size_t s)
{
    const struct fold_span *span = &trace->spans[s];
    const struct fold_span *other = trace->known[s].elsewhere;
    struct billing billing = {.billable = span->billable, .reason = span->reason};

    if (!other && span->duplicate_of != SIZE_MAX)
        other = &trace->spans[span->duplicate_of];
    if (other) {
        billing.is_duplicate = true;
        billing.duplicate_of_trace_id = other->trace_id;
        billing.duplicate_of_span_id = other->span_id;
    }
    return billing;
}

static bool same_outcome(const struct billing *a, const struct billing *b)
{
    return a->billable == b->billable && a->reason == b->reason &&
           a->is_duplicate == b->is_duplicate &&
           (!a->is_duplicate || (a->duplicate_of_span_id == b->duplicate_of_span_id &&
                                 memcmp(a->duplicate_of_trace_id.at, b->duplicate_of_trace_id.at,
                                        sizeof(a->duplicate_of_trace_id.at)) == 0));
}

static void put_change(struct pg_array *a, const struct loaded *trace, size_t s,
                       const struct billing *billing)
{
    pg_array_int4(&a[0], trace->tenant_id);
    pg_array_int2(&a[1], trace->bucket);
    pg_array_uuid(&a[2], &trace->trace_id);
    pg_array_int8(&a[3], trace->spans[s].span_id);
    pg_array_int8(&a[4], trace->known[s].start_us - PG_EPOCH_US);
    pg_array_int4(&a[5], trace->spans[s].kind);
    if (billing->billable)
        pg_array_bool(&a[6], true);
    else
        pg_array_null(&a[6]);
    if (billing->reason == BILLING_REASON_NONE)
        pg_array_null(&a[7]);
    else
        pg_array_int2(&a[7], (int16_t)billing->reason);
    if (billing->is_duplicate) {
        pg_array_uuid(&a[8], &billing->duplicate_of_trace_id);
        pg_array_int8(&a[9], billing->duplicate_of_span_id);
    } else {
        pg_array_null(&a[8]);
        pg_array_null(&a[9]);
    }
}

static void note_changed(struct buf *changed, const struct loaded *trace, int64_t day)
{
    const struct counting_trace row = {.tenant_id = trace->tenant_id,
                                       .bucket = trace->bucket,
                                       .trace_id = trace->trace_id,
                                       .first_day = day,
                                       .last_day = day};

    buf_add(changed, &row, sizeof(row));
}

/* What has changed goes into the arrays, and its trace and day to those that are counted anew. */
static void collect_changes(struct round *r, struct buf *changed)
{
    for (size_t i = 0; i < 10; i++)
        pg_array_clear(&r->c->arrays[i]);
    for (size_t t = 0; t < r->count; t++) {
        const struct loaded *trace = &r->traces[t];
        int64_t noted_day = INT64_MIN;

        for (size_t s = 0; s < trace->count; s++) {
            const struct billing billing = outcome_of(trace, s);
            const int64_t day = clock_day(trace->spans[s].start_ns);

            if (!(trace->wanted || trace->known[s].judged) ||
                same_outcome(&billing, &trace->known[s].billing))
                continue;
            put_change(r->c->arrays, trace, s, &billing);
            if (day != noted_day)
                note_changed(changed, trace, day);
            noted_day = day;
        }
    }
}

static bool write_changes(struct round *r, struct err *err)
{
    static const Oid types[10] = {INT4ARRAYOID,        INT2ARRAYOID, UUIDARRAYOID, INT8ARRAYOID,
                                  TIMESTAMPTZARRAYOID, INT4ARRAYOID, BOOLARRAYOID, INT2ARRAYOID,
                                  UUIDARRAYOID,        INT8ARRAYOID};
    struct call call = {0};

    if (r->c->arrays[0].count == 0)
        return true;
    for (size_t i = 0; i < 10; i++) {
        if (!buf_ok(&r->c->arrays[i].bytes))
            return no_memory(err);
        call_array(&call, types[i], &r->c->arrays[i]);
    }
    call_timestamp(&call, r->first_day * DAY_NS);
    call_timestamp(&call, last_ns_of(r->last_day));
    return call_run(r->db, NULL, NULL, sql_write_fold, &call, NULL, err);
}

static bool run_round(struct round *r, const struct counting_trace *traces, size_t count,
                      const struct write_item *items, size_t item_count, struct buf *changed,
                      struct err *err)
{
    arena_reset(&r->c->scratch);
    r->traces = arena_array(&r->c->scratch, struct loaded, count);
    if (!r->traces)
        return no_memory(err);
    r->cap = count;
    r->count = 0;
    r->first_day = traces[0].first_day;
    r->last_day = traces[0].last_day;
    for (size_t i = 0; i < count; i++) {
        r->traces[r->count++] = (struct loaded){.tenant_id = traces[i].tenant_id,
                                                .bucket = traces[i].bucket,
                                                .trace_id = traces[i].trace_id,
                                                .wanted = true};
        r->first_day = traces[i].first_day < r->first_day ? traces[i].first_day : r->first_day;
        r->last_day = traces[i].last_day > r->last_day ? traces[i].last_day : r->last_day;
    }
    if (!load(r, 0, err) || !collect_keys(r, items, item_count, err) || !load_others(r, err) ||
        !settle_calls(r, err))
        return false;
    collect_changes(r, changed);
    return (buf_ok(changed) || no_memory(err)) && write_changes(r, err);
}

bool counting_settle(struct counting *c, struct db *db, const struct counting_trace *traces,
                     size_t count, const struct write_item *items, size_t item_count,
                     const struct buf *locked, struct buf *changed, struct err *err)
{
    struct round r = {.c = c, .db = db, .locked = locked};

    for (size_t i = 0, end; i < count; i = end) {
        int64_t spans = traces[i].span_count;

        for (end = i + 1; end < count && spans + traces[end].span_count <= ROUND_SPANS; end++)
            spans += traces[end].span_count;
        if (spans > MOST_TRACE_SPANS)
            continue; /* i alone */
        if (!run_round(&r, &traces[i], end - i, items, item_count, changed, err)) {
            if (err->kind == ERR_TOO_LARGE)
                return no_memory(err);
            return false;
        }
    }
    return true;
}
