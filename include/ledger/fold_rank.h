/* Of two spans that speak of one call, which one tells more: the orders in which counting chooses.
 * For the fold's own rooms. Each order is total (ties end at identity) and looks at nothing but the
 * spans, so that no order of arrival can show. */
#ifndef LEDGER_FOLD_RANK_H
#define LEDGER_FOLD_RANK_H

#include "ledger/fold.h"

/* How much a span's numbers can be trusted. */
enum fold_strength { FOLD_SILENT = 0, FOLD_GUESSED = 1, FOLD_KNOWN = 2, FOLD_STRENGTHS = 3 };
enum fold_strength fold_rank_strength(const struct fold_span *span);

/* Tokens as wrappers still know them when they have lost the kinds. */
struct fold_size {
    uint64_t in;
    uint64_t out;
    uint64_t total; /* more than in + out: images, or only a total was sent */
};
struct fold_size fold_rank_size(const struct fold_span *span);

/* Whether they can be the same tokens: images count as input, as output or apart, and a total may be
 * all that was sent. */
bool fold_rank_same_size(const struct fold_size *a, const struct fold_size *b);

/* All compare like qsort's function: negative where a comes first, is better. */
int fold_rank_identity(const struct fold_span *a, const struct fold_span *b);

/* Who says how large the call is; depth: how far below the top of its trace. */
int fold_rank_anchor(const struct fold_span *a, uint32_t a_depth, const struct fold_span *b,
                     uint32_t b_depth);

/* Who is billed, among those of one size in one trace: more kinds of tokens, so more exact money. */
int fold_rank_detail(const struct fold_span *a, const struct fold_span *b);

/* Who is billed, across traces. */
int fold_rank_across(const struct fold_span *a, const struct fold_span *b);

#endif
