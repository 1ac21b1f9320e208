/* Statements with binary parameters. */
#include "store/call.h"

#include "store/pgtypes.h"

static void add(struct call *call, Oid type, const void *value, size_t len)
{
    call->types[call->count] = type;
    call->values[call->count] = value;
    call->lengths[call->count] = (int)len;
    call->count++;
}

/* Where the next scalar's bytes go. */
static uint8_t *slot(struct call *call)
{
    return call->scalars[call->count];
}

void call_array(struct call *call, Oid array_type, struct pg_array *array)
{
    const struct bytes bytes = pg_array_finish(array);
    add(call, array_type, bytes.at, bytes.len);
}

void call_int4(struct call *call, int32_t value)
{
    put_be32(slot(call), (uint32_t)value);
    add(call, INT4OID, slot(call), 4);
}

void call_int8(struct call *call, int64_t value)
{
    put_be64(slot(call), (uint64_t)value);
    add(call, INT8OID, slot(call), 8);
}

void call_bool(struct call *call, bool value)
{
    *slot(call) = value;
    add(call, BOOLOID, slot(call), 1);
}

void call_date(struct call *call, int64_t unix_day)
{
    put_be32(slot(call), (uint32_t)pg_date(unix_day));
    add(call, DATEOID, slot(call), 4);
}

void call_timestamp(struct call *call, int64_t unix_ns)
{
    put_be64(slot(call), (uint64_t)pg_timestamp(unix_ns));
    add(call, TIMESTAMPTZOID, slot(call), 8);
}

void call_uuid(struct call *call, const struct uuid *value)
{
    add(call, UUIDOID, value->at, sizeof(value->at));
}

void call_text(struct call *call, struct bytes value)
{
    add(call, TEXTOID, value.len ? (const void *)value.at : "", value.len);
}

static const int binary[CALL_MAX_PARAMS] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
                                            1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};

static bool prepare(struct db *db, const char *name, const char *sql, const struct call *call,
                    struct err *err)
{
    DB_RESULT result = db_answer(db, PQsendPrepare(db->conn, name, sql, call->count, call->types));

    return PQresultStatus(result) == PGRES_COMMAND_OK || db_fail(db, result, err);
}

bool call_run(struct db *db, const char *name, bool *prepared, const char *sql,
              const struct call *call, PGresult **out_result, struct err *err)
{
    DB_RESULT result = NULL;
    int sent;

    if (name && !*prepared) {
        if (!prepare(db, name, sql, call, err))
            return false;
        *prepared = true;
    }
    sent = name ? PQsendQueryPrepared(db->conn, name, call->count, call->values, call->lengths,
                                      binary, /* binary result */ 1)
                : PQsendQueryParams(db->conn, sql, call->count, call->types, call->values,
                                    call->lengths, binary, /* binary result */ 1);
    result = db_answer(db, sent);
    if (PQresultStatus(result) != PGRES_COMMAND_OK && PQresultStatus(result) != PGRES_TUPLES_OK)
        return db_fail(db, result, err);
    if (out_result) {
        *out_result = result;
        result = NULL;
    }
    return true;
}

/* Takes the answers to BEGIN, to the statement and to the end of both, which come whatever fails; the
 * first error is the cause. */
static bool read_both(struct db *db, PGresult **out_result, struct err *err)
{
    bool done = true;

    for (;;) {
        DB_RESULT result = db_next(db);
        const ExecStatusType status = PQresultStatus(result);

        if (status == PGRES_PIPELINE_SYNC)
            return done;
        if (status == PGRES_TUPLES_OK) {
            *out_result = result;
            result = NULL;
        } else if ((result || !db_is_open(db)) && status != PGRES_COMMAND_OK) {
            done = done && db_fail(db, result, err); /* also what was not run for the first error */
        }
        if (!db_is_open(db))
            return false;
    }
}

bool call_begin(struct db *db, const char *name, bool *prepared, const char *sql,
                const struct call *call, PGresult **out_result, struct err *err)
{
    DB_RESULT result = NULL;
    bool done;

    if (!*prepared)
        return db_exec(db, "BEGIN", err) &&
               call_run(db, name, prepared, sql, call, out_result, err);
    if (!PQenterPipelineMode(db->conn) ||
        !PQsendQueryParams(db->conn, "BEGIN", 0, NULL, NULL, NULL, NULL, 0) ||
        !PQsendQueryPrepared(db->conn, name, call->count, call->values, call->lengths, binary, 1) ||
        !PQpipelineSync(db->conn))
        return db_fail(db, NULL, err);
    done = read_both(db, &result, err);
    if (!PQexitPipelineMode(db->conn) && done)
        done = db_fail(db, NULL, err);
    if (!done)
        return false;
    *out_result = result;
    result = NULL;
    return true;
}

bool call_stream(struct db *db, const char *sql, const struct call *call, struct err *err)
{
    return (PQsendQueryParams(db->conn, sql, call->count, call->types, call->values, call->lengths,
                              binary, /* binary result */ 1) == 1 &&
            PQsetSingleRowMode(db->conn) == 1) ||
           db_fail(db, NULL, err);
}

bool call_next(struct db *db, PGresult **out_row, struct err *err)
{
    DB_RESULT result = db_next(db);

    *out_row = NULL;
    if (PQresultStatus(result) == PGRES_SINGLE_TUPLE) {
        *out_row = result;
        result = NULL;
        return true;
    }
    for (PGresult *more; (more = db_next(db));)
        PQclear(more);
    return PQresultStatus(result) == PGRES_TUPLES_OK || db_fail(db, result, err);
}
