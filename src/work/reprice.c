/*
 * Pricing stored spans anew.
 *
 * DESIGN: one connection holds the locks of a part's traces and writes, another reads them: what was
 * committed before the locks were taken cannot change. The tokens are those that the row has; what
 * the price depends on beside them (host, service tier, images) is read from the attributes again.
 */
#include "work/reprice.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/text.h"
#include "otlp/stored.h"
#include "store/query.h"
#include "work/ingest_meaning.h"

#define PART_TRACES 500
/* Of what one request may take when it is decoded: a part is read with all its content. */
#define PART_SHARES 4
#define PROGRESS_EVERY_NS (2 * NS_PER_S)

struct run {
    const struct reprice_scope *scope;
    struct reprice *reprice;
    struct reader *reader;
    struct prices *prices;
    struct ingest_meaning meaning;
    struct arena arena; /* of one part */
    struct reprice_trace traces[PART_TRACES];
    size_t most_traces; /* of the next part: fewer where one had too much content */
    struct reprice_span *spans;
    size_t count;
    size_t cap;
    int64_t day;
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

    if (!m || !meaning_counts(m) || row->start_unix_ns < s->from_ns ||
        row->start_unix_ns >= s->to_ns || clock_day(row->start_unix_ns) != run->day)
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

static struct reprice_span *add_span(struct run *run, struct err *err)
{
    if (run->count == run->cap) {
        const size_t cap = run->cap ? run->cap * 2 : 4096;
        struct reprice_span *grown = realloc(run->spans, cap * sizeof(*grown));

        if (!grown) {
            (void)!err_set(err, ERR_UNAVAILABLE, "no memory for %zu spans", cap);
            return NULL;
        }
        run->spans = grown;
        run->cap = cap;
    }
    return &run->spans[run->count++];
}

/* The span as it was sent, understood and priced anew. */
static bool price_span(struct run *run, struct stored_span *row, struct otlp_from_stored_memo *memo,
                       struct err *err)
{
    struct reprice_span *out = add_span(run, err);
    struct stored_span fresh = *row;
    struct meaning priced;
    struct span span;

    if (!out || !otlp_from_stored(row, &run->arena, memo, &span, err))
        return false;
    fresh.meaning = NULL;
    if (!ingest_meaning_fill(&run->meaning, &span, &fresh, &run->arena, err))
        return false;
    *out = (struct reprice_span){.row = row, .cost = row->meaning->cost};
    if (!fresh.meaning)
        return true; /* what it was read from has gone */
    /* The columns stay the truth about tokens, also where a later version reads the span otherwise. */
    priced = *fresh.meaning;
    memcpy(priced.usage.tokens, row->meaning->usage.tokens, sizeof(priced.usage.tokens));
    priced.usage.total = row->meaning->usage.total;
    priced.usage.sent = row->meaning->usage.sent;
    ingest_meaning_price(&run->meaning, &span, row, &priced);
    out->cost = priced.cost;
    out->changed = !same_cost(&out->cost, &row->meaning->cost);
    return true;
}

static bool price_trace(struct run *run, const struct reprice_trace *trace, struct err *err)
{
    struct otlp_from_stored_memo memo = {0};
    struct trace_spans spans;

    if (!reader_trace(run->reader, trace->tenant_id, &trace->trace_id, /* full= */ true,
                      &run->arena, &spans, err))
        return false;
    for (size_t i = 0; i < spans.count; i++)
        if (wanted(run, &spans.items[i]) && !price_span(run, &spans.items[i], &memo, err))
            return false;
    return true;
}

static bool price_traces(struct run *run, size_t trace_count, struct err *err)
{
    run->count = 0;
    for (size_t i = 0; i < trace_count; i++)
        if (!price_trace(run, &run->traces[i], err))
            return false;
    return true;
}

static bool too_large(const struct reprice_trace *trace, struct err *err)
{
    char id[2 * sizeof(trace->trace_id.at) + 1] = "";

    text_hex((struct bytes){trace->trace_id.at, sizeof(trace->trace_id.at)}, id);
    return err_set(err, ERR_TOO_LARGE,
                   "trace %.32s has more content than fits into memory: go on with a larger "
                   "--decode-max-bytes",
                   id);
}

/* The next traces, and fewer of them until what was said in them fits into memory. */
static bool price_part(struct run *run, size_t *out_count, struct err *err)
{
    for (;;) {
        arena_reset(&run->arena);
        if (!reprice_next(run->reprice, run->traces, run->most_traces, out_count, &run->day, err))
            return false;
        if (*out_count == 0 || price_traces(run, *out_count, err))
            break;
        if (!run->arena.failed)
            return false;
        if (*out_count == 1)
            return too_large(&run->traces[0], err);
        run->most_traces = *out_count / 2;
        if (!reprice_leave(run->reprice, err))
            return false;
    }
    if (*out_count > 0 && !reprice_apply(run->reprice, run->spans, run->count, err))
        return false;
    if (run->most_traces < PART_TRACES)
        run->most_traces++;
    return true;
}

static bool price_all(struct run *run, reprice_progress_fn *progress, void *arg, struct err *err)
{
    struct reprice_progress done = {.resumed = reprice_resumed(run->reprice)};
    int64_t told_ns = clock_mono_ns();

    for (;;) {
        size_t count;

        if (!price_part(run, &count, err))
            return false;
        if (count == 0)
            return true;
        done.day = run->day;
        done.traces += (int64_t)count;
        done.spans += (int64_t)run->count;
        for (size_t i = 0; i < run->count; i++)
            done.changed += run->spans[i].changed;
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
    struct run *run = calloc(1, sizeof(*run));
    bool done;

    if (!run)
        return err_set(err, ERR_UNAVAILABLE, "no memory for a re-pricing");
    run->scope = scope;
    run->prices = prices;
    run->most_traces = PART_TRACES;
    ingest_meaning_init(&run->meaning);
    run->meaning.prices = prices;
    arena_init(&run->arena, PART_SHARES * (size_t)cfg->decode_max_bytes);
    done = reader_new(cfg, conninfo, &run->reader, err) &&
           reprice_open(db, scope, &run->reprice, err) && price_all(run, progress, arg, err) &&
           reprice_finish(run->reprice, arena, out_sums, out_count, err);
    reprice_free(run->reprice);
    reader_free(run->reader);
    ingest_meaning_done(&run->meaning);
    arena_done(&run->arena);
    free(run->spans);
    free(run);
    return done;
}
