/*
 * The usage of one span, as often as it was told: by each family of keys and each object apart,
 * because one sender's input must not be mixed with another's cache. For genai's own rooms.
 */
#ifndef GENAI_USAGE_ACCOUNTS_H
#define GENAI_USAGE_ACCOUNTS_H

#include "genai/read.h"
#include "genai/usage_object.h"

/* Families of flat keys that one writer fills; objects are accounts of their own. */
enum usage_family {
    USAGE_FAMILY_GEN_AI,      /* gen_ai.usage.*, and what providers add beside it */
    USAGE_FAMILY_TOKEN_COUNT, /* llm.token_count.* */
    USAGE_FAMILY_AI,          /* ai.usage.* */
    USAGE_FAMILY_LLM_USAGE,   /* llm.usage.* */
    USAGE_FAMILY_AGGREGATED,  /* gen_ai.aggregated_usage.* */
    USAGE_FAMILY_OBJECT,
    USAGE_FAMILY_OTHER, /* + enum dialect */
};

struct usage_account {
    unsigned family;
    uint8_t rank;                  /* of its first number */
    bool aggregate;                /* says that it is a sum over other spans */
    bool details_only;             /* neither input nor output nor total: adds to the others */
    const struct finding *finding; /* of its first number */
    const struct finding *from[USAGE_FIELD_COUNT]; /* of each number; objects: all the same */
    const struct usage_object *object;             /* NULL: flat keys */
    struct usage_numbers numbers;
    uint32_t odd; /* bit per field: a number was sent that is none */
    struct usage_habits habits;
    struct usage_split split;
};

#define USAGE_MOST_ACCOUNTS 8

struct usage_accounts {
    struct findings *f;
    struct sources *sources;
    const struct meaning *meaning;
    struct usage_account items[USAGE_MOST_ACCOUNTS];
    size_t count;
    bool odd; /* a number was sent that is none */
};

/* Collects what the span tells; items beyond count are not set. */
void usage_collect(struct findings *f, struct sources *sources, const struct meaning *meaning,
                   struct usage_accounts *out_accounts);

/* The provider's usage inside the text of an output, where a library hides it there and nobody has
 * told of cached and reasoning tokens. Adds an account when there is one. */
void usage_collect_hidden(struct usage_accounts *accounts);

/* Reads an object as one more account. */
void usage_add_object(struct usage_accounts *accounts, const struct finding *finding,
                      const struct value *object, enum usage_place place);

/* Sets what the account's sender is known to do (habits), by dialect, provider and version. */
void usage_set_habits(const struct usage_accounts *accounts, struct usage_account *account);

/* Takes Gemini's thoughts from a total that counts them where nothing else does; false: not so. */
bool usage_add_thoughts(const struct usage_accounts *accounts, struct usage_account *account);

/* Whether text contains the part. */
bool usage_contains(struct bytes text, const char *part);

#endif
