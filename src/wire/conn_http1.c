/* HTTP/1 on a connection: one request at a time, answers in order, refusals that clients can read.
 */
#include "base/clock.h"
#include "wire/conn.h"

#include <sys/socket.h>

#define PIPELINE_BYTES ((size_t)64 << 10)   /* kept of requests that came before their turn */
#define DRAIN_MAX_BYTES ((uint64_t)1 << 20) /* of a refused body, to keep the connection */
#define LINGER_MAX_BYTES ((size_t)16 << 20) /* thrown away so that a refusal arrives */
#define LINGER_MS 2000
#define MIN_BYTES_PER_S ((int64_t)16 << 10) /* a body slower than this runs out of time (RF-16) */
#define INLINE_BODY_BYTES ((size_t)4 << 10) /* response bodies sent in one piece with the head */

static const struct cfg *cfg_of(const struct conn *conn)
{
    return conn->set->core->cfg;
}

static uint64_t body_left(const struct conn *conn)
{
    return conn->head.content_length - conn->exchange->body.len;
}

/* The pause between pieces is limited, and so is the whole: a byte a second is no upload. */
static void body_deadline(struct conn *conn)
{
    const int64_t pause_ns = cfg_of(conn)->body_timeout_ms * NS_PER_MS;
    const int64_t earned_ns = (int64_t)conn->exchange->body.len / MIN_BYTES_PER_S * NS_PER_S;
    const int64_t pause_end_ns = clock_mono_ns() + pause_ns;
    const int64_t whole_end_ns = conn->body_start_ns + pause_ns + earned_ns;

    conn_deadline(conn, pause_end_ns < whole_end_ns ? pause_end_ns : whole_end_ns);
}

static void next_request(struct conn *conn)
{
    conn->phase = PHASE_HEAD;
    conn->scan = (struct http1_scan){0};
    conn->head = (struct http1_head){0};
    conn_deadline_in(conn, cfg_of(conn)->idle_timeout_ms);
    if (conn->set->core->draining && conn->in.len == 0)
        conn->dead = true;
}

static void linger(struct conn *conn)
{
    if (conn->tls)
        tls_close_notify(conn->tls);
    (void)shutdown(conn->fd, SHUT_WR);
    conn->discarded = 0;
    conn_deadline_in(conn, LINGER_MS);
    conn->dead = conn->dead || conn->eof;
}

/* Everything was written: what comes next. Takes no further input. */
static void sent(struct conn *conn)
{
    if (conn->dead)
        return;
    if (conn->phase == PHASE_LINGER)
        linger(conn);
    else if (conn->phase == PHASE_SEND && conn->is_last)
        conn->dead = true;
    else if (conn->phase == PHASE_SEND)
        next_request(conn);
}

/*
 * Writes the response, which it frees, and sets the next phase. unread: body bytes of the request
 * that are still to come, UINT64_MAX when that is unknown or the connection cannot be kept.
 */
static void respond(struct conn *conn, struct http_response *response, uint64_t unread)
{
    struct wire_core *core = conn->set->core;
    const bool keep = conn->head.keep_alive && !response->close && !core->draining &&
                      unread <= DRAIN_MAX_BYTES && (!conn->eof || conn->in.len > 0);

    http1_write_head(&conn->out, response,
                     (struct http1_reply){.close = !keep, .keep_alive = conn->head.is_1_0});
    exchange_count(HTTP_PROTOCOL_1, response);
    if (!conn->is_head_method && http1_status_has_body(response->status)) {
        if (response->body.len <= INLINE_BODY_BYTES) {
            buf_add_bytes(&conn->out, buf_bytes(&response->body));
        } else {
            conn->out_body = response->body;
            response->body = (struct buf){0};
        }
    }
    http_response_done(response);
    conn->discard_left = unread;
    conn->is_last = !keep;
    if (keep)
        conn->phase = unread > 0 ? PHASE_DRAIN : PHASE_SEND;
    else
        conn->phase = unread > 0 || conn->in.len > 0 ? PHASE_LINGER : PHASE_SEND;
    if (!buf_ok(&conn->out))
        conn->dead = true;
    conn_deadline_in(conn, conn->phase == PHASE_DRAIN ? cfg_of(conn)->body_timeout_ms
                                                      : cfg_of(conn)->write_timeout_ms);
    if (conn_flush(conn))
        sent(conn);
}

