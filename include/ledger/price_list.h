/* The list in memory: what list.txt and overlay.txt say, in the order they say it. Inner room of
 * ledger/prices. */
#ifndef LEDGER_PRICE_LIST_H
#define LEDGER_PRICE_LIST_H

#include "ledger/prices.h"

#define PRICE_NONE UINT32_MAX
#define PRICE_MAX_TERMS 4 /* of one rule */

/* Kinds of terms; text is in lower case. */
enum price_term_kind {
    PRICE_TERM_WHOLE,
    PRICE_TERM_START,
    PRICE_TERM_END,
    PRICE_TERM_ANYWHERE,
    PRICE_TERM_PATTERN,       /* whole, '#' is a digit */
    PRICE_TERM_PATTERN_START, /* the same for the start */
};

struct price_term {
    enum price_term_kind kind;
    bool negated;
    struct bytes text;
};

/* All its terms hold. */
struct price_rule {
    uint32_t first_term;
    uint32_t term_count;
    uint32_t stands_for; /* index of what it names: a model, or a provider */
};

struct price_range {
    uint32_t first;
    uint32_t count;
};

enum price_service { PRICE_STANDARD, PRICE_BATCH, PRICE_FLEX, PRICE_PRIORITY, PRICE_SERVICES };

/* Rates as a span's price has them; name and provider come from the model. */
struct price_set {
    uint64_t id;
    uint32_t model;
    int64_t effective_from_ns;
    struct bytes source;
    struct rates rates;
};

/* One price line; of a model's entries the last one whose condition holds is in force. */
struct price_entry {
    int64_t from_ns;      /* INT64_MIN: no date */
    int32_t daily_from_s; /* -1: no time of day; UTC, from inclusive, until exclusive */
    int32_t daily_until_s;
    int64_t above_tokens;          /* 0: no second tier */
    uint32_t base[PRICE_SERVICES]; /* index of a set */
    uint32_t above[PRICE_SERVICES];
};

struct price_model {
    struct bytes id;   /* "gpt-4o" */
    struct bytes name; /* "openai:gpt-4o" */
    uint32_t provider;
    struct price_range entries;
};

struct price_provider {
    struct bytes id;
    struct price_range models;
    struct price_range rules; /* of its models, those that are more than one whole name */
    const struct bytes *fallback;
    uint32_t fallback_count;
};

/* Words of the overlay: what a name stands for. */
enum price_word_kind {
    PRICE_ALIAS,
    PRICE_FRAMEWORK,
    PRICE_UNLISTED,
    PRICE_SUFFIX,
    PRICE_VENDOR,
    PRICE_ROUTE
};

struct price_word {
    enum price_word_kind kind;
    uint32_t provider; /* of ALIAS and ROUTE */
    struct bytes text;
};

struct price_slot_name { /* of the hash of whole names */
    uint64_t hash;
    struct bytes text;
    uint32_t provider;
    uint32_t model; /* PRICE_NONE: empty */
};

struct price_list {
    struct arena arena;
    struct bytes version; /* "genai-prices 0.1.8" */
    struct price_provider *providers;
    struct price_model *models;
    struct price_entry *entries;
    struct price_set *sets;
    struct price_rule *rules; /* of models, by provider */
    struct price_rule *named; /* names of providers, in the list's order */
    struct price_rule *makes; /* models of providers */
    struct price_rule *hosts;
    struct price_term *terms;
    struct price_word *words;
    uint32_t provider_count, model_count, entry_count, set_count, rule_count, named_count,
        makes_count, host_count, term_count, word_count;
    struct price_slot_name *names;
    size_t name_mask;
};

/* See prices_new. price_list_free also after a failure. */
MUST_CHECK bool price_list_read(struct price_list *list, struct bytes text, struct bytes overlay,
                                struct err *err);
void price_list_free(struct price_list *list);

/* Whether a rule holds for a lower-case text. */
bool price_rule_holds(const struct price_list *list, const struct price_rule *rule,
                      struct bytes text);

/* The model whose whole name this is at a provider; PRICE_NONE: none. */
uint32_t price_list_whole(const struct price_list *list, uint32_t provider, struct bytes text);

/* Makes a whole name findable; the first of two models with one name stays. */
void price_list_add_name(struct price_list *list, uint32_t provider, struct bytes text,
                         uint32_t model);

/* Index of a provider by its id in the list; PRICE_NONE: none. */
uint32_t price_list_provider(const struct price_list *list, struct bytes id);

/* Entry in force at a time. */
const struct price_entry *price_list_entry(const struct price_list *list, uint32_t model,
                                           int64_t start_ns);

/* A decimal without sign or exponent, at most six digits behind the point: USD per million tokens to
 * pico-USD per token. False: none of these, or more than a million USD. */
bool price_decimal(struct bytes text, int64_t *out_rate);

/* The same for one call: USD with at most twelve digits behind the point to pico-USD. */
bool price_decimal_12(struct bytes text, int64_t *out_rate);

/* Hash of what a price is. */
uint64_t price_id(struct bytes name, struct bytes provider, struct bytes source,
                  int64_t effective_from_ns, const struct rates *rates);

/* Name of a rate ("input", …, "request"), and where it stands; NULL past the end. */
const char *price_rate_name(size_t index);
int64_t *price_rate_at(struct rates *rates, size_t index);
#define PRICE_RATE_COUNT (TOKEN_KIND_COUNT + 3)

/* No rate of any kind. */
struct rates price_no_rates(void);

#endif
