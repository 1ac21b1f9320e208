/* An HTTP/2 client for tests. */
#include "support/h2client.h"

#include <errno.h>
#include <nghttp2/nghttp2.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/client.h"
#include "support/number.h"

#define H2_MAX_FIELDS 130

struct h2_client {
    struct client socket;
    nghttp2_session *session;
    int open_streams;
    struct outgoing *open; /* their bodies */
    bool goaway;
    int pongs;
};

/* What a stream sends; owned by the stream, freed when it closes. */
struct outgoing {
    struct h2_reply *reply;
    struct bytes body;
    size_t sent;
    size_t piece;
    bool stays_open;
    struct outgoing *next; /* of all that are open */
};

void h2_reply_init(struct h2_reply *reply)
{
    *reply = (struct h2_reply){.grpc_status = -1};
    buf_init(&reply->fields, 1 << 20);
    buf_init(&reply->body, (size_t)256 << 20);
}

void h2_reply_done(struct h2_reply *reply)
{
    buf_done(&reply->fields);
    buf_done(&reply->body);
}

bool h2_reply_field(const struct h2_reply *reply, const char *name, char *to, size_t to_bytes)
{
    size_t name_len = strlen(name);
    const char *end = (const char *)reply->fields.at + reply->fields.len;

    for (const char *line = (const char *)reply->fields.at; line && line < end;) {
        const char *stop = memchr(line, '\n', (size_t)(end - line));
        if (!stop)
            return false;
        if (strncmp(line, name, name_len) == 0 && line[name_len] == ':') {
            (void)snprintf(to, to_bytes, "%.*s", (int)(stop - line) - (int)name_len - 2,
                           line + name_len + 2);
            return true;
        }
        line = stop + 1;
    }
    return false;
}

static ssize_t read_body(nghttp2_session *session, int32_t stream_id, uint8_t *to, size_t room,
                         uint32_t *flags, nghttp2_data_source *source, void *user)
{
    struct outgoing *out = source->ptr;
    size_t n = out->body.len - out->sent;

    (void)session;
    (void)stream_id;
    (void)user;
    if (n > room)
        n = room;
    if (out->piece && n > out->piece)
        n = out->piece;
    if (n)
        memcpy(to, out->body.at + out->sent, n);
    out->sent += n;
    if (out->sent == out->body.len) {
        if (out->stays_open && n == 0)
            return NGHTTP2_ERR_DEFERRED;
        if (!out->stays_open)
            *flags |= NGHTTP2_DATA_FLAG_EOF;
    }
    return (ssize_t)n;
}

static struct h2_reply *reply_of(nghttp2_session *session, int32_t stream_id)
{
    struct outgoing *out = nghttp2_session_get_stream_user_data(session, stream_id);

    return out ? out->reply : NULL;
}

static void keep_text(char *to, size_t to_bytes, const uint8_t *value, size_t len)
{
    (void)snprintf(to, to_bytes, "%.*s", (int)len, (const char *)value);
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                     size_t name_len, const uint8_t *value, size_t len, uint8_t flags, void *user)
{
    struct h2_reply *reply = reply_of(session, frame->hd.stream_id);
    struct bytes n = {name, name_len};

    (void)flags;
    (void)user;
    if (!reply)
        return 0;
    buf_printf(&reply->fields, "%.*s: %.*s\n", (int)name_len, (const char *)name, (int)len,
               (const char *)value);
    if (bytes_is(n, ":status"))
        reply->status = (int)number_at((const char *)value);
    if (bytes_is(n, "grpc-status"))
        reply->grpc_status = (int)number_at((const char *)value);
    if (bytes_is(n, "grpc-message"))
        keep_text(reply->grpc_message, sizeof(reply->grpc_message), value, len);
    if (bytes_is(n, "grpc-status-details-bin"))
        keep_text(reply->grpc_details, sizeof(reply->grpc_details), value, len);
    return 0;
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
    struct h2_client *client = user;
    struct h2_reply *reply = reply_of(session, frame->hd.stream_id);

    if (frame->hd.type == NGHTTP2_HEADERS && reply)
        reply->head_frames++;
    if (frame->hd.type == NGHTTP2_GOAWAY)
        client->goaway = true;
    if (frame->hd.type == NGHTTP2_PING && (frame->hd.flags & NGHTTP2_FLAG_ACK))
        client->pongs++;
    return 0;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t stream_id, const uint8_t *at,
                   size_t len, void *user)
{
    struct h2_reply *reply = reply_of(session, stream_id);

    (void)flags;
    (void)user;
    if (reply)
        buf_add(&reply->body, at, len);
    return 0;
}

