/* Memory of one job: bump allocation with a hard cap, given back as a whole. */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

/*
 * Blocks form a list; allocation bumps a pointer in the newest one. Under ASan what is not handed
 * out is poisoned, so that a use after reset or an overrun is caught. Not thread-safe: one owner.
 */
struct arena_block;

struct arena {
    struct arena_block *newest;
    struct arena_block *spare; /* blocks of LARGEST size kept over a reset, not charged */
    size_t spare_bytes;
    uint8_t *at;       /* next free byte of the newest block */
    uint8_t *end;      /* end of the newest block */
    size_t used_bytes; /* of all blocks, as charged against max_bytes */
    size_t max_bytes;
    bool failed; /* an allocation was refused since the last reset: the cap was passed or there is
                    no memory */
};

void arena_init(struct arena *a, size_t max_bytes); /* no allocation yet */
void arena_done(struct arena *a);                   /* frees everything; init again before reuse */
/* All pointers into it die. Keeps one small block, and as much again as was just used (at most
 * ARENA_KEEP_BYTES, less by half with every reset that needs less): fresh pages cost more than
 * what is written to them. */
void arena_reset(struct arena *a);
#define ARENA_KEEP_BYTES ((size_t)24 * 1024 * 1024)

/* size bytes aligned to 16, not zeroed; NULL when the cap is passed or memory is out (a->failed
 * says so later). size 0 is allowed. */
void *arena_alloc(struct arena *a, size_t size);

/* count * size zeroed bytes, multiplication checked; NULL as above. */
void *arena_calloc(struct arena *a, size_t count, size_t size);

/* A copy of from, with a NUL behind it for convenience; at == NULL when there is no room. */
struct bytes arena_copy(struct arena *a, struct bytes from);

/* Formatted text, lives in arena; NULL when there is no room. */
const char *arena_printf(struct arena *a, const char *format, ...) PRINTF_LIKE(2, 3);

#define arena_new(a, T) ((T *)arena_calloc((a), 1, sizeof(T)))
#define arena_array(a, T, n) ((T *)arena_calloc((a), (n), sizeof(T)))

#endif
