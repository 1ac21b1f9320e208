/* The look over protobuf bytes before they are unpacked. */
#include "otlp/guard.h"

#include <inttypes.h>

#include "otlp/pb.h"

/* Messages of receive.proto. SHAPE_NONE: not a message. */
enum shape {
    SHAPE_NONE,
    SHAPE_REQUEST,
    SHAPE_RESOURCE_SPANS,
    SHAPE_SCOPE_SPANS,
    SHAPE_RESOURCE,
    SHAPE_ENTITY_REF,
    SHAPE_SCOPE,
    SHAPE_SPAN,
    SHAPE_EVENT,
    SHAPE_LINK,
    SHAPE_STATUS,
    SHAPE_LOGS_REQUEST,
    SHAPE_RESOURCE_LOGS,
    SHAPE_SCOPE_LOGS,
    SHAPE_LOG_RECORD,
    SHAPE_MAX
};

struct rule {
    uint8_t known;
    uint8_t wire;
    uint8_t child; /* enum shape */
};

#define FIELDS 17
#define LEN(message)                                                                               \
    {                                                                                              \
        1, PB_LEN, message                                                                         \
    }
#define BYTES LEN(SHAPE_NONE)
#define VARINT                                                                                     \
    {                                                                                              \
        1, PB_VARINT, SHAPE_NONE                                                                   \
    }
#define FIXED64                                                                                    \
    {                                                                                              \
        1, PB_FIXED64, SHAPE_NONE                                                                  \
    }
#define FIXED32                                                                                    \
    {                                                                                              \
        1, PB_FIXED32, SHAPE_NONE                                                                  \
    }

static const struct rule rules[SHAPE_MAX][FIELDS] = {
    [SHAPE_REQUEST] = {[1] = LEN(SHAPE_RESOURCE_SPANS)},
    [SHAPE_RESOURCE_SPANS] = {[1] = LEN(SHAPE_RESOURCE), [2] = LEN(SHAPE_SCOPE_SPANS), [3] = BYTES},
    [SHAPE_SCOPE_SPANS] = {[1] = LEN(SHAPE_SCOPE), [2] = LEN(SHAPE_SPAN), [3] = BYTES},
    [SHAPE_RESOURCE] = {[1] = BYTES, [2] = VARINT, [3] = LEN(SHAPE_ENTITY_REF)},
    [SHAPE_ENTITY_REF] = {[1] = BYTES, [2] = BYTES, [3] = BYTES, [4] = BYTES},
    [SHAPE_SCOPE] = {[1] = BYTES, [2] = BYTES, [3] = BYTES, [4] = VARINT},
    [SHAPE_SPAN] = {[1] = BYTES,
                    [2] = BYTES,
                    [3] = BYTES,
                    [4] = BYTES,
                    [5] = BYTES,
                    [6] = VARINT,
                    [7] = FIXED64,
                    [8] = FIXED64,
                    [9] = BYTES,
                    [10] = VARINT,
                    [11] = LEN(SHAPE_EVENT),
                    [12] = VARINT,
                    [13] = LEN(SHAPE_LINK),
                    [14] = VARINT,
                    [15] = LEN(SHAPE_STATUS),
                    [16] = FIXED32},
    [SHAPE_EVENT] = {[1] = FIXED64, [2] = BYTES, [3] = BYTES, [4] = VARINT},
    [SHAPE_LINK] =
        {[1] = BYTES, [2] = BYTES, [3] = BYTES, [4] = BYTES, [5] = VARINT, [6] = FIXED32},
    [SHAPE_STATUS] = {[2] = BYTES, [3] = VARINT},
    [SHAPE_LOGS_REQUEST] = {[1] = LEN(SHAPE_RESOURCE_LOGS)},
    [SHAPE_RESOURCE_LOGS] = {[1] = LEN(SHAPE_RESOURCE), [2] = LEN(SHAPE_SCOPE_LOGS), [3] = BYTES},
    [SHAPE_SCOPE_LOGS] = {[1] = LEN(SHAPE_SCOPE), [2] = LEN(SHAPE_LOG_RECORD), [3] = BYTES},
    [SHAPE_LOG_RECORD] = {[1] = FIXED64,
                          [2] = VARINT,
                          [3] = BYTES,
                          [5] = BYTES,
                          [6] = BYTES,
                          [7] = VARINT,
                          [8] = FIXED32,
                          [9] = BYTES,
                          [10] = BYTES,
                          [11] = FIXED64,
                          [12] = BYTES},
};

