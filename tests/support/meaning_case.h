/* Spans in short and what they mean, for tests of genai/read and its parts; asserts by cmocka. */
#ifndef TESTS_SUPPORT_MEANING_CASE_H
#define TESTS_SUPPORT_MEANING_CASE_H

#include "genai/read.h"

#define MEANING_ROOM ((size_t)64 << 20)
#define MEANING_START_NS INT64_C(1763720112000000000) /* 2025-11-21T10:15:12Z */
enum { MOST_PAIRS = 10 };

extern struct arena meaning_arena; /* where all of these live */
int meaning_setup(void **state);   /* of a group */
int meaning_teardown(void **state);

/* Pairs of key and value; a value that starts with '#' is an integer. */
struct sent {
    const char *scope;
    const char *name;
    const char *pairs[2 * MOST_PAIRS];
};

/* Fills span and reads it. sources: NULL, or what tells where each fact comes from. */
struct meaning meaning_of(const struct sent *sent, struct span *span, struct sources *sources);

struct fact {
    const char *why;
    struct sent sent;
    const char *want;
};

/* Compares a text of struct meaning, which is the same with sources and without. */
void meaning_facts(const struct fact *rows, size_t count, size_t offset);
#define MEANING_FACTS(rows, member)                                                                \
    meaning_facts(rows, sizeof(rows) / sizeof((rows)[0]), offsetof(struct meaning, member))

#endif
