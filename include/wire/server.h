/*
 * Listeners, connections and protocols: bytes to whole requests, responses to bytes. Never sees a
 * span.
 *
 * DESIGN: one thread, the caller of wire_server_run, owns every connection and calls the handlers.
 * Only wire_respond, wire_exchange_gone and wire_server_stop may be called from other threads. An
 * exchange is one request and its response; it lives until wire_respond was called for it, also
 * when the client has gone meanwhile, so that a worker can always answer.
 */
#ifndef WIRE_SERVER_H
#define WIRE_SERVER_H

#include "base/cfg.h"
#include "model/http.h"

struct wire_server;
struct wire_exchange;

struct wire_handlers {
    void *user;
    /*
     * The head is whole, the body not yet read. True: read it, at most *out_max_body_bytes (preset
     * to cfg body_max). False with err: the request is refused before its body is taken (OTLP-29);
     * wire asks `error` for the response. Never blocks.
     */
    bool (*head)(void *user, const struct http_request *request, size_t *out_max_body_bytes,
                 struct err *err);
    /* The request is whole. Exactly one wire_respond must follow, now or later, from any thread.
     * Never blocks. */
    void (*request)(void *user, struct wire_exchange *exchange, struct http_request *request);
    /* Makes the response for an error that wire found itself or that head returned. request holds
     * what was read of it; method.len 0: not even the request line. response is initialised. */
    void (*error)(void *user, const struct http_request *request, const struct err *err,
                  struct http_response *response);
};

/*
 * Opens the listeners of cfg (listen, grpc_listen; TLS where tls_cert is set) and installs SIGTERM
 * and SIGINT as wire_server_stop. cfg and handlers are borrowed until wire_server_free. Fails with
 * ERR_BAD_INPUT (address, certificate) or ERR_UNAVAILABLE (port in use); text names the address.
 */
MUST_CHECK bool wire_server_new(const struct cfg *cfg, const struct wire_handlers *handlers,
                                struct wire_server **out_server, struct err *err);

/* The address a listener really has ("127.0.0.1:4318"; port 0 in cfg asks the system for one).
 * which: 0 HTTP, 1 gRPC; "" when off. */
const char *wire_server_address(const struct wire_server *server, int which);

/* Serves until stopped: then no new connections, GOAWAY or connection: close, requests in flight
 * are answered within cfg drain_timeout_ms. */
void wire_server_run(struct wire_server *server);
void wire_server_stop(struct wire_server *server); /* any thread, also from a handler */
void wire_server_free(
    struct wire_server *server); /* exchanges still with a worker must have been answered before */

/* Answers. response is handed over, also when the client has gone. Any thread; the exchange must
 * not be used afterwards. */
void wire_respond(struct wire_exchange *exchange, struct http_response *response);

/* Whether nobody waits for the answer any more: a hint to skip work that was not begun. Any thread.
 */
bool wire_exchange_gone(const struct wire_exchange *exchange);

#endif
