/* Which log records are taken, and how they become events of their spans. */
#include "base/json_write.h"
#include "base/text.h"
#include "otlp/attr_json.h"
#include "otlp/logs.h"
#include "otlp/stored.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#define TAKEN "; taken are events gen_ai.* and claude_code.api_request that name a trace and a span"
#define MOST_MEMBERS 64   /* of a body, that are compared with what was sent as attributes */
#define MOST_OWN_FIELDS 4 /* of a record, that become attributes */

static bool starts_with(struct bytes text, const char *prefix)
{
    const size_t len = strlen(prefix);

    return text.len >= len && memcmp(text.at, prefix, len) == 0;
}

static bool is_taken(struct bytes event)
{
    return starts_with(event, "gen_ai.") || bytes_is(event, "claude_code.api_request");
}

/* The last one of that key; empty where that is no text. */
static struct bytes text_attribute(const struct attributes *set, const char *key)
{
    for (uint32_t i = set->count; i-- > 0;)
        if (bytes_is(set->items[i].key, key))
            return set->items[i].value.kind == VALUE_STRING ? set->items[i].value.text
                                                            : (struct bytes){0};
    return (struct bytes){0};
}

/* Senders older than the field have the name as an attribute; Claude Code has it as its body, and a
 * shorter one as the attribute. */
static const char *find_event(struct log_record *log, struct arena *arena)
{
    const struct bytes named = text_attribute(&log->attributes, "event.name");
    const char *fault;
    char quoted[65];

    if (is_taken(log->event_name))
        return NULL;
    if (log->body.kind == VALUE_STRING && bytes_is(log->body.text, "claude_code.api_request")) {
        log->event_name = log->body.text;
        return NULL;
    }
    if (log->event_name.len == 0 && is_taken(named)) {
        log->event_name = named;
        return NULL;
    }
    if (log->event_name.len == 0)
        return named.len ? "attribute event.name names another event" TAKEN : "no event name" TAKEN;
    fault = arena_printf(arena, "event '%s'" TAKEN,
                         text_quote(log->event_name, quoted, sizeof(quoted)));
    return fault ? fault : "another event" TAKEN;
}

bool otlp_check_log(struct log_record *log, struct arena *arena)
{
    if (!log->fault)
        log->fault = find_event(log, arena);
    if (!log->fault)
        log->fault = otlp_id_fault(arena, "trace_id", log->trace_id, 16);
    if (!log->fault)
        log->fault = otlp_id_fault(arena, "span_id", log->span_id, 8);
    if (!log->fault && log->time_unix_nano == 0 && log->observed_unix_nano == 0)
        log->fault = "no time: time_unix_nano and observed_time_unix_nano are 0";
    return log->fault == NULL;
}

/* The record's attributes, and behind them its own fields. */
static bool event_attributes(const struct log_record *log, struct arena *arena,
                             struct attributes *out_set)
{
    struct attributes set = log->attributes;

    set.items = arena_alloc(arena, (set.count + MOST_OWN_FIELDS) * sizeof(*set.items));
    if (!set.items)
        return false;
    if (set.count > 0)
        memcpy(set.items, log->attributes.items, set.count * sizeof(*set.items));
    if (log->body.kind != VALUE_EMPTY)
        set.items[set.count++] = (struct attribute){BYTES_LITERAL(OTLP_LOG_BODY), log->body};
    if (log->severity_text.len > 0)
        set.items[set.count++] =
            (struct attribute){BYTES_LITERAL(OTLP_LOG_SEVERITY_TEXT),
                               {.kind = VALUE_STRING, .text = log->severity_text}};
    if (log->severity_number != 0)
        set.items[set.count++] =
            (struct attribute){BYTES_LITERAL(OTLP_LOG_SEVERITY_NUMBER),
                               {.kind = VALUE_INT, .integer = log->severity_number}};
    /* Without a time of its own, the observed one is the event's. */
    if (log->time_unix_nano != 0 && log->observed_unix_nano != 0 &&
        log->observed_unix_nano <= INT64_MAX)
        set.items[set.count++] =
            (struct attribute){BYTES_LITERAL(OTLP_LOG_OBSERVED_TIME),
                               {.kind = VALUE_INT, .integer = (int64_t)log->observed_unix_nano}};
    *out_set = set;
    return true;
}

