/* PostgreSQL's binary forms: rows of COPY … (FORMAT binary) and one-dimensional arrays as
 * parameters. Pure, no libpq. */
#ifndef STORE_PGCOPY_H
#define STORE_PGCOPY_H

#include "base/bytes.h"
#include "model/stored.h"

/* What stands before the first and behind the last row of a stream. */
void pgcopy_begin(struct buf *out);
void pgcopy_end(struct buf *out);

/* Appends one row of spanledger.span: the columns of schema/query/span_columns.txt, in that order.
 * ingest_seq is patched later: the transaction that writes the row gives it. */
void pgcopy_span(struct buf *out, const struct stored_span *row);

/* Sets ingest_seq in the row that begins at `row`. */
void pgcopy_span_set_seq(uint8_t *row, int64_t ingest_seq);

#endif
