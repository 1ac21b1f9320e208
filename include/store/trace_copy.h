/* Trace rows in the binary form of COPY. */
#ifndef STORE_TRACE_COPY_H
#define STORE_TRACE_COPY_H

#include "store/trace_sum.h"

/* Appends the row of a finished sum: the columns of schema/query/trace_columns.txt, in that order. */
void trace_copy_row(struct buf *out, const struct trace_sum *sum);

#endif
