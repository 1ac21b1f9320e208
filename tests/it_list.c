/* The list of traces and the services on a real PostgreSQL: filters judge whole traces, pages fit
 * together. */
#include "store/query.h"
#include "test.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "support/must.h"
#include "support/seed.h"

/* What the spans of some traces mean, as the write path keeps it in their rows. Trace 2 has two days:
 * tokens and money of both, its user on the second one, its session by a root on the second day and
 * by another span on the first. */
static const char meanings[] =
    "UPDATE spanledger.trace SET facets = "
    "spanledger.keys('{model:gpt-4o,provider:openai,tag:beta,user:ada}'),"
    " models = '{gpt-4o}', providers = '{openai}', user_id = 'ada', user_rank = 5, tags = '{beta}',"
    " billable_calls = 2, unpriced_calls = 1, input_tokens = 10, output_tokens = 5,"
    " total_tokens = 15, input_cost = 20000, output_cost = 10000, cost_total = 30000"
    " WHERE trace_id::text LIKE '01%';"
    "UPDATE spanledger.trace SET facets = spanledger.keys('{model:gpt-4o,session:first}'), models "
    "= '{gpt-4o}',"
    " session_id = 'first', session_rank = 100, billable_calls = 1, unpriced_calls = 0,"
    " input_tokens = 7, total_tokens = 7, cost_total = 1000, tags = '{b,c}', trace_name = 'old',"
    " trace_name_rank = 20"
    " WHERE trace_id::text LIKE '02%' AND day = '2026-09-04';"
    "UPDATE spanledger.trace SET facets = "
    "spanledger.keys('{model:claude,session:second,user:ada}'),"
    " models = '{claude}', session_id = 'second', session_rank = -100, user_id = 'ada',"
    " user_rank = 3, billable_calls = 1, unpriced_calls = 0, input_tokens = 100,"
    " total_tokens = 100, cost_total = 90000, tags = '{a,b}', trace_name = 'new',"
    " trace_name_rank = 10, input_preview = 'hello', input_rank = 1"
    " WHERE trace_id::text LIKE '02%' AND day = '2026-09-05';"
    "UPDATE spanledger.trace SET facets = spanledger.keys('{model:gpt-4o,type:llm}'), "
    "billable_calls = 1,"
    " unpriced_calls = 1, total_tokens = 15, input_tokens = 15 WHERE trace_id::text LIKE '03%'";

static int setup(void **state)
{
    (void)state;
    seed_rig_start(meanings);
    return 0;
}

#define H SEED_HOUR_NS

static struct trace_filter everything(void)
{
    return (struct trace_filter){.from_ns = SEED_DAY0_NS,
                                 .to_ns = SEED_NOW_NS,
                                 .descending = true,
                                 .limit = 50,
                                 .now_ns = SEED_NOW_NS};
}

static struct trace_page list(const struct trace_filter *filter)
{
    struct trace_page page;
    struct err err;

    must(reader_list(seed_rig.reader, 1, filter, &seed_rig.arena, &page, &err));
    return page;
}

static void lists_a_trace_of_several_days_once_with_whole_values(void **state)
{
    struct trace_filter filter = everything();
    struct trace_page page;
    const struct trace_row *row;

    (void)state;
    filter.name = BYTES_LITERAL("root");
    page = list(&filter);
    assert_int_equal(page.count, 1);
    row = &page.items[0];
    assert_int_equal(row->trace_id.at[0], 2);
    assert_true(row->start_ns == SEED_DAY0_NS + 23 * H &&
                row->end_ns == SEED_DAY0_NS + 26 * H + 30);
    assert_true(bytes_is(row->root_service, "day") && row->has_root);
    assert_int_equal(row->span_count, 3);
    assert_int_equal(row->status, TRACE_CANCELLED);
    assert_int_equal(row->service_count, 2);
    assert_true(bytes_is(row->services[0], "day") && bytes_is(row->services[1], "night"));
    assert_true(page.total == 1 && page.total_exact && !page.more);
}

