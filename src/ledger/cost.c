/* Usage times rates. */
#include "ledger/cost.h"

/* An amount, and whether a rate was known for any of it. */
struct sum {
    int64_t total;
    bool priced;
    bool overflow;
};

static int64_t first_known(int64_t a, int64_t b, int64_t c)
{
    return a != COST_UNKNOWN ? a : b != COST_UNKNOWN ? b : c;
}

static int64_t rate_of(const struct rates *r, enum token_kind kind)
{
    const int64_t *of = r->of;

    switch (kind) {
    case TOKEN_CACHE_WRITE_1H:
        return first_known(of[kind], of[TOKEN_CACHE_WRITE], of[TOKEN_INPUT]);
    case TOKEN_CACHE_READ:
    case TOKEN_CACHE_WRITE:
    case TOKEN_AUDIO_INPUT:
    case TOKEN_IMAGE:
    case TOKEN_INPUT:
        return first_known(of[kind], of[TOKEN_INPUT], COST_UNKNOWN);
    case TOKEN_REASONING:
    case TOKEN_AUDIO_OUTPUT:
    case TOKEN_OUTPUT:
        return first_known(of[kind], of[TOKEN_OUTPUT], COST_UNKNOWN);
    case TOKEN_KIND_COUNT:
        break;
    }
    return COST_UNKNOWN;
}

/* Adds tokens at a rate; the part's amount goes to *amount too. */
static void charge(struct sum *sum, int64_t *amount, int64_t tokens, int64_t rate)
{
    if (tokens <= 0 || rate == COST_UNKNOWN)
        return;
    int64_t cost;

    sum->priced = true;
    if (__builtin_mul_overflow(tokens, rate, &cost) ||
        __builtin_add_overflow(sum->total, cost, &sum->total))
        sum->overflow = true;
    else
        *amount += cost; /* a part of the total */
}

static int64_t within(int64_t value, int64_t most)
{
    return value < 0 ? 0 : value > most ? most : value;
}

static void charge_kinds(struct sum *sum, const struct token_usage *usage, const struct rates *r,
                         struct cost *cost)
{
    const int64_t *tokens = usage->tokens;
    const int64_t cached_audio = within(usage->cached_audio, tokens[TOKEN_CACHE_READ]);
    const int64_t images_out = within(usage->image_output, tokens[TOKEN_IMAGE]);

    for (unsigned i = 0; i < TOKEN_KIND_COUNT; i++) {
        const enum token_kind kind = (enum token_kind)i;
        const int64_t apart = kind == TOKEN_CACHE_READ ? cached_audio
                              : kind == TOKEN_IMAGE    ? images_out
                                                       : 0;

        charge(sum, &cost->by_kind[kind], tokens[kind] - apart, rate_of(r, kind));
    }
    charge(
        sum, &cost->by_kind[TOKEN_CACHE_READ], cached_audio,
        first_known(r->audio_cache_read, r->of[TOKEN_AUDIO_INPUT], rate_of(r, TOKEN_CACHE_READ)));
    charge(sum, &cost->by_kind[TOKEN_IMAGE], images_out,
           first_known(r->image_output, r->of[TOKEN_OUTPUT], COST_UNKNOWN));
}

static bool has_any_rate(const struct rates *r)
{
    for (unsigned i = 0; i < TOKEN_KIND_COUNT; i++)
        if (r->of[i] != COST_UNKNOWN)
            return true;
    return false;
}

/* Only a total: known where all tokens have one price, as those of embeddings and free models. */
static void charge_total(struct sum *sum, int64_t total, const struct rates *r, struct cost *cost)
{
    if (r->of[TOKEN_OUTPUT] == COST_UNKNOWN || r->of[TOKEN_OUTPUT] == r->of[TOKEN_INPUT])
        charge(sum, &cost->by_kind[TOKEN_INPUT], total, r->of[TOKEN_INPUT]);
}

