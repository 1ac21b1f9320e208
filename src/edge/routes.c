/* The table of paths. */
#include "edge/routes.h"

#define GRPC "/opentelemetry.proto.collector."

static const struct pattern {
    const char *path; /* '*' stands for one path part that is an id */
    enum route route;
} patterns[] = {
    {"/v1/traces", ROUTE_EXPORT},
    {"/api/public/otel/v1/traces", ROUTE_EXPORT}, /* Langfuse's SDKs */
    {"/otel/v1/traces", ROUTE_EXPORT},
    {"/otel", ROUTE_EXPORT},
    {"/api/v1/otel/v1/traces", ROUTE_EXPORT}, /* LangSmith's SDKs */
    {GRPC "trace.v1.TraceService/Export", ROUTE_EXPORT},
    {"/v1/logs", ROUTE_EXPORT_LOGS},
    {"/api/public/otel/v1/logs", ROUTE_EXPORT_LOGS},
    {"/otel/v1/logs", ROUTE_EXPORT_LOGS},
    {"/api/v1/otel/v1/logs", ROUTE_EXPORT_LOGS},
    {GRPC "logs.v1.LogsService/Export", ROUTE_EXPORT_LOGS},
    {"", ROUTE_INDEX},
    {"/healthz", ROUTE_HEALTH},
    {"/readyz", ROUTE_READY},
    {"/metrics", ROUTE_METRICS},
    {"/api/v1/openapi.yaml", ROUTE_OPENAPI},
    {"/api/v1/traces", ROUTE_TRACES},
    {"/api/v1/traces/*", ROUTE_TRACE},
    {"/api/v1/spans/*/*", ROUTE_SPAN},
    {"/api/v1/services", ROUTE_SERVICES},
    {"/api/v1/sessions", ROUTE_SESSIONS},
    {"/api/v1/sessions/*", ROUTE_SESSION},
    {"/api/v1/users", ROUTE_USERS},
    {"/api/v1/models", ROUTE_MODELS},
};

static bool starts_with(struct bytes text, const char *prefix)
{
    const size_t len = strlen(prefix);
    return text.len >= len && memcmp(text.at, prefix, len) == 0;
}

static struct bytes without_trailing_slash(struct bytes path)
{
    if (path.len > 0 && path.at[path.len - 1] == '/')
        path.len--;
    return path;
}

/* One path part may stand for an id: everything up to the next slash, not empty. */
static bool matches(const char *pattern, struct bytes path, struct bytes ids[2])
{
    size_t id = 0;
    size_t at = 0;

    for (; *pattern; pattern++) {
        const size_t begin = at;

        if (*pattern != '*') {
            if (at == path.len || path.at[at++] != (uint8_t)*pattern)
                return false;
            continue;
        }
        while (at < path.len && path.at[at] != '/')
            at++;
        if (at == begin)
            return false;
        ids[id++] = (struct bytes){path.at + begin, at - begin};
    }
    return at == path.len;
}

struct route_match routes_find(const struct http_request *request)
{
    const struct bytes path = without_trailing_slash(request->path);
    struct route_match match = {.otlp = starts_with(request->path, "/v1/") ||
                                        request->protocol == HTTP_PROTOCOL_GRPC};

    for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
        const struct pattern *p = &patterns[i];
        /* gRPC has its methods only. The other way round, their paths with another content type are
         * a 415 (OTLP-61), which is for the export route to say. */
        if (request->protocol == HTTP_PROTOCOL_GRPC && !starts_with(bytes_of(p->path), GRPC))
            continue;
        if (matches(p->path, path, match.ids)) {
            match.route = p->route;
            match.otlp |= routes_is_export(p->route);
            break;
        }
    }
    return match;
}

static bool ends_with(struct bytes text, const char *end)
{
    const size_t len = strlen(end);
    return text.len >= len && memcmp(text.at + text.len - len, end, len) == 0;
}

const char *routes_hint(const struct http_request *request)
{
    const struct bytes path = without_trailing_slash(request->path);

    if (!bytes_is(request->method, "POST") || request->protocol == HTTP_PROTOCOL_GRPC)
        return "";
    if (ends_with(path, "/v1/metrics"))
        return "; metrics are not taken, OTEL_METRICS_EXPORTER=none spares an SDK the attempt";
    return "; spans are taken at /v1/traces";
}

bool routes_is_export(enum route route)
{
    return route == ROUTE_EXPORT || route == ROUTE_EXPORT_LOGS;
}

const char *routes_allow(enum route route)
{
    return routes_is_export(route) ? "POST" : "GET, HEAD";
}

bool routes_takes(enum route route, struct bytes method)
{
    if (routes_is_export(route))
        return bytes_is(method, "POST");
    return bytes_is(method, "GET") || bytes_is(method, "HEAD");
}
