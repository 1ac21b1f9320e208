/*
 * load: sends export requests of GenAI-shaped traces over HTTP/1.1 and prints what was acknowledged.
 *
 * DESIGN: one thread and epoll, so that the sender takes little of the machine that it measures; bodies
 * are made once and only ids and times are renewed. Closed loop: every connection sends the next
 * request when the last one was answered. Open loop (--rate): request k is due at k / rate, whatever
 * became of the others, and its latency counts from then (no coordinated omission).
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/clock.h"
#include "support/figures.h"
#include "support/load_options.h"

#define RESPONSE_BYTES 16384
#define RECONNECT_PAUSE_NS (5 * NS_PER_MS)
#define GIVE_UP_NS (60 * NS_PER_S)         /* without any answer */
#define ANSWER_PATIENCE_NS (10 * NS_PER_S) /* for the last answers, behind the end of sending */

enum state { CLOSED, IDLE, SENDING, WAITING };

struct conn {
    int fd;
    enum state state;
    struct traffic_body *body;
    uint32_t kept_spans; /* of body: sent before */
    size_t sent;         /* of head and body */
    int64_t due_ns;
    int64_t free_ns; /* closed: not connected before this time; idle: nothing sent before */
    size_t got;
    size_t head_len;
    char head[1024];
    char response[RESPONSE_BYTES];
};

struct totals {
    uint64_t requests;
    uint64_t spans;
    uint64_t kept_spans;
    uint64_t bytes;
    uint64_t partial; /* 2xx with a body: rejected spans or a warning */
    uint64_t lost;    /* connections that ended before the answer */
    uint64_t status[600];
    struct figures latency;
    struct figures refused; /* latency of answers other than 2xx */
};

struct load {
    struct load_options options;
    struct conn *conns;
    struct traffic_body **pool; /* bodies that no connection holds */
    uint32_t pool_count;
    uint32_t made;
    uint64_t seed;
    uint64_t begun;
    int epoll;
    int64_t start_ns;
    int64_t count_ns; /* answers from here on are counted */
    int64_t end_ns;   /* nothing is sent from here on */
    int64_t last_answer_ns;
    int64_t progress_ns; /* when the last answer of any kind came */
    FILE *ids;
    struct totals totals;
};

static void fail(const char *what)
{
    (void)fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
    exit(2);
}

/* ---- connections ---- */

static void conn_close(struct load *load, struct conn *conn, int64_t pause_ns)
{
    if (conn->fd >= 0)
        (void)close(conn->fd);
    if (conn->body != NULL)
        load->pool[load->pool_count++] = conn->body;
    conn->body = NULL;
    conn->fd = -1;
    conn->state = CLOSED;
    conn->free_ns = clock_mono_ns() + pause_ns;
}

static void conn_watch(struct load *load, struct conn *conn, uint32_t events, int op)
{
    struct epoll_event event = {.events = events, .data.ptr = conn};
    if (epoll_ctl(load->epoll, op, conn->fd, &event) != 0)
        fail("epoll_ctl");
}

static bool conn_open(struct load *load, struct conn *conn)
{
    const int one = 1;
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(load->options.port)};

    if (inet_pton(AF_INET, load->options.host, &to.sin_addr) != 1)
        fail("--host");
    conn->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (conn->fd < 0)
        fail("socket");
    (void)setsockopt(conn->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    if (connect(conn->fd, (struct sockaddr *)&to, sizeof(to)) != 0) {
        conn_close(load, conn, RECONNECT_PAUSE_NS);
        return false;
    }
    conn->state = IDLE;
    conn_watch(load, conn, EPOLLIN, EPOLL_CTL_ADD);
    return true;
}

/* ---- requests ---- */

static struct traffic_body *take_body(struct load *load)
{
    if (load->pool_count > 0)
        return load->pool[--load->pool_count];
    struct traffic_body *body = calloc(1, sizeof(*body));
    if (body == NULL)
        fail("calloc");
    traffic_build(&load->options.shape, &load->seed, load->made++, body);
    return body;
}

static void conn_send(struct load *load, struct conn *conn)
{
    const size_t total = conn->head_len + conn->body->bytes.len;

    while (conn->sent < total) {
        struct iovec parts[2];
        int count = 0;
        if (conn->sent < conn->head_len)
            parts[count++] = (struct iovec){conn->head + conn->sent, conn->head_len - conn->sent};
        const size_t body_at = conn->sent > conn->head_len ? conn->sent - conn->head_len : 0;
        parts[count++] =
            (struct iovec){conn->body->bytes.at + body_at, conn->body->bytes.len - body_at};
        const struct msghdr message = {.msg_iov = parts, .msg_iovlen = (size_t)count};
        const ssize_t sent = sendmsg(conn->fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0 && (errno == EAGAIN || errno == EINTR)) {
            if (conn->state != SENDING)
                conn_watch(load, conn, EPOLLIN | EPOLLOUT, EPOLL_CTL_MOD);
            conn->state = SENDING;
            return;
        }
        if (sent < 0) {
            load->totals.lost++;
            conn_close(load, conn, RECONNECT_PAUSE_NS);
            return;
        }
        conn->sent += (size_t)sent;
    }
    if (conn->state == SENDING)
        conn_watch(load, conn, EPOLLIN, EPOLL_CTL_MOD);
    conn->state = WAITING;
}

