/* gRPC's five-byte prefix (PROTOCOL-HTTP2.md, OTLP-63..65). */
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

/* Reads grpc-timeout: 1-8 digits and one of H M S m u n (OTLP-66). Fails with ERR_BAD_INPUT. */
MUST_CHECK bool grpc_read_timeout(struct bytes header, int64_t *out_timeout_ns, struct err *err);

#endif
