/*
 * An independent reading of OTLP for comparisons: protobuf by a small reader of its own (nothing of
 * otlp/ is used), JSON by jansson, both brought to one form:
 *
 *   ids in lower hex, 64-bit integers as decimal strings, doubles as reals (NaN and infinities as
 *   strings), bytes as padded base64, enums as integers; members with their default value and empty
 *   messages left out, except inside an AnyValue, where they say which kind it is.
 */
#ifndef TESTS_SUPPORT_OTLPVIEW_H
#define TESTS_SUPPORT_OTLPVIEW_H

#include <jansson.h>

#include "base/bytes.h"

/* TracesData / ExportTraceServiceRequest in that form; NULL: not well-formed. */
json_t *otlpview_of_protobuf(struct bytes body);
json_t *otlpview_of_json(struct bytes body);

/*
 * An array with one object a span: {"span", "scope", "scopeSchemaUrl", "resource",
 * "resourceSchemaUrl"}. view is borrowed.
 */
json_t *otlpview_spans(const json_t *view);

/* Reads JSON text; NULL when it is none. NUL in strings is allowed. */
json_t *json_of(struct bytes text);
/* The text at the end of a path of member names ended by NULL; "" when it is not there. */
const char *json_at(const json_t *from, ...);
json_int_t json_int_at(const json_t *from, ...); /* -1 when it is not there */
/* Sorted, compact text; free() it. */
char *json_sorted(const json_t *value);

#endif
