/* Log records of both encodings, which of them are taken, and the events that they become
 * (OTLP-10, 80 … 93, 100 … 106, 111, 126 for logs). */
#include "test.h"

#include <stdio.h>

#include "base/text.h"
#include "genai/content.h"
#include "otlp/logs.h"
#include "otlp/stored.h"
#include "support/client.h"
#include "support/fixture.h"
#include "support/logs.h"

#define ROOM ((size_t)256 << 20)
#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))
#define BYTES(...)                                                                                 \
    ((struct bytes){((const uint8_t[]){__VA_ARGS__}), sizeof((const uint8_t[]){__VA_ARGS__})})

static const struct otlp_limits limits = {.max_depth = 64, .max_attributes = 10000};
static struct arena arena;

static const char *const recordings[] = {
    "python-genai_openai-chat",  "python-genai_openai-error429", "python-genai_openai-responses",
    "python-genai_openai-tools", "python-google-genai-chat",     "python-openai_v2-chat",
    "python-openai_v2-error429", "python-openai_v2-legacy_chat", "python-openai_v2-tools",
};

static int fresh_arena(void **state)
{
    (void)state;
    arena_done(&arena);
    arena_init(&arena, ROOM);
    return 0;
}

static bool decode(bool json, struct bytes body, struct arena *in, struct log_array *out_logs,
                   struct err *err)
{
    return (json ? otlp_logs_from_json : otlp_logs_from_protobuf)(body, &limits, in, out_logs, err);
}

static struct log_array must_decode(bool json, struct bytes body, const char *why)
{
    struct log_array logs = {0};
    struct err err = {0};

    if (!decode(json, body, &arena, &logs, &err))
        fail_msg("%s: refused: %s", why, err.text);
    return logs;
}

static void must_refuse(bool json, struct bytes body, const char *text, const char *why)
{
    struct log_array logs = {.count = 77};
    struct err err = {0};

    if (decode(json, body, &arena, &logs, &err))
        fail_msg("%s: accepted", why);
    if (err.kind != ERR_BAD_INPUT || !strstr(err.text, text) || logs.count != 77)
        fail_msg("%s: kind %d \"%s\"", why, (int)err.kind, err.text);
}

static struct bytes recording(const char *name)
{
    return fixture_file(&arena, arena_printf(&arena, "%s/logs/001.body", name));
}

/* The same in JSON, written from the recording by a decoder that is not ours. */
static struct bytes twin(const char *name)
{
    struct buf text;
    struct bytes copy;

    buf_init(&text, 1 << 20);
    if (!file_read(arena_printf(&arena, "tests/data/logs/%s.json", name), &text))
        fail_msg("no twin of %s", name);
    copy = arena_copy(&arena, buf_bytes(&text));
    buf_done(&text);
    return copy;
}

/* ExportLogsServiceRequest whose one record has these bytes. */
static struct bytes request_of(struct bytes record)
{
    struct buf scope_logs, resource_logs, request;
    struct bytes copy;

    buf_init(&scope_logs, ROOM);
    buf_init(&resource_logs, ROOM);
    buf_init(&request, ROOM);
    pb_bytes(&scope_logs, 2, record);
    pb_bytes(&resource_logs, 2, buf_bytes(&scope_logs));
    pb_bytes(&request, 1, buf_bytes(&resource_logs));
    copy = arena_copy(&arena, buf_bytes(&request));
    buf_done(&scope_logs);
    buf_done(&resource_logs);
    buf_done(&request);
    return copy;
}

static struct bytes request_of_log(bool json, const struct test_log *log)
{
    struct buf body;
    struct bytes copy;

    buf_init(&body, ROOM);
    (json ? json_log_request : pb_log_request)(&body, log, 1);
    copy = arena_copy(&arena, buf_bytes(&body));
    buf_done(&body);
    return copy;
}

static struct stored_log must_store(struct log_record *log, const char *why)
{
    struct stored_log row = {0};
    struct err err = {0};

    if (!otlp_check_log(log, &arena))
        fail_msg("%s: not taken: %s", why, log->fault);
    if (!otlp_log_to_stored(log, TENANT_DEFAULT, 1, &arena, &row, &err))
        fail_msg("%s: %s", why, err.text);
    assert_int_equal(text_valid_prefix(row.event), row.event.len);
    return row;
}

