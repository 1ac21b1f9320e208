/* Content and ledger of a span. */
#include "read/render_content.h"

#include "base/json_read.h"
#include "base/text.h"
#include "genai/content.h"
#include "otlp/logs.h"
#include "otlp/stored.h"
#include "read/amounts.h"

#define SHOWN_JSON_DEPTH 100   /* deeper ones are shown as text: many readers recurse */
#define SHOWN_SOURCE_BYTES 500 /* of a value in the ledger; the attribute has it whole */

/* All that is derived of one span; lives in the scratch arena. */
struct derived {
    struct span sent;
    struct findings findings;
    struct meaning meaning;
    struct sources sources;
    struct content content;
};

static bool find(struct renderer *r, struct derived *d, struct err *err)
{
    return genai_find(&d->sent, FIND_FACTS | FIND_DETAILS | FIND_CONTENT, r->scratch, &d->findings,
                      err);
}

static bool derive(struct renderer *r, const struct stored_span *span, struct derived *d,
                   struct err *err)
{
    struct otlp_from_stored_memo memo = {0};

    arena_reset(r->scratch);
    *d = (struct derived){.sources = {.arena = r->scratch}};
    if (!otlp_from_stored(span, r->scratch, &memo, &d->sent, err) || !find(r, d, err) ||
        !genai_read(&d->findings, &d->sources, &d->meaning, err))
        return false;
    /* What came as log records is content, never facts: those are the span's own, as its columns. */
    if (span->log_events.len > 0 &&
        (!otlp_add_log_events(span, r->scratch, &d->sent, err) || !find(r, d, err)))
        return false;
    return genai_content(&d->findings, &d->meaning, &d->sources, &d->content, err);
}

/* Whether a text is one JSON object, array or string. Numbers and words of JSON are words of people
 * as well: "42" and "null" stay texts. */
static bool is_json(struct bytes text, struct arena *arena)
{
    struct json_reader reader;
    enum json_token token = JSON_NULL;
    struct err err;
    size_t at = 0;

    while (at < text.len && (text.at[at] == ' ' || text.at[at] == '\n' || text.at[at] == '\t' ||
                             text.at[at] == '\r'))
        at++;
    if (at == text.len || !(text.at[at] == '{' || text.at[at] == '[' || text.at[at] == '"') ||
        text_valid_prefix(text) != text.len)
        return false;
    json_reader_init(&reader, text, arena);
    do {
        if (!json_next(&reader, &token, &err) || reader.depth > SHOWN_JSON_DEPTH)
            return false;
    } while (token != JSON_END);
    return true;
}

static void said_member(struct renderer *r, const char *key, struct bytes text)
{
    json_key(&r->j, key);
    if (text.len == 0)
        json_null(&r->j);
    else if (is_json(text, r->scratch))
        json_raw(&r->j, text);
    else
        json_text(&r->j, text);
}

static void json_or(struct json *j, const char *key, struct bytes json, const char *none)
{
    json_key(j, key);
    json_raw(j, json.len > 0 ? json : bytes_of(none));
}

static void tool_member(struct renderer *r, const struct derived *d)
{
    const struct content *c = &d->content;
    struct json *j = &r->j;

    json_key(j, "tool");
    if (d->meaning.tool_name.len == 0 && c->tool_call_id.len == 0 && c->tool_arguments.len == 0 &&
        c->tool_result.len == 0) {
        json_null(j);
        return;
    }
    json_open(j, '{');
    amounts_text_or_null(j, "name", d->meaning.tool_name);
    amounts_text_or_null(j, "call_id", c->tool_call_id);
    said_member(r, "arguments", c->tool_arguments);
    said_member(r, "result", c->tool_result);
    json_close(j, '}');
}

static void source_json(struct json *j, const struct source *source)
{
    const size_t shown = text_cut(source->value, SHOWN_SOURCE_BYTES);

    json_open(j, '{');
    json_key(j, "field");
    json_cstr(j, source->field);
    amounts_text_or_null(j, "key", source->key);
    json_key(j, "dialect");
    json_cstr(j, source->dialect);
    json_key(j, "pointer");
    json_cstr(j, source->pointer);
    json_key(j, "value");
    json_text(j, (struct bytes){source->value.at, shown});
    json_key(j, "used");
    json_bool(j, source->used);
    json_key(j, "reason");
    json_cstr(j, source->reason);
    json_close(j, '}');
}

