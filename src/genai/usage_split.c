/*
 * Takes numbers of usage apart into disjoint kinds.
 *
 * Two questions: does input include cached tokens, does output include reasoning? Each answer is
 * one of two, so there are four sums that the sent total may be. What the numbers rule out comes
 * first, then a total that is only reached by adding, then the dialect's habit, then a total that is
 * plain input + output: that one proves little, because several libraries compute the total
 * themselves from whatever they call input. Last comes the convention: all inside.
 */
#include "genai/usage.h"

/* As the questions need them. */
struct sides {
    int64_t input;
    int64_t cached; /* read and written */
    int64_t output;
    int64_t reasoning;
    bool no_cache_inside;  /* ruled out by the numbers */
    bool no_cache_outside; /* likewise */
    bool no_reasoning_inside;
    bool no_reasoning_outside;
    bool matches[2][2]; /* [cache outside][reasoning outside]: that sum is the total */
    bool uncached_decides;
};

const char *usage_field_name(enum usage_field field)
{
    static const char *const names[USAGE_FIELD_COUNT] = {
#define X(id, name) [USAGE_##id] = (name),
        USAGE_FIELDS(X)
#undef X
    };

    return names[field];
}

/* Cache writes: the whole, else its two parts. */
static int64_t cache_writes(const struct usage_numbers *n)
{
    return usage_given(n, USAGE_CACHE_WRITE)
               ? n->of[USAGE_CACHE_WRITE]
               : n->of[USAGE_CACHE_WRITE_5M] + n->of[USAGE_CACHE_WRITE_1H];
}

/* Input where it was not sent itself: what is left of it, or of the total. */
static void missing_input(const struct usage_numbers *n, struct sides *s, unsigned *oddities)
{
    const int64_t total = n->of[USAGE_TOTAL];

    if (usage_given(n, USAGE_INPUT))
        return;
    if (usage_given(n, USAGE_UNCACHED_INPUT)) {
        s->input = n->of[USAGE_UNCACHED_INPUT];
        s->no_cache_inside = true;
        s->uncached_decides = true;
    } else if (usage_given(n, USAGE_TEXT_INPUT)) {
        s->input = n->of[USAGE_TEXT_INPUT] + n->of[USAGE_AUDIO_INPUT] + n->of[USAGE_IMAGE_INPUT];
    } else if (usage_given(n, USAGE_OUTPUT) && total - s->output > s->cached) {
        s->input = total - s->output;
        *oddities |= USAGE_OUTPUT_DERIVED;
    }
}

static void missing_output(const struct usage_numbers *n, struct sides *s, unsigned *oddities)
{
    const int64_t total = n->of[USAGE_TOTAL];

    if (usage_given(n, USAGE_OUTPUT))
        return;
    if (usage_given(n, USAGE_TEXT_OUTPUT)) {
        s->output =
            n->of[USAGE_TEXT_OUTPUT] + n->of[USAGE_AUDIO_OUTPUT] + n->of[USAGE_IMAGE_OUTPUT];
        s->no_reasoning_inside = true;
    } else if (usage_given(n, USAGE_INPUT) && total > s->input && s->cached <= s->input &&
               total - s->input >= s->reasoning) {
        s->output = total - s->input;
        *oddities |= USAGE_OUTPUT_DERIVED;
    }
}

/* Parts that were sent beside their whole say which of the two it is. */
static void rule_out(const struct usage_numbers *n, struct sides *s)
{
    const int64_t uncached = n->of[USAGE_UNCACHED_INPUT];
    const int64_t text =
        n->of[USAGE_TEXT_OUTPUT] + n->of[USAGE_AUDIO_OUTPUT] + n->of[USAGE_IMAGE_OUTPUT];

    if (s->cached > s->input)
        s->no_cache_inside = true;
    if (s->reasoning > s->output)
        s->no_reasoning_inside = true;
    if (usage_given(n, USAGE_UNCACHED_INPUT) && usage_given(n, USAGE_INPUT) && s->cached > 0) {
        s->no_cache_inside |= uncached == s->input;
        s->no_cache_outside |= uncached == s->input - s->cached && s->cached <= s->input;
        s->uncached_decides = s->no_cache_inside || s->no_cache_outside;
    }
    if (usage_given(n, USAGE_TEXT_OUTPUT) && usage_given(n, USAGE_OUTPUT) && s->reasoning > 0) {
        s->no_reasoning_inside |= text == s->output;
        s->no_reasoning_outside |= text + s->reasoning == s->output;
    }
}

static void compare_total(const struct usage_numbers *n, struct sides *s)
{
    const int64_t extra = n->of[USAGE_EXTRA_INPUT] + n->of[USAGE_EXTRA_OUTPUT];

    if (!usage_given(n, USAGE_TOTAL))
        return;
    for (int c = 0; c < 2; c++)
        for (int r = 0; r < 2; r++) {
            const bool possible = !(c ? s->no_cache_outside : s->no_cache_inside) &&
                                  !(r ? s->no_reasoning_outside : s->no_reasoning_inside) &&
                                  (!c || s->cached > 0) && (!r || s->reasoning > 0);
            const int64_t sum = s->input + (c ? s->cached : 0) + s->output + (r ? s->reasoning : 0);

            s->matches[c][r] =
                possible && (sum == n->of[USAGE_TOTAL] || sum + extra == n->of[USAGE_TOTAL]);
        }
}

