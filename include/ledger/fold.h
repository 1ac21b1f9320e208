/*
 * Counting once: of the spans that speak of one model call, one is billed (reference: genai-notes
 * section 3; docs/genai.md). Pure, and the same whatever order the spans came in.
 */
#ifndef LEDGER_FOLD_H
#define LEDGER_FOLD_H

#include "model/meaning.h"
#include "model/stored.h"

/* What counting knows of one span. */
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
    bool has_usage;        /* usage.sent */
    bool has_cost;         /* a cost was reported */
    uint64_t response_key; /* hash of the response id; 0: none was sent */
    uint64_t model_key;    /* hash of the model, lower case, without a date; 0: none */
    uint64_t scope_key;    /* hash of the scope's name: which instrumentation */
    /* outcome */
    bool billable;
    enum billing_reason reason;
    size_t duplicate_of; /* index of the span that is billed instead; SIZE_MAX: none */
    uint64_t call_key;   /* response key that its call is known by: its own, else one of a span
                                that repeats it; 0: none */
};

/* Whether a span takes part: call types, and whatever carries usage or cost. */
bool fold_counts(const struct fold_span *span);

/* Whether a span cannot be in anybody's way: a call type with usage and a response id of its own,
 * without flags that need thought. A trace of such spans only, with distinct ids, needs no fold:
 * each is billed as CALL. */
bool fold_is_plain(const struct fold_span *span);

/* Judges all spans of one trace (those that do not count too: they are the tree between). Sets the
 * outcome of each. scratch: memory for it. Fails with ERR_TOO_LARGE. */
MUST_CHECK bool fold_trace(struct fold_span *spans, size_t count, struct arena *scratch,
                           struct err *err);

/*
 * Settles one response key across traces: spans are those that fold_trace made billable with this
 * call_key, of any traces. Spans of one call start within a day of each other
 * (FOLD_SAME_RESPONSE_NS): further apart they are calls of their own. One of them stays billable,
 * the others become SAME_RESPONSE.
 */
#define FOLD_SAME_RESPONSE_NS (INT64_C(86400) * 1000000000)
void fold_response(struct fold_span **spans, size_t count);

/* Hash of a response id for one tenant; never 0 for an id, 0 for none. */
uint64_t fold_response_key(int32_t tenant_id, struct bytes response_id);

#endif
