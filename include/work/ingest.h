/*
 * Ingest workers: export requests to committed spans and log records.
 *
 * DESIGN: edge submits jobs from the io thread; each worker takes every job that waits, up to a limit of spans, decodes them, writes all in one transaction
 * (group commit without a timer) and calls each job's `done` after COMMIT. A job belongs to the workers from submit to done. One bad request
 * never fails its neighbours: where PostgreSQL refuses a value, the batch is halved until the span is found, which is rejected alone.
 */
#ifndef WORK_INGEST_H
#define WORK_INGEST_H

#include "base/cfg.h"
#include "ledger/prices.h"
#include "otlp/reply.h"
#include "wire/inflate.h"
#include "work/queue.h"

struct ingest_job {
    struct queue_item item; /* bytes: of the body */
    struct bytes body;      /* borrowed until done */
    enum inflate_coding coding;
    enum otlp_encoding encoding;
    enum otlp_signal signal;
    bool grpc; /* body has the five-byte prefix; coding is what the prefix's flag stands for */
    int32_t tenant_id;
    struct bytes project; /* of spans that name none; borrowed until done; empty: none */
    int64_t received_ns;
    int64_t deadline_mono_ns; /* 0: none */
    /* Whether nobody waits for the answer: asked before work is begun. */
    bool (*gone)(const struct ingest_job *job);
    /* Called once, from a worker. err NULL: committed (partial may hold rejections); else nothing of the request can be relied upon. */
    void (*done)(struct ingest_job *job, const struct otlp_partial *partial, const struct err *err);
};

struct ingest;

/* Makes the workers; they connect to the database at their first job. prices: where they get the list for each batch. */
MUST_CHECK bool ingest_start(const struct cfg *cfg, const char *conninfo,
                             struct prices_slot *prices, struct ingest **out_ingest,
                             struct err *err);

/* Hands a job over. False: the queue is full or closing, the job stays the caller's. */
bool ingest_submit(struct ingest *ingest, struct ingest_job *job);

/* Finishes what was submitted, then ends the threads and frees. */
void ingest_stop(struct ingest *ingest);

#endif
