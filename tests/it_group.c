/* Sessions, users and models on a real PostgreSQL: whole sums, each once, pages fit together. */
#include "store/query.h"
#include "test.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "support/must.h"
#include "support/seed.h"

/* Traces 1 and 3 are session a of ada and bob; 2, of two days, is a session b by its root on the
 * second day, its first day says c; 6 and 7 are c. Spans of traces 1 and 2 are calls. */
static const char meanings[] =
    "UPDATE spanledger.trace SET session_id = 'a', session_rank = 1, user_id = 'ada',"
    " user_rank = 1, facets = spanledger.keys('{session:a,user:ada}'), billable_calls = 2, "
    "unpriced_calls = 0,"
    " total_tokens = 10, input_tokens = 10, cost_total = 100, environment = 'prod',"
    " environment_rank = 1, input_preview = 'first', input_rank = 1"
    " WHERE trace_id::text LIKE '01%';"
    "UPDATE spanledger.trace SET session_id = 'a', session_rank = 1, user_id = 'bob',"
    " user_rank = 1, facets = spanledger.keys('{session:a,user:bob}'), billable_calls = 1, "
    "unpriced_calls = 1,"
    " total_tokens = 5, input_tokens = 5, input_preview = 'second', input_rank = 1"
    " WHERE trace_id::text LIKE '03%';"
    "UPDATE spanledger.trace SET session_id = 'c', session_rank = 9, facets = "
    "spanledger.keys('{session:c}'),"
    " billable_calls = 1, total_tokens = 1, output_tokens = 1, cost_total = 7"
    " WHERE trace_id::text LIKE '02%' AND day = '2026-09-04';"
    "UPDATE spanledger.trace SET session_id = 'b', session_rank = -5, facets = "
    "spanledger.keys('{session:b}'),"
    " billable_calls = 1, total_tokens = 2, output_tokens = 2, cost_total = 3"
    " WHERE trace_id::text LIKE '02%' AND day = '2026-09-05';"
    "UPDATE spanledger.trace SET session_id = 'c', session_rank = 1, facets = "
    "spanledger.keys('{session:c}')"
    " WHERE trace_id::text LIKE '06%' OR trace_id::text LIKE '07%';"
    "UPDATE spanledger.span SET billable = true, provider = 'openai', model = 'gpt-4o',"
    " total_tokens = 4, input_tokens = 4, cost_total = 50 WHERE trace_id::text LIKE '01%';"
    "UPDATE spanledger.span SET billable = true, model = 'own', total_tokens = 1"
    " WHERE trace_id::text LIKE '02%'";

static int setup(void **state)
{
    (void)state;
    seed_rig_start(meanings);
    return 0;
}

static struct group_filter everything(enum group_by by)
{
    return (struct group_filter){
        .by = by, .from_ns = SEED_DAY0_NS, .to_ns = SEED_NOW_NS, .limit = 50};
}

static struct group_page groups(const struct group_filter *filter)
{
    struct group_page page;
    struct err err;

    must(reader_groups(seed_rig.reader, 1, filter, &seed_rig.arena, &page, &err));
    return page;
}

static void sums_up_the_whole_traces_of_a_session(void **state)
{
    const struct group_filter filter = everything(GROUP_SESSION);
    const struct group_page page = groups(&filter);
    const struct group_row *a = &page.items[2];
    const struct group_row *b = &page.items[0];

    (void)state;
    assert_int_equal(page.count, 3);
    assert_false(page.more);
    assert_true(bytes_is(b->id, "b") && bytes_is(page.items[1].id, "c") && bytes_is(a->id, "a"));
    assert_true(a->trace_count == 2 && a->spend.calls == 3 && a->spend.unpriced == 1);
    assert_true(a->spend.total_tokens == 15 && a->spend.cost_total == 100);
    assert_true(bytes_is(a->input_preview, "first"));
    assert_int_equal(a->users.count, 2);
    assert_true(bytes_is(a->users.items[0], "ada") && bytes_is(a->users.items[1], "bob"));
    assert_int_equal(a->environments.count, 1);
    assert_true(a->first_ns == SEED_DAY0_NS + SEED_HOUR_NS + 1);
    assert_true(a->last_ns == SEED_DAY0_NS + 3 * SEED_HOUR_NS);
    /* Both days of the trace, once, for the session of its root. */
    assert_true(b->trace_count == 1 && b->spend.calls == 2 && b->spend.cost_total == 10);
    assert_true(b->spend.tokens[TOKEN_OUTPUT] == 3);
    assert_true(page.items[1].trace_count == 2 && page.items[1].spend.calls == 0);
}

static void users_are_counted_the_same_way(void **state)
{
    const struct group_filter filter = everything(GROUP_USER);
    const struct group_page page = groups(&filter);

    (void)state;
    assert_int_equal(page.count, 2);
    assert_true(bytes_is(page.items[0].id, "bob") && bytes_is(page.items[1].id, "ada"));
    assert_true(page.items[1].session_count == 1 && page.items[1].spend.cost_total == 100);
}

static void pages_fit_together_without_gap_or_repeat(void **state)
{
    (void)state;
    for (uint32_t limit = 1; limit <= 3; limit++) {
        struct group_filter filter = everything(GROUP_SESSION);
        char found[16] = "";
        struct group_page page;

        filter.limit = limit;
        do {
            arena_reset(&seed_rig.arena);
            page = groups(&filter);
            for (size_t i = 0; i < page.count; i++)
                (void)strncat(found, (const char *)page.items[i].id.at, 1);
            filter.has_cursor = true;
            filter.before_ns = page.before_ns;
            filter.before_id = page.before_id;
        } while (page.more);
        assert_string_equal(found, "bca");
    }
}

