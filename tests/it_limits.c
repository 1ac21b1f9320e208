/* Bad and extreme input against the real binary: what is refused, what is repaired, and that the
 * neighbours of a bad span are stored (OTLP-10, OTLP-27 … 31, 43 … 46, 103, 104, 111 … 124, 126;
 * RF-32 … RF-34). */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>

#include "support/client.h"
#include "support/expect.h"
#include "support/server.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))
#define BODY_LIMIT 1000000

static struct server server;       /* its own limits */
static struct server small_server; /* body limit BODY_LIMIT */
static struct reply reply;
static struct arena arena;
static struct buf body;
static struct buf packed;

static int start(void **state)
{
    static const char *const small[] = {"--body-max-bytes", "1000000", NULL};

    (void)state;
    reply_init(&reply);
    arena_init(&arena, (size_t)2 << 30);
    buf_init(&body, (size_t)256 << 20);
    buf_init(&packed, (size_t)256 << 20);
    return server_up(&server, NULL) && server_up(&small_server, small) ? 0 : -1;
}

static int stop(void **state)
{
    (void)state;
    server_remove(&server);
    server_remove(&small_server);
    reply_done(&reply);
    arena_done(&arena);
    buf_done(&body);
    buf_done(&packed);
    return 0;
}

static int empty(void **state)
{
    (void)state;
    arena_reset(&arena);
    buf_clear(&body);
    buf_clear(&packed);
    return 0;
}

static void post_coded(uint16_t port, bool json, const char *coding, struct bytes bytes)
{
    char headers[200];

    (void)snprintf(headers, sizeof(headers), "Content-Type: %s\r\n%s%s%s",
                   json ? "application/json" : "application/x-protobuf",
                   coding[0] ? "Content-Encoding: " : "", coding, coding[0] ? "\r\n" : "");
    http_call(port, "POST", "/v1/traces", headers, bytes, &reply);
}

/* ---- sizes ---- */

/* A request with one span, filled up with an attribute to exactly `size` bytes. */
static void body_of_size(size_t size, struct test_ids *ids)
{
    size_t fill = size - 300;

    test_ids_next(ids);
    for (;;) {
        struct test_span span = test_span_of(ids, "sized");
        struct buf extra, text;
        buf_init(&extra, (size_t)256 << 20);
        buf_init(&text, (size_t)256 << 20);
        while (text.len < fill)
            buf_add_byte(&text, 'x');
        pb_attribute(&extra, 9, BYTES_LITERAL("fill"), buf_bytes(&text));
        span.extra = buf_bytes(&extra);
        buf_clear(&body);
        pb_request(&body, "test-service", &span, 1);
        buf_done(&extra);
        buf_done(&text);
        if (body.len == size)
            return;
        fill = fill + size - body.len;
    }
}

/* OTLP-28: plain, chunked, gzip, over HTTP/2 and gRPC; nothing of a refused body is stored */
static void bounds_bodies_before_and_after_decompression(void **state)
{
    static const struct {
        int more;
        int status;
        int code;
    } rows[] = {{-1, 200, 0}, {0, 200, 0}, {1, 413, 8}};

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct test_ids ids;
        struct h2_reply grpc;
        body_of_size((size_t)(BODY_LIMIT + rows[i].more), &ids);
        buf_clear(&packed);
        gzip_bytes(buf_bytes(&body), &packed);
        post_coded(small_server.http_port, false, "gzip", buf_bytes(&packed));
        assert_int_equal(reply.status, rows[i].status);
        assert_int_equal(stored_spans(small_server.http_port, ids.trace_id), rows[i].status == 200);
        post_coded(small_server.http_port, false, "", buf_bytes(&body));
        assert_int_equal(reply.status, rows[i].status);
        if (reply.status == 413)
            expect_error("over the limit", &reply, 413, false);
        h2_reply_init(&grpc);
        grpc_export(small_server.grpc_port, buf_bytes(&body), "gzip", &grpc);
        struct status_view status = {0};
        if (grpc.grpc_status != rows[i].code ||
            (grpc.grpc_details[0] && (!status_of_details(&grpc, &status) || status.retry_info)))
            fail_msg("gRPC at limit %+d: code %d", rows[i].more, grpc.grpc_status);
        h2_reply_done(&grpc);
    }
}

