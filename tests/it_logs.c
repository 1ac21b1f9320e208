/* GenAI content that comes as log records, at the real binary: it stands beside its span whichever comes first. */
#include "test.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"
#include "support/fixture.h"
#include "support/logs_rig.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

static const char *const recordings[] = {
    "python-genai_openai-chat",  "python-genai_openai-error429", "python-genai_openai-responses",
    "python-genai_openai-tools", "python-google-genai-chat",     "python-openai_v2-chat",
    "python-openai_v2-error429", "python-openai_v2-legacy_chat", "python-openai_v2-tools",
};

enum way { BY_PROTOBUF, BY_GZIP, BY_JSON, BY_ZSTD_JSON, BY_GRPC, WAYS };

static void send_logs(enum way way, struct bytes message)
{
    const bool json = way == BY_JSON || way == BY_ZSTD_JSON;
    struct buf packed;

    buf_init(&packed, 64 << 20);
    if (way == BY_GZIP)
        gzip_bytes(message, &packed);
    if (way == BY_ZSTD_JSON)
        zstd_bytes(message, &packed);
    if (way == BY_GRPC) {
        struct h2_reply answer;
        h2_reply_init(&answer);
        grpc_export_to(logs_rig.server.grpc_port, GRPC_LOGS_PATH, message, "gzip", &answer);
        if (answer.status != 200 || answer.grpc_status != 0 || answer.body.len != 5)
            fail_msg("gRPC: status %d, grpc-status %d %s, %zu bytes", answer.status,
                     answer.grpc_status, answer.grpc_message, answer.body.len);
        h2_reply_done(&answer);
    } else {
        http_call(logs_rig.server.http_port, "POST",
                  way == BY_GZIP ? "/api/public/otel/v1/logs" : "/v1/logs",
                  way == BY_GZIP        ? PROTOBUF_TYPE "content-encoding: gzip\r\n"
                  : way == BY_ZSTD_JSON ? JSON_TYPE "content-encoding: zstd\r\n"
                  : json                ? JSON_TYPE
                                        : PROTOBUF_TYPE,
                  packed.len ? buf_bytes(&packed) : message, &logs_rig.reply);
        expect_success("logs", &logs_rig.reply, json);
    }
    buf_done(&packed);
}

static struct bytes file(const char *path)
{
    struct buf text;
    struct bytes copy;

    buf_init(&text, 16 << 20);
    if (!file_read(path, &text))
        fail_msg("%s cannot be read", path);
    copy = arena_copy(&logs_rig.arena, buf_bytes(&text));
    buf_done(&text);
    return copy;
}

struct recorded {
    const char *name;
    struct bytes spans; /* protobuf */
    struct bytes logs;  /* protobuf */
    struct bytes json;  /* the same logs */
    struct doc *records;
    uint8_t trace_id[16];
};

/* Replaces every `from` in text, in place. */
static void replace(struct bytes text, const void *from, const void *to, size_t len)
{
    uint8_t *at;

    for (size_t done = 0; (at = memmem(text.at + done, text.len - done, from, len));) {
        memcpy(at, to, len);
        done = (size_t)(at - text.at) + len;
    }
}

/* turn: so that each use has a trace of its own. */
static struct recorded open_recording(const char *name, uint8_t turn)
{
    struct recorded r = {.name = name};
    uint8_t old[16];

    r.spans = fixture_file(&logs_rig.arena, arena_printf(&logs_rig.arena, "%s/001.body", name));
    r.logs = fixture_file(&logs_rig.arena, arena_printf(&logs_rig.arena, "%s/logs/001.body", name));
    r.json = file(arena_printf(&logs_rig.arena, "tests/data/logs/%s.json", name));
    struct doc *scope =
        doc_item(doc_get(doc_item(doc_get(doc_parse(&logs_rig.arena, r.json), "resourceLogs"), 0),
                         "scopeLogs"),
                 0);
    r.records = doc_get(scope, "logRecords");
    assert_true(text_unhex(bytes_of(doc_at(doc_item(r.records, 0), "traceId", NULL)), old));
    memcpy(r.trace_id, old, 16);
    r.trace_id[0] ^= (uint8_t)(turn + 1);
    replace(r.spans, old, r.trace_id, 16);
    replace(r.logs, old, r.trace_id, 16);
    replace(r.json, hex_of(old, 16), hex_of(r.trace_id, 16), 32);
    return r;
}

static void send_spans(const struct recorded *r)
{
    http_export(logs_rig.server.http_port, false, r->spans, &logs_rig.reply);
    expect_success(r->name, &logs_rig.reply, false);
}

/* What an AnyValue of OTLP/JSON looks like in the API. */
static struct doc *plain(const struct doc *value)
{
    struct doc *whole;
    struct doc *item;