static int64_t known_tokens(const struct token_usage *usage)
{
    int64_t most = 0;

    for (unsigned i = 0; i < TOKEN_KIND_COUNT; i++)
        most |= usage->tokens[i];
    return most;
}

/* False: the cost is not known; by_kind then holds leavings. */
static bool compute(const struct token_usage *usage, const struct price *price, struct cost *cost)
{
    struct sum sum = {0};
    const bool any = known_tokens(usage) != 0;

    if (any)
        charge_kinds(&sum, usage, &price->rates, cost);
    else if (usage->total > 0)
        charge_total(&sum, usage->total, &price->rates, cost);
    if (!sum.priced && (any || usage->total > 0 || !has_any_rate(&price->rates)))
        return false;
    charge(&sum, &cost->request, 1, price->rates.request);
    if (sum.overflow)
        return false;
    cost->computed = sum.total;
    cost->price_id = price->id;
    return true;
}

/* All input, which chooses the tier; a sum beyond int64 is above every tier. */
static int64_t input_tokens(const struct token_usage *usage)
{
    static const enum token_kind kinds[] = {TOKEN_INPUT,       TOKEN_CACHE_READ,
                                            TOKEN_CACHE_WRITE, TOKEN_CACHE_WRITE_1H,
                                            TOKEN_AUDIO_INPUT, TOKEN_IMAGE};
    int64_t sum = -within(usage->image_output, usage->tokens[TOKEN_IMAGE]);

    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (__builtin_add_overflow(sum, usage->tokens[kinds[i]], &sum))
            return INT64_MAX;
    return sum;
}

static void set_total(struct cost *cost, enum cost_preference preference)
{
    const bool computed = cost->computed != COST_UNKNOWN;
    const bool reported = cost->reported != COST_UNKNOWN;
    const bool prefer_reported = preference == COST_PREFER_REPORTED;

    if (computed && !(prefer_reported && reported)) {
        cost->total = cost->computed;
        cost->source = COST_SOURCE_COMPUTED;
    } else if (reported) {
        cost->total = cost->reported;
        cost->source = COST_SOURCE_REPORTED;
    }
}

bool cost_preference_named(const char *name, enum cost_preference *out_preference)
{
    const bool reported = strcmp(name, "reported") == 0;

    if (!reported && strcmp(name, "computed") != 0)
        return false;
    *out_preference = reported ? COST_PREFER_REPORTED : COST_PREFER_COMPUTED;
    return true;
}

/* LiteLLM's request names the model that was really asked, its response the alias. */
static bool is_litellm(struct bytes provider)
{
    return provider.len >= 7 && bytes_is_nocase((struct bytes){provider.at, 7}, "litellm");
}

void cost_fill(struct meaning *meaning, struct prices *prices, int32_t tenant_id, int64_t start_ns,
               struct bytes host, enum cost_preference preference)
{
    const bool reversed = is_litellm(meaning->provider);
    const struct cost unknown = {
        .total = COST_UNKNOWN,
        .computed = COST_UNKNOWN,
        .reported = meaning->reported_cost,
    };
    const struct price_question question = {
        .tenant_id = tenant_id,
        .provider = meaning->provider,
        .model = reversed ? meaning->request_model : meaning->model,
        .request_model = reversed ? meaning->model : meaning->request_model,
        .host = host,
        .start_ns = start_ns,
        .input_tokens = input_tokens(&meaning->usage),
        .flags = meaning->flags,
    };
    struct price price;

    meaning->cost = unknown;
    /* Beside a number that is none, the others would pass a part of the cost off as the whole. */
    if (meaning->usage.sent && meaning->usage.rule != USAGE_RULE_ODD &&
        (question.model.len > 0 || question.request_model.len > 0) &&
        prices_find(prices, &question, &price) && !compute(&meaning->usage, &price, &meaning->cost))
        meaning->cost = unknown;
    set_total(&meaning->cost, preference);
}
