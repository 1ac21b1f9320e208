/* The embedded price list and own prices on it, to the last digit. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "test.h"

#include "base/clock.h"
#include "ledger/cost.h"
#include "ledger/price_list.h"
#include "support/price_case.h"

static struct prices *list;

static int make_list(void **state)
{
    struct err err = {0};

    (void)state;
    if (!prices_embedded(&list, &err))
        fail_msg("%s", err.text);
    return 0;
}

static int drop_list(void **state)
{
    (void)state;
    prices_unref(list);
    return 0;
}

/* What is written into spanledger.price before a list is used, by its id. */
static bool kept_price(const struct prices *from, uint64_t id, struct price *out_price)
{
    for (size_t i = 0; prices_at(from, i, out_price); i++)
        if (out_price->id == id)
            return true;
    return false;
}

struct verdict {
    size_t wrong;
};

/* Prints what is wrong, so that one run shows all of it. */
static void check_case(const struct price_case *c, void *context)
{
    struct verdict *verdict = context;
    struct meaning m;
    struct price price = {0};
    int64_t start_ns = 0;
    char got[256] = "";

    price_case_meaning(c, &m, &start_ns);
    cost_fill(&m, list, 1, start_ns, (struct bytes){0}, COST_PREFER_COMPUTED);
    if (m.cost.price_id != 0 && kept_price(list, m.cost.price_id, &price))
        (void)snprintf(got, sizeof(got), "%.*s", (int)price.name.len, (const char *)price.name.at);
    const int64_t want = c->cost.len > 0 ? price_case_pico(c->cost) : COST_UNKNOWN;
    if (m.cost.computed == want && bytes_is(c->row, got))
        return;
    print_message("line %zu: %.*s %.*s: want %.*s %" PRId64 ", got %s %" PRId64 " (%.*s)\n",
                  c->line, (int)c->provider.len, (const char *)c->provider.at, (int)c->model.len,
                  (const char *)c->model.at, (int)c->row.len, (const char *)c->row.at, want, got,
                  m.cost.computed, (int)c->note.len, (const char *)c->note.at);
    verdict->wrong++;
}

static void every_case_costs_what_it_should_to_the_last_digit(void **state)
{
    struct verdict verdict = {0};

    (void)state;
    assert_int_equal(price_case_each("price_cases.tsv", check_case, &verdict), 42);
    assert_int_equal(verdict.wrong, 0);
}

static void agrees_with_the_calculator_of_the_list_itself(void **state)
{
    struct verdict verdict = {0};

    (void)state;
    assert_true(price_case_each("price_answers.tsv", check_case, &verdict) > 300);
    assert_int_equal(verdict.wrong, 0);
}

static struct bytes text_of(const char *text)
{
    return text ? bytes_of(text) : (struct bytes){0};
}

static void other_prices_of_a_model_have_other_ids(void **state)
{
    struct price_question q = {.provider = text_of("deepseek"), .model = text_of("deepseek-chat")};
    struct price day = {0};
    struct price night = {0};
    struct price again = {0};

    (void)state;
    q.start_ns = INT64_C(1790856000) * NS_PER_S; /* 12:00 */
    assert_true(prices_find(list, &q, &day));
    q.start_ns += 8 * INT64_C(3600) * NS_PER_S;
    assert_true(prices_find(list, &q, &night));
    assert_int_not_equal(day.id, night.id);
    assert_true(kept_price(list, night.id, &again));
    assert_memory_equal(&again, &night, sizeof(again));
    assert_false(kept_price(list, 12345, &again));
    assert_true(bytes_is(prices_version(list), "genai-prices 0.1.8"));
    assert_true(bytes_is(prices_provider(list, text_of("Bedrock_Converse")), "aws"));
    assert_int_equal(prices_provider(list, text_of("langchain")).len, 0);
}

/* ---- own prices ---- */

static struct rates two_rates(int64_t input, int64_t output)
{
    struct rates rates = price_no_rates();

    rates.of[TOKEN_INPUT] = input;
    rates.of[TOKEN_OUTPUT] = output;
    return rates;
}

#define DAY(n) ((n)*S_PER_DAY * NS_PER_S)

