/* Resources and scopes of OTLP/JSON, which many spans share, and the macros of plain fields. */
#ifndef OTLP_JSON_SHARED_H
#define OTLP_JSON_SHARED_H

#include "otlp/json_value.h"

/* Readers of plain fields: type of the message, member, and which rule reads it. */
#define JSON_READ(function, type, kind, member, name)                                              \
    static bool function(struct json_decoder *d, enum json_token token, void *message,             \
                         struct err *err)                                                          \
    {                                                                                              \
        return json_field_##kind(d, token, name, &((type *)message)->member, err);                 \
    }
#define JSON_READ_SET(function, type, member, name)                                                \
    static bool function(struct json_decoder *d, enum json_token token, void *message,             \
                         struct err *err)                                                          \
    {                                                                                              \
        return json_value_attributes(d, token, name, &((type *)message)->member, err);             \
    }

/* Into struct resource and struct scope; json_value_settle is the caller's. A wrong shape fails the
 * request. */
extern const struct json_message json_shared_resource;
extern const struct json_message json_shared_scope;

#endif
