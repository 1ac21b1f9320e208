/*
 * Spans to protobuf.
 *
 * DESIGN: a message is written from its end to its start, so that the length of every nested
 * message is known when its prefix is due: no second pass, no moves, and the shortest form of each
 * length. Hence fields appear in falling order of their numbers in this file.
 */
#include <stdlib.h>

#include "otlp/encode.h"
#include "otlp/pb.h"

#define FIRST_CAP 1024

/*
 *   0 .. cap - len      room
 *   cap - len .. cap    written
 */
struct back {
    uint8_t *at;
    size_t cap;
    size_t len;
    size_t max;
    bool failed;
};

static bool grow(struct back *b, size_t more)
{
    size_t cap = b->cap ? b->cap : FIRST_CAP;
    uint8_t *at;

    if (b->failed || more > b->max - b->len) {
        b->failed = true;
        return false;
    }
    while (cap - b->len < more)
        cap = cap > b->max / 2 ? b->max : cap * 2;
    at = malloc(cap);
    if (!at) {
        b->failed = true;
        return false;
    }
    if (b->len)
        memcpy(at + cap - b->len, b->at + b->cap - b->len, b->len);
    free(b->at);
    b->at = at;
    b->cap = cap;
    return true;
}

static void put(struct back *b, const void *from, size_t len)
{
    if (len == 0 || (len > b->cap - b->len && !grow(b, len)))
        return;
    b->len += len;
    memcpy(b->at + b->cap - b->len, from, len);
}

static void put_varint(struct back *b, uint64_t value)
{
    uint8_t bytes[10];
    size_t len = 0;

    do {
        bytes[len++] = (uint8_t)((value & 0x7f) | (value > 0x7f ? 0x80 : 0));
        value >>= 7;
    } while (value);
    put(b, bytes, len);
}

static void put_tag(struct back *b, uint32_t number, enum pb_wire wire)
{
    put_varint(b, (uint64_t)number << 3 | (uint64_t)wire);
}

/* The message that was written since len was end_len gets its length and tag. */
static void close_message(struct back *b, uint32_t number, size_t end_len)
{
    put_varint(b, b->len - end_len);
    put_tag(b, number, PB_LEN);
}

static void put_bytes(struct back *b, uint32_t number, struct bytes text)
{
    put(b, text.at, text.len);
    put_varint(b, text.len);
    put_tag(b, number, PB_LEN);
}

static void put_text(struct back *b, uint32_t number, struct bytes text)
{
    if (text.len > 0)
        put_bytes(b, number, text);
}

static void put_uint(struct back *b, uint32_t number, uint64_t value)
{
    if (value == 0)
        return;
    put_varint(b, value);
    put_tag(b, number, PB_VARINT);
}

static void put_fixed64(struct back *b, uint32_t number, uint64_t value)
{
    if (value == 0)
        return;
    put(b, &value, sizeof(value)); /* little-endian on the wire and here */
    put_tag(b, number, PB_FIXED64);
}

static void put_fixed32(struct back *b, uint32_t number, uint32_t value)
{
    if (value == 0)
        return;
    put(b, &value, sizeof(value));
    put_tag(b, number, PB_FIXED32);
}

static void put_key_value(struct back *b, uint32_t number, const struct attribute *attribute);

/* Content of an AnyValue. Recursion: values are as deep as the decoder let them be (otlp_limits,
 * at most 200), so the stack is bounded. */
/* NOLINTNEXTLINE(misc-no-recursion) */
static void put_value(struct back *b, const struct value *value)
{
    const size_t end = b->len;

    switch (value->kind) {
    case VALUE_EMPTY:
        return;
    case VALUE_STRING:
        put_bytes(b, 1, value->text); /* members of a oneof are written even when they are empty */
        return;
    case VALUE_BOOL:
        put_varint(b, value->boolean);
        put_tag(b, 2, PB_VARINT);
        return;
    case VALUE_INT:
        put_varint(b, (uint64_t)value->integer);
        put_tag(b, 3, PB_VARINT);
        return;
    case VALUE_DOUBLE:
        put(b, &value->real, sizeof(value->real));
        put_tag(b, 4, PB_FIXED64);
        return;
    case VALUE_ARRAY:
        for (uint32_t i = value->count; i-- > 0;) {
            const size_t item_end = b->len;

            put_value(b, &value->items[i]);
            close_message(b, 1, item_end);
        }
        close_message(b, 5, end);
        return;
    case VALUE_KVLIST:
        for (uint32_t i = value->count; i-- > 0;)
            put_key_value(b, 1, &value->entries[i]);
        close_message(b, 6, end);
        return;
    case VALUE_BYTES:
        put_bytes(b, 7, value->text);
        return;
    }
}

/* NOLINTNEXTLINE(misc-no-recursion) */
static void put_key_value(struct back *b, uint32_t number, const struct attribute *attribute)
{
    const size_t end = b->len;

    put_value(b, &attribute->value);
    close_message(b, 2, end);
    put_text(b, 1, attribute->key);
    close_message(b, number, end);
}

static void put_attributes(struct back *b, uint32_t number, const struct attributes *set)
{
    for (uint32_t i = set->count; i-- > 0;)
        put_key_value(b, number, &set->items[i]);
}

