/* Trace rows of a batch: one per trace and UTC day, counted up from the spans that are really new. */
#ifndef STORE_TRACE_ROWS_H
#define STORE_TRACE_ROWS_H

#include "store/counting.h"
#include "store/db.h"
#include "store/write.h"

struct trace_rows; /* arrays of parameters and prepared statements of one connection */

struct trace_rows *trace_rows_new(void); /* NULL: no memory */
void trace_rows_free(struct trace_rows *rows);
void trace_rows_disconnected(struct trace_rows *rows);

/*
 * Inside the transaction, after the spans: sums up the items with outcome WRITE_NEW per trace and day, and finds out which rows are there. Items with
 * WRITE_REPLACED have their rows counted anew. The traces must be locked (write_lock.sql).
 */
MUST_CHECK bool trace_rows_begin(struct trace_rows *rows, struct db *db,
                                 const struct write_item *items, size_t count, struct err *err);

/* Traces that are to be judged by all their spans: an array of struct counting_trace, valid until the next batch. */
MUST_CHECK bool trace_rows_ambiguous(struct trace_rows *rows, const struct counting *counting,
                                     const struct counting_trace **out_traces, size_t *out_count,
                                     struct err *err);

/* Writes the rows, marks traces of several days, and counts anew what is to be, with the rows of `changed` (an array of struct counting_trace). */
MUST_CHECK bool trace_rows_finish(struct trace_rows *rows, struct db *db, const struct buf *changed,
                                  struct err *err);

#endif
