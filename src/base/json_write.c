/* JSON writing. */
#include "base/json_write.h"

#include "base/piece.h"
#include "base/text.h"

/* 0: copied as it is; else the letter behind the backslash, 'u' for \u00XX, 'x' for a byte of a
 * longer sequence or NUL. */
static inline uint8_t escape_of(uint8_t c)
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

/* At most a piece, without a call: nearly all keys and many values are that short. */
static inline void copy_short(uint8_t *to, const uint8_t *from, size_t len)
{
    if (len >= 8) {
        memcpy(to, from, 8);
        memcpy(to + len - 8, from + len - 8, 8);
    } else if (len >= 4) {
        memcpy(to, from, 4);
        memcpy(to + len - 4, from + len - 4, 4);
    } else if (len > 0) {
        to[0] = from[0];
        to[len / 2] = from[len / 2];
        to[len - 1] = from[len - 1];
    }
}

/* Copies the bytes of text that need no look; returns how many. `to` has room for the text and a
 * piece more. */
static inline size_t copy_plain(uint8_t *to, struct bytes text)
{
    size_t i = 0;
    unsigned special;

    for (; text.len - i >= PIECE_BYTES; i += PIECE_BYTES) {
        special = piece_special(text.at + i);
        memcpy(to + i, text.at + i, PIECE_BYTES);
        if (special != 0)
            return i + (size_t)__builtin_ctz(special);
    }
    if (i == text.len)
        return i;
    /* Looked at where it was copied to: behind the text may be no memory. What stands behind the copy
     * is masked out. */
    copy_short(to + i, text.at + i, text.len - i);
    memset(to + text.len, 0, PIECE_BYTES);
    special = piece_special(to + i) & ((1U << (text.len - i)) - 1);
    return special != 0 ? i + (size_t)__builtin_ctz(special) : text.len;
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

/* One byte that is not copied as it is, or sequences that follow each other, of which some languages
 * consist. Returns how many bytes of text were consumed. */
static size_t add_special(struct buf *out, struct bytes text, bool keep_nul, unsigned *repairs)
{
    const uint8_t escape = escape_of(text.at[0]);
    size_t done = 0;

    if (escape == 'x') {
        do
            done += add_sequence(out, (struct bytes){text.at + done, text.len - done}, keep_nul,
                                 repairs);
        while (done < text.len && text.at[done] >= 0x80);
        return done;
    }
    if (escape == 'u')
        add_control(out, text.at[0]);
    else
        buf_add(out, (const uint8_t[]){'\\', escape}, 2);
    return 1;
}

/* The text where the buffer has no room for a piece behind it. */
static void add_narrow(struct buf *out, struct bytes text, bool keep_nul, unsigned *repairs)
{
    while (text.len > 0) {
        size_t done = 0;

        while (done < text.len && escape_of(text.at[done]) == 0)
            done++;
        buf_add(out, text.at, done);
        if (done < text.len)
            done += add_special(out, (struct bytes){text.at + done, text.len - done}, keep_nul,
                                repairs);
        text.at += done;
        text.len -= done;
    }
}

/* Room for the text and a piece more, if the buffer may have so much. */
static inline bool has_wide_room(struct buf *out, size_t len)
{
    const size_t want = len + PIECE_BYTES;

    if (want <= out->cap - out->len)
        return true;
    return want <= out->max - out->len && buf_grow(out, want);
}

static unsigned add_string(struct buf *out, struct bytes text, bool keep_nul)
{
    unsigned repairs = TEXT_SOUND;

    if (!buf_need(out, text.len + 2))
        return repairs;
    out->at[out->len++] = '"';
    while (text.len > 0) {
        size_t done;

        if (!has_wide_room(out, text.len)) {
            add_narrow(out, text, keep_nul, &repairs);
            break;
        }
        done = copy_plain(out->at + out->len, text);
        out->len += done;
        if (done < text.len)
            done += add_special(out, (struct bytes){text.at + done, text.len - done}, keep_nul,
                                &repairs);
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
