/* Fields of OTLP/JSON. */
#include "otlp/json_field.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/text.h"

#define FIRST_ITEMS 8
#define FAULT_BYTES 160

bool json_field_no_room(const struct json_decoder *d, struct err *err)
{
    return err_set(err, ERR_TOO_LARGE, "decoding takes more than %zu bytes", d->arena->max_bytes);
}

static const char *token_name(enum json_token token)
{
    switch (token) {
    case JSON_OBJECT_OPEN:
        return "an object";
    case JSON_ARRAY_OPEN:
        return "an array";
    case JSON_STRING:
        return "a string";
    case JSON_NUMBER:
        return "a number";
    case JSON_TRUE:
    case JSON_FALSE:
        return "a boolean";
    case JSON_NULL:
        return "null";
    case JSON_END:
    case JSON_OBJECT_CLOSE:
    case JSON_ARRAY_CLOSE:
    case JSON_KEY:
        break;
    }
    return "nothing";
}

static bool skip_rest(struct json_decoder *d, enum json_token token, struct err *err)
{
    const uint32_t depth = d->reader.depth;

    if (token != JSON_OBJECT_OPEN && token != JSON_ARRAY_OPEN)
        return true;
    while (d->reader.depth >= depth)
        if (!json_next(&d->reader, &token, err))
            return false;
    return true;
}

bool json_field_fault(struct json_decoder *d, enum json_token token, struct err *err,
                      const char *format, ...)
{
    if (!d->fault) {
        char text[FAULT_BYTES];
        va_list args;

        va_start(args, format);
        (void)vsnprintf(text, sizeof(text), format, args);
        va_end(args);
        d->fault = arena_printf(d->arena, "%s", text);
        if (!d->fault)
            return json_field_no_room(d, err);
    }
    return skip_rest(d, token, err);
}

bool json_field_low_high(const char *name, struct err *err)
{
    return err_set(err, ERR_BAD_INPUT,
                   "JSON: %s is an object ({\"low\",\"high\"}?), want a decimal string or a number",
                   name);
}

static bool wrong_shape(struct json_decoder *d, enum json_token token, const char *name,
                        const char *want, bool envelope, struct err *err)
{
    if (envelope)
        return err_set(err, ERR_BAD_INPUT, "JSON: %s is %s, want %s", name, token_name(token),
                       want);
    return json_field_fault(d, token, err, "%s is %s, want %s", name, token_name(token), want);
}

static const struct json_field *find_field(const struct json_message *message, struct bytes key)
{
    for (size_t i = 0; i < message->field_count; i++) {
        const struct json_field *field = &message->fields[i];

        if ((key.len == field->camel_len && memcmp(key.at, field->camel, key.len) == 0) ||
            (key.len == field->snake_len && memcmp(key.at, field->snake, key.len) == 0))
            return field;
    }
    return NULL;
}

/* Recursion: read functions come back here for the messages inside; their nesting is fixed but for
 * values, which json_value bounds by otlp_limits. */
/* NOLINTNEXTLINE(misc-no-recursion) */
bool json_field_object(struct json_decoder *d, enum json_token token,
                       const struct json_message *message, void *to, struct err *err)
{
    if (token == JSON_NULL)
        return true;
    if (token != JSON_OBJECT_OPEN)
        return wrong_shape(d, token, message->name, "an object", message->envelope, err);
    for (;;) {
        const struct json_field *field;

        if (!json_next(&d->reader, &token, err))
            return false;
        if (token == JSON_OBJECT_CLOSE)
            return true;
        field = find_field(message, d->reader.text);
        if (!field) {
            if (!json_skip(&d->reader, err))
                return false;
            continue;
        }
        if (!json_next(&d->reader, &token, err) || !field->read(d, token, to, err))
            return false;
    }
}

/* NOLINTNEXTLINE(misc-no-recursion) */
bool json_field_array(struct json_decoder *d, enum json_token token, const char *name,
                      bool envelope, json_read_fn *item, void *to, struct err *err)
{
    if (token == JSON_NULL)
        return true;
    if (token != JSON_ARRAY_OPEN)
        return wrong_shape(d, token, name, "an array", envelope, err);
    for (;;) {
        if (!json_next(&d->reader, &token, err))
            return false;
        if (token == JSON_ARRAY_CLOSE)
            return true;
        if (!item(d, token, to, err))
            return false;
    }
}

