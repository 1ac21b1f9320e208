/* Protobuf bodies to spans (OTLP-100..106, OTLP-110, PC-1..PC-6). */
#include "test.h"

#include <stdio.h>

#include "common.pb-c.h"
#include "otlp/decode.h"
#include "otlp/encode.h"
#include "support/fixture.h"
#include "support/otlpview.h"
#include "support/pb.h"
#include "support/spans.h"
#include "trace.pb-c.h"

#define ROOM ((size_t)256 << 20)

static const struct otlp_limits limits = {.max_depth = 64, .max_attributes = 10000};
static struct arena arena;

static int fresh_arena(void **state)
{
    (void)state;
    arena_done(&arena);
    arena_init(&arena, ROOM);
    return 0;
}

static struct span_array must_decode(struct bytes body, const char *why)
{
    struct span_array spans = {0};
    struct err err = {0};

    if (!otlp_from_protobuf(body, &limits, &arena, &spans, &err))
        fail_msg("%s: refused: %s", why, err.text);
    return spans;
}

static void must_refuse(struct bytes body, enum err_kind kind, const char *text, const char *why)
{
    struct span_array spans = {.count = 77};
    struct err err = {0};

    if (otlp_from_protobuf(body, &limits, &arena, &spans, &err))
        fail_msg("%s: accepted", why);
    if (err.kind != kind || err.text[0] == '\0' || !strstr(err.text, text) || spans.count != 77)
        fail_msg("%s: kind %d \"%s\"", why, (int)err.kind, err.text);
}

/* A request of one span whose Span message has these bytes. */
static struct bytes request_of_span(struct bytes span)
{
    struct buf scope_spans;
    struct buf resource_spans;
    struct buf request;
    struct bytes copy;

    buf_init(&scope_spans, ROOM);
    buf_init(&resource_spans, ROOM);
    buf_init(&request, ROOM);
    pb_bytes(&scope_spans, 2, span);
    pb_bytes(&resource_spans, 2, buf_bytes(&scope_spans));
    pb_bytes(&request, 1, buf_bytes(&resource_spans));
    copy = arena_copy(&arena, buf_bytes(&request));
    buf_done(&scope_spans);
    buf_done(&resource_spans);
    buf_done(&request);
    return copy;
}

/* In tables, and as an expression. */
#define ROW(...)                                                                                   \
    {                                                                                              \
        ((const uint8_t[]){__VA_ARGS__}), sizeof((const uint8_t[]){__VA_ARGS__})                   \
    }
#define BYTES(...)                                                                                 \
    ((struct bytes){((const uint8_t[]){__VA_ARGS__}), sizeof((const uint8_t[]){__VA_ARGS__})})

/* A span with a sound start and these fields behind it. */
static struct bytes request_with(struct bytes fields)
{
    struct buf span;
    struct bytes request;

    buf_init(&span, ROOM);
    pb_bytes(&span, 1,
             bytes_of("\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10"));
    pb_bytes(&span, 2, bytes_of("\x01\x02\x03\x04\x05\x06\x07\x08"));
    pb_fixed64(&span, 7, 1000);
    buf_add_bytes(&span, fields);
    request = request_of_span(buf_bytes(&span));
    buf_done(&span);
    return request;
}

/* ---- recorded exports ---- */

/* Fails with the place where two sorted texts part. */
static void must_equal(const struct fixture_body *body, const char *form, const struct doc *sent,
                       const struct doc *given)
{
    const char *want = doc_sorted(&arena, sent);
    const char *got = doc_sorted(&arena, given);
    size_t at = 0;

    if (strcmp(want, got) == 0)
        return;
    while (want[at] == got[at])
        at++;
    at = at > 60 ? at - 60 : 0;
    fail_msg("%s/%s: %s written from it differs: sent %.120s given %.120s", body->name,
             body->request, form, want + at, got + at);
}

