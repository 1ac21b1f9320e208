/* The JSON reader: the classes of the public JSON test suites (must accept, must refuse, free to
 * choose), rows of our own (OTLP-90, OTLP-91). */
#include "test.h"

#include <stdio.h>

#include "base/json_read.h"
#include "support/doc.h"

#define ROOM ((size_t)64 << 20)
#define S(text) (text), sizeof(text) - 1

static struct arena arena;

static int fresh_arena(void **state)
{
    (void)state;
    arena_done(&arena);
    arena_init(&arena, ROOM);
    return 0;
}

/* Reads to the end; false with err where the reader stops. */
static bool read_all(struct bytes text, struct err *err)
{
    struct json_reader r;
    enum json_token token;

    json_reader_init(&r, text, &arena);
    do {
        if (!json_next(&r, &token, err))
            return false;
    } while (token != JSON_END);
    return true;
}

struct row {
    const char *why;
    const char *text;
    size_t len;
};

/* y_: valid by RFC 8259. */
static const struct row accepted[] = {
    {"empty array", S("[]")},
    {"empty object", S("{}")},
    {"spaces everywhere", S(" \t\r\n[ \t\r\n1 , 2 ] \n")},
    {"spaces in an empty array", S("[ ]")},
    {"array in arrays", S("[[[]],[]]")},
    {"several nulls", S("[1,null,null,null,2]")},
    {"a string alone", S("\"x\"")},
    {"an empty string alone", S("\"\"")},
    {"a number alone", S("-0.1")},
    {"a word alone", S("false")},
    {"zero", S("[0]")},
    {"minus zero", S("[-0]")},
    {"fraction", S("[123.456789]")},
    {"exponent", S("[1e22,1E22,1e+2,1e-2,1E+2,0e1,0e+1,-1e0]")},
    {"fraction and exponent", S("[123.456e78]")},
    {"very small", S("[-0.000000000000000000000000000000000000000000000000000000000000000001]")},
    {"duplicated key", S("{\"a\":\"b\",\"a\":\"c\"}")},
    {"empty key", S("{\"\":0}")},
    {"NUL in a key", S("{\"a\\u0000b\":1}")},
    {"nested objects", S("{\"a\":{\"b\":[{}]}}")},
    {"simple escapes", S("[\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"]")},
    {"unicode escapes", S("[\"\\u0060\\u012a\\u12AB\"]")},
    {"surrogate pair", S("[\"\\ud83d\\uDE00\"]")},
    {"pair right behind a pair", S("[\"\\ud801\\udc37\\ud801\\udc37\"]")},
    {"noncharacter", S("[\"\\uFFFF\\uDBFF\\uDFFF\"]")},
    {"escaped NUL", S("[\"\\u0000\"]")},
    {"raw UTF-8 of two to four bytes", S("[\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"]")},
    {"raw DEL", S("[\"a\x7f\"]")},
    {"line separators", S("[\"\xe2\x80\xa8\xe2\x80\xa9\"]")},
    {"escaped backslash at the end", S("[\"\\\\\"]")},
    {"escaped quote at the end", S("[\"\\\"\"]")},
};

/* n_: not JSON. */
static const struct row refused[] = {
    {"nothing", S("")},
    {"only spaces", S(" \n")},
    {"BOM", S("\xef\xbb\xbf{}")},
    {"UTF-16", S("\xff\xfe[\0]\0")},
    {"NUL", S("\0")},
    {"form feed between tokens", S("[\f]")},
    {"no-break space", S("[\xc2\xa0]")},
    {"comma alone", S(",")},
    {"comma in front", S("[,1]")},
    {"comma behind", S("[1,]")},
    {"two commas", S("[1,,2]")},
    {"only a comma", S("[,]")},
    {"no comma", S("[1 true]")},
    {"colon for comma", S("[\"\":1]")},
    {"array not closed", S("[1")},
    {"array not closed behind a comma", S("[1,\n1\n,1")},
    {"closed twice", S("[]]")},
    {"closed otherwise", S("[}")},
    {"array closed by a brace", S("[1}")},
    {"object closed by a bracket", S("{\"a\":1]")},
    {"only a close", S("]")},
    {"two values", S("1 2")},
    {"value behind a value", S("{}[]")},
    {"garbage behind", S("[1]x")},
    {"comment", S("[1/* */]")},
    {"line comment", S("{} // x")},
    {"hash comment", S("{} #")},
    {"trailing comma in an object", S("{\"a\":1,}")},
    {"two trailing commas", S("{\"a\":1,,}")},
    {"comma for colon", S("{\"a\",1}")},
    {"two colons", S("{\"a\"::1}")},
    {"no value", S("{\"a\":}")},
    {"no colon", S("{\"a\" \"b\"}")},
    {"key not quoted", S("{a:1}")},
    {"key in single quotes", S("{'a':1}")},
    {"number as a key", S("{1:1}")},
    {"null as a key", S("{null:null}")},
    {"object not closed", S("{\"a\":1")},
    {"key not closed", S("{\"a")},
    {"only a key", S("{\"a\"}")},
    {"bracket in an object", S("{[: \"x\"}")},
    {"True", S("[True]")},
    {"nul", S("[nul]")},
    {"truee", S("[truee]")},
    {"fals", S("fals")},
    {"NaN", S("[NaN]")},
    {"-NaN", S("[-NaN]")},
    {"Infinity", S("[Infinity]")},
    {"-Infinity", S("[-Infinity]")},
    {"inf", S("[Inf]")},
    {"plus", S("[+1]")},
    {"two minuses", S("[--1]")},
    {"minus alone", S("[-]")},
    {"minus and a letter", S("[-a]")},
    {"minus and a space", S("[- 1]")},
    {"leading zero", S("[012]")},
    {"leading zeros", S("[-012]")},
    {"zero behind zero", S("[00]")},
    {"no digit in front", S("[.5]")},
    {"minus and a point", S("[-.5]")},
    {"no digit behind the point", S("[1.]")},
    {"exponent behind a point", S("[1.e1]")},
    {"no exponent", S("[1e]")},
    {"sign alone as exponent", S("[1e+]")},
    {"two exponents", S("[1e1e1]")},
    {"exponent with a point", S("[1e1.5]")},
    {"two points", S("[1.2.3]")},
    {"hex", S("[0x42]")},
    {"grouped", S("[1 000.0]")},
    {"underscore", S("[1_0]")},
    {"wide digit", S("[\xef\xbc\x91]")},
    {"letter behind", S("[1a]")},
    {"string not closed", S("[\"a")},
    {"only a quote", S("\"")},
    {"single quotes", S("['a']")},
    {"raw newline", S("[\"a\nb\"]")},
    {"raw tab", S("[\"\t\"]")},
    {"raw NUL", S("[\"a\0b\"]")},
    {"raw 0x1f", S("[\"\x1f\"]")},
    {"escaped NUL byte", S("[\"\\\0\"]")},
    {"escape x", S("[\"\\x00\"]")},
    {"escape a", S("[\"\\a\"]")},
    {"escape U", S("[\"\\U0041\"]")},
    {"escape cut", S("[\"\\")},
    {"escape before the end", S("[\"\\\"]")},
    {"three hex digits", S("[\"\\u00A\"]")},
    {"hex digits cut", S("[\"\\u00")},
    {"not hex", S("[\"\\u00zz\"]")},
    {"emoji escaped", S("[\"\\\xf0\x9f\x98\x80\"]")},
    {"lone high surrogate", S("[\"\\ud800\"]")},
    {"lone high surrogate and text", S("[\"\\ud800abc\"]")},
    {"lone low surrogate", S("[\"\\udc00\"]")},
    {"two high surrogates", S("[\"\\ud800\\ud800\"]")},
    {"surrogates in the wrong order", S("[\"\\udc00\\ud800\"]")},
    {"high surrogate and an escape", S("[\"\\ud800\\n\"]")},
    {"high surrogate and half an escape", S("[\"\\ud800\\u\"]")},
    {"high surrogate and 1 digit", S("[\"\\ud800\\u1\"]")},
};

/* i_: free to choose. What we chose: numbers of any size and bytes that are no UTF-8 pass, their
 * judgement is the caller's. */
static const struct row passed_on[] = {
    {"huge exponent", S("[1e9999]")},
    {"tiny exponent", S("[123.456e-789]")},
    {"integer beyond 64 bits", S("[123123123123123123123123123123]")},
    {"overlong UTF-8", S("[\"\xc0\xaf\"]")},
    {"UTF-8 cut short", S("[\"\xe0\xff\"]")},
    {"surrogate as raw bytes", S("[\"\xed\xa0\x80\"]")},
    {"beyond U+10FFFF", S("[\"\xf4\xbf\xbf\xbf\"]")},
    {"Latin-1", S("[\"\xe9\"]")},
    {"a lone continuation byte", S("[\"\x81\"]")},
};

static void accepts_what_is_json(void **state)
{
    struct err err;

    (void)state;
    for (size_t i = 0; i < sizeof(accepted) / sizeof(accepted[0]); i++)
        if (!read_all((struct bytes){(const uint8_t *)accepted[i].text, accepted[i].len}, &err))
            fail_msg("%s: refused: %s", accepted[i].why, err.text);
    for (size_t i = 0; i < sizeof(passed_on) / sizeof(passed_on[0]); i++)
        if (!read_all((struct bytes){(const uint8_t *)passed_on[i].text, passed_on[i].len}, &err))
            fail_msg("%s: refused: %s", passed_on[i].why, err.text);
}

static void refuses_what_is_not(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        const struct row *c = &refused[i];
        struct err err = {0};
        /* Exactly its size, so that ASan sees a read behind the end. */
        uint8_t *copy = test_malloc(c->len + (c->len == 0));

        memcpy(copy, c->text, c->len);
        if (read_all((struct bytes){copy, c->len}, &err))
            fail_msg("%s: accepted", c->why);
        if (err.kind != ERR_BAD_INPUT || !strstr(err.text, "JSON: byte "))
            fail_msg("%s: kind %d \"%s\"", c->why, (int)err.kind, err.text);
        test_free(copy);
    }
}

static void gives_tokens_in_order(void **state)
{
    static const struct {
        enum json_token token;
        const char *text; /* NULL: none */
    } want[] = {
        {JSON_OBJECT_OPEN, NULL},
        {JSON_KEY, "a\"b"},
        {JSON_ARRAY_OPEN, NULL},
        {JSON_STRING, ""},
        {JSON_STRING, "x\n\xf0\x9f\x98\x80y"},
        {JSON_NUMBER, "-1.5e+3"},
        {JSON_TRUE, NULL},
        {JSON_FALSE, NULL},
        {JSON_NULL, NULL},
        {JSON_OBJECT_OPEN, NULL},
        {JSON_OBJECT_CLOSE, NULL},
        {JSON_ARRAY_CLOSE, NULL},
        {JSON_KEY, ""},
        {JSON_NUMBER, "18446744073709551615"},
        {JSON_OBJECT_CLOSE, NULL},
        {JSON_END, NULL},
        {JSON_END, NULL},
    };
    struct json_reader r;
    struct err err;

    (void)state;
    json_reader_init(&r,
                     BYTES_LITERAL("{\"a\\\"b\":[\"\",\"x\\n\\ud83d\\ude00y\",-1.5e+3,true,false,"
                                   "null,{}],\"\":18446744073709551615} "),
                     &arena);
    for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
        enum json_token token;

        if (!json_next(&r, &token, &err))
            fail_msg("token %zu: %s", i, err.text);
        if (token != want[i].token || (want[i].text && !bytes_is(r.text, want[i].text)))
            fail_msg("token %zu: %d \"%.*s\"", i, (int)token, (int)r.text.len,
                     (const char *)r.text.at);
    }
}

