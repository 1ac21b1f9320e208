/* JSON of one trace and of one span (docs/openapi.yaml). */
#ifndef READ_RENDER_H
#define READ_RENDER_H

#include "base/arena.h"
#include "model/trace.h"

/*
 * All append one JSON value to out; arena is for what is needed on the way. They fail with
 * ERR_TOO_LARGE (arena's cap or out's maximum) and ERR_INTERNAL (a stored row cannot be read);
 * what stands in out then is to be thrown away. Pure apart from arena and out.
 */

/* GET /traces/{trace_id}: the tree. spans has at least one, of one trace; with view->skeleton the
 * rows may be without payload (reader_trace full = false). now_ns: for status running. */
MUST_CHECK bool render_trace(const struct trace_spans *spans, const struct trace_view *view,
                             int64_t now_ns, struct arena *arena, struct buf *out, struct err *err);

/* GET /spans/{trace_id}/{span_id}: the spans of that id, the earliest as the answer itself, others
 * that share the id in its field "same_id". */
MUST_CHECK bool render_span(const struct trace_spans *spans, struct arena *arena, struct buf *out,
                            struct err *err);

/* ?format=otlp of both: OTLP/JSON TracesData, equal in content to what was sent. */
MUST_CHECK bool render_otlp(const struct trace_spans *spans, struct arena *arena, struct buf *out,
                            struct err *err);

#endif
