/* Ingest workers. */
#include "work/ingest.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/stats.h"
#include "otlp/decode.h"
#include "otlp/stored.h"
#include "store/write.h"
#include "wire/grpc.h"
#include "work/ingest_logs.h"
#include "work/ingest_meaning.h"
#include "work/thread.h"

#define MOST_JOBS 1024 /* of one batch; beside batch_max_spans it bounds what one COMMIT answers */
#define LIGHT_BODY_BYTES ((size_t)8 << 20) /* what a job may take without being heavy: body ... */
#define LIGHT_DECODE_BYTES ((size_t)32 << 20) /* ... and what becomes of it */

/* A job of the batch: which items are its own and what became of it. */
struct slot {
    struct ingest_job *job;
    struct ingest_outcome outcome;
    size_t first_log;
    size_t first_item;
    size_t item_count;
};

struct worker {
    struct ingest *ingest;
    pthread_t thread;
    struct writer *writer;
    struct inflater *inflater;
    struct arena arena;
    struct ingest_meaning meaning;
    struct buf inflated[MOST_JOBS]; /* bodies: spans point into them until the batch is written */
    struct slot slots[MOST_JOBS];
    size_t slot_count;
    size_t inflated_bytes; /* of all of them */
    bool heavy;            /* holds the ingest's lock of that name */
    struct write_item *items;
    const struct span **spans; /* of the items, for their positions in messages; NULL: rejected */
    size_t item_count;
    size_t item_cap;
    struct ingest_logs logs;
};

struct ingest {
    const struct cfg *cfg;
    struct prices_slot *prices;
    struct queue *queue;
    struct seen *seen;
    struct worker *workers;
    size_t worker_count;
    pthread_mutex_t heavy; /* one worker at a time has a job that takes much memory (RF-17) */
};

static bool room_for_items(struct worker *w, size_t more, struct err *err)
{
    size_t cap = w->item_cap ? w->item_cap : 4096;
    struct write_item *items;
    const struct span **spans;

    if (more <= w->item_cap - w->item_count)
        return true;
    while (cap - w->item_count < more)
        cap *= 2;
    items = realloc(w->items, cap * sizeof(*items));
    if (items)
        w->items = items;
    spans = realloc(w->spans, cap * sizeof(*spans));
    if (spans)
        w->spans = spans;
    if (!items || !spans)
        return err_set(err, ERR_UNAVAILABLE, "no memory for %zu spans", cap);
    w->item_cap = cap;
    return true;
}

static void become_heavy(struct worker *w)
{
    if (!w->heavy)
        (void)pthread_mutex_lock(&w->ingest->heavy);
    w->heavy = true;
}

/* A few kilobytes may become the whole limit: each worker has room for a light body, one of them for
 * more. What a bomb wrote up to there is written twice. */
static bool inflate(struct worker *w, enum inflate_coding coding, struct bytes body,
                    struct buf *inflated, struct err *err)
{
    const size_t max_bytes = (size_t)w->ingest->cfg->body_max_bytes;

    buf_init(inflated, max_bytes < LIGHT_BODY_BYTES ? max_bytes : LIGHT_BODY_BYTES);
    if (inflater_run(w->inflater, coding, body, inflated, err))
        return true;
    if (err->kind != ERR_TOO_LARGE || inflated->max == max_bytes)
        return false;
    buf_done(inflated);
    become_heavy(w);
    buf_init(inflated, max_bytes);
    return inflater_run(w->inflater, coding, body, inflated, err);
}

/* The request's message: out of its gRPC frame, out of its compression. */
static bool unwrap(struct worker *w, struct ingest_job *job, struct buf *inflated,
                   struct bytes *out_message, struct err *err)
{
    const size_t max_bytes = (size_t)w->ingest->cfg->body_max_bytes;
    enum inflate_coding coding = job->coding;
    struct bytes body = job->body;