static void decodes_every_code_point(void **state)
{
    (void)state;
    for (uint32_t code = 0; code < 0x110000; code += code < 0x900 ? 1 : 37) {
        char text[20];
        struct json_reader r;
        enum json_token token;
        struct err err;
        struct doc *other;

        if (code >= 0xd800 && code < 0xe000)
            continue;
        if (code < 0x10000)
            (void)snprintf(text, sizeof(text), "\"\\u%04X\"", code);
        else
            (void)snprintf(text, sizeof(text), "\"\\u%04x\\u%04x\"",
                           0xd800 + ((code - 0x10000) >> 10), 0xdc00 + ((code - 0x10000) & 0x3ff));
        json_reader_init(&r, bytes_of(text), &arena);
        assert_true(json_next(&r, &token, &err));
        other = doc_parse(&arena, bytes_of(text)); /* a reader written by other hands */
        assert_non_null(other);
        if (!bytes_equal(r.text, other->text))
            fail_msg("U+%04X differs", code);
        if (code % 4096 == 0)
            (void)fresh_arena(NULL);
    }
}

static void borrows_strings_without_escapes(void **state)
{
    const struct bytes text = BYTES_LITERAL("[\"plain text, longer than a word\"]");
    struct json_reader r;
    enum json_token token;
    struct err err;

    (void)state;
    json_reader_init(&r, text, &arena);
    assert_true(json_next(&r, &token, &err));
    assert_true(json_next(&r, &token, &err));
    assert_ptr_equal(r.text.at, text.at + 2);
}

