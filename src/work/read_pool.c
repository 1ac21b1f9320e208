/* Read workers. */
#include "work/read_pool.h"

#include <stdlib.h>

#include "base/stats.h"
#include "work/thread.h"

#define MOST_WAITING 1000
#define ARENA_MAX_BYTES                                                                            \
    (512U << 20) /* a trace of 100,000 spans with its attributes, and its answer */

struct worker {
    struct read_pool *pool;
    pthread_t thread;
    struct reader *reader;
    struct arena arena;
};

struct read_pool {
    struct queue *queue;
    struct worker *workers;
    size_t worker_count;
};

static void *run(void *arg)
{
    struct worker *w = arg;
    struct queue_item *item;

    while ((item = queue_pop(w->pool->queue))) {
        struct read_job *job = (struct read_job *)item;

        job->run(job, job->gone(job) ? NULL : w->reader, &w->arena);
        arena_reset(&w->arena);
    }
    return NULL;
}

bool read_pool_submit(struct read_pool *pool, struct read_job *job)
{
    return queue_push(pool->queue, &job->item);
}

void read_pool_stop(struct read_pool *pool)
{
    if (!pool)
        return;
    queue_close(pool->queue);
    for (size_t i = 0; i < pool->worker_count; i++) {
        (void)pthread_join(pool->workers[i].thread, NULL);
        reader_free(pool->workers[i].reader);
        arena_done(&pool->workers[i].arena);
    }
    queue_free(pool->queue);
    free(pool->workers);
    free(pool);
}

static bool start_worker(const struct cfg *cfg, struct worker *w, const char *conninfo,
                         struct err *err)
{
    arena_init(&w->arena, ARENA_MAX_BYTES);
    return reader_new(cfg, conninfo, &w->reader, err) &&
           thread_start(&w->thread, run, w, "a read worker", err);
}

bool read_pool_start(const struct cfg *cfg, const char *conninfo, struct read_pool **out_pool,
                     struct err *err)
{
    struct read_pool *pool = calloc(1, sizeof(*pool));

    if (!pool)
        return err_set(err, ERR_UNAVAILABLE, "no memory for the read pool");
    pool->queue = queue_new(MOST_WAITING, STAT_READ_QUEUE_JOBS, STAT_MAX);
    pool->workers = calloc((size_t)cfg->read_workers, sizeof(*pool->workers));
    if (!pool->queue || !pool->workers) {
        queue_free(pool->queue);
        free(pool->workers);
        free(pool);
        return err_set(err, ERR_UNAVAILABLE, "no memory for the read pool");
    }
    for (int64_t i = 0; i < cfg->read_workers; i++) {
        struct worker *w = &pool->workers[i];
        w->pool = pool;
        if (!start_worker(cfg, w, conninfo, err)) {
            reader_free(w->reader);
            arena_done(&w->arena);
            read_pool_stop(pool);
            return false;
        }
        pool->worker_count++;
    }
    *out_pool = pool;
    return true;
}
