/*
 * Splitting and joining of attribute texts.
 *
 * Both texts are our own compact JSON (otlp/attr_json), so members are found by looking for quotes
 * and brackets alone: nothing is decoded, and long strings are jumped over.
 */
#include "model/payload.h"

#include <stdio.h>

/* A place in a text; at == end where it cannot be read. */
struct cursor {
    const uint8_t *at;
    const uint8_t *end;
};

/* Behind the string that begins here. */
static void skip_string(struct cursor *c)
{
    const uint8_t *at = c->at + 1;

    for (;;) {
        const uint8_t *quote = at < c->end ? memchr(at, '"', (size_t)(c->end - at)) : NULL;
        size_t backslashes = 0;

        if (!quote) {
            c->at = c->end;
            return;
        }
        while (quote - backslashes > at && quote[-1 - (ptrdiff_t)backslashes] == '\\')
            backslashes++;
        at = quote + 1;
        if (backslashes % 2 == 0)
            break;
        /* The quote is part of the string; so are the backslashes, which are not looked at again. */
    }
    c->at = at;
}

/* Behind the value that begins here. */
static void skip_value(struct cursor *c)
{
    size_t depth = 0;

    while (c->at < c->end) {
        const uint8_t byte = *c->at;

        if (byte == '"') {
            skip_string(c);
            if (depth == 0)
                return;
            continue;
        }
        if (depth == 0 && (byte == ',' || byte == ']' || byte == '}'))
            return;
        depth += byte == '[' || byte == '{';
        depth -= byte == ']' || byte == '}';
        c->at++;
        if (depth == 0 && (byte == ']' || byte == '}'))
            return;
    }
}

static bool take(struct cursor *c, uint8_t byte)
{
    if (c->at >= c->end || *c->at != byte)
        return false;
    c->at++;
    return true;
}

static struct bytes between(const uint8_t *from, const uint8_t *to)
{
    return (struct bytes){from, (size_t)(to - from)};
}

/* "key":value at the cursor. */
static bool take_member(struct cursor *c, struct bytes *out_key, struct bytes *out_value)
{
    const uint8_t *key = c->at;

    if (c->at >= c->end || *c->at != '"')
        return false;
    skip_string(c);
    *out_key = between(key, c->at);
    if (!take(c, ':'))
        return false;
    key = c->at;
    skip_value(c);
    *out_value = between(key, c->at);
    return out_value->len > 0 && c->at < c->end;
}

/* A text under construction in memory that is large enough. */
struct out {
    uint8_t *at;
    size_t len;
};

static void add(struct out *out, struct bytes text)
{
    if (text.len > 0)
        memcpy(out->at + out->len, text.at, text.len);
    out->len += text.len;
}

static void add_text(struct out *out, const char *text)
{
    add(out, bytes_of(text));
}

#define POSITION_BYTES 16 /* "[4294967295,", and brackets */

/* [position,key,value], or "key":value */
static void add_moved(struct out *out, uint32_t position, struct bytes key, struct bytes value)
{
    char text[POSITION_BYTES];

    (void)snprintf(text, sizeof(text), "%s[%u,", out->len > 1 ? "," : "", (unsigned)position);
    add_text(out, text);
    add(out, key);
    add_text(out, ",");
    add(out, value);
    add_text(out, "]");
}

static void add_member(struct out *out, struct bytes key, struct bytes value)
{
    add_text(out, out->len > 1 ? "," : "");
    add(out, key);
    add_text(out, ":");
    add(out, value);
}

static bool split_attributes(const struct stored_span *row, const bool *moved, uint32_t count,
                             struct out *rest, struct out *payload)
{
    struct cursor c = {row->attributes.at, row->attributes.at + row->attributes.len};
    uint32_t position = 0;

    add_text(rest, "{");
    add_text(payload, "[");
    if (!take(&c, '{'))
        return false;
    for (; position < count; position++) {
        struct bytes key;
        struct bytes value;

        if ((position > 0 && !take(&c, ',')) || !take_member(&c, &key, &value))
            return false;
        if (moved[position])
            add_moved(payload, position, key, value);
        else
            add_member(rest, key, value);
    }
    add_text(rest, "}");
    add_text(payload, "]");
    return take(&c, '}') && c.at == c.end;
}

