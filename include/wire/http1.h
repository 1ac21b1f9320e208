/*
 * HTTP/1.x without sockets (RFC 9112): finds and parses request heads, takes chunked bodies apart,
 * writes response heads. Strict: what two servers could read differently is refused (SEC-16).
 *
 * DESIGN: pure functions over the caller's bytes. The result does not depend on how the bytes were
 * cut into reads.
 */
#ifndef WIRE_HTTP1_H
#define WIRE_HTTP1_H

#include "model/http.h"

#define HTTP1_LINE_MAX_BYTES ((size_t)8192)    /* request line: 414 beyond (SEC-18) */
#define HTTP1_FIELDS_MAX_BYTES ((size_t)16384) /* all field lines: 431 beyond */
#define HTTP1_HEAD_MAX_BYTES (HTTP1_LINE_MAX_BYTES + HTTP1_FIELDS_MAX_BYTES + 4)

enum http1_framing { HTTP1_NO_BODY, HTTP1_LENGTH, HTTP1_CHUNKED };

struct http1_head {
    enum http1_framing framing;
    uint64_t content_length; /* of HTTP1_LENGTH; > 0 */
    bool keep_alive;         /* what the client wants */
    bool is_1_0;
    bool expect_continue;
};

/* How far a head was looked through; zero at its first byte. */
struct http1_scan {
    size_t at;        /* bytes that need no second look */
    size_t line_at;   /* where the current line begins */
    size_t fields_at; /* where the line behind the request line begins */
    size_t lines;     /* lines that are whole */
};

/*
 * Looks for the end of a head. seen begins at the head's first byte and only grows from call to
 * call. On success *out_head_bytes is the length with the empty line, 0 while it is not there yet.
 * Fails with ERR_BAD_INPUT (a line end other than CR LF, no letter at the start),
 * ERR_URI_TOO_LONG, ERR_HEADERS_TOO_LARGE.
 */
MUST_CHECK bool http1_scan(struct http1_scan *scan, struct bytes seen, size_t *out_head_bytes,
                           struct err *err);

/*
 * Parses a whole head, as found by http1_scan. The slices of *request point into it; field names
 * are made lower case in place. Fails with ERR_BAD_INPUT, ERR_HEADERS_TOO_LARGE (field count);
 * request then holds what was read before (for the error's form), *out_head nothing.
 */
MUST_CHECK bool http1_parse(uint8_t *head, size_t head_bytes, struct http_request *request,
                            struct http1_head *out_head, struct err *err);

/* Parses the request line alone, for the form of the answer to a head that is refused early. line
 * is without its CR LF. Fails with ERR_BAD_INPUT. */
MUST_CHECK bool http1_parse_line(struct bytes line, struct http_request *request,
                                 struct http1_head *head, struct err *err);

/* State of a chunked body; zero at its first byte. */
struct http1_chunks {
    int state;
    unsigned digits; /* of the size line so far */
    uint64_t left;   /* bytes of the current chunk that are still to come */
    size_t extra;    /* bytes of extensions and trailers so far: capped, never used */
    bool in_line;    /* trailer: the line has a byte */
};

enum http1_chunk { HTTP1_CHUNK_MORE, HTTP1_CHUNK_PIECE, HTTP1_CHUNK_END, HTTP1_CHUNK_BAD };

/*
 * Takes bytes from the front of *in. PIECE: *out_piece is a run of body bytes inside it. MORE: *in
 * is used up. END: the body and its trailers ended, *in is what follows. BAD: err is ERR_BAD_INPUT.
 */
MUST_CHECK enum http1_chunk http1_chunk_next(struct http1_chunks *chunks, struct bytes *in,
                                             struct bytes *out_piece, struct err *err);

/* How a response head ends the exchange. */
struct http1_reply {
    bool close;      /* writes connection: close */
    bool keep_alive; /* writes connection: keep-alive, which HTTP/1.0 needs to hear */
};

/* Appends status line, fields and the empty line. content-length is always there, but with 1xx, 204
 * and 304. */
void http1_write_head(struct buf *out, const struct http_response *response,
                      struct http1_reply reply);

/* Whether a status has a body (not 1xx, 204, 304). */
bool http1_status_has_body(int status);

#endif
