/* Bodies of log records in both encodings: what is read, refused and bounded (OTLP-10, 80 … 93, 100 … 106, 126 for logs). */
#include "test.h"

#include <stdio.h>

#include "base/text.h"
#include "support/client.h"
#include "support/fixture.h"
#include "support/logs_case.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))
#define BYTES(...)                                                                                 \
    ((struct bytes){((const uint8_t[]){__VA_ARGS__}), sizeof((const uint8_t[]){__VA_ARGS__})})

static void must_refuse(bool json, struct bytes body, const char *text, const char *why)
{
    struct log_array logs = {.count = 77};
    struct err err = {0};

    if (logs_decode(json, body, &logs_arena, &logs, &err))
        fail_msg("%s: accepted", why);
    if (err.kind != ERR_BAD_INPUT || !strstr(err.text, text) || logs.count != 77)
        fail_msg("%s: kind %d \"%s\"", why, (int)err.kind, err.text);
}

/* ExportLogsServiceRequest whose one record has these bytes. */
static struct bytes request_of(struct bytes record)
{
    struct buf scope_logs, resource_logs, request;
    struct bytes copy;

    buf_init(&scope_logs, LOGS_ROOM);
    buf_init(&resource_logs, LOGS_ROOM);
    buf_init(&request, LOGS_ROOM);
    pb_bytes(&scope_logs, 2, record);
    pb_bytes(&resource_logs, 2, buf_bytes(&scope_logs));
    pb_bytes(&request, 1, buf_bytes(&resource_logs));
    copy = arena_copy(&logs_arena, buf_bytes(&request));
    buf_done(&scope_logs);
    buf_done(&resource_logs);
    buf_done(&request);
    return copy;
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
        {"cut short", "{\"resourceLogs\":[", "the end"},
        {"something behind it", "{}x", "want the end"},
        {"resourceLogs is an object", "{\"resourceLogs\":{}}", "resourceLogs is an object"},
        {"an entry is a number", "{\"resourceLogs\":[1]}", "want an object"},
        {"logRecords is a text", "{\"resourceLogs\":[{\"scopeLogs\":[{\"logRecords\":\"x\"}]}]}",
         "logRecords is a string"},
        {"traces (OTLP-10)", "{\"resourceSpans\":[{\"scopeSpans\":[{}]}]}", "/v1/traces"},
        {"traces in snake_case", "{\"resource_spans\":[]}", "/v1/traces"},
        {"metrics (OTLP-10)", "{\"resourceMetrics\":[]}", "/v1/metrics"},
        {"low and high (OTLP-93)",
         "{\"resourceLogs\":[{\"scopeLogs\":[{\"logRecords\":[{\"timeUnixNano\":{\"low\":1,"
         "\"high\":2}}]}]}]}",
         "low"},
        {"lone surrogate (OTLP-90)",
         "{\"resourceLogs\":[{\"scopeLogs\":[{\"logRecords\":[{\"body\":{\"stringValue\":"
         "\"\\ud800\"}}]}]}]}",
         "lone surrogate"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        must_refuse(true, bytes_of(rows[i].json), rows[i].text, rows[i].why);
    assert_int_equal(logs_must_decode(true, bytes_of("{}"), "an empty object (OTLP-41)").count, 0);
    assert_int_equal(logs_must_decode(false, (struct bytes){0}, "no bytes (OTLP-41)").count, 0);
    assert_int_equal(logs_must_decode(true, bytes_of("{\"resourceLogs\":[{}]}"), "no scope").count,
                     0);
    assert_int_equal(
        logs_must_decode(true, bytes_of("{\"resourceLogs\":[],\"resourceSpans\":[]}"), "both")
            .count,
        0);
}

/* OTLP-10: recorded traces are told from recorded logs by their bytes alone */
static void see_traces(const struct fixture_body *body, void *context)
{
    (void)context;
    if (body->json)
        must_refuse(true, body->body, "/v1/traces", body->name);
    else
        must_refuse(false, body->body, "are these traces?", body->name);
}

static void refuses_recorded_traces_and_metrics(void **state)
{
    /* Metric: name 1, description 2, gauge 5 */
    const struct bytes metric =
        BYTES(0x0a, 0x03, 'c', 'p', 'u', 0x12, 0x01, 'd', 0x2a, 0x02, 0x0a, 0x00);
    const struct bytes sixteen = BYTES(0x0a, 0x10, 's', 'i', 'x', 't', 'e', 'e', 'n', '.', 'l', 'e',
                                       't', 't', 'e', 'r', 's', '.');

    (void)state;
    assert_true(fixture_each(&logs_arena, NULL, see_traces, NULL) > 40);
    must_refuse(false, request_of(metric), "are these metrics?", "a gauge");
    must_refuse(false, request_of(sixteen), "are these metrics?", "a name as long as an id");
}

static void refuses_what_is_no_protobuf(void **state)
{
    const struct {
        const char *why;
        struct bytes record;
        const char *text;
    } rows[] = {
        {"a time as a varint", BYTES(0x08, 0x01), "field 1 of LogRecord has wire type 0"},
        {"a severity as text", BYTES(0x12, 0x01, 'x'), "field 2 of LogRecord"},
        {"a span id as a number", BYTES(0x50, 0x01), "field 10 of LogRecord"},
        {"field number 0", BYTES(0x02, 0x00), "field number is 0"},
        {"a length beyond the end", BYTES(0x2a, 0x7f, 0x00), "length reaches beyond"},
        {"a body that is no AnyValue", BYTES(0x2a, 0x02, 0x0a, 0x7f), "in AnyValue"},
        {"a string that is a varint", BYTES(0x2a, 0x02, 0x08, 0x01), "of AnyValue has wire type"},
        {"an attribute that is no KeyValue", BYTES(0x32, 0x01, 0xff), "in KeyValue"},
    };

    (void)state; /* OTLP-100, OTLP-101 */
    for (size_t i = 0; i < COUNT(rows); i++)
        must_refuse(false, request_of(rows[i].record), rows[i].text, rows[i].why);
}

static void reads_what_protobuf_allows(void **state)
{
    const struct {
        const char *why;
        struct bytes record;
        const char *body; /* text of the body; NULL: none */
    } rows[] = {
        {"unknown fields of every wire type",
         BYTES(0xa0, 1, 1, 0xa1, 1, 1, 2, 3, 4, 5, 6, 7, 8, 0xa2, 1, 1, 'x', 0xa5, 1, 1, 2, 3, 4,
               0x2a, 3, 0x0a, 1, 'b'),
         "b"},
        {"a group", BYTES(0xa3, 1, 0x08, 1, 0xa4, 1, 0x2a, 3, 0x0a, 1, 'b'), "b"},
        {"the old field 4 (name)", BYTES(0x22, 1, 'n', 0x2a, 3, 0x0a, 1, 'b'), "b"},
        {"a body in parts: the last member stands",
         BYTES(0x2a, 3, 0x0a, 1, 'a', 0x2a, 3, 0x0a, 1, 'b'), "b"},
        {"no body", BYTES(0x40, 1) /* replaced below */, NULL},
        {"an empty body (OTLP-105)", BYTES(0x2a, 0), NULL},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct bytes none = {0};
        const struct log_array logs =
            logs_must_decode(false, request_of(i == 4 ? none : rows[i].record), rows[i].why);
        const struct value *body = &logs.items[0].body;

        if (rows[i].body ? body->kind != VALUE_STRING || !bytes_is(body->text, rows[i].body)
                         : body->kind != VALUE_EMPTY)
            fail_msg("%s: kind %d", rows[i].why, (int)body->kind);
    }
}

static void reads_both_spellings_and_skips_unknown_keys(void **state)
{
    static const char json[] =
        "{\"resource_logs\":[{\"x\":[{}],\"scope_logs\":[{\"y\":1,\"log_records\":[{"
        "\"time_unix_nano\":5,\"observed_time_unix_nano\":\"6\",\"severity_number\":17,"
        "\"severity_text\":\"E\",\"body\":{\"string_value\":\"b\",\"z\":0},\"attributes\":null,"
        "\"dropped_attributes_count\":2,\"flags\":3,\"trace_id\":\"0A0b\",\"span_id\":\"0c\","
        "\"event_name\":\"n\",\"unknown\":{\"deep\":[1,{}]}}]}]}]}";
    const struct log_array logs = logs_must_decode(true, bytes_of(json), "snake_case");
    const struct log_record *log = &logs.items[0];

    (void)state; /* OTLP-80, OTLP-82, OTLP-83, OTLP-88 */
    assert_int_equal(logs.count, 1);
    assert_int_equal(log->time_unix_nano, 5);
    assert_int_equal(log->observed_unix_nano, 6);
    assert_int_equal(log->severity_number, 17);
    assert_true(bytes_is(log->severity_text, "E"));
    assert_true(bytes_is(log->body.text, "b"));
    assert_int_equal(log->attributes.dropped, 2);
    assert_int_equal(log->flags, 3);
    assert_true(bytes_equal(log->trace_id, BYTES(0x0a, 0x0b)));
    assert_true(bytes_equal(log->span_id, BYTES(0x0c)));
    assert_true(bytes_is(log->event_name, "n"));
}

static void faults_of_one_record_are_its_own(void **state)
{
    static const char *const members[] = {
        "\"traceId\":\"xyz\"", "\"spanId\":5", "\"timeUnixNano\":\"soon\"",  "\"flags\":-1",
        "\"attributes\":{}",   "\"body\":7",   "\"severityNumber\":\"LOUD\""};

    (void)state; /* OTLP-44, OTLP-85 */
    for (size_t i = 0; i < COUNT(members); i++) {
        const char *json =
            arena_printf(&logs_arena,
                         "{\"resourceLogs\":[{\"scopeLogs\":[{\"logRecords\":[{},{%s},{}]}]"
                         "}]}",
                         members[i]);
        const struct log_array logs = logs_must_decode(true, bytes_of(json), members[i]);

        assert_int_equal(logs.count, 3);
        assert_null(logs.items[0].fault);
        assert_non_null(logs.items[1].fault);
        assert_null(logs.items[2].fault);
        assert_null(strstr(logs.items[1].fault, "soon"));
    }
}

static void repairs_text_that_postgresql_refuses(void **state)
{
    struct test_ids ids;
    struct buf extra;

    (void)state; /* OTLP-106, OTLP-124 */
    test_ids_next(&ids);
    buf_init(&extra, 1000);
    pb_attribute(&extra, 6, BYTES(0xff, 'k'), BYTES('a', 0, 'b', 0xed, 0xa0, 0x80));
    pb_bytes(&extra, 3, BYTES(0xc0));
    pb_bytes(&extra, 12, BYTES('g', 'e', 'n', '_', 'a', 'i', '.', 0xfe));
    struct test_log sent = test_log_of(&ids, "bad text");
    sent.extra = buf_bytes(&extra);
    struct log_array logs = logs_must_decode(false, logs_request_of(false, &sent), "bad text");
    const struct stored_log row = logs_must_store(&logs.items[0], "bad text");
    assert_non_null(doc_parse(&logs_arena, row.event));
    buf_done(&extra);
}

static void bounds_depth_and_attributes(void **state)
{
    static const struct otlp_limits few = {.max_depth = 3, .max_attributes = 2};
    struct test_ids ids;
    struct log_array logs;
    struct err err;

    (void)state; /* OTLP-103, OTLP-126 */
    test_ids_next(&ids);
    for (int json = 0; json < 2; json++) {
        struct test_log sent = test_log_of(&ids, NULL);
        struct buf extra, deep;
        buf_init(&extra, 10000);
        buf_init(&deep, 10000);
        pb_text(&deep, 1, "x");
        for (int i = 0; i < 5; i++) { /* array in array */
            struct buf outer;
            buf_init(&outer, 10000);
            pb_bytes(&outer, 1, buf_bytes(&deep));
            buf_clear(&deep);
            pb_bytes(&deep, 5, buf_bytes(&outer));
            buf_done(&outer);
        }
        pb_bytes(&extra, 5, buf_bytes(&deep));
        for (int i = 0; i < 3; i++)
            pb_attribute(&extra, 6, BYTES_LITERAL("k"), BYTES_LITERAL("v"));
        sent.extra = buf_bytes(&extra);
        sent.json = ",\"body\":{\"arrayValue\":{\"values\":[{\"arrayValue\":{\"values\":[{"
                    "\"arrayValue\":{\"values\":[{\"arrayValue\":{\"values\":[]}}]}}]}}]}},"
                    "\"attributes\":[{\"key\":\"a\"},{\"key\":\"b\"},{\"key\":\"c\"}]";
        assert_true((json ? otlp_logs_from_json : otlp_logs_from_protobuf)(
            logs_request_of(json, &sent), &few, &logs_arena, &logs, &err));
        assert_true(logs.items[0].marks & SPAN_MARK_TOO_DEEP);
        assert_true(logs.items[0].marks & SPAN_MARK_TRUNCATED);
        assert_int_equal(logs.items[0].attributes.count, 2);
        assert_int_equal(logs.items[0].attributes.dropped, 1);
        buf_done(&extra);
        buf_done(&deep);
    }
}

/* OTLP-102, PC-6 */
static void fails_cleanly_when_cut_or_out_of_memory(void **state)
{
    (void)state;
    for (int json = 0; json < 2; json++) {
        const char *name = "python-openai_v2-legacy_chat";
        const struct bytes body = json ? logs_twin(name) : logs_recording(name);
        bool done = false;

        for (size_t len = 0; len < body.len; len++) {
            struct arena part;
            struct log_array logs;
            struct err err = {0};

            arena_init(&part, LOGS_ROOM);
            if (!logs_decode(json, arena_copy(&part, (struct bytes){body.at, len}), &part, &logs,
                             &err))
                assert_true(err.text[0] != '\0');
            else
                assert_false(json && len > 0 && body.at[len - 1] != '}');
            arena_done(&part);
        }
        for (size_t cap = 0; !done; cap += 32) {
            struct log_array logs = {.count = 77};
            struct err err = {0};
            struct arena part;

            arena_init(&part, cap);
            done = logs_decode(json, body, &part, &logs, &err);
            if (!done && (err.kind != ERR_TOO_LARGE || logs.count != 77))
                fail_msg("cap %zu: kind %d \"%s\"", cap, (int)err.kind, err.text);
            arena_done(&part);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(refuses_bodies_that_are_no_request, logs_fresh),
        cmocka_unit_test_setup(refuses_recorded_traces_and_metrics, logs_fresh),
        cmocka_unit_test_setup(refuses_what_is_no_protobuf, logs_fresh),
        cmocka_unit_test_setup(reads_what_protobuf_allows, logs_fresh),
        cmocka_unit_test_setup(reads_both_spellings_and_skips_unknown_keys, logs_fresh),
        cmocka_unit_test_setup(faults_of_one_record_are_its_own, logs_fresh),
        cmocka_unit_test_setup(repairs_text_that_postgresql_refuses, logs_fresh),
        cmocka_unit_test_setup(bounds_depth_and_attributes, logs_fresh),
        cmocka_unit_test_setup(fails_cleanly_when_cut_or_out_of_memory, logs_fresh),
    };

    return cmocka_run_group_tests(tests, NULL, logs_free);
}
