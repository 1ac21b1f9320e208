/*
 * Which span of a trace stands below which: parents that are missing, cycles, self-parents and shared
 * ids all give a forest, the same for every order of the spans. The one place that says so: what is
 * shown below a span (read/tree) is what counting sees below it (ledger/fold_tree).
 */
#ifndef MODEL_FOREST_H
#define MODEL_FOREST_H

#include "base/arena.h"

#define FOREST_NONE UINT32_MAX

/* A span. Places are indices of nodes; the outcome's are those after forest_build. */
struct forest_node {
    const void *span; /* the caller's; not looked at */
    int64_t start_ns;
    int64_t span_id;
    int64_t parent_span_id; /* where has_parent */
    int32_t kind;
    bool has_parent;
    /* outcome */
    bool shares_id;  /* another span has its id */
    bool is_answer;  /* a server or consumer that stands below the caller with the same id */
    bool own_parent; /* names itself as its parent */
    bool is_orphan;  /* its parent is not there */
    bool in_cycle;   /* is its own ancestor; cut above the earliest */
    uint32_t parent; /* FOREST_NONE: at the top */
    uint32_t first_child;
    uint32_t last_child;
    uint32_t next;  /* sibling, or the next at the top */
    uint32_t visit; /* for forest_build; afterwards the caller's */
};

/* For spans of one trace that are equal in start, id and kind; as for qsort, over nodes' spans. */
typedef int forest_tie(const void *a, const void *b);

/*
 * Puts the nodes into order of (start, span id as unsigned number, kind) and finds their places. A
 * span stands below the span its parent_span_id names; where several share that id, below the latest
 * of them that does not start after it, else below the earliest. A server span that shares id and
 * parent with a client span stands below that one (Zipkin's shared spans), a consumer below its
 * producer. Orphans, self-parents and the earliest span of a cycle stand at the top beside the roots.
 * Siblings are in order.
 *
 * nodes   everything but the outcome filled, changed in place; fewer than FOREST_NONE
 * tie     NULL: there are no equal ones
 * scratch 16 bytes a node
 * out_top the first at the top; FOREST_NONE: there are no nodes
 * Fails with ERR_TOO_LARGE (scratch). Without recursion, O(n log n), whatever the ids say.
 */
MUST_CHECK bool forest_build(struct forest_node *nodes, uint32_t count, forest_tie *tie,
                             struct arena *scratch, uint32_t *out_top, struct err *err);

/* The next node depth-first: down, else right, else up until there is a right; FOREST_NONE. */
uint32_t forest_next(const struct forest_node *nodes, uint32_t at);

#endif
