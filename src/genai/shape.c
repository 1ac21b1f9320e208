/*
 * What the keys of a span say, remembered.
 *
 * DESIGN: which rows of the table a span has, and in which order, is decided by the keys of its
 * attributes and resource alone; their values decide some dialects, how long content is, and whether
 * a few texts that are no attributes are there. So findings are kept by keys, compared byte by byte,
 * and given out again with the span's own keys and values put in. A shape is kept when it comes twice
 * in a row to its place, so that keys which never repeat cost a hash and nothing more. Spans with
 * events or very many keys are looked at anew.
 */
#include "genai/shape.h"

#include <stdlib.h>

#include "genai/hits.h"

#define SHAPES 128 /* a power of two */
#define MOST_KEYS 64
#define MOST_RESOURCE_KEYS 16
#define MOST_KEY_BYTES 2048
#define MOST_FINDINGS 64
#define NO_REST UINT16_MAX

/* Whose value a finding has. */
enum source { OF_SPAN, OF_RESOURCE, OF_TEXT };

struct shape {
    uint32_t key_count;
    uint32_t resource_count; /* keys of the resource that may matter, behind the span's */
    uint16_t lengths[MOST_KEYS + MOST_RESOURCE_KEYS];
    uint16_t positions[MOST_RESOURCE_KEYS];
    uint8_t keys[MOST_KEY_BYTES]; /* one behind the other */
    unsigned classes;
    uint32_t text_rows; /* genai_text_rows_of */
    struct genai_notes notes;
    uint32_t count;
    struct finding items[MOST_FINDINGS]; /* without what is the span's own */
    uint16_t rest_at[MOST_FINDINGS];     /* where the rest begins in the key */
    uint8_t source[MOST_FINDINGS];       /* enum source */
    uint32_t first[TARGET_COUNT + 4];
};

struct slot {
    uint64_t hash; /* of the shape that came last */
    uint64_t kept; /* hash of the shape below */
    struct shape *shape;
};

struct shape_memory {
    struct slot slots[SHAPES];
};

struct shape_memory *shape_memory_new(void)
{
    return calloc(1, sizeof(struct shape_memory));
}

void shape_memory_free(struct shape_memory *memory)
{
    for (size_t i = 0; memory != NULL && i < SHAPES; i++)
        free(memory->slots[i].shape);
    free(memory);
}

/* As genai_find leaves keys of a resource out. */
static inline bool may_matter(struct bytes key)
{
    return key.len < 64 && (genai_resource_lengths >> key.len & 1) != 0;
}

static inline uint64_t mix(uint64_t hash, struct bytes key)
{
    const uint64_t tail =
        key.len >= 8 ? genai_load(key.at + key.len - 8) : genai_load_short(key.at, key.len);

    hash = (hash ^ tail ^ key.len) * 0x9e3779b97f4a7c15u;
    return hash ^ (hash >> 32);
}

/* Never 0. */
static uint64_t hash_of(const struct span *span, unsigned classes)
{
    uint64_t hash = classes;

    hash = hash << 4 | (uint64_t)(span->status_code == 2) << 3 |
           (uint64_t)(span->status_message.len > 0) << 2 | (uint64_t)(span->name.len > 0) << 1 |
           (uint64_t)(span->scope->name.len > 0);
    for (uint32_t i = 0; i < span->attributes.count; i++)
        hash = mix(hash, span->attributes.items[i].key);
    for (uint32_t i = 0; i < span->resource->attributes.count; i++)
        if (may_matter(span->resource->attributes.items[i].key))
            hash = mix(hash + i, span->resource->attributes.items[i].key);
    return hash | 1;
}

/* Keys are short: comparing them here is cheaper than a call. */
static inline bool same_bytes(const uint8_t *a, const uint8_t *b, size_t len)
{
    if (len < 8)
        return memcmp(a, b, len) == 0;
    for (size_t i = 0; i + 8 <= len; i += 8)
        if (genai_load(a + i) != genai_load(b + i))
            return false;
    return genai_load(a + len - 8) == genai_load(b + len - 8);
}

static bool has_keys(const struct shape *shape, const struct span *span)
{
    const struct attributes *resource = &span->resource->attributes;
    const uint8_t *at = shape->keys;
    uint32_t k = shape->key_count;

    if (span->attributes.count != shape->key_count)
        return false;
    for (uint32_t i = 0; i < shape->key_count; i++) {
        const struct bytes key = span->attributes.items[i].key;

        if (key.len != shape->lengths[i] || (key.len > 0 && !same_bytes(at, key.at, key.len)))
            return false;
        at += key.len;
    }
    for (uint32_t i = 0; i < resource->count; i++) {
        const struct bytes key = resource->items[i].key;

        if (!may_matter(key))
            continue;
        if (k == shape->key_count + shape->resource_count || key.len != shape->lengths[k] ||
            shape->positions[k - shape->key_count] != i ||
            (key.len > 0 && !same_bytes(at, key.at, key.len)))
            return false;
        at += key.len;
        k++;
    }
    return k == shape->key_count + shape->resource_count;
}

/* ---- giving out ---- */

static const struct attribute *attribute_of(struct findings *f, const struct finding *finding,
                                            enum source source)
{
    if (source == OF_TEXT)
        return genai_text_attribute(f, finding->row);
    return source == OF_SPAN ? &f->span->attributes.items[finding->position]
                             : &f->span->resource->attributes.items[finding->position];
}

