/*
 * Values inside texts: JSON, Python's repr of it ({'a': None, "b": (1, 2)}, Usage(input=3)), and
 * either of them cut off in the middle. One loop over an explicit stack; what is read goes on a
 * stack of values and moves to an array of its own size when its bracket closes.
 */
#include "base/text.h"
#include "genai/find.h"

#include <math.h>

enum { MOST_DEPTH = 64, MOST_VALUES = 100000, MOST_NAME = 64 };

struct frame {
    uint32_t first; /* of its entries on the stack of values */
    uint8_t close;  /* its bracket */
    bool named;     /* entries have keys */
    bool call;      /* Name(key=value, …) */
};

struct parser {
    const uint8_t *at;
    const uint8_t *end;
    struct arena *arena;
    struct attribute *values; /* the stack */
    uint32_t count;
    uint32_t cap;
    uint32_t total; /* values ever made */
    struct frame frames[MOST_DEPTH];
    uint32_t depth;
    bool cut; /* the text ended in the middle */
};

static void skip_space(struct parser *p)
{
    while (p->at < p->end && (*p->at == ' ' || *p->at == '\n' || *p->at == '\t' || *p->at == '\r'))
        p->at++;
}

static bool is_letter(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

static bool push(struct parser *p, struct bytes key, struct value value)
{
    if (p->count == p->cap) {
        const uint32_t cap = p->cap == 0 ? 16 : 2 * p->cap;
        struct attribute *values = arena_alloc(p->arena, cap * sizeof(*values));

        if (values == NULL)
            return false;
        if (p->count > 0)
            memcpy(values, p->values, p->count * sizeof(*values));
        p->values = values;
        p->cap = cap;
    }
    p->values[p->count++] = (struct attribute){key, value};
    return true;
}

static int hex_digit(uint8_t c)
{
    if (is_digit(c))
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* digits of hex at p; false: the text ends or they are none. */
static bool read_hex(struct parser *p, int digits, uint32_t *out_code)
{
    uint32_t code = 0;

    if (p->end - p->at < digits)
        return false;
    for (int i = 0; i < digits; i++) {
        const int digit = hex_digit(p->at[i]);

        if (digit < 0)
            return false;
        code = code << 4 | (uint32_t)digit;
    }
    p->at += digits;
    *out_code = code;
    return true;
}

static uint8_t *put_utf8(uint8_t *to, uint32_t code)
{
    if (code == 0 || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
        code = 0xfffd;
    if (code < 0x80) {
        *to++ = (uint8_t)code;
    } else if (code < 0x800) {
        *to++ = (uint8_t)(0xc0 | code >> 6);
        *to++ = (uint8_t)(0x80 | (code & 0x3f));
    } else if (code < 0x10000) {
        *to++ = (uint8_t)(0xe0 | code >> 12);
        *to++ = (uint8_t)(0x80 | (code >> 6 & 0x3f));
        *to++ = (uint8_t)(0x80 | (code & 0x3f));
    } else {
        *to++ = (uint8_t)(0xf0 | code >> 18);
        *to++ = (uint8_t)(0x80 | (code >> 12 & 0x3f));
        *to++ = (uint8_t)(0x80 | (code >> 6 & 0x3f));
        *to++ = (uint8_t)(0x80 | (code & 0x3f));
    }
    return to;
}

/* \uXXXX, with the second half of a pair where there is one. */
static bool read_unicode(struct parser *p, uint32_t *out_code)
{
    uint32_t low;

    if (!read_hex(p, 4, out_code))
        return false;
    if (*out_code >= 0xd800 && *out_code < 0xdc00 && p->end - p->at >= 6 && p->at[0] == '\\' &&
        p->at[1] == 'u') {
        const uint8_t *before = p->at;

        p->at += 2;
        if (read_hex(p, 4, &low) && low >= 0xdc00 && low < 0xe000)
            *out_code = 0x10000 + ((*out_code - 0xd800) << 10) + (low - 0xdc00);
        else
            p->at = before;
    }
    return true;
}

/* What stands behind a backslash; p is there. Returns the new end of the decoded text. */
static uint8_t *read_escape(struct parser *p, uint8_t *to)
{
    static const char plain[] = "bfnrtv0";
    static const char means[] = "\b\f\n\r\t\v ";
    const uint8_t c = *p->at++;
    const char *found = c != '\0' ? strchr(plain, c) : NULL;
    uint32_t code;

    if (c == 'u' || c == 'x' || c == 'U') {
        if (c == 'u' ? read_unicode(p, &code) : read_hex(p, c == 'x' ? 2 : 8, &code))
            return put_utf8(to, code);
        *to++ = '\\';
    } else if (found != NULL) {
        *to++ = (uint8_t)means[found - plain];
        return to;
    }
    *to++ = c; /* of the others the escaped character itself: quotes, slashes */
    return to;
}

/* A string; p is at its quote. One that the text cuts off is given as far as it goes. */
static bool read_string(struct parser *p, struct bytes *out_text)
{
    const uint8_t quote = *p->at++;
    const uint8_t *start = p->at;
    bool escapes = false;
    const uint8_t *until;
    uint8_t *copy;
    uint8_t *to;

    while (p->at < p->end && *p->at != quote) {
        escapes = escapes || *p->at == '\\';
        p->at += *p->at == '\\' && p->end - p->at > 1 ? 2 : 1;
    }
    until = p->at;
    p->cut = p->at >= p->end;
    if (!p->cut)
        p->at++;
    *out_text = (struct bytes){start, (size_t)(until - start)};
    if (!escapes)
        return true;
    copy = arena_alloc(p->arena, out_text->len);
    if (copy == NULL)
        return false;
    to = copy;
    const uint8_t *behind = p->at;
    const uint8_t *end = p->end;
    p->end = until;
    for (p->at = start; p->at < until;)
        if (*p->at == '\\' && until - p->at > 1) {
            p->at++;
            to = read_escape(p, to);
        } else {
            *to++ = *p->at++;
        }
    p->at = behind;
    p->end = end;
    *out_text = (struct bytes){copy, (size_t)(to - copy)};
    return true;
}

static bool read_number(struct parser *p, struct value *out_value)
{
    const uint8_t *start = p->at;
    struct bytes text;

    while (p->at < p->end && (is_digit(*p->at) || strchr("+-.eE_", *p->at) != NULL))
        p->at++;
    text = (struct bytes){start, (size_t)(p->at - start)};
    if (p->at == p->end && p->depth > 0) {
        p->cut = true; /* more digits may have followed */
        return true;
    }
    if (text_int64(text, &out_value->integer)) {
        out_value->kind = VALUE_INT;
        return true;
    }
    out_value->kind = VALUE_DOUBLE;
    return text_real(text, &out_value->real);
}

/* A word that is a value of its own; false: it is none. */
static bool word_value(struct bytes word, struct value *out_value)
{
    if (bytes_is(word, "true") || bytes_is(word, "True"))
        *out_value = (struct value){.kind = VALUE_BOOL, .boolean = true};
    else if (bytes_is(word, "false") || bytes_is(word, "False"))
        *out_value = (struct value){.kind = VALUE_BOOL, .boolean = false};
    else if (bytes_is(word, "null") || bytes_is(word, "None") || bytes_is(word, "undefined"))
        *out_value = (struct value){.kind = VALUE_EMPTY};
    else if (bytes_is(word, "NaN") || bytes_is(word, "nan"))
        *out_value = (struct value){.kind = VALUE_DOUBLE, .real = (double)NAN};
    else if (bytes_is(word, "Infinity") || bytes_is(word, "inf"))
        *out_value = (struct value){.kind = VALUE_DOUBLE, .real = (double)INFINITY};
    else
        return false;
    return true;
}

static struct bytes read_word(struct parser *p)
{
    const uint8_t *start = p->at;

    while (p->at < p->end && (is_letter(*p->at) || is_digit(*p->at) || *p->at == '.'))
        p->at++;
    return (struct bytes){start, (size_t)(p->at - start)};
}

static bool open_frame(struct parser *p, uint8_t close, bool named, bool call)
{
    if (p->depth == MOST_DEPTH)
        return false;
    p->at++;
    p->frames[p->depth++] = (struct frame){p->count, close, named, call};
    return true;
}

/* <Role.USER: 'user'>, <object at 0x7f…>: the text as it stands. */
static bool read_object(struct parser *p, struct value *out_value)
{
    const uint8_t *start = p->at;
    const uint8_t *close = memchr(p->at, '>', (size_t)(p->end - p->at));

    p->cut = close == NULL;
    p->at = close == NULL ? p->end : close + 1;
    *out_value = (struct value){.kind = VALUE_STRING, .text = {start, (size_t)(p->at - start)}};
    return true;
}

/* A word: a value of its own, or the name of an object whose entries follow. */
static bool read_named(struct parser *p, struct value *out_value, bool *out_opened)
{
    const struct bytes word = read_word(p);

    if (p->at < p->end && *p->at == '(' && word.len <= MOST_NAME) {
        *out_opened = true;
        return open_frame(p, ')', true, true);
    }
    if (p->at == p->end && p->depth > 0) {
        p->cut = true;
        return true;
    }
    return word_value(word, out_value);
}

/* One value that has no entries, or the opening of one that has (*out_opened). */
static bool read_value(struct parser *p, struct value *out_value, bool *out_opened)
{
    const uint8_t c = *p->at;
    const uint8_t next = p->end - p->at > 1 ? p->at[1] : 0;

    *out_value = (struct value){.kind = VALUE_EMPTY};
    *out_opened = c == '{' || c == '[' || c == '(';
    if (*out_opened)
        return open_frame(p, c == '{' ? '}' : c == '[' ? ']' : ')', c == '{', false);
    if ((c == 'b' || c == 'r' || c == 'u') && (next == '\'' || next == '"'))
        p->at++; /* b'…': read as text */
    if (*p->at == '"' || *p->at == '\'') {
        out_value->kind = VALUE_STRING;
        return read_string(p, &out_value->text);
    }
    if (c == '-' && is_letter(next)) {
        p->at++;
        if (!word_value(read_word(p), out_value) || out_value->kind != VALUE_DOUBLE)
            return false;
        out_value->real = -out_value->real;
        return true;
    }
    if (is_digit(c) || c == '-')
        return read_number(p, out_value);
    if (c == '<')
        return p->depth > 0 && read_object(p, out_value);
    return is_letter(c) && read_named(p, out_value, out_opened);
}

/* The newest frame becomes a value. */
static bool close_frame(struct parser *p, struct value *out_value)
{
    const struct frame frame = p->frames[--p->depth];
    const struct attribute *from = p->values == NULL ? NULL : p->values + frame.first;
    const uint32_t count = p->count - frame.first;

    *out_value = (struct value){.kind = frame.named ? VALUE_KVLIST : VALUE_ARRAY, .count = count};
    p->count = frame.first;
    if (frame.named) {
        out_value->entries = arena_alloc(p->arena, count * sizeof(*from));
        if (out_value->entries == NULL)
            return false;
        if (count > 0)
            memcpy(out_value->entries, from, count * sizeof(*from));
        return true;
    }
    out_value->items = arena_alloc(p->arena, count * sizeof(struct value));
    for (uint32_t i = 0; out_value->items != NULL && i < count; i++)
        out_value->items[i] = from[i].value;
    return out_value->items != NULL;
}

/* A key and its ':' or '='. Arguments without a name have an empty key. */
static bool read_key(struct parser *p, bool call, struct bytes *out_key)
{
    const uint8_t *start = p->at;

    *out_key = (struct bytes){start, 0};
    if (!call && (*p->at == '"' || *p->at == '\'')) {
        if (!read_string(p, out_key))
            return false;
    } else {
        *out_key = read_word(p);
        if (out_key->len == 0)
            return call; /* a value stands there */
    }
    skip_space(p);
    p->cut = p->cut || p->at == p->end;
    if (p->cut)
        return true;
    if (*p->at == (call ? '=' : ':')) {
        p->at++;
        skip_space(p);
        p->cut = p->at == p->end;
        return true;
    }
    p->at = start;
    *out_key = (struct bytes){start, 0};
    return call;
}

/* Puts a finished value where it belongs, then closes what ends behind it. *out_done: it was the
 * whole. key is the value's own; keys of closed frames wait on the stack below them. */
static bool settle(struct parser *p, struct value *value, bool *out_done)
{
    *out_done = false;
    for (;;) {
        if (p->depth == 0) {
            *out_done = true;
            return true;
        }
        p->values[p->count - 1].value = *value;
        skip_space(p);
        p->cut = p->cut || p->at == p->end;
        if (!p->cut && *p->at == ',') {
            p->at++;
            skip_space(p);
            p->cut = p->at == p->end;
        } else if (!p->cut && *p->at != p->frames[p->depth - 1].close) {
            return false;
        }
        if (!p->cut && *p->at != p->frames[p->depth - 1].close)
            return true;
        if (!p->cut)
            p->at++;
        if (!close_frame(p, value))
            return false;
    }
}

/* An entry's place on the stack, with its key. */
static bool begin_entry(struct parser *p)
{
    const struct frame *frame = &p->frames[p->depth - 1];
    struct bytes key = {NULL, 0};

    if (frame->named && !read_key(p, frame->call, &key))
        return false;
    if (p->cut && frame->named)
        return true; /* a key without a value is left out */
    return push(p, key, (struct value){.kind = VALUE_EMPTY});
}

/* Everything that is open ends where the text does. */
static bool close_all(struct parser *p, struct value *out_value)
{
    p->cut = true;
    while (p->depth > 0) {
        if (!close_frame(p, out_value))
            return false;
        if (p->depth > 0)
            p->values[p->count - 1].value = *out_value;
    }
    return true;
}

static bool run(struct parser *p, struct value *out_value)
{
    bool done = false;

    while (!done) {
        bool opened;

        if (p->depth > 0 && !p->cut && !begin_entry(p))
            return false;
        if (p->cut || ++p->total > MOST_VALUES)
            return close_all(p, out_value);
        if (!read_value(p, out_value, &opened))
            return false;
        if (opened) {
            skip_space(p);
            p->cut = p->at == p->end;
            if (p->cut || *p->at != p->frames[p->depth - 1].close)
                continue;
            p->at++;
            if (!close_frame(p, out_value))
                return false;
        }
        if (!settle(p, out_value, &done))
            return false;
    }
    return true;
}

bool genai_parse_text(struct bytes text, struct arena *arena, struct value *out_value,
                      bool *out_truncated)
{
    struct parser p = {.at = text.at, .end = text.at + text.len, .arena = arena};
    struct value value;

    if (text.len == 0)
        return false;
    skip_space(&p);
    if (p.at == p.end || !run(&p, &value))
        return false;
    skip_space(&p);
    if (p.at != p.end && !p.cut)
        return false; /* something follows: it was a text that began like a value */
    if (p.cut && value.kind != VALUE_ARRAY && value.kind != VALUE_KVLIST)
        return false;
    *out_value = value;
    *out_truncated = p.cut;
    return true;
}