static void skips_values(void **state)
{
    struct json_reader r;
    enum json_token token;
    struct err err;

    (void)state;
    json_reader_init(&r, BYTES_LITERAL("{\"a\":{\"b\":[1,{},[\"]\"]]},\"c\":5,\"d\":6}"), &arena);
    assert_true(json_next(&r, &token, &err) && json_next(&r, &token, &err));
    assert_true(json_skip(&r, &err));
    assert_true(json_next(&r, &token, &err));
    assert_true(token == JSON_KEY && bytes_is(r.text, "c"));
    assert_true(json_skip(&r, &err));
    assert_true(json_next(&r, &token, &err));
    assert_true(token == JSON_KEY && bytes_is(r.text, "d"));
    json_reader_init(&r, BYTES_LITERAL("{\"a\":[1,}"), &arena);
    assert_true(json_next(&r, &token, &err) && json_next(&r, &token, &err));
    assert_false(json_skip(&r, &err));
}

static void bounds_nesting(void **state)
{
    char text[2 * JSON_MAX_DEPTH + 8];
    struct err err = {0};

    (void)state;
    memset(text, '[', JSON_MAX_DEPTH);
    memset(text + JSON_MAX_DEPTH, ']', JSON_MAX_DEPTH);
    assert_true(read_all((struct bytes){(uint8_t *)text, (size_t)2 * JSON_MAX_DEPTH}, &err));
    memset(text, '[', JSON_MAX_DEPTH + 1);
    assert_false(read_all((struct bytes){(uint8_t *)text, JSON_MAX_DEPTH + 1}, &err));
    assert_int_equal(err.kind, ERR_BAD_INPUT);
    assert_non_null(strstr(err.text, "nested deeper"));
}

