#include "genai/pick.h"

#include "base/text.h"

#define LONGEST_WORD 64

struct bytes genai_clean(struct arena *arena, struct bytes text)
{
    uint8_t *copy;
    size_t len = 0;

    text.len = text_cut(text, GENAI_MOST_FACT);
    if (text_valid_prefix(text) == text.len)
        return text;
    copy = arena_alloc(arena, 3 * text.len);
    if (copy == NULL)
        return (struct bytes){NULL, 0};
    while (text.len > 0) {
        const size_t step = text_utf8_step(text);
        const bool sound = step > 0 && text.at[0] != 0;
        const size_t from = step > 0 ? step : 1;

        memcpy(copy + len, sound ? text.at : (const uint8_t *)"\xef\xbf\xbd", sound ? from : 3);
        len += sound ? from : 3;
        text = (struct bytes){text.at + from, text.len - from};
    }
    return (struct bytes){copy, text_cut((struct bytes){copy, len}, GENAI_MOST_FACT)};
}

/* The value of a finding as it was sent, where it is short enough to be shown beside others. */
static struct bytes as_sent(struct reading *r, const struct finding *finding)
{
    const struct genai_row *row = &genai_rows[finding->row];
    const struct value *value =
        row->pointer != NULL ? finding_value(r->f, finding) : finding->attribute;
    struct bytes text = {NULL, 0};

    if (value != NULL && value->kind == VALUE_STRING)
        return value->text;
    (void)genai_text(r->f, value, &text);
    return text;
}

static struct source source_of(struct reading *r, const char *field, const struct finding *finding)
{
    return (struct source){
        .field = field,
        .key = finding->key,
        .dialect = finding_dialect(finding),
        .pointer = genai_rows[finding->row].pointer,
        .value = as_sent(r, finding),
    };
}

void genai_note(struct reading *r, const char *field, const struct finding *finding, bool used,
                const char *reason)
{
    struct source source;

    if (r->sources == NULL)
        return;
    source = source_of(r, field, finding);
    source.used = used;
    source.reason = reason;
    sources_add(r->sources, &source);
}

/* Texts that mean the same: without case. */
static bool same_text(struct bytes a, struct bytes b)
{
    if (a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++) {
        const uint8_t x = a.at[i] >= 'A' && a.at[i] <= 'Z' ? a.at[i] | 0x20 : a.at[i];
        const uint8_t y = b.at[i] >= 'A' && b.at[i] <= 'Z' ? b.at[i] | 0x20 : b.at[i];

        if (x != y)
            return false;
    }
    return true;
}

static void note_other(struct reading *r, const struct pick *pick, const struct finding *finding,
                       struct bytes chosen, bool taken, struct bytes text, const char *reason)
{
    struct source source = source_of(r, pick->field, finding);

    source.conflict = taken && !same_text(chosen, text);
    source.reason = reason;
    sources_add(r->sources, &source);
}

const struct finding *genai_pick(struct reading *r, const struct pick *pick, struct bytes *out_text)
{
    const struct finding *chosen = NULL;

    *out_text = (struct bytes){NULL, 0};
    GENAI_EACH(finding, r->f, pick->target)
    {
        const char *reason = NULL;
        struct bytes text = {NULL, 0};
        const bool read = finding_text(r->f, finding, &text);
        const bool taken = read && (pick->take == NULL || pick->take(r, finding, &text, &reason));

        if (taken && chosen == NULL) {
            chosen = finding;
            *out_text = genai_clean(r->f->arena, text);
            genai_note(r, pick->field, finding, true, reason);
            if (r->sources == NULL)
                break;
        } else if (r->sources != NULL && read) {
            note_other(r, pick, finding, *out_text, taken, text, reason);
        }
    }
    return chosen;
}

bool genai_says_yes(struct reading *r, enum target target, const char *field)
{
    GENAI_EACH(finding, r->f, target)
    {
        struct bytes text;

        if (!finding_text(r->f, finding, &text))
            continue;
        if (bytes_is_nocase(text, "true") || bytes_is(text, "1") || bytes_is_nocase(text, "yes")) {
            genai_note(r, field, finding, true, NULL);
            return true;
        }
        if (bytes_is_nocase(text, "false") || bytes_is(text, "0") || bytes_is_nocase(text, "no"))
            return false;
    }
    return false;
}

static bool word_is(const struct genai_word *word, enum genai_map map, struct bytes raw)
{
    return word->map == map && word->len == raw.len && memcmp(word->raw, raw.at, raw.len) == 0;
}

const struct genai_word *genai_word(enum genai_map map, struct bytes raw)
{
    uint8_t lower[LONGEST_WORD];
    const struct bytes key = {lower, raw.len};

    if (raw.len == 0 || raw.len > LONGEST_WORD)
        return NULL;
    for (size_t i = 0; i < raw.len; i++)
        lower[i] = raw.at[i] >= 'A' && raw.at[i] <= 'Z' ? raw.at[i] | 0x20 : raw.at[i];
    for (uint32_t at = genai_hash(genai_head_of(key), key) + 0x9e3779b9u * (uint32_t)map;; at++) {
        const uint16_t slot = genai_word_slots[at & genai_word_mask];

        if (slot == 0)
            break;
        if (word_is(&genai_words[slot - 1], map, key))
            return &genai_words[slot - 1];
    }
    for (const uint16_t *open = genai_open_words; *open != UINT16_MAX; open++) {
        const struct genai_word *word = &genai_words[*open];

        if (word->map == map && word->len <= key.len && memcmp(word->raw, lower, word->len) == 0)
            return word;
    }
    return NULL;
}
