/*
 * Trace rows of a batch.
 *
 * DESIGN: used by one writer's thread. The new spans of a batch are summed up per (trace, day) in memory first, so that a trace of ten spans costs one
 * row; rows are written in key order, so that two writers never wait for each other crosswise.
 */
#include "store/trace_rows.h"

#include <stdlib.h>
#include <sys/random.h>

#include "base/clock.h"
#include "queries.h"
#include "store/call.h"
#include "store/copy.h"
#include "store/pgtypes.h"
#include "store/trace_copy.h"
#include "store/write_plan.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#define DAYS_AROUND 31
#define PARAM_MAX_BYTES (256U << 20)
#define KEY_ARRAYS 4

struct trace_rows {
    struct trace_sum *sums;
    size_t count;
    size_t cap;
    uint32_t *slots; /* open addressing: index + 1 into sums */
    size_t slot_count;
    uint64_t seed; /* trace ids are chosen by senders: they shall not choose places too (SEC-20) */
    struct pg_array arrays[KEY_ARRAYS];
    struct buf scratch;          /* rows of COPY */
    struct arena arena;          /* what the sums hold, and: */
    struct stored_trace *stored; /* of each distinct trace, in order of the sums */
    size_t trace_count;
    int64_t recount_first; /* between which days rows are counted anew */
    int64_t recount_last;
    bool prepared;
};

/* day, tenant, bucket, trace id */
static const Oid element_types[KEY_ARRAYS] = {DATEOID, INT4OID, INT2OID, UUIDOID};
static const Oid array_types[KEY_ARRAYS] = {DATEARRAYOID, INT4ARRAYOID, INT2ARRAYOID, UUIDARRAYOID};

struct trace_rows *trace_rows_new(void)
{
    struct trace_rows *rows = calloc(1, sizeof(*rows));

    if (!rows)
        return NULL;
    for (size_t i = 0; i < KEY_ARRAYS; i++)
        pg_array_init(&rows->arrays[i], element_types[i], PARAM_MAX_BYTES);
    buf_init(&rows->scratch, PARAM_MAX_BYTES);
    arena_init(&rows->arena, PARAM_MAX_BYTES);
    (void)!getrandom(&rows->seed, sizeof(rows->seed), GRND_NONBLOCK);
    return rows;
}

void trace_rows_free(struct trace_rows *rows)
{
    if (!rows)
        return;
    for (size_t i = 0; i < KEY_ARRAYS; i++)
        pg_array_done(&rows->arrays[i]);
    buf_done(&rows->scratch);
    arena_done(&rows->arena);
    free(rows->sums);
    free(rows->slots);
    free(rows);
}

void trace_rows_disconnected(struct trace_rows *rows)
{
    rows->prepared = false;
}

static bool make_room(struct trace_rows *rows, size_t items, struct err *err)
{
    size_t slots = 64;

    while (slots < items * 2)
        slots *= 2;
    if (rows->cap < items) {
        struct trace_sum *sums = realloc(rows->sums, items * sizeof(*sums));
        if (!sums)
            return err_set(err, ERR_UNAVAILABLE, "no memory for %zu trace rows", items);
        rows->sums = sums;
        rows->cap = items;
    }
    if (rows->slot_count < slots) {
        uint32_t *table = realloc(rows->slots, slots * sizeof(*table));
        if (!table)
            return err_set(err, ERR_UNAVAILABLE, "no memory for %zu trace rows", items);
        rows->slots = table;
        rows->slot_count = slots;
    }
    memset(rows->slots, 0, rows->slot_count * sizeof(*rows->slots));
    rows->count = 0;
    return true;
}

static struct trace_sum *sum_of(struct trace_rows *rows, const struct stored_span *row)
{
    const int64_t day = clock_day(row->start_unix_ns);
    const uint64_t hash = XXH3_64bits_withSeed(row->trace_id.at, sizeof(row->trace_id.at),
                                               rows->seed ^ (uint64_t)day * 0x9e3779b97f4a7c15U);
    size_t at = (size_t)hash & (rows->slot_count - 1);

