/*
 * Spans from OTLP/JSON: one pass over base/json_read, one table of fields per message.
 *
 * Arrays of spans, scopes and resources that stand twice under one key are joined: the mapping says
 * that the last wins, but then spans would vanish behind an acknowledgement.
 */
#include "otlp/decode.h"
#include "otlp/json_request.h"
#include "otlp/json_shared.h"

struct decoder {
    struct json_decoder json; /* first: read functions of the parts see only this */
    struct json_field_list spans;
    struct json_field_list events; /* of the span that is being read */
    struct json_field_list links;
    struct resource *resource; /* of what is being read */
    struct scope *scope;
    uint32_t resource_index;
    uint32_t scope_index;
    uint32_t span_index;
};

static struct decoder *decoder_of(struct json_decoder *d)
{
    return (struct decoder *)d;
}

JSON_READ(event_time, struct event, u64, time_unix_nano, "timeUnixNano of an event")
JSON_READ(event_name, struct event, text, name, "name of an event")
JSON_READ(event_dropped, struct event, u32, attributes.dropped,
          "droppedAttributesCount of an event")
JSON_READ_SET(event_attributes, struct event, attributes, "attributes of an event")

static const struct json_field event_fields[] = {
    JSON_FIELD("timeUnixNano", "time_unix_nano", event_time),
    JSON_FIELD("name", "name", event_name),
    JSON_FIELD("attributes", "attributes", event_attributes),
    JSON_FIELD("droppedAttributesCount", "dropped_attributes_count", event_dropped),
};
static const struct json_message event_message = JSON_MESSAGE("an event", event_fields, false);

JSON_READ(link_trace_id, struct link, hex, trace_id, "traceId of a link")
JSON_READ(link_span_id, struct link, hex, span_id, "spanId of a link")
JSON_READ(link_trace_state, struct link, text, trace_state, "traceState of a link")
JSON_READ(link_flags, struct link, u32, flags, "flags of a link")
JSON_READ(link_dropped, struct link, u32, attributes.dropped, "droppedAttributesCount of a link")
JSON_READ_SET(link_attributes, struct link, attributes, "attributes of a link")

static const struct json_field link_fields[] = {
    JSON_FIELD("traceId", "trace_id", link_trace_id),
    JSON_FIELD("spanId", "span_id", link_span_id),
    JSON_FIELD("traceState", "trace_state", link_trace_state),
    JSON_FIELD("attributes", "attributes", link_attributes),
    JSON_FIELD("droppedAttributesCount", "dropped_attributes_count", link_dropped),
    JSON_FIELD("flags", "flags", link_flags),
};
static const struct json_message link_message = JSON_MESSAGE("a link", link_fields, false);

static bool status_code(struct json_decoder *d, enum json_token token, void *message,
                        struct err *err)
{
    static const char *const names[] = {"STATUS_CODE_UNSET", "STATUS_CODE_OK", "STATUS_CODE_ERROR",
                                        NULL};

    return json_field_enum(d, token, "status.code", names, &((struct span *)message)->status_code,
                           err);
}
JSON_READ(status_text, struct span, text, status_message, "status.message")

static const struct json_field status_fields[] = {
    JSON_FIELD("message", "message", status_text),
    JSON_FIELD("code", "code", status_code),
};
static const struct json_message status_message = JSON_MESSAGE("status", status_fields, false);

static bool span_kind(struct json_decoder *d, enum json_token token, void *message, struct err *err)
{
    static const char *const names[] = {"SPAN_KIND_UNSPECIFIED",
                                        "SPAN_KIND_INTERNAL",
                                        "SPAN_KIND_SERVER",
                                        "SPAN_KIND_CLIENT",
                                        "SPAN_KIND_PRODUCER",
                                        "SPAN_KIND_CONSUMER",
                                        NULL};

    return json_field_enum(d, token, "kind", names, &((struct span *)message)->kind, err);
}

static bool read_event(struct json_decoder *d, enum json_token token, void *message,
                       struct err *err)
{
    struct event *event =
        json_field_add(&decoder_of(d)->events, sizeof(*event), decoder_of(d)->json.arena);

    (void)message;
    if (!event)
        return json_field_no_room(d, err);
    if (!json_field_object(d, token, &event_message, event, err))
        return false;
    json_value_settle(d, &event->attributes);
    return true;
}

static bool span_events(struct json_decoder *d, enum json_token token, void *message,
                        struct err *err)
{
    struct span *span = message;
    struct json_field_list *events = &decoder_of(d)->events;

    *events = (struct json_field_list){0};
    if (!json_field_array(d, token, "events", false, read_event, NULL, err))
        return false;
    span->events = events->items;
    span->event_count = events->count;
    return true;
}

