/*
 * Spans from protobuf: guard, unpack, copy into the model.
 *
 * protobuf-c unpacks the messages of receive.proto into the arena; texts of the model point at its
 * copies. Attributes are bytes there and are read by value_read.
 */
#include "otlp/from_protobuf.h"

#include "otlp/guard.h"
#include "otlp/unpack.h"
#include "otlp/value_read.h"
#include "receive.pb-c.h"

/* Names as protoc-c makes them, made short. */
typedef Spanledger__Receive__Request pb_request;
typedef Spanledger__Receive__ResourceSpans pb_resource_spans;
typedef Spanledger__Receive__ScopeSpans pb_scope_spans;
typedef Spanledger__Receive__Span pb_span;
typedef Spanledger__Receive__Resource pb_resource;
typedef Spanledger__Receive__Scope pb_scope;
typedef Spanledger__Receive__EntityRef pb_entity_ref;

struct decoder {
    struct arena *arena;
    struct value_reader values;
    struct span *items;
    size_t count;
};

static bool out_of_room(const struct arena *arena, struct err *err)
{
    return err_set(err, ERR_TOO_LARGE, "decoding takes more than %zu bytes", arena->max_bytes);
}

static struct bytes text_of(ProtobufCBinaryData data)
{
    return (struct bytes){data.data, data.len};
}

static bool read_events(struct decoder *d, const pb_span *from, struct span *to, struct err *err)
{
    if (from->n_events == 0)
        return true;
    to->events = arena_alloc(d->arena, from->n_events * sizeof(*to->events));
    if (!to->events)
        return out_of_room(d->arena, err);
    to->event_count = (uint32_t)from->n_events;
    for (size_t i = 0; i < from->n_events; i++) {
        const Spanledger__Receive__Event *event = from->events[i];

        to->events[i] = (struct event){
            .time_unix_nano = event->time_unix_nano,
            .name = text_of(event->name),
        };
        if (!value_read_attributes(&d->values, event->attributes, event->n_attributes,
                                   event->dropped_attributes_count, &to->events[i].attributes, err))
            return false;
    }
    return true;
}

static bool read_links(struct decoder *d, const pb_span *from, struct span *to, struct err *err)
{
    if (from->n_links == 0)
        return true;
    to->links = arena_alloc(d->arena, from->n_links * sizeof(*to->links));
    if (!to->links)
        return out_of_room(d->arena, err);
    to->link_count = (uint32_t)from->n_links;
    for (size_t i = 0; i < from->n_links; i++) {
        const Spanledger__Receive__Link *link = from->links[i];

        to->links[i] = (struct link){
            .trace_id = text_of(link->trace_id),
            .span_id = text_of(link->span_id),
            .trace_state = text_of(link->trace_state),
            .flags = link->flags,
        };
        if (!value_read_attributes(&d->values, link->attributes, link->n_attributes,
                                   link->dropped_attributes_count, &to->links[i].attributes, err))
            return false;
    }
    return true;
}

static bool read_span(struct decoder *d, const pb_span *from, struct span *to, struct err *err)
{
    d->values.marks = 0;
    *to = (struct span){
        .trace_id = text_of(from->trace_id),
        .span_id = text_of(from->span_id),
        .parent_span_id = text_of(from->parent_span_id),
        .trace_state = text_of(from->trace_state),
        .name = text_of(from->name),
        .start_unix_nano = from->start_time_unix_nano,
        .end_unix_nano = from->end_time_unix_nano,
        .kind = from->kind,
        .flags = from->flags,
        .dropped_events = from->dropped_events_count,
        .dropped_links = from->dropped_links_count,
    };
    for (size_t i = 0; i < from->n_status; i++) {
        const Spanledger__Receive__Status *status = from->status[i];

        to->status_code = status->code != 0 ? status->code : to->status_code;
        to->status_message =
            status->message.len > 0 ? text_of(status->message) : to->status_message;
    }
    if (!value_read_attributes(&d->values, from->attributes, from->n_attributes,
                               from->dropped_attributes_count, &to->attributes, err) ||
        !read_events(d, from, to, err) || !read_links(d, from, to, err))
        return false;
    to->marks = d->values.marks;
    return true;
}

static struct bytes *read_texts(struct decoder *d, const ProtobufCBinaryData *from, size_t count)
{
    struct bytes *texts = arena_array(d->arena, struct bytes, count);

    for (size_t i = 0; texts && i < count; i++)
        texts[i] = text_of(from[i]);
    return texts;
}

