/* Tenants in the database. */
#include "store/tenant_rows.h"

#include "base/clock.h"
#include "base/text.h"
#include "queries.h"
#include "store/call.h"
#include "store/row.h"

#define NAME_BYTES 64
#define FIRST_NAME "default" /* of everybody while no keys are asked for */

static bool is_name(struct bytes name)
{
    for (size_t i = 0; i < name.len; i++) {
        const uint8_t c = name.at[i];
        const bool plain =
            (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');

        if (!plain && (i == 0 || (c != '.' && c != '_' && c != '-')))
            return false;
    }
    return name.len > 0 && name.len <= NAME_BYTES;
}

static bool check_name(struct bytes name, struct err *err)
{
    char quoted[80];

    return is_name(name) ||
           err_set(err, ERR_BAD_INPUT,
                   "'%s' is no name of a tenant: 1 to %d letters, digits, '.', '_' and '-', the "
                   "first a letter or digit",
                   text_quote(name, quoted, sizeof(quoted)), NAME_BYTES);
}

static bool not_found(struct bytes name, struct err *err)
{
    char quoted[80];

    return err_set(err, ERR_NOT_FOUND, "no tenant is called '%s'",
                   text_quote(name, quoted, sizeof(quoted)));
}

static bool taken(struct bytes name, struct err *err)
{
    char quoted[80];

    return err_set(err, ERR_CONFLICT, "a tenant is called '%s' already",
                   text_quote(name, quoted, sizeof(quoted)));
}

bool tenant_rows_create(struct db *db, struct bytes name, const char *actor, int32_t *out_tenant_id,
                        struct err *err)
{
    struct call call = {0};
    DB_RESULT res = NULL;

    call_text(&call, name);
    call_text(&call, bytes_of(actor));
    if (!check_name(name, err) || !call_run(db, NULL, NULL, sql_tenant_create, &call, &res, err))
        return false;
    if (PQntuples(res) == 0)
        return taken(name, err);
    struct row row = {.res = res, .err = err};
    const int32_t tenant_id = row_int4(&row, 0);
    if (!row_ok(&row))
        return false;
    *out_tenant_id = tenant_id;
    return true;
}

bool tenant_rows_rename(struct db *db, struct bytes name, struct bytes new_name, const char *actor,
                        struct err *err)
{
    struct call call = {0};
    DB_RESULT res = NULL;

    if (bytes_is(name, FIRST_NAME))
        return err_set(err, ERR_BAD_INPUT, "'" FIRST_NAME "' keeps its name");
    call_text(&call, name);
    call_text(&call, new_name);
    call_text(&call, bytes_of(actor));
    if (!check_name(new_name, err))
        return false;
    if (!call_run(db, NULL, NULL, sql_tenant_rename, &call, &res, err))
        return err->kind == ERR_CONFLICT ? taken(new_name, err) : false;
    return PQntuples(res) > 0 || not_found(name, err);
}

bool tenant_rows_delete(struct db *db, struct bytes name, const char *actor, int64_t *out_keys,
                        struct err *err)
{
    struct call call = {0};
    DB_RESULT res = NULL;

    if (bytes_is(name, FIRST_NAME))
        return err_set(err, ERR_BAD_INPUT,
                       "'" FIRST_NAME "' is whom spans belong to without keys: it stays");
    call_text(&call, name);
    call_text(&call, bytes_of(actor));
    if (!call_run(db, NULL, NULL, sql_tenant_delete, &call, &res, err))
        return false;
    if (PQntuples(res) == 0)
        return not_found(name, err);
    struct row row = {.res = res, .err = err};
    const int64_t keys = row_int8(&row, 1);
    if (!row_ok(&row))
        return false;
    *out_keys = keys;
    return true;
}

bool tenant_rows_list(struct db *db, struct arena *arena, struct tenant **out_tenants,
                      size_t *out_count, struct err *err)
{
    const struct call call = {0};
    DB_RESULT res = NULL;

    if (!call_run(db, NULL, NULL, sql_tenant_list, &call, &res, err))
        return false;
    struct row row = {.res = res, .arena = arena, .err = err};
    struct tenant *tenants = arena_array(arena, struct tenant, (size_t)PQntuples(res) + 1);

    if (!tenants)
        return err_set(err, ERR_TOO_LARGE, "no memory for %d tenants", PQntuples(res));
    for (row.at = 0; row.at < PQntuples(res); row.at++)
        tenants[row.at] = (struct tenant){
            .tenant_id = row_int4(&row, 0),
            .name = row_text(&row, 1),
            .created_ns = row_time_us(&row, 2) * NS_PER_US,
            .deleted_ns = row_is_null(&row, 3) ? 0 : row_time_us(&row, 3) * NS_PER_US,
            .keys = row_int8(&row, 4),
        };
    if (!row_ok(&row))
        return false;
    *out_tenants = tenants;
    *out_count = (size_t)PQntuples(res);
    return true;
}
