/*
 * Reads usage objects. The same words come in snake and camel case, nested or joined by dots, so
 * names are compared by their letters and digits; what they mean depends only on the object they
 * stand in.
 */
#include "genai/usage_object.h"

#include "genai/usage_names.h"

#define NAME_MOST_BYTES 48
#define MOST_DEPTH 4
#define MOST_MEMBERS 256 /* usage objects have a dozen */

struct word {
    uint8_t at[NAME_MOST_BYTES];
    size_t len;
};

/* Letters and digits of text, lower case; empty where it is too long to be a name we know. */
static struct bytes squeeze(struct bytes text, struct word *to)
{
    to->len = 0;
    if (text.len > NAME_MOST_BYTES)
        return (struct bytes){NULL, 0};
    for (size_t i = 0; i < text.len; i++) {
        const uint8_t c = text.at[i];

        if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))
            to->at[to->len++] = c;
        else if (c >= 'A' && c <= 'Z')
            to->at[to->len++] = (uint8_t)(c | 0x20);
    }
    return (struct bytes){to->at, to->len};
}

static bool starts_with(struct bytes text, const char *start)
{
    const size_t len = strlen(start);

    return text.len >= len && memcmp(text.at, start, len) == 0;
}

/* The first number of a field stands, unless it was zero: some objects say the same twice. */
static void put_number(struct usage_object *to, enum usage_field field, const struct value *value,
                       struct bytes parent, struct bytes name)
{
    int64_t count;

    switch (usage_count(value, &count)) {
    case USAGE_READ_ABSENT:
        return;
    case USAGE_READ_ODD:
        to->odd |= UINT32_C(1) << field;
        break;
    case USAGE_READ_COUNT:
        if (usage_given(&to->numbers, field) && to->numbers.of[field] != 0)
            return;
        usage_put(&to->numbers, field, count);
        break;
    }
    to->parents[field] = parent;
    to->names[field] = name;
}

/* Buckets nobody has listed: part of their side. */
static void add_bucket(struct usage_object *to, struct bytes word, const struct value *value)
{
    const enum usage_field field = starts_with(word, "input") ? USAGE_INPUT : USAGE_OUTPUT;
    int64_t count;

    if ((!starts_with(word, "input") && !starts_with(word, "output")) ||
        memmem(word.at, word.len, "cost", 4) != NULL)
        return;
    if (usage_count(value, &count) != USAGE_READ_COUNT ||
        to->numbers.of[field] > USAGE_MOST - count)
        return;
    usage_put(&to->numbers, field, to->numbers.of[field] + count);
}

/* Gemini's details: [{"modality":"AUDIO","tokenCount":12}, …]. */
static void read_modalities(const struct value *array, enum usage_place place,
                            struct usage_object *to)
{
    for (uint32_t i = 0; i < array->count && i < MOST_MEMBERS; i++) {
        const struct value *item = &array->items[i];
        const struct usage_name *name = NULL;
        const struct value *count = NULL;
        struct word word;

        for (uint32_t m = 0; item->kind == VALUE_KVLIST && m < item->count && m < 8; m++) {
            const struct attribute *member = &item->entries[m];
            const struct bytes key = squeeze(member->key, &word);

            if (bytes_is(key, "tokencount"))
                count = &member->value;
            else if (bytes_is(key, "modality") && member->value.kind == VALUE_STRING)
                name = usage_name_find(place, squeeze(member->value.text, &word));
        }
        if (name && count && name->field != USAGE_FIELD_COUNT)
            put_number(to, name->field, count, (struct bytes){0}, (struct bytes){0});
    }
}

static bool is_number_like(const struct value *value)
{
    return value->kind != VALUE_KVLIST && value->kind != VALUE_ARRAY &&
           value->kind != VALUE_BYTES && value->kind != VALUE_BOOL;
}

struct walk {
    struct usage_object *to;
    bool buckets;
};

static void read_members(const struct walk *walk, const struct value *object,
                         enum usage_place place, struct bytes parent, int depth);

