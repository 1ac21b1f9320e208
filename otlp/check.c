/* Whether a decoded span can be stored. */
#include "otlp/decode.h"

static bool all_zero(struct bytes id)
{
    for (size_t i = 0; i < id.len; i++)
        if (id.at[i] != 0)
            return false;
    return true;
}

const char *otlp_id_fault(struct arena *arena, const char *name, struct bytes id, size_t want)
{
    const char *fault;

    if (id.len == want && !all_zero(id))
        return NULL;
    fault = id.len == want ? arena_printf(arena, "%s is all zero", name)
                           : arena_printf(arena, "%s has %zu bytes, want %zu", name, id.len, want);
    return fault ? fault : "an id is wrong"; /* the arena is full: the reason is still a reason */
}

bool otlp_check_span(struct span *span, struct arena *arena)
{
    if (!span->fault)
        span->fault = otlp_id_fault(arena, "trace_id", span->trace_id, 16);
    if (!span->fault)
        span->fault = otlp_id_fault(arena, "span_id", span->span_id, 8);
    /* Eight zero bytes are a root, as an empty parent is (OTLP-112). */
    if (!span->fault && span->parent_span_id.len != 0 &&
        !(span->parent_span_id.len == 8 && all_zero(span->parent_span_id)))
        span->fault = otlp_id_fault(arena, "parent_span_id", span->parent_span_id, 8);
    return span->fault == NULL;
}
