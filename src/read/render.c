/* A trace and a span as JSON. */
#include "read/render.h"

#include <stdlib.h>

#include "base/text.h"
#include "otlp/stored.h"
#include "read/events.h"
#include "read/render_time.h"
#include "read/tree.h"

/* Fields that later issues fill, as they look while nothing is known: constant text, because they
 * stand in every span. */
#define NO_USAGE "\"usage\":{\"input\":0,\"output\":0,\"total\":0}"
#define NO_COST                                                                                    \
    "\"cost\":{\"total_usd\":null,\"by_kind\":{},\"source\":null,\"reported_usd\":null,"           \
    "\"price\":null}"
#define NO_PERSON "\"session_id\":null,\"user_id\":null,\"environment\":null"
static const char no_subtree[] = "\"subtree_cost_usd\":null,\"subtree_tokens\":0";
static const char no_genai[] =
    "\"observation_type\":null,\"provider\":null,\"model\":null,\"request_model\":null,"
    "\"parameters\":{}," NO_USAGE "," NO_COST
    ",\"billable\":null,\"duplicate_of\":null,\"ledger\":null," NO_PERSON
    ",\"project\":null,\"tags\":[],\"metadata\":{},\"prompt\":null,"
    "\"completion_start_time\":null,\"level\":null";
static const char no_genai_skeleton[] = "\"observation_type\":null,\"model\":null";
static const char no_payload[] = "\"input\":null,\"output\":null,\"messages\":[]";
static const char no_genai_trace[] = NO_PERSON ",\"tags\":[]," NO_USAGE "," NO_COST;

struct renderer {
    struct json j;
    struct render_time time;
    bool skeleton;
    const struct stored_scope *scope; /* whose JSON stands in scope_json */
    struct bytes scope_json;
    struct arena *arena;
};

/* Members of an object as constant text. */
static void members(struct json *j, const char *text)
{
    json_item(j);
    buf_add_text(j->out, text);
}

static void span_id_json(struct json *j, int64_t id)
{
    uint8_t raw[8];
    char hex[18];

    put_be64(raw, (uint64_t)id);
    hex[0] = hex[17] = '"';
    text_hex((struct bytes){raw, sizeof(raw)}, hex + 1);
    json_raw(j, (struct bytes){(const uint8_t *)hex, sizeof(hex)});
}

static void trace_id_member(struct json *j, const struct uuid *id)
{
    char hex[32];

    text_hex((struct bytes){id->at, sizeof(id->at)}, hex);
    json_key(j, "trace_id");
    json_text(j, (struct bytes){(const uint8_t *)hex, sizeof(hex)});
}

static const char *kind_name(int32_t kind)
{
    static const char *const names[] = {"unspecified", "internal", "server",
                                        "client",      "producer", "consumer"};

    return kind >= 0 && kind < (int32_t)(sizeof(names) / sizeof(names[0])) ? names[kind] : names[0];
}

static const char *span_status_name(int32_t code)
{
    static const char *const names[] = {"unset", "ok", "error"};

    return code >= 0 && code < (int32_t)(sizeof(names) / sizeof(names[0])) ? names[code] : names[0];
}

static void mark_names(struct json *j, unsigned marks, const char *(*name_of)(unsigned bit))
{
    while (marks) {
        const unsigned bit = marks & (0 - marks);
        const char *name = name_of(bit);

        marks &= ~bit;
        if (!name)
            continue;
        json_item(j);
        json_cstr(j, name);
    }
}

static void marks_member(struct json *j, unsigned stored, unsigned tree)
{
    if (stored & SPAN_MARK_SELF_PARENT)
        tree &= ~(unsigned)TREE_MARK_SELF_PARENT; /* one name, told once */
    json_key(j, "marks");
    json_open(j, '[');
    mark_names(j, stored, stored_mark_name);
    mark_names(j, tree, tree_mark_name);
    json_close(j, ']');
}

/* The scope object is made once per run of spans that share it. */
static void scope_member(struct renderer *r, const struct stored_scope *scope)
{
    const size_t first = r->j.out->len;

    json_key(&r->j, "scope");
    if (r->scope == scope) {
        json_raw(&r->j, r->scope_json);
        return;
    }
    json_open(&r->j, '{');
    json_key(&r->j, "name");
    json_text(&r->j, scope->name);
    json_key(&r->j, "version");
    json_text(&r->j, scope->version);
    json_key(&r->j, "attributes");
    json_raw(&r->j, scope->attributes.len ? scope->attributes : BYTES_LITERAL("{}"));
    json_close(&r->j, '}');
    if (buf_ok(r->j.out)) {
        const size_t skip = first + strlen(",\"scope\":");
        r->scope_json =
            arena_copy(r->arena, (struct bytes){r->j.out->at + skip, r->j.out->len - skip});
        r->scope = r->scope_json.at ? scope : NULL;
    }
}

