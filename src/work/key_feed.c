/* The keys that are in force. */
#include "work/key_feed.h"

#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "store/key_rows.h"
#include "work/thread.h"

#define STATEMENT_MS 2000
#define RELOAD_EVERY_NS (60 * NS_PER_S) /* whatever the epoch says: a database may be another one */
#define USED_AT_ONCE 1000

struct entry {
    struct key_entry key;
    bool used; /* today, and the database does not know it yet */
};

struct table {
    struct entry *entries;
    size_t count;
    uint32_t *slots; /* by the digest's first bytes, open addressing: index + 1 */
    size_t slot_count;
};

struct key_feed {
    char *conninfo;
    struct db db;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool stop; /* under lock, here and below */
    struct table table;
    int64_t seen_mono_ns; /* when the database last said what holds */
    int64_t epoch;        /* the thread's own, here and below */
    int64_t loaded_mono_ns;
};

/* Digests of secrets that nobody chose: their bytes are the hash. */
static size_t slot_of(const struct table *t, const uint8_t digest[DIGEST_BYTES])
{
    size_t at = (size_t)read_be64(digest) & (t->slot_count - 1);

    while (t->slots[at] &&
           !digest_same(t->entries[t->slots[at] - 1].key.digest, digest, DIGEST_BYTES))
        at = (at + 1) & (t->slot_count - 1);
    return at;
}

static struct entry *find(const struct table *t, const uint8_t digest[DIGEST_BYTES])
{
    const size_t at = t->slot_count > 0 ? slot_of(t, digest) : 0;

    return t->slot_count > 0 && t->slots[at] ? &t->entries[t->slots[at] - 1] : NULL;
}

static void table_done(struct table *t)
{
    free(t->entries);
    free(t->slots);
    *t = (struct table){0};
}

static bool table_make(struct table *t, const struct key_entry *keys, size_t count)
{
    *t = (struct table){.slot_count = 64};
    while (t->slot_count < count * 2)
        t->slot_count *= 2;
    t->entries = calloc(count + 1, sizeof(*t->entries));
    t->slots = calloc(t->slot_count, sizeof(*t->slots));
    if (!t->entries || !t->slots) {
        table_done(t);
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        t->entries[i].key = keys[i];
        t->slots[slot_of(t, keys[i].digest)] = (uint32_t)i + 1;
    }
    t->count = count;
    return true;
}

static bool refuse(struct err *err)
{
    return err_set(err, ERR_UNAUTHENTICATED, "the key is not valid");
}

bool key_feed_look(struct key_feed *feed, struct bytes secret, struct bytes public,
                   struct key_grant *out_grant, struct err *err)
{
    uint8_t digest[DIGEST_BYTES];
    uint8_t public_digest[DIGEST_BYTES];
    const int64_t now_ns = clock_wall_ns();
    bool known = false;
    bool stale;

    /* Before it is known whether there is such a key: what is done depends on what was sent only. */
    if (!digest_of(secret, digest) || (public.at && !digest_of(public, public_digest)))
        return err_set(err, ERR_UNAVAILABLE, "no memory to check a key");
    (void)pthread_mutex_lock(&feed->lock);
    stale = clock_mono_ns() - feed->seen_mono_ns > KEY_FEED_STALE_MS * NS_PER_MS;
    struct entry *entry = find(&feed->table, digest);
    if (entry && entry->key.expires_ns > now_ns &&
        (!public.at || digest_same(entry->key.public_digest, public_digest, DIGEST_BYTES))) {
        known = true;
        *out_grant = entry->key.grant;
        entry->used |= entry->key.last_used < clock_day(now_ns);
    }
    (void)pthread_mutex_unlock(&feed->lock);
    if (stale)
        return err_set(err, ERR_UNAVAILABLE, "the database that holds the keys does not answer");
    return known || refuse(err);
}

/* ---- the thread ---- */

/* Whatever was used since its day was last noted; the next look notes what is left over. */
static bool note_used(struct key_feed *feed, struct err *err)
{
    const int64_t day = clock_day(clock_wall_ns());
    struct uuid ids[USED_AT_ONCE];
    size_t count = 0;

    (void)pthread_mutex_lock(&feed->lock);
    for (size_t i = 0; i < feed->table.count && count < USED_AT_ONCE; i++) {
        struct entry *entry = &feed->table.entries[i];

        if (!entry->used)
            continue;
        entry->used = false;
        entry->key.last_used = day;
        ids[count++] = entry->key.key_id;
    }
    (void)pthread_mutex_unlock(&feed->lock);
    return count == 0 || key_rows_used(&feed->db, ids, count, day, err);
}

