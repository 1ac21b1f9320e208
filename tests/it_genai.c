/*
 * The recorded exports through the real binary: what the API shows of each is what expect.json says.
 * Billed calls, disjoint usage, models, session, user, environment, tags, errors and tools; sums of a
 * trace are those of its billable spans, in the list and in the trace. Prints a line per recording.
 */
#include "test.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "model/money.h"
#include "store/db.h"
#include "support/client.h"
#include "support/cluster.h"
#include "support/expect.h"
#include "support/fixture.h"
#include "support/server.h"

#define ROOM ((size_t)1 << 30)
enum { MOST_SPANS = 4000, MOST_TRACES = 400 };

static struct server server;
static struct db db;
static struct arena arena;
static const char *current;
static const struct doc *expected; /* genai of expect.json */
static const struct doc *spans[MOST_SPANS];
static size_t span_count;
static struct doc *traces[MOST_TRACES];
static size_t trace_count;
static size_t wrong;
static size_t wrong_in_all;

static int start(void **state)
{
    char conninfo[CLUSTER_CONNINFO_BYTES];
    struct err err;

    (void)state;
    arena_init(&arena, ROOM);
    if (!server_up(&server, NULL) || !server_conninfo(&server, conninfo, sizeof(conninfo)))
        return -1;
    if (!db_open(&db, conninfo, DB_ADMIN, 0, &err)) {
        print_error("%s\n", err.text);
        return -1;
    }
    return 0;
}

static int stop(void **state)
{
    (void)state;
    db_close(&db);
    server_remove(&server);
    arena_done(&arena);
    return 0;
}

static void complain(const char *id, const char *what, const char *is, const char *want)
{
    print_error("%s %s: %s is '%s', want '%s'\n", current, id, what, is, want);
    wrong++;
}

static void forget_spans(void)
{
    struct err err;

    /* A world of its own for each recording: ids of responses repeat between them. */
    if (!db_exec(&db, "TRUNCATE spanledger.span, spanledger.span_payload, spanledger.trace", &err))
        fail_msg("%s", err.text);
    span_count = trace_count = 0;
    wrong = 0;
}

static const struct doc *span_of(const char *id)
{
    for (size_t i = 0; i < span_count; i++)
        if (strcmp(doc_at(spans[i], "span_id", NULL), id) == 0)
            return spans[i];
    fail_msg("%s: no span %s", current, id);
    return NULL;
}

static bool is_true(const struct doc *span, const char *key)
{
    const struct doc *value = doc_get(span, key);

    return value && value->kind == DOC_TRUE;
}

/* What a list of ids holds. */
static bool lists(const struct doc *list, const char *id)
{
    const struct doc *item;

    DOC_EACH(i, item, list)
    if (bytes_is(item->text, id))
        return true;
    return false;
}

static int64_t tokens_of(const struct doc *span, const char *kind)
{
    const struct doc *value = doc_walk(span, "usage", kind, NULL);

    return value ? doc_int_at(span, "usage", kind, NULL) : 0;
}

static bool same_usage(const struct doc *span, const struct doc *usage)
{
    return tokens_of(span, "input") == doc_int_at(usage, "input", NULL) &&
           tokens_of(span, "cache_read") == doc_int_at(usage, "cache_read", NULL) &&
           tokens_of(span, "cache_write") + tokens_of(span, "cache_write_1h") ==
               doc_int_at(usage, "cache_write", NULL) &&
           tokens_of(span, "output") == doc_int_at(usage, "output", NULL) &&
           tokens_of(span, "reasoning") == doc_int_at(usage, "reasoning", NULL);
}

static bool text_is(const char *text, const struct doc *wanted)
{
    return wanted && wanted->kind == DOC_STRING && bytes_is(wanted->text, text);
}

static void check_billed(const struct doc *call, const struct doc *span)
{
    const char *id = doc_at(span, "span_id", NULL);
    const struct doc *best = doc_get(call, "usage_best");

    if (!same_usage(span, doc_get(call, "usage")) && (!best || !same_usage(span, best)))
        complain(id, "usage", doc_sorted(&arena, doc_get(span, "usage")),
                 doc_sorted(&arena, doc_get(call, "usage")));
    if (!text_is(doc_at(span, "model", NULL), doc_get(call, "response_model")) &&
        !text_is(doc_at(span, "model", NULL), doc_get(call, "request_model")))
        complain(id, "model", doc_at(span, "model", NULL), doc_at(call, "response_model", NULL));
}

