/* UTF-8 repair, hex, base64, numbers. */
#include "base/text.h"

#include <errno.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/piece.h"

static const uint8_t replacement[] = {0xef, 0xbf, 0xbd}; /* U+FFFD */

/* Bounds of the second byte that shut out overlong forms, surrogates and what lies past U+10FFFF
 * (Unicode table 3-7). */
static bool second_byte_fits(uint8_t first, uint8_t second)
{
    switch (first) {
    case 0xe0:
        return second >= 0xa0 && second <= 0xbf;
    case 0xed:
        return second >= 0x80 && second <= 0x9f;
    case 0xf0:
        return second >= 0x90 && second <= 0xbf;
    case 0xf4:
        return second >= 0x80 && second <= 0x8f;
    default:
        return second >= 0x80 && second <= 0xbf;
    }
}

static size_t wanted_length(uint8_t first)
{
    if (first < 0x80)
        return 1;
    if (first >= 0xc2 && first <= 0xdf)
        return 2;
    if (first >= 0xe0 && first <= 0xef)
        return 3;
    return first >= 0xf0 && first <= 0xf4 ? 4 : 0;
}

/* How many leading bytes belong to the sequence at text, well-formed or not (>= 1); *out_whole says
 * whether it is well-formed. */
static size_t sequence(struct bytes text, bool *out_whole)
{
    const size_t want = wanted_length(text.at[0]);
    size_t have = 1;

    *out_whole = false;
    if (want == 0)
        return 1;
    while (have < want && have < text.len) {
        if (have == 1 ? !second_byte_fits(text.at[0], text.at[1]) : (text.at[have] & 0xc0) != 0x80)
            return have;
        have++;
    }
    *out_whole = have == want;
    return have;
}

size_t text_utf8_step(struct bytes text)
{
    bool whole = false;
    size_t step;

    if (text.len == 0)
        return 0;
    step = sequence(text, &whole);
    return whole ? step : 0;
}

/* Eight bytes of ASCII without NUL. */
static inline bool is_plain_word(const uint8_t *at)
{
    uint64_t word;

    memcpy(&word, at, sizeof(word));
    return ((word | ((word - 0x0101010101010101U) & ~word)) & 0x8080808080808080U) == 0;
}

/* The same for four to eight bytes: two halves that may overlap. */
static inline bool is_plain_short(const uint8_t *at, size_t len)
{
    uint8_t both[8];

    memcpy(both, at, 4);
    memcpy(both + 4, at + len - 4, 4);
    return is_plain_word(both);
}

/* Skips ASCII without NUL a piece at a time: almost all text is that. */
static size_t plain_prefix(struct bytes text)
{
    size_t i = 0;

    while (text.len - i >= PIECE_BYTES) {
        const unsigned odd = piece_odd(text.at + i);

        if (odd != 0)
            return i + (size_t)__builtin_ctz(odd);
        i += PIECE_BYTES;
    }
    /* The last few together with some that were seen. */
    if (i > 0) {
        if (i == text.len || piece_odd(text.at + text.len - PIECE_BYTES) == 0)
            return text.len;
    } else if (text.len >= 8) {
        if (is_plain_word(text.at) && is_plain_word(text.at + text.len - 8))
            return text.len;
    } else if (text.len >= 4 && is_plain_short(text.at, text.len)) {
        return text.len;
    }
    while (i < text.len && text.at[i] < 0x80 && text.at[i] != 0)
        i++;
    return i;
}

size_t text_valid_prefix(struct bytes text)
{
    size_t i = 0;

    if (text.len == 0)
        return 0; /* text.at may be NULL */
    for (;;) {
        size_t step;
        struct bytes rest;

        i += plain_prefix((struct bytes){text.at + i, text.len - i});
        if (i == text.len || text.at[i] == 0)
            return i;
        rest = (struct bytes){text.at + i, text.len - i};
        step = text_utf8_step(rest);
        if (step == 0)
            return i;
        i += step;
    }
}

