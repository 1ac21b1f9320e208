/*
 * Lists: pages of traces, and the services.
 *
 * DESIGN: whether few or many traces pass a filter is not known before they were looked at, and a
 * prepared plan cannot guess it. So a list by start looks at the first traces of the range; that fills
 * the page where many pass. Otherwise the index of facets (or of names) is asked, with a bound on what
 * it may find: that is everything where few pass. Only what lies between walks along the whole range.
 */
#include "store/query.h"

#include "base/clock.h"
#include "store/list_sql.h"
#include "store/reader.h"

#define SERVICE_ROWS 10000 /* names of services, shown at most */
#define FIRST_ROWS 1000    /* traces looked at first, also for the total of a list */
#define INDEXED_ROWS 5000  /* traces that an index may find */

/* Searches look into this many traces at once: a statement that takes long is followed by a smaller
 * one, so that none comes near the statement timeout; where one does, by one for a single trace, so
 * that a few traces with very long texts do not keep all searches from what lies behind them. */
#define SEARCH_FIRST_ROWS 8
#define SEARCH_MOST_ROWS 16384
#define SEARCH_STEP_NS (200 * NS_PER_MS)
#define SEARCH_DEFAULT_NS (2 * NS_PER_S)

enum column {
    LOOKED_AT,
    MATCHED,
    LAST_NS,
    LAST_ID,
    TRACE_ID,
    START_NS,
    END_NS,
    LAST_RECEIVED,
    NAME,
    ROOT_SERVICE,
    HAS_ROOT,
    SPAN_COUNT,
    ERROR_COUNT,
    ROOTS_ENDED,
    ROOTS_FAILED,
    ROOTS_CANCELLED,
    SERVICES,
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
    CALLS,
    UNPRICED,
    SUMS,
};

/* What one look brought. */
struct look {
    struct trace_row *items;
    size_t count;
    int64_t looked_at; /* of a bounded one: traces of one day */
    int64_t matched;
    bool has_last;
    int64_t last_ns; /* the last trace that was looked at */
    struct uuid last_id;
};

static enum trace_status status_of(struct row *row, int64_t last_received_ns, int64_t now_ns)
{
    const int64_t roots[4] = {[SPAN_ENDED] = row_int8(row, ROOTS_ENDED),
                              [SPAN_FAILED] = row_int8(row, ROOTS_FAILED),
                              [SPAN_CANCELLED] = row_int8(row, ROOTS_CANCELLED)};

    return trace_status_of(roots, last_received_ns, now_ns);
}

static struct trace_texts texts_of(struct row *row, int column)
{
    struct trace_texts texts = {0};

    texts.items = row_texts(row, column, &texts.count);
    return texts;
}

static void read_facts(struct row *row, struct trace_facts *facts)
{
    facts->session_id = row_text_or_empty(row, SESSION_ID);
    facts->user_id = row_text_or_empty(row, USER_ID);
    facts->environment = row_text_or_empty(row, ENVIRONMENT);
    facts->project = row_text_or_empty(row, PROJECT);
    facts->trace_name = row_text_or_empty(row, TRACE_NAME);
    facts->input_preview = row_text_or_empty(row, INPUT_PREVIEW);
    facts->output_preview = row_text_or_empty(row, OUTPUT_PREVIEW);
    facts->tags = texts_of(row, TAGS);
    facts->models = texts_of(row, MODELS);
    facts->providers = texts_of(row, PROVIDERS);
}

static void read_trace_row(struct row *row, int64_t now_ns, struct trace_row *trace)
{
    trace->trace_id = row_uuid(row, TRACE_ID);
    trace->start_ns = row_int8(row, START_NS);
    trace->end_ns = row_int8(row, END_NS);
    trace->last_received_ns = row_time_us(row, LAST_RECEIVED) * NS_PER_US;
    trace->name = row_text(row, NAME);
    trace->root_service = row_text(row, ROOT_SERVICE);
    trace->has_root = row_bool(row, HAS_ROOT);
    trace->span_count = row_int8(row, SPAN_COUNT);
    trace->error_count = row_int8(row, ERROR_COUNT);
    trace->status = status_of(row, trace->last_received_ns, now_ns);
    trace->services = row_texts(row, SERVICES, &trace->service_count);
    read_facts(row, &trace->facts);
    row_spend(row, CALLS, UNPRICED, SUMS, &trace->spend);
}

static bool read_look(const PGresult *res, int64_t now_ns, struct arena *arena,
                      struct look *out_look, struct err *err)
{
    struct row row = reader_row(res, arena, err);
    struct look look = {.count = (size_t)PQntuples(res)};

