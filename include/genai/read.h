/* What a span means (model/meaning.h), read from its attributes in every dialect (docs/genai.md). */
#ifndef GENAI_READ_H
#define GENAI_READ_H

#include "genai/find.h"
#include "model/meaning.h"

/* Where a value came from; made only where somebody asks (the API's `ledger`). */
struct source {
    const char *field; /* "provider", "usage.input", … names of the API */
    struct bytes key;  /* attribute key as sent; empty: from the name, the scope or a rule */
    const char *dialect;
    const char *pointer; /* inside the attribute's JSON; NULL: the whole */
    struct bytes value;  /* as sent, as text */
    bool used;           /* false: it was there too and lost */
    bool conflict;       /* lost and differs from what was used */
    const char *reason;  /* why it was used, changed or left out; NULL: it was the first in rank */
};

struct sources {
    struct source *items;
    size_t count;
    size_t cap;
    struct arena *arena;
};

/*
 * Reads the facts; cost is left unknown (ledger/cost fills it). f was made with FIND_FACTS at
 * least. sources NULL: nobody asks. Never fails on what was sent: what cannot be read is left out
 * and noted. Fails with ERR_TOO_LARGE (arena).
 */
MUST_CHECK bool genai_read(struct findings *f, struct sources *sources, struct meaning *out_meaning,
                           struct err *err);

/* Notes a source; nothing where sources is NULL. For genai's own rooms. */
void sources_add(struct sources *sources, const struct source *source);

#endif