static void compare_view(const struct fixture_body *body, const struct span_array *spans)
{
    const struct doc *sent =
        otlpview_spans(&arena, body->json ? otlpview_of_json(&arena, body->body)
                                          : otlpview_of_protobuf(&arena, body->body));
    struct buf again;

    buf_init(&again, ROOM);
    otlp_to_protobuf(spans, &again);
    must_equal(body, "protobuf", sent,
               otlpview_spans(&arena, otlpview_of_protobuf(&arena, buf_bytes(&again))));
    buf_clear(&again);
    otlp_to_json(spans, &again);
    must_equal(body, "JSON", sent,
               otlpview_spans(&arena, otlpview_of_json(&arena, buf_bytes(&again))));
    buf_done(&again);
}

static bool text_is(const struct doc *fact, const char *key, struct bytes text)
{
    const struct doc *value = doc_get(fact, key);

    return value && bytes_equal(value->text, text);
}

static const struct doc *fact_of(const struct fixture_body *body, const struct span *span)
{
    const struct doc *fact;

    DOC_EACH(i, fact, body->spans)
    {
        if (strcmp(doc_at(fact, "request", NULL), body->request) == 0 &&
            strcmp(doc_at(fact, "span_id", NULL), hex_of(span->span_id.at, span->span_id.len)) ==
                0 &&
            text_is(fact, "name", span->name))
            return fact;
    }
    fail_msg("%s/%s: a span that expect.json does not have", body->name, body->request);
    return NULL;
}

static void compare_fact(const struct fixture_body *body, const struct span *span)
{
    const struct doc *fact = fact_of(body, span);
    char start[24];
    char end[24];

    (void)snprintf(start, sizeof(start), "%llu", (unsigned long long)span->start_unix_nano);
    (void)snprintf(end, sizeof(end), "%llu", (unsigned long long)span->end_unix_nano);
    if (strcmp(doc_at(fact, "trace_id", NULL), hex_of(span->trace_id.at, span->trace_id.len)) ||
        strcmp(doc_at(fact, "parent_span_id", NULL),
               hex_of(span->parent_span_id.at, span->parent_span_id.len)) ||
        doc_int_at(fact, "kind", NULL) != span->kind ||
        doc_int_at(fact, "status", NULL) != span->status_code ||
        strcmp(doc_at(fact, "start_unix_nano", NULL), start) ||
        strcmp(doc_at(fact, "end_unix_nano", NULL), end) ||
        doc_int_at(fact, "attributes", NULL) != span->attributes.count ||
        doc_int_at(fact, "events", NULL) != span->event_count ||
        doc_int_at(fact, "links", NULL) != span->link_count ||
        !text_is(fact, "status_message", span->status_message) ||
        !text_is(fact, "scope", span->scope->name))
        fail_msg("%s/%s: span %s differs from expect.json", body->name, body->request,
                 hex_of(span->span_id.at, span->span_id.len));
}

static void check_body(const struct fixture_body *body, void *context)
{
    struct span_array spans = {0};
    struct err err = {0};
    size_t *total = context;
    const struct doc *fact;
    size_t expected = 0;

    if (body->json ? !otlp_from_json(body->body, &limits, &arena, &spans, &err)
                   : !otlp_from_protobuf(body->body, &limits, &arena, &spans, &err))
        fail_msg("%s/%s: refused: %s", body->name, body->request, err.text);
    DOC_EACH(i, fact, body->spans)
    {
        expected += strcmp(doc_at(fact, "request", NULL), body->request) == 0;
    }
    if (spans.count != expected)
        fail_msg("%s/%s: %zu spans, want %zu", body->name, body->request, spans.count, expected);
    for (size_t i = 0; i < spans.count; i++) {
        if (!otlp_check_span(&spans.items[i], &arena))
            fail_msg("%s/%s: span %zu: %s", body->name, body->request, i, spans.items[i].fault);
        compare_fact(body, &spans.items[i]);
    }
    /* odd-json declares kinds that its values do not fit: what is written from it cannot be equal */
    if (strcmp(body->name, "js-otel-odd-json") != 0)
        compare_view(body, &spans);
    *total += spans.count;
}

