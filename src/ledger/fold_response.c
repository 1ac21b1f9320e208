/* One response id in several traces: who of those that speak of it is billed. */
#include <stdlib.h>

#include "ledger/fold.h"
#include "ledger/fold_rank.h"

static int compare_starts(const void *a, const void *b)
{
    const struct fold_span *left = *(struct fold_span *const *)a;
    const struct fold_span *right = *(struct fold_span *const *)b;

    if (left->start_ns != right->start_ns)
        return left->start_ns < right->start_ns ? -1 : 1;
    return fold_rank_identity(left, right);
}

/* Difference of two starts, right for all int64. */
static bool within_a_day(const struct fold_span *earlier, const struct fold_span *later)
{
    return (uint64_t)later->start_ns - (uint64_t)earlier->start_ns <=
           (uint64_t)FOLD_SAME_RESPONSE_NS;
}

/* A key with more spans than this within a day is no response id any more (a constant sent as one).
 * Those further away in the order are not looked at, so that it costs no quadratic time. */
#define MOST_NEIGHBOURS 256

static size_t best_neighbour(struct fold_span **spans, size_t count, size_t at)
{
    size_t best = at;

    for (size_t i = at; i > 0 && at - i < MOST_NEIGHBOURS; i--) {
        if (!within_a_day(spans[i - 1], spans[at]))
            break;
        if (fold_rank_across(spans[i - 1], spans[best]) < 0)
            best = i - 1;
    }
    for (size_t i = at + 1; i < count && i - at <= MOST_NEIGHBOURS; i++) {
        if (!within_a_day(spans[at], spans[i]))
            break;
        if (fold_rank_across(spans[i], spans[best]) < 0)
            best = i;
    }
    return best;
}

void fold_response(struct fold_span **spans, size_t count)
{
    qsort(spans, count, sizeof(*spans), compare_starts);
    /* All are compared before any is changed: the outcome so far is a part of their rank. */
    for (size_t i = 0; i < count; i++)
        spans[i]->duplicate_of = best_neighbour(spans, count, i);
    for (size_t i = 0; i < count; i++) {
        if (spans[i]->duplicate_of == i) {
            spans[i]->duplicate_of = SIZE_MAX;
            continue;
        }
        spans[i]->billable = false;
        spans[i]->reason = BILLING_REASON_SAME_RESPONSE;
    }
}
