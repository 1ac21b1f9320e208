/* Chunks of the hypertables: native partitions made before rows need them. TimescaleDB makes its
 * own, then both calls do nothing. */
#ifndef STORE_CHUNKS_H
#define STORE_CHUNKS_H

#include "store/db.h"

/* Makes the partitions that hold the given days (days since 1970), in transactions of their own;
 * days outside the window share the far past and far future partitions. Safe to call from several
 * processes at once. The connection must not be inside a transaction. */
MUST_CHECK bool chunks_ensure_days(struct db *db, const int64_t days[], size_t day_count,
                                   struct err *err);

/* Upkeep: makes the chunks of the next days and moves the window's end when less than 35 days are
 * left before it. Called at start and by the upkeep thread. */
MUST_CHECK bool chunks_upkeep(struct db *db, int64_t today, struct err *err);

#endif
