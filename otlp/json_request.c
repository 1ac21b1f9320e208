/* Requests of OTLP/JSON. */
#include "otlp/json_request.h"

static const struct signal {
    const char *key;
    const char *name;
    const char *path;
} signals[] = {
    [JSON_REQUEST_SPANS] = {"resourceSpans", "traces", "/v1/traces"},
    [JSON_REQUEST_LOGS] = {"resourceLogs", "logs", "/v1/logs"},
    [JSON_REQUEST_METRICS] = {"resourceMetrics", "metrics", "/v1/metrics"},
};

struct request {
    enum json_request wanted;
    json_read_fn *item;
    bool saw_wanted;
    const struct signal *other; /* the last that was seen */
};

static bool read_signal(struct json_decoder *d, enum json_token token, struct request *request,
                        enum json_request found, struct err *err)
{
    if (found == request->wanted) {
        request->saw_wanted = true;
        return json_field_array(d, token, signals[found].key, true, request->item, NULL, err);
    }
    request->other = &signals[found];
    return json_field_fault(d, token, err, "%s", signals[found].name);
}

static bool read_spans(struct json_decoder *d, enum json_token token, void *message,
                       struct err *err)
{
    return read_signal(d, token, message, JSON_REQUEST_SPANS, err);
}

static bool read_logs(struct json_decoder *d, enum json_token token, void *message, struct err *err)
{
    return read_signal(d, token, message, JSON_REQUEST_LOGS, err);
}

static bool read_metrics(struct json_decoder *d, enum json_token token, void *message,
                         struct err *err)
{
    return read_signal(d, token, message, JSON_REQUEST_METRICS, err);
}

static const struct json_field fields[] = {
    JSON_FIELD("resourceSpans", "resource_spans", read_spans),
    JSON_FIELD("resourceLogs", "resource_logs", read_logs),
    JSON_FIELD("resourceMetrics", "resource_metrics", read_metrics),
};
static const struct json_message body_message = JSON_MESSAGE("the body", fields, true);

bool json_request_read(struct json_decoder *d, struct bytes body, enum json_request wanted,
                       json_read_fn *item, struct err *err)
{
    struct request request = {.wanted = wanted, .item = item};
    enum json_token token;

    json_reader_init(&d->reader, body, d->arena);
    if (!json_next(&d->reader, &token, err))
        return false;
    if (token == JSON_NULL)
        return err_set(err, ERR_BAD_INPUT, "JSON: the body is null, want an object");
    if (!json_field_object(d, token, &body_message, &request, err) ||
        !json_next(&d->reader, &token, err))
        return false;
    /* Beside the wanted signal another one is one unknown key among others (OTLP-82). */
    if (request.other && !request.saw_wanted)
        return err_set(err, ERR_BAD_INPUT, "found %s: these are %s, they belong to %s",
                       request.other->key, request.other->name, request.other->path);
    return true;
}
