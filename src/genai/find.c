#include "genai/find.h"

#include "genai/hits.h"
#include "genai/table.h"

/* What is looked at now. */
struct place {
    const struct attribute *attribute;
    unsigned where;
    int32_t event;
    uint32_t position;
};

static bool more_room(struct genai_finder *finder)
{
    const uint32_t cap = 2 * finder->cap;
    struct genai_hit *hits = arena_alloc(finder->f->arena, cap * sizeof(*hits));

    if (hits == NULL)
        return false;
    memcpy(hits, finder->hits, finder->count * sizeof(*hits));
    finder->hits = hits;
    finder->cap = cap;
    return true;
}

static inline bool add(struct genai_finder *finder, uint16_t row, const struct place *place)
{
    if (finder->count == finder->cap && !more_room(finder))
        return false;
    finder->hits[finder->count++] = (struct genai_hit){
        .attribute = place->attribute,
        .position = place->position,
        .event = place->event,
        .row = row,
    };
    return true;
}

static inline bool add_rows(struct genai_finder *finder, const struct genai_rows_of *rows,
                            const struct place *place)
{
    const uint16_t *row = genai_lists + rows->first;

    for (const uint16_t *end = row + rows->count; row < end; row++)
        if ((genai_rows[*row].classes & finder->classes) != 0 &&
            (genai_rows[*row].where & place->where) != 0 && !add(finder, *row, place))
            return false;
    return true;
}

/* What two more bytes say, before all are compared. */
static inline bool may_fit(const struct genai_pattern *pattern, struct bytes key)
{
    const size_t prefix = pattern->prefix_len;

    return key.len > prefix && key.at[prefix - 1] == (uint8_t)pattern->prefix[prefix - 1] &&
           (!pattern->indexed || (key.at[prefix] >= '0' && key.at[prefix] <= '9'));
}

static bool pattern_fits(const struct genai_pattern *pattern, struct bytes key)
{
    const size_t prefix = pattern->prefix_len;
    struct bytes rest;
    uint32_t index;

    if (key.len <= prefix || memcmp(key.at, pattern->prefix, prefix) != 0)
        return false;
    rest = (struct bytes){key.at + prefix, key.len - prefix};
    if (pattern->indexed) {
        const size_t digits = genai_number_at(rest, &index);

        /* gen_ai.prompt.name is no message. */
        if (digits == 0 || (digits < rest.len && rest.at[digits] != '.'))
            return false;
        if (pattern->suffix == NULL)
            return true;
        return rest.len == digits + 1 + pattern->suffix_len &&
               memcmp(rest.at + digits + 1, pattern->suffix, pattern->suffix_len) == 0;
    }
    return pattern->suffix == NULL ||
           (rest.len > pattern->suffix_len && memcmp(rest.at + rest.len - pattern->suffix_len,
                                                     pattern->suffix, pattern->suffix_len) == 0);
}

void genai_count_content(struct findings *f, const struct attribute *attribute)
{
    const struct value *value = &attribute->value;
    const uint32_t room = UINT32_MAX - f->content_bytes;
    size_t len = 0;

    if (value->kind == VALUE_STRING || value->kind == VALUE_BYTES)
        len = value->text.len;
    f->content_bytes += len < room ? (uint32_t)len : room;
}

static void count_content(struct genai_finder *finder, const struct place *place)
{
    struct genai_notes *notes = finder->notes;

    genai_count_content(finder->f, place->attribute);
    if (notes == NULL)
        return;
    if (place->position > UINT16_MAX ||
        notes->content_count == sizeof(notes->content) / sizeof(notes->content[0]))
        notes->incomplete = true;
    else
        notes->content[notes->content_count++] = (uint16_t)place->position;
}

