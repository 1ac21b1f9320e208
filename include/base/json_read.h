/*
 * A pull reader for JSON (RFC 8259, strict): one token at a time over a borrowed body, no
 * recursion, no allocation but for strings with escapes. Ours and not jansson's because OTLP/JSON
 * needs numbers as text (64-bit integers, 1.5e300 declared as intValue), strings with U+0000, a
 * bound on memory (arena) and on depth; figures in docs/decisions.md.
 */
#ifndef BASE_JSON_READ_H
#define BASE_JSON_READ_H

#include "base/arena.h"
#include "base/bytes.h"

#define JSON_MAX_DEPTH                                                                             \
    1024 /* of the whole text; the grammar is checked to here, beyond it ERR_BAD_INPUT (RF:        \
            nesting bombs) */

enum json_token {
    JSON_END, /* of the text */
    JSON_OBJECT_OPEN,
    JSON_OBJECT_CLOSE,
    JSON_ARRAY_OPEN,
    JSON_ARRAY_CLOSE,
    JSON_KEY,    /* text: the decoded name; the value's token follows */
    JSON_STRING, /* text: decoded */
    JSON_NUMBER, /* text: as written, grammar checked */
    JSON_TRUE,
    JSON_FALSE,
    JSON_NULL,
};

struct json_reader {
    struct bytes body;
    size_t at;
    struct arena *arena; /* for decoded strings that hold escapes; others are slices of body */
    uint32_t depth;
    bool after_value; /* a value ended: ',' or a close must follow */
    bool after_key;
    bool started;
    uint8_t is_object[JSON_MAX_DEPTH / 8]; /* a bit per open bracket */
    struct bytes text;                     /* of the newest KEY, STRING or NUMBER */
};

void json_reader_init(struct json_reader *r, struct bytes body, struct arena *arena);

/* Next token. Fails with ERR_BAD_INPUT (position, found, wanted) or ERR_TOO_LARGE (arena). After a
 * failure only the destruction of the arena is left. Lone surrogates (\ud800) are an error, raw
 * bytes that are no UTF-8 are passed on: their repair is the caller's (OTLP-90). */
MUST_CHECK bool json_next(struct json_reader *r, enum json_token *out_token, struct err *err);

/* Skips the value that comes next (after a KEY or at an array's item), however nested. */
MUST_CHECK bool json_skip(struct json_reader *r, struct err *err);

#endif
