/* Log records to rows. */
#include "store/log_rows.h"

#include <stdlib.h>

#include "queries.h"
#include "store/call.h"
#include "store/pgtypes.h"

#define COLUMN_MAX_BYTES ((size_t)512 << 20)
#define KEEP_BYTES ((size_t)4 << 20)

/* Columns of write_logs.sql, in order. */
enum column {
    TENANT,
    BUCKET,
    TRACE,
    SPAN,
    TIME,
    TIME_NS,
    HASH,
    POSITION,
    RECEIVED,
    EVENT,
    COLUMNS
};

static const struct {
    Oid element;
    Oid array;
} types[COLUMNS] = {
    [TENANT] = {INT4OID, INT4ARRAYOID},
    [BUCKET] = {INT2OID, INT2ARRAYOID},
    [TRACE] = {UUIDOID, UUIDARRAYOID},
    [SPAN] = {INT8OID, INT8ARRAYOID},
    [TIME] = {TIMESTAMPTZOID, TIMESTAMPTZARRAYOID},
    [TIME_NS] = {INT2OID, INT2ARRAYOID},
    [HASH] = {INT8OID, INT8ARRAYOID},
    [POSITION] = {INT4OID, INT4ARRAYOID},
    [RECEIVED] = {TIMESTAMPTZOID, TIMESTAMPTZARRAYOID},
    [EVENT] = {TEXTOID, TEXTARRAYOID},
};

struct log_rows {
    struct pg_array columns[COLUMNS];
    bool prepared;
};

struct log_rows *log_rows_new(void)
{
    struct log_rows *rows = calloc(1, sizeof(*rows));

    for (int i = 0; rows && i < COLUMNS; i++)
        pg_array_init(&rows->columns[i], types[i].element, COLUMN_MAX_BYTES);
    return rows;
}

void log_rows_free(struct log_rows *rows)
{
    for (int i = 0; rows && i < COLUMNS; i++)
        pg_array_done(&rows->columns[i]);
    free(rows);
}

void log_rows_disconnected(struct log_rows *rows)
{
    rows->prepared = false;
}

static void add_row(struct log_rows *rows, const struct log_item *item)
{
    struct pg_array *columns = rows->columns;
    const struct stored_log *row = item->row;

    pg_array_int4(&columns[TENANT], row->tenant_id);
    pg_array_int2(&columns[BUCKET], row->trace_bucket);
    pg_array_uuid(&columns[TRACE], &row->trace_id);
    pg_array_int8(&columns[SPAN], row->span_id);
    pg_array_int8(&columns[TIME], pg_timestamp(row->time_unix_ns));
    pg_array_int2(&columns[TIME_NS], (int16_t)(row->time_unix_ns % NS_PER_US));
    pg_array_int8(&columns[HASH], row->content_hash);
    pg_array_int4(&columns[POSITION], (int32_t)item->position);
    pg_array_int8(&columns[RECEIVED], pg_timestamp(row->received_ns));
    pg_array_bytes(&columns[EVENT], row->event);
}

/* The answer: how many were written, and int4[] of the places of those refused. */
static bool read_answer(PGresult *result, struct log_item *items, size_t count, size_t *out_written,
                        struct err *err)
{
    enum { HEADER = 20, ELEMENT = 8 };
    const bool whole = PQntuples(result) == 1 && PQgetlength(result, 0, 0) == 8;
    const uint8_t *refused = whole ? (const uint8_t *)PQgetvalue(result, 0, 1) : NULL;
    const size_t len = whole ? (size_t)PQgetlength(result, 0, 1) : 0;

    for (size_t at = HEADER; at + ELEMENT <= len; at += ELEMENT) {
        const size_t place = read_be32(refused + at + 4);

        if (place >= 1 && place <= count)
            items[place - 1].refused = true;
    }
    if (!whole)
        return err_set(err, ERR_INTERNAL, "write_logs answered without a count");
    *out_written = (size_t)read_be64((const uint8_t *)PQgetvalue(result, 0, 0));
    return true;
}

bool log_rows_write(struct log_rows *rows, struct db *db, struct log_item *items, size_t count,
                    size_t *out_written, struct err *err)
{
    struct call call = {0};
    DB_RESULT result = NULL;
    bool fits = true;

    for (int i = 0; i < COLUMNS; i++)
        pg_array_clear(&rows->columns[i]);
    for (size_t i = 0; i < count; i++) {
        items[i].refused = false;
        add_row(rows, &items[i]);
    }
    for (int i = 0; i < COLUMNS; i++) {
        fits = fits && buf_ok(&rows->columns[i].bytes);
        call_array(&call, types[i].array, &rows->columns[i]);
    }
    call_int4(&call, LOG_ROWS_PER_TRACE);
    if (!fits)
        return err_set(err, ERR_TOO_LARGE, "%zu log records are too much at once", count);
    if (!call_run(db, "write_logs", &rows->prepared, sql_write_logs, &call, &result, err))
        return false;
    for (int i = 0; i < COLUMNS; i++)
        buf_shrink(&rows->columns[i].bytes, KEEP_BYTES);
    return read_answer(result, items, count, out_written, err);
}

bool log_rows_drop_lost(struct db *db, int64_t before_unix_ns, int32_t most_rows,
                        int64_t *out_dropped, bool *out_more, struct err *err)
{
    struct call call = {0};
    DB_RESULT result = NULL;

    if (!db->conn)
        return err_set(err, ERR_UNAVAILABLE, "not connected");
    call_timestamp(&call, before_unix_ns);
    call_int4(&call, most_rows);
    if (!call_run(db, NULL, NULL, sql_drop_lost_logs, &call, &result, err))
        return false;
    if (PQntuples(result) != 1 || PQgetlength(result, 0, 0) != 8 || PQgetlength(result, 0, 1) != 8)
        return err_set(err, ERR_INTERNAL, "drop_lost_logs answered without numbers");
    *out_more = (int64_t)read_be64((const uint8_t *)PQgetvalue(result, 0, 0)) >= (int64_t)most_rows;
    *out_dropped = (int64_t)read_be64((const uint8_t *)PQgetvalue(result, 0, 1));
    return true;
}
