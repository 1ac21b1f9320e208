/* OTLP/JSON bodies to spans: what is shared, what is no request, what does not fit (OTLP-80..93). */
#include "test.h"

#include "support/fixture.h"
#include "support/json_case.h"

static void gives_shared_parts_that_come_late(void **state)
{
    struct span_array spans = json_decode(
        "{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[{" JSON_IDS
        "}],\"scope\":{\"name\":\"s\"}}],"
        "\"resource\":{\"attributes\":[{\"key\":\"service.name\",\"value\":{\"stringValue\":\"v\"}}"
        "]}}]}",
        "resource behind its spans");

    (void)state;
    assert_true(bytes_is(spans.items->scope->name, "s"));
    assert_true(bytes_is(spans.items->resource->attributes.items[0].value.text, "v"));
}

static void faults_of_a_resource_reach_all_its_spans_and_no_others(void **state)
{
    struct span_array spans =
        json_decode("{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[{" JSON_IDS "},{" JSON_IDS
                    "}]}],\"resource\":{"
                    "\"attributes\":[{\"key\":\"k\",\"value\":{\"bytesValue\":\"*\"}}]}},"
                    "{\"scopeSpans\":[{\"spans\":[{" JSON_IDS "}]}]}]}",
                    "bad resource");

    (void)state;
    assert_int_equal(spans.count, 3);
    assert_non_null(spans.items[0].fault);
    assert_non_null(spans.items[1].fault);
    assert_null(spans.items[2].fault);
}

static void refuses_bodies_that_are_no_request(void **state)
{
    static const struct {
        const char *why;
        const char *json;
        const char *text;
    } rows[] = {
        {"no bytes (OTLP-41)", "", "the end"},
        {"null", "null", "want an object"},
        {"an array", "[]", "want an object"},
        {"a string", "\"resourceSpans\"", "want an object"},
        {"not JSON", "resourceSpans", "want a value"},
        {"cut short", "{\"resourceSpans\":[", "the end"},
        {"something behind it", "{}x", "want the end"},
        {"resourceSpans is an object", "{\"resourceSpans\":{}}", "resourceSpans is an object"},
        {"a resourceSpans entry is a number", "{\"resourceSpans\":[1]}", "want an object"},
        {"spans is a string", "{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":\"x\"}]}]}",
         "spans is a string"},
        {"scopeSpans is true", "{\"resourceSpans\":[{\"scopeSpans\":true}]}",
         "scopeSpans is a boolean"},
        {"logs (OTLP-10)", "{\"resourceLogs\":[{\"scopeLogs\":[{}]}]}", "/v1/logs"},
        {"logs in snake_case", "{\"resource_logs\":[]}", "/v1/logs"},
        {"metrics (OTLP-10)", "{\"resourceMetrics\":[]}", "/v1/metrics"},
        {"lone surrogate (OTLP-90)", "{\"resourceSpans\":[{\"schemaUrl\":\"\\ud800\"}]}",
         "lone surrogate"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        json_refuse(bytes_of(rows[i].json), rows[i].text, rows[i].why);
    assert_int_equal(json_decode("{}", "an empty object (OTLP-41)").count, 0);
    assert_int_equal(json_decode("{\"resourceSpans\":[{}]}", "an empty entry").count, 0);
    assert_int_equal(json_decode("{\"resourceSpans\":[],\"resourceLogs\":[]}", "both").count, 0);
}

static void fails_cleanly_at_every_cap(void **state)
{
    const struct bytes body = fixture_file(&json_arena, "js-otel-odd-json/001.body");
    bool done = false;

    (void)state; /* PC-6 */
    for (size_t cap = 0; !done; cap += 32) {
        struct span_array spans = {.count = 77};
        struct err err = {0};
        struct arena part;

        arena_init(&part, cap);
        done = otlp_from_json(body, &json_limits, &part, &spans, &err);
        if (!done && (err.kind != ERR_TOO_LARGE || spans.count != 77))
            fail_msg("cap %zu: kind %d \"%s\"", cap, (int)err.kind, err.text);
        arena_done(&part);
        assert_true(cap < JSON_ROOM);
    }
}

static void cuts_anywhere_without_crash(void **state)
{
    const struct bytes body = fixture_file(&json_arena, "js-otel-odd-json/001.body");

    (void)state;
    for (size_t len = 0; len < body.len; len++) {
        struct arena part;
        struct bytes cut;

        arena_init(&part, JSON_ROOM);
        cut = arena_copy(&part, (struct bytes){body.at, len});
        json_refuse(cut, "", "a part of a body");
        arena_done(&part);
    }
}

/* The odd twins: what the JSON form lost is marked, and nothing else is. */
static void marks_what_odd_json_lost(void **state)
{
    static const struct {
        const char *key;
        enum value_kind kind;
    } wanted[] = {
        {"int.beyond.safe", VALUE_INT},   {"double.large", VALUE_DOUBLE},
        {"double.whole", VALUE_DOUBLE},   {"double.nan", VALUE_EMPTY},
        {"double.infinity", VALUE_EMPTY}, {"double.minus.zero", VALUE_INT},
        {"mixed", VALUE_ARRAY},           {"with.null", VALUE_ARRAY},
        {"bytes", VALUE_BYTES},           {"map", VALUE_KVLIST},
    };
    struct span_array spans;
    struct err err;

    (void)state;
    assert_true(otlp_from_json(fixture_file(&json_arena, "js-otel-odd-json/001.body"), &json_limits,
                               &json_arena, &spans, &err));
    assert_true(otlp_check_span(spans.items, &json_arena));
    assert_int_equal(spans.items->marks, SPAN_MARK_NOT_ITS_KIND);
    assert_int_equal(spans.items->attributes.count, sizeof(wanted) / sizeof(wanted[0]));
    for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
        assert_true(bytes_is(spans.items->attributes.items[i].key, wanted[i].key));
        assert_int_equal(spans.items->attributes.items[i].value.kind, wanted[i].kind);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(gives_shared_parts_that_come_late, json_fresh),
        cmocka_unit_test_setup(faults_of_a_resource_reach_all_its_spans_and_no_others, json_fresh),
        cmocka_unit_test_setup(refuses_bodies_that_are_no_request, json_fresh),
        cmocka_unit_test_setup(fails_cleanly_at_every_cap, json_fresh),
        cmocka_unit_test_setup(cuts_anywhere_without_crash, json_fresh),
        cmocka_unit_test_setup(marks_what_odd_json_lost, json_fresh),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
