/* Own prices in the database: spanledger.model_price. Each function wants an open connection that may
 * write (DB_ADMIN). */
#ifndef STORE_PRICE_ROWS_H
#define STORE_PRICE_ROWS_H

#include "ledger/own_file.h"
#include "store/db.h"

/* A number that changes when own prices change: cheap, asked for every few seconds. */
MUST_CHECK bool price_rows_epoch(struct db *db, int64_t *out_epoch, struct err *err);

/* All rows, living in arena. A row that cannot be read (somebody wrote it by hand) is left out and
 * counted in *out_bad. */
MUST_CHECK bool price_rows_load(struct db *db, struct arena *arena, struct own_price **out_rows,
                                size_t *out_count, size_t *out_bad, struct err *err);

/* Writes every price that this list may give into spanledger.price, where it is not there yet: before
 * the list is used, so that each span.price_id leads to a row. */
MUST_CHECK bool price_rows_keep(struct db *db, const struct prices *prices, struct err *err);

struct price_import {
    int64_t added;    /* rows that are new, also those that took another's place */
    int64_t replaced; /* of these: rows of the same date that were there before */
    int64_t same;     /* rows that were there already */
};

/*
 * Writes a file's rows in one transaction and records in admin_audit what was replaced and by whom.
 * ERR_BAD_INPUT: a tenant is not known (with the line). Nothing was changed where it fails.
 */
MUST_CHECK bool price_rows_import(struct db *db, const struct own_file *file, const char *actor,
                                  struct price_import *out_import, struct err *err);

struct unpriced {
    struct bytes provider;
    struct bytes model;
    int64_t calls;
    int64_t calls_without_usage;
    int64_t calls_with_reported_cost;
    int64_t tokens;
    int64_t first_start_us; /* since 1970 */
    int64_t last_start_us;
};

/* Billed calls without a computed cost that started in [from, to), most calls first. */
MUST_CHECK bool price_rows_unpriced(struct db *db, int64_t from_ns, int64_t to_ns,
                                    int32_t most_rows, struct arena *arena,
                                    struct unpriced **out_rows, size_t *out_count, struct err *err);

#endif
