/* A trace as OTLP: what was sent, not what is shown. */
#include "otlp/encode.h"
#include "otlp/stored.h"
#include "read/render.h"

bool render_otlp(const struct trace_spans *spans, struct arena *arena, struct buf *out,
                 struct err *err)
{
    struct otlp_from_stored_memo memo = {0};
    struct span_array sent = {.items = arena_array(arena, struct span, spans->count),
                              .count = spans->count};

    if (!sent.items)
        return err_set(err, ERR_TOO_LARGE, "no memory for %zu spans", spans->count);
    for (size_t i = 0; i < spans->count; i++)
        if (!otlp_from_stored(&spans->items[i], arena, &memo, &sent.items[i], err))
            return false;
    otlp_to_json(&sent, out);
    if (!buf_ok(out))
        return err_set(err, ERR_TOO_LARGE, "the answer is larger than %zu bytes", out->max);
    return true;
}
