/* Spans to OTLP in both encodings (OTLP-80..87, encode.h). Round trips with random spans stand in
 * test_from_stored, those of recordings in test_from_protobuf. */
#include "test.h"

#include <math.h>

#include "otlp/decode.h"
#include "otlp/encode.h"
#include "support/spans.h"

#define ROOM ((size_t)64 << 20)

static struct arena arena;
static struct buf out;

static int setup(void **state)
{
    (void)state;
    arena_init(&arena, ROOM);
    buf_init(&out, ROOM);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_done(&arena);
    buf_done(&out);
    return 0;
}

static const uint8_t trace_id[16] = {0xab, 0xcd, 0xef, 4,  5,  6,  7,  8,
                                     9,    10,   11,   12, 13, 14, 15, 16};
static const uint8_t span_id[8] = {1, 2, 3, 4, 5, 6, 7, 8};

static void must_be(const char *text)
{
    if (!bytes_is(buf_bytes(&out), text))
        fail_msg("found %.*s\nwant  %s", (int)out.len, (const char *)out.at, text);
}

static void writes_json_as_the_mapping_says(void **state)
{
    struct attribute values[] = {
        {BYTES_LITERAL("s"), {.kind = VALUE_STRING, .text = {(const uint8_t *)"a\0\xff", 3}}},
        {BYTES_LITERAL("i"), {.kind = VALUE_INT, .integer = INT64_MIN}},
        {BYTES_LITERAL("d"), {.kind = VALUE_DOUBLE, .real = 1}},
        {BYTES_LITERAL("n"), {.kind = VALUE_DOUBLE, .real = NAN}},
        {BYTES_LITERAL("f"), {.kind = VALUE_DOUBLE, .real = -INFINITY}},
        {BYTES_LITERAL("b"), {.kind = VALUE_BOOL}},
        {BYTES_LITERAL("y"), {.kind = VALUE_BYTES, .text = {(const uint8_t *)"\0\xff", 2}}},
        {BYTES_LITERAL("e"), {.kind = VALUE_EMPTY}},
        {BYTES_LITERAL("a"), {.kind = VALUE_ARRAY}},
        {BYTES_LITERAL("k"), {.kind = VALUE_KVLIST}},
    };
    struct event event = {.time_unix_nano = UINT64_MAX, .name = BYTES_LITERAL("e")};
    struct link link = {.trace_id = {trace_id, 16}, .span_id = {span_id, 8}, .flags = UINT32_MAX};
    const struct resource resource = {.schema_url = BYTES_LITERAL("r")};
    const struct scope scope = {.name = BYTES_LITERAL("n"), .attributes = {.dropped = 2}};
    struct span span = {
        .trace_id = {trace_id, 16},
        .span_id = {span_id, 8},
        .name = BYTES_LITERAL("w"),
        .kind = 2,
        .start_unix_nano = UINT64_C(1700000000123456789),
        .attributes = {values, sizeof(values) / sizeof(values[0]), UINT32_MAX},
        .events = &event,
        .event_count = 1,
        .links = &link,
        .link_count = 1,
        .status_code = 2,
        .resource = &resource,
        .scope = &scope,
    };
    const struct span_array spans = {&span, 1};

    (void)state;
    otlp_to_json(&spans, &out);
    must_be("{\"resourceSpans\":[{\"resource\":{},\"scopeSpans\":[{\"scope\":{\"name\":\"n\","
            "\"droppedAttributesCount\":2},\"spans\":[{\"traceId\":"
            "\"abcdef0405060708090a0b0c0d0e0f10\",\"spanId\":\"0102030405060708\",\"name\":\"w\","
            "\"kind\":2,\"startTimeUnixNano\":\"1700000000123456789\",\"attributes\":["
            "{\"key\":\"s\",\"value\":{\"stringValue\":\"a\\u0000\xef\xbf\xbd\"}},"
            "{\"key\":\"i\",\"value\":{\"intValue\":\"-9223372036854775808\"}},"
            "{\"key\":\"d\",\"value\":{\"doubleValue\":1.0}},"
            "{\"key\":\"n\",\"value\":{\"doubleValue\":\"NaN\"}},"
            "{\"key\":\"f\",\"value\":{\"doubleValue\":\"-Infinity\"}},"
            "{\"key\":\"b\",\"value\":{\"boolValue\":false}},"
            "{\"key\":\"y\",\"value\":{\"bytesValue\":\"AP8=\"}},"
            "{\"key\":\"e\",\"value\":{}},"
            "{\"key\":\"a\",\"value\":{\"arrayValue\":{\"values\":[]}}},"
            "{\"key\":\"k\",\"value\":{\"kvlistValue\":{\"values\":[]}}}],"
            "\"droppedAttributesCount\":4294967295,\"events\":[{\"timeUnixNano\":"
            "\"18446744073709551615\",\"name\":\"e\"}],\"links\":[{\"traceId\":"
            "\"abcdef0405060708090a0b0c0d0e0f10\",\"spanId\":\"0102030405060708\","
            "\"flags\":4294967295}],\"status\":{\"code\":2}}]}],\"schemaUrl\":\"r\"}]}");
}

