/* Trace rows in the binary form of COPY. */
#include "store/trace_copy.h"

#include "store/pg_time.h"
#include "store/pgtypes.h"

const char trace_copy_columns[] =
    "day, tenant_id, trace_bucket, trace_id, start_ns, end_ns, last_received, first_span_id, "
    "first_name, first_service, root_start_ns, root_span_id, root_name, root_service, span_count, "
    "error_count, roots_ended, roots_failed, roots_cancelled, roots_unfinished, multi_day, "
    "services";

#define TRACE_FIELDS 22

static void add_field(struct buf *out, const void *value, size_t len)
{
    uint8_t be[4];

    put_be32(be, (uint32_t)len);
    buf_add(out, be, sizeof(be));
    buf_add(out, value, len);
}

static void add_null(struct buf *out)
{
    static const uint8_t null[4] = {0xff, 0xff, 0xff, 0xff};
    buf_add(out, null, sizeof(null));
}

static void add_int8(struct buf *out, int64_t value)
{
    uint8_t be[8];

    put_be64(be, (uint64_t)value);
    add_field(out, be, sizeof(be));
}

static void add_int4(struct buf *out, int32_t value)
{
    uint8_t be[4];

    put_be32(be, (uint32_t)value);
    add_field(out, be, sizeof(be));
}

static void add_services(struct buf *out, const struct trace_sum *sum)
{
    const uint32_t one_dimension[] = {1, 0, TEXTOID, sum->service_count, 1};
    const size_t length_at = out->len;
    uint8_t be[4] = {0};

    buf_add(out, be, sizeof(be));
    for (size_t i = 0; i < sizeof(one_dimension) / sizeof(one_dimension[0]); i++) {
        put_be32(be, one_dimension[i]);
        buf_add(out, be, sizeof(be));
    }
    for (uint32_t i = 0; i < sum->service_count; i++)
        add_field(out, sum->services[i].at, sum->services[i].len);
    if (buf_ok(out))
        put_be32(out->at + length_at, (uint32_t)(out->len - length_at - 4));
}

static void add_root(struct buf *out, const struct stored_span *root)
{
    if (!root) {
        for (int i = 0; i < 4; i++)
            add_null(out);
        return;
    }
    add_int8(out, root->start_unix_ns);
    add_int8(out, root->span_id);
    add_field(out, root->name.at, root->name.len);
    add_field(out, root->service_name.at, root->service_name.len);
}

void trace_copy_row(struct buf *out, const struct trace_sum *sum)
{
    const uint8_t multi_day = sum->multi_day;
    uint8_t be[2];

    put_be16(be, TRACE_FIELDS);
    buf_add(out, be, sizeof(be));
    add_int4(out, pg_date(sum->day));
    add_int4(out, sum->tenant_id);
    put_be16(be, (uint16_t)sum->bucket);
    add_field(out, be, sizeof(be));
    add_field(out, sum->trace_id.at, sizeof(sum->trace_id.at));
    add_int8(out, sum->start_ns);
    add_int8(out, sum->end_ns);
    add_int8(out, pg_timestamp(sum->last_received_ns));
    add_int8(out, sum->first->span_id);
    add_field(out, sum->first->name.at, sum->first->name.len);
    add_field(out, sum->first->service_name.at, sum->first->service_name.len);
    add_root(out, sum->root);
    add_int4(out, sum->span_count);
    add_int4(out, sum->error_count);
    for (size_t i = 0; i <= SPAN_UNFINISHED; i++)
        add_int4(out, sum->roots[i]);
    add_field(out, &multi_day, 1);
    add_services(out, sum);
}