static void reads_every_recorded_export(void **state)
{
    size_t total = 0;

    (void)state;
    assert_true(fixture_each(&arena, NULL, check_body, &total) >= 75);
    assert_true(total == 376);
}

static void cuts_anywhere_without_crash(void **state)
{
    const struct bytes body = fixture_file(&arena, "python-otel-plain-proto/001.body");

    (void)state; /* OTLP-102: the copy is of that size exactly, so that ASan sees a read beyond */
    for (size_t len = 0; len < body.len; len++) {
        struct span_array spans = {0};
        struct err err = {0};
        struct arena part;
        struct bytes cut;

        arena_init(&part, ROOM);
        cut = arena_copy(&part, (struct bytes){body.at, len});
        if (!otlp_from_protobuf(cut, &limits, &part, &spans, &err) &&
            (err.kind != ERR_BAD_INPUT || err.text[0] == '\0'))
            fail_msg("cut at %zu: kind %d \"%s\"", len, (int)err.kind, err.text);
        arena_done(&part);
    }
}

static void fails_cleanly_at_every_cap(void **state)
{
    const struct bytes body = fixture_file(&arena, "python-otel-plain-proto/001.body");
    size_t cap = 0;
    bool done = false;

    (void)state; /* PC-6: the n-th allocation fails, for every n */
    for (; !done; cap += 64) {
        struct span_array spans = {.count = 77};
        struct err err = {0};
        struct arena part;

        arena_init(&part, cap);
        done = otlp_from_protobuf(body, &limits, &part, &spans, &err);
        if (!done && (err.kind != ERR_TOO_LARGE || spans.count != 77))
            fail_msg("cap %zu: kind %d \"%s\"", cap, (int)err.kind, err.text);
        arena_done(&part);
        assert_true(cap < ROOM);
    }
}

/* ---- against protobuf-c's own reading of trace.proto ---- */

static void agrees_with_protobuf_c(void **state)
{
    struct span_random r = {.state = 7, .arena = &arena};

    (void)state;
    for (int round = 0; round < 300; round++) {
        struct span one = span_random_make(&r);
        struct span_array sent = {&one, 1};
        struct span_array spans;
        struct buf body;
        Opentelemetry__Proto__Trace__V1__ExportTraceServiceRequest *request;
        struct buf packed;

        buf_init(&body, ROOM);
        buf_init(&packed, ROOM);
        otlp_to_protobuf(&sent, &body);
        request = opentelemetry__proto__trace__v1__export_trace_service_request__unpack(
            NULL, body.len, body.at);
        assert_non_null(request);
        assert_true(buf_need(&packed, body.len));
        packed.len =
            opentelemetry__proto__trace__v1__export_trace_service_request__pack(request, packed.at);
        spans = must_decode(buf_bytes(&packed), "what protobuf-c packed");
        assert_int_equal(spans.count, 1);
        if (span_difference(&one, &spans.items[0]))
            fail_msg("round %d: %s differs", round, span_difference(&one, &spans.items[0]));
        opentelemetry__proto__trace__v1__export_trace_service_request__free_unpacked(request, NULL);
        buf_done(&body);
        buf_done(&packed);
    }
}

/* ---- small cases ---- */

