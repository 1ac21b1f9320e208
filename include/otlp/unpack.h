/* protobuf-c's unpacking, into an arena. */
#ifndef OTLP_UNPACK_H
#define OTLP_UNPACK_H

#include <protobuf-c/protobuf-c.h>

#include "base/arena.h"

/* One message; body is borrowed, texts are copied into the arena. what: names the message in the
 * error. NULL with ERR_BAD_INPUT (not well-formed) or ERR_TOO_LARGE (arena). */
void *otlp_unpack(const ProtobufCMessageDescriptor *descriptor, struct bytes body,
                  struct arena *arena, const char *what, struct err *err);

#endif
