/*
 * Reading: one connection per reader, prepared statements, rows as plain structs.
 *
 * DESIGN: called by one read worker; each call runs one to some statements, each a read-only
 * transaction of its own. That is enough: a span's resource and scope are committed with it and
 * never change, and a span that is replaced between two parts of a large trace keeps its key, so
 * it is seen once. A reader finds its connection dead only when it is used: the first statement of
 * a call then opens a new one and is tried again, once.
 */
#include "store/query.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/stats.h"
#include "store/db.h"
#include "store/list_sql.h"
#include "store/row.h"
#include "store/shared_rows.h"
#include "store/span_row.h"
#include "store/stmt.h"

#define PART_ROWS 2000     /* of a large trace at a time: bounds what libpq holds */
#define SAME_ID_ROWS 1000  /* spans that share one id, shown at most */
#define SERVICE_ROWS 10000 /* names of services, shown at most */
#define COUNTED_ROWS 2000  /* traces looked at for the total of a list */

struct reader {
    struct db db;
    char *conninfo;
    int64_t statement_timeout_ms;
    uint8_t lists_prepared[LIST_SQL_CODES / 8];
};

bool reader_new(const struct cfg *cfg, const char *conninfo, struct reader **out_reader,
                struct err *err)
{
    struct reader *reader = calloc(1, sizeof(*reader));

    if (!reader)
        return err_set(err, ERR_UNAVAILABLE, "no memory for a reader");
    reader->conninfo = strdup(conninfo);
    reader->statement_timeout_ms = cfg->query_timeout_ms;
    if (!reader->conninfo) {
        free(reader);
        return err_set(err, ERR_UNAVAILABLE, "no memory for a reader");
    }
    *out_reader = reader;
    return true;
}

static void disconnect(struct reader *reader)
{
    if (reader->db.conn)
        stats_add(STAT_READ_POOL_CONNECTIONS, -1);
    db_close(&reader->db);
}

void reader_free(struct reader *reader)
{
    if (!reader)
        return;
    disconnect(reader);
    free(reader->conninfo);
    free(reader);
}

/* Generic plans prune chunks when they start, at a fraction of the cost of planning over 400 of them
 * each time; but a plan outlives the moment it was made in, and one that scans a chunk because that
 * was empty then would scan it with a million rows: every statement has its index, so none may scan
 * a whole table. Without JIT and parallel workers: answers take milliseconds, and the write path
 * needs the other processors. */
static bool set_planner(struct db *db, struct err *err)
{
    return db_exec(db,
                   "SET plan_cache_mode = force_generic_plan; SET jit = off;"
                   "SET max_parallel_workers_per_gather = 0; SET random_page_cost = 1.1;"
                   "SET enable_seqscan = off",
                   err);
}

static bool reader_open(struct reader *reader, struct err *err)
{
    if (db_is_open(&reader->db))
        return true;
    disconnect(reader);
    memset(reader->lists_prepared, 0, sizeof(reader->lists_prepared));
    if (db_open(&reader->db, reader->conninfo, DB_READ, reader->statement_timeout_ms, err)) {
        stats_add(STAT_READ_POOL_CONNECTIONS, 1);
        if (set_planner(&reader->db, err) && stmt_prepare_all(&reader->db, err))
            return true;
        disconnect(reader);
    }
    /* A refused login is our matter, not the client's. */
    if (err->kind == ERR_BAD_INPUT)
        err->kind = ERR_UNAVAILABLE;
    return false;
}

/* Whether the connection is gone after a statement failed. libpq 14 and newer report a write that
 * failed before they have read that the other side closed: one more look at the input. */
static bool has_died(struct reader *reader)
{
    if (reader->db.conn)
        (void)PQconsumeInput(reader->db.conn);
    return !db_is_open(&reader->db);
}

/* The first statement of a call: opens the connection, also when it died unnoticed. */
static bool run_first(struct reader *reader, const struct stmt *stmt,
                      const struct row_params *params, PGresult **out_res, struct err *err)
{
    const bool was_open = db_is_open(&reader->db);

    if (!reader_open(reader, err))
        return false;
    if (stmt_run(&reader->db, stmt->name, params, out_res, err))
        return true;
    return was_open && has_died(reader) && reader_open(reader, err) &&
           stmt_run(&reader->db, stmt->name, params, out_res, err);
}

static struct row row_at(const PGresult *res, struct arena *arena, struct err *err)
{
    return (struct row){.res = res, .arena = arena, .err = err};
}

