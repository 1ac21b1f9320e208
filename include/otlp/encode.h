/* Spans to OTLP in both encodings. Output is canonical: fields in order of number, defaults left
 * out, camelCase, enums as integers. */
#ifndef OTLP_ENCODE_H
#define OTLP_ENCODE_H

#include "model/span.h"

/* One Span message (protobuf). Bytes that are no UTF-8 are written as they came, so that
 * from_protobuf gives the same span back. */
void otlp_span_to_protobuf(const struct span *span, struct buf *out);
/* ResourceSpans with resource and schema_url only; ScopeSpans with scope and schema_url only. */
void otlp_resource_to_protobuf(const struct resource *resource, struct buf *out);
void otlp_scope_to_protobuf(const struct scope *scope, struct buf *out);

/* TracesData ({"resourceSpans":[…]}) of the spans, grouped by runs of equal resource and scope
 * pointers, order kept. 64-bit integers as strings. */
void otlp_to_json(const struct span_array *spans, struct buf *out);
/* ExportTraceServiceRequest as protobuf, grouped likewise. */
void otlp_to_protobuf(const struct span_array *spans, struct buf *out);

#endif
