/* Prices in use. */
#include "store/price_used.h"

#include <stdlib.h>

#include "ledger/price_json.h"
#include "queries.h"
#include "store/call.h"
#include "store/pgtypes.h"

#define SLOTS (sizeof(((struct price_used *)0)->known) / sizeof(uint64_t))
#define MOST_BYTES ((size_t)16 << 20)

static const Oid array_types[PRICE_USED_COLUMNS] = {
    INT8ARRAYOID, TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, TIMESTAMPTZARRAYOID, TEXTARRAYOID};

void price_used_init(struct price_used *used)
{
    static const Oid types[PRICE_USED_COLUMNS] = {INT8OID, TEXTOID,        TEXTOID,
                                                  TEXTOID, TIMESTAMPTZOID, TEXTOID};

    memset(used, 0, sizeof(*used));
    buf_init(&used->wanted, MOST_BYTES);
    buf_init(&used->rates, MOST_BYTES);
    for (size_t i = 0; i < PRICE_USED_COLUMNS; i++)
        pg_array_init(&used->columns[i], types[i], MOST_BYTES);
}

void price_used_done(struct price_used *used)
{
    buf_done(&used->wanted);
    buf_done(&used->rates);
    for (size_t i = 0; i < PRICE_USED_COLUMNS; i++)
        pg_array_done(&used->columns[i]);
}

void price_used_disconnected(struct price_used *used)
{
    used->prepared = false;
    buf_clear(&used->wanted);
}

static uint64_t *slot_of(struct price_used *used, uint64_t id)
{
    size_t at = (size_t)id % SLOTS; /* ids are hashes of our own lists */

    while (used->known[at] != 0 && used->known[at] != id)
        at = (at + 1) % SLOTS;
    return &used->known[at];
}

void price_used_want(struct price_used *used, uint64_t price_id)
{
    if (price_id != 0 && *slot_of(used, price_id) == 0)
        buf_add(&used->wanted, &price_id, sizeof(price_id));
}

static int compare_ids(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a;
    const uint64_t y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

static void add_price(struct price_used *used, const struct price *price)
{
    struct pg_array *c = used->columns;

    pg_array_int8(&c[0], (int64_t)price->id);
    pg_array_bytes(&c[1], price->name);
    pg_array_bytes(&c[2], price->provider);
    pg_array_bytes(&c[3], price->source);
    if (price->effective_from_ns == INT64_MIN)
        pg_array_null(&c[4]);
    else
        pg_array_int8(&c[4], pg_timestamp(price->effective_from_ns));
    buf_clear(&used->rates);
    price_json_rates(&used->rates, &price->rates);
    pg_array_bytes(&c[5], buf_bytes(&used->rates));
}

/* In the order of the ids, so that two writers never wait for each other crosswise. */
static void fill_columns(struct price_used *used, const struct prices *list)
{
    uint64_t *ids = (uint64_t *)(void *)used->wanted.at;
    const size_t count = used->wanted.len / sizeof(*ids);
    struct price price;

    for (size_t i = 0; i < PRICE_USED_COLUMNS; i++)
        pg_array_clear(&used->columns[i]);
    qsort(ids, count, sizeof(*ids), compare_ids);
    for (size_t i = 0; i < count; i++)
        if ((i == 0 || ids[i] != ids[i - 1]) && prices_by_id(list, ids[i], &price))
            add_price(used, &price);
}

bool price_used_write(struct price_used *used, struct db *db, const struct prices *list,
                      struct err *err)
{
    struct call call = {0};

    if (!buf_ok(&used->wanted))
        return err_set(err, ERR_UNAVAILABLE, "no memory for the prices of a batch");
    if (used->wanted.len == 0 || !list)
        return true;
    fill_columns(used, list);
    if (used->columns[0].count == 0)
        return true;
    for (size_t i = 0; i < PRICE_USED_COLUMNS; i++) {
        if (!buf_ok(&used->columns[i].bytes) || !buf_ok(&used->rates))
            return err_set(err, ERR_UNAVAILABLE, "no memory for the prices of a batch");
        call_array(&call, array_types[i], &used->columns[i]);
    }
    return call_run(db, "write_prices", &used->prepared, sql_write_prices, &call, NULL, err);
}

void price_used_end(struct price_used *used, bool committed)
{
    const uint64_t *ids = (const uint64_t *)(const void *)used->wanted.at;

    for (size_t i = 0; committed && i < used->wanted.len / sizeof(*ids); i++) {
        uint64_t *slot = slot_of(used, ids[i]);

        if (*slot == 0 && used->known_count < SLOTS / 2) {
            *slot = ids[i];
            used->known_count++;
        }
    }
    buf_clear(&used->wanted);
}
