/* store/stmt, store/list_sql, store/row: statements as they are put together, values in binary
 * form. What PostgreSQL thinks of them is it_query's. */
#include "store/list_sql.h"
#include "store/stmt.h"
#include "test.h"

#include <stdlib.h>

#define ARENA_BYTES ((size_t)1 << 20)

static size_t count_of(const unsigned *oids)
{
    size_t count = 0;

    while (oids[count])
        count++;
    return count;
}

static const struct {
    const char *why;
    struct trace_filter filter;
    size_t params;
    const char *has[4];
    const char *has_not;
} lists[] = {
    {"no filter",
     {.limit = 1, .descending = true},
     6,
     {"ORDER BY v.key DESC, v.trace_id DESC", ", v.start_ns AS key", "LIMIT $6"},
     "$7"},
    {"one filter",
     {.service = {(const uint8_t *)"a", 1}},
     7,
     {"$7 = ANY (v.services)", "r.service_name = $7"},
     "$8"},
    {"a filter for the empty text is a filter",
     {.name = {(const uint8_t *)"", 0}},
     7,
     {"v.name = $7"},
     "(v.services)"},
    {"status without a parameter",
     {.status = TRACE_FAILED, .min_duration_ns = 5},
     7,
     {"v.roots_failed > 0", "v.end_ns - v.start_ns >= $7"},
     "$8"},
    {"running has the time of an hour ago",
     {.status = TRACE_RUNNING},
     7,
     {"v.last_received > $7"},
     "$8"},
    {"all at once: numbers follow each other",
     {.service = {(const uint8_t *)"a", 1},
      .name = {(const uint8_t *)"b", 1},
      .min_duration_ns = 1,
      .status = TRACE_COMPLETED,
      .sort = TRACE_SORT_ERRORS,
      .descending = true,
      .cursor = {.given = true}},
     12,
     {"v.name = $8", "v.last_received <= $10", "(v.error_count, v.trace_id) < ($11, $12)"},
     "$13"},
};

static void puts_lists_together_with_consecutive_parameters(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        struct arena arena;
        struct list_sql list;
        struct err err;

        arena_init(&arena, ARENA_BYTES);
        assert_true(list_sql_make(&lists[i].filter, LIST_SQL_WALK, 1, 2, 3, &arena, &list, &err));
        if ((size_t)list.params.count != lists[i].params ||
            count_of(list.stmt.params) != lists[i].params)
            fail_msg("%s: %d values, %zu types", lists[i].why, list.params.count,
                     count_of(list.stmt.params));
        for (size_t k = 0; k < 4 && lists[i].has[k]; k++)
            if (!strstr(list.stmt.sql, lists[i].has[k]))
                fail_msg("%s: no %s in %s", lists[i].why, lists[i].has[k], list.stmt.sql);
        if (strstr(list.stmt.sql, lists[i].has_not) || strstr(list.stmt.sql, "--"))
            fail_msg("%s: %s", lists[i].why, list.stmt.sql);
        arena_done(&arena);
    }
}

static struct trace_filter combination(unsigned bits, unsigned status, unsigned sort)
{
    struct trace_filter filter = {
        .service = {(const uint8_t *)(bits & 1 ? "s" : NULL), 0},
        .name = {(const uint8_t *)(bits & 2 ? "n" : NULL), 0},
        .min_duration_ns = bits & 4,
        .cursor.given = (bits & 8) != 0,
        .descending = (bits & 16) != 0,
        .status = (enum trace_status)status,
        .sort = (enum trace_sort)sort,
        .min_cost = bits & 32,
        .min_tokens = bits & 64,
        .facets = {BYTES_CONSTANT("user:ada")},
        .facet_count = bits >> 7 & 1,
    };

    if (bits & 256)
        filter.text = BYTES_LITERAL("x");
    if (bits & 512)
        filter.attr_key = BYTES_LITERAL("k");
    return filter;
}

static int compare_codes(const void *a, const void *b)
{
    const uint64_t left = *(const uint64_t *)a;
    const uint64_t right = *(const uint64_t *)b;

    return left < right ? -1 : left > right;
}

/* Every combination of what changes the text; two of them with one code would run each other's
 * statement. */
static void each_combination_has_its_own_code_and_name(void **state)
{
    enum { BITS = 1024, MOST = BITS * TRACE_STATUS_MAX * TRACE_SORT_MAX };
    uint64_t *codes = test_calloc(MOST, sizeof(*codes));
    size_t count = 0;

    (void)state;
    for (unsigned bits = 0; bits < BITS; bits++)
        for (unsigned status = 0; status < TRACE_STATUS_MAX; status++)
            for (unsigned sort = 0; sort < TRACE_SORT_MAX; sort++) {
                const struct trace_filter filter = combination(bits, status, sort);
                struct arena arena;
                struct list_sql list;
                struct err err;

                arena_init(&arena, ARENA_BYTES);
                assert_true(list_sql_make(&filter, LIST_SQL_WALK, 1, 2, 3, &arena, &list, &err));
                assert_true(count_of(list.stmt.params) == (size_t)list.params.count);
                codes[count++] = list.code;
                arena_done(&arena);
            }
    qsort(codes, count, sizeof(codes[0]), compare_codes);
    for (size_t i = 1; i < count; i++)
        assert_true(codes[i] != codes[i - 1]);
    test_free(codes);
}

