/* Requests of log records made by hand in both encodings. */
#ifndef TESTS_SUPPORT_LOGS_H
#define TESTS_SUPPORT_LOGS_H

#include "support/pb.h"

struct test_log {
    struct bytes trace_id; /* raw bytes, any length */
    struct bytes span_id;
    const char *event; /* event_name; NULL: none */
    uint64_t time_unix_nano;
    const char *body;   /* content of a body {"content": …}; NULL: none */
    const char *text;   /* body as a text; NULL: none */
    struct bytes extra; /* further fields of the message (protobuf) */
    const char *json;   /* further members, e.g. ",\"flags\":1" (JSON) */
};

/* A record that is taken: a message of the user to the span of the ids, now. */
struct test_log test_log_of(const struct test_ids *ids, const char *content);

/* ExportLogsServiceRequest with one resource and one scope. */
void pb_log_request(struct buf *out, const struct test_log logs[], size_t count);
void json_log_request(struct buf *out, const struct test_log logs[], size_t count);

#endif
