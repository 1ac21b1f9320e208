/* Taking inclusive counts apart. */
#include "test.h"

#include <stdio.h>

#include "genai/usage.h"

enum { I = USAGE_INPUT, O = USAGE_OUTPUT, T = USAGE_TOTAL };

#define END (-1)

struct number {
    int field; /* enum usage_field, END behind the last */
    int64_t count;
};

static const struct {
    const char *why;
    struct number sent[9];
    struct usage_habits habits;
    enum usage_rule rule;
    int64_t want[TOKEN_KIND_COUNT]; /* as enum token_kind */
    unsigned oddities;
} rows[] = {
    {"nothing is cached: plain",
     {{I, 1200}, {O, 150}, {END, 0}},
     {0, 0, false},
     USAGE_RULE_PLAIN,
     {1200, 0, 0, 0, 150},
     0},
    {"the convention: cache in input, reasoning in output",
     {{I, 1200}, {O, 150}, {USAGE_CACHE_READ, 1024}, {USAGE_REASONING, 64}, {END, 0}},
     {0, 0, false},
     USAGE_RULE_DEFAULT_INCLUSIVE,
     {176, 1024, 0, 0, 86, 64},
     0},
    {"input and output make the total",
     {{I, 1200}, {O, 150}, {T, 1350}, {USAGE_CACHE_READ, 1024}, {USAGE_REASONING, 64}, {END, 0}},
     {0, 0, false},
     USAGE_RULE_TOTAL_INCLUSIVE,
     {176, 1024, 0, 0, 86, 64},
     0},
    {"Anthropic raw: more cached than input (price-cases: 5 + 128955 + 1253)",
     {{I, 5}, {O, 250}, {USAGE_CACHE_READ, 128955}, {USAGE_CACHE_WRITE, 1253}, {END, 0}},
     {USAGE_HABIT_INSIDE, 0, false},
     USAGE_RULE_CACHE_EXCEEDS_INPUT,
     {5, 128955, 1253, 0, 250},
     0},
    {"only the total shows that cache is outside",
     {{I, 2000}, {O, 150}, {T, 3174}, {USAGE_CACHE_READ, 1024}, {END, 0}},
     {USAGE_HABIT_INSIDE, 0, false},
     USAGE_RULE_TOTAL_EXCLUSIVE,
     {2000, 1024, 0, 0, 150},
     0},
    {"a total made by the library from exclusive input proves nothing (OpenLIT, Strands)",
     {{I, 2000}, {O, 150}, {T, 2150}, {USAGE_CACHE_READ, 1024}, {END, 0}},
     {USAGE_HABIT_OUTSIDE, 0, false},
     USAGE_RULE_DIALECT_EXCLUSIVE,
     {2000, 1024, 0, 0, 150},
     USAGE_TOTAL_DIFFERS},
    {"the dialect says inside",
     {{I, 1400}, {O, 150}, {USAGE_CACHE_READ, 1024}, {USAGE_CACHE_WRITE, 200}, {END, 0}},
     {USAGE_HABIT_INSIDE, USAGE_HABIT_INSIDE, false},
     USAGE_RULE_DIALECT_INCLUSIVE,
     {176, 1024, 200, 0, 150},
     0},
    {"xAI raw: more reasoning than output (price-cases: 190 + 1057)",
     {{I, 555}, {O, 190}, {USAGE_CACHE_READ, 316}, {USAGE_REASONING, 1057}, {END, 0}},
     {0, 0, false},
     USAGE_RULE_DEFAULT_INCLUSIVE,
     {239, 316, 0, 0, 190, 1057},
     0},
    {"the total shows that reasoning is outside (Gemini: candidates and thoughts)",
     {{I, 1200}, {O, 86}, {T, 1350}, {USAGE_CACHE_READ, 1024}, {USAGE_REASONING, 64}, {END, 0}},
     {0, 0, false},
     USAGE_RULE_TOTAL_INCLUSIVE,
     {176, 1024, 0, 0, 86, 64},
     0},
    {"both outside, by the total",
     {{I, 2000}, {O, 86}, {T, 3174}, {USAGE_CACHE_READ, 1024}, {USAGE_REASONING, 64}, {END, 0}},
     {0, 0, false},
     USAGE_RULE_TOTAL_EXCLUSIVE,
     {2000, 1024, 0, 0, 86, 64},
     0},
    {"cache outside, reasoning inside, by the total",
     {{I, 2000}, {O, 150}, {T, 3174}, {USAGE_CACHE_READ, 1024}, {USAGE_REASONING, 64}, {END, 0}},
     {0, 0, false},
     USAGE_RULE_TOTAL_EXCLUSIVE,
     {2000, 1024, 0, 0, 86, 64},
     0},
    {"the dialect says that reasoning is outside",
     {{I, 1200}, {O, 86}, {USAGE_REASONING, 64}, {END, 0}},
     {USAGE_HABIT_INSIDE, USAGE_HABIT_OUTSIDE, false},
     USAGE_RULE_REASONING_OUTSIDE,
     {1200, 0, 0, 0, 86, 64},
     0},
    {"reasoning alone is inside by convention",
     {{I, 100}, {O, 2000}, {USAGE_REASONING, 1800}, {END, 0}},
     {0, 0, false},
     USAGE_RULE_DEFAULT_INCLUSIVE,
     {100, 0, 0, 0, 200, 1800},
     0},
    {"cached as much as reasoning: the dialect decides what the total added",
     {{I, 500}, {O, 200}, {T, 764}, {USAGE_CACHE_READ, 64}, {USAGE_REASONING, 64}, {END, 0}},
     {USAGE_HABIT_INSIDE, USAGE_HABIT_OUTSIDE, false},
     USAGE_RULE_DIALECT_INCLUSIVE,
     {436, 64, 0, 0, 200, 64},
     0},
    {"uncached input beside input: inside",
     {{I, 1200}, {O, 150}, {USAGE_UNCACHED_INPUT, 176}, {USAGE_CACHE_READ, 1024}, {END, 0}},
     {USAGE_HABIT_OUTSIDE, 0, false},
     USAGE_RULE_UNCACHED_SENT,
     {176, 1024, 0, 0, 150},
     0},
    {"uncached input equal to input: outside",
     {{I, 1500}, {O, 150}, {USAGE_UNCACHED_INPUT, 1500}, {USAGE_CACHE_READ, 1024}, {END, 0}},
     {USAGE_HABIT_INSIDE, USAGE_HABIT_INSIDE, false},
     USAGE_RULE_UNCACHED_SENT,
     {1500, 1024, 0, 0, 150},
     0},
    {"uncached input instead of input (DeepSeek: miss and hit)",
     {{USAGE_UNCACHED_INPUT, 176}, {USAGE_CACHE_READ, 1024}, {O, 150}, {END, 0}},
     {0, 0, false},
     USAGE_RULE_UNCACHED_SENT,
     {176, 1024, 0, 0, 150},
     0},
    {"uncached input that fits nothing decides nothing",
     {{I, 1200}, {O, 150}, {USAGE_UNCACHED_INPUT, 3}, {USAGE_CACHE_READ, 1024}, {END, 0}},
     {0, 0, false},
     USAGE_RULE_DEFAULT_INCLUSIVE,
     {176, 1024, 0, 0, 150},
     0},
    {"text output beside output: reasoning inside",
     {{I, 10}, {O, 150}, {USAGE_TEXT_OUTPUT, 86}, {USAGE_REASONING, 64}, {END, 0}},
     {USAGE_HABIT_INSIDE, USAGE_HABIT_OUTSIDE, false},
     USAGE_RULE_TOTAL_INCLUSIVE,
     {10, 0, 0, 0, 86, 64},
     0},
    {"text output instead of output (steps of AI SDK 7)",
     {{USAGE_UNCACHED_INPUT, 176}, {USAGE_TEXT_OUTPUT, 86}, {USAGE_REASONING, 64}, {END, 0}},
     {0, 0, false},
     USAGE_RULE_REASONING_OUTSIDE,
     {176, 0, 0, 0, 86, 64},
     0},
    {"only a total", {{T, 1350}, {END, 0}}, {0, 0, false}, USAGE_RULE_TOTAL_ONLY, {0}, 0},
    {"input and total: the rest is output",
     {{I, 1200}, {T, 1350}, {USAGE_REASONING, 64}, {END, 0}},
     {0, 0, false},
     USAGE_RULE_TOTAL_INCLUSIVE,
     {1200, 0, 0, 0, 86, 64},
     USAGE_OUTPUT_DERIVED},
    {"an embedding: input is the total",
     {{I, 8}, {T, 8}, {END, 0}},
     {0, 0, false},
     USAGE_RULE_PLAIN,
     {8},
     0},
    {"output and total: the rest is input",
     {{O, 150}, {T, 1350}, {USAGE_CACHE_READ, 1024}, {END, 0}},
     {0, 0, false},
     USAGE_RULE_TOTAL_INCLUSIVE,
     {176, 1024, 0, 0, 150},
     USAGE_OUTPUT_DERIVED},
    {"a total that fits nothing is noted",
     {{I, 100}, {O, 50}, {T, 999}, {END, 0}},
     {0, 0, false},
     USAGE_RULE_PLAIN,
     {100, 0, 0, 0, 50},
     USAGE_TOTAL_DIFFERS},
    {"zeros (LiteLLM on a stream without usage)",
     {{I, 0}, {O, 0}, {T, 0}, {END, 0}},
     {0, 0, false},
     USAGE_RULE_PLAIN,
     {0},
     0},
    {"cache writes of one hour apart",
     {{I, 20000},
      {O, 1000},
      {USAGE_CACHE_READ, 10000},
      {USAGE_CACHE_WRITE, 8000},
      {USAGE_CACHE_WRITE_1H, 3000},
      {END, 0}},
     {0, 0, false},
     USAGE_RULE_DEFAULT_INCLUSIVE,
     {2000, 10000, 5000, 3000, 1000},
     0},
    {"both parts make the whole",
     {{I, 1400},
      {O, 150},
      {USAGE_CACHE_READ, 1024},
      {USAGE_CACHE_WRITE, 200},
      {USAGE_CACHE_WRITE_5M, 150},
      {USAGE_CACHE_WRITE_1H, 50},
      {END, 0}},
     {0, 0, false},
     USAGE_RULE_DEFAULT_INCLUSIVE,
     {176, 1024, 150, 50, 150},
     0},
    {"a partial split: all for five minutes",
     {{I, 1400},
      {O, 150},
      {USAGE_CACHE_READ, 1024},
      {USAGE_CACHE_WRITE, 200},
      {USAGE_CACHE_WRITE_5M, 50},
      {USAGE_CACHE_WRITE_1H, 50},
      {END, 0}},
     {0, 0, false},
     USAGE_RULE_DEFAULT_INCLUSIVE,
     {176, 1024, 200, 0, 150},
     USAGE_SPLIT_PARTIAL},
    {"one hour alone, more than the whole",
     {{I, 1400}, {O, 150}, {USAGE_CACHE_WRITE, 200}, {USAGE_CACHE_WRITE_1H, 300}, {END, 0}},
     {0, 0, false},
     USAGE_RULE_DEFAULT_INCLUSIVE,
     {1200, 0, 200, 0, 150},
     USAGE_SPLIT_PARTIAL},
    {"the parts without a whole",
     {{I, 1400}, {O, 150}, {USAGE_CACHE_WRITE_5M, 150}, {USAGE_CACHE_WRITE_1H, 50}, {END, 0}},
     {0, 0, false},
     USAGE_RULE_DEFAULT_INCLUSIVE,
     {1200, 0, 150, 50, 150},
     0},
    {"audio is part of both sides (price-cases: realtime)",
     {{I, 1500}, {O, 900}, {USAGE_AUDIO_INPUT, 1200}, {USAGE_AUDIO_OUTPUT, 700}, {END, 0}},
     {0, 0, false},
     USAGE_RULE_PLAIN,
     {300, 0, 0, 0, 200, 0, 1200, 700},
     0},
    {"cached audio is in audio and in cached",
     {{I, 1000},
      {O, 10},
      {USAGE_CACHE_READ, 400},
      {USAGE_AUDIO_INPUT, 500},
      {USAGE_AUDIO_CACHE_READ, 300},
      {END, 0}},
     {0, 0, false},
     USAGE_RULE_DEFAULT_INCLUSIVE,
     {400, 400, 0, 0, 10, 0, 200, 0},
     0},
    {"cached audio that was not sent shows in the sum",
     {{I, 1000}, {O, 10}, {USAGE_CACHE_READ, 800}, {USAGE_AUDIO_INPUT, 500}, {END, 0}},
     {0, 0, false},
     USAGE_RULE_DEFAULT_INCLUSIVE,
     {0, 800, 0, 0, 10, 0, 200, 0},
     USAGE_OVERLAP},
    {"images of both sides are a kind of their own",
     {{I, 1000}, {O, 300}, {USAGE_IMAGE_INPUT, 600}, {USAGE_IMAGE_OUTPUT, 200}, {END, 0}},
     {0, 0, false},
     USAGE_RULE_PLAIN,
     {400, 0, 0, 0, 100, 0, 0, 0, 800},
     0},
    {"more audio than input: counted beside it",
     {{I, 100}, {O, 10}, {USAGE_AUDIO_INPUT, 500}, {END, 0}},
     {0, 0, false},
     USAGE_RULE_PART_EXCEEDS,
     {100, 0, 0, 0, 10, 0, 500, 0},
     USAGE_PART_EXCEEDS},
    {"more audio than output: counted beside it",
     {{I, 100}, {O, 10}, {USAGE_AUDIO_OUTPUT, 50}, {END, 0}},
     {0, 0, false},
     USAGE_RULE_PART_EXCEEDS,
     {100, 0, 0, 0, 10, 0, 0, 50},
     USAGE_PART_EXCEEDS},
    {"more cached audio than audio: not believed",
     {{I, 100},
      {O, 10},
      {USAGE_CACHE_READ, 50},
      {USAGE_AUDIO_INPUT, 20},
      {USAGE_AUDIO_CACHE_READ, 30},
      {END, 0}},
     {0, 0, false},
     USAGE_RULE_PART_EXCEEDS,
     {30, 50, 0, 0, 10, 0, 20},
     USAGE_PART_EXCEEDS},
    {"Langfuse: buckets, all disjoint",
     {{I, 176},
      {O, 86},
      {USAGE_CACHE_READ, 1024},
      {USAGE_REASONING, 64},
      {USAGE_AUDIO_INPUT, 30},
      {USAGE_AUDIO_OUTPUT, 20},
      {USAGE_IMAGE_INPUT, 7},
      {USAGE_IMAGE_OUTPUT, 9},
      {END, 0}},
     {0, 0, true},
     USAGE_RULE_DISJOINT,
     {176, 1024, 0, 0, 86, 64, 30, 20, 16},
     0},
    {"Langfuse: its total is the sum",
     {{I, 176}, {O, 86}, {T, 1350}, {USAGE_CACHE_READ, 1024}, {USAGE_REASONING, 64}, {END, 0}},
     {0, 0, true},
     USAGE_RULE_DISJOINT,
     {176, 1024, 0, 0, 86, 64},
     0},
    {"compaction comes on top (Anthropic's own spans)",
     {{I, 1400},
      {O, 150},
      {USAGE_CACHE_READ, 1024},
      {USAGE_EXTRA_INPUT, 5000},
      {USAGE_EXTRA_OUTPUT, 300},
      {END, 0}},
     {USAGE_HABIT_INSIDE, USAGE_HABIT_INSIDE, false},
     USAGE_RULE_DIALECT_INCLUSIVE,
     {5376, 1024, 0, 0, 450},
     0},
    {"tool prompts come on top, and in the total (Gemini raw)",
     {{I, 1000}, {O, 86}, {T, 1170}, {USAGE_REASONING, 64}, {USAGE_EXTRA_INPUT, 20}, {END, 0}},
     {0, 0, false},
     USAGE_RULE_REASONING_OUTSIDE,
     {1020, 0, 0, 0, 86, 64},
     0},
    {"cache alone",
     {{USAGE_CACHE_READ, 70}, {END, 0}},
     {0, 0, false},
     USAGE_RULE_CACHE_EXCEEDS_INPUT,
     {0, 70},
     0},
};

