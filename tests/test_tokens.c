/* Usage and reported cost of spans of every dialect: tables from the notes, and the recordings. */
#include "test.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"
#include "genai/table.h"
#include "genai/tokens.h"
#include "genai/usage.h"
#include "model/money.h"
#include "otlp/decode.h"
#include "support/client.h"
#include "support/doc.h"
#include "support/fixture.h"

#define ROOM ((size_t)64 << 20)

static struct arena arena;

static int fresh_arena(void **state)
{
    (void)state;
    arena_done(&arena);
    arena_init(&arena, ROOM);
    return 0;
}

static struct value value_of(const struct doc *doc)
{
    struct value value = {.kind = VALUE_EMPTY};

    switch (doc->kind) {
    case DOC_NULL:
        break;
    case DOC_FALSE:
    case DOC_TRUE:
        value = (struct value){.kind = VALUE_BOOL, .boolean = doc->kind == DOC_TRUE};
        break;
    case DOC_NUMBER:
        value.kind = VALUE_INT;
        if (!text_int64(doc->text, &value.integer)) {
            value.kind = VALUE_DOUBLE;
            assert_true(text_real(doc->text, &value.real));
        }
        break;
    case DOC_STRING:
        value = (struct value){.kind = VALUE_STRING, .text = doc->text};
        break;
    case DOC_ARRAY:
        value.kind = VALUE_ARRAY;
        value.count = (uint32_t)doc->count;
        value.items = arena_array(&arena, struct value, doc->count);
        for (size_t i = 0; i < doc->count; i++)
            value.items[i] = value_of(doc->items[i]);
        break;
    case DOC_OBJECT:
        value.kind = VALUE_KVLIST;
        value.count = (uint32_t)doc->count;
        value.entries = arena_array(&arena, struct attribute, doc->count);
        for (size_t i = 0; i < doc->count; i++)
            value.entries[i] = (struct attribute){doc->keys[i], value_of(doc->items[i])};
        break;
    }
    return value;
}

static struct span *span_of(const char *name, const char *scope, const char *attributes)
{
    static const struct resource resource;
    struct span *span = arena_new(&arena, struct span);
    struct scope *made = arena_new(&arena, struct scope);
    const struct doc *doc = doc_parse(&arena, bytes_of(attributes));
    const char *at = strchr(scope, '@');
    struct value value;

    if (doc == NULL)
        fail_msg("no JSON: %s", attributes);
    value = value_of(doc);
    made->name = (struct bytes){(const uint8_t *)scope, at ? (size_t)(at - scope) : strlen(scope)};
    made->version = bytes_of(at ? at + 1 : "");
    span->name = bytes_of(name);
    span->scope = made;
    span->resource = &resource;
    span->attributes.items = value.entries;
    span->attributes.count = value.count;
    return span;
}

static struct sources *some_sources(void)
{
    struct sources *sources = arena_new(&arena, struct sources);

    sources->arena = &arena;
    return sources;
}

static void read_span(const struct span *span, struct sources *sources, struct meaning *meaning)
{
    struct findings f;
    struct err err = {0};

    meaning->reported_cost = COST_UNKNOWN;
    if (!genai_find(span, FIND_FACTS, &arena, &f, &err) ||
        !genai_tokens(&f, sources, meaning, &err))
        fail_msg("%s", err.text);
}

