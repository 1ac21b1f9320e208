/* Log records beside the spans that were read. */
#ifndef STORE_QUERY_LOGS_H
#define STORE_QUERY_LOGS_H

#include "store/query.h"

#define QUERY_LOGS_ALL_SPANS 0 /* no span has this id */

/*
 * Sets log_events of the spans, which are sorted and of one trace: the records of each span id, in
 * order of time, at the earliest span of that id.
 * since_us, until_us  days of the trace; records are looked for 30 days around them
 * span_id             of all the spans, or QUERY_LOGS_ALL_SPANS
 * Fails as a statement, and with ERR_TOO_LARGE (arena).
 */
MUST_CHECK bool query_logs_read(struct reader *reader, struct trace_spans *spans, int64_t since_us,
                                int64_t until_us, int64_t span_id, struct arena *arena,
                                struct err *err);

#endif