static struct usage_numbers numbers_of(const struct number *sent)
{
    struct usage_numbers numbers = {0};

    for (; sent->field != END; sent++)
        usage_put(&numbers, (enum usage_field)sent->field, sent->count);
    return numbers;
}

static void every_sender_is_taken_apart(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct usage_numbers numbers = numbers_of(rows[i].sent);
        struct usage_split got;
        int64_t sum = 0;

        usage_split(&numbers, rows[i].habits, &got);
        for (int k = 0; k < TOKEN_KIND_COUNT; k++) {
            sum += got.usage.tokens[k];
            if (got.usage.tokens[k] != rows[i].want[k])
                fail_msg("%s: %s is %lld, want %lld", rows[i].why,
                         token_kind_name((enum token_kind)k), (long long)got.usage.tokens[k],
                         (long long)rows[i].want[k]);
        }
        if (got.usage.rule != rows[i].rule || got.oddities != rows[i].oddities)
            fail_msg("%s: %s, oddities %x", rows[i].why, usage_rule_name(got.usage.rule),
                     got.oddities);
        assert_true(got.usage.sent);
        if (got.usage.rule == USAGE_RULE_TOTAL_ONLY)
            sum = numbers.of[USAGE_TOTAL];
        assert_int_equal(got.usage.total, sum);
    }
}

