/*
 * grpc: closed loop over gRPC: every connection (a thread each) calls TraceService/Export, waits for the answer,
 * and calls again. Same traces as bench/load. Prints spans that were answered with status 0.
 *
 *   grpc --port P [--conns N] [--seconds S] [--warm-up S] [--spans PER-REQUEST] [--message-bytes N]
 */
#include <arpa/inet.h>
#include <getopt.h>
#include <netinet/tcp.h>
#include <nghttp2/nghttp2.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "support/figures.h"
#include "support/traffic.h"

#define MAX_CONNS 256
#define PREFIX_BYTES 5
#define RECV_BYTES 8192

struct caller {
    const struct traffic_shape *shape;
    uint16_t port;
    int64_t count_ns; /* answers from here on are counted */
    int64_t end_ns;
    uint64_t seed;
    pthread_t thread;
    int fd;
    nghttp2_session *session;
    struct traffic_body body;
    uint8_t prefix[PREFIX_BYTES];
    size_t sent; /* of prefix and body */
    bool closed; /* the call's stream */
    bool good;   /* grpc-status 0 was seen */
    uint64_t ok;
    uint64_t failed;
    struct figures latency;
};

static void fail(const char *what)
{
    perror(what);
    exit(2);
}

static ssize_t on_send(nghttp2_session *session, const uint8_t *from, size_t len, int flags,
                       void *user)
{
    const struct caller *c = user;
    (void)session;
    (void)flags;
    const ssize_t sent = send(c->fd, from, len, MSG_NOSIGNAL);
    return sent < 0 ? NGHTTP2_ERR_CALLBACK_FAILURE : sent;
}

static ssize_t on_read_body(nghttp2_session *session, int32_t stream, uint8_t *to, size_t room,
                            uint32_t *flags, nghttp2_data_source *source, void *user)
{
    struct caller *c = source->ptr;
    size_t done = 0;

    (void)session;
    (void)stream;
    (void)user;
    while (c->sent < PREFIX_BYTES && done < room)
        to[done++] = c->prefix[c->sent++];
    const size_t at = c->sent - PREFIX_BYTES;
    const size_t left = c->body.bytes.len - at;
    const size_t part = left < room - done ? left : room - done;
    memcpy(to + done, c->body.bytes.at + at, part);
    c->sent += part;
    if (part == left)
        *flags |= NGHTTP2_DATA_FLAG_EOF;
    return (ssize_t)(done + part);
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                     size_t name_len, const uint8_t *value, size_t value_len, uint8_t flags,
                     void *user)
{
    struct caller *c = user;
    (void)session;
    (void)frame;
    (void)flags;
    if (name_len == 11 && memcmp(name, "grpc-status", 11) == 0)
        c->good = value_len == 1 && value[0] == '0';
    return 0;
}

static int on_closed(nghttp2_session *session, int32_t stream, uint32_t code, void *user)
{
    struct caller *c = user;
    (void)session;
    (void)stream;
    (void)code;
    c->closed = true;
    return 0;
}

static void dial(struct caller *c)
{
    const int one = 1;
    const struct sockaddr_in to = {.sin_family = AF_INET,
                                   .sin_port = htons(c->port),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    nghttp2_session_callbacks *callbacks = NULL;

    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (c->fd < 0 || connect(c->fd, (const struct sockaddr *)&to, sizeof(to)) != 0)
        fail("connect");
    (void)setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    if (nghttp2_session_callbacks_new(&callbacks) != 0)
        fail("nghttp2");
    nghttp2_session_callbacks_set_send_callback(callbacks, on_send);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_closed);
    if (nghttp2_session_client_new(&c->session, callbacks, c) != 0 ||
        nghttp2_submit_settings(c->session, NGHTTP2_FLAG_NONE, NULL, 0) != 0)
        fail("nghttp2");
    nghttp2_session_callbacks_del(callbacks);
}

static nghttp2_nv field(const char *name, const char *value)
{
    /* nghttp2 copies both and takes pointers that are not const */
    union {
        const char *from;
        uint8_t *to;
    } n = {.from = name}, v = {.from = value};
    return (nghttp2_nv){n.to, v.to, strlen(name), strlen(value), NGHTTP2_NV_FLAG_NONE};
}

