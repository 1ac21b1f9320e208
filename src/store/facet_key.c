/*
 * Numbers of facets.
 *
 * DESIGN: an index of numbers costs half of what one of texts does, and a trace has a dozen of them.
 * Rows are also counted anew by a statement, so the number must be one that PostgreSQL can make: its
 * hash of texts, which does not change between releases because partitions by hash depend on it. It
 * is Bob Jenkins' lookup3 over words of little-endian, two of its three lanes taken. With 64 bits a
 * value meets one of a thousand million others once in 18 thousand million values.
 */
#include "store/facet_key.h"

#include <string.h>

#define WORD_BYTES 4
#define BLOCK_BYTES ((size_t)3 * WORD_BYTES)
#define START UINT32_C(0x9e3779b9)   /* the golden ratio, */
#define START_MORE UINT32_C(3923095) /* and what PostgreSQL adds to it */
#define TEXT_MAX_BYTES 1024

_Static_assert(TEXT_MAX_BYTES > 64 + 4 * TRACE_FACET_CHARACTERS, "the longest facet must fit");

/* The three words that everything goes through. */
struct lanes {
    uint32_t a, b, c;
};

static uint32_t turn(uint32_t word, int bits)
{
    return word << bits | word >> (32 - bits);
}

/* One step of mixing: x takes y away and is crossed with it turned, y takes z in. */
static void step(uint32_t *x, uint32_t *y, uint32_t z, int bits)
{
    *x -= *y;
    *x ^= turn(*y, bits);
    *y += z;
}

static void mix(struct lanes *l)
{
    step(&l->a, &l->c, l->b, 4);
    step(&l->b, &l->a, l->c, 6);
    step(&l->c, &l->b, l->a, 8);
    step(&l->a, &l->c, l->b, 16);
    step(&l->b, &l->a, l->c, 19);
    step(&l->c, &l->b, l->a, 4);
}

static void close_step(uint32_t *x, uint32_t y, int bits)
{
    *x = (*x ^ y) - turn(y, bits);
}

static void mix_last(struct lanes *l)
{
    close_step(&l->c, l->b, 14);
    close_step(&l->a, l->c, 11);
    close_step(&l->b, l->a, 25);
    close_step(&l->c, l->b, 16);
    close_step(&l->a, l->c, 4);
    close_step(&l->b, l->a, 14);
    close_step(&l->c, l->b, 24);
}

static uint32_t word_at(const uint8_t *at)
{
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

/* rest: what stands behind the whole blocks, then zeros. Of its last lane the lowest byte is the
 * length's, so its bytes stand one further on. */
static int64_t key_of(int32_t tenant_id, struct bytes text, const uint8_t rest[BLOCK_BYTES])
{
    const uint64_t seed = (uint64_t)(int64_t)tenant_id;
    const uint32_t start = START + START_MORE + (uint32_t)text.len;
    struct lanes l = {start, start, start};

    if (seed != 0) {
        l.a += (uint32_t)(seed >> 32);
        l.b += (uint32_t)seed;
        mix(&l);
    }
    for (; text.len >= BLOCK_BYTES; text.at += BLOCK_BYTES, text.len -= BLOCK_BYTES) {
        l.a += word_at(text.at);
        l.b += word_at(text.at + WORD_BYTES);
        l.c += word_at(text.at + 2 * WORD_BYTES);
        mix(&l);
    }
    l.a += word_at(rest);
    l.b += word_at(rest + WORD_BYTES);
    l.c += word_at(rest + 2 * WORD_BYTES) << 8;
    mix_last(&l);
    return (int64_t)((uint64_t)l.b << 32 | l.c);
}

int64_t facet_key(int32_t tenant_id, struct bytes text)
{
    const size_t rest_len = text.len % BLOCK_BYTES;
    uint8_t rest[BLOCK_BYTES] = {0};

    if (rest_len > 0)
        memcpy(rest, text.at + text.len - rest_len, rest_len);
    return key_of(tenant_id, text, rest);
}

int64_t facet_key_of(int32_t tenant_id, enum facet_kind kind, struct bytes value)
{
    const struct bytes name = bytes_of(trace_facet_name(kind));
    const struct bytes cut = trace_facet_value(value);
    uint8_t text[TEXT_MAX_BYTES];
    size_t len = name.len;

    memcpy(text, name.at, name.len);
    text[len++] = ':';
    if (cut.len > 0 && cut.len <= sizeof(text) - BLOCK_BYTES - len) {
        memcpy(text + len, cut.at, cut.len);
        len += cut.len;
    }
    memset(text + len, 0, BLOCK_BYTES);
    return key_of(tenant_id, (struct bytes){text, len}, text + len - len % BLOCK_BYTES);
}
