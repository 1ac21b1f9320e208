#include "genai/find.h"

#include <stdlib.h>

#include "genai/table.h"

#define FIRST_ROOM 96 /* findings that need no memory while they are collected */
#define MOST_INDEX 9  /* digits of an index: more are no position of anything */

struct finder {
    struct findings *f;
    struct finding *items; /* in the order found */
    size_t count;
    size_t cap;
    unsigned classes;
};

/* What is looked at now. */
struct place {
    const struct attribute *attribute;
    unsigned where;
    int32_t event;
    uint32_t position;
};

static bool more_room(struct finder *finder)
{
    const size_t cap = 2 * finder->cap;
    struct finding *items = arena_alloc(finder->f->arena, cap * sizeof(*items));

    if (items == NULL)
        return false;
    memcpy(items, finder->items, finder->count * sizeof(*items));
    finder->items = items;
    finder->cap = cap;
    return true;
}

static bool add(struct finder *finder, uint16_t row, struct bytes key, const struct value *value,
                const struct place *place)
{
    const struct genai_row *r = &genai_rows[row];

    if (finder->count == finder->cap && !more_room(finder))
        return false;
    finder->items[finder->count++] = (struct finding){
        .target = (enum target)r->target,
        .rank = r->rank,
        .row = row,
        .key = key,
        .attribute = value,
        .index = UINT32_MAX,
        .index2 = UINT32_MAX,
        .event = place->event,
        .position = place->position,
    };
    return true;
}

static bool add_rows(struct finder *finder, const struct genai_rows_of *rows,
                     const struct place *place)
{
    for (uint16_t i = 0; i < rows->count; i++) {
        const uint16_t row = genai_lists[rows->first + i];
        const struct genai_row *r = &genai_rows[row];

        if ((r->classes & finder->classes) != 0 && (r->where & place->where) != 0 &&
            !add(finder, row, place->attribute->key, &place->attribute->value, place))
            return false;
    }
    return true;
}

/* Length of the number at the start of text, 0 where there is none or one that is too long. */
static size_t number_at(struct bytes text, uint32_t *out_number)
{
    uint32_t number = 0;
    size_t len = 0;

    while (len < text.len && text.at[len] >= '0' && text.at[len] <= '9') {
        if (len == MOST_INDEX)
            return 0;
        number = number * 10 + (uint32_t)(text.at[len++] - '0');
    }
    *out_number = number;
    return len;
}

/* The first word of text that is a number. */
static uint32_t second_index(struct bytes text)
{
    while (text.len > 0) {
        const uint8_t *dot = memchr(text.at, '.', text.len);
        const size_t len = dot == NULL ? text.len : (size_t)(dot - text.at);
        uint32_t number;

        if (len > 0 && number_at(text, &number) == len)
            return number;
        if (dot == NULL)
            break;
        text = (struct bytes){dot + 1, text.len - len - 1};
    }
    return UINT32_MAX;
}

/* Whether key is of the pattern; index and rest as struct finding has them. */
static bool pattern_fits(const struct genai_pattern *pattern, struct bytes key, uint32_t *out_index,
                         struct bytes *out_rest)
{
    const size_t prefix = pattern->prefix_len;
    struct bytes rest;

    if (key.len <= prefix || memcmp(key.at, pattern->prefix, prefix) != 0)
        return false;
    rest = (struct bytes){key.at + prefix, key.len - prefix};
    *out_index = UINT32_MAX;
    if (pattern->indexed) {
        const size_t digits = number_at(rest, out_index);

        /* gen_ai.prompt.name is no message. */
        if (digits == 0 || (digits < rest.len && rest.at[digits] != '.'))
            return false;
        rest = digits == rest.len ? (struct bytes){NULL, 0}
                                  : (struct bytes){rest.at + digits + 1, rest.len - digits - 1};
        if (pattern->suffix != NULL &&
            (rest.len != pattern->suffix_len || memcmp(rest.at, pattern->suffix, rest.len) != 0))
            return false;
    } else if (pattern->suffix != NULL) {
        if (rest.len <= pattern->suffix_len || memcmp(rest.at + rest.len - pattern->suffix_len,
                                                      pattern->suffix, pattern->suffix_len) != 0)
            return false;
        rest.len -= pattern->suffix_len;
    }
    *out_rest = rest;
    return true;
}

static void count_content(struct finder *finder, const struct attribute *attribute)
{
    const struct value *value = &attribute->value;
    const uint32_t room = UINT32_MAX - finder->f->content_bytes;
    size_t len = 0;

    if (value->kind == VALUE_STRING || value->kind == VALUE_BYTES)
        len = value->text.len;
    finder->f->content_bytes += len < room ? (uint32_t)len : room;
}

