/* UTF-8, hex, base64 and numbers (OTLP-80, OTLP-84, OTLP-87, OTLP-106, OTLP-124). */
#include "test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"

#define S(text)                                                                                    \
    {                                                                                              \
        (const uint8_t *)(text), sizeof(text) - 1                                                  \
    }
#define FFFD "\xef\xbf\xbd"

static const struct {
    const char *why;
    struct bytes text;
    struct bytes want;
    unsigned repairs;
} repaired[] = {
    {"empty", S(""), S(""), TEXT_SOUND},
    {"ASCII", S("plain text of some length"), S("plain text of some length"), TEXT_SOUND},
    {"all lengths", S("a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"),
     S("a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"), TEXT_SOUND},
    {"edges of the ranges",
     S("\xc2\x80\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf\xf0\x90\x80\x80\xf4\x8f"
       "\xbf\xbf"),
     S("\xc2\x80\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf\xf0\x90\x80\x80\xf4\x8f"
       "\xbf\xbf"),
     TEXT_SOUND},
    {"NUL", S("a\0b"), S("a" FFFD "b"), TEXT_HAD_NUL},
    {"NUL behind eight bytes", S("12345678\0"), S("12345678" FFFD), TEXT_HAD_NUL},
    {"only NULs", S("\0\0"), S(FFFD FFFD), TEXT_HAD_NUL},
    {"lone continuation", S("a\x80z"), S("a" FFFD "z"), TEXT_HAD_BAD_UTF8},
    {"two of them", S("\x80\xbf"), S(FFFD FFFD), TEXT_HAD_BAD_UTF8},
    {"0xff", S("\xff"), S(FFFD), TEXT_HAD_BAD_UTF8},
    {"both faults", S("\xff\0"), S(FFFD FFFD), TEXT_HAD_BAD_UTF8 | TEXT_HAD_NUL},
    {"cut short at the end", S("a\xe2\x82"), S("a" FFFD), TEXT_HAD_BAD_UTF8},
    {"cut short by ASCII",
     S("\xe2\x82"
       "a"),
     S(FFFD "a"), TEXT_HAD_BAD_UTF8},
    {"four bytes cut to three", S("\xf0\x9f\x98"), S(FFFD), TEXT_HAD_BAD_UTF8},
    {"overlong slash", S("\xc0\xaf"), S(FFFD FFFD), TEXT_HAD_BAD_UTF8},
    {"overlong in three", S("\xe0\x80\xaf"), S(FFFD FFFD FFFD), TEXT_HAD_BAD_UTF8},
    {"surrogate", S("\xed\xa0\x80"), S(FFFD FFFD FFFD), TEXT_HAD_BAD_UTF8},
    {"beyond U+10FFFF", S("\xf4\x90\x80\x80"), S(FFFD FFFD FFFD FFFD), TEXT_HAD_BAD_UTF8},
    {"a sequence and a start (Unicode table 3-8)", S("\xf0\x80\x80\x41"), S(FFFD FFFD FFFD "A"),
     TEXT_HAD_BAD_UTF8},
    {"starts only", S("\xe1\x80\xe2\xf0\x91\x92\xf1\xbf\x41"), S(FFFD FFFD FFFD FFFD "A"),
     TEXT_HAD_BAD_UTF8},
    {"Latin-1", S("caf\xe9 au lait"), S("caf" FFFD " au lait"), TEXT_HAD_BAD_UTF8},
};

