/* Log records at the real binary: GenAI content beside its span whichever comes first, everything
 * else refused by name (OTLP-10, 40, 43 … 48, 92, 111 for logs). */
#include "test.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/text.h"
#include "store/log_rows.h"
#include "support/expect.h"
#include "support/fixture.h"
#include "support/logs.h"
#include "support/server.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))
#define JSON_TYPE "content-type: application/json\r\n"
#define PROTOBUF_TYPE "content-type: application/x-protobuf\r\n"

static struct server server;
static struct reply reply;
static struct arena arena;
static struct buf body;
static struct db db;

static const char *const recordings[] = {
    "python-genai_openai-chat",  "python-genai_openai-error429", "python-genai_openai-responses",
    "python-genai_openai-tools", "python-google-genai-chat",     "python-openai_v2-chat",
    "python-openai_v2-error429", "python-openai_v2-legacy_chat", "python-openai_v2-tools",
};

static int start(void **state)
{
    char conninfo[512];
    struct err err;

    (void)state;
    reply_init(&reply);
    arena_init(&arena, (size_t)1 << 30);
    buf_init(&body, (size_t)64 << 20);
    return server_up(&server, NULL) && server_conninfo(&server, conninfo, sizeof(conninfo)) &&
                   db_open(&db, conninfo, DB_ADMIN, 0, &err)
               ? 0
               : -1;
}

static int stop(void **state)
{
    (void)state;
    db_close(&db);
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

static int64_t number(const char *sql)
{
    DB_RESULT res = PQexec(db.conn, sql);
    int64_t found = -1;

    if (PQresultStatus(res) != PGRES_TUPLES_OK ||
        !text_int64(bytes_of(PQgetvalue(res, 0, 0)), &found))
        fail_msg("%s: %s", sql, PQresultErrorMessage(res));
    return found;
}

/* ---- ways to send ---- */

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
        grpc_export_to(server.grpc_port, GRPC_LOGS_PATH, message, "gzip", &answer);
        if (answer.status != 200 || answer.grpc_status != 0 || answer.body.len != 5)
            fail_msg("gRPC: status %d, grpc-status %d %s, %zu bytes", answer.status,
                     answer.grpc_status, answer.grpc_message, answer.body.len);
        h2_reply_done(&answer);
    } else {
        http_call(server.http_port, "POST",
                  way == BY_GZIP ? "/api/public/otel/v1/logs" : "/v1/logs",
                  way == BY_GZIP        ? PROTOBUF_TYPE "content-encoding: gzip\r\n"
                  : way == BY_ZSTD_JSON ? JSON_TYPE "content-encoding: zstd\r\n"
                  : json                ? JSON_TYPE
                                        : PROTOBUF_TYPE,
                  packed.len ? buf_bytes(&packed) : message, &reply);
        expect_success("logs", &reply, json);
    }
    buf_done(&packed);
}

static void post_logs(bool json, struct bytes message)
{
    http_call(server.http_port, "POST", "/v1/logs", json ? JSON_TYPE : PROTOBUF_TYPE, message,
              &reply);
}

static struct bytes file(const char *path)
{
    struct buf text;
    struct bytes copy;

    buf_init(&text, 16 << 20);
    if (!file_read(path, &text))
        fail_msg("%s cannot be read", path);
    copy = arena_copy(&arena, buf_bytes(&text));
    buf_done(&text);
    return copy;
}

/* ---- a recording, under a trace id of its own ---- */

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

    r.spans = fixture_file(&arena, arena_printf(&arena, "%s/001.body", name));
    r.logs = fixture_file(&arena, arena_printf(&arena, "%s/logs/001.body", name));
    r.json = file(arena_printf(&arena, "tests/data/logs/%s.json", name));
    struct doc *scope = doc_item(
        doc_get(doc_item(doc_get(doc_parse(&arena, r.json), "resourceLogs"), 0), "scopeLogs"), 0);
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
    http_export(server.http_port, false, r->spans, &reply);
    expect_success(r->name, &reply, false);
}

