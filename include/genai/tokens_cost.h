/* The cost that a span reports; for genai_tokens. */
#ifndef GENAI_TOKENS_COST_H
#define GENAI_TOKENS_COST_H

#include "genai/read.h"

/* Fills meaning->reported_cost (COST_UNKNOWN: none), and the flags ODD_USAGE and AGGREGATE. The
 * usage of meaning is read already. */
void genai_tokens_cost(struct findings *f, struct sources *sources, struct meaning *meaning);

#endif
