/* Numbered migrations, embedded in the binary, forward only. */
#ifndef STORE_MIGRATE_H
#define STORE_MIGRATE_H

#include "base/cfg.h"
#include "store/db.h"

struct migration {
    int number;
    const char *name;
    const char *sql;
};
extern const struct migration
    migrations[]; /* generated at build from schema/NNN_name.sql, ended by number 0 */

/*
 * Brings the database to this binary's version under an advisory lock, each file in a transaction
 * of its own, and makes the chunks that are needed now. The engine (timescale where the extension
 * can be created, else native) is chosen at the first migration and recorded in spanledger.setting.
 * out_applied  how many files were applied now.
 * Fails with ERR_BAD_INPUT (an applied file has another hash, the database is newer than the
 * binary), or as db_fail.
 */
MUST_CHECK bool migrate_run(struct db *db, const struct cfg *cfg, int *out_applied,
                            struct err *err);

/* Whether the database is at this binary's version; ERR_BAD_INPUT says what is missing and names
 * `spanledger migrate`. */
MUST_CHECK bool migrate_check(struct db *db, struct err *err);

/* "native" or "timescale", into to (at least 16 bytes). */
MUST_CHECK bool migrate_engine(struct db *db, char *to, size_t to_bytes, struct err *err);

#endif
