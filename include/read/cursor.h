/* The text form of a position in a list: opaque, url-safe, versioned. */
#ifndef READ_CURSOR_H
#define READ_CURSOR_H

#include "model/trace.h"

enum cursor_kind { CURSOR_TRACES, CURSOR_SESSION, CURSOR_SESSIONS, CURSOR_USERS, CURSOR_KIND_MAX };

struct cursor {
    enum cursor_kind kind; /* the list it belongs to */
    enum trace_sort sort;
    bool descending;
    uint32_t filters; /* hash of what else the list was asked for */
    int64_t from_ns;  /* range of the page it was made for */
    int64_t to_ns;
    struct trace_cursor position;
};

/* FNV-1a, 32 bits; sum: 0 or what came before. */
uint32_t cursor_hash(uint32_t sum, struct bytes text);

void cursor_write(const struct cursor *cursor, struct buf *out);

/* Fails with ERR_BAD_INPUT: not made by cursor_write of this version, or damaged on the way. */
MUST_CHECK bool cursor_read(struct bytes text, struct cursor *out_cursor, struct err *err);

#endif
