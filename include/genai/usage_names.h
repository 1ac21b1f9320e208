/* Table of the names in usage objects; for genai's own rooms. */
#ifndef GENAI_USAGE_NAMES_H
#define GENAI_USAGE_NAMES_H

#include "genai/usage_object.h"

struct usage_name {
    enum usage_place place;
    const char *name;
    uint8_t len;
    enum usage_field field;  /* of a number; USAGE_FIELD_COUNT: none */
    unsigned field_shape;    /* enum usage_shape that such a number shows */
    enum usage_place inside; /* what an object of this name holds */
    unsigned inside_shape;
};

/* name: lower-case letters and digits only. NULL: unknown. */
const struct usage_name *usage_name_find(enum usage_place place, struct bytes name);

#endif