static bool is_outside(enum usage_rule rule)
{
    return rule == USAGE_RULE_CACHE_EXCEEDS_INPUT || rule == USAGE_RULE_TOTAL_EXCLUSIVE ||
           rule == USAGE_RULE_DIALECT_EXCLUSIVE || rule == USAGE_RULE_REASONING_OUTSIDE;
}

static enum usage_rule decide_cache(const struct sides *s, enum usage_habit habit,
                                    bool *out_outside)
{
    const bool with = s->matches[1][0] || s->matches[1][1];
    const bool without = s->matches[0][0] || s->matches[0][1];
    enum usage_rule rule = USAGE_RULE_DEFAULT_INCLUSIVE;

    *out_outside = false;
    if (s->cached == 0)
        return USAGE_RULE_PLAIN;
    if (s->uncached_decides) {
        *out_outside = s->no_cache_inside;
        return USAGE_RULE_UNCACHED_SENT;
    }
    if (s->no_cache_inside)
        rule = USAGE_RULE_CACHE_EXCEEDS_INPUT;
    else if (with && (!without || habit != USAGE_HABIT_INSIDE))
        rule = USAGE_RULE_TOTAL_EXCLUSIVE;
    else if (habit == USAGE_HABIT_OUTSIDE)
        rule = USAGE_RULE_DIALECT_EXCLUSIVE;
    else if (habit == USAGE_HABIT_INSIDE)
        rule = USAGE_RULE_DIALECT_INCLUSIVE;
    else if (without)
        rule = USAGE_RULE_TOTAL_INCLUSIVE;
    *out_outside = is_outside(rule);
    return rule;
}

static enum usage_rule decide_reasoning(const struct sides *s, enum usage_habit habit,
                                        bool cache_outside)
{
    const int c = cache_outside;
    const bool with = s->matches[c][1] || s->matches[0][1];
    const bool without = s->matches[c][0] || s->matches[0][0];

    if (s->reasoning == 0)
        return USAGE_RULE_PLAIN;
    if (s->no_reasoning_inside)
        return USAGE_RULE_REASONING_OUTSIDE;
    if (s->no_reasoning_outside)
        return USAGE_RULE_TOTAL_INCLUSIVE;
    if (with && (!without || habit == USAGE_HABIT_OUTSIDE))
        return USAGE_RULE_REASONING_OUTSIDE;
    /* Unlike with cached tokens, nobody is known to send reasoning outside and a total without. */
    if (without && !with)
        return USAGE_RULE_TOTAL_INCLUSIVE;
    if (habit == USAGE_HABIT_OUTSIDE)
        return USAGE_RULE_REASONING_OUTSIDE;
    if (habit == USAGE_HABIT_INSIDE)
        return USAGE_RULE_DIALECT_INCLUSIVE;
    return without ? USAGE_RULE_TOTAL_INCLUSIVE : USAGE_RULE_DEFAULT_INCLUSIVE;
}

/* 5 minutes and 1 hour: only where they make the whole. Requests of several model iterations
 * report a partial split. */
static void split_writes(const struct usage_numbers *n, int64_t *tokens, unsigned *oddities)
{
    const int64_t whole = cache_writes(n);
    const int64_t short_lived = n->of[USAGE_CACHE_WRITE_5M];
    const int64_t long_lived = n->of[USAGE_CACHE_WRITE_1H];
    const bool both = usage_given(n, USAGE_CACHE_WRITE_5M) && usage_given(n, USAGE_CACHE_WRITE_1H);
    const bool fits = both ? short_lived + long_lived == whole : long_lived <= whole;

    if (!fits || short_lived > whole)
        *oddities |= USAGE_SPLIT_PARTIAL;
    tokens[TOKEN_CACHE_WRITE_1H] = fits ? long_lived : 0;
    tokens[TOKEN_CACHE_WRITE] = whole - tokens[TOKEN_CACHE_WRITE_1H];
}

/* Takes from *part what *rest lacks, at most `most`: cached audio is in both audio and cached. */
static void overlap(int64_t *part, int64_t *rest, int64_t most, unsigned *oddities)
{
    int64_t shared = -*rest;

    if (shared <= 0)
        return;
    if (shared > most)
        shared = most;
    if (shared > *part)
        shared = *part;
    *part -= shared;
    *rest += shared;
    if (shared > 0)
        *oddities |= USAGE_OVERLAP;
}

/* The part of audio or image input that was not cached. */
static int64_t uncached_part(const struct usage_numbers *n, enum usage_field part,
                             enum usage_field cached, unsigned *oddities)
{
    const int64_t whole = n->of[part];
    const int64_t shared = n->of[cached];

    if (shared <= whole && shared <= n->of[USAGE_CACHE_READ])
        return whole - shared;
    *oddities |= USAGE_PART_EXCEEDS;
    return whole;
}

