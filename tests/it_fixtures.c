/* Every recorded export of tests/data/fixtures, posted as it was recorded to the real binary: found
 * again with all its facts, and given back as OTLP equal to what was sent, read by a decoder that
 * is not the server's (OTLP-06, OTLP-25, OTLP-60, OTLP-92, OTLP-110, OTLP-123). */
#include "test.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#include "support/client.h"
#include "support/h2client.h"
#include "support/otlpview.h"
#include "support/server.h"

#define FIXTURES "tests/data/fixtures"
#define MAX_FIXTURES 100

static struct server server;
static struct arena arena; /* of one test: emptied before each */
static char names[MAX_FIXTURES][80];
static size_t name_count;

static int compare_names(const void *a, const void *b)
{
    return strcmp(a, b);
}

static int start(void **state)
{
    DIR *dir = opendir(FIXTURES);

    arena_init(&arena, (size_t)1 << 30);
    (void)state;
    for (struct dirent *e; dir && (e = readdir(dir)) && name_count < MAX_FIXTURES;)
        if (e->d_name[0] != '.' && !strchr(e->d_name, '.'))
            (void)snprintf(names[name_count++], sizeof(names[0]), "%.79s", e->d_name);
    if (dir)
        (void)closedir(dir);
    qsort(names, name_count, sizeof(names[0]), compare_names);
    return name_count > 0 && server_up(&server, NULL) ? 0 : -1;
}

static int empty_arena(void **state)
{
    (void)state;
    arena_reset(&arena);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    server_remove(&server);
    arena_done(&arena);
    return 0;
}

/* One recorded request. */
struct recording {
    char where[200]; /* folder and number, for messages */
    struct doc *head;
    struct buf body;
};

static struct doc *load_json(const char *path)
{
    struct buf text;

    buf_init(&text, 64 << 20);
    struct doc *value = file_read(path, &text) ? doc_parse(&arena, buf_bytes(&text)) : NULL;
    buf_done(&text);
    return value;
}

/* The odd twins differ (that is what is odd), so only one of them could stand under one key: this
 * one gets a trace of its own. */
static void set_apart(struct recording *r)
{
    static const uint8_t id[] = {0xe7, 0x9e, 0x0b, 0xcd, 0x82, 0x93};
    uint8_t *at = memmem(r->body.at, r->body.len, id, sizeof(id));

    assert_non_null(at);
    at[0] = 0xe8;
}

static bool recording_open(struct recording *r, const char *folder, unsigned number)
{
    char path[260];

    (void)snprintf(r->where, sizeof(r->where), FIXTURES "/%s/%03u", folder, number);
    (void)snprintf(path, sizeof(path), "%s.json", r->where);
    r->head = load_json(path);
    if (!r->head)
        return false;
    buf_init(&r->body, 64 << 20);
    (void)snprintf(path, sizeof(path), "%s.body", r->where);
    if (!file_read(path, &r->body))
        fail_msg("%s: no body", path);
    if (strcmp(folder, "js-otel-odd-proto") == 0)
        set_apart(r);
    return true;
}

static void recording_close(struct recording *r)
{
    buf_done(&r->body);
}

static const char *recorded_header(const struct recording *r, const char *name)
{
    struct doc *pair;

    DOC_EACH(i, pair, doc_get(r->head, "headers"))
    {
        if (strcasecmp(doc_at(doc_item(pair, 0), NULL), name) == 0)
            return doc_at(doc_item(pair, 1), NULL);
    }
    return "";
}

static bool recorded_as_json(const struct recording *r)
{
    return strcmp(recorded_header(r, "content-type"), "application/json") == 0;
}

/* The recorded headers but those that this connection decides itself. */
static void recorded_headers(const struct recording *r, struct buf *out)
{
    static const char *const own[] = {"host", "connection", "content-length", "transfer-encoding"};
    struct doc *pair;

    DOC_EACH(i, pair, doc_get(r->head, "headers"))
    {
        const char *name = doc_at(doc_item(pair, 0), NULL);
        bool skip = false;
        for (size_t k = 0; k < sizeof(own) / sizeof(own[0]); k++)
            skip = skip || strcasecmp(name, own[k]) == 0;
        if (!skip)
            buf_printf(out, "%s: %s\r\n", name, doc_at(doc_item(pair, 1), NULL));
    }
}

