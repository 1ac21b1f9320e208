/* Which log records are taken, their rows, and the events that they become beside their span (OTLP-92, 111, 115 for logs). */
#include "test.h"

#include <stdio.h>

#include "base/text.h"
#include "genai/content.h"
#include "otlp/stored.h"
#include "support/fixture.h"
#include "support/logs_case.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

/* OTLP-92 */
static void takes_every_recording_and_its_twin_as_one(void **state)
{
    (void)state;
    for (size_t i = 0; i < LOGS_RECORDINGS; i++) {
        struct log_array sent =
            logs_must_decode(false, logs_recording(logs_recordings[i]), logs_recordings[i]);
        struct log_array again =
            logs_must_decode(true, logs_twin(logs_recordings[i]), logs_recordings[i]);

        assert_true(sent.count > 0);
        assert_int_equal(sent.count, again.count);
        for (size_t k = 0; k < sent.count; k++) {
            const struct stored_log a = logs_must_store(&sent.items[k], logs_recordings[i]);
            const struct stored_log b = logs_must_store(&again.items[k], logs_recordings[i]);

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
    const struct doc *event = doc_parse(&logs_arena, row->event);

    assert_non_null(event);
    return event;
}

static void keeps_what_the_record_says(void **state)
{
    struct log_array logs =
        logs_must_decode(false, logs_recording("python-openai_v2-legacy_chat"), "legacy");
    static const char *const names[] = {"gen_ai.system.message", "gen_ai.user.message",
                                        "gen_ai.choice"};

    (void)state;
    assert_int_equal(logs.count, 3);
    for (size_t i = 0; i < 3; i++) {
        const struct stored_log row = logs_must_store(&logs.items[i], names[i]);
        const struct doc *event = event_of(&row);

        assert_string_equal(doc_at(event, "name", NULL), names[i]);
        assert_string_equal(doc_at(event, "source", NULL), "log");
        assert_true(doc_int_at(event, "time_unix_nano", NULL) == row.time_unix_ns);
        assert_string_equal(doc_at(event, "attributes", "gen_ai.system", NULL), "openai");
        assert_true(doc_count(doc_walk(event, "attributes", OTLP_LOG_BODY, NULL)) > 0);
    }
    const struct stored_log choice = logs_must_store(&logs.items[2], "choice");
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
    struct log_array logs = logs_must_decode(true, logs_request_of(true, &log), "observed only");
    assert_int_equal(logs.items[0].flags, 1);
    struct stored_log row = logs_must_store(&logs.items[0], "observed only");
    assert_true(row.time_unix_ns == 1700000000000000001);
    assert_string_equal(doc_at(event_of(&row), "time_unix_nano", NULL), "1700000000000000001");
    assert_int_equal(doc_int_at(event_of(&row), "attributes", OTLP_LOG_SEVERITY_NUMBER, NULL), 9);
    assert_string_equal(doc_at(event_of(&row), "attributes", OTLP_LOG_SEVERITY_TEXT, NULL), "INFO");
    assert_null(doc_walk(event_of(&row), "attributes", OTLP_LOG_OBSERVED_TIME, NULL));
    log.time_unix_nano = 1600000000000000000;
    logs = logs_must_decode(true, logs_request_of(true, &log), "both times");
    row = logs_must_store(&logs.items[0], "both times");
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
        struct log_array logs =
            logs_must_decode(json, logs_request_of(json, &log), "the last time");
        const struct stored_log row = logs_must_store(&logs.items[0], "the last time");
        assert_true(row.time_unix_ns == INT64_MAX);
        assert_string_equal(doc_at(event_of(&row), "time_unix_nano", NULL), "18446744073709551615");
    }
}

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
        struct log_array logs = logs_must_decode(true, logs_request_of(true, &sent), rows[i].why);
        struct log_record *log = &logs.items[0];
        const bool taken = otlp_check_log(log, &logs_arena);

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
        struct log_array logs =
            logs_must_decode(i % 2, logs_request_of(i % 2, &sent), rows[i / 2].why);
        if (otlp_check_log(&logs.items[0], &logs_arena) ||
            !strstr(logs.items[0].fault, rows[i / 2].fault))
            fail_msg("%s: %s", rows[i / 2].why,
                     logs.items[0].fault ? logs.items[0].fault : "taken");
    }
}

