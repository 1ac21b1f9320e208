/* One HTTP/2 stream: request fields in, response fields and bytes out, gRPC's trailers. */
#include "wire/http2_stream.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/text.h"
#include "wire/grpc.h"
#include "wire/http1.h"

#define FIELD_OVERHEAD_BYTES 32
#define HEAD_FIRST_BYTES 1024
#define MIN_BYTES_PER_S ((int64_t)16 << 10) /* a body slower than this runs out of time (RF-16) */
#define TEXT_MAX_BYTES ((size_t)16 << 10)

struct stream *stream_new(struct wire_core *core, struct conn *conn, const char *peer, int32_t id)
{
    struct stream *stream = calloc(1, sizeof(*stream));

    if (!stream)
        return NULL;
    stream->exchange = exchange_new(core, conn, peer);
    if (!stream->exchange) {
        free(stream);
        return NULL;
    }
    stream->id = id;
    stream->content_length = -1;
    stream->exchange->stream = stream;
    stream->exchange->request.protocol = HTTP_PROTOCOL_2;
    buf_init(&stream->exchange->head, STREAM_HEAD_MAX_BYTES);
    return stream;
}

void stream_free(struct stream *stream)
{
    exchange_drop(stream->exchange);
    if (stream->responded)
        http_response_done(&stream->response);
    free(stream);
}

void stream_link(struct stream **first, struct stream *stream)
{
    stream->prev = NULL;
    stream->next = *first;
    if (*first)
        (*first)->prev = stream;
    *first = stream;
}

void stream_unlink(struct stream **first, struct stream *stream)
{
    if (stream->prev)
        stream->prev->next = stream->next;
    else
        *first = stream->next;
    if (stream->next)
        stream->next->prev = stream->prev;
}

static void move(struct bytes *slice, const uint8_t *from, const uint8_t *to)
{
    if (slice->at)
        slice->at = to + (slice->at - from);
}

/* Room for more bytes of the head. The slices that were made follow their text: the old block is
 * freed only after they were moved. */
static bool head_room(struct wire_exchange *exchange, size_t more)
{
    struct http_request *request = &exchange->request;
    struct buf bigger;

    if (exchange->head.cap - exchange->head.len >= more)
        return true;
    buf_init(&bigger, STREAM_HEAD_MAX_BYTES);
    if (!buf_grow(&bigger,
                  exchange->head.len + (more > HEAD_FIRST_BYTES ? more : HEAD_FIRST_BYTES)))
        if (buf_clear(&bigger), !buf_grow(&bigger, exchange->head.len + more))
            return false;
    buf_add_bytes(&bigger, buf_bytes(&exchange->head));
    const uint8_t *from = exchange->head.at;
    const uint8_t *to = bigger.at;
    move(&request->method, from, to);
    move(&request->path, from, to);
    move(&request->query, from, to);
    move(&request->content_type, from, to);
    move(&request->content_encoding, from, to);
    for (size_t i = 0; i < request->header_count; i++) {
        move(&request->headers[i].name, from, to);
        move(&request->headers[i].value, from, to);
    }
    buf_done(&exchange->head);
    exchange->head = bigger;
    return true;
}

static struct bytes keep(struct wire_exchange *exchange, struct bytes text)
{
    const size_t at = exchange->head.len;

    buf_add_bytes(&exchange->head, text);
    return (struct bytes){exchange->head.at + at, text.len};
}

static void take_pseudo(struct http_request *request, struct bytes name, struct bytes value)
{
    if (bytes_is(name, ":method")) {
        request->method = value;
        return;
    }
    if (!bytes_is(name, ":path"))
        return;
    const uint8_t *mark = value.len ? memchr(value.at, '?', value.len) : NULL;
    request->path = value;
    if (!mark)
        return;
    request->path.len = (size_t)(mark - value.at);
    request->query = (struct bytes){mark + 1, value.len - request->path.len - 1};
}

static void take_known(struct stream *stream, struct bytes name, struct bytes value)
{
    struct http_request *request = &stream->exchange->request;
    int64_t length = 0;

    if (bytes_is(name, "content-type")) {
        stream->head_repeats = stream->head_repeats || request->content_type.at;
        request->content_type = value;
    } else if (bytes_is(name, "content-encoding")) {
        stream->head_repeats = stream->head_repeats || request->content_encoding.at;
        request->content_encoding = value;
    } else if (bytes_is(name, "content-length") && text_int64(value, &length) && length >= 0) {
        stream->content_length = length; /* nghttp2 compares it with what comes */
    }
}

