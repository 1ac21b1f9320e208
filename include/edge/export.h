/* The ingest path: an export request to a job, the job's end to a response. */
#ifndef EDGE_EXPORT_H
#define EDGE_EXPORT_H

#include "edge/app.h"
#include "model/key.h"

/* What can be refused before the body is read: type, encoding (OTLP-24, OTLP-26). */
MUST_CHECK bool export_check(const struct http_request *request, struct err *err);

/* A whole export request, for the tenant of grant: answered now or by a worker. */
void export_handle(struct app *app, struct wire_exchange *exchange, struct http_request *request,
                   enum otlp_signal signal, const struct key_grant *grant);

#endif
