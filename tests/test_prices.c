/* The embedded price list: matching and cost, to the last digit. */
#include <inttypes.h>
#include <stdio.h>

#include "test.h"

#include "base/clock.h"
#include "ledger/cost.h"
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
    if (m.cost.price_id != 0 && prices_by_id(list, m.cost.price_id, &price))
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_case_costs_what_it_should_to_the_last_digit),
        cmocka_unit_test(agrees_with_the_calculator_of_the_list_itself),
    };

    return cmocka_run_group_tests(tests, make_list, drop_list);
}
