/* OTLP/HTTP as clients meet it, over real sockets: paths, methods, media types, codings, answers
 * (conformance sections 1.1 and 1.2; the id stands above each test). */
#include "test.h"

#include <stdio.h>

#include "support/expect.h"
#include "support/server.h"

#define JSON_TYPE "Content-Type: application/json\r\n"
#define PROTOBUF_TYPE "Content-Type: application/x-protobuf\r\n"
#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

static struct server server;
static struct reply reply;

static int start(void **state)
{
    static const char *const flags[] = {"--body-max-bytes", "1048576", NULL};

    (void)state;
    reply_init(&reply);
    return server_up(&server, flags) ? 0 : -1;
}

static int stop(void **state)
{
    (void)state;
    reply_done(&reply);
    server_remove(&server);
    return 0;
}

static void post(const char *path, const char *headers, struct bytes body)
{
    http_call(server.http_port, "POST", path, headers, body, &reply);
}

/* ---- 1.1 transport, paths, methods ---- */

/* OTLP-02, OTLP-03, OTLP-09, SEC-19 */
static void answers_on_the_export_paths_and_on_no_other(void **state)
{
    static const struct {
        const char *path;
        int status;
        const char *why;
    } rows[] = {
        {"/v1/traces", 200, "the default"},
        {"/api/public/otel/v1/traces", 200, "Langfuse"},
        {"/otel/v1/traces", 200, "LangSmith"},
        {"/otel", 200, "LangSmith's base"},
        {"/api/v1/otel/v1/traces", 200, "LangSmith's API prefix"},
        {"/V1/Traces", 404, "paths have a case"},
        {"/v1/trace", 404, "no prefix match"},
        {"/v1/tracesx", 404, "no prefix match"},
        {"//v1/traces", 404, "slashes are not folded"},
        {"/v1/metrics", 404, "another signal"},
        {"/v1/logs", 200, "GenAI content in log records"},
        {"/api/public/otel/v1/logs", 200, "Langfuse's prefix"},
        {"/otel/v1/logs", 200, "LangSmith's"},
        {"/api/v1/otel/v1/logs", 200, "LangSmith's API prefix"},
        {"/v1/log", 404, "no prefix match"},
        {"/v1development/profiles", 404, "another signal"},
        {"/v1/", 404, "unknown below /v1/"},
        {"/", 405, "the root is no export path"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        post(rows[i].path, JSON_TYPE, BYTES_LITERAL("{}"));
        if (reply.status != rows[i].status)
            fail_msg("POST %s (%s): status %d, want %d", rows[i].path, rows[i].why, reply.status,
                     rows[i].status);
        if (strncmp(rows[i].path, "/v1/", 4) == 0 && rows[i].status == 404)
            expect_error(rows[i].path, &reply, 404, true);
    }
}

/* OTLP-04, SEC: HEAD has no body */
static void refuses_other_methods_with_405_and_allow(void **state)
{
    static const char *const methods[] = {"GET", "PUT", "DELETE", "HEAD", "PATCH", "TRACE", "FOO"};

    (void)state;
    for (size_t i = 0; i < COUNT(methods); i++) {
        struct client client;
        assert_true(client_open(&client, server.http_port));
        if (!client_call(&client, methods[i], "/v1/traces", "", (struct bytes){0}, &reply) ||
            reply.status != 405 || !reply_header_is(&reply, "allow", "POST"))
            fail_msg("%s: status %d\n%s", methods[i], reply.status, (char *)reply.head.at);
        if (strcmp(methods[i], "HEAD") == 0)
            assert_int_equal(reply.body.len + client.input.len, 0);
        client_close(&client);
    }
}

/* OTLP-06, OTLP-08: one kept connection */
static void takes_both_encodings_in_turn_on_one_connection(void **state)
{
    struct client client;
    struct test_ids ids;
    struct buf body;

    (void)state;
    buf_init(&body, 1 << 20);
    assert_true(client_open(&client, server.http_port));
    for (int i = 0; i < 1000; i++) {
        const bool json = i % 2;
        buf_clear(&body);
        if (i % 10 == 0)
            one_span(&body, json, &ids);
        else if (json)
            buf_add_text(&body, "{}");
        assert_true(client_call(&client, "POST", "/v1/traces", json ? JSON_TYPE : PROTOBUF_TYPE,
                                buf_bytes(&body), &reply));
        expect_success("kept connection", &reply, json);
    }
    client_close(&client);
    buf_done(&body);
}

/* OTLP-08: pipelined requests are answered in order */
static void answers_pipelined_requests_in_order(void **state)
{
    static const char two[] =
        "POST /v1/traces HTTP/1.1\r\nHost: a\r\n" JSON_TYPE "Content-Length: 2\r\n\r\n{}"
        "POST /v1/nothing HTTP/1.1\r\nHost: a\r\n" JSON_TYPE "Content-Length: 2\r\n\r\n{}";
    struct client client;

    (void)state;
    assert_true(client_open(&client, server.http_port));
    assert_true(client_send_text(&client, two));
    assert_true(client_read(&client, &reply, CLIENT_WAIT_MS, false));
    assert_int_equal(reply.status, 200);
    assert_true(client_read(&client, &reply, CLIENT_WAIT_MS, false));
    assert_int_equal(reply.status, 404);
    client_close(&client);
}

#define PARALLEL 100

/* OTLP-08: 100 connections at once, then 100 streams on one */
static void stores_once_what_comes_over_many_connections(void **state)
{
    static struct client clients[PARALLEL];
    static struct test_ids ids[PARALLEL];
    struct buf body;

    (void)state;
    buf_init(&body, 1 << 20);
    for (size_t i = 0; i < PARALLEL; i++)
        assert_true(client_open(&clients[i], server.http_port));
    for (size_t i = 0; i < PARALLEL; i++) {
        struct buf head;
        buf_init(&head, 65536);
        buf_clear(&body);
        one_span(&body, false, &ids[i]);
        buf_printf(&head,
                   "POST /v1/traces HTTP/1.1\r\nHost: a\r\n" PROTOBUF_TYPE
                   "Content-Length: %zu\r\n\r\n",
                   body.len);
        buf_add_bytes(&head, buf_bytes(&body));
        assert_true(client_send(&clients[i], head.at, head.len));
        buf_done(&head);
    }
    for (size_t i = 0; i < PARALLEL; i++) {
        assert_true(client_read(&clients[i], &reply, CLIENT_WAIT_MS, false));
        expect_success("one of many connections", &reply, false);
        assert_int_equal(stored_spans(server.http_port, ids[i].trace_id), 1);
        client_close(&clients[i]);
    }
    buf_done(&body);
}

static const struct h2_field h2_post[] = {{":method", "POST"},
                                          {":scheme", "http"},
                                          {":path", "/v1/traces"},
                                          {":authority", "127.0.0.1"},
                                          {"content-type", "application/x-protobuf"},
                                          {NULL, NULL}};

static void stores_once_what_comes_over_many_streams(void **state)
{
    static struct h2_reply replies[PARALLEL];
    static struct test_ids ids[PARALLEL];
    static struct buf bodies[PARALLEL];
    struct h2_client *client = h2_open(server.http_port);

    (void)state;
    assert_non_null(client);
    for (size_t i = 0; i < PARALLEL; i++) {
        h2_reply_init(&replies[i]);
        buf_init(&bodies[i], 65536);
        one_span(&bodies[i], false, &ids[i]);
        assert_true(h2_submit(client, h2_post, buf_bytes(&bodies[i]), 0, &replies[i]));
    }
    assert_true(h2_wait(client, CLIENT_WAIT_MS));
    for (size_t i = 0; i < PARALLEL; i++) {
        if (replies[i].status != 200)
            fail_msg("stream %zu: status %d, RST %u", i, replies[i].status, replies[i].error_code);
        assert_int_equal(stored_spans(server.http_port, ids[i].trace_id), 1);
        h2_reply_done(&replies[i]);
        buf_done(&bodies[i]);
    }
    h2_close(client);
}

struct request_row {
    const char *why;
    const char *method;
    const char *path;
    const char *type;
    const char *body;
    int status;
};

static const struct request_row both_transports[] = {
    {"empty JSON request", "POST", "/v1/traces", "application/json", "{}", 200},
    {"empty protobuf request", "POST", "/v1/traces", "application/x-protobuf", "", 200},
    {"no JSON", "POST", "/v1/traces", "application/json", "{", 400},
    {"no protobuf", "POST", "/v1/traces", "application/x-protobuf", "\x0a\x05zz", 400},
    {"unknown type", "POST", "/v1/traces", "text/plain", "{}", 415},
    {"other signal", "POST", "/v1/metrics", "application/json", "{}", 404},
    {"empty logs request", "POST", "/v1/logs", "application/x-protobuf", "", 200},
    {"traces among logs", "POST", "/v1/logs", "application/json", "{\"resourceSpans\":[]}", 400},
    {"logs have a method too", "GET", "/v1/logs", "application/json", "", 405},
    {"wrong method", "PUT", "/v1/traces", "application/json", "{}", 405},
    {"unknown path of the API", "GET", "/api/v1/nothing", "application/json", "", 404},
    {"trace that is not there", "GET", "/api/v1/traces/00000000000000000000000000000001",
     "application/json", "", 404},
    {"double slash", "POST", "//v1/traces", "application/json", "{}", 404},
};

/* OTLP-05: the same status and body over HTTP/1.1 and HTTP/2 */
static void answers_alike_on_http1_and_http2(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(both_transports); i++) {
        const struct request_row *r = &both_transports[i];
        const struct h2_field fields[] = {{":method", r->method},    {":scheme", "http"},
                                          {":path", r->path},        {":authority", "127.0.0.1"},
                                          {"content-type", r->type}, {NULL, NULL}};
        char headers[100];
        struct h2_reply h2;
        h2_reply_init(&h2);
        (void)snprintf(headers, sizeof(headers), "Content-Type: %s\r\n", r->type);
        http_call(server.http_port, r->method, r->path, headers, bytes_of(r->body), &reply);
        h2_call(server.http_port, fields, bytes_of(r->body), &h2);
        if (reply.status != r->status || h2.status != r->status)
            fail_msg("%s: %d over HTTP/1.1, %d over HTTP/2, want %d", r->why, reply.status,
                     h2.status, r->status);
        if (!bytes_equal(buf_bytes(&reply.body), buf_bytes(&h2.body)))
            fail_msg("%s: bodies differ: %.*s | %.*s", r->why, (int)reply.body.len,
                     (char *)reply.body.at, (int)h2.body.len, (char *)h2.body.at);
        h2_reply_done(&h2);
    }
}

