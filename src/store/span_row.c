/* Columns to fields: the order of schema/query/span_read_skeleton.txt and span_read_whole.txt. */
#include "store/span_row.h"

#include "base/clock.h"
#include "model/payload.h"

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
    OBSERVATION_TYPE,
    MEANING_FLAGS,
    PROVIDER,
    MODEL,
    REQUEST_MODEL,
    LEVEL,
    COMPLETION_START_TIME,
    USAGE,
    COST,
    BILLABLE,
    BILLING_REASON,
    DUPLICATE_OF_TRACE_ID,
    DUPLICATE_OF_SPAN_ID,
    SKELETON_COLUMNS,
    RESOURCE_ID = SKELETON_COLUMNS,
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
    SESSION_ID,
    USER_ID,
    ENVIRONMENT,
    PROJECT,
    RELEASE,
    AGENT_NAME,
    PROMPT_NAME,
    PROMPT_VERSION,
    TRACE_NAME,
    TAGS,
    MEANING_END,
    PAYLOAD_ATTRIBUTES = MEANING_END,
    PAYLOAD_EVENTS,
};

static bool has_any(const struct row *row, int first, int end)
{
    for (int c = first; c < end; c++)
        if (!row_is_null(row, c))
            return true;
    return false;
}

enum observation span_row_observation(struct bytes name)
{
    for (unsigned o = 0; o < OBSERVATION_COUNT; o++)
        if (bytes_is(name, observation_name((enum observation)o)))
            return (enum observation)o;
    return OBSERVATION_SPAN;
}

/* Rule, kinds, total, parts of kinds. */
void span_row_usage(struct row *row, int column, struct token_usage *usage)
{
    int64_t items[1 + TOKEN_KIND_COUNT + 3];

    if (!row_int8s(row, column, items, sizeof(items) / sizeof(items[0]), /* if_null= */ 0))
        return;
    usage->sent = true;
    usage->rule = (enum usage_rule)items[0];
    memcpy(usage->tokens, &items[1], sizeof(usage->tokens));
    usage->total = items[1 + TOKEN_KIND_COUNT];
    usage->cached_audio = items[1 + TOKEN_KIND_COUNT + 1];
    usage->image_output = items[1 + TOKEN_KIND_COUNT + 2];
}

static int64_t known_or_0(int64_t cost)
{
    return cost == COST_UNKNOWN ? 0 : cost;
}

/* Source, kinds, request, computed, reported, total, price. */
void span_row_cost(struct row *row, int column, struct cost *cost)
{
    int64_t items[1 + TOKEN_KIND_COUNT + 5];
    const int64_t *rest = &items[1 + TOKEN_KIND_COUNT];

    *cost =
        (struct cost){.total = COST_UNKNOWN, .computed = COST_UNKNOWN, .reported = COST_UNKNOWN};
    if (!row_int8s(row, column, items, sizeof(items) / sizeof(items[0]), COST_UNKNOWN))
        return;
    cost->source = (enum cost_source)known_or_0(items[0]);
    for (size_t i = 0; i < TOKEN_KIND_COUNT; i++)
        cost->by_kind[i] = known_or_0(items[1 + i]);
    cost->request = known_or_0(rest[0]);
    cost->computed = rest[1];
    cost->reported = rest[2];
    cost->total = rest[3];
    cost->price_id = (uint64_t)known_or_0(rest[4]);
}

static void read_meaning_texts(struct row *row, struct meaning *m)
{
    m->session_id = row_text_or_empty(row, SESSION_ID);
    m->user_id = row_text_or_empty(row, USER_ID);
    m->environment = row_text_or_empty(row, ENVIRONMENT);
    m->project = row_text_or_empty(row, PROJECT);
    m->release = row_text_or_empty(row, RELEASE);
    m->agent_name = row_text_or_empty(row, AGENT_NAME);
    m->prompt_name = row_text_or_empty(row, PROMPT_NAME);
    m->prompt_version = row_text_or_empty(row, PROMPT_VERSION);
    m->trace_name = row_text_or_empty(row, TRACE_NAME);
    m->tags = row_texts(row, TAGS, &m->tag_count);
}

/* Spans without any of these columns, most of them, have no meaning at all. */
static void read_meaning(struct row *row, bool full, struct stored_span *span)
{
    enum { STATUS_ERROR = 2 };
    struct meaning *m;

    if (!has_any(row, OBSERVATION_TYPE, SKELETON_COLUMNS) &&
        !(full && has_any(row, SESSION_ID, MEANING_END)))
        return;
    m = arena_new(row->arena, struct meaning);
    if (!m) {
        row->failed = !err_set(row->err, ERR_TOO_LARGE, "the trace does not fit into %zu bytes",
                               row->arena->max_bytes);
        return;
    }
    m->observation = span_row_observation(row_text_or_empty(row, OBSERVATION_TYPE));
    m->flags = (unsigned)row_int4_or_0(row, MEANING_FLAGS) &
               ~(unsigned)(STORED_FLAG_COUNTED | STORED_FLAG_PLAIN);
    m->provider = row_text_or_empty(row, PROVIDER);
    m->model = row_text_or_empty(row, MODEL);
    m->request_model = row_text_or_empty(row, REQUEST_MODEL);
    m->level = row_text_or_empty(row, LEVEL);
    if (!row_is_null(row, COMPLETION_START_TIME))
        m->completion_start_ns = row_time_us(row, COMPLETION_START_TIME) * NS_PER_US;
    span_row_usage(row, USAGE, &m->usage);
    span_row_cost(row, COST, &m->cost);
    m->reported_cost = m->cost.reported;
    m->failed = span->outcome == SPAN_FAILED && span->status_code != STATUS_ERROR;
    if (full)
        read_meaning_texts(row, m);
    span->meaning = m;
}

static void read_billing(struct row *row, struct billing *billing)
{
    billing->billable = row_bool_or_false(row, BILLABLE);
    billing->reason = (enum billing_reason)row_int2_or_0(row, BILLING_REASON);
    billing->is_duplicate = !row_is_null(row, DUPLICATE_OF_TRACE_ID);
    if (!billing->is_duplicate)
        return;
    billing->duplicate_of_trace_id = row_uuid(row, DUPLICATE_OF_TRACE_ID);
    billing->duplicate_of_span_id = row_int8_or_0(row, DUPLICATE_OF_SPAN_ID);
}

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
    return row_ok(row) &&
           payload_join(span, row_text_or_empty(row, PAYLOAD_ATTRIBUTES),
                        row_text_or_empty(row, PAYLOAD_EVENTS), row->arena, row->err);
}

bool span_row_read(struct row *row, bool full, struct shared_rows *shared, struct stored_span *span)
{
    read_skeleton(row, span);
    read_meaning(row, full, span);
    read_billing(row, &span->billing);
    if (!row_ok(row))
        return false;
    return !full || read_payload(row, shared, span);
}
