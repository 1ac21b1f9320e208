/* What billable spans used and cost, summed: of a subtree, a trace, a session, a user, a model. */
#ifndef MODEL_SPEND_H
#define MODEL_SPEND_H

#include "model/stored.h"

struct spend {
    int64_t calls;    /* billable spans */
    int64_t unpriced; /* those of them whose cost is not known */
    wide_int tokens[TOKEN_KIND_COUNT];
    wide_int total_tokens;
    wide_int cost[TOKEN_KIND_COUNT]; /* pico-USD, as the three below; parts of computed costs */
    wide_int request_cost;
    wide_int cost_total; /* of the calls whose cost is known */
};

/* Whether cost_total says anything: there is no call, or one with a known cost. */
static inline bool spend_is_known(const struct spend *spend)
{
    return spend->calls == 0 || spend->unpriced < spend->calls;
}

/* Nothing where the span is not billable. */
void spend_add_span(struct spend *spend, const struct stored_span *span);

void spend_add(struct spend *spend, const struct spend *more);

#endif
