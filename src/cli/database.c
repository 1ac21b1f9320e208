/* The database of a command. */
#include "cli/database.h"

#include <stdio.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "store/migrate.h"

#define FIRST_PAUSE_MS 200
#define LONGEST_PAUSE_MS 5000

bool database_is_external(const struct cfg *cfg)
{
    return cfg->db[0] != '\0' || cfg->db_from_environment;
}

bool database_open(const struct cfg *cfg, bool serving, struct database *out_database,
                   struct err *err)
{
    struct database d = {0};

    if (database_is_external(cfg)) {
        if (snprintf(d.conninfo, sizeof(d.conninfo), "%s", cfg->db) >= (int)sizeof(d.conninfo))
            return err_set(err, ERR_BAD_INPUT, "db has more than %zu bytes", sizeof(d.conninfo));
    } else if (serving || !embedded_find(cfg, d.conninfo, sizeof(d.conninfo), err)) {
        if (!embedded_start(cfg, &d.embedded, err))
            return false;
        (void)snprintf(d.conninfo, sizeof(d.conninfo), "%s", embedded_conninfo(d.embedded));
    }
    *out_database = d;
    return true;
}

void database_close(struct database *database)
{
    if (database->embedded)
        embedded_stop(database->embedded);
    database->embedded = NULL;
}

static void pause_ms(int64_t ms)
{
    const struct timespec pause = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * NS_PER_MS};
    (void)nanosleep(&pause, NULL);
}

bool database_migrate(const struct cfg *cfg, const struct database *database, bool wait,
                      int *out_applied, char *engine, size_t engine_bytes, struct err *err)
{
    struct db db = {0};
    bool done;

    for (int64_t ms = FIRST_PAUSE_MS; !db_open(&db, database->conninfo, DB_ADMIN, 0, err);
         ms = ms * 2 < LONGEST_PAUSE_MS ? ms * 2 : LONGEST_PAUSE_MS) {
        if (!wait || err->kind != ERR_UNAVAILABLE)
            return false;
        log_event(LOG_WARN, "serve", "the database is away, trying again", "cause='%s'", err->text);
        pause_ms(ms);
    }
    done =
        migrate_run(&db, cfg, out_applied, err) && migrate_engine(&db, engine, engine_bytes, err);
    db_close(&db);
    return done;
}
