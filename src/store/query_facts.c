/* Facts of a whole trace from its rows; prices. */
#include "store/query_facts.h"

#include <stdlib.h>

#include "base/clock.h"
#include "store/pg_array.h"
#include "store/pgtypes.h"

/* Columns of schema/query/trace_days.sql. RANKS has one for each of the texts behind it. */
enum column {
    RANKS = 2,
    SESSION_ID,
    USER_ID,
    ENVIRONMENT,
    PROJECT,
    TRACE_NAME,
    INPUT_PREVIEW,
    OUTPUT_PREVIEW,
    TAGS,
    MODELS,
    PROVIDERS,
};
#define RANKED (TAGS - SESSION_ID)

static int compare_texts(const void *a, const void *b)
{
    return bytes_compare(*(const struct bytes *)a, *(const struct bytes *)b);
}

/* The texts of least rank, of equal ranks the least (schema/001_core.sql, trace). */
static void ranked_texts(struct row *row, struct bytes texts[RANKED])
{
    int64_t least[RANKED];

    memset(texts, 0, RANKED * sizeof(texts[0]));
    for (row->at = 0; row->at < PQntuples(row->res); row->at++) {
        int64_t ranks[RANKED];

        if (!row_int8s(row, RANKS, ranks, RANKED, INT64_MAX))
            return;
        for (int i = 0; i < RANKED; i++) {
            struct bytes text;

            if (row_is_null(row, SESSION_ID + i) || (texts[i].len > 0 && ranks[i] > least[i]))
                continue;
            text = row_text(row, SESSION_ID + i);
            if (texts[i].len > 0 && ranks[i] == least[i] && compare_texts(&text, &texts[i]) > 0)
                continue;
            texts[i] = text;
            least[i] = ranks[i];
        }
    }
}

/* Distinct texts of all days. */
static struct trace_texts all_of(struct row *row, int column)
{
    struct trace_texts all = {0};

    for (row->at = 0; row->at < PQntuples(row->res); row->at++) {
        uint32_t count;
        struct bytes *texts = row_texts(row, column, &count);
        struct bytes *both;
        uint32_t kept = 0;

        if (count == 0)
            continue;
        both = arena_array(row->arena, struct bytes, (size_t)all.count + count);
        if (!both) {
            row->failed = !err_set(row->err, ERR_TOO_LARGE, "no memory for the words of a trace");
            return all;
        }
        if (all.count > 0)
            memcpy(both, all.items, all.count * sizeof(both[0]));
        memcpy(both + all.count, texts, count * sizeof(both[0]));
        qsort(both, all.count + count, sizeof(both[0]), compare_texts);
        for (uint32_t i = 0; i < all.count + count; i++)
            if (kept == 0 || !bytes_equal(both[kept - 1], both[i]))
                both[kept++] = both[i];
        all = (struct trace_texts){both, kept};
    }
    return all;
}

bool query_facts_read(const PGresult *res, struct arena *arena, struct trace_facts *out_facts,
                      struct err *err)
{
    struct row row = reader_row(res, arena, err);
    struct bytes texts[RANKED];
    struct trace_facts facts;

    ranked_texts(&row, texts);
    facts = (struct trace_facts){
        .session_id = texts[0],
        .user_id = texts[USER_ID - SESSION_ID],
        .environment = texts[ENVIRONMENT - SESSION_ID],
        .project = texts[PROJECT - SESSION_ID],
        .trace_name = texts[TRACE_NAME - SESSION_ID],
        .input_preview = texts[INPUT_PREVIEW - SESSION_ID],
        .output_preview = texts[OUTPUT_PREVIEW - SESSION_ID],
        .tags = all_of(&row, TAGS),
        .models = all_of(&row, MODELS),
        .providers = all_of(&row, PROVIDERS),
    };
    if (!row_ok(&row))
        return false;
    *out_facts = facts;
    return true;
}

static int compare_ids(const void *a, const void *b)
{
    const uint64_t left = *(const uint64_t *)a;
    const uint64_t right = *(const uint64_t *)b;

    return left < right ? -1 : left > right;
}

/* Distinct price ids of the spans, ascending. */
static bool price_ids(const struct trace_spans *spans, struct arena *arena, uint64_t **out_ids,
                      size_t *out_count, struct err *err)
{
    uint64_t *ids = arena_array(arena, uint64_t, spans->count);
    size_t found = 0;
    size_t count = 0;

    if (!ids)
        return err_set(err, ERR_TOO_LARGE, "no memory for the prices of %zu spans", spans->count);
    for (size_t i = 0; i < spans->count; i++) {
        const struct meaning *m = spans->items[i].meaning;

        if (m && m->cost.price_id && (found == 0 || ids[found - 1] != m->cost.price_id))
            ids[found++] = m->cost.price_id;
    }
    qsort(ids, found, sizeof(ids[0]), compare_ids);
    for (size_t i = 0; i < found; i++)
        if (count == 0 || ids[count - 1] != ids[i])
            ids[count++] = ids[i];
    *out_ids = ids;
    *out_count = count;
    return true;
}

static bool read_prices(const PGresult *res, struct arena *arena, struct trace_prices *out_prices,
                        struct err *err)
{
    struct row row = reader_row(res, arena, err);
    struct trace_prices prices = {.count = (size_t)PQntuples(res)};

    prices.items = arena_array(arena, struct trace_price, prices.count);
    if (!prices.items)
        return err_set(err, ERR_TOO_LARGE, "no memory for %zu prices", prices.count);
    for (row.at = 0; row.at < (int)prices.count; row.at++)
        prices.items[row.at] = (struct trace_price){
            .id = (uint64_t)row_int8(&row, 0),
            .name = row_text(&row, 1),
            .source = row_text(&row, 2),
            .effective_from_ns =
                row_is_null(&row, 3) ? INT64_MIN : row_time_us(&row, 3) * NS_PER_US};
    if (!row_ok(&row))
        return false;
    *out_prices = prices;
    return true;
}

bool query_facts_prices(struct reader *reader, const struct trace_spans *spans, struct arena *arena,
                        struct trace_prices *out_prices, struct err *err)
{
    struct row_params params = {0};
    DB_RESULT res = NULL;
    struct pg_array array;
    uint64_t *ids = NULL;
    size_t count = 0;
    bool done;

    *out_prices = (struct trace_prices){0};
    if (!price_ids(spans, arena, &ids, &count, err))
        return false;
    if (count == 0)
        return true;
    pg_array_init(&array, INT8OID, 64 + count * 12);
    for (size_t i = 0; i < count; i++)
        pg_array_int8(&array, (int64_t)ids[i]);
    row_add_binary(&params, pg_array_finish(&array));
    done = stmt_run(&reader->db, stmts[STMT_PRICES].name, &params, &res, err) &&
           read_prices(res, arena, out_prices, err);
    pg_array_done(&array);
    return done;
}
