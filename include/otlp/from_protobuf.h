/* Single messages from protobuf, for the `exact` columns: what otlp/encode wrote. */
#ifndef OTLP_FROM_PROTOBUF_H
#define OTLP_FROM_PROTOBUF_H

#include "otlp/decode.h"

/* Span, ResourceSpans and ScopeSpans. Results live in arena and point into message; resource and
 * scope of the span stay NULL. No limits but the arena's. Fail with ERR_INTERNAL (unreadable:
 * nobody but us wrote it), ERR_TOO_LARGE. */
MUST_CHECK bool otlp_span_from_protobuf(struct bytes message, struct arena *arena,
                                        struct span *out_span, struct err *err);
MUST_CHECK bool otlp_resource_from_protobuf(struct bytes message, struct arena *arena,
                                            struct resource **out_resource, struct err *err);
MUST_CHECK bool otlp_scope_from_protobuf(struct bytes message, struct arena *arena,
                                         struct scope **out_scope, struct err *err);

#endif
