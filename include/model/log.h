/* A log record as the sender described it, and as the row that it becomes. Only records that tell
 * what a span was told and said (GenAI events) are taken; they are shown as events of that span. */
#ifndef MODEL_LOG_H
#define MODEL_LOG_H

#include "model/stored.h"

/* Plain struct like struct span; everything lives in one arena. */
struct log_record {
    struct bytes trace_id; /* as sent */
    struct bytes span_id;
    struct bytes event_name;
    struct bytes severity_text;
    uint64_t time_unix_nano;     /* 0: not known */
    uint64_t observed_unix_nano; /* 0: not known */
    int32_t severity_number;
    uint32_t flags;
    struct value body;
    struct attributes attributes;
    unsigned marks;    /* enum span_mark, as far as the decoder saw */
    const char *fault; /* why it is not taken (text without attribute values); NULL: sound so far */
    uint32_t resource_index; /* resource_logs[i].scope_logs[j].log_records[k] */
    uint32_t scope_index;
    uint32_t record_index;
};

struct log_array {
    struct log_record *items;
    size_t count;
};

/* A row of spanledger.span_log. */
struct stored_log {
    int32_t tenant_id;
    int16_t trace_bucket; /* stored_bucket(trace_id) */
    struct uuid trace_id;
    int64_t span_id;
    int64_t time_unix_ns; /* clamped as stored_span.start_unix_ns; the event has the original */
    int64_t content_hash; /* XXH3 over event */
    int64_t received_ns;
    struct bytes event; /* JSON object like those of stored_span.events, with "source":"log" */
};

#endif