static void check_call(const struct doc *call)
{
    const char *id = doc_at(call, "span_id", NULL);
    const struct doc *provider = doc_get(call, "provider");
    const struct doc *other;
    size_t billed = is_true(span_of(id), "billable");

    if (billed)
        check_billed(call, span_of(id));
    DOC_EACH(i, other, doc_get(call, "same_call"))
    {
        const struct doc *span = span_of((const char *)other->text.at);

        if (!is_true(span, "billable"))
            continue;
        billed++;
        check_billed(call, span);
    }
    if (billed != 1)
        complain(id, "times billed", arena_printf(&arena, "%zu", billed), "1");
    if (provider && provider->kind == DOC_STRING &&
        !text_is(doc_at(span_of(id), "provider", NULL), provider))
        complain(id, "provider", doc_at(span_of(id), "provider", NULL),
                 doc_at(call, "provider", NULL));
}

static bool is_call(const char *id)
{
    const struct doc *call;

    DOC_EACH(i, call, doc_get(expected, "calls"))
    if (strcmp(doc_at(call, "span_id", NULL), id) == 0 || lists(doc_get(call, "same_call"), id))
        return true;
    return false;
}

static void check_spans(void)
{
    const struct doc *call;

    DOC_EACH(i, call, doc_get(expected, "calls"))
    check_call(call);
    for (size_t i = 0; i < span_count; i++) {
        const char *id = doc_at(spans[i], "span_id", NULL);
        const bool failed = is_true(spans[i], "failed");
        const bool tool = strcmp(doc_at(spans[i], "observation_type", NULL), "tool") == 0;
        const bool billed = is_true(spans[i], "billable");

        if (billed && tokens_of(spans[i], "total") > 0 && !is_call(id))
            complain(id, "billable", "true", "false");
        if (failed != lists(doc_get(expected, "errors"), id))
            complain(id, "failed", failed ? "true" : "false", failed ? "false" : "true");
        if (tool != lists(doc_get(expected, "tools"), id))
            complain(id, "tool", tool ? "true" : "false", tool ? "false" : "true");
        if (strcmp(doc_at(spans[i], "cost", "source", NULL), "computed") == 0 &&
            doc_at(spans[i], "cost", "price", "id", NULL)[0] == '\0')
            complain(id, "price", "null", "what the cost was computed with");
        if (!billed && doc_get(spans[i], "cost")->kind == DOC_OBJECT &&
            strcmp(doc_at(spans[i], "cost", "total_usd", NULL), "0") != 0)
            complain(id, "cost of a span that is not billed",
                     doc_at(spans[i], "cost", "total_usd", NULL), "0");
    }
}

/* Traces that say whose they are say what is expected, and at least one does. */
static void check_whose(const char *key)
{
    const struct doc *want = doc_get(expected, key);
    size_t found = 0;

    if (!want || want->kind != DOC_STRING)
        return;
    for (size_t i = 0; i < trace_count; i++) {
        const struct doc *value = doc_get(traces[i], key);

        if (value->kind != DOC_STRING)
            continue;
        found++;
        if (!bytes_equal(value->text, want->text))
            complain(doc_at(traces[i], "trace_id", NULL), key, (const char *)value->text.at,
                     (const char *)want->text.at);
    }
    if (found == 0)
        complain("", key, "null", (const char *)want->text.at);
}

static void check_tags(void)
{
    const struct doc *tag;
    size_t found = 0;

    for (size_t i = 0; i < trace_count; i++) {
        DOC_EACH(k, tag, doc_get(traces[i], "tags"))
        if (!lists(doc_get(expected, "tags"), (const char *)tag->text.at))
            complain(doc_at(traces[i], "trace_id", NULL), "tag", (const char *)tag->text.at, "");
    }
    DOC_EACH(i, tag, doc_get(expected, "tags"))
    {
        found = 0;
        for (size_t k = 0; k < trace_count; k++)
            found += lists(doc_get(traces[k], "tags"), (const char *)tag->text.at);
        if (found == 0)
            complain("", "tags", "", (const char *)tag->text.at);
    }
}

/* An exact decimal of USD as pico-USD; 0 for null. */
static int64_t pico_of(const char *usd)
{
    int64_t pico = 0;
    int fraction = -1;

    for (; *usd; usd++) {
        if (*usd == '.') {
            fraction = 0;
            continue;
        }
        assert_true(*usd >= '0' && *usd <= '9');
        pico = pico * 10 + (*usd - '0');
        fraction += fraction >= 0;
    }
    for (int i = fraction < 0 ? 0 : fraction; i < 12; i++)
        pico *= 10;
    return pico;
}

