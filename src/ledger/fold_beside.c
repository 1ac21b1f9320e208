/*
 * Siblings that two instrumentations wrote about the same calls (docs/counting.md).
 *
 * DESIGN: calls below one parent, in order of start, gather in clusters; a cluster is one call and
 * holds at most one span of each instrumentation, so that three calls seen twice stay three. First
 * those with one response id are together, then the ends of streams with what began them, then those
 * with equal numbers find each other, then those that know no numbers.
 */
#include "ledger/fold_work.h"

#define MOST_SCOPES 4
/* How far back a span looks for its like. Calls that run side by side by the hundred below one
 * parent, all with the same numbers, are told apart by nothing else anyway. */
#define MOST_LOOKED_AT 64
/* Clocks of two libraries: JavaScript's has milliseconds. */
#define CLOCK_SLACK_NS INT64_C(1000000)

struct cluster {
    uint32_t lead; /* its earliest span */
    uint32_t scope_count;
    uint32_t below; /* the one under it on the stack of streams that have no end yet */
    uint64_t scopes[MOST_SCOPES];
};

size_t fold_beside_bytes(void)
{
    return sizeof(struct cluster);
}

static bool same_model(const struct fold_span *a, const struct fold_span *b, bool must_be_known)
{
    if (a->model_key == 0 || b->model_key == 0)
        return !must_be_known;
    return a->model_key == b->model_key || a->model_key == b->request_model_key ||
           a->request_model_key == b->model_key;
}

static int64_t end_of(const struct fold_span *span)
{
    int64_t end;

    if (span->duration_ns < 0 || __builtin_add_overflow(span->start_ns, span->duration_ns, &end))
        return span->duration_ns < 0 ? span->start_ns : INT64_MAX;
    return end;
}

static int64_t slack_before(int64_t time_ns)
{
    return time_ns < INT64_MIN + CLOCK_SLACK_NS ? INT64_MIN : time_ns - CLOCK_SLACK_NS;
}

static bool lies_in(const struct fold_span *inner, const struct fold_span *outer)
{
    return inner->start_ns >= slack_before(outer->start_ns) &&
           slack_before(end_of(inner)) <= end_of(outer);
}

static bool has_scope(const struct cluster *c, uint64_t scope)
{
    for (uint32_t i = 0; i < c->scope_count; i++)
        if (c->scopes[i] == scope)
            return true;
    return false;
}

static bool share_scope(const struct cluster *a, const struct cluster *b)
{
    for (uint32_t i = 0; i < a->scope_count; i++)
        if (has_scope(b, a->scopes[i]))
            return true;
    return a->scope_count + b->scope_count > MOST_SCOPES;
}

/* What is known of the call that a node stands for: by the node itself, or by spans below it. */
static enum fold_strength strength_of(const struct fold_work *w, uint32_t node)
{
    const enum fold_strength own = fold_rank_strength(fold_work_span(w, node));
    const uint32_t call = w->judged[node].stands;

    return call != FOLD_NONE && w->judged[call].strength > own ? w->judged[call].strength : own;
}

static struct fold_size size_of(const struct fold_work *w, uint32_t node)
{
    const struct fold_span *span = fold_work_span(w, node);
    const uint32_t call = w->judged[node].stands;

    if (call == FOLD_NONE || fold_rank_strength(span) == FOLD_KNOWN)
        return fold_rank_size(span);
    return w->judged[call].size;
}

/* equal: both know the numbers, and they are the same, or none does; else one knows more than the
 * other, and the model has to speak for them. */
