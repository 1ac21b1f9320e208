/* JSON reading: a strict grammar as a small state machine. */
#include "base/json_read.h"

#include <stdio.h>

#include "base/text.h"

void json_reader_init(struct json_reader *r, struct bytes body, struct arena *arena)
{
    *r = (struct json_reader){.body = body, .arena = arena};
}

static bool wrong(const struct json_reader *r, const char *want, struct err *err)
{
    char found[16] = "the end";

    if (r->at < r->body.len) {
        const uint8_t c = r->body.at[r->at];
        (void)snprintf(found, sizeof(found), c > 0x20 && c < 0x7f ? "'%c'" : "byte 0x%02x", c);
    }
    return err_set(err, ERR_BAD_INPUT, "JSON: byte %zu: found %s, want %s", r->at, found, want);
}

static void skip_space(struct json_reader *r)
{
    while (r->at < r->body.len) {
        const uint8_t c = r->body.at[r->at];
        if (c != ' ' && c != '\n' && c != '\r' && c != '\t')
            return;
        r->at++;
    }
}

static int peek(const struct json_reader *r)
{
    return r->at < r->body.len ? r->body.at[r->at] : -1;
}

static bool in_object(const struct json_reader *r)
{
    const uint32_t top = r->depth - 1;

    return r->depth > 0 && (r->is_object[top / 8] >> (top % 8) & 1U);
}

static bool open_bracket(struct json_reader *r, bool object, struct err *err)
{
    if (r->depth == JSON_MAX_DEPTH)
        return err_set(err, ERR_BAD_INPUT, "JSON: byte %zu: nested deeper than %d", r->at,
                       JSON_MAX_DEPTH);
    if (object)
        r->is_object[r->depth / 8] |= (uint8_t)(1U << (r->depth % 8));
    else
        r->is_object[r->depth / 8] &= (uint8_t) ~(1U << (r->depth % 8));
    r->depth++;
    r->at++;
    r->after_value = false;
    r->after_key = false;
    return true;
}

static void close_bracket(struct json_reader *r)
{
    r->depth--;
    r->at++;
    r->after_value = true;
}

/* Bytes of a string that stand for themselves: eight at a time until a quote, a backslash or a
 * control character. The lowest mark of a word is exact; those above it may be borrowed from it. */
static size_t plain_run(struct bytes text)
{
    const uint64_t ones = ~(uint64_t)0 / 255;
    size_t i = 0;

    while (text.len - i >= 8) {
        uint64_t word;
        uint64_t quote;
        uint64_t backslash;
        uint64_t marks;

        memcpy(&word, text.at + i, sizeof(word));
        quote = word ^ ones * '"';
        backslash = word ^ ones * '\\';
        marks = (((word - ones * 0x20) & ~word) | ((quote - ones) & ~quote) |
                 ((backslash - ones) & ~backslash)) &
                ones * 0x80;
        if (marks)
            return i + (size_t)__builtin_ctzll(marks) / 8;
        i += 8;
    }
    while (i < text.len && text.at[i] != '"' && text.at[i] != '\\' && text.at[i] >= 0x20)
        i++;
    return i;
}

static bool read_hex4(const struct json_reader *r, size_t at, uint32_t *out_code)
{
    uint8_t pair[2];

    if (r->body.len - at < 4 || !text_unhex((struct bytes){r->body.at + at, 4}, pair))
        return false;
    *out_code = read_be16(pair);
    return true;
}

static size_t put_utf8(uint32_t code, uint8_t *to)
{
    if (code < 0x80) {
        to[0] = (uint8_t)code;
        return 1;
    }
    if (code < 0x800) {
        to[0] = (uint8_t)(0xc0 | code >> 6);
        to[1] = (uint8_t)(0x80 | (code & 63));
        return 2;
    }
    if (code < 0x10000) {
        to[0] = (uint8_t)(0xe0 | code >> 12);
        to[1] = (uint8_t)(0x80 | (code >> 6 & 63));
        to[2] = (uint8_t)(0x80 | (code & 63));
        return 3;
    }
    to[0] = (uint8_t)(0xf0 | code >> 18);
    to[1] = (uint8_t)(0x80 | (code >> 12 & 63));
    to[2] = (uint8_t)(0x80 | (code >> 6 & 63));
    to[3] = (uint8_t)(0x80 | (code & 63));
    return 4;
}