static void write_event(const struct log_record *log, uint64_t time_ns,
                        const struct attributes *set, struct arena *arena, struct buf *out)
{
    struct json j = json_into(out);

    /* Repairs of text are seen in the text; a record has no place for marks. */
    json_open(&j, '{');
    json_key(&j, "name");
    (void)attr_json_text(out, log->event_name);
    json_key(&j, "time_unix_nano");
    json_uint_text(&j, time_ns);
    json_key(&j, "source");
    json_cstr(&j, "log");
    json_key(&j, "attributes");
    (void)attr_json_write(out, set, arena);
    json_key(&j, "dropped_attributes_count");
    json_uint(&j, set->dropped);
    json_close(&j, '}');
}

bool otlp_log_to_stored(const struct log_record *log, int32_t tenant_id, int64_t received_ns,
                        struct arena *arena, struct stored_log *out_row, struct err *err)
{
    const uint64_t time_ns = log->time_unix_nano ? log->time_unix_nano : log->observed_unix_nano;
    struct stored_log row = {.tenant_id = tenant_id, .received_ns = received_ns};
    struct attributes set;
    struct buf event;

    buf_init(&event, arena->max_bytes);
    if (event_attributes(log, arena, &set))
        write_event(log, time_ns, &set, arena, &event);
    if (event.len > 0 && buf_ok(&event))
        row.event = arena_copy(arena, buf_bytes(&event));
    buf_done(&event);
    if (row.event.len == 0)
        return err_set(err, ERR_TOO_LARGE, "decoding takes more than %zu bytes", arena->max_bytes);
    memcpy(row.trace_id.at, log->trace_id.at, sizeof(row.trace_id.at));
    row.trace_bucket = stored_bucket(&row.trace_id);
    row.span_id = (int64_t)read_be64(log->span_id.at);
    row.time_unix_ns = time_ns > INT64_MAX ? INT64_MAX : (int64_t)time_ns;
    row.content_hash = (int64_t)XXH3_64bits(row.event.at, row.event.len);
    *out_row = row;
    return true;
}

static bool has_key(const struct attributes *set, uint32_t count, struct bytes key)
{
    for (uint32_t i = 0; i < count; i++)
        if (bytes_equal(set->items[i].key, key))
            return true;
    return false;
}

/* What of a body counts as attributes of the event, where a span event of that name has it: the
 * members of a map; a text under the keys that such events use. */
static struct attributes spread_of(const struct value *body, struct attribute of_text[2])
{
    if (body->kind == VALUE_KVLIST)
        return (struct attributes){body->entries,
                                   body->count < MOST_MEMBERS ? body->count : MOST_MEMBERS, 0};
    of_text[0] = (struct attribute){BYTES_LITERAL("content"), *body};
    of_text[1] = (struct attribute){BYTES_LITERAL("body"), *body};
    return (struct attributes){of_text, body->kind == VALUE_STRING ? 2 : 0, 0};
}

/* A key that was sent as an attribute stands. */
static bool spread_body(struct event *event, struct arena *arena)
{
    struct attributes *set = &event->attributes;
    const struct value *body = NULL;
    const uint32_t sent = set->count;
    struct attribute of_text[2];
    struct attributes spread;
    struct attribute *items;

    for (uint32_t i = 0; i < sent; i++)
        if (bytes_is(set->items[i].key, OTLP_LOG_BODY))
            body = &set->items[i].value;
    if (!body)
        return true;
    spread = spread_of(body, of_text);
    items = arena_array(arena, struct attribute, (size_t)sent + spread.count);
    if (!items)
        return false;
    memcpy(items, set->items, sent * sizeof(*items));
    for (uint32_t i = 0; i < spread.count; i++)
        if (!has_key(set, sent, spread.items[i].key))
            items[set->count++] = spread.items[i];
    set->items = items;
    return true;
}

bool otlp_add_log_events(const struct stored_span *row, struct arena *arena, struct span *span,
                         struct err *err)
{
    struct event *logs;
    struct event *events;
    uint32_t count;

    if (row->log_events.len == 0)
        return true;
    if (!otlp_events_from_stored(row->log_events, arena, &logs, &count, err))
        return false;
    events = arena_array(arena, struct event, (size_t)span->event_count + count);
    if (!events)
        return err_set(err, ERR_TOO_LARGE, "decoding takes more than %zu bytes", arena->max_bytes);
    if (span->event_count > 0)
        memcpy(events, span->events, span->event_count * sizeof(*events));
    for (uint32_t i = 0; i < count; i++) {
        if (!spread_body(&logs[i], arena))
            return err_set(err, ERR_TOO_LARGE, "decoding takes more than %zu bytes",
                           arena->max_bytes);
        events[span->event_count++] = logs[i];
    }
    span->events = events;
    return true;
}
