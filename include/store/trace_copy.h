/* What a batch adds to one trace row, and its form as a row of COPY. */
#ifndef STORE_TRACE_COPY_H
#define STORE_TRACE_COPY_H

#include "base/bytes.h"
#include "model/stored.h"

/* Sum over the spans of one trace that started on one day. */
struct trace_sum {
    int32_t tenant_id;
    int16_t bucket;
    struct uuid trace_id;
    int64_t day;
    int64_t start_ns;
    int64_t end_ns;
    int64_t last_received_ns;
    const struct stored_span *first;
    const struct stored_span *root; /* NULL: none */
    int32_t span_count;
    int32_t error_count;
    int32_t roots[SPAN_UNFINISHED + 1];
    bool recount; /* a version was replaced: count anew from the table */
    bool multi_day;
    bool there; /* the table has a row of this trace and day */
    struct bytes services
        [8]; /* distinct; a day's part of a trace with more services in one batch is counted anew */
    uint32_t service_count;
};

/* COPY column list of spanledger.trace in the order of trace_copy_row. */
extern const char trace_copy_columns[];

/* Appends the row of a trace and day that is not in the table yet. */
void trace_copy_row(struct buf *out, const struct trace_sum *sum);

#endif