static const struct taken {
    const char *why;
    struct bytes fields; /* behind ids and start of a span */
    const char *name;    /* the span's name then */
} taken[] = {
    {"nothing more (OTLP-116: a name may be empty)", {NULL, 0}, ""},
    {"unknown varint (OTLP-100)", ROW(0xa0, 0x06, 0x05, 0x2a, 0x01, 'n'), "n"},
    {"unknown fixed64", ROW(0xa1, 0x06, 1, 2, 3, 4, 5, 6, 7, 8, 0x2a, 0x01, 'n'), "n"},
    {"unknown bytes", ROW(0xa2, 0x06, 0x02, 1, 2, 0x2a, 0x01, 'n'), "n"},
    {"unknown fixed32", ROW(0xa5, 0x06, 1, 2, 3, 4, 0x2a, 0x01, 'n'), "n"},
    {"unknown empty group (PC-4)", ROW(0xa3, 0x06, 0xa4, 0x06, 0x2a, 0x01, 'n'), "n"},
    {"unknown group with fields and a group inside",
     ROW(0xa3, 0x06, 0x08, 0x01, 0x13, 0x0a, 0x01, 'x', 0x14, 0xa4, 0x06, 0x2a, 0x01, 'n'), "n"},
    {"name twice: the last wins (OTLP-101)", ROW(0x2a, 0x01, 'a', 0x2a, 0x01, 'n'), "n"},
    {"length in two bytes where one is enough (OTLP-101)", ROW(0x2a, 0x81, 0x00, 'n'), "n"},
    {"tag in two bytes where one is enough", ROW(0xaa, 0x00, 0x01, 'n'), "n"},
    {"kind as a ten-byte negative number (OTLP-117)",
     ROW(0x30, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01), ""},
    {"largest field number", ROW(0xf8, 0xff, 0xff, 0xff, 0x0f, 0x01), ""},
    {"value with string_value_strindex only (OTLP-105)",
     ROW(0x4a, 0x07, 0x0a, 0x01, 'k', 0x12, 0x02, 0x40, 0x05), ""},
    {"group in a KeyValue", ROW(0x4a, 0x05, 0x2b, 0x2c, 0x0a, 0x01, 'k'), ""},
    {"group in an AnyValue", ROW(0x4a, 0x04, 0x12, 0x02, 0x7b, 0x7c), ""},
};

static void reads_what_protobuf_allows(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++) {
        struct span_array spans = must_decode(request_with(taken[i].fields), taken[i].why);

        if (spans.count != 1 || !bytes_is(spans.items[0].name, taken[i].name))
            fail_msg("%s: read otherwise", taken[i].why);
    }
}

static const struct refused {
    const char *why;
    struct bytes fields;
    const char *text;
} refused[] = {
    {"tag 0 (OTLP-101)", ROW(0x00, 0x01), "field number is 0"},
    {"field number 2^29", ROW(0x80, 0x80, 0x80, 0x80, 0x10, 0x01), "2^29"},
    {"tag of six bytes", ROW(0xa8, 0x80, 0x80, 0x80, 0x80, 0x00, 0x01), "five bytes"},
    {"varint of eleven bytes (OTLP-101)",
     ROW(0x30, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01), "ten bytes"},
    {"varint cut short", ROW(0x30, 0xff), "cut short"},
    {"length beyond the message", ROW(0x2a, 0x05, 'n'), "beyond"},
    {"length of 2^32 - 1", ROW(0x2a, 0xff, 0xff, 0xff, 0xff, 0x0f), "beyond"},
    {"fixed64 cut short", ROW(0x41, 1, 2, 3), "cut short"},
    {"group never closed", ROW(0xa3, 0x06, 0x08, 0x01), "group"},
    {"group closed with another number", ROW(0xa3, 0x06, 0x0c), "group"},
    {"end of no group", ROW(0xa4, 0x06), "group"},
    {"wire type 6", ROW(0x2e), "wire type"},
    {"name as a varint", ROW(0x28, 0x01), "field 5 of Span has wire type 0"},
    {"known field as a group", ROW(0x2b, 0x2c), "wire type 3"},
    {"bad bytes in a KeyValue", ROW(0x4a, 0x02, 0x0a, 0x05), "KeyValue"},
    {"bad bytes in an AnyValue", ROW(0x4a, 0x04, 0x12, 0x02, 0x0a, 0x05), "AnyValue"},
    {"bad bytes in an ArrayValue", ROW(0x4a, 0x06, 0x12, 0x04, 0x2a, 0x02, 0x0a, 0x05),
     "ArrayValue"},
    {"AnyValue with a bool as bytes", ROW(0x4a, 0x04, 0x12, 0x02, 0x12, 0x00), "AnyValue"},
};

static void refuses_malformed_bodies_with_a_reason(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
        must_refuse(request_with(refused[i].fields), ERR_BAD_INPUT, refused[i].text,
                    refused[i].why);
    must_refuse(BYTES(0xff, 0xff), ERR_BAD_INPUT, "byte 0", "no protobuf at all");
}

