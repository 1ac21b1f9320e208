/*
 * Which calls a span stands for, decided from the leaves upwards (docs/counting.md).
 *
 * DESIGN: a node sees below it, up to the next agent or tool, the calls that are still open: how
 * many, how strong their numbers are, and their sum, each call once. That is enough to say whether
 * the node repeats them, and it costs the same for any number. Spans with one response id are one
 * call from the start; where two of them come together from different branches, one is taken out of
 * the sum again.
 */
#include "ledger/fold_work.h"

static const struct fold_chain no_chain = {FOLD_NONE, FOLD_NONE};

/* The strongest level at which a call is open; FOLD_STRENGTHS: none is. */
static unsigned strongest(const struct fold_open *open)
{
    for (unsigned i = FOLD_STRENGTHS; i-- > 0;)
        if (open->level[i].count > 0)
            return i;
    return FOLD_STRENGTHS;
}

/* The one call of a level, or FOLD_NONE. */
static uint32_t only_call(const struct fold_work *w, const struct fold_level *level)
{
    if (level->count != 1 || level->canons >= w->tree.count)
        return FOLD_NONE;
    return (uint32_t)level->canons;
}

static void stand_alone(struct fold_work *w, uint32_t node)
{
    struct fold_judged *j = &w->judged[node];

    fold_work_add(w, &w->open[node], j->canon);
    fold_work_chain(w, &w->open[node].calls, node);
    j->stands = j->canon;
}

static void stand_for_several(struct fold_work *w, uint32_t node)
{
    struct fold_judged *j = &w->judged[node];

    j->several = true;
    j->mute = true;
    j->stands = FOLD_NONE;
}

/* The node and the call below it are one. A key of the node's own brings its weight with it: other
 * branches with this key will be set off against it. */
static void stand_for(struct fold_work *w, uint32_t node, uint32_t call)
{
    struct fold_judged *j = &w->judged[node];
    struct fold_open *open = &w->open[node];
    const bool own_key = fold_work_span(w, node)->response_key != 0;
    const bool known = fold_work_root(w, node) == fold_work_root(w, call);

    fold_work_join(w, node, call);
    if (!own_key || known) {
        j->stands = call;
        return;
    }
    if (w->judged[j->canon].strength >= w->judged[call].strength) {
        fold_work_drop(w, open, call);
        j->stands = j->canon;
    } else {
        fold_work_mark_keyed(w, open, call);
        j->stands = call;
    }
    fold_work_add(w, open, j->canon);
}

/* The class that all open calls are in, as far as they may be the node's call; FOLD_NONE: several.
 */
static uint32_t only_class(const struct fold_work *w, uint32_t node)
{
    uint32_t only = FOLD_NONE;

    for (uint32_t at = w->open[node].calls.first; at != FOLD_NONE; at = w->judged[at].next_open) {
        const uint32_t root = fold_work_root(w, at);

        if (!fold_work_may_join(w, node, at) || root == only)
            continue;
        if (only != FOLD_NONE)
            return FOLD_NONE;
        only = root;
    }
    return only;
}

/* Calls below that know less than the node are what the node saw, too. */
static void absorb(struct fold_work *w, uint32_t node)
{
    struct fold_open *open = &w->open[node];
    const uint32_t only = only_class(w, node);

    if (only != FOLD_NONE)
        fold_work_join(w, node, only);
    else
        for (uint32_t at = open->calls.first; at != FOLD_NONE; at = w->judged[at].next_open) {
            const uint32_t root = fold_work_root(w, at);

            if (fold_work_may_join(w, node, at) && root != fold_work_root(w, node) &&
                node < w->judged[root].absorber)
                w->judged[root].absorber = node;
        }
    open->calls = no_chain;
}

static bool sums_to(const struct fold_level *level, const struct fold_size *size)
{
    const struct fold_size sum = {level->in, level->out, level->total};

    return fold_rank_same_size(&sum, size);
}