static void merges_the_days_of_a_trace_by_rank_and_sum(void **state)
{
    struct trace_filter filter = everything();
    const struct trace_row *row;
    struct trace_page page;

    (void)state;
    filter.name = BYTES_LITERAL("root");
    page = list(&filter);
    assert_int_equal(page.count, 1);
    row = &page.items[0];
    assert_true(bytes_is(row->facts.session_id, "second") && bytes_is(row->facts.user_id, "ada"));
    assert_true(bytes_is(row->facts.trace_name, "new"));
    assert_true(bytes_is(row->facts.input_preview, "hello"));
    assert_int_equal(row->facts.output_preview.len, 0);
    assert_int_equal(row->facts.tags.count, 3);
    assert_int_equal(row->facts.models.count, 2);
    assert_true(bytes_is(row->facts.models.items[0], "claude"));
    assert_true(row->spend.calls == 2 && row->spend.unpriced == 0);
    assert_true(row->spend.tokens[TOKEN_INPUT] == 107 && row->spend.total_tokens == 107);
    assert_true(row->spend.cost_total == 91000);
}

/* Its first day once more, later and not marked: as write_trace_multi.sql leaves one that is far. */
static void lists_a_far_day_of_a_trace_by_itself(void **state)
{
    struct trace_filter filter = everything();
    struct trace_page page;

    (void)state;
    seed_run(&seed_rig.db,
             "INSERT INTO spanledger.trace SELECT (jsonb_populate_record(t, jsonb_build_object("
             "'day', t.day + 9, 'start_ns', t.start_ns + 777600000000000, 'multi_day',"
             " false))).* FROM spanledger.trace AS t"
             " WHERE trace_id::text LIKE '02%' AND day = '2026-09-04'");
    filter.to_ns = INT64_MAX;
    filter.facets[filter.facet_count++] = BYTES_LITERAL("model:gpt-4o");
    filter.session = BYTES_LITERAL("first");
    page = list(&filter);
    assert_int_equal(page.count, 1);
    assert_true(page.items[0].spend.cost_total == 1000);
    filter.session = BYTES_LITERAL("second");
    page = list(&filter);
    assert_int_equal(page.count, 1);
    assert_true(page.items[0].spend.cost_total == 91000);
    seed_run(&seed_rig.db, "DELETE FROM spanledger.trace WHERE day > '2026-09-10'");
}

#define FACETS(...)                                                                                \
    .facets = {__VA_ARGS__},                                                                       \
    .facet_count = sizeof((struct bytes[]){__VA_ARGS__}) / sizeof(struct bytes)