static void forget(struct h2_client *client, struct outgoing *out)
{
    struct outgoing **at = &client->open;

    while (*at && *at != out)
        at = &(*at)->next;
    if (*at)
        *at = out->next;
    free(out);
}

static int on_close(nghttp2_session *session, int32_t stream_id, uint32_t error_code, void *user)
{
    struct h2_client *client = user;
    struct outgoing *out = nghttp2_session_get_stream_user_data(session, stream_id);

    if (!out)
        return 0;
    out->reply->closed = true;
    out->reply->error_code = error_code;
    (void)nghttp2_session_set_stream_user_data(session, stream_id, NULL);
    forget(client, out);
    client->open_streams--;
    return 0;
}

struct h2_client *h2_open(uint16_t port)
{
    struct h2_client *client = calloc(1, sizeof(*client));
    nghttp2_session_callbacks *on;
    nghttp2_settings_entry settings[] = {{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 1 << 24}};

    if (!client)
        return NULL;
    if (!client_open(&client->socket, port)) {
        free(client);
        return NULL;
    }
    (void)nghttp2_session_callbacks_new(&on);
    nghttp2_session_callbacks_set_on_header_callback(on, on_header);
    nghttp2_session_callbacks_set_on_frame_recv_callback(on, on_frame);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(on, on_data);
    nghttp2_session_callbacks_set_on_stream_close_callback(on, on_close);
    (void)nghttp2_session_client_new(&client->session, on, client);
    nghttp2_session_callbacks_del(on);
    (void)nghttp2_submit_settings(client->session, NGHTTP2_FLAG_NONE, settings, 1);
    return client;
}

void h2_close(struct h2_client *client)
{
    if (!client)
        return;
    nghttp2_session_del(client->session);
    while (client->open)
        forget(client, client->open);
    client_close(&client->socket);
    free(client);
}

static bool submit(struct h2_client *client, const struct h2_field fields[], struct outgoing want)
{
    nghttp2_nv nv[H2_MAX_FIELDS];
    size_t n = 0;
    struct outgoing *out = malloc(sizeof(*out));

    if (!out)
        return false;
    *out = want;
    for (; fields[n].name && n < H2_MAX_FIELDS; n++)
        nv[n] = (nghttp2_nv){(uint8_t *)(uintptr_t)fields[n].name,
                             (uint8_t *)(uintptr_t)fields[n].value, strlen(fields[n].name),
                             strlen(fields[n].value), NGHTTP2_NV_FLAG_NONE};
    nghttp2_data_provider body = {.source.ptr = out, .read_callback = read_body};
    bool has_body = want.body.len > 0 || want.stays_open;
    int32_t id = nghttp2_submit_request(client->session, NULL, nv, n, has_body ? &body : NULL, out);
    if (id < 0) {
        free(out);
        return false;
    }
    want.reply->stream_id = id;
    out->next = client->open;
    client->open = out;
    client->open_streams++;
    return true;
}

bool h2_submit(struct h2_client *client, const struct h2_field fields[], struct bytes body,
               size_t piece, struct h2_reply *reply)
{
    return submit(client, fields, (struct outgoing){.reply = reply, .body = body, .piece = piece});
}

bool h2_submit_open(struct h2_client *client, const struct h2_field fields[], struct bytes body,
                    struct h2_reply *reply)
{
    return submit(client, fields,
                  (struct outgoing){.reply = reply, .body = body, .stays_open = true});
}

void h2_reset(struct h2_client *client, struct h2_reply *reply)
{
    (void)nghttp2_submit_rst_stream(client->session, NGHTTP2_FLAG_NONE, reply->stream_id,
                                    NGHTTP2_CANCEL);
}

/* Sends what waits. False: the connection is gone. */
static bool flush(struct h2_client *client)
{
    for (;;) {
        const uint8_t *at;
        ssize_t n = nghttp2_session_mem_send(client->session, &at);
        if (n <= 0)
            return n == 0;
        if (!client_send(&client->socket, at, (size_t)n))
            return false;
    }
}

