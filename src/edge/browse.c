/* The browser API. */
#include "edge/browse.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "edge/answer.h"
#include "read/group.h"
#include "read/list.h"
#include "read/params.h"
#include "read/render.h"

#define RESPONSE_MAX_BYTES (1024U << 20)

struct browse {
    struct read_job job; /* first: the workers give it back */
    struct wire_exchange *exchange;
    const struct http_request *request;
    struct route_match match;
    int32_t tenant_id;
};

/* Each answers one route into out. */
typedef bool (*answer_fn)(const struct browse *b, struct reader *reader, struct arena *arena,
                          struct buf *out, struct err *err);

static bool answer_list(const struct browse *b, struct reader *reader, struct arena *arena,
                        struct buf *out, struct err *err)
{
    struct trace_filter filter;
    struct trace_page page;

    return params_list(b->request->query, clock_wall_ns(), arena, &filter, err) &&
           reader_list(reader, b->tenant_id, &filter, arena, &page, err) &&
           list_render(&page, &filter, out, err);
}

static bool answer_services(const struct browse *b, struct reader *reader, struct arena *arena,
                            struct buf *out, struct err *err)
{
    struct service_list services;

    return params_none(b->request->query, arena, err) &&
           reader_services(reader, b->tenant_id, arena, &services, err) &&
           list_render_services(&services, out, err);
}

static bool answer_groups(const struct browse *b, enum group_by by, struct reader *reader,
                          struct arena *arena, struct buf *out, struct err *err)
{
    struct group_filter filter;
    struct group_page page;

    return params_groups(b->request->query, by, clock_wall_ns(), arena, &filter, err) &&
           reader_groups(reader, b->tenant_id, &filter, arena, &page, err) &&
           group_render(&page, &filter, out, err);
}

static bool answer_sessions(const struct browse *b, struct reader *reader, struct arena *arena,
                            struct buf *out, struct err *err)
{
    return answer_groups(b, GROUP_SESSION, reader, arena, out, err);
}

static bool answer_users(const struct browse *b, struct reader *reader, struct arena *arena,
                         struct buf *out, struct err *err)
{
    return answer_groups(b, GROUP_USER, reader, arena, out, err);
}

static bool answer_session(const struct browse *b, struct reader *reader, struct arena *arena,
                           struct buf *out, struct err *err)
{
    struct trace_filter filter;
    struct group_row session;
    struct trace_page page;

    if (!params_session(b->request->query, b->match.ids[0], clock_wall_ns(), arena, &filter, err))
        return false;
    const struct group_filter group = {
        .by = GROUP_SESSION, .from_ns = filter.from_ns, .to_ns = filter.to_ns};
    if (!reader_group(reader, b->tenant_id, &group, filter.session, arena, &session, err) ||
        !reader_list(reader, b->tenant_id, &filter, arena, &page, err))
        return false;
    if (session.trace_count == 0)
        return err_set(err, ERR_NOT_FOUND, "no session has this id");
    return group_render_session(&session, &page, &filter, out, err);
}

static bool answer_models(const struct browse *b, struct reader *reader, struct arena *arena,
                          struct buf *out, struct err *err)
{
    struct group_filter filter;
    struct model_list models;

    return params_models(b->request->query, clock_wall_ns(), arena, &filter, err) &&
           reader_models(reader, b->tenant_id, &filter, arena, &models, err) &&
           group_render_models(&models, &filter, out, err);
}

static bool answer_trace(const struct browse *b, struct reader *reader, struct arena *arena,
                         struct buf *out, struct err *err)
{
    struct uuid trace_id;
    struct trace_view view;
    struct trace_spans spans;

    if (!params_trace_id(b->match.ids[0], &trace_id, err) ||
        !params_trace(b->request->query, arena, &view, err) ||
        !reader_trace(reader, b->tenant_id, &trace_id, !view.skeleton, arena, &spans, err))
        return false;
    if (spans.count == 0)
        return err_set(err, ERR_NOT_FOUND, "no trace has this id");
    return view.otlp ? render_otlp(&spans, arena, out, err)
                     : render_trace(&spans, &view, clock_wall_ns(), arena, out, err);
}

