/* OTLP/gRPC over raw HTTP/2 frames: framing, trailers, codes, deadlines (conformance section 1.5).
 */
#include "test.h"

#include <ctype.h>
#include <stdio.h>

#include "support/expect.h"
#include "support/server.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

static struct server server;
static struct h2_reply reply;

static int start(void **state)
{
    (void)state;
    return server_up(&server, NULL) ? 0 : -1;
}

static int stop(void **state)
{
    (void)state;
    server_remove(&server);
    return 0;
}

static int fresh_reply(void **state)
{
    (void)state;
    h2_reply_init(&reply);
    return 0;
}

static int drop_reply(void **state)
{
    (void)state;
    h2_reply_done(&reply);
    return 0;
}

/* A call with its own path, type and further fields (name, value, …, NULL). */
static void call(uint16_t port, const char *path, const char *type, const char *const more[],
                 struct bytes body, size_t piece)
{
    struct h2_field fields[20] = {{":method", "POST"}, {":scheme", "http"},
                                  {":path", path},     {":authority", "127.0.0.1"},
                                  {"te", "trailers"},  {"content-type", type}};
    struct h2_client *client = h2_open(port);
    size_t n = 6;

    assert_non_null(client);
    for (size_t i = 0; more && more[i]; i += 2)
        fields[n++] = (struct h2_field){more[i], more[i + 1]};
    h2_reply_done(&reply);
    h2_reply_init(&reply);
    assert_true(h2_submit(client, fields, body, piece, &reply));
    const int64_t began_ms = mono_ms();
    if (!h2_wait(client, 5000))
        fail_msg("%s: no end of the stream within 5 s", path);
    if (mono_ms() - began_ms > 4000)
        fail_msg("%s: %d ms", path, (int)(mono_ms() - began_ms));
    h2_close(client);
}

static void expect_code(const char *why, int code)
{
    if (reply.status != 200 || reply.grpc_status != code)
        fail_msg("%s: status %d, grpc-status %d %s, RST %u, want %d", why, reply.status,
                 reply.grpc_status, reply.grpc_message, reply.error_code, code);
}

/* OTLP-07, OTLP-40, OTLP-60, OTLP-62: HEADERS, DATA with the empty frame, HEADERS */
static void answers_a_success_with_head_frame_and_trailers(void **state)
{
    struct buf body, frame;
    struct test_ids ids;
    const uint16_t ports[] = {server.grpc_port, server.http_port};

    (void)state;
    buf_init(&body, 65536);
    buf_init(&frame, 65536);
    for (size_t i = 0; i < COUNT(ports); i++) {
        buf_clear(&body);
        buf_clear(&frame);
        one_span(&body, false, &ids);
        grpc_frame(buf_bytes(&body), false, &frame);
        call(ports[i], GRPC_EXPORT_PATH, "application/grpc", NULL, buf_bytes(&frame), 0);
        expect_code("plain call", 0);
        assert_int_equal(reply.head_frames, 2);
        assert_true(bytes_equal(buf_bytes(&reply.body), BYTES_LITERAL("\0\0\0\0\0")));
        char type[100] = "";
        assert_true(h2_reply_field(&reply, "content-type", type, sizeof(type)));
        assert_int_equal(strncmp(type, "application/grpc", 16), 0);
        assert_int_equal(stored_spans(server.http_port, ids.trace_id), 1);
    }
    buf_done(&body);
    buf_done(&frame);
}

/* OTLP-62: an error is one HEADERS (Trailers-Only); te is not required */
static void answers_an_error_with_trailers_only(void **state)
{
    static const struct h2_field no_te[] = {{":method", "POST"},
                                            {":scheme", "http"},
                                            {":path", GRPC_EXPORT_PATH},
                                            {":authority", "127.0.0.1"},
                                            {"content-type", "application/grpc"},
                                            {NULL, NULL}};

    (void)state;
    call(server.grpc_port, GRPC_EXPORT_PATH, "application/grpc", NULL,
         BYTES_LITERAL("\0\0\0\0\x03\x0a\x05z"), 0);
    expect_code("no protobuf", 3);
    assert_int_equal(reply.head_frames, 1);
    assert_int_equal(reply.body.len, 0);
    assert_true(reply.grpc_message[0] != '\0');
    for (const char *c = reply.grpc_message; *c; c++)
        assert_true(isprint((unsigned char)*c)); /* percent-encoded */
    h2_reply_done(&reply);
    h2_reply_init(&reply);
    h2_call(server.grpc_port, no_te, BYTES_LITERAL("\0\0\0\0\0"), &reply);
    expect_code("without te", 0);
}

