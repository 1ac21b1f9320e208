/* Keys of locks, in the order in which all take them: ascending, as PostgreSQL compares int8. */
#include "store/locks.h"

#include <stdlib.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

int64_t locks_of_trace(int32_t tenant_id, const struct uuid *trace_id)
{
    return (int64_t)XXH3_64bits_withSeed(trace_id->at, sizeof(trace_id->at), (uint64_t)tenant_id);
}

static int compare(const void *a, const void *b)
{
    const int64_t x = *(const int64_t *)a;
    const int64_t y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

size_t locks_order(int64_t *keys, size_t count)
{
    size_t kept = 0;

    if (count > 1)
        qsort(keys, count, sizeof(*keys), compare);
    for (size_t i = 0; i < count; i++)
        if (i == 0 || keys[i] != keys[i - 1])
            keys[kept++] = keys[i];
    return kept;
}

bool locks_have(const int64_t *keys, size_t count, int64_t key)
{
    return count > 0 && bsearch(&key, keys, count, sizeof(*keys), compare);
}
