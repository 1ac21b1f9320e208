/* Rows back to spans: from `exact` where it is there, else from the columns. */
#include "base/text.h"
#include "otlp/attr_json.h"
#include "otlp/from_protobuf.h"
#include "otlp/json_field.h"
#include "otlp/stored.h"

static bool out_of_room(const struct arena *arena, struct err *err)
{
    return err_set(err, ERR_TOO_LARGE, "decoding takes more than %zu bytes", arena->max_bytes);
}

/* What our own columns hold cannot be read: nobody but us wrote them. */
static bool unreadable(const char *what, struct err *err)
{
    if (err->kind == ERR_TOO_LARGE)
        return false;
    return err_set(err, ERR_INTERNAL, "column %s cannot be read", what);
}

static bool next_is(struct json_reader *r, enum json_token want, struct err *err)
{
    enum json_token token;

    if (!json_next(r, &token, err))
        return false;
    return token == want ? true : err_set(err, ERR_BAD_INPUT, "another token");
}

static bool attributes_of(struct bytes text, uint32_t dropped, struct arena *arena,
                          struct attributes *out_set, struct err *err)
{
    struct json_reader r;

    json_reader_init(&r, text, arena);
    if (!attr_json_read(&r, arena, out_set, err) || !next_is(&r, JSON_END, err))
        return unreadable("attributes", err);
    out_set->dropped = dropped;
    return true;
}

/* A member of an event or a link; the reader stands behind its key. */
typedef bool member_fn(struct json_reader *r, struct bytes key, void *item, struct arena *arena,
                       struct err *err);

static bool number_member(struct json_reader *r, uint32_t *to, struct err *err)
{
    uint64_t value;

    if (!next_is(r, JSON_NUMBER, err))
        return false;
    if (!text_uint64(r->text, &value) || value > UINT32_MAX)
        return err_set(err, ERR_BAD_INPUT, "no 32-bit number");
    *to = (uint32_t)value;
    return true;
}

static bool text_member(struct json_reader *r, struct bytes *to, struct err *err)
{
    if (!next_is(r, JSON_STRING, err))
        return false;
    *to = r->text;
    return true;
}

static bool hex_member(struct json_reader *r, struct arena *arena, struct bytes *to,
                       struct err *err)
{
    uint8_t *id;

    if (!next_is(r, JSON_STRING, err))
        return false;
    id = arena_alloc(arena, r->text.len / 2 + 1);
    if (!id)
        return out_of_room(arena, err);
    if (!text_unhex(r->text, id))
        return err_set(err, ERR_BAD_INPUT, "no hex");
    *to = (struct bytes){id, r->text.len / 2};
    return true;
}

static bool set_member(struct json_reader *r, struct arena *arena, struct attributes *to,
                       struct err *err)
{
    const uint32_t dropped = to->dropped;

    if (!attr_json_read(r, arena, to, err))
        return false;
    to->dropped = dropped;
    return true;
}

static bool event_member(struct json_reader *r, struct bytes key, void *item, struct arena *arena,
                         struct err *err)
{
    struct event *event = item;

    if (bytes_is(key, "name"))
        return text_member(r, &event->name, err);
    if (bytes_is(key, "attributes"))
        return set_member(r, arena, &event->attributes, err);
    if (bytes_is(key, "dropped_attributes_count"))
        return number_member(r, &event->attributes.dropped, err);
    if (!bytes_is(key, "time_unix_nano"))
        return json_skip(r, err);
    if (!next_is(r, JSON_STRING, err))
        return false;
    return text_uint64(r->text, &event->time_unix_nano)
               ? true
               : err_set(err, ERR_BAD_INPUT, "no 64-bit number");
}

static bool link_member(struct json_reader *r, struct bytes key, void *item, struct arena *arena,
                        struct err *err)
{
    struct link *link = item;

    if (bytes_is(key, "trace_id"))
        return hex_member(r, arena, &link->trace_id, err);
    if (bytes_is(key, "span_id"))
        return hex_member(r, arena, &link->span_id, err);
    if (bytes_is(key, "trace_state"))
        return text_member(r, &link->trace_state, err);
    if (bytes_is(key, "attributes"))
        return set_member(r, arena, &link->attributes, err);
    if (bytes_is(key, "flags"))
        return number_member(r, &link->flags, err);
    if (bytes_is(key, "dropped_attributes_count"))
        return number_member(r, &link->attributes.dropped, err);
    return json_skip(r, err);
}

static bool read_members(struct json_reader *r, member_fn *member, void *item, struct arena *arena,
                         struct err *err)
{
    for (;;) {
        enum json_token token;

        if (!json_next(r, &token, err))
            return false;
        if (token == JSON_OBJECT_CLOSE)
            return true;
        if (!member(r, r->text, item, arena, err))
            return false;
    }
}

/* A JSON array of objects of item_size bytes in memory; empty text is none. */
static bool read_items(struct bytes text, size_t item_size, member_fn *member, struct arena *arena,
                       struct json_field_list *out_list, struct err *err)
{
    struct json_reader r;
    enum json_token token;

