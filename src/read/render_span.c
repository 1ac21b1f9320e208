/* A span's members as JSON. */
#include "read/render_span.h"

#include "base/text.h"
#include "otlp/stored.h"
#include "read/amounts.h"
#include "read/events.h"
#include "read/head.h"
#include "read/render_content.h"

void render_span_id(struct json *j, int64_t id)
{
    uint8_t raw[8];
    char hex[18];

    put_be64(raw, (uint64_t)id);
    hex[0] = hex[17] = '"';
    text_hex((struct bytes){raw, sizeof(raw)}, hex + 1);
    json_raw(j, (struct bytes){(const uint8_t *)hex, sizeof(hex)});
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

void render_span_marks(struct json *j, unsigned stored, unsigned tree)
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
    render_span_id(j, span->span_id);
    json_key(j, "parent_span_id");
    if (span->has_parent)
        render_span_id(j, span->parent_span_id);
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
    json_key(j, "failed");
    json_bool(j, stored_failed(span));
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
    events_json(j, span->events, span->log_events, &r->time);
    json_key(j, "dropped_events_count");
    json_uint(j, span->dropped_events);
    json_or(j, "links", span->links, "[]");
    json_key(j, "dropped_links_count");
    json_uint(j, span->dropped_links);
    json_key(j, "trace_state");
    json_text(j, span->trace_state);
    json_key(j, "flags");
    json_uint(j, span->flags);
}

static void versions(struct renderer *r, const struct stored_span *span, unsigned tree_marks)
{
    render_span_marks(&r->j, span->marks, tree_marks);
    json_key(&r->j, "other_versions");
    json_uint(&r->j, span->other_versions);
}

/* Own value, else the trace's. */
static struct bytes or_of_trace(struct bytes own, struct bytes of_trace)
{
    return own.len > 0 ? own : of_trace;
}

static void whose(struct renderer *r, const struct meaning *m)
{
    static const struct trace_facts nothing;
    const struct trace_facts *whole = r->facts ? r->facts : &nothing;
    struct json *j = &r->j;

    amounts_text_or_null(j, "session_id", or_of_trace(m->session_id, whole->session_id));
    amounts_text_or_null(j, "user_id", or_of_trace(m->user_id, whole->user_id));
    amounts_text_or_null(j, "environment", or_of_trace(m->environment, whole->environment));
    amounts_text_or_null(j, "project", or_of_trace(m->project, whole->project));
    amounts_text_or_null(j, "release", m->release);
    amounts_texts(j, "tags", m->tags, m->tag_count);
}

static void prompt_member(struct json *j, const struct meaning *m)
{
    json_key(j, "prompt");
    if (m->prompt_name.len == 0) {
        json_null(j);
        return;
    }
    json_open(j, '{');
    json_key(j, "name");
    json_text(j, m->prompt_name);
    amounts_text_or_null(j, "version", m->prompt_version);
    json_close(j, '}');
}

static void duplicate_member(struct json *j, const struct billing *billing)
{
    json_key(j, "duplicate_of");
    if (!billing->is_duplicate) {
        json_null(j);
        return;
    }
    json_open(j, '{');
    head_trace_id(j, "trace_id", &billing->duplicate_of_trace_id);
    json_key(j, "span_id");
    render_span_id(j, billing->duplicate_of_span_id);
    json_close(j, '}');
}

/* The same of a span like any other: constant text, because most spans of large traces are. */
static const char no_model_members[] =
    "\"observation_type\":\"span\",\"provider\":null,\"model\":null,\"usage\":null,"
    "\"cost\":null,\"billable\":false";

/* What every view shows: enough for a waterfall with models, tokens and money. */
static void model_members(struct renderer *r, const struct stored_span *span,
                          const struct meaning *m)
{
    struct json *j = &r->j;

    json_key(j, "observation_type");
    json_cstr(j, observation_name(m->observation));
    amounts_text_or_null(j, "provider", m->provider);
    amounts_text_or_null(j, "model", m->model);
    json_key(j, "usage");
    amounts_usage(j, &m->usage);
    json_key(j, "cost");
    amounts_cost(j, span, r->prices);
    json_key(j, "billable");
    json_bool(j, span->billing.billable);
}

static void genai(struct renderer *r, const struct stored_span *span)
{
    static const struct meaning nothing = {.observation = OBSERVATION_SPAN};
    const struct meaning *m = span->meaning ? span->meaning : &nothing;
    struct json *j = &r->j;

    if (span->meaning || span->billing.billable) {
        model_members(r, span, m);
    } else {
        json_item(j);
        buf_add_text(j->out, no_model_members);
    }
    if (r->skeleton)
        return;
    amounts_text_or_null(j, "request_model", m->request_model);
    duplicate_member(j, &span->billing);
    whose(r, m);
    prompt_member(j, m);
    amounts_text_or_null(j, "agent_name", m->agent_name);
    json_key(j, "completion_start_time");
    if (m->completion_start_ns > 0)
        render_time_json(&r->time, j, m->completion_start_ns);
    else
        json_null(j);
    amounts_text_or_null(j, "level", m->level);
}

static void subtree(struct json *j, const struct tree_node *node)
{
    if (node->subtree_calls == 0) {
        json_item(j);
        buf_add_text(j->out, "\"subtree_cost_usd\":\"0\",\"subtree_tokens\":0");
        return;
    }
    json_key(j, "subtree_cost_usd");
    if (node->subtree_unpriced == node->subtree_calls)
        json_null(j);
    else
        amounts_usd(j, node->subtree_cost);
    json_key(j, "subtree_tokens");
    amounts_int(j, node->subtree_tokens);
}

bool render_span_of_tree(struct renderer *r, const struct tree_node *node, struct err *err)
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
    subtree(j, node);
    genai(r, span);
    outcome(r, span);
    if (!r->skeleton) {
        payload(r, span);
        if (!render_content_members(r, span, err))
            return false;
    }
    versions(r, span, node->marks);
    json_close(j, '}');
    return true;
}

bool render_span_alone(struct renderer *r, const struct stored_span *span, struct err *err)
{
    head_trace_id(&r->j, "trace_id", &span->trace_id);
    identity(r, span);
    facts(r, span);
    genai(r, span);
    outcome(r, span);
    payload(r, span);
    if (!render_content_members(r, span, err))
        return false;
    versions(r, span, 0);
    return true;
}
