/* Spans to rows, column by column (OTLP-112..125, model/stored.h). */
#include "test.h"

#include <math.h>
#include <stdio.h>

#include "otlp/stored.h"
#include "support/spans.h"

#define ROOM ((size_t)256 << 20)

static const uint8_t ids[24] = {1,  2,  3,  4,  5,    6, 7, 8, 9, 10, 11, 12,
                                13, 14, 15, 16, 0x80, 2, 3, 4, 5, 6,  7,  8};
static const uint8_t other_id[8] = {1, 1, 1, 1, 1, 1, 1, 1};
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

    otlp_to_stored_init(&maker, &arena, 7, 99);
    if (!otlp_to_stored(&maker, span, &row, &err))
        fail_msg("no row: %s", err.text);
    otlp_to_stored_done(&maker);
    return row;
}

static struct value text_value(const char *text)
{
    return (struct value){.kind = VALUE_STRING, .text = bytes_of(text)};
}

static struct attributes set_of(const struct attribute *items, uint32_t count)
{
    struct attributes set = {.items = arena_array(&arena, struct attribute, count), .count = count};

    memcpy(set.items, items, count * sizeof(*items));
    return set;
}

#define SET(...)                                                                                   \
    set_of((const struct attribute[]){__VA_ARGS__},                                                \
           sizeof((const struct attribute[]){__VA_ARGS__}) / sizeof(struct attribute))
#define KEY(name) .key = BYTES_LITERAL(name)

static struct span sound_span(void)
{
    struct resource *resource = arena_new(&arena, struct resource);

    resource->attributes = SET({KEY("service.name"), .value = text_value("shop")});
    return (struct span){
        .trace_id = {ids, 16},
        .span_id = {ids + 16, 8},
        .name = BYTES_LITERAL("work"),
        .start_unix_nano = 1000,
        .end_unix_nano = 3500,
        .kind = 2,
        .resource = resource,
        .scope = arena_new(&arena, struct scope),
    };
}

static void must_be(struct bytes text, const char *want)
{
    if (!bytes_is(text, want))
        fail_msg("found %.*s, want %s", (int)text.len, (const char *)text.at, want);
}

static void fills_the_plain_columns(void **state)
{
    struct span span = sound_span();
    struct stored_span row;

    (void)state;
    span.parent_span_id = (struct bytes){other_id, 8};
    span.trace_state = BYTES_LITERAL("a=b");
    span.status_message = BYTES_LITERAL("m");
    span.flags = UINT32_MAX;
    span.attributes.dropped = 4;
    span.dropped_events = 5;
    span.dropped_links = UINT32_MAX;
    row = row_of(&span);
    assert_int_equal(row.tenant_id, 7);
    assert_int_equal(row.received_ns, 99);
    assert_memory_equal(row.trace_id.at, ids, 16);
    assert_int_equal(row.trace_bucket, stored_bucket(&row.trace_id));
    assert_true(row.span_id == (int64_t)0x8002030405060708);
    assert_true(row.has_parent && row.parent_span_id == 0x0101010101010101);
    assert_int_equal(row.start_unix_ns, 1000);
    assert_int_equal(row.duration_ns, 2500);
    assert_int_equal(row.kind, 2);
    assert_int_equal(row.outcome, SPAN_ENDED);
    assert_int_equal(row.flags, UINT32_MAX);
    assert_int_equal(row.dropped_attributes, 4);
    assert_int_equal(row.dropped_events, 5);
    assert_int_equal(row.dropped_links, UINT32_MAX);
    must_be(row.name, "work");
    must_be(row.service_name, "shop");
    must_be(row.status_message, "m");
    must_be(row.trace_state, "a=b");
    must_be(row.attributes, "{}");
    must_be(row.resource->attributes, "{\"service.name\":\"shop\"}");
    assert_int_equal(row.events.len + row.links.len + row.exact.len + row.error_type.len, 0);
    assert_int_equal(row.marks, 0);
}

