/* Keys in the database. */
#include "store/key_rows.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/text.h"
#include "queries.h"
#include "store/call.h"
#include "store/pgtypes.h"
#include "store/row.h"

#define PUBLIC_PREFIX "pk-sl-"
#define SECRET_PREFIX "sk-sl-"
#define SECRET_BYTES 32
#define PUBLIC_RANDOM_BYTES 12
#define ARRAY_MAX_BYTES ((size_t)16 << 20)

/* A UUID of version 4, and two texts whose beginnings tell scanners of secrets what they are. */
static bool make_key(struct uuid *out_id, struct key_made *made, struct err *err)
{
    uint8_t public[PUBLIC_RANDOM_BYTES];
    uint8_t secret[SECRET_BYTES];
    char hex[2 * SECRET_BYTES + 1] = {0};

    if (!digest_random(out_id->at, sizeof(out_id->at), err) ||
        !digest_random(public, sizeof(public), err) || !digest_random(secret, sizeof(secret), err))
        return false;
    out_id->at[6] = (uint8_t)(0x40 | (out_id->at[6] & 0x0f));
    out_id->at[8] = (uint8_t)(0x80 | (out_id->at[8] & 0x3f));
    text_hex((struct bytes){out_id->at, sizeof(out_id->at)}, hex);
    (void)snprintf(made->id, sizeof(made->id), "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12,
                   hex + 16, hex + 20);
    memset(hex, 0, sizeof(hex));
    text_hex((struct bytes){public, sizeof(public)}, hex);
    (void)snprintf(made->public, sizeof(made->public), PUBLIC_PREFIX "%s", hex);
    text_hex((struct bytes){secret, sizeof(secret)}, hex);
    (void)snprintf(made->secret, sizeof(made->secret), SECRET_PREFIX "%s", hex);
    explicit_bzero(secret, sizeof(secret));
    explicit_bzero(hex, sizeof(hex));
    return true;
}

static bool check_project(struct bytes project, struct err *err)
{
    bool fine = project.len <= KEY_PROJECT_BYTES && text_valid_prefix(project) == project.len;

    for (size_t i = 0; i < project.len; i++)
        fine &= project.at[i] >= ' ' && project.at[i] != 0x7f;
    return fine || err_set(err, ERR_BAD_INPUT,
                           "a project is named with at most %d bytes of UTF-8 without control "
                           "characters",
                           KEY_PROJECT_BYTES);
}

static void put_scopes(struct pg_array *array, unsigned scopes)
{
    for (unsigned scope = 1; scope <= KEY_ALL; scope <<= 1)
        if (scopes & scope)
            pg_array_bytes(array, bytes_of(key_scope_name((enum key_scope)scope)));
}

static bool insert(struct db *db, const struct key_wish *wish, const struct uuid *id,
                   const struct key_made *made, const char *digest_hex, const char *actor,
                   PGresult **out_res, struct err *err)
{
    struct call call = {0};
    struct pg_array scopes;
    char expires[CLOCK_RFC3339_BYTES] = "";
    bool done;

    if (wish->expires_ns != KEY_ROWS_NEVER)
        (void)clock_rfc3339((uint64_t)wish->expires_ns, expires);
    pg_array_init(&scopes, TEXTOID, ARRAY_MAX_BYTES);
    put_scopes(&scopes, wish->scopes);
    call_text(&call, wish->tenant);
    call_uuid(&call, id);
    call_text(&call, bytes_of(made->public));
    call_text(&call, bytes_of(digest_hex));
    call_array(&call, TEXTARRAYOID, &scopes);
    call_text(&call, wish->project);
    call_text(&call, bytes_of(expires));
    call_text(&call, bytes_of(actor));
    call_int8(&call, KEY_ROWS_MOST);
    done = call_run(db, NULL, NULL, sql_key_create, &call, out_res, err);
    pg_array_done(&scopes);
    return done;
}

bool key_rows_create(struct db *db, const struct key_wish *wish, const char *actor,
                     struct key_made *out_made, struct err *err)
{
    struct uuid id;
    uint8_t digest[DIGEST_BYTES];
    char hex[2 * DIGEST_BYTES + 1] = {0};
    char quoted[80];
    DB_RESULT res = NULL;

    if (!check_project(wish->project, err) || !make_key(&id, out_made, err))
        return false;
    if (!digest_of(bytes_of(out_made->secret), digest))
        return err_set(err, ERR_UNAVAILABLE, "no memory for a digest");
    text_hex((struct bytes){digest, sizeof(digest)}, hex);
    if (!insert(db, wish, &id, out_made, hex, actor, &res, err))
        return false;
    struct row row = {.res = res, .err = err};
    const int32_t tenant_id = row_int4(&row, 0);
    const bool made = row_bool(&row, 1);
    if (!row_ok(&row))
        return false;
    if (tenant_id == 0)
        return err_set(err, ERR_NOT_FOUND, "no tenant is called '%s'",
                       text_quote(wish->tenant, quoted, sizeof(quoted)));
    return made ||
           err_set(err, ERR_BAD_INPUT, "there are %d keys in force: revoke some", KEY_ROWS_MOST);
}

bool key_rows_revoke(struct db *db, struct bytes name, const char *actor, bool *out_already,
                     struct err *err)
{
    struct call call = {0};
    char quoted[80];
    DB_RESULT res = NULL;