/* OTLP-28, chunked: the limit is found while reading */
static void bounds_chunked_bodies(void **state)
{
    struct client client;
    char chunk[10016];
    const int len = snprintf(chunk, sizeof(chunk), "%x\r\n", 10000);

    (void)state;
    memset(chunk + len, 'x', 10000);
    memcpy(chunk + len + 10000, "\r\n", 2);
    assert_true(client_open(&client, small_server.http_port));
    assert_true(client_send_text(&client, "POST /v1/traces HTTP/1.1\r\nHost: a\r\n"
                                          "Content-Type: application/json\r\n"
                                          "Transfer-Encoding: chunked\r\n\r\n"));
    for (int i = 0; i < 1000 && client_send(&client, chunk, (size_t)len + 10002); i++)
        ;
    assert_true(client_read(&client, &reply, 5000, false));
    expect_error("endless chunks", &reply, 413, true);
    client_close(&client);
}

/* OTLP-30: 200 MiB of zeros in 200 KiB */
static void stops_inflating_bombs(void **state)
{
    struct buf zeros;
    const long before_kib = server_memory_kib(&server, "VmHWM");

    (void)state;
    buf_init(&zeros, (size_t)256 << 20);
    assert_true(buf_need(&zeros, (size_t)200 << 20));
    memset(zeros.at, 0, (size_t)200 << 20);
    zeros.len = (size_t)200 << 20;
    gzip_bytes(buf_bytes(&zeros), &packed);
    for (int i = 0; i < 10; i++) {
        post_coded(server.http_port, false, "gzip", buf_bytes(&packed));
        expect_error("gzip bomb", &reply, 413, false);
    }
    buf_clear(&packed);
    zstd_bytes(buf_bytes(&zeros), &packed);
    for (int i = 0; i < 10; i++) {
        post_coded(server.http_port, true, "zstd", buf_bytes(&packed));
        expect_error("zstd bomb", &reply, 413, true);
    }
    buf_done(&zeros);
    const long grown_kib = server_memory_kib(&server, "VmHWM") - before_kib;
    /* one output of the limit (64 MiB) a worker, and what a doubling buffer holds beside it */
    if (!getenv("ASAN_OPTIONS") && grown_kib > 3 * 65536 + 8192)
        fail_msg("bombs made it grow by %ld KiB", grown_kib);
}

/* RF-17, SEC-20: 40 KB each on the wire, that a batch of them is not held decompressed at once */
static void bounds_memory_of_small_bodies_that_become_large_together(void **state)
{
    struct client clients[24];
    struct test_ids ids;
    char head[200];
    const long before_kib = server_memory_kib(&server, "VmHWM");

    (void)state;
    body_of_size((size_t)30 << 20, &ids);
    gzip_bytes(buf_bytes(&body), &packed);
    (void)snprintf(head, sizeof(head),
                   "POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-protobuf\r\n"
                   "Content-Encoding: gzip\r\nContent-Length: %zu\r\n\r\n",
                   packed.len);
    for (size_t i = 0; i < COUNT(clients); i++) {
        assert_true(client_open(&clients[i], server.http_port));
        assert_true(client_send_text(&clients[i], head));
        assert_true(client_send(&clients[i], packed.at, packed.len));
    }
    for (size_t i = 0; i < COUNT(clients); i++) {
        if (!client_read(&clients[i], &reply, 60000, false) || reply.status != 200)
            fail_msg("client %zu: status %d", i, reply.status);
        client_close(&clients[i]);
    }
    const long grown_kib = server_memory_kib(&server, "VmHWM") - before_kib;
    if (!getenv("ASAN_OPTIONS") && grown_kib > 320 * 1024)
        fail_msg("24 bodies of 30 MiB made it grow by %ld KiB", grown_kib);
}

/* OTLP-27: each truncation of a gzip body, a wrong checksum, a wrong length */
static void refuses_damaged_gzip_and_stores_nothing_of_it(void **state)
{
    struct test_ids ids;
    struct client client;

    (void)state;
    one_span(&body, false, &ids);
    gzip_bytes(buf_bytes(&body), &packed);
    assert_true(client_open(&client, server.http_port));
    for (size_t i = 0; i < packed.len + 2; i++) {
        struct bytes sent = {packed.at, i};
        if (i >= packed.len) {
            packed.at[packed.len - (i == packed.len ? 1 : 8)] ^= 1; /* ISIZE, then CRC too */
            sent.len = packed.len;
        }
        assert_true(client_call(&client, "POST", "/v1/traces",
                                "Content-Type: application/x-protobuf\r\n"
                                "Content-Encoding: gzip\r\n",
                                sent, &reply));
        expect_error("damaged gzip", &reply, 400, false);
    }
    client_close(&client);
    assert_int_equal(stored_spans(server.http_port, ids.trace_id), 0);
}

