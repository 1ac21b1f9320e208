/* Bodies of export responses and of errors. */
#include "otlp/reply.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/json_write.h"
#include "base/text.h"
#include "reply.pb-c.h"

#define TYPE_BAD_REQUEST "type.googleapis.com/google.rpc.BadRequest"
#define TYPE_RETRY_INFO "type.googleapis.com/google.rpc.RetryInfo"
#define MAX_DETAILS 2

/* Names as protoc-c makes them, made short. */
typedef Spanledger__Reply__ExportTraceServiceResponse pb_response;
typedef Spanledger__Reply__ExportTracePartialSuccess pb_partial;
typedef Spanledger__Reply__BadRequest__FieldViolation pb_violation;

/* The whole text or nothing: a message that ends in the middle of a position helps nobody. */
static void append(struct otlp_partial *partial, const char *text)
{
    const size_t have = strlen(partial->message);
    const size_t len = strlen(text);
    const char *separator = have > 0 ? "; " : "";
    const size_t room = sizeof(partial->message) - have - 1;

    if (len + strlen(separator) <= room)
        (void)snprintf(partial->message + have, room + 1, "%s%s", separator, text);
}

void otlp_partial_reject(struct otlp_partial *partial, uint32_t resource_index,
                         uint32_t scope_index, uint32_t item_index, const char *reason)
{
    const bool logs = partial->signal == OTLP_LOGS;
    char text[256];

    partial->rejected++;
    (void)snprintf(text, sizeof(text),
                   "resource_%s[%" PRIu32 "].scope_%s[%" PRIu32 "].%s[%" PRIu32 "]: %s",
                   logs ? "logs" : "spans", resource_index, logs ? "logs" : "spans", scope_index,
                   logs ? "log_records" : "spans", item_index, reason);
    append(partial, text);
}

void otlp_partial_cut(struct otlp_partial *partial, size_t cut, uint32_t max_attributes,
                      uint32_t max_depth)
{
    char text[160];

    if (cut == 0)
        return;
    (void)snprintf(text, sizeof(text),
                   "%zu %s stored without attributes beyond %" PRIu32
                   " in one set or values nested deeper than %" PRIu32,
                   cut, partial->signal == OTLP_LOGS ? "log records" : "spans", max_attributes,
                   max_depth);
    append(partial, text);
}

void otlp_early_look(struct otlp_early *early, uint64_t start_unix_nano)
{
    const uint64_t end = UINT64_C(10000000000000000); /* April 1970; in microseconds, 2286 */

    if (start_unix_nano > 0 && start_unix_nano < end && early->count++ == 0)
        early->first = start_unix_nano;
}

void otlp_partial_early(struct otlp_partial *partial, const struct otlp_early *early)
{
    char text[160];

    if (early->count == 0)
        return;
    (void)snprintf(text, sizeof(text),
                   "%zu spans stored in 1970: times are nanoseconds since 1970, the first of these "
                   "is %" PRIu64,
                   early->count, early->first);
    append(partial, text);
}

/* Texts come from our own messages, which may quote the sender: answers are UTF-8 always. */
static struct buf sound(const char *text)
{
    struct buf repaired;

    buf_init(&repaired, 4 * strlen(text) + 1);
    (void)text_repair(&repaired, bytes_of(text));
    return repaired;
}

static ProtobufCBinaryData data_of(const struct buf *text)
{
    return (ProtobufCBinaryData){.data = text->at, .len = text->len};
}

static ProtobufCBinaryData data_of_text(char *text)
{
    return (ProtobufCBinaryData){.data = (uint8_t *)text, .len = strlen(text)};
}

static void pack(const ProtobufCMessage *message, struct buf *out)
{
    const size_t size = protobuf_c_message_get_packed_size(message);

    if (buf_need(out, size))
        out->len += protobuf_c_message_pack(message, out->at + out->len);
}

static void response_protobuf(const struct otlp_partial *partial, struct buf *out)
{
    pb_response response = SPANLEDGER__REPLY__EXPORT_TRACE_SERVICE_RESPONSE__INIT;
    pb_partial success = SPANLEDGER__REPLY__EXPORT_TRACE_PARTIAL_SUCCESS__INIT;
    struct buf message = sound(partial->message);

    /* ExportLogsPartialSuccess: the same on the wire. */
    success.rejected_spans = partial->rejected;
    success.error_message = data_of(&message);
    response.partial_success = &success;
    pack(&response.base, out);
    buf_done(&message);
}

static void response_json(const struct otlp_partial *partial, struct buf *out)
{
    struct json j = json_into(out);

    json_open(&j, '{');
    json_key(&j, "partialSuccess");
    json_open(&j, '{');
    if (partial->rejected != 0) {
        json_key(&j, partial->signal == OTLP_LOGS ? "rejectedLogRecords" : "rejectedSpans");
        json_int_text(&j, partial->rejected);
    }
    json_key(&j, "errorMessage");
    json_cstr(&j, partial->message);
    json_close(&j, '}');
    json_close(&j, '}');
}

