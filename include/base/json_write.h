/* Writes JSON into a buffer: strings escaped and repaired, commas placed by the writer. */
#ifndef BASE_JSON_WRITE_H
#define BASE_JSON_WRITE_H

#include "base/bytes.h"

/* Appends text as a JSON string with its quotes. Bad UTF-8 and U+0000 become U+FFFD; returns the
 * mask of enum text_repairs.
 * '<' is not escaped: answers are application/json with nosniff, and the page builds text nodes
 * only. */
unsigned json_string(struct buf *out, struct bytes text);

/* The same, but U+0000 is written as \u0000: JSON may hold it, PostgreSQL may not. */
unsigned json_string_exact(struct buf *out, struct bytes text);

/*
 * A cursor over nested objects and arrays: json_key or json_item first, then exactly one value.
 *
 *     struct json j = json_into(&buf);
 *     json_open(&j, '{'); json_key(&j, "id"); json_text(&j, id); json_close(&j, '}');
 */
struct json {
    struct buf *out;
    bool comma; /* a value stands before the next key or item */
};

static inline struct json json_into(struct buf *out)
{
    return (struct json){.out = out};
}

void json_open(struct json *j, char bracket);    /* '{' or '[' */
void json_close(struct json *j, char bracket);   /* '}' or ']' */
void json_key(struct json *j, const char *name); /* name needs no escapes */
void json_key_bytes(struct json *j, struct bytes name);
void json_item(struct json *j); /* before each value of an array */

void json_text(struct json *j, struct bytes text);
void json_cstr(struct json *j, const char *text); /* NULL gives null */
void json_int(struct json *j, int64_t value);
void json_uint(struct json *j, uint64_t value);
void json_uint_text(struct json *j, uint64_t value); /* as a decimal string: *_unix_nano */
void json_int_text(struct json *j, int64_t value);
void json_bool(struct json *j, bool value);
void json_null(struct json *j);
void json_raw(struct json *j, struct bytes json); /* one whole JSON value, trusted */

#endif