/* OTLP-09, OTLP-60 */
static void answers_unimplemented_to_other_services_and_methods(void **state)
{
    static const char *const paths[] = {
        "/opentelemetry.proto.collector.trace.v1.TraceService/Other",
        "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
        "/opentelemetry.proto.collector.logs.v1.LogsService/Other",
        "/opentelemetry.proto.collector.",
        "/opentelemetry.proto.collector.trace.v1.TraceService/export",
        "/nothing",
        "/",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(paths); i++) {
        call(server.grpc_port, paths[i], "application/grpc", NULL, BYTES_LITERAL("\0\0\0\0\0"), 0);
        expect_code(paths[i], 12);
    }
}

/* OTLP-61 */
static void reads_the_content_type(void **state)
{
    static const struct {
        const char *type;
        int http; /* 200: a gRPC answer */
        int code;
    } rows[] = {
        {"application/grpc", 200, 0},     {"application/grpc+proto", 200, 0},
        {"application/grpc;x=y", 200, 0}, {"application/grpc+json", 0, 12},
        {"application/grpc-web", 0, 12},  {"application/grpcx", 0, 12},
        {"text/plain", 415, -1},          {"application/octet-stream", 415, -1},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        call(server.grpc_port, GRPC_EXPORT_PATH, rows[i].type, NULL, BYTES_LITERAL("\0\0\0\0\0"),
             0);
        if (rows[i].http == 200)
            expect_code(rows[i].type, 0);
        else if (reply.status != 415 && !(rows[i].http == 0 && reply.grpc_status == rows[i].code))
            fail_msg("%s: status %d, grpc-status %d, want 415 or 12", rows[i].type, reply.status,
                     reply.grpc_status);
    }
}

/* OTLP-63 */
static void frame_borders_mean_nothing(void **state)
{
    struct buf body, frame;
    struct test_ids ids;

    (void)state;
    buf_init(&body, 65536);
    buf_init(&frame, 65536);
    one_span(&body, false, &ids);
    grpc_frame(buf_bytes(&body), false, &frame);
    call(server.grpc_port, GRPC_EXPORT_PATH, "application/grpc", NULL, buf_bytes(&frame), 1);
    expect_code("one byte in each DATA frame", 0);
    assert_int_equal(stored_spans(server.http_port, ids.trace_id), 1);
    buf_done(&body);
    buf_done(&frame);
}

/* OTLP-33: RESOURCE_EXHAUSTED with RetryInfo would be sent again and again. */
static void expect_no_retry(const char *why)
{
    struct status_view status;

    if (reply.grpc_details[0] && (!status_of_details(&reply, &status) || status.retry_info ||
                                  status.code != reply.grpc_status))
        fail_msg("%s: grpc-status-details-bin %s", why, reply.grpc_details);
}

/* OTLP-33, OTLP-64, OTLP-65 */
static void refuses_bad_framing_without_a_hang(void **state)
{
    const struct {
        const char *why;
        struct bytes body;
        int code; /* 13 stands for 13 or 3 (OTLP-64) */
    } rows[] = {
        {"no message", {NULL, 0}, 13},
        {"half a prefix", BYTES_LITERAL("\0\0\0"), 13},
        {"half a message", BYTES_LITERAL("\0\0\0\0\x05zz"), 13},
        {"second message", BYTES_LITERAL("\0\0\0\0\0\0\0\0\0\0"), 13},
        {"flag 2", BYTES_LITERAL("\x02\0\0\0\0"), 13},
        {"flag 255", BYTES_LITERAL("\xff\0\0\0\0"), 13},
        {"flag 1 without grpc-encoding", BYTES_LITERAL("\x01\0\0\0\0"), 13},
        {"length 2^32-1", BYTES_LITERAL("\0\xff\xff\xff\xff"), 8},
        {"length beyond the limit", BYTES_LITERAL("\0\x7f\xff\xff\xff"), 8},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        call(server.grpc_port, GRPC_EXPORT_PATH, "application/grpc", NULL, rows[i].body, 0);
        if (rows[i].code == 13 && reply.grpc_status == 3)
            continue;
        expect_code(rows[i].why, rows[i].code);
        if (rows[i].code == 8)
            expect_no_retry(rows[i].why);
    }
}

