/* Indexed keys as the tree they stand for. */
#include "genai/message.h"

#include <stdlib.h>

#define MAX_SEGMENTS 12 /* what follows is one name with its dots */

/*
 * The keys are sorted by their segments, numbers as numbers, so that what belongs together stands
 * together; one walk then makes the tree:
 *
 *     0.message.role                 [{"message":{"role":…,"tool_calls":[{…}]}}]
 *     0.message.tool_calls.0.…  ──>
 */
struct path {
    struct bytes rest; /* behind the prefix */
    const struct value *value;
    size_t position;
};

static struct bytes first_segment(struct bytes rest, unsigned depth)
{
    const uint8_t *dot = depth < MAX_SEGMENTS ? memchr(rest.at, '.', rest.len) : NULL;

    return (struct bytes){rest.at, dot ? (size_t)(dot - rest.at) : rest.len};
}

static struct bytes behind(struct bytes rest, struct bytes segment)
{
    const size_t skip = segment.len < rest.len ? segment.len + 1 : rest.len;

    return (struct bytes){rest.at + skip, rest.len - skip};
}

static bool is_number(struct bytes segment)
{
    for (size_t i = 0; i < segment.len; i++)
        if (segment.at[i] < '0' || segment.at[i] > '9')
            return false;
    return segment.len > 0 && segment.len <= 9;
}

static struct bytes without_zeros(struct bytes number)
{
    while (number.len > 1 && number.at[0] == '0') {
        number.at++;
        number.len--;
    }
    return number;
}

/* Names in the order of their bytes, numbers by value and before names; "07" is "7". */
static int compare_segments(struct bytes a, struct bytes b)
{
    if (is_number(a) != is_number(b))
        return is_number(a) ? -1 : 1;
    if (is_number(a)) {
        a = without_zeros(a);
        b = without_zeros(b);
        if (a.len != b.len)
            return a.len < b.len ? -1 : 1;
    }
    return bytes_compare(a, b);
}

static int compare_paths(const void *left, const void *right)
{
    const struct path *a = left;
    const struct path *b = right;
    struct bytes rest_a = a->rest;
    struct bytes rest_b = b->rest;

    for (unsigned depth = 0; rest_a.len > 0 && rest_b.len > 0; depth++) {
        const struct bytes segment_a = first_segment(rest_a, depth);
        const struct bytes segment_b = first_segment(rest_b, depth);
        const int order = compare_segments(segment_a, segment_b);

        if (order != 0)
            return order;
        rest_a = behind(rest_a, segment_a);
        rest_b = behind(rest_b, segment_b);
    }
    if (rest_a.len != rest_b.len)
        return rest_a.len == 0 ? -1 : 1;
    return a->position < b->position ? -1 : 1;
}

/* How many of the paths from first on begin with the same segment. */
static size_t group_len(const struct path *paths, size_t first, size_t count, unsigned depth)
{
    const struct bytes segment = first_segment(paths[first].rest, depth);
    size_t i = first + 1;

    while (i < count && paths[i].rest.len > 0 &&
           compare_segments(first_segment(paths[i].rest, depth), segment) == 0)
        i++;
    return i - first;
}

static bool build(struct path *paths, size_t count, unsigned depth, struct arena *arena,
                  struct value *out);

/* Paths that end here say what stands here: the last one sent. Beside a tree it is the tree that
 * stands. */
static bool build_leaf(const struct path *paths, size_t count, struct value *out)
{
    size_t ended = 0;

    while (ended < count && paths[ended].rest.len == 0)
        ended++;
    if (ended < count)
        return false;
    *out = *paths[count - 1].value;
    return true;
}

/* NOLINTNEXTLINE(misc-no-recursion): MAX_SEGMENTS deep at most */
static bool build(struct path *paths, size_t count, unsigned depth, struct arena *arena,
                  struct value *out)
{
    size_t groups = 0;
    uint32_t at = 0;
    bool numbers = true;

    if (build_leaf(paths, count, out))
        return true;
    while (paths[0].rest.len == 0) {
        paths++;
        count--;
    }
    for (size_t i = 0; i < count; i += group_len(paths, i, count, depth)) {
        groups++;
        numbers = numbers && is_number(first_segment(paths[i].rest, depth));
    }
    *out = (struct value){.kind = numbers ? VALUE_ARRAY : VALUE_KVLIST, .count = (uint32_t)groups};
    if (numbers)
        out->items = arena_array(arena, struct value, groups);
    else
        out->entries = arena_array(arena, struct attribute, groups);
    if (numbers ? !out->items : !out->entries)
        return false;
    for (size_t i = 0; i < count; at++) {
        const size_t len = group_len(paths, i, count, depth);
        struct value *into = numbers ? &out->items[at] : &out->entries[at].value;

        if (!numbers)
            out->entries[at].key = first_segment(paths[i].rest, depth);
        for (size_t k = i; k < i + len; k++)
            paths[k].rest = behind(paths[k].rest, first_segment(paths[k].rest, depth));
        if (!build(&paths[i], len, depth + 1, arena, into))
            return false;
        i += len;
    }
    return true;
}

const struct value *message_unflatten(struct indexed_key *keys, size_t count, size_t prefix_len,
                                      struct arena *arena)
{
    struct path *paths = arena_array(arena, struct path, count);
    struct value *tree = arena_new(arena, struct value);
    size_t used = 0;

    if (count == 0 || !paths || !tree)
        return NULL;
    for (size_t i = 0; i < count; i++)
        if (keys[i].key.len > prefix_len)
            paths[used++] = (struct path){
                .rest = {keys[i].key.at + prefix_len, keys[i].key.len - prefix_len},
                .value = keys[i].value,
                .position = i,
            };
    if (used == 0)
        return NULL;
    qsort(paths, used, sizeof(*paths), compare_paths);
    return build(paths, used, 0, arena, tree) ? tree : NULL;
}