/* OTLP-92 */
static void takes_every_recording_and_its_twin_as_one(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(recordings); i++) {
        struct log_array sent = must_decode(false, recording(recordings[i]), recordings[i]);
        struct log_array again = must_decode(true, twin(recordings[i]), recordings[i]);

        assert_true(sent.count > 0);
        assert_int_equal(sent.count, again.count);
        for (size_t k = 0; k < sent.count; k++) {
            const struct stored_log a = must_store(&sent.items[k], recordings[i]);
            const struct stored_log b = must_store(&again.items[k], recordings[i]);

            assert_memory_equal(a.trace_id.at, b.trace_id.at, 16);
            assert_int_equal(a.span_id, b.span_id);
            assert_int_equal(a.time_unix_ns, b.time_unix_ns);
            assert_int_equal(a.content_hash, b.content_hash);
            assert_true(bytes_equal(a.event, b.event));
            assert_int_equal(sent.items[k].record_index, k);
        }
    }
}

static const struct doc *event_of(const struct stored_log *row)
{
    const struct doc *event = doc_parse(&arena, row->event);

    assert_non_null(event);
    return event;
}

static void keeps_what_the_record_says(void **state)
{
    struct log_array logs = must_decode(false, recording("python-openai_v2-legacy_chat"), "legacy");
    static const char *const names[] = {"gen_ai.system.message", "gen_ai.user.message",
                                        "gen_ai.choice"};

    (void)state;
    assert_int_equal(logs.count, 3);
    for (size_t i = 0; i < 3; i++) {
        const struct stored_log row = must_store(&logs.items[i], names[i]);
        const struct doc *event = event_of(&row);

        assert_string_equal(doc_at(event, "name", NULL), names[i]);
        assert_string_equal(doc_at(event, "source", NULL), "log");
        assert_true(doc_int_at(event, "time_unix_nano", NULL) == row.time_unix_ns);
        assert_string_equal(doc_at(event, "attributes", "gen_ai.system", NULL), "openai");
        assert_true(doc_count(doc_walk(event, "attributes", OTLP_LOG_BODY, NULL)) > 0);
    }
    const struct stored_log choice = must_store(&logs.items[2], "choice");
    assert_string_equal(
        doc_at(event_of(&choice), "attributes", OTLP_LOG_BODY, "message", "role", NULL),
        "assistant");
}

static void keeps_severity_and_observed_time(void **state)
{
    struct test_ids ids;

    (void)state;
    test_ids_next(&ids);
    struct test_log log = test_log_of(&ids, "hello");
    log.time_unix_nano = 0;
    log.json = ",\"severityNumber\":\"SEVERITY_NUMBER_INFO\",\"severityText\":\"INFO\","
               "\"observedTimeUnixNano\":\"1700000000000000001\",\"flags\":1";
    struct log_array logs = must_decode(true, request_of_log(true, &log), "observed only");
    assert_int_equal(logs.items[0].flags, 1);
    struct stored_log row = must_store(&logs.items[0], "observed only");
    assert_true(row.time_unix_ns == 1700000000000000001);
    assert_string_equal(doc_at(event_of(&row), "time_unix_nano", NULL), "1700000000000000001");
    assert_int_equal(doc_int_at(event_of(&row), "attributes", OTLP_LOG_SEVERITY_NUMBER, NULL), 9);
    assert_string_equal(doc_at(event_of(&row), "attributes", OTLP_LOG_SEVERITY_TEXT, NULL), "INFO");
    assert_null(doc_walk(event_of(&row), "attributes", OTLP_LOG_OBSERVED_TIME, NULL));
    log.time_unix_nano = 1600000000000000000;
    logs = must_decode(true, request_of_log(true, &log), "both times");
    row = must_store(&logs.items[0], "both times");
    assert_true(row.time_unix_ns == 1600000000000000000);
    assert_string_equal(doc_at(event_of(&row), "attributes", OTLP_LOG_OBSERVED_TIME, NULL),
                        "1700000000000000001");
}

static void clamps_times_beyond_the_column(void **state)
{
    struct test_ids ids;

    (void)state; /* OTLP-115 */
    test_ids_next(&ids);
    struct test_log log = test_log_of(&ids, "late");
    log.time_unix_nano = UINT64_MAX;
    for (int json = 0; json < 2; json++) {
        struct log_array logs = must_decode(json, request_of_log(json, &log), "the last time");
        const struct stored_log row = must_store(&logs.items[0], "the last time");
        assert_true(row.time_unix_ns == INT64_MAX);
        assert_string_equal(doc_at(event_of(&row), "time_unix_nano", NULL), "18446744073709551615");
    }
}

