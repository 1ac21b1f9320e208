/* Which path means what: the one table of paths. */
#ifndef EDGE_ROUTES_H
#define EDGE_ROUTES_H

#include "model/http.h"

enum route {
    ROUTE_NONE,        /* no such path */
    ROUTE_EXPORT,      /* of traces */
    ROUTE_EXPORT_LOGS, /* of logs: the GenAI content among them */
    ROUTE_INDEX,
    ROUTE_HEALTH,
    ROUTE_READY,
    ROUTE_METRICS,
    ROUTE_OPENAPI,
    ROUTE_TRACES,
    ROUTE_TRACE,
    ROUTE_SPAN,
    ROUTE_SERVICES,
    ROUTE_SESSIONS,
    ROUTE_SESSION,
    ROUTE_USERS,
    ROUTE_MODELS,
};

struct route_match {
    enum route route;
    struct bytes ids[2]; /* path parts of {trace_id} and {span_id}, as sent */
    bool otlp;           /* errors on this path are OTLP Status, whatever the route */
};

/* Finds the route of a request's path. One trailing slash is ignored (OTLP-03); case counts (OTLP-02). Pure. */
struct route_match routes_find(const struct http_request *request);

/* What helps a sender whose request no route takes, to stand behind the reason; "" where nothing does.
 * Static. */
const char *routes_hint(const struct http_request *request);

/* Whether a route takes exports. */
bool routes_is_export(enum route route);

/* The methods a route takes ("POST", "GET, HEAD"), for the Allow header. Static. */
const char *routes_allow(enum route route);
bool routes_takes(enum route route, struct bytes method);

#endif
