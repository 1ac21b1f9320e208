/* Shapes of spans, written down attribute by attribute. */
#include "support/shapes.h"

#include <stdio.h>
#include <stdlib.h>

#include "otlp/decode.h"
#include "support/traffic.h"

#define ROOM ((size_t)64 << 20)
#define TRAFFIC_SPANS 500
#define SHAPES 6
#define START_NS UINT64_C(1763700000000000000)

struct pair { /* text, or a whole number where it is NULL */
    const char *key;
    const char *text;
    int64_t number;
};

static const struct pair otel_llm[] = {
    {"gen_ai.operation.name", "chat", 0},
    {"gen_ai.provider.name", "openai", 0},
    {"gen_ai.request.model", "gpt-4.1-mini", 0},
    {"gen_ai.response.model", "gpt-4.1-mini-2025-04-14", 0},
    {"gen_ai.response.id", "chatcmpl-BfJ2PzqTtVw8mY3kQ9nLxR5s", 0},
    {"gen_ai.usage.input_tokens", NULL, 5120},
    {"gen_ai.usage.output_tokens", NULL, 340},
    {"gen_ai.usage.cache_read.input_tokens", NULL, 4096},
    {"gen_ai.usage.reasoning.output_tokens", NULL, 128},
    {"gen_ai.request.temperature", "0.2", 0},
    {"gen_ai.request.max_tokens", NULL, 1024},
    {"gen_ai.conversation.id", "conv_5j66UpCpwteGg4YSxUnt7lPY", 0},
    {"server.address", "api.openai.com", 0},
    {"server.port", NULL, 443},
    {"gen_ai.output.type", "text", 0},
    {NULL, NULL, 0},
};

static const struct pair openinference[] = {
    {"openinference.span.kind", "LLM", 0},
    {"llm.model_name", "gpt-4.1-mini-2025-04-14", 0},
    {"llm.provider", "openai", 0},
    {"llm.system", "openai", 0},
    {"llm.invocation_parameters",
     "{\"model\": \"gpt-4.1-mini\", \"temperature\": 0.2, \"max_tokens\": 1024}", 0},
    {"llm.token_count.prompt", NULL, 5120},
    {"llm.token_count.completion", NULL, 340},
    {"llm.token_count.total", NULL, 5460},
    {"llm.token_count.prompt_details.cache_read", NULL, 4096},
    {"llm.input_messages.0.message.role", "system", 0},
    {"llm.input_messages.0.message.content", "You answer briefly and quote your source.", 0},
    {"llm.input_messages.1.message.role", "user", 0},
    {"llm.input_messages.1.message.content", "Could the order of March still be changed?", 0},
    {"llm.output_messages.0.message.role", "assistant", 0},
    {"llm.output_messages.0.message.content", "Yes, within thirty days of the shipment.", 0},
    {"session.id", "session-00042", 0},
    {"user.id", "user-0007", 0},
    {NULL, NULL, 0},
};

static const struct pair plain[] = {
    {"http.request.method", "POST", 0},
    {"http.response.status_code", NULL, 200},
    {"http.route", "/api/orders/{id}", 0},
    {"url.path", "/api/orders/4711", 0},
    {"url.scheme", "https", 0},
    {"server.address", "orders.example.com", 0},
    {"network.protocol.version", "1.1", 0},
    {"user_agent.original", "python-httpx/0.27.0", 0},
    {NULL, NULL, 0},
};

static const struct pair host[] = {
    {"service.name", "svc-1", 0},
    {"service.version", "1.4.2", 0},
    {"deployment.environment.name", "production", 0},
    {"telemetry.sdk.language", "python", 0},
    {"telemetry.sdk.name", "opentelemetry", 0},
    {"telemetry.sdk.version", "1.38.0", 0},
    {NULL, NULL, 0},
};

static struct arena arena;

static void *room(size_t bytes)
{
    void *at = arena_calloc(&arena, 1, bytes);

    if (at == NULL) {
        (void)fprintf(stderr, "shapes: no memory\n");
        exit(2);
    }
    return at;
}

static struct value text_value(const char *text)
{
    return (struct value){.kind = VALUE_STRING, .text = bytes_of(text)};
}

static struct attributes attributes_of(const struct pair *pairs, uint32_t more)
{
    struct attributes all = {0};

    while (pairs[all.count].key != NULL)
        all.count++;
    all.items = room((all.count + more) * sizeof(*all.items));
    for (uint32_t i = 0; i < all.count; i++)
        all.items[i] = (struct attribute){
            .key = bytes_of(pairs[i].key),
            .value = pairs[i].text != NULL
                         ? text_value(pairs[i].text)
                         : (struct value){.kind = VALUE_INT, .integer = pairs[i].number},
        };
    return all;
}