static const struct shown {
    const char *why;
    struct value value;
    const char *json;
    bool exact;
} shown[] = {
    {"string",
     {.kind = VALUE_STRING, .text = {(const uint8_t *)"a\"b\n", 4}},
     "\"a\\\"b\\n\"",
     false},
    {"NUL (OTLP-124)",
     {.kind = VALUE_STRING, .text = {(const uint8_t *)"a\0b", 3}},
     "\"a\xef\xbf\xbd"
     "b\"",
     true},
    {"no UTF-8 (OTLP-106)",
     {.kind = VALUE_STRING, .text = {(const uint8_t *)"\xff", 1}},
     "\"\xef\xbf\xbd\"",
     true},
    {"empty string", {.kind = VALUE_STRING}, "\"\"", false},
    {"bool", {.kind = VALUE_BOOL, .boolean = true}, "true", false},
    {"zero", {.kind = VALUE_INT}, "0", false},
    {"2^53", {.kind = VALUE_INT, .integer = INT64_C(1) << 53}, "9007199254740992", false},
    {"-2^53", {.kind = VALUE_INT, .integer = -(INT64_C(1) << 53)}, "-9007199254740992", false},
    {"2^53 + 1",
     {.kind = VALUE_INT, .integer = (INT64_C(1) << 53) + 1},
     "\"9007199254740993\"",
     true},
    {"least integer", {.kind = VALUE_INT, .integer = INT64_MIN}, "\"-9223372036854775808\"", true},
    {"integral double", {.kind = VALUE_DOUBLE, .real = 1.0}, "1.0", false},
    {"minus zero", {.kind = VALUE_DOUBLE, .real = -0.0}, "-0.0", false},
    {"double", {.kind = VALUE_DOUBLE, .real = 0.1}, "0.1", false},
    {"huge double", {.kind = VALUE_DOUBLE, .real = 1.5e300}, "1.5e+300", false},
    {"NaN (OTLP-125)", {.kind = VALUE_DOUBLE, .real = NAN}, "\"NaN\"", true},
    {"infinity", {.kind = VALUE_DOUBLE, .real = INFINITY}, "\"Infinity\"", true},
    {"minus infinity", {.kind = VALUE_DOUBLE, .real = -INFINITY}, "\"-Infinity\"", true},
    {"bytes", {.kind = VALUE_BYTES, .text = {(const uint8_t *)"\0\xff\x10", 3}}, "\"AP8Q\"", true},
    {"empty value", {.kind = VALUE_EMPTY}, "null", false},
    {"empty array", {.kind = VALUE_ARRAY}, "[]", false},
    {"empty map", {.kind = VALUE_KVLIST}, "{}", false},
};

static void shows_values_as_json(void **state)
{
    (void)state; /* OTLP-123 */
    for (size_t i = 0; i < sizeof(shown) / sizeof(shown[0]); i++) {
        struct span span = sound_span();
        const char *want = arena_printf(&arena, "{\"k\":%s}", shown[i].json);
        struct stored_span row;

        span.attributes = SET({KEY("k"), .value = shown[i].value});
        row = row_of(&span);
        if (!bytes_is(row.attributes, want) ||
            ((row.marks & SPAN_MARK_EXACT) != 0) != shown[i].exact ||
            (row.exact.len > 0) != shown[i].exact)
            fail_msg("%s: %.*s, want %s; exact %zu", shown[i].why, (int)row.attributes.len,
                     (const char *)row.attributes.at, want, row.exact.len);
    }
}

static void keeps_the_last_of_repeated_keys(void **state)
{
    struct span span = sound_span();
    struct stored_span row;

    (void)state; /* OTLP-122 */
    span.attributes =
        SET({KEY("a"), .value = text_value("1")}, {KEY("b"), .value = text_value("2")},
            {KEY("a"), .value = text_value("3")}, {KEY(""), .value = text_value("4")});
    row = row_of(&span);
    must_be(row.attributes, "{\"b\":\"2\",\"a\":\"3\",\"\":\"4\"}");
    assert_int_equal(row.attribute_count, 4);
    assert_int_equal(row.marks, SPAN_MARK_DUPLICATE_KEYS | SPAN_MARK_EXACT);
    span.attributes = SET({KEY("a")}, {KEY("A")}, {KEY("aa")}, {KEY("")});
    assert_int_equal(row_of(&span).marks, 0);
}

