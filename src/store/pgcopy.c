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

/*
 * The rest is written behind it field by field, each by a function that takes the place and gives
 * the place behind: room for the longest row that the span can have was made at once.
 */
static inline uint8_t *put_null(uint8_t *to)
{
    put_be32(to, NULL_FIELD);
    return to + 4;
}

static inline uint8_t *put_nulls(uint8_t *to, size_t count)
{
    memset(to, 0xff, 4 * count);
    return to + 4 * count;
}

static inline uint8_t *put_text(uint8_t *to, struct bytes text)
{
    put_be32(to, (uint32_t)text.len);
    if (text.len > 0)
        memcpy(to + 4, text.at, text.len);
    return to + 4 + text.len;
}

static inline uint8_t *put_text_or_null(uint8_t *to, struct bytes text)
{
    return text.len == 0 ? put_null(to) : put_text(to, text);
}

static inline uint8_t *put_int2(uint8_t *to, int value)
{
    put_be32(to, 2);
    put_be16(to + 4, (uint16_t)value);
    return to + 6;
}

static inline uint8_t *put_int4(uint8_t *to, uint32_t value)
{
    put_be32(to, 4);
    put_be32(to + 4, value);
    return to + 8;
}

static inline uint8_t *put_int8(uint8_t *to, int64_t value)
{
    put_be32(to, 8);
    put_be64(to + 4, (uint64_t)value);
    return to + 12;
}

