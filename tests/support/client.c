/* A raw HTTP/1.1 client for tests. */
#include "support/client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "support/number.h"

#define CLIENT_MAX_BYTES ((size_t)512 << 20)

int64_t mono_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

void reply_init(struct reply *reply)
{
    reply->status = 0;
    reply->chunked = false;
    buf_init(&reply->head, 1 << 20);
    buf_init(&reply->body, CLIENT_MAX_BYTES);
}

void reply_done(struct reply *reply)
{
    buf_done(&reply->head);
    buf_done(&reply->body);
}

bool reply_header(const struct reply *reply, const char *name, char *to, size_t to_bytes)
{
    const char *line = reply->head.len ? (const char *)reply->head.at : "";
    size_t name_len = strlen(name);

    while ((line = strstr(line, "\r\n"))) {
        line += 2;
        if (strncasecmp(line, name, name_len) == 0 && line[name_len] == ':') {
            const char *value = line + name_len + 1;
            while (*value == ' ' || *value == '\t')
                value++;
            (void)snprintf(to, to_bytes, "%.*s", (int)strcspn(value, "\r\n"), value);
            return true;
        }
    }
    return false;
}

bool reply_header_is(const struct reply *reply, const char *name, const char *value)
{
    char found[1024];

    return reply_header(reply, name, found, sizeof(found)) && strcmp(found, value) == 0;
}

bool client_open(struct client *client, uint16_t port)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};
    int one = 1;

    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    buf_init(&client->input, CLIENT_MAX_BYTES);
    client->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (client->fd < 0)
        return false;
    (void)setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    if (connect(client->fd, (struct sockaddr *)&to, sizeof(to)) == 0)
        return true;
    client_close(client);
    return false;
}

void client_close(struct client *client)
{
    if (client->fd >= 0)
        close(client->fd);
    client->fd = -1;
    buf_done(&client->input);
    buf_init(&client->input, CLIENT_MAX_BYTES);
}

/* Waits until fd can be written or read: a server that stopped reading must not hang a test. */
static bool wait_for(int fd, short events, int64_t until_ms)
{
    int64_t left = until_ms - mono_ms();
    struct pollfd p = {.fd = fd, .events = events};

    return left > 0 && poll(&p, 1, (int)left) > 0;
}

bool client_send(struct client *client, const void *bytes, size_t len)
{
    const char *at = bytes;
    int64_t until_ms = mono_ms() + CLIENT_WAIT_MS;

    while (len > 0) {
        if (!wait_for(client->fd, POLLOUT, until_ms))
            return false;
        ssize_t n = send(client->fd, at, len, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0 && errno != EAGAIN && errno != EINTR)
            return false;
        if (n > 0) {
            at += n;
            len -= (size_t)n;
        }
    }
    return true;
}

bool client_send_text(struct client *client, const char *text)
{
    return client_send(client, text, strlen(text));
}

/* More input. 1: some came, 0: end of the connection, -1: timeout. A reset counts as an end. */
static int client_fill(struct client *client, int64_t until_ms)
{
    char room[8192];

    if (!wait_for(client->fd, POLLIN, until_ms))
        return -1;
    ssize_t n = recv(client->fd, room, sizeof(room), 0);
    if (n <= 0)
        return 0;
    buf_add(&client->input, room, (size_t)n);
    return 1;
}

static void client_drop(struct client *client, size_t len)
{
    memmove(client->input.at, client->input.at + len, client->input.len - len);
    client->input.len -= len;
}

static bool client_need(struct client *client, size_t len, int64_t until_ms)
{
    while (client->input.len < len)
        if (client_fill(client, until_ms) != 1)
            return false;
    return true;
}

/* Moves what stands before the next `mark` (mark included) to out. */
static bool client_take_line(struct client *client, const char *mark, struct buf *out,
                             int64_t until_ms)
{
    for (;;) {
        const uint8_t *at = client->input.len == 0
                                ? NULL
                                : memmem(client->input.at, client->input.len, mark, strlen(mark));
        if (at) {
            size_t len = (size_t)(at - client->input.at) + strlen(mark);
            buf_add(out, client->input.at, len);
            client_drop(client, len);
            return true;
        }
        if (client_fill(client, until_ms) != 1)
            return false;
    }
}

static bool client_read_chunks(struct client *client, struct reply *reply, int64_t until_ms)
{
    for (;;) {
        struct buf line;
        buf_init(&line, 4096);
        bool ok = client_take_line(client, "\r\n", &line, until_ms);
        buf_add_byte(&line, 0);
        size_t len = ok ? (size_t)number_at_hex((const char *)line.at) : 0;
        buf_done(&line);
        if (!ok || !client_need(client, len + 2, until_ms))
            return false;
        buf_add(&reply->body, client->input.at, len);
        client_drop(client, len + 2);
        if (len == 0)
            return true;
    }
}

