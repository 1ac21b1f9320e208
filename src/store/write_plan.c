/* The plan of a batch. */
#include "store/write_plan.h"

#include <stdlib.h>

#include "base/clock.h"
#include "store/locks.h"
#include "store/pg_time.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

void write_plan_init(struct write_plan *plan)
{
    *plan = (struct write_plan){0};
}

void write_plan_done(struct write_plan *plan)
{
    free(plan->items);
    free(plan->slots);
    free(plan->hashes);
    free(plan->known);
    free(plan->days);
    free(plan->tenants);
    free(plan->trace_keys);
    write_plan_init(plan);
}

static bool make_room(struct write_plan *plan, size_t count, struct err *err)
{
    size_t slots = 64;

    while (slots < count * 2)
        slots *= 2;
    if (plan->cap < count || plan->slot_count < slots) {
        write_plan_done(plan);
        plan->items = calloc(count, sizeof(*plan->items));
        plan->slots = calloc(slots, sizeof(*plan->slots));
        plan->hashes = calloc(count, sizeof(*plan->hashes));
        plan->known = calloc(count, sizeof(*plan->known));
        plan->days = calloc(count, sizeof(*plan->days));
        plan->tenants = calloc(count, sizeof(*plan->tenants));
        plan->trace_keys = calloc(count, sizeof(*plan->trace_keys));
        if (!plan->items || !plan->slots || !plan->hashes || !plan->known || !plan->days ||
            !plan->tenants || !plan->trace_keys) {
            write_plan_done(plan);
            return err_set(err, ERR_UNAVAILABLE, "no memory for a batch of %zu spans", count);
        }
        plan->cap = count;
        plan->slot_count = slots;
    }
    memset(plan->slots, 0, plan->slot_count * sizeof(*plan->slots));
    plan->count = count;
    plan->day_count = 0;
    plan->tenant_count = 0;
    plan->trace_count = 0;
    return true;
}

/* The unique key of spanledger.span in one comparable piece; start_time has microseconds. */
struct key {
    struct uuid trace_id;
    int64_t span_id;
    int64_t start_us;
    int32_t tenant_id;
    int32_t kind;
};

static struct key key_of(const struct stored_span *row)
{
    return (struct key){.trace_id = row->trace_id,
                        .span_id = row->span_id,
                        .start_us = pg_timestamp(row->start_unix_ns),
                        .tenant_id = row->tenant_id,
                        .kind = row->kind};
}

static bool is_greater(const struct stored_span *a, const struct stored_span *b)
{
    /* The key holds the start's microsecond, so both ends lie within range of each other. */
    const int64_t end_a = a->start_unix_ns + a->duration_ns;
    const int64_t end_b = b->start_unix_ns + b->duration_ns;

    if (end_a != end_b)
        return end_a > end_b;
    if (a->attribute_count != b->attribute_count)
        return a->attribute_count > b->attribute_count;
    return a->content_hash > b->content_hash;
}

/* Finds the item that holds the key so far; enters i when there is none. */
static size_t holder_of(struct write_plan *plan, const struct write_item *items, size_t i,
                        uint64_t seed)
{
    const struct key key = key_of(items[i].row);
    const uint64_t hash = XXH3_64bits_withSeed(&key, sizeof(key), seed);
    size_t at = hash & (plan->slot_count - 1);

    plan->items[i] = (struct planned){.key_hash = hash, .winner = i};
    plan->hashes[i] = hash;
    while (plan->slots[at]) {
        const size_t other = plan->slots[at] - 1;
        if (plan->items[other].key_hash == hash) {
            const struct key other_key = key_of(items[other].row);
            if (memcmp(&key, &other_key, sizeof(key)) == 0)
                return other;
        }
        at = (at + 1) & (plan->slot_count - 1);
    }
    plan->slots[at] = (uint32_t)(i + 1);
    return i;
}

/* The day and the trace of an item; neighbours mostly have the same. */
static void collect(struct write_plan *plan, const struct write_item *items, size_t i)
{
    const struct stored_span *row = items[i].row;
    const int64_t day = clock_day(row->start_unix_ns);

    if (plan->day_count == 0 || plan->days[plan->day_count - 1] != day)
        plan->days[plan->day_count++] = day;
    if (plan->tenant_count == 0 || plan->tenants[plan->tenant_count - 1] != row->tenant_id)
        plan->tenants[plan->tenant_count++] = row->tenant_id;
    if (i == 0 || memcmp(row->trace_id.at, items[i - 1].row->trace_id.at, 16) != 0 ||
        row->tenant_id != items[i - 1].row->tenant_id)
        plan->trace_keys[plan->trace_count++] = locks_of_trace(row->tenant_id, &row->trace_id);
}

/* Until the second loop the first item of a key knows the winner so far, the others know the first:
 * chains from winner to winner would be long where one span is sent a thousand times, growing. */
static void settle_versions(struct write_plan *plan, struct write_item *items, uint64_t seed)
{
    for (size_t i = 0; i < plan->count; i++) {
        size_t first; /* of the key: stays in the table */

        write_plan_look_ahead(items, i, plan->count);
        collect(plan, items, i);
        first = holder_of(plan, items, i, seed);
        if (first == i)
            continue;
        plan->items[i].winner = first;
        if (is_greater(items[i].row, items[plan->items[first].winner].row))
            plan->items[first].winner = i;
    }
    for (size_t i = plan->count; i-- > 0;) {
        const size_t known = plan->items[i].winner;
        const size_t winner = known < i ? plan->items[known].winner : known;

        plan->items[i].winner = winner;
        if (winner == i)
            continue;
        if (items[i].row->content_hash == items[winner].row->content_hash) {
            items[i].outcome = WRITE_IDENTICAL;
        } else {
            items[i].outcome = WRITE_SUPERSEDED;
            plan->items[i].next = plan->items[winner].others;
            plan->items[winner].others = (uint32_t)(i + 1);
            plan->items[winner].staged = true;
        }
    }
}

static int compare_int64(const void *a, const void *b)
{
    const int64_t x = *(const int64_t *)a;
    const int64_t y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

/* Sorted, not searched: a request may hold a span of each day of three centuries (SEC-20). */
static void order_days(struct write_plan *plan)
{
    size_t kept = 0;

    if (plan->day_count > 1)
        qsort(plan->days, plan->day_count, sizeof(*plan->days), compare_int64);
    for (size_t i = 0; i < plan->day_count; i++)
        if (i == 0 || plan->days[i] != plan->days[i - 1])
            plan->days[kept++] = plan->days[i];
    plan->day_count = kept;
}

bool write_plan_make(struct write_plan *plan, struct write_item *items, size_t count,
                     struct seen *seen, struct err *err)
{
    if (!make_room(plan, count, err))
        return false;
    settle_versions(plan, items, seen_seed(seen));
    order_days(plan);
    plan->tenant_count = locks_order(plan->tenants, plan->tenant_count);
    plan->trace_count = locks_order(plan->trace_keys, plan->trace_count);
    seen_look(seen, plan->hashes, count, plan->known);
    for (size_t i = 0; i < count; i++)
        plan->items[i].staged |= plan->known[i];
    return true;
}
