/* What the keys of a span say, remembered: most spans have the keys of a span before. */
#ifndef GENAI_SHAPE_H
#define GENAI_SHAPE_H

#include "genai/find.h"

/* Shapes of spans, their keys and what was found by them; bounded, the newest stay. Of one thread. */
struct shape_memory;

struct shape_memory *shape_memory_new(void); /* NULL: no memory */
void shape_memory_free(struct shape_memory *memory);

/* genai_find, the same in all it gives, by what is remembered where the span has a shape that came
 * before. memory NULL: anew. */
MUST_CHECK bool shape_find(struct shape_memory *memory, const struct span *span, unsigned classes,
                           struct arena *arena, struct findings *out_findings, struct err *err);

#endif
