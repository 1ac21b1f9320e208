/* HTTP/2 sessions: nghttp2's callbacks, the limits it leaves to us, and responses as frames. */
#include "wire/http2.h"

#include <inttypes.h>
#include <nghttp2/nghttp2.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "wire/bucket.h"
#include "wire/http2_stream.h"

#define MAX_STREAMS 200
#define STREAM_WINDOW_BYTES (1 << 20)
#define CONNECTION_WINDOW_BYTES (4 << 20)
/* H2-1: requests that a worker still has, but whose stream was reset; the library counts only open
 * streams. */
#define ORPHAN_BURST 400
#define ORPHAN_PER_S 50
#define CONTROL_BURST 2000 /* H2-5: frames that carry nothing, at once ... */
#define CONTROL_PER_S 200  /* ... and per second */
#define FAULT_BURST 100    /* H2-8: frames that made us reset a stream, at once ... */
#define FAULT_PER_S 3      /* ... and per second */
#define RESET_BURST 1000   /* H2-1: a client may cancel a whole page of streams */
#define RESET_PER_S 50
#define ACKS_QUEUED_MAX 200
#define TICK_NS (NS_PER_S / 4)

struct http2 {
    nghttp2_session *session;
    struct wire_core *core;
    struct conn *conn;
    struct stream *streams; /* open ones */
    int64_t now_ns;         /* of the newest call from outside */
    int64_t opened_ns;      /* when the connection began */
    int64_t active_ns;      /* newest frame or answer */
    int64_t head_open_ns;   /* a header block began and did not end; 0: none */
    bool settled;           /* the client's first SETTINGS came */
    bool draining;
    bool goaway_sent;
    bool ended; /* terminated by us */
    struct bucket control;
    struct bucket fault;
    struct bucket orphan;
    char peer[64];
};

static void terminate(struct http2 *h2, uint32_t code)
{
    if (h2->ended)
        return;
    h2->ended = true;
    (void)nghttp2_session_terminate_session(h2->session, code);
}

/* ---- receiving ---- */

static int on_begin_frame(nghttp2_session *session, const nghttp2_frame_hd *hd, void *user)
{
    struct http2 *h2 = user;
    bool control = false;

    (void)session;
    h2->active_ns = h2->now_ns;
    switch (hd->type) {
    case NGHTTP2_DATA:
        control = hd->length == 0 && !(hd->flags & NGHTTP2_FLAG_END_STREAM);
        break;
    case NGHTTP2_HEADERS:
        h2->head_open_ns = h2->now_ns;
        break;
    case NGHTTP2_SETTINGS:
        h2->settled = true;
        control = true;
        break;
    case NGHTTP2_CONTINUATION:
    case NGHTTP2_WINDOW_UPDATE: /* comes with our own responses; nghttp2 makes nothing of it */
        break;
    default:
        control = true;
        break;
    }
    if (control && !bucket_spend(&h2->control, h2->now_ns))
        terminate(h2, NGHTTP2_ENHANCE_YOUR_CALM);
    return 0;
}

static int on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
    struct http2 *h2 = user;
    struct stream *stream;

    if (frame->hd.type != NGHTTP2_HEADERS || frame->headers.cat != NGHTTP2_HCAT_REQUEST)
        return 0;
    /* REFUSED_STREAM is safe to send again; an answer of ours could be a loss (OTLP-70). */
    stream = bucket_tokens(&h2->orphan, h2->now_ns) > 0 && exchange_fits(h2->core)
                 ? stream_new(h2->core, h2->conn, h2->peer, frame->hd.stream_id)
                 : NULL;
    if (!stream) {
        (void)nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, frame->hd.stream_id,
                                        NGHTTP2_REFUSED_STREAM);
        return 0;
    }
    stream_link(&h2->streams, stream);
    stream->begun_ns = h2->now_ns;
    stream->moved_ns = h2->now_ns;
    (void)nghttp2_session_set_stream_user_data(session, stream->id, stream);
    return 0;
}

static struct stream *stream_of(nghttp2_session *session, int32_t id)
{
    return nghttp2_session_get_stream_user_data(session, id);
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                     size_t name_len, const uint8_t *value, size_t value_len, uint8_t flags,
                     void *user)
{
    struct stream *stream = stream_of(session, frame->hd.stream_id);

    (void)flags;
    (void)user;
    if (stream)
        stream_header(stream, frame->headers.cat == NGHTTP2_HCAT_REQUEST,
                      (struct bytes){name, name_len}, (struct bytes){value, value_len});
    return 0;
}

