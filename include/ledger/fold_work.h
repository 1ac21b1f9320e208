/* What the fold's rooms share while one trace is judged. For them only. */
#ifndef LEDGER_FOLD_WORK_H
#define LEDGER_FOLD_WORK_H

#include "ledger/fold_rank.h"
#include "ledger/fold_tree.h"

enum fold_role {
    FOLD_NOTHING,   /* only the tree between */
    FOLD_CALL,      /* stands for a model call */
    FOLD_CONTAINER, /* carries usage without being a call */
    FOLD_FLAGGED,   /* carries usage that is never billed: copy, cache hit, placeholder */
};

/*
 * One node while it is judged. Nodes that stand for the same call form a class: `up` leads to the
 * class's root (union-find), whose key and absorber are those of the class. What a class weighs in
 * sums stands at one node of it, its `canon`: the first with this response key, else the node itself.
 */
struct fold_judged {
    uint64_t key;      /* at a root: response key of the class; 0: none */
    uint32_t up;       /* itself at a root */
    uint32_t canon;    /* node that holds what its class weighs */
    uint32_t stands;   /* canon of the one call that a call stands for; FOLD_NONE: for several. Of a
                           container: the call above that it repeats */
    uint32_t absorber; /* at a root: node that the whole class repeats; FOLD_NONE */
    uint32_t next_same; /* next call of the same response key in this zone; FOLD_NONE */
    uint32_t meet;      /* first of those whose key meets its next_same here; FOLD_NONE */
    uint32_t meet_next; /* chain of `meet` */
    uint32_t next_open; /* chain of calls or of containers that are open below a node */
    uint32_t call_children;
    uint32_t target; /* node that is billed instead; FOLD_NONE */
    struct fold_size size;
    enum fold_role role;
    enum fold_strength strength; /* with size: of the class where this is a canon */
    bool server;
    bool keyed;
    bool several; /* a call that repeats several others, a container that repeats a call */
    bool mute;    /* adds nothing of its key to sums */
    bool counted_below;
};

struct fold_level {
    uint64_t in;
    uint64_t out;
    uint64_t total;
    uint64_t canons; /* sum of the canons: the only one where count is 1 */
    uint32_t count;
    uint32_t keyed;
    uint32_t server;
};

struct fold_chain {
    uint32_t first; /* FOLD_NONE: empty */
    uint32_t last;
};

/* What stands open below a node inside its zone: the calls that no other span there repeats, by
 * strength, each counted once. Sums are modulo 2^64. */
struct fold_open {
    struct fold_level level[FOLD_STRENGTHS];
    struct fold_chain calls; /* all that were added since the last was absorbed */
    struct fold_chain containers;
};

struct fold_work {
    struct fold_span *spans;
    struct fold_tree tree;
    struct fold_judged *judged; /* by node */
    struct fold_open *open;     /* by node */
    uint32_t *list;             /* room for count nodes */
    void *clusters;             /* room of fold_beside */
};

static inline struct fold_span *fold_work_span(const struct fold_work *w, uint32_t node)
{
    return &w->spans[w->tree.nodes[node].span];
}

/* The class of a node, its key, and the two classes made one (their keys must not differ). */
uint32_t fold_work_root(const struct fold_work *w, uint32_t node);
uint64_t fold_work_key(const struct fold_work *w, uint32_t node);
void fold_work_join(struct fold_work *w, uint32_t a, uint32_t b);
/* Whether two classes may be one call: not two different keys. */
bool fold_work_may_join(const struct fold_work *w, uint32_t a, uint32_t b);

void fold_work_add(struct fold_work *w, struct fold_open *open, uint32_t canon);
void fold_work_drop(struct fold_work *w, struct fold_open *open, uint32_t canon);
void fold_work_mark_keyed(struct fold_work *w, struct fold_open *open, uint32_t canon);
/* Puts a node at the end of a chain; joins two chains. */
void fold_work_chain(struct fold_work *w, struct fold_chain *chain, uint32_t node);
void fold_work_chain_all(struct fold_work *w, struct fold_chain *chain,
                         const struct fold_chain *more);

/* Judges node after node from the leaves upwards (fold_judge.c), siblings that two instrumentations
 * wrote (fold_beside.c: count > 1 calls below one parent, in order of start; open: the parent's, or
 * NULL at the top), and gives every span its outcome (fold_outcome.c). */
void fold_judge(struct fold_work *w, uint32_t node);
void fold_beside(struct fold_work *w, const uint32_t *siblings, uint32_t count,
                 struct fold_open *open);
size_t fold_beside_bytes(void); /* per span, of fold_work.clusters */
void fold_outcome(struct fold_work *w);

#endif
