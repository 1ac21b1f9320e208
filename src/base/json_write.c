/* JSON writing. */
#include "base/json_write.h"

#include "base/text.h"

/* 0: copied as it is; else the letter behind the backslash, 'u' for \u00XX, 'x' for a byte of a
 * longer sequence or NUL. */
static uint8_t escape_of(uint8_t c)
{
    switch (c) {
    case '"':
    case '\\':
        return c;
    case '\b':
        return 'b';
    case '\f':
        return 'f';
    case '\n':
        return 'n';
    case '\r':
        return 'r';
    case '\t':
        return 't';
    default:
        if (c == 0 || c >= 0x80)
            return 'x';
        return c < 0x20 ? 'u' : 0;
    }
}

static uint64_t has_less(uint64_t word, uint8_t limit)
{
    return (word - ~(uint64_t)0 / 255 * limit) & ~word & (~(uint64_t)0 / 255 * 128);
}

/* Bytes that need no look: printable ASCII but quote and backslash, eight at a time. The lowest mark
 * of a word is exact; those above it may be borrowed from it. */
static size_t plain_run(struct bytes text)
{
    size_t i = 0;

    while (text.len - i >= 8) {
        uint64_t word;
        uint64_t marks;

        memcpy(&word, text.at + i, sizeof(word));
        marks = (word & 0x8080808080808080U) | has_less(word, 0x20) |
                has_less(word ^ 0x2222222222222222U, 1) | has_less(word ^ 0x5c5c5c5c5c5c5c5cU, 1);
        if (marks)
            return i + (size_t)__builtin_ctzll(marks) / 8;
        i += 8;
    }
    while (i < text.len && escape_of(text.at[i]) == 0)
        i++;
    return i;
}

/* A byte of a longer sequence, or NUL: copied when sound, else replaced. Returns how many bytes
 * were consumed. */
static size_t add_sequence(struct buf *out, struct bytes text, bool keep_nul, unsigned *repairs)
{
    size_t step = text_utf8_step(text);
    size_t bad = 1;

    if (keep_nul && text.at[0] == 0) {
        buf_add_text(out, "\\u0000");
        return 1;
    }
    if (step > 0 && text.at[0] != 0) {
        buf_add(out, text.at, step);
        return step;
    }
    /* Let text_repair judge how long the bad sequence is: it ends where the next sound byte starts.
     */
    while (text.at[0] != 0 && bad < text.len && bad < 4 && (text.at[bad] & 0xc0) == 0x80 &&
           text_utf8_step((struct bytes){text.at + bad, text.len - bad}) == 0)
        bad++;
    *repairs |= text_repair(out, (struct bytes){text.at, bad});
    return bad;
}

/* A control character: 10 MB of them are a body like any other. */
static void add_control(struct buf *out, uint8_t c)
{
    static const char digits[] = "0123456789abcdef";
    const uint8_t escape[] = {
        '\\', 'u', '0', '0', (uint8_t)digits[c >> 4], (uint8_t)digits[c & 15]};

    buf_add(out, escape, sizeof(escape));
}

static unsigned add_string(struct buf *out, struct bytes text, bool keep_nul)
{
    unsigned repairs = TEXT_SOUND;

    if (!buf_need(out, text.len + 2))
        return repairs;
    buf_add_byte(out, '"');
    while (text.len > 0) {
        size_t done = plain_run(text);
        uint8_t escape;

        buf_add(out, text.at, done);
        if (done == text.len)
            break;
        escape = escape_of(text.at[done]);
        if (escape == 'x') {
            done += add_sequence(out, (struct bytes){text.at + done, text.len - done}, keep_nul,
                                 &repairs);
        } else {
            if (escape == 'u')
                add_control(out, text.at[done]);
            else
                buf_add(out, (const uint8_t[]){'\\', escape}, 2);
            done++;
        }
        text.at += done;
        text.len -= done;
    }
    buf_add_byte(out, '"');
    return repairs;
}

unsigned json_string(struct buf *out, struct bytes text)
{
    return add_string(out, text, false);
}

unsigned json_string_exact(struct buf *out, struct bytes text)
{
    return add_string(out, text, true);
}

void json_open(struct json *j, char bracket)
{
    buf_add_byte(j->out, (uint8_t)bracket);
    j->comma = false;
}

void json_close(struct json *j, char bracket)
{
    buf_add_byte(j->out, (uint8_t)bracket);
    j->comma = true;
}

void json_item(struct json *j)
{
    if (j->comma)
        buf_add_byte(j->out, ',');
    j->comma = true;
}

void json_key(struct json *j, const char *name)
{
    json_item(j);
    buf_add_byte(j->out, '"');
    buf_add_text(j->out, name);
    buf_add(j->out, "\":", 2);
}

void json_key_bytes(struct json *j, struct bytes name)
{
    json_item(j);
    (void)json_string(j->out, name);
    buf_add_byte(j->out, ':');
}

void json_text(struct json *j, struct bytes text)
{
    (void)json_string(j->out, text);
}

void json_cstr(struct json *j, const char *text)
{
    if (text)
        json_text(j, bytes_of(text));
    else
        json_null(j);
}

/* By hand and not by printf: answers with 100,000 spans write a million numbers. */
static void add_digits(struct buf *out, uint64_t value, bool negative)
{
    uint8_t digits[24];
    size_t at = sizeof(digits);

    do {
        digits[--at] = (uint8_t)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    if (negative)
        digits[--at] = '-';
    buf_add(out, digits + at, sizeof(digits) - at);
}

void json_int(struct json *j, int64_t value)
{
    add_digits(j->out, value < 0 ? 0 - (uint64_t)value : (uint64_t)value, value < 0);
}

void json_uint(struct json *j, uint64_t value)
{
    add_digits(j->out, value, false);
}

void json_uint_text(struct json *j, uint64_t value)
{
    buf_add_byte(j->out, '"');
    json_uint(j, value);
    buf_add_byte(j->out, '"');
}

void json_int_text(struct json *j, int64_t value)
{
    buf_add_byte(j->out, '"');
    json_int(j, value);
    buf_add_byte(j->out, '"');
}

void json_bool(struct json *j, bool value)
{
    buf_add_text(j->out, value ? "true" : "false");
}

void json_null(struct json *j)
{
    buf_add(j->out, "null", 4);
}

void json_raw(struct json *j, struct bytes json)
{
    buf_add_bytes(j->out, json);
}