static const char *const shape_names[SHAPE_MAX] = {
    [SHAPE_REQUEST] = "ExportTraceServiceRequest",
    [SHAPE_RESOURCE_SPANS] = "ResourceSpans",
    [SHAPE_SCOPE_SPANS] = "ScopeSpans",
    [SHAPE_RESOURCE] = "Resource",
    [SHAPE_ENTITY_REF] = "EntityRef",
    [SHAPE_SCOPE] = "InstrumentationScope",
    [SHAPE_SPAN] = "Span",
    [SHAPE_EVENT] = "Event",
    [SHAPE_LINK] = "Link",
    [SHAPE_STATUS] = "Status",
    [SHAPE_LOGS_REQUEST] = "ExportLogsServiceRequest",
    [SHAPE_RESOURCE_LOGS] = "ResourceLogs",
    [SHAPE_SCOPE_LOGS] = "ScopeLogs",
    [SHAPE_LOG_RECORD] = "LogRecord",
};

#define MAX_NESTING 6 /* request, resource spans, scope spans, span, event; one to spare */

struct frame {
    const uint8_t *end;
    enum shape shape;
};

struct guard {
    struct bytes body;
    struct arena *arena;
    uint8_t *copy; /* of body, once a group was seen */
    struct pb_reader reader;
    struct frame frames[MAX_NESTING]; /* open messages, outermost first */
    unsigned depth;
};

/* Turns a group into an unknown field of wire type 2 with the same number and the same length: the
 * lengths of the messages around it stay true. at: its start tag. */
static bool hide_group(struct guard *g, const uint8_t *at, const struct pb_field *field)
{
    const size_t tag_at = (size_t)(at - g->body.at);
    const size_t length_at = (size_t)(field->payload.at - g->body.at);
    size_t width = 1;
    size_t len;

    if (!g->copy) {
        g->copy = arena_alloc(g->arena, g->body.len);
        if (!g->copy)
            return false;
        memcpy(g->copy, g->body.at, g->body.len);
    }
    while ((field->payload.len - width) >> (7 * width))
        width++;
    len = field->payload.len - width;
    g->copy[tag_at] = (uint8_t)((g->copy[tag_at] & ~7U) | PB_LEN);
    for (size_t i = 0; i < width; i++) {
        g->copy[length_at + i] = (uint8_t)((len & 0x7f) | (i + 1 < width ? 0x80 : 0));
        len >>= 7;
    }
    return true;
}

/* Fields of a LogRecord and a Metric where a Span has another wire type: time 1, severity_number 2,
 * attributes 6, dropped_attributes_count 7, flags 8, observed_time 11 of the one; sum 7,
 * exponential_histogram 10, metadata 12 of the other. */
static const char *likely_signal(const struct pb_field *field)
{
    static const uint8_t log_wires[12] = {
        [1] = 1U << PB_FIXED64, [2] = 1U << PB_VARINT,  [6] = 1U << PB_LEN,
        [7] = 1U << PB_VARINT,  [8] = 1U << PB_FIXED32, [11] = 1U << PB_FIXED64,
    };
    const bool log = field->number < sizeof(log_wires) &&
                     (log_wires[field->number] >> (unsigned)field->wire & 1U);
    const bool metric =
        (field->number == 7 || field->number == 10 || field->number == 12) && field->wire == PB_LEN;

    if (log)
        return "; are these logs? they belong to /v1/logs";
    return metric ? "; are these metrics? they belong to /v1/metrics"
                  : "; is this the body of another signal (logs, metrics)?";
}

