/* Log records of a batch. */
#include "work/ingest_logs.h"

#include <stdlib.h>

#include "base/log.h"
#include "base/stats.h"
#include "otlp/logs.h"

#define FIRST_CAP 256

void ingest_logs_done(struct ingest_logs *logs)
{
    free(logs->items);
    free(logs->owners);
}

static bool room_for(struct ingest_logs *logs, size_t more, struct err *err)
{
    size_t cap = logs->cap ? logs->cap : FIRST_CAP;
    struct log_item *items;
    struct ingest_log_owner *owners;

    if (more <= logs->cap - logs->count)
        return true;
    while (cap - logs->count < more)
        cap *= 2;
    items = realloc(logs->items, cap * sizeof(*items));
    if (items)
        logs->items = items;
    owners = realloc(logs->owners, cap * sizeof(*owners));
    if (owners)
        logs->owners = owners;
    if (!items || !owners)
        return err_set(err, ERR_UNAVAILABLE, "no memory for %zu log records", cap);
    logs->cap = cap;
    return true;
}

static void reject(const struct ingest_log_owner *owner, const char *reason)
{
    otlp_partial_reject(&owner->outcome->partial, owner->resource_index, owner->scope_index,
                        owner->record_index, reason);
}

bool ingest_logs_decode(struct ingest_logs *logs, struct bytes message, enum otlp_encoding encoding,
                        const struct otlp_limits *limits, int32_t tenant_id, int64_t received_ns,
                        struct arena *arena, struct ingest_outcome *outcome, struct err *err)
{
    struct log_array sent = {0};
    size_t cut = 0;

    outcome->partial.signal = OTLP_LOGS;
    if (!(encoding == OTLP_JSON ? otlp_logs_from_json(message, limits, arena, &sent, err)
                                : otlp_logs_from_protobuf(message, limits, arena, &sent, err)) ||
        !room_for(logs, sent.count, err))
        return false;
    for (size_t i = 0; i < sent.count; i++) {
        struct log_record *log = &sent.items[i];
        const struct ingest_log_owner owner = {outcome, log->resource_index, log->scope_index,
                                               log->record_index};
        struct stored_log *row;

        if (!otlp_check_log(log, arena)) {
            reject(&owner, log->fault);
            continue;
        }
        row = arena_new(arena, struct stored_log);
        if (!row)
            return err_set(err, ERR_TOO_LARGE, "request needs more memory than decode_max_bytes");
        if (!otlp_log_to_stored(log, tenant_id, received_ns, arena, row, err))
            return false;
        logs->items[logs->count] = (struct log_item){.row = row, .position = (uint32_t)i};
        logs->owners[logs->count++] = owner;
        cut += (log->marks & (SPAN_MARK_TRUNCATED | SPAN_MARK_TOO_DEEP)) != 0;
    }
    otlp_partial_cut(&outcome->partial, cut, limits->max_attributes, limits->max_depth);
    return true;
}

static void fail(const struct ingest_logs *logs, size_t first, size_t count, const struct err *err)
{
    for (size_t i = first; i < first + count; i++) {
        logs->owners[i].outcome->err = *err;
        logs->owners[i].outcome->failed = true;
    }
}

/* What the writer said of items [first, first + count), told to their requests. */
static void tell(const struct ingest_logs *logs, size_t first, size_t count, size_t written)
{
    size_t refused = 0;

    for (size_t i = first; i < first + count; i++) {
        if (!logs->items[i].refused)
            continue;
        reject(&logs->owners[i], "its trace has as many log records as it may");
        refused++;
    }
    stats_add(STAT_LOGS_ACCEPTED, (int64_t)written);
    stats_add(STAT_LOGS_DUPLICATE, (int64_t)(count - refused - written));
}

/* As the ranges of spans: halved where the database refuses a value, records being independent of
 * each other. False: nothing more can be written now. */
static bool write_range(struct ingest_logs *logs, struct writer *writer, size_t first, size_t count,
                        bool *out_halve)
{
    struct err err = {0};
    size_t written = 0;
    const bool done = writer_write_logs(writer, logs->items + first, count, &written, &err);
    const bool refused = !done && (err.kind == ERR_BAD_INPUT || err.kind == ERR_TOO_LARGE);

    *out_halve = refused && count > 1;
    if (done) {
        tell(logs, first, count, written);
        return true;
    }
    if (*out_halve)
        return true;
    if (refused) {
        log_limited(LOG_WARN, "ingest", "the database refuses a log record, rejected", "cause='%s'",
                    err.text);
        reject(&logs->owners[first], "the database refuses a value of this record");
        return true;
    }
    log_limited(err.kind == ERR_INTERNAL ? LOG_ERROR : LOG_WARN, "ingest",
                "log records were not written, senders are told to come again",
                "kind=%s cause='%s' records=%zu", err_kind_name(err.kind), err.text, count);
    stats_add(STAT_TRANSACTIONS_FAILED, 1);
    fail(logs, first, logs->count - first, &err);
    return false;
}

void ingest_logs_write(struct ingest_logs *logs, struct writer *writer)
{
    struct range {
        size_t first;
        size_t count;
    } stack[64] = {{0, logs->count}}; /* as deep as the logarithm of the batch */
    size_t depth = logs->count > 0;

    while (depth > 0) {
        const struct range r = stack[--depth];
        const size_t half = r.count / 2;
        bool halve;

        if (!write_range(logs, writer, r.first, r.count, &halve))
            return;
        if (halve) {
            stack[depth++] = (struct range){r.first + half, r.count - half};
            stack[depth++] = (struct range){r.first, half};
        }
    }
}
