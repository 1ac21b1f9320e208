/*
 * Requests from protobuf: what is around spans, then each span (otlp/span_read).
 *
 * DESIGN: nothing is looked at twice. The readers refuse what is not well-formed and skip groups; the
 * guard walks a body only where they failed, to say where and why, and where they left a part unread.
 * Everything is read in place, texts point into the body. A resource or scope that came in parts is
 * read over the part before, as protobuf merges.
 */
#include "otlp/from_protobuf.h"

#include "otlp/guard.h"
#include "otlp/span_read.h"

#define VARINT (1 + PB_VARINT)
#define BYTES (1 + PB_LEN)

static const struct pb_message request_message = {"ExportTraceServiceRequest", {0, BYTES}};
static const struct pb_message resource_spans_message = {"ResourceSpans", {0, BYTES, BYTES, BYTES}};
static const struct pb_message scope_spans_message = {"ScopeSpans", {0, BYTES, BYTES, BYTES}};
static const struct pb_message resource_message = {"Resource", {0, BYTES, VARINT, BYTES}};
static const struct pb_message scope_message = {"InstrumentationScope",
                                                {0, BYTES, BYTES, BYTES, VARINT}};
static const struct pb_message entity_ref_message = {"EntityRef", {0, BYTES, BYTES, BYTES, BYTES}};

/* Fields of ResourceSpans and of ScopeSpans alike. */
enum { OWNER_FIELD = 1, INNER_FIELD = 2, SCHEMA_URL_FIELD = 3 };

struct decoder {
    struct arena *arena;
    struct span_reader spans;
    struct pb_list parts; /* entity refs of a resource; keys of one of them */
    struct pb_list keys;
    struct span *items;
    size_t count;
    bool unread; /* there are resources without spans */
};

static bool out_of_room(const struct arena *arena, struct err *err)
{
    return err_set(err, ERR_TOO_LARGE, "decoding takes more than %zu bytes", arena->max_bytes);
}

/* The texts of one field of an EntityRef. */
static bool read_keys(struct decoder *d, struct bytes message, uint32_t number,
                      struct bytes **out_keys, uint32_t *out_count, struct err *err)
{
    struct pb_reader r = pb_reader_of(message);

    d->keys.count = 0;
    while (!pb_done(&r)) {
        struct pb_field field = {0};

        if (!pb_next_of(&r, &entity_ref_message, &field, err) ||
            (field.number == number && !pb_list_add(&d->keys, field.payload, d->arena, err)))
            return false;
    }
    *out_keys = arena_array(d->arena, struct bytes, d->keys.count);
    if (!*out_keys)
        return out_of_room(d->arena, err);
    if (d->keys.count > 0)
        memcpy(*out_keys, d->keys.items, d->keys.count * sizeof(**out_keys));
    *out_count = (uint32_t)d->keys.count;
    return true;
}

static bool read_entity_ref(struct decoder *d, struct bytes message, struct entity_ref *to,
                            struct err *err)
{
    struct pb_reader r = pb_reader_of(message);

    while (!pb_done(&r)) {
        struct pb_field field = {0};

        if (!pb_next_of(&r, &entity_ref_message, &field, err))
            return false;
        if (field.number == 1)
            to->schema_url = field.payload;
        else if (field.number == 2)
            to->type = field.payload;
    }
    return read_keys(d, message, 3, &to->id_keys, &to->id_key_count, err) &&
           read_keys(d, message, 4, &to->description_keys, &to->description_key_count, err);
}

static bool read_entity_refs(struct decoder *d, struct resource *to, struct err *err)
{
    to->entity_refs = arena_array(d->arena, struct entity_ref, d->parts.count);
    if (!to->entity_refs)
        return out_of_room(d->arena, err);
    to->entity_ref_count = (uint32_t)d->parts.count;
    for (size_t i = 0; i < d->parts.count; i++)
        if (!read_entity_ref(d, d->parts.items[i], &to->entity_refs[i], err))
            return false;
    return true;
}

/* Gathers what one part of a resource has. */
static bool take_resource(struct decoder *d, struct bytes message, uint32_t *dropped,
                          struct err *err)
{
    struct pb_reader r = pb_reader_of(message);
    uint32_t its_own = 0;

    while (!pb_done(&r)) {
        struct pb_field field = {0};

        if (!pb_next_of(&r, &resource_message, &field, err) ||
            (field.number == 1 &&
             !pb_list_add(&d->spans.attributes, field.payload, d->arena, err)) ||
            (field.number == 3 && !pb_list_add(&d->parts, field.payload, d->arena, err)))
            return false;
        if (field.number == 2)
            its_own = (uint32_t)field.scalar;
    }
    *dropped = its_own != 0 ? its_own : *dropped;
    return true;
}

/* The same for a scope. */
static bool take_scope(struct decoder *d, struct bytes message, struct scope *to, uint32_t *dropped,
                       struct err *err)
{
    struct pb_reader r = pb_reader_of(message);
    struct scope its_own = {0};
    uint32_t its_dropped = 0;

