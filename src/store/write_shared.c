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
#define MOST_COLUMNS 8
#define COLUMN_MAX_BYTES (512U << 20)

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
        uint32_t moves; /* of its id, behind rows with the same one */
        bool done;      /* the table has it */
        void *row; /* struct stored_resource or stored_scope of the batch: its id may be moved */
    } * wanted;
    size_t wanted_count; /* those that are not known to be there yet */
    size_t wanted_cap;
    size_t *asked; /* indices into wanted: what the statements at hand speak of */
    size_t asked_count;
    struct pg_array columns[MOST_COLUMNS];
};

/* Columns of the statements, in the order of their parameters. */
static const struct {
    Oid element[MOST_COLUMNS];
    Oid array[MOST_COLUMNS];
    size_t count;
} columns_of[] = {
    [SHARED_RESOURCE] = {{INT4OID, UUIDOID, TEXTOID, TEXTOID, INT8OID, TEXTOID, BYTEAOID},
                         {INT4ARRAYOID, UUIDARRAYOID, TEXTARRAYOID, TEXTARRAYOID, INT8ARRAYOID,
                          TEXTARRAYOID, BYTEAARRAYOID},
                         7},
    [SHARED_SCOPE] = {{INT4OID, UUIDOID, TEXTOID, TEXTOID, TEXTOID, INT8OID, TEXTOID, BYTEAOID},
                      {INT4ARRAYOID, UUIDARRAYOID, TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID,
                       INT8ARRAYOID, TEXTARRAYOID, BYTEAARRAYOID},
                      8},
};

struct write_shared *write_shared_new(void)
{
    struct write_shared *rows = calloc(1, sizeof(*rows));

    if (rows)
        buf_init(&rows->content, UINT32_MAX);
    for (size_t i = 0; rows && i < MOST_COLUMNS; i++)
        pg_array_init(&rows->columns[i], INT4OID, COLUMN_MAX_BYTES);
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
    for (size_t i = 0; i < MOST_COLUMNS; i++)
        pg_array_done(&rows->columns[i]);
    free(rows->wanted);
    free(rows->asked);
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
    const int order = memcmp(id_of(x)->at, id_of(y)->at, sizeof(struct uuid));
    if (order != 0)
        return order;
    return ((uintptr_t)x->row > (uintptr_t)y->row) - ((uintptr_t)x->row < (uintptr_t)y->row);
}

static bool add_wanted(struct write_shared *rows, enum shared_kind kind, int32_t tenant_id,
                       const void *row, struct err *err)
{
    if (rows->wanted_count == rows->wanted_cap) {
        const size_t cap = rows->wanted_cap ? rows->wanted_cap * 2 : 64;
        struct wanted *grown = realloc(rows->wanted, cap * sizeof(*grown));
        if (grown)
            rows->wanted = grown;
        size_t *asked = realloc(rows->asked, cap * sizeof(*asked));
        if (asked)
            rows->asked = asked;
        if (!grown || !asked)
            return err_set(err, ERR_UNAVAILABLE, "no memory for %zu shared rows", cap);
        rows->wanted_cap = cap;
    }
    rows->wanted[rows->wanted_count++] =
        (struct wanted){.kind = kind, .tenant_id = tenant_id, .row = (void *)(uintptr_t)row};
    return true;
}

/* Sorts, and keeps each row of the batch once. */
static void sort_wanted(struct write_shared *rows)
{
    size_t kept = 0;

    if (rows->wanted_count > 1)
        qsort(rows->wanted, rows->wanted_count, sizeof(*rows->wanted), compare_wanted);
    for (size_t i = 0; i < rows->wanted_count; i++)
        if (kept == 0 || rows->wanted[i].row != rows->wanted[kept - 1].row)
            rows->wanted[kept++] = rows->wanted[i];
    rows->wanted_count = kept;
}

/* What the batch needs: runs of one pointer are taken once, the rest is sorted out. */
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
    sort_wanted(rows);
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

static void add_or_null(struct pg_array *column, struct bytes value)
{
    if (value.len)
        pg_array_bytes(column, value);
    else
        pg_array_null(column);
}

static void add_count(struct pg_array *column, uint32_t count)
{
    if (count)
        pg_array_int8(column, count);
    else
        pg_array_null(column);
}

static void add_columns(struct pg_array *c, const struct wanted *w)
{
    pg_array_int4(&c[0], w->tenant_id);
    pg_array_uuid(&c[1], id_of(w));
    if (w->kind == SHARED_RESOURCE) {
        const struct stored_resource *r = w->row;
        pg_array_bytes(&c[2], r->service_name);
        pg_array_bytes(&c[3], r->attributes);
        add_count(&c[4], r->dropped_attributes);
        pg_array_bytes(&c[5], r->schema_url);
        add_or_null(&c[6], r->exact);
    } else {
        const struct stored_scope *s = w->row;
        pg_array_bytes(&c[2], s->name);
        pg_array_bytes(&c[3], s->version);
        pg_array_bytes(&c[4], s->attributes);
        add_count(&c[5], s->dropped_attributes);
        pg_array_bytes(&c[6], s->schema_url);
        add_or_null(&c[7], s->exact);
    }
}

