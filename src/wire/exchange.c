/* One request and its response, apart from any protocol. */
#include "wire/exchange.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/stats.h"

/* A declared length is believed up to here; beyond it memory follows the bytes that really come, so
 * that a lie costs the liar bandwidth. */
#define TRUSTED_LENGTH_BYTES ((size_t)1 << 20)
#define UNKNOWN_LENGTH_BYTES ((size_t)16 << 10)
/* Buffers of ended bodies that wait for the next one: fresh memory costs a page fault per 4 KiB, 92
 * for a body of 375 KB. */
#define SPARE_MIN_BYTES ((size_t)64 << 10)
#define SPARE_MAX_BYTES ((size_t)1 << 20)
#define ERROR_BODY_MAX_BYTES ((size_t)64 << 10)
#define EXCHANGE_BYTES (sizeof(struct wire_exchange) + 1024)

bool wire_core_init(struct wire_core *core, const struct cfg *cfg,
                    const struct wire_handlers *handlers, struct err *err)
{
    *core = (struct wire_core){.cfg = cfg, .handlers = handlers, .io_thread = pthread_self()};
    if (pthread_mutex_init(&core->lock, NULL) != 0)
        return err_set(err, ERR_UNAVAILABLE, "no mutex");
    return true;
}

void wire_core_done(struct wire_core *core)
{
    struct wire_exchange *exchange = exchange_take_answered(core);

    while (exchange) {
        struct wire_exchange *next = exchange->next;
        exchange_free(exchange);
        exchange = next;
    }
    while (core->spare_count > 0)
        buf_done(&core->spares[--core->spare_count]);
    (void)pthread_mutex_destroy(&core->lock);
}

/* Ends a body's buffer: kept for another body, or freed. */
static void give_back(struct wire_core *core, struct buf *body)
{
    if (core->spare_count < WIRE_SPARES && body->cap >= SPARE_MIN_BYTES &&
        body->cap <= SPARE_MAX_BYTES)
        core->spares[core->spare_count++] = *body;
    else
        buf_done(body);
    *body = (struct buf){0};
}

/* A spare buffer of at least cap bytes, and not much more. */
static bool take_spare(struct wire_core *core, size_t cap, struct buf *out_spare)
{
    for (size_t i = core->spare_count; i-- > 0;) {
        if (core->spares[i].cap < cap || core->spares[i].cap / 2 > cap)
            continue;
        *out_spare = core->spares[i];
        core->spares[i] = core->spares[--core->spare_count];
        return true;
    }
    return false;
}

static bool hold(struct wire_exchange *exchange, size_t more)
{
    struct wire_core *core = exchange->core;
    const size_t cap = (size_t)core->cfg->in_flight_max_bytes;

    if (core->held_bytes > cap || more > cap - core->held_bytes)
        return false;
    core->held_bytes += more;
    exchange->held_bytes += more;
    return true;
}

bool exchange_fits(const struct wire_core *core)
{
    return core->held_bytes + EXCHANGE_BYTES <= (size_t)core->cfg->in_flight_max_bytes;
}

struct wire_exchange *exchange_new(struct wire_core *core, struct conn *conn, const char *peer)
{
    struct wire_exchange *exchange = malloc(sizeof(*exchange));

    if (!exchange)
        return NULL;
    exchange->request = (struct http_request){.header_count = 0};
    exchange->core = core;
    exchange->conn = conn;
    exchange->stream = NULL;
    exchange->held_bytes = EXCHANGE_BYTES;
    core->held_bytes += EXCHANGE_BYTES;
    exchange->max_body_bytes = (size_t)core->cfg->body_max_bytes;
    exchange->delivered = false;
    atomic_init(&exchange->gone, false);
    exchange->next = NULL;
    buf_init(&exchange->head, SIZE_MAX / 4);
    buf_init(&exchange->body, exchange->max_body_bytes);
    http_response_init(&exchange->response, 0);
    (void)snprintf(exchange->request.peer, sizeof(exchange->request.peer), "%s", peer);
    return exchange;
}

void exchange_free(struct wire_exchange *exchange)
{
    if (!exchange)
        return;
    exchange->core->held_bytes -= exchange->held_bytes;
    stats_add(STAT_BODY_BYTES_IN_FLIGHT, -(int64_t)exchange->body.cap);
    buf_done(&exchange->head);
    give_back(exchange->core, &exchange->body);
    http_response_done(&exchange->response);
    free(exchange);
}

void exchange_drop(struct wire_exchange *exchange)
{
    if (!exchange)
        return;
    if (!exchange->delivered) {
        exchange_free(exchange);
        return;
    }
    exchange->conn = NULL;
    exchange->stream = NULL;
    atomic_store_explicit(&exchange->gone, true, memory_order_relaxed);
}

bool exchange_admit(struct wire_exchange *exchange, int64_t content_length, struct err *err)
{
    struct wire_core *core = exchange->core;
    size_t max_body_bytes = (size_t)core->cfg->body_max_bytes;

    if (!core->handlers->head(core->handlers->user, &exchange->request, &max_body_bytes, err))
        return false;
    exchange->max_body_bytes = max_body_bytes;
    exchange->body.max = max_body_bytes;
    if (content_length < 0)
        return true;
    if ((uint64_t)content_length > max_body_bytes)
        return err_set(err, ERR_TOO_LARGE, "body has %" PRId64 " bytes, limit %zu", content_length,
                       max_body_bytes);
    /* The buffer ends up exactly as large as the body. */
    exchange->body.max = (size_t)content_length;
    if (content_length > 0 &&
        (core->held_bytes > (size_t)core->cfg->in_flight_max_bytes ||
         (size_t)content_length > (size_t)core->cfg->in_flight_max_bytes - core->held_bytes))
        return err_set(err, ERR_UNAVAILABLE, "too many request bytes in flight");
    return true;
}