static inline uint8_t *put_int8_or_null(uint8_t *to, int64_t value)
{
    return value == 0 ? put_null(to) : put_int8(to, value);
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

static uint8_t *put_cost(uint8_t *to, int64_t cost)
{
    return cost == COST_UNKNOWN ? put_null(to) : put_int8(to, cost);
}

static uint8_t *put_texts(uint8_t *to, const struct bytes *texts, uint32_t count)
{
    const uint32_t head[] = {1, 0, TEXTOID, count, 1};
    uint8_t *const length = to;

    if (count == 0)
        return put_null(to);
    to += 4;
    for (size_t i = 0; i < sizeof(head) / sizeof(head[0]); i++, to += 4)
        put_be32(to, head[i]);
    for (uint32_t i = 0; i < count; i++)
        to = put_text(to, texts[i]);
    put_be32(length, (uint32_t)(to - length - 4));
    return to;
}

static uint8_t *put_usage(uint8_t *to, const struct token_usage *usage)
{
    if (!usage->sent)
        return put_nulls(to, 1 + TOKEN_KIND_COUNT + 3);
    to = put_int2(to, (int)usage->rule);
    for (size_t i = 0; i < TOKEN_KIND_COUNT; i++)
        to = put_int8_or_null(to, usage->tokens[i]);
    to = put_int8_or_null(to, usage->total);
    to = put_int8_or_null(to, usage->cached_audio);
    return put_int8_or_null(to, usage->image_output);
}

static uint8_t *put_costs(uint8_t *to, const struct cost *cost)
{
    for (size_t i = 0; i < TOKEN_KIND_COUNT; i++)
        to = put_int8_or_null(to, cost->by_kind[i]);
    to = put_int8_or_null(to, cost->request);
    to = put_cost(to, cost->computed);
    to = put_cost(to, cost->reported);
    to = put_cost(to, cost->total);
    to = cost->source == COST_SOURCE_NONE ? put_null(to) : put_int2(to, (int)cost->source);
    return put_int8_or_null(to, (int64_t)cost->price_id);
}

static uint8_t *put_billing(uint8_t *to, const struct billing *billing)
{
    static const uint8_t yes[] = {0, 0, 0, 1, 1};

    if (billing->billable) {
        memcpy(to, yes, sizeof(yes));
        to += sizeof(yes);
    } else {
        to = put_null(to);
    }
    to = billing->reason == BILLING_REASON_NONE ? put_null(to) : put_int2(to, (int)billing->reason);
    if (!billing->is_duplicate)
        return put_nulls(to, 2);
    to = put_text(to, (struct bytes){billing->duplicate_of_trace_id.at,
                                     sizeof(billing->duplicate_of_trace_id.at)});
    return put_int8(to, billing->duplicate_of_span_id);
}

/* From provider to completion_start_time. */
static uint8_t *put_facts(uint8_t *to, const struct stored_span *row)
{
    const struct meaning *m = row->meaning;

    to = put_text_or_null(to, m->provider);
    to = put_text_or_null(to, m->model);
    to = put_text_or_null(to, m->request_model);
    to = put_int8_or_null(to, (int64_t)fold_response_key(row->tenant_id, m->response_id));
    to = put_text_or_null(to, m->session_id);
    to = put_text_or_null(to, m->user_id);
    to = put_text_or_null(to, m->environment);
    to = put_text_or_null(to, m->project);
    to = put_text_or_null(to, m->release);
    to = put_text_or_null(to, m->level);
    to = put_text_or_null(to, m->agent_name);
    to = put_text_or_null(to, m->prompt_name);
    to = put_text_or_null(to, m->prompt_version);
    to = put_text_or_null(to, m->trace_name);
    to = put_texts(to, m->tags, m->tag_count);
    return m->completion_start_ns == 0 ? put_null(to)
                                       : put_int8(to, pg_timestamp(m->completion_start_ns));
}

static uint8_t *put_meaning(uint8_t *to, const struct stored_span *row)
{
    const struct meaning *m = row->meaning;
    unsigned flags;

    if (!m)
        return put_nulls(to, MEANING_FIELDS);
    to = m->observation == OBSERVATION_SPAN
             ? put_null(to)
             : put_text(to, bytes_of(observation_name(m->observation)));
    flags = m->flags | (row->billing.counted ? (unsigned)STORED_FLAG_COUNTED : 0) |
            (row->billing.plain ? (unsigned)STORED_FLAG_PLAIN : 0);
    to = flags == 0 ? put_null(to) : put_int4(to, flags);
    to = put_facts(to, row);
    to = put_usage(to, &m->usage);
    to = put_costs(to, &m->cost);
    return put_billing(to, &row->billing);
}

#define LONGEST_FIELD 32 /* but texts: an array's head, an id, the name of an observation */

/* Texts of a meaning with their lengths. */
static size_t meaning_bytes(const struct meaning *m)
{
    size_t size = m->provider.len + m->model.len + m->request_model.len + m->session_id.len +
                  m->user_id.len + m->environment.len + m->project.len + m->release.len +
                  m->level.len + m->agent_name.len + m->prompt_name.len + m->prompt_version.len +
                  m->trace_name.len;

    for (uint32_t i = 0; i < m->tag_count; i++)
        size += 4 + m->tags[i].len;
    return size;
}

static size_t most_bytes(const struct stored_span *row)
{
    return sizeof(struct fixed_part) + (size_t)SPAN_FIELDS * LONGEST_FIELD + row->name.len +
           row->service_name.len + row->attributes.len + row->status_message.len +
           row->trace_state.len + row->error_type.len + row->events.len + row->links.len +
           row->exact.len + (row->meaning ? meaning_bytes(row->meaning) : 0);
}

void pgcopy_span(struct buf *out, const struct stored_span *row)
{
    struct fixed_part fixed;
    uint8_t *to;

    if (!buf_need(out, most_bytes(row)))
        return;
    to = out->at + out->len;
    fill_fixed(&fixed, row);
    memcpy(to, &fixed, sizeof(fixed));
    to += sizeof(fixed);
    to = put_text(to, row->name);
    to = put_text(to, row->service_name);
    to = put_text(to, row->attributes);
    to = row->has_parent ? put_int8(to, row->parent_span_id) : put_null(to);
    to = put_text_or_null(to, row->status_message);
    to = put_text_or_null(to, row->trace_state);
    to = put_text_or_null(to, row->error_type);
    to = put_text_or_null(to, row->events);
    to = put_text_or_null(to, row->links);
    to = put_int8_or_null(to, row->flags);
    to = put_int8_or_null(to, row->dropped_attributes);
    to = put_int8_or_null(to, row->dropped_events);
    to = put_int8_or_null(to, row->dropped_links);
    to = put_text_or_null(to, row->exact);
    to = put_meaning(to, row);
    out->len = (size_t)(to - out->at);
}

void pgcopy_span_set_seq(uint8_t *row, int64_t ingest_seq)
{
    put_be64(row + offsetof(struct fixed_part, seq), (uint64_t)ingest_seq);
}
