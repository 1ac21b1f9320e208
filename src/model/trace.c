/* Words for what a trace can be. */
#include "model/trace.h"

const char *trace_status_name(enum trace_status status)
{
    static const char *const names[TRACE_STATUS_MAX] = {
        [TRACE_RUNNING] = "running",
        [TRACE_COMPLETED] = "completed",
        [TRACE_FAILED] = "failed",
        [TRACE_CANCELLED] = "cancelled",
    };

    return (unsigned)status < TRACE_STATUS_MAX ? names[status] : NULL;
}

enum trace_status trace_status_of(const int64_t roots[4], int64_t last_received_ns, int64_t now_ns)
{
    if (roots[SPAN_FAILED] > 0)
        return TRACE_FAILED;
    if (roots[SPAN_CANCELLED] > 0)
        return TRACE_CANCELLED;
    if (roots[SPAN_ENDED] > 0)
        return TRACE_COMPLETED;
    return last_received_ns > now_ns - TRACE_RUNNING_NS ? TRACE_RUNNING : TRACE_COMPLETED;
}

/* As least(…) in schema/query/trace_list.sql. */
static int64_t narrow(wide_int value)
{
    return value > INT64_MAX ? INT64_MAX : (int64_t)value;
}

int64_t trace_sort_value(enum trace_sort sort, const struct trace_row *row)
{
    switch (sort) {
    case TRACE_SORT_DURATION:
        return row->end_ns - row->start_ns;
    case TRACE_SORT_ERRORS:
        return row->error_count;
    case TRACE_SORT_COST:
        return narrow(row->spend.cost_total);
    case TRACE_SORT_TOKENS:
        return narrow(row->spend.total_tokens);
    case TRACE_SORT_START:
    case TRACE_SORT_MAX:
        break;
    }
    return row->start_ns;
}

const char *trace_facet_name(enum facet_kind kind)
{
    static const char *const names[FACET_KIND_COUNT] = {
#define X(id, name) [FACET_##id] = (name),
        TRACE_FACETS(X)
#undef X
    };

    return names[kind];
}

struct bytes trace_facet_value(struct bytes value)
{
    size_t characters = 0;

    if (value.len <= TRACE_FACET_CHARACTERS)
        return value;
    for (size_t i = 0; i < value.len; i++) {
        const bool begins = (value.at[i] & 0xc0) != 0x80; /* a character, in UTF-8 */

        if (begins && characters++ == TRACE_FACET_CHARACTERS)
            return (struct bytes){value.at, i};
    }
    return value;
}

int64_t trace_running_cost(int64_t so_far, const struct trace_row *row)
{
    return narrow(so_far + row->spend.cost_total);
}