/* "input=176 output=86 cost=3220000000 plain odd": what is not zero, the rule, the flags. */
static const char *said(const struct meaning *m)
{
    static char text[600];
    struct token_usage u = m->usage;
    int64_t sum = 0;
    int at = 0;

    text[0] = 0;
    for (int k = 0; k < TOKEN_KIND_COUNT; k++) {
        assert_true(u.tokens[k] >= 0);
        sum += u.tokens[k];
        if (u.tokens[k] != 0)
            at += snprintf(text + at, sizeof(text) - (size_t)at, "%s=%" PRId64 " ",
                           token_kind_name((enum token_kind)k), u.tokens[k]);
    }
    if (u.total != sum)
        at += snprintf(text + at, sizeof(text) - (size_t)at, "total=%" PRId64 " ", u.total);
    if (m->reported_cost != COST_UNKNOWN)
        at += snprintf(text + at, sizeof(text) - (size_t)at, "cost=%" PRId64 " ", m->reported_cost);
    at += snprintf(text + at, sizeof(text) - (size_t)at, "%s", usage_rule_name(u.rule));
    if (m->flags & MEANING_AGGREGATE)
        at += snprintf(text + at, sizeof(text) - (size_t)at, " aggregate");
    if (m->flags & MEANING_COPY)
        at += snprintf(text + at, sizeof(text) - (size_t)at, " copy");
    if (m->flags & MEANING_ESTIMATED)
        at += snprintf(text + at, sizeof(text) - (size_t)at, " estimated");
    if (m->flags & MEANING_ODD_USAGE)
        (void)snprintf(text + at, sizeof(text) - (size_t)at, " odd");
    return text;
}

#define LLM OBSERVATION_LLM

/* A row of tests/data/tokens.tsv. */
enum { WHY, OBSERVED, SCOPE, NAME, PROVIDER, MODEL, ATTRIBUTES, WANT, COLUMNS };

/* Cuts the next line at `at` into columns, "-" being empty; false: the end. */
static bool next_row(char **at, const char *columns[COLUMNS])
{
    while (**at == '#')
        *at = strchr(*at, '\n') + 1;
    if (**at == 0)
        return false;
    for (int i = 0; i < COLUMNS; i++) {
        char *end = strpbrk(*at, "\t\n");

        if (end == NULL || *end != (i < COLUMNS - 1 ? '\t' : '\n'))
            fail_msg("tokens.tsv: a row has not %d columns: %.60s", COLUMNS, *at);
        *end = 0;
        columns[i] = strcmp(*at, "-") == 0 ? "" : *at;
        *at = end + 1;
    }
    return true;
}

static enum observation observed(const char *name)
{
    for (int i = 0; i < OBSERVATION_COUNT; i++)
        if (strcmp(observation_name((enum observation)i), name) == 0)
            return (enum observation)i;
    fail_msg("no observation %s", name);
    return OBSERVATION_SPAN;
}

static bool row_is_read(const char *const row[COLUMNS])
{
    const struct span *span = span_of(row[NAME], row[SCOPE], row[ATTRIBUTES]);
    struct meaning meaning = {.observation = observed(row[OBSERVED]),
                              .provider = bytes_of(row[PROVIDER]),
                              .model = bytes_of(row[MODEL])};
    struct meaning again = meaning;
    const char *got;

    read_span(span, NULL, &meaning);
    got = said(&meaning);
    if (strcmp(got, row[WANT]) != 0)
        print_error("%s: got \"%s\", want \"%s\"\n", row[WHY], got, row[WANT]);
    /* Asking for sources changes nothing. */
    read_span(span, some_sources(), &again);
    assert_memory_equal(&again.usage, &meaning.usage, sizeof(meaning.usage));
    assert_int_equal(again.reported_cost, meaning.reported_cost);
    assert_int_equal(again.flags, meaning.flags);
    return strcmp(got, row[WANT]) == 0;
}

static void every_dialect_is_read(void **state)
{
    const char *row[COLUMNS];
    struct buf file;
    char *at;
    int rows = 0, failed = 0;

    (void)state;
    buf_init(&file, ROOM);
    assert_true(file_read("tests/data/tokens.tsv", &file));
    buf_add_byte(&file, 0);
    at = (char *)file.at;
    while (next_row(&at, row)) {
        failed += !row_is_read(row);
        rows++;
        (void)fresh_arena(NULL);
    }
    buf_done(&file);
    assert_true(rows >= 120);
    assert_int_equal(failed, 0);
}

/* ---- nonsense ---- */

static uint64_t seed = 88172645463325252u;

static uint64_t below(uint64_t most)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed % most;
}

