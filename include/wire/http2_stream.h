/*
 * One HTTP/2 stream: its request as it is gathered and its response as fields and bytes. Knows no
 * nghttp2; used by http2.c alone. Io thread only.
 */
#ifndef WIRE_HTTP2_STREAM_H
#define WIRE_HTTP2_STREAM_H

#include "wire/exchange.h"

/* Names + values + 32 each, as RFC 9113 10.5.1 counts (H2-7). */
#define STREAM_HEAD_MAX_BYTES 16384
#define STREAM_FIELDS_MAX 24

struct stream {
    struct stream *prev;
    struct stream *next;
    int32_t id;
    struct wire_exchange *exchange; /* NULL once the response is here */
    struct http_response response;  /* while responded */
    size_t read_bytes;              /* of prefix and body, handed to the session */
    size_t head_bytes;              /* counted as STREAM_HEAD_MAX_BYTES wants */
    int64_t content_length;         /* -1: none */
    int64_t begun_ns;               /* monotonic: first byte */
    int64_t moved_ns;               /* monotonic: newest byte of either direction */
    bool head_too_large;
    bool head_repeats; /* a field that may come once came twice */
    bool head_failed;  /* no memory */
    bool is_grpc;
    bool is_head_method;
    bool request_ended;
    bool reset_due; /* the response is out, the request goes on: to be reset soon */
    bool responded; /* what still comes of the request is thrown away */
};

struct stream_fields {
    struct http_header at[STREAM_FIELDS_MAX];
    size_t count;
    struct buf text; /* owns what is not static */
};

struct stream *stream_new(struct wire_core *core, struct conn *conn, const char *peer, int32_t id);
void stream_free(struct stream *stream);

/* Into and out of the list of a session's open streams. */
void stream_link(struct stream **first, struct stream *stream);
void stream_unlink(struct stream **first, struct stream *stream);

/* Takes a field of the head (or of trailers, which are only counted). */
void stream_header(struct stream *stream, bool is_request, struct bytes name, struct bytes value);

/* The head is whole. Fails with what it is refused for. */
MUST_CHECK bool stream_head_done(struct stream *stream, int64_t mono_now_ns, struct err *err);

/* Makes the response to an error; the exchange is dropped. */
void stream_refuse(struct stream *stream, const struct err *err);
/* Takes the response out of the exchange, which is freed. */
void stream_take_response(struct stream *stream);

/* Whether the request or its answer takes longer than allowed; then err says what. */
bool stream_is_late(const struct stream *stream, int64_t mono_now_ns, const struct cfg *cfg,
                    struct err *err);

void stream_response_fields(const struct stream *stream, struct stream_fields *out_fields);
void stream_trailer_fields(const struct stream *stream, struct stream_fields *out_fields);
void stream_fields_done(struct stream_fields *fields);

bool stream_has_data(const struct stream *stream);
size_t stream_read(struct stream *stream, uint8_t *to, size_t len);
bool stream_all_read(const struct stream *stream);

#endif
