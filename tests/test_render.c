/* read/render, read/events, read/render_time: JSON of a trace and of a span. */
#include "base/clock.h"
#include "read/events.h"
#include "read/render.h"
#include "test.h"

#define NOW_NS (INT64_C(1800000000) * NS_PER_S)
#define START_NS (INT64_C(1790000000) * NS_PER_S + 123456789)
#define OUT_BYTES ((size_t)512 << 20)

static const struct stored_resource resource = {
    .service_name = {(const uint8_t *)"shop", 4},
    .attributes = {(const uint8_t *)"{\"service.name\":\"shop\"}", 23},
};
static const struct stored_scope scope = {
    .name = {(const uint8_t *)"lib", 3},
    .version = {(const uint8_t *)"1.2", 3},
    .attributes = {(const uint8_t *)"{}", 2},
};

static struct stored_span sample(int64_t id, int64_t parent, int64_t start, int64_t end)
{
    return (struct stored_span){
        .trace_id = {{0xab, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}},
        .span_id = id,
        .has_parent = parent != 0,
        .parent_span_id = parent,
        .start_unix_ns = START_NS + start,
        .duration_ns = end - start,
        .kind = 3,
        .status_code = 2,
        .outcome = SPAN_FAILED,
        .name = BYTES_LITERAL("say \"hi\""),
        .service_name = resource.service_name,
        .status_message = BYTES_LITERAL("bad\nluck"),
        .trace_state = BYTES_LITERAL("a=b"),
        .flags = 257,
        .attributes = BYTES_LITERAL("{\"n\":1.0,\"big\":\"9007199254740993\"}"),
        .events = BYTES_LITERAL("[{\"name\":\"e\",\"time_unix_nano\":\"1790000000123456789\","
                                "\"attributes\":{},\"dropped_attributes_count\":0}]"),
        .marks = SPAN_MARK_NUL | SPAN_MARK_EXACT,
        .received_ns = NOW_NS,
        .other_versions = 2,
        .resource = &resource,
        .scope = &scope,
    };
}

static bool contains(const struct buf *out, const char *text)
{
    return out->len > 0 && memmem(out->at, out->len, text, strlen(text)) != NULL;
}

static size_t count_of(const struct buf *out, const char *text)
{
    size_t count = 0;
    const uint8_t *at = out->at;

    while ((at = memmem(at, out->len - (size_t)(at - out->at), text, strlen(text))) != NULL) {
        count++;
        at++;
    }
    return count;
}

struct scene {
    struct arena arena;
    struct buf out;
    struct err err;
};

static void scene_init(struct scene *s)
{
    arena_init(&s->arena, OUT_BYTES);
    buf_init(&s->out, OUT_BYTES);
    s->err = (struct err){0};
}

static void scene_done(struct scene *s)
{
    arena_done(&s->arena);
    buf_done(&s->out);
}

static void expect_all(const struct buf *out, const char *const *texts)
{
    for (; *texts; texts++)
        if (!contains(out, *texts))
            fail_msg("no %s in %.*s", *texts, (int)out->len, (const char *)out->at);
}

static void writes_the_fields_of_a_trace_and_its_spans(void **state)
{
    static const char *const wanted[] = {
        "{\"trace_id\":\"ab0102030405060708090a0b0c0d0e0f\",\"name\":\"say \\\"hi\\\"\",",
        "\"status\":\"failed\",\"start_time\":\"2026-09-21T14:13:20.123456789Z\"",
        "\"start_unix_nano\":\"1790000000123456789\"",
        "\"end_time\":\"2026-09-21T14:13:20.123456799Z\"",
        "\"duration_ns\":10,\"span_count\":2,\"error_count\":2,\"complete\":true",
        "\"missing_parents\":[]",
        "\"services\":[\"shop\"]",
        "\"trace_name\":null,\"session_id\":null,\"user_id\":null,\"environment\":null,"
        "\"project\":null,\"tags\":[],\"models\":[],\"providers\":[],\"input_preview\":null",
        "\"calls\":0,\"unpriced_calls\":0,\"usage\":{\"input\":0,\"output\":0,\"total\":0},"
        "\"cost\":{\"total_usd\":\"0\",\"by_kind\":{}}",
        "\"observation_type\":\"span\",\"provider\":null,\"model\":null,\"usage\":null,"
        "\"cost\":null,\"billable\":false",
        "\"next_window\":null,\"spans\":[{\"span_id\":\"0000000000000001\","
        "\"parent_span_id\":null,\"depth\":0",
        "{\"span_id\":\"fffffffffffffffe\",\"parent_span_id\":\"0000000000000001\",\"depth\":1",
        "\"kind\":\"client\"",
        "\"self_duration_ns\":9",
        "\"status\":\"error\",\"failed\":true,\"status_message\":\"bad\\nluck\"",
        "\"attributes\":{\"n\":1.0,\"big\":\"9007199254740993\"}",
        "\"resource\":{\"service.name\":\"shop\"}",
        "\"scope\":{\"name\":\"lib\",\"version\":\"1.2\",\"attributes\":{}}",
        "\"events\":[{\"name\":\"e\",\"time\":\"2026-09-21T14:13:20.123456789Z\","
        "\"time_unix_nano\":\"1790000000123456789\"",
        "\"links\":[]",
        "\"trace_state\":\"a=b\",\"flags\":257",
        "\"input\":null,\"output\":null,\"messages\":[]",
        "\"marks\":[\"nul\",\"exact\"],\"other_versions\":2",
        NULL,
    };
    struct stored_span spans[] = {sample(1, 0, 0, 10), sample(-2, 1, 1, 2)};
    const struct trace_spans trace = {.items = spans, .count = 2};
    const struct trace_view view = {.window_count = UINT32_MAX};
    struct scene s;

    (void)state;
    scene_init(&s);
    assert_true(render_trace(&trace, &view, NOW_NS, &s.arena, &s.out, &s.err));
    expect_all(&s.out, wanted);
    assert_int_equal(count_of(&s.out, "\"scope\":{\"name\":\"lib\""), 2);
    scene_done(&s);
}