/* The index of facets (of names) must be the only one that seems good, and the others must not seem
 * good where it is not meant. */
static void each_way_of_looking_names_its_index_only(void **state)
{
    static const struct {
        enum list_sql_way way;
        const char *has;
        const char *has_not;
    } ways[] = {
        {LIST_SQL_WALK, "t.tenant_id = $1 AND t.start_ns >= $4", "t.facets @>"},
        {LIST_SQL_FIRST, "ORDER BY t.start_ns, t.trace_id LIMIT", "t.facets @>"},
        {LIST_SQL_FACETS, "t.facets @> $7 AND t.tenant_id + 0 = $1", "ORDER BY t.start_ns"},
        {LIST_SQL_NAME, "left($7, 64) AND t.start_ns + 0 >= $4", "t.facets @>"},
    };
    const struct trace_filter filter = combination(2 + 128, TRACE_ANY_STATUS, TRACE_SORT_START);

    (void)state;
    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
        struct arena arena;
        struct list_sql list;
        struct err err;

        arena_init(&arena, ARENA_BYTES);
        assert_true(list_sql_make(&filter, ways[i].way, 1, 2, 3, &arena, &list, &err));
        if (!strstr(list.stmt.sql, ways[i].has) || strstr(list.stmt.sql, ways[i].has_not))
            fail_msg("way %d: %s", (int)ways[i].way, list.stmt.sql);
        assert_non_null(strstr(list.stmt.sql, "(v.facets @> "));
        arena_done(&arena);
    }
}

static void refuses_a_list_without_room(void **state)
{
    const struct trace_filter filter = {0};
    struct arena arena;
    struct list_sql list;
    struct err err = {0};

    (void)state;
    arena_init(&arena, 100);
    assert_false(list_sql_make(&filter, LIST_SQL_WALK, 1, 2, 3, &arena, &list, &err));
    assert_int_equal(err.kind, ERR_TOO_LARGE);
    assert_true(err.text[0] != '\0');
    arena_done(&arena);
}

static void every_statement_has_name_text_and_types(void **state)
{
    (void)state;
    for (size_t i = 0; i < STMT_MAX; i++) {
        assert_non_null(stmts[i].name);
        assert_non_null(stmts[i].sql);
        assert_true(count_of(stmts[i].params) > 0);
        assert_true(count_of(stmts[i].columns) > 0);
        for (size_t k = 0; k < i; k++)
            assert_string_not_equal(stmts[i].name, stmts[k].name);
    }
}

static void encodes_values_as_postgresql_does(void **state)
{
    static const uint8_t uuid_array[] = {0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0x0b, 0x86, 0,
                                         0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 16,   7};
    const struct uuid id = {{7}};
    struct row_params p = {0};
    struct arena arena;
    struct bytes array;

    (void)state;
    row_add_int2(&p, -2);
    row_add_int4(&p, 0x01020304);
    row_add_int8(&p, -1);
    row_add_day(&p, 10957); /* 2000-01-01 */
    row_add_time_us(&p, INT64_C(946684800000001));
    row_add_time_us(&p, INT64_MIN);
    row_add_text(&p, (struct bytes){0});
    assert_int_equal(p.count, 7);
    assert_memory_equal(p.values[0], "\xff\xfe", 2);
    assert_memory_equal(p.values[1], "\1\2\3\4", 4);
    assert_memory_equal(p.values[2], "\xff\xff\xff\xff\xff\xff\xff\xff", 8);
    assert_memory_equal(p.values[3], "\0\0\0\0", 4);
    assert_memory_equal(p.values[4], "\0\0\0\0\0\0\0\1", 8);
    assert_memory_equal(p.values[5], "\x80\0\0\0\0\0\0\0", 8); /* -infinity */
    assert_non_null(p.values[6]);                              /* NULL would be SQL's NULL */
    assert_int_equal(p.lengths[0], 2);
    assert_int_equal(p.lengths[6], 0);
    arena_init(&arena, ARENA_BYTES);
    array = row_uuid_array(&id, 1, &arena);
    assert_int_equal(array.len, 40);
    assert_memory_equal(array.at, uuid_array, sizeof(uuid_array));
    arena_done(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(puts_lists_together_with_consecutive_parameters),
        cmocka_unit_test(each_combination_has_its_own_code_and_name),
        cmocka_unit_test(each_way_of_looking_names_its_index_only),
        cmocka_unit_test(refuses_a_list_without_room),
        cmocka_unit_test(every_statement_has_name_text_and_types),
        cmocka_unit_test(encodes_values_as_postgresql_does),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