/* ---- which are taken ---- */

#define ATTRIBUTE(value)                                                                           \
    ",\"attributes\":[{\"key\":\"event.name\",\"value\":{\"stringValue\":\"" value "\"}}]"

static void takes_genai_events_and_no_others(void **state)
{
    static const struct {
        const char *why;
        const char *event;
        const char *text; /* body */
        const char *json;
        const char *name; /* taken under this name; NULL: not taken */
        const char *fault;
    } rows[] = {
        {"the field", "gen_ai.user.message", NULL, "", "gen_ai.user.message", NULL},
        {"details", "gen_ai.client.inference.operation.details", NULL, "",
         "gen_ai.client.inference.operation.details", NULL},
        {"a score", "gen_ai.evaluation.result", NULL, "", "gen_ai.evaluation.result", NULL},
        {"one of later versions", "gen_ai.something.new", NULL, "", "gen_ai.something.new", NULL},
        {"the attribute", NULL, NULL, ATTRIBUTE("gen_ai.choice"), "gen_ai.choice", NULL},
        {"Claude Code's usage", "claude_code.api_request", NULL, "", "claude_code.api_request",
         NULL},
        {"as Claude Code writes it", NULL, "claude_code.api_request", ATTRIBUTE("api_request"),
         "claude_code.api_request", NULL},
        {"the field stands before the attribute", "other", NULL, ATTRIBUTE("gen_ai.choice"), NULL,
         "event 'other'"},
        {"no event", NULL, "hello", "", NULL, "no event name"},
        {"no event, no body", NULL, NULL, "", NULL, "no event name"},
        {"another event", "exception", NULL, "", NULL, "event 'exception'"},
        {"of another family of Claude Code", "claude_code.user_prompt", NULL, "", NULL,
         "event 'claude_code.user_prompt'"},
        {"a prefix without its dot", "gen_ai", NULL, "", NULL, "event 'gen_ai'"},
        {"events have a case", "Gen_AI.choice", NULL, "", NULL, "event 'Gen_AI.choice'"},
        {"OTLP-44: values of attributes are not told", NULL, NULL, ATTRIBUTE("secret"), NULL,
         "attribute event.name names another event"},
        {"an attribute that is no text", NULL, NULL,
         ",\"attributes\":[{\"key\":\"event.name\",\"value\":{\"intValue\":1}}]", NULL,
         "no event name"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct test_ids ids;
        test_ids_next(&ids);
        struct test_log sent = test_log_of(&ids, NULL);
        sent.event = rows[i].event;
        sent.text = rows[i].text;
        sent.json = rows[i].json;
        struct log_array logs = must_decode(true, request_of_log(true, &sent), rows[i].why);
        struct log_record *log = &logs.items[0];
        const bool taken = otlp_check_log(log, &arena);

        if (taken != (rows[i].name != NULL) ||
            (taken && !bytes_is(log->event_name, rows[i].name)) ||
            (!taken && (!strstr(log->fault, rows[i].fault) || !strstr(log->fault, "gen_ai.*") ||
                        strstr(log->fault, "secret"))))
            fail_msg("%s: taken %d, '%.*s', %s", rows[i].why, taken, (int)log->event_name.len,
                     (const char *)log->event_name.at, log->fault ? log->fault : "");
    }
}

static const uint8_t zeros[32];
static const uint8_t long_id[32] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17};

