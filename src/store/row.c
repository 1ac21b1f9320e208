/* Binary values of PostgreSQL: integers big-endian, times from 2000 on. */
#include "store/row.h"

#include "store/pg_time.h"
#include "store/pgtypes.h"

#define ARRAY_HEAD_BYTES 20 /* dimensions, has NULLs, type, then length and lower bound of one */

static void fail(struct row *row, int column, const char *what)
{
    if (!row->failed)
        row->failed = !err_set(row->err, ERR_INTERNAL, "column '%s' of a result %s",
                               PQfname(row->res, column), what);
}

static void fail_memory(struct row *row)
{
    if (!row->failed)
        row->failed = !err_set(row->err, ERR_TOO_LARGE, "the result does not fit into %zu bytes",
                               row->arena->max_bytes);
}

bool row_is_null(const struct row *row, int column)
{
    return PQgetisnull(row->res, row->at, column) != 0;
}

static struct bytes value_of(const struct row *row, int column)
{
    return (struct bytes){(const uint8_t *)PQgetvalue(row->res, row->at, column),
                          (size_t)PQgetlength(row->res, row->at, column)};
}

/* The value's bytes; NULL when it is not exactly this long. */
static const uint8_t *fixed(struct row *row, int column, size_t want_bytes)
{
    const struct bytes value = value_of(row, column);

    if (row->failed)
        return NULL;
    if (row_is_null(row, column) || value.len != want_bytes) {
        fail(row, column, row_is_null(row, column) ? "is null" : "has another length");
        return NULL;
    }
    return value.at;
}

int16_t row_int2(struct row *row, int column)
{
    const uint8_t *at = fixed(row, column, 2);

    if (!at)
        return 0;
    return (int16_t)read_be16(at);
}

int32_t row_int4(struct row *row, int column)
{
    const uint8_t *at = fixed(row, column, 4);

    return at ? (int32_t)read_be32(at) : 0;
}

int64_t row_int8(struct row *row, int column)
{
    const uint8_t *at = fixed(row, column, 8);

    return at ? (int64_t)read_be64(at) : 0;
}

int64_t row_int8_or_0(struct row *row, int column)
{
    return row_is_null(row, column) ? 0 : row_int8(row, column);
}

int32_t row_int4_or_0(struct row *row, int column)
{
    return row_is_null(row, column) ? 0 : row_int4(row, column);
}

int16_t row_int2_or_0(struct row *row, int column)
{
    if (row_is_null(row, column))
        return 0;
    return row_int2(row, column);
}

bool row_bool_or_false(struct row *row, int column)
{
    return !row_is_null(row, column) && row_bool(row, column);
}

bool row_bool(struct row *row, int column)
{
    const uint8_t *at = fixed(row, column, 1);

    return at && *at != 0;
}

struct uuid row_uuid(struct row *row, int column)
{
    struct uuid id = {{0}};
    const uint8_t *at = fixed(row, column, sizeof(id.at));

    if (at)
        memcpy(id.at, at, sizeof(id.at));
    return id;
}

int64_t row_time_us(struct row *row, int column)
{
    int64_t us;

    if (__builtin_add_overflow(row_int8(row, column), PG_EPOCH_US, &us)) {
        fail(row, column, "is infinite");
        return 0;
    }
    return us;
}

int64_t row_day(struct row *row, int column)
{
    return row_int4(row, column) + PG_EPOCH_DAY;
}

struct bytes row_text_or_empty(struct row *row, int column)
{
    struct bytes copy;

    if (row->failed || row_is_null(row, column))
        return (struct bytes){0};
    copy = arena_copy(row->arena, value_of(row, column));
    if (!copy.at)
        fail_memory(row);
    return copy;
}

struct bytes row_text(struct row *row, int column)
{
    if (!row->failed && row_is_null(row, column))
        fail(row, column, "is null");
    return row_text_or_empty(row, column);
}

/* Takes four bytes off the front. */
static bool take_int4(struct bytes *from, int32_t *out_value)
{
    if (from->len < 4)
        return false;
    *out_value = (int32_t)read_be32(from->at);
    from->at += 4;
    from->len -= 4;
    return true;
}

static bool array_head(struct bytes *value, int32_t *out_count)
{
    int32_t dimensions;
    int32_t skipped;

    if (!take_int4(value, &dimensions) || !take_int4(value, &skipped) ||
        !take_int4(value, &skipped))
        return false;
    *out_count = 0;
    if (dimensions == 0)
        return true;
    return dimensions == 1 && take_int4(value, out_count) && take_int4(value, &skipped) &&
           *out_count >= 0 && (size_t)*out_count <= value->len / 4;
}

struct bytes *row_texts(struct row *row, int column, uint32_t *out_count)
{
    struct bytes value = value_of(row, column);
    struct bytes *texts;
    int32_t count;

    *out_count = 0;
    if (row->failed || row_is_null(row, column))
        return NULL;
    if (!array_head(&value, &count)) {
        fail(row, column, "is no array of one dimension");
        return NULL;
    }
    texts = arena_array(row->arena, struct bytes, (size_t)count);
    for (int32_t i = 0; texts && i < count; i++) {
        int32_t len;

        if (!take_int4(&value, &len) || len < 0 || (size_t)len > value.len) {
            fail(row, column, "holds an array with a bad item");
            return NULL;
        }
        texts[i] = arena_copy(row->arena, (struct bytes){value.at, (size_t)len});
        value.at += len;
        value.len -= (size_t)len;
    }
    if (!texts || row->arena->failed) {
        fail_memory(row);
        return NULL;
    }
    *out_count = (uint32_t)count;
    return texts;
}

