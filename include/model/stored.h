/* A span as the tables hold it: one field per column of spanledger.span (schema/001_core.sql), used
 * for writing and for reading. otlp/to_stored makes it from a span, store writes and reads it,
 * otlp/from_stored and read turn it back. */
#ifndef MODEL_STORED_H
#define MODEL_STORED_H

#include "model/meaning.h"
#include "model/span.h"

#define TENANT_DEFAULT 1
#define TRACE_BUCKETS 64

/* How a span ended; decides a trace's status. Column span.outcome: never
 * renumber. */
enum span_outcome {
    SPAN_ENDED = 0,      /* ended, no error */
    SPAN_FAILED = 1,     /* status error */
    SPAN_CANCELLED = 2,  /* status error whose error type says that it was cancelled */
    SPAN_UNFINISHED = 3, /* no end time: a snapshot of a span that still runs */
};

struct uuid {
    uint8_t at[16];
};

/* Content that many spans share, found by the hash of what it holds. All texts are valid UTF-8
 * without NUL; JSON is ours. */
struct stored_resource {
    struct uuid id;            /* XXH128 over a version byte and the content below */
    struct bytes service_name; /* 'unknown_service' when none was sent */
    struct bytes attributes;   /* JSON object, see stored_span.attributes */
    uint32_t dropped_attributes;
    struct bytes schema_url;
    struct bytes exact; /* protobuf ResourceSpans without scope_spans, where the fields above cannot
                           carry everything; else empty */
};

struct stored_scope {
    struct uuid id;
    struct bytes name;
    struct bytes version;
    struct bytes attributes;
    uint32_t dropped_attributes;
    struct bytes schema_url;
    struct bytes exact; /* protobuf ScopeSpans without spans; else empty */
};

/* Long texts of a span that stand in spanledger.span_payload and not in its attributes: JSON array of
 * [position, key, value] in ascending order of position; events as in stored_span.events, which is
 * then empty. */
struct stored_payload {
    struct bytes attributes;
    struct bytes events;
};

/* Bits of column span.meaning_flags beside those of enum meaning_flag: what ledger/fold says of the
 * span alone, so that the database can count such spans. Writing only. */
enum stored_flag {
    STORED_FLAG_COUNTED = 1 << 29, /* meaning_counts */
    STORED_FLAG_PLAIN = 1 << 30,   /* fold_is_plain */
};

/* What counting made of a span (ledger/fold). */
struct billing {
    bool counted; /* STORED_FLAG_COUNTED, STORED_FLAG_PLAIN: set by the writer */
    bool plain;
    bool billable;
    enum billing_reason reason;
    bool is_duplicate;
    struct uuid duplicate_of_trace_id; /* where is_duplicate */
    int64_t duplicate_of_span_id;
};

struct stored_span {
    int32_t tenant_id;
    int16_t trace_bucket; /* stored_bucket(trace_id) */
    struct uuid trace_id;
    int64_t span_id; /* the eight bytes, big-endian, as a signed number */
    bool has_parent;
    int64_t parent_span_id;
    int64_t start_unix_ns; /* clamped to 1970 .. 2262-04-11 (mark TIME_CLAMPED, exact has the
                              original) */
    int64_t duration_ns;   /* >= 0; end = start + duration unless a mark says otherwise */
    int32_t kind;
    int32_t status_code;
    enum span_outcome outcome;
    struct bytes name;
    struct bytes service_name;
    struct bytes status_message;
    struct bytes trace_state;
    struct bytes
        error_type; /* error.type, else exception.type of the last exception event; empty: none */
    uint32_t flags;
    uint32_t dropped_attributes;
    uint32_t dropped_events;
    uint32_t dropped_links;
    uint32_t attribute_count; /* as sent */
    struct bytes
        attributes; /* JSON object in the order sent: int without, double with '.' or 'e'; integers
                       beyond 2^53 and bytes (base64) as strings, NaN and infinities as strings,
                       empty value as null; mark EXACT where that cannot be turned back */
    struct bytes
        events; /* JSON array of {"name","time_unix_nano","attributes","dropped_attributes_count"};
                   empty: none */
    struct bytes
        log_events; /* reading only: events of the span that came as log records, as `events`, each
                       with "source":"log"; empty: none. No part of what was sent as the span */
    struct bytes links;   /* JSON array of
                             {"trace_id","span_id","trace_state","flags","attributes","dropped_attributes_count"};
                             empty: none */
    unsigned marks;       /* enum span_mark */
    struct bytes exact;   /* protobuf Span, where the columns cannot carry everything (mark EXACT);
                             else empty */
    int64_t content_hash; /* XXH3 over everything that was sent, resource and scope included; not
                             over received_at */
    int64_t received_ns;
    int64_t ingest_seq;      /* reading only: number of the transaction that wrote it */
    uint32_t other_versions; /* reading only: how many other versions came under this key */
    const struct stored_resource *resource; /* never NULL */
    const struct stored_scope *scope;       /* never NULL */
    const struct meaning *meaning; /* NULL: a span like any other, without any GenAI column */
    struct stored_payload
        *payload; /* writing only (model/payload); NULL: all texts stand in attributes and events */
    struct billing billing;
};

/* Whether a span counts as an error: by its status or by other means (meaning.failed). */
static inline bool stored_failed(const struct stored_span *span)
{
    enum { STATUS_ERROR = 2 };

    return span->status_code == STATUS_ERROR || span->outcome == SPAN_FAILED ||
           span->outcome == SPAN_CANCELLED;
}

/* Bucket of a trace, 0 .. TRACE_BUCKETS - 1: XXH3 of the 16 bytes. Part of the unique key: never
 * change. */
int16_t stored_bucket(const struct uuid *trace_id);

/* "bad_utf8", … of one bit of marks; NULL when the bit has no name. */
const char *stored_mark_name(unsigned bit);

/* Whether an error type (any case) says that work was cancelled rather than that it failed:
 * contains "cancel", or is AbortError. */
bool stored_is_cancellation(struct bytes error_type);

#endif
