/* Text of the outside world: UTF-8 repair, hex, base64, numbers. Pure, any thread. */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include "base/bytes.h"

/* Length of the longest prefix that is valid UTF-8 without U+0000 (PostgreSQL text takes exactly
 * that). */
size_t text_valid_prefix(struct bytes text);

/* What text_repair changed: a mask. */
enum text_repairs {
    TEXT_SOUND = 0,
    TEXT_HAD_BAD_UTF8 = 1, /* each maximal bad sequence became U+FFFD (OTLP-106) */
    TEXT_HAD_NUL = 2,      /* each U+0000 became U+FFFD (OTLP-124) */
};

/* Appends text to out, repaired. Returns a mask of enum text_repairs. */
unsigned text_repair(struct buf *out, struct bytes text);

/* Length of the well-formed UTF-8 sequence at the start of text (1..4), 0 when it is not one. NUL
 * is well-formed here. */
size_t text_utf8_step(struct bytes text);

/* Largest length <= max_bytes that does not cut a UTF-8 sequence in two. */
size_t text_cut(struct bytes text, size_t max_bytes);

/* 2 * from.len lower-case digits at `to`, no NUL. */
void text_hex(struct bytes from, char *to);

/* Decodes hex digits of any case into to[0 .. from.len/2). False when the length is odd or a digit
 * is none. */
bool text_unhex(struct bytes from, uint8_t *to);

void text_base64(struct buf *out, struct bytes from); /* standard alphabet, padded */

/* Standard or URL-safe alphabet, with or without padding (OTLP-87). to has room for from.len / 4 *
 * 3 + 3 bytes. */
bool text_unbase64(struct bytes from, uint8_t *to, size_t *out_len);

#define TEXT_DOUBLE_BYTES 32
/* Shortest decimal that reads back as the same double, as a JSON number that always has '.' or 'e'
 * (so 1.0 stays apart from 1). value is finite. Returns the length; NUL-terminated. */
size_t text_double(double value, char to[TEXT_DOUBLE_BYTES]);

/* Whole of text as a decimal integer, optional '-', no spaces, no leading '+'. False when it is
 * none or does not fit. */
bool text_int64(struct bytes text, int64_t *out_value);
bool text_uint64(struct bytes text, uint64_t *out_value);

/* Whole of text as a decimal floating-point number in JSON's or C's notation (no hex, no "inf");
 * false when it is none. 1e400 gives infinity. */
bool text_real(struct bytes text, double *out_value);

/* Without blanks and control characters (ASCII) at both ends. */
struct bytes text_trim(struct bytes text);

/* At most `to_bytes - 1` bytes of text for a message: printable ASCII and UTF-8 kept, the rest as
 * '?', NUL-terminated. Returns to. */
const char *text_quote(struct bytes text, char *to, size_t to_bytes);

#endif