static void finds_repeated_keys_among_ten_thousand(void **state)
{
    struct span span = sound_span();
    struct stored_span row;

    (void)state; /* equal lengths, equal first bytes */
    span.attributes.count = 10000;
    span.attributes.items = arena_array(&arena, struct attribute, 10000);
    for (uint32_t i = 0; i < 10000; i++)
        span.attributes.items[i].key = bytes_of(arena_printf(&arena, "prefix.%06u", i));
    assert_int_equal(row_of(&span).marks, 0);
    span.attributes.items[9999].key = span.attributes.items[17].key;
    row = row_of(&span);
    assert_int_equal(row.marks, SPAN_MARK_DUPLICATE_KEYS | SPAN_MARK_EXACT);
    assert_null(memmem(row.attributes.at, row.attributes.len - 30, "prefix.000017", 13));
}

static const struct times {
    const char *why;
    uint64_t start;
    uint64_t end;
    int64_t row_start;
    int64_t row_duration;
    unsigned marks;
    enum span_outcome outcome;
} times[] = {
    {"no times at all", 0, 0, 0, 0, 0, SPAN_ENDED},
    {"1970", 0, 5, 0, 5, 0, SPAN_ENDED},
    {"no duration", 7, 7, 7, 0, 0, SPAN_ENDED},
    {"still running", 7, 0, 7, 0, SPAN_MARK_NO_END, SPAN_UNFINISHED},
    {"end before start (OTLP-114)", 7, 6, 7, 0, SPAN_MARK_NEGATIVE_DURATION | SPAN_MARK_EXACT,
     SPAN_ENDED},
    {"2262-04-11, the last", INT64_MAX, INT64_MAX, INT64_MAX, 0, 0, SPAN_ENDED},
    {"one beyond it (OTLP-115)", (uint64_t)INT64_MAX + 1, (uint64_t)INT64_MAX + 3, INT64_MAX, 0,
     SPAN_MARK_TIME_CLAMPED | SPAN_MARK_EXACT, SPAN_ENDED},
    {"2554", UINT64_MAX, UINT64_MAX, INT64_MAX, 0, SPAN_MARK_TIME_CLAMPED | SPAN_MARK_EXACT,
     SPAN_ENDED},
    {"longer than int64", 1, UINT64_MAX, 1, INT64_MAX - 1, SPAN_MARK_TIME_CLAMPED | SPAN_MARK_EXACT,
     SPAN_ENDED},
};

static void clamps_times_and_marks_them(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
        struct span span = sound_span();
        struct stored_span row;

        span.start_unix_nano = times[i].start;
        span.end_unix_nano = times[i].end;
        row = row_of(&span);
        if (row.start_unix_ns != times[i].row_start || row.duration_ns != times[i].row_duration ||
            row.marks != times[i].marks || row.outcome != times[i].outcome)
            fail_msg("%s: start %lld duration %lld marks %x outcome %d", times[i].why,
                     (long long)row.start_unix_ns, (long long)row.duration_ns, row.marks,
                     (int)row.outcome);
    }
}

static void knows_roots_and_their_own_parents(void **state)
{
    static const uint8_t zeros[8];
    struct span span = sound_span();
    struct stored_span row = row_of(&span);

    (void)state; /* OTLP-112 */
    assert_false(row.has_parent);
    span.parent_span_id = (struct bytes){zeros, 8};
    row = row_of(&span);
    assert_false(row.has_parent);
    assert_int_equal(row.parent_span_id, 0);
    span.parent_span_id = span.span_id;
    row = row_of(&span);
    assert_true(row.has_parent);
    assert_int_equal(row.marks, SPAN_MARK_SELF_PARENT);
}

