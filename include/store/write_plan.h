/* What a batch is before it is written: distinct keys, versions within the batch, days. Pure. */
#ifndef STORE_WRITE_PLAN_H
#define STORE_WRITE_PLAN_H

#include "store/seen.h"
#include "store/write.h"

struct planned {
    uint64_t key_hash;
    size_t winner; /* index of the item that stands for this key in the batch: itself, or another */
    uint32_t others; /* index + 1 of the first item that this winner supersedes; 0: none */
    uint32_t next;   /* of a superseded item: index + 1 of the next one with the same winner */
    bool
        staged; /* goes through staging: a re-send is likely, or the batch holds other versions of it */
};

struct write_plan {
    struct planned *items;
    size_t count;
    size_t cap;
    uint32_t *slots;
    size_t slot_count;
    uint64_t *hashes; /* key hashes, for the memory of keys */
    bool *known;
    int64_t *days; /* distinct days of the batch, ascending */
    size_t day_count;
    int64_t *tenants; /* distinct tenants, ascending */
    size_t tenant_count;
    int64_t *trace_keys; /* of its traces, as store/locks orders them */
    size_t trace_count;
    int64_t ingest_seq; /* of the transaction; set when it has begun */
};

/* Asks the processor for the rows behind item i: a batch is larger than its caches, and each walk over
 * the items would wait for every row. */
static inline void write_plan_look_ahead(const struct write_item *items, size_t i, size_t count)
{
    enum { AHEAD = 3, LINE = 64 };

    if (i + (size_t)2 * AHEAD < count) {
        const char *row = (const char *)items[i + (size_t)2 * AHEAD].row;

        for (size_t at = 0; at < sizeof(struct stored_span); at += LINE)
            __builtin_prefetch(row + at);
    }
    if (i + AHEAD < count) {
        const char *meaning = (const char *)items[i + AHEAD].row->meaning;

        for (size_t at = 0; meaning && at < sizeof(struct meaning); at += LINE)
            __builtin_prefetch(meaning + at);
    }
}

void write_plan_init(struct write_plan *plan);
void write_plan_done(struct write_plan *plan);

/* Makes the plan. Of several items with one key the greatest of (end,
 * attribute_count, content_hash) wins; an item with the winner's content is WRITE_IDENTICAL,
 * another WRITE_SUPERSEDED, set at once. Fails with ERR_UNAVAILABLE (no memory). */
MUST_CHECK bool write_plan_make(struct write_plan *plan, struct write_item *items, size_t count,
                                struct seen *seen, struct err *err);

#endif