    *out_list = (struct json_field_list){0};
    if (text.len == 0)
        return true;
    json_reader_init(&r, text, arena);
    if (!next_is(&r, JSON_ARRAY_OPEN, err))
        return false;
    for (;;) {
        void *item;

        if (!json_next(&r, &token, err))
            return false;
        if (token == JSON_ARRAY_CLOSE)
            return next_is(&r, JSON_END, err);
        item = json_field_add(out_list, item_size, arena);
        if (!item)
            return out_of_room(arena, err);
        if (token != JSON_OBJECT_OPEN)
            return err_set(err, ERR_BAD_INPUT, "another token");
        if (!read_members(&r, member, item, arena, err))
            return false;
    }
}

static bool read_columns(const struct stored_span *row, struct arena *arena, struct span *span,
                         struct err *err)
{
    struct json_field_list list;

    span->trace_state = row->trace_state;
    span->name = row->name;
    span->status_message = row->status_message;
    span->start_unix_nano = (uint64_t)row->start_unix_ns;
    span->end_unix_nano = row->marks & SPAN_MARK_NO_END
                              ? 0
                              : (uint64_t)row->start_unix_ns + (uint64_t)row->duration_ns;
    span->kind = row->kind;
    span->status_code = row->status_code;
    span->flags = row->flags;
    span->dropped_events = row->dropped_events;
    span->dropped_links = row->dropped_links;
    if (!attributes_of(row->attributes, row->dropped_attributes, arena, &span->attributes, err))
        return false;
    if (!otlp_events_from_stored(row->events, arena, &span->events, &span->event_count, err))
        return false;
    if (!read_items(row->links, sizeof(struct link), link_member, arena, &list, err))
        return unreadable("links", err);
    span->links = list.items;
    span->link_count = list.count;
    return true;
}

static bool id_bytes(struct arena *arena, int64_t id, struct bytes *out_id, struct err *err)
{
    uint8_t *at = arena_alloc(arena, sizeof(id));

    if (!at)
        return out_of_room(arena, err);
    put_be64(at, (uint64_t)id);
    *out_id = (struct bytes){at, sizeof(id)};
    return true;
}

static bool read_ids(const struct stored_span *row, struct arena *arena, struct span *span,
                     struct err *err)
{
    span->trace_id = arena_copy(arena, (struct bytes){row->trace_id.at, sizeof(row->trace_id.at)});
    if (!span->trace_id.at)
        return out_of_room(arena, err);
    if (!id_bytes(arena, row->span_id, &span->span_id, err))
        return false;
    return !row->has_parent || id_bytes(arena, row->parent_span_id, &span->parent_span_id, err);
}

static bool read_resource(const struct stored_resource *row, struct arena *arena,
                          struct otlp_from_stored_memo *memo, struct err *err)
{
    struct resource *resource = NULL;

    if (memo->stored_resource == row)
        return true;
    if (row->exact.len > 0) {
        if (!otlp_resource_from_protobuf(row->exact, arena, &resource, err))
            return unreadable("exact", err);
    } else {
        resource = arena_new(arena, struct resource);
        if (!resource)
            return out_of_room(arena, err);
        resource->schema_url = row->schema_url;
        if (!attributes_of(row->attributes, row->dropped_attributes, arena, &resource->attributes,
                           err))
            return false;
    }
    memo->stored_resource = row;
    memo->resource = resource;
    return true;
}

static bool read_scope(const struct stored_scope *row, struct arena *arena,
                       struct otlp_from_stored_memo *memo, struct err *err)
{
    struct scope *scope = NULL;

    if (memo->stored_scope == row)
        return true;
    if (row->exact.len > 0) {
        if (!otlp_scope_from_protobuf(row->exact, arena, &scope, err))
            return unreadable("exact", err);
    } else {
        scope = arena_new(arena, struct scope);
        if (!scope)
            return out_of_room(arena, err);
        scope->name = row->name;
        scope->version = row->version;
        scope->schema_url = row->schema_url;
        if (!attributes_of(row->attributes, row->dropped_attributes, arena, &scope->attributes,
                           err))
            return false;
    }
    memo->stored_scope = row;
    memo->scope = scope;
    return true;
}

bool otlp_from_stored(const struct stored_span *row, struct arena *arena,
                      struct otlp_from_stored_memo *memo, struct span *out_span, struct err *err)
{
    struct span span = {0};

    if (!read_resource(row->resource, arena, memo, err) ||
        !read_scope(row->scope, arena, memo, err))
        return false;
    if (row->exact.len > 0) {
        if (!otlp_span_from_protobuf(row->exact, arena, &span, err))
            return unreadable("exact", err);
    } else if (!read_ids(row, arena, &span, err) || !read_columns(row, arena, &span, err)) {
        return false;
    }
    span.marks = row->marks;
    span.resource = memo->resource;
    span.scope = memo->scope;
    *out_span = span;
    return true;
}

bool otlp_events_from_stored(struct bytes events, struct arena *arena, struct event **out_events,
                             uint32_t *out_count, struct err *err)
{
    struct json_field_list list;

    if (!read_items(events, sizeof(struct event), event_member, arena, &list, err))
        return unreadable("events", err);
    *out_events = list.items;
    *out_count = list.count;
    return true;
}