static bool give_findings(const struct shape *shape, struct findings *f)
{
    f->items = arena_alloc(f->arena, shape->count * sizeof(*f->items));
    if (f->items == NULL)
        return false;
    memcpy(f->items, shape->items, shape->count * sizeof(*f->items));
    for (uint32_t i = 0; i < shape->count; i++) {
        struct finding *finding = &f->items[i];
        const struct attribute *attribute = attribute_of(f, finding, (enum source)shape->source[i]);

        if (attribute == NULL)
            return false;
        finding->key = attribute->key;
        finding->attribute = &attribute->value;
        if (shape->rest_at[i] != NO_REST)
            finding->rest.at = attribute->key.at + shape->rest_at[i];
    }
    f->count = shape->count;
    memcpy(f->first, shape->first, sizeof(f->first));
    return true;
}

/* What values decide. */
static void read_values(const struct genai_notes *notes, struct findings *f)
{
    f->dialects = genai_names_show(f->span) | notes->sign;
    f->content_bytes = 0;
    for (uint32_t i = 0; i < notes->value_count; i++) {
        const struct genai_value_note *note = &notes->values[i];
        const struct attributes *set =
            note->resource ? &f->span->resource->attributes : &f->span->attributes;

        f->dialects |= genai_value_shows(note->key, &set->items[note->position].value);
    }
    for (uint32_t i = 0; i < notes->content_count; i++)
        genai_count_content(f, &f->span->attributes.items[notes->content[i]]);
}

/* ---- keeping ---- */

static bool keep_key(struct shape *shape, uint32_t k, struct bytes key, size_t *used)
{
    if (key.len > MOST_KEY_BYTES - *used)
        return false;
    shape->lengths[k] = (uint16_t)key.len;
    if (key.len > 0)
        memcpy(shape->keys + *used, key.at, key.len);
    *used += key.len;
    return true;
}

static bool keep_keys(struct shape *shape, const struct span *span)
{
    const struct attributes *resource = &span->resource->attributes;
    size_t used = 0;

    if (span->attributes.count > MOST_KEYS)
        return false;
    shape->key_count = span->attributes.count;
    shape->resource_count = 0;
    for (uint32_t i = 0; i < shape->key_count; i++)
        if (!keep_key(shape, i, span->attributes.items[i].key, &used))
            return false;
    for (uint32_t i = 0; i < resource->count; i++) {
        if (!may_matter(resource->items[i].key))
            continue;
        if (shape->resource_count == MOST_RESOURCE_KEYS || i > UINT16_MAX ||
            !keep_key(shape, shape->key_count + shape->resource_count, resource->items[i].key,
                      &used))
            return false;
        shape->positions[shape->resource_count++] = (uint16_t)i;
    }
    return true;
}

static enum source source_of(const struct findings *f, const struct finding *finding)
{
    const struct attributes *set = &f->span->attributes;

    if (finding->position < set->count &&
        finding->attribute == &set->items[finding->position].value)
        return OF_SPAN;
    set = &f->span->resource->attributes;
    return finding->position < set->count &&
                   finding->attribute == &set->items[finding->position].value
               ? OF_RESOURCE
               : OF_TEXT;
}

static void keep_findings(struct shape *shape, const struct findings *f)
{
    shape->count = (uint32_t)f->count;
    for (uint32_t i = 0; i < shape->count; i++) {
        struct finding *finding = &shape->items[i];

        *finding = f->items[i];
        shape->source[i] = (uint8_t)source_of(f, finding);
        shape->rest_at[i] =
            finding->rest.at ? (uint16_t)(finding->rest.at - finding->key.at) : NO_REST;
        finding->key = (struct bytes){NULL, 0};
        finding->attribute = NULL;
        finding->rest.at = NULL;
    }
    memcpy(shape->first, f->first, sizeof(shape->first));
}

static void keep(struct slot *slot, const struct findings *f, unsigned classes,
                 const struct genai_notes *notes)
{
    slot->kept = 0;
    if (notes->incomplete || f->count > MOST_FINDINGS)
        return;
    if (slot->shape == NULL)
        slot->shape = malloc(sizeof(*slot->shape));
    if (slot->shape == NULL || !keep_keys(slot->shape, f->span))
        return;
    keep_findings(slot->shape, f);
    slot->shape->classes = classes;
    slot->shape->text_rows = genai_text_rows_of(f, classes);
    slot->shape->notes = *notes;
    slot->kept = slot->hash;
}

bool shape_find(struct shape_memory *memory, const struct span *span, unsigned classes,
                struct arena *arena, struct findings *out_findings, struct err *err)
{
    struct genai_notes notes = {0};
    struct slot *slot;
    uint64_t hash;

    if (memory == NULL || span->event_count > 0 || span->attributes.count > MOST_KEYS)
        return genai_find(span, classes, arena, out_findings, err);
    hash = hash_of(span, classes);
    slot = &memory->slots[(hash >> 32) & (SHAPES - 1)];
    if (slot->kept == hash && slot->shape->classes == classes && has_keys(slot->shape, span)) {
        out_findings->span = span;
        out_findings->arena = arena;
        out_findings->parsed = NULL;
        read_values(&slot->shape->notes, out_findings);
        if (genai_text_rows_of(out_findings, classes) == slot->shape->text_rows)
            return give_findings(slot->shape, out_findings) ||
                   err_set(err, ERR_TOO_LARGE, "findings of a span have no room in memory");
    }
    if (!genai_find_noting(span, classes, arena, &notes, out_findings, err))
        return false;
    if (slot->hash == hash)
        keep(slot, out_findings, classes, &notes);
    slot->hash = hash;
    return true;
}
