/* The upkeep thread. */
#include "work/upkeep.h"

#include <malloc.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/stats.h"
#include "store/chunks.h"
#include "store/log_rows.h"
#include "work/thread.h"

#define WATCH_EVERY_MS 500
#define CHUNKS_EVERY_NS (6 * 3600 * NS_PER_S)
#define TRIM_AFTER_NS (5 * NS_PER_S)
#define LOGS_EVERY_NS (600 * NS_PER_S)
#define LOGS_WAIT_NS (S_PER_DAY * NS_PER_S) /* for the span of a log record */
#define LOGS_ROWS 1000                      /* looked through in one transaction */
#define LOGS_ROUNDS 100                     /* in a row; the rest at the next time */
#define CHUNKS_RETRY_NS (60 * NS_PER_S)
/* Moving the window's bound may move many rows; who watches the database must not wait for ever. */
#define CHUNKS_STATEMENT_MS 300000
#define LOGS_STATEMENT_MS 60000

struct upkeep {
    char *conninfo;
    struct embedded *embedded;
    struct price_feed *prices;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool stop;
};

struct idle {
    int64_t done; /* transactions and reads so far */
    int64_t since_mono_ns;
    bool trimmed;
};

static void watch_database(struct upkeep *u)
{
    struct err err = {0};

    if (u->embedded && !embedded_watch(u->embedded, &err))
        log_limited(LOG_ERROR, "upkeep", "the embedded database is down, trying again",
                    "kind=%s cause='%s'", err_kind_name(err.kind), err.text);
}

/* Returns the monotonic time of the next run. */
static int64_t make_chunks(struct upkeep *u)
{
    struct db db = {0};
    struct err err = {0};
    bool done;

    if (!db_open(&db, u->conninfo, DB_ADMIN, CHUNKS_STATEMENT_MS, &err)) {
        log_limited(LOG_WARN, "upkeep", "no connection to make chunks, trying again", "cause='%s'",
                    err.text);
        return clock_mono_ns() + CHUNKS_RETRY_NS;
    }
    done = chunks_upkeep(&db, clock_day(clock_wall_ns()), &err);
    db_close(&db);
    if (!done)
        log_limited(LOG_WARN, "upkeep", "chunks were not made, trying again", "cause='%s'",
                    err.text);
    return clock_mono_ns() + (done ? CHUNKS_EVERY_NS : CHUNKS_RETRY_NS);
}

/* Log records whose span has not come within a day wait no longer. */
static void drop_lost_logs(struct upkeep *u)
{
    const int64_t before_ns = clock_wall_ns() - LOGS_WAIT_NS;
    struct db db = {0};
    struct err err = {0};
    bool more = db_open(&db, u->conninfo, DB_ADMIN, LOGS_STATEMENT_MS, &err);
    bool done = more;

    for (int round = 0; done && more && round < LOGS_ROUNDS; round++) {
        int64_t dropped = 0;

        done = log_rows_drop_lost(&db, before_ns, LOGS_ROWS, &dropped, &more, &err);
        stats_add(STAT_LOGS_DROPPED, done ? dropped : 0);
    }
    db_close(&db);
    if (!done)
        log_limited(LOG_WARN, "upkeep", "log records without a span were not removed, trying again",
                    "cause='%s'", err.text);
}

/* Memory of a burst goes back to the system when nothing was done for a while: glibc keeps it otherwise. */
static void trim_memory(struct idle *idle)
{
    const int64_t done = stats_get(STAT_TRANSACTIONS) + stats_get(STAT_QUERIES);

    if (done != idle->done) {
        *idle = (struct idle){.done = done, .since_mono_ns = clock_mono_ns()};
    } else if (!idle->trimmed && clock_mono_ns() - idle->since_mono_ns > TRIM_AFTER_NS) {
        idle->trimmed = true;
        (void)malloc_trim(0);
    }
}

/* Waits for one period; true: go on. */
static bool wait_period(struct upkeep *u)
{
    struct timespec until;
    bool stop;

    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += WATCH_EVERY_MS * NS_PER_MS;
    until.tv_sec += until.tv_nsec / NS_PER_S;
    until.tv_nsec %= NS_PER_S;
    (void)pthread_mutex_lock(&u->lock);
    if (!u->stop)
        (void)pthread_cond_timedwait(&u->wake, &u->lock, &until);
    stop = u->stop;
    (void)pthread_mutex_unlock(&u->lock);
    return !stop;
}

static void *run(void *arg)
{
    struct upkeep *u = arg;
    struct idle idle = {.trimmed = true};
    int64_t chunks_due = clock_mono_ns() + CHUNKS_EVERY_NS; /* migrate has just made them */
    int64_t logs_due = clock_mono_ns() + LOGS_EVERY_NS;

    while (wait_period(u)) {
        watch_database(u);
        trim_memory(&idle);
        if (u->prices)
            price_feed_poll(u->prices);
        if (clock_mono_ns() >= chunks_due)
            chunks_due = make_chunks(u);
        if (clock_mono_ns() >= logs_due) {
            drop_lost_logs(u);
            logs_due = clock_mono_ns() + LOGS_EVERY_NS;
        }
    }
    return NULL;
}

static void upkeep_free(struct upkeep *u)
{
    (void)pthread_cond_destroy(&u->wake);
    (void)pthread_mutex_destroy(&u->lock);
    free(u->conninfo);
    free(u);
}

bool upkeep_start(const char *conninfo, struct embedded *embedded, struct price_feed *prices,
                  struct upkeep **out_upkeep, struct err *err)
{
    struct upkeep *u = calloc(1, sizeof(*u));
    pthread_condattr_t attr;

    if (u)
        u->conninfo = strdup(conninfo);
    if (!u || !u->conninfo || pthread_mutex_init(&u->lock, NULL) != 0 ||
        pthread_condattr_init(&attr) != 0) {
        if (u)
            free(u->conninfo);
        free(u);
        return err_set(err, ERR_UNAVAILABLE, "no memory for upkeep");
    }
    u->embedded = embedded;
    u->prices = prices;
    (void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&u->wake, &attr);
    (void)pthread_condattr_destroy(&attr);
    if (!thread_start(&u->thread, run, u, "the upkeep thread", err)) {
        upkeep_free(u);
        return false;
    }
    *out_upkeep = u;
    return true;
}

void upkeep_stop(struct upkeep *u)
{
    if (!u)
        return;
    (void)pthread_mutex_lock(&u->lock);
    u->stop = true;
    (void)pthread_cond_signal(&u->wake);
    (void)pthread_mutex_unlock(&u->lock);
    (void)pthread_join(u->thread, NULL);
    upkeep_free(u);
}