static const struct asked {
    const char *why;
    int32_t tenant_id;
    const char *provider;
    const char *model;
    int64_t start_ns;
    int64_t input_tokens;
    int64_t input_rate; /* COST_UNKNOWN: no price */
} asked[] = {
    {"an own price wins over the list", 1, "openai", "gpt-4o", DAY(100), 0, 11},
    {"from its date on, until the next", 1, "openai", "gpt-4o", DAY(200), 0, 12},
    {"the moment before", 1, "openai", "gpt-4o", DAY(200) - 1, 0, 11},
    {"before the first one the list", 1, "openai", "gpt-4o", DAY(99), 0, 2500000},
    {"the list's other spellings of the model", 1, "openai", "gpt-4o-2024-08-06", DAY(100), 0, 11},
    {"not another row of the list", 1, "openai", "gpt-4o-2024-05-13", DAY(100), 0, 5000000},
    {"not the same model at another provider", 1, "azure", "gpt-4o", DAY(100), 0, 2500000},
    {"a tenant's wins over everyone's", 7, "openai", "gpt-4o", DAY(150), 0, 13},
    {"before it everyone's", 7, "openai", "gpt-4o", DAY(149), 0, 11},
    {"any provider, any case", 1, "acme", "Local-Model", DAY(1), 0, 14},
    {"any provider, none sent", 1, "", "local-model", DAY(1), 0, 14},
    {"without its date", 1, "ollama", "local-model-2026-01-01", DAY(1), 0, 14},
    {"an alias in the file, another on the span", 1, "azure.ai.openai", "prod", DAY(1), 0, 15},
    {"a model on one's own machine", 1, "hosted_vllm", "hosted_vllm/Qwen/Qwen2.5", DAY(1), 0, 16},
    {"up to the tier", 1, "openai", "tiered", DAY(1), 1000, 17},
    {"above the tier", 1, "openai", "tiered", DAY(1), 1001, 18},
    {"nobody's price", 1, "openai", "unheard-of", DAY(1), 0, COST_UNKNOWN},
    {"another tenant's price", 1, "openai", "secret", DAY(1), 0, COST_UNKNOWN},
};

static struct prices *with_own(void)
{
    const struct own_price rows[] = {
        {0, text_of("openai"), text_of("gpt-4o"), DAY(200), two_rates(12, 1), 0, price_no_rates(),
         text_of("o")},
        {0, text_of("openai"), text_of("GPT-4o"), DAY(100), two_rates(11, 1), 0, price_no_rates(),
         text_of("o")},
        {7, text_of("openai"), text_of("gpt-4o"), DAY(150), two_rates(13, 1), 0, price_no_rates(),
         text_of("t")},
        {0, {0}, text_of("local-model"), 0, two_rates(14, 1), 0, price_no_rates(), text_of("o")},
        {0, text_of("azure_openai"), text_of("prod"), 0, two_rates(15, 1), 0, price_no_rates(),
         text_of("o")},
        {0, {0}, text_of("qwen/qwen2.5"), 0, two_rates(16, 1), 0, price_no_rates(), text_of("o")},
        {0, text_of("openai"), text_of("tiered"), 0, two_rates(17, 1), 1000, two_rates(18, 2),
         text_of("o")},
        {7, text_of("openai"), text_of("secret"), 0, two_rates(19, 1), 0, price_no_rates(),
         text_of("t")},
    };
    struct prices *own = NULL;
    struct err err = {0};

    if (!prices_with_own(list, rows, sizeof(rows) / sizeof(rows[0]), &own, &err))
        fail_msg("%s", err.text);
    return own;
}

static void own_prices_win_from_their_date_on(void **state)
{
    struct prices *own = with_own();

    (void)state;
    for (size_t i = 0; i < 2 * sizeof(asked) / sizeof(asked[0]); i++) {
        /* The second round is answered from memory. */
        const struct asked *c = &asked[i % (sizeof(asked) / sizeof(asked[0]))];
        const struct price_question q = {
            .tenant_id = c->tenant_id,
            .provider = text_of(c->provider),
            .model = text_of(c->model),
            .start_ns = c->start_ns,
            .input_tokens = c->input_tokens,
        };
        struct price price = {.rates = price_no_rates()};
        struct price again = {0};

        if (prices_find(own, &q, &price) != (c->input_rate != COST_UNKNOWN) ||
            price.rates.of[TOKEN_INPUT] != c->input_rate)
            fail_msg("%s: %" PRId64, c->why, price.rates.of[TOKEN_INPUT]);
        if (price.id != 0) {
            assert_true(kept_price(own, price.id, &again));
            assert_memory_equal(&again, &price, sizeof(again));
        }
    }
    size_t count = 0;
    size_t own_rows = 0;
    for (struct price price; prices_at(own, count, &price); count++) {
        own_rows += bytes_is(price.source, "o") || bytes_is(price.source, "t");
    }
    assert_int_equal(own_rows, 2 * 8);
    assert_true(count > 1700);
    prices_unref(own);
}

