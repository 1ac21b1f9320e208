/* Looks at sixteen bytes of text at once: a bit per byte, the lowest for the first. */
#ifndef BASE_PIECE_H
#define BASE_PIECE_H

#include <stdint.h>

#define PIECE_BYTES 16

#ifdef __SSE2__
#include <emmintrin.h>

/* The bytes that are c. */
static inline unsigned piece_is(const uint8_t *at, char c)
{
    const __m128i piece = _mm_loadu_si128((const __m128i *)(const void *)at);

    return (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(piece, _mm_set1_epi8(c)));
}

/* Those that are no ASCII, or NUL. */
static inline unsigned piece_odd(const uint8_t *at)
{
    const __m128i piece = _mm_loadu_si128((const __m128i *)(const void *)at);

    return (unsigned)_mm_movemask_epi8(_mm_cmplt_epi8(piece, _mm_set1_epi8(1)));
}

/* Those that JSON does not hold as they are, and all beyond ASCII: controls, quote, backslash. As
 * signed numbers all but the last two are below the controls' limit. */
static inline unsigned piece_special(const uint8_t *at)
{
    const __m128i piece = _mm_loadu_si128((const __m128i *)(const void *)at);
    const __m128i low = _mm_cmplt_epi8(piece, _mm_set1_epi8(0x20));
    const __m128i quote = _mm_cmpeq_epi8(piece, _mm_set1_epi8('"'));
    const __m128i backslash = _mm_cmpeq_epi8(piece, _mm_set1_epi8('\\'));

    return (unsigned)_mm_movemask_epi8(_mm_or_si128(low, _mm_or_si128(quote, backslash)));
}

#else /* other machines: the same by the byte, which compilers turn into what the machine has */

static inline unsigned piece_is(const uint8_t *at, char c)
{
    unsigned bits = 0;

    for (unsigned i = 0; i < PIECE_BYTES; i++)
        bits |= (unsigned)(at[i] == (uint8_t)c) << i;
    return bits;
}

static inline unsigned piece_odd(const uint8_t *at)
{
    unsigned bits = 0;

    for (unsigned i = 0; i < PIECE_BYTES; i++)
        bits |= (unsigned)(at[i] == 0 || at[i] >= 0x80) << i;
    return bits;
}

static inline unsigned piece_special(const uint8_t *at)
{
    unsigned bits = 0;

    for (unsigned i = 0; i < PIECE_BYTES; i++)
        bits |= (unsigned)(at[i] < 0x20 || at[i] >= 0x80 || at[i] == '"' || at[i] == '\\') << i;
    return bits;
}

#endif
#endif