/* What an AnyValue of OTLP/JSON looks like in the API. */
static struct doc *plain(const struct doc *value)
{
    struct doc *whole;
    struct doc *item;

    if (doc_get(value, "intValue"))
        return doc_number(&arena, doc_at(value, "intValue", NULL));
    if (doc_get(value, "arrayValue")) {
        whole = doc_new(&arena, DOC_ARRAY);
        DOC_EACH(i, item, doc_walk(value, "arrayValue", "values", NULL))
        {
            doc_append(&arena, whole, plain(item));
        }
        return whole;
    }
    if (doc_get(value, "kvlistValue")) {
        whole = doc_new(&arena, DOC_OBJECT);
        DOC_EACH(i, item, doc_walk(value, "kvlistValue", "values", NULL))
        {
            doc_set(&arena, whole, doc_at(item, "key", NULL), plain(doc_get(item, "value")));
        }
        return whole;
    }
    return value->count ? value->items[0] : doc_new(&arena, DOC_NULL);
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
            same = same && found && doc_equal(&arena, found, plain(doc_get(attribute, "value")));
        }
        if (doc_count(doc_get(record, "body")))
            same =
                same && doc_get(have, "log.record.body") &&
                doc_equal(&arena, doc_get(have, "log.record.body"), plain(doc_get(record, "body")));
        if (same)
            return true;
    }
    return false;
}

static size_t events_of_logs(const struct doc *span)
{
    struct doc *event;
    size_t count = 0;

    DOC_EACH(i, event, doc_get(span, "events"))
    {
        count += strcmp(doc_at(event, "source", NULL), "log") == 0;
    }
    return count;
}

static struct doc *get_span(const uint8_t trace_id[16], const char *span_id)
{
    return get_doc(&arena, server.http_port,
                   arena_printf(&arena, "/api/v1/spans/%s/%s", hex_of(trace_id, 16), span_id));
}

/* Every record stands at its span, in the trace and alone, and nowhere else. */
static void expect_records(const struct recorded *r, const char *why)
{
    const struct doc *trace = get_trace(&arena, server.http_port, r->trace_id, "");
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
            !has_event(get_span(r->trace_id, span_id), record))
            fail_msg("%s, %s: record %zu is not at its span %s", r->name, why, i, span_id);
    }
    DOC_EACH(k, span, doc_get(trace, "spans"))
    {
        count += events_of_logs(span);
    }
    if (count != doc_count(r->records))
        fail_msg("%s, %s: %zu events of logs, want %zu", r->name, why, count,
                 doc_count(r->records));
}

static const char *otlp_of(const struct recorded *r)
{
    return doc_sorted(&arena, get_trace(&arena, server.http_port, r->trace_id, "?format=otlp"));
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
    assert_int_equal(number("SELECT count(*) FROM spanledger.span_log"),
                     (int64_t)WAYS * 16 /* records of all recordings */);
    assert_true(metric(server.http_port, "spanledger_log_records_total{outcome=\"duplicate\"}") >=
                2 * 16 * WAYS);
}

