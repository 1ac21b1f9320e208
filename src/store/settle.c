/*
 * Judging traces anew by all their spans in the table (store/counting).
 *
 * A round takes some traces of the batch (`wanted`), whose spans are all judged, and the traces of
 * others that share a response id with them, of which only those spans are judged that have such an
 * id and whose neighbours within a day were all looked for.
 */
#include "store/settle.h"

#include <stdlib.h>

#include "queries.h"
#include "store/call.h"
#include "store/pgtypes.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

/* A trace of more spans is left as its batches were judged; a round reads about so many. */
#define MOST_TRACE_SPANS 100000
#define ROUND_SPANS 100000
#define DAY_NS (S_PER_DAY * NS_PER_S)

/* A billable span by its call key. */
struct call_of {
    uint64_t key;
    struct settle_trace *trace;
    size_t span;
};

static bool no_memory(struct err *err)
{
    return err_set(err, ERR_UNAVAILABLE, "no memory to count the spans of a trace anew");
}

static int compare_calls(const void *a, const void *b)
{
    const struct call_of *x = a;
    const struct call_of *y = b;

    if (x->key != y->key)
        return x->key < y->key ? -1 : 1;
    return x->trace->tenant_id < y->trace->tenant_id ? -1
                                                     : x->trace->tenant_id > y->trace->tenant_id;
}

