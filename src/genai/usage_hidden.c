/*
 * Usage inside the text of an output: {"id":…,"choices":[…],"usage":{…}}, or its Python repr. Only
 * the usage itself is read: outputs are long, and this happens while spans are stored.
 */
#include "genai/table.h"
#include "genai/usage_accounts.h"

enum {
    MOST_USAGE_BYTES = 4096, /* of an object of usage */
    MOST_TRIES = 16,         /* words "usage" that are looked at */
};

static bool is_letter(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/* The bracketed value at the start of text, whole; empty: it has no end. */
static struct bytes bracketed(struct bytes text)
{
    uint8_t quote = 0;
    int depth = 0;
    size_t at = 0;

    for (; at < text.len && at < MOST_USAGE_BYTES; at++) {
        const uint8_t c = text.at[at];

        if (quote != 0) {
            if (c == '\\')
                at++;
            else if (c == quote)
                quote = 0;
        } else if (c == '"' || c == '\'') {
            quote = c;
        } else if (c == '{' || c == '[' || c == '(') {
            depth++;
        } else if (c == '}' || c == ']' || c == ')') {
            if (--depth == 0)
                return (struct bytes){text.at, at + 1};
        }
    }
    return (struct bytes){NULL, 0};
}

/* What follows the word "usage" that ends at `at`, where it is a member's name: _metadata": {…},
 * =CompletionUsage(…). Empty: it is another word. */
static struct bytes value_behind(struct bytes text, size_t at)
{
    while (at < text.len && is_letter(text.at[at]))
        at++;
    if (at < text.len && (text.at[at] == '"' || text.at[at] == '\''))
        at++;
    while (at < text.len && text.at[at] == ' ')
        at++;
    if (at >= text.len || (text.at[at] != ':' && text.at[at] != '='))
        return (struct bytes){NULL, 0};
    at++;
    while (at < text.len && text.at[at] == ' ')
        at++;
    for (size_t i = at; i < text.len && i < at + 64; i++) {
        if (text.at[i] == '{' || (text.at[i] == '(' && i > at))
            return bracketed((struct bytes){text.at + at, text.len - at});
        if (!is_letter(text.at[i]))
            break;
    }
    return (struct bytes){NULL, 0};
}

/* Of the account at `first` and the one behind it the one that tells more stays. */
static void keep_richer(struct usage_accounts *all, size_t first)
{
    struct usage_account *kept = &all->items[first];

    if (all->count != first + 2)
        return;
    if (__builtin_popcount(kept[1].numbers.given) > __builtin_popcount(kept[0].numbers.given))
        kept[0] = kept[1];
    all->count--;
}

/* Where the last words "usage" of text end, newest first. Outputs are long: memmem passes over them
 * faster than any loop of ours. */
static size_t words_of(struct bytes text, size_t out_ends[MOST_TRIES])
{
    static const char word[] = "usage";
    const uint8_t *at = text.at;
    size_t count = 0;

    while ((at = memmem(at, text.len - (size_t)(at - text.at), word, sizeof(word) - 1)) != NULL) {
        at += sizeof(word) - 1;
        if (count == MOST_TRIES)
            count--; /* the oldest goes */
        memmove(out_ends + 1, out_ends, count * sizeof(out_ends[0]));
        out_ends[0] = (size_t)(at - text.at);
        count++;
    }
    return count;
}

/* Reads the usage that the text holds; of several the one that tells most, of equals the last: a
 * stream's sum stands at its end. */
static void add_from_text(struct usage_accounts *all, const struct finding *finding,
                          struct bytes text)
{
    const size_t first = all->count;
    size_t ends[MOST_TRIES];
    const size_t count = text.len > 0 ? words_of(text, ends) : 0;

    for (size_t i = 0; i < count; i++) {
        const struct bytes found = value_behind(text, ends[i]);
        struct value *value = found.len > 0 ? arena_new(all->f->arena, struct value) : NULL;
        bool truncated;

        if (value == NULL || !genai_parse_text(found, all->f->arena, value, &truncated))
            continue;
        usage_add_object(all, finding, value, USAGE_IN_TOP);
        keep_richer(all, first);
    }
}

/* Whether the accounts leave something open that the provider's own answer may tell. */
static bool is_wanted(const struct usage_accounts *all)
{
    const uint32_t whole = UINT32_C(1) << USAGE_INPUT | UINT32_C(1) << USAGE_OUTPUT;
    const uint32_t cached = UINT32_C(1) << USAGE_CACHE_READ | UINT32_C(1) << USAGE_CACHE_WRITE;
    const uint32_t reasoning = UINT32_C(1) << USAGE_REASONING;
    uint32_t given = 0;

    for (size_t i = 0; i < all->count; i++)
        if (!all->items[i].aggregate)
            given |= all->items[i].numbers.given;
    if (all->meaning->observation == OBSERVATION_LLM)
        return !(given & whole) || !(given & cached) || !(given & reasoning);
    return observation_is_call(all->meaning->observation) && !(given & whole);
}

void usage_collect_hidden(struct usage_accounts *accounts)
{
    struct findings *f = accounts->f;

    for (uint32_t i = f->first[TARGET_USAGE_OBJECT]; i < f->first[TARGET_USAGE_OBJECT + 1]; i++) {
        const struct finding *finding = &f->items[i];

        if (genai_rows[finding->row].how == GENAI_JSON || finding->attribute == NULL ||
            !is_wanted(accounts))
            continue;
        if (finding->attribute->kind == VALUE_STRING)
            add_from_text(accounts, finding, finding->attribute->text);
        else
            usage_add_object(accounts, finding, finding->attribute, USAGE_IN_TOP);
    }
}
