/*
 * Numbered migrations, embedded in the binary, forward only.
 *
 * DESIGN: one session at a time (advisory lock), each file and its row of schema_version in one
 * transaction. A file that was applied never changes: its hash is compared at every start.
 */
#include "store/migrate.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/clock.h"
#include "base/text.h"
#include "store/chunks.h"

#define HASH_TEXT_BYTES 33
/* Two-number advisory locks live apart from the one-number locks of upkeep and writers. */
#define SQL_LOCK "SELECT pg_catalog.pg_advisory_lock(1936749934, 1)"
#define SQL_UNLOCK "SELECT pg_catalog.pg_advisory_unlock(1936749934, 1)"

static void hash_text(const char *text, char to[HASH_TEXT_BYTES])
{
    XXH128_canonical_t canonical;

    XXH128_canonicalFromHash(&canonical, XXH3_128bits(text, strlen(text)));
    text_hex((struct bytes){canonical.digest, sizeof(canonical.digest)}, to);
    to[HASH_TEXT_BYTES - 1] = '\0';
}

static const struct migration *migration_of(int64_t number)
{
    for (const struct migration *m = migrations; m->number; m++)
        if (m->number == number)
            return m;
    return NULL;
}

static bool query(struct db *db, const char *sql, PGresult **out_res, struct err *err)
{
    DB_RESULT res = db_answer(db, PQsendQuery(db->conn, sql));

    if (PQresultStatus(res) != PGRES_TUPLES_OK)
        return db_fail(db, res, err);
    *out_res = res;
    res = NULL;
    return true;
}

/* The schema and the list of applied files. A role without the right to make a schema is the
 * commonest mistake on external databases, so it gets the statement that helps. */
static bool make_schema(struct db *db, struct err *err)
{
    static const char schema_sql[] = "CREATE SCHEMA IF NOT EXISTS spanledger";
    static const char table_sql[] = "CREATE TABLE IF NOT EXISTS spanledger.schema_version ("
                                    " number int4 NOT NULL, name text NOT NULL, hash text NOT NULL,"
                                    " applied_at timestamptz NOT NULL DEFAULT now(),"
                                    " CONSTRAINT schema_version_pkey PRIMARY KEY (number))";
    DB_RESULT known = NULL;

    if (!query(db, "SELECT FROM pg_catalog.pg_namespace WHERE nspname = 'spanledger'", &known, err))
        return false;
    if (PQntuples(known) == 0) {
        DB_RESULT made = db_answer(db, PQsendQuery(db->conn, schema_sql));
        const char *state = PQresultErrorField(made, PG_DIAG_SQLSTATE);

        if (PQresultStatus(made) != PGRES_COMMAND_OK) {
            if (state && strcmp(state, "42501") == 0)
                return err_set(err, ERR_BAD_INPUT,
                               "role '%s' may not make schemas in database '%s'; its owner can: "
                               "GRANT CREATE ON DATABASE … TO …",
                               PQuser(db->conn), PQdb(db->conn));
            return db_fail(db, made, err);
        }
    }
    return db_exec(db, table_sql, err);
}

/* Compares the applied files with those of the binary. out_greatest: 0 in an empty database. */
static bool compare(struct db *db, int *out_greatest, struct err *err)
{
    DB_RESULT res = NULL;
    int greatest = 0;

    if (!query(db, "SELECT number, name, hash FROM spanledger.schema_version ORDER BY number", &res,
               err))
        return false;
    for (int i = 0; i < PQntuples(res); i++) {
        char hash[HASH_TEXT_BYTES];
        int64_t number = 0;

        if (!text_int64(bytes_of(PQgetvalue(res, i, 0)), &number))
            return err_set(err, ERR_INTERNAL, "schema_version.number is no number");
        const struct migration *m = migration_of(number);
        if (!m)
            return err_set(err, ERR_BAD_INPUT,
                           "database has migration %s, which this program does not know: it "
                           "belongs to a newer version",
                           PQgetvalue(res, i, 1));
        hash_text(m->sql, hash);
        if (strcmp(hash, PQgetvalue(res, i, 2)) != 0)
            return err_set(err, ERR_BAD_INPUT,
                           "migration %s was applied with hash %s, this program has %s: the "
                           "database belongs to another build",
                           m->name, PQgetvalue(res, i, 2), hash);
        greatest = m->number;
    }
    *out_greatest = greatest;
    return true;
}