bool json_field_text(struct json_decoder *d, enum json_token token, const char *name,
                     struct bytes *to, struct err *err)
{
    *to = (struct bytes){0};
    if (token == JSON_NULL)
        return true;
    if (token != JSON_STRING)
        return wrong_shape(d, token, name, "a string", false, err);
    *to = d->reader.text;
    return true;
}

bool json_field_hex(struct json_decoder *d, enum json_token token, const char *name,
                    struct bytes *to, struct err *err)
{
    struct bytes digits;
    uint8_t *id;

    *to = (struct bytes){0};
    if (token != JSON_STRING && token != JSON_NULL)
        return wrong_shape(d, token, name, "a string", false, err);
    digits = token == JSON_STRING ? d->reader.text : (struct bytes){0};
    if (digits.len == 0)
        return true;
    id = arena_alloc(d->arena, digits.len / 2 + 1);
    if (!id)
        return json_field_no_room(d, err);
    if (digits.len % 2 != 0)
        return json_field_fault(d, token, err, "%s has an odd number of hex digits (%zu)", name,
                                digits.len);
    if (!text_unhex(digits, id))
        return json_field_fault(d, token, err, "%s is not hex (%zu characters)", name, digits.len);
    *to = (struct bytes){id, digits.len / 2};
    return true;
}

/* Sign, digits and exponent of a decimal; digits without leading zeros and without the point. */
struct decimal {
    bool negative;
    uint64_t size; /* of its first digits, as many as fit */
    bool huge;     /* a digit did not fit */
    int64_t exponent;
    bool any_digit;
};

#define MAX_EXPONENT 100000 /* beyond it only the sign of the exponent matters */

/* Appends a digit. Zeros at the end are kept back as exponent, so that 10000000000000000000000e-5
 * is read exactly. */
static void add_digit(struct decimal *decimal, unsigned digit, int64_t *zeros)
{
    decimal->any_digit = true;
    if (digit == 0) {
        (*zeros)++;
        return;
    }
    if (decimal->size == 0)
        *zeros = 0;
    for (; *zeros >= 0 && !decimal->huge; (*zeros)--) {
        uint64_t next;
        if (__builtin_mul_overflow(decimal->size, 10U, &next) ||
            __builtin_add_overflow(next, *zeros == 0 ? digit : 0U, &next))
            decimal->huge = true;
        else
            decimal->size = next;
    }
    *zeros = 0;
}

static bool read_exponent(struct bytes text, size_t at, int64_t *out_exponent)
{
    const bool negative = at < text.len && text.at[at] == '-';
    int64_t exponent = 0;

    if (at < text.len && (text.at[at] == '-' || text.at[at] == '+'))
        at++;
    if (at == text.len)
        return false;
    for (; at < text.len; at++) {
        if (text.at[at] < '0' || text.at[at] > '9')
            return false;
        if (exponent < MAX_EXPONENT)
            exponent = exponent * 10 + (text.at[at] - '0');
    }
    *out_exponent = negative ? -exponent : exponent;
    return true;
}

static bool read_decimal(struct bytes text, struct decimal *decimal)
{
    int64_t zeros = 0;
    int64_t behind_point = 0;
    bool point = false;
    int64_t exponent = 0;
    size_t i = 0;

    *decimal = (struct decimal){.negative = text.len > 0 && text.at[0] == '-'};
    for (i = decimal->negative ? 1 : 0; i < text.len; i++) {
        const uint8_t c = text.at[i];

        if (c == 'e' || c == 'E')
            break;
        if (c == '.' && !point && decimal->any_digit) {
            point = true;
            continue;
        }
        if (c < '0' || c > '9')
            return false;
        behind_point += point;
        add_digit(decimal, (unsigned)(c - '0'), &zeros);
    }
    if (i < text.len && !read_exponent(text, i + 1, &exponent))
        return false;
    decimal->exponent = exponent + zeros - behind_point;
    return decimal->any_digit;
}

