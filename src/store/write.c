/*
 * Writing spans.
 *
 * DESIGN: one writer per ingest worker, used by its thread only. A batch is one transaction (READ
 * COMMITTED): locks, shared rows, savepoint, spans, trace rows, COMMIT. Rows whose key was written
 * lately, and all rows after a unique violation, go through staging. What may pass is tried again
 * here; what needs the sender is returned.
 */
#include "store/write.h"

#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/stats.h"
#include "queries.h"
#include "store/call.h"
#include "store/chunks.h"
#include "store/counting.h"
#include "store/locks.h"
#include "store/log_rows.h"
#include "store/payload_rows.h"
#include "store/pgtypes.h"
#include "store/settle.h"
#include "store/trace_rows.h"
#include "store/versions.h"
#include "store/write_shared.h"

#define MOST_ATTEMPTS 5 /* more than the rounds in which store/counting gathers locks */
#define KNOWN_DAYS 1024
#define SCRATCH_MAX_BYTES (512U << 20)
#define SCRATCH_KEEP_BYTES (4U << 20)

struct writer {
    const struct cfg *cfg;
    char *conninfo;
    struct db db;
    struct seen *seen;
    struct write_plan plan;
    struct write_shared *shared;
    struct trace_rows *traces;
    struct log_rows *logs;
    struct pg_array tenants;
    struct pg_array lock_keys;
    struct buf locks; /* int64_t, ascending: what the transaction has locked */
    bool all_locked;  /* instead: everything */
    struct counting *counting;
    struct buf changed; /* struct counting_trace: whose sums are to be counted anew */
    struct buf scratch;
    bool lock_prepared;
    size_t most_locks;              /* traces that one transaction may lock one by one */
    int64_t known_days[KNOWN_DAYS]; /* that have a chunk; a hash table, INT64_MIN: free */
    size_t known_day_count;
};

static void disconnect(struct writer *w)
{
    if (w->db.conn)
        stats_add(STAT_POOL_CONNECTIONS, -1);
    db_close(&w->db);
}

void writer_free(struct writer *writer)
{
    if (!writer)
        return;
    disconnect(writer);
    write_plan_done(&writer->plan);
    write_shared_free(writer->shared);
    trace_rows_free(writer->traces);
    log_rows_free(writer->logs);
    pg_array_done(&writer->tenants);
    pg_array_done(&writer->lock_keys);
    buf_done(&writer->locks);
    buf_done(&writer->changed);
    counting_free(writer->counting);
    buf_done(&writer->scratch);
    free(writer->conninfo);
    free(writer);
}

static void forget_days(struct writer *w)
{
    for (size_t i = 0; i < KNOWN_DAYS; i++)
        w->known_days[i] = INT64_MIN;
    w->known_day_count = 0;
}

bool writer_new(const struct cfg *cfg, const char *conninfo, struct seen *seen,
                struct writer **out_writer, struct err *err)
{
    struct writer *w = calloc(1, sizeof(*w));

    if (w) {
        w->cfg = cfg;
        w->seen = seen;
        w->conninfo = strdup(conninfo);
        write_plan_init(&w->plan);
        w->shared = write_shared_new();
        w->traces = trace_rows_new();
        w->logs = log_rows_new();
        pg_array_init(&w->tenants, INT4OID, SCRATCH_MAX_BYTES);
        pg_array_init(&w->lock_keys, INT8OID, SCRATCH_MAX_BYTES);
        buf_init(&w->locks, SCRATCH_MAX_BYTES);
        buf_init(&w->changed, SCRATCH_MAX_BYTES);
        w->counting = counting_new();
        buf_init(&w->scratch, SCRATCH_MAX_BYTES);
        forget_days(w);
    }
    if (!w || !w->conninfo || !w->shared || !w->traces || !w->logs || !w->counting) {
        writer_free(w);
        return err_set(err, ERR_UNAVAILABLE, "no memory for a writer");
    }
    *out_writer = w;
    return true;
}

