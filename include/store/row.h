/* Values between C and PostgreSQL's binary format: getters over a result, parameters of a
 * statement. */
#ifndef STORE_ROW_H
#define STORE_ROW_H

#include <libpq-fe.h>

#include "base/arena.h"
#include "model/spend.h"

/*
 * One row of a binary result. Column types were compared with stmt.c when the connection opened, so
 * getters check length and NULL only. The first failure is kept and getters then give zeros, so
 * that a reader of forty columns checks once, with row_ok.
 */
struct row {
    const PGresult *res; /* borrowed */
    int at;
    struct arena *arena; /* texts are copied here */
    bool failed;
    struct err *err; /* filled by the first failure: ERR_INTERNAL, or ERR_TOO_LARGE (arena) */
};

static inline bool row_ok(const struct row *row)
{
    return !row->failed;
}

bool row_is_null(const struct row *row, int column);

/* These want a value. */
int16_t row_int2(struct row *row, int column);
int32_t row_int4(struct row *row, int column);
int64_t row_int8(struct row *row, int column);
bool row_bool(struct row *row, int column);
struct uuid row_uuid(struct row *row, int column);
int64_t row_time_us(struct row *row, int column); /* timestamptz as microseconds since 1970 */
int64_t row_day(struct row *row, int column);     /* date as days since 1970 */
struct bytes row_text(struct row *row, int column);

/* These give 0 or an empty text for NULL. */
int64_t row_int8_or_0(struct row *row, int column);
int32_t row_int4_or_0(struct row *row, int column);
int16_t row_int2_or_0(struct row *row, int column);
bool row_bool_or_false(struct row *row, int column);
struct bytes row_text_or_empty(struct row *row, int column); /* text and bytea */

/* text[] of one dimension without NULLs; NULL gives none. */
struct bytes *row_texts(struct row *row, int column, uint32_t *out_count);

/* int8[] of exactly this many items; NULL items give if_null. False: the array itself is NULL (or
 * the row has failed). */
bool row_int8s(struct row *row, int column, int64_t *out_items, size_t count, int64_t if_null);

/* numeric[]::text[] of integers, exactly this many; NULL items and a NULL array give 0. */
void row_wides(struct row *row, int column, wide_int *out_items, size_t count);

/* Counts (int8, NULL: 0) and row_wides of the sums: token kinds, total, cost kinds, request, total. */
void row_spend(struct row *row, int calls, int unpriced, int sums, struct spend *out_spend);

#define ROW_MAX_PARAMS 32

/* Binary parameters, in order. What add functions take by pointer is borrowed until the statement
 * ran. */
struct row_params {
    int count;
    const char *values[ROW_MAX_PARAMS];
    int lengths[ROW_MAX_PARAMS];
    int formats[ROW_MAX_PARAMS];
    uint8_t fixed[ROW_MAX_PARAMS][8]; /* numbers, big-endian */
};

void row_add_int2(struct row_params *p, int16_t value);
void row_add_int4(struct row_params *p, int32_t value);
void row_add_int8(struct row_params *p, int64_t value);
void row_add_uuid(struct row_params *p, const struct uuid *value);
void row_add_time_us(struct row_params *p, int64_t us_since_1970); /* INT64_MIN: -infinity */
void row_add_day(struct row_params *p, int64_t day_since_1970);
void row_add_text(struct row_params *p, struct bytes value);

/* A value in binary form that the caller made; borrowed. */
void row_add_binary(struct row_params *p, struct bytes value);

/* uuid[] in binary form of `count` ids; at == NULL: arena. */
struct bytes row_uuid_array(const struct uuid *ids, size_t count, struct arena *arena);

#endif
