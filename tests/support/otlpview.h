/*
 * An independent reading of OTLP for comparisons: protobuf by a small reader of its own (nothing of
 * otlp/ is used), JSON by support/doc, both brought to one form:
 *
 *   ids in lower hex, 64-bit integers as decimal strings, doubles as reals (NaN and infinities as
 *   strings), bytes as padded base64, enums as integers; members with their default value and empty
 *   messages left out, except inside an AnyValue, where they say which kind it is.
 */
#ifndef TESTS_SUPPORT_OTLPVIEW_H
#define TESTS_SUPPORT_OTLPVIEW_H

#include "support/doc.h"

/* TracesData / ExportTraceServiceRequest in that form; NULL: not well-formed. */
struct doc *otlpview_of_protobuf(struct arena *arena, struct bytes body);
struct doc *otlpview_of_json(struct arena *arena, struct bytes body);
struct doc *otlpview_of_doc(struct arena *arena, const struct doc *sent);

/*
 * An array with one object a span: {"span", "scope", "scopeSchemaUrl", "resource",
 * "resourceSchemaUrl"}; members that are not there are left out.
 */
struct doc *otlpview_spans(struct arena *arena, const struct doc *view);

#endif