    if (job->grpc) {
        struct grpc_message message;
        if (!grpc_read_unary(body, max_bytes, &message, err))
            return false;
        if (message.compressed && coding == INFLATE_IDENTITY)
            return err_set(err, ERR_INTERNAL, "gRPC message is compressed without grpc-encoding");
        if (!message.compressed)
            coding = INFLATE_IDENTITY;
        body = message.payload;
    }
    if (coding != INFLATE_IDENTITY) {
        if (!inflate(w, coding, body, inflated, err))
            return false;
        body = buf_bytes(inflated);
        w->inflated_bytes += inflated->cap;
    }
    stats_add(STAT_BODY_BYTES_INFLATED, (int64_t)body.len);
    *out_message = body;
    return true;
}

static bool add_items(struct worker *w, struct slot *slot, const struct span_array *spans,
                      const struct otlp_limits *limits, struct otlp_to_stored *maker,
                      struct err *err)
{
    size_t cut = 0;
    struct otlp_early early = {0};

    if (!room_for_items(w, spans->count, err))
        return false;
    for (size_t i = 0; i < spans->count; i++) {
        struct span *span = &spans->items[i];
        struct stored_span *row;

        if (!otlp_check_span(span, &w->arena)) {
            otlp_partial_reject(&slot->outcome.partial, span->resource_index, span->scope_index,
                                span->span_index, span->fault ? span->fault : "span is not valid");
            continue;
        }
        row = arena_alloc(&w->arena, sizeof(*row));
        if (!row)
            return err_set(err, ERR_TOO_LARGE, "request needs more memory than decode_max_bytes");
        if (!otlp_to_stored(maker, span, row, err) ||
            !ingest_meaning_fill(&w->meaning, span, row, &w->arena, err))
            return false;
        w->items[w->item_count] = (struct write_item){.row = row};
        w->spans[w->item_count] = span;
        w->item_count++;
        cut += (span->marks & (SPAN_MARK_TRUNCATED | SPAN_MARK_TOO_DEEP)) != 0;
        otlp_early_look(&early, span->start_unix_nano);
    }
    otlp_partial_early(&slot->outcome.partial, &early);
    otlp_partial_cut(&slot->outcome.partial, cut, limits->max_attributes, limits->max_depth);
    return true;
}

static bool decode_message(struct worker *w, struct slot *slot, struct bytes message,
                           struct err *err)
{
    const struct cfg *cfg = w->ingest->cfg;
    const struct otlp_limits limits = {.max_depth = (uint32_t)cfg->value_max_depth,
                                       .max_attributes = (uint32_t)cfg->span_max_attributes};
    const size_t max_bytes = (size_t)cfg->decode_max_bytes;
    struct otlp_to_stored maker;
    struct span_array spans = {0};

    /* The cap is per request: what the batch holds already does not count against it, nor does the
     * refusal of another. */
    w->arena.failed = false;
    w->arena.max_bytes =
        w->arena.used_bytes +
        (w->heavy || max_bytes < LIGHT_DECODE_BYTES ? max_bytes : LIGHT_DECODE_BYTES);
    if (slot->job->signal == OTLP_LOGS)
        return ingest_logs_decode(&w->logs, message, slot->job->encoding, &limits,
                                  slot->job->tenant_id, slot->job->received_ns, &w->arena,
                                  &slot->outcome, err);
    if (!(slot->job->encoding == OTLP_JSON
              ? otlp_from_json(message, &limits, &w->arena, &spans, err)
              : otlp_from_protobuf(message, &limits, &w->arena, &spans, err)))
        return false;
    w->meaning.project = slot->job->project;
    otlp_to_stored_init(&maker, &w->arena, slot->job->tenant_id, slot->job->received_ns);
    const bool done = add_items(w, slot, &spans, &limits, &maker, err);
    otlp_to_stored_done(&maker);
    return done;
}