    if (doc_get(value, "intValue"))
        return doc_number(&logs_rig.arena, doc_at(value, "intValue", NULL));
    if (doc_get(value, "arrayValue")) {
        whole = doc_new(&logs_rig.arena, DOC_ARRAY);
        DOC_EACH(i, item, doc_walk(value, "arrayValue", "values", NULL))
        {
            doc_append(&logs_rig.arena, whole, plain(item));
        }
        return whole;
    }
    if (doc_get(value, "kvlistValue")) {
        whole = doc_new(&logs_rig.arena, DOC_OBJECT);
        DOC_EACH(i, item, doc_walk(value, "kvlistValue", "values", NULL))
        {
            doc_set(&logs_rig.arena, whole, doc_at(item, "key", NULL),
                    plain(doc_get(item, "value")));
        }
        return whole;
    }
    return value->count ? value->items[0] : doc_new(&logs_rig.arena, DOC_NULL);
}

static bool has_event(const struct doc *span, const struct doc *record)
{
    struct doc *event;
    struct doc *attribute;

    DOC_EACH(i, event, doc_get(span, "events"))
    {
        const struct doc *have = doc_get(event, "attributes");
        bool same = strcmp(doc_at(event, "name", NULL), doc_at(record, "eventName", NULL)) == 0 &&
                    strcmp(doc_at(event, "time_unix_nano", NULL),
                           doc_at(record, "observedTimeUnixNano", NULL)) == 0 &&
                    strcmp(doc_at(event, "source", NULL), "log") == 0 &&
                    doc_at(event, "time", NULL)[0] != '\0';
        DOC_EACH(k, attribute, doc_get(record, "attributes"))
        {
            const struct doc *found = doc_get(have, doc_at(attribute, "key", NULL));
            same = same && found &&
                   doc_equal(&logs_rig.arena, found, plain(doc_get(attribute, "value")));
        }
        if (doc_count(doc_get(record, "body")))
            same = same && doc_get(have, "log.record.body") &&
                   doc_equal(&logs_rig.arena, doc_get(have, "log.record.body"),
                             plain(doc_get(record, "body")));
        if (same)
            return true;
    }
    return false;
}

/* Every record stands at its span, in the trace and alone, and nowhere else. */
static void expect_records(const struct recorded *r, const char *why)
{
    const struct doc *trace =
        get_trace(&logs_rig.arena, logs_rig.server.http_port, r->trace_id, "");
    struct doc *record;
    struct doc *span;
    size_t count = 0;

    DOC_EACH(i, record, r->records)
    {
        const char *span_id = doc_at(record, "spanId", NULL);
        const struct doc *in_trace = NULL;
        DOC_EACH(k, span, doc_get(trace, "spans"))
        {
            if (strcmp(doc_at(span, "span_id", NULL), span_id) == 0)
                in_trace = span;
        }
        if (!in_trace || !has_event(in_trace, record) ||
            !has_event(logs_rig_span(r->trace_id, span_id), record))
            fail_msg("%s, %s: record %zu is not at its span %s", r->name, why, i, span_id);
    }
    DOC_EACH(k, span, doc_get(trace, "spans"))
    {
        count += logs_rig_events(span);
    }
    if (count != doc_count(r->records))
        fail_msg("%s, %s: %zu events of logs, want %zu", r->name, why, count,
                 doc_count(r->records));
}

static const char *otlp_of(const struct recorded *r)
{
    return doc_sorted(&logs_rig.arena, get_trace(&logs_rig.arena, logs_rig.server.http_port,
                                                 r->trace_id, "?format=otlp"));
}

/* OTLP-92: in every encoding and by every way, before and after the spans, again and again */
static void content_stands_at_its_span_whichever_comes_first(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(recordings); i++) {
        for (int way = 0; way < WAYS; way++) {
            struct recorded r = open_recording(recordings[i], (uint8_t)way);
            const bool json = way == BY_JSON || way == BY_ZSTD_JSON;
            const char *before = NULL;
            if ((i + (size_t)way) % 2) {
                send_spans(&r);
                before = otlp_of(&r);
                send_logs((enum way)way, json ? r.json : r.logs);
            } else {
                send_logs((enum way)way, json ? r.json : r.logs);
                send_spans(&r);
            }
            expect_records(&r, (i + (size_t)way) % 2 ? "after its spans" : "before its spans");
            send_logs(json ? BY_GRPC : BY_JSON, json ? r.logs : r.json);
            send_spans(&r);
            send_logs((enum way)way, json ? r.json : r.logs);
            expect_records(&r, "sent again");
            /* What was sent as spans is given back as it was. */
            if (before && strcmp(before, otlp_of(&r)) != 0)
                fail_msg("%s: the spans themselves have changed", r.name);
        }
    }
    assert_int_equal(logs_rig_number("SELECT count(*) FROM spanledger.span_log"),
                     (int64_t)WAYS * 16 /* records of all recordings */);
    assert_true(metric(logs_rig.server.http_port,
                       "spanledger_log_records_total{outcome=\"duplicate\"}") >= 2 * 16 * WAYS);
}

