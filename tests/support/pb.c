/* Export requests made by hand in both encodings. */
#include "support/pb.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/json_write.h"
#include "base/text.h"

#define REQUEST_MAX_BYTES ((size_t)512 << 20)

void pb_varint(struct buf *out, uint64_t value)
{
    while (value >= 0x80) {
        buf_add_byte(out, (uint8_t)(value | 0x80));
        value >>= 7;
    }
    buf_add_byte(out, (uint8_t)value);
}

void pb_uint(struct buf *out, unsigned field, uint64_t value)
{
    pb_varint(out, (uint64_t)field << 3);
    pb_varint(out, value);
}

void pb_fixed64(struct buf *out, unsigned field, uint64_t value)
{
    pb_varint(out, (uint64_t)field << 3 | 1);
    buf_add(out, &value, sizeof(value)); /* little-endian machines only, as the project's */
}

void pb_fixed32(struct buf *out, unsigned field, uint32_t value)
{
    pb_varint(out, (uint64_t)field << 3 | 5);
    buf_add(out, &value, sizeof(value));
}

void pb_bytes(struct buf *out, unsigned field, struct bytes value)
{
    pb_varint(out, (uint64_t)field << 3 | 2);
    pb_varint(out, value.len);
    buf_add_bytes(out, value);
}

void pb_text(struct buf *out, unsigned field, const char *value)
{
    pb_bytes(out, field, bytes_of(value));
}

void pb_attribute(struct buf *out, unsigned field, struct bytes key, struct bytes text)
{
    struct buf value, pair;

    buf_init(&value, REQUEST_MAX_BYTES);
    buf_init(&pair, REQUEST_MAX_BYTES);
    pb_bytes(&value, 1, text);
    pb_bytes(&pair, 1, key);
    pb_bytes(&pair, 2, buf_bytes(&value));
    pb_bytes(out, field, buf_bytes(&pair));
    buf_done(&value);
    buf_done(&pair);
}

static void pb_span(struct buf *out, const struct test_span *span)
{
    pb_bytes(out, 1, span->trace_id);
    pb_bytes(out, 2, span->span_id);
    if (span->parent.len)
        pb_bytes(out, 4, span->parent);
    pb_bytes(out, 5, span->name);
    if (span->kind)
        pb_uint(out, 6, (uint64_t)span->kind);
    pb_fixed64(out, 7, span->start_unix_nano);
    pb_fixed64(out, 8, span->end_unix_nano);
    if (span->status) {
        struct buf status;
        buf_init(&status, 64);
        pb_uint(&status, 3, (uint64_t)span->status);
        pb_bytes(out, 15, buf_bytes(&status));
        buf_done(&status);
    }
    buf_add_bytes(out, span->extra);
}

void pb_request(struct buf *out, const char *service, const struct test_span spans[], size_t count)
{
    struct buf resource, scope_spans, message;

    buf_init(&resource, REQUEST_MAX_BYTES);
    buf_init(&scope_spans, REQUEST_MAX_BYTES);
    buf_init(&message, REQUEST_MAX_BYTES);
    pb_attribute(&resource, 1, BYTES_LITERAL("service.name"), bytes_of(service));
    pb_text(&message, 1, "test");
    pb_bytes(&scope_spans, 1, buf_bytes(&message));
    for (size_t i = 0; i < count; i++) {
        buf_clear(&message);
        pb_span(&message, &spans[i]);
        pb_bytes(&scope_spans, 2, buf_bytes(&message));
    }
    buf_clear(&message);
    pb_bytes(&message, 1, buf_bytes(&resource));
    pb_bytes(&message, 2, buf_bytes(&scope_spans));
    pb_bytes(out, 1, buf_bytes(&message));
    buf_done(&resource);
    buf_done(&scope_spans);
    buf_done(&message);
}

static void add_hex(struct buf *out, struct bytes from)
{
    if (buf_need(out, from.len * 2)) {
        text_hex(from, (char *)out->at + out->len);
        out->len += from.len * 2;
    }
}

void json_request(struct buf *out, const char *service, const struct test_span spans[],
                  size_t count)
{
    buf_printf(out,
               "{\"resourceSpans\":[{\"resource\":{\"attributes\":[{\"key\":\"service.name\","
               "\"value\":{\"stringValue\":\"%s\"}}]},"
               "\"scopeSpans\":[{\"scope\":{\"name\":\"test\"},\"spans\":[",
               service);
    for (size_t i = 0; i < count; i++) {
        const struct test_span *s = &spans[i];
        buf_add_text(out, i ? ",{\"traceId\":\"" : "{\"traceId\":\"");
        add_hex(out, s->trace_id);
        buf_add_text(out, "\",\"spanId\":\"");
        add_hex(out, s->span_id);
        buf_add_text(out, "\",\"parentSpanId\":\"");
        add_hex(out, s->parent);
        buf_add_text(out, "\",\"name\":");
        (void)json_string(out, s->name);
        buf_printf(out,
                   ",\"kind\":%d,\"startTimeUnixNano\":\"%" PRIu64
                   "\",\"endTimeUnixNano\":\"%" PRIu64 "\",\"status\":{\"code\":%d}%s}",
                   s->kind, s->start_unix_nano, s->end_unix_nano, s->status,
                   s->json ? s->json : "");
    }
    buf_add_text(out, "]}]}]}");
}

uint64_t wall_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_REALTIME, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

void test_ids_next(struct test_ids *ids)
{
    static _Atomic uint32_t counter;
    uint32_t n = atomic_fetch_add(&counter, 1) + 1;

    put_be64(ids->trace_id, wall_ns());
    put_be32(ids->trace_id + 8, (uint32_t)getpid());
    put_be32(ids->trace_id + 12, n);
    put_be32(ids->span_id, (uint32_t)getpid() | 0x80000000u); /* negative as int8 on purpose */
    put_be32(ids->span_id + 4, n);
}

struct test_span test_span_of(const struct test_ids *ids, const char *name)
{
    uint64_t now = wall_ns();

    return (struct test_span){
        .trace_id = {ids->trace_id, 16},
        .span_id = {ids->span_id, 8},
        .name = bytes_of(name),
        .start_unix_nano = now - 1000000,
        .end_unix_nano = now,
        .kind = 1,
    };
}

const char *hex_of(const void *bytes, size_t len)
{
    static _Thread_local char texts[8][65];
    static _Thread_local unsigned turn;
    char *to = texts[turn++ % 8];

    if (len > 32)
        len = 32;
    text_hex((struct bytes){bytes, len}, to);
    to[len * 2] = '\0';
    return to;
}
