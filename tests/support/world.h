/*
 * A recording told again and again, each time in a world of its own: trace ids and response ids carry
 * the world's number, wherever they stand (also inside texts and JSON within texts), so that no two
 * worlds have a trace or a call in common. What the server shows of a world is turned back into what
 * was recorded, and so can be compared. Nothing here asserts but world_span_of.
 */
#ifndef TESTS_SUPPORT_WORLD_H
#define TESTS_SUPPORT_WORLD_H

#include "support/doc.h"

/* Of a world's number, in hex: they stand in place of the first of each trace id, and of those before
 * the last four characters of each response id, so that no text becomes longer. */
#define WORLD_DIGITS 4
#define WORLD_MOST 0xffff

/* The ids of one recording, as recorded; texts end with a NUL. */
struct world_ids {
    const char **traces; /* 32 hex digits, distinct */
    size_t trace_count;
    const char **responses; /* distinct */
    size_t response_count;
};

/* Whether ids are long enough, and still distinct when a world's number is in them. */
bool world_can_tell(const struct world_ids *ids);

/* One span with its resource and scope, as an element of resourceSpans in JSON. The world's number
 * goes where the holes are. */
struct world_span {
    struct bytes text;
    size_t *holes;
    size_t hole_count;
};

/* one: an object of otlpview_spans. Lives in arena. Fails the test when there is no memory. */
struct world_span world_span_of(struct arena *arena, struct arena *scratch, const struct doc *one,
                                const struct world_ids *ids);

/* Adds the span as it is in that world. */
void world_tell(const struct world_span *span, unsigned world, struct buf *out);

/* Adds a text of that world as it would have been without one. */
void world_forget(struct bytes text, const struct world_ids *ids, unsigned world, struct buf *out);

/* A trace id in that world. */
void world_trace_id(const char *recorded, unsigned world, char to[33]);

#endif
