/*
 * Price lists: the embedded one (data of @pydantic/genai-prices, MIT) with own prices from the
 * database on top, matched as docs/prices.md says.
 *
 * A list never changes once made, but for its memory of questions already answered; threads share it
 * by counted references. New own prices make a new list, which takes the old one's place in a slot.
 */
#ifndef LEDGER_PRICES_H
#define LEDGER_PRICES_H

#include <pthread.h>

#include "base/arena.h"
#include "model/meaning.h"

struct prices;

/* Pico-USD per token (per call for the request); COST_UNKNOWN: no rate of its own, see cost.h. */
struct rates {
    int64_t of[TOKEN_KIND_COUNT]; /* IMAGE: of those that went in */
    int64_t audio_cache_read;
    int64_t image_output;
    int64_t request;
};

/* The rates in force for one model at one time, chosen by the size of its input. */
struct price {
    uint64_t id;       /* hash of everything below, not 0: what span.price_id holds */
    struct bytes name; /* "openai:gpt-4o" */
    struct bytes provider;
    struct bytes source;       /* "genai-prices 0.1.8", or what an own price was imported with */
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

/* A row of spanledger.model_price. Texts are borrowed while a list is made. */
struct own_price {
    int32_t tenant_id;     /* 0: everyone */
    struct bytes provider; /* empty: any */
    struct bytes model;
    int64_t effective_from_ns;
    struct rates rates;
    int64_t above_tokens; /* 0: one tier; else `above` is in force when the input has more */
    struct rates above;
    struct bytes source;
};

/*
 * A list from its texts (formats: heads of src/ledger/list.txt and overlay.txt), which are borrowed
 * for as long as it lives. Fails with ERR_BAD_INPUT (line and reason) or ERR_TOO_LARGE (memory).
 * prices_embedded: from the texts in the binary.
 */
MUST_CHECK bool prices_new(struct bytes list, struct bytes overlay, struct prices **out_prices,
                           struct err *err);
MUST_CHECK bool prices_embedded(struct prices **out_prices, struct err *err);

/* A list like `from`, with these own prices in place of those that it has. The rows of one tenant,
 * provider and model are in force from their date until the next one's. Fails with ERR_TOO_LARGE. */
MUST_CHECK bool prices_with_own(struct prices *from, const struct own_price *rows, size_t count,
                                struct prices **out_prices, struct err *err);

struct prices *prices_ref(struct prices *prices);
void prices_unref(struct prices *prices); /* NULL: nothing */

/* *out_price's texts live as long as the list. False: no price is known. Any thread. */
bool prices_find(struct prices *prices, const struct price_question *question,
                 struct price *out_price);

/* The index'th of all prices that prices_find may give, own ones included, some perhaps twice; false
 * past the end. */
bool prices_at(const struct prices *prices, size_t index, struct price *out_price);

/* The provider as the list names it ("aws" for "bedrock_converse"); empty when the name is none of a
 * known provider (frameworks, unknown ones). Lives as long as the list. */
struct bytes prices_provider(const struct prices *prices, struct bytes provider);

/* "genai-prices 0.1.8"; lives as long as the list. */
struct bytes prices_version(const struct prices *prices);

/* Where threads find the list of the moment. The slot owns one reference; get gives one more, which
 * the caller gives back with prices_unref. put takes over the caller's. */
struct prices_slot {
    pthread_mutex_t lock;
    struct prices *current;
};
void prices_slot_init(struct prices_slot *slot, struct prices *first);
void prices_slot_done(struct prices_slot *slot);
struct prices *prices_slot_get(struct prices_slot *slot);
void prices_slot_put(struct prices_slot *slot, struct prices *next);

/* One row of the list for people: model by model in the list's order, what is in force at a time. */
struct price_line {
    struct price price;
    struct price above; /* where above_tokens > 0 */
    int64_t above_tokens;
    int32_t tenant_id; /* own prices of one tenant; else 0 */
    bool own;
    bool overridden; /* of the list, and everyone's own price stands before it */
};

/* The index'th line (own prices first), at a time; false past the end. */
bool prices_line(const struct prices *prices, size_t index, int64_t at_ns,
                 struct price_line *out_line);

#endif