static void takes_empty_requests(void **state)
{
    (void)state; /* OTLP-41, OTLP-42 */
    assert_int_equal(must_decode((struct bytes){0}, "no bytes").count, 0);
    assert_int_equal(must_decode(BYTES(0x0a, 0x00), "an empty ResourceSpans").count, 0);
    assert_int_equal(must_decode(BYTES(0x0a, 0x02, 0x12, 0x00), "an empty ScopeSpans").count, 0);
}

static void keeps_nul_and_bad_utf8_of_every_text(void **state)
{
    static const struct bytes odd = {(const uint8_t *)"a\0b\xff", 4};
    struct buf fields;
    struct span_array spans;

    (void)state; /* PC-1, PC-2 */
    buf_init(&fields, ROOM);
    pb_bytes(&fields, 5, odd);
    pb_bytes(&fields, 3, odd);
    pb_attribute(&fields, 9, odd, odd);
    spans = must_decode(request_with(buf_bytes(&fields)), "odd texts");
    assert_true(bytes_equal(spans.items[0].name, odd));
    assert_true(bytes_equal(spans.items[0].trace_state, odd));
    assert_true(bytes_equal(spans.items[0].attributes.items[0].key, odd));
    assert_true(bytes_equal(spans.items[0].attributes.items[0].value.text, odd));
    buf_done(&fields);
}

static void merges_split_messages(void **state)
{
    struct span_array spans;
    const struct attribute *a;

    (void)state; /* OTLP-101: status in two parts; value in two parts; an array in two parts */
    spans = must_decode(
        request_with(BYTES(0x7a, 0x02, 0x18, 0x02, 0x7a, 0x03, 0x12, 0x01, 'm', 0x4a, 0x0b, 0x0a,
                           0x01, 'k', 0x12, 0x02, 0x18, 0x07, 0x12, 0x02, 0x18, 0x08, 0x4a, 0x13,
                           0x0a, 0x01, 'l', 0x12, 0x0e, 0x2a, 0x05, 0x0a, 0x03, 0x0a, 0x01, 'x',
                           0x2a, 0x05, 0x0a, 0x03, 0x0a, 0x01, 'y')),
        "split messages");
    assert_int_equal(spans.items[0].status_code, 2);
    assert_true(bytes_is(spans.items[0].status_message, "m"));
    assert_int_equal(spans.items[0].attributes.count, 2);
    a = spans.items[0].attributes.items;
    assert_true(a[0].value.kind == VALUE_INT && a[0].value.integer == 8);
    assert_true(a[1].value.kind == VALUE_ARRAY && a[1].value.count == 2);
    assert_true(bytes_is(a[1].value.items[1].text, "y"));
}

/* An attribute whose value is nested `depth` deep (1: an empty array by itself). */
static struct bytes nested(size_t depth, bool kvlist)
{
    /* Written from its end: each level wraps what is there. */
    const size_t cap = depth * 24 + 64;
    uint8_t *at = arena_alloc(&arena, cap);
    size_t from = cap;

    assert_non_null(at);
    for (size_t level = 0; level < depth; level++) {
        /* AnyValue.array_value (5) or kvlist_value (6) holds values (1) hold AnyValue */
        for (int step = 0; step < (level == 0 ? 1 : kvlist ? 3 : 2); step++) {
            size_t len = cap - from;
            uint8_t tag[6];
            size_t width = 1;

            tag[0] = step + 1 == (level == 0 ? 1
                                  : kvlist   ? 3
                                             : 2)
                         ? (kvlist ? 0x32 : 0x2a)
                     : kvlist && step == 0 ? 0x12
                                           : 0x0a;
            do {
                tag[width++] = (uint8_t)((len & 0x7f) | (len > 0x7f ? 0x80 : 0));
                len >>= 7;
            } while (len);
            from -= width;
            memcpy(at + from, tag, width);
        }
    }
    return (struct bytes){at + from, cap - from};
}

