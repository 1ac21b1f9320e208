/* Spans for property tests: random ones with everything odd in them, compared field by field. */
#ifndef TESTS_SUPPORT_SPANS_H
#define TESTS_SUPPORT_SPANS_H

#include "base/arena.h"
#include "model/span.h"

struct span_random {
    uint64_t state; /* a seed; the same gives the same spans */
    bool clean;     /* texts are UTF-8 without NUL */
    struct arena *arena;
};

uint64_t span_random_next(struct span_random *r);

/* A sound span (otlp_check_span) with a resource and a scope of its own. */
struct span span_random_make(struct span_random *r);

/* NULL when both say the same (ids, texts, values of the same kind bit by bit, order, resource and
 * scope; not marks, faults and positions); else the name of the first part that differs. An all-zero
 * parent differs from none. */
const char *span_difference(const struct span *a, const struct span *b);

#endif
