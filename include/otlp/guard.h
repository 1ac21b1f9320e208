/* A look over protobuf bytes before protobuf-c may unpack them: protobuf-c recurses without limit
 * and fails on groups (PC-3, PC-4). */
#ifndef OTLP_GUARD_H
#define OTLP_GUARD_H

#include "base/arena.h"
#include "otlp/decode.h"

/*
 * Walks the body along the message descriptors of ExportTraceServiceRequest, without recursion.
 * out_clean  the body, or (only when it holds groups or values nested too deep) a copy in arena
 * without them; borrowed otherwise. Fails with ERR_BAD_INPUT (not well-formed protobuf: position
 * and what was found) or ERR_TOO_LARGE.
 */
MUST_CHECK bool otlp_guard(struct bytes body, const struct otlp_limits *limits, struct arena *arena,
                           struct bytes *out_clean, bool *out_too_deep, struct err *err);

#endif
