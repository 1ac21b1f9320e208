#include "model/spend.h"

void spend_add_span(struct spend *spend, const struct stored_span *span)
{
    const struct meaning *meaning = span->meaning;

    if (!span->billing.billable || !meaning)
        return;
    spend->calls++;
    for (int i = 0; i < TOKEN_KIND_COUNT; i++)
        spend->tokens[i] += meaning->usage.tokens[i];
    spend->total_tokens += meaning->usage.total;
    if (meaning->cost.computed != COST_UNKNOWN) {
        for (int i = 0; i < TOKEN_KIND_COUNT; i++)
            spend->cost[i] += meaning->cost.by_kind[i];
        spend->request_cost += meaning->cost.request;
    }
    if (meaning->cost.total == COST_UNKNOWN)
        spend->unpriced++;
    else
        spend->cost_total += meaning->cost.total;
}

void spend_add(struct spend *spend, const struct spend *more)
{
    spend->calls += more->calls;
    spend->unpriced += more->unpriced;
    for (int i = 0; i < TOKEN_KIND_COUNT; i++) {
        spend->tokens[i] += more->tokens[i];
        spend->cost[i] += more->cost[i];
    }
    spend->total_tokens += more->total_tokens;
    spend->request_cost += more->request_cost;
    spend->cost_total += more->cost_total;
}
