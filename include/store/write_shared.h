/* Resources and scopes of a batch: made once, known from then on. */
#ifndef STORE_WRITE_SHARED_H
#define STORE_WRITE_SHARED_H

#include "model/stored.h"
#include "store/db.h"
#include "store/write.h"

struct write_shared; /* ids that this connection knows to be committed today, bounded */

struct write_shared *write_shared_new(void); /* NULL: no memory */
void write_shared_free(struct write_shared *rows);

/*
 * Inside the transaction, after the locks: makes the resource and scope rows that the batch needs, in ascending order of their ids. An id whose
 * stored content differs (a hash collision) is moved to the next free one, in the row itself, so the spans must be encoded afterwards.
 */
MUST_CHECK bool write_shared_write(struct write_shared *rows, struct db *db,
                                   const struct write_item *items, size_t count, int64_t today,
                                   struct err *err);

/* After a failed transaction, and after the connection was lost (then also the prepared statements are gone): nothing is known. */
void write_shared_forget(struct write_shared *rows);
void write_shared_disconnected(struct write_shared *rows);

#endif
