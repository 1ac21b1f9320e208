/* A JSON document as a tree, for assertions. */
#include "support/doc.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdlib.h>

#include "support/number.h"

struct doc *doc_new(struct arena *arena, enum doc_kind kind)
{
    struct doc *d = arena_new(arena, struct doc);

    if (!d)
        abort(); /* a test's arena is large enough */
    d->kind = kind;
    return d;
}

struct doc *doc_string(struct arena *arena, struct bytes text)
{
    struct doc *d = doc_new(arena, DOC_STRING);

    d->text = arena_copy(arena, text);
    return d;
}

struct doc *doc_number(struct arena *arena, const char *text)
{
    struct doc *d = doc_string(arena, bytes_of(text));

    d->kind = DOC_NUMBER;
    return d;
}

struct doc *doc_bool(struct arena *arena, bool value)
{
    return doc_new(arena, value ? DOC_TRUE : DOC_FALSE);
}

static void add(struct arena *arena, struct doc *to, struct bytes key, struct doc *item)
{
    if (to->count == to->room) {
        size_t room = to->room ? to->room * 2 : 8;
        struct doc **items = arena_array(arena, struct doc *, room);
        struct bytes *keys = arena_array(arena, struct bytes, room);
        if (!items || !keys)
            abort();
        if (to->count) {
            memcpy(items, to->items, to->count * sizeof(items[0]));
            memcpy(keys, to->keys, to->count * sizeof(keys[0]));
        }
        to->items = items;
        to->keys = keys;
        to->room = room;
    }
    to->items[to->count] = item;
    to->keys[to->count++] = key;
}

void doc_append(struct arena *arena, struct doc *array, struct doc *item)
{
    add(arena, array, (struct bytes){0}, item);
}

static size_t find(const struct doc *object, const char *key)
{
    for (size_t i = object->count; i > 0; i--)
        if (bytes_is(object->keys[i - 1], key))
            return i - 1;
    return SIZE_MAX;
}

void doc_set(struct arena *arena, struct doc *object, const char *key, struct doc *value)
{
    size_t at = find(object, key);

    if (at == SIZE_MAX)
        add(arena, object, arena_copy(arena, bytes_of(key)), value);
    else
        object->items[at] = value;
}

void doc_remove(struct doc *object, const char *key)
{
    size_t at = find(object, key);

    if (at == SIZE_MAX)
        return;
    object->count--;
    object->keys[at] = object->keys[object->count];
    object->items[at] = object->items[object->count];
}

struct doc *doc_get(const struct doc *object, const char *key)
{
    if (!object || object->kind != DOC_OBJECT)
        return NULL;
    size_t at = find(object, key);
    return at == SIZE_MAX ? NULL : object->items[at];
}

struct doc *doc_item(const struct doc *array, size_t index)
{
    return index < doc_count(array) ? array->items[index] : NULL;
}

size_t doc_count(const struct doc *container)
{
    return container ? container->count : 0;
}

static struct doc *walk(const struct doc *from, va_list names)
{
    const struct doc *at = from;

    for (const char *name; at && (name = va_arg(names, const char *));)
        at = doc_get(at, name);
    return (struct doc *)(uintptr_t)at;
}

struct doc *doc_walk(const struct doc *from, ...)
{
    va_list names;

    va_start(names, from);
    struct doc *found = walk(from, names);
    va_end(names);
    return found;
}

static const char *text_of(const struct doc *d)
{
    return d && (d->kind == DOC_STRING || d->kind == DOC_NUMBER) && d->text.at
               ? (const char *)d->text.at
               : "";
}

const char *doc_at(const struct doc *from, ...)
{
    va_list names;

    va_start(names, from);
    const struct doc *found = walk(from, names);
    va_end(names);
    return text_of(found);
}

int64_t doc_int_at(const struct doc *from, ...)
{
    va_list names;

    va_start(names, from);
    const char *text = text_of(walk(from, names));
    va_end(names);
    return text[0] ? number_at(text) : -1;
}

/* ---- reading ---- */