/* OTLP-25, OTLP-65 */
static void reads_grpc_encoding(void **state)
{
    static const struct {
        const char *why;
        const char *coding;
        bool flag;
        bool zipped;
        int code;
    } rows[] = {
        {"gzip", "gzip", true, true, 0},
        {"flag 0 beside gzip is legal", "gzip", false, false, 0},
        {"identity", "identity", false, false, 0},
        {"flag 1 with identity", "identity", true, false, 13},
        {"coding not spoken", "snappy", true, false, 12},
        {"gzip that is none", "gzip", true, false, 3},
    };
    struct buf body, zipped, frame;
    struct test_ids ids;

    (void)state;
    buf_init(&body, 65536);
    buf_init(&zipped, 65536);
    buf_init(&frame, 65536);
    for (size_t i = 0; i < COUNT(rows); i++) {
        const char *const more[] = {"grpc-encoding", rows[i].coding, NULL};
        buf_clear(&body);
        buf_clear(&zipped);
        buf_clear(&frame);
        one_span(&body, false, &ids);
        gzip_bytes(buf_bytes(&body), &zipped);
        grpc_frame(buf_bytes(rows[i].zipped ? &zipped : &body), rows[i].flag, &frame);
        call(server.grpc_port, GRPC_EXPORT_PATH, "application/grpc", more, buf_bytes(&frame), 0);
        expect_code(rows[i].why, rows[i].code);
        if (rows[i].code == 12) {
            char good[100] = "";
            assert_true(h2_reply_field(&reply, "grpc-accept-encoding", good, sizeof(good)));
            assert_non_null(strstr(good, "gzip"));
        }
        assert_int_equal(stored_spans(server.http_port, ids.trace_id), rows[i].code == 0 ? 1 : 0);
    }
    buf_done(&body);
    buf_done(&zipped);
    buf_done(&frame);
}