static bool client_read_body(struct client *client, struct reply *reply, int64_t until_ms)
{
    char value[64];

    if (reply_header(reply, "transfer-encoding", value, sizeof(value))) {
        reply->chunked = true;
        return client_read_chunks(client, reply, until_ms);
    }
    if (reply_header(reply, "content-length", value, sizeof(value))) {
        size_t len = (size_t)number_at(value);
        if (!client_need(client, len, until_ms))
            return false;
        buf_add(&reply->body, client->input.at, len);
        client_drop(client, len);
        return true;
    }
    while (client_fill(client, until_ms) == 1)
        ;
    buf_add_bytes(&reply->body, buf_bytes(&client->input));
    client->input.len = 0;
    return true;
}

bool client_read(struct client *client, struct reply *reply, int wait_ms, bool to_head)
{
    int64_t until_ms = mono_ms() + wait_ms;
    int status = 0;

    do {
        buf_clear(&reply->head);
        buf_clear(&reply->body);
        reply->status = 0;
        if (!client_take_line(client, "\r\n\r\n", &reply->head, until_ms))
            return false;
        buf_add_byte(&reply->head, 0);
        if (reply->head.len < 13 || memcmp(reply->head.at, "HTTP/1.", 7) != 0)
            return false;
        status = (int)number_at((const char *)reply->head.at + 9);
    } while (status == 100);
    if (!to_head && status != 204 && status != 304 && !client_read_body(client, reply, until_ms))
        return false;
    reply->status = status;
    return true;
}

void client_wait_input(struct client *client, int wait_ms)
{
    (void)wait_for(client->fd, POLLIN, mono_ms() + wait_ms);
}

bool client_sees_end(struct client *client, int wait_ms)
{
    return client->input.len == 0 && client_fill(client, mono_ms() + wait_ms) == 0;
}

bool client_call(struct client *client, const char *method, const char *path, const char *headers,
                 struct bytes body, struct reply *reply)
{
    struct buf head;
    bool get = strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0;

    buf_init(&head, 1 << 20);
    buf_printf(&head, "%s %s HTTP/1.1\r\nHost: 127.0.0.1\r\n%s", method, path, headers);
    if (!get)
        buf_printf(&head, "Content-Length: %zu\r\n", body.len);
    buf_add_text(&head, "\r\n");
    bool sent = client_send(client, head.at, head.len);
    buf_done(&head);
    /* An early refusal may end our sending; the answer counts all the same. */
    if (sent)
        (void)client_send(client, body.at, body.len);
    return sent && client_read(client, reply, CLIENT_WAIT_MS, strcmp(method, "HEAD") == 0);
}

void http_call(uint16_t port, const char *method, const char *path, const char *headers,
               struct bytes body, struct reply *reply)
{
    struct client client;

    reply->status = 0;
    if (!client_open(&client, port))
        return;
    if (!client_call(&client, method, path, headers, body, reply))
        reply->status = 0;
    client_close(&client);
}

void http_get(uint16_t port, const char *path, struct reply *reply)
{
    http_call(port, "GET", path, "", (struct bytes){0}, reply);
}

void http_export(uint16_t port, bool json, struct bytes body, struct reply *reply)
{
    http_call(port, "POST", "/v1/traces",
              json ? "Content-Type: application/json\r\n"
                   : "Content-Type: application/x-protobuf\r\n",
              body, reply);
}

void gzip_bytes(struct bytes from, struct buf *out)
{
    z_stream z = {0};
    uint8_t room[8192];
    int rc = Z_OK;

    (void)deflateInit2(&z, 1, Z_DEFLATED, 15 + 16, 9, Z_DEFAULT_STRATEGY);
    z.next_in = (Bytef *)(uintptr_t)from.at;
    z.avail_in = (uInt)from.len;
    while (rc != Z_STREAM_END) {
        z.next_out = room;
        z.avail_out = sizeof(room);
        rc = deflate(&z, Z_FINISH);
        buf_add(out, room, sizeof(room) - z.avail_out);
    }
    (void)deflateEnd(&z);
}

bool gunzip_bytes(struct bytes from, struct buf *out)
{
    z_stream z = {.next_in = (Bytef *)(uintptr_t)from.at, .avail_in = (uInt)from.len};
    uint8_t room[8192];
    int rc = inflateInit2(&z, 15 + 16);

    while (rc == Z_OK) {
        z.next_out = room;
        z.avail_out = sizeof(room);
        rc = inflate(&z, Z_NO_FLUSH);
        buf_add(out, room, sizeof(room) - z.avail_out);
    }
    (void)inflateEnd(&z);
    return rc == Z_STREAM_END;
}

void zstd_bytes(struct bytes from, struct buf *out)
{
    size_t bound = ZSTD_compressBound(from.len);

    if (!buf_need(out, bound))
        return;
    size_t len = ZSTD_compress(out->at + out->len, bound, from.at, from.len, 1);
    if (!ZSTD_isError(len))
        out->len += len;
}

bool file_read(const char *path, struct buf *out)
{
    FILE *f = fopen(path, "rbe");
    char room[8192];
    size_t n;

    if (!f)
        return false;
    while ((n = fread(room, 1, sizeof(room), f)) > 0)
        buf_add(out, room, n);
    (void)fclose(f);
    return buf_ok(out);
}
