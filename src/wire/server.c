/*
 * The server: loop, listeners, the way back from the workers, and the orderly end.
 *
 * DESIGN: an eventfd wakes the loop for answers and for stop; it is written once a batch (see
 * exchange_answered), and not at all when the answer is given on the io thread.
 */
#include "wire/server.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "wire/listen.h"

#define SIGNALS 2
#define LISTENERS 2

struct wire_server {
    struct wire_core core;
    struct conn_set set;
    struct event_base *base;
    struct tls_context *tls;
    struct listener *listeners[LISTENERS];
    char addresses[LISTENERS][96];
    struct event *woken;
    struct event *signals[SIGNALS];
    struct event *drain_end;
    int wake_fd;
    _Atomic bool stop;
};

static void wake(struct wire_server *server)
{
    const uint64_t one = 1;

    (void)!write(server->wake_fd, &one, sizeof(one));
}

static void on_answers(void *user, bool on_io_thread)
{
    struct wire_server *server = user;

    if (on_io_thread)
        event_active(server->woken, EV_TIMEOUT, 0); /* not EV_READ: there is nothing to read */
    else
        wake(server);
}

static void end_if_empty(struct wire_server *server)
{
    if (server->core.draining && server->set.count == 0)
        (void)event_base_loopbreak(server->base);
}

static void on_conn_closed(void *user)
{
    struct wire_server *server = user;

    for (size_t i = 0; i < LISTENERS; i++)
        if (server->listeners[i])
            listener_resume(server->listeners[i]);
    end_if_empty(server);
}

static void on_drain_end(evutil_socket_t fd, short what, void *arg)
{
    struct wire_server *server = arg;

    (void)fd;
    (void)what;
    log_event(LOG_WARN, "serve", "drain time is over, closing what is open", "connections=%zu",
              server->set.count);
    (void)event_base_loopbreak(server->base);
}

static void drain(struct wire_server *server)
{
    const int64_t ms = server->core.cfg->drain_timeout_ms;
    const struct timeval limit = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};

    if (server->core.draining)
        return;
    server->core.draining = true;
    for (size_t i = 0; i < LISTENERS; i++) {
        listener_free(server->listeners[i]);
        server->listeners[i] = NULL;
    }
    (void)event_add(server->drain_end, &limit);
    conn_drain_all(&server->set);
    end_if_empty(server);
}

static void on_woken(evutil_socket_t fd, short what, void *arg)
{
    struct wire_server *server = arg;
    uint64_t count = 0;

    if (what & EV_READ)
        (void)!read(fd, &count, sizeof(count));
    conn_answer_all(&server->set, exchange_take_answered(&server->core));
    if (atomic_load(&server->stop))
        drain(server);
}

static void on_signal(evutil_socket_t number, short what, void *arg)
{
    (void)what;
    log_event(LOG_INFO, "serve", "stopping", "signal=%d", (int)number);
    wire_server_stop(arg);
}

static bool make_events(struct wire_server *server, struct err *err)
{
    static const int numbers[SIGNALS] = {SIGTERM, SIGINT};
    bool ok = true;

    server->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    server->base = event_base_new();
    server->set.scratch = malloc(CONN_SCRATCH_BYTES);
    if (server->wake_fd < 0 || !server->base || !server->set.scratch)
        return err_set(err, ERR_UNAVAILABLE, "no event loop: %s", strerror(errno));
    server->set.base = server->base;
    server->woken =
        event_new(server->base, server->wake_fd, EV_READ | EV_PERSIST, on_woken, server);
    server->drain_end = evtimer_new(server->base, on_drain_end, server);
    for (size_t i = 0; i < SIGNALS; i++) {
        server->signals[i] = evsignal_new(server->base, numbers[i], on_signal, server);
        ok = ok && server->signals[i] && event_add(server->signals[i], NULL) == 0;
    }
    ok = ok && server->woken && server->drain_end && event_add(server->woken, NULL) == 0;
    return ok ? true : err_set(err, ERR_UNAVAILABLE, "no memory for the event loop");
}

