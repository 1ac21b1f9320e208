/* Lists that threads share, their memory of questions, and the slot. */
#include "ledger/prices.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <xxhash.h>

#include "base/assets.h"
#include "base/clock.h"
#include "ledger/match.h"
#include "ledger/match_provider.h"

/* The memory: sets of four places. A place is two words that a reader loads one by one: the first is
 * half of the question's 128-bit hash, the second the other half with the answer in its low bits. A
 * place that was half written when it was read belongs to no question. */
#define MEMORY_SETS 2048
#define MEMORY_WAYS 4
#define ANSWER_BITS 24
#define ANSWER_MASK ((UINT64_C(1) << ANSWER_BITS) - 1)
#define ANSWER_NOTHING ANSWER_MASK
#define LONGEST_QUESTION (4 * MATCH_MAX_NAME)

/* Answers with own prices in them; more are found anew each time. */
#define MAX_OWN_ANSWERS 65536

struct place {
    _Atomic uint64_t low;
    _Atomic uint64_t high;
};

/* The embedded list, shared by all lists with other own prices on top. */
struct base {
    _Atomic int64_t refs;
    struct price_list list;
};

struct prices {
    _Atomic int64_t refs;
    struct base *base;
    struct price_own own;
    uint64_t seed;
    struct place places[MEMORY_SETS * MEMORY_WAYS];
    _Atomic uint32_t turn; /* which place of a full set is given up next */
    pthread_mutex_t lock;
    struct match *own_answers; /* NULL: no own prices; written under the lock, before its number
                                  is published in a place */
    uint32_t own_answer_count;
};

static void base_unref(struct base *base)
{
    if (atomic_fetch_sub(&base->refs, 1) == 1) {
        price_list_free(&base->list);
        free(base);
    }
}

/* Takes over one reference to base. */
static bool make(struct base *base, const struct own_price *rows, size_t count,
                 struct prices **out_prices, struct err *err)
{
    struct prices *prices = calloc(1, sizeof(*prices));
    bool done;

    if (!prices) {
        base_unref(base);
        return err_set(err, ERR_TOO_LARGE, "no memory for prices");
    }
    prices->base = base;
    /* Not to be guessed, so that nobody can make questions that collide. */
    prices->seed = (uint64_t)clock_wall_ns() ^ (uint64_t)(uintptr_t)prices;
    atomic_init(&prices->refs, 1);
    (void)pthread_mutex_init(&prices->lock, NULL);
    done = price_own_make(&prices->own, &base->list, rows, count, err);
    if (done && count > 0) {
        prices->own_answers = calloc(MAX_OWN_ANSWERS, sizeof(*prices->own_answers));
        if (!prices->own_answers)
            done = err_set(err, ERR_TOO_LARGE, "no memory for prices");
    }
    if (done)
        *out_prices = prices;
    else
        prices_unref(prices);
    return done;
}

bool prices_new(struct bytes list, struct bytes overlay, struct prices **out_prices,
                struct err *err)
{
    struct base *base = calloc(1, sizeof(*base));

    if (!base)
        return err_set(err, ERR_TOO_LARGE, "no memory for prices");
    atomic_init(&base->refs, 1);
    if (!price_list_read(&base->list, list, overlay, err)) {
        base_unref(base);
        return false;
    }
    return make(base, NULL, 0, out_prices, err);
}

bool prices_embedded(struct prices **out_prices, struct err *err)
{
    const struct bytes list = {(const uint8_t *)asset_price_list, asset_price_list_bytes};
    const struct bytes overlay = {(const uint8_t *)asset_price_overlay, asset_price_overlay_bytes};

    return prices_new(list, overlay, out_prices, err);
}

bool prices_with_own(struct prices *from, const struct own_price *rows, size_t count,
                     struct prices **out_prices, struct err *err)
{
    atomic_fetch_add(&from->base->refs, 1);
    return make(from->base, rows, count, out_prices, err);
}

struct prices *prices_ref(struct prices *prices)
{
    atomic_fetch_add(&prices->refs, 1);
    return prices;
}

void prices_unref(struct prices *prices)
{
    if (!prices || atomic_fetch_sub(&prices->refs, 1) != 1)
        return;
    price_own_free(&prices->own);
    free(prices->own_answers);
    (void)pthread_mutex_destroy(&prices->lock);
    base_unref(prices->base);
    free(prices);
}

/* Hash of what the answer depends on. False: too long to be remembered. */
static bool hash_question(const struct prices *prices, const struct price_question *q,
                          XXH128_hash_t *out_hash)
{
    uint8_t text[LONGEST_QUESTION + 32];
    const struct bytes parts[] = {q->provider, q->model, q->request_model, q->host};
    size_t at = sizeof(q->tenant_id);

    memcpy(text, &q->tenant_id, sizeof(q->tenant_id));
    for (size_t i = 0; i < 4; i++) {
        const uint32_t len = (uint32_t)parts[i].len;

        if (parts[i].len > MATCH_MAX_NAME)
            return false;
        memcpy(text + at, &len, sizeof(len));
        if (len > 0)
            memcpy(text + at + sizeof(len), parts[i].at, len);
        at += sizeof(len) + len;
    }
    *out_hash = XXH3_128bits_withSeed(text, at, prices->seed);
    return true;
}

