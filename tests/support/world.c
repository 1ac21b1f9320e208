/* A recording in worlds of its own. */
#include "support/world.h"

#include "test.h"

#include <stdio.h>

#define MARK "~w" /* between a response id and the world's number */
#define MARK_BYTES (sizeof(MARK) - 1)
#define TRACE_DIGITS 32
#define MOST_BYTES ((size_t)64 << 20)

static bool stands_at(struct bytes text, size_t at, const char *what, size_t len)
{
    return at <= text.len && text.len - at >= len && memcmp(text.at + at, what, len) == 0;
}

/* The longest of the response ids that stands here; NULL: none does. */
static const char *response_at(struct bytes text, size_t at, const struct world_ids *ids)
{
    const char *longest = NULL;

    for (size_t i = 0; i < ids->response_count; i++) {
        const size_t len = strlen(ids->responses[i]);

        if (stands_at(text, at, ids->responses[i], len) && (!longest || len > strlen(longest)))
            longest = ids->responses[i];
    }
    return longest;
}

static bool trace_at(struct bytes text, size_t at, const struct world_ids *ids)
{
    for (size_t i = 0; i < ids->trace_count; i++)
        if (stands_at(text, at, ids->traces[i], TRACE_DIGITS))
            return true;
    return false;
}

static void set_if_there(struct arena *arena, struct doc *to, const char *key, const char *name,
                         const struct doc *from)
{
    struct doc *value = doc_get(from, name);

    if (value)
        doc_set(arena, to, key, value);
}

/* {"resource", "schemaUrl", "scopeSpans": [{"scope", "schemaUrl", "spans": [span]}]} */
static struct doc *nested(struct arena *arena, const struct doc *one)
{
    struct doc *resource = doc_new(arena, DOC_OBJECT);
    struct doc *scope = doc_new(arena, DOC_OBJECT);
    struct doc *scopes = doc_new(arena, DOC_ARRAY);
    struct doc *spans = doc_new(arena, DOC_ARRAY);

    set_if_there(arena, resource, "resource", "resource", one);
    set_if_there(arena, resource, "schemaUrl", "resourceSchemaUrl", one);
    set_if_there(arena, scope, "scope", "scope", one);
    set_if_there(arena, scope, "schemaUrl", "scopeSchemaUrl", one);
    doc_append(arena, spans, doc_get(one, "span"));
    doc_set(arena, scope, "spans", spans);
    doc_append(arena, scopes, scope);
    doc_set(arena, resource, "scopeSpans", scopes);
    return resource;
}

static void add_hole(struct buf *text, struct buf *holes)
{
    const size_t at = text->len;

    buf_add(holes, &at, sizeof(at));
    buf_add(text, "0000", WORLD_DIGITS);
}

struct world_span world_span_of(struct arena *arena, struct arena *scratch, const struct doc *one,
                                const struct world_ids *ids)
{
    const struct bytes sent = bytes_of(doc_sorted(scratch, nested(scratch, one)));
    struct world_span span;
    struct buf text;
    struct buf holes;

    buf_init(&text, MOST_BYTES);
    buf_init(&holes, MOST_BYTES);
    for (size_t i = 0; i < sent.len;) {
        const char *response = response_at(sent, i, ids);

        if (response) {
            buf_add_text(&text, response);
            buf_add_text(&text, MARK);
            add_hole(&text, &holes);
            i += strlen(response);
        } else if (trace_at(sent, i, ids)) {
            add_hole(&text, &holes);
            buf_add(&text, sent.at + i + WORLD_DIGITS, TRACE_DIGITS - WORLD_DIGITS);
            i += TRACE_DIGITS;
        } else {
            buf_add_byte(&text, sent.at[i++]);
        }
    }
    span.text = arena_copy(arena, buf_bytes(&text));
    span.hole_count = holes.len / sizeof(size_t);
    span.holes = arena_array(arena, size_t, span.hole_count + 1);
    if (!buf_ok(&text) || !buf_ok(&holes) || !span.text.at || !span.holes)
        fail_msg("no memory for a span of a recording");
    if (holes.len > 0)
        memcpy(span.holes, holes.at, holes.len);
    buf_done(&text);
    buf_done(&holes);
    return span;
}

static void print_world(unsigned world, char to[WORLD_DIGITS + 1])
{
    (void)snprintf(to, WORLD_DIGITS + 1, "%04x", world & WORLD_MOST);
}

void world_trace_id(const char *recorded, unsigned world, char to[33])
{
    char number[WORLD_DIGITS + 1];

    print_world(world, number);
    (void)snprintf(to, TRACE_DIGITS + 1, "%s%s", number, recorded + WORLD_DIGITS);
}

void world_tell(const struct world_span *span, unsigned world, struct buf *out)
{
    char number[WORLD_DIGITS + 1];
    const size_t first = out->len;

    print_world(world, number);
    buf_add_bytes(out, span->text);
    for (size_t i = 0; buf_ok(out) && i < span->hole_count; i++)
        memcpy(out->at + first + span->holes[i], number, WORLD_DIGITS);
}

void world_forget(struct bytes text, const struct world_ids *ids, unsigned world, struct buf *out)
{
    char number[WORLD_DIGITS + 1];
    char mark[MARK_BYTES + WORLD_DIGITS + 1];

    print_world(world, number);
    (void)snprintf(mark, sizeof(mark), MARK "%s", number);
    for (size_t i = 0; i < text.len;) {
        const char *recorded = NULL;

        if (stands_at(text, i, mark, sizeof(mark) - 1)) {
            i += sizeof(mark) - 1;
            continue;
        }
        if (stands_at(text, i, number, WORLD_DIGITS))
            for (size_t t = 0; t < ids->trace_count; t++)
                if (stands_at(text, i + WORLD_DIGITS, ids->traces[t] + WORLD_DIGITS,
                              TRACE_DIGITS - WORLD_DIGITS))
                    recorded = ids->traces[t];
        if (recorded)
            buf_add(out, recorded, WORLD_DIGITS);
        else
            buf_add_byte(out, text.at[i]);
        i += recorded ? WORLD_DIGITS : 1;
    }
}
