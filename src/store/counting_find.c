/* Spans of the table with the response ids of a batch. */
#include <stdlib.h>

#include "queries.h"
#include "store/call.h"
#include "store/counting_parts.h"
#include "store/pgtypes.h"

#define NEAR_NS (8 * FOLD_SAME_RESPONSE_NS) /* of a batch whose ids are looked for at once */
#define MOST_NEAR 4096                      /* spans that this may find */

static bool no_memory(struct err *err)
{
    return err_set(err, ERR_UNAVAILABLE, "no memory to count the spans of a batch");
}

static int compare_found(const void *a, const void *b)
{
    const struct same_response *x = a;
    const struct same_response *y = b;

    if (x->key != y->key)
        return x->key < y->key ? -1 : 1;
    return x->tenant_id < y->tenant_id ? -1 : x->tenant_id > y->tenant_id;
}

/* Ids that too many spans have are none: they would tie all these traces together. */
static size_t drop_constants(struct same_response *found, size_t count)
{
    size_t kept = 0;

    if (count > 1)
        qsort(found, count, sizeof(*found), compare_found);
    for (size_t i = 0, end; i < count; i = end) {
        for (end = i; end < count && compare_found(&found[end], &found[i]) == 0;)
            end++;
        if (end - i > COUNTING_MOST_SAME)
            continue;
        if (kept != i)
            memmove(&found[kept], &found[i], (end - i) * sizeof(*found));
        kept += end - i;
    }
    return kept;
}

/* What was asked for: the keys of one tenant are no keys of another. */
static bool read_found(struct counting *c, const PGresult *res, const struct sought *sought,
                       size_t sought_count, struct same_response **out_found, size_t *out_count,
                       struct err *err)
{
    struct same_response *found =
        arena_array(&c->arena, struct same_response, (size_t)PQntuples(res));
    size_t count = 0;

    if (!found)
        return no_memory(err);
    for (int r = 0; r < PQntuples(res); r++) {
        struct same_response *f = &found[count];
        struct sought this = {0};

        this.key = f->key = read_be64((const uint8_t *)PQgetvalue(res, r, 0));
        f->bucket = (int16_t)read_be16((const uint8_t *)PQgetvalue(res, r, 1));
        memcpy(f->trace_id.at, PQgetvalue(res, r, 2), sizeof(f->trace_id.at));
        f->span_id = (int64_t)read_be64((const uint8_t *)PQgetvalue(res, r, 3));
        f->start_us = (int64_t)read_be64((const uint8_t *)PQgetvalue(res, r, 4)) + PG_EPOCH_US;
        this.tenant_id = f->tenant_id = (int32_t)read_be32((const uint8_t *)PQgetvalue(res, r, 5));
        count += bsearch(&this, sought, sought_count, sizeof(this), sought_compare) != NULL;
    }
    *out_count = drop_constants(found, count);
    *out_found = found;
    return true;
}

/* All ids at once, over one stretch of time. */
static bool find_near(struct counting *c, struct db *db, int64_t first_ns, int64_t last_ns,
                      PGresult **out_res, struct err *err)
{
    struct call call = {0};

    call_array(&call, INT4ARRAYOID, &c->arrays[0]);
    call_array(&call, INT8ARRAYOID, &c->arrays[3]);
    call_timestamp(&call, first_ns);
    call_timestamp(&call, last_ns);
    call_int4(&call, MOST_NEAR);
    return call_run(db, "write_responses_near", &c->prepared[1], sql_write_responses_near, &call,
                    out_res, err);
}

/* Id by id, each around its own time, and no more of one than is to be followed. */
static bool find_each(struct counting *c, struct db *db, int64_t first_ns, int64_t last_ns,
                      PGresult **out_res, struct err *err)
{
    struct call call = {0};

    call_array(&call, INT4ARRAYOID, &c->arrays[5]);
    call_array(&call, INT8ARRAYOID, &c->arrays[3]);
    call_array(&call, TIMESTAMPTZARRAYOID, &c->arrays[4]);
    call_array(&call, TIMESTAMPTZARRAYOID, &c->arrays[10]);
    call_timestamp(&call, first_ns);
    call_timestamp(&call, last_ns);
    call_int4(&call, COUNTING_MOST_SAME + 1);
    return call_run(db, NULL, NULL, sql_write_responses, &call, out_res, err);
}

bool counting_find(struct counting *c, struct db *db, const struct sought *sought, size_t count,
                   struct same_response **out_found, size_t *out_count, struct err *err)
{
    struct pg_array *tenants = &c->arrays[0]; /* neighbours that are the same once */
    struct pg_array *tenant_of = &c->arrays[5];
    struct pg_array *keys = &c->arrays[3];
    struct pg_array *since = &c->arrays[4];
    struct pg_array *until = &c->arrays[10];
    DB_RESULT near = NULL;
    DB_RESULT each = NULL;
    int64_t first_ns = INT64_MAX;
    int64_t last_ns = 0;

    pg_array_clear(tenants);
    pg_array_clear(tenant_of);
    pg_array_clear(keys);
    pg_array_clear(since);
    pg_array_clear(until);
    for (size_t i = 0; i < count; i++) {
        if (i == 0 || sought[i].tenant_id != sought[i - 1].tenant_id)
            pg_array_int4(tenants, sought[i].tenant_id);
        pg_array_int4(tenant_of, sought[i].tenant_id);
        pg_array_int8(keys, (int64_t)sought[i].key);
        pg_array_int8(since, pg_timestamp(sought[i].since_ns));
        pg_array_int8(until, pg_timestamp(sought[i].until_ns));
        first_ns = sought[i].since_ns < first_ns ? sought[i].since_ns : first_ns;
        last_ns = sought[i].until_ns > last_ns ? sought[i].until_ns : last_ns;
    }
    if (!buf_ok(&tenants->bytes) || !buf_ok(&tenant_of->bytes) || !buf_ok(&keys->bytes) ||
        !buf_ok(&since->bytes) || !buf_ok(&until->bytes))
        return no_memory(err);
    if (last_ns - first_ns <= NEAR_NS) {
        if (!find_near(c, db, first_ns, last_ns, &near, err))
            return false;
        /* An id that is none, a constant sent as one, may have filled the answer. */
        if (PQntuples(near) < MOST_NEAR)
            return read_found(c, near, sought, count, out_found, out_count, err);
    }
    return find_each(c, db, first_ns, last_ns, &each, err) &&
           read_found(c, each, sought, count, out_found, out_count, err);
}