    while (rows->slots[at]) {
        struct trace_sum *s = &rows->sums[rows->slots[at] - 1];
        if (s->day == day && s->tenant_id == row->tenant_id &&
            memcmp(s->trace_id.at, row->trace_id.at, sizeof(s->trace_id)) == 0)
            return s;
        at = (at + 1) & (rows->slot_count - 1);
    }
    rows->sums[rows->count] = (struct trace_sum){.tenant_id = row->tenant_id,
                                                 .bucket = row->trace_bucket,
                                                 .trace_id = row->trace_id,
                                                 .day = day};
    rows->slots[at] = (uint32_t)++rows->count;
    return &rows->sums[rows->count - 1];
}

static int compare_sums(const void *a, const void *b)
{
    const struct trace_sum *x = a;
    const struct trace_sum *y = b;
    int order;

    if (x->tenant_id != y->tenant_id)
        return x->tenant_id < y->tenant_id ? -1 : 1;
    if (x->bucket != y->bucket)
        return x->bucket < y->bucket ? -1 : 1;
    order = memcmp(x->trace_id.at, y->trace_id.at, sizeof(x->trace_id));
    if (order != 0)
        return order;
    return x->day < y->day ? -1 : x->day > y->day;
}

static bool same_trace(const struct trace_sum *x, const struct trace_sum *y)
{
    return x->tenant_id == y->tenant_id &&
           memcmp(x->trace_id.at, y->trace_id.at, sizeof(x->trace_id)) == 0;
}

static void day_range(const struct trace_rows *rows, int64_t *out_first, int64_t *out_last)
{
    *out_first = *out_last = rows->sums[0].day;
    for (size_t i = 1; i < rows->count; i++) {
        if (rows->sums[i].day < *out_first)
            *out_first = rows->sums[i].day;
        if (rows->sums[i].day > *out_last)
            *out_last = rows->sums[i].day;
    }
}

static void clear_arrays(struct trace_rows *rows)
{
    for (size_t i = 0; i < KEY_ARRAYS; i++)
        pg_array_clear(&rows->arrays[i]);
}

/* The arrays 1..3 hold tenant, bucket and id of each distinct trace. */
static void put_traces(struct trace_rows *rows)
{
    clear_arrays(rows);
    for (size_t i = 0; i < rows->count; i++) {
        const struct trace_sum *s = &rows->sums[i];
        if (i > 0 && same_trace(s, s - 1))
            continue;
        pg_array_int4(&rows->arrays[1], s->tenant_id);
        pg_array_int2(&rows->arrays[2], s->bucket);
        pg_array_uuid(&rows->arrays[3], &s->trace_id);
    }
}

/* All four hold the rows of traces of several days. Returns how many. */
static size_t put_multi_days(struct trace_rows *rows)
{
    clear_arrays(rows);
    for (size_t i = 0; i < rows->count; i++) {
        const struct trace_sum *s = &rows->sums[i];
        if (!s->multi_day)
            continue;
        pg_array_int4(&rows->arrays[0], pg_date(s->day));
        pg_array_int4(&rows->arrays[1], s->tenant_id);
        pg_array_int2(&rows->arrays[2], s->bucket);
        pg_array_uuid(&rows->arrays[3], &s->trace_id);
    }
    return (size_t)rows->arrays[0].count;
}

static void put_trace_params(struct trace_rows *rows, struct call *call)
{
    for (size_t i = 1; i <= 3; i++)
        call_array(call, array_types[i], &rows->arrays[i]);
}

/* What the table has of a trace. */
struct stored_trace {
    size_t first; /* of its sums */
    int32_t rows;
    int64_t counted;
    int64_t plain;
    int64_t spans;
    int64_t first_day;
    int64_t last_day;
};

static bool are_near(int64_t day, int64_t other)
{
    return day - other <= DAYS_AROUND && other - day <= DAYS_AROUND;
}