/* False: not remembered. */
static bool recall(struct prices *prices, XXH128_hash_t hash, uint32_t *out_answer)
{
    struct place *set = &prices->places[(hash.low64 % MEMORY_SETS) * MEMORY_WAYS];

    for (size_t i = 0; i < MEMORY_WAYS; i++) {
        const uint64_t high = atomic_load_explicit(&set[i].high, memory_order_acquire);

        if ((high ^ hash.high64) <= ANSWER_MASK && high != 0 &&
            atomic_load_explicit(&set[i].low, memory_order_acquire) == hash.low64) {
            /* The low bits are the answer, not the hash. */
            *out_answer = (uint32_t)(high & ANSWER_MASK);
            return true;
        }
    }
    return false;
}

static void remember(struct prices *prices, XXH128_hash_t hash, uint32_t answer)
{
    struct place *set = &prices->places[(hash.low64 % MEMORY_SETS) * MEMORY_WAYS];
    size_t at = MEMORY_WAYS;

    for (size_t i = 0; i < MEMORY_WAYS && at == MEMORY_WAYS; i++)
        if (atomic_load_explicit(&set[i].high, memory_order_relaxed) == 0)
            at = i;
    if (at == MEMORY_WAYS)
        at = atomic_fetch_add_explicit(&prices->turn, 1, memory_order_relaxed) % MEMORY_WAYS;
    atomic_store_explicit(&set[at].high, 0, memory_order_release);
    atomic_store_explicit(&set[at].low, hash.low64, memory_order_release);
    atomic_store_explicit(&set[at].high, (hash.high64 & ~ANSWER_MASK) | answer,
                          memory_order_release);
}

static bool same_match(const struct match *a, const struct match *b)
{
    return a->own_tenant == b->own_tenant && a->own_global == b->own_global && a->model == b->model;
}

/* Number of an answer: a model of the list, or behind those an answer with own prices. PRICE_NONE:
 * it has none, there are too many. */
static uint32_t number_of(struct prices *prices, const struct match *match)
{
    const uint32_t models = prices->base->list.model_count;
    uint32_t at = 0;

    if (match->own_tenant == PRICE_NONE && match->own_global == PRICE_NONE)
        return match->model;
    (void)pthread_mutex_lock(&prices->lock);
    while (at < prices->own_answer_count && !same_match(&prices->own_answers[at], match))
        at++;
    if (at == prices->own_answer_count && at < MAX_OWN_ANSWERS)
        prices->own_answers[prices->own_answer_count++] = *match;
    (void)pthread_mutex_unlock(&prices->lock);
    return at < MAX_OWN_ANSWERS ? models + at : PRICE_NONE;
}

static bool find_match(struct prices *prices, const struct price_question *q,
                       struct match *out_match)
{
    const uint32_t models = prices->base->list.model_count;
    XXH128_hash_t hash = {0, 0};
    const bool hashed = hash_question(prices, q, &hash);
    uint32_t answer;

    if (hashed && recall(prices, hash, &answer)) {
        if (answer == ANSWER_NOTHING)
            return false;
        *out_match = answer < models ? (struct match){PRICE_NONE, PRICE_NONE, answer}
                                     : prices->own_answers[answer - models];
        return true;
    }
    const bool found = match_find(&prices->base->list, &prices->own, q, out_match);
    answer = found ? number_of(prices, out_match) : (uint32_t)ANSWER_NOTHING;
    if (hashed && answer <= ANSWER_NOTHING)
        remember(prices, hash, answer);
    return found;
}

static void fill_set(const struct price_list *list, const struct price_set *set,
                     struct price *out_price)
{
    const struct price_model *model = &list->models[set->model];

    *out_price = (struct price){
        .id = set->id,
        .name = model->name,
        .provider = list->providers[model->provider].id,
        .source = set->source,
        .effective_from_ns = set->effective_from_ns,
        .rates = set->rates,
    };
}

static bool fill_own(const struct prices *prices, uint32_t group, const struct price_question *q,
                     struct price *out_price)
{
    const struct price_own_row *row =
        group == PRICE_NONE ? NULL : price_own_at(&prices->own, group, q->start_ns);

    if (!row)
        return false;
    price_own_fill(&prices->own, group, row,
                   row->above_tokens > 0 && q->input_tokens > row->above_tokens, out_price);
    return true;
}

static enum price_service service_of(unsigned flags)
{
    return flags & MEANING_BATCH      ? PRICE_BATCH
           : flags & MEANING_FLEX     ? PRICE_FLEX
           : flags & MEANING_PRIORITY ? PRICE_PRIORITY
                                      : PRICE_STANDARD;
}