static void marks_unknown_enums_and_keeps_them(void **state)
{
    static const struct {
        int32_t kind;
        int32_t status;
        bool known;
    } rows[] = {{0, 0, true},          {5, 2, true},  {6, 0, false}, {-1, 0, false},
                {INT32_MAX, 0, false}, {0, 7, false}, {0, -1, false}};

    (void)state; /* OTLP-117, OTLP-118 */
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct span span = sound_span();
        struct stored_span row;

        span.kind = rows[i].kind;
        span.status_code = rows[i].status;
        row = row_of(&span);
        assert_int_equal(row.kind, rows[i].kind);
        assert_int_equal(row.status_code, rows[i].status);
        assert_int_equal(row.marks, rows[i].known ? 0 : SPAN_MARK_UNKNOWN_ENUM);
    }
}

static void names_the_service(void **state)
{
    static const struct {
        struct value value;
        const char *name;
        bool missing;
    } rows[] = {
        {{.kind = VALUE_STRING, .text = {(const uint8_t *)"shop", 4}}, "shop", false},
        {{.kind = VALUE_STRING}, "unknown_service", true},
        {{.kind = VALUE_INT, .integer = 5}, "unknown_service", true},
        {{.kind = VALUE_EMPTY}, "unknown_service", true},
        {{.kind = VALUE_STRING, .text = {(const uint8_t *)"a\0", 2}}, "a\xef\xbf\xbd", false},
    };
    struct span span = sound_span();
    struct resource none = {0};

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct resource resource = {0};
        struct stored_span row;

        resource.attributes = SET({KEY("service.name"), .value = rows[i].value});
        span.resource = &resource;
        row = row_of(&span);
        must_be(row.service_name, rows[i].name);
        assert_int_equal((row.marks & SPAN_MARK_NO_SERVICE_NAME) != 0, rows[i].missing);
    }
    span.resource = &none;
    assert_int_equal(row_of(&span).marks, SPAN_MARK_NO_SERVICE_NAME);
}

/* It is repeated in each span's row: a thousand small spans would become gigabytes. */
static void cuts_long_service_names_between_characters(void **state)
{
    static uint8_t name[5000];
    struct resource resource = {0};
    struct span span = sound_span();
    struct stored_span row;

    (void)state;
    memset(name, 'n', sizeof(name));
    memcpy(name + 1023, "\xc3\xa9", 2);
    resource.attributes =
        SET({KEY("service.name"), .value = {.kind = VALUE_STRING, .text = {name, sizeof(name)}}});
    span.resource = &resource;
    row = row_of(&span);
    assert_int_equal(row.service_name.len, 1023);
    assert_int_equal(row.resource->service_name.len, 1023);
    assert_true(row.resource->attributes.len > sizeof(name));
    assert_int_equal(row.marks, 0);
}

static struct event exception_event(const char *type)
{
    return (struct event){
        .time_unix_nano = 5,
        .name = BYTES_LITERAL("exception"),
        .attributes = SET({KEY("exception.type"), .value = text_value(type)}),
    };
}

static void finds_the_type_of_the_error(void **state)
{
    struct span span = sound_span();
    struct event events[] = {exception_event("First"), exception_event("Last"), {0}};

    (void)state;
    must_be(row_of(&span).error_type, "");
    span.events = events;
    span.event_count = 3;
    must_be(row_of(&span).error_type, "Last");
    span.attributes = SET({KEY("error.type"), .value = text_value("Own")});
    must_be(row_of(&span).error_type, "Own");
    span.attributes = SET({KEY("error.type"), .value = {.kind = VALUE_INT, .integer = 500}});
    must_be(row_of(&span).error_type, "Last");
}