void otlp_export_response(enum otlp_encoding encoding, const struct otlp_partial *partial,
                          struct buf *out)
{
    /* Full success: partial_success must not be set (OTLP-40). */
    if (partial->rejected == 0 && partial->message[0] == '\0') {
        if (encoding == OTLP_JSON)
            buf_add_text(out, "{}");
    } else if (encoding == OTLP_JSON) {
        response_json(partial, out);
    } else {
        response_protobuf(partial, out);
    }
}

static void pack_bad_request(const struct buf *field, const struct buf *description,
                             struct buf *out)
{
    Spanledger__Reply__BadRequest detail = SPANLEDGER__REPLY__BAD_REQUEST__INIT;
    pb_violation violation = SPANLEDGER__REPLY__BAD_REQUEST__FIELD_VIOLATION__INIT;
    pb_violation *violations[] = {&violation};

    violation.field = data_of(field);
    violation.description = data_of(description);
    detail.n_field_violations = 1;
    detail.field_violations = violations;
    pack(&detail.base, out);
}

static void pack_retry_info(int retry_after_s, struct buf *out)
{
    Spanledger__Reply__RetryInfo detail = SPANLEDGER__REPLY__RETRY_INFO__INIT;
    Spanledger__Reply__Duration delay = SPANLEDGER__REPLY__DURATION__INIT;

    delay.seconds = retry_after_s;
    detail.retry_delay = &delay;
    pack(&detail.base, out);
}

static void status_protobuf(int grpc_code, const struct buf *message, const struct buf *field,
                            int retry_after_s, struct buf *out)
{
    static char bad_request_url[] = TYPE_BAD_REQUEST;
    static char retry_info_url[] = TYPE_RETRY_INFO;
    Spanledger__Reply__Status status = SPANLEDGER__REPLY__STATUS__INIT;
    Spanledger__Reply__Any bad_request = SPANLEDGER__REPLY__ANY__INIT;
    Spanledger__Reply__Any retry_info = SPANLEDGER__REPLY__ANY__INIT;
    Spanledger__Reply__Any *details[MAX_DETAILS];
    struct buf bad_request_value;
    struct buf retry_info_value;

    buf_init(&bad_request_value, out->max);
    buf_init(&retry_info_value, out->max);
    status.code = grpc_code;
    status.message = data_of(message);
    status.details = details;
    if (field->len > 0) {
        pack_bad_request(field, message, &bad_request_value);
        bad_request.type_url = data_of_text(bad_request_url);
        bad_request.value = data_of(&bad_request_value);
        details[status.n_details++] = &bad_request;
    }
    if (retry_after_s > 0) {
        pack_retry_info(retry_after_s, &retry_info_value);
        retry_info.type_url = data_of_text(retry_info_url);
        retry_info.value = data_of(&retry_info_value);
        details[status.n_details++] = &retry_info;
    }
    pack(&status.base, out);
    buf_done(&bad_request_value);
    buf_done(&retry_info_value);
}

static void json_details(struct json *j, const struct buf *message, const struct buf *field,
                         int retry_after_s)
{
    json_key(j, "details");
    json_open(j, '[');
    if (field->len > 0) {
        json_item(j);
        json_open(j, '{');
        json_key(j, "@type");
        json_cstr(j, TYPE_BAD_REQUEST);
        json_key(j, "fieldViolations");
        json_open(j, '[');
        json_item(j);
        json_open(j, '{');
        json_key(j, "field");
        json_text(j, buf_bytes(field));
        json_key(j, "description");
        json_text(j, buf_bytes(message));
        json_close(j, '}');
        json_close(j, ']');
        json_close(j, '}');
    }
    if (retry_after_s > 0) {
        json_item(j);
        json_open(j, '{');
        json_key(j, "@type");
        json_cstr(j, TYPE_RETRY_INFO);
        json_key(j, "retryDelay"); /* a Duration is text in JSON */
        buf_printf(j->out, "\"%ds\"", retry_after_s);
        json_close(j, '}');
    }
    json_close(j, ']');
}

static void status_json(int grpc_code, const struct buf *message, const struct buf *field,
                        int retry_after_s, struct buf *out)
{
    struct json j = json_into(out);

    json_open(&j, '{');
    json_key(&j, "code");
    json_int(&j, grpc_code);
    json_key(&j, "message");
    json_text(&j, buf_bytes(message));
    if (field->len > 0 || retry_after_s > 0)
        json_details(&j, message, field, retry_after_s);
    json_close(&j, '}');
}

void otlp_status(enum otlp_encoding encoding, int grpc_code, const char *message, const char *field,
                 int retry_after_s, struct buf *out)
{
    struct buf sound_message = sound(message);
    struct buf sound_field = sound(field ? field : "");

    if (encoding == OTLP_JSON)
        status_json(grpc_code, &sound_message, &sound_field, retry_after_s, out);
    else
        status_protobuf(grpc_code, &sound_message, &sound_field, retry_after_s, out);
    buf_done(&sound_message);
    buf_done(&sound_field);
}
