/* Counters and gauges of the process, and the histogram of commit times. Lock-free, any thread. */
#ifndef BASE_STATS_H
#define BASE_STATS_H

#include "base/bytes.h"

enum stat {
#define STAT(id, type, name, labels, help) STAT_##id,
#include "base/stats.def"
#undef STAT
    STAT_MAX
};

void stats_add(enum stat stat, int64_t delta); /* gauges take negative deltas */
int64_t stats_get(enum stat stat);

/* One observation of a commit: from the first statement of a write transaction to the answer to
 * COMMIT. */
void stats_commit_time(int64_t duration_ns);

/* Appends the Prometheus text form (version 0.0.4) of everything. */
void stats_render(struct buf *out);

#endif
