/* Looking things up in the list. */
#include "ledger/price_list.h"

#include <xxhash.h>

#include "base/clock.h"

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

static bool pattern_at_start(struct bytes text, struct bytes pattern)
{
    if (text.len < pattern.len)
        return false;
    for (size_t i = 0; i < pattern.len; i++)
        if (pattern.at[i] == '#' ? !is_digit(text.at[i]) : pattern.at[i] != text.at[i])
            return false;
    return true;
}

static bool term_matches(const struct price_term *term, struct bytes text)
{
    const struct bytes want = term->text;

    switch (term->kind) {
    case PRICE_TERM_WHOLE:
        return bytes_equal(text, want);
    case PRICE_TERM_START:
        return text.len >= want.len && memcmp(text.at, want.at, want.len) == 0;
    case PRICE_TERM_END:
        return text.len >= want.len &&
               memcmp(text.at + text.len - want.len, want.at, want.len) == 0;
    case PRICE_TERM_ANYWHERE:
        return bytes_contains(text, want);
    case PRICE_TERM_PATTERN:
        return text.len == want.len && pattern_at_start(text, want);
    case PRICE_TERM_PATTERN_START:
        return pattern_at_start(text, want);
    }
    return false;
}

bool price_rule_holds(const struct price_list *list, const struct price_rule *rule,
                      struct bytes text)
{
    for (uint32_t i = 0; i < rule->term_count; i++) {
        const struct price_term *term = &list->terms[rule->first_term + i];

        if (term_matches(term, text) == term->negated)
            return false;
    }
    return true;
}

static uint64_t name_hash(uint32_t provider, struct bytes text)
{
    return XXH3_64bits_withSeed(text.at, text.len, provider);
}

void price_list_add_name(struct price_list *list, uint32_t provider, struct bytes text,
                         uint32_t model)
{
    const uint64_t hash = name_hash(provider, text);

    for (size_t i = hash & list->name_mask;; i = (i + 1) & list->name_mask) {
        struct price_slot_name *slot = &list->names[i];

        if (slot->model == PRICE_NONE) {
            *slot = (struct price_slot_name){hash, text, provider, model};
            return;
        }
        /* The first of two models with one name is the one that the order finds. */
        if (slot->hash == hash && slot->provider == provider && bytes_equal(slot->text, text))
            return;
    }
}

uint32_t price_list_whole(const struct price_list *list, uint32_t provider, struct bytes text)
{
    const uint64_t hash = name_hash(provider, text);

    for (size_t i = hash & list->name_mask;; i = (i + 1) & list->name_mask) {
        const struct price_slot_name *slot = &list->names[i];

        if (slot->model == PRICE_NONE)
            return PRICE_NONE;
        if (slot->hash == hash && slot->provider == provider && bytes_equal(slot->text, text))
            return slot->model;
    }
}

uint32_t price_list_provider(const struct price_list *list, struct bytes id)
{
    for (uint32_t i = 0; i < list->provider_count; i++)
        if (bytes_equal(list->providers[i].id, id))
            return i;
    return PRICE_NONE;
}

static bool entry_holds(const struct price_entry *entry, int64_t start_ns)
{
    const int64_t day_ns = S_PER_DAY * NS_PER_S;
    const int64_t in_day_ns = start_ns - clock_day(start_ns) * day_ns;

    if (start_ns < entry->from_ns)
        return false;
    if (entry->daily_from_s < 0)
        return true;
    const bool after = in_day_ns >= entry->daily_from_s * NS_PER_S;
    const bool before = in_day_ns < entry->daily_until_s * NS_PER_S;
    /* Hours that go over midnight end before they begin. */
    return entry->daily_until_s < entry->daily_from_s ? after || before : after && before;
}

const struct price_entry *price_list_entry(const struct price_list *list, uint32_t model,
                                           int64_t start_ns)
{
    const struct price_range range = list->models[model].entries;

    for (uint32_t i = range.count; i-- > 1;)
        if (entry_holds(&list->entries[range.first + i], start_ns))
            return &list->entries[range.first + i];
    return &list->entries[range.first];
}

/* most: bound of the result, so that nothing overflows on the way. */
static bool read_decimal(struct bytes text, size_t digits, int64_t most, int64_t *out_value)
{
    int64_t value = 0;
    size_t decimals = 0;
    bool point = false;
    bool digit = false;

    for (size_t i = 0; i < text.len; i++) {
        if (text.at[i] == '.' && !point && digit) {
            point = true;
            continue;
        }
        if (!is_digit(text.at[i]) || (point && ++decimals > digits) || value > most)
            return false;
        value = value * 10 + (text.at[i] - '0');
        digit = true;
    }
    if (!digit || text.at[text.len - 1] == '.')
        return false;
    for (; decimals < digits && value <= most; decimals++)
        value *= 10;
    if (value > most)
        return false;
    *out_value = value;
    return true;
}

bool price_decimal(struct bytes text, int64_t *out_rate)
{
    return read_decimal(text, 6, PICO_PER_USD, out_rate);
}

bool price_decimal_12(struct bytes text, int64_t *out_rate)
{
    return read_decimal(text, 12, 100000 * PICO_PER_USD, out_rate);
}

const char *price_rate_name(size_t index)
{
    static const char *const more[] = {"audio_cache_read", "image_output", "request"};

    if (index < TOKEN_KIND_COUNT)
        return token_kind_name((enum token_kind)index);
    return index < PRICE_RATE_COUNT ? more[index - TOKEN_KIND_COUNT] : NULL;
}

int64_t *price_rate_at(struct rates *rates, size_t index)
{
    int64_t *const more[] = {&rates->audio_cache_read, &rates->image_output, &rates->request};

    return index < TOKEN_KIND_COUNT ? &rates->of[index] : more[index - TOKEN_KIND_COUNT];
}

struct rates price_no_rates(void)
{
    struct rates rates;

    for (size_t i = 0; i < PRICE_RATE_COUNT; i++)
        *price_rate_at(&rates, i) = COST_UNKNOWN;
    return rates;
}

static uint64_t add_text(uint64_t hash, struct bytes text)
{
    return XXH3_64bits_withSeed(text.at, text.len, hash);
}

uint64_t price_id(struct bytes name, struct bytes provider, struct bytes source,
                  int64_t effective_from_ns, const struct rates *rates)
{
    uint64_t hash = add_text(add_text(add_text(1, name), provider), source);

    hash = add_text(hash, (struct bytes){(const uint8_t *)&effective_from_ns, sizeof(int64_t)});
    hash = add_text(hash, (struct bytes){(const uint8_t *)rates, sizeof(*rates)});
    return hash ? hash : 1;
}

void price_list_free(struct price_list *list)
{
    arena_done(&list->arena);
}
