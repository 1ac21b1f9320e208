/* The tree of one trace, rebuilt from its spans: any set of spans gives a tree and marks, never a
 * failure. */
#ifndef READ_TREE_H
#define READ_TREE_H

#include "base/arena.h"
#include "model/trace.h"

/* What is odd about a span's place in its trace. Shown by the API beside the stored marks. */
#define TREE_MARKS(X)                                                                              \
    X(ORPHAN, 0, "orphan")               /* its parent is not there */                             \
    X(CYCLE, 1, "cycle")                 /* it is its own ancestor; cut at the earliest */         \
    X(SELF_PARENT, 2, "self_parent")     /* it names itself as its parent */                       \
    X(SEVERAL_ROOTS, 3, "several_roots") /* a root, and not the only one */                        \
    X(LATE_ROOT, 4, "late_root")         /* the first root, but other spans start before it */     \
    X(CLOCK_SKEW, 5, "clock_skew")       /* starts before its parent starts or after it ended */   \
    X(OUTLIVES_PARENT, 6, "outlives_parent") /* starts within its parent, ends after it */         \
    X(SHARED_ID, 7, "shared_id") /* another span has the same id (other kind or start) */

enum tree_mark {
#define X(id, bit, name) TREE_MARK_##id = 1 << (bit),
    TREE_MARKS(X)
#undef X
};

#define TREE_NONE UINT32_MAX

struct tree_node {
    const struct stored_span *span; /* borrowed from the spans the tree was built of */
    uint32_t parent;                /* position in tree.nodes, always before this one; TREE_NONE */
    uint32_t depth;                 /* 0 at the top */
    uint32_t child_count;
    unsigned marks;           /* enum tree_mark */
    int64_t self_duration_ns; /* its duration without what its children cover */
    /* Of its billable spans, itself and all below. */
    wide_int subtree_cost; /* pico-USD, of the calls whose cost is known */
    wide_int subtree_tokens;
    uint32_t subtree_calls;
    uint32_t subtree_unpriced;
};

struct tree {
    struct tree_node *nodes; /* depth-first; siblings by (start, span id, kind) */
    size_t count;
    int64_t *missing_parents; /* distinct, ascending as unsigned numbers */
    size_t missing_count;
    const struct stored_span *first; /* the earliest by (start, span id as stored) */
    const struct stored_span *root;  /* the earliest root; NULL: none */
    int64_t start_ns;
    int64_t end_ns;
    size_t error_count;
    bool complete; /* there is a root, no parent is missing, no root is unfinished */
    enum trace_status status;
    unsigned marks; /* of all nodes together */
    struct spend spend;
};

/*
 * Builds the tree. A span stands below the span its parent_span_id names; where several share that
 * id, below the latest of them that does not start after it. A server span that shares id and
 * parent with a client span stands below that one (Zipkin's shared spans). Orphans, self-parents
 * and the earliest span of a cycle stand at the top beside the roots.
 *
 * spans    of one trace, at least one, any order, borrowed for the life of the tree
 * now_ns   for status running
 * out_tree lives in arena
 * Fails with ERR_TOO_LARGE (arena). Without recursion, O(n log n), whatever the ids say.
 */
MUST_CHECK bool tree_build(const struct trace_spans *spans, int64_t now_ns, struct arena *arena,
                           struct tree *out_tree, struct err *err);

/* "orphan", … of one bit of tree marks; NULL when the bit has no name. */
const char *tree_mark_name(unsigned bit);

#endif
