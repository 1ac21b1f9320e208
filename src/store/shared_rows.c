/* Resources and scopes by id. */
#include "store/shared_rows.h"

#include "store/row.h"
#include "store/stmt.h"

#define FIRST_SLOTS 64
#define PART_IDS 5000 /* asked for by one statement */

static size_t slot_of(const struct shared_set *set, const struct uuid *id)
{
    uint64_t hash;

    memcpy(&hash, id->at, sizeof(hash)); /* ids are hashes */
    return (size_t)hash & (set->slot_count - 1);
}

/* The slot of that id, or the empty one where it belongs. */
static struct uuid **find(const struct shared_set *set, const struct uuid *id)
{
    size_t i = slot_of(set, id);

    while (set->slots[i] && memcmp(set->slots[i], id, sizeof(*id)) != 0)
        i = (i + 1) & (set->slot_count - 1);
    return &set->slots[i];
}

static bool grow(struct shared_set *set, struct arena *arena)
{
    struct shared_set larger = *set;

    larger.slot_count = set->slot_count ? set->slot_count * 2 : FIRST_SLOTS;
    larger.slots = arena_array(arena, struct uuid *, larger.slot_count);
    if (!larger.slots)
        return false;
    for (size_t i = 0; i < set->slot_count; i++)
        if (set->slots[i])
            *find(&larger, set->slots[i]) = set->slots[i];
    *set = larger;
    return true;
}

static void *row_of(struct shared_set *set, const struct uuid *id, struct arena *arena)
{
    struct uuid **slot;

    if (set->newest && memcmp(set->newest, id, sizeof(*id)) == 0)
        return set->newest;
    if (2 * set->count >= set->slot_count && !grow(set, arena))
        return NULL;
    slot = find(set, id);
    if (!*slot) {
        *slot = arena_calloc(arena, 1, set->row_bytes);
        if (!*slot)
            return NULL;
        **slot = *id;
        set->count++;
    }
    set->newest = *slot;
    return *slot;
}

void shared_rows_init(struct shared_rows *rows, struct arena *arena)
{
    _Static_assert(offsetof(struct stored_resource, id) == 0, "rows begin with their id");
    _Static_assert(offsetof(struct stored_scope, id) == 0, "rows begin with their id");
    *rows = (struct shared_rows){.resources = {.row_bytes = sizeof(struct stored_resource)},
                                 .scopes = {.row_bytes = sizeof(struct stored_scope)},
                                 .arena = arena};
}

struct stored_resource *shared_rows_resource(struct shared_rows *rows, const struct uuid *id)
{
    return row_of(&rows->resources, id, rows->arena);
}

struct stored_scope *shared_rows_scope(struct shared_rows *rows, const struct uuid *id)
{
    return row_of(&rows->scopes, id, rows->arena);
}

static void fill_resource(struct row *row, void *to)
{
    struct stored_resource *resource = to;

    resource->service_name = row_text(row, 1);
    resource->attributes = row_text(row, 2);
    resource->dropped_attributes = (uint32_t)row_int8_or_0(row, 3);
    resource->schema_url = row_text(row, 4);
    resource->exact = row_text_or_empty(row, 5);
}

static void fill_scope(struct row *row, void *to)
{
    struct stored_scope *scope = to;

    scope->name = row_text(row, 1);
    scope->version = row_text(row, 2);
    scope->attributes = row_text(row, 3);
    scope->dropped_attributes = (uint32_t)row_int8_or_0(row, 4);
    scope->schema_url = row_text(row, 5);
    scope->exact = row_text_or_empty(row, 6);
}

struct part {
    const struct stmt *stmt;
    struct shared_set *set;
    void (*fill)(struct row *row, void *to);
    struct db *db;
    int32_t tenant_id;
    struct arena *arena;
};

static bool read_part(const struct part *part, const struct uuid *ids, size_t count,
                      struct err *err)
{
    const struct bytes array = row_uuid_array(ids, count, part->arena);
    struct row_params params = {0};
    DB_RESULT res = NULL;
    struct row row = {.arena = part->arena, .err = err};

    if (!array.at)
        return err_set(err, ERR_TOO_LARGE, "no memory for %zu ids", count);
    row_add_int4(&params, part->tenant_id);
    row_add_binary(&params, array);
    if (!stmt_run(part->db, part->stmt->name, &params, &res, err))
        return false;
    row.res = res;
    for (row.at = 0; row.at < PQntuples(res); row.at++) {
        const struct uuid id = row_uuid(&row, 0);
        struct uuid **slot = find(part->set, &id);

        if (*slot)
            part->fill(&row, *slot);
    }
    return row_ok(&row);
}

static bool read_set(const struct part *part, struct err *err)
{
    struct uuid *ids = arena_array(part->arena, struct uuid, part->set->count);
    size_t count = 0;

    if (!ids)
        return err_set(err, ERR_TOO_LARGE, "no memory for %zu ids", part->set->count);
    for (size_t i = 0; i < part->set->slot_count; i++)
        if (part->set->slots[i])
            ids[count++] = *part->set->slots[i];
    for (size_t i = 0; i < count; i += PART_IDS)
        if (!read_part(part, ids + i, count - i < PART_IDS ? count - i : PART_IDS, err))
            return false;
    return true;
}

bool shared_rows_read(struct shared_rows *rows, struct db *db, int32_t tenant_id, struct err *err)
{
    const struct part resources = {
        &stmts[STMT_RESOURCES], &rows->resources, fill_resource, db, tenant_id, rows->arena};
    const struct part scopes = {&stmts[STMT_SCOPES], &rows->scopes, fill_scope, db,
                                tenant_id,           rows->arena};

    return read_set(&resources, err) && read_set(&scopes, err);
}
