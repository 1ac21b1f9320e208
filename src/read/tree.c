/*
 * The tree of a trace.
 *
 * DESIGN: spans are put in order once; from then on a span is its position in that order. Parents
 * are found by binary search in an index by id, so that a trace whose spans all share one id stays
 * O(n log n). Children hang in lists in order, and the depth-first walk goes down, right and up
 * these lists: no recursion, no stack, so that a chain of a million spans is as good as any tree.
 */
#include "read/tree.h"

#include <stdlib.h>

#define KIND_SERVER 2
#define KIND_CLIENT 3
#define KIND_PRODUCER 4
#define KIND_CONSUMER 5

struct id_entry {
    int64_t span_id;
    uint32_t at; /* position in order */
};

/* A span while the tree is made; indices are positions in order. */
struct place {
    const struct stored_span *span;
    uint32_t parent;
    uint32_t first_child;
    uint32_t last_child;
    uint32_t next; /* sibling */
    uint32_t child_count;
    uint32_t visit; /* number of the walk that reached it first: finds cycles */
    unsigned marks;
    int64_t covered_until_ns; /* children's intervals up to here are counted in covered_ns */
    int64_t covered_ns;
};

struct builder {
    struct place *places;
    struct id_entry *ids; /* by (span_id, at) */
    uint32_t count;
};

static int compare_int64(int64_t a, int64_t b)
{
    return a < b ? -1 : a > b;
}

static int compare_unsigned(int64_t a, int64_t b)
{
    return (uint64_t)a < (uint64_t)b ? -1 : (uint64_t)a > (uint64_t)b;
}

static int compare_spans(const struct stored_span *a, const struct stored_span *b)
{
    int order = compare_int64(a->start_unix_ns, b->start_unix_ns);

    if (order == 0)
        order = compare_unsigned(a->span_id, b->span_id);
    return order ? order : compare_int64(a->kind, b->kind);
}

static int compare_places(const void *a, const void *b)
{
    return compare_spans(((const struct place *)a)->span, ((const struct place *)b)->span);
}

static int compare_ids(const void *a, const void *b)
{
    const struct id_entry *left = a;
    const struct id_entry *right = b;
    const int order = compare_int64(left->span_id, right->span_id);

    return order ? order : compare_int64(left->at, right->at);
}

static int compare_missing(const void *a, const void *b)
{
    return compare_unsigned(*(const int64_t *)a, *(const int64_t *)b);
}

static int64_t end_of(const struct stored_span *span)
{
    int64_t end;

    return __builtin_add_overflow(span->start_unix_ns, span->duration_ns, &end) ? INT64_MAX : end;
}