/* Half of the server's lock table is left to others, the rest is shared among the workers. */
static bool read_lock_room(struct writer *w, struct err *err)
{
    DB_RESULT result =
        db_answer(&w->db, PQsendQuery(w->db.conn,
                                      "SELECT current_setting('max_locks_per_transaction')::int8 * "
                                      "(current_setting('max_connections')::int8 + "
                                      "current_setting('max_prepared_transactions')::int8)"));
    int64_t room = 0;

    if (PQresultStatus(result) != PGRES_TUPLES_OK)
        return db_fail(&w->db, result, err);
    for (const char *c = PQgetvalue(result, 0, 0); *c >= '0' && *c <= '9'; c++)
        room = room * 10 + (*c - '0');
    w->most_locks = (size_t)(room / 2 / w->cfg->ingest_workers);
    return true;
}

bool writer_connect(struct writer *w, struct err *err)
{
    /* Every statement of a writer looks rows up by key; a plan made while tables were small would scan them for ever. */
    static const char session[] =
        "SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off;"
        "SET enable_bitmapscan = off; SET enable_material = off;"
        "SET jit = off; SET lock_timeout = '5s'";

    if (db_is_open(&w->db))
        return true;
    disconnect(w);
    w->lock_prepared = false;
    write_shared_disconnected(w->shared);
    trace_rows_disconnected(w->traces);
    log_rows_disconnected(w->logs);
    counting_disconnected(w->counting);
    forget_days(w);
    if (!db_open(&w->db, w->conninfo, DB_WRITE, w->cfg->export_timeout_ms, err))
        return false;
    stats_add(STAT_POOL_CONNECTIONS, 1);
    if (db_exec(&w->db, session, err) && db_exec(&w->db, sql_write_stage, err) &&
        db_exec(&w->db, sql_write_trace_stage, err) && read_lock_room(w, err))
        return true;
    disconnect(w);
    return false;
}

static int64_t *day_slot(struct writer *w, int64_t day)
{
    size_t at = (size_t)((uint64_t)day % KNOWN_DAYS);

    while (w->known_days[at] != INT64_MIN && w->known_days[at] != day)
        at = (at + 1) % KNOWN_DAYS;
    return &w->known_days[at];
}

static bool ensure_days(struct writer *w, const int64_t days[], size_t day_count, struct err *err)
{
    bool missing = false;

    for (size_t i = 0; i < day_count; i++)
        missing |= *day_slot(w, days[i]) == INT64_MIN;
    if (!missing)
        return true;
    if (!chunks_ensure_days(&w->db, days, day_count, err))
        return false;
    for (size_t i = 0; i < day_count; i++) {
        if (w->known_day_count >= KNOWN_DAYS / 2)
            forget_days(w);
        *day_slot(w, days[i]) = days[i];
        w->known_day_count++;
    }
    return true;
}

/* Traces of the batch, response ids of the batch, traces that an earlier attempt needed: one list,
 * in the order in which every process takes them. */
static bool collect_locks(struct writer *w, struct err *err)
{
    int64_t *keys;
    size_t count;
    size_t kept;

    buf_clear(&w->locks);
    buf_add(&w->locks, w->plan.trace_keys, w->plan.trace_count * sizeof(*w->plan.trace_keys));
    counting_locks(w->counting, &w->locks, &w->all_locked);
    if (!buf_ok(&w->locks))
        return err_set(err, ERR_UNAVAILABLE, "no memory for %zu locks", w->plan.trace_count);
    keys = (int64_t *)(void *)w->locks.at;
    count = w->locks.len / sizeof(*keys);
    kept = locks_order(keys, count);
    w->locks.len = kept * sizeof(*keys);
    w->all_locked |= kept > w->most_locks;
    return true;
}

static bool begin_locked(struct writer *w, int64_t *out_seq, struct err *err)
{
    struct call call = {0};
    DB_RESULT result = NULL;

    if (!collect_locks(w, err))
        return false;
    pg_array_clear(&w->tenants);
    pg_array_clear(&w->lock_keys);
    for (size_t i = 0; i < w->plan.tenant_count; i++)
        pg_array_int4(&w->tenants, (int32_t)w->plan.tenants[i]);
    for (size_t at = 0; !w->all_locked && at < w->locks.len; at += sizeof(int64_t)) {
        int64_t key;

        memcpy(&key, w->locks.at + at, sizeof(key));
        pg_array_int8(&w->lock_keys, key);
    }
    call_array(&call, INT4ARRAYOID, &w->tenants);
    call_array(&call, INT8ARRAYOID, &w->lock_keys);
    call_bool(&call, w->all_locked);
    if (!buf_ok(&w->lock_keys.bytes))
        return err_set(err, ERR_UNAVAILABLE, "no memory for %zu locks", w->plan.trace_count);
    if (!call_begin(&w->db, "write_lock", &w->lock_prepared, sql_write_lock, &call, &result, err))
        return false;
    if (PQntuples(result) != 1 || PQgetlength(result, 0, 1) != 8)
        return err_set(err, ERR_INTERNAL, "write_lock answered without a sequence number");
    *out_seq = (int64_t)read_be64((const uint8_t *)PQgetvalue(result, 0, 1));
    return true;
}