static void json_or(struct json *j, const char *key, struct bytes json, const char *none)
{
    json_key(j, key);
    json_raw(j, json.len ? json : bytes_of(none));
}

static void identity(struct renderer *r, const struct stored_span *span)
{
    struct json *j = &r->j;

    json_key(j, "span_id");
    span_id_json(j, span->span_id);
    json_key(j, "parent_span_id");
    if (span->has_parent)
        span_id_json(j, span->parent_span_id);
    else
        json_null(j);
}

/* The end as it was sent: of a span that ends before it starts, only the original has it. */
static int64_t end_of(const struct renderer *r, const struct stored_span *span)
{
    struct otlp_from_stored_memo memo = {0};
    struct span sent;
    struct err err;

    if ((span->marks & SPAN_MARK_NEGATIVE_DURATION) && span->exact.len &&
        otlp_from_stored(span, r->arena, &memo, &sent, &err) && sent.end_unix_nano <= INT64_MAX)
        return (int64_t)sent.end_unix_nano;
    return span->start_unix_ns + span->duration_ns;
}

static void facts(struct renderer *r, const struct stored_span *span)
{
    struct json *j = &r->j;

    json_key(j, "name");
    json_text(j, span->name);
    json_key(j, "kind");
    json_cstr(j, kind_name(span->kind));
    json_key(j, "service");
    json_text(j, span->service_name);
    render_time_members(&r->time, j, "start_time", "start_unix_nano", span->start_unix_ns);
    render_time_members(&r->time, j, "end_time", "end_unix_nano", end_of(r, span));
    json_key(j, "duration_ns");
    json_int(j, span->duration_ns);
}

static void outcome(struct renderer *r, const struct stored_span *span)
{
    struct json *j = &r->j;

    json_key(j, "status");
    json_cstr(j, span_status_name(span->status_code));
    json_key(j, "status_message");
    json_text(j, span->status_message);
}

static void payload(struct renderer *r, const struct stored_span *span)
{
    struct json *j = &r->j;

    json_or(j, "attributes", span->attributes, "{}");
    json_key(j, "dropped_attributes_count");
    json_uint(j, span->dropped_attributes);
    json_or(j, "resource", span->resource->attributes, "{}");
    scope_member(r, span->scope);
    json_key(j, "events");
    events_json(j, span->events, &r->time);
    json_key(j, "dropped_events_count");
    json_uint(j, span->dropped_events);
    json_or(j, "links", span->links, "[]");
    json_key(j, "dropped_links_count");
    json_uint(j, span->dropped_links);
    json_key(j, "trace_state");
    json_text(j, span->trace_state);
    json_key(j, "flags");
    json_uint(j, span->flags);
    members(j, no_payload);
}

static void versions(struct renderer *r, const struct stored_span *span, unsigned tree_marks)
{
    marks_member(&r->j, span->marks, tree_marks);
    json_key(&r->j, "other_versions");
    json_uint(&r->j, span->other_versions);
}

static void tree_span(struct renderer *r, const struct tree_node *node)
{
    const struct stored_span *span = node->span;
    struct json *j = &r->j;

    json_open(j, '{');
    identity(r, span);
    json_key(j, "depth");
    json_uint(j, node->depth);
    json_key(j, "child_count");
    json_uint(j, node->child_count);
    facts(r, span);
    json_key(j, "self_duration_ns");
    json_int(j, node->self_duration_ns);
    members(j, no_subtree);
    members(j, r->skeleton ? no_genai_skeleton : no_genai);
    outcome(r, span);
    if (!r->skeleton)
        payload(r, span);
    versions(r, span, node->marks);
    json_close(j, '}');
}

static int compare_texts(const void *a, const void *b)
{
    const struct bytes *left = a;
    const struct bytes *right = b;
    const size_t shorter = left->len < right->len ? left->len : right->len;
    const int order = shorter ? memcmp(left->at, right->at, shorter) : 0;

    return order ? order : (left->len > right->len) - (left->len < right->len);
}

