/* Long texts of a span apart from its row, and back: JSON text to JSON text, nothing is decoded. */
#ifndef MODEL_PAYLOAD_H
#define MODEL_PAYLOAD_H

#include "base/arena.h"
#include "model/stored.h"

/* From how many bytes of content on a span's content is moved. */
#define PAYLOAD_MIN_BYTES 2048

/*
 * Moves attributes to row->payload: those at the positions for which moved says so (count of them as
 * in row->attributes), and with `events` the events as a whole. A row with `exact` is left alone: it
 * holds everything there too. content_hash stays what it is. False: the arena has no room.
 */
MUST_CHECK bool payload_split(struct stored_span *row, const bool *moved, uint32_t count,
                              bool events, struct arena *arena);

/* Puts back what was moved: attributes and events are what they were, byte by byte. Empty: none.
 * Fails with ERR_INTERNAL (nobody but us wrote these texts) or ERR_TOO_LARGE (arena). */
MUST_CHECK bool payload_join(struct stored_span *row, struct bytes attributes, struct bytes events,
                             struct arena *arena, struct err *err);

#endif
