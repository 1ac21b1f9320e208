/*
 * Keys in the database. A secret is 256 random bits, shown once; what is kept is its SHA-256: there is
 * nothing to guess, so that a slow hash would only cost every request time.
 */
#ifndef STORE_KEY_ROWS_H
#define STORE_KEY_ROWS_H

#include "base/digest.h"
#include "model/key.h"
#include "model/stored.h"
#include "store/db.h"

#define KEY_ROWS_MOST 100000 /* keys in force: every server holds them in memory */
#define KEY_ROWS_NEVER INT64_MAX

/* A key as it is shown, once. */
struct key_made {
    char id[37];
    char public[KEY_PUBLIC_BYTES + 1];
    char secret[80];
};

/* What makes a key. */
struct key_wish {
    struct bytes tenant;
    unsigned scopes;
    struct bytes project;
    int64_t expires_ns; /* KEY_ROWS_NEVER: never */
};

struct key_line {
    struct bytes id;
    struct bytes public;
    struct bytes tenant;
    struct bytes scopes;
    struct bytes project;
    int64_t created_ns;
    int64_t expires_ns; /* 0: never */
    int64_t revoked_ns; /* 0: not */
    int64_t last_used;  /* day; INT64_MIN: never */
};

/* A key that is in force. */
struct key_entry {
    struct uuid key_id;
    uint8_t digest[DIGEST_BYTES];
    uint8_t public_digest[DIGEST_BYTES]; /* of the public part: of one length, for comparing */
    struct key_grant grant;
    int64_t expires_ns; /* KEY_ROWS_NEVER: never */
    int64_t last_used;  /* day; INT64_MIN: never */
};

/* Makes a key. Fails with ERR_NOT_FOUND (tenant), ERR_BAD_INPUT (project's name, too many keys). */
MUST_CHECK bool key_rows_create(struct db *db, const struct key_wish *wish, const char *actor,
                                struct key_made *out_made, struct err *err);

/* Revokes the key of this public part or id. Fails with ERR_NOT_FOUND. *out_already: it was. */
MUST_CHECK bool key_rows_revoke(struct db *db, struct bytes name, const char *actor,
                                bool *out_already, struct err *err);

/* tenant empty: of all. Lives in arena. */
MUST_CHECK bool key_rows_list(struct db *db, struct bytes tenant, struct arena *arena,
                              struct key_line **out_keys, size_t *out_count, struct err *err);

/* A number that is another one after every change of keys. */
MUST_CHECK bool key_rows_epoch(struct db *db, int64_t *out_epoch, struct err *err);

/* The keys in force, at most KEY_ROWS_MOST; owned by caller: free. */
MUST_CHECK bool key_rows_load(struct db *db, struct key_entry **out_keys, size_t *out_count,
                              struct err *err);

/* Notes that these were used on a day. */
MUST_CHECK bool key_rows_used(struct db *db, const struct uuid *ids, size_t count, int64_t day,
                              struct err *err);

#endif
