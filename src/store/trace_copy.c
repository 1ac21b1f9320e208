/* Trace rows in the binary form of COPY. */
#include "store/trace_copy.h"

#include "store/facet_key.h"
#include "store/pg_time.h"
#include "store/pgtypes.h"

#define TRACE_FIELDS 65 /* of schema/query/trace_columns.txt */
#define MEANS_FIELDS 43 /* the last of them: what spans of GenAI bring */
#define MOST_NAMES 256  /* of models, providers, tags */

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

/* An array under construction: its length and count are set by array_end. */
static size_t array_begin(struct buf *out, uint32_t element_oid)
{
    const uint32_t one_dimension[] = {0, 1, 0, element_oid, 0, 1};
    const size_t at = out->len;
    uint8_t be[4];

    for (size_t i = 0; i < sizeof(one_dimension) / sizeof(one_dimension[0]); i++) {
        put_be32(be, one_dimension[i]);
        buf_add(out, be, sizeof(be));
    }
    return at;
}

static void array_end(struct buf *out, size_t at, uint32_t count)
{
    if (!buf_ok(out))
        return;
    put_be32(out->at + at, (uint32_t)(out->len - at - 4));
    put_be32(out->at + at + 16, count);
}

static void add_services(struct buf *out, const struct trace_sum *sum)
{
    const size_t at = array_begin(out, TEXTOID);

    for (uint32_t i = 0; i < sum->service_count; i++)
        add_field(out, sum->services[i].at, sum->services[i].len);
    array_end(out, at, sum->service_count);
}

/* The values of one kind of facet; NULL: none. */
static void add_names(struct buf *out, const struct trace_means *means, enum facet_kind kind)
{
    const size_t at = array_begin(out, TEXTOID);
    uint32_t count = 0;

    for (uint32_t i = 0; i < means->facet_count && count < MOST_NAMES; i++) {
        if (means->facets[i].kind != kind)
            continue;
        add_field(out, means->facets[i].value.at, means->facets[i].value.len);
        count++;
    }
    array_end(out, at, count);
    if (count == 0 && buf_ok(out)) {
        out->len = at;
        add_null(out);
    }
}

/* Keys in ascending order, each once. There are few. */
static uint32_t sorted_keys(int32_t tenant_id, const struct trace_means *means,
                            int64_t keys[TRACE_SUM_FACETS])
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < means->facet_count; i++) {
        const int64_t key = facet_key_of(tenant_id, means->facets[i].kind, means->facets[i].value);
        uint32_t at = count;

        while (at > 0 && keys[at - 1] > key)
            at--;
        if (at > 0 && keys[at - 1] == key) /* two long values may be one after the cut */
            continue;
        memmove(&keys[at + 1], &keys[at], (count - at) * sizeof(keys[0]));
        keys[at] = key;
        count++;
    }
    return count;
}

static void add_facets(struct buf *out, int32_t tenant_id, const struct trace_means *means)
{
    int64_t keys[TRACE_SUM_FACETS];
    const uint32_t count = sorted_keys(tenant_id, means, keys);
    size_t at;

    if (count == 0) {
        add_null(out);
        return;
    }
    at = array_begin(out, INT8OID);
    for (uint32_t i = 0; i < count; i++)
        add_int8(out, keys[i]);
    array_end(out, at, count);
}

static void add_count(struct buf *out, int32_t count)
{
    if (count == 0)
        add_null(out);
    else
        add_int4(out, count);
}

/*
 * numeric: number of digits, weight of the first, sign, digits behind the point; digits of base
 * 10000, the first one first, none of them a trailing zero. Sums of 2^63 fit into 128 bits with
 * 10 of them.
 */
static void add_sum(struct buf *out, wide_int sum)
{
    enum { BASE = 10000, MOST_DIGITS = 10, POSITIVE = 0x0000, NEGATIVE = 0x4000 };
    const bool negative = sum < 0;
    uint16_t digits[MOST_DIGITS] = {0};
    uint8_t field[8 + 2 * MOST_DIGITS];
    uint16_t count = 0;
    uint16_t trailing = 0;

    if (sum == 0) {
        add_null(out);
        return;
    }
    for (; sum != 0 && count < MOST_DIGITS; sum /= BASE)
        digits[count++] = (uint16_t)(negative ? -(sum % BASE) : sum % BASE);
    while (trailing < count && digits[trailing] == 0)
        trailing++;
    put_be16(field, (uint16_t)(count - trailing));
    put_be16(field + 2, (uint16_t)(count - 1));
    put_be16(field + 4, negative ? NEGATIVE : POSITIVE);
    put_be16(field + 6, 0);
    for (uint16_t i = 0; i < count - trailing; i++)
        put_be16(field + 8 + 2 * i, digits[count - 1 - i]);
    add_field(out, field, 8U + 2U * (unsigned)(count - trailing));
}

static void add_means(struct buf *out, const struct trace_sum *sum)
{
    const struct trace_means *means = sum->means;

    add_names(out, means, FACET_MODEL);
    add_names(out, means, FACET_PROVIDER);
    add_facets(out, sum->tenant_id, means);
    add_names(out, means, FACET_TAG);
    for (size_t i = 0; i < LABEL_COUNT; i++) {
        const struct label *label = &means->labels[i];

        if (label->text.len == 0) {
            add_null(out);
            add_null(out);
        } else {
            add_field(out, label->text.at, label->text.len);
            add_int8(out, label->rank);
        }
    }
    add_count(out, means->counted);
    add_count(out, means->plain);
    add_count(out, means->calls);
    add_count(out, means->unpriced);
    for (size_t i = 0; i < TOKEN_KIND_COUNT; i++)
        add_sum(out, means->tokens[i]);
    add_sum(out, means->total_tokens);
    for (size_t i = 0; i < TOKEN_KIND_COUNT; i++)
        add_sum(out, means->costs[i]);
    add_sum(out, means->request);
    add_sum(out, means->cost_total);
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
    if (sum->means)
        add_means(out, sum);
    else
        for (int i = 0; i < MEANS_FIELDS; i++)
            add_null(out);
}
