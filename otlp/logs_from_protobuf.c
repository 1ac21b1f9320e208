/* Log records from protobuf: guard, unpack, copy into the model. As otlp/from_protobuf.c. */
#include "otlp/guard.h"
#include "otlp/logs.h"
#include "otlp/unpack.h"
#include "otlp/value_read.h"
#include "receive.pb-c.h"

/* Names as protoc-c makes them, made short. */
typedef Spanledger__Receive__LogsRequest pb_request;
typedef Spanledger__Receive__ScopeLogs pb_scope_logs;
typedef Spanledger__Receive__LogRecord pb_record;

static struct bytes text_of(ProtobufCBinaryData data)
{
    return (struct bytes){data.data, data.len};
}

/* Lives in arena; NULL: no room. */
static struct bytes *texts_of(const ProtobufCBinaryData *data, size_t count, struct arena *arena)
{
    struct bytes *texts = arena_alloc(arena, count * sizeof(*texts));

    for (size_t i = 0; texts && i < count; i++)
        texts[i] = text_of(data[i]);
    return texts;
}

static bool read_record(struct value_reader *values, const pb_record *from, struct log_record *to,
                        struct err *err)
{
    const struct bytes *body = texts_of(from->body, from->n_body, values->arena);
    const struct bytes *attributes = texts_of(from->attributes, from->n_attributes, values->arena);

    if (!body || !attributes)
        return err_set(err, ERR_TOO_LARGE, "decoding takes more than %zu bytes",
                       values->arena->max_bytes);
    values->marks = 0;
    to->trace_id = text_of(from->trace_id);
    to->span_id = text_of(from->span_id);
    to->event_name = text_of(from->event_name);
    to->severity_text = text_of(from->severity_text);
    to->severity_number = from->severity_number;
    to->time_unix_nano = from->time_unix_nano;
    to->observed_unix_nano = from->observed_time_unix_nano;
    to->flags = from->flags;
    if (!value_read_value(values, body, from->n_body, &to->body, err) ||
        !value_read_attributes(values, attributes, from->n_attributes,
                               from->dropped_attributes_count, &to->attributes, err))
        return false;
    to->marks = values->marks;
    return true;
}

static size_t count_records(const pb_request *request)
{
    size_t count = 0;

    for (size_t i = 0; i < request->n_resource_logs; i++)
        for (size_t j = 0; j < request->resource_logs[i]->n_scope_logs; j++)
            count += request->resource_logs[i]->scope_logs[j]->n_log_records;
    return count;
}

/* Records of one ScopeLogs, appended to logs. */
static bool read_scope_logs(struct value_reader *values, const pb_scope_logs *from,
                            struct log_record place, struct log_array *logs, struct err *err)
{
    for (size_t k = 0; k < from->n_log_records; k++) {
        struct log_record *to = &logs->items[logs->count];

        *to = place;
        to->record_index = (uint32_t)k;
        if (!read_record(values, from->log_records[k], to, err))
            return false;
        logs->count++;
    }
    return true;
}

bool otlp_logs_from_protobuf(struct bytes body, const struct otlp_limits *limits,
                             struct arena *arena, struct log_array *out_logs, struct err *err)
{
    struct value_reader values = {.arena = arena, .limits = limits};
    struct log_array logs = {0};
    struct bytes clean;
    const pb_request *request;

    if (!otlp_guard_logs(body, arena, &clean, err))
        return false;
    request = otlp_unpack(&spanledger__receive__logs_request__descriptor, clean, arena,
                          "an ExportLogsServiceRequest", err);
    if (!request)
        return false;
    logs.items = arena_alloc(arena, count_records(request) * sizeof(*logs.items));
    if (!logs.items)
        return err_set(err, ERR_TOO_LARGE, "decoding takes more than %zu bytes", arena->max_bytes);
    for (size_t i = 0; i < request->n_resource_logs; i++) {
        for (size_t j = 0; j < request->resource_logs[i]->n_scope_logs; j++) {
            const struct log_record place = {.resource_index = (uint32_t)i,
                                             .scope_index = (uint32_t)j};

            if (!read_scope_logs(&values, request->resource_logs[i]->scope_logs[j], place, &logs,
                                 err))
                return false;
        }
    }
    *out_logs = logs;
    return true;
}
