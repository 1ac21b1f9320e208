/* What the recorded exports of tests/data/fixtures mean: provider, models, session, user,
 * environment, tags, errors and tools of every recording against its expect.json, and what the
 * table of dialects finds in them. Prints a line per recording. */
#include "test.h"

#include <stdio.h>

#include "base/text.h"
#include "genai/read.h"
#include "otlp/decode.h"
#include "support/fixture.h"

#define ROOM ((size_t)1 << 30)
enum { MOST_SPANS = 4000, SPAN_ERROR = 2 };

struct seen_span {
    char id[17];
    const struct span *span;
    struct meaning meaning;
};

static struct arena arena;
static struct seen_span seen[MOST_SPANS];
static size_t seen_count;
static const char *current;
static const struct doc *expected; /* genai of expect.json */
static size_t wrong;               /* of the current recording */
static size_t wrong_in_all;

static void complain(const char *span, const char *what, struct bytes is, const char *want)
{
    print_error("%s %s: %s is \"%.*s\", want \"%s\"\n", current, span, what, (int)is.len,
                (const char *)is.at, want);
    wrong++;
}

static bool text_is(struct bytes text, const struct doc *wanted)
{
    return wanted != NULL && wanted->kind == DOC_STRING && bytes_equal(text, wanted->text);
}

static const struct seen_span *span_of(const char *id)
{
    for (size_t i = 0; i < seen_count; i++)
        if (strcmp(seen[i].id, id) == 0)
            return &seen[i];
    fail_msg("%s: no span %s", current, id);
    return NULL;
}

static void check_call(const struct doc *call)
{
    const char *id = doc_at(call, "span_id", NULL);
    const struct meaning *m = &span_of(id)->meaning;
    const struct doc *provider = doc_get(call, "provider");
    const struct doc *request = doc_get(call, "request_model");
    const struct doc *response = doc_get(call, "response_model");

    if (provider != NULL && provider->kind == DOC_STRING && !text_is(m->provider, provider))
        complain(id, "provider", m->provider, doc_at(call, "provider", NULL));
    /* Some dialects carry one of the two only. */
    if (!text_is(m->model, response) && !text_is(m->model, request))
        complain(id, "model", m->model, doc_at(call, "response_model", NULL));
    if (m->request_model.len > 0 && !text_is(m->request_model, request) &&
        !text_is(m->request_model, response))
        complain(id, "request model", m->request_model, doc_at(call, "request_model", NULL));
    if (!observation_is_call(m->observation))
        complain(id, "observation", bytes_of(observation_name(m->observation)), "a call");
}

/* Values that stand once for the trace: the first of its spans that carries one carries this one. */
static void check_same(const char *what, size_t offset)
{
    const struct doc *want = doc_get(expected, what);
    const struct seen_span *first = NULL;
    struct bytes is = {(const uint8_t *)"", 0};

    for (size_t i = 0; i < seen_count; i++) {
        const struct bytes *value =
            (const struct bytes *)(const void *)((const char *)&seen[i].meaning + offset);

        if (value->len > 0 &&
            (first == NULL || seen[i].span->start_unix_nano < first->span->start_unix_nano)) {
            first = &seen[i];
            is = *value;
        }
    }
    if (want != NULL && want->kind == DOC_STRING && !text_is(is, want))
        complain(first == NULL ? "" : first->id, what, is, doc_at(expected, what, NULL));
}

static bool tag_expected(struct bytes tag)
{
    const struct doc *want;

    DOC_EACH(i, want, doc_get(expected, "tags"))
    if (text_is(tag, want))
        return true;
    return false;
}

static void check_tags(void)
{
    const struct doc *want;

    for (size_t i = 0; i < seen_count; i++)
        for (uint32_t t = 0; t < seen[i].meaning.tag_count; t++)
            if (!tag_expected(seen[i].meaning.tags[t]))
                complain(seen[i].id, "tag", seen[i].meaning.tags[t], "");
    DOC_EACH(i, want, doc_get(expected, "tags"))
    {
        size_t with = 0;

        for (size_t s = 0; s < seen_count; s++)
            for (uint32_t t = 0; t < seen[s].meaning.tag_count; t++)
                with += bytes_equal(seen[s].meaning.tags[t], want->text);
        if (with == 0)
            complain("", "tags", BYTES_LITERAL(""), (const char *)want->text.at);
    }
}

