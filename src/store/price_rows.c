/* Own prices in the database. */
#include "store/price_rows.h"

#include "base/text.h"
#include "ledger/price_json.h"
#include "queries.h"
#include "store/call.h"
#include "store/pgtypes.h"
#include "store/row.h"

#define ARRAY_MAX_BYTES ((size_t)256 << 20)

static bool no_room(struct err *err)
{
    return err_set(err, ERR_TOO_LARGE, "no memory for own prices");
}

bool price_rows_epoch(struct db *db, int64_t *out_epoch, struct err *err)
{
    const struct call call = {0};
    PGresult *res = NULL;

    if (!call_run(db, NULL, NULL, sql_price_epoch, &call, &res, err))
        return false;
    DB_RESULT owned = res;
    struct row row = {.res = owned, .err = err};
    const int64_t epoch = row_int8(&row, 0);
    if (!row_ok(&row))
        return false;
    *out_epoch = epoch;
    return true;
}

bool price_rows_load(struct db *db, struct arena *arena, struct own_price **out_rows,
                     size_t *out_count, size_t *out_bad, struct err *err)
{
    const struct call call = {0};
    PGresult *res = NULL;
    size_t count = 0;

    if (!call_run(db, NULL, NULL, sql_price_rows, &call, &res, err))
        return false;
    DB_RESULT owned = res;
    struct row row = {.res = owned, .arena = arena, .err = err};
    struct own_price *rows = arena_array(arena, struct own_price, (size_t)PQntuples(owned) + 1);

    if (!rows)
        return no_room(err);
    *out_bad = 0;
    for (row.at = 0; row.at < PQntuples(owned); row.at++) {
        struct own_price *price = &rows[count];
        struct err ignored = {0};

        price->tenant_id = row_int4(&row, 0);
        price->provider = row_text(&row, 1);
        price->model = row_text(&row, 2);
        price->effective_from_ns = row_time_us(&row, 3) * NS_PER_US;
        const struct bytes json = row_text(&row, 4);
        price->source = row_text(&row, 5);
        if (!row_ok(&row))
            return false;
        if (price_json_read_own(json, arena, price, &ignored))
            count++;
        else
            (*out_bad)++;
    }
    *out_rows = rows;
    *out_count = count;
    return true;
}

/* ---- prices in use ---- */

struct kept {
    struct pg_array id;
    struct pg_array name;
    struct pg_array provider;
    struct pg_array source;
    struct pg_array from;
    struct pg_array rates;
};

static void kept_init(struct kept *k)
{
    pg_array_init(&k->id, INT8OID, ARRAY_MAX_BYTES);
    pg_array_init(&k->name, TEXTOID, ARRAY_MAX_BYTES);
    pg_array_init(&k->provider, TEXTOID, ARRAY_MAX_BYTES);
    pg_array_init(&k->source, TEXTOID, ARRAY_MAX_BYTES);
    pg_array_init(&k->from, TIMESTAMPTZOID, ARRAY_MAX_BYTES);
    pg_array_init(&k->rates, TEXTOID, ARRAY_MAX_BYTES);
}

static void kept_done(struct kept *k)
{
    pg_array_done(&k->id);
    pg_array_done(&k->name);
    pg_array_done(&k->provider);
    pg_array_done(&k->source);
    pg_array_done(&k->from);
    pg_array_done(&k->rates);
}

static bool kept_ok(const struct kept *k)
{
    return buf_ok(&k->id.bytes) && buf_ok(&k->name.bytes) && buf_ok(&k->provider.bytes) &&
           buf_ok(&k->source.bytes) && buf_ok(&k->from.bytes) && buf_ok(&k->rates.bytes);
}

static void kept_add(struct kept *k, const struct price *price, struct buf *json)
{
    buf_clear(json);
    price_json_rates(json, &price->rates);
    pg_array_int8(&k->id, (int64_t)price->id);
    pg_array_bytes(&k->name, price->name);
    pg_array_bytes(&k->provider, price->provider);
    pg_array_bytes(&k->source, price->source);
    if (price->effective_from_ns == INT64_MIN)
        pg_array_null(&k->from);
    else
        pg_array_int8(&k->from, pg_timestamp(price->effective_from_ns));
    pg_array_bytes(&k->rates, buf_bytes(json));
}