/* ---- 1.2 content types, compression, sizes ---- */

/* OTLP-23, OTLP-24 */
static void reads_media_types_exactly_and_without_case(void **state)
{
    static const struct {
        const char *header;
        int status;
        bool json;
    } rows[] = {
        {"Content-Type: application/json\r\n", 200, true},
        {"Content-Type: APPLICATION/JSON\r\n", 200, true},
        {"Content-Type: application/json; charset=utf-8\r\n", 200, true},
        {"Content-Type: application/json;charset=utf-8\r\n", 200, true},
        {"Content-Type: application/json ; charset=\"utf-8\"\r\n", 200, true},
        {"Content-Type:   application/json  \r\n", 200, true},
        {"content-type:application/json\r\n", 200, true},
        {"Content-Type: application/x-protobuf\r\n", 200, false},
        {"Content-Type: Application/X-Protobuf\r\n", 200, false},
        {"Content-Type: application/x-protobuf; proto=x\r\n", 200, false},
        {"", 415, true},
        {"Content-Type: \r\n", 415, true},
        {"Content-Type: text/plain\r\n", 415, true},
        {"Content-Type: text/application/json\r\n", 415, true},
        {"Content-Type: application/jsonx\r\n", 415, true},
        {"Content-Type: xapplication/json\r\n", 415, true},
        {"Content-Type: application/protobuf\r\n", 415, true},
        {"Content-Type: application/x-www-form-urlencoded\r\n", 415, true},
        {"Content-Type: application/octet-stream\r\n", 415, true},
        {"Content-Type: text/html, application/json\r\n", 415, true},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct bytes body =
            rows[i].status == 200 && !rows[i].json ? (struct bytes){0} : BYTES_LITERAL("{}");
        post("/v1/traces", rows[i].header, body);
        if (rows[i].status == 200)
            expect_success(rows[i].header, &reply, rows[i].json);
        else
            expect_error(rows[i].header, &reply, rows[i].status, true);
    }
}

