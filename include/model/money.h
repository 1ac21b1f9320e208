/* Money: signed 64-bit counts of pico-USD (10^-12 USD): a price per million tokens with six decimals is exact per token. */
#ifndef MODEL_MONEY_H
#define MODEL_MONEY_H

#include <stdint.h>

/* Sums of such counts: 2^63 pico-USD are only 9.2 million USD. */
__extension__ typedef __int128 wide_int;

#define PICO_PER_USD INT64_C(1000000000000)

/* No cost is known: not the same as a cost of 0. */
#define COST_UNKNOWN INT64_MIN

#endif