    look.looked_at = row_int8(&row, LOOKED_AT);
    look.matched = row_int8(&row, MATCHED);
    look.has_last = !row_is_null(&row, LAST_NS);
    if (look.has_last) {
        look.last_ns = row_int8(&row, LAST_NS);
        look.last_id = row_uuid(&row, LAST_ID);
    }
    /* The counts come in any case, on a row of their own where there is no trace. */
    if (row_ok(&row) && row_is_null(&row, TRACE_ID))
        look.count = 0;
    look.items = arena_array(arena, struct trace_row, look.count);
    if (!look.items)
        return err_set(err, ERR_TOO_LARGE, "no memory for a page of %zu traces", look.count);
    for (row.at = 0; row.at < (int)look.count; row.at++)
        read_trace_row(&row, now_ns, &look.items[row.at]);
    if (!row_ok(&row))
        return false;
    *out_look = look;
    return true;
}

struct lister {
    struct reader *reader;
    int32_t tenant_id;
    struct arena *arena;
};

static bool look_at(const struct lister *l, const struct trace_filter *filter,
                    enum list_sql_way way, uint32_t most_rows, uint32_t rows, struct look *out_look,
                    struct err *err)
{
    struct list_sql list;
    DB_RESULT res = NULL;

    return list_sql_make(filter, way, l->tenant_id, most_rows, rows, l->arena, &list, err) &&
           reader_run_made(l->reader, list.code, &list.stmt, &list.params, &res, err) &&
           read_look(res, filter->now_ns, l->arena, out_look, err);
}

static bool has_filters(const struct trace_filter *filter)
{
    return filter->facet_count > 0 || filter->service.at || filter->name.at ||
           filter->status != TRACE_ANY_STATUS || filter->min_duration_ns > 0 ||
           filter->min_cost > 0 || filter->min_tokens > 0;
}

/* How many match in all, as far as the looks so far know. */
struct total {
    bool known;
    int64_t value;
    bool exact;
};

/* The first traces by start, whatever the sort. */
static bool look_first(const struct lister *l, const struct trace_filter *filter,
                       struct look *out_look, struct total *out_total, struct err *err)
{
    struct trace_filter first = *filter;

    if (filter->sort != TRACE_SORT_START) {
        first.sort = TRACE_SORT_START;
        first.descending = true;
        first.limit = 0;
    }
    if (!look_at(l, &first, LIST_SQL_FIRST, first.limit + 1, FIRST_ROWS, out_look, err))
        return false;
    *out_total = (struct total){true, out_look->matched, out_look->looked_at < FIRST_ROWS};
    return true;
}

/* One more than asked for says whether another page follows. */
static bool find_page(const struct lister *l, const struct trace_filter *filter,
                      struct look *out_look, struct total *out_total, struct err *err)
{
    if (filter->sort == TRACE_SORT_START && (has_filters(filter) || !filter->cursor.given)) {
        if (!look_first(l, filter, out_look, out_total, err))
            return false;
        if (out_look->count > filter->limit || out_look->looked_at < FIRST_ROWS)
            return true;
    }
    if (filter->facet_count > 0 || filter->name.at) {
        const enum list_sql_way way = filter->facet_count > 0 ? LIST_SQL_FACETS : LIST_SQL_NAME;

        if (!look_at(l, filter, way, filter->limit + 1, INDEXED_ROWS, out_look, err))
            return false;
        if (out_look->looked_at < INDEXED_ROWS) {
            *out_total = (struct total){true, out_look->matched, true};
            return true;
        }
    }
    return look_at(l, filter, LIST_SQL_WALK, filter->limit + 1, 0, out_look, err);
}

static struct trace_page page_of(const struct look *look, const struct trace_filter *filter)
{
    struct trace_page page = {.items = look->items, .count = look->count};

    page.more = page.count > filter->limit;
    if (page.more)
        page.count = filter->limit;
    return page;
}

/* How many traces match in all. The last page knows it; the first one counts, as far as that is
 * cheap; the others have it from their cursor. */
static bool find_total(const struct lister *l, const struct trace_filter *filter,
                       struct total total, struct trace_page *page, struct err *err)
{
    const int64_t known = filter->cursor.seen + (int64_t)page->count + page->more;
    struct look look;

    page->total = filter->cursor.total > known && page->more ? filter->cursor.total : known;
    page->total_exact = !page->more || filter->cursor.total_exact;
    if (!page->more || filter->cursor.given)
        return true;
    if (!total.known && !look_first(l, filter, &look, &total, err))
        return false;
    page->total_exact = total.exact;
    if (total.value > known)
        page->total = total.value;
    return true;
}

