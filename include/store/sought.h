/* Response ids that are looked for, each between starts of its own. */
#ifndef STORE_SOUGHT_H
#define STORE_SOUGHT_H

#include <stddef.h>
#include <stdint.h>

/* A response id, and the starts between which it is looked for: near the spans that have it, so that
 * one span with a wrong clock does not send all other ids of its batch through every chunk. */
struct sought {
    uint64_t key;
    int64_t since_ns;
    int64_t until_ns;
    int32_t tenant_id; /* whose id it is: a batch may hold spans of several tenants */
};

/* By key, then tenant. */
int sought_compare(const void *a, const void *b);

/* Sorts, makes one of those with the same key and tenant, and widens each by some days, within what
 * nanoseconds can name. Says how many are left. */
size_t sought_join(struct sought *sought, size_t count, int64_t days);

#endif
