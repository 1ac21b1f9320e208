/* Heads of traces as JSON. */
#include "read/head.h"

#include "base/text.h"

void head_trace_id(struct json *j, const char *key, const struct uuid *id)
{
    char hex[32];

    text_hex((struct bytes){id->at, sizeof(id->at)}, hex);
    json_key(j, key);
    json_text(j, (struct bytes){(const uint8_t *)hex, sizeof(hex)});
}

void head_members(struct json *j, struct render_time *time, const struct head *head)
{
    head_trace_id(j, "trace_id", head->trace_id);
    json_key(j, "name");
    json_text(j, head->name);
    json_key(j, "status");
    json_cstr(j, trace_status_name(head->status));
    render_time_members(time, j, "start_time", "start_unix_nano", head->start_ns);
    render_time_members(time, j, "end_time", "end_unix_nano", head->end_ns);
    json_key(j, "duration_ns");
    json_int(j, head->end_ns - head->start_ns);
    json_key(j, "span_count");
    json_int(j, head->span_count);
    json_key(j, "error_count");
    json_int(j, head->error_count);
}