/* Sets the body's capacity, charged first. */
static bool grow_body(struct wire_exchange *exchange, size_t cap, struct err *err)
{
    struct buf *body = &exchange->body;
    const size_t before = body->cap;
    struct buf spare;

    if (before == 0 && take_spare(exchange->core, cap, &spare)) {
        if (!hold(exchange, spare.cap)) {
            give_back(exchange->core, &spare);
            return err_set(err, ERR_UNAVAILABLE, "too many request bytes in flight");
        }
        body->at = spare.at;
        body->cap = spare.cap;
        stats_add(STAT_BODY_BYTES_IN_FLIGHT, (int64_t)spare.cap);
        return true;
    }
    if (!hold(exchange, cap - before))
        return err_set(err, ERR_UNAVAILABLE, "too many request bytes in flight");
    /* Not buf_grow: its doubling would pass the trusted length, and the charge must be exact. */
    uint8_t *at = realloc(body->at, cap);
    if (!at)
        return err_set(err, ERR_UNAVAILABLE, "no memory for a request body");
    body->at = at;
    body->cap = cap;
    stats_add(STAT_BODY_BYTES_IN_FLIGHT, (int64_t)(cap - before));
    return true;
}

bool exchange_room(struct wire_exchange *exchange, size_t most, size_t *out_room, struct err *err)
{
    struct buf *body = &exchange->body;

    if (body->len == body->max)
        return err_set(err, ERR_TOO_LARGE, "body has more than %zu bytes", body->max);
    if (body->len == body->cap) {
        const bool declared = body->max < exchange->max_body_bytes;
        const size_t first = declared ? TRUSTED_LENGTH_BYTES : UNKNOWN_LENGTH_BYTES;
        size_t cap = body->cap > body->max / 2 ? body->max : body->cap * 2;

        if (body->cap == 0)
            cap = first < body->max ? first : body->max;
        if (!grow_body(exchange, cap, err))
            return false;
    }
    /* A spare buffer may be larger than this body may become. */
    const size_t end = body->cap < body->max ? body->cap : body->max;
    *out_room = end - body->len < most ? end - body->len : most;
    return true;
}

bool exchange_take(struct wire_exchange *exchange, struct bytes piece, struct err *err)
{
    struct buf *body = &exchange->body;

    while (piece.len > 0) {
        size_t room = 0;
        if (!exchange_room(exchange, piece.len, &room, err))
            return false;
        memcpy(body->at + body->len, piece.at, room);
        body->len += room;
        piece.at += room;
        piece.len -= room;
    }
    return true;
}

void exchange_deliver(struct wire_exchange *exchange)
{
    static const enum stat counters[] = {
        [HTTP_PROTOCOL_1] = STAT_REQUESTS_HTTP1,
        [HTTP_PROTOCOL_2] = STAT_REQUESTS_HTTP2,
        [HTTP_PROTOCOL_GRPC] = STAT_REQUESTS_GRPC,
    };
    const struct wire_handlers *handlers = exchange->core->handlers;
    struct http_request *request = &exchange->request;

    stats_add(counters[request->protocol], 1);
    stats_add(STAT_BODY_BYTES, (int64_t)exchange->body.len);
    request->body = buf_bytes(&exchange->body);
    request->received_ns = clock_wall_ns();
    exchange->delivered = true;
    handlers->request(handlers->user, exchange, request);
}

void exchange_refusal(struct wire_core *core, const struct wire_exchange *exchange,
                      const struct err *err, struct http_response *out_response)
{
    static const struct http_request nothing;

    http_response_init(out_response, ERROR_BODY_MAX_BYTES);
    core->handlers->error(core->handlers->user, exchange ? &exchange->request : &nothing, err,
                          out_response);
}

void exchange_count(enum http_protocol protocol, const struct http_response *response)
{
    int class = response->status / 100;

    if (protocol == HTTP_PROTOCOL_GRPC) {
        /* UNKNOWN, DEADLINE_EXCEEDED, INTERNAL, UNAVAILABLE, DATA_LOSS are ours; others theirs. */
        static const bool ours[] = {[2] = true, [4] = true, [13] = true, [14] = true, [15] = true};
        const int code = response->grpc_code;
        class = code == 0 ? 2 : (unsigned)code < sizeof(ours) && ours[code] ? 5 : 4;
    }
    stats_add(class == 2   ? STAT_RESPONSES_2XX
              : class == 5 ? STAT_RESPONSES_5XX
                           : STAT_RESPONSES_4XX,
              1);
}

void exchange_answered(struct wire_exchange *exchange, struct http_response *response)
{
    struct wire_core *core = exchange->core;

    exchange->response = *response;
    *response = (struct http_response){0};
    (void)pthread_mutex_lock(&core->lock);
    const bool was_empty = core->first_answered == NULL;
    if (was_empty)
        core->first_answered = exchange;
    else
        core->last_answered->next = exchange;
    core->last_answered = exchange;
    (void)pthread_mutex_unlock(&core->lock);
    /* Who finds the queue filled need not wake: the io thread has not taken it yet. */
    if (was_empty && core->wake)
        core->wake(core->wake_user, pthread_equal(core->io_thread, pthread_self()) != 0);
}

struct wire_exchange *exchange_take_answered(struct wire_core *core)
{
    struct wire_exchange *first;

    (void)pthread_mutex_lock(&core->lock);
    first = core->first_answered;
    core->first_answered = NULL;
    core->last_answered = NULL;
    (void)pthread_mutex_unlock(&core->lock);
    return first;
}
