/* An independent reading of OTLP for comparisons. */
#include "support/otlpview.h"

#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"

enum form { MESSAGE, TEXT, HEX, BASE64, U32, I32, I64, FIX64, FIX32, BOOL, REAL };

struct message;

struct field {
    unsigned number;
    const char *name;
    enum form form;
    bool repeated;
    const struct message *of;
};

struct message {
    const char *name;
    bool keep_defaults; /* oneof: a member that is there says something */
    struct field fields[18];
};

static const struct message any_value;

static const struct message key_value = {
    "KeyValue", false, {{1, "key", TEXT, false, NULL}, {2, "value", MESSAGE, false, &any_value}}};
static const struct message array_value = {
    "ArrayValue", false, {{1, "values", MESSAGE, true, &any_value}}};
static const struct message kvlist_value = {
    "KeyValueList", false, {{1, "values", MESSAGE, true, &key_value}}};
static const struct message any_value = {"AnyValue",
                                         true,
                                         {{1, "stringValue", TEXT, false, NULL},
                                          {2, "boolValue", BOOL, false, NULL},
                                          {3, "intValue", I64, false, NULL},
                                          {4, "doubleValue", REAL, false, NULL},
                                          {5, "arrayValue", MESSAGE, false, &array_value},
                                          {6, "kvlistValue", MESSAGE, false, &kvlist_value},
                                          {7, "bytesValue", BASE64, false, NULL}}};
static const struct message entity_ref = {"EntityRef",
                                          false,
                                          {{1, "schemaUrl", TEXT, false, NULL},
                                           {2, "type", TEXT, false, NULL},
                                           {3, "idKeys", TEXT, true, NULL},
                                           {4, "descriptionKeys", TEXT, true, NULL}}};
static const struct message resource = {"Resource",
                                        false,
                                        {{1, "attributes", MESSAGE, true, &key_value},
                                         {2, "droppedAttributesCount", U32, false, NULL},
                                         {3, "entityRefs", MESSAGE, true, &entity_ref}}};
static const struct message scope = {"InstrumentationScope",
                                     false,
                                     {{1, "name", TEXT, false, NULL},
                                      {2, "version", TEXT, false, NULL},
                                      {3, "attributes", MESSAGE, true, &key_value},
                                      {4, "droppedAttributesCount", U32, false, NULL}}};
static const struct message event = {"Event",
                                     false,
                                     {{1, "timeUnixNano", FIX64, false, NULL},
                                      {2, "name", TEXT, false, NULL},
                                      {3, "attributes", MESSAGE, true, &key_value},
                                      {4, "droppedAttributesCount", U32, false, NULL}}};
static const struct message span_link = {"Link",
                                         false,
                                         {{1, "traceId", HEX, false, NULL},
                                          {2, "spanId", HEX, false, NULL},
                                          {3, "traceState", TEXT, false, NULL},
                                          {4, "attributes", MESSAGE, true, &key_value},
                                          {5, "droppedAttributesCount", U32, false, NULL},
                                          {6, "flags", FIX32, false, NULL}}};
static const struct message status = {
    "Status", false, {{2, "message", TEXT, false, NULL}, {3, "code", I32, false, NULL}}};
static const struct message span = {"Span",
                                    false,
                                    {{1, "traceId", HEX, false, NULL},
                                     {2, "spanId", HEX, false, NULL},
                                     {3, "traceState", TEXT, false, NULL},
                                     {4, "parentSpanId", HEX, false, NULL},
                                     {5, "name", TEXT, false, NULL},
                                     {6, "kind", I32, false, NULL},
                                     {7, "startTimeUnixNano", FIX64, false, NULL},
                                     {8, "endTimeUnixNano", FIX64, false, NULL},
                                     {9, "attributes", MESSAGE, true, &key_value},
                                     {10, "droppedAttributesCount", U32, false, NULL},
                                     {11, "events", MESSAGE, true, &event},
                                     {12, "droppedEventsCount", U32, false, NULL},
                                     {13, "links", MESSAGE, true, &span_link},
                                     {14, "droppedLinksCount", U32, false, NULL},
                                     {15, "status", MESSAGE, false, &status},
                                     {16, "flags", FIX32, false, NULL}}};
static const struct message scope_spans = {"ScopeSpans",
                                           false,
                                           {{1, "scope", MESSAGE, false, &scope},
                                            {2, "spans", MESSAGE, true, &span},
                                            {3, "schemaUrl", TEXT, false, NULL}}};
static const struct message resource_spans = {"ResourceSpans",
                                              false,
                                              {{1, "resource", MESSAGE, false, &resource},
                                               {2, "scopeSpans", MESSAGE, true, &scope_spans},
                                               {3, "schemaUrl", TEXT, false, NULL}}};
static const struct message request = {
    "ExportTraceServiceRequest", false, {{1, "resourceSpans", MESSAGE, true, &resource_spans}}};

static struct doc *text_of(struct arena *arena, struct bytes from)
{
    struct buf repaired;