/* A request that is refused leaves nothing in the batch, nor memory to those behind it. */
static void take_back(struct worker *w, const struct slot *slot)
{
    w->item_count = slot->first_item;
    w->logs.count = slot->first_log;
    if (w->item_count == 0 && w->logs.count == 0)
        arena_reset(&w->arena);
}

static bool decode(struct worker *w, struct slot *slot, struct buf *inflated, struct err *err)
{
    struct ingest_job *job = slot->job;
    struct bytes message;

    if (job->deadline_mono_ns && clock_mono_ns() > job->deadline_mono_ns)
        return err_set(err, ERR_TIMEOUT, "deadline passed before the request was begun");
    if (!unwrap(w, job, inflated, &message, err))
        return false;
    if (decode_message(w, slot, message, err))
        return true;
    if (err->kind != ERR_TOO_LARGE || w->heavy)
        return false;
    slot->outcome.partial = (struct otlp_partial){0};
    take_back(w, slot);
    become_heavy(w);
    return decode_message(w, slot, message, err);
}

/* Takes a job into the batch; where it cannot be decoded, its items are taken back and it fails alone. */
static void take_job(struct worker *w, struct ingest_job *job)
{
    struct slot *slot = &w->slots[w->slot_count];
    struct buf *inflated = &w->inflated[w->slot_count];
    const size_t inflated_before = w->inflated_bytes;

    *slot = (struct slot){.job = job, .first_log = w->logs.count, .first_item = w->item_count};
    buf_init(inflated, 0);
    w->slot_count++;
    if (job->gone(job))
        slot->outcome.failed = !err_set(&slot->outcome.err, ERR_UNAVAILABLE, "the client has gone");
    else
        slot->outcome.failed = !decode(w, slot, inflated, &slot->outcome.err);
    if (slot->outcome.failed) {
        take_back(w, slot);
        w->inflated_bytes = inflated_before;
        buf_done(inflated);
    }
    slot->item_count = w->item_count - slot->first_item;
}

static struct slot *slot_of(struct worker *w, size_t item)
{
    size_t s = 0;

    while (item - w->slots[s].first_item >= w->slots[s].item_count)
        s++;
    return &w->slots[s];
}

/* Fails the requests of items [first, end). Ranges are written in order, so what lies behind a failure was not written either. */
static void fail_from(struct worker *w, size_t first, size_t end, const struct err *err)
{
    for (size_t i = first; i < end;) {
        struct slot *slot = slot_of(w, i);

        slot->outcome.err = *err;
        slot->outcome.failed = true;
        i = slot->first_item + slot->item_count;
    }
}

/* Where a range of items may be cut so that every request stays whole: the first item of a request in its middle; 0: it is one request. */
static size_t cut_between_requests(struct worker *w, size_t first, size_t count)
{
    const struct slot *head = slot_of(w, first);
    const struct slot *middle = slot_of(w, first + count / 2);

    if (middle != head)
        return middle->first_item - first;
    return head->first_item + head->item_count < first + count
               ? head->first_item + head->item_count - first
               : 0;
}

/*
 * Writes items [first, first + count); where the database refuses a value, halves. The stack of ranges is as deep as the logarithm of the batch.
 * Failed slots are marked; the rest is committed.
 */
