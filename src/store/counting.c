/*
 * Counting once: what a batch says by itself, and who else has its response ids.
 *
 * DESIGN: what is billed in a trace depends on all its spans, and on spans of other traces with the
 * same response id. Most batches bring whole traces of calls with response ids of their own: these
 * are judged from memory, and one statement asks whether somebody else has one of their ids. All
 * others are judged anew from the table (store/settle), behind the locks of every trace involved.
 * Locks on response ids make two transactions that each bring one of two such traces take turns.
 */
#include "store/counting.h"

#include <stdlib.h>
#include <sys/random.h>

#include "queries.h"
#include "store/call.h"
#include "store/counting_parts.h"
#include "store/locks.h"
#include "store/pgtypes.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#define ARENA_MAX_BYTES ((size_t)1 << 30)
#define MOST_ROUNDS 3 /* of finding that something is not locked; then everything is */

static const Oid element_types[COUNTING_ARRAYS] = {INT4OID,        INT2OID, UUIDOID,       INT8OID,
                                                   TIMESTAMPTZOID, INT4OID, BOOLOID,       INT2OID,
                                                   UUIDOID,        INT8OID, TIMESTAMPTZOID};

struct counting *counting_new(void)
{
    struct counting *c = calloc(1, sizeof(*c));

    if (!c)
        return NULL;
    arena_init(&c->arena, ARENA_MAX_BYTES);
    arena_init(&c->scratch, ARENA_MAX_BYTES);
    buf_init(&c->more_locks, ARENA_MAX_BYTES);
    for (size_t i = 0; i < COUNTING_ARRAYS; i++)
        pg_array_init(&c->arrays[i], element_types[i], ARENA_MAX_BYTES);
    (void)!getrandom(&c->seed, sizeof(c->seed), GRND_NONBLOCK);
    return c;
}

void counting_free(struct counting *c)
{
    if (!c)
        return;
    for (size_t i = 0; i < COUNTING_ARRAYS; i++)
        pg_array_done(&c->arrays[i]);
    buf_done(&c->more_locks);
    arena_done(&c->scratch);
    arena_done(&c->arena);
    free(c);
}

void counting_disconnected(struct counting *c)
{
    memset(c->prepared, 0, sizeof(c->prepared));
}

void counting_begin(struct counting *c)
{
    buf_clear(&c->more_locks);
    c->rounds = 0;
}

static bool no_memory(struct err *err)
{
    return err_set(err, ERR_UNAVAILABLE, "no memory to count the spans of a batch");
}

static size_t slot_of(const struct counting *c, int32_t tenant_id, const struct uuid *trace_id)
{
    size_t at = (size_t)XXH3_64bits_withSeed(trace_id->at, sizeof(trace_id->at), c->seed) &
                (c->slot_count - 1);

    while (c->slots[at]) {
        const struct stored_span *row = c->traces[c->slots[at] - 1].row;

        if (row->tenant_id == tenant_id &&
            memcmp(row->trace_id.at, trace_id->at, sizeof(trace_id->at)) == 0)
            break;
        at = (at + 1) & (c->slot_count - 1);
    }
    return at;
}

static uint32_t trace_of(struct counting *c, const struct stored_span *row)
{
    const size_t at = slot_of(c, row->tenant_id, &row->trace_id);

    if (!c->slots[at]) {
        c->traces[c->trace_count] = (struct batch_trace){.row = row};
        c->slots[at] = ++c->trace_count;
    }
    return c->slots[at] - 1;
}

static bool make_room(struct counting *c, size_t count, struct err *err)
{
    size_t slots = 64;

    while (slots < count * 2)
        slots *= 2;
    arena_reset(&c->arena);
    arena_reset(&c->scratch);
    c->trace_count = 0;
    c->response_count = 0;
    c->slot_count = slots;
    c->item_count = count;
    c->traces = arena_alloc(&c->arena, count * sizeof(*c->traces));
    c->slots = arena_array(&c->arena, uint32_t, slots);
    c->trace_of = arena_alloc(&c->arena, count * sizeof(*c->trace_of));
    c->responses = arena_alloc(&c->arena, count * sizeof(*c->responses));
    return (c->traces && c->slots && c->trace_of && c->responses) || no_memory(err);
}

