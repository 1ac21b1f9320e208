/*
 * copy_limit: what the database itself can take of the rows that it holds: the rows of spanledger.span, in
 * the form in which the server writes them, copied into an empty twin of the table (same columns, same
 * partitions, same key) by connections that do nothing else. No trace rows, no HTTP, no decoding.
 */
#include <getopt.h>
#include <libpq-fe.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "queries.h"
#include "support/figures.h"

#define CHUNK_BYTES ((size_t)64 * 1024)
#define COPY_HEADER_BYTES 19 /* behind it: an extension, empty since binary COPY exists */
#define MAX_CONNS 64

struct rows {
    struct buf bytes;
    size_t *at; /* row i: at[i] .. at[i + 1] */
    size_t count;
    size_t cap;
};

struct copier {
    const char *conninfo;
    const struct rows *rows;
    size_t first;
    size_t end;
    size_t per_transaction;
    pthread_t thread;
};

static void fail(PGconn *conn, const char *what)
{
    (void)fprintf(stderr, "copy_limit: %s: %s\n", what, PQerrorMessage(conn));
    exit(2);
}

static PGconn *open_conn(const char *conninfo)
{
    PGconn *conn = PQconnectdb(conninfo);
    if (PQstatus(conn) != CONNECTION_OK)
        fail(conn, "connect");
    return conn;
}

static void run(PGconn *conn, const char *sql)
{
    PGresult *result = PQexec(conn, sql);
    if (PQresultStatus(result) != PGRES_COMMAND_OK && PQresultStatus(result) != PGRES_TUPLES_OK)
        fail(conn, sql);
    PQclear(result);
}

static double number(PGconn *conn, const char *sql)
{
    PGresult *result = PQexec(conn, sql);
    if (PQresultStatus(result) != PGRES_TUPLES_OK || PQntuples(result) != 1)
        fail(conn, sql);
    const double value = figures_number(sql, PQgetvalue(result, 0, 0));
    PQclear(result);
    return value;
}

static void add_row(struct rows *rows, const char *bytes, size_t len)
{
    if (rows->count + 2 > rows->cap) {
        rows->cap = rows->cap > 0 ? 2 * rows->cap : 65536;
        rows->at = realloc(rows->at, rows->cap * sizeof(rows->at[0]));
    }
    buf_add(&rows->bytes, bytes, len);
    if (rows->at == NULL || !buf_ok(&rows->bytes)) {
        (void)fprintf(stderr, "copy_limit: no memory for %zu rows\n", rows->count);
        exit(2);
    }
    rows->at[rows->count++] = rows->bytes.len - len;
    rows->at[rows->count] = rows->bytes.len;
}

/* The server sends a row a message; the header stands before the first, the trailer alone. */
static void fetch(PGconn *conn, const char *table, size_t most, struct rows *rows)
{
    struct buf sql = {.max = 65536};
    char *message = NULL;
    int len;

    buf_printf(&sql, "COPY (SELECT %s FROM %s LIMIT %zu) TO STDOUT (FORMAT binary)",
               sql_span_columns, table, most);
    buf_add_byte(&sql, 0);
    PGresult *result = PQexec(conn, (const char *)sql.at);
    if (PQresultStatus(result) != PGRES_COPY_OUT)
        fail(conn, "COPY TO");
    PQclear(result);
    buf_done(&sql);
    while ((len = PQgetCopyData(conn, &message, 0)) > 0) {
        const size_t skip = rows->count == 0 ? COPY_HEADER_BYTES : 0;
        if ((size_t)len > skip + 2)
            add_row(rows, message + skip, (size_t)len - skip);
        PQfreemem(message);
    }
    if (len == -2)
        fail(conn, "COPY TO");
    while ((result = PQgetResult(conn)) != NULL)
        PQclear(result);
}

static void make_twin(PGconn *conn, const char *table)
{
    struct buf sql = {.max = 65536};

    buf_printf(&sql,
               "DROP SCHEMA IF EXISTS spanledger_bench CASCADE; CREATE SCHEMA spanledger_bench;"
               "CREATE TABLE spanledger_bench.span (LIKE %s INCLUDING ALL) "
               "PARTITION BY RANGE (start_time);",
               table);
    buf_printf(&sql,
               "DO $$ DECLARE d date; BEGIN FOR d IN SELECT DISTINCT "
               "(start_time AT TIME ZONE 'UTC')::date FROM %s LOOP EXECUTE format("
               "'CREATE TABLE spanledger_bench.%%I PARTITION OF spanledger_bench.span "
               "FOR VALUES FROM (%%L) TO (%%L)', 'span_' || d, d || ' 00:00+00', "
               "d + 1 || ' 00:00+00'); END LOOP; END $$",
               table);
    buf_add_byte(&sql, 0);
    run(conn, (const char *)sql.at);
    buf_done(&sql);
}

static void put(PGconn *conn, const uint8_t *bytes, size_t len)
{
    for (size_t at = 0; at < len; at += CHUNK_BYTES) {
        const size_t part = len - at < CHUNK_BYTES ? len - at : CHUNK_BYTES;
        if (PQputCopyData(conn, (const char *)bytes + at, (int)part) != 1)
            fail(conn, "PQputCopyData");
    }
}

