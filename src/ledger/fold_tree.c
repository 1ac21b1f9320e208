/*
 * The tree of a trace as counting walks it: model/forest says what stands below what, as it does for
 * what is shown. The nodes are laid out depth-first: whatever goes through them backwards meets
 * children before parents.
 */
#include "ledger/fold_tree.h"

#include "ledger/fold_rank.h"
#include "model/forest.h"

static int then(int order, uint64_t a, uint64_t b)
{
    if (order != 0)
        return order;
    return a < b ? -1 : a > b;
}

/* Identity, and where two spans share even that (versions that a caller did not settle) all that
 * counting looks at: spans that are equal in it can change places without a trace. */
static int compare_spans(const void *a, const void *b)
{
    const struct fold_span *left = a;
    const struct fold_span *right = b;
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

static void fill_nodes(const struct fold_span *spans, uint32_t count, struct forest_node *nodes)
{
    for (uint32_t i = 0; i < count; i++)
        nodes[i] = (struct forest_node){.span = &spans[i],
                                        .start_ns = spans[i].start_ns,
                                        .span_id = spans[i].span_id,
                                        .parent_span_id = spans[i].parent_span_id,
                                        .kind = spans[i].kind,
                                        .has_parent = spans[i].has_parent};
}

/* `visit` becomes the place in the result. */
static void lay_out(struct forest_node *forest, uint32_t top, const struct fold_span *spans,
                    struct fold_node *nodes)
{
    uint32_t written = 0;

    for (uint32_t at = top; at != FOREST_NONE; at = forest_next(forest, at)) {
        const struct fold_span *span = forest[at].span;
        const uint32_t above = forest[at].parent;
        const struct fold_node *parent = above == FOREST_NONE ? NULL : &nodes[forest[above].visit];

        forest[at].visit = written;
        nodes[written] = (struct fold_node){
            .span = (uint32_t)(span - spans),
            .parent = parent ? (uint32_t)(parent - nodes) : FOLD_NONE,
            .size = 1,
            .depth = parent ? parent->depth + 1 : 0,
            .zone = parent && !fold_tree_separates(span) ? parent->zone : written,
        };
        written++;
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
    struct fold_tree tree = {.count = (uint32_t)count};
    struct forest_node *forest;
    uint32_t top;

    if (count >= FOLD_NONE)
        return err_set(err, ERR_TOO_LARGE, "trace has %zu spans", count);
    forest = arena_array(scratch, struct forest_node, count);
    tree.nodes = arena_array(scratch, struct fold_node, count);
    if (!forest || !tree.nodes)
        return err_set(err, ERR_TOO_LARGE, "no memory for counting %zu spans", count);
    fill_nodes(spans, tree.count, forest);
    if (!forest_build(forest, tree.count, compare_spans, scratch, &top, err))
        return false;
    lay_out(forest, top, spans, tree.nodes);
    lay_paths(&tree);
    *out_tree = tree;
    return true;
}