/* OTLP-66 */
static void reads_grpc_timeout(void **state)
{
    static const struct {
        const char *value;
        bool good;
    } rows[] = {
        {"1M", true}, /* a minute; m is a millisecond */
        {"10S", true},       {"99999999n", true}, {"1H", true},          {"50000m", true},
        {"20000000u", true}, {"9S9", false},      {"123456789S", false}, {"S", false},
        {"5", false},        {"-1S", false},      {"1x", false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const char *const more[] = {"grpc-timeout", rows[i].value, NULL};
        call(server.grpc_port, GRPC_EXPORT_PATH, "application/grpc", more,
             BYTES_LITERAL("\0\0\0\0\0"), 0);
        if (rows[i].good ? reply.grpc_status != 0
                         : reply.grpc_status != 3 && reply.grpc_status != 13)
            fail_msg("grpc-timeout %s: grpc-status %d %s", rows[i].value, reply.grpc_status,
                     reply.grpc_message);
    }
}

/* OTLP-43, OTLP-46 over gRPC: status OK with partial_success in the message */
static void reports_rejected_spans_in_the_message(void **state)
{
    struct test_ids ids;
    struct buf body, frame;

    (void)state;
    buf_init(&body, 65536);
    buf_init(&frame, 65536);
    test_ids_next(&ids);
    struct test_span spans[2] = {test_span_of(&ids, "good"), test_span_of(&ids, "bad")};
    spans[1].span_id = BYTES_LITERAL("1234567");
    pb_request(&body, "test-service", spans, 2);
    grpc_frame(buf_bytes(&body), false, &frame);
    call(server.grpc_port, GRPC_EXPORT_PATH, "application/grpc", NULL, buf_bytes(&frame), 0);
    expect_code("partial success", 0);
    /* prefix; partial_success (1) with rejected_spans (1) = 1 and a message (2) */
    assert_true(reply.body.len > 9 && reply.body.at[5] == 0x0a && reply.body.at[7] == 0x08 &&
                reply.body.at[8] == 1);
    assert_int_equal(stored_spans(server.http_port, ids.trace_id), 1);
    buf_done(&body);
    buf_done(&frame);
}

/* OTLP-67: the client goes in mid-request and sends again */
static void a_cancelled_call_sent_again_is_stored_once(void **state)
{
    struct h2_client *client = h2_open(server.grpc_port);
    struct buf body, frame;
    static const struct h2_field fields[] = {{":method", "POST"},
                                             {":scheme", "http"},
                                             {":path", GRPC_EXPORT_PATH},
                                             {":authority", "127.0.0.1"},
                                             {"te", "trailers"},
                                             {"content-type", "application/grpc"},
                                             {NULL, NULL}};

    (void)state;
    assert_non_null(client);
    buf_init(&body, 65536);
    buf_init(&frame, 65536);
    for (int i = 0; i < 200; i++) {
        struct test_ids ids;
        struct h2_reply cut;
        buf_clear(&body);
        buf_clear(&frame);
        one_span(&body, false, &ids);
        grpc_frame(buf_bytes(&body), false, &frame);
        h2_reply_init(&cut);
        assert_true(h2_submit(client, fields, buf_bytes(&frame), 0, &cut));
        h2_run(client, i % 4);
        if (!cut.closed)
            h2_reset(client, &cut);
        assert_true(h2_wait(client, 5000));
        h2_reply_done(&cut);
        h2_reply_done(&reply);
        h2_reply_init(&reply);
        assert_true(grpc_export_on(client, buf_bytes(&frame), &reply));
        assert_int_equal(reply.grpc_status, 0);
        assert_int_equal(stored_spans(server.http_port, ids.trace_id), 1);
    }
    h2_close(client);
    buf_done(&body);
    buf_done(&frame);
}

/* OTLP-71: client pings are answered and are no attack at this rate */
static void answers_pings(void **state)
{
    struct h2_client *client = h2_open(server.grpc_port);

    (void)state;
    assert_non_null(client);
    for (int i = 0; i < 20; i++) {
        h2_ping(client);
        h2_run(client, 20);
    }
    assert_int_equal(h2_pongs(client), 20);
    assert_false(h2_saw_goaway(client));
    h2_close(client);
}

/* OTLP-73, H2-7: too many header bytes are refused, the connection lives on */
static void bounds_header_lists(void **state)
{
    static char big[12000];
    struct h2_client *client = h2_open(server.grpc_port);
    struct h2_field fields[] = {{":method", "POST"},
                                {":scheme", "http"},
                                {":path", GRPC_EXPORT_PATH},
                                {":authority", "127.0.0.1"},
                                {"te", "trailers"},
                                {"content-type", "application/grpc"},
                                {"x-a", big},
                                {"x-b", big},
                                {"x-c", big},
                                {"x-d", big},
                                {"x-e", big},
                                {"x-f", big},
                                {NULL, NULL}};

    (void)state;
    assert_non_null(client);
    memset(big, 'x', sizeof(big) - 1);
    assert_true(h2_submit(client, fields, BYTES_LITERAL("\0\0\0\0\0"), 0, &reply));
    assert_true(h2_wait(client, 5000));
    if (reply.status == 200 && reply.grpc_status == 0)
        fail_msg("70 KB of headers were taken");
    h2_reply_done(&reply);
    h2_reply_init(&reply);
    assert_true(grpc_export_on(client, BYTES_LITERAL("\0\0\0\0\0"), &reply));
    assert_int_equal(reply.grpc_status, 0);
    h2_close(client);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fresh_reply, drop_reply)
    const struct CMUnitTest tests[] = {
        TEST(answers_a_success_with_head_frame_and_trailers),
        TEST(answers_an_error_with_trailers_only),
        TEST(answers_unimplemented_to_other_services_and_methods),
        TEST(reads_the_content_type),
        TEST(frame_borders_mean_nothing),
        TEST(refuses_bad_framing_without_a_hang),
        TEST(reads_grpc_encoding),
        TEST(reads_grpc_timeout),
        TEST(reports_rejected_spans_in_the_message),
        TEST(a_cancelled_call_sent_again_is_stored_once),
        TEST(answers_pings),
        TEST(bounds_header_lists),
    };

    return cmocka_run_group_tests(tests, start, stop);
}
