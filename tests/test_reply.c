/* Bodies of export responses and errors in both encodings (OTLP-40..52, OTLP-69). */
#include "test.h"

#include <stdio.h>

#include "otlp/reply.h"
#include "reply.pb-c.h"
#include "support/doc.h"

static struct arena arena;
static struct buf out;

static int setup(void **state)
{
    (void)state;
    arena_init(&arena, 16U << 20);
    buf_init(&out, 1U << 20);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_done(&arena);
    buf_done(&out);
    return 0;
}

static void must_be(const char *json)
{
    if (!bytes_is(buf_bytes(&out), json))
        fail_msg("found %.*s, want %s", (int)out.len, (const char *)out.at, json);
    assert_non_null(doc_parse(&arena, buf_bytes(&out)));
}

static void says_nothing_on_full_success(void **state)
{
    const struct otlp_partial partial = {0};

    (void)state; /* OTLP-40 */
    otlp_export_response(OTLP_PROTOBUF, &partial, &out);
    assert_int_equal(out.len, 0);
    otlp_export_response(OTLP_JSON, &partial, &out);
    must_be("{}");
}

static void names_rejected_spans(void **state)
{
    struct otlp_partial partial = {0};
    Spanledger__Reply__ExportTraceServiceResponse *response;

    (void)state; /* OTLP-43, OTLP-44; rejectedSpans is an int64, in JSON a string */
    otlp_partial_reject(&partial, 0, 1, 3, "trace_id has 7 bytes, want 16");
    otlp_partial_reject(&partial, 4294967295, 0, 0, "span_id is all zero");
    otlp_export_response(OTLP_JSON, &partial, &out);
    must_be("{\"partialSuccess\":{\"rejectedSpans\":\"2\",\"errorMessage\":\"resource_spans[0]."
            "scope_spans[1].spans[3]: trace_id has 7 bytes, want 16; resource_spans[4294967295]."
            "scope_spans[0].spans[0]: span_id is all zero\"}}");
    buf_clear(&out);
    otlp_export_response(OTLP_PROTOBUF, &partial, &out);
    response = spanledger__reply__export_trace_service_response__unpack(NULL, out.len, out.at);
    assert_non_null(response);
    assert_int_equal(response->partial_success->rejected_spans, 2);
    assert_int_equal(response->partial_success->error_message.len, strlen(partial.message));
    spanledger__reply__export_trace_service_response__free_unpacked(response, NULL);
}

static void names_rejected_log_records(void **state)
{
    struct otlp_partial partial = {.signal = OTLP_LOGS};
    struct buf json;

    (void)state;
    buf_init(&json, 10000);
    otlp_partial_reject(&partial, 1, 2, 3, "no event name");
    otlp_export_response(OTLP_JSON, &partial, &json);
    assert_true(bytes_is(buf_bytes(&json),
                         "{\"partialSuccess\":{\"rejectedLogRecords\":\"1\",\"errorMessage\":"
                         "\"resource_logs[1].scope_logs[2].log_records[3]: no event name\"}}"));
    buf_done(&json);
}

static void writes_the_bytes_of_the_protocol(void **state)
{
    struct otlp_partial partial = {.rejected = 300};
    static const uint8_t want[] = {0x0a, 0x06, 0x08, 0xac, 0x02, 0x12, 0x01, 'm'};

    (void)state; /* not through our own .proto: partial_success 1 {rejected_spans 1, message 2} */
    partial.message[0] = 'm';
    otlp_export_response(OTLP_PROTOBUF, &partial, &out);
    assert_int_equal(out.len, sizeof(want));
    assert_memory_equal(out.at, want, sizeof(want));
}

static void warns_without_rejecting(void **state)
{
    struct otlp_partial partial = {0};

    (void)state; /* OTLP-45 */
    otlp_partial_cut(&partial, 2, 10000, 64);
    otlp_export_response(OTLP_JSON, &partial, &out);
    must_be("{\"partialSuccess\":{\"errorMessage\":\"2 spans stored without attributes beyond 10000"
            " in one set or values nested deeper than 64\"}}");
}

static void warns_of_times_in_another_unit(void **state)
{
    struct otlp_partial partial = {0};
    static const uint64_t plain[] = {0, 10000000000000000, 1763764123456000000, UINT64_MAX};
    static const uint64_t odd[] = {1763764123456, 1763764123456000, 1763764123};
    struct otlp_early early = {0};

    (void)state; /* OTLP-45 */
    for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++)
        otlp_early_look(&early, plain[i]);
    otlp_partial_early(&partial, &early);
    assert_string_equal(partial.message, "");
    for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++)
        otlp_early_look(&early, odd[i]);
    otlp_partial_early(&partial, &early);
    otlp_export_response(OTLP_JSON, &partial, &out);
    must_be("{\"partialSuccess\":{\"errorMessage\":\"3 spans stored in 1970: times are nanoseconds "
            "since 1970, the first of these is 1763764123456\"}}");
}

