/* A wire server in a thread, for tests. */
#include "support/rig.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/stats.h"
#include "base/text.h"
#include "test.h"
#include "wire/exchange.h"

static bool on_head(void *user, const struct http_request *request, size_t *out_max_body_bytes,
                    struct err *err)
{
    (void)user;
    if (bytes_is(request->path, "/refused"))
        return err_set(err, ERR_UNAUTHENTICATED, "no key");
    if (bytes_is(request->path, "/small"))
        *out_max_body_bytes = 10;
    return true;
}

static void answer(struct wire_exchange *exchange, const struct http_request *request)
{
    struct http_response response;

    http_response_init(&response, SIZE_MAX / 4);
    response.content_type = "text/plain";
    response.headers = "x-frame-options: DENY\r\n";
    buf_add_bytes(&response.body, request->method);
    buf_add_byte(&response.body, ' ');
    buf_add_bytes(&response.body, request->path);
    buf_add_byte(&response.body, ' ');
    if (bytes_is(request->path, "/large")) {
        uint64_t bytes = 0;
        (void)text_uint64(request->query, &bytes);
        buf_clear(&response.body);
        if (buf_grow(&response.body, (size_t)bytes))
            memset(response.body.at, 'x', (size_t)bytes);
        response.body.len = (size_t)bytes;
    } else if (bytes_is(request->path, "/length"))
        buf_printf(&response.body, "%zu", request->body.len);
    else
        buf_add_bytes(&response.body, request->body);
    wire_respond(exchange, &response);
}

static void on_request(void *user, struct wire_exchange *exchange, struct http_request *request)
{
    struct rig *rig = user;

    if (!rig->hold || !bytes_is(request->path, "/held")) {
        answer(exchange, request);
        return;
    }
    (void)pthread_mutex_lock(&rig->lock);
    assert_true(rig->held_count < RIG_HELD_MAX);
    rig->held[rig->held_count++] = exchange;
    (void)pthread_cond_broadcast(&rig->changed);
    (void)pthread_mutex_unlock(&rig->lock);
}

static void on_error(void *user, const struct http_request *request, const struct err *err,
                     struct http_response *response)
{
    (void)user;
    response->status = err_http_status(err->kind);
    response->grpc_code = err_grpc_code(err->kind);
    (void)snprintf(response->grpc_message, sizeof(response->grpc_message), "%s", err->text);
    response->content_type = "text/plain";
    response->retry_after_s = err_may_retry(err->kind) ? 1 : 0;
    buf_printf(&response->body, "error %s %.*s", err_kind_name(err->kind), (int)request->path.len,
               request->path.len ? (const char *)request->path.at : "");
}

static void *run(void *arg)
{
    wire_server_run(((struct rig *)arg)->server);
    return NULL;
}

struct cfg rig_defaults(void)
{
    struct cfg cfg = {
#define CFG_TEXT(id, fallback, help) .id = (fallback),
#define CFG_NUMBER(id, fallback, min, max, help) .id = (fallback),
#include "base/cfg.def"
#undef CFG_TEXT
#undef CFG_NUMBER
    };

    cfg.listen = "127.0.0.1:0";
    cfg.grpc_listen = "off";
    return cfg;
}

struct rig *rig_start_with(struct cfg cfg)
{
    struct rig *rig = calloc(1, sizeof(*rig));
    struct err err;

    assert_non_null(rig);
    rig->cfg = cfg;
    rig->handlers = (struct wire_handlers){
        .user = rig, .head = on_head, .request = on_request, .error = on_error};
    assert_int_equal(pthread_mutex_init(&rig->lock, NULL), 0);
    assert_int_equal(pthread_cond_init(&rig->changed, NULL), 0);
    if (!wire_server_new(&rig->cfg, &rig->handlers, &rig->server, &err))
        fail_msg("%s", err.text);
    assert_int_equal(pthread_create(&rig->io, NULL, run, rig), 0);
    return rig;
}

struct rig *rig_start(void)
{
    return rig_start_with(rig_defaults());
}

void rig_stop(struct rig *rig)
{
    wire_server_stop(rig->server);
    assert_int_equal(pthread_join(rig->io, NULL), 0);
    wire_server_free(rig->server);
    (void)pthread_mutex_destroy(&rig->lock);
    (void)pthread_cond_destroy(&rig->changed);
    free(rig);
    assert_int_equal(stats_get(STAT_BODY_BYTES_IN_FLIGHT), 0);
    assert_int_equal(stats_get(STAT_CONNECTIONS_OPEN), 0);
}

uint16_t rig_port(const struct rig *rig)
{
    const char *address = wire_server_address(rig->server, 0);
    unsigned port = 0;

    for (const char *at = strrchr(address, ':') + 1; *at; at++)
        port = port * 10 + (unsigned)(*at - '0');
    return (uint16_t)port;
}

void rig_wait_held(struct rig *rig, size_t count)
{
    (void)pthread_mutex_lock(&rig->lock);
    while (rig->held_count < count)
        (void)pthread_cond_wait(&rig->changed, &rig->lock);
    (void)pthread_mutex_unlock(&rig->lock);
}

void rig_release(struct rig *rig)
{
    struct wire_exchange *held[RIG_HELD_MAX];
    size_t count;

    (void)pthread_mutex_lock(&rig->lock);
    count = rig->held_count;
    memcpy(held, rig->held, count * sizeof(held[0]));
    rig->held_count = 0;
    (void)pthread_mutex_unlock(&rig->lock);
    for (size_t i = 0; i < count; i++)
        answer(held[i], &held[i]->request);
}

int dial(const struct rig *rig)
{
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    dial_with(rig, fd);
    return fd;
}

void dial_with(const struct rig *rig, int fd)
{
    struct sockaddr_in sin = {.sin_family = AF_INET};

    sin.sin_port = htons(rig_port(rig));
    sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(connect(fd, (struct sockaddr *)&sin, sizeof(sin)), 0);
}

void send_text(int fd, const char *text)
{
    size_t left = strlen(text);

    while (left > 0) {
        const ssize_t n = send(fd, text, left, MSG_NOSIGNAL);
        if (n <= 0)
            return; /* the server may have closed: what it said counts */
        text += n;
        left -= (size_t)n;
    }
}

/* Reads until `until` was seen, or with NULL until the end. Returns whether it was. */
bool read_until(int fd, const char *until, char *to, size_t to_bytes)
{
    size_t len = 0;

    to[0] = '\0';
    while (len + 1 < to_bytes) {
        struct pollfd ready = {.fd = fd, .events = POLLIN};
        if (poll(&ready, 1, RIG_WAIT_MS) <= 0)
            return false;
        const ssize_t n = recv(fd, to + len, to_bytes - 1 - len, 0);
        if (n <= 0)
            return until == NULL;
        len += (size_t)n;
        to[len] = '\0';
        if (until && strstr(to, until))
            return true;
    }
    return false;
}

void expect(int fd, const char *until)
{
    char seen[4096];

    if (!read_until(fd, until, seen, sizeof(seen)))
        fail_msg("wanted \"%s\", got \"%s\"", until, seen);
}

void expect_end(int fd)
{
    char seen[4096];

    if (!read_until(fd, NULL, seen, sizeof(seen)))
        fail_msg("not closed, got \"%s\"", seen);
}