/* OTLP-111 */
static void wants_a_span_and_a_time(void **state)
{
    static const struct {
        const char *why;
        int part; /* 0 trace id, 1 span id, 2 time */
        struct bytes id;
        const char *fault;
    } rows[] = {
        {"no trace", 0, {long_id, 0}, "trace_id has 0 bytes, want 16"},
        {"a short trace id", 0, {long_id, 15}, "trace_id has 15 bytes"},
        {"a long trace id", 0, {long_id, 17}, "trace_id has 17 bytes"},
        {"zeros", 0, {zeros, 16}, "trace_id is all zero"},
        {"no span", 1, {long_id, 0}, "span_id has 0 bytes, want 8"},
        {"a short span id", 1, {long_id, 7}, "span_id has 7 bytes"},
        {"a trace id as span id", 1, {long_id, 16}, "span_id has 16 bytes"},
        {"zeros", 1, {zeros, 8}, "span_id is all zero"},
        {"no time at all", 2, {0}, "no time"},
    };

    (void)state;
    for (size_t i = 0; i < 2 * COUNT(rows); i++) {
        struct test_ids ids;
        test_ids_next(&ids);
        struct test_log sent = test_log_of(&ids, "hello");
        if (rows[i / 2].part == 0)
            sent.trace_id = rows[i / 2].id;
        else if (rows[i / 2].part == 1)
            sent.span_id = rows[i / 2].id;
        else
            sent.time_unix_nano = 0;
        struct log_array logs = must_decode(i % 2, request_of_log(i % 2, &sent), rows[i / 2].why);
        if (otlp_check_log(&logs.items[0], &arena) ||
            !strstr(logs.items[0].fault, rows[i / 2].fault))
            fail_msg("%s: %s", rows[i / 2].why,
                     logs.items[0].fault ? logs.items[0].fault : "taken");
    }
}

/* ---- odd input ---- */

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
    assert_int_equal(must_decode(true, bytes_of("{}"), "an empty object (OTLP-41)").count, 0);
    assert_int_equal(must_decode(false, (struct bytes){0}, "no bytes (OTLP-41)").count, 0);
    assert_int_equal(must_decode(true, bytes_of("{\"resourceLogs\":[{}]}"), "no scope").count, 0);
    assert_int_equal(
        must_decode(true, bytes_of("{\"resourceLogs\":[],\"resourceSpans\":[]}"), "both").count, 0);
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
    assert_true(fixture_each(&arena, NULL, see_traces, NULL) > 40);
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
            must_decode(false, request_of(i == 4 ? none : rows[i].record), rows[i].why);
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
    const struct log_array logs = must_decode(true, bytes_of(json), "snake_case");
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
            arena_printf(&arena,
                         "{\"resourceLogs\":[{\"scopeLogs\":[{\"logRecords\":[{},{%s},{}]}]"
                         "}]}",
                         members[i]);
        const struct log_array logs = must_decode(true, bytes_of(json), members[i]);

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
    struct log_array logs = must_decode(false, request_of_log(false, &sent), "bad text");
    const struct stored_log row = must_store(&logs.items[0], "bad text");
    assert_non_null(doc_parse(&arena, row.event));
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
            request_of_log(json, &sent), &few, &arena, &logs, &err));
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
        const struct bytes body = json ? twin(name) : recording(name);
        bool done = false;

        for (size_t len = 0; len < body.len; len++) {
            struct arena part;
            struct log_array logs;
            struct err err = {0};

            arena_init(&part, ROOM);
            if (!decode(json, arena_copy(&part, (struct bytes){body.at, len}), &part, &logs, &err))
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
            done = decode(json, body, &part, &logs, &err);
            if (!done && (err.kind != ERR_TOO_LARGE || logs.count != 77))
                fail_msg("cap %zu: kind %d \"%s\"", cap, (int)err.kind, err.text);
            arena_done(&part);
        }
    }
}

static void makes_rows_within_any_cap(void **state)
{
    struct log_array logs = must_decode(false, recording("python-openai_v2-legacy_chat"), "legacy");
    bool done = false;

    (void)state;
    assert_true(otlp_check_log(&logs.items[0], &arena));
    for (size_t cap = 0; !done; cap += 32) {
        struct stored_log row = {.span_id = 77};
        struct err err = {0};
        struct arena part;

        arena_init(&part, cap);
        done = otlp_log_to_stored(&logs.items[0], 1, 1, &part, &row, &err);
        assert_true(done || (err.kind == ERR_TOO_LARGE && row.span_id == 77));
        arena_done(&part);
    }
}

/* ---- beside the span ---- */

static const struct attribute *find(const struct event *event, const char *key)
{
    for (uint32_t i = 0; i < event->attributes.count; i++)
        if (bytes_is(event->attributes.items[i].key, key))
            return &event->attributes.items[i];
    return NULL;
}

