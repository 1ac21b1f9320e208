/*
 * DESIGN: as read/tree.c: spans are put in order once, parents are found by binary search in an
 * index by id, cycles are cut above their earliest span, children hang in lists. The same choices,
 * so that what is shown below a span is what counting sees below it. Then the nodes are laid out
 * depth-first: whatever goes through them backwards meets children before parents.
 */
#include "ledger/fold_tree.h"

#include <stdlib.h>

#include "ledger/fold_rank.h"

#define KIND_SERVER 2
#define KIND_CLIENT 3
#define KIND_PRODUCER 4
#define KIND_CONSUMER 5

struct id_entry {
    int64_t span_id;
    uint32_t at;
};

/* A span while the tree is made; indices are positions in order. */
struct place {
    const struct fold_span *span;
    uint32_t parent;
    uint32_t first_child;
    uint32_t last_child;
    uint32_t next;
    uint32_t visit; /* number of the walk that reached it first; later its node */
};

struct builder {
    struct place *places;
    struct id_entry *ids; /* by (span_id, at) */
    uint32_t count;
};

static int then(int order, uint64_t a, uint64_t b)
{
    if (order != 0)
        return order;
    return a < b ? -1 : a > b;
}

/* Identity, and where two spans share even that (versions that a caller did not settle) all that
 * counting looks at: spans that are equal in it can change places without a trace. */
static int compare_places(const void *a, const void *b)
{
    const struct fold_span *left = ((const struct place *)a)->span;
    const struct fold_span *right = ((const struct place *)b)->span;
    int order = fold_rank_identity(left, right);

    order = then(order, (uint64_t)left->duration_ns, (uint64_t)right->duration_ns);
    order = then(order, left->has_parent, right->has_parent);
    order = then(order, (uint64_t)left->parent_span_id, (uint64_t)right->parent_span_id);
    order = then(order, left->observation, right->observation);
    order = then(order, left->response_key, right->response_key);
    order = then(order, left->model_key, right->model_key);
    order = then(order, left->scope_key, right->scope_key);
    order = then(order, left->flags, right->flags);
    order = then(order, (uint64_t)left->total_tokens, (uint64_t)right->total_tokens);
    return order ? order : memcmp(left->tokens, right->tokens, sizeof(left->tokens));
}

static int compare_ids(const void *a, const void *b)
{
    const struct id_entry *left = a;
    const struct id_entry *right = b;

    if (left->span_id != right->span_id)
        return left->span_id < right->span_id ? -1 : 1;
    return left->at < right->at ? -1 : left->at > right->at;
}

static void fill_places(struct builder *b, const struct fold_span *spans)
{
    bool in_order = true;

    for (uint32_t i = 0; i < b->count; i++) {
        b->places[i] = (struct place){.span = &spans[i],
                                      .parent = FOLD_NONE,
                                      .first_child = FOLD_NONE,
                                      .last_child = FOLD_NONE,
                                      .next = FOLD_NONE};
        if (i > 0 && compare_places(&b->places[i - 1], &b->places[i]) > 0)
            in_order = false;
    }
    if (!in_order)
        qsort(b->places, b->count, sizeof(b->places[0]), compare_places);
    for (uint32_t i = 0; i < b->count; i++)
        b->ids[i] = (struct id_entry){b->places[i].span->span_id, i};
    qsort(b->ids, b->count, sizeof(b->ids[0]), compare_ids);
}

