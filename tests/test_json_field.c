/* Keys and scalars of OTLP/JSON (OTLP-80..89, OTLP-93). */
#include "test.h"

#include <inttypes.h>
#include <stdio.h>

#include "support/json_case.h"

static void reads_ids_in_hex_of_any_case(void **state)
{
    static const struct {
        const char *why;
        const char *id; /* of the trace */
        bool sound;
    } rows[] = {
        {"lower case", "0102030405060708090a0b0c0d0e0f10", true},
        {"upper case", "0102030405060708090A0B0C0D0E0F10", true},
        {"both", "0102030405060708090a0B0c0D0e0F10", true},
        {"31 digits", "0102030405060708090a0b0c0d0e0f1", false},
        {"33 digits", "0102030405060708090a0b0c0d0e0f101", false},
        {"34 digits", "0102030405060708090a0b0c0d0e0f1011", false},
        {"base64", "AQIDBAUGBwgJCgsMDQ4PEA==", false},
        {"a letter that is no digit", "0102030405060708090a0b0c0d0e0fg0", false},
        {"empty", "", false},
    };

    (void)state; /* OTLP-80 */
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct span_array spans = json_decode(
            arena_printf(&json_arena,
                         "{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[{\"traceId\":\"%s\","
                         "\"spanId\":\"0102030405060708\"},{" JSON_IDS "}]}]}]}",
                         rows[i].id),
            rows[i].why);

        assert_int_equal(spans.count, 2);
        if (otlp_check_span(&spans.items[0], &json_arena) != rows[i].sound)
            fail_msg("%s: %s", rows[i].why, spans.items[0].fault ? spans.items[0].fault : "sound");
        /* The neighbour is none the worse. */
        assert_true(otlp_check_span(&spans.items[1], &json_arena));
    }
}

static void reads_64_bit_numbers_exactly(void **state)
{
    static const struct {
        const char *json;
        bool sound;
        uint64_t value;
    } rows[] = {
        {"\"1700000000123456789\"", true, UINT64_C(1700000000123456789)},
        {"1700000000123456789", true, UINT64_C(1700000000123456789)},
        {"\"18446744073709551615\"", true, UINT64_MAX},
        {"18446744073709551615", true, UINT64_MAX},
        {"1e18", true, UINT64_C(1000000000000000000)},
        {"1.0", true, 1},
        {"17000000001234567890e-1", true, UINT64_C(1700000000123456789)},
        {"1.7e18", true, UINT64_C(1700000000000000000)},
        {"0", true, 0},
        {"-0", true, 0},
        {"0e99999999999", true, 0},
        {"null", true, 0},
        {"\"0001\"", true, 1},
        {"1.5", false, 0},
        {"\"\"", false, 0},
        {"\" 1\"", false, 0},
        {"\"0x1\"", false, 0},
        {"\"1 \"", false, 0},
        {"\"+1\"", false, 0},
        {"18446744073709551616", false, 0},
        {"\"18446744073709551616\"", false, 0},
        {"1e20", false, 0},
        {"1e999999999", false, 0},
        {"-1", false, 0},
        {"true", false, 0},
        {"[1]", false, 0},
        {"\"abc\"", false, 0},
    };

    (void)state; /* OTLP-84 */
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct span span = json_span_of(
            arena_printf(&json_arena, "\"startTimeUnixNano\":%s,\"name\":\"n\"", rows[i].json),
            rows[i].json);

        if ((span.fault == NULL) != rows[i].sound ||
            (rows[i].sound && span.start_unix_nano != rows[i].value))
            fail_msg("%s: %" PRIu64 " %s", rows[i].json, span.start_unix_nano,
                     span.fault ? span.fault : "sound");
        assert_true(bytes_is(span.name, "n"));
    }
}

static void reads_32_bit_numbers_within_their_range(void **state)
{
    static const struct {
        const char *json;
        bool sound;
        uint32_t value;
    } rows[] = {
        {"4294967295", true, UINT32_MAX},
        {"\"4294967295\"", true, UINT32_MAX},
        {"257", true, 257},
        {"null", true, 0},
        {"4294967296", false, 0},
        {"-1", false, 0},
        {"1.5", false, 0},
        {"{\"a\":[1,{}]}", false, 0},
    };

    (void)state; /* OTLP-85, OTLP-119 */
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct span span;

        if (rows[i].json[0] == '{')
            continue; /* an object for a number: see refuses_low_high_objects */
        span = json_span_of(arena_printf(&json_arena, "\"flags\":%s", rows[i].json), rows[i].json);
        if ((span.fault == NULL) != rows[i].sound || span.flags != rows[i].value)
            fail_msg("%s: %" PRIu32 " %s", rows[i].json, span.flags,
                     span.fault ? span.fault : "sound");
    }
}

