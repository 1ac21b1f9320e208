/*
 * Counting once over the recorded exports: of the spans of each true call exactly one is billed,
 * with the usage that its attributes carry, and no repeat is; in any order of the spans. Prints a
 * line per recording.
 */
#include <stdlib.h>

#include "base/text.h"
#include "genai/read.h"
#include "ledger/fold.h"
#include "otlp/decode.h"
#include "otlp/stored.h"
#include "support/fixture.h"
#include "support/fold.h"
#include "test.h"

#define ROOM ((size_t)1 << 30)
#define ORDERS 20
enum { MOST_SPANS = 4000 };

static struct arena arena;
static struct fold_span spans[MOST_SPANS];
static size_t span_count;
static const char *current;
static const struct doc *expected; /* genai of expect.json */
static size_t wrong_in_all;
static size_t wrong;
static uint64_t random_state = 42;

static void complain(const char *id, const char *what)
{
    print_error("%s %s: %s\n", current, id, what);
    wrong++;
}

static const char *hex_of(const struct fold_span *span)
{
    uint8_t id[8];
    char *hex = arena_calloc(&arena, 1, 17); /* ends with its NUL */

    put_be64(id, (uint64_t)span->span_id);
    text_hex((struct bytes){id, sizeof(id)}, hex);
    return hex;
}

static const struct fold_span *span_of(const char *id)
{
    for (size_t i = 0; i < span_count; i++)
        if (strcmp(hex_of(&spans[i]), id) == 0)
            return &spans[i];
    fail_msg("%s: no span %s", current, id);
    return NULL;
}

static bool same_usage(const struct fold_span *span, const struct doc *usage)
{
    const int64_t *tokens = span->tokens;

    return tokens[TOKEN_INPUT] == doc_int_at(usage, "input", NULL) &&
           tokens[TOKEN_CACHE_READ] == doc_int_at(usage, "cache_read", NULL) &&
           tokens[TOKEN_CACHE_WRITE] + tokens[TOKEN_CACHE_WRITE_1H] ==
               doc_int_at(usage, "cache_write", NULL) &&
           tokens[TOKEN_OUTPUT] == doc_int_at(usage, "output", NULL) &&
           tokens[TOKEN_REASONING] == doc_int_at(usage, "reasoning", NULL);
}

static void check_billed(const struct doc *call, const struct fold_span *billed)
{
    const struct doc *best = doc_get(call, "usage_best");
    const int64_t one_hour = doc_int_at(call, "cache_write_detail", "1h", NULL);

    if (!same_usage(billed, doc_get(call, "usage")) && (!best || !same_usage(billed, best)))
        complain(hex_of(billed), "is billed with other usage");
    if (one_hour > 0 && billed->tokens[TOKEN_CACHE_WRITE_1H] != one_hour)
        complain(hex_of(billed), "is billed without what is kept for an hour");
}

/* The call's own span, and those that are listed as the same. */
static size_t check_call(const struct doc *call)
{
    const char *id = doc_at(call, "span_id", NULL);
    const struct doc *other;
    size_t billed = 0;

    if (span_of(id)->billable) {
        check_billed(call, span_of(id));
        billed++;
    }
    DOC_EACH(i, other, doc_get(call, "same_call"))
    {
        const struct fold_span *span =
            span_of(arena_printf(&arena, "%.*s", (int)other->text.len, other->text.at));

        if (span->billable) {
            check_billed(call, span);
            billed++;
        }
    }
    if (billed != 1)
        complain(id, billed == 0 ? "is not billed" : "is billed twice");
    return billed;
}

static bool is_listed_call(const char *id)
{
    const struct doc *call;
    const struct doc *other;

    DOC_EACH(i, call, doc_get(expected, "calls"))
    {
        if (strcmp(doc_at(call, "span_id", NULL), id) == 0)
            return true;
        DOC_EACH(k, other, doc_get(call, "same_call"))
        if (bytes_is(other->text, id))
            return true;
    }
    return false;
}

/* Spans of the recording lie in several traces. */
static int compare_traces(const void *a, const void *b)
{
    const struct fold_span *left = a;
    const struct fold_span *right = b;

    return memcmp(left->trace_id.at, right->trace_id.at, sizeof(left->trace_id.at));
}

static int compare_keys(const void *a, const void *b)
{
    const struct fold_span *left = *(struct fold_span *const *)a;
    const struct fold_span *right = *(struct fold_span *const *)b;

    return left->call_key < right->call_key ? -1 : left->call_key > right->call_key;
}

