/* Provisional: every call is billed, containers too; the rules follow. */
#include "ledger/fold.h"

bool fold_trace(struct fold_span *spans, size_t count, struct arena *scratch, struct err *err)
{
    (void)scratch;
    (void)err;
    for (size_t i = 0; i < count; i++) {
        struct fold_span *span = &spans[i];

        span->billable = fold_counts(span);
        span->reason = observation_is_call(span->observation) ? BILLING_REASON_CALL
                       : span->billable                       ? BILLING_REASON_CONTAINER
                                                              : BILLING_REASON_NONE;
        span->duplicate_of = SIZE_MAX;
        span->call_key = span->response_key;
    }
    return true;
}
