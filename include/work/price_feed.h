/* Keeps the list of prices like the database: own prices that are imported while a server runs are in force there within five seconds. */
#ifndef WORK_PRICE_FEED_H
#define WORK_PRICE_FEED_H

#include "ledger/prices.h"

struct price_feed;

/* Reads the embedded list and the database's own prices. Fails as prices_embedded and db_open do. */
MUST_CHECK bool price_feed_start(const char *conninfo, struct price_feed **out_feed,
                                 struct err *err);
void price_feed_stop(struct price_feed *feed); /* NULL: nothing; nobody uses the slot any more */

/* Where threads get the list; lives as long as the feed. */
struct prices_slot *price_feed_slot(struct price_feed *feed);

/* Looks, not more often than every two seconds, whether own prices have changed, and takes them over. A database that is away, or prices that
 * cannot be read, leave the list as it is. One thread only (upkeep). */
void price_feed_poll(struct price_feed *feed);

#endif