/* First entry that is not before (span_id, at). */
static uint32_t lower_bound(const struct builder *b, int64_t span_id, uint32_t at)
{
    uint32_t low = 0;
    uint32_t high = b->count;

    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;
        const struct id_entry wanted = {span_id, at};

        if (compare_ids(&b->ids[middle], &wanted) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool entry_has(const struct builder *b, uint32_t entry, int64_t span_id)
{
    return entry < b->count && b->ids[entry].span_id == span_id;
}

static bool calls(int32_t caller, int32_t callee)
{
    return (caller == KIND_CLIENT && callee == KIND_SERVER) ||
           (caller == KIND_PRODUCER && callee == KIND_CONSUMER);
}

/* The client of a server span that shares its id and parent; FOLD_NONE. */
static uint32_t shared_caller(const struct builder *b, uint32_t at)
{
    const struct fold_span *span = b->places[at].span;
    const uint32_t own = lower_bound(b, span->span_id, at);
    const uint32_t neighbours[] = {own - 1, own + 1};

    for (size_t i = 0; i < sizeof(neighbours) / sizeof(neighbours[0]); i++) {
        const struct fold_span *other;

        if (!entry_has(b, neighbours[i], span->span_id))
            continue;
        other = b->places[b->ids[neighbours[i]].at].span;
        if (calls(other->kind, span->kind) && other->has_parent == span->has_parent &&
            (!span->has_parent || other->parent_span_id == span->parent_span_id))
            return b->ids[neighbours[i]].at;
    }
    return FOLD_NONE;
}

/* Of the spans with the parent's id the latest before the child, else the earliest; never itself. */
static uint32_t find_parent(const struct builder *b, uint32_t at)
{
    const int64_t wanted = b->places[at].span->parent_span_id;
    const uint32_t behind = lower_bound(b, wanted, at);

    if (behind > 0 && entry_has(b, behind - 1, wanted))
        return b->ids[behind - 1].at;
    if (b->places[at].span->span_id == wanted)
        return FOLD_NONE;
    return entry_has(b, behind, wanted) ? b->ids[behind].at : FOLD_NONE;
}

static void choose_parents(struct builder *b)
{
    for (uint32_t i = 0; i < b->count; i++) {
        struct place *place = &b->places[i];

        place->parent = shared_caller(b, i);
        if (place->parent == FOLD_NONE && place->span->has_parent)
            place->parent = find_parent(b, i);
    }
}

static void cut_cycle(struct builder *b, uint32_t at)
{
    uint32_t earliest = at;
    uint32_t i = at;

    do {
        if (i < earliest)
            earliest = i;
        i = b->places[i].parent;
    } while (i != at);
    b->places[earliest].parent = FOLD_NONE;
}

/* Each walk goes upwards until it meets the top or ground that was walked before; its own ground
 * means a cycle. Every place is passed once. */
static void cut_cycles(struct builder *b)
{
    for (uint32_t i = 0; i < b->count; i++) {
        uint32_t at = i;

        while (at != FOLD_NONE && b->places[at].visit == 0) {
            b->places[at].visit = i + 1;
            at = b->places[at].parent;
        }
        if (at != FOLD_NONE && b->places[at].visit == i + 1)
            cut_cycle(b, at);
    }
}

/* Hangs every place into its parent's list; returns the first at the top. */
static uint32_t link_children(struct builder *b)
{
    uint32_t top = FOLD_NONE;
    uint32_t last_top = FOLD_NONE;

    for (uint32_t i = 0; i < b->count; i++) {
        const uint32_t parent = b->places[i].parent;
        uint32_t *first = parent == FOLD_NONE ? &top : &b->places[parent].first_child;
        uint32_t *last = parent == FOLD_NONE ? &last_top : &b->places[parent].last_child;

        if (*last == FOLD_NONE)
            *first = i;
        else
            b->places[*last].next = i;
        *last = i;
    }
    return top;
}

/* Down, else right, else up until there is a right. */
static void lay_out(struct builder *b, uint32_t at, const struct fold_span *spans,
                    struct fold_node *nodes)
{
    uint32_t written = 0;

    while (at != FOLD_NONE) {
        struct place *place = &b->places[at];
        const bool at_top = place->parent == FOLD_NONE;
        const struct fold_node *parent = at_top ? NULL : &nodes[b->places[place->parent].visit];

        place->visit = written;
        nodes[written] = (struct fold_node){
            .span = (uint32_t)(place->span - spans),
            .parent = parent ? (uint32_t)(parent - nodes) : FOLD_NONE,
            .size = 1,
            .depth = parent ? parent->depth + 1 : 0,
            .zone = parent && !fold_tree_separates(place->span) ? parent->zone : written,
        };
        written++;
        if (place->first_child != FOLD_NONE) {
            at = place->first_child;
            continue;
        }
        while (b->places[at].next == FOLD_NONE && b->places[at].parent != FOLD_NONE)
            at = b->places[at].parent;
        at = b->places[at].next;
    }
}

/* Sizes, and the heavy paths: a node's largest child goes on with its path, so that any way upwards
 * changes paths O(log n) times. */
static void lay_paths(struct fold_tree *tree)
{
    struct fold_node *nodes = tree->nodes;

    for (uint32_t i = tree->count; i-- > 0;)
        if (nodes[i].parent != FOLD_NONE)
            nodes[nodes[i].parent].size += nodes[i].size;
    for (uint32_t i = 0; i < tree->count; i++)
        nodes[i].head = FOLD_NONE;
    for (uint32_t i = 0; i < tree->count; i++) {
        uint32_t heavy = i + 1;

        if (nodes[i].head == FOLD_NONE)
            nodes[i].head = i;
        for (uint32_t c = i + 1; c < i + nodes[i].size; c += nodes[c].size)
            if (nodes[c].size > nodes[heavy].size)
                heavy = c;
        if (nodes[i].size > 1)
            nodes[heavy].head = nodes[i].head;
    }
}

uint32_t fold_tree_meet(const struct fold_tree *tree, uint32_t a, uint32_t b)
{
    const struct fold_node *nodes = tree->nodes;

    while (nodes[a].head != nodes[b].head) {
        uint32_t *lower = nodes[nodes[a].head].depth >= nodes[nodes[b].head].depth ? &a : &b;

        *lower = nodes[nodes[*lower].head].parent;
        if (*lower == FOLD_NONE)
            return FOLD_NONE;
    }
    return a < b ? a : b;
}

bool fold_tree_build(const struct fold_span *spans, size_t count, struct arena *scratch,
                     struct fold_tree *out_tree, struct err *err)
{
    struct builder b = {.count = (uint32_t)count};
    struct fold_tree tree = {.count = (uint32_t)count};

    if (count >= FOLD_NONE)
        return err_set(err, ERR_TOO_LARGE, "trace has %zu spans", count);
    b.places = arena_array(scratch, struct place, count);
    b.ids = arena_array(scratch, struct id_entry, count);
    tree.nodes = arena_array(scratch, struct fold_node, count);
    if (!b.places || !b.ids || !tree.nodes)
        return err_set(err, ERR_TOO_LARGE, "no memory for counting %zu spans", count);
    fill_places(&b, spans);
    choose_parents(&b);
    cut_cycles(&b);
    lay_out(&b, link_children(&b), spans, tree.nodes);
    lay_paths(&tree);
    *out_tree = tree;
    return true;
}
