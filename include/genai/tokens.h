/* Usage and reported cost of a span: every spelling read, inclusive counts taken apart into disjoint
 * kinds by rules that look at the numbers too (docs/genai.md). */
#ifndef GENAI_TOKENS_H
#define GENAI_TOKENS_H

#include "genai/read.h"

/* Fills meaning->usage, ->reported_cost and the flags AGGREGATE, COPY, ODD_USAGE, ESTIMATED.
 * Observation, provider and models of meaning are read already. */
MUST_CHECK bool genai_tokens(struct findings *f, struct sources *sources, struct meaning *meaning,
                             struct err *err);

#endif
