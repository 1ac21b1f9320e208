/* read/params and read/cursor: query strings in, filters out, everything else refused by name. */
#include "base/clock.h"
#include "read/cursor.h"
#include "read/params.h"
#include "test.h"

#define NOW_NS (INT64_C(1800000000) * NS_PER_S)
#define DAY_NS (S_PER_DAY * NS_PER_S)

static const struct refused {
    const char *why;
    const char *query;
    const char *named; /* must stand in the text */
} refused[] = {
    {"unknown parameter", "foo=1", "'foo'"},
    {"the known ones are told", "foo=1", "min_cost_usd, min_tokens, sort, limit, cursor"},
    {"exact filter without a value", "user=", "user"},
    {"tag without a value", "tag=session:", "session"},
    {"type that is none", "type=model", "'model'"},
    {"every trace may hold plain spans", "type=span", "'span'"},
    {"attribute without a value", "attr=http.method", "KEY:VALUE"},
    {"attribute without a key", "attr=:GET", "KEY:VALUE"},
    {"search for nothing", "q=", "q is empty"},
    {"search in another order than that of time", "q=a&sort=-cost", "start_time"},
    {"negative cost", "min_cost_usd=-1", "'-1'"},
    {"cost with an exponent", "min_cost_usd=1e3", "'1e3'"},
    {"cost beyond int64", "min_cost_usd=9223373", "'9223373'"},
    {"cost of many digits", "min_cost_usd=99999999999999999999999999999999999999999", "USD"},
    {"cost without a digit", "min_cost_usd=.", "'.'"},
    {"half a token", "min_tokens=0.5", "'0.5'"},
    {"negative tokens", "min_tokens=-1", "'-1'"},
    {"repeated", "limit=1&limit=1", "limit"},
    {"repeated under an escaped name", "limit=1&%6cimit=1", "limit"},
    {"limit of zero", "limit=0", "'0'"},
    {"limit beyond the maximum", "limit=1001", "1000"},
    {"limit with a unit", "limit=10x", "'10x'"},
    {"no value", "limit", "limit"},
    {"time that is none", "from=yesterday", "yesterday"},
    {"status that is none", "status=ok", "running"},
    {"sort that is none", "sort=price", "'price'"},
    {"two minus signs", "sort=--errors", "'--errors'"},
    {"negative duration", "min_duration_ms=-1", "min_duration_ms"},
    {"duration beyond int64", "min_duration_ms=1e300", "min_duration_ms"},
    {"range the wrong way round", "from=2026-02-01&to=2026-01-01", "from"},
    {"cut escape", "name=a%4", "percent"},
    {"escape that is no hex", "name=%zz", "percent"},
    {"NUL", "name=a%00b", "NUL"},
    {"bad UTF-8 in a value", "name=%ff", "UTF-8"},
    {"bad UTF-8 in a name", "%ff=1", "UTF-8"},
    {"cursor that is none", "cursor=abc", "cursor"},
};

static void refuses_by_name_and_leaves_output_alone(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        const struct refused *c = &refused[i];
        struct trace_filter filter = {.limit = 77};
        struct err err = {0};
        struct arena arena;

        arena_init(&arena, 1 << 16);
        if (params_list(bytes_of(c->query), NOW_NS, &arena, &filter, &err))
            fail_msg("%s: accepted", c->why);
        if (err.kind != ERR_BAD_INPUT || !strstr(err.text, c->named) || filter.limit != 77)
            fail_msg("%s: kind %d \"%s\"", c->why, (int)err.kind, err.text);
        arena_done(&arena);
    }
}

static void read_list(const char *query, struct arena *arena, struct trace_filter *filter)
{
    struct err err = {0};

    if (!params_list(bytes_of(query), NOW_NS, arena, filter, &err))
        fail_msg("%s: %s", query, err.text);
}