static bool fits(const struct fold_work *w, uint32_t a, uint32_t b, bool equal)
{
    const struct fold_span *left = fold_work_span(w, a);
    const struct fold_span *right = fold_work_span(w, b);
    const enum fold_strength strength = strength_of(w, a);
    const bool as_strong = strength == strength_of(w, b);

    if (left->observation != right->observation || as_strong != equal ||
        !same_model(left, right, !equal || strength == FOLD_GUESSED) ||
        (!lies_in(left, right) && !lies_in(right, left)) || !fold_work_may_join(w, a, b))
        return false;
    if (equal && strength == FOLD_KNOWN) {
        const struct fold_size left_size = size_of(w, a);
        const struct fold_size right_size = size_of(w, b);

        return fold_rank_same_size(&left_size, &right_size);
    }
    return true;
}

/* Two spans of one call: it stands in the parent's sum once. */
static void set_off(struct fold_work *w, struct fold_open *open, uint32_t a, uint32_t b)
{
    const struct fold_judged *j = w->judged;
    const bool drop_a = j[a].keyed != j[b].keyed ? j[b].keyed : j[a].strength < j[b].strength;
    const uint32_t drop = drop_a ? a : b;
    const uint32_t keep = drop_a ? b : a;

    if (a == b || !open)
        return;
    if (j[drop].strength <= j[keep].strength)
        fold_work_drop(w, open, drop);
    else
        fold_work_mark_keyed(w, open, drop);
    fold_work_mark_keyed(w, open, keep);
}

static void merge(struct fold_work *w, struct fold_open *open, uint32_t a, uint32_t b)
{
    struct fold_judged *j = w->judged;
    const uint32_t several = j[a].stands == FOLD_NONE ? a : b;
    const uint32_t one = several == a ? b : a;

    if (j[a].stands != FOLD_NONE && j[b].stands != FOLD_NONE) {
        const bool known = fold_work_root(w, a) == fold_work_root(w, b);

        fold_work_join(w, a, b);
        if (!known)
            set_off(w, open, j[a].stands, j[b].stands);
    } else if (j[one].stands == one && j[one].key == 0 && j[one].up == one) {
        /* A sum over calls, seen a second time by somebody who did not see the calls. */
        j[one].absorber = several;
        j[one].stands = FOLD_NONE;
        if (open)
            fold_work_drop(w, open, one);
    }
}

/* One cluster for each response id, and for each span that has none. */
static uint32_t make_clusters(struct fold_work *w, const uint32_t *siblings, uint32_t count)
{
    struct cluster *clusters = w->clusters;
    uint32_t made = 0;

    for (uint32_t i = 0; i < count; i++) {
        const uint64_t scope = fold_work_span(w, siblings[i])->scope_key;
        struct fold_judged *root = &w->judged[fold_work_root(w, siblings[i])];

        if (root->key != 0 && root->target != FOLD_NONE) {
            struct cluster *c = &clusters[root->target];

            if (!has_scope(c, scope) && c->scope_count < MOST_SCOPES)
                c->scopes[c->scope_count++] = scope;
            continue;
        }
        root->target = made; /* until all are made */
        clusters[made++] =
            (struct cluster){.lead = siblings[i], .scope_count = 1, .scopes = {scope}};
    }
    for (uint32_t i = 0; i < count; i++)
        w->judged[fold_work_root(w, siblings[i])].target = FOLD_NONE;
    return made;
}

static void take_in(struct fold_work *w, struct cluster *taker, struct cluster *taken,
                    struct fold_open *open)
{
    memcpy(taker->scopes + taker->scope_count, taken->scopes,
           taken->scope_count * sizeof(taken->scopes[0]));
    taker->scope_count += taken->scope_count;
    taken->scope_count = 0;
    merge(w, open, taker->lead, taken->lead);
}

static bool ends_stream(const struct fold_span *span)
{
    return (span->flags & MEANING_STREAM_END) != 0;
}