static void note_counting(struct counting *c, uint32_t trace, struct stored_span *row)
{
    struct batch_trace *t = &c->traces[trace];
    struct fold_span facts;

    fold_facts(row, &facts);
    row->billing = (struct billing){.counted = true, .plain = fold_is_plain(&facts)};
    t->counted++;
    t->plain += row->billing.plain;
    if (facts.response_key)
        c->responses[c->response_count++] =
            (struct response){facts.response_key, row->span_id, row->start_unix_ns, trace};
}

static int compare_responses(const void *a, const void *b)
{
    const struct response *x = a;
    const struct response *y = b;

    if (x->key != y->key)
        return x->key < y->key ? -1 : 1;
    return x->trace < y->trace ? -1 : x->trace > y->trace;
}

/* Response ids that several spans of the batch have. */
static void note_repeats(struct counting *c)
{
    if (c->response_count > 1)
        qsort(c->responses, c->response_count, sizeof(*c->responses), compare_responses);
    for (size_t i = 1; i < c->response_count; i++) {
        const struct response *last = &c->responses[i - 1];
        const struct response *this = &c->responses[i];

        if (last->key != this->key)
            continue;
        if (last->trace == this->trace)
            c->traces[this->trace].twice = true;
        else
            c->traces[this->trace].shared = c->traces[last->trace].shared = true;
    }
}

bool counting_plan(struct counting *c, const struct write_plan *plan, struct write_item *items,
                   struct err *err)
{
    const struct stored_span *last = NULL;
    uint32_t trace = 0;

    if (!make_room(c, plan->count, err))
        return false;
    for (size_t i = 0; i < plan->count; i++) {
        struct stored_span *row = items[i].row;

        write_plan_look_ahead(items, i, plan->count);
        c->trace_of[i] = UINT32_MAX;
        row->billing = (struct billing){0};
        if (plan->items[i].winner != i)
            continue;
        if (!last || row->tenant_id != last->tenant_id ||
            memcmp(row->trace_id.at, last->trace_id.at, sizeof(row->trace_id)) != 0)
            trace = trace_of(c, row);
        last = row;
        c->trace_of[i] = trace;
        c->traces[trace].members++;
        if (row->meaning && meaning_counts(row->meaning))
            note_counting(c, trace, row);
    }
    note_repeats(c);
    return true;
}

void counting_locks(const struct counting *c, struct buf *keys, bool *out_all)
{
    for (size_t i = 0; i < c->response_count; i++)
        if (i == 0 || c->responses[i].key != c->responses[i - 1].key)
            buf_add(keys, &c->responses[i].key, sizeof(c->responses[i].key));
    buf_add_bytes(keys, buf_bytes(&c->more_locks));
    *out_all = c->rounds >= MOST_ROUNDS;
}

bool counting_has_lock(struct counting *c, const struct buf *locked, int32_t tenant_id,
                       const struct uuid *trace_id)
{
    const int64_t key = locks_of_trace(tenant_id, trace_id);

    if (!locked ||
        locks_have((const int64_t *)(const void *)locked->at, locked->len / sizeof(key), key))
        return true;
    buf_add(&c->more_locks, &key, sizeof(key));
    return false;
}

bool counting_want_more(struct counting *c, struct err *err)
{
    c->rounds++;
    if (!buf_ok(&c->more_locks))
        return no_memory(err);
    return err_set(err, ERR_CONTENDED,
                   "spans of the same model calls lie in traces that are not "
                   "locked yet");
}

static bool within_a_day(int64_t start_ns, int64_t start_us)
{
    const int64_t us = start_ns / NS_PER_US;
    const int64_t apart = us > start_us ? us - start_us : start_us - us;

    return apart <= FOLD_SAME_RESPONSE_NS / NS_PER_US;
}

/* A span of the table against those of the batch with its response id. */
static bool note_found(struct counting *c, const struct same_response *found,
                       const struct buf *locked)
{
    const struct response key = {.key = found->key};
    size_t low = 0;
    size_t high = c->response_count;
    bool has_locks = true;

    while (low < high) {
        const size_t middle = low + (high - low) / 2;

        if (c->responses[middle].key < key.key)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < c->response_count && c->responses[low].key == found->key; low++) {
        const struct response *r = &c->responses[low];
        struct batch_trace *t = &c->traces[r->trace];
        const bool same_trace =
            memcmp(t->row->trace_id.at, found->trace_id.at, sizeof(found->trace_id.at)) == 0;

        if (t->row->tenant_id != found->tenant_id || (same_trace && r->span_id == found->span_id) ||
            !within_a_day(r->start_ns, found->start_us))
            continue;
        t->shared = true;
        has_locks &= counting_has_lock(c, locked, t->row->tenant_id, &found->trace_id);
    }
    return has_locks;
}