static void sources_member(struct json *j, const char *key, const struct sources *sources,
                           bool only_conflicts)
{
    json_key(j, key);
    json_open(j, '[');
    for (size_t i = 0; i < sources->count; i++) {
        if (only_conflicts && !sources->items[i].conflict)
            continue;
        json_item(j);
        source_json(j, &sources->items[i]);
    }
    json_close(j, ']');
}

static bool is_usage(const struct source *source)
{
    static const char prefix[] = "usage.";

    return source->field && source->key.len > 0 &&
           strncmp(source->field, prefix, sizeof(prefix) - 1) == 0;
}

/* Whether an earlier source has the same key and pointer: a member of an object stands once. */
static bool is_told(const struct sources *sources, size_t at)
{
    const struct source *source = &sources->items[at];

    for (size_t i = 0; i < at; i++) {
        const struct source *other = &sources->items[i];

        if (is_usage(other) && bytes_equal(other->key, source->key) &&
            strcmp(other->pointer ? other->pointer : "", source->pointer ? source->pointer : "") ==
                0)
            return true;
    }
    return false;
}

/* The numbers as they were sent, by attribute key (and what its JSON pointer names). */
static void received_member(struct renderer *r, const struct sources *sources)
{
    struct json *j = &r->j;

    json_key(j, "received");
    json_open(j, '{');
    for (size_t i = 0; i < sources->count; i++) {
        const struct source *source = &sources->items[i];
        const char *name;
        int64_t number;

        if (!is_usage(source) || is_told(sources, i))
            continue;
        name =
            arena_printf(r->scratch, "%.*s%s%s", (int)source->key.len, (const char *)source->key.at,
                         source->pointer ? "#" : "", source->pointer ? source->pointer : "");
        if (!name)
            continue;
        json_key_bytes(j, bytes_of(name));
        if (text_int64(source->value, &number))
            json_int(j, number);
        else
            json_text(
                j, (struct bytes){source->value.at, text_cut(source->value, SHOWN_SOURCE_BYTES)});
    }
    json_close(j, '}');
}

/* What the columns say of a usage that was not counted is only a flag. */
static enum usage_rule rule_of(const struct meaning *m)
{
    if (!m)
        return USAGE_RULE_NONE;
    return !m->usage.sent && (m->flags & MEANING_ODD_USAGE) ? USAGE_RULE_ODD : m->usage.rule;
}

static void flags_member(struct json *j, unsigned flags)
{
    json_key(j, "flags");
    json_open(j, '[');
    while (flags) {
        const unsigned flag = flags & (0 - flags);
        const char *name = meaning_flag_name(flag);

        flags &= ~flag;
        if (!name)
            continue;
        json_item(j);
        json_cstr(j, name);
    }
    json_close(j, ']');
}

static void ledger_member(struct renderer *r, const struct stored_span *span,
                          const struct derived *d)
{
    const enum usage_rule rule = rule_of(span->meaning);
    struct json *j = &r->j;

    json_key(j, "ledger");
    if (!span->meaning && d->sources.count == 0) {
        json_null(j);
        return;
    }
    json_open(j, '{');
    json_key(j, "usage_rule");
    json_cstr(j, usage_rule_name(rule));
    json_key(j, "usage_reason");
    json_cstr(j, usage_rule_text(rule));
    flags_member(j, span->meaning ? span->meaning->flags : 0);
    received_member(r, &d->sources);
    sources_member(j, "sources", &d->sources, /* only_conflicts= */ false);
    sources_member(j, "conflicts", &d->sources, /* only_conflicts= */ true);
    json_key(j, "billing_reason");
    json_cstr(j, billing_reason_name(span->billing.reason));
    json_key(j, "billing_text");
    json_cstr(j, billing_reason_text(span->billing.reason));
    json_close(j, '}');
}

bool render_content_members(struct renderer *r, const struct stored_span *span, struct err *err)
{
    struct derived d;
    struct json *j = &r->j;

    if (!derive(r, span, &d, err)) {
        if (err->kind == ERR_TOO_LARGE)
            return false;
        /* The rest of the span can be shown. */
        d = (struct derived){.sources = {.count = 0}};
    }
    amounts_text_or_null(j, "response_id", d.meaning.response_id);
    json_or(j, "parameters", d.content.parameters, "{}");
    json_or(j, "metadata", d.content.metadata, "{}");
    amounts_texts(j, "finish_reasons", d.content.finish_reasons, d.content.finish_reason_count);
    tool_member(r, &d);
    json_or(j, "tool_definitions", d.content.tool_definitions, "[]");
    said_member(r, "input", d.content.input);
    said_member(r, "output", d.content.output);
    json_or(j, "messages", d.content.messages, "[]");
    ledger_member(r, span, &d);
    return true;
}