/* Takes the newest stream that this may be the end of from the stack; FOLD_NONE: none. */
static uint32_t begun_by(struct fold_work *w, uint32_t end, uint32_t *top)
{
    struct cluster *clusters = w->clusters;
    const struct fold_span *log = fold_work_span(w, clusters[end].lead);
    uint32_t *link = top;

    for (uint32_t i = 0; *link != FOLD_NONE && i < MOST_LOOKED_AT; i++) {
        const uint32_t at = *link;
        const struct fold_span *request = fold_work_span(w, clusters[at].lead);

        if (request->scope_key == log->scope_key && request->observation == log->observation &&
            same_model(request, log, true) &&
            fold_work_may_join(w, clusters[at].lead, clusters[end].lead)) {
            *link = clusters[at].below;
            return at;
        }
        link = &clusters[at].below;
    }
    return FOLD_NONE;
}

/* The end of a stream is the same call as what began it: one of its own instrumentation that knows
 * no numbers itself, the newest before it whose end has not come. */
static void gather_streams(struct fold_work *w, uint32_t count, struct fold_open *open)
{
    struct cluster *clusters = w->clusters;
    uint32_t top = FOLD_NONE;

    for (uint32_t i = 0; i < count; i++) {
        struct cluster *c = &clusters[i];

        if (ends_stream(fold_work_span(w, c->lead))) {
            const uint32_t begun = begun_by(w, i, &top);

            if (begun != FOLD_NONE) {
                c->scope_count = 0;
                merge(w, open, clusters[begun].lead, c->lead);
            }
        } else if (fold_rank_strength(fold_work_span(w, c->lead)) == FOLD_SILENT) {
            c->below = top;
            top = i;
        }
    }
}

/* Each cluster goes into the nearest before it that has the same numbers. */
static void gather(struct fold_work *w, uint32_t count, struct fold_open *open)
{
    struct cluster *clusters = w->clusters;

    for (uint32_t i = 1; i < count; i++) {
        const uint32_t until = i > MOST_LOOKED_AT ? i - MOST_LOOKED_AT : 0;

        for (uint32_t k = i; k > until; k--) {
            struct cluster *c = &clusters[k - 1];

            if (c->scope_count > 0 && !share_scope(c, &clusters[i]) &&
                fits(w, c->lead, clusters[i].lead, true)) {
                take_in(w, c, &clusters[i], open);
                break;
            }
        }
    }
}

/* Takes the cluster that knows less into the nearest that knows more. */
static void gather_unknown(struct fold_work *w, uint32_t count, struct fold_open *open)
{
    struct cluster *clusters = w->clusters;

    for (uint32_t i = 0; i < count; i++) {
        struct cluster *c = &clusters[i];
        const uint32_t from = i > MOST_LOOKED_AT ? i - MOST_LOOKED_AT : 0;
        const uint32_t until = count - i > MOST_LOOKED_AT ? i + MOST_LOOKED_AT : count;

        if (c->scope_count == 0 || strength_of(w, c->lead) == FOLD_KNOWN)
            continue;
        for (uint32_t k = from; k < until; k++) {
            struct cluster *other = &clusters[k];

            if (k == i || other->scope_count == 0 || share_scope(c, other) ||
                strength_of(w, other->lead) <= strength_of(w, c->lead) ||
                !fits(w, c->lead, other->lead, false))
                continue;
            take_in(w, other, c, open);
            break;
        }
    }
}

static bool may_repeat(const struct fold_work *w, const uint32_t *siblings, uint32_t count)
{
    for (uint32_t i = 1; i < count; i++)
        if (fold_work_span(w, siblings[i])->scope_key !=
                fold_work_span(w, siblings[0])->scope_key ||
            ends_stream(fold_work_span(w, siblings[i])))
            return true;
    return false;
}

void fold_beside(struct fold_work *w, const uint32_t *siblings, uint32_t count,
                 struct fold_open *open)
{
    uint32_t made;

    if (count < 2 || !may_repeat(w, siblings, count))
        return;
    made = make_clusters(w, siblings, count);
    gather_streams(w, made, open);
    gather(w, made, open);
    gather_unknown(w, made, open);
}
