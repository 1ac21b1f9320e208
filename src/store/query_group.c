/*
 * Sessions and users of traces, calls by model.
 *
 * DESIGN: all three look at the newest traces first, one stretch after the other, until the page is
 * full or time is up; no statement is larger than its stretch. A session stands where its newest
 * trace stands: met again further down, it was shown before.
 */
#include "store/query.h"

#include <stdlib.h>

#include "base/clock.h"
#include "store/reader.h"

#define LOOK_LEAST_ROWS 256
#define LOOK_MOST_ROWS 8192
#define LOOK_STEP_NS (200 * NS_PER_MS)
#define LOOK_DEFAULT_NS (2 * NS_PER_S)
#define MOST_MODELS 2000

enum column {
    ID,
    TRACES,
    FIRST_NS,
    END_NS,
    LAST_NS,
    LAST_ID,
    ERRORS,
    INPUT_PREVIEW,
    USERS,
    ENVIRONMENTS,
    SESSIONS,
    CALLS,
    UNPRICED,
    SUMS,
    NEWEST_NS,
    NEWEST_ID,
    LOOKED_AT,
    BEFORE_NS,
    BEFORE_ID,
};

/* Where a look begins and how far it goes. */
struct walk {
    int64_t before_ns;
    struct uuid before_id;
    uint32_t rows;
    int64_t until_ns;
    int64_t began_ns;
    bool ended; /* the range has no more */
};

static struct walk walk_of(const struct group_filter *filter)
{
    struct walk walk = {.before_ns = INT64_MAX,
                        .rows = LOOK_LEAST_ROWS,
                        .until_ns = clock_mono_ns() +
                                    (filter->search_ns > 0 ? filter->search_ns : LOOK_DEFAULT_NS)};

    memset(walk.before_id.at, 0xff, sizeof(walk.before_id.at));
    if (filter->has_cursor) {
        walk.before_ns = filter->before_ns;
        walk.before_id = filter->before_id;
    }
    return walk;
}

/* Behind a look: the next one begins where it ended, and is larger unless it took long. */
static void walk_on(struct walk *walk, struct row *row, int looked_at)
{
    walk->ended = row_int8(row, looked_at) < walk->rows;
    if (!row_is_null(row, looked_at + 1)) {
        walk->before_ns = row_int8(row, looked_at + 1);
        walk->before_id = row_uuid(row, looked_at + 2);
    }
    if (clock_mono_ns() - walk->began_ns > LOOK_STEP_NS)
        walk->rows = walk->rows > LOOK_LEAST_ROWS ? walk->rows / 2 : walk->rows;
    else if (walk->rows < LOOK_MOST_ROWS)
        walk->rows *= 2;
}

static void add_range(struct row_params *p, int32_t tenant_id, const struct group_filter *filter)
{
    row_add_int4(p, tenant_id);
    row_add_day(p, clock_day(filter->from_ns));
    row_add_day(p, clock_day(filter->to_ns));
    row_add_int8(p, filter->from_ns);
    row_add_int8(p, filter->to_ns);
}

static void add_what(struct row_params *p, enum group_by by)
{
    row_add_text(p, by == GROUP_SESSION ? BYTES_LITERAL("session") : BYTES_LITERAL("user"));
}

static void read_group(struct row *row, struct group_row *group)
{
    group->id = row_text(row, ID);
    group->trace_count = row_int8(row, TRACES);
    group->first_ns = row_int8_or_0(row, FIRST_NS);
    group->end_ns = row_int8_or_0(row, END_NS);
    group->last_ns = row_int8_or_0(row, LAST_NS);
    if (!row_is_null(row, LAST_ID))
        group->last_id = row_uuid(row, LAST_ID);
    group->error_count = row_int8_or_0(row, ERRORS);
    group->session_count = row_int8_or_0(row, SESSIONS);
    group->input_preview = row_text_or_empty(row, INPUT_PREVIEW);
    group->users.items = row_texts(row, USERS, &group->users.count);
    group->environments.items = row_texts(row, ENVIRONMENTS, &group->environments.count);
    row_spend(row, CALLS, UNPRICED, SUMS, &group->spend);
}

