/*
 * Counting once: of the spans that speak of one model call, one is billed (docs/counting.md). Pure,
 * and a function of the set of spans: the order in which they came changes nothing.
 */
#ifndef LEDGER_FOLD_H
#define LEDGER_FOLD_H

#include "base/arena.h"
#include "model/meaning.h"
#include "model/stored.h"

/* What counting knows of one span; fold_facts fills it. */
struct fold_span {
    struct uuid trace_id;
    int64_t span_id;
    int64_t start_ns;
    int32_t kind;
    bool has_parent;
    int64_t parent_span_id;
    int64_t duration_ns;
    enum observation observation;
    unsigned flags; /* enum meaning_flag */
    int64_t tokens[TOKEN_KIND_COUNT];
    int64_t total_tokens;
    bool has_usage;             /* usage.sent */
    bool has_cost;              /* a cost was reported */
    bool failed;                /* ended with an error, and no cost above 0 was reported */
    uint64_t response_key;      /* fold_response_key; 0: no response id was sent */
    uint64_t model_key;         /* fold_model_key of the model; 0: none */
    uint64_t request_model_key; /* of the requested model; 0: none */
    uint64_t scope_key;         /* fold_scope_key: which instrumentation; 0: none */
    /* outcome */
    bool billable;
    enum billing_reason reason;
    size_t duplicate_of; /* index of the span that is billed instead, of the first of them where it
                            repeats several; SIZE_MAX: none */
    uint64_t call_key;   /* response key that its call is known by: its own, else one of a span
                            that stands for the same call; 0: none */
};

/* Everything but the outcome, which is made empty. Without a meaning: a span that does not count. */
void fold_facts(const struct stored_span *span, struct fold_span *out_span);

/* Hashes for those who fill a fold_span from columns. None is ever 0 for a text that is not empty.
 */
uint64_t fold_response_key(int32_t tenant_id, struct bytes response_id);
uint64_t fold_model_key(struct bytes model); /* without case, routing prefix, date and "-latest" */
uint64_t fold_scope_key(struct bytes scope_name);

/* Whether a span cannot be in anybody's way: a call type with a response id of its own, without
 * flags that need thought, which did not fail. A trace whose counting spans are all so, with distinct response keys,
 * needs no fold: each is billed as CALL under its own key. */
bool fold_is_plain(const struct fold_span *span);

/* Judges all spans of one trace (those that do not count too: they are the tree between). Sets the
 * outcome of each. scratch: memory for it, about 450 bytes per span. O(n log n), no recursion.
 * Fails with ERR_TOO_LARGE. */
MUST_CHECK bool fold_trace(struct fold_span *spans, size_t count, struct arena *scratch,
                           struct err *err);

/*
 * Settles one response key across traces: spans are those that fold_trace made billable with this
 * call_key, of any traces, with the outcome of fold_trace. Spans of one call start within a day of
 * each other: a span stays billable unless a better one starts at most FOLD_SAME_RESPONSE_NS before
 * or after it; else it becomes SAME_RESPONSE, and duplicate_of is the index of the best of those
 * (which is billed itself, save in a chain longer than a day). The outcome of a span depends on its
 * neighbours within a day only: who judges a span must give all those, and takes no outcome of
 * neighbours whose own neighbours were not given. The array is put into order of start, and
 * duplicate_of is an index in it as it is then.
 */
#define FOLD_SAME_RESPONSE_NS (INT64_C(86400) * 1000000000)
void fold_response(struct fold_span **spans, size_t count);

#endif