static void nothing_sent_is_no_usage(void **state)
{
    const struct usage_numbers numbers = {0};
    struct usage_split got;

    (void)state;
    usage_split(&numbers, (struct usage_habits){0}, &got);
    assert_false(got.usage.sent);
    assert_int_equal(got.usage.rule, USAGE_RULE_NONE);
    assert_int_equal(got.usage.total, 0);
}

static uint64_t seed = 88172645463325252u;

static int64_t below(int64_t most)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (int64_t)(seed % (uint64_t)most);
}

/* What one call used. */
struct truth {
    int64_t kinds[TOKEN_KIND_COUNT];
    int64_t input; /* all of it */
    int64_t output;
    int64_t cached;
};

static struct truth a_truth(void)
{
    static const int64_t sizes[] = {1, 3, 100, 5000, 1000000, USAGE_MOST / 16};
    struct truth t = {0};
    int64_t *k = t.kinds;

    for (int i = 0; i < TOKEN_KIND_COUNT; i++)
        k[i] = below(3) ? below(sizes[below(6)]) : 0;
    t.cached = k[TOKEN_CACHE_READ] + k[TOKEN_CACHE_WRITE] + k[TOKEN_CACHE_WRITE_1H];
    t.input = k[TOKEN_INPUT] + t.cached + k[TOKEN_AUDIO_INPUT] + k[TOKEN_IMAGE];
    t.output = k[TOKEN_OUTPUT] + k[TOKEN_REASONING] + k[TOKEN_AUDIO_OUTPUT];
    return t;
}

