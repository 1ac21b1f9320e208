/* GenAI-shaped traces in both encodings of OTLP, with the places of ids and times remembered. */
#include "support/traffic.h"

#include <stdio.h>
#include <stdlib.h>

#define ERROR_EVERY 50
#define MAX_BODY_BYTES ((size_t)1 << 30)

enum step { STEP_CHAIN, STEP_RETRIEVER, STEP_MODEL, STEP_TOOL };

static const char *const step_names[] = {"AgentExecutor", "VectorStoreRetriever", "ChatOpenAI",
                                         "search_orders"};
static const char *const step_kinds[] = {"CHAIN", "RETRIEVER", "LLM", "TOOL"};
static const struct model {
    const char *name;
    const char *provider;
} models[] = {
    {"gpt-4.1", "openai"},
    {"gpt-4.1-mini", "openai"},
    {"claude-sonnet-4-20250514", "anthropic"},
    {"gemini-2.5-pro", "gcp.gemini"},
    {"mistral-large-2411", "mistral_ai"},
};
static const char *const vocabulary[] = {
    "invoice",  "refund",    "shipment", "the",    "customer", "asked",  "whether", "an",
    "order",    "of",        "March",    "could",  "still",    "be",     "changed", "and",
    "which",    "warehouse", "holds",    "its",    "parts",    "after",  "return",  "policy",
    "section",  "four",      "says",     "within", "thirty",   "days",   "unless",  "sealed",
    "software", "was",       "opened",   "see",    "document", "number", "for",     "details",
    "please",   "answer",    "briefly",  "quote",  "your",     "source", "then",    "stop"};

struct emit {
    struct buf *out;
    bool json;
};

