/* Random spans, and comparing spans. */
#include "support/spans.h"

#include <stdlib.h>

#define RANDOM_DEPTH 5

uint64_t span_random_next(struct span_random *r)
{
    /* splitmix64 */
    uint64_t z = r->state += 0x9e3779b97f4a7c15U;

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
    return z ^ (z >> 31);
}

static uint32_t below(struct span_random *r, uint32_t limit)
{
    return (uint32_t)(span_random_next(r) % limit);
}

static void *need(void *at)
{
    if (!at)
        abort();
    return at;
}

static struct bytes random_bytes(struct span_random *r, size_t len)
{
    uint8_t *at = need(arena_alloc(r->arena, len));

    for (size_t i = 0; i < len; i++)
        at[i] = (uint8_t)span_random_next(r);
    return (struct bytes){at, len};
}

static struct bytes random_text(struct span_random *r)
{
    static const char *const sound[] = {
        "",     "a", "key",      "service.name", "\"quoted\\\"", "tab\there\n",
        "\x01", "é", "漢字かな", "😀 smile",      "error.type",   "a long text, as prompts are",
    };
    static const struct bytes odd[] = {
        {(const uint8_t *)"a\0b", 3},         {(const uint8_t *)"\0", 1},
        {(const uint8_t *)"\xff", 1},         {(const uint8_t *)"cut \xe6\xbc", 6},
        {(const uint8_t *)"\xc0\xaf", 2},     {(const uint8_t *)"\xed\xa0\x80", 3},
        {(const uint8_t *)"ok\xf4\x90zz", 6},
    };

    if (!r->clean && below(r, 6) == 0)
        return odd[below(r, sizeof(odd) / sizeof(odd[0]))];
    return bytes_of(sound[below(r, sizeof(sound) / sizeof(sound[0]))]);
}

static int64_t random_integer(struct span_random *r)
{
    static const int64_t edges[] = {
        0,
        1,
        -1,
        INT64_MAX,
        INT64_MIN,
        INT64_C(1) << 53,
        (INT64_C(1) << 53) + 1,
        -(INT64_C(1) << 53) - 1,
    };

    if (below(r, 2))
        return edges[below(r, sizeof(edges) / sizeof(edges[0]))];
    return (int64_t)span_random_next(r) >> below(r, 64);
}

static double random_real(struct span_random *r)
{
    static const double edges[] = {
        0.0, -0.0, 1.0, 0.1, 1e300, 5e-324, 1e21, -2.5, 9007199254740993.0, 1.7976931348623157e308};
    uint64_t bits = span_random_next(r);
    double real;

    if (below(r, 2))
        return edges[below(r, sizeof(edges) / sizeof(edges[0]))];
    if (below(r, 8) == 0)
        bits |= UINT64_C(0x7ff) << 52; /* infinities and NaNs */
    memcpy(&real, &bits, sizeof(real));
    if (r->clean && __builtin_isnan(real)) /* JSON has one NaN only */
        return (double)__builtin_nan("");
    return real;
}

static struct attribute *random_entries(struct span_random *r, uint32_t count, unsigned depth);

/* NOLINTNEXTLINE(misc-no-recursion): RANDOM_DEPTH */
static struct value random_value(struct span_random *r, unsigned depth)
{
    struct value value = {.kind = (enum value_kind)below(r, VALUE_BYTES + 1)};

    if (depth >= RANDOM_DEPTH && (value.kind == VALUE_ARRAY || value.kind == VALUE_KVLIST))
        value.kind = VALUE_INT;
    switch (value.kind) {
    case VALUE_EMPTY:
        break;
    case VALUE_STRING:
        value.text = random_text(r);
        break;
    case VALUE_BOOL:
        value.boolean = below(r, 2);
        break;
    case VALUE_INT:
        value.integer = random_integer(r);
        break;
    case VALUE_DOUBLE:
        value.real = random_real(r);
        break;
    case VALUE_ARRAY:
        value.count = below(r, 4);
        value.items = need(arena_array(r->arena, struct value, value.count));
        for (uint32_t i = 0; i < value.count; i++)
            value.items[i] = random_value(r, depth + 1);
        break;
    case VALUE_KVLIST:
        value.count = below(r, 4);
        value.entries = random_entries(r, value.count, depth + 1);
        break;
    case VALUE_BYTES:
        value.text = random_bytes(r, below(r, 7));
        break;
    }
    return value;
}

/* NOLINTNEXTLINE(misc-no-recursion): RANDOM_DEPTH */
static struct attribute *random_entries(struct span_random *r, uint32_t count, unsigned depth)
{
    struct attribute *entries = need(arena_array(r->arena, struct attribute, count));

    for (uint32_t i = 0; i < count; i++) {
        entries[i].key = random_text(r);
        entries[i].value = random_value(r, depth);
    }
    return entries;
}

