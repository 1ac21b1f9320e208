/* Statements with binary parameters on a write connection, each prepared at its first use. */
#ifndef STORE_CALL_H
#define STORE_CALL_H

#include "store/db.h"
#include "store/pg_array.h"
#include "store/pg_time.h"

#define CALL_MAX_PARAMS 24

struct call {
    Oid types[CALL_MAX_PARAMS];
    const char *values[CALL_MAX_PARAMS];
    int lengths[CALL_MAX_PARAMS];
    int count;
    uint8_t scalars[CALL_MAX_PARAMS][16]; /* big-endian forms of scalar parameters */
};

/* Parameters in order of $n; slices and arrays are borrowed until the statement has run. */
void call_array(struct call *call, Oid array_type, struct pg_array *array);
void call_int4(struct call *call, int32_t value);
void call_int8(struct call *call, int64_t value);
void call_bool(struct call *call, bool value);
void call_date(struct call *call, int64_t unix_day);
void call_timestamp(struct call *call, int64_t unix_ns);
void call_uuid(struct call *call, const struct uuid *value);
void call_text(struct call *call, struct bytes value);

/*
 * Runs a statement. name NULL: unprepared, so that its plan knows the parameters (chunk exclusion while planning); else prepared under that
 * name where *prepared is still false. out_result: a result in binary, PQclear is the caller's; NULL: the result is dropped.
 */
MUST_CHECK bool call_run(struct db *db, const char *name, bool *prepared, const char *sql,
                         const struct call *call, PGresult **out_result, struct err *err);

/* BEGIN, and a statement as the first of the transaction: in one round trip once it is prepared. The
 * connection is not to be used again where it is still in pipeline mode. */
MUST_CHECK bool call_begin(struct db *db, const char *name, bool *prepared, const char *sql,
                           const struct call *call, PGresult **out_result, struct err *err);

/*
 * The same for answers of any length: they are taken row by row, and the database waits meanwhile. What was begun is taken to its end: *out_row
 * NULL (also after a failure). A row is a result of its own, PQclear is the caller's.
 */
MUST_CHECK bool call_stream(struct db *db, const char *sql, const struct call *call,
                            struct err *err);
MUST_CHECK bool call_next(struct db *db, PGresult **out_row, struct err *err);

#endif
