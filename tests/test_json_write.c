/* JSON writing: escapes, repairs, commas. */
#include "test.h"

#include "base/json_write.h"
#include "base/text.h"
#include "support/doc.h"

#define S(text)                                                                                    \
    {                                                                                              \
        (const uint8_t *)(text), sizeof(text) - 1                                                  \
    }
#define FFFD "\xef\xbf\xbd"

static struct buf out;

static int fresh_buf(void **state)
{
    (void)state;
    buf_done(&out);
    buf_init(&out, 1U << 20);
    return 0;
}

static const struct {
    const char *why;
    struct bytes text;
    const char *json;
    const char *exact; /* NULL: the same */
    unsigned repairs;
} strings[] = {
    {"empty", S(""), "\"\"", NULL, 0},
    {"plain", S("plain text, no escapes in it"), "\"plain text, no escapes in it\"", NULL, 0},
    {"escapes with a letter", S("\"\\\b\f\n\r\t/"), "\"\\\"\\\\\\b\\f\\n\\r\\t/\"", NULL, 0},
    {"control characters", S("\x01\x1f\x7f"), "\"\\u0001\\u001f\x7f\"", NULL, 0},
    {"quote behind seven bytes", S("1234567\"90123456"), "\"1234567\\\"90123456\"", NULL, 0},
    {"UTF-8", S("\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"), "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"",
     NULL, 0},
    {"NUL", S("a\0b"), "\"a" FFFD "b\"", "\"a\\u0000b\"", TEXT_HAD_NUL},
    {"bad UTF-8",
     S("a\xff"
       "b"),
     "\"a" FFFD "b\"", NULL, TEXT_HAD_BAD_UTF8},
    {"cut short", S("\xf0\x9f\x98"), "\"" FFFD "\"", NULL, TEXT_HAD_BAD_UTF8},
    {"cut short, then a quote", S("\xe2\x82\""), "\"" FFFD "\\\"\"", NULL, TEXT_HAD_BAD_UTF8},
    {"cut short, then NUL", S("\xe2\x82\0"), "\"" FFFD FFFD "\"", "\"" FFFD "\\u0000\"",
     TEXT_HAD_BAD_UTF8 | TEXT_HAD_NUL},
    {"overlong", S("\xc0\xaf"), "\"" FFFD FFFD "\"", NULL, TEXT_HAD_BAD_UTF8},
    {"surrogate", S("\xed\xa0\x80"), "\"" FFFD FFFD FFFD "\"", NULL, TEXT_HAD_BAD_UTF8},
};

static void escapes_and_repairs_strings(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(strings) / sizeof(strings[0]); i++) {
        unsigned repairs;

        buf_clear(&out);
        repairs = json_string(&out, strings[i].text);
        if (!bytes_is(buf_bytes(&out), strings[i].json) || repairs != strings[i].repairs)
            fail_msg("%s: %.*s, repairs %u", strings[i].why, (int)out.len, (const char *)out.at,
                     repairs);
        buf_clear(&out);
        (void)json_string_exact(&out, strings[i].text);
        if (!bytes_is(buf_bytes(&out), strings[i].exact ? strings[i].exact : strings[i].json))
            fail_msg("%s, exact: %.*s", strings[i].why, (int)out.len, (const char *)out.at);
    }
}

/* The repaired text is the same as text_repair's, wherever the bad bytes stand. */
static void repairs_as_text_repair_does(void **state)
{
    uint64_t seed = 5;

    (void)state;
    for (int round = 0; round < 20000; round++) {
        uint8_t raw[24];
        struct buf want;
        struct arena arena;
        struct doc *read;

        for (size_t i = 0; i < sizeof(raw); i++) {
            seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407U;
            raw[i] = (uint8_t)((seed >> 60) < 6 ? 'a' : (seed >> 40));
        }
        buf_init(&want, 1000);
        arena_init(&arena, 1U << 20);
        buf_clear(&out);
        assert_int_equal(text_repair(&want, (struct bytes){raw, sizeof(raw)}),
                         json_string(&out, (struct bytes){raw, sizeof(raw)}));
        read = doc_parse(&arena, buf_bytes(&out));
        assert_non_null(read);
        assert_true(bytes_equal(read->text, buf_bytes(&want)));
        arena_done(&arena);
        buf_done(&want);
    }
}

