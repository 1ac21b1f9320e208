/*
 * The fold of one trace: what each span is to counting, which response ids meet where, then the
 * rooms of its family in order: tree, judge (with beside), outcome.
 */
#include "ledger/fold.h"

#include <stdlib.h>

#include "ledger/fold_work.h"

struct keyed {
    uint64_t key;
    uint32_t zone;
    uint32_t node;
};

static int compare_keyed(const void *a, const void *b)
{
    const struct keyed *left = a;
    const struct keyed *right = b;

    if (left->key != right->key)
        return left->key < right->key ? -1 : 1;
    if (left->zone != right->zone)
        return left->zone < right->zone ? -1 : 1;
    return left->node < right->node ? -1 : left->node > right->node;
}

static enum fold_role role_of(const struct fold_span *span)
{
    const bool carries = fold_rank_strength(span) != FOLD_SILENT || span->has_cost;
    const bool call =
        observation_is_call(span->observation) && (span->flags & MEANING_AGGREGATE) == 0;

    if (!call && !carries)
        return FOLD_NOTHING;
    if (span->flags & (MEANING_COPY | MEANING_CACHE_HIT | MEANING_PENDING))
        return FOLD_FLAGGED;
    return call ? FOLD_CALL : FOLD_CONTAINER;
}

static void prepare(struct fold_work *w)
{
    for (uint32_t i = 0; i < w->tree.count; i++) {
        struct fold_span *span = fold_work_span(w, i);
        const uint32_t parent = w->tree.nodes[i].parent;

        span->billable = false;
        span->reason = BILLING_REASON_NONE;
        span->duplicate_of = SIZE_MAX;
        span->call_key = span->response_key;
        w->judged[i] = (struct fold_judged){
            .key = span->response_key,
            .up = i,
            .canon = i,
            .stands = FOLD_NONE,
            .absorber = FOLD_NONE,
            .next_same = FOLD_NONE,
            .meet = FOLD_NONE,
            .meet_next = FOLD_NONE,
            .next_open = FOLD_NONE,
            .target = FOLD_NONE,
            .size = fold_rank_size(span),
            .role = role_of(span),
            .strength = fold_rank_strength(span),
            .server = (span->flags & MEANING_SERVER) != 0,
        };
        w->open[i] = (struct fold_open){.calls = {FOLD_NONE, FOLD_NONE},
                                        .containers = {FOLD_NONE, FOLD_NONE}};
        if (w->judged[i].role == FOLD_CALL && parent != FOLD_NONE)
            w->judged[parent].call_children++;
    }
}

/* All calls of one response id weigh what the one weighs that knows best. */
static uint32_t weigh_key(struct fold_work *w, const struct keyed *same, size_t count)
{
    const struct fold_node *nodes = w->tree.nodes;
    uint32_t canon = FOLD_NONE;
    uint32_t anchor = FOLD_NONE;

    for (size_t i = 0; i < count; i++) {
        const uint32_t at = same[i].node;

        if (w->judged[at].role != FOLD_CALL)
            continue;
        if (canon == FOLD_NONE)
            canon = at;
        if (anchor == FOLD_NONE ||
            fold_rank_anchor(fold_work_span(w, at), nodes[at].depth, fold_work_span(w, anchor),
                             nodes[anchor].depth) < 0)
            anchor = at;
    }
    if (canon != FOLD_NONE) {
        const struct fold_span *span = fold_work_span(w, anchor);

        w->judged[canon].size = fold_rank_size(span);
        w->judged[canon].strength = fold_rank_strength(span);
        w->judged[canon].server = (span->flags & MEANING_SERVER) != 0;
    }
    return canon;
}

/* Spans of one response id are one class from the start; calls of one zone know the next of them,
 * and the node in which the two meet. */