static void refuse(struct conn *conn, const struct err *err, uint64_t unread)
{
    struct http_response response;

    exchange_refusal(conn->set->core, conn->exchange, err, &response);
    exchange_free(conn->exchange);
    conn->exchange = NULL;
    respond(conn, &response, unread);
}

/* What is still to come of a request whose head was understood. */
static uint64_t unread_of(const struct conn *conn)
{
    switch (conn->head.framing) {
    case HTTP1_NO_BODY:
        return 0;
    case HTTP1_LENGTH:
        /* A client that waits for 100 may send the body or not: the stream cannot be trusted. */
        return conn->head.expect_continue ? UINT64_MAX : body_left(conn);
    case HTTP1_CHUNKED:
        break;
    }
    return UINT64_MAX;
}

static void deliver(struct conn *conn)
{
    conn->phase = PHASE_WAIT;
    conn_deadline(conn, CONN_NEVER);
    exchange_deliver(conn->exchange);
}

/* A head that is refused before it is whole: its first line still tells the form of the answer. */
static void refuse_head(struct conn *conn, struct bytes seen, const struct err *err)
{
    struct wire_exchange *exchange = exchange_new(conn->set->core, conn, conn->peer);
    struct http1_head ignored = {0};
    struct err also_bad;

    conn->exchange = exchange;
    conn->head = (struct http1_head){0};
    conn->is_head_method = false;
    if (exchange && conn->scan.lines > 0) {
        buf_add(&exchange->head, seen.at, conn->scan.fields_at - 2);
        (void)!http1_parse_line(buf_bytes(&exchange->head), &exchange->request, &ignored,
                                &also_bad);
    }
    refuse(conn, err, UINT64_MAX);
}

static bool read_head(struct conn *conn, struct bytes head, struct err *err)
{
    struct wire_exchange *exchange = exchange_new(conn->set->core, conn, conn->peer);

    conn->exchange = exchange;
    conn->chunks = (struct http1_chunks){0};
    if (!exchange)
        return err_set(err, ERR_UNAVAILABLE, "no memory for a request");
    exchange->request.protocol = HTTP_PROTOCOL_1;
    buf_add_bytes(&exchange->head, head);
    if (!buf_ok(&exchange->head))
        return err_set(err, ERR_UNAVAILABLE, "no memory for a request");
    return http1_parse(exchange->head.at, exchange->head.len, &exchange->request, &conn->head, err);
}

static int64_t declared_length(const struct http1_head *head)
{
    if (head->framing == HTTP1_CHUNKED)
        return -1;
    return head->content_length > INT64_MAX ? INT64_MAX : (int64_t)head->content_length;
}

/* seen begins at a request's first byte. Returns how many bytes the head took, 0: more are needed.
 */
static size_t take_head(struct conn *conn, struct bytes seen)
{
    size_t head_bytes = 0;
    struct err err;

    if (conn->scan.at == 0)
        conn_deadline_in(conn, cfg_of(conn)->header_timeout_ms);
    if (!http1_scan(&conn->scan, seen, &head_bytes, &err)) {
        refuse_head(conn, seen, &err);
        return 0;
    }
    if (head_bytes == 0)
        return 0;
    conn->is_head_method = false;
    if (!read_head(conn, (struct bytes){seen.at, head_bytes}, &err)) {
        conn->head = (struct http1_head){0};
        refuse(conn, &err, UINT64_MAX);
        return head_bytes;
    }
    conn->is_head_method = bytes_is(conn->exchange->request.method, "HEAD");
    if (!exchange_admit(conn->exchange, declared_length(&conn->head), &err)) {
        refuse(conn, &err, unread_of(conn));
        return head_bytes;
    }
    if (conn->head.framing == HTTP1_NO_BODY) {
        deliver(conn);
        return head_bytes;
    }
    conn->phase = PHASE_BODY;
    conn->body_start_ns = clock_mono_ns();
    body_deadline(conn);
    if (conn->head.expect_continue && seen.len == head_bytes) {
        buf_add_text(&conn->out, "HTTP/1.1 100 Continue\r\n\r\n");
        (void)conn_flush(conn);
    }
    conn->head.expect_continue = false; /* it was told to send: the body will come */
    return head_bytes;
}

