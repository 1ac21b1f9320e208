/* Log records from OTLP/JSON: one table of fields per message, as otlp/from_json.c. */
#include "otlp/json_request.h"
#include "otlp/json_shared.h"
#include "otlp/logs.h"

struct decoder {
    struct json_decoder json; /* first: read functions of the parts see only this */
    struct json_field_list logs;
    uint32_t resource_index;
    uint32_t scope_index;
    uint32_t record_index;
};

static struct decoder *decoder_of(struct json_decoder *d)
{
    return (struct decoder *)d;
}

static bool log_severity(struct json_decoder *d, enum json_token token, void *message,
                         struct err *err)
{
    static const char *const names[] = {"SEVERITY_NUMBER_UNSPECIFIED", "SEVERITY_NUMBER_TRACE",
                                        "SEVERITY_NUMBER_TRACE2",      "SEVERITY_NUMBER_TRACE3",
                                        "SEVERITY_NUMBER_TRACE4",      "SEVERITY_NUMBER_DEBUG",
                                        "SEVERITY_NUMBER_DEBUG2",      "SEVERITY_NUMBER_DEBUG3",
                                        "SEVERITY_NUMBER_DEBUG4",      "SEVERITY_NUMBER_INFO",
                                        "SEVERITY_NUMBER_INFO2",       "SEVERITY_NUMBER_INFO3",
                                        "SEVERITY_NUMBER_INFO4",       "SEVERITY_NUMBER_WARN",
                                        "SEVERITY_NUMBER_WARN2",       "SEVERITY_NUMBER_WARN3",
                                        "SEVERITY_NUMBER_WARN4",       "SEVERITY_NUMBER_ERROR",
                                        "SEVERITY_NUMBER_ERROR2",      "SEVERITY_NUMBER_ERROR3",
                                        "SEVERITY_NUMBER_ERROR4",      "SEVERITY_NUMBER_FATAL",
                                        "SEVERITY_NUMBER_FATAL2",      "SEVERITY_NUMBER_FATAL3",
                                        "SEVERITY_NUMBER_FATAL4",      NULL};

    return json_field_enum(d, token, "severity_number", names,
                           &((struct log_record *)message)->severity_number, err);
}

static bool log_body(struct json_decoder *d, enum json_token token, void *message, struct err *err)
{
    return json_value_read(d, token, &((struct log_record *)message)->body, err);
}

JSON_READ(log_time, struct log_record, u64, time_unix_nano, "time_unix_nano")
JSON_READ(log_observed, struct log_record, u64, observed_unix_nano, "observed_time_unix_nano")
JSON_READ(log_severity_text, struct log_record, text, severity_text, "severity_text")
JSON_READ(log_dropped, struct log_record, u32, attributes.dropped, "dropped_attributes_count")
JSON_READ(log_flags, struct log_record, u32, flags, "flags")
JSON_READ(log_trace_id, struct log_record, hex, trace_id, "trace_id")
JSON_READ(log_span_id, struct log_record, hex, span_id, "span_id")
JSON_READ(log_event_name, struct log_record, text, event_name, "event_name")
JSON_READ_SET(log_attributes, struct log_record, attributes, "attributes")

static const struct json_field log_fields[] = {
    JSON_FIELD("timeUnixNano", "time_unix_nano", log_time),
    JSON_FIELD("observedTimeUnixNano", "observed_time_unix_nano", log_observed),
    JSON_FIELD("severityNumber", "severity_number", log_severity),
    JSON_FIELD("severityText", "severity_text", log_severity_text),
    JSON_FIELD("body", "body", log_body),
    JSON_FIELD("attributes", "attributes", log_attributes),
    JSON_FIELD("droppedAttributesCount", "dropped_attributes_count", log_dropped),
    JSON_FIELD("flags", "flags", log_flags),
    JSON_FIELD("traceId", "trace_id", log_trace_id),
    JSON_FIELD("spanId", "span_id", log_span_id),
    JSON_FIELD("eventName", "event_name", log_event_name),
};
static const struct json_message log_message = JSON_MESSAGE("a log record", log_fields, false);

static bool read_record(struct json_decoder *json, enum json_token token, void *message,
                        struct err *err)
{
    struct decoder *d = decoder_of(json);
    struct log_record *log = json_field_add(&d->logs, sizeof(*log), json->arena);

    (void)message;
    if (!log)
        return json_field_no_room(json, err);
    json->marks = 0;
    json->fault = NULL;
    log->resource_index = d->resource_index;
    log->scope_index = d->scope_index;
    log->record_index = d->record_index++;
    if (!json_field_object(json, token, &log_message, log, err))
        return false;
    json_value_settle(json, &log->attributes);
    log->marks = json->marks;
    log->fault = json->fault;
    return true;
}

static bool scope_records(struct json_decoder *d, enum json_token token, void *message,
                          struct err *err)
{
    return json_field_array(d, token, "logRecords", true, read_record, message, err);
}

/* Read as those of spans are, for their form; what is odd within them is nobody's loss. */
static bool scope_scope(struct json_decoder *d, enum json_token token, void *message,
                        struct err *err)
{
    struct scope ignored = {0};

    (void)message;
    return json_field_object(d, token, &json_shared_scope, &ignored, err);
}

static bool group_resource(struct json_decoder *d, enum json_token token, void *message,
                           struct err *err)
{
    struct resource ignored = {0};

    (void)message;
    return json_field_object(d, token, &json_shared_resource, &ignored, err);
}

static const struct json_field scope_logs_fields[] = {
    JSON_FIELD("scope", "scope", scope_scope),
    JSON_FIELD("logRecords", "log_records", scope_records),
};
static const struct json_message scope_logs_message =
    JSON_MESSAGE("scopeLogs[]", scope_logs_fields, true);

static bool read_scope_logs(struct json_decoder *json, enum json_token token, void *message,
                            struct err *err)
{
    struct decoder *d = decoder_of(json);

    d->record_index = 0;
    if (!json_field_object(json, token, &scope_logs_message, message, err))
        return false;
    d->scope_index++;
    return true;
}

static bool group_scope_logs(struct json_decoder *d, enum json_token token, void *message,
                             struct err *err)
{
    return json_field_array(d, token, "scopeLogs", true, read_scope_logs, message, err);
}

static const struct json_field resource_logs_fields[] = {
    JSON_FIELD("resource", "resource", group_resource),
    JSON_FIELD("scopeLogs", "scope_logs", group_scope_logs),
};
static const struct json_message resource_logs_message =
    JSON_MESSAGE("resourceLogs[]", resource_logs_fields, true);

static bool read_resource_logs(struct json_decoder *json, enum json_token token, void *message,
                               struct err *err)
{
    struct decoder *d = decoder_of(json);

    d->scope_index = 0;
    if (!json_field_object(json, token, &resource_logs_message, message, err))
        return false;
    d->resource_index++;
    return true;
}

bool otlp_logs_from_json(struct bytes body, const struct otlp_limits *limits, struct arena *arena,
                         struct log_array *out_logs, struct err *err)
{
    struct decoder d = {.json = {.arena = arena, .limits = limits}};

    if (!json_request_read(&d.json, body, JSON_REQUEST_LOGS, read_resource_logs, err))
        return false;
    *out_logs = (struct log_array){d.logs.items, d.logs.count};
    return true;
}
