/* Values inside texts: JSON, Python's repr, cut and hostile ones. */
#include "test.h"

#include <stdio.h>
#include <time.h>

#include "genai/find.h"
#include "support/doc.h"

#define ROOM ((size_t)256 << 20)

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

/* The value as JSON, for comparing. */
static const char *shown(const struct value *value)
{
    const char *text = "";

    switch (value->kind) {
    case VALUE_EMPTY:
        return "null";
    case VALUE_STRING:
        return arena_printf(&arena, "\"%.*s\"", (int)value->text.len, (const char *)value->text.at);
    case VALUE_BOOL:
        return value->boolean ? "true" : "false";
    case VALUE_INT:
        return arena_printf(&arena, "%lld", (long long)value->integer);
    case VALUE_DOUBLE:
        return arena_printf(&arena, "%g", value->real);
    case VALUE_ARRAY:
        for (uint32_t i = 0; i < value->count; i++)
            text = arena_printf(&arena, "%s%s%s", text, i ? "," : "", shown(&value->items[i]));
        return arena_printf(&arena, "[%s]", text);
    case VALUE_KVLIST:
        for (uint32_t i = 0; i < value->count; i++)
            text = arena_printf(
                &arena, "%s%s\"%.*s\":%s", text, i ? "," : "", (int)value->entries[i].key.len,
                (const char *)value->entries[i].key.at, shown(&value->entries[i].value));
        return arena_printf(&arena, "{%s}", text);
    case VALUE_BYTES:
    default:
        return "?";
    }
}

static void texts_become_the_values_they_hold(void **state)
{
    static const struct row {
        const char *why;
        const char *text;
        const char *want; /* NULL: no value */
        bool cut;
    } rows[] = {
        {"JSON", "{\"a\": [1, 2.5, {\"b\": null}], \"c\": true}",
         "{\"a\":[1,2.5,{\"b\":null}],\"c\":true}", false},
        {"Python", "{'a': None, 'b': (1, True), 'c': [False]}",
         "{\"a\":null,\"b\":[1,true],\"c\":[false]}", false},
        {"an object of Python", "Usage(input=3, details=Foo(a='b'), x=None)",
         "{\"input\":3,\"details\":{\"a\":\"b\"},\"x\":null}", false},
        {"a trailing comma of a tuple", "(1,)", "[1]", false},
        {"an enum of Python", "{'r': <Role.USER: 'user'>}", "{\"r\":\"<Role.USER: 'user'>\"}",
         false},
        {"numbers as keys", "{1: 2}", "{\"1\":2}", false},
        {"a text in quotes", "\"LLM\"", "\"LLM\"", false},
        {"escapes", "[\"a\\u00e9\\\"\"]", "[\"aé\"\"]", false},
        {"a pair of surrogates", "[\"\\ud83d\\ude00\"]", "[\"😀\"]", false},
        {"half a pair", "[\"\\ud83d\"]", "[\"\xef\xbf\xbd\"]", false},
        {"2^63 is no int64", "[9223372036854775808]", "[9.22337e+18]", false},
        {"spaces around", "  [ 1 , 2 ]\n", "[1,2]", false},
        {"empty ones", "[{}, [], ()]", "[{},[],[]]", false},
        {"cut in a string", "{\"a\": {\"b\": \"cut o", "{\"a\":{\"b\":\"cut o\"}}", true},
        {"cut behind a key", "{\"a\": 1, \"b\"", "{\"a\":1}", true},
        {"cut behind a colon", "{\"a\": 1, \"b\":", "{\"a\":1}", true},
        {"cut behind a comma", "[1,", "[1]", true},
        {"cut in a number: more digits may follow", "{\"a\": 12", "{\"a\":null}", true},
        {"cut at once", "{", "{}", true},
        {"cut in an escape", "[\"a\\", "[\"a\\\"]", true},
        {"a sentence", "plain text", NULL, false},
        {"a sentence that begins like a list", "[1] is the first", NULL, false},
        {"a quoted text without its end", "\"cut", NULL, false},
        {"nothing", "", NULL, false},
        {"spaces", "   ", NULL, false},
        {"a comma first", "[,1]", NULL, false},
        {"closed twice", "[1]]", NULL, false},
        {"closed by another", "[1}", NULL, false},
        {"a set of Python", "{'a', 'b'}", NULL, false},
        {"words", "{a b}", NULL, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct value value;
        bool cut = false;
        const bool parsed = genai_parse_text(bytes_of(rows[i].text), &arena, &value, &cut);

        if (parsed != (rows[i].want != NULL))
            fail_msg("%s: %s", rows[i].why, parsed ? shown(&value) : "no value");
        if (parsed && (strcmp(shown(&value), rows[i].want) != 0 || cut != rows[i].cut))
            fail_msg("%s: %s, cut %d", rows[i].why, shown(&value), cut);
    }
}

static void every_prefix_of_a_text_is_read_or_refused(void **state)
{
    static const char text[] =
        "{'a': [1, -2.5e3, (True, None)], \"b\\u00e9\": U(x='y', z={}), 'c': <o 1>, 'd': b'\\x41'}";

    (void)state;
    for (size_t len = 0; len <= sizeof(text) - 1; len++) {
        /* A copy of its own, so that a read behind its end is seen by a sanitizer. */
        uint8_t *copy = arena_alloc(&arena, len);
        struct value value;
        bool cut;

        memcpy(copy, text, len);
        if (genai_parse_text((struct bytes){copy, len}, &arena, &value, &cut))
            (void)shown(&value);
    }
}

static struct bytes repeated(const char *text, size_t times)
{
    const size_t len = strlen(text);
    uint8_t *copy = arena_alloc(&arena, len * times);

    assert_non_null(copy);
    for (size_t i = 0; i < times; i++)
        memcpy(copy + i * len, text, len);
    return (struct bytes){copy, len * times};
}

static void bombs_are_bounded(void **state)
{
    static const char *const bombs[] = {"[",   "{\"a\":", "(",    "A(",     "[[],",
                                        "[0,", "{1:",     "A(b=", "{'a':[", "\\"};

    (void)state;
    for (size_t i = 0; i < sizeof(bombs) / sizeof(bombs[0]); i++) {
        const clock_t before = clock();
        struct value value;
        bool cut;

        (void)genai_parse_text(repeated(bombs[i], 1000000), &arena, &value, &cut);
        assert_true(clock() - before < CLOCKS_PER_SEC);
        arena_reset(&arena);
    }
}

static void a_long_list_ends_at_the_bound(void **state)
{
    struct bytes list = repeated("1,", 2000000);
    uint8_t *start_of_list = arena_alloc(&arena, list.len + 1);
    struct value value;
    bool cut = false;

    (void)state;
    start_of_list[0] = '[';
    memcpy(start_of_list + 1, list.at, list.len);
    assert_true(
        genai_parse_text((struct bytes){start_of_list, list.len + 1}, &arena, &value, &cut));
    assert_true(cut);
    assert_in_range(value.count, 1000, 200000);
    assert_false(arena.failed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_become_the_values_they_hold),
        cmocka_unit_test(every_prefix_of_a_text_is_read_or_refused),
        cmocka_unit_test(bombs_are_bounded),
        cmocka_unit_test(a_long_list_ends_at_the_bound),
    };

    return cmocka_run_group_tests(tests, start, stop);
}