static void tells_how_a_span_ended(void **state)
{
    static const struct {
        int32_t status;
        const char *error_type;
        uint64_t end;
        enum span_outcome outcome;
    } rows[] = {
        {0, "", 5000, SPAN_ENDED},
        {1, "", 5000, SPAN_ENDED},
        {1, "CancelledError", 5000, SPAN_ENDED},
        {2, "", 5000, SPAN_FAILED},
        {2, "TimeoutError", 5000, SPAN_FAILED},
        {2, "asyncio.CancelledError", 5000, SPAN_CANCELLED},
        {2, "AbortError", 5000, SPAN_CANCELLED},
        {2, "", 0, SPAN_UNFINISHED},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct span span = sound_span();

        span.status_code = rows[i].status;
        span.end_unix_nano = rows[i].end;
        span.attributes = SET({KEY("error.type"), .value = text_value(rows[i].error_type)});
        if (row_of(&span).outcome != rows[i].outcome)
            fail_msg("row %zu: outcome %d", i, (int)row_of(&span).outcome);
    }
}

static void writes_events_and_links(void **state)
{
    struct span span = sound_span();
    struct event event = exception_event("E");
    struct link links[] = {
        {.trace_id = {ids, 16}, .span_id = {other_id, 8}, .flags = 257},
        {.trace_id = {ids, 2}, .trace_state = BYTES_LITERAL("s"), .attributes = {.dropped = 3}},
    };
    struct stored_span row;

    (void)state;
    event.attributes.dropped = 2;
    event.time_unix_nano = UINT64_MAX;
    span.events = &event;
    span.event_count = 1;
    span.links = links;
    span.link_count = 1;
    row = row_of(&span);
    must_be(row.events,
            "[{\"name\":\"exception\",\"time_unix_nano\":\"18446744073709551615\","
            "\"attributes\":{\"exception.type\":\"E\"},\"dropped_attributes_count\":2}]");
    must_be(row.links, "[{\"trace_id\":\"0102030405060708090a0b0c0d0e0f10\",\"span_id\":"
                       "\"0101010101010101\",\"trace_state\":\"\",\"flags\":257,\"attributes\":{},"
                       "\"dropped_attributes_count\":0}]");
    assert_int_equal(row.marks, 0);
    span.link_count = 2;
    row = row_of(&span);
    assert_int_equal(row.marks, SPAN_MARK_BAD_LINK);
    assert_non_null(
        memmem(row.links.at, row.links.len, "\"trace_id\":\"0102\",\"span_id\":\"\"", 30));
}

/* One change at a time, and the hash is another one (OTLP-113). */
static void hashes_everything_that_was_sent(void **state)
{
    struct span_random r = {.state = 3, .clean = true, .arena = &arena};
    const struct span span = span_random_make(&r);
    const int64_t hash = row_of(&span).content_hash;
    struct span changed[] = {span, span, span, span, span, span,
                             span, span, span, span, span, span};
    struct resource resource = *span.resource;
    struct scope scope = *span.scope;
    struct attribute more = {KEY("more")};
    struct event event = {.time_unix_nano = 1};
    struct link link = {.flags = 1};

    (void)state;
    changed[0].name = BYTES_LITERAL("another");
    changed[1].end_unix_nano++;
    changed[2].start_unix_nano++;
    changed[3].flags++;
    changed[4].attributes = (struct attributes){.items = &more, .count = 1};
    changed[5].events = &event;
    changed[5].event_count = 1;
    changed[6].links = &link;
    changed[6].link_count = 1;
    resource.schema_url = BYTES_LITERAL("r");
    changed[7].resource = &resource;
    scope.version = BYTES_LITERAL("v");
    changed[8].scope = &scope;
    changed[9].dropped_links++;
    changed[10].kind++;
    changed[11].status_message = BYTES_LITERAL("sm");
    for (size_t i = 0; i < sizeof(changed) / sizeof(changed[0]); i++)
        if (row_of(&changed[i]).content_hash == hash)
            fail_msg("change %zu is not seen", i);
    changed[0] = span;
    changed[0].marks = SPAN_MARK_NOT_ITS_KIND; /* how it was written is not what was sent */
    changed[0].span_index = 5;
    assert_true(row_of(&changed[0]).content_hash == hash);
}

