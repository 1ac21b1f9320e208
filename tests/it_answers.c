/* Answers of OTLP/HTTP: success, partial success, errors, and what is no HTTP at all (conformance
 * sections 1.3 and 1.4, SEC-16, SEC-18). */
#include "test.h"

#include <stdio.h>

#include "support/expect.h"
#include "support/server.h"

#define JSON_TYPE "Content-Type: application/json\r\n"
#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

static struct server server;
static struct reply reply;

static int start(void **state)
{
    (void)state;
    reply_init(&reply);
    return server_up(&server, NULL) ? 0 : -1;
}

static int stop(void **state)
{
    (void)state;
    reply_done(&reply);
    server_remove(&server);
    return 0;
}

/* ---- 1.3 success ---- */

/* OTLP-41, OTLP-42 */
static void takes_requests_without_spans(void **state)
{
    struct buf many;

    (void)state;
    http_export(server.http_port, false, (struct bytes){0}, &reply);
    expect_success("no byte of protobuf", &reply, false);
    http_export(server.http_port, true, BYTES_LITERAL("{}"), &reply);
    expect_success("empty object", &reply, true);
    http_export(server.http_port, true, BYTES_LITERAL("{\"resourceSpans\":[]}"), &reply);
    expect_success("empty list", &reply, true);
    http_export(server.http_port, true,
                BYTES_LITERAL("{\"resourceSpans\":[{\"scopeSpans\":[{}]}]}"), &reply);
    expect_success("a scope without spans", &reply, true);
    http_export(server.http_port, true, (struct bytes){0}, &reply);
    expect_error("no byte of JSON", &reply, 400, true);
    buf_init(&many, 1 << 20);
    for (int i = 0; i < 1000; i++)
        pb_bytes(&many, 1, (struct bytes){0});
    http_export(server.http_port, false, buf_bytes(&many), &reply);
    expect_success("1,000 empty ResourceSpans", &reply, false);
    buf_done(&many);
}

/* ---- 1.4 errors ---- */

/* OTLP-51, SEC-16, RF-21: where the request is not even parsed, JSON */
static void answers_what_is_no_http_with_a_status_and_closes(void **state)
{
    static const struct {
        const char *why;
        const char *bytes;
        int status;
    } rows[] = {
        {"no request line", "hello\r\n\r\n", 400},
        {"HTTP/9", "GET / HTTP/9.9\r\nHost: a\r\n\r\n", 400},
        {"no Host", "POST /v1/traces HTTP/1.1\r\nContent-Length: 0\r\n\r\n", 400},
        {"two Hosts", "GET /healthz HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400},
        {"length and chunks",
         "POST /v1/traces HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n"
         "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
         400},
        {"two lengths that differ",
         "POST /v1/traces HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nContent-Length: 3\r\n\r\n",
         400},
        {"length with a sign",
         "POST /v1/traces HTTP/1.1\r\nHost: a\r\nContent-Length: +2\r\n\r\n{}", 400},
        {"length that wraps",
         "POST /v1/traces HTTP/1.1\r\nHost: a\r\n" JSON_TYPE
         "Content-Length: 18446744073709551618\r\n\r\n{}",
         400},
        {"space before the colon", "GET /healthz HTTP/1.1\r\nHost : a\r\n\r\n", 400},
        {"folded line", "GET /healthz HTTP/1.1\r\nHost: a\r\nX: a\r\n b\r\n\r\n", 400},
        {"chunk size that is no number",
         "POST /v1/traces HTTP/1.1\r\nHost: a\r\n" JSON_TYPE
         "Transfer-Encoding: chunked\r\n\r\nzz\r\n",
         400},
        {"chunk size that wraps",
         "POST /v1/traces HTTP/1.1\r\nHost: a\r\n" JSON_TYPE
         "Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n",
         400},
        {"coding of transfer that is not spoken",
         "POST /v1/traces HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", 400},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct client client;
        char type[100] = "";
        assert_true(client_open(&client, server.http_port));
        assert_true(client_send_text(&client, rows[i].bytes));
        /* A second request behind it must not be answered (SEC-16). */
        (void)client_send_text(&client, "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n");
        if (!client_read(&client, &reply, 5000, false) || reply.status != rows[i].status)
            fail_msg("%s: status %d, want %d", rows[i].why, reply.status, rows[i].status);
        (void)reply_header(&reply, "content-type", type, sizeof(type));
        if (strcmp(type, "application/json") != 0 || reply.body.len < 2)
            fail_msg("%s: type '%s', %zu bytes", rows[i].why, type, reply.body.len);
        if (!client_sees_end(&client, 5000))
            fail_msg("%s: the connection stays open", rows[i].why);
        client_close(&client);
    }
}

/* OTLP-73, SEC-18, OTLP-51 */
static void bounds_request_lines_and_headers(void **state)
{
    static const struct {
        const char *why;
        size_t line;   /* letters in the path */
        size_t header; /* letters in one header */
        int fields;
        int status;
    } rows[] = {
        {"7 KiB of header", 10, 7000, 0, 404}, {"100 KiB of header", 10, 100000, 0, 431},
        {"20 KiB of path", 20000, 0, 0, 414},  {"150 fields", 10, 0, 150, 431},
        {"50 fields", 10, 0, 50, 404},
    };
    struct buf out;

    (void)state;
    buf_init(&out, 1 << 20);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct client client;
        buf_clear(&out);
        buf_add_text(&out, "GET /");
        for (size_t k = 0; k < rows[i].line; k++)
            buf_add_byte(&out, 'x');
        buf_add_text(&out, " HTTP/1.1\r\nHost: a\r\n");
        for (int k = 0; k < rows[i].fields; k++)
            buf_printf(&out, "x-%d: y\r\n", k);
        buf_add_text(&out, "x-long: ");
        for (size_t k = 0; k < rows[i].header; k++)
            buf_add_byte(&out, 'y');
        buf_add_text(&out, "\r\n\r\n");
        assert_true(client_open(&client, server.http_port));
        (void)client_send(&client, out.at, out.len);
        if (!client_read(&client, &reply, 5000, false) || reply.status != rows[i].status)
            fail_msg("%s: status %d, want %d", rows[i].why, reply.status, rows[i].status);
        client_close(&client);
    }
    buf_done(&out);
}

