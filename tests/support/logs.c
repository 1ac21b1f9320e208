/* Requests of log records. */
#include "support/logs.h"

#include <inttypes.h>

#include "base/json_write.h"
#include "base/text.h"

#define ROOM ((size_t)256 << 20)

struct test_log test_log_of(const struct test_ids *ids, const char *content)
{
    return (struct test_log){
        .trace_id = {ids->trace_id, 16},
        .span_id = {ids->span_id, 8},
        .event = "gen_ai.user.message",
        .time_unix_nano = wall_ns(),
        .body = content,
    };
}

static void pb_body(struct buf *out, const struct test_log *log)
{
    struct buf list, value;

    buf_init(&list, ROOM);
    buf_init(&value, ROOM);
    if (log->body) {
        pb_attribute(&list, 1, BYTES_LITERAL("content"), bytes_of(log->body));
        pb_bytes(&value, 6, buf_bytes(&list));
    } else if (log->text) {
        pb_text(&value, 1, log->text);
    }
    if (value.len > 0)
        pb_bytes(out, 5, buf_bytes(&value));
    buf_done(&list);
    buf_done(&value);
}

static void pb_record(struct buf *out, const struct test_log *log)
{
    if (log->time_unix_nano)
        pb_fixed64(out, 1, log->time_unix_nano);
    pb_body(out, log);
    if (log->trace_id.len)
        pb_bytes(out, 9, log->trace_id);
    if (log->span_id.len)
        pb_bytes(out, 10, log->span_id);
    if (log->event)
        pb_text(out, 12, log->event);
    buf_add_bytes(out, log->extra);
}

void pb_log_request(struct buf *out, const struct test_log logs[], size_t count)
{
    struct buf inner, scope_logs, resource_logs;

    buf_init(&inner, ROOM);
    buf_init(&scope_logs, ROOM);
    buf_init(&resource_logs, ROOM);
    pb_text(&inner, 1, "test");
    pb_bytes(&scope_logs, 1, buf_bytes(&inner));
    for (size_t i = 0; i < count; i++) {
        buf_clear(&inner);
        pb_record(&inner, &logs[i]);
        pb_bytes(&scope_logs, 2, buf_bytes(&inner));
    }
    buf_clear(&inner);
    pb_attribute(&inner, 1, BYTES_LITERAL("service.name"), BYTES_LITERAL("test-service"));
    pb_bytes(&resource_logs, 1, buf_bytes(&inner));
    pb_bytes(&resource_logs, 2, buf_bytes(&scope_logs));
    pb_bytes(out, 1, buf_bytes(&resource_logs));
    buf_done(&inner);
    buf_done(&scope_logs);
    buf_done(&resource_logs);
}

static void add_hex(struct buf *out, struct bytes id)
{
    char digits[2];

    for (size_t i = 0; i < id.len; i++) {
        text_hex((struct bytes){id.at + i, 1}, digits);
        buf_add(out, digits, 2);
    }
}

static void json_record(struct buf *out, const struct test_log *log)
{
    buf_add_text(out, "{\"traceId\":\"");
    add_hex(out, log->trace_id);
    buf_add_text(out, "\",\"spanId\":\"");
    add_hex(out, log->span_id);
    buf_printf(out, "\",\"timeUnixNano\":\"%" PRIu64 "\"", log->time_unix_nano);
    if (log->event) {
        buf_add_text(out, ",\"eventName\":");
        (void)json_string(out, bytes_of(log->event));
    }
    if (log->body) {
        buf_add_text(out, ",\"body\":{\"kvlistValue\":{\"values\":[{\"key\":\"content\",\"value\":{"
                          "\"stringValue\":");
        (void)json_string(out, bytes_of(log->body));
        buf_add_text(out, "}}]}}");
    } else if (log->text) {
        buf_add_text(out, ",\"body\":{\"stringValue\":");
        (void)json_string(out, bytes_of(log->text));
        buf_add_text(out, "}");
    }
    buf_printf(out, "%s}", log->json ? log->json : "");
}

void json_log_request(struct buf *out, const struct test_log logs[], size_t count)
{
    buf_add_text(out, "{\"resourceLogs\":[{\"resource\":{\"attributes\":[{\"key\":\"service.name\","
                      "\"value\":{\"stringValue\":\"test-service\"}}]},"
                      "\"scopeLogs\":[{\"scope\":{\"name\":\"test\"},\"logRecords\":[");
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            buf_add_byte(out, ',');
        json_record(out, &logs[i]);
    }
    buf_add_text(out, "]}]}]}");
}