static struct attributes random_set(struct span_random *r)
{
    const uint32_t count = below(r, 20) == 0 ? 60 : below(r, 6);

    return (struct attributes){
        .items = random_entries(r, count, 0),
        .count = count,
        .dropped = below(r, 4) == 0 ? (uint32_t)span_random_next(r) : 0,
    };
}

static uint64_t random_time(struct span_random *r)
{
    static const uint64_t edges[] = {0, 1, INT64_MAX, (uint64_t)INT64_MAX + 1, UINT64_MAX};

    if (below(r, 4) == 0)
        return edges[below(r, sizeof(edges) / sizeof(edges[0]))];
    return UINT64_C(1795255691653000000) + span_random_next(r) % UINT64_C(1000000000000);
}

static struct resource *random_resource(struct span_random *r)
{
    struct resource *resource = need(arena_new(r->arena, struct resource));

    resource->attributes = random_set(r);
    resource->schema_url = random_text(r);
    resource->entity_ref_count = below(r, 8) == 0 ? 2 : 0;
    resource->entity_refs =
        need(arena_array(r->arena, struct entity_ref, resource->entity_ref_count));
    for (uint32_t i = 0; i < resource->entity_ref_count; i++) {
        struct bytes *keys = need(arena_array(r->arena, struct bytes, 2));

        keys[0] = random_text(r);
        keys[1] = random_text(r);
        resource->entity_refs[i] = (struct entity_ref){
            .schema_url = random_text(r),
            .type = random_text(r),
            .id_keys = keys,
            .id_key_count = below(r, 3),
            .description_keys = keys,
            .description_key_count = below(r, 3),
        };
    }
    return resource;
}

static void random_events(struct span_random *r, struct span *span)
{
    span->event_count = below(r, 3);
    span->events = need(arena_array(r->arena, struct event, span->event_count));
    for (uint32_t i = 0; i < span->event_count; i++)
        span->events[i] = (struct event){
            .time_unix_nano = random_time(r),
            .name = random_text(r),
            .attributes = random_set(r),
        };
}

static void random_links(struct span_random *r, struct span *span)
{
    span->link_count = below(r, 3);
    span->links = need(arena_array(r->arena, struct link, span->link_count));
    for (uint32_t i = 0; i < span->link_count; i++)
        span->links[i] = (struct link){
            .trace_id = random_bytes(r, below(r, 4) == 0 ? below(r, 20) : 16),
            .span_id = random_bytes(r, below(r, 4) == 0 ? below(r, 20) : 8),
            .trace_state = random_text(r),
            .flags = (uint32_t)span_random_next(r),
            .attributes = random_set(r),
        };
}

struct span span_random_make(struct span_random *r)
{
    static const uint8_t zeros[8] = {0};
    struct scope *scope = need(arena_new(r->arena, struct scope));
    struct span span = {
        .trace_id = random_bytes(r, 16),
        .span_id = random_bytes(r, 8),
        .trace_state = random_text(r),
        .name = random_text(r),
        .status_message = random_text(r),
        .start_unix_nano = random_time(r),
        .end_unix_nano = random_time(r),
        .kind = below(r, 6) == 0 ? (int32_t)span_random_next(r) : (int32_t)below(r, 6),
        .status_code = below(r, 6) == 0 ? (int32_t)span_random_next(r) : (int32_t)below(r, 3),
        .flags = (uint32_t)span_random_next(r),
        .attributes = random_set(r),
        .dropped_events = below(r, 3) == 0 ? (uint32_t)span_random_next(r) : 0,
        .dropped_links = below(r, 3) == 0 ? (uint32_t)span_random_next(r) : 0,
        .resource = random_resource(r),
        .scope = scope,
    };

    switch (below(r, 4)) {
    case 0:
        span.parent_span_id = span.span_id;
        break;
    case 1:
        span.parent_span_id = random_bytes(r, 8);
        break;
    case 2:
        span.parent_span_id = (struct bytes){zeros, sizeof(zeros)};
        break;
    default:
        break;
    }
    *scope = (struct scope){
        .name = random_text(r),
        .version = random_text(r),
        .attributes = random_set(r),
        .schema_url = random_text(r),
    };
    random_events(r, &span);
    random_links(r, &span);
    return span;
}

static bool entries_equal(const struct attribute *a, const struct attribute *b, uint32_t count);

