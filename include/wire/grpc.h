/* gRPC over HTTP/2 (PROTOCOL-HTTP2.md, OTLP-61..69): prefix, timeouts, trailers. Pure. */
#ifndef WIRE_GRPC_H
#define WIRE_GRPC_H

#include "base/bytes.h"

#define GRPC_PREFIX_BYTES 5

struct grpc_message {
    bool compressed;
    struct bytes payload; /* borrowed from the body */
};

/* Reads the one message of a unary call. Fails with ERR_BAD_INPUT (no, half or second message, flag
 * other than 0 or 1) or ERR_TOO_LARGE; the text says which. */
MUST_CHECK bool grpc_read_unary(struct bytes body, size_t max_bytes,
                                struct grpc_message *out_message, struct err *err);

/* Reads grpc-timeout: 1-8 digits and one of H M S m u n (OTLP-66). Fails with ERR_BAD_INPUT. What
 * does not fit the clock becomes INT64_MAX / 4, so that the caller can add it to a time. */
MUST_CHECK bool grpc_read_timeout(struct bytes header, int64_t *out_timeout_ns, struct err *err);

/* The prefix of an uncompressed message. */
void grpc_write_prefix(uint8_t to[GRPC_PREFIX_BYTES], uint32_t message_bytes);

/* Appends text as grpc-message wants it: printable ASCII stays, '%' and all others are %XX. */
void grpc_write_message(struct buf *out, struct bytes text);

/* Whether a content type is one of the gRPC family; *out_spoken tells whether it is one that is
 * spoken here (application/grpc, application/grpc+proto; OTLP-61). Not set when false. */
bool grpc_is_media_type(struct bytes content_type, bool *out_spoken);

#endif
