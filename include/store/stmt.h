/* The read statements of schema/query/: their parameters and columns, prepared and verified when a
 * connection opens. */
#ifndef STORE_STMT_H
#define STORE_STMT_H

#include "store/db.h"
#include "store/row.h"

enum stmt_id {
    STMT_TRACE_DAYS,
    STMT_TRACE_SPANS,
    STMT_TRACE_SKELETON,
    STMT_SPAN,
    STMT_SPAN_LOGS,
    STMT_RESOURCES,
    STMT_SCOPES,
    STMT_SERVICES,
    STMT_PRICES,
    STMT_GROUP_ONE,
    STMT_GROUP_PAGE,
    STMT_MODELS,
    STMT_MAX
};

#define STMT_MAX_COLUMNS 64

/* Lists of OIDs end with 0. */
struct stmt {
    const char *name;
    const char *sql;
    unsigned params[ROW_MAX_PARAMS + 1];
    unsigned columns[STMT_MAX_COLUMNS + 1];
};

extern const struct stmt stmts[STMT_MAX];

/* Columns of the list statement, which is put together by store/list_sql. */
extern const unsigned stmt_list_columns[];
extern const size_t stmt_list_columns_bytes;

/* Prepares one statement and compares the server's own description with the table: a column that
 * changed its type must fail at start, not at 3 a.m. ERR_INTERNAL names statement and place. */
MUST_CHECK bool stmt_prepare(struct db *db, const struct stmt *stmt, struct err *err);

/* All of `stmts`. */
MUST_CHECK bool stmt_prepare_all(struct db *db, struct err *err);

/* Executes a prepared statement, result binary; *out_res is the caller's to clear. */
MUST_CHECK bool stmt_run(struct db *db, const char *name, const struct row_params *params,
                         PGresult **out_res, struct err *err);

/* The same in two steps, so that the caller may work while the database does. What was sent must be
 * received before anything else is sent, also after a failure. */
MUST_CHECK bool stmt_send(struct db *db, const char *name, const struct row_params *params,
                          struct err *err);
MUST_CHECK bool stmt_receive(struct db *db, PGresult **out_res, struct err *err);

#endif
