/* The staging path. */
#include "store/versions.h"

#include <inttypes.h>
#include <stdio.h>

#include "queries.h"
#include "store/call.h"
#include "store/copy.h"
#include "store/pgcopy.h"
#include "store/pgtypes.h"

#define MOST_OTHER_VERSIONS 64
#define ARRAY_MAX_BYTES (64U << 20)
#define PIECE_BYTES (64U << 10)

enum verdict { VERDICT_KNOWN = 1, VERDICT_STAGED_STANDS = 2, VERDICT_STORED_STANDS = 3 };

/* Distinct hashes of the batch's other versions of item i; returns how many. */
static size_t other_versions(const struct write_plan *plan, const struct write_item *items,
                             size_t i, int64_t hashes[MOST_OTHER_VERSIONS])
{
    size_t count = 0;

    for (size_t k = plan->items[i].others; k && count < MOST_OTHER_VERSIONS;
         k = plan->items[k - 1].next) {
        size_t known = 0;

        while (known < count && hashes[known] != items[k - 1].row->content_hash)
            known++;
        if (known == count)
            hashes[count++] = items[k - 1].row->content_hash;
    }
    return count;
}

/* The field other_versions int8[]; NULL where there are none. */
static void add_other_versions(struct buf *out, const struct write_plan *plan,
                               const struct write_item *items, size_t i)
{
    int64_t hashes[MOST_OTHER_VERSIONS];
    const size_t count = other_versions(plan, items, i, hashes);
    struct pg_array others;
    struct bytes field = {0};
    uint8_t len[4];

    pg_array_init(&others, INT8OID, ARRAY_MAX_BYTES);
    for (size_t k = 0; k < count; k++)
        pg_array_int8(&others, hashes[k]);
    if (count > 0)
        field = pg_array_finish(&others);
    put_be32(len, count > 0 ? (uint32_t)field.len : UINT32_MAX);
    buf_add(out, len, sizeof(len));
    buf_add_bytes(out, field);
    pg_array_done(&others);
}

/* What a row of span_stage has more. row_at: where it begins. */
static void add_stage_fields(struct buf *out, size_t row_at, const struct write_plan *plan,
                             const struct write_item *items, size_t i, bool versions_in_batch)
{
    uint8_t ord[8];

    if (!buf_ok(out))
        return;
    put_be16(out->at + row_at, (uint16_t)(read_be16(out->at + row_at) + 2));
    put_be32(ord, 4);
    put_be32(ord + 4, (uint32_t)i);
    buf_add(out, ord, sizeof(ord));
    if (versions_in_batch) {
        add_other_versions(out, plan, items, i);
    } else {
        put_be32(ord, UINT32_MAX);
        buf_add(out, ord, 4);
    }
}

static bool has_versions(const struct write_plan *plan, const struct write_item *items)
{
    for (size_t i = 0; i < plan->count; i++)
        if (plan->items[i].winner != i && items[i].outcome == WRITE_SUPERSEDED)
            return true;
    return false;
}

/* Rows are made a few at a time and sent while the processor's caches have them. */
static bool send_rows(struct db *db, const struct write_plan *plan, const struct write_item *items,
                      bool staged, struct buf *scratch, struct err *err)
{
    const bool versions = staged && has_versions(plan, items);

    buf_clear(scratch);
    for (size_t i = 0; i < plan->count; i++) {
        const struct planned *p = &plan->items[i];
        const size_t row_at = scratch->len;

        write_plan_look_ahead(items, i, plan->count);
        if (p->winner != i || p->staged != staged)
            continue;
        pgcopy_span(scratch, items[i].row);
        if (staged)
            add_stage_fields(scratch, row_at, plan, items, i, versions);
        if (!buf_ok(scratch))
            return err_set(err, ERR_UNAVAILABLE, "no memory for the row of a span");
        pgcopy_span_set_seq(scratch->at + row_at, plan->ingest_seq);
        if (scratch->len < PIECE_BYTES)
            continue;
        if (!copy_put(db, buf_bytes(scratch), err))
            return false;
        buf_clear(scratch);
    }
    return copy_put(db, buf_bytes(scratch), err);
}

bool versions_copy(struct db *db, const struct write_plan *plan, const struct write_item *items,
                   bool staged, struct buf *scratch, struct err *err)
{
    char columns[2048];

    (void)snprintf(columns, sizeof(columns), "%s%s", sql_span_columns,
                   staged ? ", ord, other_versions" : "");
    return (staged ? copy_begin(db, "", "pg_temp.span_stage", columns, err)
                   : copy_begin(db, "SAVEPOINT spans;", "spanledger.span", columns, err)) &&
           send_rows(db, plan, items, staged, scratch, err) && copy_end(db, err);
}