/* OTLP-102: each truncation is refused, or is a shorter message that ends on a border */
static void survives_truncation_at_every_byte(void **state)
{
    struct test_ids ids;
    struct client client;
    const int64_t before = metric(server.http_port, "spanledger_responses_total{class=\"5xx\"}");

    (void)state;
    one_span(&body, false, &ids);
    assert_true(client_open(&client, server.http_port));
    for (size_t i = 1; i < body.len; i++) {
        assert_true(client_call(&client, "POST", "/v1/traces",
                                "Content-Type: application/x-protobuf\r\n",
                                (struct bytes){body.at, i}, &reply));
        expect_error("truncated protobuf", &reply, 400, false);
    }
    client_close(&client);
    assert_int_equal(metric(server.http_port, "spanledger_responses_total{class=\"5xx\"}"), before);
    assert_int_equal(stored_spans(server.http_port, ids.trace_id), 0);
}

/* ---- shapes ---- */

/* Values nested `depth` deep in arrays, as protobuf. */
static void nested_value(struct buf *out, size_t depth)
{
    /* From the inside out, so written backwards: lengths are known then. */
    size_t room = depth * 14 + 64;
    uint8_t *at = malloc(room), *end = at + room, *from = end;

    assert_non_null(at);
    *--from = 1;
    *--from = 0x10; /* bool_value: true */
    for (size_t i = 0; i < depth; i++) {
        for (int tag = 0x0a; tag >= 0; tag = tag == 0x0a ? 0x2a : -1) {
            uint8_t len[10];
            size_t n = 0, value = (size_t)(end - from);
            do {
                len[n++] = (uint8_t)((value & 0x7f) | (value > 0x7f ? 0x80 : 0));
            } while (value >>= 7);
            from -= n;
            memcpy(from, len, n);
            *--from = (uint8_t)tag; /* values of an ArrayValue, then array_value of an AnyValue */
        }
    }
    buf_add(out, from, (size_t)(end - from));
    free(at);
}

static void deep_span(size_t depth, struct test_ids *ids)
{
    struct buf value, pair, extra;
    struct test_span spans[2];

    buf_init(&value, (size_t)256 << 20);
    buf_init(&pair, (size_t)256 << 20);
    buf_init(&extra, (size_t)256 << 20);
    nested_value(&value, depth);
    pb_text(&pair, 1, "deep");
    pb_bytes(&pair, 2, buf_bytes(&value));
    pb_bytes(&extra, 9, buf_bytes(&pair));
    test_ids_next(ids);
    spans[0] = test_span_of(ids, "deep");
    spans[0].extra = buf_bytes(&extra);
    test_ids_next(&ids[1]);
    spans[1] = test_span_of(&ids[1], "neighbour");
    buf_clear(&body);
    pb_request(&body, "test-service", spans, 2);
    buf_done(&value);
    buf_done(&pair);
    buf_done(&extra);
}

/* OTLP-103, PC-3 */
static void bounds_the_depth_of_values_and_keeps_the_span(void **state)
{
    static const size_t depths[] = {10, 62, 63, 64, 65, 100, 10000, 300000};

    (void)state;
    for (size_t i = 0; i < COUNT(depths); i++) {
        struct test_ids ids[2];
        deep_span(depths[i], ids);
        http_export(server.http_port, false, buf_bytes(&body), &reply);
        if (reply.status != 200)
            fail_msg("depth %zu: status %d", depths[i], reply.status);
        if (stored_spans(server.http_port, ids[0].trace_id) != 1 ||
            stored_spans(server.http_port, ids[1].trace_id) != 1)
            fail_msg("depth %zu: a span is missing", depths[i]);
    }
}

/* OTLP-91, OTLP-103 in JSON */
static void bounds_the_depth_of_json(void **state)
{
    (void)state;
    for (int i = 0; i < 200000; i++)
        buf_add_byte(&body, '[');
    http_export(server.http_port, true, buf_bytes(&body), &reply);
    expect_error("200,000 brackets", &reply, 400, true);
    buf_clear(&body);
    buf_add_text(&body, "{\"unknown\":");
    for (int i = 0; i < 50000; i++)
        buf_add_text(&body, "{\"a\":");
    http_export(server.http_port, true, buf_bytes(&body), &reply);
    expect_error("50,000 objects", &reply, 400, true);
}