static void without_parameters_the_newest_of_seven_days(void **state)
{
    struct trace_filter filter;
    struct arena arena;

    (void)state;
    arena_init(&arena, 1 << 16);
    read_list("", &arena, &filter);
    assert_true(filter.from_ns == NOW_NS - 7 * DAY_NS);
    assert_true(filter.to_ns > NOW_NS);
    assert_int_equal(filter.limit, 50);
    assert_true(filter.sort == TRACE_SORT_START && filter.descending);
    assert_null(filter.service.at);
    assert_null(filter.name.at);
    assert_false(filter.cursor.given);
    arena_done(&arena);
}

static void reads_times_with_and_without_escapes(void **state)
{
    static const struct {
        const char *why;
        const char *query;
        int64_t from_ns;
    } cases[] = {
        {"plus of an offset as typed", "from=2026-01-01T02:00:00+02:00", 1767225600 * NS_PER_S},
        {"plus of an offset escaped", "from=2026-01-01T02:00:00%2B02:00", 1767225600 * NS_PER_S},
        {"plus as the space of a form", "from=2026-01-01+02:00:00+02:00", 1767225600 * NS_PER_S},
        {"date alone", "from=2026-01-01", 1767225600 * NS_PER_S},
        {"unix seconds", "from=1767225600", 1767225600 * NS_PER_S},
        {"unix milliseconds", "from=1767225600123", 1767225600123 * NS_PER_MS},
        {"unix nanoseconds", "from=1767225600123456789", 1767225600123456789},
        {"before 1970 is 1970", "from=1969-01-01", 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct trace_filter filter;
        struct arena arena;

        arena_init(&arena, 1 << 16);
        read_list(cases[i].query, &arena, &filter);
        if (filter.from_ns != cases[i].from_ns)
            fail_msg("%s: %lld", cases[i].why, (long long)filter.from_ns);
        arena_done(&arena);
    }
}

static void reads_every_filter(void **state)
{
    struct trace_filter filter;
    struct arena arena;

    (void)state;
    arena_init(&arena, 1 << 16);
    read_list("service=a%20b+c&name=%C3%A9&&status=cancelled&min_duration_ms=0.5&sort=duration&"
              "limit=1000&from=1&to=2",
              &arena, &filter);
    assert_true(bytes_is(filter.service, "a b c"));
    assert_true(bytes_is(filter.name, "\xc3\xa9"));
    assert_true(filter.status == TRACE_CANCELLED);
    assert_true(filter.min_duration_ns == 500000);
    assert_true(filter.sort == TRACE_SORT_DURATION && !filter.descending);
    assert_int_equal(filter.limit, 1000);
    read_list("service=&sort=-errors", &arena, &filter);
    assert_non_null(filter.service.at);
    assert_int_equal(filter.service.len, 0);
    assert_true(filter.sort == TRACE_SORT_ERRORS && filter.descending);
    arena_done(&arena);
}

/* Exact filters become the texts that the index of facets holds. */
static void reads_exact_filters_as_facets(void **state)
{
    static const struct {
        const char *why;
        const char *query;
        const char *facets[2];
    } cases[] = {
        {"user", "user=ada", {"user:ada"}},
        {"a value with colons and spaces", "session=a:b+c", {"session:a:b c"}},
        {"two filters", "model=gpt-4o&provider=openai", {"model:gpt-4o", "provider:openai"}},
        {"type", "type=reranker", {"type:reranker"}},
        {"tag with the key of a filter", "tag=environment:prod", {"environment:prod"}},
        {"tag by its plural", "tag=tags:beta", {"tag:beta"}},
        {"plain tag", "tag=beta", {"tag:beta"}},
        {"a tag that looks like a key and a value", "tag=team:search", {"tag:team:search"}},
        {"release, prompt and agent have no parameter of their own",
         "tag=prompt:hello",
         {"prompt:hello"}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct trace_filter filter;
        struct arena arena;

        arena_init(&arena, 1 << 16);
        read_list(cases[i].query, &arena, &filter);
        for (uint32_t k = 0; k < 2; k++)
            if (cases[i].facets[k]
                    ? k >= filter.facet_count || !bytes_is(filter.facets[k], cases[i].facets[k])
                    : k < filter.facet_count)
                fail_msg("%s: facet %u", cases[i].why, k);
        arena_done(&arena);
    }
}

static void cuts_long_values_as_the_index_does(void **state)
{
    char query[1400] = "user=";
    struct trace_filter filter;
    struct arena arena;

    (void)state;
    for (size_t i = 0; i < 205; i++)
        memcpy(query + strlen("user=") + 6 * i, "%C3%A9", 6); /* an e with an accent: two bytes */
    arena_init(&arena, 1 << 16);
    read_list(query, &arena, &filter);
    assert_int_equal(filter.facets[0].len, strlen("user:") + 2 * 200);
    arena_done(&arena);
}

static void reads_money_exactly(void **state)
{
    static const struct {
        const char *query;
        int64_t pico;
    } cases[] = {
        {"min_cost_usd=0.1", INT64_C(100000000000)}, {"min_cost_usd=0.000000000001", 1},
        {"min_cost_usd=0.0000000000001", 1}, /* nothing costs less than a pico-USD but 0 */
        {"min_cost_usd=0.0000000000010000", 1},      {"min_cost_usd=12", INT64_C(12000000000000)},
        {"min_cost_usd=.5", INT64_C(500000000000)},  {"min_cost_usd=0", 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct trace_filter filter;
        struct arena arena;

        arena_init(&arena, 1 << 16);
        read_list(cases[i].query, &arena, &filter);
        if (filter.min_cost != cases[i].pico)
            fail_msg("%s: %lld", cases[i].query, (long long)filter.min_cost);
        arena_done(&arena);
    }
}

static void reads_searches(void **state)
{
    struct trace_filter filter;
    struct arena arena;

    (void)state;
    arena_init(&arena, 1 << 16);
    read_list("q=Hello+W&attr=http.url:http%3A//x&min_tokens=7", &arena, &filter);
    assert_true(bytes_is(filter.text, "Hello W"));
    assert_true(bytes_is(filter.attr_key, "http.url"));
    assert_true(bytes_is(filter.attr_value, "http://x"));
    assert_true(filter.min_tokens == 7);
    assert_true(trace_filter_searches(&filter));
    arena_done(&arena);
}

/* A query of `prefix` and the cursor that belongs to a page made with filter. */
static const char *with_cursor(const char *prefix, const struct trace_filter *filter,
                               struct arena *arena)
{
    struct trace_row last = {.trace_id = {{1, 2, 3}}, .start_ns = 5, .end_ns = 9};
    const struct trace_page page = {.items = &last, .count = 1};
    struct buf cursor;
    const char *query;

    buf_init(&cursor, 1024);
    params_cursor(filter, &page, &cursor);
    query = arena_printf(arena, "%s&cursor=%.*s", prefix, (int)cursor.len, (const char *)cursor.at);
    buf_done(&cursor);
    return query;
}

static void cursor_carries_position_and_range(void **state)
{
    struct trace_filter first;
    struct trace_filter second;
    struct arena arena;
    struct err err = {0};

    (void)state;
    arena_init(&arena, 1 << 16);
    read_list("sort=-duration", &arena, &first);
    assert_true(params_list(bytes_of(with_cursor("sort=-duration", &first, &arena)),
                            NOW_NS + DAY_NS, &arena, &second, &err));
    assert_true(second.cursor.given && second.cursor.sort_value == 4);
    assert_int_equal(second.cursor.trace_id.at[2], 3);
    assert_true(second.from_ns == first.from_ns && second.to_ns == first.to_ns);
    assert_false(params_list(bytes_of(with_cursor("sort=duration", &first, &arena)), NOW_NS, &arena,
                             &second, &err));
    assert_non_null(strstr(err.text, "sort"));
    arena_done(&arena);
}

/* The total that a cursor carries is that of its filters. */
static void a_cursor_goes_on_with_the_filters_of_its_page_only(void **state)
{
    static const char *const queries[] = {"limit=7",
                                          "service=a",
                                          "service=",
                                          "name=a",
                                          "user=a",
                                          "session=a",
                                          "user=a&model=b",
                                          "status=failed",
                                          "min_duration_ms=1",
                                          "min_tokens=1",
                                          "min_cost_usd=0.001",
                                          "attr=a:b",
                                          "attr=a:c",
                                          "q=a",
                                          "q=b"};
    const size_t count = sizeof(queries) / sizeof(queries[0]);
    struct trace_filter first;
    struct trace_filter second;
    struct arena arena;
    struct err err = {0};

    (void)state;
    arena_init(&arena, 1 << 18);
    for (size_t i = 0; i < count; i++) {
        read_list(queries[i], &arena, &first);
        for (size_t k = 0; k < count; k++) {
            const bool taken = params_list(bytes_of(with_cursor(queries[k], &first, &arena)),
                                           NOW_NS, &arena, &second, &err);

            if (taken != (i == k) || (!taken && !strstr(err.text, "other filters")))
                fail_msg("a cursor of %s with %s: %s", queries[i], queries[k], err.text);
        }
    }
    read_list("user=a&model=b&limit=3", &arena, &first);
    if (!params_list(bytes_of(with_cursor("limit=9&model=b&user=a", &first, &arena)), NOW_NS,
                     &arena, &second, &err))
        fail_msg("%s", err.text);
    arena_done(&arena);
}

static void refuses_a_cursor_with_any_letter_changed(void **state)
{
    const struct cursor cursor = {
        .sort = TRACE_SORT_ERRORS,
        .filters = 0xdeadbeef,
        .from_ns = INT64_MIN,
        .to_ns = INT64_MAX,
        .position = {.given = true, .sort_value = -1, .seen = 7, .total = 9, .total_exact = true}};
    struct cursor back;
    struct buf text;
    struct err err;

    (void)state;
    buf_init(&text, 1024);
    cursor_write(&cursor, &text);
    assert_true(cursor_read(buf_bytes(&text), &back, &err));
    assert_memory_equal(&back, &cursor, sizeof(back));
    for (size_t i = 0; i < text.len; i++) {
        const uint8_t kept = text.at[i];

        /* The lowest bits of the last letter carry nothing. */
        text.at[i] = kept == 'Q' ? 'g' : 'Q';
        if (cursor_read(buf_bytes(&text), &back, &err))
            fail_msg("letter %zu", i);
        text.at[i] = kept;
    }
    text.len--;
    assert_false(cursor_read(buf_bytes(&text), &back, &err));
    buf_done(&text);
}

static void reads_how_a_trace_is_to_be_shown(void **state)
{
    static const struct {
        const char *query;
        bool good;
        struct trace_view view;
    } cases[] = {
        {"", true, {false, false, 0, UINT32_MAX}},
        {"format=otlp", true, {true, false, 0, UINT32_MAX}},
        {"format=json&view=full", true, {false, false, 0, UINT32_MAX}},
        {"view=skeleton&window=1000,500", true, {false, true, 1000, 500}},
        {"window=0%2C1", true, {false, false, 0, 1}},
        {"window=5", false, {0}},
        {"window=5,", false, {0}},
        {"window=,5", false, {0}},
        {"window=5,0", false, {0}},
        {"window=-1,5", false, {0}},
        {"window=5000000000,5", false, {0}},
        {"format=jaeger", false, {0}},
        {"view=none", false, {0}},
        {"format=otlp&view=skeleton", false, {0}},
        {"format=otlp&window=0,5", false, {0}},
        {"limit=5", false, {0}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct trace_view view = {.window_first = 77};
        struct arena arena;
        struct err err = {0};
        bool good;

        arena_init(&arena, 1 << 16);
        good = params_trace(bytes_of(cases[i].query), &arena, &view, &err);
        if (good != cases[i].good || (!good && (err.text[0] == '\0' || view.window_first != 77)))
            fail_msg("'%s': %d %s", cases[i].query, good, err.text);
        if (good && (view.otlp != cases[i].view.otlp || view.skeleton != cases[i].view.skeleton ||
                     view.window_first != cases[i].view.window_first ||
                     view.window_count != cases[i].view.window_count))
            fail_msg("'%s': other view", cases[i].query);
        arena_done(&arena);
    }
}

static void reads_ids_of_exactly_their_length(void **state)
{
    static const struct {
        const char *text;
        bool trace;
        bool span;
    } cases[] = {
        {"0123456789abcdef0123456789ABCDEF", true, false},
        {"0123456789abcdeF", false, true},
        {"00000000000000000000000000000000", false, false},
        {"0000000000000000", false, false},
        {"0123456789abcdef0123456789abcdeg", false, false},
        {"0123456789abcde", false, false},
        {"", false, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct uuid trace_id;
        int64_t span_id;
        struct err err;

        if (params_trace_id(bytes_of(cases[i].text), &trace_id, &err) != cases[i].trace)
            fail_msg("trace '%s'", cases[i].text);
        if (params_span_id(bytes_of(cases[i].text), &span_id, &err) != cases[i].span)
            fail_msg("span '%s'", cases[i].text);
    }
}

static void paths_without_parameters_take_none(void **state)
{
    struct trace_view view;
    struct arena arena;
    struct err err;

    (void)state;
    arena_init(&arena, 1 << 16);
    assert_true(params_none((struct bytes){0}, &arena, &err));
    assert_false(params_none(bytes_of("a=1"), &arena, &err));
    assert_non_null(strstr(err.text, "'a'"));
    assert_true(params_span(bytes_of("format=otlp"), &arena, &view, &err));
    assert_true(view.otlp);
    assert_false(params_span(bytes_of("view=skeleton"), &arena, &view, &err));
    arena_done(&arena);
}

static void reads_the_range_of_sessions_users_and_models(void **state)
{
    struct group_filter filter;
    struct arena arena;
    struct err err = {0};

    (void)state;
    arena_init(&arena, 1 << 16);
    assert_true(params_groups((struct bytes){0}, GROUP_USER, NOW_NS, &arena, &filter, &err));
    assert_true(filter.by == GROUP_USER && filter.limit == 50 && !filter.has_cursor);
    assert_true(filter.from_ns == NOW_NS - 7 * DAY_NS && filter.to_ns == NOW_NS + DAY_NS);
    assert_true(params_models(BYTES_LITERAL("from=1&to=2"), NOW_NS, &arena, &filter, &err));
    assert_true(filter.from_ns == NS_PER_S && filter.to_ns == 2 * NS_PER_S);
    assert_true(params_groups(BYTES_LITERAL("from=2000000000"), GROUP_USER, NOW_NS, &arena, &filter,
                              &err)); /* beyond the default's end */
    assert_true(filter.to_ns == filter.from_ns + 7 * DAY_NS);
    assert_false(params_groups(BYTES_LITERAL("user=a"), GROUP_USER, NOW_NS, &arena, &filter, &err));
    assert_non_null(strstr(err.text, "'user'"));
    assert_false(params_models(BYTES_LITERAL("cursor=a"), NOW_NS, &arena, &filter, &err));
    assert_non_null(strstr(err.text, "'cursor'"));
    assert_false(
        params_groups(BYTES_LITERAL("limit=0"), GROUP_USER, NOW_NS, &arena, &filter, &err));
    arena_done(&arena);
}

static void a_session_has_the_text_of_its_path_and_its_own_cursor(void **state)
{
    struct trace_row last = {.trace_id = {{7}}, .start_ns = 5, .spend = {.cost_total = 30}};
    const struct trace_page page = {.items = &last, .count = 1, .more = true};
    struct trace_filter filter;
    struct buf query;
    struct arena arena;
    struct err err = {0};

    (void)state;
    arena_init(&arena, 1 << 16);
    buf_init(&query, 1000);
    assert_true(
        params_session((struct bytes){0}, BYTES_LITERAL("a%2Fb+c"), NOW_NS, &arena, &filter, &err));
    assert_true(bytes_is(filter.session, "a/b+c"));
    assert_true(bytes_is(filter.facets[0], "session:a/b+c"));
    assert_true(filter.from_ns == 0 && filter.to_ns == INT64_MAX && !filter.descending);
    buf_add_text(&query, "cursor=");
    params_cursor(&filter, &page, &query);
    assert_false(
        params_session(buf_bytes(&query), BYTES_LITERAL("a"), NOW_NS, &arena, &filter, &err));
    assert_non_null(strstr(err.text, "other filters"));
    assert_true(
        params_session(buf_bytes(&query), BYTES_LITERAL("a%2Fb+c"), NOW_NS, &arena, &filter, &err));
    assert_true(filter.cursor.given && filter.cursor.sort_value == 5);
    assert_true(filter.cursor.running_cost == 30);
    assert_false(params_list(buf_bytes(&query), NOW_NS, &arena, &filter, &err));
    assert_non_null(strstr(err.text, "another list"));
    assert_false(
        params_session((struct bytes){0}, BYTES_LITERAL("%ff"), NOW_NS, &arena, &filter, &err));
    assert_int_equal(err.kind, ERR_BAD_INPUT);
    buf_done(&query);
    arena_done(&arena);
}

static void a_cursor_of_sessions_is_none_of_users(void **state)
{
    const struct group_page page = {.more = true, .before_ns = 77, .before_id = {{9}}};
    struct group_filter filter = {.by = GROUP_SESSION, .from_ns = 3, .to_ns = 4};
    struct buf query;
    struct arena arena;
    struct err err = {0};

    (void)state;
    arena_init(&arena, 1 << 16);
    buf_init(&query, 1000);
    buf_add_text(&query, "cursor=");
    params_group_cursor(&filter, &page, &query);
    assert_true(params_groups(buf_bytes(&query), GROUP_SESSION, NOW_NS, &arena, &filter, &err));
    assert_true(filter.has_cursor && filter.before_ns == 77 && filter.before_id.at[0] == 9);
    assert_true(filter.from_ns == 3 && filter.to_ns == 4);
    assert_false(params_groups(buf_bytes(&query), GROUP_USER, NOW_NS, &arena, &filter, &err));
    assert_non_null(strstr(err.text, "another list"));
    buf_done(&query);
    arena_done(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_by_name_and_leaves_output_alone),
        cmocka_unit_test(without_parameters_the_newest_of_seven_days),
        cmocka_unit_test(reads_times_with_and_without_escapes),
        cmocka_unit_test(reads_every_filter),
        cmocka_unit_test(reads_exact_filters_as_facets),
        cmocka_unit_test(cuts_long_values_as_the_index_does),
        cmocka_unit_test(reads_money_exactly),
        cmocka_unit_test(reads_searches),
        cmocka_unit_test(reads_the_range_of_sessions_users_and_models),
        cmocka_unit_test(a_session_has_the_text_of_its_path_and_its_own_cursor),
        cmocka_unit_test(a_cursor_of_sessions_is_none_of_users),
        cmocka_unit_test(cursor_carries_position_and_range),
        cmocka_unit_test(a_cursor_goes_on_with_the_filters_of_its_page_only),
        cmocka_unit_test(refuses_a_cursor_with_any_letter_changed),
        cmocka_unit_test(reads_how_a_trace_is_to_be_shown),
        cmocka_unit_test(reads_ids_of_exactly_their_length),
        cmocka_unit_test(paths_without_parameters_take_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
