/* Own prices. */
#include "ledger/price_own.h"

#include <stdlib.h>
#include <xxhash.h>

#include "ledger/match_provider.h"

#define OWN_MAX_BYTES ((size_t)256 * 1024 * 1024)

/* A row with its names as they are looked for. */
struct sorted {
    const struct own_price *row;
    struct bytes provider;
    struct bytes model;
};

static int compare_names(const struct sorted *a, const struct sorted *b)
{
    int order = (a->row->tenant_id > b->row->tenant_id) - (a->row->tenant_id < b->row->tenant_id);

    if (order == 0)
        order = bytes_compare(a->provider, b->provider);
    return order != 0 ? order : bytes_compare(a->model, b->model);
}

static int compare_sorted(const void *left, const void *right)
{
    const struct sorted *a = left;
    const struct sorted *b = right;
    const int order = compare_names(a, b);
    const int64_t from_a = a->row->effective_from_ns;
    const int64_t from_b = b->row->effective_from_ns;

    return order != 0 ? order : (from_a > from_b) - (from_a < from_b);
}

static bool sort_rows(struct price_own *own, const struct price_list *list,
                      const struct own_price *rows, size_t count, struct sorted *sorted)
{
    for (size_t i = 0; i < count; i++) {
        uint8_t lower[MATCH_MAX_NAME];
        uint32_t index;
        struct bytes provider = match_lower(rows[i].provider, lower);

        if (match_provider(list, provider, &index) == MATCH_PROVIDER_LISTED)
            provider = list->providers[index].id;
        sorted[i].row = &rows[i];
        sorted[i].provider = arena_copy(&own->arena, provider);
        sorted[i].model = arena_copy(&own->arena, match_lower(rows[i].model, lower));
    }
    if (own->arena.failed)
        return false;
    if (count > 0)
        qsort(sorted, count, sizeof(*sorted), compare_sorted);
    return true;
}

static uint64_t hash_of(int32_t tenant_id, struct bytes provider, struct bytes model)
{
    const uint64_t hash = XXH3_64bits_withSeed(provider.at, provider.len, (uint64_t)tenant_id);
    return XXH3_64bits_withSeed(model.at, model.len, hash);
}

uint32_t price_own_find(const struct price_own *own, int32_t tenant_id, struct bytes provider,
                        struct bytes model)
{
    if (own->group_count == 0 || model.len == 0)
        return PRICE_NONE;
    for (size_t i = hash_of(tenant_id, provider, model);; i++) {
        const uint32_t at = own->names[i & own->name_mask];

        if (at == PRICE_NONE)
            return PRICE_NONE;
        const struct price_own_group *group = &own->groups[at];
        if (group->tenant_id == tenant_id && bytes_equal(group->provider, provider) &&
            bytes_equal(group->lower, model))
            return at;
    }
}

static bool add_group(struct price_own *own, const struct sorted *from)
{
    struct price_own_group *group = &own->groups[own->group_count];
    struct buf name;
    size_t i = hash_of(from->row->tenant_id, from->provider, from->model);

    *group = (struct price_own_group){
        .tenant_id = from->row->tenant_id,
        .provider = from->provider,
        .model = arena_copy(&own->arena, from->row->model),
        .lower = from->model,
        .rows = {own->row_count, 0},
    };
    buf_init(&name, 2 * MATCH_MAX_NAME + 2);
    buf_add_bytes(&name, from->provider);
    if (from->provider.len > 0)
        buf_add_byte(&name, ':');
    buf_add_bytes(&name, group->model);
    group->name = arena_copy(&own->arena, buf_bytes(&name));
    const bool done = buf_ok(&name) && !own->arena.failed;
    buf_done(&name);
    if (!done)
        return false;
    while (own->names[i & own->name_mask] != PRICE_NONE)
        i++;
    own->names[i & own->name_mask] = own->group_count++;
    return true;
}

static void add_row(struct price_own *own, const struct own_price *from)
{
    struct price_own_group *group = &own->groups[own->group_count - 1];
    struct price_own_row *row = &own->rows[own->row_count++];

    *row = (struct price_own_row){
        .effective_from_ns = from->effective_from_ns,
        .above_tokens = from->above_tokens,
        .source = arena_copy(&own->arena, from->source),
        .rates = from->rates,
        .above = from->above,
    };
    row->id =
        price_id(group->name, group->provider, row->source, row->effective_from_ns, &row->rates);
    row->above_id = row->above_tokens > 0 ? price_id(group->name, group->provider, row->source,
                                                     row->effective_from_ns, &row->above)
                                          : row->id;
    group->rows.count++;
}

bool price_own_make(struct price_own *own, const struct price_list *list,
                    const struct own_price *rows, size_t count, struct err *err)
{
    struct sorted *sorted;

    *own = (struct price_own){0};
    arena_init(&own->arena, OWN_MAX_BYTES);
    own->name_mask = 16;
    while (own->name_mask < 2 * count)
        own->name_mask *= 2;
    sorted = arena_array(&own->arena, struct sorted, count);
    own->groups = arena_array(&own->arena, struct price_own_group, count);
    own->rows = arena_array(&own->arena, struct price_own_row, count);
    own->names = arena_array(&own->arena, uint32_t, own->name_mask);
    if (own->arena.failed || !sort_rows(own, list, rows, count, sorted))
        return err_set(err, ERR_TOO_LARGE, "no memory for %zu own prices", count);
    for (size_t i = 0; i < own->name_mask; i++)
        own->names[i] = PRICE_NONE;
    own->name_mask--;
    for (size_t i = 0; i < count; i++) {
        if ((i == 0 || compare_names(&sorted[i - 1], &sorted[i]) != 0) &&
            !add_group(own, &sorted[i]))
            return err_set(err, ERR_TOO_LARGE, "no memory for %zu own prices", count);
        add_row(own, sorted[i].row);
    }
    if (own->arena.failed)
        return err_set(err, ERR_TOO_LARGE, "no memory for %zu own prices", count);
    return true;
}

void price_own_free(struct price_own *own)
{
    arena_done(&own->arena);
}

const struct price_own_row *price_own_at(const struct price_own *own, uint32_t group, int64_t at_ns)
{
    const struct price_range range = own->groups[group].rows;

    for (uint32_t i = range.count; i-- > 0;)
        if (own->rows[range.first + i].effective_from_ns <= at_ns)
            return &own->rows[range.first + i];
    return NULL;
}

void price_own_fill(const struct price_own *own, uint32_t group, const struct price_own_row *row,
                    bool above, struct price *out_price)
{
    *out_price = (struct price){
        .id = above ? row->above_id : row->id,
        .name = own->groups[group].name,
        .provider = own->groups[group].provider,
        .source = row->source,
        .effective_from_ns = row->effective_from_ns,
        .rates = above ? row->above : row->rates,
    };
}
