/* Bad spans among good ones, and the same span by every way: the rest of a batch is stored, the
 * count of rejects is exact, nothing is stored twice (OTLP-43 … 46, 106, 111 … 124, RF-32, RF-34). */
#include "test.h"

#include <stdio.h>

#include "support/expect.h"
#include "support/server.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))
#define BATCH 8

static struct server server;
static struct reply reply;
static struct arena arena;
static struct buf body;

static int start(void **state)
{
    (void)state;
    reply_init(&reply);
    arena_init(&arena, (size_t)2 << 30);
    buf_init(&body, (size_t)256 << 20);
    return server_up(&server, NULL) ? 0 : -1;
}

static int stop(void **state)
{
    (void)state;
    server_remove(&server);
    reply_done(&reply);
    arena_done(&arena);
    buf_done(&body);
    return 0;
}

static int empty(void **state)
{
    (void)state;
    arena_reset(&arena);
    buf_clear(&body);
    return 0;
}

static const uint8_t zeros[32];
static const uint8_t long_id[32] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17};

/* OTLP-43, OTLP-44, OTLP-111, OTLP-112, RF-34: in each position of a batch */
static void rejects_one_bad_span_alone_in_every_position(void **state)
{
    const struct {
        const char *why;
        int part; /* 0 trace id, 1 span id, 2 parent */
        struct bytes id;
    } rows[] = {
        {"trace id of 0 bytes", 0, {long_id, 0}}, {"trace id of 8", 0, {long_id, 8}},
        {"trace id of 15", 0, {long_id, 15}},     {"trace id of 17", 0, {long_id, 17}},
        {"trace id of 32", 0, {long_id, 32}},     {"trace id of zeros", 0, {zeros, 16}},
        {"span id of 0 bytes", 1, {long_id, 0}},  {"span id of 7", 1, {long_id, 7}},
        {"span id of 9", 1, {long_id, 9}},        {"span id of 16", 1, {long_id, 16}},
        {"span id of zeros", 1, {zeros, 8}},      {"parent of 7 bytes", 2, {long_id, 7}},
        {"parent of 16 bytes", 2, {long_id, 16}},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows) * BATCH; i++) {
        const bool json = i % 2;
        const size_t bad = i % BATCH;
        const size_t row = i / BATCH;
        struct test_ids ids[BATCH];
        struct test_span spans[BATCH];
        char message[1100], position[40];
        for (size_t k = 0; k < BATCH; k++) {
            test_ids_next(&ids[k]);
            memcpy(ids[k].trace_id, ids[0].trace_id, 16);
            spans[k] = test_span_of(&ids[k], "in a batch");
        }
        struct bytes *parts[] = {&spans[bad].trace_id, &spans[bad].span_id, &spans[bad].parent};
        *parts[rows[row].part] = rows[row].id;
        buf_clear(&body);
        (json ? json_request : pb_request)(&body, "test-service", spans, BATCH);
        http_export(server.http_port, json, buf_bytes(&body), &reply);
        expect_partial(rows[row].why, &reply, json, 1, message);
        (void)snprintf(position, sizeof(position), "spans[%zu]", bad);
        if (!strstr(message, position))
            fail_msg("%s: '%s' does not name %s", rows[row].why, message, position);
        if (stored_spans(server.http_port, ids[0].trace_id) != BATCH - 1)
            fail_msg("%s at %zu: %d of %d stored", rows[row].why, bad,
                     (int)stored_spans(server.http_port, ids[0].trace_id), BATCH - 1);
    }
}

