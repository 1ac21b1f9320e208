/*
 * Reading: rows as plain structs.
 *
 * DESIGN: each statement is a transaction of its own. That is enough: a span's resource and scope
 * are committed with it and never change, and a span that is replaced between two parts of a large
 * trace keeps its key, so it is seen once.
 */
#include "store/query.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "store/query_facts.h"
#include "store/query_logs.h"
#include "store/reader.h"
#include "store/shared_rows.h"
#include "store/span_row.h"

#define PART_ROWS 2000     /* of a large trace at a time: bounds what libpq holds */
#define SAME_ID_ROWS 1000  /* spans that share one id, shown at most */
#define LOOK_EVERY_ROWS 64 /* a socket's buffer holds about so many */

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

struct whereabouts {
    struct stretch *stretches;
    size_t count;
    size_t spans;
    struct trace_facts facts;
};

/* Where to look for a trace: its days, neighbours joined. */
static bool find_days(struct reader *reader, const struct trace_key *key, struct arena *arena,
                      struct whereabouts *out_place, struct err *err)
{
    struct row_params params = {0};
    DB_RESULT res = NULL;
    struct whereabouts place = {0};
    struct row row;

    add_key(&params, key);
    if (!reader_run_first(reader, &stmts[STMT_TRACE_DAYS], &params, &res, err))
        return false;
    row = reader_row(res, arena, err);
    place.stretches = arena_array(arena, struct stretch, (size_t)PQntuples(res));
    if (!place.stretches)
        return err_set(err, ERR_TOO_LARGE, "no memory for the days of a trace");
    for (row.at = 0; row.at < PQntuples(res); row.at++) {
        const int64_t day = row_day(&row, 0);

        place.spans += (size_t)row_int4(&row, 1);
        if (place.count == 0 || place.stretches[place.count - 1].until_us != day_us(day))
            place.stretches[place.count++].since_us = day_us(day);
        place.stretches[place.count - 1].until_us = day_us(day + 1);
    }
    if (!row_ok(&row) || !query_facts_read(res, arena, &place.facts, err))
        return false;
    *out_place = place;
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

/* conn: what has come of the next part is taken off the socket now and then, so that the database
 * need not wait. */
static bool haul_rows(struct haul *haul, const PGresult *res, const struct trace_key *key,
                      PGconn *conn, struct err *err)
{
    struct row row = reader_row(res, haul->arena, err);

    if (!haul_grow(haul, (size_t)PQntuples(res), err))
        return false;
    for (row.at = 0; row.at < PQntuples(res); row.at++) {
        struct stored_span *span = &haul->spans.items[haul->spans.count];

        if (row.at % LOOK_EVERY_ROWS == LOOK_EVERY_ROWS - 1)
            (void)PQconsumeInput(conn);
        span->tenant_id = key->tenant_id;
        span->trace_bucket = key->bucket;
        span->trace_id = *key->trace_id;
        if (!span_row_read(&row, haul->full, &haul->shared, span))
            return false;
        haul->spans.count++;
    }
    return true;
}

/* Asks for the part behind the last row of res; NULL: the first one. */
static bool send_part(struct reader *reader, const struct trace_key *key,
                      const struct stretch *stretch, bool full, const PGresult *res,
                      struct err *err)
{
    const struct stmt *stmt = &stmts[full ? STMT_TRACE_SPANS : STMT_TRACE_SKELETON];
    struct row_params params = {0};
    struct row last = reader_row(res, NULL, err);

