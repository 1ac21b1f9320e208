/*
 * Attribute values from OTLP/JSON.
 *
 * A value that does not fit the kind it is declared as (intValue: 1.5e300, as JavaScript exporters
 * send) is kept in the kind of what stands there, and the span is marked NOT_ITS_KIND.
 *
 * Recursion: read_value and what it calls come back to it for nested values, at most
 * otlp_limits.max_depth (200) times: deeper ones are skipped by the reader, which does not recurse.
 */
#include "otlp/json_value.h"

#include <math.h>
#include <stdlib.h>

#include "base/text.h"

struct value_target {
    struct value *value;
    uint32_t depth;   /* of value; an attribute's own value has 1 */
    unsigned members; /* of the oneof, that were read */
};

struct list_target {
    struct json_field_list list;
    uint32_t depth; /* of the values in it */
    uint32_t most;  /* items kept; beyond it they are counted in `seen` only */
    uint32_t seen;
};

static bool read_value(struct json_decoder *d, enum json_token token, struct value *value,
                       uint32_t depth, struct err *err);

static struct value value_of_integer(bool negative, uint64_t size)
{
    return (struct value){.kind = VALUE_INT,
                          .integer = negative ? (int64_t)(0 - size) : (int64_t)size};
}

/* Any decimal as a double; beyond the range of doubles infinity (OTLP-86). */
static bool read_real(struct json_decoder *d, struct bytes text, double *out_real)
{
    struct bytes copy;

    if (text_real(text, out_real))
        return true;
    /* text_real takes some hundred characters; a longer number is rare but legal. */
    if (text.len < 100)
        return false;
    copy = arena_copy(d->arena, text);
    if (!copy.at)
        return false;
    *out_real = strtod((const char *)copy.at, NULL);
    return true;
}

static bool fits_int64(bool negative, uint64_t size)
{
    return size <= (uint64_t)INT64_MAX + (negative ? 1 : 0);
}

/* A number in the kind that it has by itself. */
static bool number_as_it_is(struct json_decoder *d, struct bytes text, struct value *value)
{
    bool negative = false;
    uint64_t size = 0;
    double real;

    if (json_field_integer(text, &negative, &size) == JSON_INTEGRAL && fits_int64(negative, size)) {
        *value = value_of_integer(negative, size);
        return true;
    }
    if (!read_real(d, text, &real))
        return false;
    *value = (struct value){.kind = VALUE_DOUBLE, .real = real};
    return true;
}

/* What stands where another kind was declared. */
static bool not_its_kind(struct json_decoder *d, enum json_token token, const char *name,
                         struct value *value, struct err *err)
{
    switch (token) {
    case JSON_STRING:
        *value = (struct value){.kind = VALUE_STRING, .text = d->reader.text};
        break;
    case JSON_NUMBER:
        if (!number_as_it_is(d, d->reader.text, value))
            return json_field_fault(d, token, err, "%s is not a decimal number", name);
        break;
    case JSON_TRUE:
    case JSON_FALSE:
        *value = (struct value){.kind = VALUE_BOOL, .boolean = token == JSON_TRUE};
        break;
    case JSON_NULL:
        break;
    case JSON_END:
    case JSON_OBJECT_OPEN:
    case JSON_OBJECT_CLOSE:
    case JSON_ARRAY_OPEN:
    case JSON_ARRAY_CLOSE:
    case JSON_KEY:
        return json_field_fault(d, token, err, "%s is an object or an array", name);
    }
    d->marks |= SPAN_MARK_NOT_ITS_KIND;
    return true;
}

/* Every member begins here: the last one stands, and two of them are odd (OTLP-89). */
static struct value *begin_member(struct json_decoder *d, void *message, enum json_token token)
{
    struct value_target *target = message;

    *target->value = (struct value){.kind = VALUE_EMPTY};
    if (token != JSON_NULL && target->members++ > 0)
        d->marks |= SPAN_MARK_NOT_ITS_KIND;
    return target->value;
}

static bool read_string(struct json_decoder *d, enum json_token token, void *message,
                        struct err *err)
{
    struct value *value = begin_member(d, message, token);

    if (token == JSON_NULL)
        return true;
    if (token != JSON_STRING)
        return not_its_kind(d, token, "stringValue", value, err);
    *value = (struct value){.kind = VALUE_STRING, .text = d->reader.text};
    return true;
}

static bool read_bool(struct json_decoder *d, enum json_token token, void *message, struct err *err)
{
    struct value *value = begin_member(d, message, token);

    if (token == JSON_NULL)
        return true;
    if (token != JSON_TRUE && token != JSON_FALSE)
        return not_its_kind(d, token, "boolValue", value, err);
    *value = (struct value){.kind = VALUE_BOOL, .boolean = token == JSON_TRUE};
    return true;
}

