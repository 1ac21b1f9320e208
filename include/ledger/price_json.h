/* Prices as JSON: columns spanledger.price.rates and spanledger.model_price.prices. */
#ifndef LEDGER_PRICE_JSON_H
#define LEDGER_PRICE_JSON_H

#include "ledger/prices.h"

/* Appends {"input":2500000,…}: pico-USD per token ("request": per call), rates that are there only. */
void price_json_rates(struct buf *out, const struct rates *rates);

/* Appends {"input":"2.5",…,"above":{"tokens":272000,"input":"5",…}}: decimal USD per million tokens
 * ("request": for one call). */
void price_json_own(struct buf *out, const struct own_price *row);

/* Reads what price_json_own wrote into row's rates. Fails with ERR_BAD_INPUT. */
MUST_CHECK bool price_json_read_own(struct bytes json, struct arena *arena, struct own_price *row,
                                    struct err *err);

/* A rate of this name from decimal text; *rates keeps its other rates. False: no such name, or no
 * decimal with at most six digits behind the point (a fee per request: twelve). */
bool price_json_rate(struct bytes name, struct bytes text, struct rates *rates);

/* Appends a rate as price_json_rate reads it: decimal without trailing zeros. */
void price_json_decimal(struct buf *out, int64_t rate, bool per_request);

#endif
