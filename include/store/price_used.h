/* Prices that spans were priced with, kept in spanledger.price (by the hash of what they say). */
#ifndef STORE_PRICE_USED_H
#define STORE_PRICE_USED_H

#include "ledger/prices.h"
#include "store/db.h"
#include "store/pg_array.h"
#include "store/write.h"

#define PRICE_USED_COLUMNS 6

/* What one connection knows to be there; bounded. */
struct price_used {
    uint64_t known[1024]; /* open addressing; 0: free */
    size_t known_count;
    struct buf wanted; /* uint64_t: ids of the transaction at hand that are not known */
    struct pg_array columns[PRICE_USED_COLUMNS];
    struct buf rates; /* JSON of one price */
    bool prepared;
};

void price_used_init(struct price_used *used);
void price_used_done(struct price_used *used);
void price_used_disconnected(struct price_used *used);

/* Takes note of an id (0: none) before price_used_write. */
void price_used_want(struct price_used *used, uint64_t price_id);

/* Inside the transaction: writes those that are wanted and not known. list NULL: nothing is written
 * (nothing was priced). Fails as call_run, ERR_UNAVAILABLE (no memory). */
MUST_CHECK bool price_used_write(struct price_used *used, struct db *db, const struct prices *list,
                                 struct err *err);

/* After COMMIT (true: what was written is known) or ROLLBACK. */
void price_used_end(struct price_used *used, bool committed);

#endif
