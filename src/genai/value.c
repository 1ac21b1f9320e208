/* Values of findings: what stands inside the texts of attributes. */
#include "base/text.h"
#include "genai/find.h"
#include "genai/table.h"

/* Results of genai_parse_text by the value that held the text, so that fifteen pointers into one
 * attribute read it once. Open addressing, at most half full. */
struct parsed_slot {
    const struct value *text;
    const struct value *value; /* NULL: it cannot be read */
};

struct parsed_text {
    struct parsed_slot *slots;
    uint32_t count;
    uint32_t cap; /* power of two */
};

#define FIRST_SLOTS 16

static struct parsed_slot *slot_of(const struct parsed_text *memo, const struct value *text)
{
    uint32_t at = (uint32_t)(((uintptr_t)text >> 3) * 0x9e3779b97f4a7c15u >> 32);

    while (memo->slots[at & (memo->cap - 1)].text != NULL &&
           memo->slots[at & (memo->cap - 1)].text != text)
        at++;
    return &memo->slots[at & (memo->cap - 1)];
}

static bool memo_grow(struct findings *f)
{
    struct parsed_text *memo = f->parsed;
    struct parsed_slot *old;
    uint32_t cap;

    if (memo == NULL) {
        memo = arena_new(f->arena, struct parsed_text);
        if (memo == NULL)
            return false;
        f->parsed = memo;
    }
    if (memo->cap > 2 * memo->count)
        return true;
    old = memo->slots;
    cap = memo->cap;
    memo->cap = cap == 0 ? FIRST_SLOTS : 2 * cap;
    memo->slots = arena_array(f->arena, struct parsed_slot, memo->cap);
    if (memo->slots == NULL) {
        memo->slots = old;
        memo->cap = cap;
        return false;
    }
    for (uint32_t i = 0; i < cap; i++)
        if (old[i].text != NULL)
            *slot_of(memo, old[i].text) = old[i];
    return true;
}

/* Text that may hold a value with entries, or a quoted one. */
static bool may_hold_value(struct bytes text)
{
    size_t at = 0;

    while (at < text.len && (text.at[at] == ' ' || text.at[at] == '\n'))
        at++;
    return at < text.len && strchr("{[(\"'", text.at[at]) != NULL;
}

/* What the text of value holds; NULL: nothing that can be read. A text in a text is read too. */
static const struct value *parsed(struct findings *f, const struct value *value)
{
    struct parsed_slot *slot;
    struct value *made;
    bool truncated;

    if (!may_hold_value(value->text) || !memo_grow(f))
        return NULL;
    slot = slot_of(f->parsed, value);
    if (slot->text == value)
        return slot->value;
    *slot = (struct parsed_slot){value, NULL};
    f->parsed->count++;
    made = arena_new(f->arena, struct value);
    if (made == NULL || !genai_parse_text(value->text, f->arena, made, &truncated))
        return NULL;
    slot->value = made;
    return made;
}

/* value, or what its text holds, until it is no text any more (twice encoded, quoted). */
static const struct value *unfolded(struct findings *f, const struct value *value)
{
    for (int rounds = 0; rounds < 3 && value != NULL && value->kind == VALUE_STRING; rounds++)
        value = parsed(f, value);
    return value;
}

const struct value *genai_member(const struct value *object, const char *key)
{
    if (object == NULL || object->kind != VALUE_KVLIST)
        return NULL;
    for (uint32_t i = object->count; i > 0; i--)
        if (bytes_is(object->entries[i - 1].key, key))
            return &object->entries[i - 1].value;
    return NULL;
}

static const struct value *member(const struct value *object, struct bytes key)
{
    int64_t index;

    if (object->kind == VALUE_ARRAY)
        return text_int64(key, &index) && index >= 0 && index < (int64_t)object->count
                   ? &object->items[index]
                   : NULL;
    if (object->kind != VALUE_KVLIST)
        return NULL;
    for (uint32_t i = object->count; i > 0; i--)
        if (bytes_equal(object->entries[i - 1].key, key))
            return &object->entries[i - 1].value;
    return NULL;
}

const struct value *genai_pointer(struct findings *f, const struct value *value,
                                  const char *pointer)
{
    while (value != NULL && *pointer == '/') {
        const char *name = pointer + 1;
        const size_t len = strcspn(name, "/");

        value = unfolded(f, value);
        if (value != NULL)
            value = member(value, (struct bytes){(const uint8_t *)name, len});
        pointer = name + len;
    }
    return value;
}

/* Text that stands in quotes of its own: "LLM". */
static bool is_quoted(struct bytes text)
{
    return text.len >= 2 && text.at[0] == '"' && text.at[text.len - 1] == '"';
}

const struct value *finding_value(struct findings *f, const struct finding *finding)
{
    const struct genai_row *row = &genai_rows[finding->row];
    const struct value *value = finding->attribute;
    const struct value *inside;

    if (value == NULL)
        return NULL;
    if (row->pointer != NULL)
        value = genai_pointer(f, value, row->pointer);
    if (value == NULL || value->kind != VALUE_STRING)
        return value;
    if (row->how == GENAI_JSON || row->how == GENAI_LIST) {
        inside = unfolded(f, value);
        return inside != NULL ? inside : value;
    }
    if ((row->how == GENAI_QUOTED || row->how == GENAI_WORD || row->how == GENAI_TIME) &&
        is_quoted(value->text)) {
        inside = parsed(f, value);
        return inside != NULL ? inside : value;
    }
    return value;
}

/* Numbers and truths as people write them. */
static bool scalar_text(struct findings *f, const struct value *value, struct bytes *out_text)
{
    char digits[TEXT_DOUBLE_BYTES];
    const char *text = NULL;

    if (value->kind == VALUE_INT) {
        text = arena_printf(f->arena, "%lld", (long long)value->integer);
    } else if (value->kind == VALUE_DOUBLE && __builtin_isfinite(value->real)) {
        (void)text_double(value->real, digits);
        text = arena_printf(f->arena, "%s", digits);
    } else if (value->kind == VALUE_BOOL) {
        text = value->boolean ? "true" : "false";
    }
    if (text == NULL)
        return false;
    *out_text = bytes_of(text);
    return true;
}

/* Logfire's word for what it took out. */
static bool is_scrubbed(struct bytes text)
{
    static const char start[] = "[Scrubbed due to ";

    return text.len > sizeof(start) - 1 && memcmp(text.at, start, sizeof(start) - 1) == 0;
}

bool genai_text(struct findings *f, const struct value *value, struct bytes *out_text)
{
    struct bytes text;

    if (value == NULL)
        return false;
    if (value->kind != VALUE_STRING)
        return scalar_text(f, value, out_text);
    text = value->text;
    while (text.len > 0 && (text.at[0] == ' ' || text.at[0] == '\n'))
        text = (struct bytes){text.at + 1, text.len - 1};
    while (text.len > 0 && (text.at[text.len - 1] == ' ' || text.at[text.len - 1] == '\n'))
        text.len--;
    if (text.len == 0 || (text.at[0] == '<' && bytes_is(text, "<REDACTED>")) ||
        (text.at[0] == '[' && is_scrubbed(text)))
        return false;
    *out_text = text;
    return true;
}

bool finding_text(struct findings *f, const struct finding *finding, struct bytes *out_text)
{
    const struct genai_row *row = &genai_rows[finding->row];

    if (row->how == GENAI_TEXT && row->pointer == NULL) /* most are */
        return genai_text(f, finding->attribute, out_text);
    return genai_text(f, finding_value(f, finding), out_text);
}
