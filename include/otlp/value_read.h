/* Attributes and their values from protobuf, without recursion and without a copy per text. */
#ifndef OTLP_VALUE_READ_H
#define OTLP_VALUE_READ_H

#include "base/arena.h"
#include "model/span.h"
#include "otlp/decode.h"

struct value_task;

struct value_reader {
    struct arena *arena;
    const struct otlp_limits *limits;
    unsigned marks;           /* TOO_DEEP, TRUNCATED: since the caller cleared it */
    struct value_task *tasks; /* containers whose items are not read yet */
    struct value_task *spare;
};

/*
 * Reads a set of attributes: count encoded KeyValue messages.
 *
 * encoded         each lives as long as the arena: keys and texts in *out_set point into them
 * dropped         dropped_attributes_count as sent; attributes beyond limits->max_attributes are
 *                 left out, added to it, and marked TRUNCATED
 *
 * A value nested deeper than limits->max_depth becomes empty and is marked TOO_DEEP (OTLP-103).
 * Fails with ERR_BAD_INPUT (not well-formed, or a known field of a wrong wire type) or
 * ERR_TOO_LARGE (arena).
 */
MUST_CHECK bool value_read_attributes(struct value_reader *reader, const struct bytes *encoded,
                                      size_t count, uint32_t dropped, struct attributes *out_set,
                                      struct err *err);

/* Reads one encoded AnyValue that came in parts (none: empty), as protobuf merges them. As above. */
MUST_CHECK bool value_read_value(struct value_reader *reader, const struct bytes *parts,
                                 size_t count, struct value *out_value, struct err *err);

#endif
