/* Price lists: the embedded one (data of @pydantic/genai-prices, MIT) and own prices from the
 * database, matched as reference genai-notes section 6 says. A list never changes once made. */
#ifndef LEDGER_PRICES_H
#define LEDGER_PRICES_H

#include "base/arena.h"
#include "model/meaning.h"

struct prices; /* shared by threads, counted references */

/* Pico-USD per token (per request for the fee); COST_UNKNOWN: no rate of its own, see cost.h. */
struct rates {
    int64_t of[TOKEN_KIND_COUNT];
    int64_t audio_cache_read;
    int64_t request;
};

/* The rates in force for one model at one time, chosen by the size of its input. */
struct price {
    uint64_t id;       /* hash of everything below: what span.price_id holds */
    struct bytes name; /* "openai:gpt-4o" */
    struct bytes provider;
    struct bytes source;       /* "genai-prices 0.1.8", "own", "tenant" */
    int64_t effective_from_ns; /* INT64_MIN: always */
    struct rates rates;
};

struct price_question {
    int32_t tenant_id;
    struct bytes provider; /* as sent or as meaning has it; may be empty */
    struct bytes model;    /* tried first */
    struct bytes request_model;
    struct bytes host; /* server.address; may be empty */
    int64_t start_ns;
    int64_t input_tokens; /* all input, cached included: chooses the tier */
    unsigned flags;       /* MEANING_BATCH, _FLEX, _PRIORITY */
};

/* The embedded list with own rows on top; own rows may be none. Fails with ERR_BAD_INPUT (line and reason). */
struct own_price; /* parsed rows of model_price, see prices_own.h */

/* *out_price lives as long as the list. False: no price is known. */
bool prices_find(struct prices *prices, const struct price_question *question,
                 struct price *out_price);

struct prices *prices_ref(struct prices *prices);
void prices_unref(struct prices *prices); /* NULL: nothing */

#endif
