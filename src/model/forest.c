/*
 * DESIGN: spans are put in order once; from then on a span is its place in that order. Parents are
 * found by binary search in an index by id, so that a trace whose spans all share one id stays
 * O(n log n). Children hang in lists in order, and the depth-first walk goes down, right and up these
 * lists: no recursion, no stack, so that a chain of a million spans is as good as any tree.
 */
#include "model/forest.h"

#include <stdlib.h>

#define KIND_SERVER 2
#define KIND_CLIENT 3
#define KIND_PRODUCER 4
#define KIND_CONSUMER 5

struct id_entry {
    int64_t span_id;
    uint32_t at;
};

struct index {
    const struct id_entry *ids; /* by (span_id, at) */
    uint32_t count;
};

static int compare_nodes(const void *a, const void *b, void *tie)
{
    const struct forest_node *x = a;
    const struct forest_node *y = b;
    forest_tie *const *compare = tie;

    if (x->start_ns != y->start_ns)
        return x->start_ns < y->start_ns ? -1 : 1;
    if (x->span_id != y->span_id)
        return (uint64_t)x->span_id < (uint64_t)y->span_id ? -1 : 1;
    if (x->kind != y->kind)
        return x->kind < y->kind ? -1 : 1;
    return *compare ? (*compare)(x->span, y->span) : 0;
}

static int compare_ids(const void *a, const void *b)
{
    const struct id_entry *x = a;
    const struct id_entry *y = b;

    if (x->span_id != y->span_id)
        return x->span_id < y->span_id ? -1 : 1;
    return x->at < y->at ? -1 : x->at > y->at;
}

static void put_in_order(struct forest_node *nodes, uint32_t count, forest_tie *tie)
{
    for (uint32_t i = 1; i < count; i++)
        if (compare_nodes(&nodes[i - 1], &nodes[i], &tie) > 0) {
            qsort_r(nodes, count, sizeof(*nodes), compare_nodes, &tie);
            return;
        }
}

static void clear_outcome(struct forest_node *node)
{
    node->shares_id = node->is_answer = node->own_parent = false;
    node->is_orphan = node->in_cycle = false;
    node->parent = node->first_child = node->last_child = node->next = FOREST_NONE;
    node->visit = 0;
}

static void fill_ids(struct forest_node *nodes, uint32_t count, struct id_entry *ids)
{
    for (uint32_t i = 0; i < count; i++) {
        clear_outcome(&nodes[i]);
        ids[i] = (struct id_entry){nodes[i].span_id, i};
    }
    if (count > 1)
        qsort(ids, count, sizeof(*ids), compare_ids);
    for (uint32_t i = 1; i < count; i++)
        if (ids[i].span_id == ids[i - 1].span_id)
            nodes[ids[i - 1].at].shares_id = nodes[ids[i].at].shares_id = true;
}