/* Stored hashes and ids must not change with a new version of the program (DESIGN section 3). */
static void hashes_as_ever(void **state)
{
    struct span span = sound_span();
    const struct stored_span row = row_of(&span);
    char text[64];

    (void)state;
    (void)snprintf(text, sizeof(text), "%016llx %02x%02x %02x%02x",
                   (unsigned long long)row.content_hash, row.resource->id.at[0],
                   row.resource->id.at[15], row.scope->id.at[0], row.scope->id.at[15]);
    assert_string_equal(text, "b2f45fa23a91a951 bb3a 148b");
}

static void makes_one_row_of_a_shared_resource(void **state)
{
    struct span span = sound_span();
    struct span other = sound_span();
    struct otlp_to_stored maker;
    struct stored_span a;
    struct stored_span b;
    struct stored_span c;
    struct err err;

    (void)state;
    otlp_to_stored_init(&maker, &arena, 1, 1);
    assert_true(otlp_to_stored(&maker, &span, &a, &err));
    assert_true(otlp_to_stored(&maker, &span, &b, &err));
    assert_true(otlp_to_stored(&maker, &other, &c, &err));
    assert_ptr_equal(a.resource, b.resource);
    assert_ptr_not_equal(a.resource, c.resource);
    assert_memory_equal(&a.resource->id, &c.resource->id, sizeof(a.resource->id));
    otlp_to_stored_done(&maker);
}

static void passes_marks_of_resource_and_scope_on(void **state)
{
    struct span span = sound_span();
    struct scope scope = {.name = {(const uint8_t *)"\xff", 1}};
    struct stored_span row;

    (void)state;
    span.scope = &scope;
    row = row_of(&span);
    assert_int_equal(row.marks, SPAN_MARK_BAD_UTF8); /* exact stands with the scope */
    assert_int_equal(row.exact.len, 0);
    assert_true(row.scope->exact.len > 0);
}

static void fails_cleanly_at_every_cap(void **state)
{
    struct span_random r = {.state = 11, .arena = &arena};
    const struct span span = span_random_make(&r);
    bool done = false;

    (void)state;
    for (size_t cap = 0; !done; cap += 16) {
        struct otlp_to_stored maker;
        struct stored_span row = {.kind = 77};
        struct err err = {0};
        struct arena part;

        arena_init(&part, cap);
        otlp_to_stored_init(&maker, &part, 1, 1);
        done = otlp_to_stored(&maker, &span, &row, &err);
        if (!done && (err.kind != ERR_TOO_LARGE || row.kind != 77))
            fail_msg("cap %zu: kind %d \"%s\"", cap, (int)err.kind, err.text);
        otlp_to_stored_done(&maker);
        arena_done(&part);
        assert_true(cap < ROOM);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(fills_the_plain_columns, fresh_arena),
        cmocka_unit_test_setup(shows_values_as_json, fresh_arena),
        cmocka_unit_test_setup(keeps_the_last_of_repeated_keys, fresh_arena),
        cmocka_unit_test_setup(finds_repeated_keys_among_ten_thousand, fresh_arena),
        cmocka_unit_test_setup(clamps_times_and_marks_them, fresh_arena),
        cmocka_unit_test_setup(knows_roots_and_their_own_parents, fresh_arena),
        cmocka_unit_test_setup(marks_unknown_enums_and_keeps_them, fresh_arena),
        cmocka_unit_test_setup(names_the_service, fresh_arena),
        cmocka_unit_test_setup(finds_the_type_of_the_error, fresh_arena),
        cmocka_unit_test_setup(tells_how_a_span_ended, fresh_arena),
        cmocka_unit_test_setup(writes_events_and_links, fresh_arena),
        cmocka_unit_test_setup(hashes_everything_that_was_sent, fresh_arena),
        cmocka_unit_test_setup(hashes_as_ever, fresh_arena),
        cmocka_unit_test_setup(makes_one_row_of_a_shared_resource, fresh_arena),
        cmocka_unit_test_setup(passes_marks_of_resource_and_scope_on, fresh_arena),
        cmocka_unit_test_setup(cuts_long_service_names_between_characters, fresh_arena),
        cmocka_unit_test_setup(fails_cleanly_at_every_cap, fresh_arena),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
