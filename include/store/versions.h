/* The staging path: re-sent spans and other versions of spans that are there. */
#ifndef STORE_VERSIONS_H
#define STORE_VERSIONS_H

#include "store/db.h"
#include "store/write_plan.h"

/*
 * Inside the transaction, with the traces locked: writes the winners of the plan that are `staged` and sets their outcomes.
 * Fails as db_fail; ERR_CONFLICT when a span came in between without a lock (another program): the transaction is to be tried again.
 */
MUST_CHECK bool versions_write(struct db *db, const struct write_plan *plan,
                               struct write_item *items, struct buf *scratch, struct err *err);

/* Sends rows as one COPY: header, the winners that are staged or not as asked, trailer. Extra fields of the staging table are added where staged. */
MUST_CHECK bool versions_copy(struct db *db, const struct write_plan *plan,
                              const struct write_item *items, bool staged, struct buf *scratch,
                              struct err *err);

#endif
