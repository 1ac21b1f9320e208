/*
 * A span as the row of spanledger.span.
 *
 * Whatever the columns cannot carry sets mark EXACT while they are written; then, and only then,
 * the span is also kept as protobuf. So (columns, exact) always tell the whole span, and the hash
 * over them is a hash over what was sent: the same for its JSON and its protobuf form.
 */
#include "base/json_write.h"
#include "base/text.h"
#include "otlp/attr_json.h"
#include "otlp/encode.h"
#include "otlp/stored.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

/* Every span's row holds it: a name of megabytes would be written a thousand times for a request of
 * a thousand small spans. The whole of it stands once, in the resource's attributes. */
#define SERVICE_NAME_MAX_BYTES 1024
#define HASH_VERSION                                                                               \
    1 /* of content_hash and of the ids of resources and scopes: change with care,                 \
         each version makes stored content new once */

void otlp_to_stored_init(struct otlp_to_stored *maker, struct arena *arena, int32_t tenant_id,
                         int64_t received_ns)
{
    *maker =
        (struct otlp_to_stored){.arena = arena, .tenant_id = tenant_id, .received_ns = received_ns};
    buf_init(&maker->scratch, arena->max_bytes);
}

void otlp_to_stored_done(struct otlp_to_stored *maker)
{
    buf_done(&maker->scratch);
}

static bool out_of_room(const struct otlp_to_stored *maker, struct err *err)
{
    return err_set(err, ERR_TOO_LARGE, "decoding takes more than %zu bytes",
                   maker->arena->max_bytes);
}

/* What scratch holds, copied to the arena; scratch is empty then. */
static bool take_scratch(struct otlp_to_stored *maker, struct bytes *out_text, struct err *err)
{
    struct buf *scratch = &maker->scratch;

    *out_text = (struct bytes){0};
    if (scratch->len > 0)
        *out_text = arena_copy(maker->arena, buf_bytes(scratch));
    if (!buf_ok(scratch) || (scratch->len > 0 && !out_text->at))
        return out_of_room(maker, err);
    buf_clear(scratch);
    return true;
}

/* Text that PostgreSQL takes: itself, or a repaired copy with the marks for it. */
static bool sound_text(struct otlp_to_stored *maker, struct bytes text, unsigned *marks,
                       struct bytes *out_text, struct err *err)
{
    *out_text = text;
    if (text_valid_prefix(text) == text.len)
        return true;
    *marks |= attr_json_marks(text_repair(&maker->scratch, text));
    return take_scratch(maker, out_text, err);
}

static bool attributes_text(struct otlp_to_stored *maker, const struct attributes *set,
                            unsigned *marks, struct bytes *out_text, struct err *err)
{
    *marks |= attr_json_write(&maker->scratch, set, maker->arena);
    return take_scratch(maker, out_text, err);
}

/* The last text value of a key that is not empty; an empty slice when there is none. */
static struct bytes text_attribute(const struct attributes *set, const char *key)
{
    for (uint32_t i = set->count; i-- > 0;) {
        const struct attribute *attribute = &set->items[i];

        if (bytes_is(attribute->key, key))
            return attribute->value.kind == VALUE_STRING ? attribute->value.text
                                                         : (struct bytes){0};
    }
    return (struct bytes){0};
}

/* The pieces of what is hashed, each behind its length, so that no two contents give one text. */
static void hash_piece(struct buf *scratch, struct bytes piece)
{
    const uint64_t len = piece.len;

    buf_add(scratch, &len, sizeof(len));
    buf_add_bytes(scratch, piece);
}

static bool hash_scratch(struct otlp_to_stored *maker, struct uuid *out_id, struct err *err)
{
    XXH128_canonical_t canonical;

    if (!buf_ok(&maker->scratch))
        return out_of_room(maker, err);
    XXH128_canonicalFromHash(&canonical, XXH3_128bits(maker->scratch.at, maker->scratch.len));
    memcpy(out_id->at, canonical.digest, sizeof(out_id->at));
    buf_clear(&maker->scratch);
    return true;
}

