/* Attributes and their values from OTLP/JSON. */
#ifndef OTLP_JSON_VALUE_H
#define OTLP_JSON_VALUE_H

#include "otlp/json_field.h"

/* Reads an array of KeyValue objects into *set (items and count; dropped is left alone). Values
 * deeper than the limit become empty, mark TOO_DEEP. */
MUST_CHECK bool json_value_attributes(struct json_decoder *d, enum json_token token,
                                      const char *name, struct attributes *set, struct err *err);

/* Reads one AnyValue object; null is an empty value. */
MUST_CHECK bool json_value_read(struct json_decoder *d, enum json_token token, struct value *value,
                                struct err *err);

/* Once the message around the set is read: what was beyond the limit of attributes is counted as
 * dropped, mark TRUNCATED. */
void json_value_settle(struct json_decoder *d, struct attributes *set);

#endif