static void fill_places(struct builder *b, const struct trace_spans *spans)
{
    bool in_order = true;

    for (uint32_t i = 0; i < b->count; i++) {
        b->places[i] = (struct place){.span = &spans->items[i],
                                      .parent = TREE_NONE,
                                      .first_child = TREE_NONE,
                                      .last_child = TREE_NONE,
                                      .next = TREE_NONE};
        if (i > 0 && compare_spans(b->places[i - 1].span, b->places[i].span) > 0)
            in_order = false;
    }
    if (!in_order)
        qsort(b->places, b->count, sizeof(b->places[0]), compare_places);
    for (uint32_t i = 0; i < b->count; i++)
        b->ids[i] = (struct id_entry){b->places[i].span->span_id, i};
    qsort(b->ids, b->count, sizeof(b->ids[0]), compare_ids);
    for (uint32_t i = 1; i < b->count; i++)
        if (b->ids[i].span_id == b->ids[i - 1].span_id) {
            b->places[b->ids[i - 1].at].marks |= TREE_MARK_SHARED_ID;
            b->places[b->ids[i].at].marks |= TREE_MARK_SHARED_ID;
        }
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

/* The client of a server span that shares its id and parent; TREE_NONE. A neighbour in the index is
 * enough: the two halves of one call start close together, and a look along all that share an id
 * would be quadratic. */
static uint32_t shared_caller(const struct builder *b, uint32_t at)
{
    const struct stored_span *span = b->places[at].span;
    const uint32_t own = lower_bound(b, span->span_id, at);
    const uint32_t neighbours[] = {own - 1, own + 1};

    for (size_t i = 0; i < sizeof(neighbours) / sizeof(neighbours[0]); i++) {
        const struct stored_span *other;

        if (!entry_has(b, neighbours[i], span->span_id))
            continue;
        other = b->places[b->ids[neighbours[i]].at].span;
        if (calls(other->kind, span->kind) && other->has_parent == span->has_parent &&
            (!span->has_parent || other->parent_span_id == span->parent_span_id))
            return b->ids[neighbours[i]].at;
    }
    return TREE_NONE;
}

/* The span that is meant by parent_span_id: of those with this id the latest before the child, else
 * the earliest; never the child itself. */
static uint32_t find_parent(const struct builder *b, uint32_t at)
{
    const int64_t wanted = b->places[at].span->parent_span_id;
    const uint32_t behind = lower_bound(b, wanted, at);

    if (behind > 0 && entry_has(b, behind - 1, wanted))
        return b->ids[behind - 1].at;
    if (b->places[at].span->span_id == wanted)
        return TREE_NONE;
    return entry_has(b, behind, wanted) ? b->ids[behind].at : TREE_NONE;
}

static void choose_parents(struct builder *b)
{
    for (uint32_t i = 0; i < b->count; i++) {
        struct place *place = &b->places[i];
        const struct stored_span *span = place->span;

        if (place->marks & TREE_MARK_SHARED_ID)
            place->parent = shared_caller(b, i);
        if (place->parent != TREE_NONE || !span->has_parent)
            continue;
        place->parent = find_parent(b, i);
        if (span->parent_span_id == span->span_id)
            place->marks |= TREE_MARK_SELF_PARENT;
        else if (place->parent == TREE_NONE)
            place->marks |= TREE_MARK_ORPHAN;
    }
}

/* Walks along a cycle that was found at `at`: marks it and cuts it above its earliest span. */
static void cut_cycle(struct builder *b, uint32_t at)
{
    uint32_t earliest = at;
    uint32_t i = at;

    do {
        b->places[i].marks |= TREE_MARK_CYCLE;
        if (i < earliest)
            earliest = i;
        i = b->places[i].parent;
    } while (i != at);
    b->places[earliest].parent = TREE_NONE;
}

/* Each walk goes upwards until it meets the top or ground that was walked before; its own ground
 * means a cycle. Every place is passed once. */
static void cut_cycles(struct builder *b)
{
    for (uint32_t i = 0; i < b->count; i++) {
        uint32_t at = i;

        while (at != TREE_NONE && b->places[at].visit == 0) {
            b->places[at].visit = i + 1;
            at = b->places[at].parent;
        }
        if (at != TREE_NONE && b->places[at].visit == i + 1)
            cut_cycle(b, at);
    }
}

/* What a child covers of its parent. Children come in order of start, so one border is enough. */
static void cover(struct place *parent, const struct stored_span *child)
{
    int64_t from = child->start_unix_ns;
    int64_t until = end_of(child);
    const int64_t parent_end = end_of(parent->span);

    if (from < parent->covered_until_ns)
        from = parent->covered_until_ns;
    if (until > parent_end)
        until = parent_end;
    if (until > from) {
        parent->covered_ns += until - from;
        parent->covered_until_ns = until;
    }
}

static unsigned compare_with_parent(const struct stored_span *child,
                                    const struct stored_span *parent)
{
    const int64_t parent_end = end_of(parent);

    if (child->start_unix_ns < parent->start_unix_ns)
        return TREE_MARK_CLOCK_SKEW;
    if (parent->outcome == SPAN_UNFINISHED)
        return 0;
    if (child->start_unix_ns > parent_end)
        return TREE_MARK_CLOCK_SKEW;
    return end_of(child) > parent_end ? TREE_MARK_OUTLIVES_PARENT : 0;
}

/* Hangs every place into its parent's list; returns the first at the top. */
static uint32_t link_children(struct builder *b)
{
    uint32_t top = TREE_NONE;
    uint32_t last_top = TREE_NONE;

    for (uint32_t i = 0; i < b->count; i++)
        b->places[i].covered_until_ns = b->places[i].span->start_unix_ns;
    for (uint32_t i = 0; i < b->count; i++) {
        struct place *place = &b->places[i];
        struct place *parent = place->parent == TREE_NONE ? NULL : &b->places[place->parent];
        uint32_t *first = parent ? &parent->first_child : &top;
        uint32_t *last = parent ? &parent->last_child : &last_top;

        if (*last == TREE_NONE)
            *first = i;
        else
            b->places[*last].next = i;
        *last = i;
        if (!parent)
            continue;
        parent->child_count++;
        place->marks |= compare_with_parent(place->span, parent->span);
        cover(parent, place->span);
    }
    return top;
}

/* Depth-first: down, else right, else up until there is a right. `visit` becomes the position in
 * the result. */
static void lay_out(struct builder *b, uint32_t top, struct tree_node *nodes)
{
    uint32_t at = top;
    uint32_t depth = 0;
    uint32_t written = 0;

    while (at != TREE_NONE) {
        struct place *place = &b->places[at];

        place->visit = written;
        nodes[written++] = (struct tree_node){
            .span = place->span,
            .parent = place->parent == TREE_NONE ? TREE_NONE : b->places[place->parent].visit,
            .depth = depth,
            .child_count = place->child_count,
            .marks = place->marks,
            .self_duration_ns = place->span->duration_ns - place->covered_ns,
        };
        if (place->first_child != TREE_NONE) {
            at = place->first_child;
            depth++;
            continue;
        }
        while (b->places[at].next == TREE_NONE && b->places[at].parent != TREE_NONE) {
            at = b->places[at].parent;
            depth--;
        }
        at = b->places[at].next;
    }
}

/* Which of two spans names the trace. By (start, id as it is stored): the order in which the rows of
 * spanledger.trace choose, so that list and trace agree. */
static const struct stored_span *earlier(const struct stored_span *a, const struct stored_span *b)
{
    if (!a || b->start_unix_ns < a->start_unix_ns)
        return b;
    return b->start_unix_ns == a->start_unix_ns && b->span_id < a->span_id ? b : a;
}

static void mark_roots(struct builder *b, const struct tree *tree, int64_t root_count)
{
    for (uint32_t i = 0; i < b->count; i++) {
        struct place *place = &b->places[i];

        if (place->span->has_parent)
            continue;
        if (root_count > 1 && place->parent == TREE_NONE)
            place->marks |= TREE_MARK_SEVERAL_ROOTS;
        if (place->span == tree->root && place->span->start_unix_ns > tree->start_ns)
            place->marks |= TREE_MARK_LATE_ROOT;
    }
}

static void sum_up(struct builder *b, int64_t now_ns, struct tree *tree)
{
    int64_t roots[4] = {0};
    int64_t root_count = 0;
    int64_t top_root_count = 0;
    int64_t last_received_ns = INT64_MIN;

    tree->start_ns = b->places[0].span->start_unix_ns;
    tree->end_ns = end_of(b->places[0].span);
    for (uint32_t i = 0; i < b->count; i++) {
        const struct stored_span *span = b->places[i].span;

        tree->first = earlier(tree->first, span);
        if (end_of(span) > tree->end_ns)
            tree->end_ns = end_of(span);
        tree->error_count += stored_failed(span);
        if (span->received_ns > last_received_ns)
            last_received_ns = span->received_ns;
        if (span->has_parent)
            continue;
        tree->root = earlier(tree->root, span);
        root_count++;
        top_root_count += b->places[i].parent == TREE_NONE;
        roots[(unsigned)span->outcome & 3]++;
    }
    tree->status = trace_status_of(roots, last_received_ns, now_ns);
    tree->complete = root_count > 0 && roots[SPAN_UNFINISHED] == 0 && tree->missing_count == 0;
    mark_roots(b, tree, top_root_count);
}

static void collect_missing(const struct builder *b, struct tree *tree)
{
    size_t distinct = 0;
    size_t found = 0;

    for (uint32_t i = 0; i < b->count; i++)
        if (b->places[i].marks & TREE_MARK_ORPHAN)
            tree->missing_parents[found++] = b->places[i].span->parent_span_id;
    qsort(tree->missing_parents, found, sizeof(tree->missing_parents[0]), compare_missing);
    for (size_t i = 0; i < found; i++)
        if (i == 0 || tree->missing_parents[i] != tree->missing_parents[i - 1])
            tree->missing_parents[distinct++] = tree->missing_parents[i];
    tree->missing_count = distinct;
}

/* A parent stands before its children: from the end, each subtree is whole when it is added. */
static void sum_subtrees(struct tree *tree)
{
    for (size_t i = 0; i < tree->count; i++) {
        struct tree_node *node = &tree->nodes[i];
        struct spend own = {0};

        if (!node->span->billing.billable)
            continue;
        spend_add_span(&own, node->span);
        spend_add(&tree->spend, &own);
        node->subtree_cost = own.cost_total;
        node->subtree_tokens = own.total_tokens;
        node->subtree_calls = (uint32_t)own.calls;
        node->subtree_unpriced = (uint32_t)own.unpriced;
    }
    for (size_t i = tree->count; i-- > 0;) {
        const struct tree_node *node = &tree->nodes[i];
        struct tree_node *parent = node->parent == TREE_NONE ? NULL : &tree->nodes[node->parent];

        if (!parent)
            continue;
        parent->subtree_cost += node->subtree_cost;
        parent->subtree_tokens += node->subtree_tokens;
        parent->subtree_calls += node->subtree_calls;
        parent->subtree_unpriced += node->subtree_unpriced;
    }
}

bool tree_build(const struct trace_spans *spans, int64_t now_ns, struct arena *arena,
                struct tree *out_tree, struct err *err)
{
    struct builder b = {.count = (uint32_t)spans->count};
    struct tree tree = {.count = spans->count};
    uint32_t top;

    if (spans->count == 0 || spans->count >= TREE_NONE)
        return err_set(err, ERR_TOO_LARGE, "trace has %zu spans", spans->count);
    b.places = arena_array(arena, struct place, spans->count);
    b.ids = arena_array(arena, struct id_entry, spans->count);
    tree.nodes = arena_array(arena, struct tree_node, spans->count);
    tree.missing_parents = arena_array(arena, int64_t, spans->count);
    if (!b.places || !b.ids || !tree.nodes || !tree.missing_parents)
        return err_set(err, ERR_TOO_LARGE, "no memory for a tree of %zu spans", spans->count);
    fill_places(&b, spans);
    choose_parents(&b);
    cut_cycles(&b);
    collect_missing(&b, &tree);
    top = link_children(&b);
    sum_up(&b, now_ns, &tree);
    lay_out(&b, top, tree.nodes);
    sum_subtrees(&tree);
    for (size_t i = 0; i < tree.count; i++)
        tree.marks |= tree.nodes[i].marks;
    *out_tree = tree;
    return true;
}

const char *tree_mark_name(unsigned bit)
{
    switch (bit) {
#define X(id, position, name)                                                                      \
    case 1U << (position):                                                                         \
        return name;
        TREE_MARKS(X)
#undef X
    default:
        return NULL;
    }
}
