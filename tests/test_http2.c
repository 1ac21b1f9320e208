/* HTTP/2 sessions: requests, gRPC, refusals and malformed streams. */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "support/h2pair.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const char *const grpc_fields[] = {"content-type", "application/grpc", "te", "trailers",
                                          NULL};

static void answers_get_post_and_head(void **state)
{
    struct pair *pair = pair_new();
    struct upload upload = {.body = BYTES_LITERAL("hello")};
    (void)state;

    const int32_t get = submit(pair, "GET", "/a?b", NULL, NULL);
    const int32_t post = submit(pair, "POST", "/a", NULL, &upload);
    const int32_t head = submit(pair, "HEAD", "/a", NULL, NULL);
    pump(pair);
    assert_int_equal(reply_of(pair, get)->status, 200);
    assert_memory_equal(reply_of(pair, get)->body, "0", 1);
    assert_memory_equal(reply_of(pair, post)->body, "5", 1);
    assert_int_equal(reply_of(pair, head)->status, 200);
    assert_int_equal(reply_of(pair, head)->body_len, 0);
    for (int32_t id = get; id <= head; id += 2)
        assert_true(reply_of(pair, id)->closed && reply_of(pair, id)->code == NGHTTP2_NO_ERROR);
    pair_free(pair);
}

static void takes_three_mebibytes_through_its_windows(void **state)
{
    struct pair *pair = pair_new();
    const size_t body_bytes = (size_t)3 << 20;
    uint8_t *body = calloc(1, body_bytes);
    struct upload upload = {.body = {body, body_bytes}};
    (void)state;

    const int32_t id = submit(pair, "POST", "/a", NULL, &upload);
    pump(pair);
    assert_int_equal(reply_of(pair, id)->status, 200);
    assert_memory_equal(reply_of(pair, id)->body, "3145728", 7);
    pair_free(pair);
    free(body);
}

static void answers_grpc_with_message_and_trailers(void **state)
{
    struct pair *pair = pair_new();
    struct upload upload = {.body = {(const uint8_t *)"\0\0\0\0\0", 5}};
    struct upload again = upload;
    (void)state;

    const int32_t good = submit(pair, "POST", "/x", grpc_fields, &upload);
    const int32_t bad = submit(pair, "POST", "/bad", grpc_fields, &again);
    pump(pair);
    struct reply *reply = reply_of(pair, good);
    assert_int_equal(reply->status, 200);
    assert_int_equal(reply->heads, 2);
    assert_int_equal(reply->grpc_status, 0);
    assert_int_equal(reply->body_len, 5);
    assert_string_equal(reply->accepts, "identity,gzip");
    reply = reply_of(pair, bad);
    assert_int_equal(reply->status, 200);
    assert_int_equal(reply->heads, 1); /* trailers only (OTLP-62) */
    assert_int_equal(reply->grpc_status, 3);
    assert_string_equal(reply->message, "50%25 bad");
    assert_string_equal(reply->details, "YWJjZA"); /* no padding (OTLP-69) */
    pair_free(pair);
}

static void answers_other_grpc_types_with_http_415(void **state)
{
    static const char *const types[] = {"application/grpc+json", "application/grpc-web",
                                        "application/grpc-web-text+proto"};
    struct pair *pair = pair_new();
    (void)state;

    for (size_t i = 0; i < COUNT(types); i++) {
        const char *const fields[] = {"content-type", types[i], NULL};
        const int32_t id = submit(pair, "POST", "/x", fields, NULL);
        pump(pair);
        if (reply_of(pair, id)->status != 415 || reply_of(pair, id)->grpc_status != -1)
            fail_msg("%s: %d", types[i], reply_of(pair, id)->status);
    }
    assert_int_equal(pair->delivered, 0);
    pair_free(pair);
}

static void ends_calls_at_their_deadline_while_a_worker_has_them(void **state)
{
    const char *const fields[] = {"content-type", "application/grpc", "grpc-timeout", "100m", NULL};
    const char *const wrong[] = {"content-type", "application/grpc", "grpc-timeout", "9S9", NULL};
    struct pair *pair = pair_new();
    (void)state;

    pair->hold = true;
    const int32_t id = submit(pair, "POST", "/x", fields, NULL);
    const int32_t malformed = submit(pair, "POST", "/x", wrong, NULL);
    pump(pair);
    assert_int_equal(pair->held_count, 1);
    assert_int_equal(reply_of(pair, malformed)->grpc_status, 3);
    assert_true(tick(pair, 50));
    assert_false(reply_of(pair, id)->closed);
    assert_true(tick(pair, 51));
    assert_int_equal(reply_of(pair, id)->grpc_status, 4);
    assert_true(reply_of(pair, id)->closed);
    assert_true(wire_exchange_gone(pair->held[0]));
    pair_free(pair);
}

