/* The browser API: read requests to jobs of the read pool. */
#ifndef EDGE_BROWSE_H
#define EDGE_BROWSE_H

#include "edge/app.h"
#include "edge/routes.h"
#include "model/key.h"

/* Answers a route of the API (or readiness) for the tenant of grant, now or by a read worker. */
void browse_handle(struct app *app, struct wire_exchange *exchange, struct http_request *request,
                   const struct route_match *match, const struct key_grant *grant);

#endif
