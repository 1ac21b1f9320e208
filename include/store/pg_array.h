/* One-dimensional arrays in PostgreSQL's binary form, as parameters of statements. Pure. */
#ifndef STORE_PG_ARRAY_H
#define STORE_PG_ARRAY_H

#include "base/bytes.h"
#include "model/stored.h"

/*
 * A one-dimensional array parameter under construction.
 *
 *   20 bytes header | element | element | …      element: length (4 bytes, -1 for NULL), bytes
 */
struct pg_array {
    struct buf bytes;
    uint32_t element_oid;
    int32_t count;
    bool has_null;
};

void pg_array_init(struct pg_array *array, uint32_t element_oid, size_t max_bytes);
void pg_array_done(struct pg_array *array);
void pg_array_clear(struct pg_array *array);
void pg_array_int2(struct pg_array *array, int16_t value);
void pg_array_int4(struct pg_array *array, int32_t value);
void pg_array_int8(struct pg_array *array, int64_t value);
void pg_array_bool(struct pg_array *array, bool value);
void pg_array_uuid(struct pg_array *array, const struct uuid *value);
void pg_array_bytes(struct pg_array *array, struct bytes value); /* text, bytea */
void pg_array_null(struct pg_array *array);
/* The finished parameter; valid until the next change. */
struct bytes pg_array_finish(struct pg_array *array);

#endif