static void conn_begin(struct load *load, struct conn *conn, int64_t due_ns)
{
    const struct load_options *o = &load->options;

    conn->body = take_body(load);
    conn->kept_spans = 0;
    conn->body->sequence = load->begun;
    if (conn->body->acknowledged && o->twice_requests > 0 &&
        (double)(traffic_random(&load->seed) % 1000000) < o->twice_requests * 1e6)
        conn->kept_spans = conn->body->count;
    else
        conn->kept_spans = traffic_renew(&o->shape, &load->seed, o->twice_spans, conn->body);
    conn->head_len = (size_t)snprintf(
        conn->head, sizeof(conn->head),
        "POST %s HTTP/1.1\r\nHost: %s:%u\r\nContent-Type: %s\r\nContent-Length: %zu\r\n%s\r\n",
        o->path, o->host, o->port, o->shape.json ? "application/json" : "application/x-protobuf",
        conn->body->bytes.len, o->headers);
    conn->sent = 0;
    conn->got = 0;
    conn->due_ns = due_ns;
    load->begun++;
    conn_send(load, conn);
}

static void count_answer(struct load *load, struct conn *conn, unsigned status, size_t body_len)
{
    struct totals *t = &load->totals;
    const bool good = status >= 200 && status < 300;
    const int64_t now_ns = clock_mono_ns();

    conn->body->acknowledged = good;
    load->progress_ns = now_ns;
    if (now_ns < load->count_ns)
        return;
    load->last_answer_ns = now_ns;
    t->status[status < 600 ? status : 0]++;
    figures_add(good ? &t->latency : &t->refused, now_ns - conn->due_ns);
    if (!good)
        return;
    t->requests++;
    t->spans += conn->body->count;
    t->kept_spans += conn->kept_spans;
    t->bytes += conn->body->bytes.len;
    t->partial += body_len > 2;
    if (load->ids != NULL) {
        for (size_t i = 0; i < sizeof(conn->body->first_id); i++)
            (void)fprintf(load->ids, "%02x", conn->body->first_id[i]);
        (void)fputc('\n', load->ids);
    }
}

/* Whether the response is whole; its parts. */
static bool response_parse(struct conn *conn, unsigned *out_status, size_t *out_body_len,
                           bool *out_keep)
{
    conn->response[conn->got] = '\0';
    const char *end = strstr(conn->response, "\r\n\r\n");
    if (end == NULL || conn->got < 12)
        return false;
    const char *length = strcasestr(conn->response, "\r\ncontent-length:");
    const char *closes = strcasestr(conn->response, "\r\nconnection: close");
    *out_status = (unsigned)strtoul(conn->response + 9, NULL, 10);
    *out_body_len = length != NULL && length < end ? strtoul(length + 17, NULL, 10) : 0;
    *out_keep = closes == NULL || closes > end;
    return conn->got >= (size_t)(end + 4 - conn->response) + *out_body_len;
}

static void conn_read(struct load *load, struct conn *conn)
{
    const ssize_t got =
        recv(conn->fd, conn->response + conn->got, RESPONSE_BYTES - 1 - conn->got, MSG_DONTWAIT);
    unsigned status = 0;
    size_t body_len = 0;
    bool keep = false;

    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (got <= 0) {
        load->totals.lost += conn->body != NULL;
        conn_close(load, conn, RECONNECT_PAUSE_NS);
        return;
    }
    conn->got += (size_t)got;
    if (conn->body == NULL || conn->got >= RESPONSE_BYTES - 1) {
        conn_close(load, conn, 0); /* an answer to no question, or a huge one */
        return;
    }
    if (!response_parse(conn, &status, &body_len, &keep))
        return;
    count_answer(load, conn, status, body_len);
    if (!keep || conn->state == SENDING) { /* refused before the body was whole: as SDKs do */
        conn_close(load, conn, 0);
        return;
    }
    load->pool[load->pool_count++] = conn->body;
    conn->body = NULL;
    conn->state = IDLE;
    conn->got = 0;
    if (status >= 300 && load->options.rate <= 0)
        conn->free_ns = clock_mono_ns() + (int64_t)(load->options.pause_ms * 1e6);
}

/* ---- the loop ---- */

static bool may_begin(const struct load *load, int64_t now_ns)
{
    return now_ns < load->end_ns &&
           (load->options.requests == 0 || load->begun < load->options.requests);
}

static int64_t due_ns(const struct load *load)
{
    return load->options.rate > 0
               ? load->start_ns + (int64_t)((double)load->begun / load->options.rate * 1e9)
               : 0;
}

