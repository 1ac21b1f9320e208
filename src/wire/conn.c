/* Connections: sockets, deadlines, choice of the protocol, and the driving of HTTP/2. */
#include "wire/conn.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/stats.h"

#define READ_HEAD_BYTES ((size_t)16 << 10) /* small: what follows the head can go to its place */
#define READ_TURN_BYTES ((size_t)1 << 20)  /* one connection's share of a round of the loop */
#define PULL_BYTES ((size_t)128 << 10)     /* HTTP/2 frames made ahead of the socket */
#define IN_MAX_BYTES ((size_t)512 << 10)
#define KEEP_BYTES ((size_t)4 << 10) /* buffer that an idle connection keeps */

static void h2_run(struct conn *conn);

void conn_deadline(struct conn *conn, int64_t at_ns)
{
    conn->deadline_ns = at_ns;
    /* A deadline that moved away leaves the timer alone: it fires early and is set again. */
    if (at_ns >= conn->armed_ns)
        return;
    int64_t wait_ns = at_ns - clock_mono_ns();
    if (wait_ns < 0)
        wait_ns = 0;
    const int64_t wait_us = wait_ns / NS_PER_US + 1;
    const struct timeval wait = {.tv_sec = wait_us / 1000000, .tv_usec = wait_us % 1000000};
    if (event_add(&conn->timer, &wait) == 0)
        conn->armed_ns = at_ns;
}

void conn_deadline_in(struct conn *conn, int64_t after_ms)
{
    conn_deadline(conn, clock_mono_ns() + after_ms * NS_PER_MS);
}

static void conn_free(struct conn *conn)
{
    struct conn_set *set = conn->set;

    (void)event_del(&conn->read_event);
    (void)event_del(&conn->write_event);
    (void)event_del(&conn->timer);
    exchange_drop(conn->exchange);
    http2_free(conn->h2);
    if (conn->tls)
        tls_close_notify(conn->tls);
    tls_session_free(conn->tls);
    (void)close(conn->fd);
    buf_done(&conn->in);
    buf_done(&conn->out);
    buf_done(&conn->out_body);
    if (conn->prev)
        conn->prev->next = conn->next;
    else
        set->first = conn->next;
    if (conn->next)
        conn->next->prev = conn->prev;
    free(conn);
    set->count--;
    stats_add(STAT_CONNECTIONS_OPEN, -1);
    if (set->closed)
        set->closed(set->closed_user);
}

static size_t pending(const struct conn *conn)
{
    return (conn->out.len - conn->out_sent) + (conn->out_body.len - conn->body_sent);
}

static bool wants_bytes(const struct conn *conn)
{
    if (conn->eof)
        return false;
    switch (conn->protocol) {
    case CONN_HTTP1:
        return conn_http1_wants(conn);
    case CONN_HTTP2:
        /* A peer that does not take our frames gets no chance to make us queue more. */
        return pending(conn) < PULL_BYTES;
    case CONN_UNKNOWN:
        break;
    }
    return true;
}

/* The end of every callback. */
static void conn_settle(struct conn *conn)
{
    if (conn->dead) {
        conn_free(conn);
        return;
    }
    const bool wants = wants_bytes(conn);
    if (wants == conn->reading)
        return;
    conn->reading = wants;
    if (!wants) {
        (void)event_del(&conn->read_event);
        return;
    }
    (void)event_add(&conn->read_event, NULL);
    /* Bytes that OpenSSL has decrypted already make no socket readable. */
    if (conn->tls)
        event_active(&conn->read_event, EV_READ, 0);
}

static size_t read_tls(struct conn *conn, uint8_t *to, size_t len)
{
    size_t count = 0;

    switch (tls_read(conn->tls, to, len, &count)) {
    case TLS_DONE:
        break;
    case TLS_AGAIN:
        if (tls_read_wants_write(conn->tls))
            (void)event_add(&conn->write_event, NULL);
        break;
    case TLS_EOF:
        conn->eof = true;
        break;
    case TLS_FAILED:
        conn->dead = true;
        break;
    }
    return count;
}

