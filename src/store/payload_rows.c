/* Payloads of a batch. */
#include "store/payload_rows.h"

#include "queries.h"
#include "store/call.h"
#include "store/copy.h"
#include "store/pgtypes.h"

#define KEYS_MAX_BYTES (256U << 20)

static const char columns[] =
    "start_time, trace_id, span_id, tenant_id, kind, trace_bucket, attributes, events";
#define FIELDS 8

static void add_field(struct buf *out, const void *value, size_t len)
{
    uint8_t be[4];

    put_be32(be, (uint32_t)len);
    buf_add(out, be, sizeof(be));
    buf_add(out, value, len);
}

static void add_text_or_null(struct buf *out, struct bytes text)
{
    static const uint8_t null[4] = {0xff, 0xff, 0xff, 0xff};

    if (text.len > 0)
        add_field(out, text.at, text.len);
    else
        buf_add(out, null, sizeof(null));
}

static void add_row(struct buf *out, const struct stored_span *row)
{
    uint8_t be[8];

    put_be16(be, FIELDS);
    buf_add(out, be, 2);
    put_be64(be, (uint64_t)pg_timestamp(row->start_unix_ns));
    add_field(out, be, 8);
    add_field(out, row->trace_id.at, sizeof(row->trace_id.at));
    put_be64(be, (uint64_t)row->span_id);
    add_field(out, be, 8);
    put_be32(be, (uint32_t)row->tenant_id);
    add_field(out, be, 4);
    put_be32(be, (uint32_t)row->kind);
    add_field(out, be, 4);
    put_be16(be, (uint16_t)row->trace_bucket);
    add_field(out, be, 2);
    add_text_or_null(out, row->payload->attributes);
    add_text_or_null(out, row->payload->events);
}

static bool has_replaced(const struct write_item *items, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (items[i].outcome == WRITE_REPLACED)
            return true;
    return false;
}

/* tenant, bucket, trace id, span id, start, kind */
static const Oid element_types[6] = {INT4OID, INT2OID, UUIDOID, INT8OID, TIMESTAMPTZOID, INT4OID};
static const Oid array_types[6] = {INT4ARRAYOID, INT2ARRAYOID,        UUIDARRAYOID,
                                   INT8ARRAYOID, TIMESTAMPTZARRAYOID, INT4ARRAYOID};

static bool run_removal(struct db *db, struct pg_array keys[6], int64_t since_ns, int64_t until_ns,
                        struct err *err)
{
    struct call call = {0};

    for (size_t i = 0; i < 6; i++) {
        if (!buf_ok(&keys[i].bytes))
            return err_set(err, ERR_UNAVAILABLE, "no memory to replace payloads");
        call_array(&call, array_types[i], &keys[i]);
    }
    call_timestamp(&call, since_ns);
    call_timestamp(&call, until_ns);
    return call_run(db, NULL, NULL, sql_write_payload_delete, &call, NULL, err);
}

static bool remove_replaced(struct db *db, const struct write_item *items, size_t count,
                            struct err *err)
{
    struct pg_array keys[6];
    int64_t since_ns = INT64_MAX;
    int64_t until_ns = INT64_MIN;
    bool done;

    for (size_t i = 0; i < 6; i++)
        pg_array_init(&keys[i], element_types[i], KEYS_MAX_BYTES);
    for (size_t i = 0; i < count; i++) {
        const struct stored_span *row = items[i].row;

        if (items[i].outcome != WRITE_REPLACED)
            continue;
        pg_array_int4(&keys[0], row->tenant_id);
        pg_array_int2(&keys[1], row->trace_bucket);
        pg_array_uuid(&keys[2], &row->trace_id);
        pg_array_int8(&keys[3], row->span_id);
        pg_array_int8(&keys[4], pg_timestamp(row->start_unix_ns));
        pg_array_int4(&keys[5], row->kind);
        since_ns = row->start_unix_ns < since_ns ? row->start_unix_ns : since_ns;
        until_ns = row->start_unix_ns > until_ns ? row->start_unix_ns : until_ns;
    }
    done = run_removal(db, keys, since_ns, until_ns, err);
    for (size_t i = 0; i < 6; i++)
        pg_array_done(&keys[i]);
    return done;
}

bool payload_rows_write(struct db *db, const struct write_item *items, size_t count,
                        struct buf *scratch, struct err *err)
{
    if (has_replaced(items, count) && !remove_replaced(db, items, count, err))
        return false;
    buf_clear(scratch);
    for (size_t i = 0; i < count; i++)
        if (items[i].row->payload &&
            (items[i].outcome == WRITE_NEW || items[i].outcome == WRITE_REPLACED))
            add_row(scratch, items[i].row);
    if (!buf_ok(scratch))
        return count > 1
                   ? err_set(err, ERR_TOO_LARGE, "the payloads of %zu spans do not fit", count)
                   : err_set(err, ERR_UNAVAILABLE, "no memory for the payload of a span");
    return scratch->len == 0 ||
           copy_rows(db, "spanledger.span_payload", columns, buf_bytes(scratch), err);
}
