/* Cost of a span: every way in which it is known or is not. */
#include <inttypes.h>

#include "test.h"

#include "base/clock.h"
#include "ledger/cost.h"

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

static struct bytes text_of(const char *text)
{
    return text ? bytes_of(text) : (struct bytes){0};
}

#define MOST INT64_MAX

static const struct costed {
    const char *why;
    const char *provider;
    const char *model;
    unsigned flags;
    struct token_usage usage;
    int64_t reported;
    enum cost_preference preference;
    int64_t computed;
    int64_t total;
    enum cost_source source;
} costs[] = {
    {"no usage, no cost: not even a fee per request",
     "perplexity",
     "sonar",
     0,
     {0},
     COST_UNKNOWN,
     COST_PREFER_COMPUTED,
     COST_UNKNOWN,
     COST_UNKNOWN,
     COST_SOURCE_NONE},
    {"no tokens, but said so: the fee",
     "perplexity",
     "sonar",
     0,
     {.sent = true},
     COST_UNKNOWN,
     COST_PREFER_COMPUTED,
     INT64_C(12000000000),
     INT64_C(12000000000),
     COST_SOURCE_COMPUTED},
    {"unknown model: what was reported",
     "openai",
     "nothing-we-know",
     0,
     {.sent = true, .tokens = {1000}, .total = 1000},
     77,
     COST_PREFER_COMPUTED,
     COST_UNKNOWN,
     77,
     COST_SOURCE_REPORTED},
    {"both known: computed",
     "openai",
     "gpt-4o",
     0,
     {.sent = true, .tokens = {1}, .total = 1},
     77,
     COST_PREFER_COMPUTED,
     2500000,
     2500000,
     COST_SOURCE_COMPUTED},
    {"both known, reported preferred",
     "openai",
     "gpt-4o",
     0,
     {.sent = true, .tokens = {1}, .total = 1},
     77,
     COST_PREFER_REPORTED,
     2500000,
     77,
     COST_SOURCE_REPORTED},
    {"nothing reported, reported preferred",
     "openai",
     "gpt-4o",
     0,
     {.sent = true, .tokens = {1}, .total = 1},
     COST_UNKNOWN,
     COST_PREFER_REPORTED,
     2500000,
     2500000,
     COST_SOURCE_COMPUTED},
    {"unknown model, reported preferred: what was reported",
     "openai",
     "nothing-we-know",
     0,
     {.sent = true, .tokens = {1000}, .total = 1000},
     77,
     COST_PREFER_REPORTED,
     COST_UNKNOWN,
     77,
     COST_SOURCE_REPORTED},
    {"nothing known, reported preferred: unknown",
     "openai",
     "nothing-we-know",
     0,
     {.sent = true, .tokens = {1000}, .total = 1000},
     COST_UNKNOWN,
     COST_PREFER_REPORTED,
     COST_UNKNOWN,
     COST_UNKNOWN,
     COST_SOURCE_NONE},
    {"reported as free, reported preferred: 0 is an amount",
     "openai",
     "gpt-4o",
     0,
     {.sent = true, .tokens = {1}, .total = 1},
     0,
     COST_PREFER_REPORTED,
     2500000,
     0,
     COST_SOURCE_REPORTED},
    {"free is 0 and known",
     "openrouter",
     "deepseek/deepseek-chat:free",
     0,
     {.sent = true, .tokens = {1000, [TOKEN_OUTPUT] = 7}, .total = 1007},
     COST_UNKNOWN,
     COST_PREFER_COMPUTED,
     0,
     0,
     COST_SOURCE_COMPUTED},
    {"only a total, kinds cost differently",
     "openai",
     "gpt-4o",
     0,
     {.sent = true, .total = 500},
     COST_UNKNOWN,
     COST_PREFER_COMPUTED,
     COST_UNKNOWN,
     COST_UNKNOWN,
     COST_SOURCE_NONE},
    {"only a total, an embedding has only input",
     "openai",
     "text-embedding-3-small",
     0,
     {.sent = true, .total = 500},
     COST_UNKNOWN,
     COST_PREFER_COMPUTED,
     10000000,
     10000000,
     COST_SOURCE_COMPUTED},
    {"output of an embedding costs nothing",
     "openai",
     "text-embedding-3-small",
     0,
     {.sent = true, .tokens = {500, [TOKEN_OUTPUT] = 3}, .total = 503},
     COST_UNKNOWN,
     COST_PREFER_COMPUTED,
     10000000,
     10000000,
     COST_SOURCE_COMPUTED},
    {"a model that is paid by the hour",
     "openai",
     "whisper-1",
     0,
     {.sent = true, .tokens = {500}, .total = 500},
     COST_UNKNOWN,
     COST_PREFER_COMPUTED,
     COST_UNKNOWN,
     COST_UNKNOWN,
     COST_SOURCE_NONE},
    {"one kind is beyond int64",
     "openai",
     "gpt-4o",
     0,
     {.sent = true, .tokens = {MOST}, .total = MOST},
     COST_UNKNOWN,
     COST_PREFER_COMPUTED,
     COST_UNKNOWN,
     COST_UNKNOWN,
     COST_SOURCE_NONE},
    {"the sum is beyond int64, each kind is not",
     "openai",
     "gpt-4o",
     0,
     {.sent = true,
      .tokens = {INT64_C(3000000000000), [TOKEN_OUTPUT] = INT64_C(900000000000)},
      .total = INT64_C(3900000000000)},
     55,
     COST_PREFER_COMPUTED,
     COST_UNKNOWN,
     55,
     COST_SOURCE_REPORTED},
    {"an hour's write falls back to a write",
     "openai",
     "gpt-5.6-terra",
     0,
     {.sent = true, .tokens = {[TOKEN_CACHE_WRITE_1H] = 1000}, .total = 1000},
     COST_UNKNOWN,
     COST_PREFER_COMPUTED,
     INT64_C(2500000000),
     INT64_C(2500000000),
     COST_SOURCE_COMPUTED},
    {"cached audio has a rate of its own",
     "openai",
     "gpt-4o-mini-realtime-preview",
     0,
     {.sent = true, .tokens = {[TOKEN_CACHE_READ] = 10}, .cached_audio = 4, .total = 10},
     COST_UNKNOWN,
     COST_PREFER_COMPUTED,
     3000000,
     3000000,
     COST_SOURCE_COMPUTED},
    {"images in and out",
     "openai",
     "gpt-image-1.5",
     0,
     {.sent = true, .tokens = {[TOKEN_IMAGE] = 10}, .image_output = 4, .total = 10},
     COST_UNKNOWN,
     COST_PREFER_COMPUTED,
     6 * 8000000 + 4 * 32000000,
     6 * 8000000 + 4 * 32000000,
     COST_SOURCE_COMPUTED},
    {"batch is half",
     "openai",
     "gpt-4o",
     MEANING_BATCH,
     {.sent = true, .tokens = {2, [TOKEN_OUTPUT] = 2}, .total = 4},
     COST_UNKNOWN,
     COST_PREFER_COMPUTED,
     12500000,
     12500000,
     COST_SOURCE_COMPUTED},
    {"flex is half",
     "openai",
     "gpt-5-mini",
     MEANING_FLEX,
     {.sent = true, .tokens = {2}, .total = 2},
     COST_UNKNOWN,
     COST_PREFER_COMPUTED,
     250000,
     250000,
     COST_SOURCE_COMPUTED},
    {"priority is dearer",
     "openai",
     "gpt-4o-mini",
     MEANING_PRIORITY,
     {.sent = true, .tokens = {4}, .total = 4},
     COST_UNKNOWN,
     COST_PREFER_COMPUTED,
     1000000,
     1000000,
     COST_SOURCE_COMPUTED},
    {"a tier that the overlay does not know costs what the list says",
     "groq",
     "llama-3.3-70b-versatile",
     MEANING_FLEX,
     {.sent = true, .tokens = {1}, .total = 1},
     COST_UNKNOWN,
     COST_PREFER_COMPUTED,
     590000,
     590000,
     COST_SOURCE_COMPUTED},
    {"audio rates that the list lacks",
     "openai",
     "gpt-4o-audio-preview",
     0,
     {.sent = true, .tokens = {[TOKEN_AUDIO_INPUT] = 1}, .total = 1},
     COST_UNKNOWN,
     COST_PREFER_COMPUTED,
     40000000,
     40000000,
     COST_SOURCE_COMPUTED},
};