static void bounds_the_message(void **state)
{
    struct otlp_partial partial = {0};

    (void)state; /* OTLP-31, OTLP-44: whole reasons only */
    for (uint32_t i = 0; i < 100000; i++)
        otlp_partial_reject(&partial, 0, 0, i, "trace_id has 7 bytes, want 16");
    assert_int_equal(partial.rejected, 100000);
    assert_true(strlen(partial.message) < sizeof(partial.message));
    assert_string_equal(partial.message + strlen(partial.message) - 7, "want 16");
    otlp_export_response(OTLP_PROTOBUF, &partial, &out);
    assert_true(out.len < 4096);
}

static void writes_a_plain_status(void **state)
{
    static const uint8_t want[] = {0x08, 0x03, 0x12, 0x03, 'b', 'a', 'd'};

    (void)state; /* OTLP-50: code 1, message 2 */
    otlp_status(OTLP_JSON, 3, "bad \"input\"", NULL, 0, &out);
    must_be("{\"code\":3,\"message\":\"bad \\\"input\\\"\"}");
    buf_clear(&out);
    otlp_status(OTLP_PROTOBUF, 3, "bad", NULL, 0, &out);
    assert_int_equal(out.len, sizeof(want));
    assert_memory_equal(out.at, want, sizeof(want));
}

static void names_the_field_and_when_to_come_again(void **state)
{
    Spanledger__Reply__Status *status;
    Spanledger__Reply__BadRequest *bad;
    Spanledger__Reply__RetryInfo *retry;

    (void)state; /* OTLP-52, OTLP-69 */
    otlp_status(OTLP_JSON, 14, "queue full", "resource_spans[0]", 5, &out);
    must_be("{\"code\":14,\"message\":\"queue full\",\"details\":[{\"@type\":"
            "\"type.googleapis.com/google.rpc.BadRequest\",\"fieldViolations\":[{\"field\":"
            "\"resource_spans[0]\",\"description\":\"queue full\"}]},{\"@type\":"
            "\"type.googleapis.com/google.rpc.RetryInfo\",\"retryDelay\":\"5s\"}]}");
    buf_clear(&out);
    otlp_status(OTLP_PROTOBUF, 14, "queue full", "resource_spans[0]", 5, &out);
    status = spanledger__reply__status__unpack(NULL, out.len, out.at);
    assert_non_null(status);
    assert_int_equal(status->code, 14);
    assert_int_equal(status->n_details, 2);
    assert_memory_equal(status->details[0]->type_url.data,
                        "type.googleapis.com/google.rpc.BadRequest",
                        status->details[0]->type_url.len);
    bad = spanledger__reply__bad_request__unpack(NULL, status->details[0]->value.len,
                                                 status->details[0]->value.data);
    assert_int_equal(bad->n_field_violations, 1);
    assert_memory_equal(bad->field_violations[0]->field.data, "resource_spans[0]", 17);
    retry = spanledger__reply__retry_info__unpack(NULL, status->details[1]->value.len,
                                                  status->details[1]->value.data);
    assert_int_equal(retry->retry_delay->seconds, 5);
    spanledger__reply__bad_request__free_unpacked(bad, NULL);
    spanledger__reply__retry_info__free_unpacked(retry, NULL);
    spanledger__reply__status__free_unpacked(status, NULL);
}

static void repairs_texts_that_are_no_utf8(void **state)
{
    (void)state; /* a string field of the protocol must be UTF-8 */
    otlp_status(OTLP_PROTOBUF, 3, "\xff", NULL, 0, &out);
    assert_memory_equal(out.at + out.len - 3, "\xef\xbf\xbd", 3);
    buf_clear(&out);
    otlp_status(OTLP_JSON, 3, "\xff", "\xfe", 0, &out);
    assert_non_null(memmem(out.at, out.len, "\xef\xbf\xbd", 3));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(says_nothing_on_full_success, setup, teardown),
        cmocka_unit_test_setup_teardown(names_rejected_spans, setup, teardown),
        cmocka_unit_test(names_rejected_log_records),
        cmocka_unit_test_setup_teardown(writes_the_bytes_of_the_protocol, setup, teardown),
        cmocka_unit_test_setup_teardown(warns_without_rejecting, setup, teardown),
        cmocka_unit_test_setup_teardown(warns_of_times_in_another_unit, setup, teardown),
        cmocka_unit_test_setup_teardown(bounds_the_message, setup, teardown),
        cmocka_unit_test_setup_teardown(writes_a_plain_status, setup, teardown),
        cmocka_unit_test_setup_teardown(names_the_field_and_when_to_come_again, setup, teardown),
        cmocka_unit_test_setup_teardown(repairs_texts_that_are_no_utf8, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
