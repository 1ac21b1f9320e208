/* Protobuf's wire format, one field at a time: for what must be looked at before or beside
 * protobuf-c, and for spans, of which there are many. */
#ifndef OTLP_PB_H
#define OTLP_PB_H

#include "base/arena.h"

enum pb_wire {
    PB_VARINT = 0,
    PB_FIXED64 = 1,
    PB_LEN = 2,
    PB_GROUP = 3,
    PB_GROUP_END = 4,
    PB_FIXED32 = 5,
};

#define PB_MAX_FIELD 0x1fffffffU /* 2^29 - 1 */
#define PB_TAG_BYTES 5           /* longest tag and length that protobuf-c reads */

/* Unread bytes of one message, borrowed. */
struct pb_reader {
    const uint8_t *at;
    const uint8_t *end;
};

struct pb_field {
    uint32_t number;
    enum pb_wire wire;
    uint64_t scalar;      /* VARINT, FIXED64, FIXED32 */
    struct bytes payload; /* LEN: the content; GROUP: everything behind its start tag, its end tag
                             included */
};

static inline struct pb_reader pb_reader_of(struct bytes message)
{
    /* NULL + 0 is undefined in C. */
    return (struct pb_reader){message.at, message.len ? message.at + message.len : message.at};
}

static inline bool pb_done(const struct pb_reader *r)
{
    return r->at == r->end;
}

/* A varint of at most max_bytes (1..10), not necessarily minimal (OTLP-101). False: cut short or
 * longer. */
static inline bool pb_varint(struct pb_reader *r, unsigned max_bytes, uint64_t *out_value)
{
    const uint8_t *at = r->at;
    uint64_t value = 0;

    for (unsigned i = 0; i < max_bytes && at < r->end; i++) {
        const uint8_t byte = *at++;

        value |= (uint64_t)(byte & 0x7f) << (7 * i);
        if (byte < 0x80) {
            r->at = at;
            *out_value = value;
            return true;
        }
    }
    return false;
}

/* The rest of a group whose start tag was read: r ends behind its end tag. Without recursion; false
 * when no end tag matches. */
bool pb_skip_group(struct pb_reader *r, uint32_t number);

/* pb_next for what its fast path does not take. */
const char *pb_next_any(struct pb_reader *r, struct pb_field *out_field);

/* Next field of r, which is not done. Returns NULL, or what is wrong (static text); r stays at the
 * faulty field then. Here for what nearly all fields are: a tag of one byte, then a length of at most
 * two, a varint of one, or eight bytes. */
static inline const char *pb_next(struct pb_reader *r, struct pb_field *out_field)
{
    const uint8_t *at = r->at;
    const size_t left = (size_t)(r->end - at);

    if (left < 2 || at[0] < 8 || at[0] >= 0x80)
        return pb_next_any(r, out_field);
    out_field->number = at[0] >> 3;
    out_field->wire = (enum pb_wire)(at[0] & 7);
    if (out_field->wire == PB_LEN && at[1] < 0x80 && at[1] <= left - 2) {
        out_field->payload = (struct bytes){at + 2, at[1]};
    } else if (out_field->wire == PB_LEN && at[1] >= 0x80 && left > 2 && at[2] < 0x80 &&
               ((at[1] & 0x7fU) | (uint32_t)at[2] << 7) <= left - 3) {
        out_field->payload = (struct bytes){at + 3, (at[1] & 0x7fU) | (uint32_t)at[2] << 7};
    } else if (out_field->wire == PB_VARINT && at[1] < 0x80) {
        out_field->scalar = at[1];
        r->at = at + 2;
        return NULL;
    } else if (out_field->wire == PB_FIXED64 && left > 8) {
        memcpy(&out_field->scalar, at + 1, 8); /* little-endian, as in read_fixed */
        r->at = at + 9;
        return NULL;
    } else {
        return pb_next_any(r, out_field);
    }
    r->at = out_field->payload.at + out_field->payload.len;
    return NULL;
}

#define PB_MOST_FIELDS 17

/* A message whose fields are told apart by their numbers. wires: 1 + wire type; 0: no such field. */
struct pb_message {
    const char *name;
    uint8_t wires[PB_MOST_FIELDS];
};

/* As pb_next; a field that the message does not have gets the number 0, and one of a wrong wire type
 * fails, with ERR_BAD_INPUT as bytes that are not well-formed do. */
MUST_CHECK bool pb_next_of(struct pb_reader *r, const struct pb_message *message,
                           struct pb_field *out_field, struct err *err);

/* Payloads of a repeated field, gathered before an array is made of them. Lives in an arena; to be
 * used again with count 0. */
struct pb_list {
    struct bytes *items;
    size_t count;
    size_t cap;
};

/* Fails with ERR_TOO_LARGE (arena). */
MUST_CHECK bool pb_list_add(struct pb_list *list, struct bytes payload, struct arena *arena,
                            struct err *err);

#endif