    /* What is no UTF-8 is shown as a JSON answer can carry it; NUL stays. */
    buf_init(&repaired, from.len * 3 + 16);
    for (size_t i = 0; i < from.len;) {
        struct bytes rest = {from.at + i, from.len - i};
        size_t step = text_utf8_step(rest);
        if (step)
            buf_add(&repaired, rest.at, step);
        else
            buf_add_text(&repaired, "\xef\xbf\xbd");
        i += step ? step : 1;
    }
    struct doc *text = doc_string(arena, buf_bytes(&repaired));
    buf_done(&repaired);
    return text;
}

static struct doc *hex_text(struct arena *arena, struct bytes from)
{
    char to[128];

    if (from.len > 64)
        from.len = 64;
    text_hex(from, to);
    return doc_string(arena, (struct bytes){(const uint8_t *)to, from.len * 2});
}

static struct doc *base64_text(struct arena *arena, struct bytes from)
{
    struct buf to;

    buf_init(&to, from.len * 2 + 16);
    text_base64(&to, from);
    struct doc *text = doc_string(arena, buf_bytes(&to));
    buf_done(&to);
    return text;
}

static struct doc *real_of(struct arena *arena, double real)
{
    if (isnan(real))
        return doc_string(arena, BYTES_LITERAL("NaN"));
    if (isinf(real))
        return doc_string(arena, bytes_of(real > 0 ? "Infinity" : "-Infinity"));
    return doc_number(arena, arena_printf(arena, "%.17g", real));
}

static struct doc *decimal(struct arena *arena, bool is_signed, uint64_t value)
{
    const char *text = is_signed ? arena_printf(arena, "%" PRId64, (int64_t)value)
                                 : arena_printf(arena, "%" PRIu64, value);

    return doc_string(arena, bytes_of(text));
}

static struct doc *small(struct arena *arena, int64_t value)
{
    return doc_number(arena, arena_printf(arena, "%" PRId64, value));
}

/* A text "0" is a value, the decimal string of a 64-bit 0 is a default. */
static bool may_be_left_out(const struct field *field, const struct doc *value)
{
    switch (value->kind) {
    case DOC_STRING:
        return value->text.len == 0 || (field->form == FIX64 && bytes_is(value->text, "0"));
    case DOC_NUMBER:
        return field->form != REAL && bytes_is(value->text, "0");
    case DOC_ARRAY:
    case DOC_OBJECT:
        return value->count == 0;
    case DOC_NULL:
    case DOC_FALSE:
        return true;
    case DOC_TRUE:
        return false;
    }
    return false;
}

/* A oneof keeps its last member, an object its last value. */
static void put(struct arena *arena, struct doc *to, const struct message *message,
                const struct field *field, struct doc *value)
{
    if (field->repeated) {
        struct doc *list = doc_get(to, field->name);
        if (!list) {
            list = doc_new(arena, DOC_ARRAY);
            doc_set(arena, to, field->name, list);
        }
        doc_append(arena, list, value);
        return;
    }
    if (message->keep_defaults)
        to->count = 0;
    if (!message->keep_defaults && may_be_left_out(field, value))
        doc_remove(to, field->name);
    else
        doc_set(arena, to, field->name, value);
}

/* ---- protobuf ---- */

static bool read_varint(struct bytes *from, uint64_t *out)
{
    uint64_t value = 0;

    for (unsigned shift = 0; shift < 70 && from->len; shift += 7) {
        uint8_t byte = *from->at++;
        from->len--;
        if (shift < 64)
            value |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80)) {
            *out = value;
            return true;
        }
    }
    return false;
}

static bool read_field(struct bytes *from, unsigned *out_number, unsigned *out_wire,
                       uint64_t *out_number_value, struct bytes *out_bytes)
{
    uint64_t tag;

    if (!read_varint(from, &tag))
        return false;
    *out_number = (unsigned)(tag >> 3);
    *out_wire = (unsigned)(tag & 7);
    if (*out_wire == 0)
        return read_varint(from, out_number_value);
    size_t len = *out_wire == 1 ? 8 : 4;
    if (*out_wire == 2) {
        uint64_t sent;
        if (!read_varint(from, &sent))
            return false;
        len = sent;
    } else if (*out_wire != 1 && *out_wire != 5) {
        return false;
    }
    if (len > from->len)
        return false;
    *out_bytes = (struct bytes){from->at, len};
    *out_number_value = 0;
    if (*out_wire != 2)
        memcpy(out_number_value, from->at, len);
    from->at += len;
    from->len -= len;
    return true;
}

static struct doc *message_of_protobuf(struct arena *arena, const struct message *message,
                                       struct bytes from);

static struct doc *value_of_protobuf(struct arena *arena, const struct field *field,
                                     uint64_t number, struct bytes bytes)
{
    double real;

    switch (field->form) {
    case MESSAGE:
        return message_of_protobuf(arena, field->of, bytes);
    case TEXT:
        return text_of(arena, bytes);
    case HEX:
        return hex_text(arena, bytes);
    case BASE64:
        return base64_text(arena, bytes);
    case U32:
    case FIX32:
        return small(arena, (uint32_t)number);
    case I32:
        return small(arena, (int32_t)number);
    case I64:
        return decimal(arena, true, number);
    case FIX64:
        return decimal(arena, false, number);
    case BOOL:
        return doc_bool(arena, number != 0);
    case REAL:
        memcpy(&real, &number, sizeof(real));
        return real_of(arena, real);
    }
    return NULL;
}

