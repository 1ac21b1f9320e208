/* The statements of a list of traces: schema/query/trace_list.sql with the fragments of the filters
 * in use and of one way of looking. Constant text only; values are parameters. */
#ifndef STORE_LIST_SQL_H
#define STORE_LIST_SQL_H

#include "base/arena.h"
#include "model/trace.h"
#include "store/stmt.h"

/*
 * Ways of looking. None of them leaves PostgreSQL a choice that depends on statistics: a filter that
 * nearly everything passes and one that nothing passes look the same to a prepared plan.
 */
enum list_sql_way {
    LIST_SQL_WALK,   /* all traces of the range, in order where an index has it */
    LIST_SQL_FIRST,  /* the first `look` in order of start: enough for filters that many pass */
    LIST_SQL_FACETS, /* those that the index of facets finds, at most `look` */
    LIST_SQL_NAME,   /* those that the index of names finds, at most `look` */
};

struct list_sql {
    uint64_t code;            /* of the text: for "is it prepared" */
    struct stmt stmt;         /* name and text live in arena */
    struct row_params params; /* texts are borrowed from the filter and arena */
};

/* most_rows: LIMIT. look: traces looked at by ways that are bounded. out_list must stay where it is
 * while it is used: params points into it. Fails with ERR_TOO_LARGE (arena). */
MUST_CHECK bool list_sql_make(const struct trace_filter *filter, enum list_sql_way way,
                              int32_t tenant_id, uint32_t most_rows, uint32_t look,
                              struct arena *arena, struct list_sql *out_list, struct err *err);

#endif
