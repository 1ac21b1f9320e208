/* Upkeep: one thread that keeps the embedded database running and makes chunks ahead. */
#ifndef WORK_UPKEEP_H
#define WORK_UPKEEP_H

#include "base/cfg.h"
#include "store/embedded.h"
#include "work/price_feed.h"

struct upkeep;

/* embedded: watched every second, or NULL for an external database. Chunks are made daily (and at start by migrate). prices: polled, or NULL. */
MUST_CHECK bool upkeep_start(const struct cfg *cfg, const char *conninfo, struct embedded *embedded,
                             struct price_feed *prices, struct upkeep **out_upkeep,
                             struct err *err);
void upkeep_stop(struct upkeep *upkeep);

#endif
