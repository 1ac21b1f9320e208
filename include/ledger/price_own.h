/* Own prices, found by tenant, provider and model. Inner room of ledger/prices. */
#ifndef LEDGER_PRICE_OWN_H
#define LEDGER_PRICE_OWN_H

#include "ledger/price_list.h"

/* One price from its date on. */
struct price_own_row {
    int64_t effective_from_ns;
    int64_t above_tokens; /* 0: one tier */
    struct bytes source;
    struct rates rates;
    struct rates above;
    uint64_t id;
    uint64_t above_id;
};

/* All prices of one tenant (0: everyone), provider ('': any) and model, oldest first. */
struct price_own_group {
    int32_t tenant_id;
    struct bytes provider;
    struct bytes model; /* as imported */
    struct bytes lower; /* its lower-case form */
    struct bytes name;  /* "openai:gpt-4o" */
    struct price_range rows;
};

struct price_own {
    struct arena arena;
    struct price_own_group *groups;
    struct price_own_row *rows;
    uint32_t group_count;
    uint32_t row_count;
    uint32_t *names; /* hash of groups -> index */
    size_t name_mask;
};

/* Providers are brought to the list's names. Fails with ERR_TOO_LARGE. */
MUST_CHECK bool price_own_make(struct price_own *own, const struct price_list *list,
                               const struct own_price *rows, size_t count, struct err *err);
void price_own_free(struct price_own *own);

/* Index of a group; PRICE_NONE: none. provider and model in lower case. */
uint32_t price_own_find(const struct price_own *own, int32_t tenant_id, struct bytes provider,
                        struct bytes model);

/* The row in force at a time; NULL before the first. */
const struct price_own_row *price_own_at(const struct price_own *own, uint32_t group,
                                         int64_t at_ns);

/* A group's row (above: its second tier) as a price. */
void price_own_fill(const struct price_own *own, uint32_t group, const struct price_own_row *row,
                    bool above, struct price *out_price);

#endif
