/* Memory of recently written keys. */
#include "store/seen.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define EMPTY 0  /* a hash of 0 is never found: one key in 2^64 has no hint */
#define AHEAD 16 /* places are all over the tables: asked of memory before they are needed */

struct seen {
    pthread_mutex_t lock;
    uint64_t *young;
    uint64_t *old;
    size_t young_count;
    uint64_t seed;
};

struct seen *seen_new(void)
{
    struct seen *seen = calloc(1, sizeof(*seen));

    if (seen && pthread_mutex_init(&seen->lock, NULL) != 0) {
        free(seen);
        return NULL;
    }
    /* Early at boot there may be no randomness yet; nothing but speed depends on it. */
    if (seen)
        (void)!getrandom(&seen->seed, sizeof(seen->seed), GRND_NONBLOCK);
    return seen;
}

void seen_free(struct seen *seen)
{
    if (!seen)
        return;
    (void)pthread_mutex_destroy(&seen->lock);
    free(seen->young);
    free(seen->old);
    free(seen);
}

uint64_t seen_seed(const struct seen *seen)
{
    return seen->seed;
}

static bool table_has(const uint64_t *table, uint64_t hash)
{
    size_t at = hash & (SEEN_SLOTS - 1);

    if (!table)
        return false;
    while (table[at] != EMPTY) {
        if (table[at] == hash)
            return true;
        at = (at + 1) & (SEEN_SLOTS - 1);
    }
    return false;
}

static void look_ahead(const uint64_t *table, const uint64_t hashes[], size_t i, size_t count)
{
    if (table && i + AHEAD < count)
        __builtin_prefetch(&table[hashes[i + AHEAD] & (SEEN_SLOTS - 1)]);
}

void seen_look(struct seen *seen, const uint64_t hashes[], size_t count, bool out_known[])
{
    (void)pthread_mutex_lock(&seen->lock);
    for (size_t i = 0; i < count; i++) {
        look_ahead(seen->young, hashes, i, count);
        look_ahead(seen->old, hashes, i, count);
        out_known[i] = table_has(seen->young, hashes[i]) || table_has(seen->old, hashes[i]);
    }
    (void)pthread_mutex_unlock(&seen->lock);
}

static void change_places(struct seen *seen)
{
    uint64_t *forgotten = seen->old;

    seen->old = seen->young;
    seen->young = forgotten;
    if (forgotten)
        memset(forgotten, EMPTY, SEEN_SLOTS * sizeof(*forgotten));
    seen->young_count = 0;
}

static void add_one(struct seen *seen, uint64_t hash)
{
    size_t at = hash & (SEEN_SLOTS - 1);

    if (seen->young_count >= SEEN_SLOTS / 2)
        change_places(seen);
    if (!seen->young)
        seen->young = calloc(SEEN_SLOTS, sizeof(*seen->young));
    if (!seen->young)
        return;
    while (seen->young[at] != EMPTY) {
        if (seen->young[at] == hash)
            return;
        at = (at + 1) & (SEEN_SLOTS - 1);
    }
    seen->young[at] = hash;
    seen->young_count++;
}

void seen_add(struct seen *seen, const uint64_t hashes[], size_t count)
{
    (void)pthread_mutex_lock(&seen->lock);
    for (size_t i = 0; i < count; i++) {
        look_ahead(seen->young, hashes, i, count);
        add_one(seen, hashes[i]);
    }
    (void)pthread_mutex_unlock(&seen->lock);
}
