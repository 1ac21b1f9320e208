/* Both ends of an HTTP/2 connection in memory. */
#include "support/h2pair.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/text.h"
#include "test.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static int fake_conn;

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

static void answer(struct wire_exchange *exchange)
{
    const struct http_request *request = &exchange->request;
    struct http_response response;

    http_response_init(&response, 100000);
    response.content_type = "text/plain";
    response.headers = "x-a: b\r\nx-c: d\r\n";
    if (bytes_is(request->path, "/bad")) {
        response.grpc_code = 3;
        (void)snprintf(response.grpc_message, sizeof(response.grpc_message), "50%% bad");
        buf_add_text(&response.grpc_details, "abcd");
    } else if (bytes_is(request->path, "/large")) {
        for (int i = 0; i < 100000; i++)
            buf_add_byte(&response.body, 'x');
    } else if (request->protocol != HTTP_PROTOCOL_GRPC) {
        buf_printf(&response.body, "%zu", request->body.len);
    }
    wire_respond(exchange, &response);
}

static void on_request(void *user, struct wire_exchange *exchange, struct http_request *request)
{
    struct pair *pair = user;

    (void)request;
    pair->delivered++;
    if (!pair->hold) {
        answer(exchange);
        return;
    }
    assert_true(pair->held_count < COUNT(pair->held));
    pair->held[pair->held_count++] = exchange;
}

static void on_error(void *user, const struct http_request *request, const struct err *err,
                     struct http_response *response)
{
    (void)user;
    (void)request;
    response->status = err_http_status(err->kind);
    response->grpc_code = err_grpc_code(err->kind);
    response->content_type = "text/plain";
    response->retry_after_s = err_may_retry(err->kind) ? 1 : 0;
    (void)snprintf(response->grpc_message, sizeof(response->grpc_message), "%s", err->text);
    buf_add_text(&response->body, err->text);
}

/* ---- the client's callbacks ---- */

struct reply *reply_of(struct pair *pair, int32_t id)
{
    assert_true(id >= 0 && id / 2 < REPLIES_MAX);
    return &pair->replies[id / 2];
}

static int number(const uint8_t *at, size_t len)
{
    int64_t value = -2;

    (void)text_int64((struct bytes){at, len}, &value);
    return (int)value;
}

static int client_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                         size_t name_len, const uint8_t *value, size_t value_len, uint8_t flags,
                         void *user)
{
    struct reply *reply = reply_of(user, frame->hd.stream_id);
    const struct bytes n = {name, name_len};

    (void)session;
    (void)flags;
    if (bytes_is(n, ":status"))
        reply->status = number((const uint8_t *)value, value_len);
    else if (bytes_is(n, "grpc-status"))
        reply->grpc_status = number((const uint8_t *)value, value_len);
    else if (bytes_is(n, "grpc-message"))
        (void)snprintf(reply->message, sizeof(reply->message), "%.*s", (int)value_len, value);
    else if (bytes_is(n, "grpc-status-details-bin"))
        (void)snprintf(reply->details, sizeof(reply->details), "%.*s", (int)value_len, value);
    else if (bytes_is(n, "grpc-accept-encoding"))
        (void)snprintf(reply->accepts, sizeof(reply->accepts), "%.*s", (int)value_len, value);
    return 0;
}

static int client_frame(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
    struct pair *pair = user;

    (void)session;
    if (frame->hd.type == NGHTTP2_HEADERS)
        reply_of(pair, frame->hd.stream_id)->heads++;
    if (frame->hd.type == NGHTTP2_GOAWAY) {
        pair->goaway = true;
        pair->goaway_code = frame->goaway.error_code;
    }
    return 0;
}

static int client_data(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *at,
                       size_t len, void *user)
{
    struct reply *reply = reply_of(user, id);
    const size_t room = sizeof(reply->body) - reply->body_len;

    (void)session;
    (void)flags;
    memcpy(reply->body + reply->body_len, at, len < room ? len : room);
    reply->body_len += len < room ? len : room;
    return 0;
}

static int client_close(nghttp2_session *session, int32_t id, uint32_t code, void *user)
{
    struct reply *reply = reply_of(user, id);

    (void)session;
    reply->closed = true;
    reply->code = code;
    return 0;
}

struct pair *pair_new_with(int32_t client_window)
{
    static const char *const off = "off";
    struct pair *pair = calloc(1, sizeof(*pair));
    nghttp2_session_callbacks *callbacks;
    nghttp2_option *option;
    struct err err;

    assert_non_null(pair);
    pair->cfg = (struct cfg){
#define CFG_TEXT(id, fallback, help) .id = (fallback),
#define CFG_NUMBER(id, fallback, min, max, help) .id = (fallback),
#include "base/cfg.def"
#undef CFG_TEXT
#undef CFG_NUMBER
    };
    pair->cfg.grpc_listen = off;
    pair->cfg.body_max_bytes = 4 << 20;
    pair->handlers = (struct wire_handlers){
        .user = pair, .head = on_head, .request = on_request, .error = on_error};
    pair->now_ns = 1000 * NS_PER_S;
    pair->up = true;
    for (size_t i = 0; i < REPLIES_MAX; i++)
        pair->replies[i].grpc_status = -1;
    assert_true(wire_core_init(&pair->core, &pair->cfg, &pair->handlers, &err));
    pair->server = http2_new(&pair->core, (struct conn *)(void *)&fake_conn, "peer", pair->now_ns);
    assert_non_null(pair->server);

