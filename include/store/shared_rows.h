/* Resources and scopes of the spans that are being read: each is asked for once. */
#ifndef STORE_SHARED_ROWS_H
#define STORE_SHARED_ROWS_H

#include "model/stored.h"
#include "store/db.h"

/* A set of rows by id; open addressing, at most half full. Every row begins with its uuid. */
struct shared_set {
    struct uuid **slots;
    size_t slot_count;
    size_t count;
    size_t row_bytes;
    struct uuid *newest; /* spans of one resource stand together */
};

struct shared_rows {
    struct shared_set resources;
    struct shared_set scopes;
    struct arena *arena;
};

void shared_rows_init(struct shared_rows *rows, struct arena *arena);

/* The row of that id, empty until shared_rows_read; NULL: arena's cap. Lives in arena. */
struct stored_resource *shared_rows_resource(struct shared_rows *rows, const struct uuid *id);
struct stored_scope *shared_rows_scope(struct shared_rows *rows, const struct uuid *id);

/* Reads the content of all of them. One that is gone (erased a moment ago) stays empty. */
MUST_CHECK bool shared_rows_read(struct shared_rows *rows, struct db *db, int32_t tenant_id,
                                 struct err *err);

#endif
