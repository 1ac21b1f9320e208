/* The log records of an ingest worker's batch: decoded with the batch, written in a transaction of
 * their own, each told to its request. */
#ifndef WORK_INGEST_LOGS_H
#define WORK_INGEST_LOGS_H

#include "otlp/decode.h"
#include "otlp/reply.h"
#include "store/write.h"

/* What becomes of a request; lives until the batch is answered. */
struct ingest_outcome {
    struct otlp_partial partial;
    struct err err;
    bool failed;
};

/* A record that is taken, and whose it is. */
struct ingest_log_owner {
    struct ingest_outcome *outcome;
    uint32_t resource_index;
    uint32_t scope_index;
    uint32_t record_index;
};

/* One per worker; zeroed is empty. count goes back to what it was where a request is taken back. */
struct ingest_logs {
    struct log_item *items;
    struct ingest_log_owner *owners;
    size_t count;
    size_t cap;
};

void ingest_logs_done(struct ingest_logs *logs);

/* Decodes a request's message into the batch; what is not taken is rejected in outcome->partial.
 * Fails as the decoders, and with ERR_UNAVAILABLE (memory). */
MUST_CHECK bool ingest_logs_decode(struct ingest_logs *logs, struct bytes message,
                                   enum otlp_encoding encoding, const struct otlp_limits *limits,
                                   int32_t tenant_id, int64_t received_ns, struct arena *arena,
                                   struct ingest_outcome *outcome, struct err *err);

/* Writes the batch. Records that the database refuses are rejected alone; what cannot be written now
 * fails the requests that it belongs to. */
void ingest_logs_write(struct ingest_logs *logs, struct writer *writer);

#endif
