/* Log records to rows of spanledger.span_log: one statement for all of a batch. */
#ifndef STORE_LOG_ROWS_H
#define STORE_LOG_ROWS_H

#include "store/db.h"
#include "store/write.h"

#define LOG_ROWS_PER_TRACE 10000 /* a sender that never ends may not fill the disk in one trace */

struct log_rows; /* one per writer: arrays and a prepared statement */

/* NULL: no memory. */
struct log_rows *log_rows_new(void);
void log_rows_free(struct log_rows *rows);
void log_rows_disconnected(struct log_rows *rows); /* the statement has to be prepared again */

/* Writes them within the transaction that is open and sets each item's refused. Fails as db_fail,
 * and with ERR_TOO_LARGE (fewer may fit). */
MUST_CHECK bool log_rows_write(struct log_rows *rows, struct db *db, struct log_item *items,
                               size_t count, size_t *out_written, struct err *err);

/* Upkeep: looks through records received before a time, most_rows at most and those received
 * together with the last, and deletes those whose span never came. *out_more: it met most_rows. */
MUST_CHECK bool log_rows_drop_lost(struct db *db, int64_t before_unix_ns, int32_t most_rows,
                                   int64_t *out_dropped, bool *out_more, struct err *err);

#endif