/* tries: the patterns of the key's first word that its letters leave. */
static bool look_at_patterns(struct genai_finder *finder, const struct genai_segment *segment,
                             uint32_t tries, const struct place *place)
{
    const struct bytes key = place->attribute->key;

    for (; tries != 0; tries &= tries - 1) {
        const struct genai_pattern *pattern =
            &genai_patterns[segment->first + __builtin_ctz(tries)];
        const uint32_t before = finder->count;

        if (!may_fit(pattern, key) || !pattern_fits(pattern, key))
            continue;
        finder->sign |= pattern->rows.sign;
        if ((pattern->rows.classes & FIND_CONTENT) != 0)
            count_content(finder, place);
        if ((pattern->rows.classes & finder->classes) == 0)
            continue;
        if (!add_rows(finder, &pattern->rows, place))
            return false;
        for (uint32_t at = before; at < finder->count; at++) {
            finder->hits[at].prefix = pattern->prefix_len;
            finder->hits[at].suffix = pattern->suffix_len;
            finder->hits[at].indexed = pattern->indexed != 0;
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

/* Keys are short: comparing them here is cheaper than a call. */
static inline bool same_key(const char *text, struct bytes key)
{
    const uint8_t *at = (const uint8_t *)text;

    if (key.len < 8)
        return memcmp(text, key.at, key.len) == 0;
    for (size_t i = 0; i + 8 <= key.len; i += 8)
        if (genai_load(at + i) != genai_load(key.at + i))
            return false;
    return genai_load(at + key.len - 8) == genai_load(key.at + key.len - 8);
}

static inline const struct genai_key *known_key(struct genai_head head, struct bytes key)
{
    for (uint32_t at = genai_hash(head, key);; at++) {
        const uint16_t slot = genai_key_slots[at & genai_key_mask];
        const struct genai_key *known;

        if (slot == 0)
            return NULL;
        known = &genai_keys[slot - 1];
        if (known->len == key.len && same_key(known->text, key))
            return known;
    }
}

/* Keys whose value shows a dialect: gen_ai.system = "strands-agents". */
uint64_t genai_value_shows(uint16_t key, const struct value *value)
{
    uint64_t dialects = 0;

    if (value->kind != VALUE_STRING)
        return 0;
    for (const struct genai_sign *sign = genai_value_signs + genai_keys[key].rows.value_sign - 1;
         sign->text != NULL && sign->key == key; sign++)
        if (sign->len == value->text.len && memcmp(sign->text, value->text.at, sign->len) == 0)
            dialects |= (uint64_t)1 << sign->dialect;
    return dialects;
}

static void look_at_value(struct genai_finder *finder, const struct genai_key *known,
                          const struct place *place)
{
    const uint16_t key = (uint16_t)(known - genai_keys);
    struct genai_notes *notes = finder->notes;

    finder->f->dialects |= genai_value_shows(key, &place->attribute->value);
    if (notes == NULL)
        return;
    if (place->position > UINT16_MAX ||
        notes->value_count == sizeof(notes->values) / sizeof(notes->values[0]))
        notes->incomplete = true;
    else
        notes->values[notes->value_count++] = (struct genai_value_note){
            key, (uint16_t)place->position, place->event == FIND_ON_RESOURCE};
}

/* A key's first word: whose it is, and patterns. */
static bool look_at_word(struct genai_finder *finder, struct genai_head head,
                         const struct place *place)
{
    const struct bytes key = place->attribute->key;
    const size_t len = first_word(head);
    const struct genai_segment *segment;
    uint32_t tries;

    if (len >= 16 || len + 1 >= key.len)
        return true;
    segment = segment_of(head, len);
    if (segment == NULL)
        return true;
    finder->sign |= segment->sign;
    tries = segment->begins[key.at[len + 1] & 31] & segment->ends[key.at[key.len - 1] & 31];
    return tries == 0 || look_at_patterns(finder, segment, tries, place);
}

static inline bool look_at(struct genai_finder *finder, const struct place *place)
{
    const struct bytes key = place->attribute->key;
    struct genai_head head;
    const struct genai_key *known;

    if (key.len == 0)
        return true;
    head = genai_head_of(key);
    known = known_key(head, key);
    if (known == NULL)
        return look_at_word(finder, head, place);
    if (known->rows.patterns && !look_at_word(finder, head, place))
        return false;
    finder->sign |= known->rows.sign;
    if (known->rows.value_sign != 0)
        look_at_value(finder, known, place);
    if ((known->rows.where & place->where) == 0)
        return true;
    if ((known->rows.classes & FIND_CONTENT) != 0)
        count_content(finder, place);
    return (known->rows.classes & finder->classes) == 0 || add_rows(finder, &known->rows, place);
}

static bool look_at_all(struct genai_finder *finder, const struct attributes *attributes,
                        unsigned where, int32_t event)
{
    for (uint32_t i = 0; i < attributes->count; i++) {
        const struct place place = {&attributes->items[i], where, event, i};

        if (!look_at(finder, &place))
            return false;
    }
    return true;
}

/* Only a few keys of a resource matter, and every span has one: most are left by their length. */
static bool look_at_resource(struct genai_finder *finder, const struct resource *resource)
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
                look_at_value(finder, known, &place);
            if (!add_rows(finder, &known->rows, &place))
                return false;
        }
    }
    return true;
}