/* \uXXXX, with its second half where it is a surrogate; r->at stands behind the 'u'. */
static bool read_unicode(struct json_reader *r, uint8_t *to, size_t *len, struct err *err)
{
    uint32_t code;
    uint32_t low;

    if (!read_hex4(r, r->at, &code))
        return wrong(r, "four hex digits", err);
    r->at += 4;
    if (code >= 0xdc00 && code <= 0xdfff)
        return err_set(err, ERR_BAD_INPUT, "JSON: byte %zu: lone surrogate", r->at - 6);
    if (code >= 0xd800 && code <= 0xdbff) {
        if (r->body.len - r->at < 6 || r->body.at[r->at] != '\\' || r->body.at[r->at + 1] != 'u' ||
            !read_hex4(r, r->at + 2, &low) || low < 0xdc00 || low > 0xdfff)
            return err_set(err, ERR_BAD_INPUT, "JSON: byte %zu: lone surrogate", r->at - 6);
        r->at += 6;
        code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
    }
    *len += put_utf8(code, to + *len);
    return true;
}

static bool read_escape(struct json_reader *r, uint8_t *to, size_t *len, struct err *err)
{
    static const char letters[] = "\"\\/bfnrt";
    static const char meanings[] = "\"\\/\b\f\n\r\t";
    const int c = peek(r);
    const char *letter = c > 0 ? strchr(letters, c) : NULL;

    if (letter) {
        r->at++;
        to[(*len)++] = (uint8_t)meanings[letter - letters];
        return true;
    }
    if (c != 'u')
        return wrong(r, "an escape", err);
    r->at++;
    return read_unicode(r, to, len, err);
}

/* The end of the string whose content starts at from: where its closing quote stands. An upper
 * bound of the decoded length, so that one allocation is enough. */
static size_t string_end(const struct json_reader *r, size_t from)
{
    while (from < r->body.len && r->body.at[from] != '"')
        from += r->body.at[from] == '\\' ? 2 : 1;
    return from < r->body.len ? from : r->body.len;
}

/* A string with escapes: decoded into the arena. r->at stands at the first backslash, start at the
 * first byte. */
static bool read_escaped(struct json_reader *r, size_t start, struct err *err)
{
    uint8_t *to = arena_alloc(r->arena, string_end(r, r->at) - start);
    size_t len = r->at - start;

    if (!to)
        return err_set(err, ERR_TOO_LARGE, "decoding takes more than %zu bytes",
                       r->arena->max_bytes);
    memcpy(to, r->body.at + start, len);
    while (peek(r) != '"') {
        const size_t run = plain_run((struct bytes){r->body.at + r->at, r->body.len - r->at});

        memcpy(to + len, r->body.at + r->at, run);
        len += run;
        r->at += run;
        if (peek(r) == '"')
            break;
        if (peek(r) != '\\')
            return wrong(r, "the rest of a string", err);
        r->at++;
        if (!read_escape(r, to, &len, err))
            return false;
    }
    r->at++;
    r->text = (struct bytes){to, len};
    return true;
}

static bool read_string(struct json_reader *r, struct err *err)
{
    const size_t start = ++r->at;

    r->at += plain_run((struct bytes){r->body.at + start, r->body.len - start});
    if (peek(r) == '\\')
        return read_escaped(r, start, err);
    if (peek(r) != '"')
        return wrong(r, "the rest of a string", err);
    r->text = (struct bytes){r->body.at + start, r->at - start};
    r->at++;
    return true;
}

static bool read_digits(struct json_reader *r, struct err *err)
{
    const size_t start = r->at;

    while (peek(r) >= '0' && peek(r) <= '9')
        r->at++;
    return r->at > start ? true : wrong(r, "a digit", err);
}