static void answers_before_the_request_ends_and_resets_without_error(void **state)
{
    struct pair *pair = pair_new();
    struct upload grpc = {.body = BYTES_LITERAL("abc"), .endless = true};
    struct upload http = {.body = BYTES_LITERAL("abc"), .endless = true};
    (void)state;

    const int32_t a = submit(pair, "POST", "/refused", grpc_fields, &grpc);
    const int32_t b = submit(pair, "POST", "/refused", NULL, &http);
    pump(pair);
    assert_int_equal(reply_of(pair, a)->grpc_status, 16);
    assert_true(reply_of(pair, a)->closed);
    assert_int_equal(reply_of(pair, a)->code, NGHTTP2_NO_ERROR);
    assert_int_equal(reply_of(pair, b)->status, 401);
    assert_false(reply_of(pair, b)->closed);
    assert_true(tick(pair, 300));
    assert_true(reply_of(pair, b)->closed);
    assert_int_equal(reply_of(pair, b)->code, NGHTTP2_NO_ERROR);
    pair_free(pair);
}

static void refuses_bodies_over_the_limit(void **state)
{
    const char *const declared[] = {"content-length", "5368709120", NULL};
    struct pair *pair = pair_new();
    struct upload small = {.body = BYTES_LITERAL("12345678901")};
    struct upload endless = {.body = BYTES_LITERAL("1"), .endless = true};
    (void)state;

    const int32_t a = submit(pair, "POST", "/small", NULL, &small);
    const int32_t b = submit(pair, "POST", "/x", declared, &endless);
    pump(pair);
    assert_int_equal(reply_of(pair, a)->status, 413);
    assert_int_equal(reply_of(pair, b)->status, 413);
    assert_int_equal(pair->delivered, 0);
    pair_free(pair);
}

static void answers_503_when_bodies_in_flight_are_too_many(void **state)
{
    const char *const one_mebibyte[] = {"content-length", "1048576", NULL};
    struct pair *pair = pair_new();
    struct upload open[2] = {{.body = BYTES_LITERAL("1"), .endless = true},
                             {.body = BYTES_LITERAL("1"), .endless = true}};
    (void)state;

    pair->cfg.in_flight_max_bytes = 1500000;
    const int32_t a = submit(pair, "POST", "/x", one_mebibyte, &open[0]);
    const int32_t b = submit(pair, "POST", "/x", one_mebibyte, &open[1]);
    pump(pair);
    assert_int_equal(reply_of(pair, a)->status, 0);
    assert_int_equal(reply_of(pair, b)->status, 503);
    pair->cfg.in_flight_max_bytes = 1024; /* not even an exchange fits: safe to retry */
    const int32_t c = submit(pair, "GET", "/x", NULL, NULL);
    pump(pair);
    assert_true(reply_of(pair, c)->closed);
    assert_int_equal(reply_of(pair, c)->code, NGHTTP2_REFUSED_STREAM);
    pair_free(pair);
}

static void answers_431_to_large_heads_and_goes_on(void **state)
{
    static char value[20001];
    const char *const large[] = {"x-a", value, NULL};
    const char *many[2 * 101 + 1];
    struct pair *pair = pair_new();
    (void)state;

    memset(value, 'v', 20000);
    for (size_t i = 0; i < 101; i++) {
        many[2 * i] = "cookie"; /* crumbs count one by one (H2-7) */
        many[2 * i + 1] = "a";
    }
    many[202] = NULL;
    const int32_t a = submit(pair, "GET", "/x", large, NULL);
    const int32_t b = submit(pair, "GET", "/x", many, NULL);
    value[7900] = '\0';
    const char *const fits[] = {"x-a", value, "x-b", value, NULL};
    const int32_t c = submit(pair, "GET", "/x", fits, NULL);
    pump(pair);
    assert_int_equal(reply_of(pair, a)->status, 431);
    assert_int_equal(reply_of(pair, b)->status, 431);
    assert_int_equal(reply_of(pair, c)->status, 200);
    pair_free(pair);
}

