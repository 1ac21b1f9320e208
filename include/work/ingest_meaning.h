/* What a span means and costs, on its way into the tables: genai and ledger between decoding and
 * writing. */
#ifndef WORK_INGEST_MEANING_H
#define WORK_INGEST_MEANING_H

#include "base/cfg.h"
#include "ledger/cost.h"
#include "model/span.h"
#include "model/stored.h"

/* Of one worker. */
struct ingest_meaning {
    struct arena scratch;        /* what reading one span takes */
    struct shape_memory *shapes; /* NULL: no memory for it */
    struct prices *prices;       /* of the batch at hand */
    enum cost_preference preference;
    struct bytes project; /* of spans of the request at hand that name none; empty: none */
};

/* cfg NULL: the defaults. Its words were checked (cost_preference_named). */
void ingest_meaning_init(struct ingest_meaning *meaning, const struct cfg *cfg);
void ingest_meaning_done(struct ingest_meaning *meaning);

/*
 * Fills row->meaning, living in arena; NULL where nothing of GenAI, and nobody's name, is in the
 * span. A span that failed by other means than its status gets that outcome. A span whose reading
 * takes more memory than it may is stored without a meaning. Fails with ERR_TOO_LARGE (arena).
 */
MUST_CHECK bool ingest_meaning_fill(struct ingest_meaning *meaning, const struct span *span,
                                    struct stored_span *row, struct arena *arena, struct err *err);

/* The cost of what meaning has, by the list of the moment. */
void ingest_meaning_price(struct ingest_meaning *meaning, const struct span *span,
                          const struct stored_span *row, struct meaning *found);

#endif
