/* The plan of a batch: which version of a key stands, what is staged, what is locked. */
#include "test.h"

#include <stdlib.h>

#include "base/clock.h"
#include "store/write_plan.h"

#define DAY_NS (S_PER_DAY * NS_PER_S)

static const struct stored_resource resource;
static const struct stored_scope scope;

static struct stored_span span_of(uint8_t trace, int64_t span_id, int64_t duration_ns,
                                  uint32_t attributes, int64_t hash)
{
    return (struct stored_span){.tenant_id = 1,
                                .trace_id.at = {trace, 1},
                                .span_id = span_id,
                                .start_unix_ns = 1000,
                                .duration_ns = duration_ns,
                                .attribute_count = attributes,
                                .content_hash = hash,
                                .name = BYTES_LITERAL("n"),
                                .attributes = BYTES_LITERAL("{}"),
                                .service_name = BYTES_LITERAL("s"),
                                .resource = &resource,
                                .scope = &scope};
}

static int set_up(void **state)
{
    *state = seen_new();
    return *state ? 0 : -1;
}

static int tear_down(void **state)
{
    seen_free(*state);
    return 0;
}

static const struct rank_case {
    const char *why;
    struct {
        int64_t duration_ns;
        uint32_t attributes;
        int64_t hash;
    } first, second;
    int winner; /* which of the two stands */
    enum write_outcome loser;
} rank_cases[] = {
    {"the later end stands", {10, 9, 9}, {11, 1, 1}, 1, WRITE_SUPERSEDED},
    {"whatever the order", {11, 1, 1}, {10, 9, 9}, 0, WRITE_SUPERSEDED},
    {"then more attributes", {10, 2, 9}, {10, 3, 1}, 1, WRITE_SUPERSEDED},
    {"then the greater hash", {10, 2, -5}, {10, 2, 7}, 1, WRITE_SUPERSEDED},
    {"the same content is no version", {10, 2, 7}, {10, 2, 7}, 0, WRITE_IDENTICAL},
};

static void settles_versions_of_one_key(void **state)
{
    for (size_t i = 0; i < sizeof(rank_cases) / sizeof(rank_cases[0]); i++) {
        const struct rank_case *c = &rank_cases[i];
        struct stored_span rows[2] = {
            span_of(1, 5, c->first.duration_ns, c->first.attributes, c->first.hash),
            span_of(1, 5, c->second.duration_ns, c->second.attributes, c->second.hash)};
        struct write_item items[2] = {{.row = &rows[0]}, {.row = &rows[1]}};
        struct write_plan plan;
        struct err err = {0};

        write_plan_init(&plan);
        assert_true(write_plan_make(&plan, items, 2, *state, &err));
        if (plan.items[0].winner != (size_t)c->winner || plan.items[1].winner != (size_t)c->winner)
            fail_msg("%s: winners %zu and %zu", c->why, plan.items[0].winner, plan.items[1].winner);
        if (items[1 - c->winner].outcome != c->loser)
            fail_msg("%s: loser's outcome is %d", c->why, (int)items[1 - c->winner].outcome);
        /* Only a real version makes the key a matter for staging. */
        if (plan.items[c->winner].staged != (c->loser == WRITE_SUPERSEDED))
            fail_msg("%s: staged is %d", c->why, plan.items[c->winner].staged);
        write_plan_done(&plan);
    }
}

/* RF-19, OTLP-113: of growing versions each held the key for a while; all but the last lose. */
static void one_version_stands_of_many_in_any_order(void **state)
{
    static const int64_t orders[][5] = {
        {1, 2, 3, 4, 5}, {5, 4, 3, 2, 1}, {1, 3, 2, 5, 4}, {2, 1, 5, 3, 4}};

    for (size_t o = 0; o < sizeof(orders) / sizeof(orders[0]); o++) {
        struct stored_span rows[5];
        struct write_item items[5];
        struct write_plan plan;
        struct err err = {0};
        size_t others = 0;

        for (size_t i = 0; i < 5; i++) {
            rows[i] = span_of(1, 5, orders[o][i], 1, orders[o][i]);
            items[i] = (struct write_item){.row = &rows[i]};
        }
        write_plan_init(&plan);
        assert_true(write_plan_make(&plan, items, 5, *state, &err));
        for (size_t i = 0; i < 5; i++) {
            assert_int_equal(rows[plan.items[i].winner].duration_ns, 5);
            if (plan.items[i].winner != i)
                assert_int_equal(items[i].outcome, WRITE_SUPERSEDED);
        }
        for (size_t k = plan.items[plan.items[0].winner].others; k; k = plan.items[k - 1].next)
            others++;
        assert_int_equal(others, 4);
        write_plan_done(&plan);
    }
}