/* Days that lie beside each other, searched together. */
struct stretch {
    int64_t since_us;
    int64_t until_us;
};

struct trace_key {
    int32_t tenant_id;
    int16_t bucket;
    const struct uuid *trace_id;
};

static void add_key(struct row_params *p, const struct trace_key *key)
{
    row_add_int4(p, key->tenant_id);
    row_add_int2(p, key->bucket);
    row_add_uuid(p, key->trace_id);
}

static int64_t day_us(int64_t day)
{
    return day * S_PER_DAY * (NS_PER_S / NS_PER_US);
}

/* Where to look for a trace: its days, neighbours joined. */
static bool find_days(struct reader *reader, const struct trace_key *key, struct arena *arena,
                      struct stretch **out_stretches, size_t *out_count, size_t *out_spans,
                      struct err *err)
{
    struct row_params params = {0};
    DB_RESULT res = NULL;
    struct stretch *stretches;
    struct row row;
    size_t count = 0;
    size_t spans = 0;

    add_key(&params, key);
    if (!run_first(reader, &stmts[STMT_TRACE_DAYS], &params, &res, err))
        return false;
    row = row_at(res, arena, err);
    stretches = arena_array(arena, struct stretch, (size_t)PQntuples(res));
    if (!stretches)
        return err_set(err, ERR_TOO_LARGE, "no memory for the days of a trace");
    for (row.at = 0; row.at < PQntuples(res); row.at++) {
        const int64_t day = row_day(&row, 0);

        spans += (size_t)row_int4(&row, 1);
        if (count == 0 || stretches[count - 1].until_us != day_us(day))
            stretches[count++].since_us = day_us(day);
        stretches[count - 1].until_us = day_us(day + 1);
    }
    if (!row_ok(&row))
        return false;
    *out_stretches = stretches;
    *out_count = count;
    *out_spans = spans;
    return true;
}

/* What a call has read so far. */
struct haul {
    struct trace_spans spans;
    size_t room;
    struct shared_rows shared;
    struct arena *arena;
    bool full;
};

static bool haul_init(struct haul *haul, size_t room, bool full, struct arena *arena,
                      struct err *err)
{
    *haul = (struct haul){.room = room, .arena = arena, .full = full};
    haul->spans.items = arena_array(arena, struct stored_span, room);
    shared_rows_init(&haul->shared, arena);
    if (!haul->spans.items)
        return err_set(err, ERR_TOO_LARGE, "no memory for %zu spans", room);
    return true;
}

/* The room was sized by the trace's rows; only spans that came since then make it grow. */
static bool haul_grow(struct haul *haul, size_t more, struct err *err)
{
    const size_t room = 2 * haul->room + more;
    struct stored_span *items;

    if (more <= haul->room - haul->spans.count)
        return true;
    items = arena_array(haul->arena, struct stored_span, room);
    if (!items)
        return err_set(err, ERR_TOO_LARGE, "no memory for %zu spans", room);
    memcpy(items, haul->spans.items, haul->spans.count * sizeof(items[0]));
    haul->spans.items = items;
    haul->room = room;
    return true;
}

static bool haul_rows(struct haul *haul, const PGresult *res, const struct trace_key *key,
                      struct err *err)
{
    struct row row = row_at(res, haul->arena, err);

    if (!haul_grow(haul, (size_t)PQntuples(res), err))
        return false;
    for (row.at = 0; row.at < PQntuples(res); row.at++) {
        struct stored_span *span = &haul->spans.items[haul->spans.count];

        span->tenant_id = key->tenant_id;
        span->trace_bucket = key->bucket;
        span->trace_id = *key->trace_id;
        if (!span_row_read(&row, haul->full, &haul->shared, span))
            return false;
        haul->spans.count++;
    }
    return true;
}

/* All spans within one stretch, part by part in the order of the key. */
static bool read_stretch(struct reader *reader, const struct trace_key *key,
                         const struct stretch *stretch, struct haul *haul, struct err *err)
{
    const struct stmt *stmt = &stmts[haul->full ? STMT_TRACE_SPANS : STMT_TRACE_SKELETON];
    int64_t after_span_id = INT64_MIN;
    int64_t after_us = INT64_MIN;
    int32_t after_kind = INT32_MIN;

    for (;;) {
        struct row_params params = {0};
        DB_RESULT res = NULL;
        const struct stored_span *last;

        add_key(&params, key);
        row_add_time_us(&params, stretch->since_us);
        row_add_time_us(&params, stretch->until_us);
        row_add_int8(&params, after_span_id);
        row_add_time_us(&params, after_us);
        row_add_int4(&params, after_kind);
        row_add_int4(&params, PART_ROWS);
        if (!stmt_run(&reader->db, stmt->name, &params, &res, err) ||
            !haul_rows(haul, res, key, err))
            return false;
        if (PQntuples(res) < PART_ROWS)
            return true;
        last = &haul->spans.items[haul->spans.count - 1];
        after_span_id = last->span_id;
        after_us = last->start_unix_ns / NS_PER_US;
        after_kind = last->kind;
    }
}