void stream_header(struct stream *stream, bool is_request, struct bytes name, struct bytes value)
{
    struct wire_exchange *exchange = stream->exchange;

    stream->head_bytes += name.len + value.len + FIELD_OVERHEAD_BYTES;
    if (stream->head_bytes > STREAM_HEAD_MAX_BYTES)
        stream->head_too_large = true;
    if (!is_request || stream->head_too_large || stream->responded || stream->head_failed)
        return;
    if (!head_room(exchange, name.len + value.len)) {
        stream->head_failed = true;
        return;
    }
    struct http_request *request = &exchange->request;
    if (name.len && name.at[0] == ':') {
        const struct bytes kept = keep(exchange, value);
        take_pseudo(request, name, kept);
        return;
    }
    if (request->header_count == HTTP_MAX_HEADERS) {
        stream->head_too_large = true;
        return;
    }
    const struct bytes kept_name = keep(exchange, name);
    const struct bytes kept_value = keep(exchange, value);
    request->headers[request->header_count++] = (struct http_header){kept_name, kept_value};
    take_known(stream, kept_name, kept_value);
}

static bool grpc_head(struct stream *stream, int64_t mono_now_ns, struct err *err)
{
    struct http_request *request = &stream->exchange->request;
    const struct bytes timeout = http_request_header(request, "grpc-timeout");
    bool spoken = false;
    int64_t timeout_ns = 0;

    if (!grpc_is_media_type(request->content_type, &spoken))
        return true;
    if (!spoken) /* answered as HTTP, 415: such clients read no gRPC of ours (OTLP-61) */
        return err_set(err, ERR_UNSUPPORTED,
                       "content type is a gRPC form that is not spoken, want application/grpc");
    stream->is_grpc = true;
    request->protocol = HTTP_PROTOCOL_GRPC;
    request->content_encoding = http_request_header(request, "grpc-encoding");
    if (!timeout.at)
        return true;
    if (!grpc_read_timeout(timeout, &timeout_ns, err))
        return false;
    request->deadline_mono_ns = mono_now_ns + timeout_ns;
    return true;
}

bool stream_head_done(struct stream *stream, int64_t mono_now_ns, struct err *err)
{
    const struct http_request *request = &stream->exchange->request;

    stream->is_head_method = bytes_is(request->method, "HEAD");
    if (!grpc_head(stream, mono_now_ns, err))
        return false;
    if (stream->head_too_large)
        return err_set(err, ERR_HEADERS_TOO_LARGE,
                       "header fields have more than %d bytes or %d lines", STREAM_HEAD_MAX_BYTES,
                       HTTP_MAX_HEADERS);
    if (stream->head_failed)
        return err_set(err, ERR_UNAVAILABLE, "no memory for a request");
    if (stream->head_repeats) /* as on HTTP/1: whoever reads the other one sees another body */
        return err_set(err, ERR_BAD_INPUT, "several content-type or content-encoding fields");
    return exchange_admit(stream->exchange, stream->content_length, err);
}

void stream_refuse(struct stream *stream, const struct err *err)
{
    exchange_refusal(stream->exchange->core, stream->exchange, err, &stream->response);
    exchange_drop(stream->exchange);
    stream->exchange = NULL;
    stream->responded = true;
    exchange_count(stream->is_grpc ? HTTP_PROTOCOL_GRPC : HTTP_PROTOCOL_2, &stream->response);
}

void stream_take_response(struct stream *stream)
{
    struct wire_exchange *exchange = stream->exchange;

    stream->response = exchange->response;
    exchange->response = (struct http_response){0};
    stream->exchange = NULL;
    stream->responded = true;
    exchange_free(exchange);
    exchange_count(stream->is_grpc ? HTTP_PROTOCOL_GRPC : HTTP_PROTOCOL_2, &stream->response);
}

bool stream_is_late(const struct stream *stream, int64_t mono_now_ns, const struct cfg *cfg,
                    struct err *err)
{
    const int64_t pause_ns = cfg->body_timeout_ms * NS_PER_MS;
    const struct wire_exchange *exchange = stream->exchange;
    const int64_t deadline_ns = exchange->request.deadline_mono_ns;

    if (deadline_ns && mono_now_ns >= deadline_ns)
        return !err_set(err, ERR_TIMEOUT, "the client's deadline has passed");
    if (stream->request_ended)
        return false;
    const int64_t earned_ns = (int64_t)exchange->body.len / MIN_BYTES_PER_S * NS_PER_S;
    if (mono_now_ns - stream->moved_ns > pause_ns ||
        mono_now_ns - stream->begun_ns > pause_ns + earned_ns)
        return !err_set(err, ERR_TIMEOUT, "request body stopped after %zu bytes",
                        exchange->body.len);
    return false;
}

/* ---- response ---- */

static void add(struct stream_fields *fields, struct bytes name, struct bytes value)
{
    if (fields->count < STREAM_FIELDS_MAX)
        fields->at[fields->count++] = (struct http_header){name, value};
}

/* A field whose value was just appended to fields->text from `start` on. Room is made beforehand,
 * so that the text never moves. */
static void add_text(struct stream_fields *fields, struct bytes name, size_t start)
{
    add(fields, name, (struct bytes){fields->text.at + start, fields->text.len - start});
}

static void add_number(struct stream_fields *fields, struct bytes name, uint64_t number)
{
    const size_t start = fields->text.len;

    buf_printf(&fields->text, "%" PRIu64, number);
    add_text(fields, name, start);
}