/* Adds what a look found to the page. */
static bool add_groups(const PGresult *res, const struct group_filter *filter, struct walk *walk,
                       struct arena *arena, struct group_page *page, struct err *err)
{
    struct row row = reader_row(res, arena, err);
    const size_t room = filter->limit + 1 - page->count;
    const int rows = PQntuples(res);
    bool full;

    walk_on(walk, &row, LOOKED_AT);
    if (row_is_null(&row, ID))
        return row_ok(&row);
    for (row.at = 0; row.at < rows && row_ok(&row); row.at++) {
        const struct uuid newest = row_uuid(&row, NEWEST_ID);
        struct group_row group = {0};

        read_group(&row, &group);
        if (group.last_ns == row_int8(&row, NEWEST_NS) &&
            memcmp(newest.at, group.last_id.at, sizeof(newest.at)) == 0)
            page->items[page->count++] = group;
    }
    /* There may have been more of them than were asked for: on from the last one. */
    full = (size_t)rows == room;
    if (full && row_ok(&row)) {
        row.at = rows - 1;
        walk->before_ns = row_int8(&row, NEWEST_NS);
        walk->before_id = row_uuid(&row, NEWEST_ID);
        walk->ended = false;
    }
    return row_ok(&row);
}

static bool look(struct reader *reader, int32_t tenant_id, const struct group_filter *filter,
                 struct walk *walk, struct arena *arena, struct group_page *page, struct err *err)
{
    struct row_params params = {0};
    DB_RESULT res = NULL;

    add_range(&params, tenant_id, filter);
    add_what(&params, filter->by);
    row_add_int4(&params, (int32_t)(filter->limit + 1 - page->count));
    row_add_int8(&params, walk->before_ns);
    row_add_uuid(&params, &walk->before_id);
    row_add_int4(&params, (int32_t)walk->rows);
    walk->began_ns = clock_mono_ns();
    return reader_run_first(reader, &stmts[STMT_GROUP_PAGE], &params, &res, err) &&
           add_groups(res, filter, walk, arena, page, err);
}

bool reader_groups(struct reader *reader, int32_t tenant_id, const struct group_filter *filter,
                   struct arena *arena, struct group_page *out_page, struct err *err)
{
    struct walk walk = walk_of(filter);
    struct group_page page = {.items =
                                  arena_array(arena, struct group_row, (size_t)filter->limit + 1)};

    if (!page.items)
        return err_set(err, ERR_TOO_LARGE, "no memory for a page of %u", filter->limit);
    while (!walk.ended && page.count <= filter->limit && !page.stopped) {
        if (!look(reader, tenant_id, filter, &walk, arena, &page, err))
            return false;
        page.stopped = !walk.ended && clock_mono_ns() >= walk.until_ns;
    }
    page.before_ns = walk.before_ns;
    page.before_id = walk.before_id;
    if (page.count > filter->limit) {
        page.count = filter->limit;
        page.stopped = false;
        page.before_ns = page.items[page.count - 1].last_ns;
        page.before_id = page.items[page.count - 1].last_id;
        page.more = true;
    }
    page.more |= page.stopped;
    *out_page = page;
    return true;
}

bool reader_group(struct reader *reader, int32_t tenant_id, const struct group_filter *filter,
                  struct bytes id, struct arena *arena, struct group_row *out_row, struct err *err)
{
    struct row_params params = {0};
    struct group_row group = {0};
    DB_RESULT res = NULL;
    struct row row;

    add_range(&params, tenant_id, filter);
    add_what(&params, filter->by);
    row_add_text(&params, id);
    if (!reader_run_first(reader, &stmts[STMT_GROUP_ONE], &params, &res, err))
        return false;
    row = reader_row(res, arena, err);
    if (PQntuples(res) > 0)
        read_group(&row, &group);
    if (!row_ok(&row))
        return false;
    *out_row = group;
    return true;
}

/* ---- models ---- */

