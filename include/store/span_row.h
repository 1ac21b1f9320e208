/* One row of trace_spans, trace_skeleton or span as a struct. */
#ifndef STORE_SPAN_ROW_H
#define STORE_SPAN_ROW_H

#include "store/row.h"
#include "store/shared_rows.h"

/* Fills what the row knows of *span (zeroed, tenant and trace set by the caller); texts live in the
 * row's arena. full: the columns of payload follow; without it resource and scope stay NULL and
 * texts of payload empty. False as row_ok. */
MUST_CHECK bool span_row_read(struct row *row, bool full, struct shared_rows *shared,
                              struct stored_span *span);

/* Parts of it, for statements that read less: the arrays `usage` and `cost` of
 * schema/query/span_read_skeleton.txt, and the observation of a name. */
void span_row_usage(struct row *row, int column, struct token_usage *usage);
void span_row_cost(struct row *row, int column, struct cost *cost);
enum observation span_row_observation(struct bytes name);

#endif