/* OTLP-43: 10 with 3 bad. OTLP-31, OTLP-44: thousands of rejects make a short answer */
static void counts_rejects_exactly_and_answers_briefly(void **state)
{
    static struct test_ids ids[20000];
    static struct test_span spans[20000];

    (void)state;
    for (size_t i = 0; i < 10; i++) {
        test_ids_next(&ids[i]);
        memcpy(ids[i].trace_id, ids[0].trace_id, 16);
        spans[i] = test_span_of(&ids[i], "ten");
        if (i % 4 == 1)
            spans[i].span_id.len = 3;
    }
    pb_request(&body, "test-service", spans, 10);
    http_export(server.http_port, false, buf_bytes(&body), &reply);
    expect_partial("3 of 10", &reply, false, 3, NULL);
    assert_int_equal(stored_spans(server.http_port, ids[0].trace_id), 7);
    for (size_t i = 0; i < COUNT(spans); i++) {
        test_ids_next(&ids[i]);
        spans[i] = test_span_of(&ids[i], "bad");
        spans[i].trace_id.len = 1;
    }
    buf_clear(&body);
    json_request(&body, "test-service", spans, COUNT(spans));
    http_export(server.http_port, true, buf_bytes(&body), &reply);
    expect_partial("all of 20,000", &reply, true, (int64_t)COUNT(spans), NULL);
    assert_true(reply.body.len < 4096);
}

/* Texts that PostgreSQL refuses, put into one place of the middle span of three. */
struct place {
    const char *name;
    unsigned field; /* of Span; 0: see the switch */
};

static void poison(struct test_span *span, size_t place, struct bytes text, struct buf *extra)
{
    struct buf inner;

    buf_init(&inner, 1 << 20);
    switch (place) {
    case 0:
        span->name = text;
        break;
    case 1:
        pb_attribute(extra, 9, BYTES_LITERAL("k"), text);
        break;
    case 2:
        pb_attribute(extra, 9, text, BYTES_LITERAL("v"));
        break;
    case 3:
        pb_bytes(extra, 3, text); /* trace_state */
        break;
    case 4:
        pb_bytes(&inner, 2, text); /* status message */
        pb_bytes(extra, 15, buf_bytes(&inner));
        break;
    case 5:
        pb_fixed64(&inner, 1, span->start_unix_nano); /* event */
        pb_bytes(&inner, 2, text);
        pb_attribute(&inner, 3, text, text);
        pb_bytes(extra, 11, buf_bytes(&inner));
        break;
    default:
        pb_bytes(&inner, 1, BYTES_LITERAL("short")); /* link */
        pb_bytes(&inner, 3, text);
        pb_attribute(&inner, 4, text, text);
        pb_bytes(extra, 13, buf_bytes(&inner));
        break;
    }
    span->extra = buf_bytes(extra);
    buf_done(&inner);
}

