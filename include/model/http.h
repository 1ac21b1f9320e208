/* What passes between wire and edge: a request and its response. Neither knows of spans. */
#ifndef MODEL_HTTP_H
#define MODEL_HTTP_H

#include "base/bytes.h"
#include "base/err.h"

enum http_protocol { HTTP_PROTOCOL_1, HTTP_PROTOCOL_2, HTTP_PROTOCOL_GRPC };

/* Fields in one head: HPACK bombs and header floods (SEC-18, H2-7). */
#define HTTP_MAX_HEADERS 100

struct http_header {
    struct bytes name; /* lower case */
    struct bytes value;
};

/* Lives as long as the exchange it belongs to; every slice points into memory of the exchange. */
struct http_request {
    enum http_protocol
        protocol; /* GRPC: HTTP/2 with a content type that starts with application/grpc */
    struct bytes method;
    struct bytes path;  /* as sent, percent-decoded by edge; without query */
    struct bytes query; /* behind '?', without it; empty when there is none */
    struct bytes content_type;
    struct bytes content_encoding; /* gRPC: grpc-encoding */
    struct http_header headers[HTTP_MAX_HEADERS];
    size_t header_count;
    struct bytes body;        /* whole, still compressed; gRPC: with its five-byte prefix */
    int64_t received_ns;      /* wall clock, when the last byte of the body was read */
    int64_t deadline_mono_ns; /* from grpc-timeout; 0: none */
    char peer[64];            /* address:port, for logs */
};

/* Value of the first header of that (lower-case) name; at == NULL when there is none. */
struct bytes http_request_header(const struct http_request *request, const char *name);

/*
 * What to answer. Made by edge, handed over to wire.
 * status            HTTP status; for gRPC 200 always, see grpc_code
 * content_type      static text; NULL when there is no body
 * body              owned: wire frees it with buf_done. gRPC: the message without prefix
 * retry_after_s     > 0: Retry-After header (gRPC: RetryInfo stands in grpc_details)
 * allow             static text for an Allow header, or NULL
 * headers           further static headers, `name: value` lines joined by \r\n and ended by it,
 * names in lower case; NULL for none close             the connection ends behind this response
 * grpc_code         gRPC: status code, with grpc_message (UTF-8, percent-encoded by wire) and
 * grpc_details, the serialised google.rpc.Status, owned
 */
struct http_response {
    int status;
    const char *content_type;
    struct buf body;
    int retry_after_s;
    const char *allow;
    const char *headers;
    bool close;
    int grpc_code;
    char grpc_message[ERR_TEXT_BYTES];
    struct buf grpc_details;
};

void http_response_init(struct http_response *response, size_t max_body_bytes);
void http_response_done(struct http_response *response);

#endif