/* The oldest traces carry the sessions: the stretches before them hold none, and each page may stop
 * for want of time. */
static void a_look_that_runs_out_of_time_goes_on(void **state)
{
    struct group_filter filter = everything(GROUP_SESSION);
    char found[64] = "";
    int pages = 0;
    struct group_page page;

    (void)state;
    seed_run(&seed_rig.db,
             "INSERT INTO spanledger.trace SELECT day, tenant_id, md5(n::text)::uuid,"
             " start_ns + n, end_ns + n, last_received, first_span_id, root_start_ns,"
             " root_span_id, span_count, error_count, 1, 0, 0, 0, trace_bucket, multi_day,"
             " first_name, first_service, root_name, root_service, services"
             " FROM spanledger.trace, generate_series(1, 2000) AS n"
             " WHERE trace_id::text LIKE '05%'");
    filter.search_ns = 1;
    do {
        arena_reset(&seed_rig.arena);
        page = groups(&filter);
        for (size_t i = 0; i < page.count; i++)
            (void)strncat(found, (const char *)page.items[i].id.at, 1);
        filter.has_cursor = true;
        filter.before_ns = page.before_ns;
        filter.before_id = page.before_id;
    } while (page.more && ++pages < 50);
    assert_string_equal(found, "bca");
    assert_true(pages > 1);
    seed_run(&seed_rig.db,
             "DELETE FROM spanledger.trace WHERE trace_id::text NOT LIKE '0_020304%'");
}

static void one_session_is_what_the_list_says(void **state)
{
    const struct group_filter filter = everything(GROUP_SESSION);
    struct group_row row;
    struct err err;

    (void)state;
    must(
        reader_group(seed_rig.reader, 1, &filter, BYTES_LITERAL("b"), &seed_rig.arena, &row, &err));
    assert_true(row.trace_count == 1 && row.spend.cost_total == 10);
    must(reader_group(seed_rig.reader, 1, &filter, BYTES_LITERAL("nobody"), &seed_rig.arena, &row,
                      &err));
    assert_true(row.trace_count == 0);
    must(
        reader_group(seed_rig.reader, 2, &filter, BYTES_LITERAL("b"), &seed_rig.arena, &row, &err));
    assert_true(row.trace_count == 0);
}

static void traces_of_a_session_are_those_whose_own_it_is(void **state)
{
    struct trace_filter filter = {.from_ns = 0,
                                  .to_ns = INT64_MAX,
                                  .limit = 50,
                                  .now_ns = SEED_NOW_NS,
                                  .facets = {BYTES_CONSTANT("session:c")},
                                  .facet_count = 1};
    struct trace_page page;
    struct err err;

    (void)state;
    filter.session = BYTES_LITERAL("c");
    must(reader_list(seed_rig.reader, 1, &filter, &seed_rig.arena, &page, &err));
    assert_int_equal(page.count, 2);
    assert_int_equal(page.items[0].trace_id.at[0], 6);
    assert_int_equal(page.items[1].trace_id.at[0], 7);
}

static void models_sum_up_billable_calls_only(void **state)
{
    struct group_filter filter = everything(GROUP_SESSION);
    struct model_list models;
    struct err err;

    (void)state;
    arena_reset(&seed_rig.arena);
    must(reader_models(seed_rig.reader, 1, &filter, &seed_rig.arena, &models, &err));
    assert_int_equal(models.count, 2);
    assert_false(models.stopped);
    assert_true(bytes_is(models.items[0].model, "gpt-4o"));
    assert_true(bytes_is(models.items[0].provider, "openai"));
    assert_true(models.items[0].spend.calls == 3 && models.items[0].errors == 1);
    assert_true(models.items[0].spend.cost_total == 150 && models.items[0].spend.unpriced == 0);
    assert_true(models.items[0].spend.tokens[TOKEN_INPUT] == 12);
    assert_true(models.items[0].first_ns == SEED_DAY0_NS + SEED_HOUR_NS + 1);
    assert_int_equal(models.items[1].provider.len, 0);
    assert_true(models.items[1].spend.calls == 3 && models.items[1].spend.unpriced == 3);
    /* Calls by their own time: of the trace of two days the second one. */
    filter.from_ns = SEED_DAY0_NS + 24 * SEED_HOUR_NS;
    must(reader_models(seed_rig.reader, 1, &filter, &seed_rig.arena, &models, &err));
    assert_int_equal(models.count, 1);
    assert_true(models.items[0].spend.calls == 2);
    must(reader_models(seed_rig.reader, 2, &filter, &seed_rig.arena, &models, &err));
    assert_int_equal(models.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums_up_the_whole_traces_of_a_session),
        cmocka_unit_test(users_are_counted_the_same_way),
        cmocka_unit_test(pages_fit_together_without_gap_or_repeat),
        cmocka_unit_test(a_look_that_runs_out_of_time_goes_on),
        cmocka_unit_test(one_session_is_what_the_list_says),
        cmocka_unit_test(traces_of_a_session_are_those_whose_own_it_is),
        cmocka_unit_test(models_sum_up_billable_calls_only),
    };

    return cmocka_run_group_tests(tests, setup, seed_rig_stop);
}