/* uncached: input without cached tokens, audio and images in it unless they are outside. */
static void split_input(const struct usage_numbers *n, int64_t uncached, bool outside,
                        struct token_usage *usage, unsigned *oddities)
{
    const int64_t all_audio = uncached_part(n, USAGE_AUDIO_INPUT, USAGE_AUDIO_CACHE_READ, oddities);
    const int64_t all_image = uncached_part(n, USAGE_IMAGE_INPUT, USAGE_IMAGE_CACHE_READ, oddities);
    int64_t audio = all_audio;
    int64_t image = all_image;
    int64_t text = outside ? uncached : uncached - audio - image;

    if (text < 0 && !usage_given(n, USAGE_AUDIO_CACHE_READ))
        overlap(&audio, &text, n->of[USAGE_CACHE_READ], oddities);
    if (text < 0 && !usage_given(n, USAGE_IMAGE_CACHE_READ))
        overlap(&image, &text, n->of[USAGE_CACHE_READ] - (all_audio - audio), oddities);
    if (text < 0) {
        *oddities = (*oddities | USAGE_PART_EXCEEDS) & ~(unsigned)USAGE_OVERLAP;
        text = uncached;
        audio = all_audio;
        image = all_image;
    }
    usage->tokens[TOKEN_INPUT] = text + n->of[USAGE_EXTRA_INPUT];
    usage->tokens[TOKEN_AUDIO_INPUT] = audio;
    usage->tokens[TOKEN_IMAGE] = image;
    usage->cached_audio = n->of[USAGE_AUDIO_INPUT] - audio;
}

/* visible: output without reasoning. */
static void split_output(const struct usage_numbers *n, int64_t visible, bool outside,
                         struct token_usage *usage, unsigned *oddities)
{
    const int64_t audio = n->of[USAGE_AUDIO_OUTPUT];
    const int64_t image = n->of[USAGE_IMAGE_OUTPUT];
    int64_t text = outside ? visible : visible - audio - image;

    if (text < 0) {
        *oddities |= USAGE_PART_EXCEEDS;
        text = visible;
    }
    usage->tokens[TOKEN_OUTPUT] = text + n->of[USAGE_EXTRA_OUTPUT];
    usage->tokens[TOKEN_AUDIO_OUTPUT] = audio;
    usage->tokens[TOKEN_IMAGE] += image;
    usage->image_output = image;
}

static int64_t sum_of(const int64_t *tokens)
{
    int64_t sum = 0;

    for (int kind = 0; kind < TOKEN_KIND_COUNT; kind++)
        sum += tokens[kind];
    return sum;
}

static void split_all(const struct usage_numbers *n, struct usage_habits habits,
                      struct usage_split *split)
{
    struct sides s = {.input = n->of[USAGE_INPUT],
                      .cached = n->of[USAGE_CACHE_READ] + cache_writes(n),
                      .output = n->of[USAGE_OUTPUT],
                      .reasoning = n->of[USAGE_REASONING]};
    int64_t *tokens = split->usage.tokens;
    bool cache_outside = true;
    bool reasoning_outside = true;

    if (habits.disjoint) {
        split->usage.rule = split->reasoning = USAGE_RULE_DISJOINT;
    } else {
        missing_input(n, &s, &split->oddities);
        missing_output(n, &s, &split->oddities);
        rule_out(n, &s);
        compare_total(n, &s);
        split->usage.rule = decide_cache(&s, habits.cache, &cache_outside);
        split->reasoning = decide_reasoning(&s, habits.reasoning, cache_outside);
        reasoning_outside = is_outside(split->reasoning);
    }
    split_writes(n, tokens, &split->oddities);
    tokens[TOKEN_CACHE_READ] = n->of[USAGE_CACHE_READ];
    tokens[TOKEN_REASONING] = s.reasoning;
    split_input(n, s.input - (cache_outside ? 0 : s.cached), habits.disjoint, &split->usage,
                &split->oddities);
    split_output(n, s.output - (reasoning_outside ? 0 : s.reasoning), habits.disjoint,
                 &split->usage, &split->oddities);
    if (split->usage.rule == USAGE_RULE_PLAIN)
        split->usage.rule = split->reasoning;
    if (split->oddities & USAGE_PART_EXCEEDS)
        split->usage.rule = USAGE_RULE_PART_EXCEEDS;
}

void usage_split(const struct usage_numbers *numbers, struct usage_habits habits,
                 struct usage_split *out_split)
{
    const uint32_t only_total = UINT32_C(1) << USAGE_TOTAL;
    struct token_usage *usage = &out_split->usage;

    *out_split = (struct usage_split){.reasoning = USAGE_RULE_PLAIN};
    if (numbers->given == 0)
        return;
    usage->sent = true;
    if (numbers->given == only_total) {
        usage->rule = USAGE_RULE_TOTAL_ONLY;
        usage->total = numbers->of[USAGE_TOTAL];
        return;
    }
    split_all(numbers, habits, out_split);
    usage->total = sum_of(usage->tokens);
    if (usage_given(numbers, USAGE_TOTAL) && usage->total != numbers->of[USAGE_TOTAL])
        out_split->oddities |= USAGE_TOTAL_DIFFERS;
}