static bool lists(const char *name, const char *id)
{
    const struct doc *item;

    DOC_EACH(i, item, doc_get(expected, name))
    if (bytes_is(item->text, id))
        return true;
    return false;
}

static void check_errors_and_tools(void)
{
    for (size_t i = 0; i < seen_count; i++) {
        const struct seen_span *s = &seen[i];
        const bool failed = s->span->status_code == SPAN_ERROR || s->meaning.failed;
        const bool tool = s->meaning.observation == OBSERVATION_TOOL;

        if (failed != lists("errors", s->id))
            complain(s->id, "failed", bytes_of(failed ? "yes" : "no"), failed ? "no" : "yes");
        if (tool != lists("tools", s->id))
            complain(s->id, "tool", bytes_of(tool ? "yes" : "no"), tool ? "no" : "yes");
    }
}

static void check_recording(const char *name)
{
    const struct doc *expect;
    const struct doc *call;
    size_t calls = 0;

    current = name;
    wrong = 0;
    expect = doc_parse(&arena, fixture_file(&arena, arena_printf(&arena, "%s/expect.json", name)));
    expected = doc_get(expect, "genai");
    DOC_EACH(i, call, doc_get(expected, "calls"))
    {
        check_call(call);
        calls++;
    }
    check_same("session_id", offsetof(struct meaning, session_id));
    check_same("user_id", offsetof(struct meaning, user_id));
    check_same("environment", offsetof(struct meaning, environment));
    check_tags();
    check_errors_and_tools();
    print_message("%-36s %3zu spans %2zu calls %s\n", name, seen_count, calls,
                  wrong == 0 ? "as expected" : "DIFFERS");
    wrong_in_all += wrong;
    seen_count = 0;
}

static void see(const struct fixture_body *body, void *context)
{
    const struct otlp_limits limits = {.max_depth = 50, .max_attributes = 2000};
    struct span_array spans;
    struct err err = {0};

    (void)context;
    if (current != NULL && strcmp(current, body->name) != 0)
        check_recording(current);
    current = body->name;
    if (!(body->json ? otlp_from_json : otlp_from_protobuf)(body->body, &limits, &arena, &spans,
                                                            &err))
        fail_msg("%s: %s", body->name, err.text);
    for (size_t i = 0; i < spans.count; i++) {
        struct seen_span *s = &seen[seen_count];
        struct findings findings;
        struct sources sources = {.arena = &arena};
        struct meaning with_sources;

        if (spans.items[i].span_id.len != 8 || seen_count == MOST_SPANS)
            continue;
        text_hex(spans.items[i].span_id, s->id);
        s->span = &spans.items[i];
        if (!genai_find(s->span, FIND_FACTS, &arena, &findings, &err) ||
            !genai_read(&findings, NULL, &s->meaning, &err) ||
            !genai_find(s->span, FIND_FACTS | FIND_DETAILS | FIND_CONTENT, &arena, &findings,
                        &err) ||
            !genai_read(&findings, &sources, &with_sources, &err))
            fail_msg("%s: %s", body->name, err.text);
        /* What is shown with its sources is what was stored without. */
        if (with_sources.observation != s->meaning.observation ||
            with_sources.flags != s->meaning.flags ||
            !bytes_equal(with_sources.provider, s->meaning.provider) ||
            !bytes_equal(with_sources.model, s->meaning.model) ||
            !bytes_equal(with_sources.response_id, s->meaning.response_id))
            fail_msg("%s %s: with sources it reads otherwise", body->name, s->id);
        seen_count++;
    }
}

static void every_recording_means_what_is_expected(void **state)
{
    (void)state;
    arena_init(&arena, ROOM);
    assert_true(fixture_each(&arena, NULL, see, NULL) > 40);
    assert_true(fixture_each_recording(&arena, see, NULL) > 10);
    check_recording(current);
    arena_done(&arena);
    assert_int_equal(wrong_in_all, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_recording_means_what_is_expected),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
