/*
 * Attribute values from protobuf.
 *
 * DESIGN: a scalar is read in place. A container's items are counted, get their array, and wait as
 * a task in a list: so nesting costs heap of the arena and never stack. Merging follows protobuf's
 * rule that two messages merged are the message of their bytes joined: a repeated `value` or
 * container is joined in the arena and read once.
 */
#include "otlp/value_read.h"

#include <inttypes.h>

#include "otlp/pb.h"

/* A container whose items wait to be read. */
struct value_task {
    struct value_task *next;
    struct value *value; /* kind and payload known, items not yet */
    struct bytes payload;
    uint32_t depth; /* of value; an attribute's own value has 1 */
};

enum { VALUE_FIELDS = 8, KEY_FIELD = 1, VALUE_FIELD = 2 };

static bool out_of_room(const struct value_reader *reader, struct err *err)
{
    return err_set(err, ERR_TOO_LARGE, "decoding takes more than %zu bytes",
                   reader->arena->max_bytes);
}

static bool malformed(const char *what, const char *wrong, struct err *err)
{
    return err_set(err, ERR_BAD_INPUT, "protobuf: in %s: %s", what, wrong);
}

/* a and b joined; b alone where a is empty, which is nearly always. */
static bool join(struct value_reader *reader, struct bytes a, struct bytes b,
                 struct bytes *out_joined, struct err *err)
{
    uint8_t *at;

    *out_joined = b;
    if (a.len == 0)
        return true;
    at = arena_alloc(reader->arena, a.len + b.len);
    if (!at)
        return out_of_room(reader, err);
    memcpy(at, a.at, a.len);
    if (b.len)
        memcpy(at + a.len, b.at, b.len);
    *out_joined = (struct bytes){at, a.len + b.len};
    return true;
}

static bool add_task(struct value_reader *reader, struct value *value, struct bytes payload,
                     uint32_t depth, struct err *err)
{
    struct value_task *task = reader->spare;

    if (task)
        reader->spare = task->next;
    else
        task = arena_alloc(reader->arena, sizeof(*task));
    if (!task)
        return out_of_room(reader, err);
    *task = (struct value_task){reader->tasks, value, payload, depth};
    reader->tasks = task;
    return true;
}

static double real_of(uint64_t bits)
{
    double real;

    memcpy(&real, &bits, sizeof(real));
    return real;
}

/* One member of the oneof: the last on the wire wins (OTLP-105). *container gathers the bytes of an
 * array or kvlist. */
static bool read_member(struct value_reader *reader, const struct pb_field *field,
                        struct value *value, struct bytes *container, struct err *err)
{
    static const uint8_t wires[VALUE_FIELDS] = {0,          PB_LEN, PB_VARINT, PB_VARINT,
                                                PB_FIXED64, PB_LEN, PB_LEN,    PB_LEN};
    enum value_kind kind;

    if (field->number >= VALUE_FIELDS)
        return true; /* unknown, string_value_strindex among them */
    if (field->wire != (enum pb_wire)wires[field->number])
        return err_set(err, ERR_BAD_INPUT,
                       "protobuf: field %" PRIu32 " of AnyValue has wire type %d, want %d",
                       field->number, (int)field->wire, (int)wires[field->number]);
    switch (field->number) {
    case 1:
        *value = (struct value){.kind = VALUE_STRING, .text = field->payload};
        return true;
    case 2:
        *value = (struct value){.kind = VALUE_BOOL, .boolean = field->scalar != 0};
        return true;
    case 3:
        *value = (struct value){.kind = VALUE_INT, .integer = (int64_t)field->scalar};
        return true;
    case 4:
        *value = (struct value){.kind = VALUE_DOUBLE, .real = real_of(field->scalar)};
        return true;
    case 7:
        *value = (struct value){.kind = VALUE_BYTES, .text = field->payload};
        return true;
    default:
        kind = field->number == 5 ? VALUE_ARRAY : VALUE_KVLIST;
        if (value->kind != kind)
            *container = (struct bytes){0};
        *value = (struct value){.kind = kind};
        return join(reader, *container, field->payload, container, err);
    }
}

static bool read_value(struct value_reader *reader, struct bytes payload, uint32_t depth,
                       struct value *value, struct err *err)
{
    struct pb_reader r = pb_reader_of(payload);
    struct bytes container = {0};

    *value = (struct value){.kind = VALUE_EMPTY};
    if (depth > reader->limits->max_depth) {
        reader->marks |= SPAN_MARK_TOO_DEEP;
        return true;
    }
    while (!pb_done(&r)) {
        struct pb_field field = {0};
        const char *wrong = pb_next(&r, &field);

        if (wrong)
            return malformed("AnyValue", wrong, err);
        if (!read_member(reader, &field, value, &container, err))
            return false;
    }
    if ((value->kind == VALUE_ARRAY || value->kind == VALUE_KVLIST) && container.len > 0)
        return add_task(reader, value, container, depth, err);
    return true;
}