static void refuses_low_high_objects(void **state)
{
    (void)state; /* OTLP-93 */
    json_refuse(bytes_of(json_request_of("\"startTimeUnixNano\":{\"low\":1,\"high\":2}")), "low",
                "a time as two halves");
    json_refuse(bytes_of(json_request_of("\"attributes\":[{\"key\":\"a\",\"value\":{\"intValue\":"
                                         "{\"low\":1,\"high\":2}}}]")),
                "low", "an integer as two halves");
}

static void reads_enums_as_numbers_or_names(void **state)
{
    static const struct {
        const char *json;
        bool sound;
        int32_t kind;
    } rows[] = {
        {"2", true, 2},
        {"\"2\"", true, 2},
        {"\"SPAN_KIND_SERVER\"", true, 2},
        {"\"SPAN_KIND_UNSPECIFIED\"", true, 0},
        {"\"SPAN_KIND_CONSUMER\"", true, 5},
        {"99", true, 99},
        {"-1", true, -1},
        {"2147483647", true, INT32_MAX},
        {"-2147483648", true, INT32_MIN},
        {"2147483648", false, 0},
        {"\"server\"", false, 0},
        {"1.5", false, 0},
        {"true", false, 0},
        {"null", true, 0},
    };
    struct span span;

    (void)state; /* OTLP-81, OTLP-117 */
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        span = json_span_of(arena_printf(&json_arena, "\"kind\":%s", rows[i].json), rows[i].json);
        if ((span.fault == NULL) != rows[i].sound || span.kind != rows[i].kind)
            fail_msg("%s: %d %s", rows[i].json, span.kind, span.fault ? span.fault : "sound");
    }
    span = json_span_of("\"status\":{\"code\":\"STATUS_CODE_ERROR\",\"message\":\"m\"}", "status");
    assert_int_equal(span.status_code, 2);
    assert_true(bytes_is(span.status_message, "m"));
    assert_int_equal(json_span_of("\"status\":{\"code\":7}", "code 7").status_code, 7);
}

static void reads_both_spellings(void **state)
{
    struct span_array spans = json_decode(
        "{\"resource_spans\":[{\"resource\":{\"dropped_attributes_count\":3,\"entity_refs\":[{"
        "\"schema_url\":\"u\",\"type\":\"t\",\"id_keys\":[\"a\",\"b\"],\"description_keys\":[\"c\"]"
        "}]},\"schema_url\":\"r\",\"scope_spans\":[{\"schema_url\":\"s\",\"scope\":{\"name\":\"n\","
        "\"dropped_attributes_count\":4},\"spans\":[{\"trace_id\":\"0102030405060708090a0b0c0d0e0f"
        "10\",\"span_id\":\"0102030405060708\",\"parent_span_id\":\"1111111111111111\","
        "\"trace_state\":\"a=b\",\"start_time_unix_nano\":\"5\",\"end_time_unix_nano\":\"6\","
        "\"dropped_attributes_count\":1,\"dropped_events_count\":2,\"dropped_links_count\":3,"
        "\"events\":[{\"time_unix_nano\":\"7\",\"dropped_attributes_count\":8}],\"links\":[{"
        "\"trace_id\":\"aa\",\"span_id\":\"bb\",\"trace_state\":\"c\",\"flags\":9,"
        "\"dropped_attributes_count\":10}]}]}]}]}",
        "snake_case");
    const struct span *span = spans.items;

    (void)state; /* OTLP-83, OTLP-127 */
    assert_int_equal(spans.count, 1);
    assert_null(span->fault);
    assert_int_equal(span->start_unix_nano, 5);
    assert_int_equal(span->end_unix_nano, 6);
    assert_int_equal(span->parent_span_id.len, 8);
    assert_int_equal(span->attributes.dropped, 1);
    assert_int_equal(span->dropped_events, 2);
    assert_int_equal(span->dropped_links, 3);
    assert_int_equal(span->events[0].time_unix_nano, 7);
    assert_int_equal(span->events[0].attributes.dropped, 8);
    assert_int_equal(span->links[0].flags, 9);
    assert_int_equal(span->links[0].attributes.dropped, 10);
    assert_true(bytes_is(span->links[0].trace_state, "c"));
    assert_true(bytes_is(span->resource->schema_url, "r"));
    assert_int_equal(span->resource->attributes.dropped, 3);
    assert_int_equal(span->resource->entity_refs[0].id_key_count, 2);
    assert_true(bytes_is(span->resource->entity_refs[0].description_keys[0], "c"));
    assert_true(bytes_is(span->scope->schema_url, "s"));
    assert_int_equal(span->scope->attributes.dropped, 4);
}

