#include "support/client.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define RESPONSE_MAX_BYTES ((size_t)1 << 30)

void client_init(struct client *client, const char *host, uint16_t port)
{
    *client = (struct client){.host = host, .port = port, .fd = -1};
    buf_init(&client->response, RESPONSE_MAX_BYTES);
}

static unsigned lost(struct client *client)
{
    if (client->fd >= 0)
        (void)close(client->fd);
    client->fd = -1;
    return 0;
}

void client_done(struct client *client)
{
    (void)lost(client);
    buf_done(&client->response);
}

static bool dial(struct client *client)
{
    const int one = 1;
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(client->port)};

    if (client->fd >= 0)
        return true;
    client->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (client->fd < 0 || inet_pton(AF_INET, client->host, &to.sin_addr) != 1)
        return false;
    (void)setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    return connect(client->fd, (struct sockaddr *)&to, sizeof(to)) == 0;
}

static bool send_all(int fd, struct bytes what)
{
    while (what.len > 0) {
        const ssize_t sent = send(fd, what.at, what.len, MSG_NOSIGNAL);
        if (sent <= 0)
            return false;
        what.at += sent;
        what.len -= (size_t)sent;
    }
    return true;
}

/* Reads until `want` bytes are there, or with want 0 whatever comes next. */
static bool fill(struct client *client, size_t want)
{
    struct buf *b = &client->response;

    do {
        if (!buf_need(b, 65536))
            return false;
        const ssize_t got = recv(client->fd, b->at + b->len, b->cap - b->len - 1, 0);
        if (got <= 0)
            return false;
        b->len += (size_t)got;
    } while (b->len < want);
    b->at[b->len] = '\0';
    return true;
}

unsigned client_ask(struct client *client, struct bytes head, struct bytes body,
                    struct bytes *out_body)
{
    struct buf *b = &client->response;
    const char *end = NULL;

    buf_clear(b);
    if (!dial(client) || !send_all(client->fd, head) || !send_all(client->fd, body))
        return lost(client);
    while (end == NULL) {
        if (!fill(client, 0))
            return lost(client);
        end = strstr((const char *)b->at, "\r\n\r\n");
    }
    const size_t head_len = (size_t)(end + 4 - (const char *)b->at);
    const char *length = strcasestr((const char *)b->at, "\r\ncontent-length:");
    const size_t body_len = length != NULL && length < end ? strtoul(length + 17, NULL, 10) : 0;
    if (b->len < head_len + body_len && !fill(client, head_len + body_len))
        return lost(client);
    *out_body = (struct bytes){b->at + head_len, body_len};
    return (unsigned)strtoul((const char *)b->at + 9, NULL, 10);
}