static bool read_entity_refs(struct decoder *d, const pb_resource *from, struct resource *to,
                             struct err *err)
{
    to->entity_refs = arena_array(d->arena, struct entity_ref, from->n_entity_refs);
    if (!to->entity_refs)
        return out_of_room(d->arena, err);
    to->entity_ref_count = (uint32_t)from->n_entity_refs;
    for (size_t i = 0; i < from->n_entity_refs; i++) {
        const pb_entity_ref *ref = from->entity_refs[i];

        to->entity_refs[i] = (struct entity_ref){
            .schema_url = text_of(ref->schema_url),
            .type = text_of(ref->type),
            .id_keys = read_texts(d, ref->id_keys, ref->n_id_keys),
            .id_key_count = (uint32_t)ref->n_id_keys,
            .description_keys = read_texts(d, ref->description_keys, ref->n_description_keys),
            .description_key_count = (uint32_t)ref->n_description_keys,
        };
        if (!to->entity_refs[i].id_keys || !to->entity_refs[i].description_keys)
            return out_of_room(d->arena, err);
    }
    return true;
}

/* Two arrays in one, in the arena; NULL when it is full. */
static void *join(struct arena *arena, const void *a, size_t a_bytes, const void *b, size_t b_bytes)
{
    uint8_t *joined = arena_alloc(arena, a_bytes + b_bytes);

    if (joined && a_bytes > 0)
        memcpy(joined, a, a_bytes);
    if (joined && b_bytes > 0)
        memcpy(joined + a_bytes, b, b_bytes);
    return joined;
}

/* A resource that came in parts, made one: read as protobuf merges. */
static bool merge_resources(struct decoder *d, const pb_resource_spans *from, pb_resource *whole,
                            struct err *err)
{
    *whole = *from->resource[0];
    for (size_t i = 1; i < from->n_resource; i++) {
        const pb_resource *part = from->resource[i];

        whole->attributes =
            join(d->arena, whole->attributes, whole->n_attributes * sizeof(*whole->attributes),
                 part->attributes, part->n_attributes * sizeof(*part->attributes));
        whole->entity_refs =
            join(d->arena, whole->entity_refs, whole->n_entity_refs * sizeof(*whole->entity_refs),
                 part->entity_refs, part->n_entity_refs * sizeof(*part->entity_refs));
        if (!whole->attributes || !whole->entity_refs)
            return out_of_room(d->arena, err);
        whole->n_attributes += part->n_attributes;
        whole->n_entity_refs += part->n_entity_refs;
        if (part->dropped_attributes_count != 0)
            whole->dropped_attributes_count = part->dropped_attributes_count;
    }
    return true;
}

static bool read_resource(struct decoder *d, const pb_resource_spans *from,
                          struct resource **out_resource, struct err *err)
{
    struct resource *to = arena_new(d->arena, struct resource);
    pb_resource whole;

    if (!to)
        return out_of_room(d->arena, err);
    to->schema_url = text_of(from->schema_url);
    *out_resource = to;
    if (from->n_resource == 0)
        return true;
    if (!merge_resources(d, from, &whole, err) ||
        (whole.n_entity_refs > 0 && !read_entity_refs(d, &whole, to, err)))
        return false;
    return value_read_attributes(&d->values, whole.attributes, whole.n_attributes,
                                 whole.dropped_attributes_count, &to->attributes, err);
}

static bool merge_scopes(struct decoder *d, const pb_scope_spans *from, pb_scope *whole,
                         struct err *err)
{
    *whole = *from->scope[0];
    for (size_t i = 1; i < from->n_scope; i++) {
        const pb_scope *part = from->scope[i];

        whole->attributes =
            join(d->arena, whole->attributes, whole->n_attributes * sizeof(*whole->attributes),
                 part->attributes, part->n_attributes * sizeof(*part->attributes));
        if (!whole->attributes)
            return out_of_room(d->arena, err);
        whole->n_attributes += part->n_attributes;
        if (part->name.len > 0)
            whole->name = part->name;
        if (part->version.len > 0)
            whole->version = part->version;
        if (part->dropped_attributes_count != 0)
            whole->dropped_attributes_count = part->dropped_attributes_count;
    }
    return true;
}

static bool read_scope(struct decoder *d, const pb_scope_spans *from, struct scope **out_scope,
                       struct err *err)
{
    struct scope *to = arena_new(d->arena, struct scope);
    pb_scope whole;

    if (!to)
        return out_of_room(d->arena, err);
    to->schema_url = text_of(from->schema_url);
    *out_scope = to;
    if (from->n_scope == 0)
        return true;
    if (!merge_scopes(d, from, &whole, err))
        return false;
    to->name = text_of(whole.name);
    to->version = text_of(whole.version);
    return value_read_attributes(&d->values, whole.attributes, whole.n_attributes,
                                 whole.dropped_attributes_count, &to->attributes, err);
}

