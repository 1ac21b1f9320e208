/* Attributes as the JSON text of the tables (model/stored.h), and back. */
#ifndef OTLP_ATTR_JSON_H
#define OTLP_ATTR_JSON_H

#include "base/arena.h"
#include "base/json_read.h"
#include "model/span.h"

/*
 * Appends a JSON object: order as sent, of a repeated key the last value only.
 * scratch   for sets with repeated keys
 * Returns marks (enum span_mark): what was repaired, and EXACT where the text cannot be turned
 * back. When scratch is full, *out is failed.
 */
unsigned attr_json_write(struct buf *out, const struct attributes *set, struct arena *scratch);

/* What a repair of text (mask of enum text_repairs) means for the span: its marks, and EXACT. */
unsigned attr_json_marks(unsigned repairs);

/* Appends one text as a JSON string; returns the marks. */
unsigned attr_json_text(struct buf *out, struct bytes text);

/* Reads such an object into a set; the reader stands before it. Texts live in arena or in the
 * reader's body. Fails with ERR_BAD_INPUT or ERR_TOO_LARGE. */
MUST_CHECK bool attr_json_read(struct json_reader *reader, struct arena *arena,
                               struct attributes *out_set, struct err *err);

#endif
