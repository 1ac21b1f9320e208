/* Writing spans: one transaction per batch (docs/architecture.md). */
#ifndef STORE_WRITE_H
#define STORE_WRITE_H

#include "base/cfg.h"
#include "model/log.h"
#include "store/seen.h"

struct writer; /* one per ingest worker: a connection, prepared statements, memory of keys and
                  shared rows */

/* What became of a span of the batch. */
enum write_outcome {
    WRITE_NEW,        /* no span was there under its key */
    WRITE_IDENTICAL,  /* it was there: nothing changed */
    WRITE_REPLACED,   /* another version was there and lost */
    WRITE_SUPERSEDED, /* another version was there and stands; this one is counted */
};

struct write_item {
    struct stored_span *row;
    enum write_outcome outcome; /* set by writer_write on success */
    uint64_t old_response_key;  /* of the version that was replaced; 0: none. The writer's own */
};

/* cfg and seen are borrowed until writer_free. Does not connect. Fails with ERR_UNAVAILABLE (memory). */
MUST_CHECK bool writer_new(const struct cfg *cfg, const char *conninfo, struct seen *seen,
                           struct writer **out_writer, struct err *err);
void writer_free(struct writer *writer);

/*
 * Writes all items in one transaction and returns after COMMIT. Opens the connection when it is not
 * open; makes missing chunks; retries deadlocks and serialization failures a few times itself.
 * Fails with ERR_UNAVAILABLE or ERR_TIMEOUT (nothing of the batch is there, or — connection lost
 * during COMMIT — perhaps all of it: a re-send changes nothing then), ERR_BAD_INPUT (PostgreSQL
 * refuses a value) and ERR_TOO_LARGE (several spans whose rows are too much at once), where the
 * caller bisects, ERR_INTERNAL. A login that is refused is ERR_UNAVAILABLE
 * too: the spans are not to blame.
 */
MUST_CHECK bool writer_write(struct writer *writer, struct write_item *items, size_t count,
                             struct err *err);

/* A log record of the batch. */
struct log_item {
    const struct stored_log *row;
    uint32_t position; /* in its request */
    bool refused;      /* set on success: its trace has as many as it may */
};

/* Writes log records in one transaction and returns after COMMIT; those that are there already
 * change nothing. *out_written: how many were new. Fails as writer_write. */
MUST_CHECK bool writer_write_logs(struct writer *writer, struct log_item *items, size_t count,
                                  size_t *out_written, struct err *err);

/* Connects when not connected; writer_write does so itself. Fails as db_open. */
MUST_CHECK bool writer_connect(struct writer *writer, struct err *err);

#endif
