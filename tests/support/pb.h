/* Export requests made by hand in both encodings, well-formed or not. */
#ifndef TESTS_SUPPORT_PB_H
#define TESTS_SUPPORT_PB_H

#include "base/bytes.h"

/* Protobuf, field by field. */
void pb_varint(struct buf *out, uint64_t value);
void pb_uint(struct buf *out, unsigned field, uint64_t value);
void pb_fixed64(struct buf *out, unsigned field, uint64_t value);
void pb_fixed32(struct buf *out, unsigned field, uint32_t value);
void pb_bytes(struct buf *out, unsigned field, struct bytes value);
void pb_text(struct buf *out, unsigned field, const char *value);

/* A KeyValue in field `field` whose AnyValue holds the text. */
void pb_attribute(struct buf *out, unsigned field, struct bytes key, struct bytes text);

struct test_span {
    struct bytes trace_id; /* raw bytes, any length */
    struct bytes span_id;
    struct bytes parent;
    struct bytes name;
    uint64_t start_unix_nano;
    uint64_t end_unix_nano;
    int kind;
    int status;
    struct bytes extra; /* further fields of the Span message, appended as they are (protobuf) */
    const char *json;   /* further members, e.g. ",\"flags\":1" (JSON); NULL: none */
};

/* ExportTraceServiceRequest with one resource (service.name) and one scope. */
void pb_request(struct buf *out, const char *service, const struct test_span spans[], size_t count);
void json_request(struct buf *out, const char *service, const struct test_span spans[],
                  size_t count);

/* Makes sound spans: ids from a counter that no other test of this process or of another one uses
 * (they hold pid and time), 1 ms long, started now. ids: room for 24 bytes a span. */
struct test_ids {
    uint8_t trace_id[16];
    uint8_t span_id[8];
};
void test_ids_next(struct test_ids *ids);
struct test_span test_span_of(const struct test_ids *ids, const char *name);

/* Hex of an id in static memory of the thread (eight buffers, used in turn). */
const char *hex_of(const void *bytes, size_t len);
uint64_t wall_ns(void);

#endif
