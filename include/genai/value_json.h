/* Attribute values as JSON text. */
#ifndef GENAI_VALUE_JSON_H
#define GENAI_VALUE_JSON_H

#include "base/arena.h"
#include "base/json_write.h"
#include "model/span.h"

#define VALUE_JSON_MAX_DEPTH 100 /* what lies deeper is null */

/* Writes one JSON value; the comma before it was placed by json_key or json_item. Texts are
 * repaired, bytes become base64, NaN and the infinities texts. */
void value_json_write(struct json *j, const struct value *value);

/* The same as a text of its own in the arena; empty where there is no room. */
struct bytes value_json_text(const struct value *value, struct arena *arena);

#endif
