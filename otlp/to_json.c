/* Spans to OTLP/JSON. */
#include <math.h>

#include "base/json_write.h"
#include "base/text.h"
#include "otlp/encode.h"

static void write_hex(struct json *j, struct bytes id)
{
    buf_add_byte(j->out, '"');
    if (buf_need(j->out, 2 * id.len)) {
        text_hex(id, (char *)j->out->at + j->out->len);
        j->out->len += 2 * id.len;
    }
    buf_add_byte(j->out, '"');
}

/* U+0000 stays: what was sent is given back (OTLP-124 is about the database). */
static void write_text(struct json *j, struct bytes text)
{
    (void)json_string_exact(j->out, text);
}

static void hex_field(struct json *j, const char *name, struct bytes id)
{
    if (id.len == 0)
        return;
    json_key(j, name);
    write_hex(j, id);
}

static void text_field(struct json *j, const char *name, struct bytes text)
{
    if (text.len == 0)
        return;
    json_key(j, name);
    write_text(j, text);
}

static void time_field(struct json *j, const char *name, uint64_t unix_nano)
{
    if (unix_nano == 0)
        return;
    json_key(j, name);
    json_uint_text(j, unix_nano);
}

static void number_field(struct json *j, const char *name, int64_t number)
{
    if (number == 0)
        return;
    json_key(j, name);
    json_int(j, number);
}

static void write_real(struct json *j, double real)
{
    char digits[TEXT_DOUBLE_BYTES];

    if (isfinite(real))
        json_raw(j, (struct bytes){(const uint8_t *)digits, text_double(real, digits)});
    else
        json_cstr(j, isnan(real) ? "NaN" : real > 0 ? "Infinity" : "-Infinity");
}

static void write_key_value(struct json *j, const struct attribute *attribute);

/* The {"…Value":…} object. Recursion: values are as deep as the decoder let them be (otlp_limits,
 * at most 200). */
/* NOLINTNEXTLINE(misc-no-recursion) */
static void write_value(struct json *j, const struct value *value)
{
    json_open(j, '{');
    switch (value->kind) {
    case VALUE_EMPTY:
        break;
    case VALUE_STRING:
        json_key(j, "stringValue");
        write_text(j, value->text);
        break;
    case VALUE_BOOL:
        json_key(j, "boolValue");
        json_bool(j, value->boolean);
        break;
    case VALUE_INT:
        json_key(j, "intValue");
        json_int_text(j, value->integer);
        break;
    case VALUE_DOUBLE:
        json_key(j, "doubleValue");
        write_real(j, value->real);
        break;
    case VALUE_ARRAY:
    case VALUE_KVLIST:
        json_key(j, value->kind == VALUE_ARRAY ? "arrayValue" : "kvlistValue");
        json_open(j, '{');
        json_key(j, "values");
        json_open(j, '[');
        for (uint32_t i = 0; i < value->count; i++) {
            json_item(j);
            if (value->kind == VALUE_ARRAY)
                write_value(j, &value->items[i]);
            else
                write_key_value(j, &value->entries[i]);
        }
        json_close(j, ']');
        json_close(j, '}');
        break;
    case VALUE_BYTES:
        json_key(j, "bytesValue");
        buf_add_byte(j->out, '"');
        text_base64(j->out, value->text);
        buf_add_byte(j->out, '"');
        break;
    }
    json_close(j, '}');
}

/* NOLINTNEXTLINE(misc-no-recursion) */
static void write_key_value(struct json *j, const struct attribute *attribute)
{
    json_open(j, '{');
    json_key(j, "key");
    write_text(j, attribute->key);
    json_key(j, "value");
    write_value(j, &attribute->value);
    json_close(j, '}');
}

static void write_attributes(struct json *j, const struct attributes *set)
{
    if (set->count > 0) {
        json_key(j, "attributes");
        json_open(j, '[');
        for (uint32_t i = 0; i < set->count; i++) {
            json_item(j);
            write_key_value(j, &set->items[i]);
        }
        json_close(j, ']');
    }
    number_field(j, "droppedAttributesCount", set->dropped);
}

static void write_events(struct json *j, const struct span *span)
{
    if (span->event_count > 0) {
        json_key(j, "events");
        json_open(j, '[');
        for (uint32_t i = 0; i < span->event_count; i++) {
            json_item(j);
            json_open(j, '{');
            time_field(j, "timeUnixNano", span->events[i].time_unix_nano);
            text_field(j, "name", span->events[i].name);
            write_attributes(j, &span->events[i].attributes);
            json_close(j, '}');
        }
        json_close(j, ']');
    }
    number_field(j, "droppedEventsCount", span->dropped_events);
}