/* NOLINTNEXTLINE(misc-no-recursion): values of the tests are shallow */
static bool values_equal(const struct value *a, const struct value *b)
{
    if (a->kind != b->kind)
        return false;
    switch (a->kind) {
    case VALUE_EMPTY:
        return true;
    case VALUE_STRING:
    case VALUE_BYTES:
        return bytes_equal(a->text, b->text);
    case VALUE_BOOL:
        return a->boolean == b->boolean;
    case VALUE_INT:
        return a->integer == b->integer;
    case VALUE_DOUBLE:
        return memcmp(&a->real, &b->real, sizeof(a->real)) == 0;
    case VALUE_ARRAY:
        if (a->count != b->count)
            return false;
        for (uint32_t i = 0; i < a->count; i++)
            if (!values_equal(&a->items[i], &b->items[i]))
                return false;
        return true;
    case VALUE_KVLIST:
        return a->count == b->count && entries_equal(a->entries, b->entries, a->count);
    }
    return false;
}

/* NOLINTNEXTLINE(misc-no-recursion) */
static bool entries_equal(const struct attribute *a, const struct attribute *b, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (!bytes_equal(a[i].key, b[i].key) || !values_equal(&a[i].value, &b[i].value))
            return false;
    return true;
}

static bool sets_equal(const struct attributes *a, const struct attributes *b)
{
    return a->count == b->count && a->dropped == b->dropped &&
           entries_equal(a->items, b->items, a->count);
}

static bool texts_equal(const struct bytes *a, uint32_t a_count, const struct bytes *b,
                        uint32_t b_count)
{
    if (a_count != b_count)
        return false;
    for (uint32_t i = 0; i < a_count; i++)
        if (!bytes_equal(a[i], b[i]))
            return false;
    return true;
}

static bool entity_refs_equal(const struct resource *a, const struct resource *b)
{
    if (a->entity_ref_count != b->entity_ref_count)
        return false;
    for (uint32_t i = 0; i < a->entity_ref_count; i++) {
        const struct entity_ref *x = &a->entity_refs[i];
        const struct entity_ref *y = &b->entity_refs[i];

        if (!bytes_equal(x->schema_url, y->schema_url) || !bytes_equal(x->type, y->type) ||
            !texts_equal(x->id_keys, x->id_key_count, y->id_keys, y->id_key_count) ||
            !texts_equal(x->description_keys, x->description_key_count, y->description_keys,
                         y->description_key_count))
            return false;
    }
    return true;
}

static bool events_equal(const struct span *a, const struct span *b)
{
    if (a->event_count != b->event_count || a->dropped_events != b->dropped_events)
        return false;
    for (uint32_t i = 0; i < a->event_count; i++)
        if (a->events[i].time_unix_nano != b->events[i].time_unix_nano ||
            !bytes_equal(a->events[i].name, b->events[i].name) ||
            !sets_equal(&a->events[i].attributes, &b->events[i].attributes))
            return false;
    return true;
}

static bool links_equal(const struct span *a, const struct span *b)
{
    if (a->link_count != b->link_count || a->dropped_links != b->dropped_links)
        return false;
    for (uint32_t i = 0; i < a->link_count; i++)
        if (!bytes_equal(a->links[i].trace_id, b->links[i].trace_id) ||
            !bytes_equal(a->links[i].span_id, b->links[i].span_id) ||
            !bytes_equal(a->links[i].trace_state, b->links[i].trace_state) ||
            a->links[i].flags != b->links[i].flags ||
            !sets_equal(&a->links[i].attributes, &b->links[i].attributes))
            return false;
    return true;
}

static const char *shared_difference(const struct span *a, const struct span *b)
{
    if (!sets_equal(&a->resource->attributes, &b->resource->attributes))
        return "resource attributes";
    if (!entity_refs_equal(a->resource, b->resource))
        return "entity_refs";
    if (!bytes_equal(a->resource->schema_url, b->resource->schema_url))
        return "resource schema_url";
    if (!bytes_equal(a->scope->name, b->scope->name) ||
        !bytes_equal(a->scope->version, b->scope->version) ||
        !bytes_equal(a->scope->schema_url, b->scope->schema_url))
        return "scope texts";
    return sets_equal(&a->scope->attributes, &b->scope->attributes) ? NULL : "scope attributes";
}

const char *span_difference(const struct span *a, const struct span *b)
{
    if (!bytes_equal(a->trace_id, b->trace_id) || !bytes_equal(a->span_id, b->span_id))
        return "ids";
    if (!bytes_equal(a->parent_span_id, b->parent_span_id))
        return "parent_span_id";
    if (!bytes_equal(a->trace_state, b->trace_state))
        return "trace_state";
    if (!bytes_equal(a->name, b->name))
        return "name";
    if (a->status_code != b->status_code || !bytes_equal(a->status_message, b->status_message))
        return "status";
    if (a->start_unix_nano != b->start_unix_nano || a->end_unix_nano != b->end_unix_nano)
        return "times";
    if (a->kind != b->kind || a->flags != b->flags)
        return "kind or flags";
    if (!sets_equal(&a->attributes, &b->attributes))
        return "attributes";
    if (!events_equal(a, b))
        return "events";
    if (!links_equal(a, b))
        return "links";
    return shared_difference(a, b);
}
