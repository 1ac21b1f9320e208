/* model/payload: long texts leave a row and come back byte by byte. */
#include "model/payload.h"

#include "otlp/stored.h"
#include "support/spans.h"
#include "test.h"

#define ARENA_BYTES ((size_t)64 << 20)

static struct arena arena;

static int setup(void **state)
{
    (void)state;
    arena_init(&arena, ARENA_BYTES);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_done(&arena);
    return 0;
}

static const struct split {
    const char *why;
    const char *whole;
    uint32_t count;
    bool moved[4];
    const char *rest;
    const char *payload;
} splits[] = {
    {"the only one", "{\"a\":\"b\"}", 1, {true}, "{}", "[[0,\"a\",\"b\"]]"},
    {"the last", "{\"a\":1,\"b\":\"x\"}", 2, {false, true}, "{\"a\":1}", "[[1,\"b\",\"x\"]]"},
    {"the first", "{\"a\":1,\"b\":\"x\"}", 2, {true, false}, "{\"b\":\"x\"}", "[[0,\"a\",1]]"},
    {"some between",
     "{\"a\":null,\"b\":[1,{\"c\":\"]\"}],\"d\":true,\"e\":{\"f\":\"}\"}}",
     4,
     {false, true, false, true},
     "{\"a\":null,\"d\":true}",
     "[[1,\"b\",[1,{\"c\":\"]\"}]],[3,\"e\",{\"f\":\"}\"}]]"},
    {"quotes and backslashes in keys and values",
     "{\"a\\\"\\\\\":\"\\\\\",\"b\\\\\\\"\":\"\\\"\",\"c\":\"\\\\\\\"\"}",
     3,
     {true, false, true},
     "{\"b\\\\\\\"\":\"\\\"\"}",
     "[[0,\"a\\\"\\\\\",\"\\\\\"],[2,\"c\",\"\\\\\\\"\"]]"},
    {"empty texts",
     "{\"\":\"\",\"b\":\"\"}",
     2,
     {true, true},
     "{}",
     "[[0,\"\",\"\"],[1,\"b\",\"\"]]"},
};

static void attributes_leave_and_come_back(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(splits) / sizeof(splits[0]); i++) {
        const struct split *s = &splits[i];
        struct stored_span row = {.attributes = bytes_of(s->whole), .content_hash = 7};
        struct err err = {0};

        assert_true(payload_split(&row, s->moved, s->count, false, &arena));
        if (!row.payload || !bytes_is(row.attributes, s->rest) ||
            !bytes_is(row.payload->attributes, s->payload))
            fail_msg("%s: rest %.*s, payload %.*s", s->why, (int)row.attributes.len,
                     (const char *)row.attributes.at,
                     row.payload ? (int)row.payload->attributes.len : 0,
                     row.payload ? (const char *)row.payload->attributes.at : "");
        assert_int_equal(row.content_hash, 7);
        if (!payload_join(&row, row.payload->attributes, row.payload->events, &arena, &err))
            fail_msg("%s: %s", s->why, err.text);
        if (!bytes_is(row.attributes, s->whole))
            fail_msg("%s: %.*s", s->why, (int)row.attributes.len, (const char *)row.attributes.at);
    }
}

static void what_is_exact_or_unexpected_stays(void **state)
{
    const bool moved[] = {true, true};
    struct stored_span exact = {.attributes = BYTES_LITERAL("{\"a\":1,\"a\":2}"),
                                .exact = BYTES_LITERAL("x")};
    struct stored_span fewer = {.attributes = BYTES_LITERAL("{\"a\":1}")};
    struct stored_span more = {.attributes = BYTES_LITERAL("{\"a\":1,\"b\":1,\"c\":1}")};
    struct stored_span none = {.attributes = BYTES_LITERAL("{\"a\":1,\"b\":1}")};
    const bool nothing[] = {false, false};

    (void)state;
    assert_true(payload_split(&exact, moved, 2, true, &arena) && !exact.payload);
    assert_true(payload_split(&fewer, moved, 2, false, &arena) && !fewer.payload);
    assert_true(payload_split(&more, moved, 2, false, &arena) && !more.payload);
    assert_true(payload_split(&none, nothing, 2, false, &arena) && !none.payload);
    assert_true(bytes_is(more.attributes, "{\"a\":1,\"b\":1,\"c\":1}"));
}