/* "name: value" lines, each ended by CR LF. */
static void add_lines(struct stream_fields *fields, const char *lines)
{
    while (lines && *lines) {
        const char *end = strstr(lines, "\r\n");
        const char *colon = strchr(lines, ':');
        if (!end || !colon || colon > end)
            return;
        const char *value = colon + 1 + strspn(colon + 1, " ");
        add(fields, (struct bytes){(const uint8_t *)lines, (size_t)(colon - lines)},
            (struct bytes){(const uint8_t *)value, (size_t)(end - value)});
        lines = end + 2;
    }
}

static void fields_init(struct stream_fields *fields)
{
    fields->count = 0;
    buf_init(&fields->text, TEXT_MAX_BYTES);
    (void)buf_grow(&fields->text, TEXT_MAX_BYTES);
}

void stream_fields_done(struct stream_fields *fields)
{
    buf_done(&fields->text);
}

void stream_trailer_fields(const struct stream *stream, struct stream_fields *out_fields)
{
    const struct http_response *response = &stream->response;

    fields_init(out_fields);
    if (!buf_ok(&out_fields->text))
        return;
    add_number(out_fields, BYTES_LITERAL("grpc-status"), (uint64_t)response->grpc_code);
    if (response->grpc_message[0]) {
        const size_t start = out_fields->text.len;
        grpc_write_message(&out_fields->text, bytes_of(response->grpc_message));
        add_text(out_fields, BYTES_LITERAL("grpc-message"), start);
    }
    if (response->grpc_details.len) {
        const size_t start = out_fields->text.len;
        text_base64(&out_fields->text, buf_bytes(&response->grpc_details));
        while (out_fields->text.len > start && out_fields->text.at[out_fields->text.len - 1] == '=')
            out_fields->text.len--;
        add_text(out_fields, BYTES_LITERAL("grpc-status-details-bin"), start);
    }
}

static void grpc_response_fields(const struct stream *stream, struct stream_fields *out_fields)
{
    struct stream_fields trailers;

    /* Errors are trailers only: the status stands in the one block of fields. */
    stream_trailer_fields(stream, &trailers);
    *out_fields = trailers;
    out_fields->count = 0;
    add(out_fields, BYTES_LITERAL(":status"), BYTES_LITERAL("200"));
    add(out_fields, BYTES_LITERAL("content-type"), BYTES_LITERAL("application/grpc"));
    add(out_fields, BYTES_LITERAL("grpc-accept-encoding"), BYTES_LITERAL("identity,gzip"));
    if (stream->response.grpc_code == 0)
        return;
    for (size_t i = 0; i < trailers.count; i++)
        add(out_fields, trailers.at[i].name, trailers.at[i].value);
}

void stream_response_fields(const struct stream *stream, struct stream_fields *out_fields)
{
    const struct http_response *response = &stream->response;

    if (stream->is_grpc) {
        grpc_response_fields(stream, out_fields);
        return;
    }
    fields_init(out_fields);
    if (!buf_ok(&out_fields->text))
        return;
    add_number(out_fields, BYTES_LITERAL(":status"), (uint64_t)response->status);
    if (response->content_type)
        add(out_fields, BYTES_LITERAL("content-type"), bytes_of(response->content_type));
    if (http1_status_has_body(response->status))
        add_number(out_fields, BYTES_LITERAL("content-length"), response->body.len);
    if (response->retry_after_s > 0)
        add_number(out_fields, BYTES_LITERAL("retry-after"), (uint64_t)response->retry_after_s);
    if (response->allow)
        add(out_fields, BYTES_LITERAL("allow"), bytes_of(response->allow));
    add_lines(out_fields, response->headers);
}

bool stream_has_data(const struct stream *stream)
{
    if (stream->is_grpc)
        return stream->response.grpc_code == 0;
    return stream->response.body.len > 0 && !stream->is_head_method &&
           http1_status_has_body(stream->response.status);
}

static size_t prefix_bytes(const struct stream *stream)
{
    return stream->is_grpc ? GRPC_PREFIX_BYTES : 0;
}

bool stream_all_read(const struct stream *stream)
{
    return stream->read_bytes == prefix_bytes(stream) + stream->response.body.len;
}

size_t stream_read(struct stream *stream, uint8_t *to, size_t len)
{
    const struct buf *body = &stream->response.body;
    const size_t before = prefix_bytes(stream);
    size_t n = 0;

    if (stream->read_bytes < before) {
        uint8_t prefix[GRPC_PREFIX_BYTES];
        grpc_write_prefix(prefix, (uint32_t)body->len);
        n = before - stream->read_bytes < len ? before - stream->read_bytes : len;
        memcpy(to, prefix + stream->read_bytes, n);
        stream->read_bytes += n;
    }
    const size_t at = stream->read_bytes - before;
    const size_t rest = body->len - at < len - n ? body->len - at : len - n;
    if (stream->read_bytes >= before && rest > 0) {
        memcpy(to + n, body->at + at, rest);
        stream->read_bytes += rest;
        n += rest;
    }
    return n;
}