static void makes_rows_within_any_cap(void **state)
{
    struct log_array logs =
        logs_must_decode(false, logs_recording("python-openai_v2-legacy_chat"), "legacy");
    bool done = false;

    (void)state;
    assert_true(otlp_check_log(&logs.items[0], &logs_arena));
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

static const struct attribute *find(const struct event *event, const char *key)
{
    for (uint32_t i = 0; i < event->attributes.count; i++)
        if (bytes_is(event->attributes.items[i].key, key))
            return &event->attributes.items[i];
    return NULL;
}

static void joins_the_events_of_a_span(void **state)
{
    struct log_array logs =
        logs_must_decode(false, logs_recording("python-openai_v2-legacy_chat"), "legacy");
    struct event own = {.name = BYTES_LITERAL("own"), .time_unix_nano = 9};
    struct span span = {.events = &own, .event_count = 1};
    struct stored_span row = {0};
    struct err err = {0};
    struct buf list;

    (void)state;
    assert_true(otlp_add_log_events(&row, &logs_arena, &span, &err)); /* none */
    assert_int_equal(span.event_count, 1);
    buf_init(&list, 1 << 20);
    for (size_t i = 0; i < logs.count; i++) {
        const struct stored_log log = logs_must_store(&logs.items[i], "legacy");
        buf_add_byte(&list, i ? ',' : '[');
        buf_add_bytes(&list, log.event);
    }
    buf_add_byte(&list, ']');
    row.log_events = buf_bytes(&list);
    assert_true(otlp_add_log_events(&row, &logs_arena, &span, &err));
    assert_int_equal(span.event_count, 4);
    assert_true(bytes_is(span.events[0].name, "own"));
    assert_true(bytes_is(span.events[2].name, "gen_ai.user.message"));
    /* As a span event of that name has it: in its attributes. */
    assert_non_null(find(&span.events[2], "content"));
    assert_non_null(find(&span.events[2], OTLP_LOG_BODY));
    assert_int_equal(find(&span.events[3], "message")->value.kind, VALUE_KVLIST);
    assert_non_null(find(&span.events[3], "finish_reason"));
    row.log_events = BYTES_LITERAL("[{");
    assert_false(otlp_add_log_events(&row, &logs_arena, &span, &err));
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
    assert_true(otlp_add_log_events(&row, &logs_arena, &span, &err));
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

    if (!otlp_add_log_events(row, &logs_arena, span, &err) ||
        !genai_find(span, FIND_FACTS | FIND_DETAILS | FIND_CONTENT, &logs_arena, &findings, &err) ||
        !genai_content(&findings, &meaning, NULL, &content, &err))
        fail_msg("%s", err.text);
    return content.messages.len ? doc_parse(&logs_arena, content.messages) : NULL;
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

    assert_true(otlp_from_protobuf(body->body, &logs_limits, &logs_arena, &spans, &err));
    for (size_t i = 0; i < spans.count; i++) {
        struct stored_span row = {0};
        struct buf list;

        buf_init(&list, 1 << 20);
        for (size_t k = 0; k < scene->logs->count; k++) {
            if (!bytes_equal(scene->logs->items[k].span_id, spans.items[i].span_id))
                continue;
            const struct stored_log log = logs_must_store(&scene->logs->items[k], body->name);
            buf_add_byte(&list, list.len ? ',' : '[');
            buf_add_bytes(&list, log.event);
        }
        if (list.len > 0)
            buf_add_byte(&list, ']');
        row.log_events = arena_copy(&logs_arena, buf_bytes(&list));
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
    for (size_t i = 0; i < LOGS_RECORDINGS; i++) {
        const struct log_array logs =
            logs_must_decode(false, logs_recording(logs_recordings[i]), logs_recordings[i]);
        struct scene scene = {.logs = &logs};

        (void)fixture_each(&logs_arena, logs_recordings[i], see_spans, &scene);
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
        const struct stored_span row = {
            .log_events = bytes_of(arena_printf(&logs_arena, "[%s]", rows[i].event))};
        const struct doc *messages = messages_of(&row, &span);
        const struct doc *message = doc_item(messages, 0);

        if (doc_count(messages) != 1 || strcmp(doc_at(message, "role", NULL), rows[i].role) != 0 ||
            !strstr(doc_sorted(&logs_arena, message), rows[i].text))
            fail_msg("%s: %s", rows[i].why,
                     messages ? doc_sorted(&logs_arena, messages) : "no messages");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(takes_every_recording_and_its_twin_as_one, logs_fresh),
        cmocka_unit_test_setup(keeps_what_the_record_says, logs_fresh),
        cmocka_unit_test_setup(keeps_severity_and_observed_time, logs_fresh),
        cmocka_unit_test_setup(clamps_times_beyond_the_column, logs_fresh),
        cmocka_unit_test_setup(takes_genai_events_and_no_others, logs_fresh),
        cmocka_unit_test_setup(wants_a_span_and_a_time, logs_fresh),
        cmocka_unit_test_setup(makes_rows_within_any_cap, logs_fresh),
        cmocka_unit_test_setup(joins_the_events_of_a_span, logs_fresh),
        cmocka_unit_test_setup(attributes_stand_before_members_of_the_body, logs_fresh),
        cmocka_unit_test_setup(content_is_read_from_the_logs_of_a_span, logs_fresh),
        cmocka_unit_test_setup(messages_read_as_those_of_span_events, logs_fresh),
    };

    return cmocka_run_group_tests(tests, NULL, logs_free);
}