static void names_kinds_and_statuses_outside_the_known_ones(void **state)
{
    static const char *const wanted[] = {"\"kind\":\"unspecified\"", "\"status\":\"unset\"",
                                         "\"marks\":[\"unknown_enum\",\"self_parent\"]", NULL};
    struct stored_span span = sample(1, 1, 0, 1);
    const struct trace_spans trace = {.items = &span, .count = 1};
    const struct trace_view view = {.window_count = UINT32_MAX};
    struct scene s;

    (void)state;
    span.kind = 77;
    span.status_code = -1;
    span.marks = SPAN_MARK_UNKNOWN_ENUM | SPAN_MARK_SELF_PARENT;
    scene_init(&s);
    assert_true(render_trace(&trace, &view, NOW_NS, &s.arena, &s.out, &s.err));
    expect_all(&s.out, wanted);
    scene_done(&s);
}

static void skeleton_leaves_payload_out(void **state)
{
    static const char *const gone[] = {"\"attributes\"", "\"events\"", "\"links\"",
                                       "\"resource\"",   "\"scope\"",  "\"input\":null",
                                       "\"messages\""};
    struct stored_span span = sample(1, 0, 0, 10);
    const struct trace_spans trace = {.items = &span, .count = 1};
    const struct trace_view view = {.skeleton = true, .window_count = UINT32_MAX};
    struct scene s;

    (void)state;
    /* Rows read without payload have none of these: they must not be touched. */
    span.resource = NULL;
    span.scope = NULL;
    span.attributes = (struct bytes){0};
    scene_init(&s);
    assert_true(render_trace(&trace, &view, NOW_NS, &s.arena, &s.out, &s.err));
    for (size_t i = 0; i < sizeof(gone) / sizeof(gone[0]); i++)
        if (contains(&s.out, gone[i]))
            fail_msg("%s in %.*s", gone[i], (int)s.out.len, (const char *)s.out.at);
    assert_true(contains(&s.out, "\"service\":\"shop\""));
    scene_done(&s);
}

static void window_shows_a_part_and_names_the_next(void **state)
{
    static const struct {
        const char *why;
        uint32_t first;
        uint32_t count;
        size_t shown;
        const char *next;
    } cases[] = {
        {"first part", 0, 2, 2, "\"next_window\":\"2,2\""},
        {"last part, exactly", 1, 2, 2, "\"next_window\":null"},
        {"more asked than there is", 2, 5, 1, "\"next_window\":null"},
        {"behind the end", 9, 5, 0, "\"next_window\":null"},
        {"all", 0, UINT32_MAX, 3, "\"next_window\":null"},
    };
    struct stored_span spans[] = {sample(1, 0, 0, 10), sample(2, 1, 1, 2), sample(3, 1, 3, 4)};
    const struct trace_spans trace = {.items = spans, .count = 3};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct trace_view view = {.window_first = cases[i].first,
                                        .window_count = cases[i].count};
        struct scene s;

        scene_init(&s);
        assert_true(render_trace(&trace, &view, NOW_NS, &s.arena, &s.out, &s.err));
        if (count_of(&s.out, "\"span_id\"") != cases[i].shown || !contains(&s.out, cases[i].next) ||
            !contains(&s.out, "\"span_count\":3"))
            fail_msg("%s: %.*s", cases[i].why, (int)s.out.len, (const char *)s.out.at);
        scene_done(&s);
    }
}