/* OTLP-106, OTLP-124, PC-1, PC-2, PC-8: repaired, marked, never fatal to the batch */
static void stores_text_that_postgresql_refuses(void **state)
{
    static const struct {
        const char *text;
        size_t len;
        const char *mark;
    } texts[] = {
        {"a\0b", 3, "nul"},
        {"\0", 1, "nul"},
        {"\xff", 1, "bad_utf8"},
        {"a\x80z", 3, "bad_utf8"},
        {"\xc0\xaf", 2, "bad_utf8"},
        {"\xed\xa0\x80", 3, "bad_utf8"},
        {"\xf5\x80\x80\x80", 4, "bad_utf8"},
        {"\xe2\x82", 2, "bad_utf8"},
        {"\xf4\x90\x80\x80", 4, "bad_utf8"},
        {"\xc3", 1, "bad_utf8"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(texts) * 7; i++) {
        const struct bytes text = {(const uint8_t *)texts[i / 7].text, texts[i / 7].len};
        struct test_ids ids[3];
        struct test_span spans[3];
        struct buf extra;
        buf_init(&extra, 1 << 20);
        for (size_t k = 0; k < 3; k++) {
            test_ids_next(&ids[k]);
            memcpy(ids[k].trace_id, ids[0].trace_id, 16);
            spans[k] = test_span_of(&ids[k], "neighbour");
        }
        poison(&spans[1], i % 7, text, &extra);
        buf_clear(&body);
        pb_request(&body, "test-service", spans, 3);
        http_export(server.http_port, false, buf_bytes(&body), &reply);
        if (reply.status != 200)
            fail_msg("text %zu at place %zu: status %d", i / 7, i % 7, reply.status);
        arena_reset(&arena);
        const struct doc *trace = get_trace(&arena, server.http_port, ids[0].trace_id, "");
        const struct doc *found = span_of_trace(trace, ids[1].span_id);
        if (doc_count(doc_get(trace, "spans")) != 3 || !found)
            fail_msg("text %zu at place %zu: spans are missing", i / 7, i % 7);
        if (!strstr(doc_sorted(&arena, doc_get(found, "marks")), texts[i / 7].mark))
            fail_msg("text %zu at place %zu: no mark %s: %s", i / 7, i % 7, texts[i / 7].mark,
                     doc_sorted(&arena, doc_get(found, "marks")));
        buf_done(&extra);
    }
}

/* OTLP-114, OTLP-115, PC-11, RF-34: times from 1970 to 2554, alone and beside others */
static void stores_spans_of_any_time(void **state)
{
    static const struct {
        const char *why;
        uint64_t start;
        uint64_t end;
        const char *start_out; /* NULL: clamped */
        const char *mark;
    } rows[] = {
        {"1970", 0, 1, "0", NULL},
        {"1 ns, not what anybody means", 1, 2, "1", NULL},
        {"unfinished", 1700000000000000000, 0, "1700000000000000000", "no_end"},
        {"ends before it starts", 1700000000000000001, 1700000000000000000, "1700000000000000001",
         "negative_duration"},
        {"2038", 2200000000123456789, 2200000000123456790, "2200000000123456789", NULL},
        {"2261", 9200000000000000000, 9200000000000000001, "9200000000000000000", NULL},
        {"2^63 - 1", 9223372036854775807, 9223372036854775807, NULL, NULL},
        {"2^63", 9223372036854775808u, 9223372036854775809u, NULL, "time_clamped"},
        {"2554", UINT64_MAX, UINT64_MAX, NULL, "time_clamped"},
        {"1970 to 2554", 0, UINT64_MAX, "0", "time_clamped"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct test_ids ids[2];
        struct test_span spans[2];
        for (size_t k = 0; k < 2; k++) {
            test_ids_next(&ids[k]);
            spans[k] = test_span_of(&ids[k], "in time");
        }
        spans[0].start_unix_nano = rows[i].start;
        spans[0].end_unix_nano = rows[i].end;
        buf_clear(&body);
        pb_request(&body, "test-service", spans, 2);
        http_export(server.http_port, false, buf_bytes(&body), &reply);
        if (reply.status != 200 || (reply.body.len != 0) != (rows[i].start == 1))
            fail_msg("%s: status %d, %zu bytes", rows[i].why, reply.status, reply.body.len);
        arena_reset(&arena);
        assert_int_equal(stored_spans(server.http_port, ids[1].trace_id), 1);
        const struct doc *found =
            span_of_trace(get_trace(&arena, server.http_port, ids[0].trace_id, ""), ids[0].span_id);
        if (!found)
            fail_msg("%s: not found", rows[i].why);
        if (rows[i].start_out &&
            strcmp(doc_at(found, "start_unix_nano", NULL), rows[i].start_out) != 0)
            fail_msg("%s: starts at %s", rows[i].why, doc_at(found, "start_unix_nano", NULL));
        if (rows[i].mark && !strstr(doc_sorted(&arena, doc_get(found, "marks")), rows[i].mark))
            fail_msg("%s: marks %s", rows[i].why, doc_sorted(&arena, doc_get(found, "marks")));
        /* What was sent comes back in the OTLP form, whatever the columns can hold. */
        const char *otlp = doc_sorted(
            &arena, get_trace(&arena, server.http_port, ids[0].trace_id, "?format=otlp"));
        char want[60];
        (void)snprintf(want, sizeof(want), "\"startTimeUnixNano\":\"%llu\"",
                       (unsigned long long)rows[i].start);
        if (rows[i].start != 0 && !strstr(otlp, want))
            fail_msg("%s: ?format=otlp has %s", rows[i].why, otlp);
    }
}

/* OTLP-117 … OTLP-121, OTLP-116, OTLP-112 */
static void keeps_odd_fields(void **state)
{
    struct test_ids ids[4];
    struct test_span spans[4];
    struct buf extra;

    (void)state;
    buf_init(&extra, 1 << 20);
    for (size_t k = 0; k < 4; k++) {
        test_ids_next(&ids[k]);
        memcpy(ids[k].trace_id, ids[0].trace_id, 16);
        spans[k] = test_span_of(&ids[k], "");
    }
    pb_fixed32(&extra, 16, 0xffffffffu);
    pb_uint(&extra, 10, 0xffffffffu);
    pb_uint(&extra, 12, 0xffffffffu);
    pb_uint(&extra, 14, 0xffffffffu);
    spans[0].extra = buf_bytes(&extra);
    spans[1].kind = 2147483647;
    spans[1].status = 7;
    spans[2].parent = spans[2].span_id;         /* its own */
    spans[3].parent = (struct bytes){zeros, 8}; /* a root */
    pb_request(&body, "test-service", spans, 4);
    http_export(server.http_port, false, buf_bytes(&body), &reply);
    expect_success("odd fields", &reply, false);
    const struct doc *trace = get_trace(&arena, server.http_port, ids[0].trace_id, "");
    const struct doc *found = span_of_trace(trace, ids[0].span_id);
    assert_int_equal(doc_count(doc_get(trace, "spans")), 4);
    assert_int_equal(doc_int_at(found, "flags", NULL), 4294967295);
    assert_int_equal(doc_int_at(found, "dropped_attributes_count", NULL), 4294967295);
    assert_int_equal(doc_int_at(found, "dropped_events_count", NULL), 4294967295);
    assert_int_equal(doc_int_at(found, "dropped_links_count", NULL), 4294967295);
    assert_string_equal(doc_at(found, "name", NULL), "");
    const char *otlp =
        doc_sorted(&arena, get_trace(&arena, server.http_port, ids[0].trace_id, "?format=otlp"));
    assert_non_null(strstr(otlp, "\"kind\":2147483647"));
    assert_non_null(strstr(otlp, "\"code\":7"));
    found = span_of_trace(trace, ids[2].span_id);
    assert_non_null(strstr(doc_sorted(&arena, doc_get(found, "marks")), "self_parent"));
    found = span_of_trace(trace, ids[3].span_id);
    assert_int_equal(doc_get(found, "parent_span_id")->kind, DOC_NULL);
    buf_done(&extra);
}

static void send_span(const struct test_span *span, bool json, const char *coding)
{
    struct buf packed;
    char headers[200];

    buf_init(&packed, 1 << 20);
    buf_clear(&body);
    (json ? json_request : pb_request)(&body, "test-service", span, 1);
    (strcmp(coding, "gzip") == 0 ? gzip_bytes : zstd_bytes)(buf_bytes(&body), &packed);
    (void)snprintf(headers, sizeof(headers), "Content-Type: %s\r\nContent-Encoding: %s\r\n",
                   json ? "application/json" : "application/x-protobuf", coding);
    http_call(server.http_port, "POST", "/v1/traces", headers, buf_bytes(&packed), &reply);
    expect_success("again", &reply, json);
    buf_done(&packed);
}

static void send_span_by_grpc(const struct test_span *span, const char *coding)
{
    struct h2_reply grpc;

    buf_clear(&body);
    pb_request(&body, "test-service", span, 1);
    h2_reply_init(&grpc);
    grpc_export(server.grpc_port, buf_bytes(&body), coding, &grpc);
    assert_int_equal(grpc.grpc_status, 0);
    h2_reply_done(&grpc);
}

/* RF-32, OTLP-92, OTLP-113: JSON, protobuf, gRPC, gzip and zstd of one span, in changing order */
static void the_same_span_by_every_way_is_stored_once(void **state)
{
    (void)state;
    for (int round = 0; round < 100; round++) {
        struct test_ids ids;
        test_ids_next(&ids);
        const struct test_span span = test_span_of(&ids, "again");
        for (int i = 0; i < 6; i++) {
            const int way = (round + i) % 6;
            if (way < 4)
                send_span(&span, way % 2, way < 2 ? "gzip" : "zstd");
            else
                send_span_by_grpc(&span, way == 4 ? "gzip" : "");
        }
        arena_reset(&arena);
        const struct doc *trace = get_trace(&arena, server.http_port, ids.trace_id, "");
        assert_int_equal(doc_count(doc_get(trace, "spans")), 1);
        assert_int_equal(doc_int_at(doc_item(doc_get(trace, "spans"), 0), "other_versions", NULL),
                         0);
    }
}

/* OTLP-113: the same ids with another kind are two spans (shared client and server ids) */
static void the_same_ids_with_another_kind_are_two_spans(void **state)
{
    struct test_ids ids;
    struct test_span spans[2];

    (void)state;
    test_ids_next(&ids);
    spans[0] = spans[1] = test_span_of(&ids, "shared");
    spans[0].kind = 2;
    spans[1].kind = 3;
    pb_request(&body, "test-service", spans, 2);
    http_export(server.http_port, false, buf_bytes(&body), &reply);
    expect_success("shared ids", &reply, false);
    assert_int_equal(stored_spans(server.http_port, ids.trace_id), 2);
}

/* RF-34, PC-9: a service name and an attribute of 64 KiB */
static void stores_huge_names(void **state)
{
    static char huge[65536];
    struct test_ids ids;
    struct buf extra;

    (void)state;
    /* Not compressible: an index row may not be longer than 2,704 bytes. */
    uint32_t seed = 1;
    for (size_t i = 0; i + 1 < sizeof(huge); i++) {
        seed = seed * 1664525u + 1013904223u;
        huge[i] = (char)('a' + (seed >> 24) % 26);
    }
    buf_init(&extra, 1 << 20);
    test_ids_next(&ids);
    struct test_span span = test_span_of(&ids, huge);
    pb_attribute(&extra, 9, bytes_of(huge), bytes_of(huge));
    span.extra = buf_bytes(&extra);
    pb_request(&body, huge, &span, 1);
    http_export(server.http_port, false, buf_bytes(&body), &reply);
    expect_success("64 KiB names", &reply, false);
    const struct doc *found =
        span_of_trace(get_trace(&arena, server.http_port, ids.trace_id, ""), ids.span_id);
    assert_string_equal(doc_at(found, "name", NULL), huge);
    assert_string_equal(doc_at(found, "resource", "service.name", NULL), huge);
    assert_string_equal(doc_at(found, "attributes", huge, NULL), huge);
    buf_done(&extra);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(rejects_one_bad_span_alone_in_every_position, empty),
        cmocka_unit_test_setup(counts_rejects_exactly_and_answers_briefly, empty),
        cmocka_unit_test_setup(stores_text_that_postgresql_refuses, empty),
        cmocka_unit_test_setup(stores_spans_of_any_time, empty),
        cmocka_unit_test_setup(keeps_odd_fields, empty),
        cmocka_unit_test_setup(the_same_span_by_every_way_is_stored_once, empty),
        cmocka_unit_test_setup(the_same_ids_with_another_kind_are_two_spans, empty),
        cmocka_unit_test_setup(stores_huge_names, empty),
    };

    return cmocka_run_group_tests(tests, start, stop);
}
