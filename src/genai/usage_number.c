/* Numbers as senders write them: counts and money. Money goes through decimal text, so that no
 * binary fraction ever enters a sum. */
#include <math.h>

#include "base/text.h"
#include "genai/usage.h"
#include "model/money.h"

#define PICO_DIGITS 12
#define DECIMAL_MOST_BYTES 64
#define EXPONENT_MOST 400

/* digits * 10^exponent, read from text; no sign. */
struct decimal {
    uint8_t digits[DECIMAL_MOST_BYTES];
    int count;
    int exponent;
};

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

static bool is_absent(struct bytes text)
{
    return text.len == 0 || bytes_is(text, "<REDACTED>") || bytes_is(text, "None") ||
           bytes_is(text, "null");
}

/* Reads "e-07" from at on; false: something else stands there. */
static bool read_exponent(struct bytes text, size_t at, int *exponent)
{
    bool negative = false;
    int value = 0;

    if (at == text.len)
        return true;
    if (text.at[at] != 'e' && text.at[at] != 'E')
        return false;
    at++;
    if (at < text.len && (text.at[at] == '+' || text.at[at] == '-'))
        negative = text.at[at++] == '-';
    if (at == text.len || text.len - at > 4)
        return false;
    for (; at < text.len; at++) {
        if (!is_digit(text.at[at]))
            return false;
        value = value * 10 + (text.at[at] - '0');
    }
    if (value > EXPONENT_MOST)
        return false;
    *exponent += negative ? -value : value;
    return true;
}

/* "12", "1200.0", "1.6e-07"; no sign, no spaces. */
static bool read_decimal(struct bytes text, struct decimal *out)
{
    bool point = false;
    size_t at = 0;

    if (text.len == 0 || text.len > DECIMAL_MOST_BYTES || !is_digit(text.at[0]))
        return false;
    *out = (struct decimal){0};
    for (; at < text.len; at++) {
        if (text.at[at] == '.' && !point) {
            point = true;
            continue;
        }
        if (!is_digit(text.at[at]))
            break;
        if (out->count > 0 || text.at[at] != '0')
            out->digits[out->count++] = (uint8_t)(text.at[at] - '0');
        if (point)
            out->exponent--;
    }
    return text.at[at - 1] != '.' && read_exponent(text, at, &out->exponent);
}

/* digits * 10^(exponent + shift), rounded half to even; false: beyond int64. */
static bool decimal_scale(const struct decimal *d, int shift, int64_t *out_value, bool *out_exact)
{
    const int keep = d->count + d->exponent + shift; /* digits before the new point */
    int64_t value = 0;
    bool rest = false; /* something stands behind the half */

    *out_exact = true;
    for (int i = 0; i < keep && d->count > 0; i++) {
        const int64_t digit = i < d->count ? d->digits[i] : 0;

        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, digit, &value))
            return false;
    }
    for (int i = keep < 0 ? 0 : keep + 1; i < d->count; i++)
        rest |= d->digits[i] != 0;
    if (keep >= 0 && keep < d->count) {
        const uint8_t next = d->digits[keep];

        *out_exact = next == 0 && !rest;
        if (next > 5 || (next == 5 && (rest || (value & 1))))
            if (__builtin_add_overflow(value, 1, &value))
                return false;
    } else if (keep < 0) {
        *out_exact = d->count == 0;
    }
    *out_value = value;
    return true;
}

static enum usage_reading text_number(struct bytes text, int shift, bool whole, int64_t *out_value)
{
    struct decimal decimal;
    int64_t value;
    bool exact;

    if (is_absent(text))
        return USAGE_READ_ABSENT;
    if (!read_decimal(text, &decimal) || !decimal_scale(&decimal, shift, &value, &exact) ||
        (whole && !exact))
        return USAGE_READ_ODD;
    *out_value = value;
    return USAGE_READ_COUNT;
}

static enum usage_reading count_of(int64_t value, int64_t *out_count)
{
    if (value < 0 || value > USAGE_MOST)
        return USAGE_READ_ODD;
    *out_count = value;
    return USAGE_READ_COUNT;
}

enum usage_reading usage_count(const struct value *value, int64_t *out_count)
{
    enum usage_reading reading;
    int64_t count;

    switch (value->kind) {
    case VALUE_INT:
        return count_of(value->integer, out_count);
    case VALUE_DOUBLE:
        if (!(value->real >= 0 && value->real <= (double)USAGE_MOST) ||
            value->real > floor(value->real))
            return USAGE_READ_ODD;
        return count_of((int64_t)value->real, out_count);
    case VALUE_STRING:
        reading = text_number(value->text, 0, true, &count);
        return reading == USAGE_READ_COUNT ? count_of(count, out_count) : reading;
    case VALUE_EMPTY:
        return USAGE_READ_ABSENT;
    case VALUE_BOOL:
    case VALUE_ARRAY:
    case VALUE_KVLIST:
    case VALUE_BYTES:
        break;
    }
    return USAGE_READ_ODD;
}

/* Amounts below this have at most 15 digits, and two such decimals are never the same double: the
 * one that gives the double back is its shortest decimal, without printing it. */
#define PLAIN_USD 1000.0

static bool plain_money(double real, int64_t *out_pico)
{
    double pico, back;

    if (!(real >= 0 && real < PLAIN_USD))
        return false;
    pico = nearbyint(real * (double)PICO_PER_USD);
    back = pico / (double)PICO_PER_USD;
    if (back < real || back > real)
        return false;
    *out_pico = (int64_t)pico;
    return true;
}

static enum usage_reading real_money(double real, int64_t *out_pico)
{
    char text[TEXT_DOUBLE_BYTES];
    size_t len;

    if (plain_money(real, out_pico))
        return USAGE_READ_COUNT; /* -0.0 too, which a sum of nothing may give */
    if (!isfinite(real) || real < 0)
        return USAGE_READ_ODD;
    len = text_double(real, text);
    return text_number((struct bytes){(const uint8_t *)text, len}, PICO_DIGITS, false, out_pico);
}

enum usage_reading usage_money(const struct value *value, int64_t *out_pico)
{
    switch (value->kind) {
    case VALUE_INT:
        if (value->integer < 0 || value->integer > INT64_MAX / PICO_PER_USD)
            return USAGE_READ_ODD;
        *out_pico = value->integer * PICO_PER_USD;
        return USAGE_READ_COUNT;
    case VALUE_DOUBLE:
        return real_money(value->real, out_pico);
    case VALUE_STRING:
        return text_number(value->text, PICO_DIGITS, false, out_pico);
    case VALUE_EMPTY:
        return USAGE_READ_ABSENT;
    case VALUE_BOOL:
    case VALUE_ARRAY:
    case VALUE_KVLIST:
    case VALUE_BYTES:
        break;
    }
    return USAGE_READ_ODD;
}

bool usage_money_add(int64_t *sum, int64_t amount)
{
    return !__builtin_add_overflow(*sum, amount, sum);
}