static bool has_rows(const struct write_plan *plan, bool staged)
{
    for (size_t i = 0; i < plan->count; i++)
        if (plan->items[i].winner == i && plan->items[i].staged == staged)
            return true;
    return false;
}

/* COPY of what is new in all likelihood. A key that was there makes everything a matter for staging. */
static bool copy_new(struct writer *w, struct write_item *items, struct err *err)
{
    struct write_plan *plan = &w->plan;

    if (!has_rows(plan, /* staged= */ false))
        return true;
    if (versions_copy(&w->db, plan, items, /* staged= */ false, &w->scratch, err)) {
        for (size_t i = 0; i < plan->count; i++)
            if (plan->items[i].winner == i && !plan->items[i].staged)
                items[i].outcome = WRITE_NEW;
        return true;
    }
    if (err->kind != ERR_CONFLICT)
        return false;
    stats_add(STAT_CONFLICT_BATCHES, 1);
    for (size_t i = 0; i < plan->count; i++)
        plan->items[i].staged = true;
    return db_exec(&w->db, "ROLLBACK TO SAVEPOINT spans", err);
}

static bool commit(struct writer *w, struct err *err)
{
    if (w->cfg->test_commit_delay_ms > 0) {
        const struct timespec pause = {.tv_sec = w->cfg->test_commit_delay_ms / 1000,
                                       .tv_nsec = w->cfg->test_commit_delay_ms % 1000 * NS_PER_MS};
        (void)nanosleep(&pause, NULL);
    }
    DB_RESULT result = db_answer(&w->db, PQsendQuery(w->db.conn, "COMMIT"));
    if (PQresultStatus(result) != PGRES_COMMAND_OK)
        return db_fail(&w->db, result, err);
    /* COMMIT of a failed transaction is answered with ROLLBACK, not with an error. */
    return strcmp(PQcmdStatus(result), "COMMIT") == 0 ||
           err_set(err, ERR_UNAVAILABLE, "COMMIT was answered %s", PQcmdStatus(result));
}

/* Trace rows, behind a new judgement of those traces of which the batch does not know enough. */
static bool write_traces(struct writer *w, const struct write_item *items, size_t count,
                         const struct buf *locked, struct err *err)
{
    const struct counting_trace *traces;
    size_t trace_count;

    buf_clear(&w->changed);
    return trace_rows_begin(w->traces, &w->db, items, count, err) &&
           trace_rows_ambiguous(w->traces, w->counting, &traces, &trace_count, err) &&
           settle_traces(w->counting, &w->db, traces, trace_count, items, count, locked,
                         &w->changed, err) &&
           trace_rows_finish(w->traces, &w->db, &w->changed, err);
}

static bool write_once(struct writer *w, struct write_item *items, size_t count, struct err *err)
{
    const int64_t today = clock_day(clock_wall_ns());
    const struct buf *locked;

    if (!begin_locked(w, &w->plan.ingest_seq, err))
        return false;
    locked = w->all_locked ? NULL : &w->locks;
    if (!counting_judge(w->counting, &w->db, items, locked, err) ||
        !write_shared_write(w->shared, &w->db, items, count, today, err) ||
        !copy_new(w, items, err))
        return false;
    if (has_rows(&w->plan, /* staged= */ true) &&
        !versions_write(&w->db, &w->plan, items, &w->scratch, err))
        return false;
    return payload_rows_write(&w->db, items, count, &w->scratch, err) &&
           write_traces(w, items, count, locked, err) && commit(w, err);
}

static void roll_back(struct writer *w)
{
    struct err ignored; /* the first failure is the cause */

    write_shared_forget(w->shared);
    if (!db_is_open(&w->db) || PQtransactionStatus(w->db.conn) == PQTRANS_ACTIVE ||
        PQpipelineStatus(w->db.conn) != PQ_PIPELINE_OFF) {
        disconnect(w); /* in the middle of a COPY or of an answer: the session cannot go on */
        return;
    }
    if (PQtransactionStatus(w->db.conn) != PQTRANS_IDLE && !db_exec(&w->db, "ROLLBACK", &ignored))
        disconnect(w);
}

