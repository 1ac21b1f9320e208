/* Numbers of usage as one sender gave them, and the arithmetic that makes them disjoint. Pure. */
#ifndef GENAI_USAGE_H
#define GENAI_USAGE_H

#include "model/meaning.h"
#include "model/span.h"

/* What a number on a span may be about. The names are those of the API's `ledger`. */
#define USAGE_FIELDS(X)                                                                            \
    X(INPUT, "usage.input")                                                                        \
    X(OUTPUT, "usage.output")                                                                      \
    X(TOTAL, "usage.total")                                                                        \
    X(CACHE_READ, "usage.cache_read")                                                              \
    X(CACHE_WRITE, "usage.cache_write") /* of any duration */                                      \
    X(CACHE_WRITE_5M, "usage.cache_write_5m")                                                      \
    X(CACHE_WRITE_1H, "usage.cache_write_1h")                                                      \
    X(REASONING, "usage.reasoning")                                                                \
    X(AUDIO_INPUT, "usage.audio_input")                                                            \
    X(AUDIO_OUTPUT, "usage.audio_output")                                                          \
    X(AUDIO_CACHE_READ, "usage.audio_cache_read")                                                  \
    X(IMAGE_INPUT, "usage.image_input")                                                            \
    X(IMAGE_OUTPUT, "usage.image_output")                                                          \
    X(IMAGE_CACHE_READ, "usage.image_cache_read")                                                  \
    X(TEXT_INPUT, "usage.text_input")                                                              \
    X(TEXT_OUTPUT, "usage.text_output")                                                            \
    X(UNCACHED_INPUT, "usage.uncached_input")                                                      \
    X(EXTRA_INPUT, "usage.extra_input")   /* never part of input: compaction, tool prompts */      \
    X(EXTRA_OUTPUT, "usage.extra_output") /* never part of output */

enum usage_field {
#define X(id, name) USAGE_##id,
    USAGE_FIELDS(X)
#undef X
        USAGE_FIELD_COUNT
};

/* "usage.input", …; never NULL. */
const char *usage_field_name(enum usage_field field);

/* More tokens than any call, agent or day of agents has used. Beyond it a number is no count, and a
 * million spans at it still add up within int64. */
#define USAGE_MOST INT64_C(1000000000000)

struct usage_numbers {
    uint32_t given;                /* bit per field */
    int64_t of[USAGE_FIELD_COUNT]; /* 0 .. USAGE_MOST; 0 where not given */
};

static inline bool usage_given(const struct usage_numbers *n, enum usage_field field)
{
    return (n->given >> field & 1) != 0;
}

static inline void usage_put(struct usage_numbers *n, enum usage_field field, int64_t count)
{
    n->of[field] = count;
    n->given |= UINT32_C(1) << field;
}

/* Whether a sender counts a part inside its whole, as far as its dialect tells. */
enum usage_habit { USAGE_HABIT_UNKNOWN, USAGE_HABIT_INSIDE, USAGE_HABIT_OUTSIDE };

struct usage_habits {
    enum usage_habit cache;     /* cached tokens in input */
    enum usage_habit reasoning; /* reasoning in output */
    bool disjoint;              /* every number is a bucket of its own, audio and images too */
};

/* What was odd about the numbers: a mask. */
enum usage_oddity {
    USAGE_TOTAL_DIFFERS = 1 << 0,  /* the total as sent is not the sum of the kinds */
    USAGE_PART_EXCEEDS = 1 << 1,   /* a part is larger than its whole: counted beside it */
    USAGE_SPLIT_PARTIAL = 1 << 2,  /* 5 min and 1 h do not make the cache writes: all as 5 min */
    USAGE_OUTPUT_DERIVED = 1 << 3, /* output (or input) was not sent: total less the other */
    USAGE_OVERLAP = 1 << 4,        /* some audio or image input must have been cached */
};

struct usage_split {
    struct token_usage usage;
    enum usage_rule reasoning; /* why reasoning is inside or outside output; PLAIN: there is none */
    unsigned oddities;
};

/* Takes the numbers apart (docs/genai.md). Kinds are never negative. */
void usage_split(const struct usage_numbers *numbers, struct usage_habits habits,
                 struct usage_split *out_split);

/* How a value as sent reads as a count. */
enum usage_reading {
    USAGE_READ_COUNT,  /* *out_count is set */
    USAGE_READ_ABSENT, /* null, "", "<REDACTED>", "None": no number was sent */
    USAGE_READ_ODD,    /* negative, NaN, a fraction, beyond USAGE_MOST, or no number at all */
};

/* Integers, doubles without a fraction, decimal text. */
enum usage_reading usage_count(const struct value *value, int64_t *out_count);

/* As above for money in USD: *out_pico is exact to 10^-12, half-even. A double is its shortest
 * decimal. Negative amounts and what int64 cannot hold are odd. */
enum usage_reading usage_money(const struct value *value, int64_t *out_pico);

/* a + b for amounts >= 0; false: beyond int64. */
bool usage_money_add(int64_t *sum, int64_t amount);

#endif