/* A Span begins with a trace id where a LogRecord has its time, a Metric with its name, which can be
 * read. */
static const char *signal_instead_of_log(const struct pb_field *field)
{
    bool printable = true;

    if (field->number != 1 || field->wire != PB_LEN)
        return "; is this the body of another signal (traces, metrics)?";
    for (size_t i = 0; i < field->payload.len; i++)
        printable &= field->payload.at[i] >= 0x20 && field->payload.at[i] <= 0x7e;
    return field->payload.len == 16 && !printable
               ? "; are these traces? they belong to /v1/traces"
               : "; are these metrics? they belong to /v1/metrics";
}

static bool wrong_wire(const struct guard *g, const uint8_t *at, const struct pb_field *field,
                       const struct rule *rule, struct err *err)
{
    const struct frame *frame = &g->frames[g->depth - 1];
    const char *guess = "";

    if (frame->shape == SHAPE_SPAN || frame->shape == SHAPE_EVENT)
        guess = likely_signal(field);
    else if (frame->shape == SHAPE_LOG_RECORD)
        guess = signal_instead_of_log(field);
    return err_set(err, ERR_BAD_INPUT,
                   "protobuf: byte %zu: field %" PRIu32 " of %s has wire type %d, want %d%s",
                   (size_t)(at - g->body.at), field->number, shape_names[frame->shape],
                   (int)field->wire, (int)rule->wire, guess);
}

static bool check_field(struct guard *g, struct err *err)
{
    const struct rule *shape = rules[g->frames[g->depth - 1].shape];
    const uint8_t *at = g->reader.at;
    struct pb_field field = {0};
    const char *wrong = pb_next(&g->reader, &field);

    if (wrong)
        return err_set(err, ERR_BAD_INPUT, "protobuf: byte %zu: %s", (size_t)(at - g->body.at),
                       wrong);
    if (field.number < FIELDS && shape[field.number].known) {
        const struct rule *rule = &shape[field.number];

        if (rule->wire != (uint8_t)field.wire)
            return wrong_wire(g, at, &field, rule, err);
        if (rule->child != SHAPE_NONE) {
            g->frames[g->depth++] =
                (struct frame){field.payload.at + field.payload.len, (enum shape)rule->child};
            g->reader = pb_reader_of(field.payload);
        }
    } else if (field.wire == PB_GROUP && !hide_group(g, at, &field)) {
        return err_set(err, ERR_TOO_LARGE, "decoding takes more than %zu bytes",
                       g->arena->max_bytes);
    }
    return true;
}

static bool walk(struct bytes body, enum shape request, struct arena *arena,
                 struct bytes *out_clean, struct err *err)
{
    struct guard g = {.body = body, .arena = arena, .reader = pb_reader_of(body), .depth = 1};

    g.frames[0] = (struct frame){g.reader.end, request};
    for (;;) {
        while (g.depth > 0 && g.reader.at == g.frames[g.depth - 1].end)
            if (--g.depth > 0)
                g.reader.end = g.frames[g.depth - 1].end;
        if (g.depth == 0)
            break;
        if (!check_field(&g, err))
            return false;
    }
    *out_clean = g.copy ? (struct bytes){g.copy, body.len} : body;
    return true;
}

bool otlp_guard(struct bytes body, struct arena *arena, struct bytes *out_clean, struct err *err)
{
    return walk(body, SHAPE_REQUEST, arena, out_clean, err);
}

bool otlp_guard_logs(struct bytes body, struct arena *arena, struct bytes *out_clean,
                     struct err *err)
{
    return walk(body, SHAPE_LOGS_REQUEST, arena, out_clean, err);
}