/* The table has a row of this trace and day: the same day is added to, another one near it makes the
 * trace one of several days. */
static void note_day(struct trace_rows *rows, size_t first_of_trace, int64_t day)
{
    for (size_t i = first_of_trace;
         i < rows->count && same_trace(&rows->sums[i], &rows->sums[first_of_trace]); i++) {
        if (rows->sums[i].day == day)
            rows->sums[i].there = true;
        else if (are_near(rows->sums[i].day, day))
            rows->sums[i].multi_day = true;
    }
}

static bool collect_traces(struct trace_rows *rows, struct err *err)
{
    rows->stored = arena_array(&rows->arena, struct stored_trace, rows->count);
    rows->trace_count = 0;
    if (!rows->stored)
        return err_set(err, ERR_UNAVAILABLE, "no memory for %zu trace rows", rows->count);
    for (size_t i = 0; i < rows->count; i++) {
        const int64_t day = rows->sums[i].day;

        if (i == 0 || !same_trace(&rows->sums[i], &rows->sums[i - 1]))
            rows->stored[rows->trace_count++] =
                (struct stored_trace){.first = i, .first_day = day, .last_day = day};
        rows->stored[rows->trace_count - 1].last_day = day; /* sums are in order of days */
    }
    return true;
}

/* Reads the answer of write_trace_days.sql: a row of a day that is not the trace's only day in the batch makes the trace one of several days. */
static bool read_days(struct trace_rows *rows, const PGresult *result, struct err *err)
{
    if (!collect_traces(rows, err))
        return false;
    for (int r = 0; r < PQntuples(result); r++) {
        int32_t column[5];
        struct stored_trace *stored;

        for (int c = 0; c < 5; c++)
            column[c] = (int32_t)read_be32((const uint8_t *)PQgetvalue(result, r, c));
        if (column[0] < 0 || (size_t)column[0] >= rows->trace_count)
            continue;
        stored = &rows->stored[column[0]];
        note_day(rows, stored->first, column[1] + PG_EPOCH_DAY);
        stored->rows++;
        stored->counted += column[2];
        stored->plain += column[3];
        stored->spans += column[4];
        if (column[1] + PG_EPOCH_DAY < stored->first_day)
            stored->first_day = column[1] + PG_EPOCH_DAY;
        if (column[1] + PG_EPOCH_DAY > stored->last_day)
            stored->last_day = column[1] + PG_EPOCH_DAY;
    }
    for (size_t i = 1; i < rows->count; i++)
        if (same_trace(&rows->sums[i], &rows->sums[i - 1]) &&
            are_near(rows->sums[i].day, rows->sums[i - 1].day))
            rows->sums[i].multi_day = rows->sums[i - 1].multi_day = true;
    return true;
}

/* Finds traces whose rows lie on several days and marks those that are there already. */
static bool find_days(struct trace_rows *rows, struct db *db, struct err *err)
{
    struct call find = {0};
    struct call mark = {0};
    DB_RESULT result = NULL;
    int64_t first_day;
    int64_t last_day;

    day_range(rows, &first_day, &last_day);
    put_traces(rows);
    put_trace_params(rows, &find);
    call_date(&find, first_day - DAYS_AROUND);
    call_date(&find, last_day + DAYS_AROUND);
    if (!call_run(db, "write_trace_days", &rows->prepared, sql_write_trace_days, &find, &result,
                  err) ||
        !read_days(rows, result, err))
        return false;
    if (put_multi_days(rows) == 0)
        return true;
    put_trace_params(rows, &mark);
    call_array(&mark, DATEARRAYOID, &rows->arrays[0]);
    call_date(&mark, first_day - DAYS_AROUND);
    call_date(&mark, last_day + DAYS_AROUND);
    return call_run(db, NULL, NULL, sql_write_trace_multi, &mark, NULL, err);
}