static bool read_link(struct json_decoder *d, enum json_token token, void *message, struct err *err)
{
    struct link *link =
        json_field_add(&decoder_of(d)->links, sizeof(*link), decoder_of(d)->json.arena);

    (void)message;
    if (!link)
        return json_field_no_room(d, err);
    if (!json_field_object(d, token, &link_message, link, err))
        return false;
    json_value_settle(d, &link->attributes);
    return true;
}

static bool span_links(struct json_decoder *d, enum json_token token, void *message,
                       struct err *err)
{
    struct span *span = message;
    struct json_field_list *links = &decoder_of(d)->links;

    *links = (struct json_field_list){0};
    if (!json_field_array(d, token, "links", false, read_link, NULL, err))
        return false;
    span->links = links->items;
    span->link_count = links->count;
    return true;
}

static bool span_status(struct json_decoder *d, enum json_token token, void *message,
                        struct err *err)
{
    return json_field_object(d, token, &status_message, message, err);
}

JSON_READ(span_trace_id, struct span, hex, trace_id, "trace_id")
JSON_READ(span_span_id, struct span, hex, span_id, "span_id")
JSON_READ(span_parent, struct span, hex, parent_span_id, "parent_span_id")
JSON_READ(span_trace_state, struct span, text, trace_state, "trace_state")
JSON_READ(span_name, struct span, text, name, "name")
JSON_READ(span_start, struct span, u64, start_unix_nano, "start_time_unix_nano")
JSON_READ(span_end, struct span, u64, end_unix_nano, "end_time_unix_nano")
JSON_READ(span_flags, struct span, u32, flags, "flags")
JSON_READ(span_dropped, struct span, u32, attributes.dropped, "dropped_attributes_count")
JSON_READ(span_dropped_events, struct span, u32, dropped_events, "dropped_events_count")
JSON_READ(span_dropped_links, struct span, u32, dropped_links, "dropped_links_count")
JSON_READ_SET(span_attributes, struct span, attributes, "attributes")

static const struct json_field span_fields[] = {
    JSON_FIELD("traceId", "trace_id", span_trace_id),
    JSON_FIELD("spanId", "span_id", span_span_id),
    JSON_FIELD("traceState", "trace_state", span_trace_state),
    JSON_FIELD("parentSpanId", "parent_span_id", span_parent),
    JSON_FIELD("name", "name", span_name),
    JSON_FIELD("kind", "kind", span_kind),
    JSON_FIELD("startTimeUnixNano", "start_time_unix_nano", span_start),
    JSON_FIELD("endTimeUnixNano", "end_time_unix_nano", span_end),
    JSON_FIELD("attributes", "attributes", span_attributes),
    JSON_FIELD("droppedAttributesCount", "dropped_attributes_count", span_dropped),
    JSON_FIELD("events", "events", span_events),
    JSON_FIELD("droppedEventsCount", "dropped_events_count", span_dropped_events),
    JSON_FIELD("links", "links", span_links),
    JSON_FIELD("droppedLinksCount", "dropped_links_count", span_dropped_links),
    JSON_FIELD("status", "status", span_status),
    JSON_FIELD("flags", "flags", span_flags),
};
static const struct json_message span_message = JSON_MESSAGE("a span", span_fields, false);

static bool read_span(struct json_decoder *json, enum json_token token, void *message,
                      struct err *err)
{
    struct decoder *d = decoder_of(json);
    struct span span = {
        .resource_index = d->resource_index,
        .scope_index = d->scope_index,
        .span_index = d->span_index++,
    };
    struct span *place;

    (void)message;
    json->marks = 0;
    json->fault = NULL;
    if (!json_field_object(json, token, &span_message, &span, err))
        return false;
    json_value_settle(json, &span.attributes);
    span.marks = json->marks;
    span.fault = json->fault;
    place = json_field_add(&d->spans, sizeof(*place), json->arena);
    if (!place)
        return json_field_no_room(json, err);
    *place = span;
    return true;
}

/* Marks and faults of what many spans share; they go to each of them when it is read whole. */
struct shared {
    unsigned marks;
    const char *fault;
};

/* A scope or a resource is being read: what it is marked with is gathered apart. */
static void begin_shared(struct json_decoder *d)
{
    d->marks = 0;
    d->fault = NULL;
}

static void end_shared(const struct json_decoder *d, struct shared *shared)
{
    shared->marks |= d->marks;
    if (!shared->fault)
        shared->fault = d->fault;
}

struct group {
    struct decoder *d;
    struct shared shared;
};