enum json_integer json_field_integer(struct bytes text, bool *out_negative, uint64_t *out_size)
{
    struct decimal decimal;

    if (!read_decimal(text, &decimal))
        return JSON_NO_NUMBER;
    *out_negative = decimal.negative;
    *out_size = 0;
    if (decimal.size == 0 && !decimal.huge)
        return JSON_INTEGRAL;
    /* Zeros at the end went into the exponent, so what is left of it below 0 is a fraction. */
    if (decimal.exponent < 0)
        return JSON_FRACTION;
    if (decimal.huge)
        return JSON_HUGE;
    for (; decimal.exponent > 0; decimal.exponent--)
        if (__builtin_mul_overflow(decimal.size, 10U, &decimal.size))
            return JSON_HUGE;
    *out_size = decimal.size;
    return JSON_INTEGRAL;
}

static bool read_unsigned(struct json_decoder *d, enum json_token token, const char *name,
                          uint64_t most, uint64_t *to, struct err *err)
{
    bool negative = false;
    uint64_t size = 0;

    *to = 0;
    if (token == JSON_NULL)
        return true;
    if (token == JSON_OBJECT_OPEN)
        return json_field_low_high(name, err);
    if (token != JSON_STRING && token != JSON_NUMBER)
        return wrong_shape(d, token, name, "a number", false, err);
    switch (json_field_integer(d->reader.text, &negative, &size)) {
    case JSON_NO_NUMBER:
        return json_field_fault(d, token, err, "%s is not a decimal number", name);
    case JSON_FRACTION:
        return json_field_fault(d, token, err, "%s is not a whole number", name);
    case JSON_HUGE:
        break;
    case JSON_INTEGRAL:
        if (size > most || (negative && size > 0))
            break;
        *to = size;
        return true;
    }
    return json_field_fault(d, token, err, "%s is not in 0 .. %" PRIu64, name, most);
}

bool json_field_u64(struct json_decoder *d, enum json_token token, const char *name, uint64_t *to,
                    struct err *err)
{
    return read_unsigned(d, token, name, UINT64_MAX, to, err);
}

bool json_field_u32(struct json_decoder *d, enum json_token token, const char *name, uint32_t *to,
                    struct err *err)
{
    uint64_t value;

    if (!read_unsigned(d, token, name, UINT32_MAX, &value, err))
        return false;
    *to = (uint32_t)value;
    return true;
}

bool json_field_enum(struct json_decoder *d, enum json_token token, const char *name,
                     const char *const *names, int32_t *to, struct err *err)
{
    bool negative = false;
    uint64_t size = 0;

    *to = 0;
    if (token == JSON_NULL)
        return true;
    if (token != JSON_STRING && token != JSON_NUMBER)
        return wrong_shape(d, token, name, "a number", false, err);
    for (int32_t i = 0; token == JSON_STRING && names[i]; i++) {
        if (bytes_is(d->reader.text, names[i])) {
            *to = i;
            return true;
        }
    }
    if (json_field_integer(d->reader.text, &negative, &size) != JSON_INTEGRAL ||
        size > (uint64_t)INT32_MAX + (negative ? 1 : 0))
        return json_field_fault(d, token, err, "%s is neither a 32-bit number nor a known name",
                                name);
    *to = (int32_t)(negative ? -(int64_t)size : (int64_t)size);
    return true;
}

void *json_field_add(struct json_field_list *list, size_t item_size, struct arena *arena)
{
    uint8_t *item;

    if (list->count == list->cap) {
        const uint32_t cap = list->cap ? list->cap * 2 : FIRST_ITEMS;
        void *items = cap > list->cap ? arena_alloc(arena, cap * item_size) : NULL;

        if (!items)
            return NULL;
        if (list->count)
            memcpy(items, list->items, list->count * item_size);
        list->items = items;
        list->cap = cap;
    }
    item = (uint8_t *)list->items + list->count++ * item_size;
    memset(item, 0, item_size);
    return item;
}