static struct span *span_of(const char *scope, const char *name, const struct pair *pairs,
                            uint32_t more)
{
    struct resource *resource = room(sizeof(*resource));
    struct scope *of = room(sizeof(*of));
    struct span *span = room(sizeof(*span));

    resource->attributes = attributes_of(host, 0);
    of->name = bytes_of(scope);
    of->version = bytes_of("0.1.0");
    *span = (struct span){
        .trace_id = BYTES_LITERAL("0123456789abcdef"),
        .span_id = BYTES_LITERAL("01234567"),
        .parent_span_id = BYTES_LITERAL("76543210"),
        .name = bytes_of(name),
        .start_unix_nano = START_NS,
        .end_unix_nano = START_NS + 1000000000,
        .kind = 3,
        .attributes = attributes_of(pairs, more),
        .resource = resource,
        .scope = of,
    };
    return span;
}

/* [{"role":"user","parts":[{"type":"text","content":"…"}]}, …] of about so many bytes. */
static const char *messages(const char *role, size_t bytes)
{
    char *text = room(bytes + 1024);
    size_t len = 0;

    text[len++] = '[';
    for (unsigned i = 0; len < bytes; i++)
        len += (size_t)snprintf(
            text + len, bytes + 1024 - len,
            "%s{\"role\":\"%s\",\"parts\":[{\"type\":\"text\",\"content\":\"%u: the customer asked "
            "whether an order of March could still be changed, and which warehouse holds its parts "
            "after the return; the policy of section four says within thirty days, unless sealed "
            "software was opened.\\nPlease answer briefly, quote your source, then stop.\"}]}",
            i > 0 ? "," : "", i % 2 == 0 ? role : "assistant", i);
    text[len++] = ']';
    text[len] = '\0';
    return text;
}

static const struct span *with_messages(void)
{
    struct span *span =
        span_of("opentelemetry.instrumentation.openai_v2", "chat gpt-4.1-mini", otel_llm, 2);
    struct attribute *end = span->attributes.items + span->attributes.count;

    end[0] =
        (struct attribute){bytes_of("gen_ai.input.messages"), text_value(messages("user", 15000))};
    end[1] = (struct attribute){bytes_of("gen_ai.output.messages"),
                                text_value(messages("assistant", 5000))};
    span->attributes.count += 2;
    return span;
}

/* The spans of bench/load's traffic that are model calls, or those that are not. */
static void take_traffic(const struct span_array *all, bool calls, struct shape *shape)
{
    struct span *spans = room(all->count * sizeof(*spans));

    for (size_t i = 0; i < all->count; i++)
        if ((all->items[i].attributes.count > 6) == calls)
            spans[shape->count++] = all->items[i];
    shape->spans = spans;
}

static void decode_traffic(struct span_array *out_spans)
{
    static const struct otlp_limits limits = {.max_depth = 64, .max_attributes = 10000};
    const struct traffic_shape shape = {.spans = TRAFFIC_SPANS,
                                        .spans_per_trace = 10,
                                        .message_bytes = 400,
                                        .services = 8,
                                        .spread_s = 60};
    struct traffic_body body;
    uint64_t seed = 42;
    struct err err;

    traffic_build(&shape, &seed, 0, &body);
    (void)traffic_renew(&shape, &seed, 0, &body);
    if (!otlp_from_protobuf(arena_copy(&arena, buf_bytes(&body.bytes)), &limits, &arena, out_spans,
                            &err)) {
        (void)fprintf(stderr, "shapes: %s\n", err.text);
        exit(2);
    }
    traffic_done(&body);
}

void shapes_make(struct shape **out_shapes, size_t *out_count)
{
    struct span_array traffic = {0};
    struct shape *s;

    arena_init(&arena, ROOM);
    s = room(SHAPES * sizeof(*s));
    decode_traffic(&traffic);
    s[0].name = "bench_llm";
    take_traffic(&traffic, true, &s[0]);
    s[1].name = "bench_step";
    take_traffic(&traffic, false, &s[1]);
    s[2] = (struct shape){
        "otel_llm",
        span_of("opentelemetry.instrumentation.openai_v2", "chat gpt-4.1-mini", otel_llm, 0), 1};
    s[3] = (struct shape){"otel_llm_20k", with_messages(), 1};
    s[4] = (struct shape){
        "openinference",
        span_of("openinference.instrumentation.openai", "ChatCompletion", openinference, 0), 1};
    s[5] = (struct shape){
        "plain",
        span_of("opentelemetry.instrumentation.fastapi", "POST /api/orders/{id}", plain, 0), 1};
    *out_shapes = s;
    *out_count = SHAPES;
}

void shapes_done(struct shape *shapes)
{
    (void)shapes;
    arena_done(&arena);
}