/* A field that HTTP does not allow (CR, LF, NUL, upper case; SEC-17) fails its stream: the library
 * alone would leave the field out and go on. */
static int on_invalid_header(nghttp2_session *session, const nghttp2_frame *frame,
                             const uint8_t *name, size_t name_len, const uint8_t *value,
                             size_t value_len, uint8_t flags, void *user)
{
    (void)session;
    (void)frame;
    (void)name;
    (void)name_len;
    (void)value;
    (void)value_len;
    (void)flags;
    (void)user;
    return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
}

static ssize_t read_body(nghttp2_session *session, int32_t id, uint8_t *to, size_t len,
                         uint32_t *flags, nghttp2_data_source *source, void *user);

static size_t to_nv(const struct stream_fields *from, nghttp2_nv to[STREAM_FIELDS_MAX])
{
    for (size_t i = 0; i < from->count; i++) {
        const struct http_header *field = &from->at[i];
        to[i] = (nghttp2_nv){.namelen = field->name.len, .valuelen = field->value.len};
        /* The library's struct has no const; it only reads (nghttp2_submit_response copies). */
        memcpy(&to[i].name, &field->name.at, sizeof(to[i].name));
        memcpy(&to[i].value, &field->value.at, sizeof(to[i].value));
    }
    return from->count;
}

/* The stream has its response: says it as HEADERS, and DATA if there is any. */
static void send_response(struct http2 *h2, struct stream *stream)
{
    struct stream_fields fields;
    nghttp2_nv nv[STREAM_FIELDS_MAX];
    const nghttp2_data_provider provider = {.source.ptr = stream, .read_callback = read_body};

    stream->responded = true;
    stream->moved_ns = h2->now_ns;
    stream_response_fields(stream, &fields);
    if (!buf_ok(&fields.text) ||
        nghttp2_submit_response(h2->session, stream->id, nv, to_nv(&fields, nv),
                                stream_has_data(stream) ? &provider : NULL) != 0)
        (void)nghttp2_submit_rst_stream(h2->session, NGHTTP2_FLAG_NONE, stream->id,
                                        NGHTTP2_INTERNAL_ERROR);
    stream_fields_done(&fields);
}

static void refuse(struct http2 *h2, struct stream *stream, const struct err *err)
{
    stream_refuse(stream, err);
    send_response(h2, stream);
}

static void deliver(struct stream *stream)
{
    if (stream->responded || stream->request_ended)
        return;
    stream->request_ended = true;
    exchange_deliver(stream->exchange);
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
    struct http2 *h2 = user;
    struct stream *stream;
    struct err err;

    if (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA)
        return 0;
    h2->head_open_ns = 0;
    stream = stream_of(session, frame->hd.stream_id);
    if (!stream)
        return 0;
    if (frame->hd.type == NGHTTP2_HEADERS && frame->headers.cat == NGHTTP2_HCAT_REQUEST &&
        !stream_head_done(stream, h2->now_ns, &err))
        refuse(h2, stream, &err);
    if (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) {
        if (stream->responded)
            stream->request_ended = true;
        else
            deliver(stream);
    }
    return 0;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *at,
                   size_t len, void *user)
{
    struct http2 *h2 = user;
    struct stream *stream = stream_of(session, id);
    struct err err;

    (void)flags;
    if (!stream || stream->responded) {
        /* Thrown away; the connection's window goes on, the stream's does not (OTLP-72). */
        (void)nghttp2_session_consume_connection(session, len);
        return 0;
    }
    stream->moved_ns = h2->now_ns;
    if (exchange_take(stream->exchange, (struct bytes){at, len}, &err))
        (void)nghttp2_session_consume(session, id, len);
    else {
        (void)nghttp2_session_consume_connection(session, len);
        refuse(h2, stream, &err);
    }
    return 0;
}

/* Never fails: a failure here leaks what is queued (H2-10). */
static int on_close(nghttp2_session *session, int32_t id, uint32_t code, void *user)
{
    struct http2 *h2 = user;
    struct stream *stream = stream_of(session, id);

    (void)code;
    if (!stream)
        return 0;
    stream_unlink(&h2->streams, stream);
    h2->active_ns = h2->now_ns;
    if (stream->exchange && stream->exchange->delivered)
        h2->orphan.tokens--;
    stream_free(stream);
    return 0;
}

