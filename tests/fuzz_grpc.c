/*
 * gRPC's prefix and timeout, content types, and decompression: the first byte chooses. Whatever
 * inflates must stay within its cap.
 */
#include <stdlib.h>

#include "wire/grpc.h"
#include "wire/inflate.h"

int LLVMFuzzerTestOneInput(const uint8_t *at, size_t len);

#define CAP_BYTES ((size_t)1 << 16)

static void inflate_it(enum inflate_coding coding, struct bytes body)
{
    static struct inflater *inflater; /* lives as long as the process: reuse is part of the test */
    struct buf out;
    struct err err = {0};

    if (!inflater)
        inflater = inflater_new();
    buf_init(&out, CAP_BYTES);
    if (inflater && !inflater_run(inflater, coding, body, &out, &err) &&
        (err.kind == ERR_NONE || err.kind == ERR_INTERNAL))
        abort();
    if (out.len > CAP_BYTES || out.cap > CAP_BYTES)
        abort();
    buf_done(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *at, size_t len)
{
    const struct bytes rest = {at + 1, len ? len - 1 : 0};
    struct grpc_message message = {0};
    enum inflate_coding coding;
    struct err err = {0};
    int64_t timeout_ns = 0;
    bool spoken = false;

    if (len == 0)
        return 0;
    switch (at[0] % 4) {
    case 0:
        if (grpc_read_unary(rest, CAP_BYTES, &message, &err)) {
            if (message.payload.len != rest.len - GRPC_PREFIX_BYTES)
                abort();
            inflate_it(INFLATE_GZIP, message.payload);
        }
        break;
    case 1:
        if (grpc_read_timeout(rest, &timeout_ns, &err) && timeout_ns < 0)
            abort();
        (void)grpc_is_media_type(rest, &spoken);
        (void)!inflate_coding_of(rest, &coding, &err);
        break;
    case 2:
        inflate_it(INFLATE_GZIP, rest);
        break;
    default:
        inflate_it(INFLATE_ZSTD, rest);
        break;
    }
    return 0;
}