static void joins_the_events_of_a_span(void **state)
{
    struct log_array logs = must_decode(false, recording("python-openai_v2-legacy_chat"), "legacy");
    struct event own = {.name = BYTES_LITERAL("own"), .time_unix_nano = 9};
    struct span span = {.events = &own, .event_count = 1};
    struct stored_span row = {0};
    struct err err = {0};
    struct buf list;

    (void)state;
    assert_true(otlp_add_log_events(&row, &arena, &span, &err)); /* none */
    assert_int_equal(span.event_count, 1);
    buf_init(&list, 1 << 20);
    for (size_t i = 0; i < logs.count; i++) {
        const struct stored_log log = must_store(&logs.items[i], "legacy");
        buf_add_byte(&list, i ? ',' : '[');
        buf_add_bytes(&list, log.event);
    }
    buf_add_byte(&list, ']');
    row.log_events = buf_bytes(&list);
    assert_true(otlp_add_log_events(&row, &arena, &span, &err));
    assert_int_equal(span.event_count, 4);
    assert_true(bytes_is(span.events[0].name, "own"));
    assert_true(bytes_is(span.events[2].name, "gen_ai.user.message"));
    /* As a span event of that name has it: in its attributes. */
    assert_non_null(find(&span.events[2], "content"));
    assert_non_null(find(&span.events[2], OTLP_LOG_BODY));
    assert_int_equal(find(&span.events[3], "message")->value.kind, VALUE_KVLIST);
    assert_non_null(find(&span.events[3], "finish_reason"));
    row.log_events = BYTES_LITERAL("[{");
    assert_false(otlp_add_log_events(&row, &arena, &span, &err));
    assert_int_equal(err.kind, ERR_INTERNAL);
    buf_done(&list);
}

static void attributes_stand_before_members_of_the_body(void **state)
{
    struct span span = {0};
    struct stored_span row = {
        .log_events = BYTES_LITERAL(
            "[{\"name\":\"n\",\"time_unix_nano\":\"1\",\"attributes\":{\"content\":\"sent\","
            "\"log.record.body\":{\"content\":\"of the body\",\"role\":\"user\"}}}]")};
    struct err err = {0};

    (void)state;
    assert_true(otlp_add_log_events(&row, &arena, &span, &err));
    assert_true(bytes_is(find(&span.events[0], "content")->value.text, "sent"));
    assert_true(bytes_is(find(&span.events[0], "role")->value.text, "user"));
}

/* The messages that genai reads from a span with these log events; NULL: none. */
static const struct doc *messages_of(const struct stored_span *row, struct span *span)
{
    struct findings findings;
    struct meaning meaning = {0};
    struct content content = {0};
    struct err err = {0};

    if (!otlp_add_log_events(row, &arena, span, &err) ||
        !genai_find(span, FIND_FACTS | FIND_DETAILS | FIND_CONTENT, &arena, &findings, &err) ||
        !genai_content(&findings, &meaning, NULL, &content, &err))
        fail_msg("%s", err.text);
    return content.messages.len ? doc_parse(&arena, content.messages) : NULL;
}

struct scene {
    const struct log_array *logs;
    size_t told; /* spans whose messages were found */
};

static void see_spans(const struct fixture_body *body, void *context)
{
    struct scene *scene = context;
    struct span_array spans;
    struct err err;

    assert_true(otlp_from_protobuf(body->body, &limits, &arena, &spans, &err));
    for (size_t i = 0; i < spans.count; i++) {
        struct stored_span row = {0};
        struct buf list;

        buf_init(&list, 1 << 20);
        for (size_t k = 0; k < scene->logs->count; k++) {
            if (!bytes_equal(scene->logs->items[k].span_id, spans.items[i].span_id))
                continue;
            const struct stored_log log = must_store(&scene->logs->items[k], body->name);
            buf_add_byte(&list, list.len ? ',' : '[');
            buf_add_bytes(&list, log.event);
        }
        if (list.len > 0)
            buf_add_byte(&list, ']');
        row.log_events = arena_copy(&arena, buf_bytes(&list));
        if (list.len > 0) {
            const struct doc *messages = messages_of(&row, &spans.items[i]);
            if (doc_count(messages) == 0)
                fail_msg("%s: span %zu has no messages", body->name, i);
            scene->told++;
        }
        buf_done(&list);
    }
}

