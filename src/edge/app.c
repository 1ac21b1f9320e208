/* The request handlers: route, refuse early, hand on. Everything here runs on the io thread and never blocks. */
#include "edge/app.h"

#include "base/assets.h"
#include "base/json_write.h"
#include "base/stats.h"
#include "base/text.h"
#include "base/version.h"
#include "edge/answer.h"
#include "edge/auth.h"
#include "edge/browse.h"
#include "edge/export.h"
#include "edge/routes.h"

#define LOCAL_MAX_BYTES (1024U * 1024)
#define READ_BODY_MAX_BYTES (64U * 1024) /* a GET has no business with a body */

static bool head(void *user, const struct http_request *request, size_t *out_max_body_bytes,
                 struct err *err)
{
    const struct app *app = user;
    const struct route_match match = routes_find(request);
    struct key_grant grant;
    char quoted[64];

    /* First of all: who has no key learns nothing, not even which paths there are. */
    if (!auth_check(app->keys, request, match.route, &grant, err))
        return false;
    if (match.route == ROUTE_NONE)
        return err_set(err, ERR_NOT_FOUND, "nothing is served at '%s'%s",
                       text_quote(request->path, quoted, sizeof(quoted)), routes_hint(request));
    if (!routes_takes(match.route, request->method))
        return err_set(err, ERR_METHOD_NOT_ALLOWED, "method is '%s', want %s%s",
                       text_quote(request->method, quoted, 24), routes_allow(match.route),
                       routes_hint(request));
    if (routes_is_export(match.route))
        return export_check(request, err);
    *out_max_body_bytes = READ_BODY_MAX_BYTES;
    return true;
}

static void index_json(struct buf *out)
{
    struct json j = json_into(out);

    json_open(&j, '{');
    json_key(&j, "name");
    json_cstr(&j, "spanledger");
    json_key(&j, "version");
    json_cstr(&j, SPANLEDGER_VERSION);
    json_key(&j, "export");
    json_cstr(&j, "/v1/traces");
    json_key(&j, "api");
    json_cstr(&j, "/api/v1/openapi.yaml");
    json_close(&j, '}');
}

/* Routes that need no database. */
static void local(struct wire_exchange *exchange, enum route route)
{
    struct http_response response;

    http_response_init(&response, LOCAL_MAX_BYTES);
    if (route == ROUTE_METRICS) {
        stats_render(&response.body);
        answer_text(&response, "text/plain; version=0.0.4; charset=utf-8", (struct bytes){0});
    } else if (route == ROUTE_OPENAPI) {
        answer_text(&response, "application/yaml",
                    (struct bytes){(const uint8_t *)asset_openapi_yaml, asset_openapi_yaml_bytes});
    } else if (route == ROUTE_HEALTH) {
        answer_text(&response, "application/json", BYTES_LITERAL("{\"status\":\"ok\"}"));
    } else {
        index_json(&response.body);
        answer_json(&response);
    }
    wire_respond(exchange, &response);
}

static void refuse(struct wire_exchange *exchange, const struct http_request *request,
                   const struct err *err)
{
    struct http_response response;

    http_response_init(&response, LOCAL_MAX_BYTES);
    answer_error(request, err, &response);
    wire_respond(exchange, &response);
}

static void request_whole(void *user, struct wire_exchange *exchange, struct http_request *request)
{
    struct app *app = user;
    const struct route_match match = routes_find(request);
    struct key_grant grant;
    struct err err = {0};

    /* Asked again, now for whom it is: while the body came, the key may have been revoked. */
    if (!auth_check(app->keys, request, match.route, &grant, &err))
        refuse(exchange, request, &err);
    else if (routes_is_export(match.route))
        export_handle(app, exchange, request,
                      match.route == ROUTE_EXPORT_LOGS ? OTLP_LOGS : OTLP_TRACES, &grant);
    else if (match.route >= ROUTE_TRACES || match.route == ROUTE_READY)
        browse_handle(app, exchange, request, &match, &grant);
    else
        local(exchange, match.route);
}

static void error(void *user, const struct http_request *request, const struct err *err,
                  struct http_response *response)
{
    (void)user;
    answer_error(request, err, response);
}

struct wire_handlers app_handlers(struct app *app)
{
    return (struct wire_handlers){
        .user = app, .head = head, .request = request_whole, .error = error};
}
