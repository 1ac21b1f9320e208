/* Lines of the list's texts in fields, and what reads them. Inner room of ledger/prices. */
#ifndef LEDGER_PRICE_READ_H
#define LEDGER_PRICE_READ_H

#include "ledger/price_list.h"

#define PRICE_MAX_FIELDS 96

/* A line of the overlay that says what a service tier costs. */
struct price_service_line {
    uint32_t provider;
    enum price_service service;
    struct price_rule rule;
    int64_t numerator; /* rates are multiplied by numerator / denominator */
    int64_t denominator;
    struct bytes source;
};

struct price_reader {
    struct price_list *list;
    const char *file;
    struct bytes rest;
    uint32_t line;
    struct bytes fields[PRICE_MAX_FIELDS];
    uint32_t count;
    bool ended;
    struct price_service_line *services;
    uint32_t service_count;
};

/* What a line may begin with. */
struct price_read_word {
    const char *name; /* NULL ends a table */
    uint32_t least_fields;
    enum price_read_place {
        PRICE_ANYWHERE,
        PRICE_IN_PROVIDER,
        PRICE_IN_MODEL,
        PRICE_IN_ENTRY
    } needs;
    bool (*read)(struct price_reader *r, struct err *err);
};

/* Fills err with file, line and what is wrong; false. */
MUST_CHECK bool price_read_bad(const struct price_reader *r, const char *what, struct err *err);

/* Every line by the word that it begins with. */
MUST_CHECK bool price_read_file(struct price_reader *r, const char *file, struct bytes text,
                                const struct price_read_word *words, struct err *err);

/* A rule from the fields `first` on, pairs of kind and text. */
MUST_CHECK bool price_read_rule(struct price_reader *r, uint32_t first, uint32_t stands_for,
                                struct price_rule *out_rule, struct err *err);

/* name=value from the field `first` on; entry takes from= and daily=, NULL where there are none. */
MUST_CHECK bool price_read_rates(struct price_reader *r, uint32_t first, struct price_entry *entry,
                                 struct rates *rates, struct err *err);

/* "0.5" or "2/1.1" as a fraction. */
bool price_read_factor(struct bytes text, int64_t *out_numerator, int64_t *out_denominator);

/* The overlay's lines, and the sets of the service tiers behind the standard ones. */
MUST_CHECK bool price_overlay_read(struct price_reader *r, struct bytes overlay, struct err *err);

#endif
