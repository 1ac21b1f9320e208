/* Exact cost of a span in pico-USD by kind. */
#ifndef LEDGER_COST_H
#define LEDGER_COST_H

#include "ledger/prices.h"

/* Which cost counts where both are known (a setting). */
enum cost_preference { COST_PREFER_COMPUTED, COST_PREFER_REPORTED };

/* Of the setting's word, "computed" or "reported"; false: another word. */
MUST_CHECK bool cost_preference_named(const char *name, enum cost_preference *out_preference);

/*
 * Fills meaning->cost from its usage, the list and what was reported.
 *
 * A kind without a rate takes its parent's: 1 h write -> write -> input; cache read, audio and images
 * in -> input; cached audio -> audio in -> cache read -> input; reasoning, audio and images out ->
 * output. A kind that has none even so costs nothing (an embedding has no price for output), but
 * where no token at all has a rate the cost is unknown. The fee per request is added once.
 *
 * computed is COST_UNKNOWN where no price is known, where no usage was sent (also when the model has
 * a fee per request: a part of a cost is not passed off as the whole), where only a total was sent
 * and the price of its tokens depends on their kind, and where a sum is beyond int64. Failed spans
 * are priced like others. Any thread.
 */
void cost_fill(struct meaning *meaning, struct prices *prices, int32_t tenant_id, int64_t start_ns,
               struct bytes host, enum cost_preference preference);

#endif
