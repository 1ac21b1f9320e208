/* protobuf-c over an arena. */
#include "otlp/unpack.h"

static void *arena_hook(void *arena, size_t size)
{
    return arena_alloc(arena, size);
}

static void free_hook(void *arena, void *at)
{
    (void)arena; /* the arena is given back as a whole */
    (void)at;
}

void *otlp_unpack(const ProtobufCMessageDescriptor *descriptor, struct bytes body,
                  struct arena *arena, const char *what, struct err *err)
{
    ProtobufCAllocator allocator = {
        .alloc = arena_hook, .free = free_hook, .allocator_data = arena};
    ProtobufCMessage *message =
        protobuf_c_message_unpack(descriptor, &allocator, body.len, body.at);
    bool unpacked = message != NULL;

    if (!unpacked)
        unpacked = arena->failed ? err_set(err, ERR_TOO_LARGE, "decoding takes more than %zu bytes",
                                           arena->max_bytes)
                                 : err_set(err, ERR_BAD_INPUT, "protobuf: not %s", what);
    return unpacked ? message : NULL;
}