static bool reload(struct key_feed *feed, struct err *err)
{
    struct key_entry *keys;
    struct table next;
    struct table old;
    size_t count;
    bool made;

    if (!key_rows_load(&feed->db, &keys, &count, err))
        return false;
    made = table_make(&next, keys, count);
    explicit_bzero(keys, count * sizeof(*keys));
    free(keys);
    if (!made)
        return err_set(err, ERR_UNAVAILABLE, "no memory for %zu keys", count);
    (void)pthread_mutex_lock(&feed->lock);
    old = feed->table;
    feed->table = next;
    for (size_t i = 0; i < old.count; i++) {
        struct entry *kept = old.entries[i].used ? find(&next, old.entries[i].key.digest) : NULL;

        if (kept)
            kept->used = true;
    }
    (void)pthread_mutex_unlock(&feed->lock);
    table_done(&old);
    return true;
}

/* The epoch is read first: what changes between the two is seen again at the next look. */
static bool look(struct key_feed *feed, struct err *err)
{
    const int64_t begin = clock_mono_ns();
    const bool fresh = !db_is_open(&feed->db);
    int64_t epoch;

    if (fresh) {
        db_close(&feed->db);
        if (!db_open(&feed->db, feed->conninfo, DB_ADMIN, STATEMENT_MS, err))
            return false;
    }
    if (!key_rows_epoch(&feed->db, &epoch, err))
        return false;
    if (fresh || epoch != feed->epoch || begin - feed->loaded_mono_ns > RELOAD_EVERY_NS) {
        if (!reload(feed, err))
            return false;
        feed->epoch = epoch;
        feed->loaded_mono_ns = begin;
    }
    (void)pthread_mutex_lock(&feed->lock);
    feed->seen_mono_ns = begin;
    (void)pthread_mutex_unlock(&feed->lock);
    return note_used(feed, err);
}

/* Waits for one period; true: go on. */
static bool wait_period(struct key_feed *feed)
{
    struct timespec until;
    bool stop;

    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += KEY_FEED_EVERY_MS * NS_PER_MS;
    until.tv_sec += until.tv_nsec / NS_PER_S;
    until.tv_nsec %= NS_PER_S;
    (void)pthread_mutex_lock(&feed->lock);
    if (!feed->stop)
        (void)pthread_cond_timedwait(&feed->wake, &feed->lock, &until);
    stop = feed->stop;
    (void)pthread_mutex_unlock(&feed->lock);
    return !stop;
}

static void *run(void *arg)
{
    struct key_feed *feed = arg;

    while (wait_period(feed)) {
        struct err err = {0};

        if (look(feed, &err))
            continue;
        db_close(&feed->db);
        log_limited(LOG_WARN, "keys", "keys cannot be read, trying again", "kind=%s cause='%s'",
                    err_kind_name(err.kind), err.text);
    }
    return NULL;
}

static void feed_free(struct key_feed *feed)
{
    db_close(&feed->db);
    table_done(&feed->table);
    (void)pthread_cond_destroy(&feed->wake);
    (void)pthread_mutex_destroy(&feed->lock);
    free(feed->conninfo);
    free(feed);
}

bool key_feed_start(const char *conninfo, struct key_feed **out_feed, struct err *err)
{
    struct key_feed *feed = calloc(1, sizeof(*feed));
    pthread_condattr_t attr;

    if (feed)
        feed->conninfo = strdup(conninfo);
    if (!feed || !feed->conninfo || pthread_mutex_init(&feed->lock, NULL) != 0 ||
        pthread_condattr_init(&attr) != 0) {
        if (feed)
            free(feed->conninfo);
        free(feed);
        return err_set(err, ERR_UNAVAILABLE, "no memory for keys");
    }
    (void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&feed->wake, &attr);
    (void)pthread_condattr_destroy(&attr);
    if (!look(feed, err) || !thread_start(&feed->thread, run, feed, "the thread of keys", err)) {
        feed_free(feed);
        return false;
    }
    *out_feed = feed;
    return true;
}

void key_feed_stop(struct key_feed *feed)
{
    if (!feed)
        return;
    (void)pthread_mutex_lock(&feed->lock);
    feed->stop = true;
    (void)pthread_cond_signal(&feed->wake);
    (void)pthread_mutex_unlock(&feed->lock);
    (void)pthread_join(feed->thread, NULL);
    feed_free(feed);
}
