/*
 * One TCP or TLS connection: reading, writing, deadlines, and the choice of the protocol.
 *
 * DESIGN: sockets are read and written here and not by libevent's bufferevents, because those read
 * 4 KiB a time (92 wakeups for a body of 375 KB) and copy once more; libevent gives the loop and
 * the timers. A body with a length is read straight into its exchange. Every callback from the loop
 * ends in conn_settle, the only place that frees a connection, so that nothing below it can be left
 * with a dead pointer. Io thread only.
 */
#ifndef WIRE_CONN_H
#define WIRE_CONN_H

#include <event2/event.h>
#include <event2/event_struct.h>

#include "wire/exchange.h"
#include "wire/http1.h"
#include "wire/http2.h"
#include "wire/tls.h"

#define CONN_SCRATCH_BYTES ((size_t)256 << 10)

/* All connections of a server. */
struct conn_set {
    struct wire_core *core;
    struct event_base *base;
    uint8_t *scratch; /* CONN_SCRATCH_BYTES: what is read is taken from here at once */
    struct conn *first;
    size_t count;
    void (*closed)(void *user); /* a connection ended */
    void *closed_user;
};

enum conn_protocol { CONN_UNKNOWN, CONN_HTTP1, CONN_HTTP2 };

/* Where an HTTP/1 connection stands. */
enum conn_phase {
    PHASE_HEAD,   /* before or in a request head */
    PHASE_BODY,   /* in a body that is wanted */
    PHASE_WAIT,   /* a handler has the request; what comes meanwhile is kept, up to a bound */
    PHASE_SEND,   /* the response is being sent */
    PHASE_DRAIN,  /* refused: the rest of the body is thrown away so that the connection lives on */
    PHASE_LINGER, /* answered and closing: bytes are thrown away so that the answer is not reset */
};

struct conn {
    struct conn_set *set;
    struct conn *prev;
    struct conn *next;
    int fd;
    struct tls_session *tls; /* NULL: plain */
    struct event read_event;
    struct event write_event;
    struct event timer;
    int64_t deadline_ns; /* INT64_MAX: none */
    int64_t armed_ns; /* when the timer fires, INT64_MAX: not at all; never later than deadline */
    enum conn_protocol protocol;
    bool eof;                  /* the peer sends nothing more */
    bool dead;                 /* conn_settle frees it */
    bool closing;              /* HTTP/2: ends once everything is written */
    bool reading;              /* read_event is added */
    bool drained;              /* the last read left nothing in the socket */
    int64_t write_deadline_ns; /* of what is in out and out_body; INT64_MAX: nothing is */
    struct buf out;            /* to be sent first, out_sent of it is */
    size_t out_sent;
    struct buf out_body; /* to be sent behind out, body_sent of it is */
    size_t body_sent;
    struct buf in; /* HTTP/1 and unknown: bytes not yet used */
    struct http2 *h2;
    bool answered; /* HTTP/2: in the list of those that conn_answer_all has to write */
    struct conn *next_answered;

    /* HTTP/1 */
    enum conn_phase phase;
    struct wire_exchange *exchange; /* being read or with a handler */
    struct http1_scan scan;
    struct http1_head head;
    struct http1_chunks chunks;
    bool is_head_method;
    bool is_last;          /* the connection ends behind this response */
    uint64_t discard_left; /* PHASE_DRAIN: of the body */
    size_t discarded;      /* PHASE_LINGER: bytes so far */
    int64_t body_start_ns;
    char peer[64];
};

/* Takes an accepted socket over. tls NULL for plain TCP. On failure the socket is closed. */
void conn_open(struct conn_set *set, int fd, struct tls_context *tls, const char *peer);

/* Sends the answers of a list from exchange_take_answered; those whose connection is gone are only
 * freed. */
void conn_answer_all(struct conn_set *set, struct wire_exchange *first);

/* Starts the end: idle ones are closed, others told. */
void conn_drain_all(struct conn_set *set);
void conn_free_all(struct conn_set *set);

/* --- between conn.c and conn_http1.c --- */

#define CONN_NEVER INT64_MAX

/* Sets the deadline, a time of clock_mono_ns. */
void conn_deadline(struct conn *conn, int64_t at_ns);
void conn_deadline_in(struct conn *conn, int64_t after_ms);

/* Writes what is in out and out_body. True: everything is gone (or the connection is dead). */
bool conn_flush(struct conn *conn);

/* Reads at most len bytes. > 0: number; 0: nothing now, end of stream or failure (eof, dead tell).
 */
size_t conn_read(struct conn *conn, uint8_t *to, size_t len);

/* Bytes came: takes them all (some into conn->in). Bytes in conn->in are taken first. */
void conn_http1_input(struct conn *conn, struct bytes piece);
/* Whether many bytes of a body may come, wanted or not. */
bool conn_http1_in_body(const struct conn *conn);
/* Whether a body with a length is awaited: its bytes go straight to their place. */
bool conn_http1_is_direct(const struct conn *conn);
size_t conn_http1_read_body(struct conn *conn); /* as conn_read, into the body */
void conn_http1_answer(struct conn *conn, struct wire_exchange *exchange);
void conn_http1_sent(struct conn *conn); /* everything was written */
void conn_http1_timeout(struct conn *conn);
void conn_http1_eof(struct conn *conn);
void conn_http1_drain(struct conn *conn);
/* Whether more bytes may be read now. */
bool conn_http1_wants(const struct conn *conn);

#endif
