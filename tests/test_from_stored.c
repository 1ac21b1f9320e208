/* Spans to rows and back: nothing is lost (DESIGN section 3; OTLP-92, OTLP-113, OTLP-123..125). */
#include "test.h"

#include <stdio.h>

#include "base/text.h"
#include "otlp/decode.h"
#include "otlp/encode.h"
#include "otlp/stored.h"
#include "support/doc.h"
#include "support/fixture.h"
#include "support/pb.h"
#include "support/spans.h"

#define ROOM ((size_t)256 << 20)
#define ROUNDS 3000

static const struct otlp_limits limits = {.max_depth = 64, .max_attributes = 10000};
static struct arena arena;

static int fresh_arena(void **state)
{
    (void)state;
    arena_done(&arena);
    arena_init(&arena, ROOM);
    return 0;
}

static struct stored_span row_of(const struct span *span)
{
    struct otlp_to_stored maker;
    struct stored_span row = {0};
    struct err err = {0};

    otlp_to_stored_init(&maker, &arena, TENANT_DEFAULT, 5);
    if (!otlp_to_stored(&maker, span, &row, &err))
        fail_msg("no row: %s", err.text);
    otlp_to_stored_done(&maker);
    return row;
}

static struct span back_from(const struct stored_span *row)
{
    struct otlp_from_stored_memo memo = {0};
    struct span span = {0};
    struct err err = {0};

    if (!otlp_from_stored(row, &arena, &memo, &span, &err))
        fail_msg("not read back: %s", err.text);
    return span;
}

/* What PostgreSQL takes as text. */
static void must_be_sound(struct bytes text, const char *column)
{
    if (text_valid_prefix(text) != text.len)
        fail_msg("column %s is not UTF-8 without NUL", column);
}

static void must_be_json(struct bytes text, enum doc_kind kind, const char *column)
{
    const struct doc *doc = text.len > 0 ? doc_parse(&arena, text) : NULL;

    if (text.len > 0 && (!doc || doc->kind != kind))
        fail_msg("column %s is not such JSON: %.*s", column, (int)text.len, text.at);
}

static void check_columns(const struct stored_span *row)
{
    must_be_sound(row->name, "name");
    must_be_sound(row->service_name, "service_name");
    must_be_sound(row->status_message, "status_message");
    must_be_sound(row->trace_state, "trace_state");
    must_be_sound(row->error_type, "error_type");
    must_be_sound(row->attributes, "attributes");
    must_be_sound(row->events, "events");
    must_be_sound(row->links, "links");
    must_be_sound(row->resource->attributes, "resource.attributes");
    must_be_sound(row->resource->schema_url, "resource.schema_url");
    must_be_sound(row->scope->attributes, "scope.attributes");
    must_be_sound(row->scope->name, "scope.name");
    must_be_sound(row->scope->version, "scope.version");
    must_be_sound(row->scope->schema_url, "scope.schema_url");
    must_be_json(row->attributes, DOC_OBJECT, "attributes");
    must_be_json(row->events, DOC_ARRAY, "events");
    must_be_json(row->links, DOC_ARRAY, "links");
    must_be_json(row->resource->attributes, DOC_OBJECT, "resource.attributes");
    must_be_json(row->scope->attributes, DOC_OBJECT, "scope.attributes");
    assert_true(row->duration_ns >= 0 && row->start_unix_ns >= 0);
    assert_true(row->service_name.len > 0);
    assert_int_equal((row->marks & SPAN_MARK_EXACT) != 0, row->exact.len > 0);
}

static void gives_random_spans_back(void **state)
{
    size_t exact = 0;

    (void)state;
    for (uint64_t round = 0; round < ROUNDS; round++) {
        /* Every other one without odd texts, so that the columns alone have to carry much. */
        struct span_random r = {.state = round, .clean = round % 2 == 0, .arena = &arena};
        const struct span span = span_random_make(&r);
        const struct stored_span row = row_of(&span);
        const struct span back = back_from(&row);
        const char *difference = span_difference(&span, &back);

        if (difference)
            fail_msg("round %llu: %s differs", (unsigned long long)round, difference);
        check_columns(&row);
        assert_int_equal(back.marks, row.marks);
        exact += row.exact.len > 0;
        if (round % 100 == 99)
            (void)fresh_arena(NULL);
    }
    /* Both ways were taken. */
    assert_true(exact > ROUNDS / 10 && exact < ROUNDS);
}