static struct value nonsense(void)
{
    static const char *const texts[] = {
        "",
        "12",
        "-3",
        "1e400",
        "{",
        "[{]",
        "{'a': 1",
        "{\"input\": -1, \"usage\": {\"usage\": []}}",
        "{\"usage\":{\"prompt_tokens\":12,\"completion_tokens\":\"x\"}}",
        "usage=Usage(input_tokens=5)",
        "{\"input\":99999999999999999999,\"cacheRead\":3,\"input_tokens_details\":[1]}",
        "{\"input_tokens\":{\"total\":5,\"cacheRead\":9},\"total\":2}",
        "\xff\xfe usage",
        "NaN"};
    static const double reals[] = {0.5, -1, 1e300, 12, 1e-300, 0.1};
    const char *text = texts[below(sizeof(texts) / sizeof(texts[0]))];

    switch (below(4)) {
    case 0:
        return (struct value){.kind = VALUE_INT, .integer = (int64_t)below(2000)};
    case 1:
        return (struct value){.kind = VALUE_INT, .integer = (int64_t)(seed * 31)};
    case 2:
        return (struct value){.kind = VALUE_DOUBLE, .real = reals[below(6)]};
    default:
        return (struct value){.kind = VALUE_STRING, .text = bytes_of(text)};
    }
}

/* Any values under any keys of usage and cost: nothing breaks, no kind is negative, what is added
 * stays within bounds, and asking for sources changes nothing. */
static void nonsense_breaks_nothing(void **state)
{
    const char *keys[1000];
    size_t count = 0;

    (void)state;
    for (const struct genai_row *row = genai_rows; row < genai_rows + GENAI_ROWS; row++)
        if ((row->target >= TARGET_USAGE_INPUT_TOKENS && row->target <= TARGET_COST_DISCOUNT) ||
            row->target == TARGET_USAGE_OBJECT || row->target == TARGET_COST_OBJECT)
            keys[count++] = row->key;
    assert_true(count > 150);
    for (int round = 0; round < 10000; round++) {
        struct span *span = span_of("chat", round % 3 ? "ai" : "openlit", "{}");
        struct meaning meaning = {.observation = round % 2 ? LLM : OBSERVATION_AGENT};
        struct meaning again = meaning;

        span->attributes.count = (uint32_t)(1 + below(30));
        span->attributes.items = arena_array(&arena, struct attribute, span->attributes.count);
        for (uint32_t i = 0; i < span->attributes.count; i++)
            span->attributes.items[i] =
                (struct attribute){bytes_of(keys[below(count)]), nonsense()};
        read_span(span, NULL, &meaning);
        (void)said(&meaning);
        assert_true(meaning.usage.total >= 0 && meaning.usage.total < 32 * USAGE_MOST);
        assert_true(meaning.reported_cost == COST_UNKNOWN || meaning.reported_cost >= 0);
        read_span(span, some_sources(), &again);
        assert_memory_equal(&again, &meaning, sizeof(meaning));
        arena_reset(&arena);
    }
}

/* ---- recordings ---- */

struct recording {
    const char *name;
    const struct doc *genai;
    size_t calls;
    size_t checked;
};

static const char *hex_of(struct bytes id)
{
    char *text = arena_calloc(&arena, 2 * id.len + 1, 1);

    text_hex(id, text);
    return text;
}

static const struct doc *call_of(const struct recording *r, const char *id, bool *out_same)
{
    const struct doc *call;
    const struct doc *other;

    DOC_EACH(i, call, doc_get(r->genai, "calls"))
    {
        *out_same = false;
        if (strcmp(doc_at(call, "span_id", NULL), id) == 0)
            return call;
        DOC_EACH(k, other, doc_get(call, "same_call"))
        {
            *out_same = true;
            if (bytes_is(other->text, id))
                return call;
        }
    }
    return NULL;
}

static int64_t number_at(const struct doc *usage, const char *key)
{
    const int64_t n = doc_int_at(usage, key, NULL);

    return n < 0 ? 0 : n;
}