    assert_int_equal(nghttp2_session_callbacks_new(&callbacks), 0);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, client_header);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, client_frame);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, client_data);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, client_close);
    assert_int_equal(nghttp2_option_new(&option), 0);
    nghttp2_option_set_no_http_messaging(option, 1); /* so that it sends what is wrong */
    assert_int_equal(nghttp2_session_client_new2(&pair->client, callbacks, pair, option), 0);
    nghttp2_option_del(option);
    nghttp2_session_callbacks_del(callbacks);
    const nghttp2_settings_entry window = {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE,
                                           (uint32_t)client_window};
    assert_int_equal(nghttp2_submit_settings(pair->client, 0, &window, 1), 0);
    return pair;
}

struct pair *pair_new(void)
{
    return pair_new_with(65535);
}

void feed(struct pair *pair, const void *at, size_t len)
{
    if (pair->up)
        pair->up = http2_feed(pair->server, (struct bytes){at, len}, pair->now_ns);
}

void take_answers(struct pair *pair)
{
    struct wire_exchange *exchange = exchange_take_answered(&pair->core);

    while (exchange) {
        struct wire_exchange *next = exchange->next;
        if (exchange->conn)
            http2_answer(pair->server, exchange, pair->now_ns);
        else
            exchange_free(exchange);
        exchange = next;
    }
}

/* Moves bytes both ways until neither side has any. */
void pump(struct pair *pair)
{
    struct buf out;
    bool moved = true;

    buf_init(&out, 100 << 20);
    while (moved) {
        const uint8_t *at = NULL;
        ssize_t len;
        moved = false;
        while ((len = nghttp2_session_mem_send(pair->client, &at)) > 0) {
            feed(pair, at, (size_t)len);
            moved = true;
        }
        take_answers(pair);
        buf_clear(&out);
        (void)!http2_pull(pair->server, &out, 1 << 20);
        if (out.len > 0) {
            (void)!nghttp2_session_mem_recv(pair->client, out.at, out.len);
            moved = true;
        }
    }
    buf_done(&out);
}

bool tick(struct pair *pair, int64_t later_ms)
{
    bool go_on = true;

    pair->now_ns += later_ms * NS_PER_MS;
    (void)http2_tick(pair->server, pair->now_ns, &go_on);
    pump(pair);
    return go_on;
}

void pair_answer(struct pair *pair)
{
    for (size_t i = 0; i < pair->held_count; i++)
        answer(pair->held[i]);
    pair->held_count = 0;
    take_answers(pair);
}

void pair_free(struct pair *pair)
{
    http2_free(pair->server);
    pair_answer(pair);
    nghttp2_session_del(pair->client);
    assert_int_equal(pair->core.held_bytes, 0); /* nothing leaks from the account */
    wire_core_done(&pair->core);
    free(pair);
}

static ssize_t read_upload(nghttp2_session *session, int32_t id, uint8_t *to, size_t len,
                           uint32_t *flags, nghttp2_data_source *source, void *user)
{
    struct upload *upload = source->ptr;
    const size_t rest = upload->body.len - upload->at;
    const size_t n = rest < len ? rest : len;

    (void)session;
    (void)id;
    (void)user;
    if (n == 0 && upload->endless)
        return NGHTTP2_ERR_DEFERRED;
    memcpy(to, upload->body.at + upload->at, n);
    upload->at += n;
    if (upload->at == upload->body.len && !upload->endless)
        *flags |= NGHTTP2_DATA_FLAG_EOF;
    return (ssize_t)n;
}

/* fields: name, value, …, NULL behind the four pseudo fields. Returns the stream. */
int32_t submit(struct pair *pair, const char *method, const char *path, const char *const fields[],
               struct upload *upload)
{
    nghttp2_nv nv[150];
    size_t n = 0;
    const nghttp2_data_provider provider = {.source.ptr = upload, .read_callback = read_upload};
    const char *const head[] = {":method", method,       ":path", path, ":scheme",
                                "http",    ":authority", "x",     NULL};

    for (int part = 0; part < 2; part++) {
        const char *const *f = part == 0 ? head : fields;
        for (; f && f[0]; f += 2)
            nv[n++] = (nghttp2_nv){(uint8_t *)(uintptr_t)f[0], (uint8_t *)(uintptr_t)f[1],
                                   strlen(f[0]), strlen(f[1]), NGHTTP2_NV_FLAG_NONE};
    }
    const int32_t id =
        nghttp2_submit_request(pair->client, NULL, nv, n, upload ? &provider : NULL, NULL);
    assert_true(id > 0);
    return id;
}

void frame(uint8_t to[9], size_t len, uint8_t type, uint8_t flags, uint32_t id)
{
    put_be32(to, (uint32_t)len << 8 | type);
    to[4] = flags;
    put_be32(to + 5, id);
}