/* A quote at each place of texts of many lengths, in a buffer with room to spare and in one without:
 * strings are copied in pieces, and by the byte where a piece would not fit. */
static void finds_what_is_special_at_every_place(void **state)
{
    (void)state;
    for (size_t len = 1; len <= 50; len++) {
        for (size_t at = 0; at < len; at++) {
            uint8_t text[50];
            uint8_t want[53] = {'"'};
            struct buf tight;

            for (size_t i = 0; i < len; i++)
                text[i] = (uint8_t)('a' + i % 26);
            text[at] = '"';
            memcpy(want + 1, text, at);
            want[at + 1] = '\\';
            memcpy(want + at + 2, text + at, len - at);
            want[len + 2] = '"';
            buf_clear(&out);
            buf_init(&tight, len + 3);
            assert_int_equal(json_string(&out, (struct bytes){text, len}), TEXT_SOUND);
            assert_int_equal(json_string(&tight, (struct bytes){text, len}), TEXT_SOUND);
            if (!bytes_equal(buf_bytes(&out), (struct bytes){want, len + 3}) || !buf_ok(&tight) ||
                !bytes_equal(buf_bytes(&tight), (struct bytes){want, len + 3}))
                fail_msg("length %zu, place %zu: %.*s", len, at, (int)out.len,
                         (const char *)out.at);
            buf_done(&tight);
        }
    }
}

static void places_commas(void **state)
{
    struct json j = json_into(&out);

    (void)state;
    json_open(&j, '{');
    json_key(&j, "a");
    json_open(&j, '[');
    json_close(&j, ']');
    json_key(&j, "b");
    json_open(&j, '[');
    for (int i = 0; i < 3; i++) {
        json_item(&j);
        json_open(&j, '{');
        if (i == 1) {
            json_key_bytes(&j, (struct bytes)S("k\"\n"));
            json_null(&j);
        }
        json_close(&j, '}');
    }
    json_close(&j, ']');
    json_key(&j, "c");
    json_bool(&j, true);
    json_key(&j, "d");
    json_raw(&j, bytes_of("[1,2]"));
    json_key(&j, "e");
    json_cstr(&j, NULL);
    json_key(&j, "f");
    json_cstr(&j, "x");
    json_close(&j, '}');
    assert_true(bytes_is(buf_bytes(&out), "{\"a\":[],\"b\":[{},{\"k\\\"\\n\":null},{}],\"c\":true,"
                                          "\"d\":[1,2],\"e\":null,\"f\":\"x\"}"));
}

static void writes_numbers(void **state)
{
    struct json j = json_into(&out);

    (void)state;
    json_open(&j, '[');
    json_item(&j);
    json_int(&j, INT64_MIN);
    json_item(&j);
    json_int(&j, -1);
    json_item(&j);
    json_int(&j, 0);
    json_item(&j);
    json_int(&j, INT64_MAX);
    json_item(&j);
    json_uint(&j, UINT64_MAX);
    json_item(&j);
    json_uint_text(&j, UINT64_MAX);
    json_item(&j);
    json_int_text(&j, INT64_MIN);
    json_close(&j, ']');
    assert_true(bytes_is(buf_bytes(&out),
                         "[-9223372036854775808,-1,0,9223372036854775807,18446744073709551615,"
                         "\"18446744073709551615\",\"-9223372036854775808\"]"));
}

static void says_when_the_buffer_was_too_small(void **state)
{
    struct buf small;
    struct json j = json_into(&small);

    (void)state;
    buf_init(&small, 8);
    json_text(&j, bytes_of("longer than eight"));
    assert_false(buf_ok(&small));
    buf_done(&small);
}

static int free_buf(void **state)
{
    (void)state;
    buf_done(&out);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(escapes_and_repairs_strings, fresh_buf),
        cmocka_unit_test_setup(finds_what_is_special_at_every_place, fresh_buf),
        cmocka_unit_test_setup(repairs_as_text_repair_does, fresh_buf),
        cmocka_unit_test_setup(places_commas, fresh_buf),
        cmocka_unit_test_setup(writes_numbers, fresh_buf),
        cmocka_unit_test_setup(says_when_the_buffer_was_too_small, fresh_buf),
    };

    return cmocka_run_group_tests(tests, NULL, free_buf);
}