static struct span decode_nested(size_t depth, bool kvlist)
{
    struct buf key_value;
    struct buf fields;
    struct span_array spans;

    buf_init(&key_value, ROOM);
    buf_init(&fields, ROOM);
    pb_text(&key_value, 1, "deep");
    pb_bytes(&key_value, 2, nested(depth, kvlist));
    pb_bytes(&fields, 9, buf_bytes(&key_value));
    pb_text(&fields, 5, "n");
    spans = must_decode(request_with(buf_bytes(&fields)), "nested values");
    buf_done(&key_value);
    buf_done(&fields);
    assert_int_equal(spans.count, 1);
    assert_true(bytes_is(spans.items[0].name, "n"));
    return spans.items[0];
}

static size_t depth_of(const struct value *value)
{
    size_t depth = 0;

    for (;; depth++) {
        if (value->kind == VALUE_ARRAY && value->count == 1)
            value = &value->items[0];
        else if (value->kind == VALUE_KVLIST && value->count == 1)
            value = &value->entries[0].value;
        else
            return depth + (value->kind != VALUE_EMPTY);
    }
}

static void empties_values_that_are_too_deep(void **state)
{
    static const struct {
        size_t depth;
        size_t kept;
        bool too_deep;
    } rows[] = {{1, 1, false},   {63, 63, false},   {64, 64, false},    {65, 64, true},
                {100, 64, true}, {10000, 64, true}, {1000000, 64, true}};

    (void)state; /* OTLP-103, PC-3 */
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        for (int kvlist = 0; kvlist < 2; kvlist++) {
            struct span span = decode_nested(rows[i].depth, kvlist);

            if (depth_of(&span.attributes.items[0].value) != rows[i].kept ||
                ((span.marks & SPAN_MARK_TOO_DEEP) != 0) != rows[i].too_deep)
                fail_msg("depth %zu: kept %zu, marks %x", rows[i].depth,
                         depth_of(&span.attributes.items[0].value), span.marks);
            (void)fresh_arena(NULL);
        }
    }
}

static void bounds_memory_of_empty_messages(void **state)
{
    static const struct {
        const char *why;
        uint8_t tag;
        bool in_span;
    } rows[] = {
        {"spans", 0x12, false},
        {"attributes", 0x4a, true},
        {"events", 0x5a, true},
        {"links", 0x6a, true},
    };
    const size_t count = 4U << 20;
    uint8_t *pairs = test_malloc(2 * count);

    (void)state; /* PC-5, OTLP-104: two bytes each; refused within the cap, or taken */
    for (size_t row = 0; row < sizeof(rows) / sizeof(rows[0]); row++) {
        const struct otlp_limits many = {64, UINT32_MAX};
        struct span_array spans;
        struct arena part;
        struct err err = {0};
        struct buf request;

        for (size_t i = 0; i < count; i++) {
            pairs[2 * i] = rows[row].tag;
            pairs[2 * i + 1] = 0;
        }
        buf_init(&request, ROOM);
        if (rows[row].in_span) {
            buf_add_bytes(&request, request_of_span((struct bytes){pairs, 2 * count}));
        } else {
            struct buf resource_spans;

            buf_init(&resource_spans, ROOM);
            pb_bytes(&resource_spans, 2, (struct bytes){pairs, 2 * count});
            pb_bytes(&request, 1, buf_bytes(&resource_spans));
            buf_done(&resource_spans);
        }
        arena_init(&part, 64U << 20);
        if (otlp_from_protobuf(buf_bytes(&request), &many, &part, &spans, &err))
            fail_msg("%s: 4M empty ones fit into 64 MiB", rows[row].why);
        assert_int_equal(err.kind, ERR_TOO_LARGE);
        assert_true(part.used_bytes <= 64U << 20);
        arena_done(&part);
        buf_done(&request);
    }
    test_free(pairs);
}

