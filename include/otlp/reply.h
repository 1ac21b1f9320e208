/* Bodies of export responses and of errors: ExportTraceServiceResponse, ExportLogsServiceResponse
 * and google.rpc.Status in both encodings (OTLP-40..52, OTLP-69). */
#ifndef OTLP_REPLY_H
#define OTLP_REPLY_H

#include "base/bytes.h"

enum otlp_encoding { OTLP_PROTOBUF, OTLP_JSON };
enum otlp_signal { OTLP_TRACES, OTLP_LOGS };

/* What happened to the spans or log records of one request. Text has no attribute values; capped at 1 KiB
 * (OTLP-44). */
struct otlp_partial {
    enum otlp_signal signal; /* gives the fields of the answer their names */
    int64_t rejected;        /* spans or log records */
    char message[1024]; /* empty with 0 rejected: full success; not empty with 0 rejected: a warning
                           (OTLP-45) */
};

/* Adds "resource_spans[0].scope_spans[0].spans[3]: trace_id has 7 bytes, want 16" to the message
 * while there is room, and counts; of logs "resource_logs[0].scope_logs[0].log_records[3]: …". */
void otlp_partial_reject(struct otlp_partial *partial, uint32_t resource_index,
                         uint32_t scope_index, uint32_t item_index, const char *reason);

/* What was cut is announced, never silently dropped (OTLP-45, OTLP-48, OTLP-126): so many spans or log
 * records lost attributes or values to the limits; 0: no warning. */
void otlp_partial_cut(struct otlp_partial *partial, size_t cut, uint32_t max_attributes,
                      uint32_t max_depth);

/* Times are nanoseconds since 1970. A span that started in its first months is taken as it was sent, and very likely was sent in
 * another unit: it is counted, and announced with the first such time. */
struct otlp_early {
    size_t count;
    uint64_t first;
};
void otlp_early_look(struct otlp_early *early, uint64_t start_unix_nano);
void otlp_partial_early(struct otlp_partial *partial, const struct otlp_early *early);

void otlp_export_response(enum otlp_encoding encoding, const struct otlp_partial *partial,
                          struct buf *out);

/* google.rpc.Status; field: path of the offending field for a BadRequest detail or NULL;
 * retry_after_s > 0: a RetryInfo detail. */
void otlp_status(enum otlp_encoding encoding, int grpc_code, const char *message, const char *field,
                 int retry_after_s, struct buf *out);

#endif
