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