unsigned text_repair(struct buf *out, struct bytes text)
{
    unsigned repairs = TEXT_SOUND;

    while (text.len > 0) {
        const size_t good = text_valid_prefix(text);
        bool whole = false;
        size_t bad;

        buf_add(out, text.at, good);
        text.at += good;
        text.len -= good;
        if (text.len == 0)
            break;
        repairs |= text.at[0] == 0 ? TEXT_HAD_NUL : TEXT_HAD_BAD_UTF8;
        bad = text.at[0] == 0 ? 1 : sequence(text, &whole);
        buf_add(out, replacement, sizeof(replacement));
        text.at += bad;
        text.len -= bad;
    }
    return repairs;
}

size_t text_cut(struct bytes text, size_t max_bytes)
{
    if (text.len <= max_bytes)
        return text.len;
    for (size_t back = 0; back < 4 && max_bytes > back; back++)
        if ((text.at[max_bytes - back] & 0xc0) != 0x80)
            return max_bytes - back;
    return max_bytes; /* not UTF-8 at all: cut where it stands */
}

void text_hex(struct bytes from, char *to)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < from.len; i++) {
        to[2 * i] = digits[from.at[i] >> 4];
        to[2 * i + 1] = digits[from.at[i] & 15];
    }
}

static int hex_digit(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool text_unhex(struct bytes from, uint8_t *to)
{
    if (from.len % 2)
        return false;
    for (size_t i = 0; i < from.len / 2; i++) {
        const int high = hex_digit(from.at[2 * i]);
        const int low = hex_digit(from.at[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        to[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

void text_base64(struct buf *out, struct bytes from)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    for (size_t i = 0; i < from.len; i += 3) {
        const size_t left = from.len - i;
        const uint32_t b1 = left > 1 ? from.at[i + 1] : 0;
        const uint32_t b2 = left > 2 ? from.at[i + 2] : 0;
        const uint32_t v = (uint32_t)from.at[i] << 16 | b1 << 8 | b2;

        buf_add_byte(out, (uint8_t)alphabet[v >> 18]);
        buf_add_byte(out, (uint8_t)alphabet[v >> 12 & 63]);
        buf_add_byte(out, left > 1 ? (uint8_t)alphabet[v >> 6 & 63] : '=');
        buf_add_byte(out, left > 2 ? (uint8_t)alphabet[v & 63] : '=');
    }
}

static int base64_digit(uint8_t c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    if (c == '+' || c == '-')
        return 62;
    return c == '/' || c == '_' ? 63 : -1;
}

bool text_unbase64(struct bytes from, uint8_t *to, size_t *out_len)
{
    size_t digits = from.len;
    size_t written = 0;
    uint32_t bits = 0;
    unsigned bit_count = 0;

    while (digits > 0 && from.len - digits < 2 && from.at[digits - 1] == '=')
        digits--;
    if (digits % 4 == 1 || (digits != from.len && from.len % 4 != 0))
        return false;
    for (size_t i = 0; i < digits; i++) {
        const int digit = base64_digit(from.at[i]);
        if (digit < 0)
            return false;
        bits = bits << 6 | (uint32_t)digit;
        bit_count += 6;
        if (bit_count >= 8) {
            bit_count -= 8;
            to[written++] = (uint8_t)(bits >> bit_count);
        }
    }
    *out_len = written;
    return true;
}

#define MOST_DECIMALS 9

/* Most numbers that are sent are short decimal fractions: 0.7, 1024.0, 0.00018. Such a text is found
 * without printf: it reads back as value, for quotients of integers below 2^53 and powers of ten up
 * to 10^22 are rounded once, as texts are, and no text of 15 digits but the shortest does. Returns 0
 * where that is not so. */
static size_t short_decimal(double value, char to[TEXT_DOUBLE_BYTES])
{
    static const double powers[MOST_DECIMALS + 1] = {1e0, 1e1, 1e2, 1e3, 1e4,
                                                     1e5, 1e6, 1e7, 1e8, 1e9};
    const double size = fabs(value);
    char digits[24];
    size_t count = 0;
    size_t len = 0;
    size_t decimals = 0;
    uint64_t scaled;

    if (!(size >= 1e-4 && size < 1e5)) /* so that no product below has more than 14 digits */
        return 0;
    for (;; decimals++) {
        double back;

        if (decimals > MOST_DECIMALS)
            return 0;
        scaled = (uint64_t)(size * powers[decimals] + 0.5);
        back = (double)scaled / powers[decimals];
        if (!(back < size) && !(back > size))
            break;
    }
    for (uint64_t rest = scaled; rest > 0 || count <= decimals; rest /= 10)
        digits[count++] = (char)('0' + rest % 10);
    if (value < 0)
        to[len++] = '-';
    while (count > decimals)
        to[len++] = digits[--count];
    to[len++] = '.';
    if (decimals == 0)
        to[len++] = '0';
    while (count > 0)
        to[len++] = digits[--count];
    to[len] = '\0';
    return len;
}

size_t text_double(double value, char to[TEXT_DOUBLE_BYTES])
{
    size_t len = short_decimal(value, to);
    /* Up to 15 digits always read back, so a shorter text shows as zeros that %g leaves out; but
     * numbers below the normal range have fewer than 15. */
    const int least = fabs(value) < DBL_MIN ? 1 : 15;

    if (len > 0)
        return len;
    for (int digits = least; digits <= 17; digits++) {
        double back;
        len = (size_t)snprintf(to, TEXT_DOUBLE_BYTES, "%.*g", digits, value);
        back = strtod(to, NULL);
        /* Equal; -0.0 prints its sign, so that zero needs no look at its bits. */
        if (!(back < value) && !(back > value))
            break;
    }
    if (!memchr(to, '.', len) && !memchr(to, 'e', len)) {
        to[len++] = '.';
        to[len++] = '0';
        to[len] = '\0';
    }
    return len;
}

bool text_uint64(struct bytes text, uint64_t *out_value)
{
    uint64_t value = 0;

    if (text.len == 0)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        const uint8_t c = text.at[i];
        if (c < '0' || c > '9')
            return false;
        if (__builtin_mul_overflow(value, 10U, &value) ||
            __builtin_add_overflow(value, (uint64_t)(c - '0'), &value))
            return false;
    }
    *out_value = value;
    return true;
}

bool text_int64(struct bytes text, int64_t *out_value)
{
    const bool negative = text.len > 0 && text.at[0] == '-';
    uint64_t size;

    if (negative) {
        text.at++;
        text.len--;
    }
    if (!text_uint64(text, &size) || size > (uint64_t)INT64_MAX + (negative ? 1 : 0))
        return false;
    *out_value = negative ? (int64_t)(0 - size) : (int64_t)size;
    return true;
}

static const char real_digits[15] = "0123456789+-.eE"; /* without its NUL */

bool text_real(struct bytes text, double *out_value)
{
    char copy[400];
    char *end;
    double value;

    if (text.len == 0 || text.len >= sizeof(copy))
        return false;
    for (size_t i = 0; i < text.len; i++)
        if (!memchr(real_digits, text.at[i], sizeof(real_digits)))
            return false;
    memcpy(copy, text.at, text.len);
    copy[text.len] = '\0';
    errno = 0;
    value = strtod(copy, &end);
    if (end != copy + text.len)
        return false;
    *out_value = value;
    return true;
}

struct bytes text_trim(struct bytes text)
{
    while (text.len > 0 && text.at[0] <= ' ')
        text = (struct bytes){text.at + 1, text.len - 1};
    while (text.len > 0 && text.at[text.len - 1] <= ' ')
        text.len--;
    return text;
}

const char *text_quote(struct bytes text, char *to, size_t to_bytes)
{
    size_t at = 0;

    while (text.len > 0 && at + 5 < to_bytes) {
        const size_t step = text_utf8_step(text);
        if (step == 0 || (step == 1 && (text.at[0] < 0x20 || text.at[0] == 0x7f))) {
            to[at++] = '?';
            text.at++;
            text.len--;
            continue;
        }
        memcpy(to + at, text.at, step);
        at += step;
        text.at += step;
        text.len -= step;
    }
    to[at] = '\0';
    return to;
}
