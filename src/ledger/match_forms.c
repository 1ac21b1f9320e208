/* Spellings of a model's name. */
#include "ledger/match_forms.h"

#define MAX_PREFIXES 6

static bool starts(struct bytes text, const char *with)
{
    const size_t len = strlen(with);
    return text.len >= len && memcmp(text.at, with, len) == 0;
}

static bool contains(struct bytes text, const char *what)
{
    return bytes_contains(text, bytes_of(what));
}

static struct bytes from(struct bytes text, size_t at)
{
    return (struct bytes){text.at + at, text.len - at};
}

static struct bytes until(struct bytes text, size_t end)
{
    return (struct bytes){text.at, end};
}

/* Position behind the last `what`; 0: it is not there. */
static size_t behind_last(struct bytes text, const char *what)
{
    const size_t len = strlen(what);

    for (size_t i = text.len; i >= len; i--)
        if (memcmp(text.at + i - len, what, len) == 0)
            return i;
    return 0;
}

static void add(struct match_forms *f, struct bytes text)
{
    if (text.len == 0 || f->count == MATCH_MAX_FORMS)
        return;
    for (uint32_t i = 0; i < f->count; i++)
        if (bytes_equal(f->at[i], text))
            return;
    f->at[f->count++] = text;
}

static void add_hint(struct match_forms *f, uint32_t provider)
{
    if (provider != PRICE_NONE && f->hint_count < MATCH_MAX_HINTS)
        f->hints[f->hint_count++] = provider;
}

/* "us-east-1" between "bedrock/" and the model. */
static bool is_region(struct bytes word)
{
    return word.len >= 9 && word.len <= 16 && word.at[2] == '-' && word.at[word.len - 1] >= '0' &&
           word.at[word.len - 1] <= '9' && word.at[word.len - 2] == '-';
}

static bool is_route(const struct price_list *list, uint32_t provider, struct bytes word)
{
    for (uint32_t i = 0; i < list->word_count; i++)
        if (list->words[i].kind == PRICE_ROUTE && list->words[i].provider == provider &&
            bytes_equal(list->words[i].text, word))
            return true;
    return is_region(word);
}

/* "converse/", "us-east-1/" behind a provider's prefix. */
static struct bytes without_routes(const struct price_list *list, uint32_t provider,
                                   struct bytes text)
{
    for (int i = 0; i < MAX_PREFIXES; i++) {
        const uint8_t *slash = memchr(text.at, '/', text.len);

        if (!slash || !is_route(list, provider, until(text, (size_t)(slash - text.at))))
            break;
        text = from(text, (size_t)(slash - text.at) + 1);
    }
    return text;
}

/* One prefix that names a provider or a framework. False: there is none. */
static bool strip_prefix(const struct price_list *list, struct match_forms *f, struct bytes *text)
{
    size_t end = 0;
    uint32_t provider;

    while (end < text->len && text->at[end] != '/' && text->at[end] != ':')
        end++;
    if (end == 0 || end >= text->len - 1)
        return false;
    const struct bytes prefix = until(*text, end);
    for (uint32_t i = 0;; i++) {
        if (i == list->word_count) {
            provider = price_list_provider(list, prefix);
            if (provider == PRICE_NONE)
                return false;
            break;
        }
        const struct price_word *word = &list->words[i];
        if (word->kind > PRICE_UNLISTED || !bytes_equal(word->text, prefix))
            continue;
        provider = word->provider;
        if (word->kind == PRICE_UNLISTED)
            f->unlisted = prefix;
        break;
    }
    *text = from(*text, end + 1);
    if (provider != PRICE_NONE)
        *text = without_routes(list, provider, *text);
    add_hint(f, provider);
    return f->unlisted.len == 0;
}

/* arn:aws:bedrock:…:inference-profile/MODEL; other resources have ids that say nothing. */
static bool strip_arn(const struct price_list *list, struct match_forms *f, struct bytes *text)
{
    if (!contains(*text, ":inference-profile/") && !contains(*text, ":foundation-model/"))
        return false;
    *text = from(*text, behind_last(*text, "/"));
    add_hint(f, price_list_provider(list, BYTES_LITERAL("aws")));
    return true;
}

/* projects/…/publishers/X/models/MODEL, models/MODEL; endpoints have numbers. */
static bool strip_path(const struct price_list *list, struct match_forms *f, struct bytes *text)
{
    const size_t at = behind_last(*text, "models/");

    if (at == 0)
        return false;
    *text = from(*text, at);
    add_hint(f, price_list_provider(list, BYTES_LITERAL("google")));
    return true;
}

static bool has_bedrock_shape(const struct price_list *list, struct bytes text)
{
    for (int part = 0; part < 2; part++) {
        const uint8_t *dot = memchr(text.at, '.', text.len);
        const size_t len = dot ? (size_t)(dot - text.at) : 0;

        if (!dot || len + 1 == text.len)
            return false;
        for (uint32_t i = 0; i < list->word_count; i++)
            if (list->words[i].kind == PRICE_VENDOR &&
                bytes_equal(list->words[i].text, until(text, len)))
                return true;
        text = from(text, len + 1);
    }
    return false;
}