/* Two chunks, as Node writes a body of more than one piece. */
static void send_chunked(const struct recording *r, const char *headers, struct reply *reply)
{
    struct buf out;
    struct client client;
    size_t half = r->body.len / 2;

    buf_init(&out, 64 << 20);
    buf_printf(&out, "POST %s HTTP/1.1\r\nHost: 127.0.0.1\r\n%sTransfer-Encoding: chunked\r\n\r\n",
               doc_at(r->head, "path", NULL), headers);
    buf_printf(&out, "%zx\r\n", half);
    buf_add(&out, r->body.at, half);
    buf_printf(&out, "\r\n%zX\r\n", r->body.len - half);
    buf_add(&out, r->body.at + half, r->body.len - half);
    buf_add_text(&out, "\r\n0\r\n\r\n");
    assert_true(client_open(&client, server.http_port));
    if (!client_send(&client, out.at, out.len) ||
        !client_read(&client, reply, CLIENT_WAIT_MS, false))
        reply->status = 0;
    client_close(&client);
    buf_done(&out);
}

static void send_http(const struct recording *r)
{
    struct reply reply;
    struct buf headers;

    reply_init(&reply);
    buf_init(&headers, 65536);
    recorded_headers(r, &headers);
    buf_add_byte(&headers, 0);
    if (recorded_header(r, "transfer-encoding")[0])
        send_chunked(r, (char *)headers.at, &reply);
    else
        http_call(server.http_port, "POST", doc_at(r->head, "path", NULL), (char *)headers.at,
                  buf_bytes(&r->body), &reply);
    if (reply.status != 200)
        fail_msg("%s: status %d, %.*s", r->where, reply.status, (int)reply.body.len,
                 (char *)reply.body.at);
    /* OTLP-40: full success is an empty message. */
    struct bytes want = recorded_as_json(r) ? BYTES_LITERAL("{}") : (struct bytes){0};
    if (!bytes_equal(buf_bytes(&reply.body), want))
        fail_msg("%s: body of a full success is '%.*s'", r->where, (int)reply.body.len,
                 (char *)reply.body.at);
    buf_done(&headers);
    reply_done(&reply);
}

static void send_grpc(const struct recording *r)
{
    struct h2_reply reply;

    h2_reply_init(&reply);
    grpc_export(server.grpc_port, buf_bytes(&r->body), "", &reply);
    if (reply.status != 200 || reply.grpc_status != 0)
        fail_msg("%s: status %d, grpc-status %d %s", r->where, reply.status, reply.grpc_status,
                 reply.grpc_message);
    assert_int_equal(reply.body.len, 5); /* OTLP-40: the empty frame */
    h2_reply_done(&reply);
}

static void send_recording(const struct recording *r)
{
    if (strcmp(doc_at(r->head, "protocol", NULL), "grpc") == 0)
        send_grpc(r);
    else
        send_http(r);
}

static void send_folder(const char *folder)
{
    struct recording r;

    for (unsigned n = 1; recording_open(&r, folder, n); n++) {
        send_recording(&r);
        recording_close(&r);
    }
}

/* What was sent, in the independent view, one entry a span. */
static struct doc *sent_spans(const struct recording *r)
{
    struct buf plain;
    struct bytes body = buf_bytes(&r->body);

    buf_init(&plain, 64 << 20);
    if (strcmp(recorded_header(r, "content-encoding"), "gzip") == 0) {
        assert_true(gunzip_bytes(body, &plain));
        body = buf_bytes(&plain);
    }
    struct doc *view =
        recorded_as_json(r) ? otlpview_of_json(&arena, body) : otlpview_of_protobuf(&arena, body);
    if (!view)
        fail_msg("%s: the test's own decoder cannot read it", r->where);
    struct doc *spans = otlpview_spans(&arena, view);
    buf_done(&plain);
    return spans;
}

static struct doc *get_json(const char *path)
{
    struct reply reply;

    reply_init(&reply);
    http_get(server.http_port, path, &reply);
    struct doc *value = reply.status == 200 ? doc_parse(&arena, buf_bytes(&reply.body)) : NULL;
    if (!value)
        fail_msg("GET %s: status %d, %.*s", path, reply.status, (int)reply.body.len,
                 (char *)reply.body.at);
    reply_done(&reply);
    return value;
}

/* ?format=otlp of a trace, one entry a span, each as sorted text. */
static struct doc *given_back(const char *trace_id)
{
    char path[120];

    (void)snprintf(path, sizeof(path), "/api/v1/traces/%s?format=otlp", trace_id);
    struct doc *spans = otlpview_spans(&arena, otlpview_of_doc(&arena, get_json(path)));
    struct doc *set = doc_new(&arena, DOC_OBJECT);
    struct doc *span;