static void repairs_each_bad_sequence(void **state)
{
    struct buf out;

    (void)state;
    buf_init(&out, 1000);
    for (size_t i = 0; i < sizeof(repaired) / sizeof(repaired[0]); i++) {
        unsigned repairs;

        buf_clear(&out);
        repairs = text_repair(&out, repaired[i].text);
        if (!bytes_equal(buf_bytes(&out), repaired[i].want) || repairs != repaired[i].repairs)
            fail_msg("%s: %.*s, repairs %u", repaired[i].why, (int)out.len, (const char *)out.at,
                     repairs);
        if ((text_valid_prefix(repaired[i].text) == repaired[i].text.len) !=
            (repaired[i].repairs == TEXT_SOUND))
            fail_msg("%s: prefix %zu", repaired[i].why, text_valid_prefix(repaired[i].text));
        assert_int_equal(text_valid_prefix(buf_bytes(&out)), out.len);
    }
    buf_done(&out);
}

/* Whether these bytes are exactly one code point: decoded and encoded again. */
static bool is_code_point(const uint8_t *at, size_t len)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    static const uint8_t lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
    uint32_t code;

    if (len == 1)
        return at[0] < 0x80;
    if ((at[0] & (uint8_t)(0xff00 >> (len + 1))) != lead[len] ||
        (len < 4 && (at[0] >> (7 - len)) == 0xff))
        return false;
    code = at[0] & (0x7fU >> len);
    for (size_t i = 1; i < len; i++) {
        if ((at[i] & 0xc0) != 0x80)
            return false;
        code = code << 6 | (at[i] & 0x3fU);
    }
    return code >= least[len] && code < 0x110000 && !(code >= 0xd800 && code < 0xe000);
}

static size_t want_step(const uint8_t *at)
{
    for (size_t len = 1; len <= 4; len++)
        if (is_code_point(at, len))
            return len;
    return 0;
}

static void steps_over_every_pair_of_bytes_as_defined(void **state)
{
    static const uint8_t tails[] = {0x00, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xff};

    (void)state;
    for (unsigned a = 0; a < 256; a++) {
        for (unsigned b = 0; b < 256; b++) {
            for (size_t c = 0; c < sizeof(tails) * sizeof(tails); c++) {
                const uint8_t at[] = {(uint8_t)a, (uint8_t)b, tails[c / sizeof(tails)],
                                      tails[c % sizeof(tails)]};

                if (text_utf8_step((struct bytes){at, 4}) != want_step(at))
                    fail_msg("%02x %02x %02x %02x: %zu, want %zu", a, b, at[2], at[3],
                             text_utf8_step((struct bytes){at, 4}), want_step(at));
            }
        }
    }
    assert_int_equal(text_utf8_step((struct bytes){NULL, 0}), 0);
    assert_int_equal(text_valid_prefix((struct bytes){NULL, 0}), 0);
}

static void cuts_at_the_border_of_a_character(void **state)
{
    static const struct bytes text = S("a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80z");
    static const size_t want[] = {0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 11, 11};

    (void)state;
    for (size_t max = 0; max < sizeof(want) / sizeof(want[0]); max++)
        assert_int_equal(text_cut(text, max), want[max]);
    assert_int_equal(text_cut((struct bytes)S("\x80\x80\x80\x80\x80\x80"), 5), 5);
}

static void reads_and_writes_hex(void **state)
{
    static const uint8_t raw[] = {0x00, 0x9f, 0xab, 0xff};
    char digits[8];
    uint8_t back[4];

    (void)state;
    text_hex((struct bytes){raw, 4}, digits);
    assert_memory_equal(digits, "009fabff", 8);
    assert_true(text_unhex(bytes_of("009fABfF"), back));
    assert_memory_equal(back, raw, 4);
    assert_true(text_unhex((struct bytes){NULL, 0}, back));
    assert_false(text_unhex(bytes_of("0"), back));
    assert_false(text_unhex(bytes_of("0g"), back));
    assert_false(text_unhex(bytes_of("/0"), back));
    assert_false(text_unhex(bytes_of(":0"), back));
    assert_false(text_unhex(bytes_of("@0"), back));
    assert_false(text_unhex(bytes_of("`0"), back));
}

