/*
 * Read workers: each holds one read-only database connection and answers jobs one after the other. Reads never wait for writes: they have threads,
 * connections and a queue of their own.
 */
#ifndef WORK_READ_POOL_H
#define WORK_READ_POOL_H

#include "base/arena.h"
#include "base/cfg.h"
#include "store/query.h"
#include "work/queue.h"

struct read_job {
    struct queue_item item;
    bool (*gone)(const struct read_job *job);
    /* Called once, from a worker, with its reader and its arena, which is reset afterwards. reader NULL: nobody waits, only clean up. */
    void (*run)(struct read_job *job, struct reader *reader, struct arena *arena);
};

struct read_pool;

MUST_CHECK bool read_pool_start(const struct cfg *cfg, const char *conninfo,
                                struct read_pool **out_pool, struct err *err);
/* Hands a job over. False: the queue is full or closing, the job stays the caller's. */
bool read_pool_submit(struct read_pool *pool, struct read_job *job);
void read_pool_stop(struct read_pool *pool);

#endif
