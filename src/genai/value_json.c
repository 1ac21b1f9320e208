/* Attribute values as JSON text. */
#include "genai/value_json.h"

#include <math.h>

#include "base/text.h"

static void real_json(struct json *j, double real)
{
    char digits[TEXT_DOUBLE_BYTES];

    if (isnan(real)) {
        json_cstr(j, "NaN");
    } else if (isinf(real)) {
        json_cstr(j, real > 0 ? "Infinity" : "-Infinity");
    } else {
        const size_t len = text_double(real, digits);

        json_raw(j, (struct bytes){(const uint8_t *)digits, len});
    }
}

static void base64_json(struct json *j, struct bytes raw)
{
    buf_add_byte(j->out, '"');
    text_base64(j->out, raw);
    buf_add_byte(j->out, '"');
}

static void write_value(struct json *j, const struct value *value, unsigned depth);

/* NOLINTNEXTLINE(misc-no-recursion): VALUE_JSON_MAX_DEPTH deep at most */
static void write_array(struct json *j, const struct value *value, unsigned depth)
{
    json_open(j, '[');
    for (uint32_t i = 0; i < value->count && buf_ok(j->out); i++) {
        json_item(j);
        write_value(j, &value->items[i], depth + 1);
    }
    json_close(j, ']');
}

/* NOLINTNEXTLINE(misc-no-recursion): VALUE_JSON_MAX_DEPTH deep at most */
static void write_object(struct json *j, const struct value *value, unsigned depth)
{
    json_open(j, '{');
    for (uint32_t i = 0; i < value->count && buf_ok(j->out); i++) {
        json_key_bytes(j, value->entries[i].key);
        write_value(j, &value->entries[i].value, depth + 1);
    }
    json_close(j, '}');
}

/* NOLINTNEXTLINE(misc-no-recursion): VALUE_JSON_MAX_DEPTH deep at most */
static void write_value(struct json *j, const struct value *value, unsigned depth)
{
    switch (depth > VALUE_JSON_MAX_DEPTH ? VALUE_EMPTY : value->kind) {
    case VALUE_STRING:
        json_text(j, value->text);
        return;
    case VALUE_BOOL:
        json_bool(j, value->boolean);
        return;
    case VALUE_INT:
        json_int(j, value->integer);
        return;
    case VALUE_DOUBLE:
        real_json(j, value->real);
        return;
    case VALUE_ARRAY:
        write_array(j, value, depth);
        return;
    case VALUE_KVLIST:
        write_object(j, value, depth);
        return;
    case VALUE_BYTES:
        base64_json(j, value->text);
        return;
    case VALUE_EMPTY:
        break;
    }
    json_null(j);
}

void value_json_write(struct json *j, const struct value *value)
{
    write_value(j, value, 0);
}

struct bytes value_json_text(const struct value *value, struct arena *arena)
{
    __attribute__((cleanup(buf_done))) struct buf text = {.max = arena->max_bytes};
    struct json j = json_into(&text);

    value_json_write(&j, value);
    return buf_ok(&text) ? arena_copy(arena, buf_bytes(&text)) : (struct bytes){0};
}