struct reader {
    struct arena *arena;
    const uint8_t *at;
    const uint8_t *end;
    int depth;
};

static void skip_space(struct reader *r)
{
    while (r->at < r->end && strchr(" \t\r\n", *r->at) && *r->at)
        r->at++;
}

static bool take(struct reader *r, const char *word)
{
    size_t n = strlen(word);

    if ((size_t)(r->end - r->at) < n || memcmp(r->at, word, n) != 0)
        return false;
    r->at += n;
    return true;
}

static void add_utf8(struct buf *out, unsigned c)
{
    if (c < 0x80) {
        buf_add_byte(out, (uint8_t)c);
    } else if (c < 0x800) {
        buf_add_byte(out, (uint8_t)(0xc0 | c >> 6));
        buf_add_byte(out, (uint8_t)(0x80 | (c & 0x3f)));
    } else if (c < 0x10000) {
        buf_add_byte(out, (uint8_t)(0xe0 | c >> 12));
        buf_add_byte(out, (uint8_t)(0x80 | (c >> 6 & 0x3f)));
        buf_add_byte(out, (uint8_t)(0x80 | (c & 0x3f)));
    } else {
        buf_add_byte(out, (uint8_t)(0xf0 | c >> 18));
        buf_add_byte(out, (uint8_t)(0x80 | (c >> 12 & 0x3f)));
        buf_add_byte(out, (uint8_t)(0x80 | (c >> 6 & 0x3f)));
        buf_add_byte(out, (uint8_t)(0x80 | (c & 0x3f)));
    }
}

static bool read_hex4(struct reader *r, unsigned *out)
{
    char digits[5] = {0};

    if (r->end - r->at < 4)
        return false;
    for (int i = 0; i < 4; i++)
        if (!isxdigit(digits[i] = (char)r->at[i]))
            return false;
    r->at += 4;
    *out = (unsigned)number_at_hex(digits);
    return true;
}

static bool read_escape(struct reader *r, struct buf *out)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    unsigned c, low;

    if (r->at == r->end)
        return false;
    const char *known = *r->at ? strchr(from, *r->at) : NULL;
    if (known) {
        buf_add_byte(out, (uint8_t)to[known - from]);
        r->at++;
        return true;
    }
    if (!take(r, "u") || !read_hex4(r, &c))
        return false;
    if (c >= 0xd800 && c < 0xdc00) {
        if (!take(r, "\\u") || !read_hex4(r, &low) || low < 0xdc00 || low > 0xdfff)
            return false;
        c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
    }
    add_utf8(out, c);
    return true;
}

static bool read_string(struct reader *r, struct bytes *out)
{
    struct buf text;
    bool ok = take(r, "\"");

    buf_init(&text, (size_t)256 << 20);
    while (ok && r->at < r->end && *r->at != '"') {
        uint8_t c = *r->at++;
        if (c == '\\')
            ok = read_escape(r, &text);
        else if (c < 0x20)
            ok = false;
        else
            buf_add_byte(&text, c);
    }
    ok = ok && take(r, "\"");
    if (ok)
        *out = arena_copy(r->arena, buf_bytes(&text));
    buf_done(&text);
    return ok;
}

static struct doc *read_value(struct reader *r);

/* Recursion bounded by DOC_MAX_DEPTH. */
static struct doc *read_container(struct reader *r, bool object)
{
    struct doc *d = doc_new(r->arena, object ? DOC_OBJECT : DOC_ARRAY);
    const char *close = object ? "}" : "]";

    if (++r->depth > DOC_MAX_DEPTH)
        return NULL;
    skip_space(r);
    bool more = !take(r, close);
    while (more) {
        struct bytes key = {0};
        skip_space(r);
        if (object) {
            if (!read_string(r, &key))
                return NULL;
            skip_space(r);
            if (!take(r, ":"))
                return NULL;
        }
        struct doc *item = read_value(r);
        if (!item)
            return NULL;
        add(r->arena, d, key, item);
        skip_space(r);
        more = take(r, ",");
        if (!more && !take(r, close))
            return NULL;
    }
    r->depth--;
    return d;
}