static bool read_int(struct json_decoder *d, enum json_token token, void *message, struct err *err)
{
    struct value *value = begin_member(d, message, token);
    bool negative = false;
    uint64_t size = 0;

    if (token == JSON_OBJECT_OPEN)
        return json_field_low_high("intValue", err);
    if (token != JSON_STRING && token != JSON_NUMBER)
        return not_its_kind(d, token, "intValue", value, err);
    switch (json_field_integer(d->reader.text, &negative, &size)) {
    case JSON_NO_NUMBER:
        return json_field_fault(d, token, err, "intValue is not a decimal number");
    case JSON_INTEGRAL:
        if (!fits_int64(negative, size))
            break;
        *value = value_of_integer(negative, size);
        return true;
    case JSON_FRACTION:
    case JSON_HUGE:
        break;
    }
    d->marks |= SPAN_MARK_NOT_ITS_KIND;
    return number_as_it_is(d, d->reader.text, value) ? true : json_field_no_room(d, err);
}

static bool special_real(struct bytes text, double *out_real)
{
    if (bytes_is(text, "NaN"))
        *out_real = (double)NAN;
    else if (bytes_is(text, "Infinity"))
        *out_real = (double)INFINITY;
    else if (bytes_is(text, "-Infinity"))
        *out_real = -(double)INFINITY;
    else
        return false;
    return true;
}

static bool read_double(struct json_decoder *d, enum json_token token, void *message,
                        struct err *err)
{
    struct value *value = begin_member(d, message, token);
    double real = 0;

    /* null: what JavaScript's JSON.stringify makes of NaN and the infinities. Which one it was is
     * lost. */
    if (token != JSON_STRING && token != JSON_NUMBER)
        return not_its_kind(d, token, "doubleValue", value, err);
    if (!(token == JSON_STRING && special_real(d->reader.text, &real)) &&
        !read_real(d, d->reader.text, &real))
        return json_field_fault(d, token, err, "doubleValue is not a number");
    *value = (struct value){.kind = VALUE_DOUBLE, .real = real};
    return true;
}

static bool read_bytes(struct json_decoder *d, enum json_token token, void *message,
                       struct err *err)
{
    struct value *value = begin_member(d, message, token);
    size_t len = 0;
    uint8_t *at;

    if (token == JSON_NULL)
        return true;
    if (token != JSON_STRING)
        return not_its_kind(d, token, "bytesValue", value, err);
    at = arena_alloc(d->arena, d->reader.text.len / 4 * 3 + 3);
    if (!at)
        return json_field_no_room(d, err);
    if (!text_unbase64(d->reader.text, at, &len))
        return json_field_fault(d, token, err, "bytesValue is not base64 (%zu characters)",
                                d->reader.text.len);
    *value = (struct value){.kind = VALUE_BYTES, .text = {at, len}};
    return true;
}

/* NOLINTNEXTLINE(misc-no-recursion) */
static bool read_item(struct json_decoder *d, enum json_token token, void *message, struct err *err)
{
    struct list_target *target = message;
    struct value *item = json_field_add(&target->list, sizeof(*item), d->arena);

    if (!item)
        return json_field_no_room(d, err);
    return read_value(d, token, item, target->depth, err);
}

/* NOLINTNEXTLINE(misc-no-recursion) */
static bool read_item_values(struct json_decoder *d, enum json_token token, void *message,
                             struct err *err)
{
    struct list_target *target = message;

    target->list = (struct json_field_list){0};
    return json_field_array(d, token, "arrayValue.values", false, read_item, target, err);
}

/* NOLINTNEXTLINE(misc-no-recursion) */
static bool read_array(struct json_decoder *d, enum json_token token, void *message,
                       struct err *err)
{
    static const struct json_field fields[] = {JSON_FIELD("values", "values", read_item_values)};
    static const struct json_message array = JSON_MESSAGE("arrayValue", fields, false);
    struct list_target target = {.depth = ((struct value_target *)message)->depth + 1};
    struct value *value = begin_member(d, message, token);

    if (token == JSON_NULL)
        return true;
    if (!json_field_object(d, token, &array, &target, err))
        return false;
    *value =
        (struct value){.kind = VALUE_ARRAY, .count = target.list.count, .items = target.list.items};
    return true;
}

struct entry_target {
    struct attribute *entry;
    uint32_t depth;
};

static bool read_key(struct json_decoder *d, enum json_token token, void *message, struct err *err)
{
    struct entry_target *target = message;

    return json_field_text(d, token, "key of an attribute", &target->entry->key, err);
}