    last.at = PQntuples(res) - 1;
    add_key(&params, key);
    row_add_time_us(&params, stretch->since_us);
    row_add_time_us(&params, stretch->until_us);
    row_add_int8(&params, res ? row_int8(&last, 0) : INT64_MIN);
    row_add_time_us(&params, res ? row_time_us(&last, 1) : INT64_MIN);
    row_add_int4(&params, res ? row_int4(&last, 2) : INT32_MIN);
    row_add_int4(&params, PART_ROWS);
    return row_ok(&last) && stmt_send(&reader->db, stmt->name, &params, err);
}

/* All spans within one stretch, part by part in the order of the key. The database makes a part
 * while the one before it is read. */
static bool read_stretch(struct reader *reader, const struct trace_key *key,
                         const struct stretch *stretch, struct haul *haul, struct err *err)
{
    bool more = send_part(reader, key, stretch, haul->full, NULL, err);
    bool done = more;

    while (done && more) {
        DB_RESULT res = NULL;

        done = stmt_receive(&reader->db, &res, err);
        more = done && PQntuples(res) == PART_ROWS;
        if (more)
            more = done = send_part(reader, key, stretch, haul->full, res, err);
        if (done)
            done = haul_rows(haul, res, key, reader->db.conn, err);
    }
    if (!done && more) { /* the part that was asked for is not wanted any more */
        struct err ignored;
        DB_RESULT res = NULL;
        (void)!stmt_receive(&reader->db, &res, &ignored);
    }
    return done;
}

/* Spans are large and come in another order: their places are sorted, then each is moved once. */
struct place {
    int64_t start_ns;
    uint64_t span_id;
    int32_t kind;
    uint32_t from;
};

static int compare_places(const void *a, const void *b)
{
    const struct place *x = a;
    const struct place *y = b;

    if (x->start_ns != y->start_ns)
        return x->start_ns < y->start_ns ? -1 : 1;
    if (x->span_id != y->span_id)
        return x->span_id < y->span_id ? -1 : 1;
    return (x->kind > y->kind) - (x->kind < y->kind);
}

static bool sort_spans(struct trace_spans *spans, struct arena *arena, struct err *err)
{
    struct stored_span *items = spans->items;
    struct place *places = arena_array(arena, struct place, spans->count);

    if (!places)
        return err_set(err, ERR_TOO_LARGE, "no memory to sort %zu spans", spans->count);
    for (size_t i = 0; i < spans->count; i++)
        places[i] = (struct place){items[i].start_unix_ns, (uint64_t)items[i].span_id,
                                   items[i].kind, (uint32_t)i};
    qsort(places, spans->count, sizeof(places[0]), compare_places);
    /* Along each cycle of the permutation; a place that is filled names itself. */
    for (size_t i = 0; i < spans->count; i++) {
        struct stored_span held;
        size_t at = i;

        if (places[i].from == i)
            continue;
        held = items[i];
        while (places[at].from != i) {
            const size_t from = places[at].from;
            items[at] = items[from];
            places[at].from = (uint32_t)at;
            at = from;
        }
        items[at] = held;
        places[at].from = (uint32_t)at;
    }
    return true;
}

static bool haul_finish(struct reader *reader, struct haul *haul, const struct trace_key *key,
                        const struct whereabouts *place, int64_t span_id,
                        struct trace_spans *out_spans, struct err *err)
{
    if (haul->full && !shared_rows_read(&haul->shared, &reader->db, key->tenant_id, err))
        return false;
    if (!sort_spans(&haul->spans, haul->arena, err))
        return false;
    if (haul->full && place->count > 0 &&
        !query_logs_read(reader, &haul->spans, place->stretches[0].since_us,
                         place->stretches[place->count - 1].until_us, span_id, haul->arena, err))
        return false;
    haul->spans.facts = place->facts;
    if (!query_facts_prices(reader, &haul->spans, haul->arena, &haul->spans.prices, err))
        return false;
    *out_spans = haul->spans;
    return true;
}

bool reader_trace(struct reader *reader, int32_t tenant_id, const struct uuid *trace_id, bool full,
                  struct arena *arena, struct trace_spans *out_spans, struct err *err)
{
    const struct trace_key key = {tenant_id, stored_bucket(trace_id), trace_id};
    struct whereabouts place;
    struct haul haul = {0};

    if (!find_days(reader, &key, arena, &place, err) ||
        !haul_init(&haul, place.spans, full, arena, err))
        return false;
    for (size_t i = 0; i < place.count; i++)
        if (!read_stretch(reader, &key, &place.stretches[i], &haul, err))
            return false;
    return haul_finish(reader, &haul, &key, &place, QUERY_LOGS_ALL_SPANS, out_spans, err);
}

bool reader_span(struct reader *reader, int32_t tenant_id, const struct uuid *trace_id,
                 int64_t span_id, struct arena *arena, struct trace_spans *out_spans,
                 struct err *err)
{
    const struct trace_key key = {tenant_id, stored_bucket(trace_id), trace_id};
    struct whereabouts place;
    struct haul haul = {0};

    if (!find_days(reader, &key, arena, &place, err) || !haul_init(&haul, 1, true, arena, err))
        return false;
    for (size_t i = 0; i < place.count; i++) {
        struct row_params params = {0};
        DB_RESULT res = NULL;

        add_key(&params, &key);
        row_add_time_us(&params, place.stretches[i].since_us);
        row_add_time_us(&params, place.stretches[i].until_us);
        row_add_int8(&params, span_id);
        row_add_int4(&params, SAME_ID_ROWS);
        if (!stmt_run(&reader->db, stmts[STMT_SPAN].name, &params, &res, err) ||
            !haul_rows(&haul, res, &key, reader->db.conn, err))
            return false;
    }
    return haul_finish(reader, &haul, &key, &place, span_id, out_spans, err);
}
