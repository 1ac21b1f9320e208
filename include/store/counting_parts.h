/* What store/counting and store/settle share. */
#ifndef STORE_COUNTING_PARTS_H
#define STORE_COUNTING_PARTS_H

#include "ledger/fold.h"
#include "store/counting.h"
#include "store/pg_array.h"
#include "store/sought.h"

/* A response id with so many spans is none (a constant sent as one): it is not followed. */
#define COUNTING_MOST_SAME 64

/* For arguments of statements: those of write_fold.sql, and one time more. */
#define COUNTING_ARRAYS 11

/* A trace of the batch. */
struct batch_trace {
    const struct stored_span *row; /* any of its rows: tenant, bucket, id */
    uint32_t members;              /* spans of it that are to be written */
    uint32_t first_member;         /* its place in counting.order */
    int32_t counted;
    int32_t plain;
    bool twice;  /* two of its counting spans have one response id */
    bool shared; /* counting_is_shared */
};

/* A response id of the batch. */
struct response {
    uint64_t key;
    int64_t span_id;
    int64_t start_ns;
    uint32_t trace; /* of batch_traces */
};

struct counting {
    struct arena arena; /* of one attempt at a batch */
    struct arena scratch;
    struct batch_trace *traces;
    uint32_t trace_count;
    uint32_t *slots; /* open addressing: index + 1 into traces */
    size_t slot_count;
    uint32_t *trace_of; /* of each item; UINT32_MAX: another stands for it */
    size_t item_count;
    struct response *responses; /* by key */
    size_t response_count;
    struct buf more_locks; /* uint64_t: traces that were needed and not locked */
    unsigned rounds;       /* how often that happened to this batch */
    struct pg_array arrays[COUNTING_ARRAYS];
    bool prepared[4];
    uint64_t seed;
};

/* A span of the table with a response id that was asked for. */
struct same_response {
    uint64_t key;
    int32_t tenant_id;
    struct uuid trace_id;
    int16_t bucket;
    int64_t span_id;
    int64_t start_us;
};

/* Looks for spans by response keys (as sought_join leaves them). Ids that too many spans have are left out. Lives in
 * counting->arena. */
MUST_CHECK bool counting_find(struct counting *counting, struct db *db, const struct sought *sought,
                              size_t count, struct same_response **out_found, size_t *out_count,
                              struct err *err);

/* Whether the transaction has this trace; if not, it is noted for the next attempt. */
bool counting_has_lock(struct counting *counting, const struct buf *locked, int32_t tenant_id,
                       const struct uuid *trace_id);

MUST_CHECK bool counting_want_more(struct counting *counting, struct err *err);

#endif