/* Ords by what is to be done with them. */
struct verdicts {
    struct pg_array there;
    struct pg_array replace;
    struct pg_array supersede;
    int64_t since_ns;
    int64_t until_ns;
};

static void verdicts_init(struct verdicts *v)
{
    pg_array_init(&v->there, INT4OID, ARRAY_MAX_BYTES);
    pg_array_init(&v->replace, INT4OID, ARRAY_MAX_BYTES);
    pg_array_init(&v->supersede, INT4OID, ARRAY_MAX_BYTES);
    v->since_ns = INT64_MAX;
    v->until_ns = INT64_MIN;
}

static void verdicts_done(struct verdicts *v)
{
    pg_array_done(&v->there);
    pg_array_done(&v->replace);
    pg_array_done(&v->supersede);
}

/* Every staged item counts as new until the table says otherwise. */
static void presume_new(struct verdicts *v, const struct write_plan *plan, struct write_item *items)
{
    for (size_t i = 0; i < plan->count; i++) {
        const int64_t start_ns = items[i].row->start_unix_ns;

        if (plan->items[i].winner != i || !plan->items[i].staged)
            continue;
        items[i].outcome = WRITE_NEW;
        v->since_ns = start_ns < v->since_ns ? start_ns : v->since_ns;
        v->until_ns = start_ns > v->until_ns ? start_ns : v->until_ns;
    }
}

static bool judge(struct verdicts *v, const struct write_plan *plan, struct write_item *items,
                  const PGresult *result, struct err *err)
{
    for (int r = 0; r < PQntuples(result); r++) {
        const uint32_t ord = read_be32((const uint8_t *)PQgetvalue(result, r, 0));
        const uint32_t verdict = read_be32((const uint8_t *)PQgetvalue(result, r, 1));

        if (ord >= plan->count)
            return err_set(err, ERR_INTERNAL, "staged row %u of %zu", ord, plan->count);
        pg_array_int4(&v->there, (int32_t)ord);
        if (verdict == VERDICT_STAGED_STANDS) {
            items[ord].outcome = WRITE_REPLACED;
            items[ord].old_response_key =
                PQgetisnull(result, r, 2) ? 0
                                          : read_be64((const uint8_t *)PQgetvalue(result, r, 2));
            pg_array_int4(&v->replace, (int32_t)ord);
        } else if (verdict == VERDICT_STORED_STANDS) {
            items[ord].outcome = WRITE_SUPERSEDED;
            pg_array_int4(&v->supersede, (int32_t)ord);
        } else {
            items[ord].outcome = WRITE_IDENTICAL;
            if (plan->items[ord].others)
                pg_array_int4(&v->supersede, (int32_t)ord);
        }
    }
    return true;
}

static bool apply(struct db *db, const char *sql, const struct verdicts *v, struct pg_array *ords,
                  struct err *err)
{
    struct call call = {0};

    if (ords->count == 0)
        return true;
    call_timestamp(&call, v->since_ns);
    call_timestamp(&call, v->until_ns);
    call_array(&call, INT4ARRAYOID, ords);
    return call_run(db, NULL, NULL, sql, &call, NULL, err);
}

static bool write_staged(struct db *db, struct verdicts *v, const struct write_plan *plan,
                         struct write_item *items, struct err *err)
{
    struct call look = {0};
    struct call insert = {0};
    DB_RESULT result = NULL;

    presume_new(v, plan, items);
    call_timestamp(&look, v->since_ns);
    call_timestamp(&look, v->until_ns);
    if (!call_run(db, NULL, NULL, sql_write_versions, &look, &result, err) ||
        !judge(v, plan, items, result, err))
        return false;
    call_array(&insert, INT4ARRAYOID, &v->there);
    return call_run(db, NULL, NULL, sql_write_insert_staged, &insert, NULL, err) &&
           apply(db, sql_write_replace, v, &v->replace, err) &&
           apply(db, sql_write_supersede, v, &v->supersede, err);
}

bool versions_write(struct db *db, const struct write_plan *plan, struct write_item *items,
                    struct buf *scratch, struct err *err)
{
    struct verdicts v;
    bool done;

    if (!db_exec(db, "DELETE FROM pg_temp.span_stage", err) ||
        !versions_copy(db, plan, items, /* staged= */ true, scratch, err))
        return false;
    verdicts_init(&v);
    done = write_staged(db, &v, plan, items, err);
    verdicts_done(&v);
    return done;
}
