/* Rows of COPY in binary form. */
#include "store/pgcopy.h"

#include <stddef.h>

#include "ledger/fold.h"
#include "store/pg_time.h"
#include "store/pgtypes.h"

void pgcopy_begin(struct buf *out)
{
    /* signature, flags, length of the header's extension */
    static const uint8_t header[] = {'P', 'G', 'C', 'O', 'P', 'Y', '\n', 0xff, '\r', '\n',
                                     0,   0,   0,   0,   0,   0,   0,    0,    0};
    buf_add(out, header, sizeof(header));
}

void pgcopy_end(struct buf *out)
{
    static const uint8_t trailer[] = {0xff, 0xff};
    buf_add(out, trailer, sizeof(trailer));
}

/*
 * The fixed part of a row is laid out by a struct of exactly these bytes, so that it is written at
 * once and ingest_seq has a known place. Each pair of members is a field: its length, its
 * big-endian value.
 */
struct __attribute__((packed)) fixed_part {
    uint16_t field_count;
    uint32_t start_time_len;
    uint64_t start_time;
    uint32_t trace_id_len;
    uint8_t trace_id[16];
    uint32_t span_id_len;
    uint64_t span_id;
    uint32_t duration_len;
    uint64_t duration;
    uint32_t content_hash_len;
    uint64_t content_hash;
    uint32_t received_len;
    uint64_t received;
    uint32_t seq_len;
    uint64_t seq;
    uint32_t resource_len;
    uint8_t resource[16];
    uint32_t scope_len;
    uint8_t scope[16];
    uint32_t tenant_len;
    uint32_t tenant;
    uint32_t kind_len;
    uint32_t kind;
    uint32_t status_len;
    uint32_t status;
    uint32_t marks_len;
    uint32_t marks;
    uint32_t attribute_count_len;
    uint32_t attribute_count;
    uint32_t bucket_len;
    uint16_t bucket;
    uint32_t start_ns_len;
    uint16_t start_ns;
    uint32_t outcome_len;
    uint16_t outcome;
};

#define SPAN_FIELDS 81    /* of schema/query/span_columns.txt */
#define MEANING_FIELDS 50 /* the last of them: what a span means */
#define NULL_FIELD UINT32_MAX

static void add_be32(struct buf *out, uint32_t value)
{
    if (buf_need(out, 4)) {
        put_be32(out->at + out->len, value);
        out->len += 4;
    }
}

static void add_text(struct buf *out, struct bytes text)
{
    if (buf_need(out, 4 + text.len)) {
        put_be32(out->at + out->len, (uint32_t)text.len);
        if (text.len)
            memcpy(out->at + out->len + 4, text.at, text.len);
        out->len += 4 + text.len;
    }
}

static void add_text_or_null(struct buf *out, struct bytes text)
{
    if (text.len == 0)
        add_be32(out, NULL_FIELD);
    else
        add_text(out, text);
}

static void add_int8(struct buf *out, int64_t value)
{
    if (buf_need(out, 12)) {
        put_be32(out->at + out->len, 8);
        put_be64(out->at + out->len + 4, (uint64_t)value);
        out->len += 12;
    }
}

static void add_int8_or_null(struct buf *out, int64_t value)
{
    if (value == 0)
        add_be32(out, NULL_FIELD);
    else
        add_int8(out, value);
}

static uint32_t be32(uint32_t v)
{
    return __builtin_bswap32(v);
}

static uint64_t be64(int64_t v)
{
    return __builtin_bswap64((uint64_t)v);
}

static uint16_t be16(int v)
{
    return __builtin_bswap16((uint16_t)v);
}

