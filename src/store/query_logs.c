/* Log records beside their spans. */
#include "store/query_logs.h"

#include <stdlib.h>

#include "base/clock.h"
#include "store/log_rows.h"
#include "store/reader.h"

#define PART_ROWS 1000 /* at a time: bounds what libpq holds */
#define AROUND_US (30 * S_PER_DAY * (NS_PER_S / NS_PER_US))

struct record {
    int64_t span_id;
    int64_t time_us;
    int64_t hash;
    int32_t ns;
    int32_t position;
    struct bytes event;
};

struct records {
    struct record *items;
    size_t count;
    size_t room;
};

static bool out_of_room(struct err *err)
{
    return err_set(err, ERR_TOO_LARGE, "no memory for the log records of a trace");
}

static bool grow(struct records *records, size_t more, struct arena *arena)
{
    const size_t room = 2 * records->room + more;
    struct record *items;

    if (more <= records->room - records->count)
        return true;
    items = arena_array(arena, struct record, room);
    if (!items)
        return false;
    if (records->count > 0)
        memcpy(items, records->items, records->count * sizeof(items[0]));
    records->items = items;
    records->room = room;
    return true;
}

static bool read_rows(const PGresult *res, struct arena *arena, struct records *records,
                      struct err *err)
{
    struct row row = reader_row(res, arena, err);

    if (PQntuples(res) == 0)
        return true;
    if (!grow(records, (size_t)PQntuples(res), arena) || !records->items)
        return out_of_room(err);
    for (row.at = 0; row.at < PQntuples(res); row.at++)
        records->items[records->count++] = (struct record){
            .span_id = row_int8(&row, 0),
            .time_us = row_time_us(&row, 1),
            .hash = row_int8(&row, 2),
            .ns = row_int2(&row, 3),
            .position = row_int4(&row, 4),
            .event = row_text(&row, 5),
        };
    return row_ok(&row);
}

static bool read_records(struct reader *reader, const struct stored_span *of, int64_t since_us,
                         int64_t until_us, int64_t span_id, struct arena *arena,
                         struct records *records, struct err *err)
{
    const bool all = span_id == QUERY_LOGS_ALL_SPANS;
    struct record last = {.span_id = INT64_MIN, .time_us = INT64_MIN, .hash = INT64_MIN};
    size_t before;

    /* Two writers may pass the bound together; who made it three times as many is not read on. */
    do {
        struct row_params params = {0};
        DB_RESULT res = NULL;

        before = records->count;
        row_add_int4(&params, of->tenant_id);
        row_add_int2(&params, of->trace_bucket);
        row_add_uuid(&params, &of->trace_id);
        row_add_time_us(&params, since_us - AROUND_US);
        row_add_time_us(&params, until_us + AROUND_US);
        row_add_int8(&params, all ? INT64_MIN : span_id);
        row_add_int8(&params, all ? INT64_MAX : span_id);
        row_add_int8(&params, last.span_id);
        row_add_time_us(&params, last.time_us);
        row_add_int8(&params, last.hash);
        row_add_int4(&params, PART_ROWS);
        if (!stmt_run(&reader->db, stmts[STMT_SPAN_LOGS].name, &params, &res, err) ||
            !read_rows(res, arena, records, err))
            return false;
        if (records->count > before)
            last = records->items[records->count - 1];
    } while (records->count == before + PART_ROWS && records->count < 3 * LOG_ROWS_PER_TRACE);
    return true;
}

#define COMPARE(a, b)                                                                              \
    if ((a) != (b))                                                                                \
    return (a) < (b) ? -1 : 1

static int compare_records(const void *a, const void *b)
{
    const struct record *x = a;
    const struct record *y = b;

    COMPARE(x->span_id, y->span_id);
    COMPARE(x->time_us, y->time_us);
    COMPARE(x->ns, y->ns);
    COMPARE(x->position, y->position);
    COMPARE(x->hash, y->hash);
    return 0;
}

/* Where the earliest span of an id stands. */
struct place {
    int64_t span_id;
    size_t index;
};

static int compare_places(const void *a, const void *b)
{
    const struct place *x = a;
    const struct place *y = b;

    COMPARE(x->span_id, y->span_id);
    COMPARE(x->index, y->index);
    return 0;
}

static struct place *places_of(const struct trace_spans *spans, struct arena *arena)
{
    struct place *places = arena_array(arena, struct place, spans->count);

    for (size_t i = 0; places && i < spans->count; i++)
        places[i] = (struct place){spans->items[i].span_id, i};
    if (places)
        qsort(places, spans->count, sizeof(places[0]), compare_places);
    return places;
}

/* The events of one span as a JSON array. */
static struct bytes join(const struct record *records, size_t count, struct arena *arena)
{
    size_t len = 1 + count;
    uint8_t *text;
    size_t at = 0;

    for (size_t i = 0; i < count; i++)
        len += records[i].event.len;
    text = arena_alloc(arena, len);
    for (size_t i = 0; text && i < count; i++) {
        text[at++] = i == 0 ? '[' : ',';
        memcpy(text + at, records[i].event.at, records[i].event.len);
        at += records[i].event.len;
    }
    if (text)
        text[at] = ']';
    return (struct bytes){text, text ? len : 0};
}

/* Both are sorted by span id: one walk along them. */
static bool hand_out(const struct records *records, struct trace_spans *spans, struct arena *arena,
                     struct err *err)
{
    const struct place *places = places_of(spans, arena);
    size_t p = 0;

    if (!places)
        return out_of_room(err);
    for (size_t first = 0, end; first < records->count; first = end) {
        const int64_t span_id = records->items[first].span_id;

        for (end = first; end < records->count && records->items[end].span_id == span_id; end++)
            ;
        while (p < spans->count && places[p].span_id < span_id)
            p++;
        if (p == spans->count || places[p].span_id != span_id)
            continue; /* its span has not come */
        struct stored_span *span = &spans->items[places[p].index];
        span->log_events = join(records->items + first, end - first, arena);
        if (!span->log_events.at)
            return out_of_room(err);
    }
    return true;
}

bool query_logs_read(struct reader *reader, struct trace_spans *spans, int64_t since_us,
                     int64_t until_us, int64_t span_id, struct arena *arena, struct err *err)
{
    struct records records = {0};

    if (spans->count == 0)
        return true;
    if (!read_records(reader, &spans->items[0], since_us, until_us, span_id, arena, &records, err))
        return false;
    if (records.count == 0)
        return true;
    qsort(records.items, records.count, sizeof(records.items[0]), compare_records);
    return hand_out(&records, spans, arena, err);
}