static void reads_and_writes_base64(void **state)
{
    static const struct {
        const char *raw;
        const char *text;
    } rows[] = {
        {"", ""},
        {"f", "Zg=="},
        {"fo", "Zm8="},
        {"foo", "Zm9v"}, /* RFC 4648, section 10 */
        {"foob", "Zm9vYg=="},
        {"fooba", "Zm9vYmE="},
        {"foobar", "Zm9vYmFy"},
    };
    static const char *const bad[] = {"A",    "AAAAA", "A===",   "AA=",       "AAA==",
                                      "=",    "====",  "AA=A",   "A A=",      "AA\n",
                                      "AA*=", "AAAA=", "AAAA==", "\xc3\xa9=="};
    uint8_t back[64];
    size_t len;
    struct buf out;

    (void)state;
    buf_init(&out, 100);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        buf_clear(&out);
        text_base64(&out, bytes_of(rows[i].raw));
        assert_true(bytes_is(buf_bytes(&out), rows[i].text));
        assert_true(text_unbase64(bytes_of(rows[i].text), back, &len));
        assert_true(bytes_is((struct bytes){back, len}, rows[i].raw));
        /* without padding */
        assert_true(text_unbase64(
            (struct bytes){(const uint8_t *)rows[i].text, strcspn(rows[i].text, "=")}, back, &len));
        assert_true(bytes_is((struct bytes){back, len}, rows[i].raw));
    }
    assert_true(text_unbase64(bytes_of("-_-_"), back, &len));
    assert_memory_equal(back, "\xfb\xff\xbf", 3);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        if (text_unbase64(bytes_of(bad[i]), back, &len))
            fail_msg("'%s' is taken", bad[i]);
    buf_done(&out);
}

/* Short decimals are written without printf: as printf would. */
static void writes_short_decimals_as_printf_does(void **state)
{
    uint64_t seed = 11;

    (void)state;
    for (int i = 0; i < 200000; i++) {
        char text[TEXT_DOUBLE_BYTES];
        char want[TEXT_DOUBLE_BYTES + 2];
        double value;

        seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407U;
        value = (double)(int64_t)(seed >> (24 + i % 36)) / pow(10, i % 13);
        value = i % 2 ? value : -value;
        (void)snprintf(want, sizeof(want), "%.15g", value);
        if (strtod(want, NULL) < value || strtod(want, NULL) > value)
            continue; /* needs more digits */
        if (!strpbrk(want, ".e"))
            (void)snprintf(want + strlen(want), 3, ".0");
        if (text_double(value, text) != strlen(want) || strcmp(text, want) != 0)
            fail_msg("%s, want %s", text, want);
    }
}

static void writes_doubles_that_read_back(void **state)
{
    static const struct {
        double value;
        const char *text;
    } rows[] = {{0.0, "0.0"},
                {-0.0, "-0.0"},
                {1.0, "1.0"},
                {0.1, "0.1"},
                {-2.5, "-2.5"},
                {1e21, "1e+21"},
                {5e-324, "5e-324"},
                {123456789.0, "123456789.0"},
                {1.0 / 3, "0.3333333333333333"}};
    uint64_t seed = 1;

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char text[TEXT_DOUBLE_BYTES];
        const size_t len = text_double(rows[i].value, text);

        assert_int_equal(len, strlen(text));
        assert_string_equal(text, rows[i].text);
    }
    for (int i = 0; i < 200000; i++) {
        char text[TEXT_DOUBLE_BYTES];
        double value;
        double back;

        seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407U;
        memcpy(&value, &seed, sizeof(value));
        if (!isfinite(value))
            continue;
        assert_true(text_double(value, text) < TEXT_DOUBLE_BYTES);
        assert_true(strpbrk(text, ".e"));
        assert_true(text_real(bytes_of(text), &back));
        assert_memory_equal(&back, &value, sizeof(value));
    }
}

