/* Rows of spanledger.span_payload: long texts of the spans of a batch. */
#ifndef STORE_PAYLOAD_ROWS_H
#define STORE_PAYLOAD_ROWS_H

#include "store/db.h"
#include "store/write.h"

/*
 * Inside the transaction, after the spans: writes the payloads of items with WRITE_NEW and
 * WRITE_REPLACED; what a replaced version had is removed. scratch: memory for the rows.
 */
MUST_CHECK bool payload_rows_write(struct db *db, const struct write_item *items, size_t count,
                                   struct buf *scratch, struct err *err);

#endif
