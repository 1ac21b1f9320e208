/* COPY … FROM STDIN (FORMAT binary) over one connection. table and columns are our own constants, never input. Each fails as db_fail does; the connection
 * is out of COPY then, or of no more use. */
#ifndef STORE_COPY_H
#define STORE_COPY_H

#include "store/db.h"

/* before: a statement with its semicolon that takes no round trip of its own, or "". */
MUST_CHECK bool copy_begin(struct db *db, const char *before, const char *table,
                           const char *columns, struct err *err);
MUST_CHECK bool copy_put(struct db *db, struct bytes rows, struct err *err);
MUST_CHECK bool copy_end(struct db *db, struct err *err);

/* All three for rows that are in one piece. */
MUST_CHECK bool copy_rows(struct db *db, const char *table, const char *columns, struct bytes rows,
                          struct err *err);

#endif
