/* COPY FROM STDIN in binary form over one connection. */
#include "store/copy.h"

#include <stdio.h>

#include "store/pgcopy.h"

#define COPY_PIECE_BYTES (256U * 1024)

/* Takes the answer to a COPY; the first error is the cause. */
static bool read_answer(struct db *db, struct err *err)
{
    bool done = true;

    for (;;) {
        DB_RESULT result = db_next(db);
        if (!result)
            return done;
        if (PQresultStatus(result) != PGRES_COMMAND_OK && done)
            done = db_fail(db, result, err);
        if (PQresultStatus(result) == PGRES_COPY_IN)
            return done; /* still in COPY: the connection is of no use, the caller closes it */
    }
}

bool copy_put(struct db *db, struct bytes piece, struct err *err)
{
    while (piece.len > 0) {
        const size_t len = piece.len < COPY_PIECE_BYTES ? piece.len : COPY_PIECE_BYTES;
        if (PQputCopyData(db->conn, (const char *)piece.at, (int)len) != 1)
            return read_answer(db, err) ? db_fail(db, NULL, err) : false;
        if (!db_flush(db))
            return db_fail(db, NULL, err);
        piece.at += len;
        piece.len -= len;
    }
    return true;
}

bool copy_begin(struct db *db, const char *before, const char *table, const char *columns,
                struct err *err)
{
    char sql[2048];
    uint8_t header[32];
    struct buf head = {.at = header, .cap = sizeof(header), .max = sizeof(header)};

    (void)snprintf(sql, sizeof(sql), "%sCOPY %s (%s) FROM STDIN (FORMAT binary)", before, table,
                   columns);
    DB_RESULT result = db_answer(db, PQsendQuery(db->conn, sql));
    if (PQresultStatus(result) != PGRES_COPY_IN)
        return db_fail(db, result, err);
    pgcopy_begin(&head);
    return copy_put(db, buf_bytes(&head), err);
}

bool copy_end(struct db *db, struct err *err)
{
    uint8_t trailer[8];
    struct buf tail = {.at = trailer, .cap = sizeof(trailer), .max = sizeof(trailer)};

    pgcopy_end(&tail);
    if (!copy_put(db, buf_bytes(&tail), err))
        return false;
    if (PQputCopyEnd(db->conn, NULL) != 1)
        return read_answer(db, err) ? db_fail(db, NULL, err) : false;
    return read_answer(db, err);
}

bool copy_rows(struct db *db, const char *table, const char *columns, struct bytes rows,
               struct err *err)
{
    return copy_begin(db, "", table, columns, err) && copy_put(db, rows, err) && copy_end(db, err);
}
