/* Requests of OTLP/JSON from their members. */
#include "support/json_case.h"

#include "test.h"

const struct otlp_limits json_limits = {.max_depth = 64, .max_attributes = 10000};
struct arena json_arena;

int json_fresh(void **state)
{
    (void)state;
    arena_done(&json_arena);
    arena_init(&json_arena, JSON_ROOM);
    return 0;
}

struct span_array json_decode(const char *json, const char *why)
{
    struct span_array spans = {0};
    struct err err = {0};

    if (!otlp_from_json(bytes_of(json), &json_limits, &json_arena, &spans, &err))
        fail_msg("%s: refused: %s", why, err.text);
    return spans;
}

void json_refuse(struct bytes json, const char *text, const char *why)
{
    struct span_array spans = {.count = 77};
    struct err err = {0};

    if (otlp_from_json(json, &json_limits, &json_arena, &spans, &err))
        fail_msg("%s: accepted", why);
    if (err.kind != ERR_BAD_INPUT || err.text[0] == '\0' || !strstr(err.text, text) ||
        spans.count != 77)
        fail_msg("%s: kind %d \"%s\"", why, (int)err.kind, err.text);
}

const char *json_request_of(const char *members)
{
    return arena_printf(&json_arena,
                        "{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[{" JSON_IDS "%s%s}]}]}]}",
                        members[0] ? "," : "", members);
}

struct span json_span_of(const char *members, const char *why)
{
    struct span_array spans = json_decode(json_request_of(members), why);

    if (spans.count != 1)
        fail_msg("%s: %zu spans", why, spans.count);
    return spans.items[0];
}
