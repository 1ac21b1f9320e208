/* HTTP/2 sessions in memory, with a time of their own: requests, gRPC, and the attacks of H2-1..14. */
#include "test.h"

#include <nghttp2/nghttp2.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "wire/grpc.h"
#include "wire/http2.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define REPLIES_MAX 4096
#define PREFACE HTTP2_PREFACE

struct reply {
    int status;
    int heads;
    int grpc_status;
    char message[300];
    char details[300];
    char accepts[64];
    uint8_t body[2000];
    size_t body_len;
    bool closed;
    uint32_t code;
};

/* Both ends. */
struct pair {
    struct cfg cfg;
    struct wire_core core;
    struct wire_handlers handlers;
    struct http2 *server;
    nghttp2_session *client;
    int64_t now_ns;
    bool up;   /* the server goes on */
    bool hold; /* answers wait for pair_answer */
    struct wire_exchange *held[300];
    size_t held_count;
    size_t delivered;
    uint32_t goaway_code;
    bool goaway;
    struct reply replies[REPLIES_MAX]; /* by stream id / 2 */
    bool blocked;                      /* the client's body provider waits */
};

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

static struct reply *reply_of(struct pair *pair, int32_t id)
{
    assert_true(id >= 0 && id / 2 < REPLIES_MAX);
    return &pair->replies[id / 2];
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
        reply->status = atoi((const char *)value);
    else if (bytes_is(n, "grpc-status"))
        reply->grpc_status = atoi((const char *)value);
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

static struct pair *pair_new_with(int32_t client_window)
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

static struct pair *pair_new(void)
{
    return pair_new_with(65535);
}

static void feed(struct pair *pair, const void *at, size_t len)
{
    if (pair->up)
        pair->up = http2_feed(pair->server, (struct bytes){at, len}, pair->now_ns);
}

static void take_answers(struct pair *pair)
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
static void pump(struct pair *pair)
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

static bool tick(struct pair *pair, int64_t later_ms)
{
    bool go_on = true;

    pair->now_ns += later_ms * NS_PER_MS;
    (void)http2_tick(pair->server, pair->now_ns, &go_on);
    pump(pair);
    return go_on;
}

static void pair_answer(struct pair *pair)
{
    for (size_t i = 0; i < pair->held_count; i++)
        answer(pair->held[i]);
    pair->held_count = 0;
    take_answers(pair);
}

static void pair_free(struct pair *pair)
{
    http2_free(pair->server);
    pair_answer(pair);
    nghttp2_session_del(pair->client);
    assert_int_equal(pair->core.held_bytes, 0); /* nothing leaks from the account */
    wire_core_done(&pair->core);
    free(pair);
}

/* ---- requests ---- */

struct upload {
    struct bytes body;
    size_t at;
    bool endless;
};

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
static int32_t submit(struct pair *pair, const char *method, const char *path,
                      const char *const fields[], struct upload *upload)
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

static const char *const grpc_fields[] = {"content-type", "application/grpc", "te", "trailers",
                                          NULL};

static void answers_get_post_and_head(void **state)
{
    struct pair *pair = pair_new();
    struct upload upload = {.body = BYTES_LITERAL("hello")};
    (void)state;

    const int32_t get = submit(pair, "GET", "/a?b", NULL, NULL);
    const int32_t post = submit(pair, "POST", "/a", NULL, &upload);
    const int32_t head = submit(pair, "HEAD", "/a", NULL, NULL);
    pump(pair);
    assert_int_equal(reply_of(pair, get)->status, 200);
    assert_memory_equal(reply_of(pair, get)->body, "0", 1);
    assert_memory_equal(reply_of(pair, post)->body, "5", 1);
    assert_int_equal(reply_of(pair, head)->status, 200);
    assert_int_equal(reply_of(pair, head)->body_len, 0);
    for (int32_t id = get; id <= head; id += 2)
        assert_true(reply_of(pair, id)->closed && reply_of(pair, id)->code == NGHTTP2_NO_ERROR);
    pair_free(pair);
}

static void takes_three_mebibytes_through_its_windows(void **state)
{
    struct pair *pair = pair_new();
    const size_t body_bytes = (size_t)3 << 20;
    uint8_t *body = calloc(1, body_bytes);
    struct upload upload = {.body = {body, body_bytes}};
    (void)state;

    const int32_t id = submit(pair, "POST", "/a", NULL, &upload);
    pump(pair);
    assert_int_equal(reply_of(pair, id)->status, 200);
    assert_memory_equal(reply_of(pair, id)->body, "3145728", 7);
    pair_free(pair);
    free(body);
}

static void answers_grpc_with_message_and_trailers(void **state)
{
    struct pair *pair = pair_new();
    struct upload upload = {.body = {(const uint8_t *)"\0\0\0\0\0", 5}};
    struct upload again = upload;
    (void)state;

    const int32_t good = submit(pair, "POST", "/x", grpc_fields, &upload);
    const int32_t bad = submit(pair, "POST", "/bad", grpc_fields, &again);
    pump(pair);
    struct reply *reply = reply_of(pair, good);
    assert_int_equal(reply->status, 200);
    assert_int_equal(reply->heads, 2);
    assert_int_equal(reply->grpc_status, 0);
    assert_int_equal(reply->body_len, 5);
    assert_string_equal(reply->accepts, "identity,gzip");
    reply = reply_of(pair, bad);
    assert_int_equal(reply->status, 200);
    assert_int_equal(reply->heads, 1); /* trailers only (OTLP-62) */
    assert_int_equal(reply->grpc_status, 3);
    assert_string_equal(reply->message, "50%25 bad");
    assert_string_equal(reply->details, "YWJjZA"); /* no padding (OTLP-69) */
    pair_free(pair);
}

static void answers_other_grpc_types_with_http_415(void **state)
{
    static const char *const types[] = {"application/grpc+json", "application/grpc-web",
                                        "application/grpc-web-text+proto"};
    struct pair *pair = pair_new();
    (void)state;

    for (size_t i = 0; i < COUNT(types); i++) {
        const char *const fields[] = {"content-type", types[i], NULL};
        const int32_t id = submit(pair, "POST", "/x", fields, NULL);
        pump(pair);
        if (reply_of(pair, id)->status != 415 || reply_of(pair, id)->grpc_status != -1)
            fail_msg("%s: %d", types[i], reply_of(pair, id)->status);
    }
    assert_int_equal(pair->delivered, 0);
    pair_free(pair);
}

static void ends_calls_at_their_deadline_while_a_worker_has_them(void **state)
{
    const char *const fields[] = {"content-type", "application/grpc", "grpc-timeout", "100m", NULL};
    const char *const wrong[] = {"content-type", "application/grpc", "grpc-timeout", "9S9", NULL};
    struct pair *pair = pair_new();
    (void)state;

    pair->hold = true;
    const int32_t id = submit(pair, "POST", "/x", fields, NULL);
    const int32_t malformed = submit(pair, "POST", "/x", wrong, NULL);
    pump(pair);
    assert_int_equal(pair->held_count, 1);
    assert_int_equal(reply_of(pair, malformed)->grpc_status, 3);
    assert_true(tick(pair, 50));
    assert_false(reply_of(pair, id)->closed);
    assert_true(tick(pair, 51));
    assert_int_equal(reply_of(pair, id)->grpc_status, 4);
    assert_true(reply_of(pair, id)->closed);
    assert_true(wire_exchange_gone(pair->held[0]));
    pair_free(pair);
}

static void answers_before_the_request_ends_and_resets_without_error(void **state)
{
    struct pair *pair = pair_new();
    struct upload grpc = {.body = BYTES_LITERAL("abc"), .endless = true};
    struct upload http = {.body = BYTES_LITERAL("abc"), .endless = true};
    (void)state;

    const int32_t a = submit(pair, "POST", "/refused", grpc_fields, &grpc);
    const int32_t b = submit(pair, "POST", "/refused", NULL, &http);
    pump(pair);
    assert_int_equal(reply_of(pair, a)->grpc_status, 16);
    assert_true(reply_of(pair, a)->closed);
    assert_int_equal(reply_of(pair, a)->code, NGHTTP2_NO_ERROR);
    assert_int_equal(reply_of(pair, b)->status, 401);
    assert_false(reply_of(pair, b)->closed);
    assert_true(tick(pair, 300));
    assert_true(reply_of(pair, b)->closed);
    assert_int_equal(reply_of(pair, b)->code, NGHTTP2_NO_ERROR);
    pair_free(pair);
}

static void refuses_bodies_over_the_limit(void **state)
{
    const char *const declared[] = {"content-length", "5368709120", NULL};
    struct pair *pair = pair_new();
    struct upload small = {.body = BYTES_LITERAL("12345678901")};
    struct upload endless = {.body = BYTES_LITERAL("1"), .endless = true};
    (void)state;

    const int32_t a = submit(pair, "POST", "/small", NULL, &small);
    const int32_t b = submit(pair, "POST", "/x", declared, &endless);
    pump(pair);
    assert_int_equal(reply_of(pair, a)->status, 413);
    assert_int_equal(reply_of(pair, b)->status, 413);
    assert_int_equal(pair->delivered, 0);
    pair_free(pair);
}

static void answers_503_when_bodies_in_flight_are_too_many(void **state)
{
    const char *const one_mebibyte[] = {"content-length", "1048576", NULL};
    struct pair *pair = pair_new();
    struct upload open[2] = {{.body = BYTES_LITERAL("1"), .endless = true},
                             {.body = BYTES_LITERAL("1"), .endless = true}};
    (void)state;

    pair->cfg.in_flight_max_bytes = 1500000;
    const int32_t a = submit(pair, "POST", "/x", one_mebibyte, &open[0]);
    const int32_t b = submit(pair, "POST", "/x", one_mebibyte, &open[1]);
    pump(pair);
    assert_int_equal(reply_of(pair, a)->status, 0);
    assert_int_equal(reply_of(pair, b)->status, 503);
    pair->cfg.in_flight_max_bytes = 1024; /* not even an exchange fits: safe to retry */
    const int32_t c = submit(pair, "GET", "/x", NULL, NULL);
    pump(pair);
    assert_true(reply_of(pair, c)->closed);
    assert_int_equal(reply_of(pair, c)->code, NGHTTP2_REFUSED_STREAM);
    pair_free(pair);
}

static void answers_431_to_large_heads_and_goes_on(void **state)
{
    static char value[20001];
    const char *const large[] = {"x-a", value, NULL};
    const char *many[2 * 101 + 1];
    struct pair *pair = pair_new();
    (void)state;

    memset(value, 'v', 20000);
    for (size_t i = 0; i < 101; i++) {
        many[2 * i] = "cookie"; /* crumbs count one by one (H2-7) */
        many[2 * i + 1] = "a";
    }
    many[202] = NULL;
    const int32_t a = submit(pair, "GET", "/x", large, NULL);
    const int32_t b = submit(pair, "GET", "/x", many, NULL);
    value[7900] = '\0';
    const char *const fits[] = {"x-a", value, "x-b", value, NULL};
    const int32_t c = submit(pair, "GET", "/x", fits, NULL);
    pump(pair);
    assert_int_equal(reply_of(pair, a)->status, 431);
    assert_int_equal(reply_of(pair, b)->status, 431);
    assert_int_equal(reply_of(pair, c)->status, 200);
    pair_free(pair);
}

static void resets_malformed_requests(void **state)
{
    static const struct {
        const char *why;
        const char *fields[6];
    } cases[] = {
        {"content-length beyond the data", {"content-length", "9", NULL}},
        {"content-length below the data", {"content-length", "2", NULL}},
        {"two content-lengths", {"content-length", "3", "content-length", "3", NULL}},
        {"connection field", {"connection", "close", NULL}},
        {"transfer-encoding", {"transfer-encoding", "chunked", NULL}},
        {"te other than trailers", {"te", "gzip", NULL}},
        {"late pseudo field", {"a", "b", ":path", "/", NULL}},
        {"unknown pseudo field", {":x", "y", NULL}},
        {"LF in a value", {"a", "b\nc", NULL}},
        {"space in a name", {"a b", "c", NULL}},
    };
    (void)state;

    for (size_t i = 0; i < COUNT(cases); i++) {
        struct pair *pair = pair_new();
        struct upload upload = {.body = BYTES_LITERAL("abc")};
        const int32_t id = submit(pair, "POST", "/x", cases[i].fields, &upload);
        pump(pair);
        const struct reply *reply = reply_of(pair, id);
        if (!reply->closed || reply->code == NGHTTP2_NO_ERROR || pair->delivered > 0)
            fail_msg("%s: closed %d, code %u, status %d", cases[i].why, reply->closed, reply->code,
                     reply->status);
        pair_free(pair);
    }
}

static void frame(uint8_t to[9], size_t len, uint8_t type, uint8_t flags, uint32_t id)
{
    put_be32(to, (uint32_t)len << 8 | type);
    to[4] = flags;
    put_be32(to + 5, id);
}

static void resets_upper_case_field_names(void **state)
{
    struct pair *pair = pair_new();
    /* :method GET, :scheme http, :path /, :authority x, then a literal "A: b" (HPACK 6.2.2) */
    static const uint8_t block[] = {0x82, 0x86, 0x84, 0x01, 1, 'x', 0x00, 1, 'A', 1, 'b'};
    uint8_t bytes[9 + sizeof(block)];
    (void)state;

    pump(pair);
    frame(bytes, sizeof(block), NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS | NGHTTP2_FLAG_END_STREAM,
          1);
    memcpy(bytes + 9, block, sizeof(block));
    feed(pair, bytes, sizeof(bytes));
    assert_int_equal(pair->delivered, 0);
    bytes[9 + 8] = 'a'; /* the same in lower case is taken */
    put_be32(bytes + 5, 3);
    feed(pair, bytes, sizeof(bytes));
    take_answers(pair);
    assert_int_equal(pair->delivered, 1);
    pair_free(pair);
}

static void tells_workers_of_a_cancelled_stream(void **state)
{
    struct pair *pair = pair_new();
    (void)state;

    pair->hold = true;
    const int32_t id = submit(pair, "GET", "/x", NULL, NULL);
    pump(pair);
    assert_int_equal(pair->held_count, 1);
    assert_false(wire_exchange_gone(pair->held[0]));
    assert_int_equal(nghttp2_submit_rst_stream(pair->client, 0, id, NGHTTP2_CANCEL), 0);
    pump(pair);
    assert_true(wire_exchange_gone(pair->held[0]));
    pair_free(pair); /* its answer is taken and thrown away */
}

/* ---- attacks ---- */

static void flood(const char *why, uint8_t type, uint8_t flags, uint32_t id, size_t len)
{
    struct pair *pair = pair_new();
    struct upload open = {.body = BYTES_LITERAL("1"), .endless = true};
    uint8_t bytes[9 + 8] = {0};
    size_t sent = 0;

    (void)submit(pair, "POST", "/x", NULL, &open);
    pump(pair);
    frame(bytes, len, type, flags, id);
    while (sent < 20000 && pair->up && !http2_done(pair->server)) {
        for (int i = 0; i < 100; i++)
            feed(pair, bytes, 9 + len);
        sent += 100;
        pump(pair);
    }
    /* The library ends some floods in its own way; what counts is that they end soon. */
    if (sent > 5000 || (pair->goaway && pair->goaway_code != NGHTTP2_ENHANCE_YOUR_CALM))
        fail_msg("%s: %zu frames, goaway %d, code %u", why, sent, pair->goaway, pair->goaway_code);
    pair_free(pair);
}

static void ends_floods_of_frames_that_carry_nothing(void **state)
{
    (void)state;
    flood("PING", NGHTTP2_PING, 0, 0, 8);
    flood("PING answers", NGHTTP2_PING, NGHTTP2_FLAG_ACK, 0, 8);
    flood("SETTINGS", NGHTTP2_SETTINGS, 0, 0, 0);
    flood("empty DATA", NGHTTP2_DATA, 0, 1, 0);
    flood("PRIORITY", NGHTTP2_PRIORITY, 0, 1, 5);
}

static void keeps_one_ping_a_second(void **state)
{
    struct pair *pair = pair_new();
    (void)state;

    pump(pair);
    for (int i = 0; i < 100; i++) {
        (void)nghttp2_submit_ping(pair->client, 0, NULL);
        assert_true(tick(pair, 1000));
    }
    assert_true(pair->up && !pair->goaway);
    pair_free(pair);
}

static void ends_rapid_resets(void **state)
{
    struct pair *pair = pair_new();
    size_t streams = 0;
    (void)state;

    pair->hold = true;
    for (; streams < 1900 && pair->up && !pair->goaway; streams++) {
        const int32_t id = submit(pair, "GET", "/x", NULL, NULL);
        pump(pair);
        (void)nghttp2_submit_rst_stream(pair->client, 0, id, NGHTTP2_CANCEL);
        pump(pair);
        if (pair->held_count == COUNT(pair->held))
            pair_answer(pair); /* the workers are fast; the orphans still count */
    }
    assert_true(pair->goaway);
    assert_true(streams <= 1100);        /* nghttp2's limiter */
    assert_true(pair->delivered <= 450); /* ours: no more work than that was begun */
    pair_free(pair);
}

static void ends_clients_that_make_us_reset_streams(void **state)
{
    struct pair *pair = pair_new();
    size_t streams = 0;
    const char *const wrong[] = {"connection", "close", NULL};
    (void)state;

    for (; streams < 1000 && pair->up && !pair->goaway; streams++) {
        (void)submit(pair, "GET", "/x", wrong, NULL);
        pump(pair);
    }
    assert_true(pair->goaway);
    assert_true(streams <= 150);
    pair_free(pair);
}

static void ends_connections_without_settings(void **state)
{
    struct pair *pair = pair_new();
    (void)state;

    feed(pair, PREFACE, HTTP2_PREFACE_BYTES);
    assert_true(pair->up);
    assert_true(tick(pair, 9000));
    struct pair *quiet = pair_new();
    bool go_on = true;
    feed(quiet, PREFACE, HTTP2_PREFACE_BYTES);
    (void)http2_tick(quiet->server, quiet->now_ns + 10001 * NS_PER_MS, &go_on);
    assert_false(go_on);
    pair_free(quiet);
    pair_free(pair);
}

static void ends_header_blocks_that_never_end(void **state)
{
    struct pair *pair = pair_new();
    uint8_t bytes[10];
    (void)state;

    pump(pair);
    frame(bytes, 1, NGHTTP2_HEADERS, 0, 1); /* no END_HEADERS */
    bytes[9] = 0x82;
    feed(pair, bytes, sizeof(bytes));
    assert_true(tick(pair, 9000));
    assert_false(tick(pair, 2000));
    pair_free(pair);
}

static void refuses_a_wrong_preface(void **state)
{
    struct pair *pair = pair_new();
    (void)state;

    feed(pair, "PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n", HTTP2_PREFACE_BYTES);
    assert_false(pair->up);
    pair_free(pair);
}

static void answers_bodies_that_stop_or_crawl(void **state)
{
    struct pair *pair = pair_new();
    struct upload stopped = {.body = BYTES_LITERAL("1"), .endless = true};
    struct upload crawling = {.body = BYTES_LITERAL("1"), .endless = true};
    (void)state;

    const int32_t a = submit(pair, "POST", "/x", NULL, &stopped);
    const int32_t b = submit(pair, "POST", "/x", NULL, &crawling);
    pump(pair);
    for (int i = 0; i < 29; i++) {
        crawling.at = 0; /* another byte a second: never a pause, never an end (RF-16) */
        (void)nghttp2_session_resume_data(pair->client, b);
        pump(pair);
        assert_true(tick(pair, 1000));
    }
    assert_int_equal(reply_of(pair, a)->status, 0);
    assert_true(tick(pair, 1500));
    assert_int_equal(reply_of(pair, a)->status, 503);
    assert_int_equal(reply_of(pair, b)->status, 503);
    pair_free(pair);
}

static void gives_up_on_windows_that_stay_shut(void **state)
{
    struct pair *pair = pair_new_with(0);
    (void)state;

    const int32_t id = submit(pair, "GET", "/large", NULL, NULL);
    pump(pair);
    assert_int_equal(reply_of(pair, id)->status, 200);
    assert_true(tick(pair, 29000));
    assert_false(reply_of(pair, id)->closed);
    assert_true(tick(pair, 2000));
    assert_true(reply_of(pair, id)->closed);
    assert_int_equal(reply_of(pair, id)->code, NGHTTP2_CANCEL);
    pair_free(pair);
}

static void says_goodbye_when_idle(void **state)
{
    struct pair *pair = pair_new();
    (void)state;

    const int32_t id = submit(pair, "GET", "/x", NULL, NULL);
    pump(pair);
    assert_true(reply_of(pair, id)->closed);
    assert_true(tick(pair, 119000));
    assert_false(tick(pair, 2000));
    assert_true(pair->goaway);
    assert_int_equal(pair->goaway_code, NGHTTP2_NO_ERROR);
    pair_free(pair);
}

static void finishes_open_streams_when_it_drains(void **state)
{
    struct pair *pair = pair_new();
    (void)state;

    pair->hold = true;
    const int32_t id = submit(pair, "GET", "/x", NULL, NULL);
    pump(pair);
    http2_drain(pair->server);
    assert_true(tick(pair, 10));
    assert_true(pair->goaway);
    assert_int_equal(pair->goaway_code, NGHTTP2_NO_ERROR);
    pair_answer(pair);
    pump(pair);
    assert_int_equal(reply_of(pair, id)->status, 200);
    assert_false(tick(pair, 300));
    pair_free(pair);
}

static void gives_up_exchanges_of_a_connection_that_dies(void **state)
{
    struct pair *pair = pair_new();
    struct upload open = {.body = BYTES_LITERAL("abc"), .endless = true};
    (void)state;

    pair->hold = true;
    (void)submit(pair, "GET", "/x", NULL, NULL);
    (void)submit(pair, "POST", "/x", NULL, &open);
    pump(pair);
    http2_free(pair->server);
    pair->server = NULL;
    assert_true(wire_exchange_gone(pair->held[0]));
    pair_free(pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_get_post_and_head),
        cmocka_unit_test(takes_three_mebibytes_through_its_windows),
        cmocka_unit_test(answers_grpc_with_message_and_trailers),
        cmocka_unit_test(answers_other_grpc_types_with_http_415),
        cmocka_unit_test(ends_calls_at_their_deadline_while_a_worker_has_them),
        cmocka_unit_test(answers_before_the_request_ends_and_resets_without_error),
        cmocka_unit_test(refuses_bodies_over_the_limit),
        cmocka_unit_test(answers_503_when_bodies_in_flight_are_too_many),
        cmocka_unit_test(answers_431_to_large_heads_and_goes_on),
        cmocka_unit_test(resets_malformed_requests),
        cmocka_unit_test(resets_upper_case_field_names),
        cmocka_unit_test(tells_workers_of_a_cancelled_stream),
        cmocka_unit_test(ends_floods_of_frames_that_carry_nothing),
        cmocka_unit_test(keeps_one_ping_a_second),
        cmocka_unit_test(ends_rapid_resets),
        cmocka_unit_test(ends_clients_that_make_us_reset_streams),
        cmocka_unit_test(ends_connections_without_settings),
        cmocka_unit_test(ends_header_blocks_that_never_end),
        cmocka_unit_test(refuses_a_wrong_preface),
        cmocka_unit_test(answers_bodies_that_stop_or_crawl),
        cmocka_unit_test(gives_up_on_windows_that_stay_shut),
        cmocka_unit_test(says_goodbye_when_idle),
        cmocka_unit_test(finishes_open_streams_when_it_drains),
        cmocka_unit_test(gives_up_exchanges_of_a_connection_that_dies),
    };

    return cmocka_run_group_tests_name("http2", tests, NULL, NULL);
}
