/* The spellings of a model that are looked for, most specific first. Inner room of ledger/match. */
#ifndef LEDGER_MATCH_FORMS_H
#define LEDGER_MATCH_FORMS_H

#include "ledger/match_provider.h"

#define MATCH_MAX_FORMS 40
#define MATCH_MAX_HINTS 4

struct match_forms {
    struct bytes at[MATCH_MAX_FORMS];
    uint32_t count;
    uint32_t base_count; /* the first ones: as sent, then without what stands before the model */
    uint32_t hints[MATCH_MAX_HINTS]; /* providers that the name itself speaks of */
    uint32_t hint_count;
    struct bytes unlisted; /* a prefix of a provider without list; empty: none */
    bool bedrock;          /* one of the base forms has the shape of Bedrock's ids */
    bool free_variant;     /* it ends in ":free" */
    size_t used;
    uint8_t text[8 * MATCH_MAX_NAME]; /* of forms that are no part of the name */
    uint8_t lower[MATCH_MAX_NAME];
};

/* False: a name that can mean no model of a list (too long, empty, somebody's own endpoint). */
bool match_forms_make(const struct price_list *list, struct bytes model,
                      struct match_forms *out_forms);

#endif