/* The billable spans that have a call key, by key. */
static bool collect_calls(struct settle_round *r, struct call_of **out_calls, size_t *out_count,
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

static void add_key(struct settle_round *r, int32_t tenant_id, uint64_t key, int64_t start_ns)
{
    if (key != 0)
        r->keys[r->key_count++] = (struct sought){key, start_ns, start_ns, tenant_id};
}

/* Every response key that wanted spans have, or had before they were replaced: whoever was judged by
 * them is to be judged anew. */
static bool collect_keys(struct settle_round *r, const struct write_item *items, size_t item_count,
                         struct err *err)
{
    size_t most = item_count;

    for (size_t t = 0; t < r->count; t++)
        most += r->traces[t].count;
    r->keys = arena_alloc(&r->c->scratch, most * sizeof(*r->keys));
    if (!r->keys)
        return no_memory(err);
    r->key_count = 0;
    for (size_t t = 0; t < r->count; t++)
        for (size_t s = 0; s < r->traces[t].count; s++)
            add_key(r, r->traces[t].tenant_id, r->traces[t].spans[s].response_key,
                    r->traces[t].spans[s].start_ns);
    for (size_t i = 0; i < item_count; i++)
        if (items[i].outcome == WRITE_REPLACED)
            add_key(r, items[i].row->tenant_id, items[i].old_response_key,
                    items[i].row->start_unix_ns);
    r->key_count = sought_join(r->keys, r->key_count, 2);
    return true;
}

/* The place of a trace in the slots: its own, or the free one that would be. */
static uint32_t *slot_of(const struct settle_round *r, int32_t tenant_id,
                         const struct uuid *trace_id)
{
    size_t at = (size_t)XXH3_64bits_withSeed(trace_id->at, sizeof(trace_id->at), r->c->seed) &
                (r->slot_count - 1);

    while (r->slots[at]) {
        const struct settle_trace *t = &r->traces[r->slots[at] - 1];

        if (t->tenant_id == tenant_id &&
            memcmp(t->trace_id.at, trace_id->at, sizeof(trace_id->at)) == 0)
            break;
        at = (at + 1) & (r->slot_count - 1);
    }
    return &r->slots[at];
}

/* Room for more traces, and slots for all. */
static bool make_room(struct settle_round *r, size_t more, struct err *err)
{
    const size_t all = r->count + more;
    struct settle_trace *traces = arena_array(&r->c->scratch, struct settle_trace, all);

    for (r->slot_count = 64; r->slot_count < all * 2;)
        r->slot_count *= 2;
    r->slots = arena_array(&r->c->scratch, uint32_t, r->slot_count);
    if (!traces || !r->slots)
        return no_memory(err);
    memcpy(traces, r->traces, r->count * sizeof(*traces));
    r->traces = traces;
    for (size_t i = 0; i < r->count; i++)
        *slot_of(r, traces[i].tenant_id, &traces[i].trace_id) = (uint32_t)i + 1;
    return true;
}

/* Reads the traces of others that have one of the keys. */
static bool load_others(struct settle_round *r, struct err *err)
{
    const size_t first = r->count;
    struct same_response *found;
    size_t count;
    bool has_locks = true;
    int64_t first_day = INT64_MAX;
    int64_t last_day = INT64_MIN;

    if (r->key_count == 0)
        return true;
    if (!counting_find(r->c, r->db, r->keys, r->key_count, &found, &count, err) ||
        !make_room(r, count, err))
        return false;
    for (size_t i = 0; i < count; i++) {
        const int64_t day = clock_day(found[i].start_us * NS_PER_US);
        uint32_t *slot = slot_of(r, found[i].tenant_id, &found[i].trace_id);

        if (*slot)
            continue;
        has_locks &= counting_has_lock(r->c, r->locked, found[i].tenant_id, &found[i].trace_id);
        first_day = day < first_day ? day : first_day;
        last_day = day > last_day ? day : last_day;
        r->traces[r->count++] = (struct settle_trace){.tenant_id = found[i].tenant_id,
                                                      .bucket = found[i].bucket,
                                                      .trace_id = found[i].trace_id,
                                                      .first_day = day,
                                                      .last_day = day};
        *slot = (uint32_t)r->count;
    }
    if (!has_locks)
        return counting_want_more(r->c, err);
    return r->count == first || (settle_facts_days(r, first, first_day, last_day, err) &&
                                 settle_facts_load(r, first, err));
}

/* Whether all spans with this key within a day of this start were looked for. */
static bool is_known_around(const struct settle_round *r, int32_t tenant_id, uint64_t key,
                            int64_t start_ns)
{
    const struct sought this = {.key = key, .tenant_id = tenant_id};
    const struct sought *k = bsearch(&this, r->keys, r->key_count, sizeof(this), sought_compare);

    return k && start_ns >= plus_days(k->since_ns, k->since_ns > 0) &&
           start_ns <= plus_days(k->until_ns, -1);
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
static bool settle_group(struct settle_round *r, const struct call_of *group, size_t count,
                         struct err *err)
{
    struct fold_span **spans = arena_alloc(&r->c->scratch, count * sizeof(struct fold_span *));

    if (!spans)
        return no_memory(err);
    for (size_t i = 0; i < count; i++) {
        spans[i] = &group[i].trace->spans[group[i].span];
        group[i].trace->known[group[i].span].judged =
            is_known_around(r, group[i].trace->tenant_id, group[i].key, spans[i]->start_ns);
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

static bool settle_calls(struct settle_round *r, struct err *err)
{
    struct call_of *calls = NULL;
    size_t count = 0;

    if (!collect_calls(r, &calls, &count, err))
        return false;
    for (size_t i = 0, end; i < count; i = end) {
        for (end = i; end < count && compare_calls(&calls[end], &calls[i]) == 0;)
            end++;
        if (!settle_group(r, &calls[i], end - i, err))
            return false;
    }
    return true;
}

static struct billing outcome_of(const struct settle_trace *trace, size_t s)
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

static void put_change(struct pg_array *a, const struct settle_trace *trace, size_t s,
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

static void note_changed(struct buf *changed, const struct settle_trace *trace, int64_t day)
{
    const struct counting_trace row = {.tenant_id = trace->tenant_id,
                                       .bucket = trace->bucket,
                                       .trace_id = trace->trace_id,
                                       .first_day = day,
                                       .last_day = day};

    buf_add(changed, &row, sizeof(row));
}

/* What has changed goes into the arrays, and its trace and day to those that are counted anew. */
static void collect_changes(struct settle_round *r, struct buf *changed)
{
    for (size_t i = 0; i < 10; i++)
        pg_array_clear(&r->c->arrays[i]);
    for (size_t t = 0; t < r->count; t++) {
        const struct settle_trace *trace = &r->traces[t];
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

static bool write_changes(struct settle_round *r, struct err *err)
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
    call_timestamp(&call, settle_facts_end_ns(r->last_day));
    return call_run(r->db, NULL, NULL, sql_write_fold, &call, NULL, err);
}

static bool run_round(struct settle_round *r, const struct counting_trace *traces, size_t count,
                      const struct write_item *items, size_t item_count, struct buf *changed,
                      struct err *err)
{
    arena_reset(&r->c->scratch);
    r->traces = arena_array(&r->c->scratch, struct settle_trace, count);
    if (!r->traces)
        return no_memory(err);
    r->count = 0;
    r->first_day = traces[0].first_day;
    r->last_day = traces[0].last_day;
    for (size_t i = 0; i < count; i++) {
        r->traces[r->count++] = (struct settle_trace){.tenant_id = traces[i].tenant_id,
                                                      .bucket = traces[i].bucket,
                                                      .trace_id = traces[i].trace_id,
                                                      .first_day = traces[i].first_day,
                                                      .last_day = traces[i].last_day,
                                                      .wanted = true};
        r->first_day = traces[i].first_day < r->first_day ? traces[i].first_day : r->first_day;
        r->last_day = traces[i].last_day > r->last_day ? traces[i].last_day : r->last_day;
    }
    if (!settle_facts_load(r, 0, err) || !collect_keys(r, items, item_count, err) ||
        !load_others(r, err) || !settle_calls(r, err))
        return false;
    collect_changes(r, changed);
    return (buf_ok(changed) || no_memory(err)) && write_changes(r, err);
}

bool settle_traces(struct counting *c, struct db *db, const struct counting_trace *traces,
                   size_t trace_count, const struct write_item *items, size_t item_count,
                   const struct buf *locked, struct buf *changed, struct err *err)
{
    struct settle_round r = {.c = c, .db = db, .locked = locked};

    for (size_t i = 0, end; i < trace_count; i = end) {
        int64_t spans = traces[i].span_count;

        for (end = i + 1; end < trace_count && spans + traces[end].span_count <= ROUND_SPANS; end++)
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
