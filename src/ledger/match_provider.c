/* Names of providers as senders write them. */
#include "ledger/match_provider.h"

struct bytes match_lower(struct bytes text, uint8_t to[MATCH_MAX_NAME])
{
    while (text.len > 0 && text.at[0] <= ' ')
        text = (struct bytes){text.at + 1, text.len - 1};
    while (text.len > 0 && text.at[text.len - 1] <= ' ')
        text.len--;
    if (text.len > MATCH_MAX_NAME)
        return (struct bytes){0};
    for (size_t i = 0; i < text.len; i++) {
        const uint8_t c = text.at[i];
        to[i] = c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20) : c;
    }
    return (struct bytes){to, text.len};
}

static enum match_provider_kind known_word(const struct price_list *list, struct bytes name,
                                           uint32_t *out_index)
{
    for (uint32_t i = 0; i < list->word_count; i++) {
        const struct price_word *word = &list->words[i];

        if (word->kind > PRICE_UNLISTED || !bytes_equal(word->text, name))
            continue;
        if (word->kind == PRICE_ALIAS)
            *out_index = word->provider;
        return word->kind == PRICE_ALIAS       ? MATCH_PROVIDER_LISTED
               : word->kind == PRICE_FRAMEWORK ? MATCH_PROVIDER_UNKNOWN
                                               : MATCH_PROVIDER_UNLISTED;
    }
    *out_index = price_list_provider(list, name);
    return *out_index == PRICE_NONE ? MATCH_PROVIDER_OTHER : MATCH_PROVIDER_LISTED;
}

/* Whether a suffix for a kind of API was taken off. */
static bool strip_suffix(const struct price_list *list, struct bytes *name)
{
    for (uint32_t i = 0; i < list->word_count; i++) {
        const struct bytes suffix = list->words[i].text;

        if (list->words[i].kind == PRICE_SUFFIX && name->len > suffix.len &&
            memcmp(name->at + name->len - suffix.len, suffix.at, suffix.len) == 0) {
            name->len -= suffix.len;
            return true;
        }
    }
    return false;
}

enum match_provider_kind match_provider(const struct price_list *list, struct bytes name,
                                        uint32_t *out_index)
{
    enum match_provider_kind kind;

    *out_index = PRICE_NONE;
    if (name.len == 0)
        return MATCH_PROVIDER_UNKNOWN;
    do {
        kind = known_word(list, name, out_index);
    } while (kind == MATCH_PROVIDER_OTHER && strip_suffix(list, &name));
    if (kind != MATCH_PROVIDER_OTHER)
        return kind;
    for (uint32_t i = 0; i < list->named_count; i++) {
        if (price_rule_holds(list, &list->named[i], name)) {
            *out_index = list->named[i].stands_for;
            return MATCH_PROVIDER_LISTED;
        }
    }
    return MATCH_PROVIDER_OTHER;
}
