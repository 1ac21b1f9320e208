/* Columns to fields: the order of schema/query/trace_spans.sql. */
#include "store/span_row.h"

#include "base/clock.h"

enum column {
    SPAN_ID,
    START_TIME,
    KIND,
    START_NS,
    DURATION_NS,
    PARENT_SPAN_ID,
    STATUS_CODE,
    OUTCOME,
    MARKS,
    RECEIVED_AT,
    OTHER_VERSIONS,
    NAME,
    SERVICE_NAME,
    STATUS_MESSAGE,
    RESOURCE_ID,
    SCOPE_ID,
    ATTRIBUTE_COUNT,
    CONTENT_HASH,
    INGEST_SEQ,
    FLAGS,
    DROPPED_ATTRIBUTES,
    DROPPED_EVENTS,
    DROPPED_LINKS,
    ATTRIBUTES,
    TRACE_STATE,
    ERROR_TYPE,
    EVENTS,
    LINKS,
    EXACT,
};

static void read_skeleton(struct row *row, struct stored_span *span)
{
    span->span_id = row_int8(row, SPAN_ID);
    span->start_unix_ns = row_time_us(row, START_TIME) * NS_PER_US + row_int2(row, START_NS);
    span->kind = row_int4(row, KIND);
    span->duration_ns = row_int8(row, DURATION_NS);
    span->has_parent = !row_is_null(row, PARENT_SPAN_ID);
    span->parent_span_id = row_int8_or_0(row, PARENT_SPAN_ID);
    span->status_code = row_int4(row, STATUS_CODE);
    span->outcome = (enum span_outcome)row_int2(row, OUTCOME);
    span->marks = (unsigned)row_int4(row, MARKS);
    span->received_ns = row_time_us(row, RECEIVED_AT) * NS_PER_US;
    span->other_versions = (uint32_t)row_int4(row, OTHER_VERSIONS);
    span->name = row_text(row, NAME);
    span->service_name = row_text(row, SERVICE_NAME);
    span->status_message = row_text_or_empty(row, STATUS_MESSAGE);
}

static bool read_payload(struct row *row, struct shared_rows *shared, struct stored_span *span)
{
    const struct uuid resource_id = row_uuid(row, RESOURCE_ID);
    const struct uuid scope_id = row_uuid(row, SCOPE_ID);

    span->resource = shared_rows_resource(shared, &resource_id);
    span->scope = shared_rows_scope(shared, &scope_id);
    if (!span->resource || !span->scope) {
        row->failed = !err_set(row->err, ERR_TOO_LARGE, "the trace does not fit into %zu bytes",
                               row->arena->max_bytes);
        return false;
    }
    span->attribute_count = (uint32_t)row_int4(row, ATTRIBUTE_COUNT);
    span->content_hash = row_int8(row, CONTENT_HASH);
    span->ingest_seq = row_int8(row, INGEST_SEQ);
    span->flags = (uint32_t)row_int8_or_0(row, FLAGS);
    span->dropped_attributes = (uint32_t)row_int8_or_0(row, DROPPED_ATTRIBUTES);
    span->dropped_events = (uint32_t)row_int8_or_0(row, DROPPED_EVENTS);
    span->dropped_links = (uint32_t)row_int8_or_0(row, DROPPED_LINKS);
    span->attributes = row_text(row, ATTRIBUTES);
    span->trace_state = row_text_or_empty(row, TRACE_STATE);
    span->error_type = row_text_or_empty(row, ERROR_TYPE);
    span->events = row_text_or_empty(row, EVENTS);
    span->links = row_text_or_empty(row, LINKS);
    span->exact = row_text_or_empty(row, EXACT);
    return row_ok(row);
}

bool span_row_read(struct row *row, bool full, struct shared_rows *shared, struct stored_span *span)
{
    read_skeleton(row, span);
    if (!row_ok(row))
        return false;
    return !full || read_payload(row, shared, span);
}