static bool services_member(struct renderer *r, const struct trace_spans *spans, struct err *err)
{
    struct bytes *names = arena_array(r->arena, struct bytes, spans->count);
    size_t count = 0;

    if (!names)
        return err_set(err, ERR_TOO_LARGE, "no memory for the services of %zu spans", spans->count);
    for (size_t i = 0; i < spans->count; i++)
        if (count == 0 || !bytes_equal(names[count - 1], spans->items[i].service_name))
            names[count++] = spans->items[i].service_name;
    qsort(names, count, sizeof(names[0]), compare_texts);
    json_key(&r->j, "services");
    json_open(&r->j, '[');
    for (size_t i = 0; i < count; i++) {
        if (i > 0 && bytes_equal(names[i], names[i - 1]))
            continue;
        json_item(&r->j);
        json_text(&r->j, names[i]);
    }
    json_close(&r->j, ']');
    return true;
}

static void trace_head(struct renderer *r, const struct tree *tree)
{
    struct json *j = &r->j;
    const struct stored_span *named = tree->root ? tree->root : tree->first;

    trace_id_member(j, &named->trace_id);
    json_key(j, "name");
    json_text(j, named->name);
    json_key(j, "status");
    json_cstr(j, trace_status_name(tree->status));
    render_time_members(&r->time, j, "start_time", "start_unix_nano", tree->start_ns);
    render_time_members(&r->time, j, "end_time", "end_unix_nano", tree->end_ns);
    json_key(j, "duration_ns");
    json_int(j, tree->end_ns - tree->start_ns);
    json_key(j, "span_count");
    json_uint(j, tree->count);
    json_key(j, "error_count");
    json_uint(j, tree->error_count);
    json_key(j, "complete");
    json_bool(j, tree->complete);
    json_key(j, "missing_parents");
    json_open(j, '[');
    for (size_t i = 0; i < tree->missing_count; i++) {
        json_item(j);
        span_id_json(j, tree->missing_parents[i]);
    }
    json_close(j, ']');
    json_key(j, "root_service");
    json_text(j, named->service_name);
}

static bool written(const struct buf *out, struct err *err)
{
    if (!buf_ok(out))
        return err_set(err, ERR_TOO_LARGE,
                       "the answer is larger than %zu bytes; ask for view=skeleton or a window",
                       out->max);
    return true;
}

bool render_trace(const struct trace_spans *spans, const struct trace_view *view, int64_t now_ns,
                  struct arena *arena, struct buf *out, struct err *err)
{
    struct renderer r = {.j = json_into(out), .skeleton = view->skeleton, .arena = arena};
    struct tree tree;
    size_t first;
    size_t count;

    if (!tree_build(spans, now_ns, arena, &tree, err))
        return false;
    first = view->window_first < tree.count ? view->window_first : tree.count;
    count = view->window_count < tree.count - first ? view->window_count : tree.count - first;
    json_open(&r.j, '{');
    trace_head(&r, &tree);
    if (!services_member(&r, spans, err))
        return false;
    members(&r.j, no_genai_trace);
    marks_member(&r.j, 0, tree.marks);
    json_key(&r.j, "next_window");
    if (first + count < tree.count) {
        const uint32_t numbers[2] = {(uint32_t)(first + count), view->window_count};
        buf_printf(out, "\"%u,%u\"", numbers[0], numbers[1]);
    } else {
        json_null(&r.j);
    }
    json_key(&r.j, "spans");
    json_open(&r.j, '[');
    for (size_t i = first; i < first + count && buf_ok(out); i++) {
        json_item(&r.j);
        tree_span(&r, &tree.nodes[i]);
    }
    json_close(&r.j, ']');
    json_close(&r.j, '}');
    return written(out, err);
}

static void lone_members(struct renderer *r, const struct stored_span *span)
{
    trace_id_member(&r->j, &span->trace_id);
    identity(r, span);
    facts(r, span);
    members(&r->j, no_genai);
    outcome(r, span);
    payload(r, span);
    versions(r, span, 0);
}

bool render_span(const struct trace_spans *spans, struct arena *arena, struct buf *out,
                 struct err *err)
{
    struct renderer r = {.j = json_into(out), .arena = arena};

    if (spans->count == 0)
        return err_set(err, ERR_INTERNAL, "no span to render");
    json_open(&r.j, '{');
    lone_members(&r, &spans->items[0]);
    json_key(&r.j, "same_id");
    json_open(&r.j, '[');
    for (size_t i = 1; i < spans->count; i++) {
        json_item(&r.j);
        json_open(&r.j, '{');
        lone_members(&r, &spans->items[i]);
        json_close(&r.j, '}');
    }
    json_close(&r.j, ']');
    json_close(&r.j, '}');
    return written(out, err);
}