static void send_parts(const struct truth *t, struct usage_numbers *n)
{
    const int64_t *k = t->kinds;

    usage_put(n, USAGE_CACHE_READ, k[TOKEN_CACHE_READ]);
    usage_put(n, USAGE_CACHE_WRITE, k[TOKEN_CACHE_WRITE] + k[TOKEN_CACHE_WRITE_1H]);
    usage_put(n, USAGE_CACHE_WRITE_1H, k[TOKEN_CACHE_WRITE_1H]);
    usage_put(n, USAGE_REASONING, k[TOKEN_REASONING]);
    usage_put(n, USAGE_AUDIO_INPUT, k[TOKEN_AUDIO_INPUT]);
    usage_put(n, USAGE_AUDIO_OUTPUT, k[TOKEN_AUDIO_OUTPUT]);
    usage_put(n, USAGE_IMAGE_INPUT, k[TOKEN_IMAGE]);
}

static void assert_truth(const struct truth *t, const struct usage_split *got, const char *who)
{
    for (int i = 0; i < TOKEN_KIND_COUNT; i++)
        if (got->usage.tokens[i] != t->kinds[i])
            fail_msg("%s: %s is %lld, want %lld (%s)", who, token_kind_name((enum token_kind)i),
                     (long long)got->usage.tokens[i], (long long)t->kinds[i],
                     usage_rule_name(got->usage.rule));
}