    while (!pb_done(&r)) {
        struct pb_field field = {0};

        if (!pb_next_of(&r, &scope_message, &field, err) ||
            (field.number == 3 && !pb_list_add(&d->spans.attributes, field.payload, d->arena, err)))
            return false;
        if (field.number == 1)
            its_own.name = field.payload;
        else if (field.number == 2)
            its_own.version = field.payload;
        else if (field.number == 4)
            its_dropped = (uint32_t)field.scalar;
    }
    to->name = its_own.name.len > 0 ? its_own.name : to->name;
    to->version = its_own.version.len > 0 ? its_own.version : to->version;
    *dropped = its_dropped != 0 ? its_dropped : *dropped;
    return true;
}

static bool read_gathered(struct decoder *d, uint32_t dropped, struct attributes *to,
                          struct err *err)
{
    return value_read_attributes(&d->spans.values, d->spans.attributes.items,
                                 d->spans.attributes.count, dropped, to, err);
}

/* Everything of a ResourceSpans but its scopes. */
static bool read_resource(struct decoder *d, struct bytes message, struct resource **out_resource,
                          struct err *err)
{
    struct resource *to = arena_new(d->arena, struct resource);
    struct pb_reader r = pb_reader_of(message);
    uint32_t dropped = 0;

    if (!to)
        return out_of_room(d->arena, err);
    d->spans.attributes.count = d->parts.count = 0;
    while (!pb_done(&r)) {
        struct pb_field field = {0};

        if (!pb_next_of(&r, &resource_spans_message, &field, err) ||
            (field.number == OWNER_FIELD && !take_resource(d, field.payload, &dropped, err)))
            return false;
        if (field.number == SCHEMA_URL_FIELD)
            to->schema_url = field.payload;
    }
    *out_resource = to;
    return (d->parts.count == 0 || read_entity_refs(d, to, err)) &&
           read_gathered(d, dropped, &to->attributes, err);
}

/* Everything of a ScopeSpans but its spans. */
static bool read_scope(struct decoder *d, struct bytes message, struct scope **out_scope,
                       struct err *err)
{
    struct scope *to = arena_new(d->arena, struct scope);
    struct pb_reader r = pb_reader_of(message);
    uint32_t dropped = 0;

    if (!to)
        return out_of_room(d->arena, err);
    d->spans.attributes.count = 0;
    while (!pb_done(&r)) {
        struct pb_field field = {0};

        if (!pb_next_of(&r, &scope_spans_message, &field, err) ||
            (field.number == OWNER_FIELD && !take_scope(d, field.payload, to, &dropped, err)))
            return false;
        if (field.number == SCHEMA_URL_FIELD)
            to->schema_url = field.payload;
    }
    *out_scope = to;
    return read_gathered(d, dropped, &to->attributes, err);
}

/* Spans of one ScopeSpans, appended to d->items. place: what they have in common. */
static bool read_scope_spans(struct decoder *d, struct bytes message, struct span place,
                             struct err *err)
{
    struct pb_reader r = pb_reader_of(message);
    struct scope *scope = NULL;

    d->spans.values.marks = 0;
    if (!read_scope(d, message, &scope, err))
        return false;
    place.marks |= d->spans.values.marks;
    while (!pb_done(&r)) {
        struct span *span = &d->items[d->count];
        struct pb_field field = {0};

        if (!pb_next_of(&r, &scope_spans_message, &field, err))
            return false;
        if (field.number != INNER_FIELD)
            continue;
        if (!span_read(&d->spans, field.payload, span, err))
            return false;
        span->resource = place.resource;
        span->scope = scope;
        span->marks |= place.marks;
        span->resource_index = place.resource_index;
        span->scope_index = place.scope_index;
        span->span_index = place.span_index++;
        d->count++;
    }
    return true;
}

/* How many fields a message has that hold one message deeper: scopes, spans. */
static bool count_inner(struct bytes message, const struct pb_message *shape, size_t *out_count,
                        struct err *err)
{
    struct pb_reader r = pb_reader_of(message);

    *out_count = 0;
    while (!pb_done(&r)) {
        struct pb_field field = {0};

        if (!pb_next_of(&r, shape, &field, err))
            return false;
        *out_count += field.number == INNER_FIELD;
    }
    return true;
}

static bool read_resource_spans(struct decoder *d, struct bytes message, uint32_t index,
                                struct err *err)
{
    struct pb_reader r = pb_reader_of(message);
    struct span place = {.resource_index = index};
    struct resource *resource = NULL;
    size_t scopes;