static int compare_spans(const void *a, const void *b)
{
    const struct stored_span *left = a;
    const struct stored_span *right = b;

    if (left->start_unix_ns != right->start_unix_ns)
        return left->start_unix_ns < right->start_unix_ns ? -1 : 1;
    if (left->span_id != right->span_id)
        return (uint64_t)left->span_id < (uint64_t)right->span_id ? -1 : 1;
    return (left->kind > right->kind) - (left->kind < right->kind);
}

static bool haul_finish(struct reader *reader, struct haul *haul, int32_t tenant_id,
                        struct trace_spans *out_spans, struct err *err)
{
    if (haul->full && !shared_rows_read(&haul->shared, &reader->db, tenant_id, err))
        return false;
    qsort(haul->spans.items, haul->spans.count, sizeof(haul->spans.items[0]), compare_spans);
    *out_spans = haul->spans;
    return true;
}

bool reader_trace(struct reader *reader, int32_t tenant_id, const struct uuid *trace_id, bool full,
                  struct arena *arena, struct trace_spans *out_spans, struct err *err)
{
    const struct trace_key key = {tenant_id, stored_bucket(trace_id), trace_id};
    struct stretch *stretches = NULL;
    size_t stretch_count = 0;
    size_t span_count = 0;
    struct haul haul = {0};

    if (!find_days(reader, &key, arena, &stretches, &stretch_count, &span_count, err) ||
        !haul_init(&haul, span_count, full, arena, err))
        return false;
    for (size_t i = 0; i < stretch_count; i++)
        if (!read_stretch(reader, &key, &stretches[i], &haul, err))
            return false;
    return haul_finish(reader, &haul, tenant_id, out_spans, err);
}

bool reader_span(struct reader *reader, int32_t tenant_id, const struct uuid *trace_id,
                 int64_t span_id, struct arena *arena, struct trace_spans *out_spans,
                 struct err *err)
{
    const struct trace_key key = {tenant_id, stored_bucket(trace_id), trace_id};
    struct stretch *stretches = NULL;
    size_t stretch_count = 0;
    size_t span_count = 0;
    struct haul haul = {0};

    if (!find_days(reader, &key, arena, &stretches, &stretch_count, &span_count, err) ||
        !haul_init(&haul, 1, true, arena, err))
        return false;
    for (size_t i = 0; i < stretch_count; i++) {
        struct row_params params = {0};
        DB_RESULT res = NULL;

        add_key(&params, &key);
        row_add_time_us(&params, stretches[i].since_us);
        row_add_time_us(&params, stretches[i].until_us);
        row_add_int8(&params, span_id);
        row_add_int4(&params, SAME_ID_ROWS);
        if (!stmt_run(&reader->db, stmts[STMT_SPAN].name, &params, &res, err) ||
            !haul_rows(&haul, res, &key, err))
            return false;
    }
    return haul_finish(reader, &haul, tenant_id, out_spans, err);
}

/* Prepares a combination of filters when the connection meets it first. */
static bool prepare_list(struct reader *reader, const struct list_sql *list, struct err *err)
{
    uint8_t *bits = &reader->lists_prepared[list->code / 8];
    const uint8_t bit = (uint8_t)(1U << list->code % 8);

    if (*bits & bit)
        return true;
    if (!stmt_prepare(&reader->db, &list->stmt, err))
        return false;
    *bits |= bit;
    return true;
}

static bool run_list(struct reader *reader, const struct list_sql *list, PGresult **out_res,
                     struct err *err)
{
    for (int tries = 0;; tries++) {
        const bool was_open = db_is_open(&reader->db);

        if (!reader_open(reader, err))
            return false;
        if (prepare_list(reader, list, err) &&
            stmt_run(&reader->db, list->stmt.name, &list->params, out_res, err))
            return true;
        if (tries > 0 || !was_open || !has_died(reader))
            return false;
    }
}

