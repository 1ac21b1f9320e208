/* A span as the sender described it, before and after storage: plain structs, everything lives in
 * one arena. Field meaning: OTLP-110. */
#ifndef MODEL_SPAN_H
#define MODEL_SPAN_H

#include "base/bytes.h"

enum value_kind {
    VALUE_EMPTY, /* an AnyValue with no member set: null (OTLP-105) */
    VALUE_STRING,
    VALUE_BOOL,
    VALUE_INT,
    VALUE_DOUBLE,
    VALUE_ARRAY,
    VALUE_KVLIST,
    VALUE_BYTES,
};

struct attribute;

struct value {
    enum value_kind kind;
    uint32_t count; /* items of an array or entries of a kvlist */
    union {
        struct bytes text; /* STRING (may be bad UTF-8 or hold NUL: kept as sent) and BYTES */
        bool boolean;
        int64_t integer;
        double real;
        struct value *items;       /* ARRAY */
        struct attribute *entries; /* KVLIST, in the order sent, keys may repeat */
    };
};

struct attribute {
    struct bytes key;
    struct value value;
};

struct attributes {
    struct attribute *items; /* in the order sent, keys may repeat (OTLP-122) */
    uint32_t count;
    uint32_t dropped; /* dropped_attributes_count as sent */
};

struct entity_ref { /* OTLP-127: kept, never fatal */
    struct bytes schema_url;
    struct bytes type;
    struct bytes *id_keys;
    uint32_t id_key_count;
    struct bytes *description_keys;
    uint32_t description_key_count;
};

struct resource {
    struct attributes attributes;
    struct entity_ref *entity_refs;
    uint32_t entity_ref_count;
    struct bytes schema_url; /* of the ResourceSpans */
};

struct scope {
    struct bytes name;
    struct bytes version;
    struct attributes attributes;
    struct bytes schema_url; /* of the ScopeSpans */
};

struct event {
    uint64_t time_unix_nano;
    struct bytes name;
    struct attributes attributes;
};

struct link {
    struct bytes trace_id; /* as sent: 16 bytes in a sound link, any length otherwise */
    struct bytes span_id;
    struct bytes trace_state;
    struct attributes attributes;
    uint32_t flags;
};

/* Marks: what is odd about a span or was repaired. Stored with the span, shown by the API under
 * these names. Never renumber. */
#define SPAN_MARKS(X)                                                                              \
    X(BAD_UTF8, 0, "bad_utf8")                   /* a text was no UTF-8 (OTLP-106) */              \
    X(NUL, 1, "nul")                             /* a text held U+0000 (OTLP-124) */               \
    X(DUPLICATE_KEYS, 2, "duplicate_keys")       /* a key repeats; the last is shown (OTLP-122) */ \
    X(NEGATIVE_DURATION, 3, "negative_duration") /* end < start: duration 0 (OTLP-114) */          \
    X(TIME_CLAMPED, 4, "time_clamped") /* beyond PostgreSQL's or int64's range (OTLP-115) */       \
    X(NOT_ITS_KIND, 5, "not_its_kind") /* a JSON value that does not fit its declared kind */      \
    X(NO_SERVICE_NAME, 6, "no_service_name") /* shown as unknown_service */                        \
    X(TOO_DEEP, 7, "too_deep")               /* a value beyond the depth limit was replaced */     \
    X(TRUNCATED, 8, "truncated")             /* attributes beyond the limit were dropped */        \
    X(UNKNOWN_ENUM, 9, "unknown_enum")       /* kind or status code outside the known ones */      \
    X(BAD_LINK, 10, "bad_link")              /* a link id of wrong length */                       \
    X(SELF_PARENT, 11, "self_parent")        /* parent_span_id is its own */                       \
    X(NO_END, 12, "no_end")                  /* end 0: unfinished snapshot */                      \
    X(EXACT, 13, "exact")                    /* the exact column carries the original */

enum span_mark {
#define X(id, bit, name) SPAN_MARK_##id = 1 << (bit),
    SPAN_MARKS(X)
#undef X
};

struct span {
    struct bytes trace_id; /* as sent; span_check says whether the three ids can be stored */
    struct bytes span_id;
    struct bytes parent_span_id; /* empty or eight zero bytes: a root (OTLP-112) */
    struct bytes trace_state;
    struct bytes name;
    struct bytes status_message;
    uint64_t start_unix_nano;
    uint64_t end_unix_nano;
    int32_t kind;        /* OTLP number, unknown ones kept (OTLP-117) */
    int32_t status_code; /* OTLP number, unknown ones kept (OTLP-118) */
    uint32_t flags;      /* all 32 bits (OTLP-119) */
    struct attributes attributes;
    struct event *events;
    uint32_t event_count;
    uint32_t dropped_events;
    struct link *links;
    uint32_t link_count;
    uint32_t dropped_links;
    const struct resource *resource; /* never NULL */
    const struct scope *scope;       /* never NULL */
    unsigned marks;                  /* enum span_mark, as far as the decoder saw */
    const char *fault; /* why this span cannot be stored (text without attribute values); NULL:
                          sound so far */
    uint32_t resource_index; /* position in the request, for messages:
                                resource_spans[i].scope_spans[j].spans[k] */
    uint32_t scope_index;
    uint32_t span_index;
};

struct span_array {
    struct span *items;
    size_t count;
};

#endif
