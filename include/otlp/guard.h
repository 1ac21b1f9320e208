/* A look over protobuf bytes before protobuf-c may unpack them (logs): it fails on groups without
 * saying why (PC-4), and takes the bodies of other signals for its own (OTLP-10). And over those that
 * our own readers refuse (traces), to say where and why. */
#ifndef OTLP_GUARD_H
#define OTLP_GUARD_H

#include "base/arena.h"

/*
 * Walks the messages of otlp/proto/receive.proto without recursion (their nesting is fixed: values
 * of attributes are bytes there and are checked by otlp/value_read).
 *
 * body       borrowed
 * out_clean  the body itself, or a copy in arena in which each group became an unknown field of the
 *            same length
 *
 * Fails with ERR_BAD_INPUT (not well-formed, with the position; or a known field of a wrong wire
 * type, which is what the bodies of other signals show: the text says so), ERR_TOO_LARGE (arena).
 * What it passes, protobuf-c unpacks unless the arena's cap is met.
 */
MUST_CHECK bool otlp_guard(struct bytes body, struct arena *arena, struct bytes *out_clean,
                           struct err *err);

/* The same for the body of a logs request. */
MUST_CHECK bool otlp_guard_logs(struct bytes body, struct arena *arena, struct bytes *out_clean,
                                struct err *err);

#endif
