/* What a batch adds to one trace row: sums over the spans of one trace that started on one day. Pure. */
#ifndef STORE_TRACE_SUM_H
#define STORE_TRACE_SUM_H

#include "base/arena.h"
#include "model/stored.h"
#include "model/trace.h"

/* Texts of a trace that one of its spans gives (schema/001_core.sql, trace): the one of least rank. */
enum trace_label {
    LABEL_SESSION,
    LABEL_USER,
    LABEL_ENVIRONMENT,
    LABEL_PROJECT,
    LABEL_TRACE_NAME,
    LABEL_INPUT,
    LABEL_OUTPUT,
    LABEL_COUNT
};

struct label {
    struct bytes text; /* empty: no span has one */
    int64_t rank;
};

/* More distinct facets of one trace in one batch are left to the recount, which the database does. */
#define TRACE_SUM_FACETS 128

struct facet {
    enum facet_kind kind;
    struct bytes value;
};

/* What the spans of GenAI bring. */
struct trace_means {
    struct label labels[LABEL_COUNT];
    struct facet *facets; /* distinct; sorted by trace_sum_finish */
    uint32_t facet_count;
    uint32_t facet_room;
    int32_t counted;
    int32_t plain;
    int32_t calls;
    int32_t unpriced;
    wide_int tokens[TOKEN_KIND_COUNT];
    wide_int total_tokens;
    wide_int costs[TOKEN_KIND_COUNT];
    wide_int request;
    wide_int cost_total;
};

struct trace_sum {
    int32_t tenant_id;
    int16_t bucket;
    struct uuid trace_id;
    int64_t day;
    int64_t start_ns;
    int64_t end_ns;
    int64_t last_received_ns;
    const struct stored_span *first;
    const struct stored_span *root; /* NULL: none */
    int32_t span_count;
    int32_t error_count;
    int32_t roots[SPAN_UNFINISHED + 1];
    bool replaced;         /* a version of a span that is there */
    bool replaced_counted; /* and the new one counts */
    bool recount;          /* cannot be added up: count anew from the table */
    bool multi_day;
    bool there; /* the table has a row of this trace and day */
    struct bytes services
        [8]; /* distinct; a day's part of a trace with more services in one batch is counted anew */
    uint32_t service_count;
    struct trace_means *means; /* NULL: no span has a meaning; lives in arena */
};

/* Adds a span of the sum's trace and day. Its texts are borrowed until the sum was written. Fails with ERR_UNAVAILABLE (no memory). */
MUST_CHECK bool trace_sum_add(struct trace_sum *sum, const struct stored_span *row,
                              struct arena *arena, struct err *err);

/* Puts sets in the order that the columns have. */
void trace_sum_finish(struct trace_sum *sum);

#endif
