/* read/amounts, model/spend: tokens and money as JSON. */
#include "read/amounts.h"
#include "test.h"

static void usd_is_exact_without_exponent_and_trailing_zeros(void **state)
{
    static const struct {
        wide_int pico;
        const char *text;
    } cases[] = {
        {0, "\"0\""},
        {1, "\"0.000000000001\""},
        {-1, "\"-0.000000000001\""},
        {PICO_PER_USD, "\"1\""},
        {PICO_PER_USD * 10, "\"10\""},
        {7500000000, "\"0.0075\""},
        {PICO_PER_USD * 12 + 340000000000, "\"12.34\""},
        {INT64_MAX, "\"9223372.036854775807\""},
        {(wide_int)INT64_MAX * 1000000, "\"9223372036854.775807\""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct buf out;
        struct json j;

        buf_init(&out, 1000);
        j = json_into(&out);
        amounts_usd(&j, cases[i].pico);
        if (!bytes_is(buf_bytes(&out), cases[i].text))
            fail_msg("%.*s, want %s", (int)out.len, (const char *)out.at, cases[i].text);
        buf_done(&out);
    }
}

static struct meaning call(void)
{
    struct meaning m = {
        .observation = OBSERVATION_LLM,
        .model = BYTES_CONSTANT("gpt-4o"),
        .usage = {.sent = true, .total = 30},
        .reported_cost = COST_UNKNOWN,
        .cost = {.total = 300,
                 .source = COST_SOURCE_COMPUTED,
                 .computed = 300,
                 .reported = COST_UNKNOWN,
                 .request = 50,
                 .price_id = 5},
    };

    m.usage.tokens[TOKEN_INPUT] = 10;
    m.usage.tokens[TOKEN_REASONING] = 20;
    m.cost.by_kind[TOKEN_INPUT] = 250;
    return m;
}

static void expect_cost(const char *why, const struct stored_span *span, const char *wanted)
{
    struct trace_price items[] = {{.id = 4, .effective_from_ns = INT64_MIN},
                                  {.id = 5,
                                   .name = BYTES_CONSTANT("openai:gpt-4o"),
                                   .source = BYTES_CONSTANT("list"),
                                   .effective_from_ns = INT64_MIN}};
    const struct trace_prices prices = {items, 2};
    struct buf out;
    struct json j;

    buf_init(&out, 1000);
    j = json_into(&out);
    amounts_cost(&j, span, &prices);
    if (!bytes_is(buf_bytes(&out), wanted))
        fail_msg("%s: %.*s, want %s", why, (int)out.len, (const char *)out.at, wanted);
    buf_done(&out);
}

#define PRICE                                                                                      \
    "\"price\":{\"id\":\"openai:gpt-4o\",\"effective_from\":null,\"source\":\"list\","             \
    "\"rates_id\":\"5\"}}"

static void only_what_is_billed_enters_sums(void **state)
{
    struct meaning m = call();
    struct meaning plain = {.observation = OBSERVATION_TOOL, .reported_cost = COST_UNKNOWN};
    struct stored_span span = {.meaning = &m, .billing = {.billable = true}};

    (void)state;
    expect_cost("billed", &span,
                "{\"total_usd\":\"0.0000000003\",\"by_kind\":{\"input\":\"0.00000000025\","
                "\"request\":\"0.00000000005\"},\"source\":\"computed\","
                "\"computed_usd\":\"0.0000000003\",\"reported_usd\":null," PRICE);
    span.billing.billable = false;
    expect_cost("a repeat", &span,
                "{\"total_usd\":\"0\",\"by_kind\":{\"input\":\"0.00000000025\","
                "\"request\":\"0.00000000005\"},\"source\":\"computed\","
                "\"computed_usd\":\"0.0000000003\",\"reported_usd\":null," PRICE);
    span.billing.billable = true;
    m.cost =
        (struct cost){.total = COST_UNKNOWN, .computed = COST_UNKNOWN, .reported = COST_UNKNOWN};
    expect_cost("unknown is not zero", &span,
                "{\"total_usd\":null,\"by_kind\":{},\"source\":null,\"computed_usd\":null,"
                "\"reported_usd\":null,\"price\":null}");
    span.meaning = &plain;
    expect_cost("no call and no usage", &span, "null");
    span.meaning = NULL;
    expect_cost("a span like any other", &span, "null");
}

static void usage_leaves_out_zero_kinds(void **state)
{
    const struct meaning m = call();
    const struct token_usage none = {.sent = false};
    struct buf out;
    struct json j;

    (void)state;
    buf_init(&out, 1000);
    j = json_into(&out);
    amounts_usage(&j, &m.usage);
    assert_true(
        bytes_is(buf_bytes(&out), "{\"input\":10,\"output\":0,\"reasoning\":20,\"total\":30}"));
    buf_clear(&out);
    j = json_into(&out);
    amounts_usage(&j, &none);
    assert_true(bytes_is(buf_bytes(&out), "null"));
    buf_done(&out);
}

static void sums_hold_billable_spans_beyond_int64(void **state)
{
    struct meaning m = call();
    const struct stored_span billed = {.meaning = &m, .billing = {.billable = true}};
    const struct stored_span repeat = {.meaning = &m};
    struct spend spend = {0};
    struct spend twice = {0};
    struct buf out;
    struct json j;

    (void)state;
    m.usage.total = INT64_MAX;
    m.cost.total = INT64_MAX;
    spend_add_span(&spend, &billed);
    spend_add_span(&spend, &billed);
    spend_add_span(&spend, &repeat);
    m.cost.total = COST_UNKNOWN;
    spend_add_span(&spend, &billed);
    spend_add(&twice, &spend);
    assert_true(twice.calls == 3 && twice.unpriced == 1);
    assert_true(twice.cost_total == (wide_int)INT64_MAX * 2);
    buf_init(&out, 1000);
    j = json_into(&out);
    json_open(&j, '{');
    amounts_spend_members(&j, &twice);
    json_close(&j, '}');
    assert_true(memmem(out.at, out.len, "\"total\":27670116110564327421", 28) != NULL);
    assert_true(memmem(out.at, out.len, "\"total_usd\":\"18446744.073709551614\"", 35) != NULL);
    buf_done(&out);
}

static void a_sum_without_any_known_cost_is_unknown(void **state)
{
    (void)state;
    assert_true(spend_is_known(&(struct spend){0}));
    assert_true(spend_is_known(&(struct spend){.calls = 2, .unpriced = 1}));
    assert_false(spend_is_known(&(struct spend){.calls = 2, .unpriced = 2}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(usd_is_exact_without_exponent_and_trailing_zeros),
        cmocka_unit_test(only_what_is_billed_enters_sums),
        cmocka_unit_test(usage_leaves_out_zero_kinds),
        cmocka_unit_test(sums_hold_billable_spans_beyond_int64),
        cmocka_unit_test(a_sum_without_any_known_cost_is_unknown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
