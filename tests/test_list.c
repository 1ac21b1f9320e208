/* read/list: JSON of lists. */
#include "base/clock.h"
#include "read/list.h"
#include "test.h"

static bool contains(const struct buf *out, const char *text)
{
    return out->len > 0 && memmem(out->at, out->len, text, strlen(text)) != NULL;
}

static struct bytes services[] = {{(const uint8_t *)"a", 1}, {(const uint8_t *)"b\"", 2}};
static struct trace_row rows[] = {{
    .trace_id = {{0xab, 0xcd}},
    .start_ns = INT64_C(1790000000123456789),
    .end_ns = INT64_C(1790000001123456789),
    .name = {(const uint8_t *)"run", 3},
    .root_service = {(const uint8_t *)"a", 1},
    .has_root = true,
    .span_count = 12,
    .error_count = 3,
    .status = TRACE_CANCELLED,
    .services = services,
    .service_count = 2,
}};
static const struct trace_filter filter = {.to_ns = NS_PER_S, .descending = true, .limit = 1};

static void writes_traces_with_range_total_and_cursor(void **state)
{
    static const char *const wanted[] = {
        "{\"traces\":[{\"trace_id\":\"abcd0000000000000000000000000000\",\"name\":\"run\","
        "\"status\":\"cancelled\",\"start_time\":\"2026-09-21T14:13:20.123456789Z\"",
        "\"end_unix_nano\":\"1790000001123456789\",\"duration_ns\":1000000000",
        "\"span_count\":12,\"error_count\":3,\"has_root\":true",
        "\"services\":[\"a\",\"b\\\"\"]",
        "\"searched\":{\"from\":\"1970-01-01T00:00:00.000000000Z\","
        "\"to\":\"1970-01-01T00:00:01.000000000Z\"}",
        "\"total\":{\"value\":10000,\"exact\":false}}",
        "\"next_cursor\":\"A",
    };
    const struct trace_page page = {.items = rows, .count = 1, .more = true, .total = 10000};
    struct buf out;
    struct err err;

    (void)state;
    buf_init(&out, 1 << 16);
    assert_true(list_render(&page, &filter, &out, &err));
    for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
        if (!contains(&out, wanted[i]))
            fail_msg("no %s in %.*s", wanted[i], (int)out.len, (const char *)out.at);
    buf_done(&out);
}

static void last_page_has_no_cursor(void **state)
{
    const struct trace_page page = {.items = rows, .count = 1, .total = 1, .total_exact = true};
    const struct trace_page empty = {0};
    struct buf out;
    struct err err;

    (void)state;
    buf_init(&out, 1 << 16);
    assert_true(list_render(&page, &filter, &out, &err));
    assert_true(contains(&out, "\"next_cursor\":null"));
    buf_clear(&out);
    assert_true(list_render(&empty, &filter, &out, &err));
    assert_true(contains(&out, "{\"traces\":[],\"next_cursor\":null"));
    buf_done(&out);
}

static void writes_services_with_days(void **state)
{
    struct service items[] = {{services[0], 20778, 20779}};
    const struct service_list list = {items, 1};
    struct buf out;
    struct err err;

    (void)state;
    buf_init(&out, 1 << 16);
    assert_true(list_render_services(&list, &out, &err));
    assert_true(bytes_is(buf_bytes(&out), "{\"services\":[{\"name\":\"a\",\"first_used\":"
                                          "\"2026-11-21\",\"last_used\":\"2026-11-22\"}]}"));
    buf_done(&out);
}

static void refuses_a_page_beyond_its_buffer(void **state)
{
    const struct trace_page page = {.items = rows, .count = 1, .total = 1, .total_exact = true};
    struct buf out;
    struct err err = {0};

    (void)state;
    buf_init(&out, 100);
    assert_false(list_render(&page, &filter, &out, &err));
    assert_int_equal(err.kind, ERR_TOO_LARGE);
    buf_done(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_traces_with_range_total_and_cursor),
        cmocka_unit_test(last_page_has_no_cursor),
        cmocka_unit_test(writes_services_with_days),
        cmocka_unit_test(refuses_a_page_beyond_its_buffer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