static const char *messages_of(const struct recorded *r, const char *span_id)
{
    return doc_sorted(&arena, doc_get(get_span(r->trace_id, span_id), "messages"));
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
        const struct doc *messages = doc_parse(&arena, bytes_of(after));
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
    http_call(server.http_port, "POST", "/v1/logs", PROTOBUF_TYPE, r->logs, &own);
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

/* ---- what is not taken ---- */

/* OTLP-43, OTLP-44, OTLP-48 */
static void refuses_other_records_by_name_and_takes_the_rest(void **state)
{
    (void)state;
    for (int json = 0; json < 2; json++) {
        struct test_ids ids, other;
        char message[1100];
        test_ids_next(&ids);
        test_ids_next(&other);
        struct test_span span = test_span_of(&ids, "chat");
        struct test_log logs[] = {
            test_log_of(&ids, "first"),   test_log_of(&ids, "no event"),
            test_log_of(&ids, "second"),  test_log_of(&ids, "other event"),
            test_log_of(&ids, "no span"),
        };
        logs[1].event = NULL;
        logs[3].event = "app.startup";
        logs[4].span_id.len = 0;
        buf_clear(&body);
        (json ? json_log_request : pb_log_request)(&body, logs, COUNT(logs));
        post_logs(json, buf_bytes(&body));
        if (json) {
            const struct doc *partial =
                doc_get(doc_parse(&arena, buf_bytes(&reply.body)), "partialSuccess");
            assert_int_equal(reply.status, 200);
            assert_string_equal(doc_at(partial, "rejectedLogRecords", NULL), "3");
            (void)snprintf(message, sizeof(message), "%s", doc_at(partial, "errorMessage", NULL));
        } else {
            expect_partial("a mixed request", &reply, false, 3, message);
        }
        assert_non_null(strstr(message, "log_records[1]: no event name"));
        assert_non_null(strstr(message, "log_records[3]: event 'app.startup'"));
        assert_non_null(strstr(message, "log_records[4]: span_id has 0 bytes, want 8"));
        assert_non_null(strstr(message, "gen_ai.*"));
        buf_clear(&body);
        pb_request(&body, "test-service", &span, 1);
        http_export(server.http_port, false, buf_bytes(&body), &reply);
        expect_success("its span", &reply, false);
        assert_int_equal(events_of_logs(get_span(ids.trace_id, hex_of(ids.span_id, 8))), 2);
        assert_int_equal(stored_spans(server.http_port, other.trace_id), 0);
    }
}

/* OTLP-31: a whole batch of ordinary logs is answered briefly, and is no error */
static void refuses_ordinary_logs_in_bulk(void **state)
{
    static struct test_log logs[5000];
    struct test_ids ids;
    const int64_t rejected =
        metric(server.http_port, "spanledger_log_records_total{outcome=\"rejected\"}");

    (void)state;
    test_ids_next(&ids);
    for (size_t i = 0; i < COUNT(logs); i++) {
        logs[i] = test_log_of(&ids, NULL);
        logs[i].event = NULL;
        logs[i].text = "GET / 200";
    }
    pb_log_request(&body, logs, COUNT(logs));
    post_logs(false, buf_bytes(&body));
    expect_partial("5,000 ordinary records", &reply, false, COUNT(logs), NULL);
    assert_true(reply.body.len < 2048);
    assert_int_equal(metric(server.http_port, "spanledger_log_records_total{outcome=\"rejected\"}"),
                     rejected + (int64_t)COUNT(logs));
}

/* OTLP-10, OTLP-102 */
static void refuses_bodies_of_other_signals(void **state)
{
    struct recorded r = open_recording("python-openai_v2-chat", 200);

    (void)state;
    post_logs(false, r.spans);
    expect_error("spans among logs", &reply, 400, false);
    assert_non_null(memmem(reply.body.at, reply.body.len, "/v1/traces", 10));
    post_logs(true, BYTES_LITERAL("{\"resourceSpans\":[{\"scopeSpans\":[]}]}"));
    expect_error("spans among logs in JSON", &reply, 400, true);
    http_export(server.http_port, false, r.logs, &reply);
    expect_error("logs among spans", &reply, 400, false);
    post_logs(false, (struct bytes){r.logs.at, r.logs.len - 1});
    expect_error("a part of a body", &reply, 400, false);
    http_call(server.http_port, "POST", "/v1/metrics", JSON_TYPE, BYTES_LITERAL("{}"), &reply);
    expect_error("metrics", &reply, 404, true);
    assert_int_equal(stored_spans(server.http_port, r.trace_id), 0);
}

/* ---- bounds ---- */

static void bounds_the_records_of_a_trace(void **state)
{
    static struct test_log logs[LOG_ROWS_PER_TRACE + 3];
    struct test_ids ids;
    char message[1100];

    (void)state;
    test_ids_next(&ids);
    for (size_t i = 0; i < COUNT(logs); i++) {
        logs[i] = test_log_of(&ids, "one of many");
        logs[i].time_unix_nano += i;
    }
    pb_log_request(&body, logs, COUNT(logs));
    for (int again = 0; again < 2; again++) {
        post_logs(false, buf_bytes(&body));
        expect_partial("three more than fit", &reply, false, 3, message);
        assert_non_null(strstr(message, "log_records[10000]: its trace has as many"));
    }
    buf_clear(&body);
    pb_log_request(&body, logs, LOG_ROWS_PER_TRACE); /* those that are there are no news */
    post_logs(false, buf_bytes(&body));
    expect_success("sent again", &reply, false);
}

static void records_wait_a_day_for_their_span(void **state)
{
    struct test_ids lost, found;
    int64_t dropped = 0;
    bool more = true;
    struct err err;

    (void)state;
    test_ids_next(&lost);
    test_ids_next(&found);
    struct test_log logs[] = {test_log_of(&lost, "nobody's"), test_log_of(&found, "somebody's")};
    struct test_span span = test_span_of(&found, "chat");
    pb_log_request(&body, logs, 2);
    post_logs(false, buf_bytes(&body));
    expect_success("two records", &reply, false);
    buf_clear(&body);
    pb_request(&body, "test-service", &span, 1);
    http_export(server.http_port, false, buf_bytes(&body), &reply);
    expect_success("one span", &reply, false);

    const int64_t there = number("SELECT count(*) FROM spanledger.span_log");
    assert_true(
        log_rows_drop_lost(&db, clock_wall_ns() - 3600 * NS_PER_S, 1000, &dropped, &more, &err));
    assert_int_equal(dropped, 0); /* they have not waited for an hour */
    assert_false(more);
    more = true;
    for (int rounds = 0; more && rounds < 1000; rounds++)
        assert_true(log_rows_drop_lost(&db, clock_wall_ns() + 1, 100, &dropped, &more, &err));
    assert_false(more);
    assert_int_equal(number("SELECT count(*) FROM spanledger.span_log AS l WHERE NOT EXISTS (SELECT"
                            " FROM spanledger.span AS s WHERE s.trace_id = l.trace_id"
                            " AND s.span_id = l.span_id)"),
                     0);
    assert_true(number("SELECT count(*) FROM spanledger.span_log") < there);
    assert_int_equal(events_of_logs(get_span(found.trace_id, hex_of(found.span_id, 8))), 1);
    /* What was looked through is not looked through again. */
    assert_true(log_rows_drop_lost(&db, clock_wall_ns() + 1, 1000, &dropped, &more, &err));
    assert_int_equal(dropped, 0);
    assert_false(more);
}

/* RF-34, OTLP-43: what only the database refuses is found and rejected alone */
static void rejects_what_the_database_refuses_alone(void **state)
{
    static const size_t bad[] = {0, 41, 42, 99};
    struct test_log logs[100];
    struct test_ids ids;
    char message[1100];
    struct err err;

    (void)state;
    assert_true(db_exec(&db,
                        "CREATE FUNCTION public.refuse() RETURNS trigger LANGUAGE plpgsql AS"
                        " $$BEGIN IF NEW.event LIKE '%poison%' THEN RAISE EXCEPTION 'no'"
                        " USING ERRCODE = '22023'; END IF; RETURN NEW; END$$;"
                        "CREATE TRIGGER refuse BEFORE INSERT ON spanledger.span_log"
                        " FOR EACH ROW EXECUTE FUNCTION public.refuse()",
                        &err));
    test_ids_next(&ids);
    for (size_t i = 0; i < COUNT(logs); i++) {
        logs[i] = test_log_of(&ids, "sound");
        logs[i].time_unix_nano += i;
    }
    for (size_t i = 0; i < COUNT(bad); i++)
        logs[bad[i]].body = "poison";
    pb_log_request(&body, logs, COUNT(logs));
    post_logs(false, buf_bytes(&body));
    expect_partial("four refused by the database", &reply, false, COUNT(bad), message);
    assert_non_null(strstr(message, "log_records[41]: the database refuses a value"));
    assert_null(strstr(message, "22023"));
    assert_true(db_exec(&db, "DROP TRIGGER refuse ON spanledger.span_log", &err));
    const struct test_span span = test_span_of(&ids, "chat");
    buf_clear(&body);
    pb_request(&body, "test-service", &span, 1);
    http_export(server.http_port, false, buf_bytes(&body), &reply);
    assert_int_equal(events_of_logs(get_span(ids.trace_id, hex_of(ids.span_id, 8))),
                     COUNT(logs) - COUNT(bad));
}

/* Spans that share an id: the earliest has the content, once. */
static void spans_that_share_an_id_show_content_once(void **state)
{
    struct test_ids ids;

    (void)state;
    test_ids_next(&ids);
    struct test_span spans[2] = {test_span_of(&ids, "earlier"), test_span_of(&ids, "later")};
    struct test_log log = test_log_of(&ids, "hello");
    spans[0].start_unix_nano -= 1000000000;
    pb_request(&body, "test-service", spans, 2);
    http_export(server.http_port, false, buf_bytes(&body), &reply);
    expect_success("two spans", &reply, false);
    buf_clear(&body);
    pb_log_request(&body, &log, 1);
    post_logs(false, buf_bytes(&body));
    expect_success("a record", &reply, false);
    const struct doc *span = get_span(ids.trace_id, hex_of(ids.span_id, 8));
    assert_string_equal(doc_at(span, "name", NULL), "earlier");
    assert_int_equal(events_of_logs(span), 1);
    assert_int_equal(doc_count(doc_get(span, "same_id")), 1);
    assert_int_equal(events_of_logs(doc_item(doc_get(span, "same_id"), 0)), 0);
}

/* OTLP-115: a record of any time is stored; it is shown within 30 days of its trace */
static void takes_records_of_any_time(void **state)
{
    static const struct {
        const char *why;
        int64_t days; /* from the span's */
        size_t shown;
    } rows[] = {
        {"the day before", -1, 1},
        {"four weeks later", 28, 1},
        {"a year ago", -365, 0},
        {"in two years", 730, 0},
    };
    struct test_ids ids;

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        test_ids_next(&ids);
        struct test_span span = test_span_of(&ids, "chat");
        struct test_log log = test_log_of(&ids, "hello");
        log.time_unix_nano += (uint64_t)(rows[i].days * S_PER_DAY * NS_PER_S);
        buf_clear(&body);
        pb_log_request(&body, &log, 1);
        post_logs(false, buf_bytes(&body));
        expect_success(rows[i].why, &reply, false);
        buf_clear(&body);
        pb_request(&body, "test-service", &span, 1);
        http_export(server.http_port, false, buf_bytes(&body), &reply);
        assert_int_equal(events_of_logs(get_span(ids.trace_id, hex_of(ids.span_id, 8))),
                         rows[i].shown);
    }
    test_ids_next(&ids);
    struct test_log log = test_log_of(&ids, "the last moment");
    log.time_unix_nano = UINT64_MAX;
    buf_clear(&body);
    pb_log_request(&body, &log, 1);
    post_logs(false, buf_bytes(&body));
    expect_success("the last moment", &reply, false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(content_stands_at_its_span_whichever_comes_first, empty),
        cmocka_unit_test_setup(messages_are_read_from_the_logs_of_a_span, empty),
        cmocka_unit_test_setup(content_comes_at_the_same_moment, empty),
        cmocka_unit_test_setup(refuses_other_records_by_name_and_takes_the_rest, empty),
        cmocka_unit_test_setup(refuses_ordinary_logs_in_bulk, empty),
        cmocka_unit_test_setup(refuses_bodies_of_other_signals, empty),
        cmocka_unit_test_setup(bounds_the_records_of_a_trace, empty),
        cmocka_unit_test_setup(records_wait_a_day_for_their_span, empty),
        cmocka_unit_test_setup(rejects_what_the_database_refuses_alone, empty),
        cmocka_unit_test_setup(spans_that_share_an_id_show_content_once, empty),
        cmocka_unit_test_setup(takes_records_of_any_time, empty),
    };

    return cmocka_run_group_tests(tests, start, stop);
}
