/*
 * Listening sockets: accepting with a bound, and without a busy loop when no descriptor is left.
 *
 * DESIGN: a listener that cannot accept (EMFILE, connections_max) leaves the loop, because a socket
 * that stays readable would wake it for ever (RF-14). It comes back when a connection ends, or
 * after a pause: the descriptors may be somebody else's.
 */
#include "wire/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "base/text.h"

#define BACKLOG 4096
#define ACCEPTS_PER_TURN 64
#define PAUSE_MS 100
#define ADDRESS_BYTES 80

struct listener {
    struct conn_set *set;
    struct tls_context *tls;
    struct event *readable;
    struct event *pause;
    int fd;
    bool accepting;
    char address[ADDRESS_BYTES];
};

static void name_of(const struct sockaddr *sa, socklen_t len, char to[ADDRESS_BYTES])
{
    char host[NI_MAXHOST];
    char port[NI_MAXSERV];

    if (getnameinfo(sa, len, host, sizeof(host), port, sizeof(port),
                    NI_NUMERICHOST | NI_NUMERICSERV) != 0) {
        to[0] = '\0';
        return;
    }
    if (sa->sa_family == AF_INET6)
        (void)snprintf(to, ADDRESS_BYTES, "[%.60s]:%.8s", host, port);
    else
        (void)snprintf(to, ADDRESS_BYTES, "%.60s:%.8s", host, port);
}

static void stop_for_a_while(struct listener *listener, const char *why)
{
    const struct timeval pause = {.tv_usec = PAUSE_MS * 1000L};

    log_limited(LOG_WARN, "listen", "not accepting for now",
                "address=%s reason='%s' connections=%zu", listener->address, why,
                listener->set->count);
    (void)event_del(listener->readable);
    listener->accepting = false;
    (void)event_add(listener->pause, &pause);
}

static void accept_some(struct listener *listener)
{
    for (int i = 0; i < ACCEPTS_PER_TURN; i++) {
        struct sockaddr_storage sa = {0};
        socklen_t len = sizeof(sa);
        char peer[ADDRESS_BYTES];

        if (listener->set->count >= (size_t)listener->set->core->cfg->connections_max) {
            stop_for_a_while(listener, "connections_max is reached");
            return;
        }
        const int fd =
            accept4(listener->fd, (struct sockaddr *)&sa, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            name_of((struct sockaddr *)&sa, len, peer);
            conn_open(listener->set, fd, listener->tls, peer);
            continue;
        }
        if (errno == EAGAIN || errno == EINTR)
            return;
        if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
            stop_for_a_while(listener, "no file descriptor or memory is left");
            return;
        }
        /* ECONNABORTED and network errors belong to that one connection (accept(2)). */
    }
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    accept_some(arg);
}

static void on_pause_over(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    listener_resume(arg);
}

void listener_resume(struct listener *listener)
{
    if (listener->accepting)
        return;
    (void)event_del(listener->pause);
    listener->accepting = event_add(listener->readable, NULL) == 0;
}

/* "host:port" or "[host]:port" into its parts. */
static bool split(const char *address, char host[ADDRESS_BYTES], char port[16], struct err *err)
{
    const char *colon = strrchr(address, ':');
    const char *from = address;
    uint64_t number = 0;
    size_t host_bytes = colon ? (size_t)(colon - address) : 0;

    if (colon && host_bytes >= 2 && address[0] == '[' && colon[-1] == ']') {
        from++;
        host_bytes -= 2;
    }
    /* getaddrinfo would cut port 99999 down to 34463. */
    if (!colon || host_bytes == 0 || host_bytes >= ADDRESS_BYTES ||
        !text_uint64(bytes_of(colon + 1), &number) || number > UINT16_MAX)
        return err_set(err, ERR_BAD_INPUT, "'%.80s' is no address:port", address);
    (void)snprintf(host, ADDRESS_BYTES, "%.*s", (int)host_bytes, from);
    (void)snprintf(port, 16, "%" PRIu64, number);
    return true;
}

static bool open_socket(const struct addrinfo *info, const char *address, int *out_fd,
                        struct err *err)
{
    const int on = 1;
    const int fd = socket(info->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return err_set(err, ERR_UNAVAILABLE, "cannot listen on '%.80s': %s", address,
                       strerror(errno));
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (info->ai_family == AF_INET6)
        (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
    if (bind(fd, info->ai_addr, info->ai_addrlen) != 0 || listen(fd, BACKLOG) != 0) {
        const int cause = errno;
        (void)close(fd);
        return err_set(err, cause == EADDRNOTAVAIL ? ERR_BAD_INPUT : ERR_UNAVAILABLE,
                       "cannot listen on '%.80s': %s", address, strerror(cause));
    }
    *out_fd = fd;
    return true;
}

static bool open_address(const char *address, int *out_fd, struct err *err)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
    struct addrinfo *found = NULL;
    char host[ADDRESS_BYTES];
    char port[16];

    if (!split(address, host, port, err))
        return false;
    const int rc = getaddrinfo(host, port, &hints, &found);
    if (rc != 0)
        return err_set(err, ERR_BAD_INPUT, "'%.80s' is no address to listen on: %s", address,
                       gai_strerror(rc));
    const bool ok = open_socket(found, address, out_fd, err);
    freeaddrinfo(found);
    return ok;
}

bool listener_new(struct conn_set *set, const char *address, struct tls_context *tls,
                  struct listener **out_listener, struct err *err)
{
    struct sockaddr_storage sa = {0};
    socklen_t len = sizeof(sa);
    struct listener *listener = calloc(1, sizeof(*listener));

    if (!listener)
        return err_set(err, ERR_UNAVAILABLE, "no memory for a listener");
    listener->fd = -1;
    listener->set = set;
    listener->tls = tls;
    if (!open_address(address, &listener->fd, err)) {
        listener_free(listener);
        return false;
    }
    if (getsockname(listener->fd, (struct sockaddr *)&sa, &len) == 0)
        name_of((struct sockaddr *)&sa, len, listener->address);
    listener->readable =
        event_new(set->base, listener->fd, EV_READ | EV_PERSIST, on_readable, listener);
    listener->pause = evtimer_new(set->base, on_pause_over, listener);
    if (!listener->readable || !listener->pause) {
        listener_free(listener);
        return err_set(err, ERR_UNAVAILABLE, "no memory for a listener");
    }
    *out_listener = listener;
    return true;
}

void listener_free(struct listener *listener)
{
    if (!listener)
        return;
    if (listener->readable)
        event_free(listener->readable);
    if (listener->pause)
        event_free(listener->pause);
    if (listener->fd >= 0)
        (void)close(listener->fd);
    free(listener);
}

const char *listener_address(const struct listener *listener)
{
    return listener->address;
}