static struct doc *read_number(struct reader *r)
{
    const uint8_t *from = r->at;

    while (r->at < r->end && *r->at && strchr("+-.0123456789eE", *r->at))
        r->at++;
    if (r->at == from)
        return NULL;
    struct doc *d = doc_string(r->arena, (struct bytes){from, (size_t)(r->at - from)});
    d->kind = DOC_NUMBER;
    return d;
}

static struct doc *read_value(struct reader *r)
{
    skip_space(r);
    if (take(r, "{"))
        return read_container(r, true);
    if (take(r, "["))
        return read_container(r, false);
    if (take(r, "true"))
        return doc_new(r->arena, DOC_TRUE);
    if (take(r, "false"))
        return doc_new(r->arena, DOC_FALSE);
    if (take(r, "null"))
        return doc_new(r->arena, DOC_NULL);
    if (r->at < r->end && *r->at == '"') {
        struct doc *d = doc_new(r->arena, DOC_STRING);
        return read_string(r, &d->text) ? d : NULL;
    }
    return read_number(r);
}

struct doc *doc_parse(struct arena *arena, struct bytes text)
{
    struct reader r = {arena, text.at, text.at + text.len, 0};
    struct doc *d = read_value(&r);

    skip_space(&r);
    return r.at == r.end ? d : NULL;
}

/* ---- writing ---- */

static void write_string(struct buf *out, struct bytes text)
{
    buf_add_byte(out, '"');
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.at[i];
        if (c < 0x20 || c == '"' || c == '\\')
            buf_printf(out, "\\u%04x", c);
        else
            buf_add_byte(out, c);
    }
    buf_add_byte(out, '"');
}

static int compare_bytes(struct bytes a, struct bytes b)
{
    size_t n = a.len < b.len ? a.len : b.len;
    int order = n ? memcmp(a.at, b.at, n) : 0;

    return order ? order : (a.len > b.len) - (a.len < b.len);
}

/* Insertion sort, in place: objects here are small. */
static void sort_members(struct doc *object)
{
    for (size_t i = 1; i < object->count; i++) {
        struct bytes key = object->keys[i];
        struct doc *item = object->items[i];
        size_t k = i;
        for (; k > 0 && compare_bytes(object->keys[k - 1], key) > 0; k--) {
            object->keys[k] = object->keys[k - 1];
            object->items[k] = object->items[k - 1];
        }
        object->keys[k] = key;
        object->items[k] = item;
    }
}

static void write_value(struct buf *out, struct doc *d)
{
    static const char *const words[] = {"null", "false", "true"};
    bool object = d->kind == DOC_OBJECT;

    if (d->kind <= DOC_TRUE) {
        buf_add_text(out, words[d->kind]);
        return;
    }
    if (d->kind == DOC_NUMBER || d->kind == DOC_STRING) {
        if (d->kind == DOC_STRING)
            write_string(out, d->text);
        else
            buf_add_bytes(out, d->text);
        return;
    }
    if (object)
        sort_members(d);
    buf_add_byte(out, object ? '{' : '[');
    for (size_t i = 0; i < d->count; i++) {
        if (i)
            buf_add_byte(out, ',');
        if (object) {
            write_string(out, d->keys[i]);
            buf_add_byte(out, ':');
        }
        write_value(out, d->items[i]);
    }
    buf_add_byte(out, object ? '}' : ']');
}

const char *doc_sorted(struct arena *arena, const struct doc *value)
{
    struct buf out;

    buf_init(&out, (size_t)256 << 20);
    if (value)
        write_value(&out, (struct doc *)(uintptr_t)value);
    struct bytes kept = arena_copy(arena, buf_bytes(&out));
    buf_done(&out);
    if (!kept.at)
        abort();
    return (const char *)kept.at;
}

bool doc_equal(struct arena *arena, const struct doc *a, const struct doc *b)
{
    return strcmp(doc_sorted(arena, a), doc_sorted(arena, b)) == 0;
}
