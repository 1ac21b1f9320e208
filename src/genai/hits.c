#include "genai/hits.h"

#include <stdlib.h>

#include "genai/table.h"

#define MOST_INDEX 9 /* digits of an index: more are no position of anything */

size_t genai_number_at(struct bytes text, uint32_t *out_number)
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

        if (len > 0 && genai_number_at(text, &number) == len)
            return number;
        if (dot == NULL)
            break;
        text = (struct bytes){dot + 1, text.len - len - 1};
    }
    return UINT32_MAX;
}

/* What stands for {i} and <k> in the key of a pattern's hit. */
static void read_rest(const struct genai_hit *hit, struct finding *finding)
{
    struct bytes rest = {finding->key.at + hit->prefix, finding->key.len - hit->prefix};

    if (hit->indexed) {
        const size_t digits = genai_number_at(rest, &finding->index);
        const size_t skip = digits < rest.len ? digits + 1 : digits;

        rest = (struct bytes){rest.at + skip, rest.len - skip};
        finding->index2 = second_index(rest);
    } else {
        rest.len -= hit->suffix;
    }
    finding->rest = rest;
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

/* Hits by row (rows stand by target), then as found. */
static void order_few(const struct genai_finder *finder, uint32_t *order)
{
    for (uint32_t i = 0; i < finder->count; i++) {
        const uint32_t key = (uint32_t)finder->hits[i].row << 8 | i;
        uint32_t *at = order + i;

        for (; at > order && at[-1] > key; at--)
            *at = at[-1];
        *at = key;
    }
}

static inline void fill(struct findings *f, struct finding *finding, const struct genai_hit *hit)
{
    const struct genai_row *row = &genai_rows[hit->row];
    const struct attribute *attribute = hit->attribute;

    finding->target = (enum target)row->target;
    finding->rank = row->rank;
    finding->row = hit->row;
    finding->index = UINT32_MAX;
    finding->index2 = UINT32_MAX;
    finding->event = hit->event;
    finding->position = hit->position;
    finding->rest = (struct bytes){NULL, 0};
    if (hit->no_value) {
        finding->key = f->span->events[hit->event].name;
        finding->attribute = NULL;
    } else {
        finding->key = attribute->key;
        finding->attribute = &attribute->value;
    }
    if (hit->prefix != 0)
        read_rest(hit, finding);
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

/* False: no row is there twice. */
static bool fill_in_order(struct genai_finder *finder, struct finding *items)
{
    uint32_t order[GENAI_FIRST_HITS];
    uint32_t before = UINT32_MAX; /* row of the finding before; no row is so large */
    bool repeats = false;

    if (finder->count > GENAI_FIRST_HITS) {
        for (uint32_t i = 0; i < finder->count; i++)
            fill(finder->f, &items[i], &finder->hits[i]);
        qsort(items, finder->count, sizeof(*items), compare);
        return true;
    }
    order_few(finder, order);
    for (uint32_t i = 0; i < finder->count; i++) {
        fill(finder->f, &items[i], &finder->hits[order[i] & 0xff]);
        repeats |= order[i] >> 8 == before;
        before = order[i] >> 8;
    }
    if (repeats)
        sort_same_rows(items, finder->count);
    return repeats;
}

/* first[from .. until] = value; writes up to three more behind, which come later. */
static inline uint32_t fill_first(uint32_t *first, uint32_t from, uint32_t until, uint32_t value)
{
    const uint32_t four[4] = {value, value, value, value};

    for (uint32_t at = from; at <= until; at += 4)
        memcpy(first + at, four, sizeof(four));
    return from <= until ? until + 1 : from;
}

/* From the order found to the order of targets. */
bool genai_put_in_order(struct genai_finder *finder)
{
    struct findings *f = finder->f;
    uint32_t kept = 0;
    uint32_t target = 0;
    bool repeats;

    f->items = arena_alloc(f->arena, finder->count * sizeof(*f->items));
    if (f->items == NULL)
        return false;
    repeats = fill_in_order(finder, f->items);
    for (uint32_t i = 0; i < finder->count; i++) {
        if (repeats && i + 1 < finder->count && f->items[i].row == f->items[i + 1].row &&
            replaced(&f->items[i], &f->items[i + 1]))
            continue;
        if (kept != i)
            f->items[kept] = f->items[i];
        target = fill_first(f->first, target, (uint32_t)f->items[kept].target, kept);
        kept++;
    }
    (void)fill_first(f->first, target, TARGET_COUNT, kept);
    f->count = kept;
    return true;
}