static bool read_number(struct json_reader *r, struct err *err)
{
    const size_t start = r->at;

    if (peek(r) == '-')
        r->at++;
    if (peek(r) == '0')
        r->at++; /* no digit may follow: the token behind it will be refused */
    else if (!read_digits(r, err))
        return false;
    if (peek(r) == '.') {
        r->at++;
        if (!read_digits(r, err))
            return false;
    }
    if (peek(r) == 'e' || peek(r) == 'E') {
        r->at++;
        if (peek(r) == '+' || peek(r) == '-')
            r->at++;
        if (!read_digits(r, err))
            return false;
    }
    r->text = (struct bytes){r->body.at + start, r->at - start};
    return true;
}

static bool read_word(struct json_reader *r, const char *word, struct err *err)
{
    const size_t len = strlen(word);

    if (r->body.len - r->at < len || memcmp(r->body.at + r->at, word, len) != 0)
        return wrong(r, "a value", err);
    r->at += len;
    return true;
}

static bool read_value(struct json_reader *r, enum json_token *token, struct err *err)
{
    r->after_key = false;
    r->after_value = true;
    switch (peek(r)) {
    case '{':
        *token = JSON_OBJECT_OPEN;
        return open_bracket(r, true, err);
    case '[':
        *token = JSON_ARRAY_OPEN;
        return open_bracket(r, false, err);
    case '"':
        *token = JSON_STRING;
        return read_string(r, err);
    case 't':
        *token = JSON_TRUE;
        return read_word(r, "true", err);
    case 'f':
        *token = JSON_FALSE;
        return read_word(r, "false", err);
    case 'n':
        *token = JSON_NULL;
        return read_word(r, "null", err);
    default:
        if (peek(r) != '-' && !(peek(r) >= '0' && peek(r) <= '9'))
            return wrong(r, "a value", err);
        *token = JSON_NUMBER;
        return read_number(r, err);
    }
}

static bool read_key(struct json_reader *r, enum json_token *token, struct err *err)
{
    if (peek(r) != '"')
        return wrong(r, "a key", err);
    if (!read_string(r, err))
        return false;
    skip_space(r);
    if (peek(r) != ':')
        return wrong(r, "':'", err);
    r->at++;
    r->after_value = false;
    r->after_key = true;
    *token = JSON_KEY;
    return true;
}

static bool read_end(struct json_reader *r, enum json_token *token, struct err *err)
{
    if (peek(r) >= 0)
        return wrong(r, "the end", err);
    *token = JSON_END;
    return true;
}

/* Behind a value inside a bracket: ',' and what follows it, or the close. */
static bool read_behind(struct json_reader *r, enum json_token *token, struct err *err)
{
    const bool object = in_object(r);

    if (peek(r) == (object ? '}' : ']')) {
        close_bracket(r);
        *token = object ? JSON_OBJECT_CLOSE : JSON_ARRAY_CLOSE;
        return true;
    }
    if (peek(r) != ',')
        return wrong(r, object ? "',' or '}'" : "',' or ']'", err);
    r->at++;
    skip_space(r);
    return object ? read_key(r, token, err) : read_value(r, token, err);
}

bool json_next(struct json_reader *r, enum json_token *out_token, struct err *err)
{
    skip_space(r);
    if (r->depth == 0) {
        if (r->started)
            return read_end(r, out_token, err);
        r->started = true;
        return read_value(r, out_token, err);
    }
    if (r->after_value)
        return read_behind(r, out_token, err);
    if (r->after_key)
        return read_value(r, out_token, err);
    /* Right behind an open bracket. */
    if (peek(r) == (in_object(r) ? '}' : ']')) {
        *out_token = in_object(r) ? JSON_OBJECT_CLOSE : JSON_ARRAY_CLOSE;
        close_bracket(r);
        return true;
    }
    return in_object(r) ? read_key(r, out_token, err) : read_value(r, out_token, err);
}

bool json_skip(struct json_reader *r, struct err *err)
{
    const uint32_t depth = r->depth;
    enum json_token token;

    do {
        if (!json_next(r, &token, err))
            return false;
    } while (r->depth > depth);
    return true;
}