static void copy_transaction(PGconn *conn, const struct rows *rows, size_t first, size_t end,
                             const char *sql)
{
    static const uint8_t header[COPY_HEADER_BYTES] = "PGCOPY\n\377\r\n";
    static const uint8_t trailer[2] = {0xff, 0xff};

    run(conn, "BEGIN");
    PGresult *result = PQexec(conn, sql);
    if (PQresultStatus(result) != PGRES_COPY_IN)
        fail(conn, "COPY FROM");
    PQclear(result);
    put(conn, header, sizeof(header));
    put(conn, rows->bytes.at + rows->at[first], rows->at[end] - rows->at[first]);
    put(conn, trailer, sizeof(trailer));
    if (PQputCopyEnd(conn, NULL) != 1)
        fail(conn, "PQputCopyEnd");
    while ((result = PQgetResult(conn)) != NULL) {
        if (PQresultStatus(result) != PGRES_COMMAND_OK)
            fail(conn, "COPY FROM");
        PQclear(result);
    }
    run(conn, "COMMIT");
}

static void *copy(void *arg)
{
    const struct copier *c = arg;
    PGconn *conn = open_conn(c->conninfo);
    struct buf sql = {.max = 65536};

    run(conn, "SET synchronous_commit = on");
    buf_printf(&sql, "COPY spanledger_bench.span (%s) FROM STDIN (FORMAT binary)",
               sql_span_columns);
    buf_add_byte(&sql, 0);
    for (size_t at = c->first; at < c->end; at += c->per_transaction) {
        const size_t end = at + c->per_transaction < c->end ? at + c->per_transaction : c->end;
        copy_transaction(conn, c->rows, at, end, (const char *)sql.at);
    }
    buf_done(&sql);
    PQfinish(conn);
    return NULL;
}

static void measure(PGconn *conn, const struct rows *rows, size_t conns, const struct copier *model)
{
    struct copier copiers[MAX_CONNS];

    run(conn, "TRUNCATE spanledger_bench.span");
    run(conn, "CHECKPOINT");
    const double wal = number(conn, "SELECT pg_current_wal_insert_lsn() - '0/0'");
    const int64_t start_ns = clock_mono_ns();
    for (size_t i = 0; i < conns; i++) {
        copiers[i] = *model;
        copiers[i].first = rows->count * i / conns;
        copiers[i].end = rows->count * (i + 1) / conns;
        if (pthread_create(&copiers[i].thread, NULL, copy, &copiers[i]) != 0)
            exit(2);
    }
    for (size_t i = 0; i < conns; i++)
        (void)pthread_join(copiers[i].thread, NULL);
    const double seconds = (double)(clock_mono_ns() - start_ns) / 1e9;
    const double count = (double)rows->count;
    const double written = number(conn, "SELECT pg_current_wal_insert_lsn() - '0/0'") - wal;
    const double size =
        number(conn, "SELECT sum(pg_total_relation_size(inhrelid)) FROM pg_inherits "
                     "WHERE inhparent = 'spanledger_bench.span'::regclass");
    if (number(conn, "SELECT count(*) FROM spanledger_bench.span") < count)
        exit(2);
    (void)printf("conns %zu rows %zu per_transaction %zu rows_per_s %.0f mb_per_s %.1f "
                 "wal_bytes_per_row %.0f table_bytes_per_row %.0f\n",
                 conns, rows->count, model->per_transaction, count / seconds,
                 (double)rows->bytes.len / seconds / 1e6, written / count, size / count);
    (void)fflush(stdout);
}

int main(int argc, char *argv[])
{
    static const struct option options[] = {{"db", required_argument, NULL, 'd'},
                                            {"table", required_argument, NULL, 't'},
                                            {"rows", required_argument, NULL, 'n'},
                                            {"conns", required_argument, NULL, 'c'},
                                            {"per-transaction", required_argument, NULL, 'p'},
                                            {NULL, 0, NULL, 0}};
    const char *table = "spanledger.span";
    struct copier model = {.conninfo = "", .per_transaction = 4000};
    struct rows rows = {.bytes = {.max = (size_t)4 << 30}};
    size_t most = 400000;
    size_t conns[16];
    size_t conns_count = 0;
    int option;

    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == 'd')
            model.conninfo = optarg;
        else if (option == 't')
            table = optarg;
        else if (option == 'n')
            most = (size_t)figures_number("--rows", optarg);
        else if (option == 'p')
            model.per_transaction = (size_t)figures_number("--per-transaction", optarg);
        else if (option == 'c' && conns_count < 16)
            conns[conns_count++] = (size_t)figures_number("--conns", optarg);
        else
            exit(2);
    }
    if (conns_count == 0) {
        static const size_t usual[] = {1, 2, 4};
        memcpy(conns, usual, sizeof(usual));
        conns_count = 3;
    }
    PGconn *conn = open_conn(model.conninfo);
    if (number(conn, "SELECT count(*) FROM pg_settings WHERE name IN ('fsync', "
                     "'full_page_writes') AND setting = 'on'") < 2)
        (void)fprintf(stderr, "copy_limit: warning: this database is not durable\n");
    fetch(conn, table, most, &rows);
    if (rows.count == 0 || model.per_transaction == 0) {
        (void)fprintf(stderr, "copy_limit: %s has no rows\n", table);
        exit(2);
    }
    model.rows = &rows;
    make_twin(conn, table);
    for (size_t i = 0; i < conns_count; i++)
        if (conns[i] > 0 && conns[i] <= MAX_CONNS)
            measure(conn, &rows, conns[i], &model);
    run(conn, "DROP SCHEMA spanledger_bench CASCADE");
    PQfinish(conn);
    buf_done(&rows.bytes);
    free(rows.at);
    return 0;
}