static void writes_protobuf_in_order_and_in_the_shortest_form(void **state)
{
    struct attribute value = {BYTES_LITERAL("k"), {.kind = VALUE_INT, .integer = 300}};
    struct span span = {
        .trace_id = {trace_id, 2},
        .span_id = {span_id, 1},
        .name = BYTES_LITERAL("n"),
        .kind = 2,
        .start_unix_nano = 1,
        .attributes = {&value, 1, 0},
        .status_code = -1,
        .flags = 1,
    };
    static const uint8_t want[] = {
        0x0a, 2,  0xab, 0xcd,                                           /* trace_id */
        0x12, 1,  1,                                                    /* span_id */
        0x2a, 1,  'n',                                                  /* name */
        0x30, 2,                                                        /* kind */
        0x39, 1,  0,    0,    0,    0,    0,    0,    0,                /* start */
        0x4a, 8,  0x0a, 1,    'k',  0x12, 3,    0x18, 0xac, 0x02,       /* attribute */
        0x7a, 11, 0x18, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, /* status */
        0xff, 1,  0x85, 1,    1,    0,    0,    0,                      /* flags */
    };

    (void)state;
    otlp_span_to_protobuf(&span, &out);
    assert_int_equal(out.len, sizeof(want));
    assert_memory_equal(out.at, want, sizeof(want));
}

static void groups_runs_of_resource_and_scope(void **state)
{
    const struct otlp_limits limits = {64, 100};
    struct resource resources[2] = {{.schema_url = BYTES_LITERAL("r0")},
                                    {.schema_url = BYTES_LITERAL("r1")}};
    struct scope scopes[2] = {{.name = BYTES_LITERAL("s0")}, {.name = BYTES_LITERAL("s1")}};
    static const struct {
        int resource;
        int scope;
        uint32_t indexes[3];
    } rows[] = {
        {0, 0, {0, 0, 0}}, {0, 0, {0, 0, 1}}, {0, 1, {0, 1, 0}},
        {1, 1, {1, 0, 0}}, {1, 1, {1, 0, 1}}, {0, 0, {2, 0, 0}},
    };
    struct span spans[6];
    const struct span_array sent = {spans, 6};

    (void)state;
    for (size_t i = 0; i < 6; i++) {
        spans[i] = (struct span){.trace_id = {trace_id, 16}, .span_id = {span_id, 8}};
        spans[i].start_unix_nano = i + 1;
        spans[i].resource = &resources[rows[i].resource];
        spans[i].scope = &scopes[rows[i].scope];
    }
    for (int json = 0; json < 2; json++) {
        struct span_array back;
        struct err err;

        buf_clear(&out);
        if (json)
            otlp_to_json(&sent, &out);
        else
            otlp_to_protobuf(&sent, &out);
        assert_true(json ? otlp_from_json(buf_bytes(&out), &limits, &arena, &back, &err)
                         : otlp_from_protobuf(buf_bytes(&out), &limits, &arena, &back, &err));
        assert_int_equal(back.count, 6);
        for (size_t i = 0; i < 6; i++) {
            assert_null(span_difference(&spans[i], &back.items[i]));
            assert_int_equal(back.items[i].resource_index, rows[i].indexes[0]);
            assert_int_equal(back.items[i].scope_index, rows[i].indexes[1]);
            assert_int_equal(back.items[i].span_index, rows[i].indexes[2]);
        }
    }
}

static void writes_nothing_for_no_spans(void **state)
{
    const struct span_array none = {0};

    (void)state;
    otlp_to_protobuf(&none, &out);
    assert_int_equal(out.len, 0);
    otlp_to_json(&none, &out);
    must_be("{\"resourceSpans\":[]}");
}

static void says_when_the_buffer_was_too_small(void **state)
{
    struct span_random r = {.state = 4, .arena = &arena};
    struct span span = span_random_make(&r);
    const struct span_array spans = {&span, 1};

    (void)state;
    for (size_t max = 0; max < 64; max++) {
        struct buf small;

        buf_init(&small, max);
        otlp_to_protobuf(&spans, &small);
        assert_false(buf_ok(&small));
        buf_clear(&small);
        otlp_span_to_protobuf(&span, &small);
        assert_false(buf_ok(&small));
        buf_clear(&small);
        otlp_to_json(&spans, &small);
        assert_false(buf_ok(&small));
        buf_done(&small);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(writes_json_as_the_mapping_says, setup, teardown),
        cmocka_unit_test_setup_teardown(writes_protobuf_in_order_and_in_the_shortest_form, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(groups_runs_of_resource_and_scope, setup, teardown),
        cmocka_unit_test_setup_teardown(writes_nothing_for_no_spans, setup, teardown),
        cmocka_unit_test_setup_teardown(says_when_the_buffer_was_too_small, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