static bool look_at_patterns(struct finder *finder, const struct genai_segment *segment,
                             size_t word_len, const struct place *place)
{
    const struct bytes key = place->attribute->key;

    for (uint16_t i = 0; i < segment->count; i++) {
        const struct genai_pattern *pattern = &genai_patterns[segment->first + i];
        uint32_t index;
        struct bytes rest;

        if (pattern->letter != 0 && pattern->letter != key.at[word_len + 1])
            continue;
        if (!pattern_fits(pattern, key, &index, &rest))
            continue;
        finder->f->dialects |= pattern->rows.sign;
        if ((pattern->rows.classes & FIND_CONTENT) != 0)
            count_content(finder, place->attribute);
        if ((pattern->rows.classes & finder->classes) == 0)
            continue;
        const size_t before = finder->count;
        if (!add_rows(finder, &pattern->rows, place))
            return false;
        for (size_t at = before; at < finder->count; at++) {
            finder->items[at].index = index;
            finder->items[at].index2 = pattern->indexed ? second_index(rest) : UINT32_MAX;
            finder->items[at].rest = rest;
        }
    }
    return true;
}

/* Bit 7 of every byte of word that is c, exact for the lowest one. */
static inline uint64_t bytes_that_are(uint64_t word, uint8_t c)
{
    const uint64_t ones = 0x0101010101010101u;
    const uint64_t mixed = word ^ (ones * c);

    return (mixed - ones) & ~mixed & (ones << 7);
}

/* Length of the first word, up to '.' or ':'; 16 where it is longer or there is none. */
static inline size_t first_word(struct genai_head head)
{
    uint64_t found = bytes_that_are(head.low, '.') | bytes_that_are(head.low, ':');

    if (found != 0)
        return (size_t)__builtin_ctzll(found) / 8;
    found = bytes_that_are(head.high, '.') | bytes_that_are(head.high, ':');
    return found != 0 ? 8 + (size_t)__builtin_ctzll(found) / 8 : 16;
}

static const struct genai_segment *segment_of(struct genai_head head, size_t len)
{
    const uint64_t keep = ((uint64_t)1 << (8 * (len & 7))) - 1;
    const uint64_t low = len >= 8 ? head.low : head.low & keep;
    const uint64_t high = len >= 8 ? head.high & keep : 0;

    for (uint32_t at = genai_segment_hash(low, high);; at++) {
        const uint8_t slot = genai_segment_slots[at & GENAI_SEGMENT_MASK];

        if (slot == 0)
            return NULL;
        if (genai_segments[slot - 1].low == low && genai_segments[slot - 1].high == high)
            return &genai_segments[slot - 1];
    }
}

static const struct genai_key *known_key(struct genai_head head, struct bytes key)
{
    for (uint32_t at = genai_hash(head, key);; at++) {
        const uint16_t slot = genai_key_slots[at & genai_key_mask];
        const struct genai_key *known;

        if (slot == 0)
            return NULL;
        known = &genai_keys[slot - 1];
        if (known->len == key.len && memcmp(known->text, key.at, key.len) == 0)
            return known;
    }
}

/* Keys whose value shows a dialect: gen_ai.system = "strands-agents". */
static uint64_t value_signs(const struct genai_key *key, const struct value *value)
{
    const uint16_t number = (uint16_t)(key - genai_keys);
    uint64_t dialects = 0;

    if (value->kind != VALUE_STRING)
        return 0;
    for (const struct genai_sign *sign = genai_value_signs; sign->text != NULL; sign++)
        if (sign->key == number && sign->len == value->text.len &&
            memcmp(sign->text, value->text.at, sign->len) == 0)
            dialects |= (uint64_t)1 << sign->dialect;
    return dialects;
}

static bool look_at(struct finder *finder, const struct place *place)
{
    const struct bytes key = place->attribute->key;
    struct genai_head head;
    const struct genai_key *known;
    size_t word_len;

    if (key.len == 0)
        return true;
    head = genai_head_of(key);
    word_len = first_word(head);
    if (word_len < 16 && word_len + 1 < key.len) {
        const struct genai_segment *segment = segment_of(head, word_len);

        if (segment != NULL) {
            finder->f->dialects |= segment->sign;
            if ((segment->letters >> (key.at[word_len + 1] & 31) & 1) != 0 &&
                !look_at_patterns(finder, segment, word_len, place))
                return false;
        }
    }
    known = known_key(head, key);
    if (known == NULL)
        return true;
    finder->f->dialects |= known->rows.sign;
    if (known->rows.value_sign != 0)
        finder->f->dialects |= value_signs(known, &place->attribute->value);
    if ((known->rows.where & place->where) == 0)
        return true;
    if ((known->rows.classes & FIND_CONTENT) != 0)
        count_content(finder, place->attribute);
    return (known->rows.classes & finder->classes) == 0 || add_rows(finder, &known->rows, place);
}