static void write_links(struct json *j, const struct span *span)
{
    if (span->link_count > 0) {
        json_key(j, "links");
        json_open(j, '[');
        for (uint32_t i = 0; i < span->link_count; i++) {
            const struct link *link = &span->links[i];

            json_item(j);
            json_open(j, '{');
            hex_field(j, "traceId", link->trace_id);
            hex_field(j, "spanId", link->span_id);
            text_field(j, "traceState", link->trace_state);
            write_attributes(j, &link->attributes);
            number_field(j, "flags", link->flags);
            json_close(j, '}');
        }
        json_close(j, ']');
    }
    number_field(j, "droppedLinksCount", span->dropped_links);
}

static void write_span(struct json *j, const struct span *span)
{
    json_open(j, '{');
    hex_field(j, "traceId", span->trace_id);
    hex_field(j, "spanId", span->span_id);
    text_field(j, "traceState", span->trace_state);
    hex_field(j, "parentSpanId", span->parent_span_id);
    text_field(j, "name", span->name);
    number_field(j, "kind", span->kind);
    time_field(j, "startTimeUnixNano", span->start_unix_nano);
    time_field(j, "endTimeUnixNano", span->end_unix_nano);
    write_attributes(j, &span->attributes);
    write_events(j, span);
    write_links(j, span);
    if (span->status_code != 0 || span->status_message.len > 0) {
        json_key(j, "status");
        json_open(j, '{');
        text_field(j, "message", span->status_message);
        number_field(j, "code", span->status_code);
        json_close(j, '}');
    }
    number_field(j, "flags", span->flags);
    json_close(j, '}');
}

static void text_array(struct json *j, const char *name, const struct bytes *texts, uint32_t count)
{
    if (count == 0)
        return;
    json_key(j, name);
    json_open(j, '[');
    for (uint32_t i = 0; i < count; i++) {
        json_item(j);
        write_text(j, texts[i]);
    }
    json_close(j, ']');
}

static void write_resource(struct json *j, const struct resource *resource)
{
    json_key(j, "resource");
    json_open(j, '{');
    write_attributes(j, &resource->attributes);
    if (resource->entity_ref_count > 0) {
        json_key(j, "entityRefs");
        json_open(j, '[');
        for (uint32_t i = 0; i < resource->entity_ref_count; i++) {
            const struct entity_ref *ref = &resource->entity_refs[i];

            json_item(j);
            json_open(j, '{');
            text_field(j, "schemaUrl", ref->schema_url);
            text_field(j, "type", ref->type);
            text_array(j, "idKeys", ref->id_keys, ref->id_key_count);
            text_array(j, "descriptionKeys", ref->description_keys, ref->description_key_count);
            json_close(j, '}');
        }
        json_close(j, ']');
    }
    json_close(j, '}');
}

static void write_scope(struct json *j, const struct scope *scope)
{
    json_key(j, "scope");
    json_open(j, '{');
    text_field(j, "name", scope->name);
    text_field(j, "version", scope->version);
    write_attributes(j, &scope->attributes);
    json_close(j, '}');
}

/* Spans of one scope from spans[from] on; returns where the next begin. */
static size_t write_scope_spans(struct json *j, const struct span_array *spans, size_t from)
{
    const struct span *first = &spans->items[from];

    json_item(j);
    json_open(j, '{');
    write_scope(j, first->scope);
    json_key(j, "spans");
    json_open(j, '[');
    while (from < spans->count && spans->items[from].scope == first->scope &&
           spans->items[from].resource == first->resource) {
        json_item(j);
        write_span(j, &spans->items[from++]);
    }
    json_close(j, ']');
    text_field(j, "schemaUrl", first->scope->schema_url);
    json_close(j, '}');
    return from;
}

void otlp_to_json(const struct span_array *spans, struct buf *out)
{
    struct json j = json_into(out);
    size_t i = 0;

    json_open(&j, '{');
    json_key(&j, "resourceSpans");
    json_open(&j, '[');
    while (i < spans->count) {
        const struct resource *resource = spans->items[i].resource;

        json_item(&j);
        json_open(&j, '{');
        write_resource(&j, resource);
        json_key(&j, "scopeSpans");
        json_open(&j, '[');
        while (i < spans->count && spans->items[i].resource == resource)
            i = write_scope_spans(&j, spans, i);
        json_close(&j, ']');
        text_field(&j, "schemaUrl", resource->schema_url);
        json_close(&j, '}');
    }
    json_close(&j, ']');
    json_close(&j, '}');
}
