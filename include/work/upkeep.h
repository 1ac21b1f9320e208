/* Upkeep: one thread for all that must happen now and then while the server runs. */
#ifndef WORK_UPKEEP_H
#define WORK_UPKEEP_H

#include "base/err.h"
#include "store/embedded.h"
#include "work/price_feed.h"

struct upkeep;

/*
 * Makes chunks ahead (at start migrate has), removes log records whose span never came, gives memory
 * of a burst back.
 * embedded  kept running; NULL: the database is external
 * prices    polled
 */
MUST_CHECK bool upkeep_start(const char *conninfo, struct embedded *embedded,
                             struct price_feed *prices, struct upkeep **out_upkeep,
                             struct err *err);
void upkeep_stop(struct upkeep *upkeep);

#endif
