/* Who of a class is billed, and what the others are told. */
#include <stdlib.h>

#include "ledger/fold_work.h"

#define MOST_HOPS 8 /* of absorbers: each is stronger than the last, so there are fewer */

/* Nodes from[0 .. count) of one class, in order of the tree. */
struct same_call {
    struct fold_work *w;
    const uint32_t *nodes;
    uint32_t count;
};

static bool is_call(const struct fold_work *w, uint32_t node)
{
    return w->judged[node].role == FOLD_CALL;
}

static bool has_call(const struct same_call *c)
{
    for (uint32_t i = 0; i < c->count; i++)
        if (is_call(c->w, c->nodes[i]))
            return true;
    return false;
}

static bool may_be_billed(const struct same_call *c, uint32_t node, bool calls)
{
    const struct fold_judged *j = &c->w->judged[node];

    if (j->several || is_call(c->w, node) != calls)
        return false;
    return calls || !j->counted_below;
}

/* Who says how large the call is. */
static uint32_t find_anchor(const struct same_call *c, bool calls)
{
    const struct fold_node *nodes = c->w->tree.nodes;
    uint32_t anchor = FOLD_NONE;

    for (uint32_t i = 0; i < c->count; i++) {
        const uint32_t at = c->nodes[i];

        if (!may_be_billed(c, at, calls))
            continue;
        if (anchor == FOLD_NONE ||
            fold_rank_anchor(fold_work_span(c->w, at), nodes[at].depth,
                             fold_work_span(c->w, anchor), nodes[anchor].depth) < 0)
            anchor = at;
    }
    return anchor;
}

static bool same_size(const struct fold_work *w, uint32_t a, uint32_t b)
{
    const struct fold_size left = fold_rank_size(fold_work_span(w, a));
    const struct fold_size right = fold_rank_size(fold_work_span(w, b));

    return fold_rank_same_size(&left, &right);
}

/* An instrumentation's own span inside its own wrapper is the call, whatever the wrapper adds. */
static bool is_own_wrapper(const struct same_call *c, uint32_t i)
{
    const struct fold_work *w = c->w;
    const uint32_t node = c->nodes[i];
    const uint32_t next = i + 1 < c->count ? c->nodes[i + 1] : FOLD_NONE;

    return next != FOLD_NONE && is_call(w, next) && fold_tree_below(&w->tree, node, next) &&
           !w->judged[next].several &&
           fold_work_span(w, node)->scope_key == fold_work_span(w, next)->scope_key &&
           fold_rank_strength(fold_work_span(w, node)) ==
               fold_rank_strength(fold_work_span(w, next)) &&
           same_size(w, node, next);
}

static int compare_details(const struct fold_work *w, uint32_t a, uint32_t b)
{
    const struct fold_node *nodes = w->tree.nodes;
    const int order = fold_rank_detail(fold_work_span(w, a), fold_work_span(w, b));

    if (order != 0)
        return order;
    if (nodes[a].depth != nodes[b].depth)
        return nodes[a].depth > nodes[b].depth ? -1 : 1;
    return fold_rank_identity(fold_work_span(w, a), fold_work_span(w, b));
}

static uint32_t choose(const struct same_call *c)
{
    const bool calls = has_call(c);
    const uint32_t anchor = find_anchor(c, calls);
    uint32_t best = anchor;

    if (anchor == FOLD_NONE)
        return FOLD_NONE;
    for (uint32_t i = 0; i < c->count; i++) {
        const uint32_t at = c->nodes[i];

        if (may_be_billed(c, at, calls) && same_size(c->w, at, anchor) && !is_own_wrapper(c, i) &&
            compare_details(c->w, at, best) < 0)
            best = at;
    }
    return best;
}

static enum billing_reason repeat_reason(const struct fold_work *w, uint32_t node, uint32_t billed)
{
    const uint64_t key = fold_work_span(w, node)->response_key;

    if (key != 0 && key == fold_work_span(w, billed)->response_key)
        return BILLING_REASON_SAME_RESPONSE;
    if (fold_tree_below(&w->tree, node, billed))
        return BILLING_REASON_WRAPPER;
    if (fold_tree_below(&w->tree, billed, node))
        return BILLING_REASON_BELOW_CALL;
    return BILLING_REASON_SAME_CALL_BESIDE;
}

/* The class's own outcome; what its absorbers mean is told later. */
static void settle(const struct same_call *c)
{
    struct fold_work *w = c->w;
    const uint32_t root = fold_work_root(w, c->nodes[0]);
    const uint32_t billed = w->judged[root].absorber == FOLD_NONE ? choose(c) : FOLD_NONE;

    for (uint32_t i = 0; i < c->count; i++) {
        const uint32_t at = c->nodes[i];
        struct fold_span *span = fold_work_span(w, at);

        span->call_key = w->judged[root].key;
        w->judged[at].target = billed;
        if (at == billed) {
            /* Providers charge nothing for an error; what was used before it is charged. */
            span->billable = !span->failed || fold_rank_strength(span) != FOLD_SILENT;
            span->reason = !span->billable  ? BILLING_REASON_FAILED
                           : is_call(w, at) ? BILLING_REASON_CALL
                                            : BILLING_REASON_CONTAINER;
        } else if (is_call(w, at) && w->judged[at].several) {
            span->reason = BILLING_REASON_WRAPPER;
            w->judged[at].target = FOLD_NONE;
        } else if (!is_call(w, at) && w->judged[at].counted_below) {
            span->reason = BILLING_REASON_ABOVE_CALLS;
            w->judged[at].target = FOLD_NONE;
        } else if (!is_call(w, at) && w->judged[at].several) {
            span->reason = BILLING_REASON_BELOW_CALL;
        } else if (billed != FOLD_NONE) {
            span->reason = repeat_reason(w, at, billed);
        } else {
            span->reason = BILLING_REASON_SAME_RESPONSE;
        }
    }
}

