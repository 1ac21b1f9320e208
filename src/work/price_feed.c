/* Own prices from the database into the list. */
#include "work/price_feed.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "store/price_rows.h"

#define POLL_EVERY_NS (2 * NS_PER_S)
#define STATEMENT_MS 60000 /* upkeep must not wait for ever */
#define ROWS_MAX_BYTES ((size_t)512 << 20)

struct price_feed {
    char *conninfo;
    struct db db; /* kept open: a connection is dearer than the question */
    struct prices_slot slot;
    int64_t epoch;
    int64_t due_mono_ns;
};

static bool connect_db(struct price_feed *feed, struct err *err)
{
    return db_is_open(&feed->db) || db_open(&feed->db, feed->conninfo, DB_ADMIN, STATEMENT_MS, err);
}

static bool make_list(struct price_feed *feed, struct prices *from, struct prices **out_prices,
                      size_t *out_count, struct err *err)
{
    struct arena arena;
    struct own_price *rows;
    size_t bad = 0;
    bool done;

    arena_init(&arena, ROWS_MAX_BYTES);
    done = price_rows_load(&feed->db, &arena, &rows, out_count, &bad, err) &&
           prices_with_own(from, rows, *out_count, out_prices, err);
    arena_done(&arena);
    if (done && !price_rows_keep(&feed->db, *out_prices, err)) {
        prices_unref(*out_prices);
        done = false;
    }
    if (done && bad > 0)
        log_event(LOG_WARN, "prices", "own prices that cannot be read are left out", "rows=%zu",
                  bad);
    return done;
}

/* The epoch is read first: what changes between the two is seen again at the next look. */
static bool take_over(struct price_feed *feed, struct err *err)
{
    int64_t epoch;
    size_t count = 0;
    struct prices *next;

    if (!connect_db(feed, err) || !price_rows_epoch(&feed->db, &epoch, err))
        return false;
    if (epoch == feed->epoch)
        return true;
    struct prices *now = prices_slot_get(&feed->slot);
    const bool done = make_list(feed, now, &next, &count, err);
    prices_unref(now);
    if (!done)
        return false;
    prices_slot_put(&feed->slot, next);
    feed->epoch = epoch;
    log_event(LOG_INFO, "prices", "own prices are in force", "rows=%zu epoch=%" PRId64, count,
              epoch);
    return true;
}

bool price_feed_start(const char *conninfo, struct price_feed **out_feed, struct err *err)
{
    struct price_feed *feed = calloc(1, sizeof(*feed));
    struct prices *embedded;

    if (!feed)
        return err_set(err, ERR_UNAVAILABLE, "no memory for prices");
    feed->conninfo = strdup(conninfo);
    if (!feed->conninfo || !prices_embedded(&embedded, err)) {
        const bool memory = !feed->conninfo;

        free(feed->conninfo);
        free(feed);
        return memory ? err_set(err, ERR_UNAVAILABLE, "no memory for prices") : false;
    }
    prices_slot_init(&feed->slot, embedded);
    feed->due_mono_ns = clock_mono_ns() + POLL_EVERY_NS;
    if (!connect_db(feed, err) || !price_rows_keep(&feed->db, embedded, err) ||
        !take_over(feed, err)) {
        price_feed_stop(feed);
        return false;
    }
    *out_feed = feed;
    return true;
}

void price_feed_stop(struct price_feed *feed)
{
    if (!feed)
        return;
    db_close(&feed->db);
    prices_slot_done(&feed->slot);
    free(feed->conninfo);
    free(feed);
}

struct prices_slot *price_feed_slot(struct price_feed *feed)
{
    return &feed->slot;
}

void price_feed_poll(struct price_feed *feed)
{
    struct err err = {0};

    if (clock_mono_ns() < feed->due_mono_ns)
        return;
    if (!take_over(feed, &err)) {
        db_close(&feed->db);
        log_limited(LOG_WARN, "prices", "own prices cannot be read, the old ones stay",
                    "kind=%s cause='%s'", err_kind_name(err.kind), err.text);
    }
    feed->due_mono_ns = clock_mono_ns() + POLL_EVERY_NS;
}