/* ---- threads ---- */

static void *ask_much(void *arg)
{
    struct prices_slot *slot = arg;
    size_t *wrong = calloc(1, sizeof(*wrong));

    for (size_t round = 0; wrong && round < 300; round++) {
        struct prices *prices = prices_slot_get(slot);

        for (size_t i = 0; i < sizeof(asked) / sizeof(asked[0]); i++) {
            char model[64];
            struct price_question q = {
                .tenant_id = asked[i].tenant_id,
                .provider = text_of(asked[i].provider),
                .model = text_of(asked[i].model),
                .start_ns = asked[i].start_ns,
                .input_tokens = asked[i].input_tokens,
            };
            struct price price = {.rates = price_no_rates()};

            (void)prices_find(prices, &q, &price);
            *wrong += price.rates.of[TOKEN_INPUT] != asked[i].input_rate;
            /* Names without end push the others out of the memory. */
            (void)snprintf(model, sizeof(model), "gpt-4o-mini-x%zu-%zu", round, i);
            q.model = bytes_of(model);
            (void)prices_find(prices, &q, &price);
        }
        prices_unref(prices);
    }
    return wrong;
}

static void threads_share_a_list_that_is_replaced_under_them(void **state)
{
    struct prices_slot slot;
    pthread_t threads[3];

    (void)state;
    prices_slot_init(&slot, with_own());
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, ask_much, &slot), 0);
    for (size_t i = 0; i < 20; i++)
        prices_slot_put(&slot, with_own());
    for (size_t i = 0; i < 3; i++) {
        void *wrong = NULL;

        assert_int_equal(pthread_join(threads[i], &wrong), 0);
        assert_non_null(wrong);
        assert_int_equal(*(size_t *)wrong, 0);
        free(wrong);
    }
    prices_slot_done(&slot);
}

/* ---- the list's text ---- */

static const struct text {
    const char *why;
    const char *list;
    const char *overlay;
    const char *reason;
} texts[] = {
    {"cut short", "list\tx\t2026-01-01\nprovider\ta\nmodel\tm\nprice\tinput=1\n", "",
     "line 4: the list has no end"},
    {"other numbers", "provider\ta\nmodel\tm\nprice\tinput=1\nend\t1\t2\n", "", "line 4: other"},
    {"a model without a price", "provider\ta\nmodel\tm\nend\t1\t1\n", "", "has no price"},
    {"a word that nobody knows", "proviter\ta\n", "", "line 1: an unknown word"},
    {"a price without a model", "price\tinput=1\n", "", "line 1: too few words, or out of place"},
    {"seven decimals", "provider\ta\nmodel\tm\nprice\tinput=0.0000001\n", "", "line 3: no name"},
    {"no rate of that name", "provider\ta\nmodel\tm\nprice\tinptu=1\n", "", "line 3: no name"},
    {"half a rule", "provider\ta\nmodel\tm\nis\t=\n", "", "line 3: too few"},
    {"a rule of no kind", "provider\ta\nmodel\tm\nis\t%\tx\n", "", "line 3: no kind of rule"},
    {"an alias of nobody", "end\t0\t0\n", "alias\tnobody\tx\n", "line 1: no provider of the list"},
    {"a service without a factor", "provider\ta\nend\t1\t0\n", "service\ta\tbatch\ts\t0.5\t=\tx\n",
     "line 1: no service, or no factor"},
};

static void refuses_a_list_with_a_fault_and_names_its_line(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct err err = {0};
        struct prices *out = NULL;

        if (prices_new(bytes_of(texts[i].list), bytes_of(texts[i].overlay), &out, &err) || out ||
            !strstr(err.text, texts[i].reason))
            fail_msg("%s: %s", texts[i].why, err.text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_case_costs_what_it_should_to_the_last_digit),
        cmocka_unit_test(agrees_with_the_calculator_of_the_list_itself),
        cmocka_unit_test(other_prices_of_a_model_have_other_ids),
        cmocka_unit_test(own_prices_win_from_their_date_on),
        cmocka_unit_test(threads_share_a_list_that_is_replaced_under_them),
        cmocka_unit_test(refuses_a_list_with_a_fault_and_names_its_line),
    };

    return cmocka_run_group_tests(tests, make_list, drop_list);
}
