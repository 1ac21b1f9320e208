/* Spans from protobuf, in place: texts point into the message. */
#ifndef OTLP_SPAN_READ_H
#define OTLP_SPAN_READ_H

#include "otlp/pb.h"
#include "otlp/value_read.h"

/* Many spans are read with one of these; the lists are room that is used again. */
struct span_reader {
    struct value_reader values; /* the caller sets arena and limits */
    struct pb_list attributes;
    struct pb_list events;
    struct pb_list links;
};

/* One Span. Its marks are those of its values; resource, scope and its place in the request are left
 * to the caller. message lives as long as the span. Fails with ERR_BAD_INPUT (not well-formed, or a
 * known field of a wrong wire type), ERR_TOO_LARGE (arena). */
MUST_CHECK bool span_read(struct span_reader *reader, struct bytes message, struct span *out_span,
                          struct err *err);

#endif
