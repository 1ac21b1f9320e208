/*
 * The usage of a span: accounts are taken apart one by one, the best one is chosen, and where
 * another one that agrees with it knows more of a side (AI SDK: ai.usage.* beside gen_ai.usage.*;
 * LiteLLM: its usage object), that side is taken from there. Numbers are never added over accounts.
 *
 * An account with a number that is none is not believed at all: the rest of it, counted and priced,
 * would be passed off as the whole.
 */
#include "genai/tokens.h"

#include "genai/table.h"
#include "genai/tokens_cost.h"
#include "genai/usage_accounts.h"

#define BIT(field) (UINT32_C(1) << (field))

static const uint32_t whole_fields =
    BIT(USAGE_INPUT) | BIT(USAGE_OUTPUT) | BIT(USAGE_TOTAL) | BIT(USAGE_UNCACHED_INPUT);
static const uint32_t output_fields = BIT(USAGE_OUTPUT) | BIT(USAGE_REASONING) |
                                      BIT(USAGE_AUDIO_OUTPUT) | BIT(USAGE_IMAGE_OUTPUT) |
                                      BIT(USAGE_TEXT_OUTPUT) | BIT(USAGE_EXTRA_OUTPUT);

static const uint32_t part_fields = BIT(USAGE_CACHE_READ) | BIT(USAGE_CACHE_WRITE) |
                                    BIT(USAGE_CACHE_WRITE_5M) | BIT(USAGE_CACHE_WRITE_1H) |
                                    BIT(USAGE_REASONING);

/* Which accounts the two sides come from. */
struct choice {
    struct usage_account *whole;
    const struct usage_account *input;
    const struct usage_account *output;
};

static int64_t input_sum(const struct token_usage *u)
{
    const int64_t *t = u->tokens;

    return t[TOKEN_INPUT] + t[TOKEN_CACHE_READ] + t[TOKEN_CACHE_WRITE] + t[TOKEN_CACHE_WRITE_1H] +
           t[TOKEN_AUDIO_INPUT] + t[TOKEN_IMAGE] - u->image_output;
}

static int64_t cached_sum(const struct token_usage *u)
{
    return u->tokens[TOKEN_CACHE_READ] + u->tokens[TOKEN_CACHE_WRITE] +
           u->tokens[TOKEN_CACHE_WRITE_1H];
}

static int64_t output_sum(const struct token_usage *u)
{
    return u->tokens[TOKEN_OUTPUT] + u->tokens[TOKEN_REASONING] + u->tokens[TOKEN_AUDIO_OUTPUT] +
           u->image_output;
}

/* One of them may not know of cached tokens: its input is then all of it, or what was not cached.
 * Or it may not know of what was written to the cache, which is beside the rest. */
static bool input_agrees(const struct token_usage *a, const struct token_usage *b)
{
    const int64_t all_a = input_sum(a);
    const int64_t all_b = input_sum(b);
    const int64_t read_a = a->tokens[TOKEN_CACHE_READ];
    const int64_t read_b = b->tokens[TOKEN_CACHE_READ];

    if (all_a == all_b || (cached_sum(a) == 0 && all_a == all_b - cached_sum(b)) ||
        (cached_sum(b) == 0 && all_b == all_a - cached_sum(a)))
        return true;
    return read_a == read_b && (cached_sum(a) == read_a || cached_sum(b) == read_b) &&
           all_a - cached_sum(a) == all_b - cached_sum(b);
}

static bool output_agrees(const struct token_usage *a, const struct token_usage *b)
{
    const int64_t reasoning_a = a->tokens[TOKEN_REASONING];
    const int64_t reasoning_b = b->tokens[TOKEN_REASONING];

    return output_sum(a) == output_sum(b) ||
           (reasoning_a == 0 && output_sum(a) == output_sum(b) - reasoning_b) ||
           (reasoning_b == 0 && output_sum(b) == output_sum(a) - reasoning_a);
}

/* How many kinds of its side an account knows. */
static int input_wealth(const struct usage_account *account)
{
    const int64_t *t = account->split.usage.tokens;

    return (t[TOKEN_CACHE_READ] > 0) + (t[TOKEN_CACHE_WRITE] > 0) + (t[TOKEN_CACHE_WRITE_1H] > 0) +
           (t[TOKEN_AUDIO_INPUT] > 0) + (t[TOKEN_IMAGE] > account->split.usage.image_output);
}

static int output_wealth(const struct usage_account *account)
{
    const struct token_usage *u = &account->split.usage;

    return (u->tokens[TOKEN_REASONING] > 0) + (u->tokens[TOKEN_AUDIO_OUTPUT] > 0) +
           (u->image_output > 0);
}

/* A total that is none does no harm beside what it is the total of. */
static bool is_sound(const struct usage_account *account)
{
    return (account->odd & ~account->numbers.given & ~BIT(USAGE_TOTAL)) == 0;
}

/* What makes an account the one to believe, before its rank: its own numbers, more than details, none
 * that is odd, more than a total, more than zeros (LiteLLM sends zeros where a stream told nothing). */