/* Which traces a filter finds, as first bytes of ids in the order of the page. */
static const struct {
    const char *why;
    struct trace_filter filter; /* on top of everything() */
    const char *found;
} finds[] = {
    {"all, newest first, larger id first among equals", {.descending = true}, "52876431"},
    {"oldest first", {.descending = false}, "13467825"},
    {"service of any span", {.descending = true, .service = BYTES_CONSTANT("bank")}, "1"},
    {"service of another day of the trace",
     {.descending = true, .service = BYTES_CONSTANT("day")},
     "2"},
    {"no such service", {.descending = true, .service = BYTES_CONSTANT("")}, ""},
    {"name of the root", {.descending = true, .name = BYTES_CONSTANT("run")}, "631"},
    {"name of a first span is none where there is a root",
     {.descending = true, .name = BYTES_CONSTANT("early")},
     ""},
    {"name of the first span without a root",
     {.descending = true, .name = BYTES_CONSTANT("lost")},
     "4"},
    {"failed", {.descending = true, .status = TRACE_FAILED}, "3"},
    {"cancelled on its second day", {.descending = true, .status = TRACE_CANCELLED}, "2"},
    {"running", {.descending = true, .status = TRACE_RUNNING}, "5"},
    {"completed, also without a root", {.descending = true, .status = TRACE_COMPLETED}, "87641"},
    {"long ones", {.descending = true, .min_duration_ns = 7 * NS_PER_S}, "2631"},
    {"two filters",
     {.descending = true, .name = BYTES_CONSTANT("run"), .status = TRACE_COMPLETED},
     "61"},
    {"by duration", {.descending = true, .sort = TRACE_SORT_DURATION}, "26138745"},
    {"by duration, shortest first", {.sort = TRACE_SORT_DURATION}, "54783162"},
    {"by errors", {.descending = true, .sort = TRACE_SORT_ERRORS}, "32187654"},
    {"by cost", {.descending = true, .sort = TRACE_SORT_COST}, "21876543"},
    {"by tokens", {.descending = true, .sort = TRACE_SORT_TOKENS}, "23187654"},
    {"by tokens, fewest first", {.sort = TRACE_SORT_TOKENS}, "45678132"},
    {"user", {.descending = true, FACETS(BYTES_CONSTANT("user:ada"))}, "21"},
    {"user, oldest first", {FACETS(BYTES_CONSTANT("user:ada"))}, "12"},
    {"model of another day of the trace",
     {.descending = true, FACETS(BYTES_CONSTANT("model:claude"))},
     "2"},
    {"facets of different days of one trace",
     {.descending = true, FACETS(BYTES_CONSTANT("model:claude"), BYTES_CONSTANT("session:first"))},
     "2"},
    {"model by cost",
     {.descending = true, .sort = TRACE_SORT_COST, FACETS(BYTES_CONSTANT("model:gpt-4o"))},
     "213"},
    {"no such user", {.descending = true, FACETS(BYTES_CONSTANT("user:nobody"))}, ""},
    {"facet and status",
     {.descending = true, .status = TRACE_FAILED, FACETS(BYTES_CONSTANT("model:gpt-4o"))},
     "3"},
    {"least cost of the whole trace", {.descending = true, .min_cost = 90500}, "2"},
    {"least tokens", {.descending = true, .min_tokens = 15}, "231"},
    {"text of a name, whatever the case", {.descending = true, .text = BYTES_CONSTANT("LOS")}, "4"},
    {"text inside attributes", {.descending = true, .text = BYTES_CONSTANT("\"a\"")}, ""},
    {"text inside events", {.descending = true, .text = BYTES_CONSTANT("name")}, "52876431"},
    {"attribute of any span",
     {.descending = true, .attr_key = BYTES_CONSTANT("a"), .attr_value = BYTES_CONSTANT("1.0")},
     "52876431"},
    {"attribute of the resource",
     {.descending = true,
      .attr_key = BYTES_CONSTANT("service.name"),
      .attr_value = BYTES_CONSTANT("bank")},
     "1"},
    {"attribute with another value",
     {.descending = true, .attr_key = BYTES_CONSTANT("a"), .attr_value = BYTES_CONSTANT("2")},
     ""},
    {"search and facet",
     {.text = BYTES_CONSTANT("run"), FACETS(BYTES_CONSTANT("model:gpt-4o"))},
     "13"},
    {"search for what no index knows",
     {.text = BYTES_CONSTANT("run"), FACETS(BYTES_CONSTANT("model:none"))},
     ""},
};

static void found_text(const struct trace_page *page, char *to)
{
    for (size_t i = 0; i < page->count; i++)
        *to++ = (char)('0' + page->items[i].trace_id.at[0]);
    *to = '\0';
}

static struct trace_filter filter_of(size_t i)
{
    struct trace_filter filter = finds[i].filter;

    filter.from_ns = SEED_DAY0_NS;
    filter.to_ns = SEED_NOW_NS;
    filter.now_ns = SEED_NOW_NS;
    filter.limit = 50;
    return filter;
}

static void filters_and_sorts_by_values_of_the_whole_trace(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(finds) / sizeof(finds[0]); i++) {
        const struct trace_filter filter = filter_of(i);
        struct trace_page page;
        char found[64];

        arena_reset(&seed_rig.arena);
        page = list(&filter);
        found_text(&page, found);
        if (strcmp(found, finds[i].found) != 0)
            fail_msg("%s: found %s, want %s", finds[i].why, found, finds[i].found);
    }
}

static void pages_fit_together_without_gap_or_repeat(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(finds) / sizeof(finds[0]); i++) {
        for (uint32_t limit = 1; limit <= 3; limit++) {
            struct trace_filter filter = filter_of(i);
            char found[64] = "";
            struct trace_page page;

            filter.limit = limit;
            arena_reset(&seed_rig.arena);
            do {
                page = list(&filter);
                found_text(&page, found + strlen(found));
                if (page.count == 0)
                    break;
                if (!trace_filter_searches(&filter) &&
                    (!page.total_exact || page.total != (int64_t)strlen(finds[i].found)))
                    fail_msg("%s: total %" PRId64 " on a page", finds[i].why, page.total);
                filter.cursor = (struct trace_cursor){
                    .given = true,
                    .sort_value = trace_sort_value(filter.sort, &page.items[page.count - 1]),
                    .trace_id = page.items[page.count - 1].trace_id,
                    .seen = filter.cursor.seen + (int64_t)page.count,
                    .total = page.total,
                    .total_exact = page.total_exact};
            } while (page.more);
            if (strcmp(found, finds[i].found) != 0)
                fail_msg("%s, %u at a time: found %s, want %s", finds[i].why, limit, found,
                         finds[i].found);
            if (!page.total_exact || page.total != (int64_t)strlen(found))
                fail_msg("%s: total %" PRId64, finds[i].why, page.total);
        }
    }
}

