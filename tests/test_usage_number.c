/* Counts and money as senders write them. */
#include "test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "genai/usage.h"
#include "model/money.h"

#define INT(n)                                                                                     \
    {                                                                                              \
        .kind = VALUE_INT, .integer = (n)                                                          \
    }
#define REAL(x)                                                                                    \
    {                                                                                              \
        .kind = VALUE_DOUBLE, .real = (x)                                                          \
    }
#define TEXT(t)                                                                                    \
    {                                                                                              \
        .kind = VALUE_STRING, .text = {(const uint8_t *)(t), sizeof(t) - 1 }                       \
    }

static const struct {
    const char *why;
    struct value value;
    enum usage_reading want;
    int64_t count;
} counts[] = {
    {"an integer", INT(1200), USAGE_READ_COUNT, 1200},
    {"zero", INT(0), USAGE_READ_COUNT, 0},
    {"a double without a fraction (JavaScript)", REAL(1200.0), USAGE_READ_COUNT, 1200},
    {"negative zero", REAL(-0.0), USAGE_READ_COUNT, 0},
    {"decimal text (PostHog)", TEXT("1200"), USAGE_READ_COUNT, 1200},
    {"text of a double", TEXT("1200.0"), USAGE_READ_COUNT, 1200},
    {"text with an exponent", TEXT("1.2e3"), USAGE_READ_COUNT, 1200},
    {"leading zeros", TEXT("00012"), USAGE_READ_COUNT, 12},
    {"the most", INT(USAGE_MOST), USAGE_READ_COUNT, USAGE_MOST},
    {"one more", INT(USAGE_MOST + 1), USAGE_READ_ODD, 0},
    {"negative", INT(-1), USAGE_READ_ODD, 0},
    {"negative text", TEXT("-5"), USAGE_READ_ODD, 0},
    {"INT64_MIN", INT(INT64_MIN), USAGE_READ_ODD, 0},
    {"2^63 - 1: no count of tokens", INT(INT64_MAX), USAGE_READ_ODD, 0},
    {"2^63 as text", TEXT("9223372036854775808"), USAGE_READ_ODD, 0},
    {"2^63 as a double", REAL(9223372036854775808.0), USAGE_READ_ODD, 0},
    {"many digits", TEXT("99999999999999999999999999999999999999999999999999999999999999999999"),
     USAGE_READ_ODD, 0},
    {"a huge exponent", TEXT("1e400"), USAGE_READ_ODD, 0},
    {"an absurd exponent", TEXT("1e99999999999"), USAGE_READ_ODD, 0},
    {"a fraction", REAL(12.5), USAGE_READ_ODD, 0},
    {"a fraction in text", TEXT("12.5"), USAGE_READ_ODD, 0},
    {"less than one", TEXT("0.001"), USAGE_READ_ODD, 0},
    {"very much less than one", TEXT("1e-30"), USAGE_READ_ODD, 0},
    {"NaN", REAL((double)NAN), USAGE_READ_ODD, 0},
    {"infinity", REAL((double)INFINITY), USAGE_READ_ODD, 0},
    {"a sentence", TEXT("12.5 tokens"), USAGE_READ_ODD, 0},
    {"hexadecimal", TEXT("0x10"), USAGE_READ_ODD, 0},
    {"a sign", TEXT("+12"), USAGE_READ_ODD, 0},
    {"a space", TEXT(" 12"), USAGE_READ_ODD, 0},
    {"a point at the end", TEXT("12."), USAGE_READ_ODD, 0},
    {"a point alone", TEXT("."), USAGE_READ_ODD, 0},
    {"two points", TEXT("1.2.3"), USAGE_READ_ODD, 0},
    {"an exponent without digits", TEXT("1e"), USAGE_READ_ODD, 0},
    {"NUL inside", TEXT("12\0"), USAGE_READ_ODD, 0},
    {"a truth value", {.kind = VALUE_BOOL, .boolean = true}, USAGE_READ_ODD, 0},
    {"an object", {.kind = VALUE_KVLIST}, USAGE_READ_ODD, 0},
    {"null", {.kind = VALUE_EMPTY}, USAGE_READ_ABSENT, 0},
    {"no text", TEXT(""), USAGE_READ_ABSENT, 0},
    {"redacted", TEXT("<REDACTED>"), USAGE_READ_ABSENT, 0},
    {"Python's None", TEXT("None"), USAGE_READ_ABSENT, 0},
};