static int worth(const struct usage_account *account)
{
    const uint32_t sides = BIT(USAGE_INPUT) | BIT(USAGE_OUTPUT) | BIT(USAGE_UNCACHED_INPUT);

    return (account->aggregate ? 0 : 16) + (account->details_only ? 0 : 8) +
           (is_sound(account) ? 4 : 0) + ((account->numbers.given & sides) != 0 ? 2 : 0) +
           (account->split.usage.total > 0 ? 1 : 0);
}

static struct usage_account *best_account(struct usage_accounts *all)
{
    struct usage_account *best = NULL;

    for (size_t i = 0; i < all->count; i++) {
        struct usage_account *account = &all->items[i];

        if (best == NULL || worth(account) > worth(best) ||
            (worth(account) == worth(best) && account->rank < best->rank))
            best = account;
    }
    return best;
}

static void split_account(const struct usage_accounts *all, struct usage_account *account)
{
    /* Input and output alone need no habits: most spans, and most of the time. */
    const bool thoughts = usage_add_thoughts(all, account);

    if (account->object != NULL || (account->numbers.given & part_fields))
        usage_set_habits(all, account);
    if (thoughts)
        account->habits.reasoning = USAGE_HABIT_OUTSIDE;
    usage_split(&account->numbers, account->habits, &account->split);
}

/* Details without a whole (anthropic.*, openai.*, AI SDK 7's ai.usage.*) belong to the best
 * account: they fill what it lacks. */
static void add_details(const struct usage_accounts *all, struct usage_account *whole)
{
    bool changed = false;

    if (whole->details_only)
        return;
    for (size_t i = 0; i < all->count; i++) {
        const struct usage_account *from = &all->items[i];

        if (!from->details_only || from->aggregate != whole->aggregate)
            continue;
        for (int f = 0; f < USAGE_FIELD_COUNT; f++) {
            const enum usage_field field = (enum usage_field)f;

            if (!usage_given(&from->numbers, field) ||
                (usage_given(&whole->numbers, field) && whole->numbers.of[field] > 0))
                continue;
            usage_put(&whole->numbers, field, from->numbers.of[field]);
            whole->from[field] = from->from[field];
            changed = true;
        }
    }
    if (changed)
        split_account(all, whole);
}

static struct choice choose(struct usage_accounts *all)
{
    struct choice choice = {0};

    for (size_t i = 0; i < all->count; i++)
        all->items[i].details_only = !(all->items[i].numbers.given & whole_fields);
    for (size_t i = 0; i < all->count; i++)
        split_account(all, &all->items[i]);
    choice.whole = best_account(all);
    choice.input = choice.output = choice.whole;
    if (choice.whole == NULL || all->count == 1)
        return choice;
    add_details(all, choice.whole);
    for (size_t i = 0; i < all->count; i++) {
        const struct usage_account *other = &all->items[i];
        const struct token_usage *usage = &choice.whole->split.usage;

        if (other == choice.whole || other->details_only || !is_sound(other) ||
            other->aggregate != choice.whole->aggregate)
            continue;
        if (input_wealth(other) > input_wealth(choice.input) &&
            input_agrees(&other->split.usage, usage))
            choice.input = other;
        if (output_wealth(other) > output_wealth(choice.output) &&
            output_agrees(&other->split.usage, usage))
            choice.output = other;
    }
    return choice;
}

/* Puts the two sides together. */
static void join(const struct choice *choice, struct token_usage *out)
{
    const struct token_usage *output = &choice->output->split.usage;
    static const enum token_kind kinds[] = {TOKEN_OUTPUT, TOKEN_REASONING, TOKEN_AUDIO_OUTPUT};

    *out = choice->input->split.usage;
    if (choice->output == choice->input)
        return;
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        out->tokens[kinds[i]] = output->tokens[kinds[i]];
    out->tokens[TOKEN_IMAGE] += output->image_output - out->image_output;
    out->image_output = output->image_output;
    if (out->rule == USAGE_RULE_PLAIN || input_wealth(choice->input) == 0)
        out->rule = choice->output->split.reasoning;
    out->total = input_sum(out) + output_sum(out);
}

static bool says_true(struct findings *f, enum target target)
{
    struct bytes text;

    return f->first[target] < f->first[target + 1] &&
           finding_text(f, &f->items[f->first[target]], &text) &&
           (bytes_is_nocase(text, "true") || bytes_is(text, "1"));
}

