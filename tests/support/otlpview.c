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

static json_t *text_of(struct bytes from)
{
    json_t *text = json_stringn((const char *)from.at, from.len);

    if (text || from.len == 0)
        return text ? text : json_string("");
    /* No UTF-8: shown as what a JSON answer can carry. */
    struct buf repaired;
    buf_init(&repaired, from.len * 3 + 16);
    (void)text_repair(&repaired, from);
    text = json_stringn((const char *)repaired.at, repaired.len);
    buf_done(&repaired);
    return text;
}

static json_t *hex_text(struct bytes from)
{
    char to[129];

    if (from.len > 64)
        from.len = 64;
    text_hex(from, to);
    return json_stringn(to, from.len * 2);
}

static json_t *base64_text(struct bytes from)
{
    struct buf to;

    buf_init(&to, from.len * 2 + 16);
    text_base64(&to, from);
    json_t *text = json_stringn((const char *)to.at, to.len);
    buf_done(&to);
    return text ? text : json_string("");
}

static json_t *real_of(double real)
{
    if (isnan(real))
        return json_string("NaN");
    if (isinf(real))
        return json_string(real > 0 ? "Infinity" : "-Infinity");
    return json_real(real);
}

static json_t *decimal(bool is_signed, uint64_t value)
{
    char to[24];

    (void)snprintf(to, sizeof(to), is_signed ? "%" PRId64 : "%" PRIu64, value);
    return json_string(to);
}

static bool is_default(const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        return json_object_size(value) == 0;
    case JSON_ARRAY:
        return json_array_size(value) == 0;
    case JSON_STRING:
        return json_string_length(value) == 0 || strcmp(json_string_value(value), "0") == 0;
    case JSON_INTEGER:
        return json_integer_value(value) == 0;
    case JSON_REAL:
        return false;
    case JSON_FALSE:
    case JSON_NULL:
        return true;
    case JSON_TRUE:
        return false;
    }
    return false;
}

/* A text "0" is a value, the decimal string of a 64-bit 0 is a default. */
static bool may_be_left_out(const struct field *field, const json_t *value)
{
    if (field->form == TEXT)
        return json_string_length(value) == 0;
    return is_default(value);
}