/* A client span over the parts that the provider's server wrote: the client knows the whole. */
static bool is_client_of_parts(const struct fold_span *span, const struct fold_level *level,
                               bool key_below)
{
    const struct fold_size size = fold_rank_size(span);

    return (span->flags & MEANING_SERVER) == 0 && level->count > 1 &&
           level->server == level->count && (key_below || sums_to(level, &size));
}

static bool may_repeat(const struct fold_work *w, uint32_t node, const struct fold_level *level,
                       bool all)
{
    const uint32_t only = only_call(w, level);

    if (fold_work_key(w, node) == 0)
        return true;
    if (only != FOLD_NONE)
        return fold_work_may_join(w, node, only);
    return all ? level->keyed == 0 : level->keyed < level->count;
}

static void repeat(struct fold_work *w, uint32_t node, const struct fold_level *level)
{
    const uint32_t only = only_call(w, level);

    if (only != FOLD_NONE)
        stand_for(w, node, only);
    else
        stand_for_several(w, node);
}

/* A call over others whose response ids say nothing. */
static void judge_by_numbers(struct fold_work *w, uint32_t node, unsigned top)
{
    const struct fold_span *span = fold_work_span(w, node);
    const unsigned own = fold_rank_strength(span);
    const struct fold_size size = fold_rank_size(span);
    struct fold_open *open = &w->open[node];
    const struct fold_level *level = &open->level[top];

    if (own > top) {
        absorb(w, node);
        stand_alone(w, node);
    } else if (own != FOLD_KNOWN) { /* nothing to compare: guesses differ from each other */
        if (may_repeat(w, node, level, false))
            repeat(w, node, level);
        else
            stand_alone(w, node);
    } else if (may_repeat(w, node, level, true) && sums_to(level, &size)) {
        repeat(w, node, level);
    } else {
        stand_alone(w, node);
    }
}

/* The same response id further down: the same call; with others beside it, it is their sum unless
 * its numbers are those of the one. */
static void judge_by_key(struct fold_work *w, uint32_t node, unsigned top)
{
    struct fold_judged *j = &w->judged[node];
    const struct fold_span *span = fold_work_span(w, node);
    const struct fold_size size = fold_rank_size(span);
    const uint32_t only =
        top == FOLD_STRENGTHS ? FOLD_NONE : only_call(w, &w->open[node].level[top]);

    j->stands = j->canon;
    if (only != FOLD_NONE && fold_work_may_join(w, node, only)) {
        fold_work_join(w, node, only);
        if (w->judged[only].strength > w->judged[j->canon].strength)
            j->stands = only;
    }
    if (fold_rank_strength(span) == FOLD_KNOWN &&
        !fold_rank_same_size(&size, &w->judged[j->stands].size))
        j->stands = FOLD_NONE;
}

/* Usage of spans below a call that are no calls: a repeat of it or a part. */
static void judge_containers(struct fold_work *w, uint32_t node, bool wraps)
{
    const struct fold_span *span = fold_work_span(w, node);
    const struct fold_size size = fold_rank_size(span);
    struct fold_chain *chain = &w->open[node].containers;

    for (uint32_t at = chain->first; at != FOLD_NONE; at = w->judged[at].next_open) {
        const struct fold_size part = fold_rank_size(fold_work_span(w, at));
        const bool same = fold_rank_same_size(&part, &size);
        const bool within = part.in <= size.in && part.out <= size.out && part.total <= size.total;

        if (!same && (!within || wraps || !fold_work_may_join(w, node, at)))
            continue;
        if (same && fold_work_may_join(w, node, at))
            fold_work_join(w, node, at);
        w->judged[at].several = true;
        w->judged[at].stands = node;
    }
    *chain = no_chain;
}