/* one_hour: how many of the cache writes the dialect says are kept for an hour; -1: not told. */
static bool usage_is(const struct token_usage *u, const struct doc *want, int64_t one_hour)
{
    const int64_t *t = u->tokens;

    return t[TOKEN_INPUT] == number_at(want, "input") &&
           t[TOKEN_OUTPUT] == number_at(want, "output") &&
           t[TOKEN_CACHE_READ] == number_at(want, "cache_read") &&
           t[TOKEN_CACHE_WRITE] + t[TOKEN_CACHE_WRITE_1H] == number_at(want, "cache_write") &&
           t[TOKEN_REASONING] == number_at(want, "reasoning") &&
           (one_hour < 0 || t[TOKEN_CACHE_WRITE_1H] == one_hour);
}

static void check_cost(const struct recording *r, const struct doc *call, const struct meaning *m)
{
    const struct doc *cost = doc_get(call, "reported_cost");
    const struct doc *details = doc_get(call, "reported_cost_usd");
    const struct doc *part;
    struct value value;
    int64_t sum = 0, pico;

    if (cost == NULL)
        cost = doc_get(details, "total");
    if (cost == NULL && details == NULL)
        return;
    if (cost != NULL) {
        value = value_of(cost);
        assert_true(usage_money(&value, &sum) == USAGE_READ_COUNT);
    } else {
        DOC_EACH(i, part, details)
        {
            value = value_of(part);
            assert_true(usage_money(&value, &pico) == USAGE_READ_COUNT);
            sum += pico;
        }
    }
    if (m->reported_cost != sum)
        fail_msg("%s: cost %" PRId64 ", want %" PRId64, r->name, m->reported_cost, sum);
}

static void check_span(const struct recording *r, const struct span *span, size_t *checked)
{
    const char *id = hex_of(span->span_id);
    bool same;
    const struct doc *call = call_of(r, id, &same);
    const struct doc *model = doc_get(call, "request_model");
    struct meaning m = {.observation = LLM};
    bool right;

    if (model == NULL || model->kind != DOC_STRING)
        model = doc_get(call, "response_model");
    if (model != NULL)
        m.model = model->text;
    m.provider = bytes_of(doc_at(call, "provider", NULL));
    if (model != NULL && strstr((const char *)model->text.at, "embedding"))
        m.observation = OBSERVATION_EMBEDDING;
    read_span(span, NULL, &m);
    if (m.flags & MEANING_ODD_USAGE)
        fail_msg("%s %s: odd", r->name, id);
    if (call == NULL)
        return;
    right = usage_is(&m.usage, doc_get(call, "usage"),
                     same ? -1 : doc_int_at(call, "cache_write_detail", "1h", NULL));
    if (doc_get(call, "usage_best") != NULL)
        right |= usage_is(&m.usage, doc_get(call, "usage_best"), -1);
    if (!right)
        fail_msg("%s %s %.*s: %s, want %s", r->name, id, (int)span->name.len,
                 (const char *)span->name.at, said(&m), doc_sorted(&arena, call));
    if (!same)
        check_cost(r, call, &m);
    ++*checked;
}

static void check_body(const struct fixture_body *body, void *context)
{
    static const struct otlp_limits limits = {64, 100000};
    size_t *checked = context;
    struct recording r = {.name = body->name};
    struct span_array array;
    struct err err = {0};
    char path[300];

    (void)snprintf(path, sizeof(path), "%s/expect.json", body->name);
    r.genai = doc_get(doc_parse(&arena, fixture_file(&arena, path)), "genai");
    if (!(body->json ? otlp_from_json : otlp_from_protobuf)(body->body, &limits, &arena, &array,
                                                            &err))
        fail_msg("%s", err.text);
    for (size_t i = 0; i < array.count; i++)
        check_span(&r, &array.items[i], checked);
}

static void every_recorded_call_has_its_usage(void **state)
{
    size_t checked = 0;

    (void)state;
    (void)fixture_each(&arena, NULL, check_body, &checked);
    assert_true(checked >= 109); /* calls, and other spans of the same calls */
}

/* ---- sources ---- */

