/* Response ids that are looked for, each between starts of its own. */
#include "store/sought.h"

#include <stdlib.h>

#include "ledger/fold.h"

static int64_t plus_day(int64_t ns, int64_t days)
{
    int64_t sum;

    if (__builtin_add_overflow(ns, days * FOLD_SAME_RESPONSE_NS, &sum))
        return days > 0 ? INT64_MAX : 0;
    return sum < 0 ? 0 : sum;
}

int sought_compare(const void *a, const void *b)
{
    const struct sought *x = a;
    const struct sought *y = b;

    if (x->key != y->key)
        return x->key < y->key ? -1 : 1;
    return x->tenant_id < y->tenant_id ? -1 : x->tenant_id > y->tenant_id;
}

size_t sought_join(struct sought *sought, size_t count, int64_t days)
{
    size_t kept = 0;

    if (count > 1)
        qsort(sought, count, sizeof(*sought), sought_compare);
    for (size_t i = 0; i < count; i++) {
        struct sought *last = kept > 0 ? &sought[kept - 1] : NULL;

        if (!last || sought_compare(last, &sought[i]) != 0) {
            sought[kept++] = sought[i];
            continue;
        }
        if (sought[i].since_ns < last->since_ns)
            last->since_ns = sought[i].since_ns;
        if (sought[i].until_ns > last->until_ns)
            last->until_ns = sought[i].until_ns;
    }
    for (size_t i = 0; i < kept; i++) {
        sought[i].since_ns = plus_day(sought[i].since_ns, -days);
        sought[i].until_ns = plus_day(sought[i].until_ns, days);
    }
    return kept;
}