static bool answer_span(const struct browse *b, struct reader *reader, struct arena *arena,
                        struct buf *out, struct err *err)
{
    struct uuid trace_id;
    int64_t span_id;
    struct trace_view view;
    struct trace_spans spans;

    if (!params_trace_id(b->match.ids[0], &trace_id, err) ||
        !params_span_id(b->match.ids[1], &span_id, err) ||
        !params_span(b->request->query, arena, &view, err) ||
        !reader_span(reader, b->tenant_id, &trace_id, span_id, arena, &spans, err))
        return false;
    if (spans.count == 0)
        return err_set(err, ERR_NOT_FOUND, "no span has this id in this trace");
    return view.otlp ? render_otlp(&spans, arena, out, err) : render_span(&spans, arena, out, err);
}

/* Ready: the database answers a read. */
static bool answer_ready(const struct browse *b, struct reader *reader, struct arena *arena,
                         struct buf *out, struct err *err)
{
    const struct uuid nobody = {0};
    struct trace_spans spans;

    (void)b;
    if (!reader_trace(reader, TENANT_DEFAULT, &nobody, /* full= */ false, arena, &spans, err))
        return err_set(err, ERR_UNAVAILABLE, "the database does not answer");
    buf_add_text(out, "{\"status\":\"ready\"}");
    return true;
}

static answer_fn answer_of(enum route route)
{
    static const answer_fn answers[] = {
        [ROUTE_TRACES] = answer_list,       [ROUTE_TRACE] = answer_trace,
        [ROUTE_SPAN] = answer_span,         [ROUTE_SERVICES] = answer_services,
        [ROUTE_SESSIONS] = answer_sessions, [ROUTE_SESSION] = answer_session,
        [ROUTE_USERS] = answer_users,       [ROUTE_MODELS] = answer_models,
        [ROUTE_READY] = answer_ready,
    };
    return answers[route];
}

static bool is_gone(const struct read_job *job)
{
    return wire_exchange_gone(((const struct browse *)job)->exchange);
}

/* What the client is told where the database speaks: never its own words (OTLP-58). */
static void hide_cause(struct err *err)
{
    struct err told = {.kind = err->kind};

    if (err->kind == ERR_TIMEOUT)
        (void)!err_set(&told, err->kind, "the query took longer than query-timeout-ms");
    else if (err->kind == ERR_UNAVAILABLE || err->kind == ERR_CONTENDED)
        (void)!err_set(&told, ERR_UNAVAILABLE, "the database is not available");
    else if (err->kind == ERR_INTERNAL || err->kind == ERR_CONFLICT || err->kind == ERR_NO_CHUNK)
        (void)!err_set(&told, ERR_INTERNAL, "internal error, see the server's log");
    else
        return;
    log_limited(LOG_WARN, "http", "a read failed", "kind=%s cause='%s'", err_kind_name(err->kind),
                err->text);
    *err = told;
}

static void run(struct read_job *job, struct reader *reader, struct arena *arena)
{
    struct browse *b = (struct browse *)job;
    struct http_response response;
    struct err err = {0};

    http_response_init(&response, RESPONSE_MAX_BYTES);
    if (reader) {
        const answer_fn answer = answer_of(b->match.route);
        if (answer(b, reader, arena, &response.body, &err)) {
            answer_json(&response);
        } else {
            buf_clear(&response.body);
            hide_cause(&err);
            answer_error(b->request, &err, &response);
        }
    }
    wire_respond(b->exchange, &response);
    free(b);
}

void browse_handle(struct app *app, struct wire_exchange *exchange, struct http_request *request,
                   const struct route_match *match, const struct key_grant *grant)
{
    struct browse *b = calloc(1, sizeof(*b));
    struct http_response response;
    struct err err = {0};

    if (b) {
        *b = (struct browse){.job = {.gone = is_gone, .run = run},
                             .exchange = exchange,
                             .request = request,
                             .match = *match,
                             .tenant_id = grant->tenant_id};
        if (read_pool_submit(app->readers, &b->job))
            return;
    }
    free(b);
    (void)!err_set(&err, ERR_UNAVAILABLE, "too many reads are waiting, come again");
    http_response_init(&response, RESPONSE_MAX_BYTES);
    answer_error(request, &err, &response);
    wire_respond(exchange, &response);
}