bool row_int8s(struct row *row, int column, int64_t *out_items, size_t count, int64_t if_null)
{
    struct bytes value = value_of(row, column);
    int32_t found;

    if (row->failed || row_is_null(row, column))
        return false;
    if (!array_head(&value, &found) || (size_t)found != count) {
        fail(row, column, "is no array of the wanted length");
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        int32_t len;
        const bool has_len = take_int4(&value, &len);

        if (has_len && len == -1) {
            out_items[i] = if_null;
        } else if (has_len && len == 8 && value.len >= 8) {
            out_items[i] = (int64_t)read_be64(value.at);
            value.at += 8;
            value.len -= 8;
        } else {
            fail(row, column, "holds an array with a bad item");
            return false;
        }
    }
    return true;
}

static bool wide_of(struct bytes digits, wide_int *out_value)
{
    const bool negative = digits.len > 0 && digits.at[0] == '-';
    wide_int value = 0;

    if (digits.len == negative || digits.len > 38)
        return false;
    for (size_t i = negative; i < digits.len; i++) {
        if (digits.at[i] < '0' || digits.at[i] > '9')
            return false;
        value = value * 10 + (digits.at[i] - '0');
    }
    *out_value = negative ? -value : value;
    return true;
}

void row_wides(struct row *row, int column, wide_int *out_items, size_t count)
{
    struct bytes value = value_of(row, column);
    int32_t found;

    memset(out_items, 0, count * sizeof(out_items[0]));
    if (row->failed || row_is_null(row, column))
        return;
    if (!array_head(&value, &found) || (size_t)found != count) {
        fail(row, column, "is no array of the wanted length");
        return;
    }
    for (size_t i = 0; i < count; i++) {
        int32_t len;

        if (!take_int4(&value, &len) || len < -1 || (len > 0 && (size_t)len > value.len) ||
            (len >= 0 && !wide_of((struct bytes){value.at, (size_t)len}, &out_items[i]))) {
            fail(row, column, "holds a sum that is no integer");
            return;
        }
        if (len > 0) {
            value.at += len;
            value.len -= (size_t)len;
        }
    }
}

void row_spend(struct row *row, int calls, int unpriced, int sums, struct spend *out_spend)
{
    wide_int items[2 * TOKEN_KIND_COUNT + 3];
    const wide_int *costs = &items[TOKEN_KIND_COUNT + 1];

    out_spend->calls = row_int8_or_0(row, calls);
    out_spend->unpriced = row_int8_or_0(row, unpriced);
    row_wides(row, sums, items, sizeof(items) / sizeof(items[0]));
    memcpy(out_spend->tokens, items, sizeof(out_spend->tokens));
    out_spend->total_tokens = items[TOKEN_KIND_COUNT];
    memcpy(out_spend->cost, costs, sizeof(out_spend->cost));
    out_spend->request_cost = costs[TOKEN_KIND_COUNT];
    out_spend->cost_total = costs[TOKEN_KIND_COUNT + 1];
}

void row_add_binary(struct row_params *p, struct bytes value)
{
    if (p->count >= ROW_MAX_PARAMS)
        return; /* the statement then fails for want of a parameter */
    p->values[p->count] = value.at ? (const char *)value.at : "";
    p->lengths[p->count] = (int)value.len;
    p->formats[p->count] = 1;
    p->count++;
}

static void add_fixed(struct row_params *p, uint64_t value, size_t bytes)
{
    uint8_t *to;

    if (p->count >= ROW_MAX_PARAMS)
        return;
    to = p->fixed[p->count];
    put_be64(to, value << (64 - 8 * bytes));
    row_add_binary(p, (struct bytes){to, bytes});
}

void row_add_int2(struct row_params *p, int16_t value)
{
    add_fixed(p, (uint64_t)value, 2);
}

void row_add_int4(struct row_params *p, int32_t value)
{
    add_fixed(p, (uint64_t)value, 4);
}

void row_add_int8(struct row_params *p, int64_t value)
{
    add_fixed(p, (uint64_t)value, 8);
}

void row_add_uuid(struct row_params *p, const struct uuid *value)
{
    row_add_binary(p, (struct bytes){value->at, sizeof(value->at)});
}

void row_add_time_us(struct row_params *p, int64_t us_since_1970)
{
    int64_t us;

    if (__builtin_sub_overflow(us_since_1970, PG_EPOCH_US, &us))
        us = INT64_MIN; /* PostgreSQL's -infinity */
    row_add_int8(p, us);
}

void row_add_day(struct row_params *p, int64_t day_since_1970)
{
    row_add_int4(p, (int32_t)(day_since_1970 - PG_EPOCH_DAY));
}

void row_add_text(struct row_params *p, struct bytes value)
{
    row_add_binary(p, value);
}

struct bytes row_uuid_array(const struct uuid *ids, size_t count, struct arena *arena)
{
    const size_t item_bytes = 4 + sizeof(ids[0].at);
    const size_t len = ARRAY_HEAD_BYTES + count * item_bytes;
    uint8_t *at = count < INT32_MAX / item_bytes - 1 ? arena_alloc(arena, len) : NULL;

    if (!at)
        return (struct bytes){0};
    put_be32(at, 1); /* dimensions */
    put_be32(at + 4, 0);
    put_be32(at + 8, UUIDOID);
    put_be32(at + 12, (uint32_t)count);
    put_be32(at + 16, 1);
    for (size_t i = 0; i < count; i++) {
        put_be32(at + ARRAY_HEAD_BYTES + i * item_bytes, sizeof(ids[i].at));
        memcpy(at + ARRAY_HEAD_BYTES + i * item_bytes + 4, ids[i].at, sizeof(ids[i].at));
    }
    return (struct bytes){at, len};
}
