/* A raw HTTP/1.1 client for tests: bytes go out exactly as given, answers are read whole. Nothing
 * here asserts, so that threads of load tests can use it too. */
#ifndef TESTS_SUPPORT_CLIENT_H
#define TESTS_SUPPORT_CLIENT_H

#include "base/bytes.h"

#define CLIENT_WAIT_MS 20000 /* longest wait for an answer where a test names no other */

struct client {
    int fd;           /* -1: closed */
    struct buf input; /* bytes received and not yet read as a reply */
};

/* status 0: no whole answer came. head has the status line and the fields, each ended by \r\n, and
 * a NUL behind it. */
struct reply {
    int status;
    struct buf head;
    struct buf body;
    bool chunked;
};

void reply_init(struct reply *reply);
void reply_done(struct reply *reply);
/* Value of a field (name in any case) into to; false when there is none. */
bool reply_header(const struct reply *reply, const char *name, char *to, size_t to_bytes);
/* Whether the field is there and equal to value. */
bool reply_header_is(const struct reply *reply, const char *name, const char *value);

bool client_open(struct client *client, uint16_t port);
void client_close(struct client *client);
bool client_send(struct client *client, const void *bytes, size_t len);
bool client_send_text(struct client *client, const char *text);
/* Reads one answer, skipping 100 Continue. False: connection ended, timeout, or no HTTP. to_head:
 * the request was HEAD, no body follows. */
bool client_read(struct client *client, struct reply *reply, int wait_ms, bool to_head);
/* Waits until something can be read (or the connection ended); reads nothing. */
void client_wait_input(struct client *client, int wait_ms);
/* Whether the server closes the connection within wait_ms without sending anything more. */
bool client_sees_end(struct client *client, int wait_ms);

/* A request with Content-Length on a connection that is open already. headers: further lines, each
 * ended by \r\n, or "". */
bool client_call(struct client *client, const char *method, const char *path, const char *headers,
                 struct bytes body, struct reply *reply);

/* The same on a connection of its own; reply->status 0 when no answer came. */
void http_call(uint16_t port, const char *method, const char *path, const char *headers,
               struct bytes body, struct reply *reply);
void http_get(uint16_t port, const char *path, struct reply *reply);
/* POST /v1/traces. json: content type application/json, else application/x-protobuf. */
void http_export(uint16_t port, bool json, struct bytes body, struct reply *reply);

/* Compressed copies, appended to out (zlib and zstd at level 1). */
void gzip_bytes(struct bytes from, struct buf *out);
void zstd_bytes(struct bytes from, struct buf *out);
bool gunzip_bytes(struct bytes from, struct buf *out);

/* Whole file, appended; false when it cannot be read. */
bool file_read(const char *path, struct buf *out);

int64_t mono_ms(void);

#endif