static bool record(struct db *db, const struct migration *m, struct err *err)
{
    char number[16];
    char hash[HASH_TEXT_BYTES];
    const char *values[] = {number, m->name, hash};

    (void)snprintf(number, sizeof(number), "%d", m->number);
    hash_text(m->sql, hash);

    DB_RESULT res = db_answer(
        db,
        PQsendQueryParams(
            db->conn,
            "INSERT INTO spanledger.schema_version (number, name, hash) VALUES ($1::int4, $2, $3)",
            3, NULL, values, NULL, NULL, 0));

    return PQresultStatus(res) == PGRES_COMMAND_OK || db_fail(db, res, err);
}

static bool apply(struct db *db, const struct migration *m, struct err *err)
{
    struct err cause;

    if (!db_exec(db, "BEGIN", err))
        return false;
    if (db_exec(db, m->sql, err) && record(db, m, err))
        return db_exec(db, "COMMIT", err);
    cause = *err;
    if (!db_exec(db, "ROLLBACK", err))
        return err_set(err, cause.kind, "migration %s: %s", m->name, cause.text);
    return err_set(err, cause.kind, "migration %s: %s", m->name, cause.text);
}

/* The window's reach, as a setting of the session (read by the first migration) and as one of the
 * database (read by upkeep). */
static bool set_days_back(struct db *db, const char *sql, const struct cfg *cfg, struct err *err)
{
    char days[24];
    const char *values[] = {days};

    (void)snprintf(days, sizeof(days), "%" PRId64, cfg->partition_days_back);

    DB_RESULT res = db_answer(db, PQsendQueryParams(db->conn, sql, 1, NULL, values, NULL, NULL, 0));

    return PQresultStatus(res) == PGRES_TUPLES_OK || PQresultStatus(res) == PGRES_COMMAND_OK ||
           db_fail(db, res, err);
}

static bool run_locked(struct db *db, const struct cfg *cfg, int *out_applied, struct err *err)
{
    int greatest = 0;
    int applied = 0;

    if (!make_schema(db, err) || !compare(db, &greatest, err) ||
        !set_days_back(db, "SELECT set_config('spanledger.partition_days_back', $1, false)", cfg,
                       err))
        return false;
    for (const struct migration *m = migrations; m->number; m++) {
        if (m->number <= greatest)
            continue;
        if (!apply(db, m, err))
            return false;
        applied++;
    }
    if (!set_days_back(db,
                       "UPDATE spanledger.setting SET value = $1"
                       " WHERE name = 'partition_days_back' AND value <> $1",
                       cfg, err) ||
        !chunks_upkeep(db, clock_day(clock_wall_ns()), err))
        return false;
    *out_applied = applied;
    return true;
}

bool migrate_run(struct db *db, const struct cfg *cfg, int *out_applied, struct err *err)
{
    struct err ignored;

    if (!db_exec(db, SQL_LOCK, err))
        return false;

    const bool done = run_locked(db, cfg, out_applied, err);

    if (db_is_open(db) && !db_exec(db, SQL_UNLOCK, &ignored))
        db_close(db); /* the session holds the lock: the next one would wait for ever */
    return done;
}

bool migrate_check(struct db *db, struct err *err)
{
    int greatest = 0;
    int missing = 0;
    DB_RESULT res = NULL;

    if (!query(db, "SELECT to_regclass('spanledger.schema_version') IS NOT NULL", &res, err))
        return false;
    if (strcmp(PQgetvalue(res, 0, 0), "t") == 0 && !compare(db, &greatest, err))
        return false;
    for (const struct migration *m = migrations; m->number; m++)
        missing += m->number > greatest;
    if (missing > 0)
        return err_set(err, ERR_BAD_INPUT, "database lacks %d migrations: run `spanledger migrate`",
                       missing);
    return true;
}

bool migrate_engine(struct db *db, char *to, size_t to_bytes, struct err *err)
{
    DB_RESULT res = NULL;

    if (!query(db, "SELECT value FROM spanledger.setting WHERE name = 'engine'", &res, err))
        return false;
    if (PQntuples(res) != 1)
        return err_set(err, ERR_INTERNAL, "setting 'engine' is not there");
    (void)snprintf(to, to_bytes, "%s", PQgetvalue(res, 0, 0));
    return true;
}
