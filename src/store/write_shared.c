/*
 * Resources and scopes of a batch.
 *
 * DESIGN: one per writer, used by its thread only. The memory is a table of ids with their whole content: an id that is found with equal content needs
 * no statement. It is emptied when the UTC day changes (the day of last use is written anew) and when it is full. Entries of the running transaction count as
 * known within it; when it fails, all are forgotten.
 */
#include "store/write_shared.h"

#include <stdlib.h>

#include "queries.h"
#include "store/call.h"
#include "store/pgtypes.h"

#define SLOTS 4096
#define MOST_ENTRIES (SLOTS / 2)
#define MOST_PROBES 16 /* as many XXH128 collisions on one id will never be seen */

enum shared_kind { SHARED_RESOURCE = 1, SHARED_SCOPE };

struct entry {
    enum shared_kind kind; /* 0: free */
    int32_t tenant_id;
    struct uuid id;
    struct bytes content; /* owned */
};

struct write_shared {
    struct entry slots[SLOTS];
    size_t count;
    int64_t day;
    bool prepared[4];
    struct buf content; /* of the row at hand */
    struct wanted {
        enum shared_kind kind;
        int32_t tenant_id;
        void *row; /* struct stored_resource or stored_scope of the batch: its id may be moved */
    } * wanted;
    size_t wanted_count;
    size_t wanted_cap;
};

struct write_shared *write_shared_new(void)
{
    struct write_shared *rows = calloc(1, sizeof(*rows));

    if (rows)
        buf_init(&rows->content, UINT32_MAX);
    return rows;
}

static void clear_entries(struct write_shared *rows)
{
    for (size_t i = 0; i < SLOTS; i++) {
        free((void *)(uintptr_t)rows->slots[i].content.at);
        rows->slots[i] = (struct entry){0};
    }
    rows->count = 0;
}

void write_shared_free(struct write_shared *rows)
{
    if (!rows)
        return;
    clear_entries(rows);
    buf_done(&rows->content);
    free(rows->wanted);
    free(rows);
}

void write_shared_forget(struct write_shared *rows)
{
    /* Holes would break the probing of others, so all go: it happens after failures only. */
    clear_entries(rows);
}

void write_shared_disconnected(struct write_shared *rows)
{
    memset(rows->prepared, 0, sizeof(rows->prepared));
    clear_entries(rows);
}

static struct uuid *id_of(const struct wanted *w)
{
    return w->kind == SHARED_RESOURCE ? &((struct stored_resource *)w->row)->id
                                      : &((struct stored_scope *)w->row)->id;
}

static int compare_wanted(const void *a, const void *b)
{
    const struct wanted *x = a;
    const struct wanted *y = b;

    if (x->kind != y->kind)
        return x->kind < y->kind ? -1 : 1;
    if (x->tenant_id != y->tenant_id)
        return x->tenant_id < y->tenant_id ? -1 : 1;
    return memcmp(id_of(x)->at, id_of(y)->at, sizeof(struct uuid));
}

static bool add_wanted(struct write_shared *rows, enum shared_kind kind, int32_t tenant_id,
                       const void *row, struct err *err)
{
    if (rows->wanted_count == rows->wanted_cap) {
        const size_t cap = rows->wanted_cap ? rows->wanted_cap * 2 : 64;
        struct wanted *grown = realloc(rows->wanted, cap * sizeof(*grown));
        if (!grown)
            return err_set(err, ERR_UNAVAILABLE, "no memory for %zu shared rows", cap);
        rows->wanted = grown;
        rows->wanted_cap = cap;
    }
    rows->wanted[rows->wanted_count++] = (struct wanted){kind, tenant_id, (void *)(uintptr_t)row};
    return true;
}

/* What the batch needs: runs of one pointer are taken once, the rest is sorted out by the table of entries. */
static bool collect(struct write_shared *rows, const struct write_item *items, size_t count,
                    struct err *err)
{
    const struct stored_resource *last_resource = NULL;
    const struct stored_scope *last_scope = NULL;

    rows->wanted_count = 0;
    for (size_t i = 0; i < count; i++) {
        const struct stored_span *row = items[i].row;
        if (row->resource != last_resource &&
            !add_wanted(rows, SHARED_RESOURCE, row->tenant_id, row->resource, err))
            return false;
        if (row->scope != last_scope &&
            !add_wanted(rows, SHARED_SCOPE, row->tenant_id, row->scope, err))
            return false;
        last_resource = row->resource;
        last_scope = row->scope;
    }
    if (rows->wanted_count > 1)
        qsort(rows->wanted, rows->wanted_count, sizeof(*rows->wanted), compare_wanted);
    return true;
}

static void add_part(struct buf *out, struct bytes part)
{
    uint8_t len[8];

    put_be64(len, part.len);
    buf_add(out, len, sizeof(len));
    buf_add_bytes(out, part);
}

/* The whole content of a row in one comparable piece. */
static struct bytes content_of(struct write_shared *rows, const struct wanted *w)
{
    struct buf *out = &rows->content;
    uint8_t dropped[4];