/* One round: send, wait for input at most wait_ms, receive. 1 went on, 0 nothing came, -1 end. */
static int round_trip(struct h2_client *client, int wait_ms)
{
    uint8_t room[8192];
    struct pollfd p = {.fd = client->socket.fd, .events = POLLIN};

    bool alive = flush(client);
    /* What the server said before it closed still counts. */
    if (poll(&p, 1, alive ? wait_ms : 0) <= 0)
        return alive ? 0 : -1;
    ssize_t n = recv(client->socket.fd, room, sizeof(room), 0);
    if (n <= 0)
        return -1;
    if (nghttp2_session_mem_recv(client->session, room, (size_t)n) < 0)
        return -1;
    return 1;
}

bool h2_wait(struct h2_client *client, int wait_ms)
{
    int64_t until_ms = mono_ms() + wait_ms;

    while (flush(client), client->open_streams > 0) { /* a reset closes when it is sent */
        int64_t left = until_ms - mono_ms();
        if (left <= 0 || round_trip(client, (int)left) < 0)
            return client->open_streams == 0;
    }
    return true;
}

void h2_run(struct h2_client *client, int for_ms)
{
    int64_t until_ms = mono_ms() + for_ms;

    /* At least what waits is sent: a request that is reset unsent never closes in nghttp2. */
    if (!flush(client))
        return;
    for (int64_t left; (left = until_ms - mono_ms()) > 0;)
        if (round_trip(client, (int)left) < 0)
            return;
}

bool h2_saw_goaway(const struct h2_client *client)
{
    return client->goaway;
}

bool h2_is_open(const struct h2_client *client)
{
    char byte;
    ssize_t n = recv(client->socket.fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);

    return n != 0 && !(n < 0 && errno != EAGAIN);
}

void h2_ping(struct h2_client *client)
{
    (void)nghttp2_submit_ping(client->session, NGHTTP2_FLAG_NONE, NULL);
}

int h2_pongs(const struct h2_client *client)
{
    return client->pongs;
}

void h2_call(uint16_t port, const struct h2_field fields[], struct bytes body,
             struct h2_reply *reply)
{
    struct h2_client *client = h2_open(port);

    if (!client)
        return;
    if (h2_submit(client, fields, body, 0, reply))
        (void)h2_wait(client, CLIENT_WAIT_MS);
    h2_close(client);
}

void grpc_frame(struct bytes message, bool compressed, struct buf *out)
{
    uint8_t prefix[5] = {compressed};

    put_be32(prefix + 1, (uint32_t)message.len);
    buf_add(out, prefix, sizeof(prefix));
    buf_add_bytes(out, message);
}

void grpc_export(uint16_t port, struct bytes message, const char *coding, struct h2_reply *reply)
{
    grpc_export_to(port, GRPC_EXPORT_PATH, message, coding, reply);
}

void grpc_export_to(uint16_t port, const char *path, struct bytes message, const char *coding,
                    struct h2_reply *reply)
{
    const struct h2_field fields[] = {{":method", "POST"},
                                      {":scheme", "http"},
                                      {":path", path},
                                      {":authority", "127.0.0.1"},
                                      {"content-type", "application/grpc"},
                                      {"te", "trailers"},
                                      {coding[0] ? "grpc-encoding" : NULL, coding},
                                      {NULL, NULL}};
    struct buf zipped, frame;

    buf_init(&zipped, (size_t)256 << 20);
    buf_init(&frame, (size_t)256 << 20);
    if (coding[0])
        gzip_bytes(message, &zipped);
    grpc_frame(coding[0] ? buf_bytes(&zipped) : message, coding[0] != '\0', &frame);
    h2_call(port, fields, buf_bytes(&frame), reply);
    buf_done(&zipped);
    buf_done(&frame);
}

bool grpc_export_on(struct h2_client *client, struct bytes frame, struct h2_reply *reply)
{
    static const struct h2_field fields[] = {{":method", "POST"},
                                             {":scheme", "http"},
                                             {":path", GRPC_EXPORT_PATH},
                                             {":authority", "127.0.0.1"},
                                             {"te", "trailers"},
                                             {"content-type", "application/grpc"},
                                             {NULL, NULL}};

    return h2_submit(client, fields, frame, 0, reply) && h2_wait(client, CLIENT_WAIT_MS) &&
           reply->grpc_status >= 0;
}