static void costs_are_exact_known_or_unknown(void **state)
{
    size_t wrong = 0;

    (void)state;
    for (size_t i = 0; i < sizeof(costs) / sizeof(costs[0]); i++) {
        const struct costed *c = &costs[i];
        struct meaning m = {
            .provider = text_of(c->provider),
            .model = text_of(c->model),
            .flags = c->flags,
            .usage = c->usage,
            .reported_cost = c->reported,
        };
        int64_t parts = 0;

        cost_fill(&m, list, 1, INT64_C(1790856000) * NS_PER_S, (struct bytes){0}, c->preference);
        for (size_t k = 0; k < TOKEN_KIND_COUNT; k++)
            parts += m.cost.by_kind[k];
        parts += m.cost.request;
        if (m.cost.computed == c->computed && m.cost.total == c->total &&
            m.cost.source == c->source && m.cost.reported == c->reported &&
            (m.cost.price_id != 0) == (c->computed != COST_UNKNOWN) &&
            parts == (c->computed == COST_UNKNOWN ? 0 : c->computed))
            continue;
        print_message("%s: computed %" PRId64 ", want %" PRId64 "; total %" PRId64 ", want %" PRId64
                      "; source %d, parts %" PRId64 "\n",
                      c->why, m.cost.computed, c->computed, m.cost.total, c->total,
                      (int)m.cost.source, parts);
        wrong++;
    }
    assert_int_equal(wrong, 0);
}

static void a_preference_is_one_of_two_words(void **state)
{
    enum cost_preference preference = COST_PREFER_REPORTED;

    (void)state;
    assert_true(cost_preference_named("computed", &preference));
    assert_int_equal(preference, COST_PREFER_COMPUTED);
    assert_true(cost_preference_named("reported", &preference));
    assert_int_equal(preference, COST_PREFER_REPORTED);
    assert_false(cost_preference_named("", &preference));
    assert_false(cost_preference_named("Reported", &preference));
    assert_false(cost_preference_named("reported ", &preference));
    assert_int_equal(preference, COST_PREFER_REPORTED);
}

static void litellm_names_the_real_model_in_the_request(void **state)
{
    struct meaning m = {
        .provider = text_of("litellm"),
        .model = text_of("gpt-4o"),
        .request_model = text_of("azure/gpt-4o-mini"),
        .usage = {.sent = true, .tokens = {1000000}, .total = 1000000},
        .reported_cost = COST_UNKNOWN,
    };

    (void)state;
    cost_fill(&m, list, 1, INT64_C(1790856000) * NS_PER_S, (struct bytes){0}, COST_PREFER_COMPUTED);
    assert_int_equal(m.cost.computed, INT64_C(150000000000));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(costs_are_exact_known_or_unknown),
        cmocka_unit_test(a_preference_is_one_of_two_words),
        cmocka_unit_test(litellm_names_the_real_model_in_the_request),
    };

    return cmocka_run_group_tests(tests, make_list, drop_list);
}