    DOC_EACH(i, span, spans)
    {
        const char *key = doc_sorted(&arena, span);
        doc_set(&arena, set, key, doc_bool(&arena, true));
    }
    return set;
}

/* The entry of the set with the span's ids, for a message. */
static const char *nearest(struct doc *set, const struct doc *sent)
{
    for (size_t i = 0; i < set->count; i++)
        if (strstr((const char *)set->keys[i].at, doc_at(sent, "span", "spanId", NULL)))
            return (const char *)set->keys[i].at;
    return "(no span of that id)";
}

static size_t check_given_back(const struct recording *r, struct doc *traces)
{
    struct doc *sent = sent_spans(r);
    size_t count = doc_count(sent);
    struct doc *span;

    DOC_EACH(i, span, sent)
    {
        const char *trace_id = doc_at(span, "span", "traceId", NULL);
        struct doc *set = doc_get(traces, trace_id);
        if (!set) {
            set = given_back(trace_id);
            doc_set(&arena, traces, trace_id, set);
        }
        const char *key = doc_sorted(&arena, span);
        if (!doc_get(set, key))
            fail_msg("%s: sent\n%s\ngiven back\n%s", r->where, key, nearest(set, span));
    }
    return count;
}

/* OTLP-92, OTLP-113, RF-32 */
static void json_and_protobuf_twins_are_one_set_of_spans(void **state)
{
    struct recording json, protobuf;
    char path[120];

    (void)state;
    assert_true(recording_open(&json, "js-otel-plain-json", 1));
    assert_true(recording_open(&protobuf, "js-otel-plain-proto", 1));
    struct doc *a = sent_spans(&json);
    struct doc *b = sent_spans(&protobuf);
    assert_true(doc_equal(&arena, a, b)); /* or the recording is no twin */
    (void)snprintf(path, sizeof(path), "/api/v1/traces/%s",
                   doc_at(doc_item(a, 0), "span", "traceId", NULL));

    send_recording(&json);
    struct doc *first = get_json(path);
    struct doc *first_otlp = given_back(path + strlen("/api/v1/traces/"));
    send_recording(&protobuf);
    struct doc *second = get_json(path);
    struct doc *second_otlp = given_back(path + strlen("/api/v1/traces/"));
    assert_true(doc_int_at(first, "span_count", NULL) > 0);
    assert_true(doc_equal(&arena, first, second));
    assert_true(doc_equal(&arena, first_otlp, second_otlp));
    recording_close(&json);
    recording_close(&protobuf);
}

/* OTLP-06, OTLP-25, OTLP-40, OTLP-60 */
static void accepts_every_recording_as_it_was_sent(void **state)
{
    (void)state;
    for (size_t i = 0; i < name_count; i++)
        send_folder(names[i]);
}

/* OTLP-110, OTLP-123, OTLP-127 */
static void gives_every_span_back_as_it_was_sent(void **state)
{
    struct doc *traces = doc_new(&arena, DOC_OBJECT);
    struct recording r;
    size_t count = 0;

    (void)state;
    for (size_t i = 0; i < name_count; i++) {
        for (unsigned n = 1; recording_open(&r, names[i], n); n++) {
            count += check_given_back(&r, traces);
            recording_close(&r);
        }
    }
    print_message("%zu spans of %zu recordings equal, field by field\n", count, name_count);
}

static const char *const kinds[] = {"unspecified", "internal", "server",
                                    "client",      "producer", "consumer"};
static const char *const statuses[] = {"unset", "ok", "error"};

struct fact {
    const char *name;
    const char *want;
    const char *found;
};

static void check_span(const char *where, const struct doc *want, const struct doc *found)
{
    const struct doc *parent = doc_get(found, "parent_span_id");
    const struct fact facts[] = {
        {"name", doc_at(want, "name", NULL), doc_at(found, "name", NULL)},
        {"parent", doc_at(want, "parent_span_id", NULL), doc_at(parent, NULL)},
        {"kind", kinds[doc_int_at(want, "kind", NULL)], doc_at(found, "kind", NULL)},
        {"start", doc_at(want, "start_unix_nano", NULL), doc_at(found, "start_unix_nano", NULL)},
        {"end", doc_at(want, "end_unix_nano", NULL), doc_at(found, "end_unix_nano", NULL)},
        {"status", statuses[doc_int_at(want, "status", NULL)], doc_at(found, "status", NULL)},
        {"message", doc_at(want, "status_message", NULL), doc_at(found, "status_message", NULL)},
        {"service", doc_at(want, "service", NULL), doc_at(found, "resource", "service.name", NULL)},
        {"scope", doc_at(want, "scope", NULL), doc_at(found, "scope", "name", NULL)},
    };
    static const char *const counted[] = {"attributes", "events", "links"};

    for (size_t i = 0; i < sizeof(facts) / sizeof(facts[0]); i++)
        if (strcmp(facts[i].want, facts[i].found) != 0)
            fail_msg("%s: span %s: %s is '%s', want '%s'", where, doc_at(want, "span_id", NULL),
                     facts[i].name, facts[i].found, facts[i].want);
    for (size_t i = 0; i < sizeof(counted) / sizeof(counted[0]); i++) {
        const struct doc *list = doc_get(found, counted[i]);
        int64_t have = (int64_t)doc_count(list);
        if (have != doc_int_at(want, counted[i], NULL))
            fail_msg("%s: span %s has %d %s, want %d", where, doc_at(want, "span_id", NULL),
                     (int)have, counted[i], (int)doc_int_at(want, counted[i], NULL));
    }
}