uint64_t traffic_random(uint64_t *seed)
{
    uint64_t z = (*seed += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/* ---- writing: protobuf, or JSON with a comma where a value stands before ---- */

static void add_varint(struct buf *out, uint64_t value)
{
    for (; value > 127; value >>= 7)
        buf_add_byte(out, (uint8_t)(value | 128));
    buf_add_byte(out, (uint8_t)value);
}

static size_t varint_bytes(uint64_t value)
{
    size_t bytes = 1;
    for (; value > 127; value >>= 7)
        bytes++;
    return bytes;
}

static void add_tag(struct buf *out, uint32_t field, uint32_t wire_type)
{
    add_varint(out, field << 3 | wire_type);
}

static void add_name(struct buf *out, const char *name)
{
    const uint8_t last = out->len > 0 ? out->at[out->len - 1] : '{';
    if (last != '{' && last != '[')
        buf_add_byte(out, ',');
    buf_printf(out, "\"%s\":", name);
}

static uint32_t add_blank(struct buf *out, size_t width)
{
    const size_t at = out->len;
    for (size_t i = 0; i < width; i++)
        buf_add_byte(out, '0');
    return (uint32_t)at;
}

/* An id field with room for it. Returns where it stands. */
static uint32_t emit_id(struct emit *e, uint32_t field, const char *name, size_t width)
{
    if (e->json) {
        add_name(e->out, name);
        buf_add_byte(e->out, '"');
        const uint32_t at = add_blank(e->out, 2 * width);
        buf_add_byte(e->out, '"');
        return at;
    }
    add_tag(e->out, field, 2);
    add_varint(e->out, width);
    return add_blank(e->out, width);
}

static uint32_t emit_time(struct emit *e, uint32_t field, const char *name)
{
    if (e->json) {
        add_name(e->out, name);
        buf_add_byte(e->out, '"');
        const uint32_t at = add_blank(e->out, TIME_DIGITS);
        buf_add_byte(e->out, '"');
        return at;
    }
    add_tag(e->out, field, 1);
    return add_blank(e->out, sizeof(uint64_t));
}

static void emit_text(struct emit *e, uint32_t field, const char *name, const char *text)
{
    if (e->json) {
        add_name(e->out, name);
        buf_printf(e->out, "\"%s\"", text);
        return;
    }
    add_tag(e->out, field, 2);
    add_varint(e->out, strlen(text));
    buf_add_text(e->out, text);
}

static void emit_number(struct emit *e, uint32_t field, const char *name, uint32_t value)
{
    if (e->json) {
        add_name(e->out, name);
        buf_printf(e->out, "%u", value);
        return;
    }
    add_tag(e->out, field, 0);
    add_varint(e->out, value);
}

/* Head of one attribute whose AnyValue takes value_bytes in protobuf. */
static void emit_attribute(struct emit *e, uint32_t field, const char *key, size_t value_bytes)
{
    if (e->json) {
        if (e->out->at[e->out->len - 1] != '[')
            buf_add_byte(e->out, ',');
        buf_printf(e->out, "{\"key\":\"%s\",\"value\":{", key);
        return;
    }
    const size_t key_len = strlen(key);
    add_tag(e->out, field, 2);
    add_varint(e->out,
               1 + varint_bytes(key_len) + key_len + 1 + varint_bytes(value_bytes) + value_bytes);
    emit_text(e, 1, "key", key);
    add_tag(e->out, 2, 2);
    add_varint(e->out, value_bytes);
}

static void emit_attribute_end(struct emit *e)
{
    if (e->json)
        buf_add_text(e->out, "}}");
}

/* Returns where the value's text stands. */
static uint32_t attribute_text(struct emit *e, uint32_t field, const char *key, const char *text)
{
    const size_t len = strlen(text);
    emit_attribute(e, field, key, 1 + varint_bytes(len) + len);
    emit_text(e, 1, "stringValue", text);
    const uint32_t at = (uint32_t)(e->out->len - len - (e->json ? 1 : 0));
    emit_attribute_end(e);
    return at;
}

static void attribute_int(struct emit *e, uint32_t field, const char *key, uint32_t value)
{
    emit_attribute(e, field, key, 1 + varint_bytes(value));
    if (e->json)
        buf_printf(e->out, "\"intValue\":\"%u\"", value);
    else
        emit_number(e, 3, "intValue", value);
    emit_attribute_end(e);
}

static void attribute_real(struct emit *e, uint32_t field, const char *key, double value)
{
    emit_attribute(e, field, key, 1 + sizeof(value));
    if (e->json) {
        buf_printf(e->out, "\"doubleValue\":%.3g", value);
    } else {
        add_tag(e->out, 4, 1);
        buf_add(e->out, &value, sizeof(value));
    }
    emit_attribute_end(e);
}

static void attribute_words(struct emit *e, uint32_t field, const char *key, size_t bytes,
                            uint64_t *seed)
{
    struct buf words;
    buf_init(&words, MAX_BODY_BYTES);
    while (words.len + 16 < bytes) {
        buf_add_text(&words,
                     vocabulary[traffic_below(seed, sizeof(vocabulary) / sizeof(vocabulary[0]))]);
        buf_add_byte(&words, ' ');
    }
    buf_add_byte(&words, 0);
    (void)attribute_text(e, field, key, (const char *)words.at);
    buf_done(&words);
}

/* ---- one span ---- */

static void add_model_call(struct emit *e, const struct traffic_shape *shape, uint64_t *seed,
                           struct traffic_slot *slot)
{
    const struct model *model = &models[traffic_below(seed, sizeof(models) / sizeof(models[0]))];
    const size_t input = shape->llm_bytes > 0 ? shape->llm_bytes / 4 * 3 : shape->message_bytes;
    const size_t output = shape->llm_bytes > 0 ? shape->llm_bytes / 4 : shape->message_bytes / 2;

    (void)attribute_text(e, 9, "openinference.span.kind", step_kinds[STEP_MODEL]);
    (void)attribute_text(e, 9, "gen_ai.operation.name", "chat");
    (void)attribute_text(e, 9, "gen_ai.provider.name", model->provider);
    (void)attribute_text(e, 9, "gen_ai.request.model", model->name);
    (void)attribute_text(e, 9, "gen_ai.response.model", model->name);
    attribute_int(e, 9, "gen_ai.usage.input_tokens", 200 + traffic_below(seed, 6000));
    attribute_int(e, 9, "gen_ai.usage.output_tokens", 10 + traffic_below(seed, 900));
    attribute_real(e, 9, "gen_ai.request.temperature", 0.2);
    slot->response = attribute_text(e, 9, "gen_ai.response.id", "chatcmpl-0000000000000000") + 9;
    attribute_words(e, 9, "gen_ai.input.messages", input, seed);
    attribute_words(e, 9, "gen_ai.output.messages", output, seed);
}

static void add_span_attributes(struct emit *e, const struct traffic_shape *shape, enum step step,
                                uint64_t *seed, struct traffic_slot *slot)
{
    if (e->json) {
        add_name(e->out, "attributes");
        buf_add_byte(e->out, '[');
    }
    slot->session = attribute_text(e, 9, "session.id", "session-00000") + 8;
    slot->user = attribute_text(e, 9, "user.id", "user-0000") + 5;
    if (step == STEP_MODEL) {
        add_model_call(e, shape, seed, slot);
    } else {
        (void)attribute_text(e, 9, "openinference.span.kind", step_kinds[step]);
        attribute_words(e, 9, "input.value", shape->message_bytes / 2, seed);
        attribute_words(e, 9, "output.value", shape->message_bytes / 2, seed);
        if (step == STEP_TOOL)
            (void)attribute_text(e, 9, "tool.name", step_names[step]);
    }
    if (e->json)
        buf_add_byte(e->out, ']');
}

static void add_status(struct emit *e)
{
    static const char failed[] = "rate limited";
    if (e->json) {
        buf_printf(e->out, ",\"status\":{\"message\":\"%s\",\"code\":2}", failed);
        return;
    }
    add_tag(e->out, 15, 2);
    add_varint(e->out, 2 + strlen(failed) + 2);
    emit_text(e, 2, "message", failed);
    emit_number(e, 3, "code", 2);
}

static void add_span(struct emit *e, const struct traffic_shape *shape, uint32_t position,
                     uint64_t *seed, struct traffic_slot *slot)
{
    const enum step step = position == 0 ? STEP_CHAIN : (enum step)(1 + (position - 1) % 3);

    *slot = (struct traffic_slot){0};
    slot->trace_id = emit_id(e, 1, "traceId", TRACE_ID_BYTES);
    slot->span_id = emit_id(e, 2, "spanId", SPAN_ID_BYTES);
    if (position > 0 || shape->one_trace)
        slot->parent_id = emit_id(e, 4, "parentSpanId", SPAN_ID_BYTES);
    emit_text(e, 5, "name", step_names[step]);
    emit_number(e, 6, "kind", step == STEP_MODEL ? 3 : 1);
    slot->start = emit_time(e, 7, "startTimeUnixNano");
    slot->end = emit_time(e, 8, "endTimeUnixNano");
    add_span_attributes(e, shape, step, seed, slot);
    if (traffic_below(seed, ERROR_EVERY) == 0)
        add_status(e);
}

/* ---- the request around them ---- */

static void add_resource(struct emit *e, uint32_t service)
{
    char name[32];
    (void)snprintf(name, sizeof(name), "svc-%u", service);
    (void)attribute_text(e, 1, "service.name", name);
    (void)attribute_text(e, 1, "service.version", "1.4.2");
    (void)attribute_text(e, 1, "deployment.environment.name", "production");
    (void)attribute_text(e, 1, "telemetry.sdk.language", "python");
    (void)attribute_text(e, 1, "telemetry.sdk.name", "opentelemetry");
    (void)attribute_text(e, 1, "telemetry.sdk.version", "1.38.0");
}

static void add_scope(struct emit *e)
{
    emit_text(e, 1, "name", "openinference.instrumentation.langchain");
    emit_text(e, 2, "version", "0.1.50");
}

static void shift(struct traffic_slot *slot, size_t by)
{
    uint32_t *const places[] = {&slot->trace_id, &slot->span_id, &slot->parent_id, &slot->start,
                                &slot->end,      &slot->session, &slot->user,      &slot->response};
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
        if (*places[i] > 0)
            *places[i] += (uint32_t)by;
}

static void wrap(struct buf *out, uint32_t field, const struct buf *inner)
{
    add_tag(out, field, 2);
    add_varint(out, inner->len);
    buf_add_bytes(out, buf_bytes(inner));
}

static void build_protobuf(const struct traffic_shape *shape, uint64_t *seed, uint32_t service,
                           struct traffic_body *body)
{
    struct buf span, spans, resource, all;
    struct emit e = {.json = false};

    buf_init(&span, MAX_BODY_BYTES);
    buf_init(&spans, MAX_BODY_BYTES);
    buf_init(&resource, MAX_BODY_BYTES);
    buf_init(&all, MAX_BODY_BYTES);
    e.out = &span;
    add_scope(&e);
    wrap(&spans, 1, &span);
    for (uint32_t i = 0; i < shape->spans; i++) {
        buf_clear(&span);
        add_span(&e, shape, i % shape->spans_per_trace, seed, &body->slots[i]);
        wrap(&spans, 2, &span);
        shift(&body->slots[i], spans.len - span.len);
    }
    e.out = &resource;
    add_resource(&e, service);
    wrap(&all, 1, &resource);
    wrap(&all, 2, &spans);
    wrap(&body->bytes, 1, &all);
    for (uint32_t i = 0; i < shape->spans; i++)
        shift(&body->slots[i], body->bytes.len - spans.len);
    body->bytes.failed |= span.failed || spans.failed || resource.failed || all.failed;
    buf_done(&span);
    buf_done(&spans);
    buf_done(&resource);
    buf_done(&all);
}

static void build_json(const struct traffic_shape *shape, uint64_t *seed, uint32_t service,
                       struct traffic_body *body)
{
    struct emit e = {.out = &body->bytes, .json = true};

    buf_add_text(e.out, "{\"resourceSpans\":[{\"resource\":{\"attributes\":[");
    add_resource(&e, service);
    buf_add_text(e.out, "]},\"scopeSpans\":[{\"scope\":{");
    add_scope(&e);
    buf_add_text(e.out, "},\"spans\":[");
    for (uint32_t i = 0; i < shape->spans; i++) {
        buf_add_text(e.out, i > 0 ? ",{" : "{");
        add_span(&e, shape, i % shape->spans_per_trace, seed, &body->slots[i]);
        buf_add_byte(e.out, '}');
    }
    buf_add_text(e.out, "]}]}]}");
}

void traffic_build(const struct traffic_shape *shape, uint64_t *seed, uint32_t number,
                   struct traffic_body *out_body)
{
    *out_body = (struct traffic_body){.count = shape->spans};
    buf_init(&out_body->bytes, MAX_BODY_BYTES);
    out_body->slots = calloc(shape->spans, sizeof(out_body->slots[0]));
    if (out_body->slots != NULL)
        (shape->json ? build_json : build_protobuf)(shape, seed, number % shape->services,
                                                    out_body);
    if (out_body->slots == NULL || !buf_ok(&out_body->bytes)) {
        (void)fprintf(stderr, "bench: no memory for a request of %u spans\n", shape->spans);
        exit(2);
    }
}

void traffic_done(struct traffic_body *body)
{
    buf_done(&body->bytes);
    free(body->slots);
    *body = (struct traffic_body){0};
}