bool price_rows_keep(struct db *db, const struct prices *prices, struct err *err)
{
    struct call call = {0};
    struct price price;
    struct kept kept;
    struct buf json;
    bool done;

    kept_init(&kept);
    buf_init(&json, 64U << 10);
    for (size_t i = 0; prices_at(prices, i, &price); i++)
        kept_add(&kept, &price, &json);
    done = kept_ok(&kept) || no_room(err);
    call_array(&call, INT8ARRAYOID, &kept.id);
    call_array(&call, TEXTARRAYOID, &kept.name);
    call_array(&call, TEXTARRAYOID, &kept.provider);
    call_array(&call, TEXTARRAYOID, &kept.source);
    call_array(&call, TIMESTAMPTZARRAYOID, &kept.from);
    call_array(&call, TEXTARRAYOID, &kept.rates);
    done = done && call_run(db, NULL, NULL, sql_price_keep, &call, NULL, err);
    kept_done(&kept);
    buf_done(&json);
    return done;
}

/* ---- import ---- */

/* The columns of all rows as arrays. */
struct columns {
    struct pg_array tenant;
    struct pg_array provider;
    struct pg_array model;
    struct pg_array from;
    struct pg_array prices;
    struct pg_array source;
};

static void columns_done(struct columns *c)
{
    pg_array_done(&c->tenant);
    pg_array_done(&c->provider);
    pg_array_done(&c->model);
    pg_array_done(&c->from);
    pg_array_done(&c->prices);
    pg_array_done(&c->source);
}

static void columns_init(struct columns *c)
{
    pg_array_init(&c->tenant, INT4OID, ARRAY_MAX_BYTES);
    pg_array_init(&c->provider, TEXTOID, ARRAY_MAX_BYTES);
    pg_array_init(&c->model, TEXTOID, ARRAY_MAX_BYTES);
    pg_array_init(&c->from, TIMESTAMPTZOID, ARRAY_MAX_BYTES);
    pg_array_init(&c->prices, TEXTOID, ARRAY_MAX_BYTES);
    pg_array_init(&c->source, TEXTOID, ARRAY_MAX_BYTES);
}

struct tenants {
    struct row row; /* of (name, number) */
    int count;
};

/* 0: there is none of this name. */
static int32_t tenant_number(struct tenants *tenants, struct bytes name)
{
    struct row *row = &tenants->row;

    for (row->at = 0; row->at < tenants->count; row->at++)
        if (bytes_equal(name, (struct bytes){(const uint8_t *)PQgetvalue(row->res, row->at, 0),
                                             (size_t)PQgetlength(row->res, row->at, 0)}))
            return row_int4(row, 1);
    return 0;
}

static bool load_tenants(struct db *db, const struct own_file *file, PGresult **out_res,
                         struct err *err)
{
    struct call call = {0};
    struct pg_array names;
    struct bytes last = {0};

    pg_array_init(&names, TEXTOID, ARRAY_MAX_BYTES);
    /* Rows are sorted by tenant. */
    for (size_t i = 0; i < file->count; i++) {
        if (!bytes_equal(file->rows[i].tenant, last))
            pg_array_bytes(&names, file->rows[i].tenant);
        last = file->rows[i].tenant;
    }
    call_array(&call, TEXTARRAYOID, &names);
    const bool done = call_run(db, NULL, NULL, sql_price_tenants, &call, out_res, err);
    pg_array_done(&names);
    return done;
}

static bool fill_columns(struct columns *c, const struct own_file *file, struct tenants *tenants,
                         struct err *err)
{
    struct buf json;
    bool fine = true;

    buf_init(&json, 64U << 10);
    for (size_t i = 0; i < file->count && fine; i++) {
        const struct own_file_row *row = &file->rows[i];
        const int32_t tenant = row->tenant.len > 0 ? tenant_number(tenants, row->tenant) : 0;
        char quoted[64];

        if (row->tenant.len > 0 && tenant == 0)
            fine = err_set(err, ERR_BAD_INPUT, "line %u: no tenant is called '%s'",
                           (unsigned)row->line, text_quote(row->tenant, quoted, sizeof(quoted)));
        buf_clear(&json);
        price_json_own(&json, &row->price);
        pg_array_int4(&c->tenant, tenant);
        pg_array_bytes(&c->provider, row->price.provider);
        pg_array_bytes(&c->model, row->price.model);
        pg_array_int8(&c->from, pg_timestamp(row->price.effective_from_ns));
        pg_array_bytes(&c->prices, buf_bytes(&json));
        pg_array_bytes(&c->source, row->price.source);
    }
    const bool room = buf_ok(&json) && buf_ok(&c->prices.bytes) && buf_ok(&c->model.bytes) &&
                      buf_ok(&c->provider.bytes) && buf_ok(&c->source.bytes) &&
                      buf_ok(&c->from.bytes) && buf_ok(&c->tenant.bytes);
    buf_done(&json);
    return fine && (room || no_room(err));
}

