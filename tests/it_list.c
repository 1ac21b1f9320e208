/* The list of traces and the services on a real PostgreSQL: filters judge whole traces, pages fit
 * together. */
#include "store/query.h"
#include "test.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "support/seed.h"

#define ARENA_BYTES ((size_t)512 << 20)

static const struct cfg cfg = {.query_timeout_ms = 20000};

static struct cluster *cluster;
static char conninfo[CLUSTER_CONNINFO_BYTES];
static struct db db;
static struct reader *reader;
static struct arena arena;

#define must(call)                                                                                 \
    do {                                                                                           \
        if (!(call))                                                                               \
            fail_msg("%s: %s: %s", #call, err_kind_name(err.kind), err.text);                      \
    } while (0)

static int setup(void **state)
{
    struct err err;

    (void)state;
    cluster = cluster_start(NULL);
    seed_database(cluster, conninfo, &db);
    must(reader_new(&cfg, conninfo, &reader, &err));
    arena_init(&arena, ARENA_BYTES);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_done(&arena);
    reader_free(reader);
    db_close(&db);
    cluster_stop(cluster);
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

    must(reader_list(reader, 1, filter, &arena, &page, &err));
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
    {"by errors", {.descending = true, .sort = TRACE_SORT_ERRORS}, "31876542"},
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

        arena_reset(&arena);
        page = list(&filter);
        found_text(&page, found);
        if (strcmp(found, finds[i].found) != 0)
            fail_msg("%s: found %s, want %s", finds[i].why, found, finds[i].found);
    }
}

static int64_t sort_value(const struct trace_filter *filter, const struct trace_row *row)
{
    if (filter->sort == TRACE_SORT_START)
        return row->start_ns;
    return filter->sort == TRACE_SORT_DURATION ? row->end_ns - row->start_ns : row->error_count;
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
            arena_reset(&arena);
            do {
                page = list(&filter);
                found_text(&page, found + strlen(found));
                if (page.count == 0)
                    break;
                if (!page.total_exact || page.total != (int64_t)strlen(finds[i].found))
                    fail_msg("%s: total %" PRId64 " on a page", finds[i].why, page.total);
                filter.cursor = (struct trace_cursor){
                    .given = true,
                    .sort_value = sort_value(&filter, &page.items[page.count - 1]),
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
    arena_reset(&arena);
    must(reader_services(reader, 1, &arena, &services, &err));
    assert_int_equal(services.count, 4);
    for (size_t i = 0; i < 4; i++)
        assert_true(bytes_is(services.items[i].name, names[i]));
    assert_true(services.items[1].first_used_day == 20701);
    assert_true(services.items[3].first_used_day == 20700);
    assert_true(services.items[3].last_used_day == 20702);
}

static void every_combination_of_the_list_is_accepted_by_the_server(void **state)
{
    (void)state;
    for (unsigned bits = 0; bits < 32; bits++)
        for (unsigned status = 0; status < TRACE_STATUS_MAX; status++)
            for (unsigned sort = 0; sort <= TRACE_SORT_ERRORS; sort++) {
                struct trace_filter filter = everything();

                if (bits & 1)
                    filter.service = BYTES_LITERAL("shop");
                if (bits & 2)
                    filter.name = BYTES_LITERAL("run");
                filter.min_duration_ns = bits & 4 ? 1 : 0;
                filter.cursor.given = (bits & 8) != 0;
                filter.descending = (bits & 16) != 0;
                filter.status = (enum trace_status)status;
                filter.sort = (enum trace_sort)sort;
                arena_reset(&arena);
                (void)list(&filter);
            }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_a_trace_of_several_days_once_with_whole_values),
        cmocka_unit_test(filters_and_sorts_by_values_of_the_whole_trace),
        cmocka_unit_test(pages_fit_together_without_gap_or_repeat),
        cmocka_unit_test(range_is_that_of_the_true_start),
        cmocka_unit_test(lists_services_in_order_with_their_days),
        cmocka_unit_test(every_combination_of_the_list_is_accepted_by_the_server),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