bool payload_split(struct stored_span *row, const bool *moved, uint32_t count, bool events,
                   struct arena *arena)
{
    const size_t room = row->attributes.len + (size_t)count * POSITION_BYTES + POSITION_BYTES;
    struct stored_payload *payload;
    struct out rest = {0};
    struct out text = {0};

    if (row->exact.len > 0)
        return true;
    payload = arena_new(arena, struct stored_payload);
    rest.at = arena_alloc(arena, row->attributes.len + POSITION_BYTES);
    text.at = arena_alloc(arena, room);
    if (!payload || !rest.at || !text.at)
        return false;
    if (!split_attributes(row, moved, count, &rest, &text))
        return true; /* not as many as expected: it stays where it is */
    if (text.len > 2) {
        payload->attributes = (struct bytes){text.at, text.len};
        row->attributes = (struct bytes){rest.at, rest.len};
    }
    if (events) {
        payload->events = row->events;
        row->events = (struct bytes){0};
    }
    if (payload->attributes.len > 0 || payload->events.len > 0)
        row->payload = payload;
    return true;
}

/* The next [position,key,value]; *out_position is UINT64_MAX at the end. */
static bool next_moved(struct cursor *c, bool first, uint64_t *out_position, struct bytes *out_key,
                       struct bytes *out_value)
{
    const uint8_t *from;
    uint64_t position = 0;

    *out_position = UINT64_MAX;
    if (c->at == c->end)
        return first;
    if (take(c, ']'))
        return c->at == c->end;
    if ((!first && !take(c, ',')) || !take(c, '['))
        return false;
    for (; c->at < c->end && *c->at >= '0' && *c->at <= '9' && position <= UINT32_MAX; c->at++)
        position = position * 10 + (uint64_t)(*c->at - '0');
    from = c->at + 1;
    if (!take(c, ',') || c->at >= c->end)
        return false;
    skip_string(c);
    *out_key = between(from, c->at);
    from = c->at + 1;
    if (!take(c, ','))
        return false;
    skip_value(c);
    *out_value = between(from, c->at);
    *out_position = position;
    return take(c, ']');
}

static bool join_attributes(struct bytes rest, struct bytes payload, struct out *out)
{
    struct cursor c = {rest.at, rest.at + rest.len};
    struct cursor p = {payload.at, payload.at + payload.len};
    struct bytes moved_key;
    struct bytes moved_value;
    uint64_t moved_at;
    bool first_rest = true;

    add_text(out, "{");
    if (!take(&c, '{') || !take(&p, '[') ||
        !next_moved(&p, true, &moved_at, &moved_key, &moved_value))
        return false;
    for (uint64_t position = 0;; position++) {
        struct bytes key;
        struct bytes value;

        if (position == moved_at) {
            add_member(out, moved_key, moved_value);
            if (!next_moved(&p, false, &moved_at, &moved_key, &moved_value))
                return false;
            continue;
        }
        if (c.at < c.end && *c.at == '}')
            break;
        if ((!first_rest && !take(&c, ',')) || !take_member(&c, &key, &value))
            return false;
        add_member(out, key, value);
        first_rest = false;
    }
    add_text(out, "}");
    return moved_at == UINT64_MAX;
}

bool payload_join(struct stored_span *row, struct bytes attributes, struct bytes events,
                  struct arena *arena, struct err *err)
{
    struct out whole = {0};

    if (events.len > 0)
        row->events = events;
    if (attributes.len == 0)
        return true;
    whole.at = arena_alloc(arena, row->attributes.len + attributes.len);
    if (!whole.at)
        return err_set(err, ERR_TOO_LARGE, "the trace does not fit into %zu bytes",
                       arena->max_bytes);
    if (!join_attributes(row->attributes, attributes, &whole))
        return err_set(err, ERR_INTERNAL, "texts of a span that stand apart do not fit together");
    row->attributes = (struct bytes){whole.at, whole.len};
    return true;
}