/* As sent, then without ARN, path and prefixes. False: an id that says nothing. */
static bool add_base_forms(const struct price_list *list, struct match_forms *f, struct bytes text)
{
    add(f, text);
    for (int i = 0; i < MAX_PREFIXES; i++) {
        bool stripped;

        if (starts(text, "arn:")) {
            if (!strip_arn(list, f, &text))
                return false;
            stripped = true;
        } else if (starts(text, "projects/")) {
            if (!strip_path(list, f, &text))
                return false;
            stripped = true;
        } else if (starts(text, "models/") || starts(text, "publishers/")) {
            stripped = strip_path(list, f, &text);
        } else {
            stripped = !starts(text, "ft:") && strip_prefix(list, f, &text);
        }
        add(f, text);
        if (!stripped)
            break;
    }
    f->base_count = f->count;
    for (uint32_t i = 0; i < f->base_count; i++)
        f->bedrock = f->bedrock || has_bedrock_shape(list, f->at[i]);
    return true;
}

static bool all_digits(const uint8_t *at, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (at[i] < '0' || at[i] > '9')
            return false;
    return true;
}

static int two_digits(const uint8_t *at)
{
    return (at[0] - '0') * 10 + (at[1] - '0');
}

/* YYYYMMDD of this century that is a day. */
static bool is_compact_date(const uint8_t *at)
{
    static const uint8_t days[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

    if (!all_digits(at, 8) || at[0] != '2' || at[1] != '0')
        return false;
    const int year = two_digits(at) * 100 + two_digits(at + 2);
    const int month = two_digits(at + 4);
    const int day = two_digits(at + 6);
    return month >= 1 && month <= 12 && day >= 1 && day <= days[month - 1] &&
           (month != 2 || day < 29 || year % 4 == 0);
}

/* Room for a changed copy of a form; NULL: there is none left. */
static uint8_t *room(struct match_forms *f, size_t bytes)
{
    if (bytes > sizeof(f->text) - f->used)
        return NULL;
    f->used += bytes;
    return f->text + f->used - bytes;
}

/* "@20250514" to "-20250514", as Vertex writes what its makers write with a hyphen. */
static struct bytes with_hyphen(struct match_forms *f, struct bytes text)
{
    const uint8_t *sign = memchr(text.at, '@', text.len);
    uint8_t *copy = sign && sign != text.at ? room(f, text.len) : NULL;

    if (!copy)
        return text;
    memcpy(copy, text.at, text.len);
    copy[sign - text.at] = '-';
    return (struct bytes){copy, text.len};
}

/* "-20250514" to "-2025-05-14" wherever the name or a ':' follows. */
static struct bytes with_dashes(struct match_forms *f, struct bytes text)
{
    for (size_t i = 0; i + 9 <= text.len; i++) {
        const size_t end = i + 9;

        if (text.at[i] != '-' || !is_compact_date(text.at + i + 1) ||
            (end < text.len && text.at[end] != '-' && text.at[end] != ':'))
            continue;
        uint8_t *copy = room(f, text.len + 2);
        if (!copy)
            return text;
        memcpy(copy, text.at, i + 5);
        copy[i + 5] = '-';
        memcpy(copy + i + 6, text.at + i + 5, 2);
        copy[i + 8] = '-';
        memcpy(copy + i + 9, text.at + i + 7, text.len - i - 7);
        return (struct bytes){copy, text.len + 2};
    }
    return text;
}

/* Without a date at its end. */
static struct bytes without_date(struct bytes text)
{
    if (text.len > 9 && (text.at[text.len - 9] == '-' || text.at[text.len - 9] == '@') &&
        is_compact_date(text.at + text.len - 8))
        return until(text, text.len - 9);
    if (text.len > 11 && text.at[text.len - 11] == '-') {
        const uint8_t *date = text.at + text.len - 10;
        const uint8_t compact[8] = {date[0], date[1], date[2], date[3],
                                    date[5], date[6], date[8], date[9]};

        if (date[4] == '-' && date[7] == '-' && is_compact_date(compact))
            return until(text, text.len - 11);
    }
    return text;
}

static struct bytes without_end(struct bytes text, const char *end)
{
    const size_t len = strlen(end);

    return text.len > len && memcmp(text.at + text.len - len, end, len) == 0
               ? until(text, text.len - len)
               : text;
}

/* The newest of a family that has no number ("gemini-pro-latest") is not the oldest of that name. */
static bool names_version(struct bytes text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.at[i] >= '0' && text.at[i] <= '9')
            return true;
    return false;
}

bool match_forms_make(const struct price_list *list, struct bytes model,
                      struct match_forms *out_forms)
{
    struct match_forms *f = out_forms;

    f->count = f->base_count = f->hint_count = 0;
    f->used = 0;
    f->bedrock = false;
    f->unlisted = (struct bytes){0};
    const struct bytes lower = match_lower(model, f->lower);
    f->free_variant = without_end(lower, ":free").len < lower.len;
    if (lower.len == 0 || !add_base_forms(list, f, lower))
        return false;
    for (uint32_t i = 0; i < f->base_count; i++) {
        const struct bytes hyphen = with_hyphen(f, f->at[i]);

        add(f, hyphen);
        add(f, with_dashes(f, hyphen));
    }
    for (uint32_t i = 0; i < f->base_count; i++) {
        static const char *const ends[] = {"@latest", "@default", "-latest", ":latest", ":beta"};
        struct bytes text = without_date(f->at[i]);

        add(f, text);
        for (size_t k = 0; k < sizeof(ends) / sizeof(ends[0]); k++) {
            const struct bytes shorter = without_end(text, ends[k]);

            if (shorter.len < text.len && ends[k][0] == '-' && !names_version(shorter))
                continue;
            text = without_date(shorter);
            add(f, text);
        }
    }
    return true;
}
