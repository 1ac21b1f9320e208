/*
 * One request and its response, apart from any protocol: memory, admission, hand-over to the
 * handlers and back.
 *
 * DESIGN: everything but exchange_answered (called by wire_respond) runs on the io thread. A worker
 * only fills `response` and puts the exchange into the queue of answered ones; the io thread takes
 * the whole list at once, so the lock is held for a few instructions. Every body is charged against
 * cfg in_flight_max_bytes while its exchange lives.
 */
#ifndef WIRE_EXCHANGE_H
#define WIRE_EXCHANGE_H

#include <pthread.h>
#include <stdatomic.h>

#include "wire/server.h"

struct conn;

#define WIRE_SPARES 16

/* What all connections share. */
struct wire_core {
    const struct cfg *cfg;
    const struct wire_handlers *handlers;
    size_t held_bytes; /* bodies and exchanges; compared with cfg in_flight_max_bytes */
    bool draining;     /* the server stops: connections end behind their answers */
    void (*wake)(void *user, bool on_io_thread); /* the queue of answers is no longer empty */
    void *wake_user;
    pthread_t io_thread;
    pthread_mutex_t lock;
    struct wire_exchange *first_answered; /* under lock */
    struct wire_exchange *last_answered;
    struct buf spares[WIRE_SPARES]; /* buffers of ended bodies, at most 1 MiB each; not charged */
    size_t spare_count;
};

struct wire_exchange {
    struct http_request request;
    struct http_response response; /* of the worker, between wire_respond and its being sent */
    struct wire_core *core;
    struct conn *conn; /* NULL when nobody waits; io thread only */
    void *stream;      /* HTTP/2: its struct stream */
    struct buf head;   /* what request's slices point into */
    struct buf body;
    size_t held_bytes;     /* charged for this exchange */
    size_t max_body_bytes; /* as head allowed it */
    bool delivered;        /* with the handler: it will call wire_respond */
    _Atomic bool gone;
    struct wire_exchange *next; /* in the queue of answered ones */
};

MUST_CHECK bool wire_core_init(struct wire_core *core, const struct cfg *cfg,
                               const struct wire_handlers *handlers, struct err *err);
void wire_core_done(struct wire_core *core); /* frees what is in the queue */

/* Whether the bytes in flight leave room for another exchange. HTTP/1 does not ask: one small one a
 * connection is let through, so that health checks and refusals still work under load. */
bool exchange_fits(const struct wire_core *core);

/* A new exchange, charged for itself. NULL: no memory. peer is copied. */
struct wire_exchange *exchange_new(struct wire_core *core, struct conn *conn, const char *peer);

/* The connection or stream has no use for it any more: freed, or left to the worker that has it. */
void exchange_drop(struct wire_exchange *exchange);
void exchange_free(struct wire_exchange *exchange); /* not with a worker */

/*
 * Asks the head handler and compares the declared length with its limit. content_length: -1 when it
 * is not known. Fails with what the handler said, ERR_TOO_LARGE, or ERR_UNAVAILABLE (no room in
 * flight for such a body).
 */
MUST_CHECK bool exchange_admit(struct wire_exchange *exchange, int64_t content_length,
                               struct err *err);

/* Room behind the body for at least one and at most `most` bytes; *out_room is their number. Fails
 * with ERR_TOO_LARGE or ERR_UNAVAILABLE. */
MUST_CHECK bool exchange_room(struct wire_exchange *exchange, size_t most, size_t *out_room,
                              struct err *err);

/* Appends to the body. Fails as exchange_room. */
MUST_CHECK bool exchange_take(struct wire_exchange *exchange, struct bytes piece, struct err *err);

/* The body is whole: counts it and calls the request handler. */
void exchange_deliver(struct wire_exchange *exchange);

/* The handlers' answer to err, into *out_response (owned by caller: http_response_done). exchange
 * NULL: there was no memory for one. */
void exchange_refusal(struct wire_core *core, const struct wire_exchange *exchange,
                      const struct err *err, struct http_response *out_response);

/* Counts a response by class; gRPC by what its code stands for. */
void exchange_count(enum http_protocol protocol, const struct http_response *response);

/* From any thread: response is handed over and the io thread woken. */
void exchange_answered(struct wire_exchange *exchange, struct http_response *response);

/* Takes all answered exchanges, in the order of their answers, linked by next. */
struct wire_exchange *exchange_take_answered(struct wire_core *core);

#endif
