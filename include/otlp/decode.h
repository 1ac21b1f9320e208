/* ExportTraceServiceRequest in both encodings to spans. Pure apart from the arena; any thread with
 * an arena of its own. */
#ifndef OTLP_DECODE_H
#define OTLP_DECODE_H

#include "base/arena.h"
#include "model/span.h"

struct otlp_limits {
    uint32_t
        max_depth; /* nesting of AnyValue: a deeper one becomes empty, mark TOO_DEEP (OTLP-103) */
    uint32_t max_attributes; /* of one set: the tail is dropped, dropped count raised, mark
                                TRUNCATED (OTLP-126) */
};

/*
 * Decodes a body into spans.
 *
 * body       uncompressed, borrowed; *out_spans may point into it, so it must live as long as the
 * arena's content is used arena      receives everything else; its cap bounds the memory (PC-5,
 * OTLP-104) out_spans  in request order; ids as sent (not validated: otlp_check_span does that); a
 * fault that concerns one span only stands in span.fault. Set on success only. An empty protobuf
 * body or {} is a success with count 0 (OTLP-41).
 *
 * Fails with ERR_BAD_INPUT (not protobuf or JSON, not this message, or the body of another signal:
 * OTLP-10), ERR_TOO_LARGE (arena's cap passed).
 */
MUST_CHECK bool otlp_from_protobuf(struct bytes body, const struct otlp_limits *limits,
                                   struct arena *arena, struct span_array *out_spans,
                                   struct err *err);
MUST_CHECK bool otlp_from_json(struct bytes body, const struct otlp_limits *limits,
                               struct arena *arena, struct span_array *out_spans, struct err *err);

/* Sets span->fault where an id has a wrong length or is all zero (OTLP-111, -112). Returns whether
 * the span is sound. */
bool otlp_check_span(struct span *span, struct arena *arena);

/* What is wrong with an id of `want` bytes that may not be all zero; NULL: nothing. Static or in
 * arena. */
const char *otlp_id_fault(struct arena *arena, const char *name, struct bytes id, size_t want);

#endif