static void write_isolated(struct worker *w, size_t first, size_t count)
{
    struct range {
        size_t first;
        size_t count;
    } stack[64] = {{first, count}};
    size_t depth = 1;

    while (depth > 0) {
        const struct range r = stack[--depth];
        struct err err = {0};
        size_t cut;

        if (r.count == 0 || writer_write(w->writer, w->items + r.first, r.count, &err))
            continue;
        cut = err.kind == ERR_BAD_INPUT || err.kind == ERR_TOO_LARGE ? r.count / 2
              : err.kind == ERR_INTERNAL ? cut_between_requests(w, r.first, r.count)
                                         : 0;
        if (cut > 0) {
            stack[depth++] = (struct range){r.first + cut, r.count - cut};
            stack[depth++] = (struct range){r.first, cut};
            continue;
        }
        if (err.kind == ERR_BAD_INPUT) {
            struct slot *slot = slot_of(w, r.first);
            log_limited(LOG_WARN, "ingest", "the database refuses a span, rejected", "cause='%s'",
                        err.text);
            otlp_partial_reject(&slot->outcome.partial, w->spans[r.first]->resource_index,
                                w->spans[r.first]->scope_index, w->spans[r.first]->span_index,
                                "the database refuses a value of this span");
            w->spans[r.first] = NULL;
            continue;
        }
        log_limited(err.kind == ERR_INTERNAL ? LOG_ERROR : LOG_WARN, "ingest",
                    "write failed, senders are told to come again", "kind=%s cause='%s' spans=%zu",
                    err_kind_name(err.kind), err.text, r.count);
        stats_add(STAT_TRANSACTIONS_FAILED, 1);
        if (err.kind != ERR_INTERNAL) {
            fail_from(w, r.first, w->item_count, &err);
            return;
        }
        fail_from(w, r.first, r.first + r.count, &err);
    }
}

static void count_outcomes(const struct worker *w, const struct slot *slot)
{
    static const enum stat by_outcome[] = {[WRITE_NEW] = STAT_SPANS_ACCEPTED,
                                           [WRITE_IDENTICAL] = STAT_SPANS_DUPLICATE,
                                           [WRITE_REPLACED] = STAT_SPANS_REPLACED,
                                           [WRITE_SUPERSEDED] = STAT_SPANS_SUPERSEDED};
    int64_t counts[WRITE_SUPERSEDED + 1] = {0};
    int64_t repaired = 0;

    for (size_t i = slot->first_item; i < slot->first_item + slot->item_count; i++) {
        if (!w->spans[i])
            continue; /* rejected: counted with the slot */
        counts[w->items[i].outcome]++;
        repaired += w->items[i].row->marks != 0;
    }
    for (size_t o = 0; o <= WRITE_SUPERSEDED; o++)
        if (counts[o])
            stats_add(by_outcome[o], counts[o]);
    stats_add(STAT_SPANS_REPAIRED, repaired);
    stats_add(slot->job->signal == OTLP_LOGS ? STAT_LOGS_REJECTED : STAT_SPANS_REJECTED,
              slot->outcome.partial.rejected);
}

/* What the client is told: never the database's own words. */
static void hide_cause(struct err *err)
{
    if (err->kind == ERR_TIMEOUT) /* not DEADLINE_EXCEEDED: that would lack RetryInfo */
        (void)!err_set(err, ERR_UNAVAILABLE, "the database did not answer in time, send again");
    else if (err->kind == ERR_INTERNAL)
        (void)!err_set(err, ERR_INTERNAL, "internal error, see the server's log");
    else
        (void)!err_set(err, ERR_UNAVAILABLE, "the database is not available, send again");
}

static void answer(struct worker *w)
{
    for (size_t s = 0; s < w->slot_count; s++) {
        struct slot *slot = &w->slots[s];

        if (!slot->outcome.failed)
            count_outcomes(w, slot);
        slot->job->done(slot->job, &slot->outcome.partial,
                        slot->outcome.failed ? &slot->outcome.err : NULL);
        buf_done(&w->inflated[s]);
    }
}

static void write_batch(struct worker *w)
{
    bool decoded[MOST_JOBS] = {false};

    for (size_t s = 0; s < w->slot_count; s++)
        decoded[s] = !w->slots[s].outcome.failed;
    if (w->item_count > 0)
        write_isolated(w, 0, w->item_count);
    ingest_logs_write(&w->logs, w->writer);
    for (size_t s = 0; s < w->slot_count; s++)
        if (decoded[s] && w->slots[s].outcome.failed)
            hide_cause(&w->slots[s].outcome.err);
    answer(w);
}

