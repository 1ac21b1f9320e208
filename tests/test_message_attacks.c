/* Content that was made to hurt: bounds hold, output is JSON, what can be shown is shown. */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "support/doc.h"
#include "support/genai_case.h"

#define ROOM ((size_t)1 << 30)

static struct arena arena;

static int fresh_arena(void **state)
{
    (void)state;
    arena_done(&arena);
    arena_init(&arena, ROOM);
    return 0;
}

static struct value text_value(struct bytes text)
{
    return (struct value){.kind = VALUE_STRING, .text = text};
}

/* A span with room for count attributes. */
static struct span *big_span(uint32_t count)
{
    struct span *span = case_span(&arena, NULL, NULL);

    span->attributes.items = arena_array(&arena, struct attribute, count);
    span->attributes.count = count;
    return span;
}

static struct span *one_text(const char *key, struct bytes text)
{
    struct span *span = big_span(1);

    span->attributes.items[0] = (struct attribute){bytes_of(key), text_value(text)};
    return span;
}

static struct content content_of(const char *why, const struct span *span)
{
    return case_content(&arena, why, span, OBSERVATION_LLM);
}

static uint64_t ms_for_keys(uint32_t count)
{
    struct span *span = big_span(2 * count);
    struct content content;
    int64_t start;

    for (uint32_t i = 0; i < count; i++) {
        const unsigned index = (i * 7919u) % count * 3; /* gaps, in no order */

        span->attributes.items[2 * i] = (struct attribute){
            bytes_of(arena_printf(&arena, "llm.input_messages.%u.message.content", index)),
            text_value(bytes_of(arena_printf(&arena, "text %u", index)))};
        span->attributes.items[2 * i + 1] = (struct attribute){
            bytes_of(arena_printf(&arena, "llm.input_messages.%u.message.role", index)),
            text_value(BYTES_LITERAL("user"))};
    }
    start = clock_mono_ns();
    content = content_of("many keys", span);
    start = clock_mono_ns() - start;
    assert_int_equal(doc_count(doc_parse(&arena, content.messages)), count);
    assert_string_equal(
        doc_at(doc_item(doc_get(doc_item(doc_parse(&arena, content.messages), 10), "parts"), 0),
               "content", NULL),
        "text 30");
    return (uint64_t)start / 1000000;
}

static void ten_thousand_indexed_keys_cost_no_more_than_their_share(void **state)
{
    const uint64_t few = ms_for_keys(1000);
    const uint64_t many = ms_for_keys(10000);

    (void)state;
    if (many > 40 * (few + 5)) /* ten times as many; a square would be a hundred */
        fail_msg("%llu ms for 1,000 messages, %llu ms for 10,000", (unsigned long long)few,
                 (unsigned long long)many);
}

static void an_index_that_comes_again_and_again_is_one_message(void **state)
{
    struct span *span = big_span(20000);
    struct content content;

    (void)state;
    for (uint32_t i = 0; i < span->attributes.count; i++)
        span->attributes.items[i] =
            (struct attribute){BYTES_LITERAL("gen_ai.prompt.0.content"),
                               text_value(bytes_of(arena_printf(&arena, "text %u", i)))};
    content = content_of("one index", span);
    assert_true(bytes_is(content.messages, "[{\"role\":\"user\",\"parts\":[{\"type\":\"text\","
                                           "\"content\":\"text 19999\"}]}]"));
}

static void odd_indexes_are_no_danger(void **state)
{
    static const char *const keys[] = {
        "gen_ai.prompt.99999999999999999999.content",
        "gen_ai.prompt.0.",
        "gen_ai.prompt.0..content",
        "gen_ai.prompt.0",
        "gen_ai.prompt.-1.content",
        "gen_ai.prompt.00.role",
        "gen_ai.prompt.1.tool_calls.x.name",
        "gen_ai.prompt.1.tool_calls",
        "gen_ai.prompt.1.content.0.1.2.3.4.5.6.7.8.9.10.11.12.13.14.15.16.17.18.19.20",
        "llm.tools.0.tool",
        "llm.tools.0.tool.json_schema",
        "retrieval.documents.0.document",
        "gen_ai.prompt.1.content.",
    };
    const uint32_t count = sizeof(keys) / sizeof(keys[0]);
    struct span *span = big_span(count);

    (void)state;
    for (uint32_t i = 0; i < count; i++)
        span->attributes.items[i] =
            (struct attribute){bytes_of(keys[i]), text_value(BYTES_LITERAL("x"))};
    (void)content_of("odd indexes", span);
}

static struct bytes filled(size_t len, const char *pattern)
{
    uint8_t *at = arena_alloc(&arena, len);
    const size_t each = strlen(pattern);

