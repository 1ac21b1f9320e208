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