    call_text(&call, name);
    call_text(&call, bytes_of(actor));
    if (!call_run(db, NULL, NULL, sql_key_revoke, &call, &res, err))
        return false;
    if (PQntuples(res) == 0)
        return err_set(err, ERR_NOT_FOUND, "no key has the public part or id '%s'",
                       text_quote(name, quoted, sizeof(quoted)));
    struct row row = {.res = res, .err = err};
    const bool already = row_bool(&row, 1);
    if (!row_ok(&row))
        return false;
    *out_already = already;
    return true;
}

static int64_t time_or_0(struct row *row, int column)
{
    return row_is_null(row, column) ? 0 : row_time_us(row, column) * NS_PER_US;
}

bool key_rows_list(struct db *db, struct bytes tenant, struct arena *arena,
                   struct key_line **out_keys, size_t *out_count, struct err *err)
{
    struct call call = {0};
    DB_RESULT res = NULL;

    call_text(&call, tenant);
    if (!call_run(db, NULL, NULL, sql_key_list, &call, &res, err))
        return false;
    struct row row = {.res = res, .arena = arena, .err = err};
    struct key_line *keys = arena_array(arena, struct key_line, (size_t)PQntuples(res) + 1);

    if (!keys)
        return err_set(err, ERR_TOO_LARGE, "no memory for %d keys", PQntuples(res));
    for (row.at = 0; row.at < PQntuples(res); row.at++)
        keys[row.at] = (struct key_line){
            .id = row_text(&row, 0),
            .public = row_text(&row, 1),
            .tenant = row_text(&row, 2),
            .scopes = row_text(&row, 3),
            .project = row_text(&row, 4),
            .created_ns = time_or_0(&row, 5),
            .expires_ns = time_or_0(&row, 6),
            .revoked_ns = time_or_0(&row, 7),
            .last_used = row_is_null(&row, 8) ? INT64_MIN : row_day(&row, 8),
        };
    if (!row_ok(&row))
        return false;
    *out_keys = keys;
    *out_count = (size_t)PQntuples(res);
    return true;
}

bool key_rows_epoch(struct db *db, int64_t *out_epoch, struct err *err)
{
    const struct call call = {0};
    DB_RESULT res = NULL;

    if (!call_run(db, NULL, NULL, sql_key_epoch, &call, &res, err))
        return false;
    if (PQntuples(res) != 1)
        return err_set(err, ERR_INTERNAL, "setting 'key_epoch' is not there");
    struct row row = {.res = res, .err = err};
    const int64_t epoch = row_int8(&row, 0);
    if (!row_ok(&row))
        return false;
    *out_epoch = epoch;
    return true;
}

static bool read_entry(struct row *row, struct key_entry *entry)
{
    const struct bytes public = row_text(row, 2);
    const struct bytes digest = row_text_or_empty(row, 3);
    const struct bytes scopes = row_text(row, 4);
    const struct bytes project = row_text(row, 5);
    struct err ignored = {0};

    *entry = (struct key_entry){
        .key_id = row_uuid(row, 0),
        .grant.tenant_id = row_int4(row, 1),
        .expires_ns = row_is_null(row, 6) ? KEY_ROWS_NEVER : row_time_us(row, 6) * NS_PER_US,
        .last_used = row_is_null(row, 7) ? INT64_MIN : row_day(row, 7),
    };
    /* Rows that another program wrote and that no key can have: in force for nobody. */
    if (!row_ok(row) || digest.len != DIGEST_BYTES || project.len > KEY_PROJECT_BYTES ||
        !key_scopes_read(scopes, &entry->grant.scopes, &ignored) ||
        !digest_of(public, entry->public_digest))
        return false;
    memcpy(entry->digest, digest.at, DIGEST_BYTES);
    memcpy(entry->grant.project, project.at, project.len);
    return true;
}

bool key_rows_load(struct db *db, struct key_entry **out_keys, size_t *out_count, struct err *err)
{
    struct call call = {0};
    struct arena arena;
    DB_RESULT res = NULL;
    size_t count = 0;

    call_int8(&call, KEY_ROWS_MOST);
    if (!call_run(db, NULL, NULL, sql_key_load, &call, &res, err))
        return false;
    struct key_entry *keys = calloc((size_t)PQntuples(res) + 1, sizeof(*keys));
    if (!keys)
        return err_set(err, ERR_UNAVAILABLE, "no memory for %d keys", PQntuples(res));
    arena_init(&arena, (size_t)256 << 20);
    struct row row = {.res = res, .arena = &arena, .err = err};
    for (row.at = 0; row.at < PQntuples(res) && row_ok(&row); row.at++)
        count += read_entry(&row, &keys[count]);
    arena_done(&arena);
    if (!row_ok(&row)) {
        free(keys);
        return false;
    }
    *out_keys = keys;
    *out_count = count;
    return true;
}

bool key_rows_used(struct db *db, const struct uuid *ids, size_t count, int64_t day,
                   struct err *err)
{
    struct call call = {0};
    struct pg_array array;
    bool done;

    pg_array_init(&array, UUIDOID, ARRAY_MAX_BYTES);
    for (size_t i = 0; i < count; i++)
        pg_array_uuid(&array, &ids[i]);
    call_array(&call, UUIDARRAYOID, &array);
    call_date(&call, day);
    done = buf_ok(&array.bytes) ? call_run(db, NULL, NULL, sql_key_used, &call, NULL, err)
                                : err_set(err, ERR_UNAVAILABLE, "no memory for %zu keys", count);
    pg_array_done(&array);
    return done;
}