static void judge_call(struct fold_work *w, uint32_t node)
{
    struct fold_judged *j = &w->judged[node];
    struct fold_open *open = &w->open[node];
    const struct fold_span *span = fold_work_span(w, node);
    const unsigned top = strongest(open);
    const bool key_below =
        j->next_same != FOLD_NONE && fold_tree_below(&w->tree, node, j->next_same);
    const bool known = fold_rank_strength(span) == FOLD_KNOWN;

    if (known && top == FOLD_KNOWN && is_client_of_parts(span, &open->level[top], key_below)) {
        absorb(w, node);
        open->level[top] = (struct fold_level){0};
        stand_alone(w, node);
    } else if (key_below) {
        judge_by_key(w, node, top);
    } else if (top != FOLD_STRENGTHS) {
        judge_by_numbers(w, node, top);
    } else if (!known && open->containers.first != FOLD_NONE) {
        stand_for_several(w, node);
    } else {
        stand_alone(w, node);
    }
    if (known)
        judge_containers(w, node, open->calls.last != node);
}

static void judge_container(struct fold_work *w, uint32_t node)
{
    struct fold_open *open = &w->open[node];
    const unsigned top = strongest(open);
    const struct fold_size size = fold_rank_size(fold_work_span(w, node));
    uint32_t only;

    if (!w->judged[node].counted_below) {
        fold_work_chain(w, &open->containers, node);
        return;
    }
    /* Its response id serves the one call that it sums up. */
    if (top != FOLD_KNOWN || fold_work_key(w, node) == 0 || !sums_to(&open->level[top], &size))
        return;
    only = only_call(w, &open->level[top]);
    if (only == FOLD_NONE || !fold_work_may_join(w, node, only))
        return;
    fold_work_join(w, node, only);
    fold_work_mark_keyed(w, open, only);
}

/* What two branches both brought under one response id is counted once. */
static void set_off(struct fold_work *w, uint32_t node)
{
    for (uint32_t at = w->judged[node].meet; at != FOLD_NONE; at = w->judged[at].meet_next) {
        const uint32_t other = w->judged[at].next_same;
        struct fold_open *open = &w->open[node];
        const uint32_t canon = w->judged[at].canon;

        if (!w->judged[at].mute && !w->judged[other].mute &&
            open->level[w->judged[canon].strength].count > 1)
            fold_work_drop(w, open, canon);
    }
}

static void hand_up(struct fold_work *w, uint32_t node)
{
    const struct fold_judged *j = &w->judged[node];
    const uint32_t parent = w->tree.nodes[node].parent;
    const struct fold_open *from = &w->open[node];
    const bool counts =
        j->role == FOLD_CALL || j->role == FOLD_CONTAINER ||
        (j->role == FOLD_FLAGGED && (fold_work_span(w, node)->flags & MEANING_PENDING) == 0);
    struct fold_open *to;

    if (parent == FOLD_NONE)
        return;
    w->judged[parent].counted_below |= counts || j->counted_below;
    if (w->tree.nodes[node].zone == node)
        return;
    to = &w->open[parent];
    for (unsigned i = 0; i < FOLD_STRENGTHS; i++) {
        to->level[i].in += from->level[i].in;
        to->level[i].out += from->level[i].out;
        to->level[i].total += from->level[i].total;
        to->level[i].canons += from->level[i].canons;
        to->level[i].count += from->level[i].count;
        to->level[i].keyed += from->level[i].keyed;
        to->level[i].server += from->level[i].server;
    }
    fold_work_chain_all(w, &to->calls, &from->calls);
    fold_work_chain_all(w, &to->containers, &from->containers);
}

static void judge_siblings(struct fold_work *w, uint32_t node)
{
    const struct fold_node *nodes = w->tree.nodes;
    uint32_t count = 0;

    if (w->judged[node].call_children < 2)
        return;
    for (uint32_t c = node + 1; c < node + nodes[node].size; c += nodes[c].size)
        if (w->judged[c].role == FOLD_CALL)
            w->list[count++] = c;
    fold_beside(w, w->list, count, &w->open[node]);
}

void fold_judge(struct fold_work *w, uint32_t node)
{
    set_off(w, node);
    judge_siblings(w, node);
    if (w->judged[node].role == FOLD_CALL)
        judge_call(w, node);
    else if (w->judged[node].role == FOLD_CONTAINER)
        judge_container(w, node);
    hand_up(w, node);
}