/* Recursion is bounded by the depth of what the tests made themselves. */
static struct doc *message_of_protobuf(struct arena *arena, const struct message *message,
                                       struct bytes from)
{
    struct doc *to = doc_new(arena, DOC_OBJECT);

    while (from.len) {
        unsigned number, wire;
        uint64_t value = 0;
        struct bytes bytes = {0};
        if (!read_field(&from, &number, &wire, &value, &bytes))
            return NULL;
        for (const struct field *f = message->fields; f->name; f++) {
            if (f->number != number)
                continue;
            struct doc *made = value_of_protobuf(arena, f, value, bytes);
            if (!made)
                return NULL;
            put(arena, to, message, f, made);
        }
    }
    return to;
}

struct doc *otlpview_of_protobuf(struct arena *arena, struct bytes body)
{
    return message_of_protobuf(arena, &request, body);
}

/* ---- JSON ---- */

static struct doc *message_of_json(struct arena *arena, const struct message *message,
                                   const struct doc *from);

static struct doc *lower_of(struct arena *arena, struct doc *from)
{
    struct doc *to = doc_string(arena, from->text);

    for (size_t i = 0; i < to->text.len; i++)
        ((uint8_t *)(uintptr_t)to->text.at)[i] = (uint8_t)tolower(to->text.at[i]);
    return to;
}

static struct doc *base64_of(struct arena *arena, const struct doc *from)
{
    size_t len = 0;
    uint8_t *to = arena_alloc(arena, from->text.len + 8);

    if (!to || !text_unbase64(from->text, to, &len))
        return NULL;
    return base64_text(arena, (struct bytes){to, len});
}

static struct doc *real_of_json(struct arena *arena, struct doc *from)
{
    double real;

    return text_real(from->text, &real) ? real_of(arena, real) : from; /* "NaN", "Infinity" */
}

static struct doc *value_of_json(struct arena *arena, const struct field *field, struct doc *from)
{
    switch (field->form) {
    case MESSAGE:
        return message_of_json(arena, field->of, from);
    case HEX:
        return lower_of(arena, from);
    case BASE64:
        return base64_of(arena, from);
    case I64:
    case FIX64:
        return doc_string(arena, from->text);
    case REAL:
        return real_of_json(arena, from);
    case TEXT:
    case U32:
    case I32:
    case FIX32:
    case BOOL:
        return from;
    }
    return NULL;
}

static struct doc *message_of_json(struct arena *arena, const struct message *message,
                                   const struct doc *from)
{
    struct doc *to = doc_new(arena, DOC_OBJECT);

    for (const struct field *f = message->fields; f->name; f++) {
        struct doc *sent = doc_get(from, f->name);
        if (!sent || sent->kind == DOC_NULL)
            continue;
        int64_t unused;
        /* A number that does not fit its declared kind is kept in the nearest one. */
        if (f->form == I64 && !text_int64(sent->text, &unused))
            f = &any_value.fields[3];
        for (size_t i = 0; i < (f->repeated ? sent->count : 1); i++) {
            struct doc *made = value_of_json(arena, f, f->repeated ? sent->items[i] : sent);
            if (!made)
                return NULL;
            put(arena, to, message, f, made);
        }
    }
    return to;
}

struct doc *otlpview_of_doc(struct arena *arena, const struct doc *sent)
{
    return sent ? message_of_json(arena, &request, sent) : NULL;
}

struct doc *otlpview_of_json(struct arena *arena, struct bytes body)
{
    return otlpview_of_doc(arena, doc_parse(arena, body));
}

static void set_if_there(struct arena *arena, struct doc *to, const char *key, struct doc *value)
{
    if (value)
        doc_set(arena, to, key, value);
}

struct doc *otlpview_spans(struct arena *arena, const struct doc *view)
{
    struct doc *spans = doc_new(arena, DOC_ARRAY);
    const struct doc *all = doc_get(view, "resourceSpans");

    for (size_t i = 0; i < doc_count(all); i++) {
        const struct doc *scopes = doc_get(all->items[i], "scopeSpans");
        for (size_t j = 0; j < doc_count(scopes); j++) {
            const struct doc *list = doc_get(scopes->items[j], "spans");
            for (size_t k = 0; k < doc_count(list); k++) {
                struct doc *one = doc_new(arena, DOC_OBJECT);
                doc_set(arena, one, "span", list->items[k]);
                set_if_there(arena, one, "scope", doc_get(scopes->items[j], "scope"));
                set_if_there(arena, one, "scopeSchemaUrl", doc_get(scopes->items[j], "schemaUrl"));
                set_if_there(arena, one, "resource", doc_get(all->items[i], "resource"));
                set_if_there(arena, one, "resourceSchemaUrl", doc_get(all->items[i], "schemaUrl"));
                doc_append(arena, spans, one);
            }
        }
    }
    return spans;
}