static const struct source *source_of(const struct sources *sources, const char *field,
                                      const char *key)
{
    for (size_t i = 0; i < sources->count; i++)
        if (strcmp(sources->items[i].field, field) == 0 && bytes_is(sources->items[i].key, key))
            return &sources->items[i];
    fail_msg("no source %s %s", field, key);
    return NULL;
}

static void what_stands_beside_no_number_is_counted_and_marked(void **state)
{
    const struct span *span = span_of("chat", "x",
                                      "{\"gen_ai.usage.input_tokens\":-5,"
                                      "\"gen_ai.usage.output_tokens\":150}");
    struct meaning meaning = {.observation = LLM};
    struct sources *sources = some_sources();
    const struct source *s;

    (void)state;
    read_span(span, sources, &meaning);
    assert_true(meaning.flags & MEANING_ODD_USAGE);
    assert_int_equal(meaning.usage.rule, USAGE_RULE_ODD);
    assert_int_equal(meaning.usage.tokens[TOKEN_OUTPUT], 150);
    s = source_of(sources, "usage.input", "gen_ai.usage.input_tokens");
    assert_true(!s->used && bytes_is(s->value, "-5"));
    s = source_of(sources, "usage.output", "gen_ai.usage.output_tokens");
    assert_true(s->used && bytes_is(s->value, "150"));
}

static void every_number_has_a_source(void **state)
{
    const struct span *span =
        span_of("chat", "litellm",
                "{\"gen_ai.usage.input_tokens\":1200,\"gen_ai.usage.output_tokens\":150,"
                "\"gen_ai.usage.prompt_tokens\":1201,\"gen_ai.usage.total_tokens\":\"12.5 tokens\","
                "\"gen_ai.cost.total_cost\":0.00322,\"gen_ai.usage.cost\":-1.5,"
                "\"github.copilot.cost\":3,"
                "\"metadata.usage_object\":\"{'prompt_tokens': 1200, 'completion_tokens': 150, "
                "'prompt_tokens_details': {'cached_tokens': 1024}}\"}");
    struct meaning meaning = {.observation = LLM};
    struct sources *sources = some_sources();
    const struct source *s;

    (void)state;
    read_span(span, sources, &meaning);
    assert_true(meaning.flags & MEANING_ODD_USAGE);
    s = source_of(sources, "usage.cache_read", "metadata.usage_object");
    assert_true(s->used);
    assert_string_equal(s->pointer, "/prompt_tokens_details/cached_tokens");
    assert_true(bytes_is(s->value, "1024"));
    assert_string_equal(s->dialect, "litellm");
    assert_string_equal(s->reason, usage_rule_text(USAGE_RULE_DIALECT_INCLUSIVE));
    s = source_of(sources, "usage.input", "gen_ai.usage.input_tokens");
    assert_false(s->used || s->conflict);
    s = source_of(sources, "usage.input", "gen_ai.usage.prompt_tokens");
    assert_true(!s->used && s->conflict);
    s = source_of(sources, "usage.total", "gen_ai.usage.total_tokens");
    assert_true(!s->used && bytes_is(s->value, "12.5 tokens"));
    assert_string_equal(s->reason, "no count of tokens: left out");
    s = source_of(sources, "cost.reported", "gen_ai.cost.total_cost");
    assert_true(s->used && bytes_is(s->value, "0.00322"));
    s = source_of(sources, "cost.reported", "gen_ai.usage.cost");
    assert_string_equal(s->reason, "no amount of money: left out");
    s = source_of(sources, "cost.reported", "github.copilot.cost");
    assert_string_equal(s->reason, "credits, not USD");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(every_dialect_is_read, fresh_arena),
        cmocka_unit_test_setup(nonsense_breaks_nothing, fresh_arena),
        cmocka_unit_test_setup(every_recorded_call_has_its_usage, fresh_arena),
        cmocka_unit_test_setup(what_stands_beside_no_number_is_counted_and_marked, fresh_arena),
        cmocka_unit_test_setup(every_number_has_a_source, fresh_arena),
    };

    arena_init(&arena, ROOM);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
