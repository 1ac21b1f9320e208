/* Fuzzes JSON bodies: reader, model, rows and back (STYLE 3.11). */
#include <stdlib.h>

#include "otlp/decode.h"
#include "support/fuzz_spans.h"

#define ROOM ((size_t)64 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *body, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *body, size_t len)
{
    const struct otlp_limits limits = {.max_depth = 20, .max_attributes = 50};
    struct arena arena;
    struct span_array spans;
    struct err err = {0};

    arena_init(&arena, ROOM);
    if (otlp_from_json((struct bytes){body, len}, &limits, &arena, &spans, &err))
        fuzz_spans_check(&spans, &arena);
    else if (err.text[0] == '\0')
        abort();
    arena_done(&arena);
    return 0;
}