/* Spans of one ScopeSpans, appended to d->items. */
static bool read_scope_spans(struct decoder *d, const pb_scope_spans *from,
                             const struct resource *resource, unsigned resource_marks,
                             struct span place, struct err *err)
{
    struct scope *scope = NULL;
    unsigned marks;

    d->values.marks = 0;
    if (!read_scope(d, from, &scope, err))
        return false;
    marks = resource_marks | d->values.marks;
    for (size_t k = 0; k < from->n_spans; k++) {
        struct span *span = &d->items[d->count];

        if (!read_span(d, from->spans[k], span, err))
            return false;
        span->resource = resource;
        span->scope = scope;
        span->marks |= marks;
        span->resource_index = place.resource_index;
        span->scope_index = place.scope_index;
        span->span_index = (uint32_t)k;
        d->count++;
    }
    return true;
}

static bool read_request(struct decoder *d, const pb_request *request, struct err *err)
{
    for (size_t i = 0; i < request->n_resource_spans; i++) {
        const pb_resource_spans *from = request->resource_spans[i];
        struct resource *resource = NULL;
        unsigned marks;

        if (from->n_scope_spans == 0)
            continue; /* OTLP-42: nothing to keep it for */
        d->values.marks = 0;
        if (!read_resource(d, from, &resource, err))
            return false;
        marks = d->values.marks;
        for (size_t j = 0; j < from->n_scope_spans; j++) {
            const struct span place = {.resource_index = (uint32_t)i, .scope_index = (uint32_t)j};

            if (!read_scope_spans(d, from->scope_spans[j], resource, marks, place, err))
                return false;
        }
    }
    return true;
}

static size_t count_spans(const pb_request *request)
{
    size_t count = 0;

    for (size_t i = 0; i < request->n_resource_spans; i++)
        for (size_t j = 0; j < request->resource_spans[i]->n_scope_spans; j++)
            count += request->resource_spans[i]->scope_spans[j]->n_spans;
    return count;
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

bool otlp_from_protobuf(struct bytes body, const struct otlp_limits *limits, struct arena *arena,
                        struct span_array *out_spans, struct err *err)
{
    struct decoder d = {.arena = arena, .values = {.arena = arena, .limits = limits}};
    struct bytes clean;
    const pb_request *request;

    if (!otlp_guard(body, arena, &clean, err))
        return false;
    request = otlp_unpack(&spanledger__receive__request__descriptor, clean, arena,
                          "an ExportTraceServiceRequest", err);
    if (!request)
        return false;
    d.items = arena_alloc(arena, count_spans(request) * sizeof(*d.items));
    if (!d.items)
        return out_of_room(arena, err);
    if (!read_request(&d, request, err))
        return false;
    if (is_metrics(&d))
        return err_set(err, ERR_BAD_INPUT,
                       "no span has a time, and ids are text: are these metrics? they belong to "
                       "/v1/metrics");
    *out_spans = (struct span_array){d.items, d.count};
    return true;
}

static const struct otlp_limits no_limits = {UINT32_MAX, UINT32_MAX};

/* Unpacks an `exact` column: written by us, so anything unreadable is an internal error. */
static void *unpack_exact(const ProtobufCMessageDescriptor *descriptor, struct bytes message,
                          struct arena *arena, struct err *err)
{
    void *unpacked = otlp_unpack(descriptor, message, arena, "what was written", err);

    if (!unpacked && err->kind == ERR_BAD_INPUT)
        err->kind = ERR_INTERNAL;
    return unpacked;
}

bool otlp_span_from_protobuf(struct bytes message, struct arena *arena, struct span *out_span,
                             struct err *err)
{
    struct decoder d = {.arena = arena, .values = {.arena = arena, .limits = &no_limits}};
    const pb_span *from = unpack_exact(&spanledger__receive__span__descriptor, message, arena, err);

    return from && read_span(&d, from, out_span, err);
}

bool otlp_resource_from_protobuf(struct bytes message, struct arena *arena,
                                 struct resource **out_resource, struct err *err)
{
    struct decoder d = {.arena = arena, .values = {.arena = arena, .limits = &no_limits}};
    const pb_resource_spans *from =
        unpack_exact(&spanledger__receive__resource_spans__descriptor, message, arena, err);

    return from && read_resource(&d, from, out_resource, err);
}

bool otlp_scope_from_protobuf(struct bytes message, struct arena *arena, struct scope **out_scope,
                              struct err *err)
{
    struct decoder d = {.arena = arena, .values = {.arena = arena, .limits = &no_limits}};
    const pb_scope_spans *from =
        unpack_exact(&spanledger__receive__scope_spans__descriptor, message, arena, err);

    return from && read_scope(&d, from, out_scope, err);
}