static bool encode(struct trace_rows *rows, bool there, struct err *err)
{
    buf_clear(&rows->scratch);
    for (size_t i = 0; i < rows->count; i++)
        if (rows->sums[i].span_count > 0 && rows->sums[i].there == there)
            trace_copy_row(&rows->scratch, &rows->sums[i]);
    return buf_ok(&rows->scratch) ||
           err_set(err, ERR_UNAVAILABLE, "no memory for %zu trace rows", rows->count);
}

/* Rows that are not there yet: COPY costs a third of the upsert, and the locks say that nobody else makes them. */
static bool copy_new(struct trace_rows *rows, struct db *db, struct err *err)
{
    return encode(rows, /* there= */ false, err) &&
           (rows->scratch.len == 0 ||
            copy_rows(db, "spanledger.trace", sql_trace_columns, buf_bytes(&rows->scratch), err));
}

/* The others are merged by the server; the stage is empty: it is emptied at each commit, and this is
 * done once in a transaction. */
static bool merge_old(struct trace_rows *rows, struct db *db, struct err *err)
{
    const struct call call = {0};

    return encode(rows, /* there= */ true, err) &&
           (rows->scratch.len == 0 ||
            (copy_rows(db, "pg_temp.trace_stage", sql_trace_columns, buf_bytes(&rows->scratch),
                       err) &&
             call_run(db, NULL, NULL, sql_write_trace, &call, NULL, err)));
}

/* The last nanosecond of a day; of the last day that nanoseconds can name, the last of them. */
static int64_t last_ns_of(int64_t day)
{
    const int64_t day_ns = S_PER_DAY * NS_PER_S;

    return day < INT64_MAX / day_ns ? (day + 1) * day_ns - 1 : INT64_MAX;
}

static void put_recount(struct trace_rows *rows, const struct counting_trace *t)
{
    pg_array_int4(&rows->arrays[0], pg_date(t->first_day));
    pg_array_int4(&rows->arrays[1], t->tenant_id);
    pg_array_int2(&rows->arrays[2], t->bucket);
    pg_array_uuid(&rows->arrays[3], &t->trace_id);
    if (t->first_day < rows->recount_first)
        rows->recount_first = t->first_day;
    if (t->first_day > rows->recount_last)
        rows->recount_last = t->first_day;
}

static bool recount(struct trace_rows *rows, struct db *db, const struct buf *changed,
                    struct err *err)
{
    struct call call = {0};

    clear_arrays(rows);
    rows->recount_first = INT64_MAX;
    rows->recount_last = INT64_MIN;
    for (size_t i = 0; i < rows->count; i++) {
        const struct trace_sum *s = &rows->sums[i];

        if (s->recount)
            put_recount(rows, &(struct counting_trace){.tenant_id = s->tenant_id,
                                                       .bucket = s->bucket,
                                                       .trace_id = s->trace_id,
                                                       .first_day = s->day});
    }
    for (size_t at = 0; at < changed->len; at += sizeof(struct counting_trace)) {
        struct counting_trace t;

        memcpy(&t, changed->at + at, sizeof(t));
        put_recount(rows, &t);
    }
    if (rows->arrays[0].count == 0)
        return true;
    put_trace_params(rows, &call);
    call_array(&call, DATEARRAYOID, &rows->arrays[0]);
    call_timestamp(&call, rows->recount_first * S_PER_DAY * NS_PER_S);
    call_timestamp(&call, last_ns_of(rows->recount_last));
    call_date(&call, rows->recount_first);
    call_date(&call, rows->recount_last);
    return call_run(db, NULL, NULL, sql_write_trace_recount, &call, NULL, err);
}

/* A version that was replaced cannot be taken out of the sums, nor can one that does not stand be
 * kept out: previews want both, the rest is counted anew. */
static bool add_version(struct trace_rows *rows, const struct write_item *item, struct err *err)
{
    struct trace_sum *sum = sum_of(rows, item->row);

    if (!trace_sum_add(sum, item->row, &rows->arena, err))
        return false;
    sum->recount = true;
    if (item->outcome == WRITE_REPLACED) {
        sum->replaced = true;
        sum->replaced_counted |= item->row->billing.counted;
    }
    return true;
}