static void reads_whole_numbers_and_refuses_the_rest(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
        int64_t count = -9;
        const enum usage_reading got = usage_count(&counts[i].value, &count);

        if (got != counts[i].want || count != (got == USAGE_READ_COUNT ? counts[i].count : -9))
            fail_msg("%s: %d, %lld", counts[i].why, (int)got, (long long)count);
    }
}

static const struct {
    const char *why;
    struct value value;
    enum usage_reading want;
    int64_t pico;
} amounts[] = {
    {"a double", REAL(0.00322), USAGE_READ_COUNT, 3220000000},
    {"the shortest decimal, not the binary fraction", REAL(0.1), USAGE_READ_COUNT, 100000000000},
    {"a sum of doubles keeps its noise beyond 10^-12 only", REAL(0.0017200000000000002),
     USAGE_READ_COUNT, 1720000000},
    {"an exponent", REAL(1.6e-07), USAGE_READ_COUNT, 160000},
    {"one pico", REAL(1e-12), USAGE_READ_COUNT, 1},
    {"half a pico goes to even: down", TEXT("0.0000000000005"), USAGE_READ_COUNT, 0},
    {"half a pico goes to even: up", TEXT("0.0000000000015"), USAGE_READ_COUNT, 2},
    {"half a pico and a little", TEXT("0.00000000000050000001"), USAGE_READ_COUNT, 1},
    {"a half in exponent notation", TEXT("25e-13"), USAGE_READ_COUNT, 2},
    {"nothing that counts", TEXT("1e-40"), USAGE_READ_COUNT, 0},
    {"decimal text (Vercel's gateway)", TEXT("0.00235500"), USAGE_READ_COUNT, 2355000000},
    {"dollars", INT(3), USAGE_READ_COUNT, 3 * PICO_PER_USD},
    {"zero on a failed call", REAL(0.0), USAGE_READ_COUNT, 0},
    {"minus zero", REAL(-0.0), USAGE_READ_COUNT, 0},
    {"the largest", TEXT("9223372.036854775807"), USAGE_READ_COUNT, INT64_MAX},
    {"rounded beyond the largest", TEXT("9223372.0368547758075"), USAGE_READ_ODD, 0},
    {"beyond int64", INT(9223373), USAGE_READ_ODD, 0},
    {"absurd", REAL(1e300), USAGE_READ_ODD, 0},
    {"negative", REAL(-0.5), USAGE_READ_ODD, 0},
    {"negative text", TEXT("-0.5"), USAGE_READ_ODD, 0},
    {"NaN", REAL((double)NAN), USAGE_READ_ODD, 0},
    {"with a sign of currency", TEXT("$0.5"), USAGE_READ_ODD, 0},
    {"nothing", TEXT(""), USAGE_READ_ABSENT, 0},
    {"null", {.kind = VALUE_EMPTY}, USAGE_READ_ABSENT, 0},
};

static void reads_money_to_the_last_digit(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(amounts) / sizeof(amounts[0]); i++) {
        int64_t pico = -9;
        const enum usage_reading got = usage_money(&amounts[i].value, &pico);

        if (got != amounts[i].want || pico != (got == USAGE_READ_COUNT ? amounts[i].pico : -9))
            fail_msg("%s: %d, %lld", amounts[i].why, (int)got, (long long)pico);
    }
}

/* Every amount with 12 places comes back through its nearest double. */
static void doubles_of_amounts_come_back(void **state)
{
    uint64_t seed = 88172645463325252u;

    (void)state;
    for (int i = 0; i < 20000; i++) {
        char text[40];
        struct value value = {.kind = VALUE_DOUBLE};
        int64_t want, got = -1;

        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        want = (int64_t)(seed % 1000000000000000u); /* 15 digits are exact in a double */
        (void)snprintf(text, sizeof(text), "%lld.%012lld", (long long)(want / PICO_PER_USD),
                       (long long)(want % PICO_PER_USD));
        value.real = strtod(text, NULL);
        assert_int_equal(usage_money(&value, &got), USAGE_READ_COUNT);
        assert_int_equal(got, want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_whole_numbers_and_refuses_the_rest),
        cmocka_unit_test(reads_money_to_the_last_digit),
        cmocka_unit_test(doubles_of_amounts_come_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