static void cuts_the_tail_of_too_many_attributes(void **state)
{
    const struct otlp_limits few = {.max_depth = 64, .max_attributes = 3};
    struct buf fields;
    struct span_array spans;
    struct err err;

    (void)state; /* OTLP-126 */
    buf_init(&fields, ROOM);
    for (int i = 0; i < 5; i++)
        pb_attribute(&fields, 9, bytes_of("k"), bytes_of("v"));
    pb_uint(&fields, 10, 7);
    assert_true(otlp_from_protobuf(request_with(buf_bytes(&fields)), &few, &arena, &spans, &err));
    assert_int_equal(spans.items[0].attributes.count, 3);
    assert_int_equal(spans.items[0].attributes.dropped, 9);
    assert_true(spans.items[0].marks & SPAN_MARK_TRUNCATED);
    buf_done(&fields);
}

/* ---- other signals ---- */

static void refuses_recorded_logs(void **state)
{
    static const char *const paths[] = {
        "python-genai_openai-tools/logs/001.body",    "python-openai_v2-error429/logs/001.body",
        "python-openai_v2-legacy_chat/logs/001.body", "python-google-genai-chat/logs/001.body",
        "python-openai_v2-chat/logs/001.body",
    };

    (void)state; /* OTLP-10 */
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
        must_refuse(fixture_file(&arena, paths[i]), ERR_BAD_INPUT, "are these logs?", paths[i]);
}

/* ExportMetricsServiceRequest with one metric of these fields. */
static struct bytes metrics_with(const char *name, const char *description, struct bytes fields)
{
    struct buf metric;
    struct bytes request;

    buf_init(&metric, ROOM);
    pb_text(&metric, 1, name);
    pb_text(&metric, 2, description);
    pb_text(&metric, 3, "1");
    buf_add_bytes(&metric, fields);
    request = request_of_span(buf_bytes(&metric));
    buf_done(&metric);
    return request;
}

static void refuses_metrics(void **state)
{
    /* data_points (1): start 2 and time 3 as fixed64, as_int 6 */
    const struct bytes gauge = BYTES(0x2a, 0x0b, 0x0a, 0x09, 0x19, 1, 2, 3, 4, 5, 6, 7, 8);
    const struct bytes sum =
        BYTES(0x3a, 0x0f, 0x0a, 0x09, 0x19, 1, 2, 3, 4, 5, 6, 7, 8, 0x10, 0x02, 0x18, 0x01);
    const struct bytes histogram =
        BYTES(0x4a, 0x0d, 0x0a, 0x09, 0x19, 1, 2, 3, 4, 5, 6, 7, 8, 0x10, 0x02);

    (void)state; /* OTLP-10 */
    must_refuse(metrics_with("requests", "how many", gauge), ERR_BAD_INPUT, "metrics", "a gauge");
    must_refuse(metrics_with("sixteen.letters.", "eightlet", gauge), ERR_BAD_INPUT, "metrics",
                "a gauge whose name and description have the lengths of ids");
    must_refuse(metrics_with("requests", "how many", sum), ERR_BAD_INPUT, "metrics", "a sum");
    must_refuse(metrics_with("latency", "", histogram), ERR_BAD_INPUT, "", "a histogram");
}

static void takes_spans_without_times_or_with_bad_ids(void **state)
{
    struct buf span;

    (void)state; /* they are faults of these spans, not a body of metrics */
    buf_init(&span, ROOM);
    pb_bytes(&span, 1, BYTES(1, 2, 3));
    pb_bytes(&span, 2, BYTES(1, 2, 3, 4, 5, 6, 7, 8));
    assert_int_equal(must_decode(request_of_span(buf_bytes(&span)), "no times").count, 1);
    buf_clear(&span);
    assert_int_equal(must_decode(request_of_span(buf_bytes(&span)), "an empty span").count, 1);
    buf_clear(&span);
    pb_text(&span, 1, "abc");
    pb_fixed64(&span, 7, 5);
    assert_int_equal(must_decode(request_of_span(buf_bytes(&span)), "a text id").count, 1);
    buf_done(&span);
}

/* ---- ids ---- */