/* Sums of a trace: of its billable spans, the same in the list. */
static void check_sums(const struct doc *trace, const struct doc *list)
{
    static const char *const same[] = {"usage",      "cost",       "calls",       "unpriced_calls",
                                       "session_id", "user_id",    "environment", "project",
                                       "tags",       "models",     "providers",   "error_count",
                                       "trace_name", "span_count", "services"};
    const char *id = doc_at(trace, "trace_id", NULL);
    const struct doc *row = NULL;
    const struct doc *span;
    int64_t calls = 0;
    int64_t pico = 0;
    int64_t total = 0;
    int64_t listed = 0;

    DOC_EACH(i, span, doc_get(trace, "spans"))
    {
        if (!is_true(span, "billable"))
            continue;
        calls++;
        total += tokens_of(span, "total");
        pico += pico_of(doc_at(span, "cost", "total_usd", NULL));
    }
    if (calls != doc_int_at(trace, "calls", NULL) ||
        total != doc_int_at(trace, "usage", "total", NULL) ||
        pico != pico_of(doc_at(trace, "cost", "total_usd", NULL)))
        complain(id, "sum", doc_sorted(&arena, doc_get(trace, "cost")), "that of its spans");
    DOC_EACH(i, span, doc_get(list, "traces"))
    {
        if (strcmp(doc_at(span, "trace_id", NULL), id) != 0)
            continue;
        row = span;
        listed += doc_int_at(span, "span_count", NULL);
    }
    /* A day that is months from the trace's others is a row of its own. */
    if (row && listed == doc_int_at(trace, "span_count", NULL) &&
        listed > doc_int_at(row, "span_count", NULL))
        return;
    for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++)
        if (!row || !doc_equal(&arena, doc_get(row, same[i]), doc_get(trace, same[i])))
            complain(id, same[i], row ? doc_sorted(&arena, doc_get(row, same[i])) : "no row",
                     doc_sorted(&arena, doc_get(trace, same[i])));
}

static void fetch_traces(const struct doc *sent)
{
    const struct doc *one;
    const struct doc *span;

    DOC_EACH(i, one, sent)
    {
        const char *id = doc_at(one, "trace_id", NULL);
        bool known = false;

        for (size_t k = 0; k < trace_count; k++)
            known |= strcmp(doc_at(traces[k], "trace_id", NULL), id) == 0;
        if (known)
            continue;
        assert_true(trace_count < MOST_TRACES);
        traces[trace_count] =
            get_doc(&arena, server.http_port, arena_printf(&arena, "/api/v1/traces/%s", id));
        DOC_EACH(k, span, doc_get(traces[trace_count], "spans"))
        {
            assert_true(span_count < MOST_SPANS);
            spans[span_count++] = span;
        }
        trace_count++;
    }
}

static void check_recording(const struct doc *sent)
{
    const struct doc *list =
        get_doc(&arena, server.http_port, "/api/v1/traces?from=1970-01-01&limit=1000");
    int64_t calls = 0;
    int64_t tokens = 0;
    int64_t pico = 0;
    char usd[40];

    expected = doc_get(
        doc_parse(&arena, fixture_file(&arena, arena_printf(&arena, "%s/expect.json", current))),
        "genai");
    fetch_traces(sent);
    check_spans();
    check_whose("session_id");
    check_whose("user_id");
    check_whose("environment");
    check_tags();
    for (size_t i = 0; i < trace_count; i++) {
        check_sums(traces[i], list);
        calls += doc_int_at(traces[i], "calls", NULL);
        tokens += doc_int_at(traces[i], "usage", "total", NULL);
        pico += pico_of(doc_at(traces[i], "cost", "total_usd", NULL));
    }
    (void)snprintf(usd, sizeof(usd), "%" PRId64 ".%012" PRId64, pico / PICO_PER_USD,
                   pico % PICO_PER_USD);
    print_message("%-36s | %3" PRId64 " calls | %7" PRId64 " tokens | %s USD | %s\n", current,
                  calls, tokens, usd, wrong == 0 ? "as expected" : "DIFFERS");
    wrong_in_all += wrong;
}

static const struct doc *sent_spans;

static void see(const struct fixture_body *body, void *context)
{
    struct reply reply;

    (void)context;
    if (!current || strcmp(current, body->name) != 0) {
        if (current)
            check_recording(sent_spans);
        forget_spans();
        current = body->name;
        sent_spans = body->spans;
    }
    reply_init(&reply);
    http_export(server.http_port, body->json, body->body, &reply);
    if (reply.status != 200)
        fail_msg("%s %s: status %d", body->name, body->request, reply.status);
    reply_done(&reply);
}

static void every_recording_is_shown_as_expected(void **state)
{
    (void)state;
    print_message("recording | calls | tokens | cost | verdict\n");
    assert_true(fixture_each(&arena, NULL, see, NULL) > 40);
    check_recording(sent_spans);
    assert_int_equal(wrong_in_all, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_recording_is_shown_as_expected),
    };

    return cmocka_run_group_tests(tests, start, stop);
}