static bool read_key_value(struct value_reader *reader, struct bytes payload, uint32_t depth,
                           struct attribute *attribute, struct err *err)
{
    struct pb_reader r = pb_reader_of(payload);
    struct bytes value = {0};

    attribute->key = (struct bytes){0};
    while (!pb_done(&r)) {
        struct pb_field field = {0};
        const char *wrong = pb_next(&r, &field);

        if (wrong)
            return malformed("KeyValue", wrong, err);
        if (field.number != KEY_FIELD && field.number != VALUE_FIELD)
            continue;
        if (field.wire != PB_LEN)
            return err_set(err, ERR_BAD_INPUT,
                           "protobuf: field %" PRIu32 " of KeyValue has wire type %d, want 2",
                           field.number, (int)field.wire);
        if (field.number == KEY_FIELD)
            attribute->key = field.payload;
        else if (!join(reader, value, field.payload, &value, err))
            return false;
    }
    return read_value(reader, value, depth, &attribute->value, err);
}

/* How many items a container holds; both kinds have them as field 1. */
static bool count_items(struct bytes payload, uint32_t *out_count, struct err *err)
{
    struct pb_reader r = pb_reader_of(payload);
    uint32_t count = 0;

    while (!pb_done(&r)) {
        struct pb_field field = {0};
        const char *wrong = pb_next(&r, &field);

        if (!wrong && field.number == 1 && field.wire != PB_LEN)
            wrong = "values has a wrong wire type";
        if (wrong)
            return malformed("ArrayValue or KeyValueList", wrong, err);
        count += field.number == 1;
    }
    *out_count = count;
    return true;
}

static bool read_items(struct value_reader *reader, struct value *value, struct bytes payload,
                       uint32_t depth, struct err *err)
{
    struct pb_reader r = pb_reader_of(payload);
    const bool is_array = value->kind == VALUE_ARRAY;
    uint32_t i = 0;

    if (!count_items(payload, &value->count, err))
        return false;
    if (is_array)
        value->items = arena_array(reader->arena, struct value, value->count);
    else
        value->entries = arena_array(reader->arena, struct attribute, value->count);
    if (is_array ? !value->items : !value->entries)
        return out_of_room(reader, err);
    while (!pb_done(&r)) {
        struct pb_field field = {0};

        if (pb_next(&r, &field) || field.number != 1)
            continue; /* well-formed: it was counted */
        if (is_array ? !read_value(reader, field.payload, depth + 1, &value->items[i], err)
                     : !read_key_value(reader, field.payload, depth + 1, &value->entries[i], err))
            return false;
        i++;
    }
    return true;
}

static bool run_tasks(struct value_reader *reader, struct err *err)
{
    while (reader->tasks) {
        struct value_task *task = reader->tasks;
        const struct value_task now = *task;

        reader->tasks = task->next;
        task->next = reader->spare;
        reader->spare = task;
        if (!read_items(reader, now.value, now.payload, now.depth, err))
            return false;
    }
    return true;
}

bool value_read_attributes(struct value_reader *reader, const struct bytes *encoded, size_t count,
                           uint32_t dropped, struct attributes *out_set, struct err *err)
{
    struct attributes set = {.dropped = dropped};

    if (count > reader->limits->max_attributes) {
        const size_t beyond = count - reader->limits->max_attributes;

        set.dropped = beyond > UINT32_MAX - dropped ? UINT32_MAX : dropped + (uint32_t)beyond;
        reader->marks |= SPAN_MARK_TRUNCATED;
        count = reader->limits->max_attributes;
    }
    if (count > 0) {
        set.items = arena_alloc(reader->arena, count * sizeof(*set.items));
        if (!set.items)
            return out_of_room(reader, err);
    }
    for (size_t i = 0; i < count; i++)
        if (!read_key_value(reader, encoded[i], 1, &set.items[i], err))
            return false;
    set.count = (uint32_t)count;
    *out_set = set;
    return run_tasks(reader, err);
}

bool value_read_value(struct value_reader *reader, const struct bytes *parts, size_t count,
                      struct value *out_value, struct err *err)
{
    struct bytes whole = {0};

    for (size_t i = 0; i < count; i++)
        if (!join(reader, whole, parts[i], &whole, err))
            return false;
    return read_value(reader, whole, 1, out_value, err) && run_tasks(reader, err);
}