/* NOLINTNEXTLINE(misc-no-recursion) */
static bool read_entry_value(struct json_decoder *d, enum json_token token, void *message,
                             struct err *err)
{
    struct entry_target *target = message;

    return read_value(d, token, &target->entry->value, target->depth, err);
}

/* NOLINTNEXTLINE(misc-no-recursion) */
static bool read_entry(struct json_decoder *d, enum json_token token, void *message,
                       struct err *err)
{
    static const struct json_field fields[] = {
        JSON_FIELD("key", "key", read_key),
        JSON_FIELD("value", "value", read_entry_value),
    };
    static const struct json_message key_value = JSON_MESSAGE("an attribute", fields, false);
    struct list_target *target = message;
    struct attribute beyond = {0};
    struct entry_target entry = {&beyond, target->depth};

    if (target->seen++ < target->most)
        entry.entry = json_field_add(&target->list, sizeof(*entry.entry), d->arena);
    if (!entry.entry)
        return json_field_no_room(d, err);
    return json_field_object(d, token, &key_value, &entry, err);
}

/* NOLINTNEXTLINE(misc-no-recursion) */
static bool read_entry_values(struct json_decoder *d, enum json_token token, void *message,
                              struct err *err)
{
    struct list_target *target = message;

    target->list = (struct json_field_list){0};
    return json_field_array(d, token, "kvlistValue.values", false, read_entry, target, err);
}

/* NOLINTNEXTLINE(misc-no-recursion) */
static bool read_kvlist(struct json_decoder *d, enum json_token token, void *message,
                        struct err *err)
{
    static const struct json_field fields[] = {JSON_FIELD("values", "values", read_entry_values)};
    static const struct json_message kvlist = JSON_MESSAGE("kvlistValue", fields, false);
    struct list_target target = {.depth = ((struct value_target *)message)->depth + 1,
                                 .most = UINT32_MAX};
    struct value *value = begin_member(d, message, token);

    if (token == JSON_NULL)
        return true;
    if (!json_field_object(d, token, &kvlist, &target, err))
        return false;
    *value = (struct value){
        .kind = VALUE_KVLIST, .count = target.list.count, .entries = target.list.items};
    return true;
}

static const struct json_field value_fields[] = {
    JSON_FIELD("stringValue", "string_value", read_string),
    JSON_FIELD("boolValue", "bool_value", read_bool),
    JSON_FIELD("intValue", "int_value", read_int),
    JSON_FIELD("doubleValue", "double_value", read_double),
    JSON_FIELD("arrayValue", "array_value", read_array),
    JSON_FIELD("kvlistValue", "kvlist_value", read_kvlist),
    JSON_FIELD("bytesValue", "bytes_value", read_bytes),
};
static const struct json_message value_message =
    JSON_MESSAGE("value of an attribute", value_fields, false);

static bool skip_open(struct json_decoder *d, struct err *err)
{
    const uint32_t depth = d->reader.depth;
    enum json_token token;

    while (d->reader.depth >= depth)
        if (!json_next(&d->reader, &token, err))
            return false;
    return true;
}

/* NOLINTNEXTLINE(misc-no-recursion) */
static bool read_value(struct json_decoder *d, enum json_token token, struct value *value,
                       uint32_t depth, struct err *err)
{
    struct value_target target = {.value = value, .depth = depth};

    *value = (struct value){.kind = VALUE_EMPTY};
    if (depth > d->limits->max_depth && token == JSON_OBJECT_OPEN) {
        d->marks |= SPAN_MARK_TOO_DEEP;
        return skip_open(d, err);
    }
    return json_field_object(d, token, &value_message, &target, err);
}

bool json_value_attributes(struct json_decoder *d, enum json_token token, const char *name,
                           struct attributes *set, struct err *err)
{
    struct list_target target = {.depth = 1, .most = d->limits->max_attributes};

    if (!json_field_array(d, token, name, false, read_entry, &target, err))
        return false;
    set->items = target.list.items;
    set->count = target.seen;
    return true;
}

bool json_value_read(struct json_decoder *d, enum json_token token, struct value *value,
                     struct err *err)
{
    return read_value(d, token, value, 1, err);
}

void json_value_settle(struct json_decoder *d, struct attributes *set)
{
    const uint32_t most = d->limits->max_attributes;

    if (set->count <= most)
        return;
    d->marks |= SPAN_MARK_TRUNCATED;
    set->dropped = set->count - most > UINT32_MAX - set->dropped
                       ? UINT32_MAX
                       : set->dropped + (set->count - most);
    set->count = most;
}