    assert_non_null(at);
    for (size_t i = 0; i < len; i++)
        at[i] = (uint8_t)pattern[i % each];
    return (struct bytes){at, len};
}

static void large_values_are_carried_through(void **state)
{
    static const char *const patterns[] = {"x",
                                           "\x01",
                                           "[",
                                           "{\"a\":",
                                           "[[1],",
                                           "\"",
                                           "\\\"",
                                           "{\"input\":",
                                           "1,",
                                           "\xff",
                                           "{\"role\":\"user\"},"};

    (void)state;
    for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
        const struct bytes text = filled((size_t)10 << 20, patterns[i]);
        const struct content content =
            content_of(patterns[i], one_text("gen_ai.input.messages", text));

        assert_int_equal(content.input.len, text.len);
        assert_true(content.messages.len > text.len);
        assert_true(content.input_preview.len <= 800);
        (void)fresh_arena(NULL);
    }
}

static void a_long_list_stays_a_list(void **state)
{
    struct buf text;
    struct content content;

    (void)state;
    buf_init(&text, 64 << 20);
    buf_add_byte(&text, '[');
    for (unsigned i = 0; i < 10000; i++)
        buf_printf(&text, "%s{\"role\":\"user\",\"content\":\"message number %u\"}", i ? "," : "",
                   i);
    buf_add_byte(&text, ']');
    content = content_of("long list", one_text("gen_ai.input.messages", buf_bytes(&text)));
    assert_int_equal(doc_count(doc_parse(&arena, content.messages)), 10000);
    assert_true(bytes_is(content.input_preview, "message number 9999"));
    buf_done(&text);
}

/* shell with text in the place of its '@'. */
static const char *shelled(const char *shell, const char *text)
{
    const char *place = strchr(shell, '@');

    return arena_printf(&arena, "%.*s%s%s", (int)(place - shell), shell, text, place + 1);
}

/* One value inside the other, as JSON and as JSON in texts. */
static void depth_has_an_end(void **state)
{
    static const char *const shells[] = {"{\"input\":@}",
                                         "{\"messages\":[@]}",
                                         "[@]",
                                         "{\"output\":@}",
                                         "{\"kwargs\":@}",
                                         "{\"role\":\"user\",\"content\":@}",
                                         "{\"system\":@,\"messages\":[]}",
                                         "{\"type\":\"constructor\",\"kwargs\":@,\"id\":[\"ai\"]}"};

    (void)state;
    for (size_t i = 0; i < sizeof(shells) / sizeof(shells[0]); i++) {
        const char *nested = "{\"role\":\"user\",\"content\":\"hi\"}";
        const char *quoted = nested;

        for (unsigned depth = 0; depth < 60; depth++)
            nested = shelled(shells[i], nested);
        (void)content_of(shells[i], one_text("gen_ai.input.messages", bytes_of(nested)));
        (void)content_of(shells[i], one_text("input.value", bytes_of(nested)));
        for (unsigned depth = 0; depth < 12; depth++) {
            struct buf text;

            buf_init(&text, 16 << 20);
            (void)json_string(&text, bytes_of(quoted));
            buf_add_byte(&text, 0);
            quoted = shelled(shells[i], (const char *)text.at);
            buf_done(&text);
        }
        (void)content_of(shells[i], one_text("output.value", bytes_of(quoted)));
    }
}

static void values_of_any_depth_are_written(void **state)
{
    struct value *value = arena_new(&arena, struct value);
    struct span *span = big_span(1);

    (void)state;
    *value = text_value(BYTES_LITERAL("deep"));
    for (unsigned i = 0; i < 5000; i++) {
        struct value *around = arena_new(&arena, struct value);

        *around = (struct value){.kind = VALUE_ARRAY, .count = 1, .items = value};
        value = around;
    }
    span->attributes.items[0] = (struct attribute){BYTES_LITERAL("input.value"), *value};
    assert_true(content_of("deep value", span).input.len > 0);
}