static bool make_resource(struct otlp_to_stored *maker, const struct resource *from,
                          struct err *err)
{
    struct stored_resource *row = arena_new(maker->arena, struct stored_resource);
    struct bytes service = text_attribute(&from->attributes, "service.name");
    unsigned marks = 0;
    const uint8_t version = HASH_VERSION;

    if (!row)
        return out_of_room(maker, err);
    row->dropped_attributes = from->attributes.dropped;
    if (!attributes_text(maker, &from->attributes, &marks, &row->attributes, err) ||
        !sound_text(maker, from->schema_url, &marks, &row->schema_url, err) ||
        !sound_text(maker, service, &marks, &row->service_name, err))
        return false;
    row->service_name.len = text_cut(row->service_name, SERVICE_NAME_MAX_BYTES);
    if (service.len == 0) {
        row->service_name = BYTES_LITERAL("unknown_service");
        marks |= SPAN_MARK_NO_SERVICE_NAME;
    }
    if ((marks & SPAN_MARK_EXACT) || from->entity_ref_count > 0)
        otlp_resource_to_protobuf(from, &maker->scratch);
    if (!take_scratch(maker, &row->exact, err))
        return false;
    buf_add(&maker->scratch, &version, 1);
    buf_add(&maker->scratch, &row->dropped_attributes, sizeof(row->dropped_attributes));
    hash_piece(&maker->scratch, row->attributes);
    hash_piece(&maker->scratch, row->schema_url);
    hash_piece(&maker->scratch, row->exact);
    if (!hash_scratch(maker, &row->id, err))
        return false;
    maker->last_resource = from;
    maker->last_stored_resource = row;
    maker->last_resource_marks = marks & ~(unsigned)SPAN_MARK_EXACT;
    return true;
}

static bool make_scope(struct otlp_to_stored *maker, const struct scope *from, struct err *err)
{
    struct stored_scope *row = arena_new(maker->arena, struct stored_scope);
    unsigned marks = 0;
    const uint8_t version = HASH_VERSION;

    if (!row)
        return out_of_room(maker, err);
    row->dropped_attributes = from->attributes.dropped;
    if (!attributes_text(maker, &from->attributes, &marks, &row->attributes, err) ||
        !sound_text(maker, from->name, &marks, &row->name, err) ||
        !sound_text(maker, from->version, &marks, &row->version, err) ||
        !sound_text(maker, from->schema_url, &marks, &row->schema_url, err))
        return false;
    if (marks & SPAN_MARK_EXACT)
        otlp_scope_to_protobuf(from, &maker->scratch);
    if (!take_scratch(maker, &row->exact, err))
        return false;
    buf_add(&maker->scratch, &version, 1);
    buf_add(&maker->scratch, &row->dropped_attributes, sizeof(row->dropped_attributes));
    hash_piece(&maker->scratch, row->name);
    hash_piece(&maker->scratch, row->version);
    hash_piece(&maker->scratch, row->attributes);
    hash_piece(&maker->scratch, row->schema_url);
    hash_piece(&maker->scratch, row->exact);
    if (!hash_scratch(maker, &row->id, err))
        return false;
    maker->last_scope = from;
    maker->last_stored_scope = row;
    maker->last_scope_marks = marks & ~(unsigned)SPAN_MARK_EXACT;
    return true;
}

static void set_times(const struct span *span, struct stored_span *row)
{
    const uint64_t start = span->start_unix_nano;
    const uint64_t end = span->end_unix_nano;
    uint64_t duration = 0;

    row->start_unix_ns = start > INT64_MAX ? INT64_MAX : (int64_t)start;
    if (start > INT64_MAX)
        row->marks |= SPAN_MARK_TIME_CLAMPED | SPAN_MARK_EXACT;
    if (end >= start)
        duration = end - start;
    else if (end == 0)
        row->marks |= SPAN_MARK_NO_END;
    else
        row->marks |= SPAN_MARK_NEGATIVE_DURATION | SPAN_MARK_EXACT;
    /* The end, too, has to fit into int64: everyone behind this adds start and duration. */
    const uint64_t most = (uint64_t)(INT64_MAX - row->start_unix_ns);
    row->duration_ns = (int64_t)(duration > most ? most : duration);
    if (duration > most)
        row->marks |= SPAN_MARK_TIME_CLAMPED | SPAN_MARK_EXACT;
}

