/* What genai_find has found before it is put in order: for its own rooms. */
#ifndef GENAI_HITS_H
#define GENAI_HITS_H

#include "genai/find.h"
#include "genai/table.h"

#define GENAI_FIRST_HITS 128 /* hits that need no memory while they are collected */

/* A row that an attribute has; becomes a struct finding when the order is known. */
struct genai_hit {
    const struct attribute *attribute;
    uint32_t position;
    int32_t event;
    uint16_t row;
    uint8_t prefix; /* length of the pattern's prefix; 0: the whole key is known */
    uint8_t suffix;
    bool indexed;
    bool no_value; /* the event itself is the value */
};

/* What the values of a span's attributes decide, for whoever remembers what its keys do (shape). */
struct genai_notes {
    uint64_t sign; /* dialects that keys show, whatever their values */
    uint32_t content_count;
    uint32_t value_count;
    uint16_t content[32]; /* attributes that count as content, as often as they do */
    struct genai_value_note {
        uint16_t key; /* into genai_keys: its values show dialects, too */
        uint16_t position;
        bool resource;
    } values[8];
    bool incomplete; /* there was more than fits */
};

struct genai_finder {
    struct findings *f;
    struct genai_hit *hits;    /* in the order found */
    struct genai_notes *notes; /* NULL: nobody asks */
    uint64_t sign;
    uint32_t count;
    uint32_t cap;
    unsigned classes;
};

/* genai_find, with notes where not NULL. Those of events are not noted. */
MUST_CHECK bool genai_find_noting(const struct span *span, unsigned classes, struct arena *arena,
                                  struct genai_notes *notes, struct findings *out_findings,
                                  struct err *err);

/* The parts of it that look at values: what scope and name of the span show, what a value of a key
 * shows, what an attribute adds to f->content_bytes. */
uint64_t genai_names_show(const struct span *span);
uint64_t genai_value_shows(uint16_t key, const struct value *value);
void genai_count_content(struct findings *f, const struct attribute *attribute);

/* Rows whose value is no attribute (the span's name where its dialect is there, scope, status): a bit
 * for each of genai_text_rows that has a text; an attribute of that text, NULL: no room. */
uint32_t genai_text_rows_of(const struct findings *f, unsigned classes);
const struct attribute *genai_text_attribute(struct findings *f, uint16_t row);

/* The hits as findings, by target, with first[] and count. False: no room in the arena. */
bool genai_put_in_order(struct genai_finder *finder);

/* Length of the number at the start of text, 0 where there is none or one that is too long. */
size_t genai_number_at(struct bytes text, uint32_t *out_number);

#endif
