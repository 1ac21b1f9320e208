/* Chunked bodies (RFC 9112 7.1) and response heads. */
#include "wire/http1.h"

#define SIZE_MAX_DIGITS 15             /* 15 hex digits cannot overflow 64 bits */
#define EXTRA_MAX_BYTES ((size_t)8192) /* extensions and trailers of one body, together */

enum {
    SIZE,      /* hex digits of a chunk's size */
    EXTENSION, /* behind ';', ignored */
    SIZE_LF,
    DATA,
    DATA_CR,
    DATA_LF,
    TRAILER,
    TRAILER_LF,
    DONE,
};

static enum http1_chunk bad(struct err *err, const char *what)
{
    (void)!err_set(err, ERR_BAD_INPUT, "chunked body: %s", what);
    return HTTP1_CHUNK_BAD;
}

static int hex_digit(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

static const char *size_byte(struct http1_chunks *chunks, uint8_t c)
{
    const int digit = hex_digit(c);

    if (digit >= 0) {
        if (chunks->digits++ == SIZE_MAX_DIGITS)
            return "size has more than 15 digits";
        chunks->left = chunks->left << 4 | (uint64_t)digit;
        return NULL;
    }
    /* No space before ';' or CR: peers disagree about it, and smuggling lives on that. */
    if (chunks->digits == 0 || (c != ';' && c != '\r'))
        return "size is no hexadecimal number";
    chunks->state = c == ';' ? EXTENSION : SIZE_LF;
    return NULL;
}

static const char *extra_byte(struct http1_chunks *chunks, uint8_t c)
{
    if (++chunks->extra > EXTRA_MAX_BYTES)
        return "extensions and trailers have more than 8192 bytes";
    if ((c < 0x20 && c != '\t') || c == 0x7f)
        return "control character in an extension or trailer";
    return NULL;
}

static const char *trailer_byte(struct http1_chunks *chunks, uint8_t c)
{
    if (c == '\r') {
        chunks->state = TRAILER_LF;
        return NULL;
    }
    chunks->in_line = true;
    return extra_byte(chunks, c);
}

/* One byte of framing. Returns what is wrong with it, or NULL. */
static const char *frame_byte(struct http1_chunks *chunks, uint8_t c)
{
    switch (chunks->state) {
    case SIZE:
        return size_byte(chunks, c);
    case EXTENSION:
        if (c == '\r') {
            chunks->state = SIZE_LF;
            return NULL;
        }
        return extra_byte(chunks, c);
    case DATA_CR:
        chunks->state = DATA_LF;
        return c == '\r' ? NULL : "chunk is longer than its size";
    case TRAILER:
        return trailer_byte(chunks, c);
    default: /* the states that want LF */
        if (c != '\n')
            return "CR without LF";
        break;
    }
    if (chunks->state == SIZE_LF) {
        chunks->state = chunks->left ? DATA : TRAILER;
    } else if (chunks->state == DATA_LF) {
        chunks->state = SIZE;
        chunks->digits = 0;
    } else {
        chunks->state = chunks->in_line ? TRAILER : DONE;
        chunks->in_line = false;
    }
    return NULL;
}

enum http1_chunk http1_chunk_next(struct http1_chunks *chunks, struct bytes *in,
                                  struct bytes *out_piece, struct err *err)
{
    while (chunks->state != DONE) {
        if (in->len == 0)
            return HTTP1_CHUNK_MORE;
        if (chunks->state == DATA) {
            const size_t n = chunks->left < in->len ? (size_t)chunks->left : in->len;
            *out_piece = (struct bytes){in->at, n};
            in->at += n;
            in->len -= n;
            chunks->left -= n;
            if (chunks->left == 0)
                chunks->state = DATA_CR;
            return HTTP1_CHUNK_PIECE;
        }
        const char *wrong = frame_byte(chunks, in->at[0]);
        if (wrong)
            return bad(err, wrong);
        in->at++;
        in->len--;
    }
    return HTTP1_CHUNK_END;
}

static const char *reason_of(int status)
{
    static const struct {
        int status;
        const char *reason;
    } known[] = {
        {200, "OK"},
        {201, "Created"},
        {202, "Accepted"},
        {204, "No Content"},
        {304, "Not Modified"},
        {400, "Bad Request"},
        {401, "Unauthorized"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {409, "Conflict"},
        {413, "Content Too Large"},
        {414, "URI Too Long"},
        {415, "Unsupported Media Type"},
        {429, "Too Many Requests"},
        {431, "Request Header Fields Too Large"},
        {500, "Internal Server Error"},
        {503, "Service Unavailable"},
    };

    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (known[i].status == status)
            return known[i].reason;
    return "Status";
}

bool http1_status_has_body(int status)
{
    return status >= 200 && status != 204 && status != 304;
}

void http1_write_head(struct buf *out, const struct http_response *response,
                      struct http1_reply reply)
{
    buf_printf(out, "HTTP/1.1 %d %s\r\n", response->status, reason_of(response->status));
    if (response->content_type)
        buf_printf(out, "content-type: %s\r\n", response->content_type);
    if (http1_status_has_body(response->status))
        buf_printf(out, "content-length: %zu\r\n", response->body.len);
    if (response->retry_after_s > 0)
        buf_printf(out, "retry-after: %d\r\n", response->retry_after_s);
    if (response->allow)
        buf_printf(out, "allow: %s\r\n", response->allow);
    if (response->headers)
        buf_add_text(out, response->headers);
    if (reply.close)
        buf_add_text(out, "connection: close\r\n");
    else if (reply.keep_alive)
        buf_add_text(out, "connection: keep-alive\r\n");
    buf_add_text(out, "\r\n");
}