/* Whether the same batch may succeed at once: a chunk is missing, a neighbour was in the way. Not: the database is away. */
static bool worth_another(struct writer *w, const struct err *err)
{
    if (!db_is_open(&w->db))
        return false;
    if (err->kind == ERR_NO_CHUNK)
        forget_days(w);
    return err->kind == ERR_NO_CHUNK || err->kind == ERR_CONFLICT || err->kind == ERR_CONTENDED;
}

/* What must stand before the spans are sent. Nothing that fails here says anything about them: a refused password must not become a refused span. */
static bool make_ready(struct writer *w, struct write_item *items, size_t count, struct err *err)
{
    if (writer_connect(w, err) && write_plan_make(&w->plan, items, count, w->seen, err) &&
        counting_plan(w->counting, &w->plan, items, err) &&
        ensure_days(w, w->plan.days, w->plan.day_count, err))
        return true;
    if (err->kind == ERR_BAD_INPUT)
        err->kind = ERR_UNAVAILABLE;
    return false;
}

/* Whether the attempt that failed is to be made again; else err says what callers may know. fresh:
 * the connection was opened for it. A connection that was found dead says nothing about the database:
 * it was restarted perhaps. */
static bool try_again(struct writer *w, int attempt, int64_t begin, bool fresh, struct err *err)
{
    roll_back(w);
    if (attempt < MOST_ATTEMPTS &&
        clock_mono_ns() - begin <= w->cfg->export_timeout_ms * NS_PER_MS &&
        (worth_another(w, err) || (!fresh && attempt == 1 && !db_is_open(&w->db)))) {
        stats_add(STAT_TRANSACTIONS_RETRIED, 1);
        return true;
    }
    if (err->kind == ERR_NO_CHUNK || err->kind == ERR_CONFLICT || err->kind == ERR_CONTENDED)
        err->kind = ERR_UNAVAILABLE;
    return false;
}

bool writer_write(struct writer *w, struct write_item *items, size_t count, struct err *err)
{
    const int64_t begin = clock_mono_ns();

    counting_begin(w->counting);
    for (int attempt = 1;; attempt++) {
        const bool fresh = !db_is_open(&w->db);

        if (make_ready(w, items, count, err) && (count == 0 || write_once(w, items, count, err)))
            break;
        if (!try_again(w, attempt, begin, fresh, err))
            return false;
    }
    stats_commit_time(clock_mono_ns() - begin);
    stats_add(STAT_TRANSACTIONS, 1);
    seen_add(w->seen, w->plan.hashes, count);
    buf_shrink(&w->scratch, SCRATCH_KEEP_BYTES);
    return true;
}

/* As make_ready: a connection, and chunks for the days of the records. */
static bool make_ready_for_logs(struct writer *w, const struct log_item *items, size_t count,
                                struct err *err)
{
    int64_t days[64];
    size_t day_count = 0;
    bool ready = writer_connect(w, err);

    for (size_t i = 0; ready && i < count; i++) {
        const int64_t day = clock_day(items[i].row->time_unix_ns);

        if (day_count == 0 || days[day_count - 1] != day)
            days[day_count++] = day;
        if (day_count == sizeof(days) / sizeof(days[0]) || i + 1 == count) {
            ready = ensure_days(w, days, day_count, err);
            day_count = 0;
        }
    }
    if (!ready && err->kind == ERR_BAD_INPUT)
        err->kind = ERR_UNAVAILABLE;
    return ready;
}

bool writer_write_logs(struct writer *w, struct log_item *items, size_t count, size_t *out_written,
                       struct err *err)
{
    const int64_t begin = clock_mono_ns();

    for (int attempt = 1;; attempt++) {
        const bool fresh = !db_is_open(&w->db);

        if (make_ready_for_logs(w, items, count, err) && db_exec(&w->db, "BEGIN", err) &&
            log_rows_write(w->logs, &w->db, items, count, out_written, err) && commit(w, err))
            break;
        if (!try_again(w, attempt, begin, fresh, err))
            return false;
    }
    stats_commit_time(clock_mono_ns() - begin);
    stats_add(STAT_TRANSACTIONS, 1);
    return true;
}
