/* One libpq connection: opening, statements, SQLSTATE to kinds of error. */
#include "store/db.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#define SERVER_VERSION_LEAST 150000
#define SEND_ROOM_BYTES (1 << 20)   /* the rows of some hundred spans */
#define WAIT_BEYOND_TIMEOUT_MS 5000 /* for the server to say that a statement took too long */

void db_result_clearp(PGresult **res)
{
    PQclear(*res);
    *res = NULL;
}

/* What a SQLSTATE means to a caller. The first row whose prefix fits counts. */
static const struct state_kind {
    const char *prefix;
    enum err_kind kind;
} state_kinds[] = {
    {"08", ERR_UNAVAILABLE},    /* connection lost */
    {"23505", ERR_CONFLICT},    /* unique key */
    {"23514", ERR_NO_CHUNK},    /* check: no partition for the row */
    {"22", ERR_BAD_INPUT},      /* a value that its type refuses */
    {"23", ERR_BAD_INPUT},      /* a constraint */
    {"25006", ERR_UNAVAILABLE}, /* read-only transaction: a standby, until it is promoted */
    {"25P03", ERR_UNAVAILABLE}, /* idle in transaction: the server took the session away */
    {"28", ERR_BAD_INPUT},      /* password or role refused */
    {"3D000", ERR_BAD_INPUT},   /* no such database */
    {"40", ERR_CONTENDED},      /* serialization, deadlock */
    {"42P04", ERR_BAD_INPUT},   /* database there already */
    {"53", ERR_UNAVAILABLE},    /* disk, memory, connections */
    {"54", ERR_BAD_INPUT},      /* a row or an index entry too long: the caller bisects */
    {"55006", ERR_CONTENDED},   /* object in use */
    {"55P03", ERR_CONTENDED},   /* lock timeout */
    {"57014", ERR_TIMEOUT},     /* statement timeout */
    {"57", ERR_UNAVAILABLE},    /* shutdown, crash, starting up */
    {"58", ERR_UNAVAILABLE},    /* I/O error of the server's machine */
};

static enum err_kind kind_of(const char *state)
{
    if (!state)
        return ERR_UNAVAILABLE; /* libpq's own: no answer came */
    for (size_t i = 0; i < sizeof(state_kinds) / sizeof(state_kinds[0]); i++)
        if (strncmp(state, state_kinds[i].prefix, strlen(state_kinds[i].prefix)) == 0)
            return state_kinds[i].kind;
    return ERR_INTERNAL;
}

bool db_fail(const struct db *db, const PGresult *res, struct err *err)
{
    const char *state = res ? PQresultErrorField(res, PG_DIAG_SQLSTATE) : NULL;
    const char *text = res ? PQresultErrorField(res, PG_DIAG_MESSAGE_PRIMARY) : NULL;

    if (!text && res)
        text = PQresultErrorMessage(res);
    if (db->silent)
        return err_set(err, ERR_UNAVAILABLE, "no connection: nothing came for %" PRId64 " ms",
                       db->wait_ms);
    if (!text || !text[0])
        text = db->conn ? PQerrorMessage(db->conn) : "not connected";
    /* A dead connection is worth a retry whatever the last statement said, but a refusal that came
     * whole before it is the cause. */
    if (!state && res && PQresultStatus(res) != PGRES_FATAL_ERROR &&
        PQstatus(db->conn) == CONNECTION_OK)
        return err_set(err, ERR_INTERNAL, "unexpected answer %s", PQresStatus(PQresultStatus(res)));
    return err_set(err, kind_of(state), "%s: %.*s", state ? state : "no connection",
                   (int)strcspn(text, "\n"), text);
}

/* False: nothing came for too long. Then the socket is shut, so that libpq, wherever it looks next,
 * finds the connection at its end. */
static bool wait_for(struct db *db, short events, short *out_came)
{
    struct pollfd look = {.fd = PQsocket(db->conn), .events = events};
    int ready;

    do
        ready = poll(&look, 1, db->wait_ms > 0 ? (int)db->wait_ms : -1);
    while (ready < 0 && errno == EINTR);
    *out_came = look.revents;
    if (ready > 0)
        return true;
    db->silent = true;
    (void)shutdown(look.fd, SHUT_RDWR);
    return false;
}

bool db_flush(struct db *db)
{
    short came;

    while (PQflush(db->conn) == 1) {
        if (!wait_for(db, POLLIN | POLLOUT, &came))
            return false;
        if (came & POLLIN) /* a server that cannot get rid of what it has to say reads no further */
            (void)PQconsumeInput(db->conn);
    }
    return !db->silent;
}

PGresult *db_next(struct db *db)
{
    short came;

    (void)db_flush(db);
    while (PQisBusy(db->conn)) {
        if (!wait_for(db, POLLIN, &came) || !PQconsumeInput(db->conn))
            break;
        /* Again: what TLS has deciphered beyond the room that libpq had for it wakes no poll. */
        if (PQisBusy(db->conn) && !PQconsumeInput(db->conn))
            break;
    }
    return PQgetResult(db->conn);
}

PGresult *db_answer(struct db *db, int sent)
{
    PGresult *last = NULL;
    PGresult *next;

    while (sent && (next = db_next(db))) {
        PQclear(last);
        last = next;
        if (PQresultStatus(last) == PGRES_COPY_IN || PQstatus(db->conn) == CONNECTION_BAD)
            break;
    }
    return last;
}

