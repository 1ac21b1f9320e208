/* Traces for tests of counting, written as rows. */
#ifndef TESTS_SUPPORT_FOLD_H
#define TESTS_SUPPORT_FOLD_H

#include "ledger/fold.h"

#define FOLD_ROWS 12

/* NULL and 0 mean: none was sent. Times in milliseconds; without them rows start 10 ms apart and
 * take 5, so that none lies in another. */
struct fold_row {
    const char *id; /* NULL ends the list */
    const char *parent;
    enum observation type;
    const char *scope;
    int64_t in; /* all input, of which: */
    int64_t read;
    int64_t write;
    int64_t write_1h;
    int64_t out; /* all output, of which: */
    int64_t reasoning;
    int64_t only_total;
    const char *key; /* response id */
    const char *model;
    const char *asked; /* request model */
    unsigned flags;
    bool cost;
    bool failed;
    int from;
    int until;
    enum billing_reason want;
    const char *of;       /* what it repeats */
    const char *known_by; /* response id of its call, where not its own */
};

void fold_row_span(const struct fold_row *row, size_t position, struct fold_span *out_span);

static inline bool fold_counts(const struct fold_span *span)
{
    return meaning_takes_part(span->observation, span->has_usage, span->has_cost);
}

/* A small generator, so that every run of a test is the same: xorshift64*. */
uint64_t fold_random(uint64_t *state);
void fold_shuffle(struct fold_span *spans, size_t count, uint64_t *state);

#endif