static void remembers_the_kind_of_each_bracket(void **state)
{
    /* Alternating brackets, so that every bit of the stack is another one than its neighbour. */
    char text[8192];
    size_t len = 0;
    size_t depth = 0;
    struct err err = {0};

    (void)state;
    for (; depth < 400; depth++) {
        memcpy(text + len, depth % 3 ? "{\"k\":" : "[", depth % 3 ? 5 : 1);
        len += depth % 3 ? 5 : 1;
    }
    text[len++] = '1';
    while (depth-- > 0)
        text[len++] = depth % 3 ? '}' : ']';
    assert_true(read_all((struct bytes){(uint8_t *)text, len}, &err));
    text[len - 200] = text[len - 200] == '}' ? ']' : '}';
    assert_false(read_all((struct bytes){(uint8_t *)text, len}, &err));
}

static void says_so_when_the_arena_is_full(void **state)
{
    struct arena none;
    struct json_reader r;
    enum json_token token;
    struct err err = {0};

    (void)state;
    arena_init(&none, 0);
    json_reader_init(&r, BYTES_LITERAL("\"\\n\""), &none);
    assert_false(json_next(&r, &token, &err));
    assert_int_equal(err.kind, ERR_TOO_LARGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(accepts_what_is_json, fresh_arena),
        cmocka_unit_test_setup(refuses_what_is_not, fresh_arena),
        cmocka_unit_test_setup(gives_tokens_in_order, fresh_arena),
        cmocka_unit_test_setup(decodes_every_code_point, fresh_arena),
        cmocka_unit_test_setup(borrows_strings_without_escapes, fresh_arena),
        cmocka_unit_test_setup(skips_values, fresh_arena),
        cmocka_unit_test_setup(bounds_nesting, fresh_arena),
        cmocka_unit_test_setup(remembers_the_kind_of_each_bracket, fresh_arena),
        cmocka_unit_test_setup(says_so_when_the_arena_is_full, fresh_arena),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
