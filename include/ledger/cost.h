/* Exact cost of a span in pico-USD by kind. */
#ifndef LEDGER_COST_H
#define LEDGER_COST_H

#include "ledger/prices.h"

/* Which cost counts where both are known (a setting). */
enum cost_preference { COST_PREFER_COMPUTED, COST_PREFER_REPORTED };

/* Fills meaning->cost from its usage, the list and what was reported. A kind without a rate takes
 * its parent's (1 h write -> write -> input, audio -> input or output, reasoning -> output, cache
 * read -> input). A sum beyond int64 is COST_UNKNOWN. */
void cost_fill(struct meaning *meaning, struct prices *prices, int32_t tenant_id, int64_t start_ns,
               struct bytes host, enum cost_preference preference);

#endif