/* A sender that counts cache (c) or reasoning (r) outside, with the true total, says enough; so
 * does any sender whose habit is known. */
static void truths_come_back_from_every_style(void **state)
{
    (void)state;
    for (int i = 0; i < 200000; i++) {
        const struct truth t = a_truth();
        const bool c = below(2), r = below(2), total = below(2);
        struct usage_numbers n = {0};
        struct usage_split got;
        struct usage_habits habits = {c ? USAGE_HABIT_OUTSIDE : USAGE_HABIT_INSIDE,
                                      r ? USAGE_HABIT_OUTSIDE : USAGE_HABIT_INSIDE, false};

        send_parts(&t, &n);
        usage_put(&n, USAGE_INPUT, t.input - (c ? t.cached : 0));
        usage_put(&n, USAGE_OUTPUT, t.output - (r ? t.kinds[TOKEN_REASONING] : 0));
        if (total)
            usage_put(&n, USAGE_TOTAL, t.input + t.output);
        usage_split(&n, habits, &got);
        assert_truth(&t, &got, "a known habit");
        assert_int_equal(got.oddities, 0);
        /* Without the habit the total decides, unless cached and reasoning are equally many. */
        if (!total || t.cached == t.kinds[TOKEN_REASONING])
            continue;
        usage_split(&n, (struct usage_habits){0}, &got);
        assert_truth(&t, &got, "a total");
    }
}