static bool run_columns(struct db *db, const char *sql, struct columns *c, const char *actor,
                        int64_t *out_count, struct err *err)
{
    struct call call = {0};
    PGresult *res = NULL;

    call_array(&call, INT4ARRAYOID, &c->tenant);
    call_array(&call, TEXTARRAYOID, &c->provider);
    call_array(&call, TEXTARRAYOID, &c->model);
    call_array(&call, TIMESTAMPTZARRAYOID, &c->from);
    call_array(&call, TEXTARRAYOID, &c->prices);
    call_array(&call, TEXTARRAYOID, &c->source);
    if (actor)
        call_text(&call, bytes_of(actor));
    if (!call_run(db, NULL, NULL, sql, &call, &res, err))
        return false;
    DB_RESULT owned = res;
    if (!text_int64(bytes_of(PQcmdTuples(owned)), out_count))
        return err_set(err, ERR_INTERNAL, "no number of own prices written");
    return true;
}

static bool record_import(struct db *db, const struct own_file *file, const char *actor,
                          const struct price_import *import, struct err *err)
{
    struct call call = {0};

    if (import->added == 0)
        return true;
    call_text(&call, bytes_of(actor));
    call_int8(&call, (int64_t)file->count);
    call_int8(&call, import->added);
    call_int8(&call, import->replaced);
    return call_run(db, NULL, NULL, sql_price_imported, &call, NULL, err);
}

static bool import_rows(struct db *db, const struct own_file *file, const char *actor,
                        struct columns *columns, struct price_import *import, struct err *err)
{
    PGresult *res = NULL;

    /* One import at a time: the greatest number is then the newest state. Readers are not held up. */
    if (!db_exec(db, "LOCK TABLE spanledger.model_price IN SHARE ROW EXCLUSIVE MODE", err) ||
        !load_tenants(db, file, &res, err))
        return false;
    DB_RESULT owned = res;
    struct tenants tenants = {.row = {.res = owned, .err = err}, .count = PQntuples(owned)};
    if (!fill_columns(columns, file, &tenants, err) ||
        !run_columns(db, sql_price_replace, columns, actor, &import->replaced, err) ||
        !run_columns(db, sql_price_insert, columns, NULL, &import->added, err))
        return false;
    import->same = (int64_t)file->count - import->added;
    return record_import(db, file, actor, import, err);
}

bool price_rows_import(struct db *db, const struct own_file *file, const char *actor,
                       struct price_import *out_import, struct err *err)
{
    struct columns columns;
    struct price_import import = {0};
    struct err ignored = {0};

    if (!db_exec(db, "BEGIN", err))
        return false;
    columns_init(&columns);
    const bool done = import_rows(db, file, actor, &columns, &import, err);
    columns_done(&columns);
    if (!done) {
        if (!db_exec(db, "ROLLBACK", &ignored))
            db_close(db);
        return false;
    }
    if (!db_exec(db, "COMMIT", err))
        return false;
    *out_import = import;
    return true;
}

bool price_rows_unpriced(struct db *db, int64_t from_ns, int64_t to_ns, int32_t most_rows,
                         struct arena *arena, struct unpriced **out_rows, size_t *out_count,
                         struct err *err)
{
    struct call call = {0};
    PGresult *res = NULL;

    call_timestamp(&call, from_ns);
    call_timestamp(&call, to_ns);
    call_int4(&call, most_rows);
    if (!call_run(db, NULL, NULL, sql_price_unpriced, &call, &res, err))
        return false;
    DB_RESULT owned = res;
    struct row row = {.res = owned, .arena = arena, .err = err};
    struct unpriced *rows = arena_array(arena, struct unpriced, (size_t)PQntuples(owned) + 1);

    if (!rows)
        return no_room(err);
    for (row.at = 0; row.at < PQntuples(owned); row.at++)
        rows[row.at] = (struct unpriced){
            .provider = row_text(&row, 0),
            .model = row_text(&row, 1),
            .calls = row_int8(&row, 2),
            .calls_without_usage = row_int8(&row, 3),
            .calls_with_reported_cost = row_int8(&row, 4),
            .tokens = row_int8(&row, 5),
            .first_start_us = row_time_us(&row, 6),
            .last_start_us = row_time_us(&row, 7),
        };
    if (!row_ok(&row))
        return false;
    *out_rows = rows;
    *out_count = (size_t)PQntuples(owned);
    return true;
}
