/* Choosing one of several findings for a field, with its sources: for genai's own rooms. */
#ifndef GENAI_PICK_H
#define GENAI_PICK_H

#include "genai/read.h"
#include "genai/table.h"

/* What genai_read works on. */
struct reading {
    struct findings *f;
    struct sources *sources; /* NULL: nobody asks */
    struct meaning *m;
};

/* Bytes of a text that goes into a column, more is cut: an index on it takes 2,700. */
#define GENAI_MOST_FACT 1000

struct pick {
    enum target target;
    const char *field; /* of the API */
    /* Whether text is one for the field; may replace it, and say why it did either (static text).
     * NULL: every text is. */
    bool (*take)(struct reading *r, const struct finding *finding, struct bytes *text,
                 const char **out_reason);
};

/* The first finding that can be read and is taken, cleaned (genai_clean). The others are noted as
 * sources. NULL: there is none, *out_text is empty. */
const struct finding *genai_pick(struct reading *r, const struct pick *pick,
                                 struct bytes *out_text);

/* Whether the target has a finding that says yes (true, "True", 1). */
bool genai_says_yes(struct reading *r, enum target target, const char *field);

/* Notes what was done with a finding. */
void genai_note(struct reading *r, const char *field, const struct finding *finding, bool used,
                const char *reason);

/* Text for a column: valid UTF-8 without NUL, at most GENAI_MOST_FACT bytes. Lives where text does
 * or in the arena. Empty where there is no room. */
struct bytes genai_clean(struct arena *arena, struct bytes text);

/* The word of a map that raw is, without case; NULL: none. */
const struct genai_word *genai_word(enum genai_map map, struct bytes raw);

/* The parts of genai_read, in this order: what comes later looks at what was read before. */
void genai_read_observation(struct reading *r);
void genai_read_models(struct reading *r);
void genai_read_provider(struct reading *r);
void genai_read_response_id(struct reading *r);
void genai_read_identity(struct reading *r);
void genai_read_state(struct reading *r);
void genai_read_flags(struct reading *r);

static inline const struct finding *genai_first(const struct findings *f, enum target target)
{
    return f->first[target] < f->first[target + 1] ? &f->items[f->first[target]] : NULL;
}

#define GENAI_EACH(finding, f, target)                                                             \
    for (const struct finding *(finding) = (f)->items + (f)->first[target],                        \
                              *finding##_end = (f)->items + (f)->first[(target) + 1];              \
         (finding) < finding##_end; (finding)++)

#endif