static void buckets_come_back(void **state)
{
    (void)state;
    for (int i = 0; i < 50000; i++) {
        const struct truth t = a_truth();
        struct usage_numbers n = {0};
        struct usage_split got;

        send_parts(&t, &n);
        usage_put(&n, USAGE_INPUT, t.kinds[TOKEN_INPUT]);
        usage_put(&n, USAGE_OUTPUT, t.kinds[TOKEN_OUTPUT]);
        usage_split(&n, (struct usage_habits){0, 0, true}, &got);
        assert_truth(&t, &got, "buckets");
        assert_int_equal(got.usage.total, t.input + t.output);
    }
}

/* Whatever is sent: no kind is negative, none overflows, the total is their sum. */
static void nonsense_is_never_negative(void **state)
{
    static const int64_t sizes[] = {1, 2, 50, 3000, USAGE_MOST + 1};

    (void)state;
    for (int i = 0; i < 300000; i++) {
        struct usage_numbers n = {0};
        struct usage_split got;
        int64_t sum = 0;
        const struct usage_habits habits = {(enum usage_habit)below(3), (enum usage_habit)below(3),
                                            below(4) == 0};

        for (int f = 0; f < USAGE_FIELD_COUNT; f++)
            if (below(3) == 0)
                usage_put(&n, (enum usage_field)f, below(sizes[below(5)]));
        usage_split(&n, habits, &got);
        for (int k = 0; k < TOKEN_KIND_COUNT; k++) {
            assert_true(got.usage.tokens[k] >= 0 && got.usage.tokens[k] <= 8 * USAGE_MOST);
            sum += got.usage.tokens[k];
        }
        if (got.usage.rule != USAGE_RULE_TOTAL_ONLY)
            assert_int_equal(got.usage.total, sum);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_sender_is_taken_apart),
        cmocka_unit_test(nothing_sent_is_no_usage),
        cmocka_unit_test(truths_come_back_from_every_style),
        cmocka_unit_test(buckets_come_back),
        cmocka_unit_test(nonsense_is_never_negative),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