/* OTLP-104, PC-5: two bytes a span, 20 MiB of them */
static void bounds_memory_of_bodies_full_of_empty_messages(void **state)
{
    static const struct {
        unsigned field; /* of the message inside ScopeSpans or Span that is repeated */
        bool in_span;
    } rows[] = {{2, false}, {9, true}, {11, true}, {13, true}};

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buf many, span;
        buf_init(&many, (size_t)64 << 20);
        buf_init(&span, (size_t)64 << 20);
        for (size_t k = 0; k < ((size_t)10 << 20) / TEST_SLOWER; k++)
            pb_bytes(&many, rows[i].field, (struct bytes){0});
        buf_clear(&body);
        if (rows[i].in_span)
            pb_bytes(&span, 2, buf_bytes(&many));
        buf_clear(&packed);
        pb_bytes(&packed, 2, buf_bytes(rows[i].in_span ? &span : &many));
        pb_bytes(&body, 1, buf_bytes(&packed));
        http_export(server.http_port, false, buf_bytes(&body), &reply);
        /* Too large to decode, or every span refused by itself. */
        if (reply.status != 413 && reply.status != 200)
            fail_msg("field %u: status %d", rows[i].field, reply.status);
        buf_done(&many);
        buf_done(&span);
    }
    const long high_kib = server_memory_kib(&server, "VmHWM");
    if (!getenv("ASAN_OPTIONS") && high_kib > 700 * 1024)
        fail_msg("high water mark %ld KiB", high_kib);
}

/* OTLP-10: metrics and logs on the trace path */
static void refuses_bodies_of_other_signals(void **state)
{
    struct buf inner, middle;

    (void)state;
    buf_init(&inner, 65536);
    buf_init(&middle, 65536);
    /* LogRecord: time 1 (fixed64), severity 2, text 3, body 5 */
    pb_fixed64(&inner, 1, 1700000000000000000u);
    pb_uint(&inner, 2, 9);
    pb_text(&inner, 3, "INFO");
    pb_bytes(&inner, 5, BYTES_LITERAL("\x0a\x05hello"));
    pb_bytes(&middle, 2, buf_bytes(&inner));
    buf_clear(&inner);
    pb_bytes(&inner, 2, buf_bytes(&middle));
    pb_bytes(&body, 1, buf_bytes(&inner));
    http_export(server.http_port, false, buf_bytes(&body), &reply);
    if (reply.status != 400)
        expect_partial("logs in protobuf", &reply, false, 1, NULL);
    http_export(server.http_port, true,
                BYTES_LITERAL("{\"resourceLogs\":[{\"scopeLogs\":[{\"logRecords\":[{}]}]}]}"),
                &reply);
    expect_error("logs in JSON", &reply, 400, true);
    http_export(server.http_port, true,
                BYTES_LITERAL("{\"resourceMetrics\":[{\"scopeMetrics\":[{\"metrics\":[{}]}]}]}"),
                &reply);
    expect_error("metrics in JSON", &reply, 400, true);
    buf_done(&inner);
    buf_done(&middle);
}

/* RF-33, OTLP-126: equal content comes back, or the cut is announced */
static void keeps_ten_thousand_attributes_and_a_value_of_ten_megabytes(void **state)
{
    struct test_ids ids;
    struct buf extra, text;

    (void)state;
    buf_init(&extra, (size_t)64 << 20);
    buf_init(&text, (size_t)64 << 20);
    for (int i = 0; i < 9999; i++) {
        char key[20];
        const int len = snprintf(key, sizeof(key), "key.%d", i);
        pb_attribute(&extra, 9, (struct bytes){(uint8_t *)key, (size_t)len}, BYTES_LITERAL("v"));
    }
    while (text.len < (size_t)10 << 20)
        buf_add_text(&text, "0123456789 \xc3\xa4 ");
    pb_attribute(&extra, 9, BYTES_LITERAL("big"), buf_bytes(&text));
    test_ids_next(&ids);
    struct test_span span = test_span_of(&ids, "large");
    span.extra = buf_bytes(&extra);
    pb_request(&body, "test-service", &span, 1);
    http_export(server.http_port, false, buf_bytes(&body), &reply);
    expect_success("10,000 attributes", &reply, false);
    const struct doc *found =
        span_of_trace(get_trace(&arena, server.http_port, ids.trace_id, ""), ids.span_id);
    const struct doc *attributes = doc_get(found, "attributes");
    assert_int_equal(doc_count(attributes), 10000);
    const struct doc *big = doc_get(attributes, "big");
    assert_non_null(big);
    assert_true(bytes_equal(big->text, buf_bytes(&text)));
    buf_done(&extra);
    buf_done(&text);
}

