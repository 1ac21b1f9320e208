/* A reader's connection and its prepared statements: what the rooms of store/query share. */
#ifndef STORE_READER_H
#define STORE_READER_H

#include "store/db.h"
#include "store/query.h"
#include "store/row.h"
#include "store/stmt.h"

/* Statements put together from fragments that one connection keeps prepared: more than people use,
 * few enough for the server's memory. */
#define READER_MADE_STATEMENTS 100

struct reader {
    struct db db;
    char *conninfo;
    int64_t statement_timeout_ms;
    uint64_t made[READER_MADE_STATEMENTS]; /* codes of those that are prepared */
    size_t made_count;
};

/* The first statement of a call: opens the connection, also when it died unnoticed. */
MUST_CHECK bool reader_run_first(struct reader *reader, const struct stmt *stmt,
                                 const struct row_params *params, PGresult **out_res,
                                 struct err *err);

/* A statement that was put together; code is its text's, name and text live as long as the call. It
 * may be the first of a call. */
MUST_CHECK bool reader_run_made(struct reader *reader, uint64_t code, const struct stmt *stmt,
                                const struct row_params *params, PGresult **out_res,
                                struct err *err);

static inline struct row reader_row(const PGresult *res, struct arena *arena, struct err *err)
{
    return (struct row){.res = res, .arena = arena, .err = err};
}

#endif