/* By id and start: plain recordings share a trace id. */
static const struct doc *find_span(const struct doc *trace, const struct doc *want)
{
    struct doc *span;

    DOC_EACH(i, span, doc_get(trace, "spans"))
    {
        if (strcmp(doc_at(span, "span_id", NULL), doc_at(want, "span_id", NULL)) == 0 &&
            strcmp(doc_at(span, "start_unix_nano", NULL), doc_at(want, "start_unix_nano", NULL)) ==
                0)
            return span;
    }
    return NULL;
}

static void finds_every_span_with_its_facts(void **state)
{
    struct doc *traces = doc_new(&arena, DOC_OBJECT);
    size_t count = 0;
    struct doc *want;

    (void)state;
    for (size_t n = 0; n < name_count; n++) {
        char path[200];
        (void)snprintf(path, sizeof(path), FIXTURES "/%.79s/expect.json", names[n]);
        struct doc *expect = load_json(path);
        assert_non_null(expect);
        DOC_EACH(i, want, doc_get(expect, "spans"))
        {
            const char *trace_id = doc_at(want, "trace_id", NULL);
            if (!doc_get(traces, trace_id)) {
                (void)snprintf(path, sizeof(path), "/api/v1/traces/%s", trace_id);
                doc_set(&arena, traces, trace_id, get_json(path));
            }
            const struct doc *found = find_span(doc_get(traces, trace_id), want);
            if (!found)
                fail_msg("%s: span %s is not found", names[n], doc_at(want, "span_id", NULL));
            check_span(names[n], want, found);
            count++;
        }
    }
    print_message("%zu spans found with their facts\n", count);
}

/* OTLP-09: scores of the recordings are nothing of OTLP; their logs hold GenAI content and are taken
 * whole (tests/it_logs.c looks for it). */
static void takes_recorded_logs_and_answers_404_to_recorded_scores(void **state)
{
    static const char *const kinds_of[] = {"logs", "other"};
    size_t count = 0;

    (void)state;
    for (size_t i = 0; i < name_count * 2; i++) {
        char folder[120];
        struct recording r;
        (void)snprintf(folder, sizeof(folder), "%s/%s", names[i / 2], kinds_of[i % 2]);
        for (unsigned n = 1; recording_open(&r, folder, n); n++) {
            struct reply reply;
            struct buf headers;
            reply_init(&reply);
            buf_init(&headers, 65536);
            recorded_headers(&r, &headers);
            buf_add_byte(&headers, 0);
            http_call(server.http_port, "POST", doc_at(r.head, "path", NULL), (char *)headers.at,
                      buf_bytes(&r.body), &reply);
            if (reply.status != (i % 2 ? 404 : 200) || (i % 2 == 0 && reply.body.len != 0))
                fail_msg("%s: status %d, %.*s", r.where, reply.status, (int)reply.body.len,
                         (char *)reply.body.at);
            count++;
            buf_done(&headers);
            reply_done(&reply);
            recording_close(&r);
        }
    }
    assert_int_equal(count, 11);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(json_and_protobuf_twins_are_one_set_of_spans, empty_arena),
        cmocka_unit_test_setup(accepts_every_recording_as_it_was_sent, empty_arena),
        cmocka_unit_test_setup(gives_every_span_back_as_it_was_sent, empty_arena),
        cmocka_unit_test_setup(finds_every_span_with_its_facts, empty_arena),
        cmocka_unit_test_setup(takes_recorded_logs_and_answers_404_to_recorded_scores, empty_arena),
    };

    return cmocka_run_group_tests(tests, start, stop);
}