bool prices_find(struct prices *prices, const struct price_question *question,
                 struct price *out_price)
{
    const struct price_list *list = &prices->base->list;
    struct match match;

    if (!find_match(prices, question, &match))
        return false;
    if (fill_own(prices, match.own_tenant, question, out_price) ||
        fill_own(prices, match.own_global, question, out_price))
        return true;
    if (match.model == PRICE_NONE)
        return false;
    const struct price_entry *entry = price_list_entry(list, match.model, question->start_ns);
    const enum price_service service = service_of(question->flags);
    const bool above = entry->above_tokens > 0 && question->input_tokens > entry->above_tokens;
    fill_set(list, &list->sets[above ? entry->above[service] : entry->base[service]], out_price);
    return true;
}

/* Group of an own row: groups follow each other in the rows. */
static uint32_t group_of(const struct price_own *own, uint32_t row)
{
    uint32_t low = 0;
    uint32_t high = own->group_count;

    while (high - low > 1) {
        const uint32_t middle = low + (high - low) / 2;

        if (own->groups[middle].rows.first <= row)
            low = middle;
        else
            high = middle;
    }
    return low;
}

bool prices_at(const struct prices *prices, size_t index, struct price *out_price)
{
    const struct price_list *list = &prices->base->list;
    const struct price_own *own = &prices->own;

    if (index < list->set_count) {
        fill_set(list, &list->sets[index], out_price);
        return true;
    }
    index -= list->set_count;
    if (index / 2 >= own->row_count)
        return false;
    const uint32_t at = (uint32_t)(index / 2);
    price_own_fill(own, group_of(own, at), &own->rows[at],
                   index % 2 == 1 && own->rows[at].above_tokens > 0, out_price);
    return true;
}

struct bytes prices_provider(const struct prices *prices, struct bytes provider)
{
    const struct price_list *list = &prices->base->list;
    uint8_t lower[MATCH_MAX_NAME];
    uint32_t index;

    if (match_provider(list, match_lower(provider, lower), &index) != MATCH_PROVIDER_LISTED)
        return (struct bytes){0};
    return list->providers[index].id;
}

struct bytes prices_version(const struct prices *prices)
{
    return prices->base->list.version;
}

static bool is_overridden(const struct prices *prices, uint32_t model, int64_t at_ns)
{
    const struct price_list *list = &prices->base->list;
    uint8_t text[MATCH_MAX_NAME];
    const struct bytes id = match_lower(list->models[model].id, text);
    const struct bytes providers[] = {list->providers[list->models[model].provider].id, {0}};

    for (size_t i = 0; i < 2; i++) {
        const uint32_t group = price_own_find(&prices->own, 0, providers[i], id);

        if (group != PRICE_NONE && price_own_at(&prices->own, group, at_ns))
            return true;
    }
    return false;
}

/* Lines of own prices are groups, behind them models. */
bool prices_line(const struct prices *prices, size_t index, int64_t at_ns,
                 struct price_line *out_line)
{
    const struct price_list *list = &prices->base->list;
    struct price_line line = {0};

    if (index < prices->own.group_count) {
        const uint32_t group = (uint32_t)index;
        const struct price_own_row *row = price_own_at(&prices->own, group, at_ns);

        line.own = true;
        line.tenant_id = prices->own.groups[group].tenant_id;
        if (row) {
            line.above_tokens = row->above_tokens;
            price_own_fill(&prices->own, group, row, false, &line.price);
            price_own_fill(&prices->own, group, row, true, &line.above);
        }
    } else if (index - prices->own.group_count < list->model_count) {
        const uint32_t model = (uint32_t)(index - prices->own.group_count);
        const struct price_entry *entry = price_list_entry(list, model, at_ns);

        line.overridden = is_overridden(prices, model, at_ns);

        line.above_tokens = entry->above_tokens;
        fill_set(list, &list->sets[entry->base[PRICE_STANDARD]], &line.price);
        fill_set(list, &list->sets[entry->above[PRICE_STANDARD]], &line.above);
    } else {
        return false;
    }
    *out_line = line;
    return true;
}

void prices_slot_init(struct prices_slot *slot, struct prices *first)
{
    (void)pthread_mutex_init(&slot->lock, NULL);
    slot->current = first;
}

void prices_slot_done(struct prices_slot *slot)
{
    prices_unref(slot->current);
    (void)pthread_mutex_destroy(&slot->lock);
}

struct prices *prices_slot_get(struct prices_slot *slot)
{
    (void)pthread_mutex_lock(&slot->lock);
    struct prices *prices = prices_ref(slot->current);
    (void)pthread_mutex_unlock(&slot->lock);
    return prices;
}

void prices_slot_put(struct prices_slot *slot, struct prices *next)
{
    (void)pthread_mutex_lock(&slot->lock);
    struct prices *old = slot->current;
    slot->current = next;
    (void)pthread_mutex_unlock(&slot->lock);
    prices_unref(old);
}
