/* gRPC over HTTP/2: the message prefix, timeouts, and the text forms of trailers. */
#include "wire/grpc.h"

#include <inttypes.h>

#include "base/clock.h"

#define TIMEOUT_MAX_DIGITS 8

bool grpc_read_unary(struct bytes body, size_t max_bytes, struct grpc_message *out_message,
                     struct err *err)
{
    if (body.len < GRPC_PREFIX_BYTES)
        return err_set(err, ERR_BAD_INPUT, "gRPC prefix has %zu of 5 bytes", body.len);

    const uint8_t flag = body.at[0];
    const uint32_t len = read_be32(body.at + 1);
    const size_t rest = body.len - GRPC_PREFIX_BYTES;

    if (flag > 1)
        return err_set(err, ERR_BAD_INPUT, "gRPC flag is %u, want 0 or 1", (unsigned)flag);
    if (len > max_bytes)
        return err_set(err, ERR_TOO_LARGE, "gRPC message has %" PRIu32 " bytes, limit %zu", len,
                       max_bytes);
    /* Compare with what is left; never add to an attacker's number. */
    if (len != rest)
        return err_set(err, ERR_BAD_INPUT, "gRPC message has %" PRIu32 " bytes, body has %zu", len,
                       rest);

    *out_message = (struct grpc_message){
        .compressed = flag == 1,
        .payload = {.at = body.at + GRPC_PREFIX_BYTES, .len = len},
    };
    return true;
}

static int64_t unit_ns(uint8_t unit)
{
    switch (unit) {
    case 'H':
        return 3600 * NS_PER_S;
    case 'M':
        return 60 * NS_PER_S;
    case 'S':
        return NS_PER_S;
    case 'm':
        return NS_PER_MS;
    case 'u':
        return NS_PER_US;
    case 'n':
        return 1;
    default:
        return 0;
    }
}

bool grpc_read_timeout(struct bytes header, int64_t *out_timeout_ns, struct err *err)
{
    int64_t count = 0;

    /* Nine digits would still fit, but the specification stops at eight and peers refuse more. */
    if (header.len < 2 || header.len > TIMEOUT_MAX_DIGITS + 1)
        return err_set(err, ERR_BAD_INPUT, "grpc-timeout has %zu characters, want 2 to 9",
                       header.len);
    for (size_t i = 0; i + 1 < header.len; i++) {
        const uint8_t c = header.at[i];
        if (c < '0' || c > '9')
            return err_set(err, ERR_BAD_INPUT, "grpc-timeout has no digit at position %zu", i);
        count = count * 10 + (c - '0');
    }

    const int64_t unit = unit_ns(header.at[header.len - 1]);
    if (unit == 0)
        return err_set(err, ERR_BAD_INPUT, "grpc-timeout has no unit, want one of H M S m u n");
    /* 99,999,999 hours are 3.6e20 ns: longer than the clock runs means no limit. */
    *out_timeout_ns = count > INT64_MAX / 4 / unit ? INT64_MAX / 4 : count * unit;
    return true;
}

void grpc_write_prefix(uint8_t to[GRPC_PREFIX_BYTES], uint32_t message_bytes)
{
    to[0] = 0;
    put_be32(to + 1, message_bytes);
}

void grpc_write_message(struct buf *out, struct bytes text)
{
    static const char digits[] = "0123456789ABCDEF";

    for (size_t i = 0; i < text.len; i++) {
        const uint8_t c = text.at[i];
        if (c >= 0x20 && c <= 0x7e && c != '%') {
            buf_add_byte(out, c);
            continue;
        }
        buf_add_byte(out, '%');
        buf_add_byte(out, (uint8_t)digits[c >> 4]);
        buf_add_byte(out, (uint8_t)digits[c & 15]);
    }
}

bool grpc_is_media_type(struct bytes content_type, bool *out_spoken)
{
    static const char prefix[] = "application/grpc";
    const size_t prefix_bytes = sizeof(prefix) - 1;
    struct bytes type = content_type;
    const uint8_t *semicolon = type.len ? memchr(type.at, ';', type.len) : NULL;

    if (semicolon)
        type.len = (size_t)(semicolon - type.at);
    while (type.len && (type.at[type.len - 1] == ' ' || type.at[type.len - 1] == '\t'))
        type.len--;
    if (type.len < prefix_bytes || !bytes_is_nocase((struct bytes){type.at, prefix_bytes}, prefix))
        return false;
    *out_spoken = type.len == prefix_bytes || bytes_is_nocase(type, "application/grpc+proto");
    return true;
}