static void events_leave_as_a_whole(void **state)
{
    const bool moved[] = {false};
    struct stored_span row = {.attributes = BYTES_LITERAL("{\"a\":1}"),
                              .events = BYTES_LITERAL("[{}]")};
    struct err err = {0};

    (void)state;
    assert_true(payload_split(&row, moved, 1, true, &arena));
    assert_non_null(row.payload);
    assert_int_equal(row.events.len, 0);
    assert_int_equal(row.payload->attributes.len, 0);
    assert_true(payload_join(&row, (struct bytes){0}, row.payload->events, &arena, &err));
    assert_true(bytes_is(row.events, "[{}]"));
}

static const struct {
    const char *why;
    const char *rest;
    const char *payload;
} broken[] = {
    {"no array", "{}", "{}"},
    {"cut in a string", "{}", "[[0,\"a\",\"b"},
    {"cut behind a backslash", "{}", "[[0,\"a\",\"b\\"},
    {"cut behind an item", "{}", "[[0,\"a\",1]"},
    {"no key", "{}", "[[0,1,1]]"},
    {"a position beyond the end", "{}", "[[1,\"a\",1]]"},
    {"positions that fall", "{\"z\":1}", "[[1,\"a\",1],[0,\"b\",1]]"},
    {"a rest that is cut", "{\"z\":1", "[[0,\"a\",1]]"},
    {"an empty rest", "", "[[0,\"a\",1]]"},
};

static void texts_that_do_not_fit_are_an_error_of_ours(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
        struct stored_span row = {.attributes = bytes_of(broken[i].rest)};
        struct err err = {0};

        if (payload_join(&row, bytes_of(broken[i].payload), (struct bytes){0}, &arena, &err))
            fail_msg("%s: joined to %.*s", broken[i].why, (int)row.attributes.len,
                     (const char *)row.attributes.at);
        assert_int_equal(err.kind, ERR_INTERNAL);
    }
}

static void refuses_without_memory(void **state)
{
    const bool moved[] = {true};
    struct stored_span row = {.attributes = BYTES_LITERAL("{\"a\":1}")};
    struct arena small;
    struct err err = {0};

    (void)state;
    arena_init(&small, 1);
    assert_false(payload_split(&row, moved, 1, false, &small));
    assert_false(
        payload_join(&row, BYTES_LITERAL("[[0,\"a\",1]]"), (struct bytes){0}, &small, &err));
    assert_int_equal(err.kind, ERR_TOO_LARGE);
    arena_done(&small);
}

/* Spans with everything odd in them, any of their attributes moved. */
static void any_span_is_itself_again(void **state)
{
    size_t moved_rows = 0;

    (void)state;
    for (uint64_t seed = 1; seed <= 3000; seed++) {
        struct span_random r = {.state = seed, .clean = seed % 2 == 0, .arena = &arena};
        struct otlp_to_stored maker;
        struct stored_span row;
        struct stored_span before;
        struct err err = {0};
        bool *moved;

        arena_reset(&arena);
        const struct span span = span_random_make(&r);
        otlp_to_stored_init(&maker, &arena, 1, 0);
        assert_true(otlp_to_stored(&maker, &span, &row, &err));
        otlp_to_stored_done(&maker);
        before = row;
        moved = arena_array(&arena, bool, span.attributes.count);
        for (uint32_t i = 0; i < span.attributes.count; i++)
            moved[i] = span_random_next(&r) % 2 == 0;
        assert_true(payload_split(&row, moved, span.attributes.count, seed % 3 == 0, &arena));
        if (row.payload) {
            moved_rows++;
            if (!payload_join(&row, row.payload->attributes, row.payload->events, &arena, &err))
                fail_msg("seed %u: %s", (unsigned)seed, err.text);
        }
        assert_true(bytes_equal(row.attributes, before.attributes));
        assert_true(bytes_equal(row.events, before.events));
    }
    if (moved_rows < 20)
        fail_msg("%zu rows", moved_rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(attributes_leave_and_come_back, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_exact_or_unexpected_stays, setup, teardown),
        cmocka_unit_test_setup_teardown(events_leave_as_a_whole, setup, teardown),
        cmocka_unit_test_setup_teardown(texts_that_do_not_fit_are_an_error_of_ours, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(refuses_without_memory, setup, teardown),
        cmocka_unit_test_setup_teardown(any_span_is_itself_again, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