static bool open_listeners(struct wire_server *server, struct err *err)
{
    const struct cfg *cfg = server->core.cfg;
    const char *const addresses[LISTENERS] = {cfg->listen, cfg->grpc_listen};

    for (size_t i = 0; i < LISTENERS; i++) {
        if (addresses[i][0] == '\0' || strcmp(addresses[i], "off") == 0)
            continue;
        if (!listener_new(&server->set, addresses[i], server->tls, &server->listeners[i], err))
            return false;
        (void)snprintf(server->addresses[i], sizeof(server->addresses[i]), "%s",
                       listener_address(server->listeners[i]));
    }
    return true;
}

static bool start(struct wire_server *server, struct err *err)
{
    const struct cfg *cfg = server->core.cfg;

    if ((cfg->tls_cert[0] != '\0') != (cfg->tls_key[0] != '\0'))
        return err_set(err, ERR_BAD_INPUT, "tls-cert and tls-key go together");
    if (cfg->tls_cert[0] && !tls_context_new(cfg->tls_cert, cfg->tls_key, &server->tls, err))
        return false;
    return make_events(server, err) && open_listeners(server, err);
}

bool wire_server_new(const struct cfg *cfg, const struct wire_handlers *handlers,
                     struct wire_server **out_server, struct err *err)
{
    struct wire_server *server = calloc(1, sizeof(*server));

    if (!server)
        return err_set(err, ERR_UNAVAILABLE, "no memory for the server");
    server->wake_fd = -1;
    if (!wire_core_init(&server->core, cfg, handlers, err)) {
        free(server);
        return false;
    }
    server->core.wake = on_answers;
    server->core.wake_user = server;
    server->set.core = &server->core;
    server->set.closed = on_conn_closed;
    server->set.closed_user = server;
    /* OpenSSL writes with write(2); a peer that left must be an error there, not a signal. */
    (void)signal(SIGPIPE, SIG_IGN);
    if (!start(server, err)) {
        wire_server_free(server);
        return false;
    }
    *out_server = server;
    return true;
}

const char *wire_server_address(const struct wire_server *server, int which)
{
    return which >= 0 && which < LISTENERS ? server->addresses[which] : "";
}

void wire_server_run(struct wire_server *server)
{
    server->core.io_thread = pthread_self();
    for (size_t i = 0; i < LISTENERS; i++)
        if (server->listeners[i])
            listener_resume(server->listeners[i]);
    (void)event_base_dispatch(server->base);
    conn_free_all(&server->set);
}

void wire_server_stop(struct wire_server *server)
{
    atomic_store(&server->stop, true);
    wake(server);
}

void wire_server_free(struct wire_server *server)
{
    if (!server)
        return;
    server->set.closed = NULL;
    conn_free_all(&server->set);
    wire_core_done(&server->core);
    for (size_t i = 0; i < LISTENERS; i++)
        listener_free(server->listeners[i]);
    for (size_t i = 0; i < SIGNALS; i++)
        if (server->signals[i])
            event_free(server->signals[i]);
    if (server->woken)
        event_free(server->woken);
    if (server->drain_end)
        event_free(server->drain_end);
    if (server->base)
        event_base_free(server->base);
    tls_context_free(server->tls);
    free(server->set.scratch);
    if (server->wake_fd >= 0)
        (void)close(server->wake_fd);
    free(server);
}

void wire_respond(struct wire_exchange *exchange, struct http_response *response)
{
    exchange_answered(exchange, response);
}

bool wire_exchange_gone(const struct wire_exchange *exchange)
{
    const int64_t deadline_ns = exchange->request.deadline_mono_ns;

    return atomic_load_explicit(&exchange->gone, memory_order_relaxed) ||
           (deadline_ns != 0 && clock_mono_ns() >= deadline_ns);
}
