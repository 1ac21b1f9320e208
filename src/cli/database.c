/* The database of a command. */
#include "cli/database.h"

#include <errno.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "store/migrate.h"

#define FIRST_PAUSE_MS 200
#define LONGEST_PAUSE_MS 5000

/* --db or PG* variables. */
static bool is_external(const struct cfg *cfg)
{
    return cfg->db[0] != '\0' || cfg->db_from_environment;
}

/* A data directory of which only the name is missing would otherwise be made, empty. */
static bool is_there(const struct cfg *cfg, struct err *err)
{
    char cluster[1100];

    /* What else may be wrong with it is said by what opens it. */
    (void)snprintf(cluster, sizeof(cluster), "%s/pgdata", cfg->data_dir);
    return access(cluster, F_OK) == 0 || errno != ENOENT ||
           err_set(err, ERR_NOT_FOUND,
                   "there is no database in '%.100s'; --data-dir or --db says where it is",
                   cfg->data_dir);
}

bool database_open(const struct cfg *cfg, enum database_use use, struct database *out_database,
                   struct err *err)
{
    struct database d = {0};

    if (is_external(cfg)) {
        if (snprintf(d.conninfo, sizeof(d.conninfo), "%s", cfg->db) >= (int)sizeof(d.conninfo))
            return err_set(err, ERR_BAD_INPUT, "db has more than %zu bytes", sizeof(d.conninfo));
    } else if (use == DATABASE_SERVE || !embedded_find(cfg, d.conninfo, sizeof(d.conninfo), err)) {
        if (use == DATABASE_FIND && !is_there(cfg, err))
            return false;
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

bool database_migrate(const struct cfg *cfg, const struct database *database,
                      const volatile sig_atomic_t *stopped, int *out_applied, char *engine,
                      size_t engine_bytes, struct err *err)
{
    struct db db = {0};
    bool done;

    for (int64_t ms = FIRST_PAUSE_MS; !db_open(&db, database->conninfo, DB_ADMIN, 0, err);
         ms = ms * 2 < LONGEST_PAUSE_MS ? ms * 2 : LONGEST_PAUSE_MS) {
        if (!stopped || *stopped || err->kind != ERR_UNAVAILABLE)
            return false;
        log_event(LOG_WARN, "serve", "the database is away, trying again", "cause='%s'", err->text);
        pause_ms(ms); /* ends early with a signal */
        if (*stopped)
            return false;
    }
    done =
        migrate_run(&db, cfg, out_applied, err) && migrate_engine(&db, engine, engine_bytes, err);
    db_close(&db);
    return done;
}