static void set_ids(const struct span *span, struct stored_span *row)
{
    memcpy(row->trace_id.at, span->trace_id.at, sizeof(row->trace_id.at));
    row->trace_bucket = stored_bucket(&row->trace_id);
    row->span_id = (int64_t)read_be64(span->span_id.at);
    if (span->parent_span_id.len == 0)
        return;
    row->parent_span_id = (int64_t)read_be64(span->parent_span_id.at);
    row->has_parent = row->parent_span_id != 0;
    if (!row->has_parent)
        row->marks |= SPAN_MARK_EXACT; /* eight zero bytes: a root, as no bytes are (OTLP-112) */
    else if (row->parent_span_id == row->span_id)
        row->marks |= SPAN_MARK_SELF_PARENT;
}

static bool set_events(struct otlp_to_stored *maker, const struct span *span,
                       struct stored_span *row, struct err *err)
{
    struct json j = json_into(&maker->scratch);

    if (span->event_count == 0)
        return true;
    json_open(&j, '[');
    for (uint32_t i = 0; i < span->event_count; i++) {
        const struct event *event = &span->events[i];

        json_item(&j);
        json_open(&j, '{');
        json_key(&j, "name");
        row->marks |= attr_json_text(&maker->scratch, event->name);
        json_key(&j, "time_unix_nano");
        json_uint_text(&j, event->time_unix_nano);
        json_key(&j, "attributes");
        row->marks |= attr_json_write(&maker->scratch, &event->attributes, maker->arena);
        json_key(&j, "dropped_attributes_count");
        json_uint(&j, event->attributes.dropped);
        json_close(&j, '}');
    }
    json_close(&j, ']');
    return take_scratch(maker, &row->events, err);
}

static void hex_text(struct buf *out, struct bytes id)
{
    buf_add_byte(out, '"');
    if (buf_need(out, 2 * id.len)) {
        text_hex(id, (char *)out->at + out->len);
        out->len += 2 * id.len;
    }
    buf_add_byte(out, '"');
}

static bool set_links(struct otlp_to_stored *maker, const struct span *span,
                      struct stored_span *row, struct err *err)
{
    struct json j = json_into(&maker->scratch);

    if (span->link_count == 0)
        return true;
    json_open(&j, '[');
    for (uint32_t i = 0; i < span->link_count; i++) {
        const struct link *link = &span->links[i];

        if (link->trace_id.len != 16 || link->span_id.len != 8)
            row->marks |= SPAN_MARK_BAD_LINK;
        json_item(&j);
        json_open(&j, '{');
        json_key(&j, "trace_id");
        hex_text(&maker->scratch, link->trace_id);
        json_key(&j, "span_id");
        hex_text(&maker->scratch, link->span_id);
        json_key(&j, "trace_state");
        row->marks |= attr_json_text(&maker->scratch, link->trace_state);
        json_key(&j, "flags");
        json_uint(&j, link->flags);
        json_key(&j, "attributes");
        row->marks |= attr_json_write(&maker->scratch, &link->attributes, maker->arena);
        json_key(&j, "dropped_attributes_count");
        json_uint(&j, link->attributes.dropped);
        json_close(&j, '}');
    }
    json_close(&j, ']');
    return take_scratch(maker, &row->links, err);
}

/* error.type, else exception.type of the last exception event. */
static struct bytes error_type_of(const struct span *span)
{
    struct bytes type = text_attribute(&span->attributes, "error.type");

    for (uint32_t i = span->event_count; type.len == 0 && i-- > 0;)
        if (bytes_is(span->events[i].name, "exception"))
            type = text_attribute(&span->events[i].attributes, "exception.type");
    return type;
}

