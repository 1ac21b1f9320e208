/*
 * A reader: one connection, prepared statements.
 *
 * DESIGN: called by one read worker; each call runs one to some statements, each a read-only
 * transaction of its own. A reader finds its connection dead only when it is used: the first
 * statement of a call then opens a new one and is tried again, once.
 */
#include "store/reader.h"

#include <stdlib.h>
#include <string.h>

#include "base/stats.h"

bool reader_new(const struct cfg *cfg, const char *conninfo, struct reader **out_reader,
                struct err *err)
{
    struct reader *reader = calloc(1, sizeof(*reader));

    if (!reader)
        return err_set(err, ERR_UNAVAILABLE, "no memory for a reader");
    reader->conninfo = strdup(conninfo);
    reader->statement_timeout_ms = cfg->query_timeout_ms;
    if (!reader->conninfo) {
        free(reader);
        return err_set(err, ERR_UNAVAILABLE, "no memory for a reader");
    }
    *out_reader = reader;
    return true;
}

static void disconnect(struct reader *reader)
{
    if (reader->db.conn)
        stats_add(STAT_READ_POOL_CONNECTIONS, -1);
    db_close(&reader->db);
}

void reader_free(struct reader *reader)
{
    if (!reader)
        return;
    disconnect(reader);
    free(reader->conninfo);
    free(reader);
}

/* Generic plans prune chunks when they start, at a fraction of the cost of planning over 400 of them
 * each time; but a plan outlives the moment it was made in, and one that scans a chunk because that
 * was empty then would scan it with a million rows: every statement has its index, so none may scan
 * a whole table. Without JIT and parallel workers: answers take milliseconds, and the write path
 * needs the other processors. */
static bool set_planner(struct db *db, struct err *err)
{
    return db_exec(db,
                   "SET plan_cache_mode = force_generic_plan; SET jit = off;"
                   "SET max_parallel_workers_per_gather = 0; SET random_page_cost = 1.1;"
                   "SET enable_seqscan = off",
                   err);
}

static bool reader_open(struct reader *reader, struct err *err)
{
    if (db_is_open(&reader->db))
        return true;
    disconnect(reader);
    reader->made_count = 0;
    if (db_open(&reader->db, reader->conninfo, DB_READ, reader->statement_timeout_ms, err)) {
        stats_add(STAT_READ_POOL_CONNECTIONS, 1);
        if (set_planner(&reader->db, err) && stmt_prepare_all(&reader->db, err))
            return true;
        disconnect(reader);
    }
    /* A refused login is our matter, not the client's. */
    if (err->kind == ERR_BAD_INPUT)
        err->kind = ERR_UNAVAILABLE;
    return false;
}

/* Whether the connection is gone after a statement failed. libpq 14 and newer report a write that
 * failed before they have read that the other side closed: one more look at the input. */
static bool has_died(struct reader *reader)
{
    if (reader->db.conn)
        (void)PQconsumeInput(reader->db.conn);
    return !db_is_open(&reader->db);
}

bool reader_run_first(struct reader *reader, const struct stmt *stmt,
                      const struct row_params *params, PGresult **out_res, struct err *err)
{
    const bool was_open = db_is_open(&reader->db);

    if (!reader_open(reader, err))
        return false;
    if (stmt_run(&reader->db, stmt->name, params, out_res, err))
        return true;
    return was_open && has_died(reader) && reader_open(reader, err) &&
           stmt_run(&reader->db, stmt->name, params, out_res, err);
}

/* Prepares a combination of fragments when the connection meets it first. */
static bool prepare_made(struct reader *reader, uint64_t code, const struct stmt *stmt,
                         struct err *err)
{
    for (size_t i = 0; i < reader->made_count; i++)
        if (reader->made[i] == code)
            return true;
    if (reader->made_count == READER_MADE_STATEMENTS) {
        disconnect(reader); /* the server's memory for them goes with the connection */
        if (!reader_open(reader, err))
            return false;
    }
    if (!stmt_prepare(&reader->db, stmt, err))
        return false;
    reader->made[reader->made_count++] = code;
    return true;
}

bool reader_run_made(struct reader *reader, uint64_t code, const struct stmt *stmt,
                     const struct row_params *params, PGresult **out_res, struct err *err)
{
    for (int tries = 0;; tries++) {
        const bool was_open = db_is_open(&reader->db);

        if (!reader_open(reader, err))
            return false;
        if (prepare_made(reader, code, stmt, err) &&
            stmt_run(&reader->db, stmt->name, params, out_res, err))
            return true;
        if (tries > 0 || !was_open || !has_died(reader))
            return false;
    }
}
