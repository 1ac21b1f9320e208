/* A blocking HTTP/1.1 client for one request after the other. */
#ifndef BENCH_CLIENT_H
#define BENCH_CLIENT_H

#include "base/bytes.h"

struct client {
    const char *host;
    uint16_t port;
    int fd; /* -1: not connected */
    struct buf response;
};

void client_init(struct client *client, const char *host, uint16_t port);
void client_done(struct client *client);

/* Sends head and body and reads the whole response, of which *out_body is the body (borrowed until the
 * next call). Returns the status, 0 when the connection failed: it is closed then and opened again
 * by the next call. */
unsigned client_ask(struct client *client, struct bytes head, struct bytes body,
                    struct bytes *out_body);

#endif