static int on_sent(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
    struct http2 *h2 = user;
    struct stream *stream;

    if (frame->hd.type == NGHTTP2_RST_STREAM) {
        const uint32_t code = frame->rst_stream.error_code;
        if (code != NGHTTP2_NO_ERROR && code != NGHTTP2_REFUSED_STREAM &&
            !bucket_spend(&h2->fault, h2->now_ns))
            terminate(h2, NGHTTP2_ENHANCE_YOUR_CALM);
        return 0;
    }
    if (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA)
        return 0;
    stream = stream_of(session, frame->hd.stream_id);
    if (!stream)
        return 0;
    stream->moved_ns = h2->now_ns;
    if (!(frame->hd.flags & NGHTTP2_FLAG_END_STREAM) || stream->request_ended)
        return 0;
    /* Answered before the request ended: the client may stop sending (RFC 9113 8.1, OTLP-72). Other
     * than gRPC's, some clients (curl 7.88) lose a response that comes together with the reset: they
     * get it with the next tick. The window bounds what they send meanwhile. */
    if (stream->is_grpc)
        (void)nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, stream->id, NGHTTP2_NO_ERROR);
    else
        stream->reset_due = true;
    return 0;
}

static int on_invalid(nghttp2_session *session, const nghttp2_frame *frame, int code, void *user)
{
    struct http2 *h2 = user;

    (void)session;
    (void)frame;
    (void)code;
    if (!bucket_spend(&h2->fault, h2->now_ns))
        terminate(h2, NGHTTP2_ENHANCE_YOUR_CALM);
    return 0;
}

/* ---- sending ---- */

static ssize_t read_body(nghttp2_session *session, int32_t id, uint8_t *to, size_t len,
                         uint32_t *flags, nghttp2_data_source *source, void *user)
{
    struct stream *stream = source->ptr;
    const size_t n = stream_read(stream, to, len);

    (void)user;
    if (!stream_all_read(stream))
        return (ssize_t)n;
    *flags |= NGHTTP2_DATA_FLAG_EOF;
    if (stream->is_grpc) {
        struct stream_fields fields;
        nghttp2_nv nv[STREAM_FIELDS_MAX];

        *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
        stream_trailer_fields(stream, &fields);
        const int rc = buf_ok(&fields.text)
                           ? nghttp2_submit_trailer(session, id, nv, to_nv(&fields, nv))
                           : NGHTTP2_ERR_NOMEM;
        stream_fields_done(&fields);
        if (rc != 0)
            return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    }
    return (ssize_t)n;
}

void http2_answer(struct http2 *h2, struct wire_exchange *exchange, int64_t mono_now_ns)
{
    struct stream *stream = exchange->stream;

    h2->now_ns = mono_now_ns;
    h2->active_ns = mono_now_ns;
    stream_take_response(stream);
    send_response(h2, stream);
}

/* ---- session ---- */

static void set_callbacks(nghttp2_session_callbacks *callbacks)
{
    nghttp2_session_callbacks_set_on_begin_frame_callback(callbacks, on_begin_frame);
    nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, on_begin_headers);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_invalid_header_callback(callbacks, on_invalid_header);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_close);
    nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, on_sent);
    nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(callbacks, on_invalid);
}

static bool session_start(struct http2 *h2)
{
    static const nghttp2_settings_entry settings[] = {
        {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, MAX_STREAMS},
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, STREAM_WINDOW_BYTES},
        {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, STREAM_HEAD_MAX_BYTES},
        /* No tree of dependencies: CVE-2019-9513 had its loop there. */
        {NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1},
    };
    nghttp2_session_callbacks *callbacks = NULL;
    nghttp2_option *option = NULL;
    bool ok = nghttp2_session_callbacks_new(&callbacks) == 0 && nghttp2_option_new(&option) == 0;

    if (ok) {
        set_callbacks(callbacks);
        nghttp2_option_set_no_auto_window_update(option, 1);
        nghttp2_option_set_max_outbound_ack(option, ACKS_QUEUED_MAX);
        nghttp2_option_set_stream_reset_rate_limit(option, RESET_BURST, RESET_PER_S);
        ok = nghttp2_session_server_new2(&h2->session, callbacks, h2, option) == 0;
    }
    nghttp2_option_del(option);
    nghttp2_session_callbacks_del(callbacks);
    return ok &&
           nghttp2_submit_settings(h2->session, NGHTTP2_FLAG_NONE, settings,
                                   sizeof(settings) / sizeof(settings[0])) == 0 &&
           nghttp2_session_set_local_window_size(h2->session, NGHTTP2_FLAG_NONE, 0,
                                                 CONNECTION_WINDOW_BYTES) == 0;
}