static bool put_columns(struct write_shared *rows, enum shared_kind kind, struct call *call,
                        struct err *err)
{
    for (size_t i = 0; i < columns_of[kind].count; i++) {
        rows->columns[i].element_oid = columns_of[kind].element[i];
        pg_array_clear(&rows->columns[i]);
    }
    for (size_t i = 0; i < rows->asked_count; i++)
        add_columns(rows->columns, &rows->wanted[rows->asked[i]]);
    for (size_t i = 0; i < columns_of[kind].count; i++) {
        if (!buf_ok(&rows->columns[i].bytes))
            return err_set(err, ERR_TOO_LARGE, "%zu shared rows are too much at once",
                           rows->asked_count);
        call_array(call, columns_of[kind].array[i], &rows->columns[i]);
    }
    return true;
}

/* Inserts what is asked for and reads back which of it stands there with the same content. */
static bool insert_and_compare(struct write_shared *rows, struct db *db, enum shared_kind kind,
                               PGresult **out_same, struct err *err)
{
    const bool resource = kind == SHARED_RESOURCE;
    struct call insert = {0};
    struct call compare;

    if (!put_columns(rows, kind, &insert, err))
        return false;
    compare = insert;
    call_date(&insert, rows->day);
    return call_run(db, resource ? "write_resource" : "write_scope", &rows->prepared[resource],
                    resource ? sql_write_resource : sql_write_scope, &insert, NULL, err) &&
           call_run(db, resource ? "write_resource_same" : "write_scope_same",
                    &rows->prepared[2 + resource],
                    resource ? sql_write_resource_same : sql_write_scope_same, &compare, out_same,
                    err);
}

static void move_id(struct uuid *id)
{
    for (int i = 15; i >= 0; i--)
        if (++id->at[i] != 0)
            break;
}

/* Whether the memory has the row, its id moved behind those of other content where need be. */
static bool is_known(struct write_shared *rows, struct wanted *w, struct bytes content)
{
    const struct entry *known = find(rows, w);

    while (known->kind && !bytes_equal(known->content, content) && w->moves < MOST_PROBES) {
        move_id(id_of(w));
        w->moves++;
        known = find(rows, w);
    }
    return known->kind && bytes_equal(known->content, content);
}

static bool same_id(const struct wanted *x, const struct wanted *y)
{
    return x->kind == y->kind && x->tenant_id == y->tenant_id &&
           memcmp(id_of(x)->at, id_of(y)->at, sizeof(struct uuid)) == 0;
}

/* Drops what is known; of one kind of the rest, ids that differ are asked for. Equal ones wait for the next round. */
static bool choose(struct write_shared *rows, enum shared_kind *out_kind, struct err *err)
{
    size_t kept = 0;

    rows->asked_count = 0;
    for (size_t i = 0; i < rows->wanted_count; i++) {
        struct wanted *w = &rows->wanted[kept];

        *w = rows->wanted[i];
        if (w->done)
            continue;
        const struct bytes content = content_of(rows, w);
        if (!buf_ok(&rows->content))
            return err_set(err, ERR_UNAVAILABLE, "no memory for a shared row of %zu bytes",
                           content.len);
        if (is_known(rows, w, content))
            continue;
        if (w->moves >= MOST_PROBES)
            return err_set(err, ERR_INTERNAL, "%d hash collisions on one shared row", MOST_PROBES);
        if (rows->asked_count == 0)
            *out_kind = w->kind;
        if (w->kind == *out_kind && (kept == 0 || !same_id(w, &rows->wanted[kept - 1])))
            rows->asked[rows->asked_count++] = kept;
        kept++;
    }
    rows->wanted_count = kept;
    return true;
}

/* Remembers what is there; what is not there with this content gets another id. */
static bool settle(struct write_shared *rows, const PGresult *same, struct err *err)
{
    bool moved = false;

    for (int r = 0; r < PQntuples(same); r++) {
        const uint64_t ord =
            PQgetlength(same, r, 0) == 8 ? read_be64((const uint8_t *)PQgetvalue(same, r, 0)) : 0;
        struct wanted *w;

        if (ord < 1 || ord > rows->asked_count)
            return err_set(err, ERR_INTERNAL, "a shared row that nobody asked for");
        w = &rows->wanted[rows->asked[ord - 1]];
        w->done = true;
        remember(rows, w, content_of(rows, w));
    }
    for (size_t i = 0; i < rows->asked_count; i++) {
        struct wanted *w = &rows->wanted[rows->asked[i]];
        if (w->done)
            continue;
        move_id(id_of(w));
        w->moves++;
        moved = true;
    }
    if (moved) /* equal ids must stand side by side */
        qsort(rows->wanted, rows->wanted_count, sizeof(*rows->wanted), compare_wanted);
    return true;
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
    for (;;) {
        enum shared_kind kind = SHARED_RESOURCE;
        DB_RESULT same = NULL;

        if (!choose(rows, &kind, err))
            return false;
        if (rows->asked_count == 0)
            return true;
        if (!insert_and_compare(rows, db, kind, &same, err) || !settle(rows, same, err))
            return false;
    }
}