/* Columns that must be the same for one span in both encodings. */
static void must_be_one_row(const struct stored_span *a, const struct stored_span *b,
                            const char *name)
{
    if (a->content_hash != b->content_hash || a->span_id != b->span_id ||
        memcmp(&a->trace_id, &b->trace_id, sizeof(a->trace_id)) != 0 ||
        a->start_unix_ns != b->start_unix_ns || a->duration_ns != b->duration_ns ||
        !bytes_equal(a->attributes, b->attributes) || !bytes_equal(a->events, b->events) ||
        !bytes_equal(a->links, b->links) || !bytes_equal(a->exact, b->exact) ||
        !bytes_equal(a->name, b->name) || a->outcome != b->outcome ||
        memcmp(&a->resource->id, &b->resource->id, sizeof(a->resource->id)) != 0 ||
        memcmp(&a->scope->id, &b->scope->id, sizeof(a->scope->id)) != 0)
        fail_msg("%s: the rows differ", name);
    assert_int_equal(a->marks, b->marks);
}

static void gives_one_row_for_both_encodings(void **state)
{
    (void)state; /* OTLP-92 */
    for (uint64_t round = 0; round < 1000; round++) {
        struct span_random r = {.state = round, .clean = true, .arena = &arena};
        struct span span = span_random_make(&r);
        const struct span_array sent = {&span, 1};
        struct span_array by_json;
        struct span_array by_protobuf;
        struct stored_span rows[2];
        struct err err = {0};
        struct buf json;
        struct buf protobuf;

        buf_init(&json, ROOM);
        buf_init(&protobuf, ROOM);
        otlp_to_json(&sent, &json);
        otlp_to_protobuf(&sent, &protobuf);
        if (!otlp_from_json(buf_bytes(&json), &limits, &arena, &by_json, &err) ||
            !otlp_from_protobuf(buf_bytes(&protobuf), &limits, &arena, &by_protobuf, &err))
            fail_msg("round %llu: %s", (unsigned long long)round, err.text);
        assert_int_equal(by_json.count, 1);
        assert_int_equal(by_protobuf.count, 1);
        if (span_difference(&span, &by_json.items[0]))
            fail_msg("round %llu, JSON: %s differs", (unsigned long long)round,
                     span_difference(&span, &by_json.items[0]));
        if (span_difference(&span, &by_protobuf.items[0]))
            fail_msg("round %llu, protobuf: %s differs", (unsigned long long)round,
                     span_difference(&span, &by_protobuf.items[0]));
        rows[0] = row_of(&by_json.items[0]);
        rows[1] = row_of(&by_protobuf.items[0]);
        must_be_one_row(&rows[0], &rows[1], "random span");
        buf_done(&json);
        buf_done(&protobuf);
        if (round % 100 == 99)
            (void)fresh_arena(NULL);
    }
}

struct rows {
    struct stored_span items[16];
    size_t count;
};

static void gather_rows(const struct fixture_body *body, void *context)
{
    struct rows *rows = context;
    struct span_array spans = {0};
    struct err err = {0};

    assert_true(body->json ? otlp_from_json(body->body, &limits, &arena, &spans, &err)
                           : otlp_from_protobuf(body->body, &limits, &arena, &spans, &err));
    for (size_t i = 0; i < spans.count; i++) {
        assert_true(rows->count < sizeof(rows->items) / sizeof(rows->items[0]));
        rows->items[rows->count++] = row_of(&spans.items[i]);
    }
}

/* The recorded twins are two runs: ids, times and the process' own id differ. What does not: */
static void reads_recorded_twins_alike(void **state)
{
    struct rows json = {0};
    struct rows protobuf = {0};

    (void)state;
    assert_true(fixture_each(&arena, "js-otel-plain-json", gather_rows, &json) > 0);
    assert_true(fixture_each(&arena, "js-otel-plain-proto", gather_rows, &protobuf) > 0);
    assert_int_equal(json.count, protobuf.count);
    for (size_t i = 0; i < json.count; i++) {
        const struct stored_span *a = &json.items[i];
        const struct stored_span *b = &protobuf.items[i];

        assert_true(bytes_equal(a->name, b->name));
        assert_int_equal(a->kind, b->kind);
        assert_int_equal(a->status_code, b->status_code);
        assert_int_equal(a->flags, b->flags);
        assert_int_equal(a->attribute_count, b->attribute_count);
        assert_true(bytes_equal(a->service_name, b->service_name));
        assert_int_equal(a->marks, b->marks);
    }
}

