/* ExportLogsServiceRequest in both encodings to log records, and records to events of their spans
 * and back. Pure apart from the arena; any thread with an arena of its own. */
#ifndef OTLP_LOGS_H
#define OTLP_LOGS_H

#include "model/log.h"
#include "otlp/decode.h"

/* Decode a body as otlp_from_protobuf and otlp_from_json do spans, with the same limits, lifetimes
 * and failures; the bodies of traces and metrics are refused with ERR_BAD_INPUT. Resource and scope
 * are checked for their form and left out. */
MUST_CHECK bool otlp_logs_from_protobuf(struct bytes body, const struct otlp_limits *limits,
                                        struct arena *arena, struct log_array *out_logs,
                                        struct err *err);
MUST_CHECK bool otlp_logs_from_json(struct bytes body, const struct otlp_limits *limits,
                                    struct arena *arena, struct log_array *out_logs,
                                    struct err *err);

/* What is taken: records with a time that name a trace and a span and whose event is GenAI content
 * or usage. Sets log->event_name where it stands elsewhere in the record, and log->fault where the
 * record is not taken. Returns whether it is. */
bool otlp_check_log(struct log_record *log, struct arena *arena);

/* Makes the row of a record that is taken; everything lives in arena. Fails with ERR_TOO_LARGE. */
MUST_CHECK bool otlp_log_to_stored(const struct log_record *log, int32_t tenant_id,
                                   int64_t received_ns, struct arena *arena,
                                   struct stored_log *out_row, struct err *err);

/* Keys under which a record's own fields stand among its event's attributes. */
#define OTLP_LOG_BODY "log.record.body"
#define OTLP_LOG_SEVERITY_TEXT "log.record.severity_text"
#define OTLP_LOG_SEVERITY_NUMBER "log.record.severity_number"
#define OTLP_LOG_OBSERVED_TIME "log.record.observed_time_unix_nano"

/*
 * Appends the events of row->log_events to span->events, for whoever asks what the span was told and
 * said; never for giving the span back as it was sent. Members of a body that is a map become
 * attributes too, behind those that were sent, a body that is a text becomes `content` and `body`:
 * then a message reads like a span event of its name.
 * Fails with ERR_INTERNAL (unreadable), ERR_TOO_LARGE (arena).
 */
MUST_CHECK bool otlp_add_log_events(const struct stored_span *row, struct arena *arena,
                                    struct span *span, struct err *err);

#endif
