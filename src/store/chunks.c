/* Chunks of the hypertables. The work is done by functions of schema/002_chunks.sql, which know the
 * engine; here is only the call. */
#include "store/chunks.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "base/text.h"

/* Made by one transaction: about a second's work, while other sessions that lack a chunk wait for
 * their turn. They stay made when a later one fails, so a sender of hundreds of days gets there. */
#define PART_CHUNKS "100"
#define UPKEEP_TRIES 5
#define UPKEEP_PAUSE_NS 300000000L

/* Days that a date can hold and that lie outside every window: what is beyond them shares the
 * chunks `past` and `future` anyway. */
#define DAY_LEAST INT64_C(-700000)
#define DAY_GREATEST INT64_C(2000000)

static int64_t day_within(int64_t day)
{
    return day < DAY_LEAST ? DAY_LEAST : day > DAY_GREATEST ? DAY_GREATEST : day;
}

/* A statement with one text parameter, which answers how many chunks it made. */
static bool call(struct db *db, const char *sql, const char *parameter, int64_t *out_made,
                 struct err *err)
{
    if (!db->conn)
        return err_set(err, ERR_UNAVAILABLE, "not connected");

    DB_RESULT res =
        db_answer(db, PQsendQueryParams(db->conn, sql, 1, NULL, &parameter, NULL, NULL, 0));

    if (PQresultStatus(res) != PGRES_TUPLES_OK)
        return db_fail(db, res, err);
    return text_int64(bytes_of(PQgetvalue(res, 0, 0)), out_made) ||
           err_set(err, ERR_INTERNAL, "a number of chunks that is none");
}

bool chunks_ensure_days(struct db *db, const int64_t days[], size_t day_count, struct err *err)
{
    static const char sql[] =
        "SELECT spanledger.ensure_days(ARRAY("
        "SELECT date '1970-01-01' + d FROM unnest($1::int4[]) AS d), " PART_CHUNKS ")";
    int64_t made = INT64_MAX;
    struct buf list;
    bool done;

    buf_init(&list, 16 * (day_count + 1));
    for (size_t i = 0; i < day_count; i++)
        buf_printf(&list, "%c%" PRId64, i ? ',' : '{', day_within(days[i]));
    buf_add(&list, day_count ? "}" : "{}", day_count ? 2 : 3); /* with its NUL */
    done = buf_ok(&list) || err_set(err, ERR_UNAVAILABLE, "no memory for %zu days", day_count);
    while (done && made > 0)
        done = call(db, sql, (const char *)list.at, &made, err);
    buf_done(&list);
    return done;
}

bool chunks_upkeep(struct db *db, int64_t today, struct err *err)
{
    static const char sql[] = "SELECT spanledger.upkeep(date '1970-01-01' + $1::int4)";
    const struct timespec pause = {.tv_nsec = UPKEEP_PAUSE_NS};
    char day[24];
    int64_t made;

    (void)snprintf(day, sizeof(day), "%" PRId64, day_within(today));
    /* Moving the window's end waits half a second for running transactions, no longer: behind its
     * lock everyone else waits. */
    for (int i = 0; i < UPKEEP_TRIES; i++) {
        if (call(db, sql, day, &made, err))
            return true;
        if (err->kind != ERR_CONTENDED || !db_is_open(db))
            return false;
        (void)nanosleep(&pause, NULL);
    }
    return false;
}