/* OTLP-29: the answer comes before a body that is too long is read; OTLP-57: 100 only on Expect */
static void answers_early_to_what_will_be_refused(void **state)
{
    static const struct {
        const char *why;
        const char *head;
        int status;
    } rows[] = {
        {"5 GiB announced",
         "POST /v1/traces HTTP/1.1\r\nHost: a\r\n" JSON_TYPE "Content-Length: 5368709120\r\n\r\n",
         413},
        {"5 GiB announced, waiting for 100",
         "POST /v1/traces HTTP/1.1\r\nHost: a\r\n" JSON_TYPE
         "Content-Length: 5368709120\r\nExpect: 100-continue\r\n\r\n",
         413},
        {"unknown type, waiting for 100",
         "POST /v1/traces HTTP/1.1\r\nHost: a\r\nContent-Type: text/plain\r\n"
         "Content-Length: 100\r\nExpect: 100-continue\r\n\r\n",
         415},
        {"unknown path, waiting for 100",
         "POST /v1/metrics HTTP/1.1\r\nHost: a\r\n" JSON_TYPE
         "Content-Length: 100\r\nExpect: 100-continue\r\n\r\n",
         404},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct client client;
        assert_true(client_open(&client, server.http_port));
        const int64_t began_ms = mono_ms();
        assert_true(client_send_text(&client, rows[i].head));
        /* client_read skips a 100: look for one by hand. */
        if (!client_read(&client, &reply, 1000, false) || reply.status != rows[i].status)
            fail_msg("%s: status %d after %d ms, want %d", rows[i].why, reply.status,
                     (int)(mono_ms() - began_ms), rows[i].status);
        client_close(&client);
    }
}

static void sends_100_only_when_asked(void **state)
{
    struct client client;

    (void)state;
    assert_true(client_open(&client, server.http_port));
    assert_true(client_send_text(&client, "POST /v1/traces HTTP/1.1\r\nHost: a\r\n" JSON_TYPE
                                          "Content-Length: 2\r\nExpect: 100-continue\r\n\r\n"));
    for (int64_t until_ms = mono_ms() + 2000; mono_ms() < until_ms && client.input.len < 12;)
        (void)client_sees_end(&client, 100);
    assert_true(client.input.len >= 12 && memcmp(client.input.at, "HTTP/1.1 100", 12) == 0);
    assert_true(client_send_text(&client, "{}"));
    assert_true(client_read(&client, &reply, CLIENT_WAIT_MS, false));
    expect_success("after 100", &reply, true);
    client_close(&client);
}

/* OTLP-58, SEC: texts of errors name neither SQL nor the machine */
static void error_texts_hold_no_insides(void **state)
{
    static const char *const words[] = {"SELECT",   "INSERT",   "postgres", "/tmp/",
                                        "sqlstate", "SQLSTATE", "relation", "libpq"};
    static const char *const paths[] = {"/v1/logs", "/v1/traces", "/api/v1/nothing",
                                        "/api/v1/traces?sort='", "/api/v1/traces/zz"};

    (void)state;
    for (size_t i = 0; i < COUNT(paths); i++) {
        http_call(server.http_port, i < 2 ? "POST" : "GET", paths[i], JSON_TYPE,
                  BYTES_LITERAL("{\"resourceSpans\":5}"), &reply);
        assert_true(reply.status >= 400);
        for (size_t k = 0; k < COUNT(words); k++)
            if (memmem(reply.body.at, reply.body.len, words[k], strlen(words[k])))
                fail_msg("%s: '%s' in %.*s", paths[i], words[k], (int)reply.body.len,
                         (char *)reply.body.at);
    }
}

/* SEC-01, before keys exist: every style of credentials is taken and changes nothing */
static void ignores_credentials_while_auth_is_off(void **state)
{
    static const char *const headers[] = {"Authorization: Bearer abc\r\n",
                                          "Authorization: Basic cGstbGY6c2stbGY=\r\n",
                                          "x-api-key: abc\r\n", "Authorization: Basic !!!\r\n"};

    (void)state;
    for (size_t i = 0; i < COUNT(headers); i++) {
        char all[200];
        (void)snprintf(all, sizeof(all), JSON_TYPE "%s", headers[i]);
        http_call(server.http_port, "POST", "/api/public/otel/v1/traces", all, BYTES_LITERAL("{}"),
                  &reply);
        expect_success(headers[i], &reply, true);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_requests_without_spans),
        cmocka_unit_test(answers_what_is_no_http_with_a_status_and_closes),
        cmocka_unit_test(bounds_request_lines_and_headers),
        cmocka_unit_test(answers_early_to_what_will_be_refused),
        cmocka_unit_test(sends_100_only_when_asked),
        cmocka_unit_test(error_texts_hold_no_insides),
        cmocka_unit_test(ignores_credentials_while_auth_is_off),
    };

    return cmocka_run_group_tests(tests, start, stop);
}
