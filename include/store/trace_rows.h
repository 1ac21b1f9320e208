/* Trace rows of a batch: one per trace and UTC day, counted up from the spans that are really new. */
#ifndef STORE_TRACE_ROWS_H
#define STORE_TRACE_ROWS_H

#include "store/db.h"
#include "store/write.h"

struct trace_rows; /* arrays of parameters and prepared statements of one connection */

struct trace_rows *trace_rows_new(void); /* NULL: no memory */
void trace_rows_free(struct trace_rows *rows);
void trace_rows_disconnected(struct trace_rows *rows);

/*
 * Inside the transaction, after the spans: adds items with outcome WRITE_NEW to their trace rows, marks traces of several days, and counts anew the rows
 * of items with WRITE_REPLACED. The traces must be locked (write_lock.sql).
 */
MUST_CHECK bool trace_rows_write(struct trace_rows *rows, struct db *db,
                                 const struct write_item *items, size_t count, struct err *err);

#endif