/* SEC-20: days far apart, in turns, as one request may hold them. */
static void collects_each_day_once(void **state)
{
    struct stored_span rows[90];
    struct write_item items[90];
    struct write_plan plan;
    struct err err = {0};

    for (size_t i = 0; i < 90; i++) {
        rows[i] = span_of(1, (int64_t)i, 10, 1, 1);
        rows[i].start_unix_ns = (int64_t)(i % 30) * 3500 * DAY_NS;
        items[i] = (struct write_item){.row = &rows[i]};
    }
    write_plan_init(&plan);
    assert_true(write_plan_make(&plan, items, 90, *state, &err));
    assert_int_equal(plan.day_count, 30);
    for (size_t i = 0; i < 30; i++)
        assert_int_equal(plan.days[i], (int64_t)i * 3500);
    write_plan_done(&plan);
}

static void keys_that_differ_in_one_part_are_different_spans(void **state)
{
    struct stored_span rows[6];
    struct write_item items[6];
    struct write_plan plan;
    struct err err = {0};

    for (size_t i = 0; i < 6; i++)
        rows[i] = span_of(1, 5, 10, 1, 1);
    rows[1].trace_id.at[15] = 1;
    rows[2].span_id = 6;
    rows[3].start_unix_ns += NS_PER_US;
    rows[4].kind = 2;
    rows[5].tenant_id = 2;
    for (size_t i = 0; i < 6; i++)
        items[i] = (struct write_item){.row = &rows[i]};
    write_plan_init(&plan);
    assert_true(write_plan_make(&plan, items, 6, *state, &err));
    for (size_t i = 0; i < 6; i++)
        assert_int_equal(plan.items[i].winner, i);
    write_plan_done(&plan);
}

static void starts_within_one_microsecond_share_the_key(void **state)
{
    struct stored_span rows[2] = {span_of(1, 5, 10, 1, 1), span_of(1, 5, 10, 1, 2)};
    struct write_item items[2] = {{.row = &rows[0]}, {.row = &rows[1]}};
    struct write_plan plan;
    struct err err = {0};

    rows[1].start_unix_ns += 999;
    write_plan_init(&plan);
    assert_true(write_plan_make(&plan, items, 2, *state, &err));
    assert_int_equal(plan.items[0].winner, 1);
    write_plan_done(&plan);
}

static void locks_each_trace_once_in_ascending_order(void **state)
{
    struct stored_span rows[60];
    struct write_item items[60];
    struct write_plan plan;
    struct err err = {0};

    for (size_t i = 0; i < 60; i++) {
        rows[i] = span_of((uint8_t)(i % 20), (int64_t)i, 10, 1, 1);
        rows[i].start_unix_ns = (int64_t)(i % 3) * DAY_NS;
        items[i] = (struct write_item){.row = &rows[i]};
    }
    write_plan_init(&plan);
    assert_true(write_plan_make(&plan, items, 60, *state, &err));
    assert_int_equal(plan.trace_count, 20);
    for (size_t i = 1; i < plan.trace_count; i++)
        assert_true(plan.trace_keys[i - 1] < plan.trace_keys[i]);
    assert_int_equal(plan.day_count, 3);
    write_plan_done(&plan);
}

/* A batch of several tenants: each is locked once, and one trace id is a trace of each. */
static void locks_each_tenant_once_in_ascending_order(void **state)
{
    struct stored_span rows[4];
    struct write_item items[4];
    struct write_plan plan;
    struct err err = {0};

    for (size_t i = 0; i < 4; i++) {
        rows[i] = span_of(1, 5, 10, 1, 1);
        rows[i].tenant_id = i % 2 ? 1 : 7;
        items[i] = (struct write_item){.row = &rows[i]};
    }
    write_plan_init(&plan);
    assert_true(write_plan_make(&plan, items, 4, *state, &err));
    assert_int_equal(plan.tenant_count, 2);
    assert_true(plan.tenants[0] == 1 && plan.tenants[1] == 7);
    assert_int_equal(plan.trace_count, 2);
    write_plan_done(&plan);
}

static void keys_written_lately_are_staged(void **state)
{
    struct stored_span rows[2] = {span_of(1, 5, 10, 1, 1), span_of(1, 6, 10, 1, 1)};
    struct write_item items[2] = {{.row = &rows[0]}, {.row = &rows[1]}};
    struct write_plan plan;
    struct err err = {0};

    write_plan_init(&plan);
    assert_true(write_plan_make(&plan, items, 1, *state, &err));
    assert_false(plan.items[0].staged);
    seen_add(*state, plan.hashes, 1);
    assert_true(write_plan_make(&plan, items, 2, *state, &err));
    assert_true(plan.items[0].staged);
    assert_false(plan.items[1].staged);
    write_plan_done(&plan);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(settles_versions_of_one_key, set_up, tear_down),
        cmocka_unit_test_setup_teardown(one_version_stands_of_many_in_any_order, set_up, tear_down),
        cmocka_unit_test_setup_teardown(collects_each_day_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(keys_that_differ_in_one_part_are_different_spans, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(starts_within_one_microsecond_share_the_key, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(locks_each_trace_once_in_ascending_order, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(locks_each_tenant_once_in_ascending_order, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(keys_written_lately_are_staged, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