/* OTLP-25, OTLP-26 */
static void reads_content_codings(void **state)
{
    static const struct {
        const char *coding;
        char as; /* plain, gzip, zstd */
        int status;
    } rows[] = {
        {"Content-Encoding: gzip\r\n", 'g', 200},
        {"Content-Encoding: GZIP\r\n", 'g', 200},
        {"Content-Encoding: x-gzip\r\n", 'g', 200},
        {"Content-Encoding: identity\r\n", 'p', 200},
        {"Content-Encoding: \r\n", 'p', 200},
        {"", 'p', 200},
        {"Content-Encoding: zstd\r\n", 'z', 200},
        {"Content-Encoding: Zstd\r\n", 'z', 200},
        {"Content-Encoding: br\r\n", 'p', 415},
        {"Content-Encoding: deflate\r\n", 'p', 415},
        {"Content-Encoding: gzip, gzip\r\n", 'g', 415},
        {"Content-Encoding: snappy\r\n", 'p', 415},
        {"Content-Encoding: gzip\r\n", 'p', 400},
        {"Content-Encoding: zstd\r\n", 'p', 400},
    };
    struct buf plain, packed;
    struct test_ids ids;

    (void)state;
    buf_init(&plain, 1 << 20);
    buf_init(&packed, 1 << 20);
    for (size_t i = 0; i < COUNT(rows) * 2; i++) {
        const bool json = i % 2;
        const char as = rows[i / 2].as;
        char headers[200];
        buf_clear(&plain);
        buf_clear(&packed);
        one_span(&plain, json, &ids);
        if (as == 'g')
            gzip_bytes(buf_bytes(&plain), &packed);
        else if (as == 'z')
            zstd_bytes(buf_bytes(&plain), &packed);
        else
            buf_add_bytes(&packed, buf_bytes(&plain));
        (void)snprintf(headers, sizeof(headers), "%s%s", json ? JSON_TYPE : PROTOBUF_TYPE,
                       rows[i / 2].coding);
        post("/v1/traces", headers, buf_bytes(&packed));
        if (rows[i / 2].status == 200)
            expect_success(headers, &reply, json);
        else
            expect_error(headers, &reply, rows[i / 2].status, json);
        assert_int_equal(stored_spans(server.http_port, ids.trace_id),
                         rows[i / 2].status == 200 ? 1 : 0);
    }
    buf_done(&plain);
    buf_done(&packed);
}

