/*
 * write: the write path without wire: threads that decode requests, make rows and write them in transactions, as
 * ingest workers do. What the HTTP side costs is the difference to an ingest run.
 */
#include <getopt.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "base/arena.h"
#include "base/clock.h"
#include "otlp/decode.h"
#include "otlp/stored.h"
#include "store/migrate.h"
#include "store/write.h"
#include "support/figures.h"
#include "support/traffic.h"
#include "work/ingest_meaning.h"

#define ARENA_BYTES ((size_t)1 << 30)
#define MAX_THREADS 16

struct worker {
    const struct cfg *cfg;
    struct seen *seen;
    struct traffic_shape shape;
    size_t transactions;
    size_t requests; /* of one transaction */
    double twice;
    uint64_t seed;
    pthread_t thread;
    int64_t decode_ns;
    int64_t write_ns;
    struct figures commits;
};

static void fail(const struct err *err)
{
    (void)fprintf(stderr, "write: %s\n", err->text);
    exit(2);
}

static size_t add(struct arena *arena, struct ingest_meaning *meaning, struct bytes body,
                  struct write_item *items)
{
    static const struct otlp_limits limits = {.max_depth = 64, .max_attributes = 10000};
    struct err err = {0};
    struct span_array spans = {0};
    struct otlp_to_stored maker;

    if (!otlp_from_protobuf(body, &limits, arena, &spans, &err))
        fail(&err);
    otlp_to_stored_init(&maker, arena, TENANT_DEFAULT, clock_wall_ns());
    for (size_t i = 0; i < spans.count; i++) {
        struct stored_span *row = arena_new(arena, struct stored_span);
        if (row == NULL || !otlp_check_span(&spans.items[i], arena) ||
            !otlp_to_stored(&maker, &spans.items[i], row, &err) ||
            !ingest_meaning_fill(meaning, &spans.items[i], row, arena, &err))
            fail(&err);
        items[i] = (struct write_item){.row = row};
    }
    otlp_to_stored_done(&maker);
    return spans.count;
}

static void *work(void *arg)
{
    struct worker *w = arg;
    struct err err = {0};
    struct arena arena;
    struct ingest_meaning meaning;
    struct writer *writer = NULL;
    struct traffic_body *bodies = calloc(w->requests, sizeof(*bodies));
    struct write_item *items = calloc(w->requests * w->shape.spans, sizeof(*items));

    arena_init(&arena, ARENA_BYTES);
    ingest_meaning_init(&meaning, NULL);
    if (!prices_embedded(&meaning.prices, &err))
        fail(&err);
    if (bodies == NULL || items == NULL ||
        !writer_new(w->cfg, w->cfg->db, w->seen, &writer, &err) || !writer_connect(writer, &err))
        fail(&err);
    for (size_t i = 0; i < w->requests; i++)
        traffic_build(&w->shape, &w->seed, (uint32_t)i, &bodies[i]);
    for (size_t t = 0; t < w->transactions; t++) {
        const int64_t start_ns = clock_mono_ns();
        size_t count = 0;
        for (size_t i = 0; i < w->requests; i++) {
            (void)traffic_renew(&w->shape, &w->seed, w->twice, &bodies[i]);
            bodies[i].acknowledged = true;
            count += add(&arena, &meaning, buf_bytes(&bodies[i].bytes), items + count);
        }
        const int64_t decoded_ns = clock_mono_ns();
        if (!writer_write(writer, items, count, &err))
            fail(&err);
        const int64_t written_ns = clock_mono_ns();
        w->decode_ns += decoded_ns - start_ns;
        w->write_ns += written_ns - decoded_ns;
        figures_add(&w->commits, written_ns - decoded_ns);
        arena_reset(&arena);
    }
    writer_free(writer);
    arena_done(&arena);
    prices_unref(meaning.prices);
    ingest_meaning_done(&meaning);
    for (size_t i = 0; i < w->requests; i++)
        traffic_done(&bodies[i]);
    free(bodies);
    free(items);
    return NULL;
}

static void migrate(const struct cfg *cfg)
{
    struct err err = {0};
    struct db db = {0};
    int applied = 0;

    if (!db_open(&db, cfg->db, DB_ADMIN, 0, &err) || !migrate_run(&db, cfg, &applied, &err))
        fail(&err);
    db_close(&db);
}

static void print(struct worker *workers, size_t threads, double seconds)
{
    struct figures commits = {0};
    struct rusage used;
    double spans = 0;
    double decode_ns = 0;
    double write_ns = 0;

    for (size_t i = 0; i < threads; i++) {
        const struct worker *w = &workers[i];
        spans += (double)(w->transactions * w->requests * w->shape.spans);
        decode_ns += (double)w->decode_ns;
        write_ns += (double)w->write_ns;
        for (size_t k = 0; k < w->commits.count; k++)
            figures_add(&commits, w->commits.items[k]);
    }
    (void)getrusage(RUSAGE_SELF, &used);
    const double cpu_us = (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1e6 +
                          (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec);
    (void)printf("threads %zu spans %.0f seconds %.2f spans_per_s %.0f cpu_us_per_span %.2f "
                 "decode_ns_per_span %.0f write_ns_per_span %.0f",
                 threads, spans, seconds, spans / seconds, cpu_us / spans, decode_ns / spans,
                 write_ns / spans);
    figures_print(&commits);
    (void)printf(" best_ms %.3f p10_ms %.3f\n", figures_ms(&commits, 0), figures_ms(&commits, 0.1));
    figures_done(&commits);
}

int main(int argc, char *argv[])
{
    struct worker model = {.transactions = 50,
                           .requests = 8,
                           .seed = (uint64_t)clock_wall_ns(),
                           .shape = {.spans = 500,
                                     .spans_per_trace = 10,
                                     .message_bytes = 400,
                                     .services = 8,
                                     .spread_s = 60}};
    static const char *const own[] = {"threads", "transactions", "requests", "twice", NULL};
    struct worker workers[MAX_THREADS];
    size_t threads = 2;
    struct cfg cfg;
    struct err err = {0};
    int rest = 0;

    if (!cfg_load(&cfg, argc - 1, argv + 1, own, &rest, &err))
        fail(&err);
    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--threads") == 0)
            threads = (size_t)figures_number(argv[i], argv[i + 1]);
        else if (strcmp(argv[i], "--transactions") == 0)
            model.transactions = (size_t)figures_number(argv[i], argv[i + 1]);
        else if (strcmp(argv[i], "--requests") == 0)
            model.requests = (size_t)figures_number(argv[i], argv[i + 1]);
        else if (strcmp(argv[i], "--twice") == 0)
            model.twice = figures_number(argv[i], argv[i + 1]);
    }
    if (threads == 0 || threads > MAX_THREADS)
        return 2;
    migrate(&cfg);
    model.cfg = &cfg;
    model.seen = seen_new();
    const int64_t start_ns = clock_mono_ns();
    for (size_t i = 0; i < threads; i++) {
        workers[i] = model;
        workers[i].seed += i * 7919;
        if (pthread_create(&workers[i].thread, NULL, work, &workers[i]) != 0)
            return 2;
    }
    for (size_t i = 0; i < threads; i++)
        (void)pthread_join(workers[i].thread, NULL);
    print(workers, threads, (double)(clock_mono_ns() - start_ns) / 1e9);
    for (size_t i = 0; i < threads; i++)
        figures_done(&workers[i].commits);
    seen_free(model.seen);
    cfg_done(&cfg);
    return 0;
}
