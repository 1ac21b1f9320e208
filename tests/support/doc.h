/*
 * A JSON document as a tree, for assertions: read, looked up, changed, and written in one sorted
 * form, so that two documents are equal when their texts are. Numbers keep the text they were sent
 * as. Everything lives in an arena. Not base/json_read on purpose: tests read with other eyes.
 */
#ifndef TESTS_SUPPORT_DOC_H
#define TESTS_SUPPORT_DOC_H

#include "base/arena.h"
#include "base/bytes.h"

enum doc_kind { DOC_NULL, DOC_FALSE, DOC_TRUE, DOC_NUMBER, DOC_STRING, DOC_ARRAY, DOC_OBJECT };

struct doc {
    enum doc_kind kind;
    struct bytes text; /* NUMBER: as sent; STRING: decoded; a NUL stands behind it */
    size_t count;      /* ARRAY, OBJECT */
    size_t room;
    struct doc **items;
    struct bytes *keys; /* OBJECT */
};

#define DOC_MAX_DEPTH 500

/* NULL: not one whole JSON value. */
struct doc *doc_parse(struct arena *arena, struct bytes text);

struct doc *doc_new(struct arena *arena, enum doc_kind kind);
struct doc *doc_string(struct arena *arena, struct bytes text); /* copied */
struct doc *doc_number(struct arena *arena, const char *text);
struct doc *doc_bool(struct arena *arena, bool value);
void doc_append(struct arena *arena, struct doc *array, struct doc *item);
void doc_set(struct arena *arena, struct doc *object, const char *key, struct doc *value);
void doc_remove(struct doc *object, const char *key);

/* Lookups take NULL and other kinds and answer "not there". */
struct doc *doc_get(const struct doc *object, const char *key); /* the last of that name */
struct doc *doc_item(const struct doc *array, size_t index);
size_t doc_count(const struct doc *container); /* 0 when it is none */
#define DOC_EACH(i, item, container)                                                               \
    for (size_t i = 0; i < doc_count(container) && ((item) = (container)->items[i], true); i++)
/* Along member names ended by NULL. */
struct doc *doc_walk(const struct doc *from, ...);
const char *doc_at(const struct doc *from, ...); /* string or number text; "" when not there */
int64_t doc_int_at(const struct doc *from, ...); /* -1 when not there */

/* Compact text with sorted keys, NUL-terminated, in the arena. */
const char *doc_sorted(struct arena *arena, const struct doc *value);
bool doc_equal(struct arena *arena, const struct doc *a, const struct doc *b);

#endif
