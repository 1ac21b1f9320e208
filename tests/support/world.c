/* A recording in worlds of its own. */
#include "support/world.h"

#include "test.h"

#include <stdio.h>

#define TAIL 4 /* characters of a response id behind the world's number */
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
            const size_t len = strlen(response);

            buf_add(&text, response, len - TAIL - WORLD_DIGITS);
            add_hole(&text, &holes);
            buf_add(&text, response + len - TAIL, TAIL);
            i += len;
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

/* Whether a response id of that world stands here. */
static bool told_response_at(struct bytes text, size_t at, const char *id, const char *number)
{
    const size_t len = strlen(id);
    const size_t hole = len - TAIL - WORLD_DIGITS;

    return stands_at(text, at, id, hole) && stands_at(text, at + hole, number, WORLD_DIGITS) &&
           stands_at(text, at + len - TAIL, id + len - TAIL, TAIL);
}

/* What was recorded instead of what stands here, an id of any kind; NULL: it is none. */
static const char *recorded_at(struct bytes text, size_t at, const struct world_ids *ids,
                               const char *number)
{
    const char *longest = NULL;

    if (stands_at(text, at, number, WORLD_DIGITS))
        for (size_t t = 0; t < ids->trace_count; t++)
            if (stands_at(text, at + WORLD_DIGITS, ids->traces[t] + WORLD_DIGITS,
                          TRACE_DIGITS - WORLD_DIGITS))
                return ids->traces[t];
    for (size_t i = 0; i < ids->response_count; i++)
        if (told_response_at(text, at, ids->responses[i], number) &&
            (!longest || strlen(ids->responses[i]) > strlen(longest)))
            longest = ids->responses[i];
    return longest;
}

void world_forget(struct bytes text, const struct world_ids *ids, unsigned world, struct buf *out)
{
    char number[WORLD_DIGITS + 1];

    print_world(world, number);
    for (size_t i = 0; i < text.len;) {
        const char *recorded = recorded_at(text, i, ids, number);

        if (recorded) {
            buf_add_text(out, recorded);
            i += strlen(recorded);
        } else {
            buf_add_byte(out, text.at[i++]);
        }
    }
}

bool world_can_tell(const struct world_ids *ids)
{
    for (size_t i = 0; i < ids->response_count; i++) {
        const char *id = ids->responses[i];
        const size_t len = strlen(id);

        if (len < TAIL + WORLD_DIGITS)
            return false;
        for (size_t k = 0; k < i; k++)
            if (strlen(ids->responses[k]) == len &&
                memcmp(ids->responses[k], id, len - TAIL - WORLD_DIGITS) == 0 &&
                memcmp(ids->responses[k] + len - TAIL, id + len - TAIL, TAIL) == 0)
                return false;
    }
    for (size_t i = 0; i < ids->trace_count; i++)
        for (size_t k = 0; k < i; k++)
            if (strcmp(ids->traces[i] + WORLD_DIGITS, ids->traces[k] + WORLD_DIGITS) == 0)
                return false;
    return true;
}
