/* Answers. */
#include "edge/answer.h"

#include <stdatomic.h>

#include "base/json_write.h"
#include "base/stats.h"
#include "edge/routes.h"

#define RETRY_LEAST_S 1
#define RETRY_SPREAD                                                                               \
    3 /* clients that were refused together shall not come back together (OTLP-54) */

static const char api_headers[] = "x-content-type-options: nosniff\r\ncache-control: "
                                  "no-store\r\nreferrer-policy: no-referrer\r\n";

/* RFC 9110 11.6.1: a 401 names a way in. */
static const char api_headers_401[] =
    "x-content-type-options: nosniff\r\ncache-control: no-store\r\nreferrer-policy: "
    "no-referrer\r\nwww-authenticate: Bearer realm=\"spanledger\"\r\n";

bool answer_encoding(struct bytes content_type, enum otlp_encoding *out_encoding)
{
    const uint8_t *end = content_type.len ? memchr(content_type.at, ';', content_type.len) : NULL;
    struct bytes type = content_type;

    if (end)
        type.len = (size_t)(end - type.at);
    while (type.len > 0 && (type.at[type.len - 1] == ' ' || type.at[type.len - 1] == '\t'))
        type.len--;
    if (bytes_is_nocase(type, "application/x-protobuf"))
        *out_encoding = OTLP_PROTOBUF;
    else if (bytes_is_nocase(type, "application/json"))
        *out_encoding = OTLP_JSON;
    else
        return false;
    return true;
}

static const char *type_of(enum otlp_encoding encoding)
{
    return encoding == OTLP_PROTOBUF ? "application/x-protobuf" : "application/json";
}

static void count_reject(enum err_kind kind)
{
    static const enum stat by_kind[ERR_KIND_MAX] = {
        [ERR_BAD_INPUT] = STAT_REJECT_BAD_INPUT,
        [ERR_UNSUPPORTED] = STAT_REJECT_UNSUPPORTED,
        [ERR_TOO_LARGE] = STAT_REJECT_TOO_LARGE,
        [ERR_NOT_FOUND] = STAT_REJECT_NOT_FOUND,
        [ERR_UNAVAILABLE] = STAT_REJECT_UNAVAILABLE,
        [ERR_TIMEOUT] = STAT_REJECT_TIMEOUT,
        [ERR_INTERNAL] = STAT_REJECT_INTERNAL,
        [ERR_FORBIDDEN] = STAT_REJECT_FORBIDDEN,
        [ERR_UNAUTHENTICATED] = STAT_REJECT_UNAUTHENTICATED,
    };
    const enum stat stat = by_kind[kind];

    stats_add(stat ? stat : STAT_REJECT_OTHER, 1);
}

static int retry_after_s(void)
{
    static _Atomic unsigned turn;
    return RETRY_LEAST_S + (int)(atomic_fetch_add(&turn, 1) % RETRY_SPREAD);
}

static void grpc_error(const struct err *err, struct http_response *response)
{
    response->status = 200;
    /* An unknown service or method is UNIMPLEMENTED (OTLP-60). */
    response->grpc_code = err->kind == ERR_NOT_FOUND ? 12 : err_grpc_code(err->kind);
    memcpy(response->grpc_message, err->text, sizeof(response->grpc_message));
    otlp_status(OTLP_PROTOBUF, response->grpc_code, err->text, NULL, response->retry_after_s,
                &response->grpc_details);
}

static void api_error(const struct err *err, struct http_response *response)
{
    struct json j = json_into(&response->body);

    json_open(&j, '{');
    json_key(&j, "error");
    json_open(&j, '{');
    json_key(&j, "code");
    json_cstr(&j, err_kind_name(err->kind));
    json_key(&j, "message");
    json_cstr(&j, err->text);
    json_close(&j, '}');
    json_close(&j, '}');
    response->content_type = "application/json";
}

void answer_error(const struct http_request *request, const struct err *err,
                  struct http_response *response)
{
    const struct route_match match = routes_find(request);
    enum otlp_encoding encoding = OTLP_JSON;

    count_reject(err->kind);
    response->status = err_http_status(err->kind);
    response->headers = err->kind == ERR_UNAUTHENTICATED ? api_headers_401 : api_headers;
    if (err_may_retry(err->kind))
        response->retry_after_s = retry_after_s();
    if (err->kind == ERR_METHOD_NOT_ALLOWED)
        response->allow = routes_allow(match.route);
    if (request->protocol == HTTP_PROTOCOL_GRPC) {
        grpc_error(err, response);
    } else if (match.otlp) {
        /* Where the request's type is unknown, JSON (OTLP-24, OTLP-51). */
        (void)answer_encoding(request->content_type, &encoding);
        otlp_status(encoding, err_grpc_code(err->kind), err->text, NULL, response->retry_after_s,
                    &response->body);
        response->content_type = type_of(encoding);
    } else {
        api_error(err, response);
    }
}

void answer_export(const struct http_request *request, const struct otlp_partial *partial,
                   struct http_response *response)
{
    enum otlp_encoding encoding = OTLP_PROTOBUF;

    if (request->protocol != HTTP_PROTOCOL_GRPC)
        (void)answer_encoding(request->content_type, &encoding);
    otlp_export_response(encoding, partial, &response->body);
    response->content_type = type_of(encoding);
}

void answer_json(struct http_response *response)
{
    response->content_type = "application/json";
    response->headers = api_headers;
}

void answer_text(struct http_response *response, const char *content_type, struct bytes text)
{
    buf_add_bytes(&response->body, text);
    response->content_type = content_type;
    response->headers = api_headers;
}