static bool look_at_all(struct finder *finder, const struct attributes *attributes, unsigned where,
                        int32_t event)
{
    for (uint32_t i = 0; i < attributes->count; i++) {
        const struct place place = {&attributes->items[i], where, event, i};

        if (!look_at(finder, &place))
            return false;
    }
    return true;
}

/* Only a few keys of a resource matter, and every span has one: most are left by their length. */
static bool look_at_resource(struct finder *finder, const struct resource *resource)
{
    for (uint32_t i = 0; i < resource->attributes.count; i++) {
        const struct place place = {&resource->attributes.items[i], GENAI_ON_RESOURCE,
                                    FIND_ON_RESOURCE, i};
        const struct bytes key = place.attribute->key;

        if (key.len < 64 && (genai_resource_lengths >> key.len & 1) != 0) {
            const struct genai_key *known = known_key(genai_head_of(key), key);

            if (known == NULL || (known->rows.where & GENAI_ON_RESOURCE) == 0)
                continue;
            if (known->rows.value_sign != 0)
                finder->f->dialects |= value_signs(known, &place.attribute->value);
            if (!add_rows(finder, &known->rows, &place))
                return false;
        }
    }
    return true;
}

static bool look_at_events(struct finder *finder, const struct span *span)
{
    for (uint32_t i = 0; i < span->event_count; i++) {
        const struct event *event = &span->events[i];
        const struct attribute name = {.key = event->name};
        const struct place place = {&name, GENAI_EVENT_NAME, (int32_t)i, 0};
        const struct genai_key *known =
            event->name.len > 0 ? known_key(genai_head_of(event->name), event->name) : NULL;

        if (known != NULL && (known->rows.where & GENAI_EVENT_NAME) != 0) {
            const size_t before = finder->count;

            if (!add_rows(finder, &known->rows, &place))
                return false;
            for (size_t at = before; at < finder->count; at++)
                finder->items[at].attribute = NULL; /* the event is the value */
        }
        if (!look_at_all(finder, &event->attributes, GENAI_ON_EVENT, (int32_t)i))
            return false;
    }
    return true;
}

/* Signs whose text starts with the same byte stand together; from[c] is where. */
static uint64_t text_signs(const struct genai_sign *signs, const uint8_t *from, struct bytes text)
{
    uint64_t dialects = 0;

    if (text.len == 0 || text.at[0] >= GENAI_SIGN_BYTES)
        return 0;
    for (uint8_t i = from[text.at[0]]; i < from[text.at[0] + 1]; i++) {
        const struct genai_sign *sign = &signs[i];

        if ((sign->any_rest ? sign->len <= text.len : sign->len == text.len) &&
            memcmp(sign->text, text.at, sign->len) == 0)
            dialects |= (uint64_t)1 << sign->dialect;
    }
    return dialects;
}

static bool add_text(struct finder *finder, uint16_t row, struct bytes text, int32_t event)
{
    const struct place place = {NULL, 0, event, 0};
    struct value *value = arena_new(finder->f->arena, struct value);

    if (value == NULL)
        return false;
    value->kind = VALUE_STRING;
    value->text = text;
    return add(finder, row, (struct bytes){NULL, 0}, value, &place);
}

/* Rows whose value is no attribute: the span's name where its dialect is there, scope, status. */
static bool look_at_names(struct finder *finder, const struct span *span)
{
    for (const uint16_t *row = genai_text_rows; *row != UINT16_MAX; row++) {
        const struct genai_row *r = &genai_rows[*row];
        struct bytes text = {NULL, 0};

        if ((r->classes & finder->classes) == 0)
            continue;
        if (r->where == GENAI_SPAN_NAME && (r->dialects & finder->f->dialects) != 0)
            text = span->name;
        else if (r->where == GENAI_SCOPE_NAME)
            text = span->scope->name;
        else if (r->where == GENAI_STATUS && r->target == TARGET_ERROR_MESSAGE)
            text = span->status_message;
        else if (r->where == GENAI_STATUS && span->status_code == 2)
            text = BYTES_LITERAL("ERROR");
        if (text.len > 0 && !add_text(finder, *row, text,
                                      r->where == GENAI_SCOPE_NAME ? FIND_ON_SCOPE : FIND_ON_SPAN))
            return false;
    }
    return true;
}

