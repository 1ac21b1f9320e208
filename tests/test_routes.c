/* Paths to routes, and the bodies of errors by path and type. */
#include "test.h"

#include "edge/answer.h"
#include "edge/routes.h"

#define GRPC_PATH "/opentelemetry.proto.collector.trace.v1.TraceService/Export"

static const struct path_case {
    const char *why;
    const char *path;
    enum http_protocol protocol;
    enum route route;
    bool otlp;
} path_cases[] = {
    {"OTLP-02", "/v1/traces", HTTP_PROTOCOL_1, ROUTE_EXPORT, true},
    {"OTLP-03 one trailing slash", "/v1/traces/", HTTP_PROTOCOL_1, ROUTE_EXPORT, true},
    {"OTLP-03 not two", "/v1/traces//", HTTP_PROTOCOL_1, ROUTE_NONE, true},
    {"OTLP-03 double slash is another path", "//v1/traces", HTTP_PROTOCOL_1, ROUTE_NONE, false},
    {"OTLP-02 case counts", "/V1/Traces", HTTP_PROTOCOL_1, ROUTE_NONE, false},
    {"OTLP-02", "/v1/trace", HTTP_PROTOCOL_1, ROUTE_NONE, true},
    {"OTLP-09", "/v1/metrics", HTTP_PROTOCOL_1, ROUTE_NONE, true},
    {"content in logs", "/v1/logs", HTTP_PROTOCOL_1, ROUTE_EXPORT_LOGS, true},
    {"", "/otel/v1/logs/", HTTP_PROTOCOL_2, ROUTE_EXPORT_LOGS, true},
    {"", "/api/public/otel/v1/logs", HTTP_PROTOCOL_1, ROUTE_EXPORT_LOGS, true},
    {"", "/opentelemetry.proto.collector.logs.v1.LogsService/Export", HTTP_PROTOCOL_GRPC,
     ROUTE_EXPORT_LOGS, true},
    {"gRPC has no such path", "/v1/logs", HTTP_PROTOCOL_GRPC, ROUTE_NONE, true},
    {"Langfuse", "/api/public/otel/v1/traces", HTTP_PROTOCOL_2, ROUTE_EXPORT, true},
    {"LangSmith", "/api/v1/otel/v1/traces", HTTP_PROTOCOL_1, ROUTE_EXPORT, true},
    {"", "/otel/v1/traces", HTTP_PROTOCOL_1, ROUTE_EXPORT, true},
    {"", "/otel", HTTP_PROTOCOL_1, ROUTE_EXPORT, true},
    {"OTLP-60", GRPC_PATH, HTTP_PROTOCOL_GRPC, ROUTE_EXPORT, true},
    {"OTLP-61 another type there is for the route to refuse", GRPC_PATH, HTTP_PROTOCOL_2,
     ROUTE_EXPORT, true},
    {"gRPC has no other path", "/v1/traces", HTTP_PROTOCOL_GRPC, ROUTE_NONE, true},
    {"", "/", HTTP_PROTOCOL_1, ROUTE_INDEX, false},
    {"", "/healthz", HTTP_PROTOCOL_1, ROUTE_HEALTH, false},
    {"", "/api/v1/traces", HTTP_PROTOCOL_1, ROUTE_TRACES, false},
    {"", "/api/v1/traces/abc", HTTP_PROTOCOL_1, ROUTE_TRACE, false},
    {"an empty id is the list", "/api/v1/traces/", HTTP_PROTOCOL_1, ROUTE_TRACES, false},
    {"", "/api/v1/spans/abc/def", HTTP_PROTOCOL_1, ROUTE_SPAN, false},
    {"one id is missing", "/api/v1/spans/abc", HTTP_PROTOCOL_1, ROUTE_NONE, false},
    {"too many parts", "/api/v1/spans/a/b/c", HTTP_PROTOCOL_1, ROUTE_NONE, false},
};

static void finds_the_route_of_a_path(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(path_cases) / sizeof(path_cases[0]); i++) {
        const struct path_case *c = &path_cases[i];
        const struct http_request request = {.protocol = c->protocol, .path = bytes_of(c->path)};
        const struct route_match match = routes_find(&request);

        if (match.route != c->route || match.otlp != c->otlp)
            fail_msg("%s: %s gives route %d, otlp %d", c->path, c->why, (int)match.route,
                     match.otlp);
    }
}

static void takes_the_ids_out_of_a_path(void **state)
{
    const struct http_request request = {.path = BYTES_LITERAL("/api/v1/spans/abc/de/")};
    const struct route_match match = routes_find(&request);

    (void)state;
    assert_true(bytes_is(match.ids[0], "abc"));
    assert_true(bytes_is(match.ids[1], "de"));
}

static const struct type_case {
    const char *type;
    int encoding; /* -1: neither */
} type_cases[] = {
    /* OTLP-23 */
    {"application/x-protobuf", OTLP_PROTOBUF},
    {"application/json", OTLP_JSON},
    {"application/json; charset=utf-8", OTLP_JSON},
    {"application/json ;charset=utf-8", OTLP_JSON},
    {"Application/JSON", OTLP_JSON},
    {"APPLICATION/X-PROTOBUF;a=b", OTLP_PROTOBUF},
    {"text/application/json", -1},
    {"application/jsonp", -1},
    {"application/protobuf", -1},
    {"application/x-www-form-urlencoded", -1},
    {"text/plain", -1},
    {"", -1},
    {";", -1},
};