/* Begins what is due on free connections. Returns how long the loop may sleep. */
static int64_t begin_all(struct load *load)
{
    int64_t sleep_ns = 100 * NS_PER_MS;

    for (uint32_t i = 0; i < load->options.conns; i++) {
        struct conn *conn = &load->conns[i];
        const int64_t now_ns = clock_mono_ns();
        if (!may_begin(load, now_ns))
            return sleep_ns;
        if (conn->state != IDLE && conn->state != CLOSED)
            continue;
        const int64_t due = due_ns(load);
        const int64_t later = (due > conn->free_ns ? due : conn->free_ns) - now_ns;
        if (later > 0) {
            sleep_ns = later < sleep_ns ? later : sleep_ns;
            continue;
        }
        if (conn->state == CLOSED && !conn_open(load, conn))
            continue;
        conn_begin(load, conn, due > 0 ? due : now_ns);
    }
    return sleep_ns;
}

static bool any_open_request(const struct load *load)
{
    for (uint32_t i = 0; i < load->options.conns; i++)
        if (load->conns[i].body != NULL)
            return true;
    return false;
}

static void run(struct load *load)
{
    for (;;) {
        struct epoll_event events[256];
        const int64_t sleep_ns = begin_all(load);
        const int64_t now_ns = clock_mono_ns();
        if (now_ns > load->progress_ns + GIVE_UP_NS)
            return;
        if (!may_begin(load, now_ns) &&
            (!any_open_request(load) || now_ns > load->end_ns + ANSWER_PATIENCE_NS))
            return;
        const struct timespec sleep = {sleep_ns / NS_PER_S, sleep_ns % NS_PER_S};
        const int count = epoll_pwait2(load->epoll, events, 256, &sleep, NULL);
        if (count < 0 && errno != EINTR)
            fail("epoll_pwait2");
        for (int i = 0; i < count; i++) {
            struct conn *conn = events[i].data.ptr;
            if (conn->fd >= 0 && (events[i].events & EPOLLOUT) != 0 && conn->body != NULL)
                conn_send(load, conn);
            if (conn->fd >= 0 && (events[i].events & ~(unsigned)EPOLLOUT) != 0)
                conn_read(load, conn);
        }
    }
}

/* ---- output ---- */

static void print(struct load *load)
{
    struct totals *t = &load->totals;
    struct rusage used;
    const double s = (double)(load->last_answer_ns - load->count_ns) / 1e9;
    const double seconds = s > 0 ? s : 1e-9;
    const double spans = t->spans > 0 ? (double)t->spans : 1;

    (void)getrusage(RUSAGE_SELF, &used);
    const double cpu_us = (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1e6 +
                          (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec);
    (void)printf("spans_acked %lu spans_twice %lu seconds %.2f spans_per_s %.0f mb_per_s %.1f "
                 "wire_bytes_per_span %.0f requests_ok %lu partial %lu lost %lu "
                 "sender_us_per_span %.2f",
                 t->spans, t->kept_spans, seconds, (double)t->spans / seconds,
                 (double)t->bytes / seconds / 1e6, (double)t->bytes / spans, t->requests,
                 t->partial, t->lost, cpu_us / spans);
    figures_print(&t->latency);
    for (unsigned i = 0; i < sizeof(t->status) / sizeof(t->status[0]); i++)
        if (t->status[i] > 0)
            (void)printf(" http_%u %lu", i, t->status[i]);
    if (t->refused.count > 0) {
        figures_sort(&t->refused);
        (void)printf(" refused_p50_ms %.3f refused_p99_ms %.3f", figures_ms(&t->refused, 0.5),
                     figures_ms(&t->refused, 0.99));
    }
    (void)printf("\n");
}

int main(int argc, char *argv[])
{
    struct load load = {0};
    struct load_options *o = &load.options;

    load_options_read(o, argc, argv);
    load.seed = o->seed;
    load.conns = calloc(o->conns, sizeof(load.conns[0]));
    load.pool = calloc((size_t)o->conns + 1, sizeof(struct traffic_body *));
    load.epoll = epoll_create1(EPOLL_CLOEXEC);
    if (load.conns == NULL || load.pool == NULL || load.epoll < 0)
        fail("memory");
    if (o->ids != NULL && (load.ids = fopen(o->ids, "w")) == NULL)
        fail(o->ids);
    for (uint32_t i = 0; i < o->conns; i++)
        load.conns[i].fd = -1;
    for (uint32_t i = 0; i < o->conns; i++) /* made before the clock runs */
        load.pool[i] = take_body(&load);
    load.pool_count = o->conns;
    load.start_ns = clock_mono_ns();
    load.count_ns = load.start_ns + (int64_t)(o->warm_up_s * 1e9);
    load.last_answer_ns = load.count_ns;
    load.progress_ns = load.start_ns;
    load.end_ns = o->seconds > 0 ? load.count_ns + (int64_t)(o->seconds * 1e9) : INT64_MAX / 2;
    run(&load);
    if (load.ids != NULL && fclose(load.ids) != 0)
        fail(o->ids);
    print(&load);
    return load.totals.requests > 0 ? 0 : 1;
}
