/* What genai_find has found before it is put in order: for its own rooms. */
#ifndef GENAI_HITS_H
#define GENAI_HITS_H

#include "genai/find.h"

#define GENAI_FIRST_HITS 128 /* hits that need no memory while they are collected */

/* A row that an attribute has; becomes a struct finding when the order is known. */
struct genai_hit {
    const struct attribute *attribute;
    uint32_t position;
    int32_t event;
    uint16_t row;
    uint8_t prefix; /* length of the pattern's prefix; 0: the whole key is known */
    uint8_t suffix;
    bool indexed;
    bool no_value; /* the event itself is the value */
};

struct genai_finder {
    struct findings *f;
    struct genai_hit *hits; /* in the order found */
    uint32_t count;
    uint32_t cap;
    unsigned classes;
};

/* The hits as findings, by target, with first[] and count. False: no room in the arena. */
bool genai_put_in_order(struct genai_finder *finder);

/* Length of the number at the start of text, 0 where there is none or one that is too long. */
size_t genai_number_at(struct bytes text, uint32_t *out_number);

#endif