static enum span_outcome outcome_of(const struct stored_span *row)
{
    enum { STATUS_ERROR = 2 };

    if (row->marks & SPAN_MARK_NO_END)
        return SPAN_UNFINISHED;
    if (row->status_code != STATUS_ERROR)
        return SPAN_ENDED;
    return stored_is_cancellation(row->error_type) ? SPAN_CANCELLED : SPAN_FAILED;
}

static uint64_t text_hash(struct bytes text)
{
    return XXH3_64bits(text.at, text.len);
}

static int64_t content_hash(const struct span *span, const struct stored_span *row)
{
    uint64_t content[] = {
        HASH_VERSION,
        0, /* trace id: see below */
        0,
        (uint64_t)row->span_id,
        row->has_parent,
        (uint64_t)row->parent_span_id,
        span->start_unix_nano,
        span->end_unix_nano,
        (uint64_t)row->kind,
        (uint64_t)row->status_code,
        row->flags,
        row->dropped_attributes,
        row->dropped_events,
        row->dropped_links,
        0, /* ids of resource and scope: see below */
        0,
        0,
        0,
        text_hash(row->name),
        text_hash(row->status_message),
        text_hash(row->trace_state),
        text_hash(row->attributes),
        text_hash(row->events),
        text_hash(row->links),
        text_hash(row->exact),
    };

    memcpy(&content[1], row->trace_id.at, sizeof(row->trace_id.at));
    memcpy(&content[14], row->resource->id.at, sizeof(row->resource->id.at));
    memcpy(&content[16], row->scope->id.at, sizeof(row->scope->id.at));
    return (int64_t)XXH3_64bits(content, sizeof(content));
}

static bool set_texts(struct otlp_to_stored *maker, const struct span *span,
                      struct stored_span *row, struct err *err)
{
    unsigned ignored = 0; /* the attribute itself is marked where it is written */

    return sound_text(maker, span->name, &row->marks, &row->name, err) &&
           sound_text(maker, span->status_message, &row->marks, &row->status_message, err) &&
           sound_text(maker, span->trace_state, &row->marks, &row->trace_state, err) &&
           sound_text(maker, error_type_of(span), &ignored, &row->error_type, err) &&
           attributes_text(maker, &span->attributes, &row->marks, &row->attributes, err) &&
           set_events(maker, span, row, err) && set_links(maker, span, row, err);
}

bool otlp_to_stored(struct otlp_to_stored *maker, const struct span *span,
                    struct stored_span *out_row, struct err *err)
{
    struct stored_span row = {
        .tenant_id = maker->tenant_id,
        .received_ns = maker->received_ns,
        .kind = span->kind,
        .status_code = span->status_code,
        .flags = span->flags,
        .dropped_attributes = span->attributes.dropped,
        .dropped_events = span->dropped_events,
        .dropped_links = span->dropped_links,
        .attribute_count = span->attributes.count,
        .marks = span->marks & ~(unsigned)SPAN_MARK_EXACT,
    };

    if (span->resource != maker->last_resource && !make_resource(maker, span->resource, err))
        return false;
    if (span->scope != maker->last_scope && !make_scope(maker, span->scope, err))
        return false;
    row.resource = maker->last_stored_resource;
    row.scope = maker->last_stored_scope;
    row.service_name = row.resource->service_name;
    row.marks |= maker->last_resource_marks | maker->last_scope_marks;
    if (row.kind < 0 || row.kind > 5 || row.status_code < 0 || row.status_code > 2)
        row.marks |= SPAN_MARK_UNKNOWN_ENUM;
    set_ids(span, &row);
    set_times(span, &row);
    if (!set_texts(maker, span, &row, err))
        return false;
    row.outcome = outcome_of(&row);
    if (row.marks & SPAN_MARK_EXACT) {
        otlp_span_to_protobuf(span, &maker->scratch);
        if (!take_scratch(maker, &row.exact, err))
            return false;
    }
    row.content_hash = content_hash(span, &row);
    *out_row = row;
    return true;
}
