/* Spans to rows and back, nothing lost (docs/decisions.md, "What JSON cannot carry"). */
#ifndef OTLP_STORED_H
#define OTLP_STORED_H

#include "base/arena.h"
#include "model/stored.h"

/* Memory for the resources and scopes of one batch, so that each distinct one is turned into its
 * row once. */
struct otlp_to_stored {
    struct arena *arena;
    int32_t tenant_id;
    int64_t received_ns;
    const struct resource *last_resource; /* runs of one resource are the rule */
    const struct stored_resource *last_stored_resource;
    unsigned last_resource_marks; /* of enum span_mark: they go to each of its spans */
    const struct scope *last_scope;
    const struct stored_scope *last_stored_scope;
    unsigned last_scope_marks;
    struct buf scratch; /* otlp_to_stored_done frees it */
};

void otlp_to_stored_init(struct otlp_to_stored *maker, struct arena *arena, int32_t tenant_id,
                         int64_t received_ns);
void otlp_to_stored_done(struct otlp_to_stored *maker);

/* Makes the row of a sound span (otlp_check_span). Everything lives in the arena, but for texts
 * that needed no repair: they stay where the span has them (its arena or the request's body). Fails
 * with ERR_TOO_LARGE only (arena's cap). */
MUST_CHECK bool otlp_to_stored(struct otlp_to_stored *maker, const struct span *span,
                               struct stored_span *out_row, struct err *err);

/* The span as it was sent. Fails with ERR_INTERNAL when the row cannot be read, ERR_TOO_LARGE
 * (arena). Rows that share a resource or scope row get the same resource or scope pointer when they
 * stand next to each other (memo, zeroed by the caller before the first). */
struct otlp_from_stored_memo {
    const struct stored_resource *stored_resource;
    const struct stored_scope *stored_scope;
    const struct resource *resource;
    const struct scope *scope;
};
MUST_CHECK bool otlp_from_stored(const struct stored_span *row, struct arena *arena,
                                 struct otlp_from_stored_memo *memo, struct span *out_span,
                                 struct err *err);

/* Events as they stand in a row (stored_span.events, .log_events); count 0 for an empty text. Fails
 * as above. */
MUST_CHECK bool otlp_events_from_stored(struct bytes events, struct arena *arena,
                                        struct event **out_events, uint32_t *out_count,
                                        struct err *err);

#endif
