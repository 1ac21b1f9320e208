/*
 * Pricing stored spans anew.
 *
 * DESIGN: what a price asks for stands in columns, which are the truth about a span once it is
 * stored; only the host is looked for in the attributes. So no span is read whole or understood
 * again, and what was sent may have gone.
 */
#include "work/reprice.h"

#include <stdlib.h>

#include "base/clock.h"
#include "otlp/stored.h"
#include "work/ingest_meaning.h"

#define MOST_TRIES 10 /* of one part */
#define PROGRESS_EVERY_NS (2 * NS_PER_S)

struct run {
    const struct reprice_scope *scope;
    struct reprice *reprice;
    struct ingest_meaning meaning;
    struct arena arena; /* of one span */
    int64_t day;
    int64_t spans; /* of the part at hand */
    int64_t changed;
};

static uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c;
}

/* '*' stands for any text; everything else for itself, in any case. */
static bool matches(struct bytes pattern, struct bytes text)
{
    size_t p = 0;
    size_t t = 0;
    size_t star = SIZE_MAX;
    size_t resume = 0;

    while (t < text.len) {
        if (p < pattern.len && pattern.at[p] == '*') {
            star = p++;
            resume = t;
        } else if (p < pattern.len && lower(pattern.at[p]) == lower(text.at[t])) {
            p++;
            t++;
        } else if (star != SIZE_MAX) {
            p = star + 1;
            t = ++resume;
        } else {
            return false;
        }
    }
    while (p < pattern.len && pattern.at[p] == '*')
        p++;
    return p == pattern.len;
}

static bool wanted(const struct run *run, const struct stored_span *row)
{
    const struct reprice_scope *s = run->scope;
    const struct meaning *m = row->meaning;

    if (row->start_unix_ns < s->from_ns || row->start_unix_ns >= s->to_ns)
        return false;
    if (s->provider.len > 0 && !bytes_equal(s->provider, m->provider))
        return false;
    return s->model.len == 0 || matches(s->model, m->model) || matches(s->model, m->request_model);
}

static bool same_cost(const struct cost *a, const struct cost *b)
{
    return a->total == b->total && a->source == b->source && a->computed == b->computed &&
           a->request == b->request && a->price_id == b->price_id &&
           memcmp(a->by_kind, b->by_kind, sizeof(a->by_kind)) == 0;
}

/* The attributes as they were sent, where the host may be among them. */
static bool read_attributes(struct run *run, const struct stored_span *row, struct span *out_span,
                            struct err *err)
{
    static const struct stored_resource no_resource = {.attributes = BYTES_CONSTANT("{}")};
    static const struct stored_scope no_scope = {.attributes = BYTES_CONSTANT("{}")};
    struct otlp_from_stored_memo memo = {0};
    struct stored_span whole = *row;

    *out_span = (struct span){0};
    if (row->attributes.len == 0)
        return true;
    whole.resource = &no_resource;
    whole.scope = &no_scope;
    return otlp_from_stored(&whole, &run->arena, &memo, out_span, err);
}

static bool price_span(struct run *run, const struct stored_span *row, struct err *err)
{
    struct meaning priced = *row->meaning;
    struct span span;
    bool changed;

    if (!read_attributes(run, row, &span, err))
        return false;
    ingest_meaning_price(&run->meaning, &span, row, &priced);
    changed = !same_cost(&priced.cost, &row->meaning->cost);
    run->spans++;
    run->changed += changed;
    return reprice_note(run->reprice, row, &priced.cost, changed, err);
}

static bool price_spans(struct run *run, struct err *err)
{
    for (;;) {
        struct stored_span *row;

        arena_reset(&run->arena);
        if (!reprice_read(run->reprice, &run->arena, &row, err))
            return false;
        if (!row)
            return true;
        if (wanted(run, row) && !price_span(run, row, err))
            return false;
    }
}

/* The next traces. A writer may have been in the way: a deadlock, a chunk that was made meanwhile. */
static bool price_part(struct run *run, size_t *out_traces, struct err *err)
{
    for (int tries = 1;; tries++) {
        run->spans = 0;
        run->changed = 0;
        if (reprice_next(run->reprice, out_traces, &run->day, err) &&
            (*out_traces == 0 || (price_spans(run, err) && reprice_apply(run->reprice, err))))
            return true;
        if (err->kind != ERR_CONTENDED || tries == MOST_TRIES || !reprice_leave(run->reprice, err))
            return false;
    }
}

static bool price_all(struct run *run, reprice_progress_fn *progress, void *arg, struct err *err)
{
    struct reprice_progress done = {.resumed = reprice_resumed(run->reprice)};
    int64_t told_ns = clock_mono_ns();

    for (;;) {
        size_t traces;

        if (!price_part(run, &traces, err))
            return false;
        if (traces == 0)
            return true;
        done.day = run->day;
        done.traces += (int64_t)traces;
        done.spans += run->spans;
        done.changed += run->changed;
        if (clock_mono_ns() - told_ns > PROGRESS_EVERY_NS) {
            progress(&done, arg);
            told_ns = clock_mono_ns();
        }
    }
}

bool reprice_run(const struct cfg *cfg, struct db *db, const char *conninfo, struct prices *prices,
                 const struct reprice_scope *scope, reprice_progress_fn *progress, void *arg,
                 struct arena *arena, struct reprice_sum **out_sums, size_t *out_count,
                 struct err *err)
{
    struct run run = {.scope = scope};
    bool done;

    ingest_meaning_init(&run.meaning, cfg);
    run.meaning.prices = prices;
    arena_init(&run.arena, (size_t)cfg->decode_max_bytes);
    done = reprice_open(db, conninfo, scope, &run.reprice, err) &&
           price_all(&run, progress, arg, err) &&
           reprice_finish(run.reprice, arena, out_sums, out_count, err);
    reprice_free(run.reprice);
    ingest_meaning_done(&run.meaning);
    arena_done(&run.arena);
    return done;
}
