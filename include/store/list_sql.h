/* The statements of a list of traces: schema/query/trace_list.sql and trace_count.sql with the
 * fragments of the filters in use. Constant text only; values are parameters. */
#ifndef STORE_LIST_SQL_H
#define STORE_LIST_SQL_H

#include "base/arena.h"
#include "model/trace.h"
#include "store/stmt.h"

#define LIST_SQL_CODES 4096 /* combinations of fragments there can be */

/* A page; or how many match among the newest most_rows, whatever the sort and the cursor. */
enum list_sql_use { LIST_SQL_PAGE, LIST_SQL_COUNT };

struct list_sql {
    unsigned code;            /* of the combination, below LIST_SQL_CODES: for "is it prepared" */
    struct stmt stmt;         /* name and text live in arena */
    struct row_params params; /* texts are borrowed from the filter */
};

/* most_rows: LIMIT. out_list must stay where it is while it is used: params points into it. Fails
 * with ERR_TOO_LARGE (arena). */
MUST_CHECK bool list_sql_make(const struct trace_filter *filter, enum list_sql_use use,
                              int32_t tenant_id, uint32_t most_rows, struct arena *arena,
                              struct list_sql *out_list, struct err *err);

#endif