static void fold_all(void)
{
    static struct fold_span *keyed[MOST_SPANS];
    size_t count = 0;
    size_t from = 0;
    struct err err;

    qsort(spans, span_count, sizeof(spans[0]), compare_traces);
    for (size_t i = 1; i <= span_count; i++)
        if (i == span_count || compare_traces(&spans[i], &spans[from]) != 0) {
            if (!fold_trace(spans + from, i - from, &arena, &err))
                fail_msg("%s: %s", current, err.text);
            from = i;
        }
    for (size_t i = 0; i < span_count; i++)
        if (spans[i].billable && spans[i].call_key != 0)
            keyed[count++] = &spans[i];
    qsort(keyed, count, sizeof(keyed[0]), compare_keys);
    from = 0;
    for (size_t i = 1; i <= count; i++)
        if (i == count || keyed[i]->call_key != keyed[from]->call_key) {
            fold_response(keyed + from, i - from);
            from = i;
        }
}

static void check_outcome(void)
{
    const struct doc *call;
    const struct doc *repeat;

    DOC_EACH(i, call, doc_get(expected, "calls"))
    (void)check_call(call);
    DOC_EACH(i, repeat, doc_get(expected, "repeats"))
    {
        const struct fold_span *span =
            span_of(arena_printf(&arena, "%.*s", (int)repeat->text.len, repeat->text.at));

        /* A repeat that is listed as the same call may be the one that is billed. */
        if (span->billable && !is_listed_call(hex_of(span)))
            complain(hex_of(span), "is a repeat and billed");
    }
    for (size_t i = 0; i < span_count; i++)
        if (spans[i].billable && !is_listed_call(hex_of(&spans[i])))
            complain(hex_of(&spans[i]), "is billed and stands in no list");
}

static void check_recording(void)
{
    size_t billed = 0;
    int64_t tokens = 0;

    expected = doc_get(
        doc_parse(&arena, fixture_file(&arena, arena_printf(&arena, "%s/expect.json", current))),
        "genai");
    wrong = 0;
    for (int order = 0; order < ORDERS; order++) {
        if (order > 0)
            fold_shuffle(spans, span_count, &random_state);
        fold_all();
        check_outcome();
    }
    for (size_t i = 0; i < span_count; i++)
        if (spans[i].billable) {
            billed++;
            tokens += spans[i].total_tokens;
        }
    print_message("%-36s %3zu spans %2zu billed %6d tokens %s\n", current, span_count, billed,
                  (int)tokens, wrong == 0 ? "counted once" : "WRONG");
    wrong_in_all += wrong;
    span_count = 0;
}

static void see(const struct fixture_body *body, void *context)
{
    const struct otlp_limits limits = {.max_depth = 50, .max_attributes = 2000};
    struct otlp_to_stored maker;
    struct span_array decoded;
    struct err err = {0};

    (void)context;
    if (current != NULL && strcmp(current, body->name) != 0)
        check_recording();
    current = body->name;
    if (!(body->json ? otlp_from_json : otlp_from_protobuf)(body->body, &limits, &arena, &decoded,
                                                            &err))
        fail_msg("%s: %s", body->name, err.text);
    otlp_to_stored_init(&maker, &arena, 1, 0);
    for (size_t i = 0; i < decoded.count; i++) {
        struct findings findings;
        struct meaning meaning;
        struct stored_span row;

        if (decoded.items[i].span_id.len != 8 || span_count == MOST_SPANS)
            continue;
        if (!otlp_to_stored(&maker, &decoded.items[i], &row, &err) ||
            !genai_find(&decoded.items[i], FIND_FACTS, &arena, &findings, &err) ||
            !genai_read(&findings, NULL, &meaning, &err))
            fail_msg("%s: %s", body->name, err.text);
        row.meaning = &meaning;
        if (meaning.failed)
            row.outcome = SPAN_FAILED; /* as ingest does */
        fold_facts(&row, &spans[span_count++]);
    }
    otlp_to_stored_done(&maker);
}

static void every_recorded_call_is_billed_once(void **state)
{
    (void)state;
    arena_init(&arena, ROOM);
    assert_true(fixture_each(&arena, NULL, see, NULL) > 40);
    assert_true(fixture_each_recording(&arena, see, NULL) > 10);
    check_recording();
    arena_done(&arena);
    assert_int_equal(wrong_in_all, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_recorded_call_is_billed_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
