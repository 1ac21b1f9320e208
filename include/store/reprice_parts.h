/* What the rooms of store/reprice share: one run. */
#ifndef STORE_REPRICE_PARTS_H
#define STORE_REPRICE_PARTS_H

#include "store/call.h"
#include "store/reprice.h"

#define REPRICE_PART_TRACES 1000 /* locks of one transaction */

/* Parameters that are arrays: of reprice_write.sql, reprice_trace.sql, reprice_sum.sql. */
#define REPRICE_WRITE_ARRAYS 20
#define REPRICE_TRACE_ARRAYS 15
#define REPRICE_SUM_ARRAYS 7

/* What statements are made of between two flushes. */
struct reprice_batch {
    struct pg_array costs[REPRICE_WRITE_ARRAYS];
    struct pg_array traces[REPRICE_TRACE_ARRAYS];
    struct pg_array sums[REPRICE_SUM_ARRAYS];
};

struct reprice {
    struct db *db;    /* locks and writes */
    struct db reader; /* reads what is locked */
    struct reprice_scope scope;
    int64_t change_id;
    int64_t *days;
    size_t day_count;
    size_t day; /* index of the one at hand */
    bool resumed;
    struct uuid after_trace_id; /* on the day at hand */
    int32_t after_tenant_id;
    struct reprice_trace traces[REPRICE_PART_TRACES]; /* of the part at hand */
    int64_t lock_keys[2 * REPRICE_PART_TRACES];
    size_t trace_count;
    bool reading; /* the reader has not given all of the part yet */
    struct reprice_batch batch;
};

void reprice_write_init(struct reprice_batch *batch);
void reprice_write_done(struct reprice_batch *batch);
/* Forgets what was noted. */
void reprice_write_clear(struct reprice_batch *batch);

/* Writes what was noted, and that the run is behind the last trace of the part. */
MUST_CHECK bool reprice_write_flush(struct reprice *r, struct err *err);

/* Day and end of the day at hand, as bounds of start_time. */
void reprice_write_add_day(const struct reprice *r, struct call *call);

#endif