/* OTLP-126, OTLP-45, OTLP-48: beyond the limit the tail is dropped, counted and announced */
static void announces_attributes_beyond_the_limit(void **state)
{
    struct test_ids ids;
    struct buf extra;
    char message[1100];

    (void)state;
    buf_init(&extra, (size_t)64 << 20);
    for (int i = 0; i < 10050; i++) {
        char key[20];
        const int len = snprintf(key, sizeof(key), "key.%d", i);
        pb_attribute(&extra, 9, (struct bytes){(uint8_t *)key, (size_t)len}, BYTES_LITERAL("v"));
    }
    test_ids_next(&ids);
    struct test_span span = test_span_of(&ids, "large");
    span.extra = buf_bytes(&extra);
    pb_request(&body, "test-service", &span, 1);
    http_export(server.http_port, false, buf_bytes(&body), &reply);
    expect_partial("10,050 attributes", &reply, false, 0, message);
    const struct doc *found =
        span_of_trace(get_trace(&arena, server.http_port, ids.trace_id, ""), ids.span_id);
    assert_int_equal(doc_count(doc_get(found, "attributes")), 10000);
    assert_int_equal(doc_int_at(found, "dropped_attributes_count", NULL), 50);
    buf_done(&extra);
}

#define MANY 20000

/* RF-33, PC-10: more rows than a statement has parameters, 1,000 events in one of them */
static void stores_a_trace_of_twenty_thousand_spans(void **state)
{
    static struct test_ids ids[MANY];
    static struct test_span spans[MANY];
    struct buf extra, event;

    (void)state;
    buf_init(&extra, 1 << 20);
    buf_init(&event, 65536);
    for (size_t i = 0; i < MANY; i++) {
        test_ids_next(&ids[i]);
        memcpy(ids[i].trace_id, ids[0].trace_id, 16);
        spans[i] = test_span_of(&ids[i], "one of many");
        if (i > 0)
            spans[i].parent = spans[(i - 1) / 10].span_id;
    }
    for (int i = 0; i < 1000; i++) {
        buf_clear(&event);
        pb_fixed64(&event, 1, spans[0].start_unix_nano + (uint64_t)i);
        pb_text(&event, 2, "event");
        pb_bytes(&extra, 11, buf_bytes(&event));
    }
    spans[0].extra = buf_bytes(&extra);
    pb_request(&body, "test-service", spans, MANY);
    http_export(server.http_port, false, buf_bytes(&body), &reply);
    expect_success("20,000 spans", &reply, false);
    const struct doc *trace = get_trace(&arena, server.http_port, ids[0].trace_id, "");
    assert_int_equal(doc_count(doc_get(trace, "spans")), MANY);
    assert_int_equal(doc_get(trace, "complete")->kind, DOC_TRUE);
    assert_int_equal(doc_count(doc_get(span_of_trace(trace, ids[0].span_id), "events")), 1000);
    buf_done(&extra);
    buf_done(&event);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(bounds_bodies_before_and_after_decompression, empty),
        cmocka_unit_test_setup(bounds_chunked_bodies, empty),
        cmocka_unit_test_setup(stops_inflating_bombs, empty),
        cmocka_unit_test_setup(bounds_memory_of_small_bodies_that_become_large_together, empty),
        cmocka_unit_test_setup(refuses_damaged_gzip_and_stores_nothing_of_it, empty),
        cmocka_unit_test_setup(survives_truncation_at_every_byte, empty),
        cmocka_unit_test_setup(bounds_the_depth_of_values_and_keeps_the_span, empty),
        cmocka_unit_test_setup(bounds_the_depth_of_json, empty),
        cmocka_unit_test_setup(bounds_memory_of_bodies_full_of_empty_messages, empty),
        cmocka_unit_test_setup(refuses_bodies_of_other_signals, empty),
        cmocka_unit_test_setup(keeps_ten_thousand_attributes_and_a_value_of_ten_megabytes, empty),
        cmocka_unit_test_setup(announces_attributes_beyond_the_limit, empty),
        cmocka_unit_test_setup(stores_a_trace_of_twenty_thousand_spans, empty),
    };

    return cmocka_run_group_tests(tests, start, stop);
}
