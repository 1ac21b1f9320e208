/* The growable buffer. */
#include "base/bytes.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define BUF_FIRST_CAP 256

static uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c + ('a' - 'A')) : c;
}

bool bytes_is_nocase(struct bytes a, const char *text)
{
    if (a.len != strlen(text))
        return false;
    for (size_t i = 0; i < a.len; i++)
        if (lower(a.at[i]) != lower((uint8_t)text[i]))
            return false;
    return true;
}

void buf_init(struct buf *b, size_t max_bytes)
{
    *b = (struct buf){.max = max_bytes};
}

void buf_done(struct buf *b)
{
    free(b->at);
    *b = (struct buf){.max = b->max};
}

void buf_clear(struct buf *b)
{
    b->len = 0;
    b->failed = false;
}

void buf_shrink(struct buf *b, size_t keep_cap)
{
    buf_clear(b);
    if (b->cap > keep_cap)
        buf_done(b);
}

bool buf_grow(struct buf *b, size_t more)
{
    size_t cap = b->cap ? b->cap : BUF_FIRST_CAP;
    uint8_t *at;

    if (b->failed)
        return false;
    if (more > b->max - b->len) {
        b->failed = true;
        return false;
    }
    if (cap > b->max)
        cap = b->max; /* else the first piece of a small buffer would get past its maximum */
    while (cap - b->len < more)
        cap = cap > b->max / 2 ? b->max : cap * 2;
    at = realloc(b->at, cap);
    if (!at) {
        b->failed = true;
        return false;
    }
    b->at = at;
    b->cap = cap;
    return true;
}

void buf_add_text(struct buf *b, const char *text)
{
    buf_add(b, text, strlen(text));
}

void buf_printf(struct buf *b, const char *format, ...)
{
    va_list args;
    int want;

    va_start(args, format);
    want = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (want < 0) {
        b->failed = true;
        return;
    }
    if (!buf_need(b, (size_t)want + 1))
        return;
    va_start(args, format);
    (void)vsnprintf((char *)b->at + b->len, (size_t)want + 1, format, args);
    va_end(args);
    b->len += (size_t)want;
}
