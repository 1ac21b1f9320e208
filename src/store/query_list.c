/* Lists: pages of traces, and the services. */
#include "store/query.h"

#include "base/clock.h"
#include "store/list_sql.h"
#include "store/reader.h"

#define SERVICE_ROWS 10000 /* names of services, shown at most */
#define COUNTED_ROWS 2000  /* traces looked at for the total of a list */

static enum trace_status status_of(struct row *row, int first_column, int64_t last_received_ns,
                                   int64_t now_ns)
{
    const int64_t roots[4] = {[SPAN_ENDED] = row_int8(row, first_column),
                              [SPAN_FAILED] = row_int8(row, first_column + 1),
                              [SPAN_CANCELLED] = row_int8(row, first_column + 2)};

    return trace_status_of(roots, last_received_ns, now_ns);
}

static void read_trace_row(struct row *row, int64_t now_ns, struct trace_row *trace)
{
    trace->trace_id = row_uuid(row, 0);
    trace->start_ns = row_int8(row, 1);
    trace->end_ns = row_int8(row, 2);
    trace->last_received_ns = row_time_us(row, 3) * NS_PER_US;
    trace->name = row_text(row, 4);
    trace->root_service = row_text(row, 5);
    trace->has_root = row_bool(row, 6);
    trace->span_count = row_int8(row, 7);
    trace->error_count = row_int8(row, 8);
    trace->status = status_of(row, 9, trace->last_received_ns, now_ns);
    trace->services = row_texts(row, 12, &trace->service_count);
}

/* How many traces match in all. The last page knows it; the first one counts, as far as that is
 * cheap; the others have it from their cursor. */
static bool find_total(struct reader *reader, int32_t tenant_id, const struct trace_filter *filter,
                       struct arena *arena, struct trace_page *page, struct err *err)
{
    const int64_t known = filter->cursor.seen + (int64_t)page->count + page->more;
    struct list_sql list;
    DB_RESULT res = NULL;
    struct row row;

    page->total = filter->cursor.total > known && page->more ? filter->cursor.total : known;
    page->total_exact = !page->more || filter->cursor.total_exact;
    if (!page->more || filter->cursor.given)
        return true;
    if (!list_sql_make(filter, LIST_SQL_COUNT, tenant_id, COUNTED_ROWS, arena, &list, err) ||
        !reader_run_made(reader, list.code, &list.stmt, &list.params, &res, err))
        return false;
    row = reader_row(res, arena, err);
    page->total_exact = row_int8(&row, 1) < COUNTED_ROWS;
    if (row_int8(&row, 0) > known)
        page->total = row_int8(&row, 0);
    return row_ok(&row);
}

bool reader_list(struct reader *reader, int32_t tenant_id, const struct trace_filter *filter,
                 struct arena *arena, struct trace_page *out_page, struct err *err)
{
    struct list_sql list;
    struct trace_page page = {0};
    DB_RESULT res = NULL;
    struct row row;

    /* One more than asked for says whether another page follows. */
    if (!list_sql_make(filter, LIST_SQL_PAGE, tenant_id, filter->limit + 1, arena, &list, err) ||
        !reader_run_made(reader, list.code, &list.stmt, &list.params, &res, err))
        return false;
    row = reader_row(res, arena, err);
    page.count = (size_t)PQntuples(res);
    page.more = page.count > filter->limit;
    if (page.more)
        page.count = filter->limit;
    page.items = arena_array(arena, struct trace_row, page.count);
    if (!page.items)
        return err_set(err, ERR_TOO_LARGE, "no memory for a page of %zu traces", page.count);
    for (row.at = 0; row.at < (int)page.count; row.at++)
        read_trace_row(&row, filter->now_ns, &page.items[row.at]);
    if (!row_ok(&row) || !find_total(reader, tenant_id, filter, arena, &page, err))
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
