/* An HTTP/2 client for tests (prior knowledge, nghttp2), with gRPC's frame and trailers on top.
 * Nothing here asserts. */
#ifndef TESTS_SUPPORT_H2CLIENT_H
#define TESTS_SUPPORT_H2CLIENT_H

#include "base/bytes.h"

#define GRPC_EXPORT_PATH "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
#define GRPC_LOGS_PATH "/opentelemetry.proto.collector.logs.v1.LogsService/Export"

struct h2_field {
    const char *name;
    const char *value;
};

/* What came back on one stream. */
struct h2_reply {
    bool closed;         /* the stream ended, one way or another */
    uint32_t error_code; /* of RST_STREAM; 0: none */
    int status;          /* 0: no response head came */
    int head_frames;     /* HEADERS frames: 1 with END_STREAM is Trailers-Only (OTLP-62) */
    int grpc_status;     /* -1: none came */
    char grpc_message[1024];
    char grpc_details[2048]; /* grpc-status-details-bin, still base64 */
    struct buf fields;       /* every field as name: value\n, trailers too; NUL-terminated */
    struct buf body;
    int32_t stream_id;
};

void h2_reply_init(struct h2_reply *reply);
void h2_reply_done(struct h2_reply *reply);
/* Value of a field, or NULL; valid until the next call. */
bool h2_reply_field(const struct h2_reply *reply, const char *name, char *to, size_t to_bytes);

struct h2_client;

struct h2_client *h2_open(uint16_t port); /* NULL: no connection */
void h2_close(struct h2_client *client);

/*
 * Submits a request; its reply is filled by h2_wait and must live until then.
 * fields     :method first; ended by a NULL name; borrowed during the call
 * body       borrowed until the stream is closed
 * piece      > 0: at most so many bytes in one DATA frame
 */
bool h2_submit(struct h2_client *client, const struct h2_field fields[], struct bytes body,
               size_t piece, struct h2_reply *reply);
/* A body that never ends: after its bytes the stream stays open. */
bool h2_submit_open(struct h2_client *client, const struct h2_field fields[], struct bytes body,
                    struct h2_reply *reply);
void h2_reset(struct h2_client *client, struct h2_reply *reply); /* RST_STREAM CANCEL */
/* Moves bytes until every submitted stream is closed; false: timeout or the connection ended. */
bool h2_wait(struct h2_client *client, int wait_ms);
/* Moves bytes for that long, or until the connection ends. */
void h2_run(struct h2_client *client, int for_ms);
bool h2_saw_goaway(const struct h2_client *client);
bool h2_is_open(const struct h2_client *client);
/* Sends PING; h2_pongs counts the answers. */
void h2_ping(struct h2_client *client);
int h2_pongs(const struct h2_client *client);

/* One request on a connection of its own. */
void h2_call(uint16_t port, const struct h2_field fields[], struct bytes body,
             struct h2_reply *reply);
/* An export over gRPC: message gets its prefix here; coding: "gzip" compresses it, "" not. */
void grpc_export(uint16_t port, struct bytes message, const char *coding, struct h2_reply *reply);
void grpc_export_to(uint16_t port, const char *path, struct bytes message, const char *coding,
                    struct h2_reply *reply);
/* The same on a connection that is open; false when it broke. frame: the body with its prefix. */
bool grpc_export_on(struct h2_client *client, struct bytes frame, struct h2_reply *reply);
void grpc_frame(struct bytes message, bool compressed, struct buf *out);

#endif