static int compare_numbers(uint32_t a, uint32_t b)
{
    return a < b ? -1 : a > b;
}

static int compare(const void *left, const void *right)
{
    const struct finding *a = left;
    const struct finding *b = right;
    int order = (int)a->row - (int)b->row;

    if (order == 0)
        order = a->event < b->event ? -1 : a->event > b->event;
    if (order == 0)
        order = compare_numbers(a->index, b->index);
    if (order == 0)
        order = compare_numbers(a->index2, b->index2);
    if (order == 0 && a->index != UINT32_MAX) {
        const size_t len = a->rest.len < b->rest.len ? a->rest.len : b->rest.len;

        order = len > 0 ? memcmp(a->rest.at, b->rest.at, len) : 0;
        if (order == 0 && a->rest.len != b->rest.len)
            order = a->rest.len < b->rest.len ? -1 : 1;
    }
    return order != 0 ? order : compare_numbers(a->position, b->position);
}

/* Few findings: their order by row (rows stand by target), then as found. */
static void order_few(const struct finder *finder, uint32_t *order)
{
    for (size_t i = 0; i < finder->count; i++) {
        const uint32_t key = (uint32_t)finder->items[i].row << 8 | (uint32_t)i;
        size_t at = i;

        while (at > 0 && order[at - 1] > key) {
            order[at] = order[at - 1];
            at--;
        }
        order[at] = key;
    }
}

/* A key may be sent twice; the last stands (OTLP-122). */
static bool replaced(const struct finding *item, const struct finding *next)
{
    return item->row == next->row && item->event == next->event && item->index == next->index &&
           item->index2 == next->index2 && item->attribute != NULL &&
           bytes_equal(item->key, next->key) && item->position != next->position;
}

static void sort_same_rows(struct finding *items, size_t count)
{
    for (size_t from = 0, until; from < count; from = until) {
        until = from + 1;
        while (until < count && items[until].row == items[from].row)
            until++;
        if (until - from > 1)
            qsort(items + from, until - from, sizeof(*items), compare);
    }
}

/* From the order found to the order of targets. */
static bool put_in_order(struct finder *finder)
{
    struct findings *f = finder->f;
    uint32_t order[FIRST_ROOM];
    size_t kept = 0;
    uint32_t target = 0;

    f->items = arena_alloc(f->arena, finder->count * sizeof(*f->items));
    if (f->items == NULL)
        return false;
    if (finder->count <= FIRST_ROOM) {
        order_few(finder, order);
        for (size_t i = 0; i < finder->count; i++)
            f->items[i] = finder->items[order[i] & 0xff];
        sort_same_rows(f->items, finder->count);
    } else {
        memcpy(f->items, finder->items, finder->count * sizeof(*f->items));
        qsort(f->items, finder->count, sizeof(*f->items), compare);
    }
    for (size_t i = 0; i < finder->count; i++) {
        if (i + 1 < finder->count && replaced(&f->items[i], &f->items[i + 1]))
            continue;
        if (kept != i)
            f->items[kept] = f->items[i];
        while (target <= (uint32_t)f->items[kept].target)
            f->first[target++] = (uint32_t)kept;
        kept++;
    }
    while (target <= TARGET_COUNT)
        f->first[target++] = (uint32_t)kept;
    f->count = kept;
    return true;
}

bool genai_find(const struct span *span, unsigned classes, struct arena *arena,
                struct findings *out_findings, struct err *err)
{
    struct finding first[FIRST_ROOM];
    struct finder finder = {
        .f = out_findings, .items = first, .cap = FIRST_ROOM, .classes = classes};

    out_findings->span = span;
    out_findings->arena = arena;
    out_findings->content_bytes = 0;
    out_findings->parsed = NULL;
    out_findings->dialects =
        text_signs(genai_scope_signs, genai_scope_signs_from, span->scope->name) |
        text_signs(genai_name_signs, genai_name_signs_from, span->name);
    if (!look_at_all(&finder, &span->attributes, GENAI_ON_SPAN, FIND_ON_SPAN) ||
        !look_at_resource(&finder, span->resource) || !look_at_events(&finder, span) ||
        !look_at_names(&finder, span) || !put_in_order(&finder))
        return err_set(err, ERR_TOO_LARGE, "findings of a span have no room in memory");
    return true;
}

const char *finding_dialect(const struct finding *finding)
{
    return genai_dialect_names[genai_rows[finding->row].dialect];
}