static bool look_at_events(struct genai_finder *finder, const struct span *span)
{
    for (uint32_t i = 0; i < span->event_count; i++) {
        const struct event *event = &span->events[i];
        const struct place place = {NULL, GENAI_EVENT_NAME, (int32_t)i, 0};
        const struct genai_key *known =
            event->name.len > 0 ? known_key(genai_head_of(event->name), event->name) : NULL;

        if (known != NULL && (known->rows.where & GENAI_EVENT_NAME) != 0) {
            const uint32_t before = finder->count;

            if (!add_rows(finder, &known->rows, &place))
                return false;
            for (uint32_t at = before; at < finder->count; at++)
                finder->hits[at].no_value = true;
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

uint64_t genai_names_show(const struct span *span)
{
    return text_signs(genai_scope_signs, genai_scope_signs_from, span->scope->name) |
           text_signs(genai_name_signs, genai_name_signs_from, span->name);
}

/* The text that a row reads which reads no attribute. */
static struct bytes row_text(const struct findings *f, const struct genai_row *row)
{
    const struct span *span = f->span;

    if (row->where == GENAI_SPAN_NAME && (row->dialects & f->dialects) != 0)
        return span->name;
    if (row->where == GENAI_SCOPE_NAME)
        return span->scope->name;
    if (row->where == GENAI_STATUS && row->target == TARGET_ERROR_MESSAGE)
        return span->status_message;
    if (row->where == GENAI_STATUS && span->status_code == 2)
        return BYTES_LITERAL("ERROR");
    return (struct bytes){NULL, 0};
}

uint32_t genai_text_rows_of(const struct findings *f, unsigned classes)
{
    uint32_t rows = 0;
    uint32_t bit = 1;

    for (const uint16_t *row = genai_text_rows; *row != UINT16_MAX; row++, bit <<= 1)
        if ((genai_rows[*row].classes & classes) != 0 && row_text(f, &genai_rows[*row]).len > 0)
            rows |= bit;
    return rows;
}

const struct attribute *genai_text_attribute(struct findings *f, uint16_t row)
{
    struct attribute *attribute = arena_new(f->arena, struct attribute);

    if (attribute != NULL)
        attribute->value =
            (struct value){.kind = VALUE_STRING, .text = row_text(f, &genai_rows[row])};
    return attribute;
}

static bool look_at_names(struct genai_finder *finder)
{
    for (uint32_t rows = genai_text_rows_of(finder->f, finder->classes); rows != 0;
         rows &= rows - 1) {
        const uint16_t row = genai_text_rows[__builtin_ctz(rows)];
        const bool scope = genai_rows[row].where == GENAI_SCOPE_NAME;
        const struct place place = {genai_text_attribute(finder->f, row), 0,
                                    scope ? FIND_ON_SCOPE : FIND_ON_SPAN, 0};

        if (place.attribute == NULL || !add(finder, row, &place))
            return false;
    }
    return true;
}

bool genai_find_noting(const struct span *span, unsigned classes, struct arena *arena,
                       struct genai_notes *notes, struct findings *out_findings, struct err *err)
{
    struct genai_hit first[GENAI_FIRST_HITS];
    struct genai_finder finder = {.f = out_findings,
                                  .hits = first,
                                  .cap = GENAI_FIRST_HITS,
                                  .classes = classes,
                                  .notes = notes};
    bool found;

    out_findings->span = span;
    out_findings->arena = arena;
    out_findings->content_bytes = 0;
    out_findings->parsed = NULL;
    out_findings->dialects = genai_names_show(span);
    found = look_at_all(&finder, &span->attributes, GENAI_ON_SPAN, FIND_ON_SPAN) &&
            look_at_resource(&finder, span->resource) && look_at_events(&finder, span);
    out_findings->dialects |= finder.sign;
    if (notes != NULL)
        notes->sign = finder.sign;
    if (!found || !look_at_names(&finder) || !genai_put_in_order(&finder))
        return err_set(err, ERR_TOO_LARGE, "findings of a span have no room in memory");
    return true;
}

bool genai_find(const struct span *span, unsigned classes, struct arena *arena,
                struct findings *out_findings, struct err *err)
{
    return genai_find_noting(span, classes, arena, NULL, out_findings, err);
}

bool finding_is_content(const struct finding *finding)
{
    return (genai_rows[finding->row].classes & FIND_CONTENT) != 0;
}

const char *finding_dialect(const struct finding *finding)
{
    return genai_dialect_names[genai_rows[finding->row].dialect];
}