static void fill_fixed(struct fixed_part *f, const struct stored_span *row)
{
    const uint32_t eight = be32(8);
    const uint32_t four = be32(4);
    const uint32_t two = be32(2);
    const uint32_t sixteen = be32(16);

    *f = (struct fixed_part){
        .field_count = be16(SPAN_FIELDS),
        .start_time_len = eight,
        .start_time = be64(pg_timestamp(row->start_unix_ns)),
        .trace_id_len = sixteen,
        .span_id_len = eight,
        .span_id = be64(row->span_id),
        .duration_len = eight,
        .duration = be64(row->duration_ns),
        .content_hash_len = eight,
        .content_hash = be64(row->content_hash),
        .received_len = eight,
        .received = be64(pg_timestamp(row->received_ns)),
        .seq_len = eight,
        .resource_len = sixteen,
        .scope_len = sixteen,
        .tenant_len = four,
        .tenant = be32((uint32_t)row->tenant_id),
        .kind_len = four,
        .kind = be32((uint32_t)row->kind),
        .status_len = four,
        .status = be32((uint32_t)row->status_code),
        .marks_len = four,
        .marks = be32(row->marks),
        .attribute_count_len = four,
        .attribute_count = be32(row->attribute_count),
        .bucket_len = two,
        .bucket = be16(row->trace_bucket),
        .start_ns_len = two,
        .start_ns = be16((int)(row->start_unix_ns % NS_PER_US)),
        .outcome_len = two,
        .outcome = be16((int)row->outcome),
    };
    memcpy(f->trace_id, row->trace_id.at, 16);
    memcpy(f->resource, row->resource->id.at, 16);
    memcpy(f->scope, row->scope->id.at, 16);
}

/* How a member of struct meaning becomes a field. */
enum form {
    FORM_TEXT,     /* struct bytes; empty: NULL */
    FORM_RESPONSE, /* struct bytes: its key */
    FORM_TIME,     /* int64_t, ns since 1970; 0: NULL */
    FORM_TEXTS,    /* tags */
};

#define MEMBER(form, name)                                                                         \
    {                                                                                              \
        form, offsetof(struct meaning, name)                                                       \
    }

/* From provider to completion_start_time. */
static const struct member {
    enum form form;
    size_t offset;
} before_usage[] = {
    MEMBER(FORM_TEXT, provider),       MEMBER(FORM_TEXT, model),
    MEMBER(FORM_TEXT, request_model),  MEMBER(FORM_RESPONSE, response_id),
    MEMBER(FORM_TEXT, session_id),     MEMBER(FORM_TEXT, user_id),
    MEMBER(FORM_TEXT, environment),    MEMBER(FORM_TEXT, project),
    MEMBER(FORM_TEXT, release),        MEMBER(FORM_TEXT, level),
    MEMBER(FORM_TEXT, agent_name),     MEMBER(FORM_TEXT, prompt_name),
    MEMBER(FORM_TEXT, prompt_version), MEMBER(FORM_TEXT, trace_name),
    MEMBER(FORM_TEXTS, tags),          MEMBER(FORM_TIME, completion_start_ns),
};

static void add_nulls(struct buf *out, size_t count)
{
    if (buf_need(out, 4 * count)) {
        memset(out->at + out->len, 0xff, 4 * count);
        out->len += 4 * count;
    }
}

static void add_int4_or_null(struct buf *out, uint32_t value)
{
    if (value == 0) {
        add_be32(out, NULL_FIELD);
    } else {
        add_be32(out, 4);
        add_be32(out, value);
    }
}

static void add_int2(struct buf *out, int value)
{
    uint8_t field[6] = {0, 0, 0, 2};

    put_be16(field + 4, (uint16_t)value);
    buf_add(out, field, sizeof(field));
}

static void add_cost(struct buf *out, int64_t cost)
{
    if (cost == COST_UNKNOWN)
        add_be32(out, NULL_FIELD);
    else
        add_int8(out, cost);
}

static void add_texts(struct buf *out, const struct bytes *texts, uint32_t count)
{
    const uint32_t head[] = {1, 0, TEXTOID, count, 1};
    const size_t length_at = out->len;

    if (count == 0) {
        add_be32(out, NULL_FIELD);
        return;
    }
    add_be32(out, 0);
    for (size_t i = 0; i < sizeof(head) / sizeof(head[0]); i++)
        add_be32(out, head[i]);
    for (uint32_t i = 0; i < count; i++)
        add_text(out, texts[i]);
    if (buf_ok(out))
        put_be32(out->at + length_at, (uint32_t)(out->len - length_at - 4));
}

static void add_member(struct buf *out, const struct stored_span *row, const struct member *m)
{
    const void *at = (const char *)row->meaning + m->offset;

    switch (m->form) {
    case FORM_TEXT:
        add_text_or_null(out, *(const struct bytes *)at);
        break;
    case FORM_RESPONSE:
        add_int8_or_null(out,
                         (int64_t)fold_response_key(row->tenant_id, *(const struct bytes *)at));
        break;
    case FORM_TIME:
        if (*(const int64_t *)at == 0)
            add_be32(out, NULL_FIELD);
        else
            add_int8(out, pg_timestamp(*(const int64_t *)at));
        break;
    case FORM_TEXTS:
        add_texts(out, row->meaning->tags, row->meaning->tag_count);
        break;
    }
}