static void resets_malformed_requests(void **state)
{
    static const struct {
        const char *why;
        const char *fields[6];
    } cases[] = {
        {"content-length beyond the data", {"content-length", "9", NULL}},
        {"content-length below the data", {"content-length", "2", NULL}},
        {"two content-lengths", {"content-length", "3", "content-length", "3", NULL}},
        {"connection field", {"connection", "close", NULL}},
        {"transfer-encoding", {"transfer-encoding", "chunked", NULL}},
        {"te other than trailers", {"te", "gzip", NULL}},
        {"late pseudo field", {"a", "b", ":path", "/", NULL}},
        {"unknown pseudo field", {":x", "y", NULL}},
        {"two content-types", {"content-type", "a", "content-type", "b", NULL}},
        {"LF in a value", {"a", "b\nc", NULL}},
        {"space in a name", {"a b", "c", NULL}},
    };
    (void)state;

    for (size_t i = 0; i < COUNT(cases); i++) {
        struct pair *pair = pair_new();
        struct upload upload = {.body = BYTES_LITERAL("abc")};
        const int32_t id = submit(pair, "POST", "/x", cases[i].fields, &upload);
        pump(pair);
        const struct reply *reply = reply_of(pair, id);
        if (!reply->closed || (reply->code == NGHTTP2_NO_ERROR && reply->status != 400) ||
            pair->delivered > 0)
            fail_msg("%s: closed %d, code %u, status %d", cases[i].why, reply->closed, reply->code,
                     reply->status);
        pair_free(pair);
    }
}

static void resets_upper_case_field_names(void **state)
{
    struct pair *pair = pair_new();
    /* :method GET, :scheme http, :path /, :authority x, then a literal "A: b" (HPACK 6.2.2) */
    static const uint8_t block[] = {0x82, 0x86, 0x84, 0x01, 1, 'x', 0x00, 1, 'A', 1, 'b'};
    uint8_t bytes[9 + sizeof(block)];
    (void)state;

    pump(pair);
    frame(bytes, sizeof(block), NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS | NGHTTP2_FLAG_END_STREAM,
          1);
    memcpy(bytes + 9, block, sizeof(block));
    feed(pair, bytes, sizeof(bytes));
    assert_int_equal(pair->delivered, 0);
    bytes[9 + 8] = 'a'; /* the same in lower case is taken */
    put_be32(bytes + 5, 3);
    feed(pair, bytes, sizeof(bytes));
    take_answers(pair);
    assert_int_equal(pair->delivered, 1);
    pair_free(pair);
}

static void tells_workers_of_a_cancelled_stream(void **state)
{
    struct pair *pair = pair_new();
    (void)state;

    pair->hold = true;
    const int32_t id = submit(pair, "GET", "/x", NULL, NULL);
    pump(pair);
    assert_int_equal(pair->held_count, 1);
    assert_false(wire_exchange_gone(pair->held[0]));
    assert_int_equal(nghttp2_submit_rst_stream(pair->client, 0, id, NGHTTP2_CANCEL), 0);
    pump(pair);
    assert_true(wire_exchange_gone(pair->held[0]));
    pair_free(pair); /* its answer is taken and thrown away */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_get_post_and_head),
        cmocka_unit_test(takes_three_mebibytes_through_its_windows),
        cmocka_unit_test(answers_grpc_with_message_and_trailers),
        cmocka_unit_test(answers_other_grpc_types_with_http_415),
        cmocka_unit_test(ends_calls_at_their_deadline_while_a_worker_has_them),
        cmocka_unit_test(answers_before_the_request_ends_and_resets_without_error),
        cmocka_unit_test(refuses_bodies_over_the_limit),
        cmocka_unit_test(answers_503_when_bodies_in_flight_are_too_many),
        cmocka_unit_test(answers_431_to_large_heads_and_goes_on),
        cmocka_unit_test(resets_malformed_requests),
        cmocka_unit_test(resets_upper_case_field_names),
        cmocka_unit_test(tells_workers_of_a_cancelled_stream),
    };

    return cmocka_run_group_tests_name("http2", tests, NULL, NULL);
}