/* Takes value. A oneof keeps its last member, an object its last value. */
static void put(json_t *to, const struct message *message, const struct field *field, json_t *value)
{
    if (field->repeated) {
        json_t *list = json_object_get(to, field->name);
        if (!list) {
            list = json_array();
            json_object_set_new(to, field->name, list);
        }
        json_array_append_new(list, value);
        return;
    }
    if (message->keep_defaults) {
        json_object_clear(to);
        json_object_set_new(to, field->name, value);
        return;
    }
    if (may_be_left_out(field, value)) {
        json_object_del(to, field->name);
        json_decref(value);
        return;
    }
    json_object_set_new(to, field->name, value);
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

static json_t *message_of_protobuf(const struct message *message, struct bytes from);

static json_t *value_of_protobuf(const struct field *field, uint64_t number, struct bytes bytes)
{
    double real;

    switch (field->form) {
    case MESSAGE:
        return message_of_protobuf(field->of, bytes);
    case TEXT:
        return text_of(bytes);
    case HEX:
        return hex_text(bytes);
    case BASE64:
        return base64_text(bytes);
    case U32:
    case FIX32:
        return json_integer((uint32_t)number);
    case I32:
        return json_integer((int32_t)number);
    case I64:
        return decimal(true, number);
    case FIX64:
        return decimal(false, number);
    case BOOL:
        return json_boolean(number != 0);
    case REAL:
        memcpy(&real, &number, sizeof(real));
        return real_of(real);
    }
    return NULL;
}

/* Recursion is bounded by the recordings' own depth: this reads trusted data. */
static json_t *message_of_protobuf(const struct message *message, struct bytes from)
{
    json_t *to = json_object();

    while (from.len) {
        unsigned number, wire;
        uint64_t value = 0;
        struct bytes bytes = {0};
        if (!read_field(&from, &number, &wire, &value, &bytes)) {
            json_decref(to);
            return NULL;
        }
        for (const struct field *f = message->fields; f->name; f++) {
            if (f->number != number)
                continue;
            json_t *made = value_of_protobuf(f, value, bytes);
            if (!made) {
                json_decref(to);
                return NULL;
            }
            put(to, message, f, made);
        }
    }
    return to;
}

json_t *otlpview_of_protobuf(struct bytes body)
{
    return message_of_protobuf(&request, body);
}

/* ---- JSON ---- */

static json_t *message_of_json(const struct message *message, const json_t *from);

static json_t *lower_of(const json_t *from)
{
    char to[129];
    size_t n = json_string_length(from);

    if (n > 128)
        n = 128;
    for (size_t i = 0; i < n; i++)
        to[i] = (char)tolower((unsigned char)json_string_value(from)[i]);
    return json_stringn(to, n);
}

static json_t *decimal_of(const json_t *from)
{
    return json_is_string(from) ? json_incref((json_t *)(uintptr_t)from)
                                : decimal(true, (uint64_t)json_integer_value(from));
}

static json_t *base64_of(const json_t *from)
{
    size_t n = json_string_length(from), len = 0;
    uint8_t *to = malloc(n + 8);
    json_t *text = NULL;

    if (to && text_unbase64((struct bytes){(const uint8_t *)json_string_value(from), n}, to, &len))
        text = base64_text((struct bytes){to, len});
    free(to);
    return text;
}

static json_t *real_of_json(const json_t *from)
{
    double real;

    if (json_is_number(from))
        return real_of(json_number_value(from));
    if (text_real(bytes_of(json_string_value(from) ? json_string_value(from) : ""), &real))
        return real_of(real);
    return json_incref((json_t *)(uintptr_t)from); /* NaN, Infinity, -Infinity */
}

static json_t *value_of_json(const struct field *field, const json_t *from)
{
    switch (field->form) {
    case MESSAGE:
        return message_of_json(field->of, from);
    case HEX:
        return lower_of(from);
    case BASE64:
        return base64_of(from);
    case I64:
    case FIX64:
        return decimal_of(from);
    case REAL:
        return real_of_json(from);
    case TEXT:
    case U32:
    case I32:
    case FIX32:
    case BOOL:
        return json_incref((json_t *)(uintptr_t)from);
    }
    return NULL;
}

static json_t *message_of_json(const struct message *message, const json_t *from)
{
    json_t *to = json_object();

    for (const struct field *f = message->fields; f->name; f++) {
        const json_t *sent = json_object_get(from, f->name);
        if (!sent || json_is_null(sent))
            continue;
        for (size_t i = 0; i < (f->repeated ? json_array_size(sent) : 1); i++) {
            json_t *made = value_of_json(f, f->repeated ? json_array_get(sent, i) : sent);
            if (!made) {
                json_decref(to);
                return NULL;
            }
            put(to, message, f, made);
        }
    }
    return to;
}

json_t *json_of(struct bytes text)
{
    json_error_t error;

    return json_loadb((const char *)text.at, text.len, JSON_ALLOW_NUL | JSON_DECODE_ANY, &error);
}

json_t *otlpview_of_json(struct bytes body)
{
    json_t *sent = json_of(body);
    json_t *view = sent ? message_of_json(&request, sent) : NULL;

    json_decref(sent);
    return view;
}

json_t *otlpview_spans(const json_t *view)
{
    json_t *spans = json_array();
    size_t i, j, k;
    json_t *rs, *ss, *s;

    json_array_foreach(json_object_get(view, "resourceSpans"), i, rs)
    {
        json_array_foreach(json_object_get(rs, "scopeSpans"), j, ss)
        {
            json_array_foreach(json_object_get(ss, "spans"), k, s)
            {
                json_array_append_new(
                    spans, json_pack("{s:O, s:O*, s:O*, s:O*, s:O*}", "span", s, "scope",
                                     json_object_get(ss, "scope"), "scopeSchemaUrl",
                                     json_object_get(ss, "schemaUrl"), "resource",
                                     json_object_get(rs, "resource"), "resourceSchemaUrl",
                                     json_object_get(rs, "schemaUrl")));
            }
        }
    }
    return spans;
}

static const json_t *walk(const json_t *from, va_list names)
{
    for (const char *name; from && (name = va_arg(names, const char *));)
        from = json_object_get(from, name);
    return from;
}

const char *json_at(const json_t *from, ...)
{
    va_list names;

    va_start(names, from);
    const json_t *found = walk(from, names);
    va_end(names);
    return json_is_string(found) ? json_string_value(found) : "";
}

json_int_t json_int_at(const json_t *from, ...)
{
    va_list names;

    va_start(names, from);
    const json_t *found = walk(from, names);
    va_end(names);
    return json_is_integer(found) ? json_integer_value(found) : -1;
}

char *json_sorted(const json_t *value)
{
    return json_dumps(value,
                      JSON_SORT_KEYS | JSON_COMPACT | JSON_REAL_PRECISION(17) | JSON_ENCODE_ANY);
}
