/* Between the rooms of content: what findings hold, as text, as JSON, as trees. */
#ifndef GENAI_CONTENT_READ_H
#define GENAI_CONTENT_READ_H

#include "genai/content.h"
#include "genai/message.h"

/* The findings of one target that stand together: one attribute, or all keys of an indexed row. */
struct content_run {
    struct finding *first;
    size_t count;
    bool indexed;
};

/* Runs of a target in their order; *at begins with 0. False: no more. */
bool content_next(struct findings *f, enum target target, size_t *at, struct content_run *out_run);

/* What a run holds: an attribute's value, or the tree of its indexed keys. NULL: nothing that says
 * anything ("", "<REDACTED>", null), or the run is an event itself. */
const struct value *content_value(struct findings *f, const struct content_run *run);

/* As it was sent: texts as they are, the rest as JSON. Empty: nothing. */
struct bytes content_as_sent(struct findings *f, const struct value *value);
/* The value of the first run that says something, as sent; *out_from: its first finding. */
struct bytes content_first(struct findings *f, enum target target, const struct finding **out_from);

/* [{"embedding":{"text":"a"}},…] is ["a",…]: objects with a single member are what they hold. */
const struct value *content_leaves(const struct value *tree, struct arena *arena);

/* Writes a value; texts in it that are whole JSON objects, arrays or texts in quotes become what
 * they say. */
void content_expanded(struct json *j, const struct value *value, struct arena *arena);

/* JSON objects and arrays of a span; empty: none. */
struct bytes content_parameters(struct findings *f);
struct bytes content_metadata(struct findings *f);
struct bytes content_tools(struct findings *f);
void content_finish_reasons(struct findings *f, struct content *content, struct bytes last);

#define CONTENT_WINDOW 4096 /* bytes looked at, from the end and then from the start of a text */

/* Whose message is looked for. */
struct content_words {
    const char *role[3];
    const char *type; /* LangChain's */
    bool any;         /* where no role stands, the first text */
};

/* At most 200 characters of a text as it was sent, in one line: the last message of these words
 * where it is JSON, or the tool that it calls, else how it begins. */
struct bytes content_line(struct arena *arena, struct bytes text,
                          const struct content_words *words);

#endif