static void content_is_read_from_the_logs_of_a_span(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(recordings); i++) {
        const struct log_array logs = must_decode(false, recording(recordings[i]), recordings[i]);
        struct scene scene = {.logs = &logs};

        (void)fixture_each(&arena, recordings[i], see_spans, &scene);
        assert_true(scene.told > 0);
    }
}

static void messages_read_as_those_of_span_events(void **state)
{
    static const struct {
        const char *why;
        const char *event;
        const char *role;
        const char *text;
    } rows[] = {
        {"a map",
         "{\"name\":\"gen_ai.user.message\",\"time_unix_nano\":\"1\",\"attributes\":{"
         "\"log.record.body\":{\"content\":\"hello\"}}}",
         "user", "hello"},
        {"a text",
         "{\"name\":\"gen_ai.user.message\",\"time_unix_nano\":\"1\",\"attributes\":{"
         "\"log.record.body\":\"hello\"}}",
         "user", "hello"},
        {"JSON as a text",
         "{\"name\":\"gen_ai.system.message\",\"time_unix_nano\":\"1\",\"attributes\":{"
         "\"log.record.body\":\"{\\\"content\\\":\\\"hello\\\"}\"}}",
         "system", "hello"},
        {"a choice",
         "{\"name\":\"gen_ai.choice\",\"time_unix_nano\":\"1\",\"attributes\":{\"log.record.body\":"
         "{\"index\":0,\"finish_reason\":\"stop\",\"message\":{\"role\":\"assistant\","
         "\"content\":\"hello\"}}}}",
         "assistant", "hello"},
        {"in attributes, without a body",
         "{\"name\":\"gen_ai.user.message\",\"time_unix_nano\":\"1\",\"attributes\":{"
         "\"content\":\"hello\"}}",
         "user", "hello"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct resource resource = {0};
        const struct scope scope = {0};
        struct span span = {.resource = &resource, .scope = &scope};
        const struct stored_span row = {.log_events =
                                            bytes_of(arena_printf(&arena, "[%s]", rows[i].event))};
        const struct doc *messages = messages_of(&row, &span);
        const struct doc *message = doc_item(messages, 0);

        if (doc_count(messages) != 1 || strcmp(doc_at(message, "role", NULL), rows[i].role) != 0 ||
            !strstr(doc_sorted(&arena, message), rows[i].text))
            fail_msg("%s: %s", rows[i].why,
                     messages ? doc_sorted(&arena, messages) : "no messages");
    }
}

static int free_arena(void **state)
{
    (void)state;
    arena_done(&arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(takes_every_recording_and_its_twin_as_one, fresh_arena),
        cmocka_unit_test_setup(keeps_what_the_record_says, fresh_arena),
        cmocka_unit_test_setup(keeps_severity_and_observed_time, fresh_arena),
        cmocka_unit_test_setup(clamps_times_beyond_the_column, fresh_arena),
        cmocka_unit_test_setup(takes_genai_events_and_no_others, fresh_arena),
        cmocka_unit_test_setup(wants_a_span_and_a_time, fresh_arena),
        cmocka_unit_test_setup(refuses_bodies_that_are_no_request, fresh_arena),
        cmocka_unit_test_setup(refuses_recorded_traces_and_metrics, fresh_arena),
        cmocka_unit_test_setup(refuses_what_is_no_protobuf, fresh_arena),
        cmocka_unit_test_setup(reads_what_protobuf_allows, fresh_arena),
        cmocka_unit_test_setup(reads_both_spellings_and_skips_unknown_keys, fresh_arena),
        cmocka_unit_test_setup(faults_of_one_record_are_its_own, fresh_arena),
        cmocka_unit_test_setup(repairs_text_that_postgresql_refuses, fresh_arena),
        cmocka_unit_test_setup(bounds_depth_and_attributes, fresh_arena),
        cmocka_unit_test_setup(fails_cleanly_when_cut_or_out_of_memory, fresh_arena),
        cmocka_unit_test_setup(makes_rows_within_any_cap, fresh_arena),
        cmocka_unit_test_setup(joins_the_events_of_a_span, fresh_arena),
        cmocka_unit_test_setup(attributes_stand_before_members_of_the_body, fresh_arena),
        cmocka_unit_test_setup(content_is_read_from_the_logs_of_a_span, fresh_arena),
        cmocka_unit_test_setup(messages_read_as_those_of_span_events, fresh_arena),
    };

    return cmocka_run_group_tests(tests, NULL, free_arena);
}