static void same_row(const struct fixture_body *body, void *context)
{
    struct span_array spans = {0};
    struct span_array again = {0};
    struct err err = {0};
    struct buf other;

    (void)context; /* every recorded body, turned into the other encoding: the same rows */
    assert_true(body->json ? otlp_from_json(body->body, &limits, &arena, &spans, &err)
                           : otlp_from_protobuf(body->body, &limits, &arena, &spans, &err));
    buf_init(&other, ROOM);
    if (body->json)
        otlp_to_protobuf(&spans, &other);
    else
        otlp_to_json(&spans, &other);
    if (body->json ? !otlp_from_protobuf(buf_bytes(&other), &limits, &arena, &again, &err)
                   : !otlp_from_json(buf_bytes(&other), &limits, &arena, &again, &err))
        fail_msg("%s: %s", body->name, err.text);
    assert_int_equal(spans.count, again.count);
    for (size_t i = 0; i < spans.count; i++) {
        struct stored_span a = row_of(&spans.items[i]);
        const struct stored_span b = row_of(&again.items[i]);
        const struct span back = back_from(&a);

        a.marks &= ~(unsigned)SPAN_MARK_NOT_ITS_KIND; /* of the form, not of the content */
        /* JSON cannot carry what is no UTF-8, and knows one NaN only (Go's has other bits). */
        if (!(a.marks & SPAN_MARK_BAD_UTF8) &&
            !memmem(a.attributes.at, a.attributes.len, "\"NaN\"", 5))
            must_be_one_row(&a, &b, body->name);
        if (span_difference(&spans.items[i], &back))
            fail_msg("%s: %s differs", body->name, span_difference(&spans.items[i], &back));
    }
    buf_done(&other);
}

static void stores_recorded_exports_the_same_in_both_encodings(void **state)
{
    (void)state;
    assert_true(fixture_each(&arena, NULL, same_row, NULL) >= 75);
}

static void shares_resources_and_scopes_of_neighbours(void **state)
{
    struct span_random r = {.state = 1, .arena = &arena};
    const struct span span = span_random_make(&r);
    const struct stored_span row = row_of(&span);
    struct otlp_from_stored_memo memo = {0};
    struct span first;
    struct span second;
    struct err err;

    (void)state;
    assert_true(otlp_from_stored(&row, &arena, &memo, &first, &err));
    assert_true(otlp_from_stored(&row, &arena, &memo, &second, &err));
    assert_ptr_equal(first.resource, second.resource);
    assert_ptr_equal(first.scope, second.scope);
}

static void reports_columns_that_nobody_wrote(void **state)
{
    static const struct {
        const char *why;
        const char *attributes;
        const char *events;
        const char *links;
        const char *exact;
    } rows[] = {
        {"attributes cut", "{\"a\":", "", "", ""},
        {"attributes are an array", "[]", "", "", ""},
        {"something behind the attributes", "{}{}", "", "", ""},
        {"events are an object", "{}", "{}", "", ""},
        {"an event is a number", "{}", "[1]", "", ""},
        {"a time that is no number", "{}", "[{\"time_unix_nano\":\"x\"}]", "", ""},
        {"a link id that is no hex", "{}", "", "[{\"trace_id\":\"zz\"}]", ""},
        {"flags beyond 32 bits", "{}", "", "[{\"flags\":4294967296}]", ""},
        {"exact is no Span", "{}", "", "", "\xff"},
    };
    struct span_random r = {.state = 2, .clean = true, .arena = &arena};
    const struct span span = span_random_make(&r);
    const struct stored_span good = row_of(&span);

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct otlp_from_stored_memo memo = {0};
        struct stored_span row = good;
        struct span out = {.kind = 77};
        struct err err = {0};

        row.attributes = bytes_of(rows[i].attributes);
        row.events = bytes_of(rows[i].events);
        row.links = bytes_of(rows[i].links);
        row.exact = bytes_of(rows[i].exact);
        if (otlp_from_stored(&row, &arena, &memo, &out, &err))
            fail_msg("%s: accepted", rows[i].why);
        if (err.kind != ERR_INTERNAL || err.text[0] == '\0' || out.kind != 77)
            fail_msg("%s: kind %d \"%s\"", rows[i].why, (int)err.kind, err.text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(gives_random_spans_back, fresh_arena),
        cmocka_unit_test_setup(gives_one_row_for_both_encodings, fresh_arena),
        cmocka_unit_test_setup(reads_recorded_twins_alike, fresh_arena),
        cmocka_unit_test_setup(stores_recorded_exports_the_same_in_both_encodings, fresh_arena),
        cmocka_unit_test_setup(shares_resources_and_scopes_of_neighbours, fresh_arena),
        cmocka_unit_test_setup(reports_columns_that_nobody_wrote, fresh_arena),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