static void adds_the_time_of_events_and_nothing_else(void **state)
{
    static const struct {
        const char *why;
        const char *stored;
        const char *wanted;
        const char *logs; /* NULL: none */
    } cases[] = {
        {"none", "", "[]", NULL},
        {"of logs alone", "",
         "[{\"time\":\"1970-01-01T00:00:00.000000001Z\",\"time_unix_nano\":\"1\"}]",
         "[{\"time_unix_nano\":\"1\"}]"},
        {"of logs behind the span's own", "[{\"name\":\"a\"}]",
         "[{\"name\":\"a\"},{\"time\":\"1970-01-01T00:00:00.000000001Z\",\"time_unix_nano\":\"1\"},"
         "{}]",
         "[{\"time_unix_nano\":\"1\"},{}]"},
        {"two", "[{\"time_unix_nano\":\"1\"},{\"time_unix_nano\":\"2000000000\"}]",
         "[{\"time\":\"1970-01-01T00:00:00.000000001Z\",\"time_unix_nano\":\"1\"},"
         "{\"time\":\"1970-01-01T00:00:02.000000000Z\",\"time_unix_nano\":\"2000000000\"}]",
         NULL},
        {"an attribute of that name is left alone", "[{\"attributes\":{\"time_unix_nano\":\"5\"}}]",
         "[{\"attributes\":{\"time_unix_nano\":\"5\"}}]", NULL},
        {"a name that looks like the key", "[{\"name\":\"\\\"time_unix_nano\\\":\\\\\"}]",
         "[{\"name\":\"\\\"time_unix_nano\\\":\\\\\"}]", NULL},
        {"brackets in texts are no brackets", "[{\"name\":\"}]{\",\"time_unix_nano\":\"1\"}]",
         "[{\"name\":\"}]{\",\"time\":\"1970-01-01T00:00:00.000000001Z\",\"time_unix_nano\":\"1\"}"
         "]",
         NULL},
        {"beyond 2262", "[{\"time_unix_nano\":\"18446744073709551615\"}]",
         "[{\"time\":\"2262-04-11T23:47:16.854775807Z\",\"time_unix_nano\":"
         "\"18446744073709551615\"}]",
         NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct render_time time = {0};
        struct scene s;
        struct json j;

        scene_init(&s);
        j = json_into(&s.out);
        events_json(&j, bytes_of(cases[i].stored),
                    cases[i].logs ? bytes_of(cases[i].logs) : (struct bytes){0}, &time);
        if (!bytes_is(buf_bytes(&s.out), cases[i].wanted))
            fail_msg("%s: %.*s", cases[i].why, (int)s.out.len, (const char *)s.out.at);
        scene_done(&s);
    }
}

static void span_answer_shows_others_of_its_id(void **state)
{
    struct stored_span spans[] = {sample(1, 7, 0, 10), sample(1, 7, 1, 9)};
    const struct trace_spans one = {.items = spans, .count = 1};
    const struct trace_spans two = {.items = spans, .count = 2};
    struct scene s;

    (void)state;
    scene_init(&s);
    assert_true(render_span(&one, &s.arena, &s.out, &s.err));
    assert_true(contains(&s.out, "\"parent_span_id\":\"0000000000000007\""));
    assert_true(contains(&s.out, "\"same_id\":[]}"));
    buf_clear(&s.out);
    assert_true(render_span(&two, &s.arena, &s.out, &s.err));
    assert_int_equal(count_of(&s.out, "\"span_id\""), 2);
    scene_done(&s);
}

static void refuses_an_answer_beyond_its_buffer(void **state)
{
    struct stored_span span = sample(1, 0, 0, 10);
    const struct trace_spans trace = {.items = &span, .count = 1};
    const struct trace_view view = {.window_count = UINT32_MAX};
    struct scene s;

    (void)state;
    scene_init(&s);
    s.out.max = 300;
    assert_false(render_trace(&trace, &view, NOW_NS, &s.arena, &s.out, &s.err));
    assert_int_equal(s.err.kind, ERR_TOO_LARGE);
    assert_true(s.err.text[0] != '\0');
    scene_done(&s);
}

#define MANY 20000

static void writes_20000_spans_in_time(void **state)
{
    struct stored_span *spans = test_calloc(MANY, sizeof(*spans));
    const struct trace_spans trace = {.items = spans, .count = MANY};
    struct scene s;

    (void)state;
    for (int64_t i = 0; i < MANY; i++)
        spans[i] = sample(i + 1, i / 4, i * 1000, (i + 1) * 100000);
    for (int skeleton = 0; skeleton < 2; skeleton++) {
        const struct trace_view view = {.skeleton = skeleton, .window_count = UINT32_MAX};
        int64_t began_ns;

        scene_init(&s);
        began_ns = clock_mono_ns();
        assert_true(render_trace(&trace, &view, NOW_NS, &s.arena, &s.out, &s.err));
        print_message("%s: %zu bytes in %lld ms\n", skeleton ? "skeleton" : "full", s.out.len,
                      (long long)((clock_mono_ns() - began_ns) / NS_PER_MS));
        assert_true(clock_mono_ns() - began_ns < TEST_SLOWER * 5 * NS_PER_S);
        scene_done(&s);
    }
    test_free(spans);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_the_fields_of_a_trace_and_its_spans),
        cmocka_unit_test(names_kinds_and_statuses_outside_the_known_ones),
        cmocka_unit_test(skeleton_leaves_payload_out),
        cmocka_unit_test(window_shows_a_part_and_names_the_next),
        cmocka_unit_test(adds_the_time_of_events_and_nothing_else),
        cmocka_unit_test(span_answer_shows_others_of_its_id),
        cmocka_unit_test(refuses_an_answer_beyond_its_buffer),
        cmocka_unit_test(writes_20000_spans_in_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