/* Whether an index says that no trace can pass; searches ask it, because they are slow. */
static bool none_can_match(const struct lister *l, const struct trace_filter *filter,
                           bool *out_none, struct err *err)
{
    struct trace_filter indexed = *filter;
    struct look look;

    *out_none = false;
    if (filter->facet_count == 0 && !filter->name.at)
        return true;
    indexed.text = indexed.attr_key = (struct bytes){0};
    if (!look_at(l, &indexed, filter->facet_count > 0 ? LIST_SQL_FACETS : LIST_SQL_NAME, 1,
                 INDEXED_ROWS, &look, err))
        return false;
    *out_none = look.matched == 0 && look.looked_at < INDEXED_ROWS;
    return true;
}

static void add_found(struct trace_page *page, const struct look *look, uint32_t limit)
{
    for (size_t i = 0; i < look->count && page->count < limit; i++)
        page->items[page->count++] = look->items[i];
}

/* Looks into one stretch of traces after the other. */
static bool search(const struct lister *l, struct trace_filter *filter, struct trace_page *page,
                   struct err *err)
{
    const int64_t until_ns =
        clock_mono_ns() + (filter->search_ns > 0 ? filter->search_ns : SEARCH_DEFAULT_NS);
    uint32_t rows = SEARCH_FIRST_ROWS;

    for (;;) {
        const uint32_t room = filter->limit - (uint32_t)page->count;
        const int64_t began_ns = clock_mono_ns();
        struct look look;

        if (!look_at(l, filter, LIST_SQL_FIRST, room + 1, rows, &look, err)) {
            if (err->kind != ERR_TIMEOUT || rows == 1)
                return false;
            rows = 1;
            continue;
        }
        add_found(page, &look, filter->limit);
        page->more = look.count > room;
        if (page->more || look.looked_at < rows)
            return true;
        filter->cursor.given = true;
        filter->cursor.sort_value = look.last_ns;
        filter->cursor.trace_id = look.last_id;
        if (clock_mono_ns() >= until_ns) {
            page->more = page->stopped = true;
            page->stopped_ns = look.last_ns;
            page->stopped_id = look.last_id;
            return true;
        }
        if (clock_mono_ns() - began_ns > SEARCH_STEP_NS)
            rows = rows > 1 ? rows / 2 : rows;
        else if (rows < SEARCH_MOST_ROWS)
            rows *= 2;
    }
}

static bool search_page(const struct lister *l, const struct trace_filter *filter,
                        struct trace_page *out_page, struct err *err)
{
    struct trace_filter moving = *filter;
    struct trace_page page = {.items = arena_array(l->arena, struct trace_row, filter->limit)};
    bool none;

    if (!page.items)
        return err_set(err, ERR_TOO_LARGE, "no memory for a page of %u traces", filter->limit);
    if (!none_can_match(l, filter, &none, err) || (!none && !search(l, &moving, &page, err)))
        return false;
    page.total = filter->cursor.seen + (int64_t)page.count + (page.more && !page.stopped);
    page.total_exact = !page.more;
    *out_page = page;
    return true;
}

bool reader_list(struct reader *reader, int32_t tenant_id, const struct trace_filter *filter,
                 struct arena *arena, struct trace_page *out_page, struct err *err)
{
    const struct lister l = {reader, tenant_id, arena};
    struct total total = {0};
    struct trace_page page;
    struct look look;

    if (trace_filter_searches(filter))
        return search_page(&l, filter, out_page, err);
    if (!find_page(&l, filter, &look, &total, err))
        return false;
    page = page_of(&look, filter);
    if (!find_total(&l, filter, total, &page, err))
        return false;
    *out_page = page;
    return true;
}

bool reader_services(struct reader *reader, int32_t tenant_id, struct arena *arena,
                     struct service_list *out_services, struct err *err)
{
    struct row_params params = {0};
    struct service_list list = {0};
    DB_RESULT res = NULL;
    struct row row;

    row_add_int4(&params, tenant_id);
    row_add_int4(&params, SERVICE_ROWS);
    if (!reader_run_first(reader, &stmts[STMT_SERVICES], &params, &res, err))
        return false;
    row = reader_row(res, arena, err);
    list.count = (size_t)PQntuples(res);
    list.items = arena_array(arena, struct service, list.count);
    if (!list.items)
        return err_set(err, ERR_TOO_LARGE, "no memory for %zu services", list.count);
    for (row.at = 0; row.at < (int)list.count; row.at++)
        list.items[row.at] = (struct service){.name = row_text(&row, 0),
                                              .first_used_day = row_day(&row, 1),
                                              .last_used_day = row_day(&row, 2)};
    if (!row_ok(&row))
        return false;
    *out_services = list;
    return true;
}
