/* Answers: bodies and headers of successes and errors in the form that the request's path and type ask for. */
#ifndef EDGE_ANSWER_H
#define EDGE_ANSWER_H

#include "model/http.h"
#include "otlp/reply.h"

/* Encoding of a content type; parameters and case do not count (OTLP-23). False: neither of the two that OTLP has. */
bool answer_encoding(struct bytes content_type, enum otlp_encoding *out_encoding);

/* An error: google.rpc.Status on OTLP paths in the request's encoding (OTLP-50), gRPC status on gRPC, {"error":{"code","message"}} elsewhere. Counts it. */
void answer_error(const struct http_request *request, const struct err *err,
                  struct http_response *response);

/* The success of an export, whole or partial (OTLP-40, OTLP-43). */
void answer_export(const struct http_request *request, const struct otlp_partial *partial,
                   struct http_response *response);

/* 200 with the JSON that stands in response->body. */
void answer_json(struct http_response *response);

/* 200 with static text. */
void answer_text(struct http_response *response, const char *content_type, struct bytes text);

#endif
