/*
 * The tree of a trace: model/forest says what stands below what; here are its marks, times and sums.
 * Spans are put in order once; from then on a span is its position in that order.
 */
#include "read/tree.h"

#include <stdlib.h>

#include "model/forest.h"

/* A span while the tree is made. */
struct place {
    uint32_t child_count;
    unsigned marks;
    int64_t covered_until_ns; /* children's intervals up to here are counted in covered_ns */
    int64_t covered_ns;
};

struct builder {
    struct forest_node *nodes; /* in order */
    struct place *places;
    uint32_t count;
};

static const struct stored_span *span_at(const struct builder *b, uint32_t at)
{
    return b->nodes[at].span;
}

static int compare_unsigned(int64_t a, int64_t b)
{
    return (uint64_t)a < (uint64_t)b ? -1 : (uint64_t)a > (uint64_t)b;
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

static void fill_nodes(struct builder *b, const struct trace_spans *spans)
{
    for (uint32_t i = 0; i < b->count; i++) {
        const struct stored_span *span = &spans->items[i];

        b->nodes[i] = (struct forest_node){.span = span,
                                           .start_ns = span->start_unix_ns,
                                           .span_id = span->span_id,
                                           .parent_span_id = span->parent_span_id,
                                           .kind = span->kind,
                                           .has_parent = span->has_parent};
    }
}

static unsigned marks_of(const struct forest_node *node)
{
    return (node->shares_id ? TREE_MARK_SHARED_ID : 0U) |
           (node->own_parent ? TREE_MARK_SELF_PARENT : 0U) |
           (node->is_orphan ? TREE_MARK_ORPHAN : 0U) | (node->in_cycle ? TREE_MARK_CYCLE : 0U);
}

/* What a child covers of its parent. Children come in order of start, so one border is enough. */
static void cover(struct place *parent, int64_t parent_end, const struct stored_span *child)
{
    int64_t from = child->start_unix_ns;
    int64_t until = end_of(child);

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

/* What children say of their parents. They come in order. */
static void look_at_children(struct builder *b)
{
    for (uint32_t i = 0; i < b->count; i++) {
        b->places[i].marks = marks_of(&b->nodes[i]);
        b->places[i].covered_until_ns = span_at(b, i)->start_unix_ns;
    }
    for (uint32_t i = 0; i < b->count; i++) {
        const uint32_t parent = b->nodes[i].parent;

        if (parent == FOREST_NONE)
            continue;
        b->places[parent].child_count++;
        b->places[i].marks |= compare_with_parent(span_at(b, i), span_at(b, parent));
        cover(&b->places[parent], end_of(span_at(b, parent)), span_at(b, i));
    }
}

/* Depth-first. `visit` becomes the position in the result. */
static void lay_out(struct builder *b, uint32_t top, struct tree_node *nodes)
{
    uint32_t written = 0;

    for (uint32_t at = top; at != FOREST_NONE; at = forest_next(b->nodes, at)) {
        const uint32_t above = b->nodes[at].parent;
        const uint32_t parent = above == FOREST_NONE ? TREE_NONE : b->nodes[above].visit;

        b->nodes[at].visit = written;
        nodes[written++] = (struct tree_node){
            .span = span_at(b, at),
            .parent = parent,
            .depth = parent == TREE_NONE ? 0 : nodes[parent].depth + 1,
            .child_count = b->places[at].child_count,
            .marks = b->places[at].marks,
            .self_duration_ns = span_at(b, at)->duration_ns - b->places[at].covered_ns,
        };
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
        const struct stored_span *span = span_at(b, i);

        if (span->has_parent)
            continue;
        if (root_count > 1 && b->nodes[i].parent == FOREST_NONE)
            b->places[i].marks |= TREE_MARK_SEVERAL_ROOTS;
        if (span == tree->root && span->start_unix_ns > tree->start_ns)
            b->places[i].marks |= TREE_MARK_LATE_ROOT;
    }
}

static void sum_up(struct builder *b, int64_t now_ns, struct tree *tree)
{
    int64_t roots[4] = {0};
    int64_t root_count = 0;
    int64_t top_root_count = 0;
    int64_t last_received_ns = INT64_MIN;

    tree->start_ns = span_at(b, 0)->start_unix_ns;
    tree->end_ns = end_of(span_at(b, 0));
    for (uint32_t i = 0; i < b->count; i++) {
        const struct stored_span *span = span_at(b, i);

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
        top_root_count += b->nodes[i].parent == FOREST_NONE;
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
        if (b->nodes[i].is_orphan)
            tree->missing_parents[found++] = b->nodes[i].parent_span_id;
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
    b.nodes = arena_array(arena, struct forest_node, spans->count);
    tree.nodes = arena_array(arena, struct tree_node, spans->count);
    tree.missing_parents = arena_array(arena, int64_t, spans->count);
    if (!b.places || !b.nodes || !tree.nodes || !tree.missing_parents)
        return err_set(err, ERR_TOO_LARGE, "no memory for a tree of %zu spans", spans->count);
    fill_nodes(&b, spans);
    if (!forest_build(b.nodes, b.count, /* tie= */ NULL, arena, &top, err))
        return false;
    collect_missing(&b, &tree);
    look_at_children(&b);
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
