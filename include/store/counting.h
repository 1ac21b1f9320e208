/* Counting once, inside the write transaction (docs/counting.md): what ledger/fold says of the
 * traces of a batch, of those that are there, and of spans of one call in several traces. */
#ifndef STORE_COUNTING_H
#define STORE_COUNTING_H

#include "base/arena.h"
#include "store/db.h"
#include "store/write_plan.h"

struct counting; /* one per writer, used by its thread only */

struct counting *counting_new(void); /* NULL: no memory */
void counting_free(struct counting *counting);
void counting_disconnected(struct counting *counting);

/* Before the first attempt at a batch: locks that an earlier batch needed are forgotten. */
void counting_begin(struct counting *counting);

/* Before each attempt: which spans of the batch count, which response ids they have; sets counted and
 * plain of their rows. Fails with ERR_UNAVAILABLE (no memory). */
MUST_CHECK bool counting_plan(struct counting *counting, const struct write_plan *plan,
                              struct write_item *items, struct err *err);

/* Appends what is to be locked beside the batch's traces: 64-bit hashes in no order, some of them
 * twice. *out_all: so much was missing so often that the lock which stands for everything is better. */
void counting_locks(const struct counting *counting, struct buf *keys, bool *out_all);

/*
 * Inside the transaction, before the spans are encoded: finds spans of other traces with the batch's
 * response ids, and judges each trace of the batch by what the batch has of it, so that rows carry
 * the outcome at once where nothing else is to be known. locked: what this transaction has locked,
 * ascending; NULL: everything.
 * Fails with ERR_CONTENDED where traces are needed that are not locked; counting_locks knows them
 * then: to be tried again with the larger set.
 */
MUST_CHECK bool counting_judge(struct counting *counting, struct db *db, struct write_item *items,
                               const struct buf *locked, struct err *err);

/* A trace of the batch, and the days between which its spans start. */
struct counting_trace {
    int32_t tenant_id;
    int16_t bucket;
    struct uuid trace_id;
    int64_t first_day;
    int64_t last_day;
    int64_t span_count; /* about how many there are: bounds what is read at once */
};

/* Whether other spans of the table or of the batch have a response id that new spans of this trace
 * have. */
bool counting_is_shared(const struct counting *counting, int32_t tenant_id,
                        const struct uuid *trace_id);

#endif
