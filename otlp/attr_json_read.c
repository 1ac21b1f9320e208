/* Attributes as JSON text: reading. The text is ours (attr_json.c), so its nesting is bounded by
 * otlp_limits, and the kinds can be told apart: a number with '.' or 'e' is a double. */
#include "base/text.h"
#include "otlp/attr_json.h"
#include "otlp/json_field.h"

static bool read_value(struct json_reader *r, enum json_token token, struct arena *arena,
                       struct value *value, struct err *err);

static bool no_room(const struct arena *arena, struct err *err)
{
    return err_set(err, ERR_TOO_LARGE, "decoding takes more than %zu bytes", arena->max_bytes);
}

/* Behind '{'. */
/* NOLINTNEXTLINE(misc-no-recursion): bounded by the depth that was written, at most 200 */
static bool read_entries(struct json_reader *r, struct arena *arena, struct json_field_list *list,
                         struct err *err)
{
    for (;;) {
        enum json_token token;
        struct attribute *entry;
        struct value value;
        struct bytes key;

        if (!json_next(r, &token, err))
            return false;
        if (token == JSON_OBJECT_CLOSE)
            return true;
        key = r->text;
        if (!json_next(r, &token, err) || !read_value(r, token, arena, &value, err))
            return false;
        entry = json_field_add(list, sizeof(*entry), arena);
        if (!entry)
            return no_room(arena, err);
        *entry = (struct attribute){key, value};
    }
}

/* Behind '['. */
/* NOLINTNEXTLINE(misc-no-recursion): as read_entries */
static bool read_items(struct json_reader *r, struct arena *arena, struct json_field_list *list,
                       struct err *err)
{
    for (;;) {
        enum json_token token;
        struct value *item;
        struct value value;

        if (!json_next(r, &token, err))
            return false;
        if (token == JSON_ARRAY_CLOSE)
            return true;
        if (!read_value(r, token, arena, &value, err))
            return false;
        item = json_field_add(list, sizeof(*item), arena);
        if (!item)
            return no_room(arena, err);
        *item = value;
    }
}

static bool read_number(struct bytes text, struct value *value, struct err *err)
{
    int64_t integer;
    double real;

    if (text_int64(text, &integer)) {
        *value = (struct value){.kind = VALUE_INT, .integer = integer};
        return true;
    }
    if (!text_real(text, &real))
        return err_set(err, ERR_BAD_INPUT, "no number");
    *value = (struct value){.kind = VALUE_DOUBLE, .real = real};
    return true;
}

/* NOLINTNEXTLINE(misc-no-recursion): as read_entries */
static bool read_value(struct json_reader *r, enum json_token token, struct arena *arena,
                       struct value *value, struct err *err)
{
    struct json_field_list list = {0};

    switch (token) {
    case JSON_NULL:
        *value = (struct value){.kind = VALUE_EMPTY};
        return true;
    case JSON_TRUE:
    case JSON_FALSE:
        *value = (struct value){.kind = VALUE_BOOL, .boolean = token == JSON_TRUE};
        return true;
    case JSON_STRING:
        *value = (struct value){.kind = VALUE_STRING, .text = r->text};
        return true;
    case JSON_NUMBER:
        return read_number(r->text, value, err);
    case JSON_OBJECT_OPEN:
        if (!read_entries(r, arena, &list, err))
            return false;
        *value = (struct value){.kind = VALUE_KVLIST, .count = list.count, .entries = list.items};
        return true;
    case JSON_ARRAY_OPEN:
        if (!read_items(r, arena, &list, err))
            return false;
        *value = (struct value){.kind = VALUE_ARRAY, .count = list.count, .items = list.items};
        return true;
    case JSON_END:
    case JSON_KEY:
    case JSON_OBJECT_CLOSE:
    case JSON_ARRAY_CLOSE:
        break;
    }
    return err_set(err, ERR_BAD_INPUT, "no value");
}

bool attr_json_read(struct json_reader *reader, struct arena *arena, struct attributes *out_set,
                    struct err *err)
{
    struct json_field_list list = {0};
    enum json_token token;

    if (!json_next(reader, &token, err))
        return false;
    if (token != JSON_OBJECT_OPEN)
        return err_set(err, ERR_BAD_INPUT, "no object");
    if (!read_entries(reader, arena, &list, err))
        return false;
    *out_set = (struct attributes){.items = list.items, .count = list.count};
    return true;
}