/* OTLP-32: nobody asked for a compressed answer */
static void never_compresses_an_answer_unasked(void **state)
{
    static const char *const asked[] = {"", "Accept-Encoding: gzip;q=0\r\n",
                                        "Accept-Encoding: identity\r\n"};
    char coding[100];

    (void)state;
    for (size_t i = 0; i < COUNT(asked); i++) {
        char headers[200];
        (void)snprintf(headers, sizeof(headers), JSON_TYPE "%s", asked[i]);
        post("/v1/traces", headers, BYTES_LITERAL("{}"));
        expect_success(asked[i], &reply, true);
        assert_false(reply_header(&reply, "content-encoding", coding, sizeof(coding)));
    }
}

/* OTLP-20, OTLP-21, OTLP-22, OTLP-50, OTLP-52 */
static void writes_every_error_in_the_encoding_of_its_request(void **state)
{
    static const struct {
        const char *why;
        const char *path;
        const char *more;
        const char *body;
        int status;
    } rows[] = {
        {"not decodable", "/v1/traces", "", "\x0a\x05{", 400},
        {"coding not spoken", "/v1/traces", "Content-Encoding: br\r\n", "", 415},
        {"gzip that is none", "/v1/traces", "Content-Encoding: gzip\r\n", "zz", 400},
        {"another signal", "/v1/metrics", "", "{}", 404},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows) * 2; i++) {
        const bool json = i % 2;
        char headers[200];
        (void)snprintf(headers, sizeof(headers), "%s%s", json ? JSON_TYPE : PROTOBUF_TYPE,
                       rows[i / 2].more);
        post(rows[i / 2].path, headers, bytes_of(rows[i / 2].body));
        expect_error(rows[i / 2].why, &reply, rows[i / 2].status, json);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_on_the_export_paths_and_on_no_other),
        cmocka_unit_test(refuses_other_methods_with_405_and_allow),
        cmocka_unit_test(takes_both_encodings_in_turn_on_one_connection),
        cmocka_unit_test(answers_pipelined_requests_in_order),
        cmocka_unit_test(stores_once_what_comes_over_many_connections),
        cmocka_unit_test(stores_once_what_comes_over_many_streams),
        cmocka_unit_test(answers_alike_on_http1_and_http2),
        cmocka_unit_test(reads_media_types_exactly_and_without_case),
        cmocka_unit_test(reads_content_codings),
        cmocka_unit_test(never_compresses_an_answer_unasked),
        cmocka_unit_test(writes_every_error_in_the_encoding_of_its_request),
    };

    return cmocka_run_group_tests(tests, start, stop);
}