bool db_exec(struct db *db, const char *sql, struct err *err)
{
    if (!db->conn)
        return err_set(err, ERR_UNAVAILABLE, "not connected");

    DB_RESULT res = db_answer(db, PQsendQuery(db->conn, sql));
    const ExecStatusType status = PQresultStatus(res);

    if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK || status == PGRES_EMPTY_QUERY)
        return true;
    return db_fail(db, res, err);
}

/* The session's settings by role; what only the writer or the reader needs, they set themselves. An
 * administrator's statement may take its time. */
static bool set_session(struct db *db, enum db_role role, int64_t statement_timeout_ms,
                        struct err *err)
{
    static const char common[] =
        "SET search_path = ''; SET TimeZone = 'UTC'; SET DateStyle = 'ISO';"
        "SET IntervalStyle = 'postgres'; SET extra_float_digits = 1; SET bytea_output = 'hex';"
        "SET standard_conforming_strings = on; SET client_min_messages = warning;";
    static const char *const by_role[] = {
        [DB_WRITE] =
            "SET synchronous_commit = on; SET idle_in_transaction_session_timeout = '2min'",
        [DB_READ] = "SET default_transaction_read_only = on;"
                    "SET idle_in_transaction_session_timeout = '1min'",
        [DB_ADMIN] = "SET synchronous_commit = on",
    };
    char sql[768];

    (void)snprintf(sql, sizeof(sql), "%s SET statement_timeout = %" PRId64 "; %s", common,
                   statement_timeout_ms > 0 ? statement_timeout_ms : INT64_C(0), by_role[role]);
    return db_exec(db, sql, err);
}

/* libpq says in words only why a connection failed. A refused password does not pass by waiting;
 * everything else may, and so may words that are not known here. */
static bool open_fail(PGconn *conn, struct err *err)
{
    const char *text = PQerrorMessage(conn);
    const char *last = strstr(text, "FATAL:"); /* of several hosts or lines the server's own word */
    const bool refused = PQconnectionNeedsPassword(conn) || strstr(text, "authentication failed") ||
                         strstr(text, "pg_hba.conf") || strstr(text, "does not exist\n") ||
                         strstr(text, "permission denied for database") ||
                         strstr(text, "not permitted to log in") || strstr(text, "invalid ") ||
                         strstr(text, "missing \"=\"");

    text = last ? last : text;
    return err_set(err, refused ? ERR_BAD_INPUT : ERR_UNAVAILABLE,
                   "cannot connect to the database: %.*s", (int)strcspn(text, "\n"), text);
}

/* libpq prints notices to standard error; only edges log, and what matters comes as an error. */
static void drop_notice(void *arg, const PGresult *notice)
{
    (void)arg;
    (void)notice;
}

static bool check_server(struct db *db, struct err *err)
{
    const int version = PQserverVersion(db->conn);

    if (version < SERVER_VERSION_LEAST)
        return err_set(err, ERR_BAD_INPUT, "database is PostgreSQL %d.%d, want 15 or newer",
                       version / 10000, version % 10000);
    return true;
}

/* More of a COPY waits in the kernel for a busy backend, and the writer sleeps less often. The kernel
 * gives as much as it allows; TCP finds its own measure. */
static void widen(const struct db *db)
{
    const int room = SEND_ROOM_BYTES;
    const char *host = PQhost(db->conn);

    if (host && host[0] == '/' && PQsocket(db->conn) >= 0)
        (void)setsockopt(PQsocket(db->conn), SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
}

bool db_open(struct db *db, const char *conninfo, enum db_role role, int64_t statement_timeout_ms,
             struct err *err)
{
    /* What stands before dbname is a default that the connection string may override. A vanished
     * host is noticed within half a minute: its requests get 503 and may be sent again. */
    static const char *const names[] = {
        "connect_timeout",  "keepalives_idle",  "keepalives_interval",
        "keepalives_count", "tcp_user_timeout", "fallback_application_name",
        "dbname",           "client_encoding",  NULL};
    const char *const values[] = {"5",          "15",     "5",    "3", "30000",
                                  "spanledger", conninfo, "UTF8", NULL};

    *db = (struct db){.conn = PQconnectdbParams(names, values, 1)};
    if (statement_timeout_ms > 0)
        db->wait_ms = statement_timeout_ms + WAIT_BEYOND_TIMEOUT_MS;
    if (!db->conn)
        return err_set(err, ERR_UNAVAILABLE, "no memory for a database connection");
    (void)PQsetNoticeReceiver(db->conn, drop_notice, NULL);
    (void)PQsetnonblocking(db->conn, 1); /* sending waits in db_flush, within bounds */
    if (role == DB_WRITE)
        widen(db);
    if (PQstatus(db->conn) != CONNECTION_OK)
        (void)open_fail(db->conn, err);
    else if (check_server(db, err) && set_session(db, role, statement_timeout_ms, err))
        return true;
    db_close(db);
    return false;
}

void db_close(struct db *db)
{
    PQfinish(db->conn);
    db->conn = NULL;
}

bool db_is_open(const struct db *db)
{
    return db->conn && !db->silent && PQstatus(db->conn) == CONNECTION_OK;
}
