/* What one pass finds in a span: every row of the table, indexes, patterns, and values inside texts;
 * with keys and texts that mean harm. */
#include "test.h"

#include <stdio.h>
#include <time.h>

#include "genai/find.h"
#include "genai/table.h"

#define ROOM ((size_t)256 << 20)
#define ALL (FIND_FACTS | FIND_DETAILS | FIND_CONTENT)
enum { MOST_KEYS = 10000 };

static struct arena arena;

static int start(void **state)
{
    (void)state;
    arena_init(&arena, ROOM);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    arena_done(&arena);
    return 0;
}

static struct attribute text_attribute(const char *key, const char *value)
{
    return (struct attribute){bytes_of(key), {.kind = VALUE_STRING, .text = bytes_of(value)}};
}

/* Findings of a span with these attributes. */
static struct findings find(struct attribute *attributes, uint32_t count, const char *scope,
                            const char *name)
{
    static struct resource resource;
    struct scope *its_scope = arena_new(&arena, struct scope);
    struct span *span = arena_new(&arena, struct span);
    struct findings found;
    struct err err = {0};

    its_scope->name = bytes_of(scope);
    span->name = bytes_of(name);
    span->attributes = (struct attributes){.items = attributes, .count = count};
    span->resource = &resource;
    span->scope = its_scope;
    if (!genai_find(span, ALL, &arena, &found, &err))
        fail_msg("%s", err.text);
    return found;
}

static bool row_found(const struct findings *f, uint16_t row)
{
    const struct genai_row *r = &genai_rows[row];

    for (uint32_t i = f->first[r->target]; i < f->first[r->target + 1]; i++)
        if (f->items[i].row == row)
            return true;
    return false;
}

/* A key as a sender writes it for a row: index 3, some rest. */
static const char *example_key(const char *pattern)
{
    const char *index = strstr(pattern, "{i}");
    const char *rest = strstr(pattern, "<k>");

    if (index != NULL && rest != NULL)
        return arena_printf(&arena, "%.*s3.some.rest", (int)(index - pattern), pattern);
    if (index != NULL)
        return arena_printf(&arena, "%.*s3%s", (int)(index - pattern), pattern, index + 3);
    if (rest != NULL)
        return arena_printf(&arena, "%.*ssome%s", (int)(rest - pattern), pattern, rest + 3);
    return pattern;
}

/* {"a":{"b":7}} for "/a/b". */
static const char *example_json(const char *pointer)
{
    const char *name = pointer + 1;
    const size_t len = strcspn(name, "/");
    const char *inner = name[len] == '/' ? example_json(name + len) : "7";

    if (len == 1 && name[0] == '0')
        return arena_printf(&arena, "[%s]", inner);
    return arena_printf(&arena, "{\"%.*s\": %s}", (int)len, name, inner);
}

static void check_row(uint16_t row)
{
    const struct genai_row *r = &genai_rows[row];
    const char *key = example_key(r->key);
    struct attribute attribute =
        text_attribute(key, r->pointer ? example_json(r->pointer) : "some text");
    struct event event = {.name = bytes_of(r->where == GENAI_EVENT_NAME ? key : "an event")};
    struct resource resource = {.attributes = {0}};
    struct scope scope = {.name = BYTES_LITERAL("opentelemetry.instrumentation.openai")};
    struct span span = {.resource = &resource, .scope = &scope};
    struct findings f;
    struct err err = {0};
    const struct attributes one = {.items = &attribute, .count = 1};

    span.name = BYTES_LITERAL("litellm_request"); /* a name that shows its dialect */
    span.status_message = BYTES_LITERAL("it broke");
    span.status_code = 2;
    if (r->where == GENAI_ON_SPAN)
        span.attributes = one;
    else if (r->where == GENAI_ON_RESOURCE)
        resource.attributes = one;
    else if (r->where == GENAI_ON_EVENT)
        event.attributes = one;
    if (r->where == GENAI_ON_EVENT || r->where == GENAI_EVENT_NAME) {
        span.events = &event;
        span.event_count = 1;
    }
    if (!genai_find(&span, ALL, &arena, &f, &err))
        fail_msg("%s", err.text);
    if (!row_found(&f, row) && !(r->where == GENAI_SPAN_NAME && r->dialects >> DIALECT_GENERIC & 1))
        fail_msg("%s from %s is not found", genai_target_names[r->target], r->key);
    for (size_t i = 0; i < f.count; i++) {
        const struct value *value = finding_value(&f, &f.items[i]);

        if (f.items[i].row == row && r->pointer != NULL &&
            (value == NULL || value->kind != VALUE_INT || value->integer != 7))
            fail_msg("%s#%s gives no value", r->key, r->pointer);
    }
}