static void join_key(struct fold_work *w, const struct keyed *same, size_t count)
{
    const uint32_t canon = weigh_key(w, same, count);
    uint32_t first = canon;
    uint32_t last = FOLD_NONE;

    for (size_t i = 0; i < count; i++) {
        const uint32_t at = same[i].node;
        struct fold_judged *j = &w->judged[at];

        if (first == FOLD_NONE && j->role == FOLD_CONTAINER)
            first = at;
        if (j->role == FOLD_FLAGGED)
            continue;
        fold_work_join(w, first, at);
        if (j->role != FOLD_CALL)
            continue;
        j->canon = canon;
        if (last != FOLD_NONE && w->tree.nodes[last].zone == w->tree.nodes[at].zone) {
            const uint32_t meet = fold_tree_meet(&w->tree, last, at);

            w->judged[last].next_same = at;
            if (meet != last && meet != FOLD_NONE) {
                w->judged[last].meet_next = w->judged[meet].meet;
                w->judged[meet].meet = last;
            }
        }
        last = at;
    }
    for (size_t i = 0; i < count; i++)
        if (w->judged[same[i].node].role == FOLD_FLAGGED)
            w->judged[same[i].node].stands = first;
}

static void join_keys(struct fold_work *w, struct keyed *keyed)
{
    size_t count = 0;
    size_t from = 0;

    for (uint32_t i = 0; i < w->tree.count; i++)
        if (w->judged[i].key != 0 && w->judged[i].role != FOLD_NOTHING)
            keyed[count++] = (struct keyed){w->judged[i].key, w->tree.nodes[i].zone, i};
    qsort(keyed, count, sizeof(*keyed), compare_keyed);
    for (size_t i = 1; i <= count; i++)
        if (i == count || keyed[i].key != keyed[from].key) {
            join_key(w, keyed + from, i - from);
            from = i;
        }
}

struct top {
    bool has_parent;
    int64_t parent_span_id;
    uint32_t node;
};

static int compare_tops(const void *a, const void *b)
{
    const struct top *left = a;
    const struct top *right = b;

    if (left->has_parent != right->has_parent)
        return left->has_parent ? 1 : -1;
    if (left->has_parent && left->parent_span_id != right->parent_span_id)
        return left->parent_span_id < right->parent_span_id ? -1 : 1;
    return left->node < right->node ? -1 : left->node > right->node;
}

/* Calls at the top are siblings where none has a parent, or all miss the same one. */
static void judge_tops(struct fold_work *w, struct top *tops)
{
    uint32_t count = 0;
    uint32_t from = 0;

    for (uint32_t i = 0; i < w->tree.count; i += w->tree.nodes[i].size) {
        const struct fold_span *span = fold_work_span(w, i);

        if (w->judged[i].role == FOLD_CALL)
            tops[count++] = (struct top){span->has_parent, span->parent_span_id, i};
    }
    qsort(tops, count, sizeof(*tops), compare_tops);
    for (uint32_t i = 1; i <= count; i++) {
        if (i < count && tops[i].has_parent == tops[from].has_parent &&
            (!tops[i].has_parent || tops[i].parent_span_id == tops[from].parent_span_id))
            continue;
        for (uint32_t k = from; k < i; k++)
            w->list[k - from] = tops[k].node;
        fold_beside(w, w->list, i - from, NULL);
        from = i;
    }
}

bool fold_trace(struct fold_span *spans, size_t count, struct arena *scratch, struct err *err)
{
    struct fold_work w = {.spans = spans};
    void *sorted;

    if (count == 0)
        return true;
    if (!fold_tree_build(spans, count, scratch, &w.tree, err))
        return false;
    w.judged = arena_array(scratch, struct fold_judged, count);
    w.open = arena_array(scratch, struct fold_open, count);
    w.list = arena_array(scratch, uint32_t, count);
    w.clusters = arena_calloc(scratch, count, fold_beside_bytes());
    sorted = arena_calloc(scratch, count,
                          sizeof(struct keyed) > sizeof(struct top) ? sizeof(struct keyed)
                                                                    : sizeof(struct top));
    if (!w.judged || !w.open || !w.list || !w.clusters || !sorted)
        return err_set(err, ERR_TOO_LARGE, "no memory for counting %zu spans", count);
    prepare(&w);
    join_keys(&w, sorted);
    for (uint32_t i = w.tree.count; i-- > 0;)
        fold_judge(&w, i);
    judge_tops(&w, sorted);
    fold_outcome(&w);
    return true;
}
