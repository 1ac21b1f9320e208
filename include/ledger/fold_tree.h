/* The tree of a trace as counting walks it: parents missing, cycles, self-parents and shared ids all
 * give one, the same for every order of the spans. For the fold's own rooms. */
#ifndef LEDGER_FOLD_TREE_H
#define LEDGER_FOLD_TREE_H

#include "ledger/fold.h"

#define FOLD_NONE UINT32_MAX

/* Nodes stand in depth-first order, so that a node's index is its place in it:
 *
 *   i                  the node
 *   i + 1 .. i + size - 1   everything below it; its first child is i + 1, the next sibling of c is
 *                      c + size of c
 */
struct fold_node {
    uint32_t span;   /* index of its span */
    uint32_t parent; /* FOLD_NONE: at the top */
    uint32_t size;
    uint32_t depth;
    uint32_t head; /* top of its heavy path: for fold_tree_meet */
    uint32_t zone; /* the node in which its part of the tree begins: the parts are cut above every
                      agent and tool, and at the top */
};

struct fold_tree {
    struct fold_node *nodes;
    uint32_t count;
};

/* Lives in scratch. Fails with ERR_TOO_LARGE. */
MUST_CHECK bool fold_tree_build(const struct fold_span *spans, size_t count, struct arena *scratch,
                                struct fold_tree *out_tree, struct err *err);

/* The lowest node that has both below it or is one of them; FOLD_NONE: they share no top. */
uint32_t fold_tree_meet(const struct fold_tree *tree, uint32_t a, uint32_t b);

static inline bool fold_tree_below(const struct fold_tree *tree, uint32_t upper, uint32_t lower)
{
    return lower > upper && lower - upper < tree->nodes[upper].size;
}

/* Whether work below this span is another piece of work than the span's own. */
static inline bool fold_tree_separates(const struct fold_span *span)
{
    return span->observation == OBSERVATION_AGENT || span->observation == OBSERVATION_TOOL;
}

#endif