/* NOLINTNEXTLINE(misc-no-recursion) */
static void read_member(const struct walk *walk, enum usage_place place, struct bytes parent,
                        struct bytes key, const struct value *value, int depth)
{
    const uint8_t *dot = key.len > 0 ? memchr(key.at, '.', key.len) : NULL;
    const struct usage_name *name = NULL;
    struct word word;
    struct bytes letters;

    if (dot && place == USAGE_IN_TOP) { /* prompt_tokens_details.cached_tokens */
        name =
            usage_name_find(place, squeeze((struct bytes){key.at, (size_t)(dot - key.at)}, &word));
        if (name && name->inside != USAGE_IN_NOTHING && name->inside != USAGE_IN_TOP) {
            walk->to->shapes |= name->inside_shape;
            place = name->inside;
            key = (struct bytes){dot + 1, key.len - (size_t)(dot + 1 - key.at)};
        }
    }
    letters = squeeze(key, &word);
    name = usage_name_find(place, letters);
    if (!name) {
        if (walk->buckets && place == USAGE_IN_TOP && is_number_like(value))
            add_bucket(walk->to, letters, value);
    } else if (value->kind == VALUE_KVLIST && name->inside != USAGE_IN_NOTHING) {
        walk->to->shapes |= name->inside_shape;
        read_members(walk, value, name->inside, key, depth + 1);
    } else if (value->kind == VALUE_ARRAY && name->inside != USAGE_IN_NOTHING) {
        read_modalities(value, name->inside, walk->to);
    } else if (is_number_like(value) && name->field != USAGE_FIELD_COUNT) {
        walk->to->shapes |= value->kind == VALUE_EMPTY ? 0 : name->field_shape;
        put_number(walk->to, name->field, value, parent, key);
    }
}

/* Depth is bounded by MOST_DEPTH. */
/* NOLINTNEXTLINE(misc-no-recursion) */
static void read_members(const struct walk *walk, const struct value *object,
                         enum usage_place place, struct bytes parent, int depth)
{
    if (depth > MOST_DEPTH)
        return;
    for (uint32_t i = 0; i < object->count && i < MOST_MEMBERS; i++)
        read_member(walk, place, parent, object->entries[i].key, &object->entries[i].value, depth);
}

void usage_object_read(const struct value *object, enum usage_place place, bool buckets,
                       struct usage_object *out_object)
{
    const struct walk walk = {out_object, buckets};

    *out_object = (struct usage_object){0};
    if (object && object->kind == VALUE_KVLIST)
        read_members(&walk, object, place, (struct bytes){0}, 0);
}

struct usage_habits usage_object_habits(unsigned shapes)
{
    struct usage_habits habits = {USAGE_HABIT_UNKNOWN, USAGE_HABIT_UNKNOWN, false};

    if (shapes & USAGE_SHAPE_OPENAI)
        habits.cache = USAGE_HABIT_INSIDE;
    else if (shapes & (USAGE_SHAPE_GEMINI | USAGE_SHAPE_GENKIT))
        habits = (struct usage_habits){USAGE_HABIT_INSIDE, USAGE_HABIT_OUTSIDE, false};
    else if (shapes & USAGE_SHAPE_ANTHROPIC)
        habits.cache = USAGE_HABIT_OUTSIDE;
    else if (shapes & USAGE_SHAPE_BUCKETS)
        habits.disjoint = true;
    return habits;
}

bool usage_object_field(struct bytes name, enum usage_field *out_field)
{
    const struct usage_name *found;
    struct word word;
    struct bytes letters = squeeze(name, &word);

    if (starts_with(letters, "details"))
        letters = (struct bytes){letters.at + strlen("details"), letters.len - strlen("details")};
    found = usage_name_find(USAGE_IN_TOP, letters);
    if (!found || found->field == USAGE_FIELD_COUNT)
        return false;
    *out_field = found->field;
    return true;
}
