/* The arena: a list of blocks, the newest in use. */
#include "base/arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(__SANITIZE_ADDRESS__)
#define HAVE_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HAVE_ASAN 1
#endif
#endif
#ifdef HAVE_ASAN
#include <sanitizer/asan_interface.h>
#define POISON(at, len) ASAN_POISON_MEMORY_REGION((at), (len))
#define UNPOISON(at, len) ASAN_UNPOISON_MEMORY_REGION((at), (len))
#define RED_ZONE 16
#else
#define POISON(at, len) ((void)(at), (void)(len))
#define UNPOISON(at, len) ((void)(at), (void)(len))
#define RED_ZONE 0
#endif

#define ALIGN 16
#define FIRST_BLOCK_BYTES ((size_t)32 * 1024)
#define LARGEST_BLOCK_BYTES ((size_t)1024 * 1024)

struct arena_block {
    struct arena_block *older;
    size_t size; /* of the bytes behind this header */
};

_Static_assert(sizeof(struct arena_block) % ALIGN == 0, "blocks start aligned");

static uint8_t *block_start(struct arena_block *block)
{
    return (uint8_t *)(block + 1);
}

void arena_init(struct arena *a, size_t max_bytes)
{
    *a = (struct arena){.max_bytes = max_bytes};
}

static void free_blocks(struct arena_block *block)
{
    while (block) {
        struct arena_block *older = block->older;
        UNPOISON(block_start(block), block->size);
        free(block);
        block = older;
    }
}

void arena_done(struct arena *a)
{
    free_blocks(a->newest);
    free_blocks(a->spare);
    *a = (struct arena){.max_bytes = a->max_bytes};
}

/* Parts the list behind `newest`: blocks of the largest usual size become spare, others are freed. */
static void spare_blocks(struct arena *a, struct arena_block *block)
{
    while (block) {
        struct arena_block *older = block->older;
        if (block->size == LARGEST_BLOCK_BYTES) {
            POISON(block_start(block), block->size);
            block->older = a->spare;
            a->spare = block;
            a->spare_bytes += block->size;
        } else {
            block->older = NULL;
            free_blocks(block);
        }
        block = older;
    }
}

static void trim_spare(struct arena *a, size_t most_bytes)
{
    while (a->spare && a->spare_bytes > most_bytes) {
        struct arena_block *block = a->spare;
        a->spare = block->older;
        a->spare_bytes -= block->size;
        block->older = NULL;
        free_blocks(block);
    }
}

void arena_reset(struct arena *a)
{
    struct arena_block *oldest = a->newest;
    const size_t half = (a->spare_bytes + a->used_bytes) / 2;
    const size_t keep = a->used_bytes > half ? a->used_bytes : half;

    a->failed = false;
    if (!oldest)
        return;
    if (oldest->older) {
        struct arena_block *second = oldest;
        while (second->older->older)
            second = second->older;
        oldest = second->older;
        second->older = NULL;
        spare_blocks(a, a->newest);
    }
    trim_spare(a, keep < ARENA_KEEP_BYTES ? keep : ARENA_KEEP_BYTES);
    /* A first block made for one huge allocation is not kept. */
    if (oldest->size > LARGEST_BLOCK_BYTES) {
        free_blocks(oldest);
        a->newest = NULL;
        a->at = a->end = NULL;
        a->used_bytes = 0;
        return;
    }
    a->newest = oldest;
    a->at = block_start(oldest);
    a->end = a->at + oldest->size;
    a->used_bytes = oldest->size;
    POISON(a->at, oldest->size);
}

static void enter_block(struct arena *a, struct arena_block *block)
{
    block->older = a->newest;
    a->newest = block;
    a->used_bytes += block->size;
    a->at = block_start(block);
    a->end = a->at + block->size;
    POISON(a->at, block->size);
}

static bool add_block(struct arena *a, size_t want)
{
    size_t size = a->newest ? a->newest->size * 2 : FIRST_BLOCK_BYTES;
    struct arena_block *block = a->spare;

    if (a->newest && block && want <= block->size && block->size <= a->max_bytes - a->used_bytes) {
        a->spare = block->older;
        a->spare_bytes -= block->size;
        enter_block(a, block);
        return true;
    }
    if (size > LARGEST_BLOCK_BYTES)
        size = LARGEST_BLOCK_BYTES;
    if (size < want)
        size = want;
    if (size > a->max_bytes - a->used_bytes)
        size = want;
    if (size > a->max_bytes - a->used_bytes)
        return false;
    block = malloc(sizeof(*block) + size);
    if (!block)
        return false;
    block->size = size;
    enter_block(a, block);
    return true;
}

void *arena_alloc(struct arena *a, size_t size)
{
    uint8_t *at;
    size_t want;

    if (size > SIZE_MAX / 2) {
        a->failed = true;
        return NULL;
    }
    want = (size + RED_ZONE + ALIGN - 1) & ~(size_t)(ALIGN - 1);
    if (want == 0)
        want = ALIGN;
    if (want > (size_t)(a->end - a->at) && !add_block(a, want)) {
        a->failed = true;
        return NULL;
    }
    at = a->at;
    a->at += want;
    UNPOISON(at, size);
    return at;
}

void *arena_calloc(struct arena *a, size_t count, size_t size)
{
    size_t total;
    void *at;

    if (__builtin_mul_overflow(count, size, &total)) {
        a->failed = true;
        return NULL;
    }
    at = arena_alloc(a, total);
    if (at)
        memset(at, 0, total);
    return at;
}

struct bytes arena_copy(struct arena *a, struct bytes from)
{
    uint8_t *at = from.len < SIZE_MAX ? arena_alloc(a, from.len + 1) : NULL;

    if (!at)
        return (struct bytes){0};
    if (from.len)
        memcpy(at, from.at, from.len);
    at[from.len] = '\0';
    return (struct bytes){at, from.len};
}

const char *arena_printf(struct arena *a, const char *format, ...)
{
    va_list args;
    int want;
    char *at;

    va_start(args, format);
    want = vsnprintf(NULL, 0, format, args);
    va_end(args);
    at = want < 0 ? NULL : arena_alloc(a, (size_t)want + 1);
    if (!at)
        return NULL;
    va_start(args, format);
    (void)vsnprintf(at, (size_t)want + 1, format, args);
    va_end(args);
    return at;
}
