/* Shapes of the compiled table of dialects: src/genai/dialects.tsv and values.tsv become constant
 * data of these structs at build (src/genai/compile/). For genai's own rooms and tests. */
#ifndef GENAI_TABLE_H
#define GENAI_TABLE_H

#include "base/bytes.h"
#ifndef GENAI_TARGETS_H /* the program that makes them has none yet */
#include "genai/targets.h"
#endif

enum genai_where {
    GENAI_ON_SPAN = 1 << 0,
    GENAI_ON_RESOURCE = 1 << 1,
    GENAI_ON_EVENT = 1 << 2, /* attributes of events */
    GENAI_EVENT_NAME = 1 << 3,
    GENAI_SPAN_NAME = 1 << 4,
    GENAI_SCOPE_NAME = 1 << 5,
    GENAI_STATUS = 1 << 6,
};

/* How a value is to be read. */
enum genai_how {
    GENAI_TEXT,
    GENAI_QUOTED, /* text that may stand in JSON quotes of its own */
    GENAI_INT,
    GENAI_NUMBER,
    GENAI_BOOL,
    GENAI_LIST, /* of texts: an array, JSON text, or text with commas */
    GENAI_JSON,
    GENAI_ANY,
    GENAI_EVENT,   /* the event itself: the finding has no attribute */
    GENAI_TIME,    /* a point in time: ISO 8601, or a number since 1970 */
    GENAI_SECONDS, /* since the span began */
    GENAI_MILLIS,
    GENAI_UNIX_MS,
    GENAI_IS,   /* that it is there says what the span is: a word of map "is" */
    GENAI_WORD, /* of a map of values.tsv; may stand in JSON quotes */
};

struct genai_row {
    uint16_t target; /* enum target */
    uint8_t rank;
    uint8_t dialect; /* the first one named */
    uint8_t where;
    uint8_t classes; /* enum find_class, one bit */
    uint8_t how;
    uint8_t map;         /* enum genai_map where how is GENAI_WORD */
    uint16_t word;       /* into genai_words where how is GENAI_IS */
    const char *key;     /* as in the table, without pointer */
    const char *pointer; /* "/a/b" or NULL */
    uint64_t dialects;   /* all that are named */
};

/* Rows that share one key, or one pattern. */
struct genai_rows_of {
    uint16_t first; /* into genai_lists */
    uint16_t count;
    uint8_t classes; /* of all of them */
    uint8_t where;
    uint8_t value_sign; /* 1 + position of the first sign that looks at this key's value; 0: none */
    bool patterns;      /* a key that patterns fit, too */
    uint64_t sign;      /* dialects that this key shows, by its first word, too */
};

struct genai_key {
    const char *text;
    uint16_t len;
    struct genai_rows_of rows;
};

/* prefix, then any rest; indexed: prefix, digits, and a dot with a rest or nothing. The rest must
 * end with suffix (a suffix of an indexed pattern is the whole rest). */
struct genai_pattern {
    const char *prefix;
    const char *suffix; /* NULL: none */
    uint8_t prefix_len;
    uint8_t suffix_len;
    uint8_t indexed;
    struct genai_rows_of rows;
};

/* What a key's first word (up to '.' or ':') says: whose it is, and which patterns to try. */
struct genai_segment {
    uint64_t low; /* its bytes, zeros behind them */
    uint64_t high;
    uint64_t sign;
    uint16_t first;      /* into genai_patterns */
    uint32_t begins[32]; /* by the letter behind the word (& 31): bit n for pattern first + n */
    uint32_t ends[32];   /* by the last letter of the key, likewise */
};

struct genai_sign { /* shown by a text: scope or span name, or an attribute's value */
    const char *text;
    uint8_t len;
    uint8_t any_rest;
    uint8_t dialect;
    uint16_t key; /* value signs: into genai_keys */
};

struct genai_word {
    uint8_t map;
    uint8_t len;
    uint8_t any_rest;
    uint8_t observation;
    uint16_t flags;  /* enum meaning_flag */
    const char *raw; /* lower case */
    const char *means;
};

extern const struct genai_row genai_rows[];
extern const struct genai_key genai_keys[];
extern const struct genai_pattern genai_patterns[];
extern const struct genai_segment genai_segments[];
extern const struct genai_sign genai_value_signs[];
extern const struct genai_sign genai_scope_signs[]; /* by first byte */
extern const struct genai_sign genai_name_signs[];
#define GENAI_SIGN_BYTES 128
extern const uint8_t genai_scope_signs_from[GENAI_SIGN_BYTES + 1];
extern const uint8_t genai_name_signs_from[GENAI_SIGN_BYTES + 1];
extern const struct genai_word genai_words[];
extern const uint16_t genai_open_words[]; /* with any rest; UINT16_MAX ends them */
extern const uint16_t genai_lists[];
extern const uint16_t genai_text_rows[];    /* of names, scopes and status; UINT16_MAX ends them */
extern const uint16_t genai_key_slots[];    /* 1 + key, open addressing */
extern const uint16_t genai_word_slots[];   /* likewise */
extern const uint8_t genai_segment_slots[]; /* likewise */
extern const uint32_t genai_key_mask;       /* sizes less one */
extern const uint32_t genai_word_mask;
#define GENAI_SEGMENT_MASK 255u
extern const uint64_t genai_resource_lengths; /* bit n: a resource key is n bytes long */

/* First and last bytes of a key, for hashing and comparing by machine words. */
struct genai_head {
    uint64_t low; /* bytes 0..7, zeros behind a shorter key */
    uint64_t high;
};

static inline uint64_t genai_load(const uint8_t *at)
{
    uint64_t word;

    memcpy(&word, at, sizeof(word));
    return word;
}

/* Up to eight bytes, zeros behind them. */
static inline uint64_t genai_load_short(const uint8_t *at, size_t len)
{
    uint64_t word = 0;

    if (len >= 8)
        return genai_load(at);
    for (size_t i = 0; i < len; i++)
        word |= (uint64_t)at[i] << (8 * i);
    return word;
}

static inline struct genai_head genai_head_of(struct bytes key)
{
    if (key.len >= 16)
        return (struct genai_head){genai_load(key.at), genai_load(key.at + 8)};
    if (key.len > 8)
        return (struct genai_head){genai_load(key.at),
                                   genai_load(key.at + key.len - 8) >> (8 * (16 - key.len))};
    return (struct genai_head){genai_load_short(key.at, key.len), 0};
}

static inline uint32_t genai_hash(struct genai_head head, struct bytes key)
{
    uint64_t sum = (head.low ^ key.len) * 0x9e3779b97f4a7c15u;

    sum = (sum ^ (sum >> 32) ^ head.high) * 0xc2b2ae3d27d4eb4fu;
    if (key.len > 16) {
        sum = (sum ^ (sum >> 29) ^ genai_load(key.at + key.len - 8)) * 0x9e3779b97f4a7c15u;
        sum = (sum ^ (sum >> 32) ^ genai_load(key.at + key.len - 16)) * 0xc2b2ae3d27d4eb4fu;
        if (key.len > 32)
            sum = (sum ^ (sum >> 29) ^ genai_load(key.at + 16)) * 0x9e3779b97f4a7c15u;
    }
    return (uint32_t)(sum >> 32);
}

static inline uint32_t genai_segment_hash(uint64_t low, uint64_t high)
{
    return (uint32_t)(((low ^ (high << 7)) * 0x9e3779b97f4a7c15u) >> 40);
}

#endif
