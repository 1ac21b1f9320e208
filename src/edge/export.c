/* The ingest path. */
#include "edge/export.h"

#include <stdlib.h>

#include "base/log.h"
#include "base/text.h"
#include "edge/answer.h"

#define RESPONSE_MAX_BYTES                                                                         \
    (64U * 1024) /* OTLP-31: a partial success with its message is far below */

struct export
{
    struct ingest_job job; /* first: the workers give it back */
    struct wire_exchange *exchange;
    const struct http_request *request;
    char project[KEY_PROJECT_BYTES + 1]; /* of the key */
};

static bool read_type(const struct http_request *request, enum otlp_encoding *out_encoding,
                      struct err *err)
{
    char quoted[64];

    if (request->protocol == HTTP_PROTOCOL_GRPC) {
        *out_encoding = OTLP_PROTOBUF;
        return true;
    }
    if (answer_encoding(request->content_type, out_encoding))
        return true;
    if (request->content_type.len == 0)
        return err_set(err, ERR_UNSUPPORTED,
                       "no content-type, want application/x-protobuf or application/json");
    return err_set(err, ERR_UNSUPPORTED,
                   "content-type is '%s', want application/x-protobuf or application/json",
                   text_quote(request->content_type, quoted, sizeof(quoted)));
}

bool export_check(const struct http_request *request, struct err *err)
{
    enum otlp_encoding encoding;
    enum inflate_coding coding;

    return read_type(request, &encoding, err) &&
           inflate_coding_of(request->content_encoding, &coding, err);
}

static bool is_gone(const struct ingest_job *job)
{
    return wire_exchange_gone(((const struct export *)job)->exchange);
}

static void finish(struct export *e, const struct otlp_partial *partial, const struct err *err)
{
    struct http_response response;

    http_response_init(&response, RESPONSE_MAX_BYTES);
    if (err)
        answer_error(e->request, err, &response);
    else
        answer_export(e->request, partial, &response);
    if (err && err->kind == ERR_INTERNAL)
        log_limited(LOG_ERROR, "http", "internal error", "peer=%s cause='%s'", e->request->peer,
                    err->text);
    wire_respond(e->exchange, &response);
    free(e);
}

static void job_done(struct ingest_job *job, const struct otlp_partial *partial,
                     const struct err *err)
{
    finish((struct export *)job, partial, err);
}

void export_handle(struct app *app, struct wire_exchange *exchange, struct http_request *request,
                   enum otlp_signal signal, const struct key_grant *grant)
{
    struct export *e = calloc(1, sizeof(*e));
    struct err err = {0};

    if (!e) {
        struct http_response response;
        (void)!err_set(&err, ERR_UNAVAILABLE, "no memory, send again");
        http_response_init(&response, RESPONSE_MAX_BYTES);
        answer_error(request, &err, &response);
        wire_respond(exchange, &response);
        return;
    }
    e->exchange = exchange;
    e->request = request;
    memcpy(e->project, grant->project, sizeof(e->project));
    e->job = (struct ingest_job){
        .item.bytes = request->body.len,
        .body = request->body,
        .signal = signal,
        .grpc = request->protocol == HTTP_PROTOCOL_GRPC,
        .tenant_id = grant->tenant_id,
        .project = bytes_of(e->project),
        .received_ns = request->received_ns,
        .deadline_mono_ns = request->deadline_mono_ns,
        .gone = is_gone,
        .done = job_done,
    };
    if (!read_type(request, &e->job.encoding, &err) ||
        !inflate_coding_of(request->content_encoding, &e->job.coding, &err) ||
        (!ingest_submit(app->ingest, &e->job) &&
         !err_set(&err, ERR_UNAVAILABLE, "the ingest queue is full, send again")))
        finish(e, NULL, &err);
}
