/* Pricing stored spans anew, by what their columns say and the prices of now. */
#ifndef WORK_REPRICE_H
#define WORK_REPRICE_H

#include "base/cfg.h"
#include "ledger/prices.h"
#include "store/reprice.h"

struct reprice_progress {
    int64_t day; /* days since 1970 */
    int64_t traces;
    int64_t spans;
    int64_t changed;
    bool resumed;
};

/* Told now and then how far the run is. */
typedef void reprice_progress_fn(const struct reprice_progress *progress, void *arg);

/*
 * Runs to the end. db may write; conninfo is for a second connection, which reads. Sums live in
 * arena. Fails as reprice_open; what was committed stays, and the next run goes on behind it.
 */
MUST_CHECK bool reprice_run(const struct cfg *cfg, struct db *db, const char *conninfo,
                            struct prices *prices, const struct reprice_scope *scope,
                            reprice_progress_fn *progress, void *arg, struct arena *arena,
                            struct reprice_sum **out_sums, size_t *out_count, struct err *err);

#endif