static void call(struct caller *c)
{
    const nghttp2_nv fields[] = {
        field(":method", "POST"),
        field(":scheme", "http"),
        field(":path", "/opentelemetry.proto.collector.trace.v1.TraceService/Export"),
        field(":authority", "127.0.0.1"),
        field("content-type", "application/grpc"),
        field("te", "trailers"),
    };
    const nghttp2_data_provider provider = {.source.ptr = c, .read_callback = on_read_body};
    uint8_t got[RECV_BYTES];

    c->sent = 0;
    c->closed = c->good = false;
    c->prefix[0] = 0;
    put_be32(c->prefix + 1, (uint32_t)c->body.bytes.len);
    if (nghttp2_submit_request(c->session, NULL, fields, sizeof(fields) / sizeof(fields[0]),
                               &provider, NULL) < 0)
        fail("nghttp2_submit_request");
    while (!c->closed) {
        if (nghttp2_session_send(c->session) != 0)
            fail("nghttp2_session_send");
        const ssize_t len = recv(c->fd, got, sizeof(got), 0);
        if (len <= 0 || nghttp2_session_mem_recv(c->session, got, (size_t)len) != len)
            fail("the server closed the connection");
    }
}

static void *run(void *arg)
{
    struct caller *c = arg;

    traffic_build(c->shape, &c->seed, (uint32_t)c->seed, &c->body);
    dial(c);
    for (;;) {
        (void)traffic_renew(c->shape, &c->seed, 0, &c->body);
        const int64_t start_ns = clock_mono_ns();
        if (start_ns >= c->end_ns)
            break;
        call(c);
        const int64_t now_ns = clock_mono_ns();
        if (now_ns < c->count_ns)
            continue;
        c->ok += c->good;
        c->failed += !c->good;
        if (c->good)
            figures_add(&c->latency, now_ns - start_ns);
    }
    nghttp2_session_del(c->session);
    (void)close(c->fd);
    traffic_done(&c->body);
    return NULL;
}

static void print(struct caller *callers, size_t conns, double seconds)
{
    struct figures latency = {0};
    uint64_t ok = 0;
    uint64_t failed = 0;

    for (size_t i = 0; i < conns; i++) {
        ok += callers[i].ok;
        failed += callers[i].failed;
        for (size_t k = 0; k < callers[i].latency.count; k++)
            figures_add(&latency, callers[i].latency.items[k]);
        figures_done(&callers[i].latency);
    }
    (void)printf("spans_acked %lu calls_failed %lu seconds %.2f spans_per_s %.0f",
                 ok * callers[0].shape->spans, failed, seconds,
                 (double)(ok * callers[0].shape->spans) / seconds);
    figures_print(&latency);
    (void)printf("\n");
    figures_done(&latency);
}

int main(int argc, char *argv[])
{
    static const struct option options[] = {{"port", required_argument, NULL, 'p'},
                                            {"conns", required_argument, NULL, 'c'},
                                            {"seconds", required_argument, NULL, 'T'},
                                            {"warm-up", required_argument, NULL, 'w'},
                                            {"spans", required_argument, NULL, 's'},
                                            {"message-bytes", required_argument, NULL, 'b'},
                                            {NULL, 0, NULL, 0}};
    static struct caller callers[MAX_CONNS];
    struct traffic_shape shape = {
        .spans = 500, .spans_per_trace = 10, .message_bytes = 400, .services = 8, .spread_s = 60};
    uint16_t port = 4317;
    size_t conns = 8;
    double seconds = 5;
    double warm_up = 0;
    int option;

    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == '?')
            return 2;
        const double value = figures_number("option", optarg);
        if (option == 'p')
            port = (uint16_t)value;
        else if (option == 'c')
            conns = (size_t)value;
        else if (option == 's' || option == 'b')
            *(option == 's' ? &shape.spans : &shape.message_bytes) = (uint32_t)value;
        else
            *(option == 'T' ? &seconds : &warm_up) = value;
    }
    if (conns == 0 || conns > MAX_CONNS || shape.spans == 0)
        return 2;
    const int64_t count_ns = clock_mono_ns() + (int64_t)(warm_up * 1e9);
    for (size_t i = 0; i < conns; i++) {
        callers[i] = (struct caller){.shape = &shape,
                                     .port = port,
                                     .count_ns = count_ns,
                                     .end_ns = count_ns + (int64_t)(seconds * 1e9),
                                     .seed = (uint64_t)clock_wall_ns() + i * 7919};
        if (pthread_create(&callers[i].thread, NULL, run, &callers[i]) != 0)
            return 2;
    }
    for (size_t i = 0; i < conns; i++)
        (void)pthread_join(callers[i].thread, NULL);
    print(callers, conns, (double)(clock_mono_ns() - count_ns) / 1e9);
    return 0;
}