    buf_clear(out);
    if (w->kind == SHARED_RESOURCE) {
        const struct stored_resource *r = w->row;
        put_be32(dropped, r->dropped_attributes);
        add_part(out, r->service_name);
        add_part(out, r->attributes);
        add_part(out, r->schema_url);
        add_part(out, r->exact);
    } else {
        const struct stored_scope *s = w->row;
        put_be32(dropped, s->dropped_attributes);
        add_part(out, s->name);
        add_part(out, s->version);
        add_part(out, s->attributes);
        add_part(out, s->schema_url);
        add_part(out, s->exact);
    }
    buf_add(out, dropped, sizeof(dropped));
    return buf_bytes(out);
}

static struct entry *find(struct write_shared *rows, const struct wanted *w)
{
    size_t at = (size_t)read_be64(id_of(w)->at) % SLOTS;

    while (rows->slots[at].kind) {
        const struct entry *e = &rows->slots[at];
        if (e->kind == w->kind && e->tenant_id == w->tenant_id &&
            memcmp(e->id.at, id_of(w)->at, sizeof(e->id)) == 0)
            break;
        at = (at + 1) % SLOTS;
    }
    return &rows->slots[at];
}

static void remember(struct write_shared *rows, const struct wanted *w, struct bytes content)
{
    struct entry *entry;
    uint8_t *copy;

    if (rows->count >= MOST_ENTRIES)
        clear_entries(rows);
    copy = malloc(content.len);
    if (!copy)
        return; /* the next batch writes it again */
    memcpy(copy, content.at, content.len);
    entry = find(rows, w);
    entry->kind = w->kind;
    entry->tenant_id = w->tenant_id;
    entry->id = *id_of(w);
    entry->content = (struct bytes){copy, content.len};
    rows->count++;
} /* cppcheck-suppress memleak ; the entry owns the copy, clear_entries frees it */

static void add_content_params(struct call *call, const struct wanted *w)
{
    call_int4(call, w->tenant_id);
    call_uuid(call, id_of(w));
    if (w->kind == SHARED_RESOURCE) {
        const struct stored_resource *r = w->row;
        call_text(call, r->service_name);
        call_text(call, r->attributes);
        call_int8_or_null(call, r->dropped_attributes);
        call_text(call, r->schema_url);
        call_bytea_or_null(call, r->exact);
    } else {
        const struct stored_scope *s = w->row;
        call_text(call, s->name);
        call_text(call, s->version);
        call_text(call, s->attributes);
        call_int8_or_null(call, s->dropped_attributes);
        call_text(call, s->schema_url);
        call_bytea_or_null(call, s->exact);
    }
}

/* Inserts the row and asks whether what stands there has the same content. */
static bool insert_and_compare(struct write_shared *rows, struct db *db, const struct wanted *w,
                               bool *out_same, struct err *err)
{
    const bool resource = w->kind == SHARED_RESOURCE;
    struct call insert = {0};
    struct call compare = {0};
    DB_RESULT result = NULL;

    add_content_params(&insert, w);
    call_date(&insert, rows->day);
    add_content_params(&compare, w);
    if (!call_run(db, resource ? "write_resource" : "write_scope", &rows->prepared[resource],
                  resource ? sql_write_resource : sql_write_scope, &insert, NULL, err) ||
        !call_run(db, resource ? "write_resource_same" : "write_scope_same",
                  &rows->prepared[2 + resource],
                  resource ? sql_write_resource_same : sql_write_scope_same, &compare, &result,
                  err))
        return false;
    if (PQntuples(result) != 1 || PQgetlength(result, 0, 0) != 1)
        return err_set(err, ERR_INTERNAL, "shared row vanished within its transaction");
    *out_same = PQgetvalue(result, 0, 0)[0] != 0;
    return true;
}

static void move_id(struct uuid *id)
{
    for (int i = 15; i >= 0; i--)
        if (++id->at[i] != 0)
            break;
}

static bool write_one(struct write_shared *rows, struct db *db, const struct wanted *w,
                      struct err *err)
{
    const struct bytes content = content_of(rows, w);

    if (!buf_ok(&rows->content))
        return err_set(err, ERR_UNAVAILABLE, "no memory for a shared row of %zu bytes",
                       content.len);
    for (int probe = 0; probe < MOST_PROBES; probe++) {
        const struct entry *known = find(rows, w);
        bool same = known->kind && bytes_equal(known->content, content);

        if (same)
            return true;
        if (!known->kind) {
            if (!insert_and_compare(rows, db, w, &same, err))
                return false;
            if (same) {
                remember(rows, w, content);
                return true;
            }
        }
        move_id(id_of(w));
    }
    return err_set(err, ERR_INTERNAL, "%d hash collisions on one shared row", MOST_PROBES);
}

bool write_shared_write(struct write_shared *rows, struct db *db, const struct write_item *items,
                        size_t count, int64_t today, struct err *err)
{
    if (rows->day != today) {
        clear_entries(rows);
        rows->day = today;
    }
    if (!collect(rows, items, count, err))
        return false;
    for (size_t i = 0; i < rows->wanted_count; i++)
        if (!write_one(rows, db, &rows->wanted[i], err))
            return false;
    return true;
}