static enum trace_status status_of(struct row *row, int first_column, int64_t last_received_ns,
                                   int64_t now_ns)
{
    const int64_t roots[4] = {[SPAN_ENDED] = row_int8(row, first_column),
                              [SPAN_FAILED] = row_int8(row, first_column + 1),
                              [SPAN_CANCELLED] = row_int8(row, first_column + 2)};

    return trace_status_of(roots, last_received_ns, now_ns);
}

static void read_trace_row(struct row *row, int64_t now_ns, struct trace_row *trace)
{
    trace->trace_id = row_uuid(row, 0);
    trace->start_ns = row_int8(row, 1);
    trace->end_ns = row_int8(row, 2);
    trace->last_received_ns = row_time_us(row, 3) * NS_PER_US;
    trace->name = row_text(row, 4);
    trace->root_service = row_text(row, 5);
    trace->has_root = row_bool(row, 6);
    trace->span_count = row_int8(row, 7);
    trace->error_count = row_int8(row, 8);
    trace->status = status_of(row, 9, trace->last_received_ns, now_ns);
    trace->services = row_texts(row, 12, &trace->service_count);
}

/* How many traces match in all. The last page knows it; the first one counts, as far as that is
 * cheap; the others have it from their cursor. */
static bool find_total(struct reader *reader, int32_t tenant_id, const struct trace_filter *filter,
                       struct arena *arena, struct trace_page *page, struct err *err)
{
    const int64_t known = filter->cursor.seen + (int64_t)page->count + page->more;
    struct list_sql list;
    DB_RESULT res = NULL;
    struct row row;

    page->total = filter->cursor.total > known && page->more ? filter->cursor.total : known;
    page->total_exact = !page->more || filter->cursor.total_exact;
    if (!page->more || filter->cursor.given)
        return true;
    if (!list_sql_make(filter, LIST_SQL_COUNT, tenant_id, COUNTED_ROWS, arena, &list, err) ||
        !run_list(reader, &list, &res, err))
        return false;
    row = row_at(res, arena, err);
    page->total_exact = row_int8(&row, 1) < COUNTED_ROWS;
    if (row_int8(&row, 0) > known)
        page->total = row_int8(&row, 0);
    return row_ok(&row);
}

bool reader_list(struct reader *reader, int32_t tenant_id, const struct trace_filter *filter,
                 struct arena *arena, struct trace_page *out_page, struct err *err)
{
    struct list_sql list;
    struct trace_page page = {0};
    DB_RESULT res = NULL;
    struct row row;

    /* One more than asked for says whether another page follows. */
    if (!list_sql_make(filter, LIST_SQL_PAGE, tenant_id, filter->limit + 1, arena, &list, err) ||
        !run_list(reader, &list, &res, err))
        return false;
    row = row_at(res, arena, err);
    page.count = (size_t)PQntuples(res);
    page.more = page.count > filter->limit;
    if (page.more)
        page.count = filter->limit;
    page.items = arena_array(arena, struct trace_row, page.count);
    if (!page.items)
        return err_set(err, ERR_TOO_LARGE, "no memory for a page of %zu traces", page.count);
    for (row.at = 0; row.at < (int)page.count; row.at++)
        read_trace_row(&row, filter->now_ns, &page.items[row.at]);
    if (!row_ok(&row) || !find_total(reader, tenant_id, filter, arena, &page, err))
        return false;
    *out_page = page;
    return true;
}

bool reader_services(struct reader *reader, int32_t tenant_id, struct arena *arena,
                     struct service_list *out_services, struct err *err)
{
    struct row_params params = {0};
    struct service_list list = {0};
    DB_RESULT res = NULL;
    struct row row;

    row_add_int4(&params, tenant_id);
    row_add_int4(&params, SERVICE_ROWS);
    if (!run_first(reader, &stmts[STMT_SERVICES], &params, &res, err))
        return false;
    row = row_at(res, arena, err);
    list.count = (size_t)PQntuples(res);
    list.items = arena_array(arena, struct service, list.count);
    if (!list.items)
        return err_set(err, ERR_TOO_LARGE, "no memory for %zu services", list.count);
    for (row.at = 0; row.at < (int)list.count; row.at++)
        list.items[row.at] = (struct service){.name = row_text(&row, 0),
                                              .first_used_day = row_day(&row, 1),
                                              .last_used_day = row_day(&row, 2)};
    if (!row_ok(&row))
        return false;
    *out_services = list;
    return true;
}
