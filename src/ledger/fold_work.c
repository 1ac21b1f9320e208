#include "ledger/fold_work.h"

uint32_t fold_work_root(const struct fold_work *w, uint32_t node)
{
    struct fold_judged *j = w->judged;

    while (j[node].up != node) {
        j[node].up = j[j[node].up].up; /* halves the way for who comes next */
        node = j[node].up;
    }
    return node;
}

uint64_t fold_work_key(const struct fold_work *w, uint32_t node)
{
    return w->judged[fold_work_root(w, node)].key;
}

bool fold_work_may_join(const struct fold_work *w, uint32_t a, uint32_t b)
{
    const uint64_t a_key = fold_work_key(w, a);
    const uint64_t b_key = fold_work_key(w, b);

    return a_key == 0 || b_key == 0 || a_key == b_key;
}

/* The lower index becomes the root. Absorbers: the earlier one, so that it does not matter which
 * class came first. */
void fold_work_join(struct fold_work *w, uint32_t a, uint32_t b)
{
    struct fold_judged *upper;
    struct fold_judged *lower;

    a = fold_work_root(w, a);
    b = fold_work_root(w, b);
    if (a == b)
        return;
    upper = &w->judged[a < b ? a : b];
    lower = &w->judged[a < b ? b : a];
    lower->up = a < b ? a : b;
    if (upper->key == 0)
        upper->key = lower->key;
    if (lower->absorber < upper->absorber)
        upper->absorber = lower->absorber;
}

static void weigh(struct fold_level *level, const struct fold_judged *j, uint32_t canon,
                  uint32_t one)
{
    const uint64_t factor = one == 1 ? 1 : UINT64_MAX;

    level->in += factor * j->size.in;
    level->out += factor * j->size.out;
    level->total += factor * j->size.total;
    level->canons += factor * canon;
    level->count += one;
    level->keyed += j->keyed ? one : 0;
    level->server += j->server ? one : 0;
}

void fold_work_add(struct fold_work *w, struct fold_open *open, uint32_t canon)
{
    struct fold_judged *j = &w->judged[canon];

    j->keyed = fold_work_key(w, canon) != 0;
    weigh(&open->level[j->strength], j, canon, 1);
}

void fold_work_drop(struct fold_work *w, struct fold_open *open, uint32_t canon)
{
    const struct fold_judged *j = &w->judged[canon];

    if (open->level[j->strength].count > 0)
        weigh(&open->level[j->strength], j, canon, UINT32_MAX);
}

void fold_work_mark_keyed(struct fold_work *w, struct fold_open *open, uint32_t canon)
{
    struct fold_judged *j = &w->judged[canon];

    if (j->keyed || fold_work_key(w, canon) == 0)
        return;
    j->keyed = true;
    open->level[j->strength].keyed++;
}

void fold_work_chain(struct fold_work *w, struct fold_chain *chain, uint32_t node)
{
    const struct fold_chain one = {node, node};

    w->judged[node].next_open = FOLD_NONE;
    fold_work_chain_all(w, chain, &one);
}

void fold_work_chain_all(struct fold_work *w, struct fold_chain *chain,
                         const struct fold_chain *more)
{
    if (more->first == FOLD_NONE)
        return;
    if (chain->first == FOLD_NONE)
        chain->first = more->first;
    else
        w->judged[chain->last].next_open = more->first;
    chain->last = more->last;
}
