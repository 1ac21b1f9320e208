/* Attributes as JSON text: writing. */
#include "otlp/attr_json.h"

#include <math.h>
#include <stdlib.h>

#include "base/json_write.h"
#include "base/text.h"

#define SAFE_INTEGER (INT64_C(1) << 53) /* beyond it, JavaScript and jsonb readers round */
#define PAIRWISE_MAX 32                 /* sets up to this size are compared pair by pair */

struct writer {
    struct buf *out;
    struct arena *scratch;
    unsigned marks;
};

unsigned attr_json_marks(unsigned repairs)
{
    unsigned marks = 0;

    if (repairs & TEXT_HAD_BAD_UTF8)
        marks |= SPAN_MARK_BAD_UTF8 | SPAN_MARK_EXACT;
    if (repairs & TEXT_HAD_NUL)
        marks |= SPAN_MARK_NUL | SPAN_MARK_EXACT;
    return marks;
}

unsigned attr_json_text(struct buf *out, struct bytes text)
{
    return attr_json_marks(json_string(out, text));
}

static void write_text(struct writer *w, struct bytes text)
{
    w->marks |= attr_json_text(w->out, text);
}

static void write_integer(struct writer *w, int64_t integer)
{
    struct json j = json_into(w->out);

    if (integer >= -SAFE_INTEGER && integer <= SAFE_INTEGER) {
        json_int(&j, integer);
        return;
    }
    json_int_text(&j, integer);
    w->marks |= SPAN_MARK_EXACT;
}

static void write_real(struct writer *w, double real)
{
    char digits[TEXT_DOUBLE_BYTES];

    if (isfinite(real)) {
        buf_add(w->out, digits, text_double(real, digits));
        return;
    }
    buf_add_text(w->out, isnan(real) ? "\"NaN\"" : real > 0 ? "\"Infinity\"" : "\"-Infinity\"");
    w->marks |= SPAN_MARK_EXACT;
}

static bool same_key(const struct attribute *a, const struct attribute *b)
{
    return bytes_equal(a->key, b->key);
}

/* By key (length first: cheap), equal keys by position. */
static int compare_keys(const void *left, const void *right, void *entries)
{
    const uint32_t l = *(const uint32_t *)left;
    const uint32_t r = *(const uint32_t *)right;
    const struct bytes a = ((const struct attribute *)entries)[l].key;
    const struct bytes b = ((const struct attribute *)entries)[r].key;
    const int order =
        a.len != b.len ? (a.len < b.len ? -1 : 1) : (a.len == 0 ? 0 : memcmp(a.at, b.at, a.len));

    return order != 0 ? order : (l < r ? -1 : l > r);
}

static bool has_twins(const struct attribute *entries, uint32_t count)
{
    for (uint32_t i = 1; i < count; i++)
        for (uint32_t k = 0; k < i; k++)
            if (same_key(&entries[i], &entries[k]))
                return true;
    return false;
}

/* A byte per entry: 1 where the same key comes again later. NULL: no key repeats. */
static const uint8_t *find_hidden(struct writer *w, struct attribute *entries, uint32_t count)
{
    uint32_t *order;
    uint8_t *hidden;
    bool any = false;

    if (count <= PAIRWISE_MAX && !has_twins(entries, count))
        return NULL;
    /* Sorting, not hashing: 10,000 attributes whose keys were made to collide cost no more than
     * others. */
    order = arena_alloc(w->scratch, count * sizeof(*order));
    hidden = arena_calloc(w->scratch, count, 1);
    if (!order || !hidden) {
        w->out->failed = true;
        return NULL;
    }
    for (uint32_t i = 0; i < count; i++)
        order[i] = i;
    qsort_r(order, count, sizeof(*order), compare_keys, entries);
    for (uint32_t i = 1; i < count; i++) {
        if (same_key(&entries[order[i - 1]], &entries[order[i]])) {
            hidden[order[i - 1]] = 1;
            any = true;
        }
    }
    if (any)
        w->marks |= SPAN_MARK_DUPLICATE_KEYS | SPAN_MARK_EXACT;
    return any ? hidden : NULL;
}

static void write_entries(struct writer *w, struct attribute *entries, uint32_t count);

/* Recursion: values are as deep as the decoder let them be (otlp_limits, at most 200). */
/* NOLINTNEXTLINE(misc-no-recursion) */
static void write_value(struct writer *w, const struct value *value)
{
    switch (value->kind) {
    case VALUE_EMPTY:
        buf_add(w->out, "null", 4);
        return;
    case VALUE_STRING:
        write_text(w, value->text);
        return;
    case VALUE_BOOL:
        buf_add_text(w->out, value->boolean ? "true" : "false");
        return;
    case VALUE_INT:
        write_integer(w, value->integer);
        return;
    case VALUE_DOUBLE:
        write_real(w, value->real);
        return;
    case VALUE_ARRAY:
        buf_add_byte(w->out, '[');
        for (uint32_t i = 0; i < value->count; i++) {
            if (i > 0)
                buf_add_byte(w->out, ',');
            write_value(w, &value->items[i]);
        }
        buf_add_byte(w->out, ']');
        return;
    case VALUE_KVLIST:
        write_entries(w, value->entries, value->count);
        return;
    case VALUE_BYTES:
        buf_add_byte(w->out, '"');
        text_base64(w->out, value->text);
        buf_add_byte(w->out, '"');
        w->marks |= SPAN_MARK_EXACT;
        return;
    }
}

/* NOLINTNEXTLINE(misc-no-recursion) */
static void write_entries(struct writer *w, struct attribute *entries, uint32_t count)
{
    const uint8_t *hidden = find_hidden(w, entries, count);
    bool comma = false;

    buf_add_byte(w->out, '{');
    for (uint32_t i = 0; i < count; i++) {
        if (hidden && hidden[i])
            continue;
        if (comma)
            buf_add_byte(w->out, ',');
        comma = true;
        write_text(w, entries[i].key);
        buf_add_byte(w->out, ':');
        write_value(w, &entries[i].value);
    }
    buf_add_byte(w->out, '}');
}

unsigned attr_json_write(struct buf *out, const struct attributes *set, struct arena *scratch)
{
    struct writer w = {.out = out, .scratch = scratch};

    write_entries(&w, set->items, set->count);
    return w.marks;
}