struct member {
    uint32_t root;
    uint32_t node;
};

static int compare_entries(const void *a, const void *b)
{
    const struct member *left = a;
    const struct member *right = b;

    if (left->root != right->root)
        return left->root < right->root ? -1 : 1;
    return left->node < right->node ? -1 : left->node > right->node;
}

static void settle_classes(struct fold_work *w)
{
    struct member *entries = w->clusters; /* siblings are done with it */
    uint32_t count = 0;

    for (uint32_t i = 0; i < w->tree.count; i++)
        if (w->judged[i].role == FOLD_CALL || w->judged[i].role == FOLD_CONTAINER)
            entries[count++] = (struct member){fold_work_root(w, i), i};
    qsort(entries, count, sizeof(*entries), compare_entries);
    for (uint32_t i = 0; i < count; i++)
        w->list[i] = entries[i].node;
    for (uint32_t i = 0; i < count;) {
        struct same_call c = {.w = w, .nodes = w->list + i};

        while (i < count && entries[i].root == fold_work_root(w, c.nodes[0])) {
            c.count++;
            i++;
        }
        settle(&c);
    }
}

/* What a whole class, or usage inside a call, repeats. */
static void follow_absorbers(struct fold_work *w)
{
    for (uint32_t i = 0; i < w->tree.count; i++) {
        struct fold_judged *j = &w->judged[i];
        uint32_t by = FOLD_NONE;

        if (j->role == FOLD_CONTAINER && j->several)
            by = j->stands;
        else if (!j->several && !(j->role == FOLD_CONTAINER && j->counted_below))
            by = w->judged[fold_work_root(w, i)].absorber;
        if (by == FOLD_NONE)
            continue;
        for (int hops = 0; hops < MOST_HOPS; hops++) {
            const uint32_t further = w->judged[fold_work_root(w, by)].absorber;

            if (further == FOLD_NONE)
                break;
            by = further;
        }
        j->target = by;
        if (j->role == FOLD_CALL || (j->role == FOLD_CONTAINER && !j->several))
            fold_work_span(w, i)->reason = repeat_reason(w, i, by);
    }
}

static uint32_t earlier(const struct fold_work *w, uint32_t a, uint32_t b)
{
    if (a == FOLD_NONE || b == FOLD_NONE)
        return a == FOLD_NONE ? b : a;
    return fold_rank_identity(fold_work_span(w, a), fold_work_span(w, b)) <= 0 ? a : b;
}

/* Where a node itself repeats others, the one that is billed for it. Absorbers and several-fold
 * wrappers are in no class with what they repeat, so one further step leads there. */
static uint32_t billed_for(const struct fold_work *w, uint32_t node)
{
    for (int hops = 0; node != FOLD_NONE && hops < MOST_HOPS; hops++) {
        if (fold_work_span(w, node)->billable)
            return node;
        if (w->judged[node].target == node)
            break;
        node = w->judged[node].target;
    }
    return FOLD_NONE;
}

/* Sums name the first of those that are billed below them. */
static void name_targets(struct fold_work *w)
{
    uint32_t *first_below = w->list;

    for (uint32_t i = 0; i < w->tree.count; i++)
        first_below[i] = FOLD_NONE;
    for (uint32_t i = w->tree.count; i-- > 0;) {
        struct fold_judged *j = &w->judged[i];
        const uint32_t parent = w->tree.nodes[i].parent;
        const enum billing_reason reason = fold_work_span(w, i)->reason;

        if (j->target == FOLD_NONE &&
            (reason == BILLING_REASON_ABOVE_CALLS || reason == BILLING_REASON_WRAPPER))
            j->target = first_below[i];
        if (parent != FOLD_NONE)
            first_below[parent] =
                earlier(w, first_below[parent], earlier(w, first_below[i], billed_for(w, i)));
    }
    for (uint32_t i = 0; i < w->tree.count; i++) {
        const uint32_t billed = billed_for(w, i);

        if (billed != FOLD_NONE && billed != i)
            fold_work_span(w, i)->duplicate_of = w->tree.nodes[billed].span;
    }
}

static void tell_flagged(struct fold_work *w)
{
    for (uint32_t i = 0; i < w->tree.count; i++) {
        struct fold_span *span = fold_work_span(w, i);

        if (w->judged[i].role != FOLD_FLAGGED)
            continue;
        span->reason = span->flags & MEANING_PENDING ? BILLING_REASON_PENDING
                       : span->flags & MEANING_COPY  ? BILLING_REASON_COPY
                                                     : BILLING_REASON_CACHE_HIT;
        span->call_key = span->response_key;
        if (w->judged[i].stands != FOLD_NONE)
            w->judged[i].target = w->judged[w->judged[i].stands].target;
    }
}

void fold_outcome(struct fold_work *w)
{
    settle_classes(w);
    follow_absorbers(w);
    tell_flagged(w);
    name_targets(w);
}
