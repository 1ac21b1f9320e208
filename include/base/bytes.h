/* Slices of borrowed bytes, and a growable buffer that cannot be made without a maximum. */
#ifndef BASE_BYTES_H
#define BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/err.h"

/* len bytes at `at`, borrowed. An empty slice may have at == NULL. Never assume a terminating NUL.
 */
struct bytes {
    const uint8_t *at;
    size_t len;
};

/* CONSTANT is for static tables, where ISO C takes no compound literal. */
#define BYTES_CONSTANT(text)                                                                       \
    {                                                                                              \
        (const uint8_t *)(text), sizeof(text) - 1                                                  \
    }
#define BYTES_LITERAL(text) ((struct bytes)BYTES_CONSTANT(text))

static inline struct bytes bytes_of(const char *text)
{
    return (struct bytes){(const uint8_t *)text, strlen(text)};
}

static inline bool bytes_equal(struct bytes a, struct bytes b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.at, b.at, a.len) == 0);
}

/* Whether part stands somewhere in text; an empty text, which may have no address, holds nothing. */
static inline bool bytes_contains(struct bytes text, struct bytes part)
{
    return text.len > 0 && memmem(text.at, text.len, part.at, part.len) != NULL;
}

/* The order of the bytes, of a text and its beginning the beginning first: < 0, 0, > 0. */
static inline int bytes_compare(struct bytes a, struct bytes b)
{
    const size_t common = a.len < b.len ? a.len : b.len;
    const int order = common > 0 ? memcmp(a.at, b.at, common) : 0;

    return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

static inline bool bytes_is(struct bytes a, const char *text)
{
    return bytes_equal(a, bytes_of(text));
}

/* As bytes_is, ASCII letters compared without case (media types, header names). */
bool bytes_is_nocase(struct bytes a, const char *text);

/*
 * Growable bytes with a maximum. A failed growth (maximum passed or no memory) is remembered: later
 * appends do nothing and buf_ok says false, so that a writer of many small pieces checks once, at
 * its end.
 *
 *   0 .. len     written
 *   len .. cap   room
 */
struct buf {
    uint8_t *at;
    size_t len;
    size_t cap;
    size_t max;
    bool failed;
};

void buf_init(struct buf *b, size_t max_bytes); /* no allocation yet */
void buf_done(struct buf *b);                   /* frees; the struct may be initialised again */
void buf_clear(struct buf *b);                  /* len 0, not failed, memory kept for reuse */
void buf_shrink(struct buf *b,
                size_t keep_cap); /* buf_clear, and gives memory beyond keep_cap back */
bool buf_grow(struct buf *b,
              size_t more); /* room for `more` bytes behind len; false: failed is set */

static inline bool buf_ok(const struct buf *b)
{
    return !b->failed;
}

/* Room for `more` bytes; the fast path is inline because rows and JSON are written byte by byte. */
static inline bool buf_need(struct buf *b, size_t more)
{
    return more <= b->cap - b->len ? true : buf_grow(b, more);
}

static inline void buf_add(struct buf *b, const void *from, size_t len)
{
    if (len > 0 && buf_need(b, len)) {
        memcpy(b->at + b->len, from, len);
        b->len += len;
    }
}

static inline void buf_add_byte(struct buf *b, uint8_t byte)
{
    if (buf_need(b, 1))
        b->at[b->len++] = byte;
}

static inline void buf_add_bytes(struct buf *b, struct bytes from)
{
    buf_add(b, from.at, from.len);
}

void buf_add_text(struct buf *b, const char *text);
void buf_printf(struct buf *b, const char *format, ...) PRINTF_LIKE(2, 3);

static inline struct bytes buf_bytes(const struct buf *b)
{
    return (struct bytes){b->at, b->len};
}

/* Big-endian integers, as PostgreSQL's binary formats and gRPC's prefix want them. */
static inline void put_be16(uint8_t *to, uint16_t v)
{
    v = __builtin_bswap16(v);
    memcpy(to, &v, sizeof(v));
}

static inline void put_be32(uint8_t *to, uint32_t v)
{
    v = __builtin_bswap32(v);
    memcpy(to, &v, sizeof(v));
}

static inline void put_be64(uint8_t *to, uint64_t v)
{
    v = __builtin_bswap64(v);
    memcpy(to, &v, sizeof(v));
}

static inline uint16_t read_be16(const uint8_t *from)
{
    uint16_t v;
    memcpy(&v, from, sizeof(v));
    return __builtin_bswap16(v);
}

static inline uint32_t read_be32(const uint8_t *from)
{
    uint32_t v;
    memcpy(&v, from, sizeof(v));
    return __builtin_bswap32(v);
}

static inline uint64_t read_be64(const uint8_t *from)
{
    uint64_t v;
    memcpy(&v, from, sizeof(v));
    return __builtin_bswap64(v);
}

#endif