static void give_to_spans(struct decoder *d, uint32_t first, const struct shared *shared)
{
    struct span *spans = d->spans.items;

    for (uint32_t i = first; i < d->spans.count; i++) {
        spans[i].marks |= shared->marks;
        if (!spans[i].fault)
            spans[i].fault = shared->fault;
    }
}

static bool group_scope(struct json_decoder *d, enum json_token token, void *message,
                        struct err *err)
{
    struct group *group = message;
    struct scope *scope = group->d->scope;

    begin_shared(d);
    *scope = (struct scope){.schema_url = scope->schema_url};
    if (!json_field_object(d, token, &json_shared_scope, scope, err))
        return false;
    json_value_settle(d, &scope->attributes);
    end_shared(d, &group->shared);
    return true;
}

static bool group_spans(struct json_decoder *d, enum json_token token, void *message,
                        struct err *err)
{
    return json_field_array(d, token, "spans", true, read_span, message, err);
}

static bool group_scope_url(struct json_decoder *d, enum json_token token, void *message,
                            struct err *err)
{
    struct group *group = message;

    begin_shared(d);
    if (!json_field_text(d, token, "schemaUrl", &group->d->scope->schema_url, err))
        return false;
    end_shared(d, &group->shared);
    return true;
}

static const struct json_field scope_spans_fields[] = {
    JSON_FIELD("scope", "scope", group_scope),
    JSON_FIELD("spans", "spans", group_spans),
    JSON_FIELD("schemaUrl", "schema_url", group_scope_url),
};
static const struct json_message scope_spans_message =
    JSON_MESSAGE("scopeSpans[]", scope_spans_fields, true);

static bool read_scope_spans(struct json_decoder *json, enum json_token token, void *message,
                             struct err *err)
{
    struct decoder *d = decoder_of(json);
    struct group group = {.d = d};
    const uint32_t first = d->spans.count;

    (void)message;
    d->scope = arena_new(json->arena, struct scope);
    if (!d->scope)
        return json_field_no_room(json, err);
    d->span_index = 0;
    if (!json_field_object(json, token, &scope_spans_message, &group, err))
        return false;
    give_to_spans(d, first, &group.shared);
    for (uint32_t i = first; i < d->spans.count; i++) {
        ((struct span *)d->spans.items)[i].scope = d->scope;
        ((struct span *)d->spans.items)[i].resource = d->resource;
    }
    d->scope_index++;
    return true;
}

static bool group_resource(struct json_decoder *d, enum json_token token, void *message,
                           struct err *err)
{
    struct group *group = message;
    struct resource *resource = group->d->resource;

    begin_shared(d);
    *resource = (struct resource){.schema_url = resource->schema_url};
    if (!json_field_object(d, token, &json_shared_resource, resource, err))
        return false;
    json_value_settle(d, &resource->attributes);
    end_shared(d, &group->shared);
    return true;
}

static bool group_scope_spans(struct json_decoder *d, enum json_token token, void *message,
                              struct err *err)
{
    return json_field_array(d, token, "scopeSpans", true, read_scope_spans, message, err);
}

static bool group_resource_url(struct json_decoder *d, enum json_token token, void *message,
                               struct err *err)
{
    struct group *group = message;

    begin_shared(d);
    if (!json_field_text(d, token, "schemaUrl", &group->d->resource->schema_url, err))
        return false;
    end_shared(d, &group->shared);
    return true;
}

static const struct json_field resource_spans_fields[] = {
    JSON_FIELD("resource", "resource", group_resource),
    JSON_FIELD("scopeSpans", "scope_spans", group_scope_spans),
    JSON_FIELD("schemaUrl", "schema_url", group_resource_url),
};
static const struct json_message resource_spans_message =
    JSON_MESSAGE("resourceSpans[]", resource_spans_fields, true);

static bool read_resource_spans(struct json_decoder *json, enum json_token token, void *message,
                                struct err *err)
{
    struct decoder *d = decoder_of(json);
    struct group group = {.d = d};
    const uint32_t first = d->spans.count;

    (void)message;
    d->resource = arena_new(json->arena, struct resource);
    if (!d->resource)
        return json_field_no_room(json, err);
    d->scope_index = 0;
    if (!json_field_object(json, token, &resource_spans_message, &group, err))
        return false;
    give_to_spans(d, first, &group.shared);
    d->resource_index++;
    return true;
}

bool otlp_from_json(struct bytes body, const struct otlp_limits *limits, struct arena *arena,
                    struct span_array *out_spans, struct err *err)
{
    struct decoder d = {.json = {.arena = arena, .limits = limits}};

    if (!json_request_read(&d.json, body, JSON_REQUEST_SPANS, read_resource_spans, err))
        return false;
    *out_spans = (struct span_array){d.spans.items, d.spans.count};
    return true;
}