static size_t take_length_body(struct conn *conn, struct bytes seen)
{
    const uint64_t left = body_left(conn);
    const size_t n = left < seen.len ? (size_t)left : seen.len;
    struct err err;

    if (!exchange_take(conn->exchange, (struct bytes){seen.at, n}, &err)) {
        refuse(conn, &err, unread_of(conn));
        return 0;
    }
    if (body_left(conn) == 0)
        deliver(conn);
    else
        body_deadline(conn);
    return n;
}

static size_t take_chunked_body(struct conn *conn, struct bytes seen)
{
    struct bytes in = seen;
    struct err err;

    for (;;) {
        struct bytes piece = {0};
        switch (http1_chunk_next(&conn->chunks, &in, &piece, &err)) {
        case HTTP1_CHUNK_MORE:
            body_deadline(conn);
            return seen.len;
        case HTTP1_CHUNK_PIECE:
            if (exchange_take(conn->exchange, piece, &err))
                continue;
            refuse(conn, &err, UINT64_MAX);
            return seen.len - in.len;
        case HTTP1_CHUNK_END:
            deliver(conn);
            return seen.len - in.len;
        case HTTP1_CHUNK_BAD:
            break;
        }
        refuse(conn, &err, UINT64_MAX);
        return seen.len - in.len;
    }
}

static size_t discard(struct conn *conn, struct bytes seen)
{
    const size_t n = conn->discard_left < seen.len ? (size_t)conn->discard_left : seen.len;

    conn->discard_left -= n;
    if (conn->discard_left > 0)
        return n;
    conn->phase = PHASE_SEND;
    if (conn_flush(conn))
        sent(conn);
    return n;
}

static size_t linger_over(struct conn *conn, struct bytes seen)
{
    conn->discarded += seen.len;
    if (conn->discarded > LINGER_MAX_BYTES)
        conn->dead = true;
    return seen.len;
}

/* One step; 0 with the phase unchanged: nothing more can be done with these bytes now. */
static size_t take_some(struct conn *conn, struct bytes seen)
{
    switch (conn->phase) {
    case PHASE_HEAD:
        return take_head(conn, seen);
    case PHASE_BODY:
        return conn->head.framing == HTTP1_CHUNKED ? take_chunked_body(conn, seen)
                                                   : take_length_body(conn, seen);
    case PHASE_DRAIN:
        return discard(conn, seen);
    case PHASE_LINGER:
        return linger_over(conn, seen);
    case PHASE_WAIT:
    case PHASE_SEND:
        break;
    }
    return 0;
}

static size_t take_all(struct conn *conn, struct bytes seen)
{
    size_t used = 0;

    while (!conn->dead && used < seen.len) {
        const enum conn_phase before = conn->phase;
        const size_t n = take_some(conn, (struct bytes){seen.at + used, seen.len - used});
        used += n;
        if (n == 0 && conn->phase == before)
            break;
    }
    return used;
}