/* First entry that is not before (span_id, at). */
static uint32_t lower_bound(const struct index *index, int64_t span_id, uint32_t at)
{
    const struct id_entry wanted = {span_id, at};
    uint32_t low = 0;
    uint32_t high = index->count;

    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;

        if (compare_ids(&index->ids[middle], &wanted) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool entry_has(const struct index *index, uint32_t entry, int64_t span_id)
{
    return entry < index->count && index->ids[entry].span_id == span_id;
}

static bool calls(int32_t caller, int32_t callee)
{
    return (caller == KIND_CLIENT && callee == KIND_SERVER) ||
           (caller == KIND_PRODUCER && callee == KIND_CONSUMER);
}

/* The client of a server span that shares its id and parent; FOREST_NONE. A neighbour in the index is
 * enough: the two halves of one call start close together, and a look along all that share an id
 * would be quadratic. */
static uint32_t shared_caller(const struct forest_node *nodes, const struct index *index,
                              uint32_t at)
{
    const struct forest_node *node = &nodes[at];
    const uint32_t own = lower_bound(index, node->span_id, at);
    const uint32_t neighbours[] = {own - 1, own + 1};

    for (size_t i = 0; i < sizeof(neighbours) / sizeof(neighbours[0]); i++) {
        const struct forest_node *other;

        if (!entry_has(index, neighbours[i], node->span_id))
            continue;
        other = &nodes[index->ids[neighbours[i]].at];
        if (calls(other->kind, node->kind) && other->has_parent == node->has_parent &&
            (!node->has_parent || other->parent_span_id == node->parent_span_id))
            return index->ids[neighbours[i]].at;
    }
    return FOREST_NONE;
}

/* The span that is meant by parent_span_id: of those with this id the latest before the child, else
 * the earliest; never the child itself. */
static uint32_t find_parent(const struct forest_node *nodes, const struct index *index, uint32_t at)
{
    const int64_t wanted = nodes[at].parent_span_id;
    const uint32_t behind = lower_bound(index, wanted, at);

    if (behind > 0 && entry_has(index, behind - 1, wanted))
        return index->ids[behind - 1].at;
    if (nodes[at].span_id == wanted)
        return FOREST_NONE;
    return entry_has(index, behind, wanted) ? index->ids[behind].at : FOREST_NONE;
}

static void choose_parents(struct forest_node *nodes, const struct index *index)
{
    for (uint32_t i = 0; i < index->count; i++) {
        struct forest_node *node = &nodes[i];

        if (node->shares_id)
            node->parent = shared_caller(nodes, index, i);
        node->is_answer = node->parent != FOREST_NONE;
        if (node->is_answer || !node->has_parent)
            continue;
        node->parent = find_parent(nodes, index, i);
        node->own_parent = node->parent_span_id == node->span_id;
        node->is_orphan = node->parent == FOREST_NONE && !node->own_parent;
    }
}

/* Walks along a cycle that was found at `at`: marks it and cuts it above its earliest span. */
static void cut_cycle(struct forest_node *nodes, uint32_t at)
{
    uint32_t earliest = at;
    uint32_t i = at;

    do {
        nodes[i].in_cycle = true;
        if (i < earliest)
            earliest = i;
        i = nodes[i].parent;
    } while (i != at);
    nodes[earliest].parent = FOREST_NONE;
}

/* Each walk goes upwards until it meets the top or ground that was walked before; its own ground
 * means a cycle. Every node is passed once. */
static void cut_cycles(struct forest_node *nodes, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        uint32_t at = i;

        while (at != FOREST_NONE && nodes[at].visit == 0) {
            nodes[at].visit = i + 1;
            at = nodes[at].parent;
        }
        if (at != FOREST_NONE && nodes[at].visit == i + 1)
            cut_cycle(nodes, at);
    }
}

/* Hangs every node into its parent's list; returns the first at the top. */
static uint32_t link_children(struct forest_node *nodes, uint32_t count)
{
    uint32_t top = FOREST_NONE;
    uint32_t last_top = FOREST_NONE;

    for (uint32_t i = 0; i < count; i++) {
        const uint32_t parent = nodes[i].parent;
        uint32_t *first = parent == FOREST_NONE ? &top : &nodes[parent].first_child;
        uint32_t *last = parent == FOREST_NONE ? &last_top : &nodes[parent].last_child;

        if (*last == FOREST_NONE)
            *first = i;
        else
            nodes[*last].next = i;
        *last = i;
    }
    return top;
}

bool forest_build(struct forest_node *nodes, uint32_t count, forest_tie *tie, struct arena *scratch,
                  uint32_t *out_top, struct err *err)
{
    struct id_entry *ids = arena_alloc(scratch, count * sizeof(*ids));
    const struct index index = {ids, count};

    if (!ids)
        return err_set(err, ERR_TOO_LARGE, "no memory for a tree of %zu spans", (size_t)count);
    put_in_order(nodes, count, tie);
    fill_ids(nodes, count, ids);
    choose_parents(nodes, &index);
    cut_cycles(nodes, count);
    *out_top = link_children(nodes, count);
    return true;
}

uint32_t forest_next(const struct forest_node *nodes, uint32_t at)
{
    if (nodes[at].first_child != FOREST_NONE)
        return nodes[at].first_child;
    while (nodes[at].next == FOREST_NONE && nodes[at].parent != FOREST_NONE)
        at = nodes[at].parent;
    return nodes[at].next;
}