    if (!count_inner(message, &resource_spans_message, &scopes, err))
        return false;
    if (scopes == 0) {
        d->unread = true; /* OTLP-42: nothing to keep it for */
        return true;
    }
    d->spans.values.marks = 0;
    if (!read_resource(d, message, &resource, err))
        return false;
    place.resource = resource;
    place.marks = d->spans.values.marks;
    while (!pb_done(&r)) {
        struct pb_field field = {0};

        if (!pb_next_of(&r, &resource_spans_message, &field, err))
            return false;
        if (field.number != INNER_FIELD)
            continue;
        if (!read_scope_spans(d, field.payload, place, err))
            return false;
        place.scope_index++;
    }
    return true;
}

/* Of one ResourceSpans. */
static bool count_spans(struct bytes message, size_t *count, struct err *err)
{
    struct pb_reader r = pb_reader_of(message);

    while (!pb_done(&r)) {
        struct pb_field field = {0};
        size_t spans = 0;

        if (!pb_next_of(&r, &resource_spans_message, &field, err) ||
            (field.number == INNER_FIELD &&
             !count_inner(field.payload, &scope_spans_message, &spans, err)))
            return false;
        *count += spans;
    }
    return true;
}

static bool read_request(struct decoder *d, struct bytes body, struct err *err)
{
    struct pb_reader count = pb_reader_of(body);
    struct pb_reader r = count;
    size_t spans = 0;
    uint32_t index = 0;

    while (!pb_done(&count)) {
        struct pb_field field = {0};

        if (!pb_next_of(&count, &request_message, &field, err) ||
            (field.number == 1 && !count_spans(field.payload, &spans, err)))
            return false;
    }
    d->items = arena_alloc(d->arena, spans * sizeof(*d->items));
    if (!d->items)
        return out_of_room(d->arena, err);
    while (!pb_done(&r)) {
        struct pb_field field = {0};

        if (!pb_next_of(&r, &request_message, &field, err) ||
            (field.number == 1 && !read_resource_spans(d, field.payload, index++, err)))
            return false;
    }
    return true;
}

static bool is_printable(struct bytes id)
{
    for (size_t i = 0; i < id.len; i++)
        if (id.at[i] < 0x20 || id.at[i] > 0x7e)
            return false;
    return true;
}

/*
 * A gauge reads as a Span without any clash of wire types: its name and description stand where the
 * ids do, and it has no times (OTLP-10). A real span has a start; one that lost it still has random
 * bytes as ids, of which not one in 10^10 is printable throughout.
 */
static bool is_metrics(const struct decoder *d)
{
    for (size_t i = 0; i < d->count; i++) {
        const struct span *span = &d->items[i];

        if (span->start_unix_nano != 0 || span->end_unix_nano != 0 || span->trace_id.len == 0 ||
            !is_printable(span->trace_id) || !is_printable(span->span_id))
            return false;
    }
    return d->count > 0;
}

static struct decoder decoder_of(struct arena *arena, const struct otlp_limits *limits)
{
    return (struct decoder){.arena = arena,
                            .spans = {.values = {.arena = arena, .limits = limits}}};
}

/* Whether the guard passes the body; if not, err is what it says. */
static bool passes_guard(struct bytes body, struct arena *arena, struct err *err)
{
    struct bytes clean;
    struct err why;

    if (otlp_guard(body, arena, &clean, &why))
        return true;
    *err = why;
    return false;
}

bool otlp_from_protobuf(struct bytes body, const struct otlp_limits *limits, struct arena *arena,
                        struct span_array *out_spans, struct err *err)
{
    struct decoder d = decoder_of(arena, limits);
    const bool read = read_request(&d, body, err);

    if (((!read || d.unread) && !passes_guard(body, arena, err)) || !read)
        return false;
    if (is_metrics(&d))
        return err_set(err, ERR_BAD_INPUT,
                       "no span has a time, and ids are text: are these metrics? they belong to "
                       "/v1/metrics");
    *out_spans = (struct span_array){d.items, d.count};
    return true;
}

static const struct otlp_limits no_limits = {UINT32_MAX, UINT32_MAX};

/* An `exact` column was written by us: anything unreadable is an internal error. */
static bool read_exact(bool read, struct err *err)
{
    if (!read && err->kind == ERR_BAD_INPUT)
        err->kind = ERR_INTERNAL;
    return read;
}

bool otlp_span_from_protobuf(struct bytes message, struct arena *arena, struct span *out_span,
                             struct err *err)
{
    struct decoder d = decoder_of(arena, &no_limits);

    return read_exact(span_read(&d.spans, message, out_span, err), err);
}

bool otlp_resource_from_protobuf(struct bytes message, struct arena *arena,
                                 struct resource **out_resource, struct err *err)
{
    struct decoder d = decoder_of(arena, &no_limits);

    return read_exact(read_resource(&d, message, out_resource, err), err);
}

bool otlp_scope_from_protobuf(struct bytes message, struct arena *arena, struct scope **out_scope,
                              struct err *err)
{
    struct decoder d = decoder_of(arena, &no_limits);

    return read_exact(read_scope(&d, message, out_scope, err), err);
}