struct http2 *http2_new(struct wire_core *core, struct conn *conn, const char *peer,
                        int64_t mono_now_ns)
{
    struct http2 *h2 = calloc(1, sizeof(*h2));

    if (!h2)
        return NULL;
    h2->core = core;
    h2->conn = conn;
    h2->now_ns = mono_now_ns;
    h2->opened_ns = mono_now_ns;
    h2->active_ns = mono_now_ns;
    h2->control = bucket_full(CONTROL_BURST, CONTROL_PER_S, mono_now_ns);
    h2->fault = bucket_full(FAULT_BURST, FAULT_PER_S, mono_now_ns);
    h2->orphan = bucket_full(ORPHAN_BURST, ORPHAN_PER_S, mono_now_ns);
    (void)snprintf(h2->peer, sizeof(h2->peer), "%s", peer);
    if (!session_start(h2)) {
        http2_free(h2);
        return NULL;
    }
    return h2;
}

void http2_free(struct http2 *h2)
{
    if (!h2)
        return;
    nghttp2_session_del(h2->session);
    while (h2->streams) {
        struct stream *next = h2->streams->next;
        stream_free(h2->streams);
        h2->streams = next;
    }
    free(h2);
}

bool http2_feed(struct http2 *h2, struct bytes bytes, int64_t mono_now_ns)
{
    h2->now_ns = mono_now_ns;
    return nghttp2_session_mem_recv(h2->session, bytes.at, bytes.len) >= 0;
}

bool http2_pull(struct http2 *h2, struct buf *out, size_t enough)
{
    while (out->len < enough) {
        const uint8_t *at = NULL;
        const ssize_t len = nghttp2_session_mem_send(h2->session, &at);
        if (len < 0)
            return false;
        if (len == 0)
            return true;
        buf_add(out, at, (size_t)len);
        if (!buf_ok(out))
            return false;
    }
    return true;
}

bool http2_done(struct http2 *h2)
{
    return nghttp2_session_want_read(h2->session) == 0 &&
           nghttp2_session_want_write(h2->session) == 0;
}

void http2_drain(struct http2 *h2)
{
    if (h2->draining)
        return;
    h2->draining = true;
    (void)nghttp2_submit_goaway(h2->session, NGHTTP2_FLAG_NONE,
                                nghttp2_session_get_last_proc_stream_id(h2->session),
                                NGHTTP2_NO_ERROR, NULL, 0);
}

/* Ends a stream that passed one of its deadlines. */
static void stream_tick(struct http2 *h2, struct stream *stream)
{
    const struct cfg *cfg = h2->core->cfg;
    struct err err;

    if (stream->reset_due && h2->now_ns - stream->moved_ns >= TICK_NS / 2) {
        stream->reset_due = false;
        (void)nghttp2_submit_rst_stream(h2->session, NGHTTP2_FLAG_NONE, stream->id,
                                        NGHTTP2_NO_ERROR);
    } else if (!stream->responded && stream_is_late(stream, h2->now_ns, cfg, &err))
        refuse(h2, stream, &err);
    else if (stream->responded &&
             h2->now_ns - stream->moved_ns > cfg->write_timeout_ms * NS_PER_MS) {
        /* H2-4: a window that stays shut keeps a response in memory for ever. */
        stream->moved_ns = h2->now_ns;
        (void)nghttp2_submit_rst_stream(h2->session, NGHTTP2_FLAG_NONE, stream->id, NGHTTP2_CANCEL);
    }
}

int64_t http2_tick(struct http2 *h2, int64_t mono_now_ns, bool *out_go_on)
{
    const struct cfg *cfg = h2->core->cfg;
    const int64_t head_ns = cfg->header_timeout_ms * NS_PER_MS;

    h2->now_ns = mono_now_ns;
    *out_go_on = true;
    if ((!h2->settled && mono_now_ns - h2->opened_ns > head_ns) ||
        (h2->head_open_ns && mono_now_ns - h2->head_open_ns > head_ns)) {
        terminate(h2, NGHTTP2_SETTINGS_TIMEOUT);
        *out_go_on = false;
        return mono_now_ns + TICK_NS;
    }
    for (struct stream *stream = h2->streams; stream; stream = stream->next)
        stream_tick(h2, stream);
    if (h2->streams || (!h2->draining && (h2->head_open_ns || !h2->settled)))
        return mono_now_ns + TICK_NS;
    const int64_t idle_end_ns = h2->active_ns + cfg->idle_timeout_ms * NS_PER_MS;
    if (h2->draining || mono_now_ns >= idle_end_ns) {
        terminate(h2, NGHTTP2_NO_ERROR);
        *out_go_on = false;
    }
    return idle_end_ns;
}
