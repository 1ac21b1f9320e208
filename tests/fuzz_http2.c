/*
 * An HTTP/2 session behind its preface: frames of any kind, with answers at once, later, or never,
 * and time that passes. Nothing may leak from the account of bytes in flight.
 */
#include <stdlib.h>

#include "base/clock.h"
#include "wire/http2.h"

int LLVMFuzzerTestOneInput(const uint8_t *at, size_t len);

#define HELD_MAX 64

static struct wire_exchange *held[HELD_MAX];
static size_t held_count;
static int fake_conn;

static void answer(struct wire_exchange *exchange)
{
    struct http_response response;

    http_response_init(&response, 1 << 20);
    response.content_type = "text/plain";
    buf_add_bytes(&response.body, exchange->request.body);
    wire_respond(exchange, &response);
}

static bool on_head(void *user, const struct http_request *request, size_t *out_max_body_bytes,
                    struct err *err)
{
    (void)user;
    if (request->path.len > 3)
        *out_max_body_bytes = 100;
    return request->path.len != 2 ? true : err_set(err, ERR_FORBIDDEN, "two characters");
}

static void on_request(void *user, struct wire_exchange *exchange, struct http_request *request)
{
    (void)user;
    /* Reads all that a handler could read: the sanitizers look at it. */
    size_t sum = request->method.len + request->path.len + request->query.len;
    for (size_t i = 0; i < request->header_count; i++)
        for (size_t k = 0; k < request->headers[i].value.len; k++)
            sum += request->headers[i].value.at[k];
    if (sum % 3 == 0 && held_count < HELD_MAX)
        held[held_count++] = exchange;
    else
        answer(exchange);
}

static void on_error(void *user, const struct http_request *request, const struct err *err,
                     struct http_response *response)
{
    (void)user;
    (void)request;
    response->status = err_http_status(err->kind);
    response->grpc_code = err_grpc_code(err->kind);
    buf_add_text(&response->body, err->text);
}

static void take_answers(struct wire_core *core, struct http2 *h2, int64_t now_ns)
{
    struct wire_exchange *exchange = exchange_take_answered(core);

    while (exchange) {
        struct wire_exchange *next = exchange->next;
        if (exchange->conn)
            http2_answer(h2, exchange, now_ns);
        else
            exchange_free(exchange);
        exchange = next;
    }
}

static void answer_held(void)
{
    while (held_count > 0)
        answer(held[--held_count]);
}

static void run(struct wire_core *core, struct bytes input)
{
    int64_t now_ns = NS_PER_S;
    struct http2 *h2 = http2_new(core, (struct conn *)(void *)&fake_conn, "fuzz", now_ns);
    struct buf out;
    bool go_on = h2 && http2_feed(h2, BYTES_LITERAL(HTTP2_PREFACE), now_ns);

    buf_init(&out, 16 << 20);
    /* Each piece: a byte for its length, a byte for the time that passes before it. */
    while (go_on && input.len > 2) {
        const size_t n = input.at[0] < input.len - 2 ? input.at[0] : input.len - 2;
        now_ns += (int64_t)input.at[1] * input.at[1] * NS_PER_MS;
        go_on = http2_feed(h2, (struct bytes){input.at + 2, n}, now_ns);
        if (input.at[1] % 4 == 1)
            answer_held();
        take_answers(core, h2, now_ns);
        if (go_on)
            (void)http2_tick(h2, now_ns, &go_on);
        if (input.at[1] % 8 == 2)
            http2_drain(h2);
        buf_clear(&out);
        go_on = http2_pull(h2, &out, 1 << 20) && go_on && !http2_done(h2);
        input.at += n + 2;
        input.len -= n + 2;
    }
    http2_free(h2);
    answer_held();
    take_answers(core, NULL, now_ns);
    buf_done(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *at, size_t len)
{
    static struct cfg cfg = {
#define CFG_TEXT(id, fallback, help) .id = (fallback),
#define CFG_NUMBER(id, fallback, min, max, help) .id = (fallback),
#include "base/cfg.def"
#undef CFG_TEXT
#undef CFG_NUMBER
    };
    const struct wire_handlers handlers = {
        .head = on_head, .request = on_request, .error = on_error};
    struct wire_core core;
    struct err err;

    cfg.in_flight_max_bytes = 1 << 20;
    cfg.body_max_bytes = 1 << 18;
    if (!wire_core_init(&core, &cfg, &handlers, &err))
        abort();
    run(&core, (struct bytes){at, len});
    if (core.held_bytes != 0)
        abort();
    wire_core_done(&core);
    return 0;
}