static const char *messages_of(const struct recorded *r, const char *span_id)
{
    return doc_sorted(&logs_rig.arena, doc_get(logs_rig_span(r->trace_id, span_id), "messages"));
}

/* Of one recording the messages came as log records alone, all others have them twice: at the span
 * too. They are shown once. */
static void messages_are_read_from_the_logs_of_a_span(void **state)
{
    static const char *const roles[] = {"system", "user", "assistant"};

    (void)state;
    for (size_t i = 0; i < COUNT(recordings); i++) {
        struct recorded r = open_recording(recordings[i], 150);
        const bool only_in_logs = strcmp(r.name, "python-openai_v2-legacy_chat") == 0;
        const char *span_id = doc_at(doc_item(r.records, 0), "spanId", NULL);
        send_spans(&r);
        const char *before = messages_of(&r, span_id);
        send_logs(BY_PROTOBUF, r.logs);
        send_logs(BY_JSON, r.json);
        const char *after = messages_of(&r, span_id);
        if (strcmp(before, "[]") == 0 ? !only_in_logs : strcmp(before, after) != 0)
            fail_msg("%s: messages were %s, are %s", r.name, before, after);
        if (!only_in_logs)
            continue;
        const struct doc *messages = doc_parse(&logs_rig.arena, bytes_of(after));
        assert_int_equal(doc_count(messages), COUNT(roles));
        for (size_t k = 0; k < COUNT(roles); k++)
            assert_string_equal(doc_at(doc_item(messages, k), "role", NULL), roles[k]);
        assert_non_null(strstr(after, "How is the weather in Oslo?"));
    }
}

static void *send_beside(void *arg)
{
    const struct recorded *r = arg;
    struct reply own;

    reply_init(&own);
    http_call(logs_rig.server.http_port, "POST", "/v1/logs", PROTOBUF_TYPE, r->logs, &own);
    reply_done(&own);
    return NULL;
}

static void content_comes_at_the_same_moment(void **state)
{
    (void)state;
    for (uint8_t turn = 0; turn < 20; turn++) {
        struct recorded r = open_recording(recordings[turn % COUNT(recordings)], 100 + turn);
        pthread_t beside[2];
        for (size_t i = 0; i < 2; i++)
            assert_int_equal(pthread_create(&beside[i], NULL, send_beside, &r), 0);
        send_spans(&r);
        for (size_t i = 0; i < 2; i++)
            (void)pthread_join(beside[i], NULL);
        expect_records(&r, "beside its spans");
    }
}

/* OTLP-10, OTLP-102 */
static void refuses_bodies_of_other_signals(void **state)
{
    struct recorded r = open_recording("python-openai_v2-chat", 200);

    (void)state;
    logs_rig_post(false, r.spans);
    expect_error("spans among logs", &logs_rig.reply, 400, false);
    assert_non_null(memmem(logs_rig.reply.body.at, logs_rig.reply.body.len, "/v1/traces", 10));
    logs_rig_post(true, BYTES_LITERAL("{\"resourceSpans\":[{\"scopeSpans\":[]}]}"));
    expect_error("spans among logs in JSON", &logs_rig.reply, 400, true);
    http_export(logs_rig.server.http_port, false, r.logs, &logs_rig.reply);
    expect_error("logs among spans", &logs_rig.reply, 400, false);
    logs_rig_post(false, (struct bytes){r.logs.at, r.logs.len - 1});
    expect_error("a part of a body", &logs_rig.reply, 400, false);
    http_call(logs_rig.server.http_port, "POST", "/v1/metrics", JSON_TYPE, BYTES_LITERAL("{}"),
              &logs_rig.reply);
    expect_error("metrics", &logs_rig.reply, 404, true);
    assert_int_equal(stored_spans(logs_rig.server.http_port, r.trace_id), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(content_stands_at_its_span_whichever_comes_first, logs_rig_clear),
        cmocka_unit_test_setup(messages_are_read_from_the_logs_of_a_span, logs_rig_clear),
        cmocka_unit_test_setup(content_comes_at_the_same_moment, logs_rig_clear),
        cmocka_unit_test_setup(refuses_bodies_of_other_signals, logs_rig_clear),
    };

    return cmocka_run_group_tests(tests, logs_rig_start, logs_rig_stop);
}