static void add_usage(struct buf *out, const struct token_usage *usage)
{
    if (!usage->sent) {
        add_nulls(out, 1 + TOKEN_KIND_COUNT + 3);
        return;
    }
    add_int2(out, (int)usage->rule);
    for (size_t i = 0; i < TOKEN_KIND_COUNT; i++)
        add_int8_or_null(out, usage->tokens[i]);
    add_int8_or_null(out, usage->total);
    add_int8_or_null(out, usage->cached_audio);
    add_int8_or_null(out, usage->image_output);
}

static void add_costs(struct buf *out, const struct cost *cost)
{
    for (size_t i = 0; i < TOKEN_KIND_COUNT; i++)
        add_int8_or_null(out, cost->by_kind[i]);
    add_int8_or_null(out, cost->request);
    add_cost(out, cost->computed);
    add_cost(out, cost->reported);
    add_cost(out, cost->total);
    if (cost->source == COST_SOURCE_NONE)
        add_be32(out, NULL_FIELD);
    else
        add_int2(out, (int)cost->source);
    add_int8_or_null(out, (int64_t)cost->price_id);
}

static void add_billing(struct buf *out, const struct billing *billing)
{
    static const uint8_t yes[] = {0, 0, 0, 1, 1};

    if (billing->billable)
        buf_add(out, yes, sizeof(yes));
    else
        add_be32(out, NULL_FIELD);
    if (billing->reason == BILLING_REASON_NONE)
        add_be32(out, NULL_FIELD);
    else
        add_int2(out, (int)billing->reason);
    if (!billing->is_duplicate) {
        add_nulls(out, 2);
        return;
    }
    add_be32(out, sizeof(billing->duplicate_of_trace_id.at));
    buf_add(out, billing->duplicate_of_trace_id.at, sizeof(billing->duplicate_of_trace_id.at));
    add_int8(out, billing->duplicate_of_span_id);
}

static void add_meaning(struct buf *out, const struct stored_span *row)
{
    const struct meaning *meaning = row->meaning;

    if (!meaning) {
        add_nulls(out, MEANING_FIELDS);
        return;
    }
    if (meaning->observation == OBSERVATION_SPAN)
        add_nulls(out, 1);
    else
        add_text_or_null(out, bytes_of(observation_name(meaning->observation)));
    add_int4_or_null(out, meaning->flags |
                              (row->billing.counted ? (unsigned)STORED_FLAG_COUNTED : 0) |
                              (row->billing.plain ? (unsigned)STORED_FLAG_PLAIN : 0));
    for (size_t i = 0; i < sizeof(before_usage) / sizeof(before_usage[0]); i++)
        add_member(out, row, &before_usage[i]);
    add_usage(out, &meaning->usage);
    add_costs(out, &meaning->cost);
    add_billing(out, &row->billing);
}

void pgcopy_span(struct buf *out, const struct stored_span *row)
{
    struct fixed_part fixed;

    fill_fixed(&fixed, row);
    buf_add(out, &fixed, sizeof(fixed));
    add_text(out, row->name);
    add_text(out, row->service_name);
    add_text(out, row->attributes);
    if (row->has_parent)
        add_int8(out, row->parent_span_id);
    else
        add_be32(out, NULL_FIELD);
    add_text_or_null(out, row->status_message);
    add_text_or_null(out, row->trace_state);
    add_text_or_null(out, row->error_type);
    add_text_or_null(out, row->events);
    add_text_or_null(out, row->links);
    add_int8_or_null(out, row->flags);
    add_int8_or_null(out, row->dropped_attributes);
    add_int8_or_null(out, row->dropped_events);
    add_int8_or_null(out, row->dropped_links);
    add_text_or_null(out, row->exact);
    add_meaning(out, row);
}

void pgcopy_span_set_seq(uint8_t *row, int64_t ingest_seq)
{
    put_be64(row + offsetof(struct fixed_part, seq), (uint64_t)ingest_seq);
}