static void every_row_of_the_table_is_found(void **state)
{
    (void)state;
    for (uint16_t row = 0; row < GENAI_ROWS; row++) {
        check_row(row);
        arena_reset(&arena);
    }
    print_message("%d rows, each found\n", GENAI_ROWS);
}

static void equal_keys_are_told_apart_by_their_shape(void **state)
{
    static const struct shape {
        const char *why;
        const char *key;
        enum target target;
        bool found;
    } shapes[] = {
        {"a message", "gen_ai.prompt.0.content", TARGET_INPUT_MESSAGES, true},
        {"no digit follows", "gen_ai.prompt.name", TARGET_INPUT_MESSAGES, false},
        {"the prompt's name", "gen_ai.prompt.name", TARGET_PROMPT_NAME, true},
        {"a whole prompt", "gen_ai.prompt", TARGET_INPUT, true},
        {"a whole prompt is no message of many", "gen_ai.prompt", TARGET_INPUT_MESSAGES, false},
        {"a digit, but a name goes on", "gen_ai.prompt.0x.content", TARGET_INPUT_MESSAGES, false},
        {"an index alone", "gen_ai.prompt.7", TARGET_INPUT_MESSAGES, true},
        {"an index beyond counting", "gen_ai.prompt.99999999999.role", TARGET_INPUT_MESSAGES,
         false},
        {"a variable", "gen_ai.prompt.variable.city", TARGET_PROMPT_VARIABLES, true},
        {"an empty rest", "gen_ai.prompt.variable.", TARGET_PROMPT_VARIABLES, false},
        {"any case but its own is another key", "GEN_AI.PROMPT.0.content", TARGET_INPUT_MESSAGES,
         false},
        {"a suffix behind the index", "llm.choices.2.completion.text", TARGET_OUTPUT, true},
        {"another suffix", "llm.choices.2.completion.texts", TARGET_OUTPUT, false},
        {"a kind of span in the middle", "mastra.tool_call.input", TARGET_INPUT, true},
        {"nothing in the middle", "mastra..input", TARGET_INPUT, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
        struct attribute attribute = text_attribute(shapes[i].key, "x");
        const struct findings f = find(&attribute, 1, "", "");

        if ((f.first[shapes[i].target] < f.first[shapes[i].target + 1]) != shapes[i].found)
            fail_msg("%s: %s", shapes[i].why, shapes[i].key);
    }
}

static void indexes_are_sorted_as_numbers_and_the_last_of_a_repeated_key_stands(void **state)
{
    struct attribute attributes[] = {
        text_attribute("gen_ai.prompt.10.role", "ten"),
        text_attribute("gen_ai.prompt.2.role", "two"),
        text_attribute("gen_ai.prompt.2.content", "old"),
        text_attribute("gen_ai.prompt.0.role", "zero"),
        text_attribute("gen_ai.prompt.2.content", "new"),
        text_attribute("gen_ai.prompt.2.tool_calls.11.id", "eleven"),
        text_attribute("gen_ai.prompt.2.tool_calls.9.id", "nine"),
    };
    static const char *const want[] = {"zero", "nine", "eleven", "new", "two", "ten"};
    struct findings f = find(attributes, 7, "", "");
    const uint32_t first = f.first[TARGET_INPUT_MESSAGES];

    (void)state;
    assert_int_equal(f.first[TARGET_INPUT_MESSAGES + 1] - first, 6);
    for (uint32_t i = 0; i < 6; i++) {
        struct bytes text;

        assert_true(finding_text(&f, &f.items[first + i], &text));
        if (!bytes_is(text, want[i]))
            fail_msg("%u is %.*s, want %s", i, (int)text.len, (const char *)text.at, want[i]);
    }
    assert_int_equal(f.items[first + 1].index2, 9);
    assert_true(bytes_is(f.items[first + 1].rest, "tool_calls.9.id"));
}

static void ten_thousand_indexed_keys_stay_cheap(void **state)
{
    struct attribute *attributes = arena_array(&arena, struct attribute, MOST_KEYS);
    const clock_t before = clock();
    struct findings f;

    (void)state;
    for (uint32_t i = 0; i < MOST_KEYS; i++) /* backwards, and each number twice */
        attributes[i] = text_attribute(
            arena_printf(&arena, "llm.input_messages.%u.message.content", (MOST_KEYS - i) / 2),
            "x");
    f = find(attributes, MOST_KEYS, "", "");
    assert_int_equal(f.first[TARGET_INPUT_MESSAGES + 1] - f.first[TARGET_INPUT_MESSAGES],
                     MOST_KEYS / 2 + 1);
    for (uint32_t i = f.first[TARGET_INPUT_MESSAGES] + 1; i < f.first[TARGET_INPUT_MESSAGES + 1];
         i++)
        assert_true(f.items[i - 1].index < f.items[i].index);
    /* A quadratic pass would take seconds. */
    assert_true(clock() - before < CLOCKS_PER_SEC);
}

static void many_texts_of_one_key_are_parsed_once_each(void **state)
{
    struct attribute *attributes = arena_array(&arena, struct attribute, MOST_KEYS);
    const clock_t before = clock();
    struct findings f;

    (void)state;
    for (uint32_t i = 0; i < MOST_KEYS; i++)
        attributes[i] = text_attribute(arena_printf(&arena, "langfuse.observation.metadata.%u", i),
                                       "{\"a\": [1, 2]}");
    f = find(attributes, MOST_KEYS, "", "");
    for (size_t i = 0; i < f.count; i++)
        (void)genai_pointer(&f, f.items[i].attribute, "/a/1");
    assert_true(clock() - before < CLOCKS_PER_SEC);
}

static void dialects_show_themselves(void **state)
{
    static const struct sign {
        const char *why;
        const char *key;
        const char *value;
        const char *scope;
        const char *name;
        enum dialect dialect;
    } signs[] = {
        {"its own key", "langfuse.observation.type", "span", "", "", DIALECT_LANGFUSE},
        {"a key with its first word that no row has", "langwatch.something", "x", "", "",
         DIALECT_LANGWATCH},
        {"a scope's name", "a", "x", "pydantic-ai", "", DIALECT_PYDANTIC_AI},
        {"the start of a scope's name", "a", "x", "openinference.instrumentation.openai", "",
         DIALECT_OPENINFERENCE},
        {"a value", "gen_ai.system", "strands-agents", "", "", DIALECT_STRANDS},
        {"an indexed key", "gen_ai.prompt.0.role", "user", "", "", DIALECT_TRACELOOP},
        {"a colon", "genkit:type", "x", "", "", DIALECT_GENKIT},
        {"the span's name", "a", "x", "", "raw_gen_ai_request", DIALECT_LITELLM},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++) {
        struct attribute attribute = text_attribute(signs[i].key, signs[i].value);
        const struct findings f = find(&attribute, 1, signs[i].scope, signs[i].name);

        if (!findings_dialect(&f, signs[i].dialect))
            fail_msg("%s", signs[i].why);
        if (__builtin_popcountll(f.dialects) > 2)
            fail_msg("%s: and too many others", signs[i].why);
    }
}

static void a_plain_span_shows_no_dialect(void **state)
{
    struct attribute attributes[] = {
        text_attribute("http.request.method", "GET"),
        text_attribute("db.system", "postgresql"),
        text_attribute("url.path", "/"),
        text_attribute("", "an empty key"),
        text_attribute("a", "x"),
        text_attribute(".", "x"),
        text_attribute("gen_ai", "no dot"),
    };
    const struct findings f = find(attributes, 7, "http", "GET /");

    (void)state;
    assert_int_equal(f.dialects, 0);
}

static void memory_that_ends_is_said(void **state)
{
    struct attribute *attributes = arena_array(&arena, struct attribute, MOST_KEYS);
    struct resource resource = {.attributes = {0}};
    struct scope scope = {.attributes = {0}};
    struct span span = {.attributes = {.items = attributes, .count = MOST_KEYS},
                        .resource = &resource,
                        .scope = &scope};
    struct arena small;
    struct findings f;
    struct err err = {0};

    (void)state;
    for (uint32_t i = 0; i < MOST_KEYS; i++)
        attributes[i] = text_attribute("session.id", "x");
    arena_init(&small, 4096);
    assert_false(genai_find(&span, ALL, &small, &f, &err));
    assert_int_equal(err.kind, ERR_TOO_LARGE);
    arena_done(&small);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_of_the_table_is_found),
        cmocka_unit_test(equal_keys_are_told_apart_by_their_shape),
        cmocka_unit_test(indexes_are_sorted_as_numbers_and_the_last_of_a_repeated_key_stands),
        cmocka_unit_test(ten_thousand_indexed_keys_stay_cheap),
        cmocka_unit_test(many_texts_of_one_key_are_parsed_once_each),
        cmocka_unit_test(dialects_show_themselves),
        cmocka_unit_test(a_plain_span_shows_no_dialect),
        cmocka_unit_test(memory_that_ends_is_said),
    };

    return cmocka_run_group_tests(tests, start, stop);
}