size_t conn_read(struct conn *conn, uint8_t *to, size_t len)
{
    if (conn->tls) {
        conn->drained = false;
        return read_tls(conn, to, len);
    }
    const ssize_t got = recv(conn->fd, to, len, 0);
    conn->drained = got < (ssize_t)len;
    if (got > 0)
        return (size_t)got;
    if (got == 0)
        conn->eof = true;
    else if (errno != EAGAIN && errno != EINTR)
        conn->dead = true;
    return 0;
}

/* Sends what it can of both buffers. Returns the number of bytes, 0 when the socket takes none. */
static size_t send_some(struct conn *conn)
{
    struct iovec parts[2] = {{0}};
    size_t n = 0;

    if (conn->out_sent < conn->out.len)
        parts[n++] = (struct iovec){conn->out.at + conn->out_sent, conn->out.len - conn->out_sent};
    if (conn->body_sent < conn->out_body.len)
        parts[n++] = (struct iovec){conn->out_body.at + conn->body_sent,
                                    conn->out_body.len - conn->body_sent};
    if (conn->tls) {
        size_t count = 0;
        const enum tls_result result =
            tls_write(conn->tls, parts[0].iov_base, parts[0].iov_len, &count);
        if (result == TLS_EOF || result == TLS_FAILED)
            conn->dead = true;
        return count;
    }
    const struct msghdr message = {.msg_iov = parts, .msg_iovlen = n};
    const ssize_t sent = sendmsg(conn->fd, &message, MSG_NOSIGNAL);
    if (sent >= 0)
        return (size_t)sent;
    if (errno != EAGAIN && errno != EINTR)
        conn->dead = true;
    return 0;
}

bool conn_flush(struct conn *conn)
{
    bool progress = false;

    while (pending(conn) > 0 && !conn->dead) {
        size_t sent = send_some(conn);
        if (sent == 0)
            break;
        progress = true;
        const size_t of_out =
            sent < conn->out.len - conn->out_sent ? sent : conn->out.len - conn->out_sent;
        conn->out_sent += of_out;
        conn->body_sent += sent - of_out;
    }
    if (conn->dead)
        return true;
    if (pending(conn) == 0) {
        buf_shrink(&conn->out, KEEP_BYTES);
        buf_done(&conn->out_body);
        conn->out_sent = 0;
        conn->body_sent = 0;
        conn->write_deadline_ns = CONN_NEVER;
        return true;
    }
    (void)event_add(&conn->write_event, NULL);
    if (progress || conn->write_deadline_ns == CONN_NEVER)
        conn->write_deadline_ns =
            clock_mono_ns() + conn->set->core->cfg->write_timeout_ms * NS_PER_MS;
    if (conn->write_deadline_ns < conn->deadline_ns)
        conn_deadline(conn, conn->write_deadline_ns);
    return false;
}

static void become_h2(struct conn *conn, struct bytes first)
{
    const int64_t now_ns = clock_mono_ns();

    conn->protocol = CONN_HTTP2;
    conn->h2 = http2_new(conn->set->core, conn, conn->peer, now_ns);
    if (!conn->h2) {
        conn->dead = true;
        return;
    }
    if (!http2_feed(conn->h2, first, now_ns))
        conn->closing = true;
    h2_run(conn);
}

/* Both protocols may come on both ports; the preface tells them apart (RFC 9113 3.4). */
static void choose_protocol(struct conn *conn, struct bytes piece)
{
    buf_add_bytes(&conn->in, piece);
    if (!buf_ok(&conn->in)) {
        conn->dead = true;
        return;
    }
    const size_t n = conn->in.len < HTTP2_PREFACE_BYTES ? conn->in.len : HTTP2_PREFACE_BYTES;
    const bool alike = memcmp(conn->in.at, HTTP2_PREFACE, n) == 0;
    if (alike && n < HTTP2_PREFACE_BYTES)
        return;
    if (alike || (conn->tls && tls_chose_h2(conn->tls))) {
        struct buf first = conn->in;
        buf_init(&conn->in, IN_MAX_BYTES);
        become_h2(conn, buf_bytes(&first));
        buf_done(&first);
        return;
    }
    conn->protocol = CONN_HTTP1;
    conn_http1_input(conn, (struct bytes){0});
}

