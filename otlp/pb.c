/* Protobuf's wire format. */
#include "otlp/pb.h"

#include <inttypes.h>

#define MAX_GROUP_DEPTH 64

static const char *read_fixed(struct pb_reader *r, size_t size, uint64_t *out_value)
{
    uint64_t value = 0;

    if ((size_t)(r->end - r->at) < size)
        return "fixed-width field is cut short";
    memcpy(&value, r->at, size); /* little-endian on the wire and on every machine we build for */
    r->at += size;
    *out_value = value;
    return NULL;
}

static const char *read_length(struct pb_reader *r, struct bytes *out_payload)
{
    uint64_t len;

    if (!pb_varint(r, PB_TAG_BYTES, &len))
        return "length is cut short or longer than five bytes";
    if (len > (uint64_t)(r->end - r->at))
        return "length reaches beyond the message";
    *out_payload = (struct bytes){r->at, (size_t)len};
    r->at += len;
    return NULL;
}

static const char *read_tag(struct pb_reader *r, struct pb_field *field)
{
    uint64_t tag;

    if (!pb_varint(r, PB_TAG_BYTES, &tag))
        return "tag is cut short or longer than five bytes";
    if (tag >> 3 == 0)
        return "field number is 0";
    if (tag >> 3 > PB_MAX_FIELD)
        return "field number is beyond 2^29 - 1";
    if ((tag & 7) > PB_FIXED32)
        return "wire type is 6 or 7";
    field->number = (uint32_t)(tag >> 3);
    field->wire = (enum pb_wire)(tag & 7);
    return NULL;
}

/* Content of everything but a group: groups are pb_skip_group's, which calls this. */
static const char *read_content(struct pb_reader *r, struct pb_field *field)
{
    switch (field->wire) {
    case PB_VARINT:
        return pb_varint(r, 10, &field->scalar) ? NULL
                                                : "varint is cut short or longer than ten bytes";
    case PB_FIXED64:
        return read_fixed(r, 8, &field->scalar);
    case PB_FIXED32:
        return read_fixed(r, 4, &field->scalar);
    case PB_LEN:
        return read_length(r, &field->payload);
    case PB_GROUP:
        break;
    case PB_GROUP_END:
        return "end of a group that was not begun";
    }
    return "wire type is 6 or 7";
}

bool pb_skip_group(struct pb_reader *r, uint32_t number)
{
    uint32_t open[MAX_GROUP_DEPTH] = {number};
    unsigned depth = 1;

    while (depth > 0 && !pb_done(r)) {
        struct pb_field field;

        if (read_tag(r, &field))
            return false;
        if (field.wire == PB_GROUP_END) {
            if (open[--depth] != field.number)
                return false;
        } else if (field.wire == PB_GROUP) {
            if (depth == MAX_GROUP_DEPTH)
                return false;
            open[depth++] = field.number;
        } else if (read_content(r, &field)) {
            return false;
        }
    }
    return depth == 0;
}

static const char *read_group(struct pb_reader *r, struct pb_field *field)
{
    const uint8_t *start = r->at;

    if (!pb_skip_group(r, field->number))
        return "group without its end";
    field->payload = (struct bytes){start, (size_t)(r->at - start)};
    return NULL;
}

const char *pb_next_any(struct pb_reader *r, struct pb_field *out_field)
{
    struct pb_reader ahead = *r;
    const char *wrong = read_tag(&ahead, out_field);

    if (!wrong && out_field->wire == PB_GROUP)
        wrong = read_group(&ahead, out_field);
    else if (!wrong)
        wrong = read_content(&ahead, out_field);
    if (!wrong)
        *r = ahead;
    return wrong;
}

static bool refuse(const struct pb_message *message, const struct pb_field *field,
                   const char *wrong, struct err *err)
{
    if (wrong)
        return err_set(err, ERR_BAD_INPUT, "protobuf: in %s: %s", message->name, wrong);
    return err_set(err, ERR_BAD_INPUT,
                   "protobuf: field %" PRIu32 " of %s has wire type %d, want %d", field->number,
                   message->name, (int)field->wire, message->wires[field->number] - 1);
}

bool pb_next_of(struct pb_reader *r, const struct pb_message *message, struct pb_field *out_field,
                struct err *err)
{
    const char *wrong = pb_next(r, out_field);

    if (wrong)
        return refuse(message, out_field, wrong, err);
    if (out_field->number >= PB_MOST_FIELDS || message->wires[out_field->number] == 0)
        out_field->number = 0;
    else if (message->wires[out_field->number] != 1 + (uint8_t)out_field->wire)
        return refuse(message, out_field, NULL, err);
    return true;
}

static bool grow(struct pb_list *list, struct arena *arena, struct err *err)
{
    const size_t cap = list->cap > 0 ? 2 * list->cap : 32;
    struct bytes *items = arena_alloc(arena, cap * sizeof(*items));

    if (!items)
        return err_set(err, ERR_TOO_LARGE, "decoding takes more than %zu bytes", arena->max_bytes);
    if (list->count > 0)
        memcpy(items, list->items, list->count * sizeof(*items));
    list->items = items;
    list->cap = cap;
    return true;
}

bool pb_list_add(struct pb_list *list, struct bytes payload, struct arena *arena, struct err *err)
{
    if (list->count == list->cap && !grow(list, arena, err))
        return false;
    list->items[list->count++] = payload;
    return true;
}