static const char *const samples[] = {
    "[{\"role\":\"system\",\"parts\":[{\"type\":\"text\",\"content\":\"be "
    "brief\"}]},{\"role\":\"user\","
    "\"parts\":[{\"type\":\"text\",\"content\":\"a\\u00e9\\ud83d\\ude00 "
    "\\\"q\\\"\"}]},{\"role\":\"assistant\","
    "\"parts\":[{\"type\":\"tool_call\",\"id\":\"c1\",\"name\":\"f\",\"arguments\":{\"a\":[1,2.5e3,"
    "null]}}],"
    "\"finish_reason\":\"stop\"}]",
    "{\"model\":\"m\",\"messages\":[{\"content\":[{\"type\":\"image_url\",\"image_url\":{\"url\":"
    "\"data:image/png;base64,aGk=\"}},{\"text\":\"hi\"}],\"role\":\"user\"},{\"role\":\"tool\","
    "\"tool_call_id\":\"c\",\"content\":\"[1]\"}],\"tools\":[{\"type\":\"function\",\"function\":{}"
    "}]}",
    "{'generations': [[{'text': 'ho', 'message': {'lc': 1, 'type': 'constructor', 'id': "
    "['AIMessage'], 'kwargs': {'content': 'ho', 'tool_calls': [{'name': 'f', 'args': {}}]}}}]]}",
    "\"{\\\"contents\\\":[{\\\"parts\\\":[{\\\"functionCall\\\":{\\\"name\\\":\\\"f\\\"}}]}]}\"",
};
static const char *const keys[] = {"gen_ai.input.messages",
                                   "langfuse.observation.output",
                                   "gen_ai.tool.definitions",
                                   "llm.invocation_parameters",
                                   "metadata",
                                   "gen_ai.response.finish_reasons",
                                   "events"};
#define SAMPLES (sizeof(samples) / sizeof(samples[0]))
#define KEYS (sizeof(keys) / sizeof(keys[0]))

static struct span *of_all_keys(struct bytes text)
{
    struct span *span = big_span(KEYS);

    for (uint32_t k = 0; k < KEYS; k++)
        span->attributes.items[k] = (struct attribute){bytes_of(keys[k]), text_value(text)};
    return span;
}

static void json_cut_at_any_byte_is_shown_as_text(void **state)
{
    (void)state;
    for (size_t i = 0; i < SAMPLES; i++)
        for (size_t len = 1; len < strlen(samples[i]); len++) {
            /* A copy of its own, so that reading beyond it is seen. */
            uint8_t *own = malloc(len);
            struct content content;

            assert_non_null(own);
            memcpy(own, samples[i], len);
            content = content_of(samples[i], of_all_keys((struct bytes){own, len}));
            assert_int_equal(content.input.len, len);
            if (content.messages.len == 0)
                fail_msg("nothing of %.*s is shown", (int)len, samples[i]);
            (void)fresh_arena(NULL);
            free(own);
        }
}

static void bytes_changed_at_random_are_no_danger(void **state)
{
    static const uint8_t odd[] = {'"', '\\', '{', '}', '[', ']', ',', ':', 0, 0xff, 0xc3, 'n', '1'};
    uint64_t seed = 88172645463325252u;

    (void)state;
    for (unsigned round = 0; round < 6000; round++) {
        const char *sample = samples[round % SAMPLES];
        const size_t len = strlen(sample);
        uint8_t *own = malloc(len);

        assert_non_null(own);
        memcpy(own, sample, len);
        for (unsigned k = 0; k < 1 + round % 3; k++) {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            own[seed % len] = odd[(seed >> 32) % sizeof(odd)];
        }
        (void)content_of("changed", of_all_keys((struct bytes){own, len}));
        (void)fresh_arena(NULL);
        free(own);
    }
}

static void too_little_memory_is_an_error_and_nothing_else(void **state)
{
    const struct span *span = of_all_keys(bytes_of(samples[0]));
    const struct meaning meaning = {.observation = OBSERVATION_LLM};
    bool done = false;

    (void)state;
    for (size_t room = 64; !done; room += room / 4 + 64) {
        struct arena little;
        struct findings findings;
        struct content content;
        struct err err = {0};

        arena_init(&little, room);
        done =
            genai_find(span, FIND_FACTS | FIND_DETAILS | FIND_CONTENT, &little, &findings, &err) &&
            genai_content(&findings, &meaning, NULL, &content, &err);
        if (!done)
            assert_int_equal(err.kind, ERR_TOO_LARGE);
        arena_done(&little);
        assert_true(room < ROOM);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(ten_thousand_indexed_keys_cost_no_more_than_their_share,
                               fresh_arena),
        cmocka_unit_test_setup(an_index_that_comes_again_and_again_is_one_message, fresh_arena),
        cmocka_unit_test_setup(odd_indexes_are_no_danger, fresh_arena),
        cmocka_unit_test_setup(large_values_are_carried_through, fresh_arena),
        cmocka_unit_test_setup(a_long_list_stays_a_list, fresh_arena),
        cmocka_unit_test_setup(depth_has_an_end, fresh_arena),
        cmocka_unit_test_setup(values_of_any_depth_are_written, fresh_arena),
        cmocka_unit_test_setup(json_cut_at_any_byte_is_shown_as_text, fresh_arena),
        cmocka_unit_test_setup(bytes_changed_at_random_are_no_danger, fresh_arena),
        cmocka_unit_test_setup(too_little_memory_is_an_error_and_nothing_else, fresh_arena),
    };
    int failed;

    arena_init(&arena, ROOM);
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    arena_done(&arena);
    return failed;
}
