/* Lines of tests/data/price_*.tsv: what a span said, and what it cost. */
#ifndef TESTS_SUPPORT_PRICE_CASE_H
#define TESTS_SUPPORT_PRICE_CASE_H

#include "ledger/cost.h"

#define PRICE_CASE_FIELDS 8

struct price_case {
    size_t line;
    struct bytes provider;
    struct bytes model;
    struct bytes usage_json;
    struct bytes row;  /* "openai:gpt-4o"; empty: no price */
    struct bytes cost; /* decimal USD; empty: unknown */
    struct bytes note;
    struct bytes time;
    struct bytes semantics;
};

/* Calls see for each line behind the head; returns how many there were. */
size_t price_case_each(const char *file, void (*see)(const struct price_case *c, void *context),
                       void *context);

/* The usage of a line, taken apart; the start of its span. */
void price_case_meaning(const struct price_case *c, struct meaning *out_meaning,
                        int64_t *out_start_ns);

/* Decimal USD to pico-USD. */
int64_t price_case_pico(struct bytes usd);

#endif
