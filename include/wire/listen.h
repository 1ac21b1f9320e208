/* A listening socket in the event loop. Io thread only. */
#ifndef WIRE_LISTEN_H
#define WIRE_LISTEN_H

#include <event2/event.h>

#include "wire/conn.h"

struct listener;

/*
 * Opens address ("127.0.0.1:4318", "[::1]:4318", "localhost:0") and accepts for `set` once
 * listener_resume was called. tls is borrowed, NULL for plain. Fails with ERR_BAD_INPUT (no such
 * address) or ERR_UNAVAILABLE (port in use); the text names the address.
 */
MUST_CHECK bool listener_new(struct conn_set *set, const char *address, struct tls_context *tls,
                             struct listener **out_listener, struct err *err);
void listener_free(struct listener *listener);

const char *listener_address(const struct listener *listener); /* with the real port */

/* A connection ended, so that there may be room: accepts again if it had stopped. */
void listener_resume(struct listener *listener);

#endif