static bool has_preview(const struct stored_span *row)
{
    return row->meaning &&
           (row->meaning->input_preview.len > 0 || row->meaning->output_preview.len > 0);
}

static bool add_items(struct trace_rows *rows, const struct write_item *items, size_t count,
                      struct err *err)
{
    for (size_t i = 0; i < count; i++) {
        const struct stored_span *row = items[i].row;
        const enum write_outcome outcome = items[i].outcome;

        write_plan_look_ahead(items, i, count);
        if (outcome == WRITE_NEW && !trace_sum_add(sum_of(rows, row), row, &rows->arena, err))
            return false;
        if ((outcome == WRITE_REPLACED || (outcome == WRITE_SUPERSEDED && has_preview(row))) &&
            !add_version(rows, &items[i], err))
            return false;
    }
    if (rows->count > 1)
        qsort(rows->sums, rows->count, sizeof(*rows->sums), compare_sums);
    for (size_t i = 0; i < rows->count; i++)
        trace_sum_finish(&rows->sums[i]);
    return true;
}

bool trace_rows_begin(struct trace_rows *rows, struct db *db, const struct write_item *items,
                      size_t count, struct err *err)
{
    arena_reset(&rows->arena);
    rows->trace_count = 0;
    return make_room(rows, count, err) && add_items(rows, items, count, err) &&
           (rows->count == 0 || find_days(rows, db, err));
}

/* Whether what the batch says of a trace is not enough to judge it. */
static bool is_ambiguous(const struct trace_rows *rows, const struct stored_trace *stored,
                         size_t end, const struct counting *counting)
{
    const struct trace_sum *first = &rows->sums[stored->first];
    int64_t counted = stored->counted;
    int64_t plain = stored->plain;
    bool replaced = false;

    for (size_t i = stored->first; i < end; i++) {
        const struct trace_sum *s = &rows->sums[i];

        counted += s->means ? s->means->counted : 0;
        plain += s->means ? s->means->plain : 0;
        replaced |= s->replaced && (s->replaced_counted || stored->counted > 0);
    }
    return replaced || (stored->rows > 0 && counted >= 2 && plain < counted) ||
           counting_is_shared(counting, first->tenant_id, &first->trace_id);
}

bool trace_rows_ambiguous(struct trace_rows *rows, const struct counting *counting,
                          const struct counting_trace **out_traces, size_t *out_count,
                          struct err *err)
{
    struct counting_trace *traces =
        arena_array(&rows->arena, struct counting_trace, rows->trace_count);
    size_t count = 0;

    if (!traces)
        return err_set(err, ERR_UNAVAILABLE, "no memory for %zu traces", rows->trace_count);
    for (size_t t = 0; t < rows->trace_count; t++) {
        const struct stored_trace *stored = &rows->stored[t];
        const size_t end = t + 1 < rows->trace_count ? rows->stored[t + 1].first : rows->count;
        const struct trace_sum *first = &rows->sums[stored->first];
        int64_t spans = stored->spans;

        if (!is_ambiguous(rows, stored, end, counting))
            continue;
        for (size_t i = stored->first; i < end; i++)
            spans += rows->sums[i].span_count;
        traces[count++] = (struct counting_trace){.tenant_id = first->tenant_id,
                                                  .bucket = first->bucket,
                                                  .trace_id = first->trace_id,
                                                  .first_day = stored->first_day,
                                                  .last_day = stored->last_day,
                                                  .span_count = spans};
    }
    *out_traces = traces;
    *out_count = count;
    return true;
}

bool trace_rows_finish(struct trace_rows *rows, struct db *db, const struct buf *changed,
                       struct err *err)
{
    return rows->count == 0 ||
           (copy_new(rows, db, err) && merge_old(rows, db, err) && recount(rows, db, changed, err));
}