static void skips_unknown_keys_everywhere(void **state)
{
    static const char unknown[] = "\"x\":[{\"spans\":[1,\"]\",null,{\"a\":{}}]},true,-1.5e3]";
    struct span_array spans = json_decode(
        arena_printf(&json_arena,
                     "{%s,\"resourceSpans\":[{%s,\"resource\":{%s},\"scopeSpans\":[{%s,\"scope\":{"
                     "%s},\"spans\":[{%s,\"events\":[{%s}],\"links\":[{%s}],\"status\":{%s},"
                     "\"attributes\":[{%s,\"key\":\"k\",\"value\":{%s,\"intValue\":1}}]," JSON_IDS
                     "}]}]}],\"y\":{}}",
                     unknown, unknown, unknown, unknown, unknown, unknown, unknown, unknown,
                     unknown, unknown, unknown),
        "unknown keys");

    (void)state; /* OTLP-82 */
    assert_int_equal(spans.count, 1);
    assert_true(otlp_check_span(spans.items, &json_arena));
    assert_int_equal(spans.items->attributes.items[0].value.integer, 1);
    assert_int_equal(spans.items->marks, 0);
}

static void takes_null_for_every_key(void **state)
{
    struct span span =
        json_span_of("\"traceState\":null,\"parentSpanId\":null,\"name\":null,\"kind\":null,"
                     "\"startTimeUnixNano\":null,\"endTimeUnixNano\":null,\"attributes\":null,"
                     "\"droppedAttributesCount\":null,\"events\":null,\"droppedEventsCount\":null,"
                     "\"links\":null,\"droppedLinksCount\":null,\"status\":null,\"flags\":null",
                     "null");

    (void)state; /* OTLP-88 */
    assert_null(span.fault);
    assert_int_equal(span.marks, 0);
    assert_int_equal(json_decode("{\"resourceSpans\":null}", "null").count, 0);
    assert_int_equal(
        json_decode("{\"resourceSpans\":[{\"resource\":null,\"scopeSpans\":null}]}", "null").count,
        0);
    span = json_decode("{\"resourceSpans\":[{\"resource\":null,\"schemaUrl\":null,\"scopeSpans\":"
                       "[{\"scope\":null,\"schemaUrl\":null,\"spans\":[{" JSON_IDS "}]}]}]}",
                       "null")
               .items[0];
    assert_non_null(span.resource);
    assert_non_null(span.scope);
}

static void lets_the_last_of_repeated_keys_win(void **state)
{
    struct span span =
        json_span_of("\"name\":\"a\",\"name\":\"b\",\"attributes\":[{\"key\":\"x\"}],"
                     "\"attributes\":[{\"key\":\"y\"},{\"key\":\"z\"}]",
                     "repeated");
    struct span_array spans = json_decode(
        "{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[{" JSON_IDS "}],\"spans\":[{" JSON_IDS
        "}]}],\"scopeSpans\":[{\"spans\":[{" JSON_IDS "}]}]}],\"resourceSpans\":[{"
        "\"scopeSpans\":[{\"spans\":[{" JSON_IDS "}]}]}]}",
        "repeated arrays of spans");

    (void)state; /* OTLP-89; but no span vanishes */
    assert_true(bytes_is(span.name, "b"));
    assert_int_equal(span.attributes.count, 2);
    assert_int_equal(spans.count, 4);
    assert_int_equal(spans.items[1].span_index, 1);
    assert_int_equal(spans.items[2].scope_index, 1);
    assert_int_equal(spans.items[3].resource_index, 1);
}

static void never_puts_values_into_faults(void **state)
{
    static const char *const members[] = {
        "\"attributes\":[{\"key\":\"k\",\"value\":{\"intValue\":\"secret\"}}]",
        "\"attributes\":[{\"key\":\"k\",\"value\":{\"bytesValue\":\"secret*\"}}]",
        "\"attributes\":[{\"key\":\"k\",\"value\":{\"doubleValue\":\"secret\"}}]",
        "\"attributes\":[{\"key\":\"k\",\"value\":\"secret\"}]",
        "\"attributes\":\"secret\"",
        "\"startTimeUnixNano\":\"secret\"",
        "\"kind\":\"secret\"",
        "\"name\":[\"secret\"]",
    };

    (void)state; /* OTLP-44 */
    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
        const struct span span = json_span_of(members[i], members[i]);

        if (!span.fault || span.fault[0] == '\0' || strstr(span.fault, "secret"))
            fail_msg("%s: %s", members[i], span.fault ? span.fault : "sound");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(reads_ids_in_hex_of_any_case, json_fresh),
        cmocka_unit_test_setup(reads_64_bit_numbers_exactly, json_fresh),
        cmocka_unit_test_setup(reads_32_bit_numbers_within_their_range, json_fresh),
        cmocka_unit_test_setup(refuses_low_high_objects, json_fresh),
        cmocka_unit_test_setup(reads_enums_as_numbers_or_names, json_fresh),
        cmocka_unit_test_setup(reads_both_spellings, json_fresh),
        cmocka_unit_test_setup(skips_unknown_keys_everywhere, json_fresh),
        cmocka_unit_test_setup(takes_null_for_every_key, json_fresh),
        cmocka_unit_test_setup(lets_the_last_of_repeated_keys_win, json_fresh),
        cmocka_unit_test_setup(never_puts_values_into_faults, json_fresh),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