static void reads_integers_exactly(void **state)
{
    static const struct {
        const char *text;
        bool fits_signed;
        int64_t value;
        bool fits_unsigned;
        uint64_t size;
    } rows[] = {
        {"0", true, 0, true, 0},
        {"-0", true, 0, false, 0},
        {"007", true, 7, true, 7},
        {"9223372036854775807", true, INT64_MAX, true, INT64_MAX},
        {"9223372036854775808", false, 0, true, (uint64_t)INT64_MAX + 1},
        {"-9223372036854775808", true, INT64_MIN, false, 0},
        {"-9223372036854775809", false, 0, false, 0},
        {"18446744073709551615", false, 0, true, UINT64_MAX},
        {"18446744073709551616", false, 0, false, 0},
        {"99999999999999999999", false, 0, false, 0},
        {"", false, 0, false, 0},
        {"-", false, 0, false, 0},
        {"+1", false, 0, false, 0},
        {" 1", false, 0, false, 0},
        {"1 ", false, 0, false, 0},
        {"1.0", false, 0, false, 0},
        {"0x1", false, 0, false, 0},
        {"--1", false, 0, false, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        int64_t value = 77;
        uint64_t size = 77;

        if (text_int64(bytes_of(rows[i].text), &value) != rows[i].fits_signed ||
            value != (rows[i].fits_signed ? rows[i].value : 77))
            fail_msg("'%s' as int64", rows[i].text);
        if (text_uint64(bytes_of(rows[i].text), &size) != rows[i].fits_unsigned ||
            size != (rows[i].fits_unsigned ? rows[i].size : 77))
            fail_msg("'%s' as uint64", rows[i].text);
    }
}

static void reads_reals(void **state)
{
    static const char *const bad[] = {"", "x", "1x", "0x1p3", "inf", "nan", " 1", "1 ", "1e", "."};
    double value;

    (void)state;
    assert_true(text_real(bytes_of("-1.5e3"), &value));
    assert_true(memcmp(&value, &(double){-1500}, sizeof(value)) == 0);
    assert_true(text_real(bytes_of("1e400"), &value));
    assert_true(isinf(value));
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        if (text_real(bytes_of(bad[i]), &value))
            fail_msg("'%s' is taken", bad[i]);
    assert_false(text_real((struct bytes)S("1\0"), &value));
}

static void quotes_for_messages(void **state)
{
    char to[16];

    (void)state;
    assert_string_equal(text_quote((struct bytes)S("a\n\0\xff"
                                                   "b\x7f"),
                                   to, sizeof(to)),
                        "a???b?");
    assert_string_equal(text_quote(bytes_of("\xc3\xa9"), to, sizeof(to)), "\xc3\xa9");
    assert_true(strlen(text_quote(bytes_of("0123456789012345678901234567890"), to, sizeof(to))) <
                sizeof(to));
    assert_string_equal(text_quote(bytes_of("abc"), to, 1), "");
}

static void trims_both_ends(void **state)
{
    static const struct {
        const char *text;
        const char *want;
    } rows[] = {
        {"", ""}, {" \t\r\n", ""}, {"a", "a"}, {" \ta b\n", "a b"}, {"\xc2\xa0", "\xc2\xa0"}};

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (!bytes_is(text_trim(bytes_of(rows[i].text)), rows[i].want))
            fail_msg("row %zu", i);
    assert_int_equal(text_trim((struct bytes){0}).len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(trims_both_ends),
        cmocka_unit_test(repairs_each_bad_sequence),
        cmocka_unit_test(steps_over_every_pair_of_bytes_as_defined),
        cmocka_unit_test(cuts_at_the_border_of_a_character),
        cmocka_unit_test(reads_and_writes_hex),
        cmocka_unit_test(reads_and_writes_base64),
        cmocka_unit_test(writes_short_decimals_as_printf_does),
        cmocka_unit_test(writes_doubles_that_read_back),
        cmocka_unit_test(reads_integers_exactly),
        cmocka_unit_test(reads_reals),
        cmocka_unit_test(quotes_for_messages),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