static bool look_for_responses(struct counting *c, struct db *db, const struct buf *locked,
                               struct err *err)
{
    struct sought *sought = arena_alloc(&c->arena, c->response_count * sizeof(*sought));
    struct same_response *found;
    size_t found_count;
    size_t count;
    bool has_locks = true;

    if (c->response_count == 0)
        return true;
    if (!sought)
        return no_memory(err);
    for (size_t i = 0; i < c->response_count; i++) {
        const struct response *r = &c->responses[i];

        sought[i] =
            (struct sought){r->key, r->start_ns, r->start_ns, c->traces[r->trace].row->tenant_id};
    }
    count = sought_join(sought, c->response_count, 1);
    if (!counting_find(c, db, sought, count, &found, &found_count, err))
        return false;
    for (size_t i = 0; i < found_count; i++)
        has_locks &= note_found(c, &found[i], locked);
    return has_locks || counting_want_more(c, err);
}

/* Items by trace, for those traces that are to be folded. */
static uint32_t *order_items(struct counting *c)
{
    uint32_t *order = arena_alloc(&c->arena, c->item_count * sizeof(*order));
    uint32_t at = 0;

    if (!order)
        return NULL;
    for (uint32_t t = 0; t < c->trace_count; t++) {
        c->traces[t].first_member = at;
        at += c->traces[t].members;
    }
    for (size_t i = 0; i < c->item_count; i++)
        if (c->trace_of[i] != UINT32_MAX)
            order[c->traces[c->trace_of[i]].first_member++] = (uint32_t)i;
    for (uint32_t t = 0; t < c->trace_count; t++)
        c->traces[t].first_member -= c->traces[t].members;
    return order;
}

static bool needs_fold(const struct batch_trace *trace)
{
    return trace->counted > 0 && (trace->counted != trace->plain || trace->twice);
}

static bool fold_members(struct counting *c, const struct batch_trace *trace, const uint32_t *order,
                         struct write_item *items, struct err *err)
{
    struct fold_span *spans;

    arena_reset(&c->scratch);
    spans = arena_alloc(&c->scratch, trace->members * sizeof(*spans));
    if (!spans)
        return no_memory(err);
    for (uint32_t m = 0; m < trace->members; m++)
        fold_facts(items[order[trace->first_member + m]].row, &spans[m]);
    if (!fold_trace(spans, trace->members, &c->scratch, err))
        return err->kind == ERR_TOO_LARGE ? no_memory(err) : false;
    for (uint32_t m = 0; m < trace->members; m++) {
        struct billing *billing = &items[order[trace->first_member + m]].row->billing;

        billing->billable = spans[m].billable;
        billing->reason = spans[m].reason;
        billing->is_duplicate = spans[m].duplicate_of != SIZE_MAX;
        if (!billing->is_duplicate)
            continue;
        billing->duplicate_of_trace_id = spans[spans[m].duplicate_of].trace_id;
        billing->duplicate_of_span_id = spans[spans[m].duplicate_of].span_id;
    }
    return true;
}

bool counting_judge(struct counting *c, struct db *db, struct write_item *items,
                    const struct buf *locked, struct err *err)
{
    uint32_t *order = NULL;

    if (!look_for_responses(c, db, locked, err))
        return false;
    for (size_t i = 0; i < c->item_count; i++) {
        struct billing *billing = &items[i].row->billing;

        if (billing->counted && !needs_fold(&c->traces[c->trace_of[i]])) {
            billing->billable = true;
            billing->reason = BILLING_REASON_CALL;
        }
    }
    for (uint32_t t = 0; t < c->trace_count; t++) {
        if (!needs_fold(&c->traces[t]))
            continue;
        if (!order)
            order = order_items(c);
        if (!order)
            return no_memory(err);
        if (!fold_members(c, &c->traces[t], order, items, err))
            return false;
    }
    return true;
}

bool counting_is_shared(const struct counting *c, int32_t tenant_id, const struct uuid *trace_id)
{
    const size_t at = slot_of(c, tenant_id, trace_id);

    return c->slots[at] && c->traces[c->slots[at] - 1].shared;
}