static void range_is_that_of_the_true_start(void **state)
{
    static const struct {
        const char *why;
        int64_t from_ns;
        int64_t to_ns;
        const char *found;
    } cases[] = {
        {"the second day of a trace is not its start", 24 * H, 70 * H, ""},
        {"from is inclusive", 23 * H, 70 * H, "2"},
        {"to is exclusive", 22 * H, 23 * H, ""},
        {"empty range", 5 * H, 5 * H, ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct trace_filter filter = everything();
        struct trace_page page;
        char found[64];

        filter.from_ns = SEED_DAY0_NS + cases[i].from_ns;
        filter.to_ns = SEED_DAY0_NS + cases[i].to_ns;
        page = list(&filter);
        found_text(&page, found);
        if (strcmp(found, cases[i].found) != 0)
            fail_msg("%s: found %s", cases[i].why, found);
    }
}

static void lists_services_in_order_with_their_days(void **state)
{
    static const char *const names[] = {"bank", "day", "night", "shop"};
    struct service_list services;
    struct err err;

    (void)state;
    arena_reset(&seed_rig.arena);
    must(reader_services(seed_rig.reader, 1, &seed_rig.arena, &services, &err));
    assert_int_equal(services.count, 4);
    for (size_t i = 0; i < 4; i++)
        assert_true(bytes_is(services.items[i].name, names[i]));
    assert_true(services.items[1].first_used_day == 20701);
    assert_true(services.items[3].first_used_day == 20700);
    assert_true(services.items[3].last_used_day == 20702);
}

static void a_search_that_runs_out_of_time_goes_on_with_its_cursor(void **state)
{
    struct trace_filter filter = everything();
    char found[64] = "";
    struct trace_page page;

    (void)state;
    seed_run(&seed_rig.db,
             "INSERT INTO spanledger.trace SELECT day, tenant_id, md5(n::text)::uuid,"
             " start_ns - n, end_ns, last_received, first_span_id, root_start_ns, root_span_id,"
             " span_count, error_count, roots_ended, roots_failed, roots_cancelled,"
             " roots_unfinished, trace_bucket, multi_day, first_name, first_service, root_name,"
             " root_service, services"
             " FROM spanledger.trace, generate_series(1, 500) AS n"
             " WHERE trace_id::text LIKE '07%'");
    filter.text = BYTES_LITERAL("run");
    filter.search_ns = 1;
    for (int pages = 0; pages < 200; pages++) { /* a page looks at a few traces at least */
        arena_reset(&seed_rig.arena);
        page = list(&filter);
        found_text(&page, found + strlen(found));
        if (!page.more)
            break;
        assert_true(page.stopped && !page.total_exact);
        filter.cursor = (struct trace_cursor){.given = true,
                                              .sort_value = page.stopped_ns,
                                              .trace_id = page.stopped_id,
                                              .seen = filter.cursor.seen + (int64_t)page.count};
    }
    assert_string_equal(found, "631");
    assert_true(page.total_exact && page.total == 3);
    seed_run(&seed_rig.db,
             "DELETE FROM spanledger.trace WHERE trace_id::text NOT LIKE '0_020304%'");
}

/* More traces than a list looks at first, all newer than the seeds: the indexes are asked, and where
 * they find too many, the whole range is walked along. */
static void finds_what_lies_behind_many_others(void **state)
{
    static const struct {
        const char *why;
        struct trace_filter filter;
        const char *found;
        int64_t total;
        bool exact;
    } rows[] = {
        {"facet that few have", {.limit = 50, FACETS(BYTES_CONSTANT("user:ada"))}, "21", 2, true},
        {"one at a time", {.limit = 1, FACETS(BYTES_CONSTANT("user:ada"))}, "2", 2, true},
        {"facet that nothing has", {.limit = 50, FACETS(BYTES_CONSTANT("user:x"))}, "", 0, true},
        {"name that few have", {.limit = 50, .name = BYTES_CONSTANT("run")}, "631", 3, true},
        {"name that nothing has", {.limit = 50, .name = BYTES_CONSTANT("none")}, "", 0, true},
        {"more than an index may find",
         {.limit = 50, .status = TRACE_FAILED, FACETS(BYTES_CONSTANT("model:gpt-4o"))},
         "3",
         1,
         true},
        {"no index", {.limit = 50, .status = TRACE_FAILED}, "3", 1, true},
        {"sorted by another value",
         {.limit = 1, .sort = TRACE_SORT_COST, FACETS(BYTES_CONSTANT("user:ada"))},
         "2",
         2,
         true},
    };

    (void)state;
    seed_run(&seed_rig.db,
             "INSERT INTO spanledger.trace SELECT day, tenant_id, md5(n::text)::uuid,"
             " start_ns + n + 1, end_ns + n + 1, last_received, first_span_id, root_start_ns,"
             " root_span_id, span_count, error_count, 1, 0, 0, 0, trace_bucket, multi_day,"
             " first_name, first_service, root_name, root_service, services, '{gpt-4o}',"
             " '{openai}', spanledger.keys('{model:gpt-4o}')"
             " FROM spanledger.trace, generate_series(1, 6000) AS n"
             " WHERE trace_id::text LIKE '05%'");
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct trace_filter filter = rows[i].filter;
        struct trace_page page;
        char found[64];

        filter.from_ns = SEED_DAY0_NS;
        filter.to_ns = SEED_NOW_NS;
        filter.now_ns = SEED_NOW_NS;
        filter.descending = true;
        arena_reset(&seed_rig.arena);
        page = list(&filter);
        found_text(&page, found);
        if (strcmp(found, rows[i].found) != 0 || page.total != rows[i].total ||
            page.total_exact != rows[i].exact)
            fail_msg("%s: found %s of %" PRId64, rows[i].why, found, page.total);
    }
    seed_run(&seed_rig.db,
             "DELETE FROM spanledger.trace WHERE trace_id::text NOT LIKE '0_020304%'");
}

