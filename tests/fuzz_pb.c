/* Fuzzes protobuf bodies: guard, unpack, model, rows and back (STYLE 3.11). */
#include <stdlib.h>

#include "otlp/decode.h"
#include "otlp/guard.h"
#include "receive.pb-c.h"
#include "support/fuzz_spans.h"

#define ROOM ((size_t)64 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *body, size_t len);

static void *arena_hook(void *arena, size_t size)
{
    return arena_alloc(arena, size);
}

static void free_hook(void *arena, void *at)
{
    (void)arena;
    (void)at;
}

/* What the guard passes, protobuf-c unpacks within the cap. */
static void check_guard(struct bytes body, struct arena *arena)
{
    ProtobufCAllocator allocator = {arena_hook, free_hook, arena};
    struct bytes clean;
    struct err err;

    if (otlp_guard(body, arena, &clean, &err) &&
        !protobuf_c_message_unpack(&spanledger__receive__request__descriptor, &allocator, clean.len,
                                   clean.at) &&
        !arena->failed)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *body, size_t len)
{
    const struct otlp_limits limits = {.max_depth = 20, .max_attributes = 50};
    const struct bytes sent = {body, len};
    struct arena arena;
    struct span_array spans;
    struct err err = {0};

    arena_init(&arena, ROOM);
    check_guard(sent, &arena);
    arena_reset(&arena);
    if (otlp_from_protobuf(sent, &limits, &arena, &spans, &err))
        fuzz_spans_check(&spans, &arena);
    else if (err.text[0] == '\0')
        abort();
    arena_done(&arena);
    return 0;
}
