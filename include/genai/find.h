/*
 * One pass over a span's attributes: which of them the table of dialects knows, by target field and
 * rank. The table is data (src/genai/dialects.tsv: target, dialect, key, how to read, rank),
 * compiled to a hash at build; what a finding means is decided by those who ask (read, tokens,
 * content). Finding costs nanoseconds per attribute: values that are JSON or Python text inside a
 * string are parsed when they are asked for (finding_value), once per attribute.
 */
#ifndef GENAI_FIND_H
#define GENAI_FIND_H

#include "base/arena.h"
#include "genai/targets.h" /* generated from dialects.tsv: enum target, enum dialect, their names */
#include "model/span.h"

/* Rows of the table come in classes, so that ingest does not pay for what only reading needs. */
enum find_class {
    FIND_FACTS =
        1 << 0, /* type, provider, models, ids, whose it is, usage, cost: needed to store */
    FIND_DETAILS = 1 << 1, /* parameters, metadata, prompt, tools, finish reasons: shown */
    FIND_CONTENT = 1 << 2, /* input, output, messages, tool definitions: shown */
};

struct finding {
    enum target target;
    uint8_t rank;                  /* 1: read first */
    uint16_t row;                  /* of the table; equal ranks stand in its order */
    struct bytes key;              /* the attribute's key as sent */
    const struct value *attribute; /* its value as sent; NULL: the event itself is meant */
    uint32_t index;                /* {i} of an indexed key; UINT32_MAX: none */
    uint32_t index2;               /* the first number in rest, of an indexed key */
    struct bytes
        rest; /* what stands for <k>, or follows the index: "message.tool_calls.1.tool_call.id" */
    int32_t event;     /* position of the event; FIND_ON_SPAN, FIND_ON_RESOURCE, FIND_ON_SCOPE */
    uint32_t position; /* of the attribute in its set */
};
#define FIND_ON_SPAN (-1)
#define FIND_ON_RESOURCE (-2)
#define FIND_ON_SCOPE (-3)

struct findings {
    const struct span *span;
    struct arena *arena;
    /* By target, rank, row, event, index, index2, rest of an indexed key, position. A key that is
     * there twice is found once, its last value (patterns with <k>: as often as it is there). */
    struct finding *items;
    size_t count;
    uint32_t first[TARGET_COUNT + 4]; /* items of target t: first[t] .. first[t + 1] - 1 */
    uint64_t
        dialects; /* bit per enum dialect that shows itself (keys, scope, resource, span name) */
    uint32_t content_bytes;     /* length of all attribute values that the table calls content */
    struct parsed_text *parsed; /* memo of finding_value */
};

/* Lives in arena; what it points to lives where the span's does. False only where the arena has no
 * room (arena->failed). classes: bits of enum find_class; resource and events are looked at too. */
MUST_CHECK bool genai_find(const struct span *span, unsigned classes, struct arena *arena,
                           struct findings *out_findings, struct err *err);

static inline bool findings_dialect(const struct findings *f, enum dialect dialect)
{
    return (f->dialects >> dialect & 1) != 0;
}

/* Whether its row holds content: what was said, not what is counted. */
bool finding_is_content(const struct finding *finding);

/* The value of a finding: the attribute itself, or what its row's JSON pointer names inside it,
 * where the attribute holds JSON text, JSON text in quotes, a Python repr, or a kvlist. Rows that
 * hold JSON or a list as a whole give the value that their text holds, or the text where it cannot
 * be read. NULL: not there, the finding is an event, or a pointer leads nowhere (truncated JSON
 * gives what came before the cut). */
const struct value *finding_value(struct findings *f, const struct finding *finding);

/* A text from a value: strings without spaces around them (JSON quotes around the whole taken off
 * where the row says so), numbers as decimal text. False: it is empty, "<REDACTED>", or no scalar. */
bool finding_text(struct findings *f, const struct finding *finding, struct bytes *out_text);

/* Parses text as JSON, else as Python's repr, into values in the arena. False: neither. Depth and
 * count are bounded; *out_truncated says that the text ends in the middle (what was read stands). */
bool genai_parse_text(struct bytes text, struct arena *arena, struct value *out_value,
                      bool *out_truncated);

/* Member of a kvlist (the last of that name), or NULL. */
const struct value *genai_member(const struct value *object, const char *key);

/* What a JSON pointer ("/usage/0/input") names inside value; texts on the way that hold JSON or a
 * Python repr are read (once each). "" is value itself. NULL: not there. */
const struct value *genai_pointer(struct findings *f, const struct value *value,
                                  const char *pointer);

/* As finding_text, for a value. */
bool genai_text(struct findings *f, const struct value *value, struct bytes *out_text);

/* Name of the row's dialect: "openinference". */
const char *finding_dialect(const struct finding *finding);

#endif