static void every_combination_of_the_list_is_accepted_by_the_server(void **state)
{
    (void)state;
    for (unsigned bits = 0; bits < 1024; bits += bits < 32 ? 1 : 7)
        for (unsigned status = 0; status < TRACE_STATUS_MAX; status++)
            for (unsigned sort = 0; sort < TRACE_SORT_MAX; sort += bits < 32 ? 1 : 2) {
                struct trace_filter filter = everything();

                if (bits & 1)
                    filter.service = BYTES_LITERAL("shop");
                if (bits & 2)
                    filter.name = BYTES_LITERAL("run");
                filter.min_duration_ns = bits & 4 ? 1 : 0;
                filter.cursor.given = (bits & 8) != 0;
                filter.descending = (bits & 16) != 0;
                filter.min_cost = bits & 32 ? 1 : 0;
                filter.min_tokens = bits & 64 ? 1 : 0;
                filter.facet_count = bits >> 7 & 1;
                filter.facets[0] = BYTES_LITERAL("user:ada");
                filter.status = (enum trace_status)status;
                filter.sort = (enum trace_sort)sort;
                if (bits & 256)
                    filter.text = BYTES_LITERAL("x");
                if (bits & 512)
                    filter.attr_key = BYTES_LITERAL("k");
                if (trace_filter_searches(&filter))
                    filter.sort = TRACE_SORT_START;
                arena_reset(&seed_rig.arena);
                (void)list(&filter);
            }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_a_trace_of_several_days_once_with_whole_values),
        cmocka_unit_test(merges_the_days_of_a_trace_by_rank_and_sum),
        cmocka_unit_test(lists_a_far_day_of_a_trace_by_itself),
        cmocka_unit_test(filters_and_sorts_by_values_of_the_whole_trace),
        cmocka_unit_test(pages_fit_together_without_gap_or_repeat),
        cmocka_unit_test(range_is_that_of_the_true_start),
        cmocka_unit_test(lists_services_in_order_with_their_days),
        cmocka_unit_test(a_search_that_runs_out_of_time_goes_on_with_its_cursor),
        cmocka_unit_test(finds_what_lies_behind_many_others),
        cmocka_unit_test(every_combination_of_the_list_is_accepted_by_the_server),
    };

    return cmocka_run_group_tests(tests, setup, seed_rig_stop);
}
