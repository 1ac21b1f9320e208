/* The head of a trace: the members that stand first in a list and in the answer about the trace. */
#ifndef READ_HEAD_H
#define READ_HEAD_H

#include "model/trace.h"
#include "read/render_time.h"

struct head {
    const struct uuid *trace_id;
    struct bytes name;
    enum trace_status status;
    int64_t start_ns;
    int64_t end_ns;
    int64_t span_count;
    int64_t error_count;
};

/* trace_id … error_count, into the object that is open. */
void head_members(struct json *j, struct render_time *time, const struct head *head);

/* "key":"<32 hex digits>" */
void head_trace_id(struct json *j, const char *key, const struct uuid *id);

#endif
