/* The outermost object of an OTLP/JSON body, the same for every signal. */
#ifndef OTLP_JSON_REQUEST_H
#define OTLP_JSON_REQUEST_H

#include "otlp/json_field.h"

enum json_request { JSON_REQUEST_SPANS, JSON_REQUEST_LOGS, JSON_REQUEST_METRICS };

/*
 * Reads the whole body: item is called for each resource of the wanted signal, with no message.
 * Fails as otlp_from_json: also with ERR_BAD_INPUT for a body that has nothing of the signal but
 * something of another one.
 */
MUST_CHECK bool json_request_read(struct json_decoder *d, struct bytes body,
                                  enum json_request wanted, json_read_fn *item, struct err *err);

#endif