static const char *reason_of(const struct usage_account *account, enum usage_field field)
{
    const struct usage_split *split = &account->split;

    switch (field) {
    case USAGE_TOTAL:
        return split->oddities & USAGE_TOTAL_DIFFERS ? "the kinds add up to another total" : NULL;
    case USAGE_REASONING:
        return usage_rule_text(split->reasoning);
    case USAGE_CACHE_WRITE_5M:
    case USAGE_CACHE_WRITE_1H:
        return split->oddities & USAGE_SPLIT_PARTIAL
                   ? "does not add up to the cache writes: all count as 5 minutes"
                   : NULL;
    case USAGE_AUDIO_INPUT:
    case USAGE_IMAGE_INPUT:
        if (split->oddities & USAGE_OVERLAP)
            return "some of it must have been cached: it is in both";
        break;
    case USAGE_OUTPUT:
    case USAGE_AUDIO_OUTPUT:
    case USAGE_IMAGE_OUTPUT:
    case USAGE_TEXT_OUTPUT:
        return split->oddities & USAGE_PART_EXCEEDS ? usage_rule_text(USAGE_RULE_PART_EXCEEDS)
                                                    : usage_rule_text(split->reasoning);
    case USAGE_EXTRA_INPUT:
    case USAGE_EXTRA_OUTPUT:
        return "never part of the other counts: added";
    case USAGE_INPUT:
    case USAGE_CACHE_READ:
    case USAGE_CACHE_WRITE:
    case USAGE_AUDIO_CACHE_READ:
    case USAGE_IMAGE_CACHE_READ:
    case USAGE_TEXT_INPUT:
    case USAGE_UNCACHED_INPUT:
    case USAGE_FIELD_COUNT:
        break;
    }
    return usage_rule_text(split->usage.rule);
}

/* "/prompt_tokens_details/cached_tokens"; NULL: a flat key. */
static const char *pointer_of(const struct usage_accounts *all, const struct usage_account *account,
                              enum usage_field field)
{
    const struct usage_object *object = account->object;

    if (object == NULL || object->names[field].len == 0)
        return NULL;
    if (object->parents[field].len == 0)
        return arena_printf(all->sources->arena, "/%.*s", (int)object->names[field].len,
                            (const char *)object->names[field].at);
    return arena_printf(all->sources->arena, "/%.*s/%.*s", (int)object->parents[field].len,
                        (const char *)object->parents[field].at, (int)object->names[field].len,
                        (const char *)object->names[field].at);
}

static void note_number(const struct usage_accounts *all, const struct choice *choice,
                        const struct usage_account *account, enum usage_field field)
{
    const struct usage_account *side = output_fields >> field & 1 ? choice->output : choice->input;
    const struct finding *from = account->from[field];
    const char *text =
        arena_printf(all->sources->arena, "%lld", (long long)account->numbers.of[field]);
    struct source source = {.field = usage_field_name(field),
                            .key = from->key,
                            .dialect = finding_dialect(from),
                            .pointer = pointer_of(all, account, field)};

    if (field == USAGE_TOTAL)
        side = choice->whole;
    source.value = bytes_of(text != NULL ? text : "");
    source.used = account == side || side->from[field] == from;
    if (source.used) {
        source.reason = reason_of(side, field);
    } else {
        source.conflict = usage_given(&side->numbers, field) &&
                          side->numbers.of[field] != account->numbers.of[field];
        source.reason = account->aggregate ? "a sum over other spans"
                                           : "told again by another writer of this span";
    }
    sources_add(all->sources, &source);
}

static void note_sources(const struct usage_accounts *all, const struct choice *choice)
{
    for (size_t i = 0; all->sources != NULL && i < all->count; i++) {
        const struct usage_account *account = &all->items[i];

        for (int f = 0; f < USAGE_FIELD_COUNT; f++) {
            const enum usage_field field = (enum usage_field)f;

            if (!usage_given(&account->numbers, field) || account->from[field] == NULL)
                continue;
            note_number(all, choice, account, field);
        }
    }
}

/* The answer of a count_tokens call: about tokens that nobody used. */
static void note_counted(struct findings *f, struct sources *sources)
{
    const uint32_t end = f->first[TARGET_USAGE_COUNTED_TOKENS + 1];

    if (sources == NULL)
        return;
    for (uint32_t i = f->first[TARGET_USAGE_COUNTED_TOKENS]; i < end; i++) {
        const struct finding *finding = &f->items[i];
        struct source source = {.field = "usage.counted",
                                .key = finding->key,
                                .dialect = finding_dialect(finding),
                                .reason = "counted, not used: free"};

        if (genai_text(f, finding->attribute, &source.value))
            sources_add(sources, &source);
    }
}

bool genai_tokens(struct findings *f, struct sources *sources, struct meaning *meaning,
                  struct err *err)
{
    struct usage_accounts all;
    struct choice choice;

    usage_collect(f, sources, meaning, &all);
    usage_collect_hidden(&all);
    choice = choose(&all);
    meaning->usage = (struct token_usage){0};
    if (choice.whole != NULL) {
        join(&choice, &meaning->usage);
        if (!is_sound(choice.whole))
            meaning->usage.rule = USAGE_RULE_ODD;
        if (choice.whole->aggregate) /* by its keys; by its operation: genai_read_observation */
            meaning->flags |= MEANING_AGGREGATE;
        note_sources(&all, &choice);
    }
    note_counted(f, sources);
    if (all.odd)
        meaning->flags |= MEANING_ODD_USAGE;
    if (says_true(f, TARGET_USAGE_ESTIMATED))
        meaning->flags |= MEANING_ESTIMATED;
    if (says_true(f, TARGET_USAGE_REDUNDANT_COPY))
        meaning->flags |= MEANING_COPY;
    genai_tokens_cost(f, sources, meaning);
    return !f->arena->failed ||
           err_set(err, ERR_TOO_LARGE, "the span's usage takes too much memory");
}