static void reads_media_types(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(type_cases) / sizeof(type_cases[0]); i++) {
        enum otlp_encoding encoding = OTLP_PROTOBUF;
        const bool known = answer_encoding(bytes_of(type_cases[i].type), &encoding);

        if ((known ? (int)encoding : -1) != type_cases[i].encoding)
            fail_msg("'%s'", type_cases[i].type);
    }
}

static const struct error_case {
    const char *why;
    const char *path;
    const char *type;
    enum http_protocol protocol;
    enum err_kind kind;
    int status;
    const char *answer_type;
    const char *body_part;
    int grpc_code;
    bool retry;
} error_cases[] = {
    {"OTLP-50 in the request's encoding", "/v1/traces", "application/json", HTTP_PROTOCOL_1,
     ERR_BAD_INPUT, 400, "application/json", "\"code\":3", 0, false},
    {"OTLP-22", "/v1/traces", "application/x-protobuf", HTTP_PROTOCOL_1, ERR_UNAVAILABLE, 503,
     "application/x-protobuf", "boom", 0, true},
    {"OTLP-24 unknown type: JSON", "/v1/traces", "text/plain", HTTP_PROTOCOL_1, ERR_UNSUPPORTED,
     415, "application/json", "\"message\":\"boom\"", 0, false},
    {"OTLP-09", "/v1/metrics", "application/json", HTTP_PROTOCOL_1, ERR_NOT_FOUND, 404,
     "application/json", "\"code\":5", 0, false},
    {"others are ours", "/api/v1/nothing", "", HTTP_PROTOCOL_1, ERR_NOT_FOUND, 404,
     "application/json", "{\"error\":{\"code\":\"not_found\",\"message\":\"boom\"}}", 0, false},
    {"OTLP-60 gRPC knows no such method", "/x.Y/Z", "application/grpc", HTTP_PROTOCOL_GRPC,
     ERR_NOT_FOUND, 200, NULL, "", 12, false},
    {"OTLP-69", GRPC_PATH, "application/grpc", HTTP_PROTOCOL_GRPC, ERR_UNAVAILABLE, 200, NULL, "",
     14, true},
    {"OTLP-51 nothing was read", "", "", HTTP_PROTOCOL_1, ERR_BAD_INPUT, 400, "application/json",
     "bad_input", 0, false},
};

static void answers_errors_in_the_form_of_the_path(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(error_cases) / sizeof(error_cases[0]); i++) {
        const struct error_case *c = &error_cases[i];
        const struct http_request request = {
            .protocol = c->protocol, .path = bytes_of(c->path), .content_type = bytes_of(c->type)};
        const struct err err = {.kind = c->kind, .text = "boom"};
        struct http_response response;

        http_response_init(&response, 10000);
        answer_error(&request, &err, &response);
        if (response.status != c->status || response.grpc_code != c->grpc_code ||
            (response.retry_after_s > 0) != c->retry)
            fail_msg("%s: status %d grpc %d retry %d", c->why, response.status, response.grpc_code,
                     response.retry_after_s);
        if ((c->answer_type == NULL) != (response.content_type == NULL) ||
            (c->answer_type && strcmp(c->answer_type, response.content_type) != 0))
            fail_msg("%s: type %s", c->why, response.content_type);
        if (!memmem(response.body.at ? (const char *)response.body.at : "", response.body.len,
                    c->body_part, strlen(c->body_part)))
            fail_msg("%s: body '%.*s'", c->why, (int)response.body.len, response.body.at);
        http_response_done(&response);
    }
}

static void says_where_spans_are_taken_to_who_sends_them_elsewhere(void **state)
{
    static const struct {
        const char *why;
        const char *method;
        const char *path;
        enum http_protocol protocol;
        const char *hint;
    } rows[] = {
        {"an endpoint of traces without its path", "POST", "/", HTTP_PROTOCOL_1, "/v1/traces"},
        {"a typo", "POST", "/v1/trace", HTTP_PROTOCOL_1, "/v1/traces"},
        {"an SDK's other signal", "POST", "/otel/v1/metrics", HTTP_PROTOCOL_1,
         "OTEL_METRICS_EXPORTER=none"},
        {"who reads is no sender", "GET", "/v1/metrics", HTTP_PROTOCOL_1, NULL},
        {"gRPC has no paths of ours", "POST", "/x.Y/Z", HTTP_PROTOCOL_GRPC, NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct http_request request = {.protocol = rows[i].protocol,
                                             .method = bytes_of(rows[i].method),
                                             .path = bytes_of(rows[i].path)};
        const char *hint = routes_hint(&request);

        if (rows[i].hint ? !strstr(hint, rows[i].hint) : hint[0] != '\0')
            fail_msg("%s: '%s'", rows[i].why, hint);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_the_route_of_a_path),
        cmocka_unit_test(takes_the_ids_out_of_a_path),
        cmocka_unit_test(reads_media_types),
        cmocka_unit_test(says_where_spans_are_taken_to_who_sends_them_elsewhere),
        cmocka_unit_test(answers_errors_in_the_form_of_the_path),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