static void put_event(struct back *b, const struct event *event)
{
    const size_t end = b->len;

    put_uint(b, 4, event->attributes.dropped);
    put_attributes(b, 3, &event->attributes);
    put_text(b, 2, event->name);
    put_fixed64(b, 1, event->time_unix_nano);
    close_message(b, 11, end);
}

static void put_link(struct back *b, const struct link *link)
{
    const size_t end = b->len;

    put_fixed32(b, 6, link->flags);
    put_uint(b, 5, link->attributes.dropped);
    put_attributes(b, 4, &link->attributes);
    put_text(b, 3, link->trace_state);
    put_text(b, 2, link->span_id);
    put_text(b, 1, link->trace_id);
    close_message(b, 13, end);
}

static void put_status(struct back *b, const struct span *span)
{
    const size_t end = b->len;

    put_uint(b, 3, (uint64_t)(int64_t)span->status_code);
    put_text(b, 2, span->status_message);
    if (b->len > end)
        close_message(b, 15, end);
}

static void put_span(struct back *b, const struct span *span)
{
    put_fixed32(b, 16, span->flags);
    put_status(b, span);
    put_uint(b, 14, span->dropped_links);
    for (uint32_t i = span->link_count; i-- > 0;)
        put_link(b, &span->links[i]);
    put_uint(b, 12, span->dropped_events);
    for (uint32_t i = span->event_count; i-- > 0;)
        put_event(b, &span->events[i]);
    put_uint(b, 10, span->attributes.dropped);
    put_attributes(b, 9, &span->attributes);
    put_fixed64(b, 8, span->end_unix_nano);
    put_fixed64(b, 7, span->start_unix_nano);
    put_uint(b, 6, (uint64_t)(int64_t)span->kind);
    put_text(b, 5, span->name);
    put_text(b, 4, span->parent_span_id);
    put_text(b, 3, span->trace_state);
    put_text(b, 2, span->span_id);
    put_text(b, 1, span->trace_id);
}

static void put_entity_ref(struct back *b, const struct entity_ref *ref)
{
    const size_t end = b->len;

    for (uint32_t i = ref->description_key_count; i-- > 0;)
        put_bytes(b, 4, ref->description_keys[i]);
    for (uint32_t i = ref->id_key_count; i-- > 0;)
        put_bytes(b, 3, ref->id_keys[i]);
    put_text(b, 2, ref->type);
    put_text(b, 1, ref->schema_url);
    close_message(b, 3, end);
}

static void put_resource(struct back *b, const struct resource *resource)
{
    const size_t end = b->len;

    for (uint32_t i = resource->entity_ref_count; i-- > 0;)
        put_entity_ref(b, &resource->entity_refs[i]);
    put_uint(b, 2, resource->attributes.dropped);
    put_attributes(b, 1, &resource->attributes);
    if (b->len > end)
        close_message(b, 1, end);
}

static void put_scope(struct back *b, const struct scope *scope)
{
    const size_t end = b->len;

    put_uint(b, 4, scope->attributes.dropped);
    put_attributes(b, 3, &scope->attributes);
    put_text(b, 2, scope->version);
    put_text(b, 1, scope->name);
    if (b->len > end)
        close_message(b, 1, end);
}

static struct back back_for(const struct buf *out)
{
    return (struct back){.max = out->max - out->len};
}

static void finish(struct back *b, struct buf *out)
{
    if (b->failed)
        out->failed = true;
    else if (b->len > 0)
        buf_add(out, b->at + b->cap - b->len, b->len);
    free(b->at);
}

void otlp_span_to_protobuf(const struct span *span, struct buf *out)
{
    struct back b = back_for(out);

    put_span(&b, span);
    finish(&b, out);
}

void otlp_resource_to_protobuf(const struct resource *resource, struct buf *out)
{
    struct back b = back_for(out);

    put_text(&b, 3, resource->schema_url);
    put_resource(&b, resource);
    finish(&b, out);
}

void otlp_scope_to_protobuf(const struct scope *scope, struct buf *out)
{
    struct back b = back_for(out);

    put_text(&b, 3, scope->schema_url);
    put_scope(&b, scope);
    finish(&b, out);
}

void otlp_to_protobuf(const struct span_array *spans, struct buf *out)
{
    struct back b = back_for(out);
    size_t end = 0;       /* of the ResourceSpans being written */
    size_t scope_end = 0; /* of the ScopeSpans being written */

    for (size_t i = spans->count; i-- > 0;) {
        const struct span *span = &spans->items[i];
        const struct span *before = i > 0 ? span - 1 : NULL;
        const size_t span_end = b.len;

        put_span(&b, span);
        close_message(&b, 2, span_end);
        if (before && before->resource == span->resource && before->scope == span->scope)
            continue;
        /* schema_url (3) stands before the spans here: the order of fields is free */
        put_text(&b, 3, span->scope->schema_url);
        put_scope(&b, span->scope);
        close_message(&b, 2, scope_end);
        scope_end = b.len;
        if (before && before->resource == span->resource)
            continue;
        put_text(&b, 3, span->resource->schema_url);
        put_resource(&b, span->resource);
        close_message(&b, 1, end);
        end = b.len;
        scope_end = b.len;
    }
    finish(&b, out);
}
