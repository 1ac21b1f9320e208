/* Spans from protobuf. What may stand once and stands twice is merged as protobuf merges: the last
 * scalar wins, a status is read over the one before. */
#include "otlp/span_read.h"

#define VARINT (1 + PB_VARINT)
#define FIXED64 (1 + PB_FIXED64)
#define FIXED32 (1 + PB_FIXED32)
#define BYTES (1 + PB_LEN)

static const struct pb_message span_message = {"Span",
                                               {0, BYTES, BYTES, BYTES, BYTES, BYTES, VARINT,
                                                FIXED64, FIXED64, BYTES, VARINT, BYTES, VARINT,
                                                BYTES, VARINT, BYTES, FIXED32}};
static const struct pb_message event_message = {"Event", {0, FIXED64, BYTES, BYTES, VARINT}};
static const struct pb_message link_message = {"Link",
                                               {0, BYTES, BYTES, BYTES, BYTES, VARINT, FIXED32}};
static const struct pb_message status_message = {"Status", {0, 0, BYTES, VARINT}};

/* protobuf's int32, uint32 and enums: the lower half of the varint. */
static uint32_t low_half(const struct pb_field *field)
{
    return (uint32_t)field->scalar;
}

static bool out_of_room(const struct span_reader *reader, struct err *err)
{
    return err_set(err, ERR_TOO_LARGE, "decoding takes more than %zu bytes",
                   reader->values.arena->max_bytes);
}

static bool read_status(struct bytes message, struct span *to, struct err *err)
{
    struct pb_reader r = pb_reader_of(message);

    while (!pb_done(&r)) {
        struct pb_field field = {0};

        if (!pb_next_of(&r, &status_message, &field, err))
            return false;
        if (field.number == 2 && field.payload.len > 0)
            to->status_message = field.payload;
        else if (field.number == 3 && low_half(&field) != 0)
            to->status_code = (int32_t)low_half(&field);
    }
    return true;
}

static bool read_event(struct span_reader *reader, struct bytes message, struct event *to,
                       struct err *err)
{
    struct pb_reader r = pb_reader_of(message);
    uint32_t dropped = 0;

    *to = (struct event){0};
    reader->attributes.count = 0;
    while (!pb_done(&r)) {
        struct pb_field field = {0};

        if (!pb_next_of(&r, &event_message, &field, err))
            return false;
        switch (field.number) {
        case 1:
            to->time_unix_nano = field.scalar;
            break;
        case 2:
            to->name = field.payload;
            break;
        case 3:
            if (!pb_list_add(&reader->attributes, field.payload, reader->values.arena, err))
                return false;
            break;
        case 4:
            dropped = low_half(&field);
            break;
        default:
            break;
        }
    }
    return value_read_attributes(&reader->values, reader->attributes.items,
                                 reader->attributes.count, dropped, &to->attributes, err);
}

static bool read_link(struct span_reader *reader, struct bytes message, struct link *to,
                      struct err *err)
{
    struct pb_reader r = pb_reader_of(message);
    uint32_t dropped = 0;

    *to = (struct link){0};
    reader->attributes.count = 0;
    while (!pb_done(&r)) {
        struct pb_field field = {0};

        if (!pb_next_of(&r, &link_message, &field, err))
            return false;
        switch (field.number) {
        case 1:
            to->trace_id = field.payload;
            break;
        case 2:
            to->span_id = field.payload;
            break;
        case 3:
            to->trace_state = field.payload;
            break;
        case 4:
            if (!pb_list_add(&reader->attributes, field.payload, reader->values.arena, err))
                return false;
            break;
        case 5:
            dropped = low_half(&field);
            break;
        case 6:
            to->flags = low_half(&field);
            break;
        default:
            break;
        }
    }
    return value_read_attributes(&reader->values, reader->attributes.items,
                                 reader->attributes.count, dropped, &to->attributes, err);
}

static bool read_events(struct span_reader *reader, struct span *to, struct err *err)
{
    const size_t count = reader->events.count;

    if (count == 0)
        return true;
    to->events = arena_alloc(reader->values.arena, count * sizeof(*to->events));
    if (!to->events)
        return out_of_room(reader, err);
    to->event_count = (uint32_t)count;
    for (size_t i = 0; i < count; i++)
        if (!read_event(reader, reader->events.items[i], &to->events[i], err))
            return false;
    return true;
}

static bool read_links(struct span_reader *reader, struct span *to, struct err *err)
{
    const size_t count = reader->links.count;

    if (count == 0)
        return true;
    to->links = arena_alloc(reader->values.arena, count * sizeof(*to->links));
    if (!to->links)
        return out_of_room(reader, err);
    to->link_count = (uint32_t)count;
    for (size_t i = 0; i < count; i++)
        if (!read_link(reader, reader->links.items[i], &to->links[i], err))
            return false;
    return true;
}

/* Attributes, events, links and status: what consists of messages. */
static bool take_message(struct span_reader *reader, const struct pb_field *field, struct span *to,
                         struct err *err)
{
    struct arena *arena = reader->values.arena;

    switch (field->number) {
    case 9:
        return pb_list_add(&reader->attributes, field->payload, arena, err);
    case 11:
        return pb_list_add(&reader->events, field->payload, arena, err);
    case 13:
        return pb_list_add(&reader->links, field->payload, arena, err);
    case 15:
        return read_status(field->payload, to, err);
    default:
        return true;
    }
}

static void take_scalar(const struct pb_field *field, struct span *to)
{
    switch (field->number) {
    case 1:
        to->trace_id = field->payload;
        break;
    case 2:
        to->span_id = field->payload;
        break;
    case 3:
        to->trace_state = field->payload;
        break;
    case 4:
        to->parent_span_id = field->payload;
        break;
    case 5:
        to->name = field->payload;
        break;
    case 6:
        to->kind = (int32_t)low_half(field);
        break;
    case 7:
        to->start_unix_nano = field->scalar;
        break;
    case 8:
        to->end_unix_nano = field->scalar;
        break;
    case 10:
        to->attributes.dropped = low_half(field);
        break;
    case 12:
        to->dropped_events = low_half(field);
        break;
    case 14:
        to->dropped_links = low_half(field);
        break;
    case 16:
        to->flags = low_half(field);
        break;
    default:
        break;
    }
}

bool span_read(struct span_reader *reader, struct bytes message, struct span *out_span,
               struct err *err)
{
    struct pb_reader r = pb_reader_of(message);

    *out_span = (struct span){0};
    reader->values.marks = 0;
    reader->attributes.count = reader->events.count = reader->links.count = 0;
    while (!pb_done(&r)) {
        struct pb_field field = {0};

        if (!pb_next_of(&r, &span_message, &field, err) ||
            !take_message(reader, &field, out_span, err))
            return false;
        take_scalar(&field, out_span);
    }
    if (!value_read_attributes(&reader->values, reader->attributes.items, reader->attributes.count,
                               out_span->attributes.dropped, &out_span->attributes, err) ||
        !read_events(reader, out_span, err) || !read_links(reader, out_span, err))
        return false;
    out_span->marks = reader->values.marks;
    return true;
}