static void checks_ids(void **state)
{
    static const uint8_t ones[40] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
                                     1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
    static const uint8_t zeros[16];
    static const struct {
        size_t trace;
        size_t span;
        size_t parent;
        const char *fault; /* NULL: sound */
    } rows[] = {
        {16, 8, 8, NULL},
        {16, 8, 0, NULL},
        {0, 8, 0, "trace_id has 0 bytes, want 16"},
        {1, 8, 0, "trace_id has 1 bytes, want 16"},
        {7, 8, 0, "trace_id has 7 bytes, want 16"},
        {8, 8, 0, "trace_id has 8 bytes, want 16"},
        {15, 8, 0, "trace_id has 15 bytes, want 16"},
        {17, 8, 0, "trace_id has 17 bytes, want 16"},
        {32, 8, 0, "trace_id has 32 bytes, want 16"},
        {16, 0, 0, "span_id has 0 bytes, want 8"},
        {16, 7, 0, "span_id has 7 bytes, want 8"},
        {16, 9, 0, "span_id has 9 bytes, want 8"},
        {16, 16, 0, "span_id has 16 bytes, want 8"},
        {16, 8, 1, "parent_span_id has 1 bytes, want 8"},
        {16, 8, 16, "parent_span_id has 16 bytes, want 8"},
    };
    struct span span = {0};

    (void)state; /* OTLP-111, OTLP-112 */
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        span = (struct span){.trace_id = {ones, rows[i].trace},
                             .span_id = {ones, rows[i].span},
                             .parent_span_id = {ones, rows[i].parent}};
        if (otlp_check_span(&span, &arena) != (rows[i].fault == NULL) ||
            (rows[i].fault && strcmp(span.fault, rows[i].fault) != 0))
            fail_msg("row %zu: %s", i, span.fault ? span.fault : "sound");
    }
    span = (struct span){.trace_id = {zeros, 16}, .span_id = {ones, 8}};
    assert_false(otlp_check_span(&span, &arena));
    assert_string_equal(span.fault, "trace_id is all zero");
    span = (struct span){.trace_id = {ones, 16}, .span_id = {zeros, 8}};
    assert_false(otlp_check_span(&span, &arena));
    assert_string_equal(span.fault, "span_id is all zero");
    span =
        (struct span){.trace_id = {ones, 16}, .span_id = {ones, 8}, .parent_span_id = {zeros, 8}};
    assert_true(otlp_check_span(&span, &arena));
    span = (struct span){.trace_id = {ones, 16}, .span_id = {ones, 8}, .fault = "earlier"};
    assert_false(otlp_check_span(&span, &arena));
    assert_string_equal(span.fault, "earlier");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(reads_every_recorded_export, fresh_arena),
        cmocka_unit_test_setup(cuts_anywhere_without_crash, fresh_arena),
        cmocka_unit_test_setup(fails_cleanly_at_every_cap, fresh_arena),
        cmocka_unit_test_setup(agrees_with_protobuf_c, fresh_arena),
        cmocka_unit_test_setup(reads_what_protobuf_allows, fresh_arena),
        cmocka_unit_test_setup(refuses_malformed_bodies_with_a_reason, fresh_arena),
        cmocka_unit_test_setup(takes_empty_requests, fresh_arena),
        cmocka_unit_test_setup(keeps_nul_and_bad_utf8_of_every_text, fresh_arena),
        cmocka_unit_test_setup(merges_split_messages, fresh_arena),
        cmocka_unit_test_setup(empties_values_that_are_too_deep, fresh_arena),
        cmocka_unit_test_setup(bounds_memory_of_empty_messages, fresh_arena),
        cmocka_unit_test_setup(cuts_the_tail_of_too_many_attributes, fresh_arena),
        cmocka_unit_test_setup(refuses_recorded_logs, fresh_arena),
        cmocka_unit_test_setup(refuses_metrics, fresh_arena),
        cmocka_unit_test_setup(takes_spans_without_times_or_with_bad_ids, fresh_arena),
        cmocka_unit_test_setup(checks_ids, fresh_arena),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
