/* One libpq connection: opening, statements, results with typed getters, SQLSTATE to kinds of
 * error. Only store knows libpq. */
#ifndef STORE_DB_H
#define STORE_DB_H

#include <libpq-fe.h>

#include "base/arena.h"
#include "base/bytes.h"

struct db {
    PGconn *conn;    /* NULL: closed */
    int64_t wait_ms; /* for the server to go on; 0: for ever */
    bool silent;     /* it did not go on: the connection was given up */
};

enum db_role { DB_WRITE, DB_READ, DB_ADMIN };

/*
 * Connects and sets the session: search_path empty, UTF-8, time zone UTC, extra_float_digits,
 * application_name 'spanledger', synchronous_commit on for DB_WRITE; for DB_READ
 * default_transaction_read_only, statement_timeout_ms and plan_cache_mode as store/stmt wants it.
 * conninfo  libpq connection string, "" for the PG* variables
 * statement_timeout_ms  0: none. With one, a server that answers neither the statement nor the
 *                       timeout (stopped, or its disk is) is given up some seconds later.
 * Fails with ERR_UNAVAILABLE (cannot connect) or ERR_BAD_INPUT (server older than 15, refused
 * password).
 */
MUST_CHECK bool db_open(struct db *db, const char *conninfo, enum db_role role,
                        int64_t statement_timeout_ms, struct err *err);
void db_close(struct db *db);
bool db_is_open(const struct db *db); /* connected as far as libpq knows */

/* Fills err from the last failure on the connection (res may be NULL); always false. Away, full,
 * shutting down, deadlock, serialization, lock timeout: ERR_UNAVAILABLE; statement timeout:
 * ERR_TIMEOUT; 23505: ERR_CONFLICT; 23514: ERR_NO_CHUNK; classes 22 and 23 otherwise:
 * ERR_BAD_INPUT; else ERR_INTERNAL. The text holds SQLSTATE and the server's first line for the
 * log; edge never shows it to clients (OTLP-58). */
MUST_CHECK bool db_fail(const struct db *db, const PGresult *res, struct err *err);

/*
 * What was sent (the result of a PQsend… function) goes out, and its answer comes back: the last
 * result, as PQexec gives it; NULL: none. The only way to wait for a server: libpq's own waits for
 * ever, also on a connection whose other end stands still.
 */
PGresult *db_answer(struct db *db, int sent);
/* The next result of what was sent; NULL: there is no more. */
PGresult *db_next(struct db *db);
/* Waits until all that was sent has left. False: it never will. */
bool db_flush(struct db *db);

/* A statement without parameters and result (several, separated by ';', are allowed). */
MUST_CHECK bool db_exec(struct db *db, const char *sql, struct err *err);

void db_result_clearp(PGresult **res); /* for the cleanup attribute */
#define DB_RESULT __attribute__((cleanup(db_result_clearp))) PGresult *

#endif