static void *run(void *arg)
{
    struct worker *w = arg;
    struct queue_item *first;

    while ((first = queue_pop(w->ingest->queue))) {
        w->slot_count = 0;
        w->item_count = w->logs.count = 0;
        w->inflated_bytes = 0;
        w->meaning.prices = prices_slot_get(w->ingest->prices);
        take_job(w, (struct ingest_job *)first);
        while (w->slot_count < MOST_JOBS &&
               w->item_count + w->logs.count < (size_t)w->ingest->cfg->batch_max_spans &&
               /* few long spans fill a batch too */
               w->arena.used_bytes + w->inflated_bytes < ARENA_KEEP_BYTES &&
               (first = queue_try_pop(w->ingest->queue)))
            take_job(w, (struct ingest_job *)first);
        write_batch(w);
        prices_unref(w->meaning.prices);
        arena_reset(&w->arena);
        if (w->heavy)
            (void)pthread_mutex_unlock(&w->ingest->heavy);
        w->heavy = false;
    }
    return NULL;
}

bool ingest_submit(struct ingest *ingest, struct ingest_job *job)
{
    return queue_push(ingest->queue, &job->item);
}

static void worker_done(struct worker *w)
{
    writer_free(w->writer);
    inflater_free(w->inflater);
    arena_done(&w->arena);
    ingest_meaning_done(&w->meaning);
    ingest_logs_done(&w->logs);
    free(w->items);
    free(w->spans);
}

void ingest_stop(struct ingest *ingest)
{
    if (!ingest)
        return;
    queue_close(ingest->queue);
    for (size_t i = 0; i < ingest->worker_count; i++) {
        (void)pthread_join(ingest->workers[i].thread, NULL);
        worker_done(&ingest->workers[i]);
    }
    queue_free(ingest->queue);
    seen_free(ingest->seen);
    (void)pthread_mutex_destroy(&ingest->heavy);
    free(ingest->workers);
    free(ingest);
}

static bool start_worker(struct ingest *ingest, struct worker *w, const char *conninfo,
                         struct err *err)
{
    w->ingest = ingest;
    arena_init(&w->arena, (size_t)ingest->cfg->decode_max_bytes);
    ingest_meaning_init(&w->meaning, ingest->cfg);
    w->inflater = inflater_new();
    if (!w->inflater)
        return err_set(err, ERR_UNAVAILABLE, "no memory for an ingest worker");
    return writer_new(ingest->cfg, conninfo, ingest->seen, &w->writer, err) &&
           thread_start(&w->thread, run, w, "an ingest worker", err);
}

bool ingest_start(const struct cfg *cfg, const char *conninfo, struct prices_slot *prices,
                  struct ingest **out_ingest, struct err *err)
{
    struct ingest *ingest = calloc(1, sizeof(*ingest));

    if (!ingest)
        return err_set(err, ERR_UNAVAILABLE, "no memory for ingest");
    ingest->cfg = cfg;
    ingest->prices = prices;
    ingest->heavy = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
    ingest->queue =
        queue_new((size_t)cfg->queue_max_jobs, STAT_INGEST_QUEUE_JOBS, STAT_INGEST_QUEUE_BYTES);
    ingest->seen = seen_new();
    ingest->workers = calloc((size_t)cfg->ingest_workers, sizeof(*ingest->workers));
    if (!ingest->queue || !ingest->seen || !ingest->workers) {
        queue_free(ingest->queue);
        seen_free(ingest->seen);
        free(ingest->workers);
        free(ingest);
        return err_set(err, ERR_UNAVAILABLE, "no memory for ingest");
    }
    for (int64_t i = 0; i < cfg->ingest_workers; i++) {
        if (!start_worker(ingest, &ingest->workers[i], conninfo, err)) {
            worker_done(&ingest->workers[i]);
            ingest_stop(ingest);
            return false;
        }
        ingest->worker_count++;
    }
    *out_ingest = ingest;
    return true;
}