void conn_http1_input(struct conn *conn, struct bytes piece)
{
    if (conn->in.len == 0 && piece.len > 0) {
        const size_t used = take_all(conn, piece);
        buf_add(&conn->in, piece.at + used, piece.len - used);
    } else if (conn->in.len > 0) {
        buf_add_bytes(&conn->in, piece);
        const size_t used = take_all(conn, buf_bytes(&conn->in));
        const size_t rest = conn->in.len - used;
        if (used > 0 && rest > 0)
            memmove(conn->in.at, conn->in.at + used, rest);
        conn->in.len = rest;
    }
    if (!buf_ok(&conn->in))
        conn->dead = true;
    if (conn->in.len == 0)
        buf_done(&conn->in);
    /* A drain that found bytes of a next request waits for it only as long as they last. */
    if (conn->phase == PHASE_HEAD && conn->set->core->draining && conn->in.len == 0)
        conn->dead = true;
}

bool conn_http1_wants(const struct conn *conn)
{
    /* While a handler works, reading goes on a little: it is how a client's reset is seen. */
    if (conn->phase == PHASE_WAIT || conn->phase == PHASE_SEND)
        return conn->in.len < PIPELINE_BYTES;
    return true;
}

bool conn_http1_in_body(const struct conn *conn)
{
    return conn->phase == PHASE_BODY || conn->phase == PHASE_DRAIN || conn->phase == PHASE_LINGER;
}

bool conn_http1_is_direct(const struct conn *conn)
{
    return conn->phase == PHASE_BODY && conn->head.framing == HTTP1_LENGTH && conn->in.len == 0;
}

size_t conn_http1_read_body(struct conn *conn)
{
    struct wire_exchange *exchange = conn->exchange;
    size_t room = 0;
    struct err err;

    if (!exchange_room(exchange, (size_t)body_left(conn), &room, &err)) {
        refuse(conn, &err, unread_of(conn));
        return 0;
    }
    const size_t got = conn_read(conn, exchange->body.at + exchange->body.len, room);
    if (got == 0)
        return 0;
    exchange->body.len += got;
    if (body_left(conn) == 0)
        deliver(conn);
    else
        body_deadline(conn);
    return got;
}

void conn_http1_answer(struct conn *conn, struct wire_exchange *exchange)
{
    struct http_response response = exchange->response;

    exchange->response = (struct http_response){0};
    conn->exchange = NULL;
    exchange_free(exchange);
    respond(conn, &response, 0);
    if (conn->phase == PHASE_HEAD && !conn->dead)
        conn_http1_input(conn, (struct bytes){0});
    if (conn->eof && conn->phase == PHASE_HEAD)
        conn->dead = true;
}

void conn_http1_sent(struct conn *conn)
{
    sent(conn);
    if (conn->phase == PHASE_HEAD && !conn->dead)
        conn_http1_input(conn, (struct bytes){0});
    if (conn->eof && conn->phase == PHASE_HEAD)
        conn->dead = true;
}

void conn_http1_eof(struct conn *conn)
{
    /* A client may close its sending side and still wait (RFC 9112 9.6); half a request has no
     * answer. */
    if (conn->phase != PHASE_WAIT && conn->phase != PHASE_SEND)
        conn->dead = true;
}

void conn_http1_timeout(struct conn *conn)
{
    struct err err;

    if (conn->phase == PHASE_HEAD && conn->in.len > 0) {
        (void)!err_set(&err, ERR_TIMEOUT, "request head is not whole after %lld ms",
                       (long long)cfg_of(conn)->header_timeout_ms);
        refuse_head(conn, buf_bytes(&conn->in), &err);
    } else if (conn->phase == PHASE_BODY) {
        (void)!err_set(&err, ERR_TIMEOUT, "request body stopped after %zu bytes",
                       conn->exchange->body.len);
        refuse(conn, &err, UINT64_MAX);
    } else if (conn->write_deadline_ns != CONN_NEVER) {
        conn_deadline(conn, conn->write_deadline_ns); /* slow, but it takes its response */
    } else {
        conn->dead = true;
    }
}

void conn_http1_drain(struct conn *conn)
{
    if (conn->phase == PHASE_HEAD && conn->in.len == 0)
        conn->dead = true;
}