enum model_column {
    PROVIDER,
    MODEL,
    MODEL_CALLS,
    MODEL_ERRORS,
    MODEL_UNPRICED,
    MODEL_SUMS,
    MODEL_FIRST_NS,
    MODEL_LAST_NS,
    MODEL_LOOKED_AT,
};

static struct model_row *find_model(struct model_list *list, struct bytes provider,
                                    struct bytes model)
{
    for (size_t i = 0; i < list->count; i++)
        if (bytes_equal(list->items[i].model, model) &&
            bytes_equal(list->items[i].provider, provider))
            return &list->items[i];
    return NULL;
}

static bool add_model(struct row *row, struct model_list *list, struct err *err)
{
    struct model_row found = {.provider = row_text(row, PROVIDER),
                              .model = row_text(row, MODEL),
                              .errors = row_int8(row, MODEL_ERRORS),
                              .first_ns = row_int8(row, MODEL_FIRST_NS),
                              .last_ns = row_int8(row, MODEL_LAST_NS)};
    struct model_row *sum;

    row_spend(row, MODEL_CALLS, MODEL_UNPRICED, MODEL_SUMS, &found.spend);
    if (!row_ok(row))
        return false;
    sum = find_model(list, found.provider, found.model);
    if (!sum) {
        if (list->count == MOST_MODELS)
            return err_set(err, ERR_TOO_LARGE, "more than %d models: give a shorter range",
                           MOST_MODELS);
        list->items[list->count++] = found;
        return true;
    }
    spend_add(&sum->spend, &found.spend);
    sum->errors += found.errors;
    if (found.first_ns < sum->first_ns)
        sum->first_ns = found.first_ns;
    if (found.last_ns > sum->last_ns)
        sum->last_ns = found.last_ns;
    return true;
}

static bool look_for_models(struct reader *reader, int32_t tenant_id,
                            const struct group_filter *filter, struct walk *walk,
                            struct arena *arena, struct model_list *list, struct err *err)
{
    struct row_params params = {0};
    DB_RESULT res = NULL;
    struct row row;

    add_range(&params, tenant_id, filter);
    row_add_int8(&params, walk->before_ns);
    row_add_uuid(&params, &walk->before_id);
    row_add_int4(&params, (int32_t)walk->rows);
    walk->began_ns = clock_mono_ns();
    if (!reader_run_first(reader, &stmts[STMT_MODELS], &params, &res, err))
        return false;
    row = reader_row(res, arena, err);
    walk_on(walk, &row, MODEL_LOOKED_AT);
    for (row.at = 0; row.at < PQntuples(res) && !row_is_null(&row, MODEL); row.at++)
        if (!add_model(&row, list, err))
            return false;
    return row_ok(&row);
}

static int compare_models(const void *a, const void *b)
{
    const struct model_row *left = a;
    const struct model_row *right = b;
    int order;

    if (left->spend.cost_total != right->spend.cost_total)
        return left->spend.cost_total > right->spend.cost_total ? -1 : 1;
    if (left->spend.calls != right->spend.calls)
        return left->spend.calls > right->spend.calls ? -1 : 1;
    order = bytes_compare(left->provider, right->provider);
    return order ? order : bytes_compare(left->model, right->model);
}

bool reader_models(struct reader *reader, int32_t tenant_id, const struct group_filter *filter,
                   struct arena *arena, struct model_list *out_models, struct err *err)
{
    struct walk walk = walk_of(filter);
    struct model_list list = {.items = arena_array(arena, struct model_row, MOST_MODELS),
                              .looked_from_ns = filter->from_ns};

    if (!list.items)
        return err_set(err, ERR_TOO_LARGE, "no memory for models");
    while (!walk.ended && !list.stopped) {
        if (!look_for_models(reader, tenant_id, filter, &walk, arena, &list, err))
            return false;
        list.stopped = !walk.ended && clock_mono_ns() >= walk.until_ns;
    }
    if (list.stopped)
        list.looked_from_ns = walk.before_ns;
    qsort(list.items, list.count, sizeof(list.items[0]), compare_models);
    *out_models = list;
    return true;
}