static void take(struct conn *conn, struct bytes piece)
{
    switch (conn->protocol) {
    case CONN_UNKNOWN:
        if (conn->in.len == 0)
            conn_deadline_in(conn, conn->set->core->cfg->header_timeout_ms);
        choose_protocol(conn, piece);
        break;
    case CONN_HTTP1:
        conn_http1_input(conn, piece);
        break;
    case CONN_HTTP2:
        if (!http2_feed(conn->h2, piece, clock_mono_ns()))
            conn->closing = true;
        break;
    }
}

static size_t read_once(struct conn *conn)
{
    const bool much =
        conn->protocol == CONN_HTTP2 || (conn->protocol == CONN_HTTP1 && conn_http1_in_body(conn));
    const size_t len = much ? CONN_SCRATCH_BYTES : READ_HEAD_BYTES;

    if (conn->protocol == CONN_HTTP1 && conn_http1_is_direct(conn))
        return conn_http1_read_body(conn);
    const size_t got = conn_read(conn, conn->set->scratch, len);
    if (got > 0)
        take(conn, (struct bytes){conn->set->scratch, got});
    return got;
}

static void conn_input(struct conn *conn)
{
    size_t turn = 0;

    while (!conn->dead && !conn->closing && wants_bytes(conn)) {
        const size_t got = read_once(conn);
        turn += got;
        if (got == 0 || conn->drained)
            break;
        /* A whole request is in: clients rarely send a second one before its answer, so another
         * read would be in vain. What OpenSSL holds must be taken, it makes no socket readable. */
        if (conn->protocol == CONN_HTTP1 && conn->phase == PHASE_WAIT && !conn->tls)
            break;
        if (turn >= READ_TURN_BYTES) {
            if (conn->tls)
                event_active(&conn->read_event, EV_READ, 0);
            break;
        }
    }
    if (conn->protocol == CONN_HTTP2 && !conn->dead)
        h2_run(conn);
    if (!conn->eof || conn->dead)
        return;
    if (conn->protocol == CONN_HTTP1)
        conn_http1_eof(conn);
    else
        conn->dead = true;
}

static void on_read(evutil_socket_t fd, short what, void *arg)
{
    struct conn *conn = arg;

    (void)fd;
    (void)what;
    conn_input(conn);
    conn_settle(conn);
}

static void on_write(evutil_socket_t fd, short what, void *arg)
{
    struct conn *conn = arg;

    (void)fd;
    (void)what;
    if (conn->tls && tls_read_wants_write(conn->tls))
        conn_input(conn);
    if (!conn->dead && conn_flush(conn) && !conn->dead) {
        if (conn->protocol == CONN_HTTP1)
            conn_http1_sent(conn);
        else if (conn->protocol == CONN_HTTP2)
            h2_run(conn);
    }
    conn_settle(conn);
}

/* What passed its deadline, then frames out as long as the socket takes them. */
static void h2_run(struct conn *conn)
{
    bool go_on = true;
    const int64_t next_ns = http2_tick(conn->h2, clock_mono_ns(), &go_on);

    conn->closing = conn->closing || !go_on;
    /* Only behind what is out: else a client that reads slowly would let the buffer grow. */
    while (!conn->dead && conn_flush(conn) && !conn->dead) {
        if (!http2_pull(conn->h2, &conn->out, PULL_BYTES))
            conn->closing = true;
        if (pending(conn) == 0) {
            conn->dead = conn->closing || http2_done(conn->h2);
            break;
        }
    }
    if (conn->dead)
        return;
    conn_deadline(conn, next_ns < conn->write_deadline_ns ? next_ns : conn->write_deadline_ns);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    struct conn *conn = arg;
    const int64_t now_ns = clock_mono_ns();

    (void)fd;
    (void)what;
    conn->armed_ns = CONN_NEVER;
    if (now_ns < conn->deadline_ns) {
        if (conn->deadline_ns != CONN_NEVER)
            conn_deadline(conn, conn->deadline_ns);
        return;
    }
    if (now_ns >= conn->write_deadline_ns || conn->protocol == CONN_UNKNOWN)
        conn->dead = true;
    else if (conn->protocol == CONN_HTTP1)
        conn_http1_timeout(conn);
    else
        h2_run(conn);
    conn_settle(conn);
}

