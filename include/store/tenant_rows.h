/* Tenants in the database. Each change is one statement together with its row of admin_audit. */
#ifndef STORE_TENANT_ROWS_H
#define STORE_TENANT_ROWS_H

#include "store/db.h"

struct tenant {
    int32_t tenant_id;
    struct bytes name;
    int64_t created_ns;
    int64_t deleted_ns; /* 0: it is there */
    int64_t keys;       /* in force */
};

/* Fails with ERR_CONFLICT: there is one of this name; ERR_BAD_INPUT: the name is none (empty, too
 * long, a sign other than letters, digits, '.', '_', '-'). actor: who does it, for the audit. */
MUST_CHECK bool tenant_rows_create(struct db *db, struct bytes name, const char *actor,
                                   int32_t *out_tenant_id, struct err *err);

/* Fails with ERR_NOT_FOUND and as tenant_rows_create. */
MUST_CHECK bool tenant_rows_rename(struct db *db, struct bytes name, struct bytes new_name,
                                   const char *actor, struct err *err);

/* Revokes its keys; its spans stay. Fails with ERR_NOT_FOUND. */
MUST_CHECK bool tenant_rows_delete(struct db *db, struct bytes name, const char *actor,
                                   int64_t *out_keys, struct err *err);

/* All, those that were deleted too; lives in arena. */
MUST_CHECK bool tenant_rows_list(struct db *db, struct arena *arena, struct tenant **out_tenants,
                                 size_t *out_count, struct err *err);

#endif
