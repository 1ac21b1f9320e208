/*
 * An HTTP/2 server session without sockets: bytes in, exchanges out, answers in, bytes out.
 *
 * DESIGN: nghttp2 keeps the protocol; this room adds the limits that it leaves to its user
 * (H2-1..H2-14) and gRPC's trailers. Io thread only.
 */
#ifndef WIRE_HTTP2_H
#define WIRE_HTTP2_H

#include "wire/exchange.h"

struct http2;

#define HTTP2_PREFACE "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
#define HTTP2_PREFACE_BYTES (sizeof(HTTP2_PREFACE) - 1)

/* A session whose first bytes, the preface, are still to be fed. NULL: no memory. */
struct http2 *http2_new(struct wire_core *core, struct conn *conn, const char *peer,
                        int64_t mono_now_ns);
void http2_free(struct http2 *h2); /* exchanges with workers become gone */

/* Takes bytes of the peer. False: the connection has to end, after what http2_pull still gives. */
MUST_CHECK bool http2_feed(struct http2 *h2, struct bytes bytes, int64_t mono_now_ns);

/* Appends frames to out while it is shorter than `enough` bytes. False as http2_feed. */
MUST_CHECK bool http2_pull(struct http2 *h2, struct buf *out, size_t enough);

/* Sends the response of an exchange of this session; the exchange is freed. */
void http2_answer(struct http2 *h2, struct wire_exchange *exchange, int64_t mono_now_ns);

/* Whether nothing is left to read or to write. */
bool http2_done(struct http2 *h2);

/* Closes what passed its deadline. Returns when it wants to be called again; false in *out_go_on:
 * the connection has to end, after what http2_pull still gives. */
int64_t http2_tick(struct http2 *h2, int64_t mono_now_ns, bool *out_go_on);

/* GOAWAY: no new streams, the open ones are finished. */
void http2_drain(struct http2 *h2);

#endif