static struct conn *conn_new(struct conn_set *set, int fd, const char *peer)
{
    struct conn *conn = calloc(1, sizeof(*conn));

    if (!conn)
        return NULL;
    conn->set = set;
    conn->fd = fd;
    conn->deadline_ns = CONN_NEVER;
    conn->armed_ns = CONN_NEVER;
    conn->write_deadline_ns = CONN_NEVER;
    buf_init(&conn->in, IN_MAX_BYTES);
    buf_init(&conn->out, SIZE_MAX / 4); /* bounded by PULL_BYTES or by one response head */
    buf_init(&conn->out_body, SIZE_MAX / 4);
    (void)snprintf(conn->peer, sizeof(conn->peer), "%s", peer);
    return conn;
}

void conn_open(struct conn_set *set, int fd, struct tls_context *tls, const char *peer)
{
    const int on = 1;
    struct conn *conn = conn_new(set, fd, peer);

    if (conn && tls)
        conn->tls = tls_session_new(tls, fd);
    if (!conn || (tls && !conn->tls)) {
        free(conn);
        (void)close(fd);
        return;
    }
    /* Answers are written whole; waiting for more would only delay them. */
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    (void)event_assign(&conn->read_event, set->base, fd, EV_READ | EV_PERSIST, on_read, conn);
    (void)event_assign(&conn->write_event, set->base, fd, EV_WRITE, on_write, conn);
    (void)evtimer_assign(&conn->timer, set->base, on_timer, conn);
    conn->next = set->first;
    if (set->first)
        set->first->prev = conn;
    set->first = conn;
    set->count++;
    stats_add(STAT_CONNECTIONS, 1);
    stats_add(STAT_CONNECTIONS_OPEN, 1);
    /* A handshake has to be over as fast as a head; without TLS the first byte may take longer. */
    conn_deadline_in(conn,
                     tls ? set->core->cfg->header_timeout_ms : set->core->cfg->idle_timeout_ms);
    conn_settle(conn);
}

void conn_answer_all(struct conn_set *set, struct wire_exchange *first)
{
    const int64_t now_ns = clock_mono_ns();
    struct conn *answered = NULL;

    (void)set;
    while (first) {
        struct wire_exchange *exchange = first;
        struct conn *conn = exchange->conn;

        first = exchange->next;
        if (!conn) {
            exchange_free(exchange);
        } else if (conn->protocol == CONN_HTTP1) {
            conn_http1_answer(conn, exchange);
            conn_settle(conn);
        } else {
            http2_answer(conn->h2, exchange, now_ns);
            /* Written once all answers are known: many streams, one system call. */
            if (!conn->answered) {
                conn->answered = true;
                conn->next_answered = answered;
                answered = conn;
            }
        }
    }
    while (answered) {
        struct conn *conn = answered;
        answered = conn->next_answered;
        conn->answered = false;
        h2_run(conn);
        conn_settle(conn);
    }
}

void conn_drain_all(struct conn_set *set)
{
    struct conn *next;

    for (struct conn *conn = set->first; conn; conn = next) {
        next = conn->next;
        /* A request that is in the socket already was accepted: it is answered (OTLP-11). */
        if (conn->reading)
            conn_input(conn);
        if (conn->dead || conn->protocol == CONN_UNKNOWN) {
            conn->dead = true;
        } else if (conn->protocol == CONN_HTTP1) {
            conn_http1_drain(conn);
        } else {
            http2_drain(conn->h2);
            h2_run(conn);
        }
        conn_settle(conn);
    }
}

void conn_free_all(struct conn_set *set)
{
    struct conn *next;

    for (struct conn *conn = set->first; conn; conn = next) {
        next = conn->next;
        conn_free(conn);
    }
}
