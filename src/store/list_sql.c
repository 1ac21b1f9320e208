/* The list statement, put together from constant fragments: `($7 IS NULL OR …)` for every filter
 * that is not in use would spoil the plan of those that are. */
#include "store/list_sql.h"

#include "base/clock.h"
#include "queries.h"
#include "store/pgtypes.h"

#define TENANT_PARAMS 6
#define MAX_FRAGMENTS 8
#define SQL_MAX_BYTES ((size_t)32 << 10)

/* $a and $b become the numbers of the parameters. */
struct fragment {
    const char *text;
    unsigned types[2]; /* of $a and $b; 0: none */
};

/* EXISTS ends the search before it begins where no such service ever sent anything; `left` is what
 * the index holds. */
static const struct fragment by_service = {
    "AND $a = ANY (v.services) AND EXISTS (SELECT FROM spanledger.resource AS r"
    " WHERE r.tenant_id = $1 AND left(r.service_name, 512) = left($a, 512) AND r.service_name = "
    "$a)",
    {TEXTOID, 0}};

static const struct fragment by_name = {"AND v.name = $a", {TEXTOID, 0}};

static const struct fragment by_duration = {"AND v.end_ns - v.start_ns >= $a", {INT8OID, 0}};

/* As trace_status_of decides in C; $a: what was received up to here no longer runs. */
static const struct fragment by_status[TRACE_STATUS_MAX] = {
    [TRACE_RUNNING] = {"AND v.roots_failed = 0 AND v.roots_cancelled = 0"
                       " AND v.roots_ended = 0 AND v.last_received > $a",
                       {TIMESTAMPTZOID, 0}},
    [TRACE_COMPLETED] = {"AND v.roots_failed = 0 AND v.roots_cancelled = 0"
                         " AND (v.roots_ended > 0 OR v.last_received <= $a)",
                         {TIMESTAMPTZOID, 0}},
    [TRACE_FAILED] = {"AND v.roots_failed > 0", {0, 0}},
    [TRACE_CANCELLED] = {"AND v.roots_failed = 0 AND v.roots_cancelled > 0", {0, 0}},
};

/* What stands behind the cursor, by sort and direction (0 ascending, 1 descending). */
static const struct fragment behind[][2] = {
    [TRACE_SORT_START] = {{"AND (v.start_ns, v.trace_id) > ($a, $b)", {INT8OID, UUIDOID}},
                          {"AND (v.start_ns, v.trace_id) < ($a, $b)", {INT8OID, UUIDOID}}},
    [TRACE_SORT_DURATION] = {{"AND (v.end_ns - v.start_ns, v.trace_id) > ($a, $b)",
                              {INT8OID, UUIDOID}},
                             {"AND (v.end_ns - v.start_ns, v.trace_id) < ($a, $b)",
                              {INT8OID, UUIDOID}}},
    [TRACE_SORT_ERRORS] = {{"AND (v.error_count, v.trace_id) > ($a, $b)", {INT8OID, UUIDOID}},
                           {"AND (v.error_count, v.trace_id) < ($a, $b)", {INT8OID, UUIDOID}}},
};

static const char *const orders[][2] = {
    [TRACE_SORT_START] = {"ORDER BY v.start_ns, v.trace_id",
                          "ORDER BY v.start_ns DESC, v.trace_id DESC"},
    [TRACE_SORT_DURATION] = {"ORDER BY v.end_ns - v.start_ns, v.trace_id",
                             "ORDER BY v.end_ns - v.start_ns DESC, v.trace_id DESC"},
    [TRACE_SORT_ERRORS] = {"ORDER BY v.error_count, v.trace_id",
                           "ORDER BY v.error_count DESC, v.trace_id DESC"},
};

struct maker {
    const struct fragment *used[MAX_FRAGMENTS];
    int first_param[MAX_FRAGMENTS]; /* number of $a */
    size_t used_count;
    bool is_count;
    struct list_sql *list;
};

/* The values of the fragment's parameters must be added by the caller, before the next use. */
static void use(struct maker *m, const struct fragment *fragment)
{
    struct list_sql *list = m->list;

    m->used[m->used_count] = fragment;
    m->first_param[m->used_count] = list->params.count + 1;
    m->used_count++;
    for (int i = 0; i < 2 && fragment->types[i]; i++)
        list->stmt.params[list->params.count + i] = fragment->types[i];
}

static void use_base(struct maker *m, const struct trace_filter *filter, int32_t tenant_id,
                     uint32_t most_rows)
{
    static const unsigned types[TENANT_PARAMS] = {INT4OID, DATEOID, DATEOID,
                                                  INT8OID, INT8OID, INT4OID};
    struct row_params *p = &m->list->params;

    memcpy(m->list->stmt.params, types, sizeof(types));
    row_add_int4(p, tenant_id);
    row_add_day(p, clock_day(filter->from_ns));
    row_add_day(p, clock_day(filter->to_ns));
    row_add_int8(p, filter->from_ns);
    row_add_int8(p, filter->to_ns);
    row_add_int4(p, (int32_t)most_rows);
}

static void use_filters(struct maker *m, const struct trace_filter *filter)
{
    struct row_params *p = &m->list->params;

    if (filter->service.at) {
        use(m, &by_service);
        row_add_text(p, filter->service);
    }
    if (filter->name.at) {
        use(m, &by_name);
        row_add_text(p, filter->name);
    }
    if (filter->min_duration_ns > 0) {
        use(m, &by_duration);
        row_add_int8(p, filter->min_duration_ns);
    }
    if (filter->status != TRACE_ANY_STATUS) {
        use(m, &by_status[filter->status]);
        if (by_status[filter->status].types[0])
            row_add_time_us(p, (filter->now_ns - TRACE_RUNNING_NS) / NS_PER_US);
    }
    if (filter->cursor.given && !m->is_count) {
        use(m, &behind[filter->sort][filter->descending]);
        row_add_int8(p, filter->cursor.sort_value);
        row_add_uuid(p, &filter->cursor.trace_id);
    }
}

/* One decimal digit for each thing that changes the text. */
static unsigned code_of(const struct trace_filter *filter, bool is_count)
{
    unsigned code = is_count * 2U + (filter->service.at != NULL);

    code = code * 2 + (filter->name.at != NULL);
    code = code * 2 + (filter->min_duration_ns > 0);
    code = code * 8 + (unsigned)filter->status;
    if (is_count)
        return code * 16;
    code = code * 2 + filter->cursor.given;
    code = code * 4 + (unsigned)filter->sort;
    return code * 2 + filter->descending;
}

static void add_fragment(struct buf *sql, const char *text, int first_param)
{
    buf_add_text(sql, "        ");
    for (; *text; text++) {
        if (text[0] == '$' && (text[1] == 'a' || text[1] == 'b')) {
            buf_printf(sql, "$%d", first_param + (text[1] - 'a'));
            text++;
        } else {
            buf_add_byte(sql, (uint8_t)*text);
        }
    }
    buf_add_byte(sql, '\n');
}

static void add_place(const struct maker *m, struct buf *sql, struct bytes place,
                      const struct trace_filter *filter)
{
    if (bytes_is(place, "order"))
        add_fragment(sql, orders[filter->sort][filter->descending], 0);
    for (size_t i = 0; i < m->used_count && bytes_is(place, "filters"); i++)
        add_fragment(sql, m->used[i]->text, m->first_param[i]);
}

/* The base text line by line: comments are left out, places are filled. */
static void add_text(const struct maker *m, struct buf *sql, const struct trace_filter *filter)
{
    const char *line = m->is_count ? sql_trace_count : sql_trace_list;

    while (*line) {
        const size_t len = strcspn(line, "\n");

        if (strncmp(line, "--@", 3) == 0)
            add_place(m, sql, (struct bytes){(const uint8_t *)line + 3, len - 3}, filter);
        else if (strncmp(line, "--", 2) != 0)
            buf_add(sql, line, len + (line[len] == '\n'));
        line += len + (line[len] == '\n');
    }
}

bool list_sql_make(const struct trace_filter *filter, enum list_sql_use use, int32_t tenant_id,
                   uint32_t most_rows, struct arena *arena, struct list_sql *out_list,
                   struct err *err)
{
    static const unsigned count_columns[] = {INT8OID, INT8OID, 0};
    struct maker m = {.list = out_list, .is_count = use == LIST_SQL_COUNT};
    struct buf sql;
    struct bytes text;

    *out_list = (struct list_sql){.code = code_of(filter, m.is_count)};
    use_base(&m, filter, tenant_id, most_rows);
    use_filters(&m, filter);
    buf_init(&sql, SQL_MAX_BYTES);
    add_text(&m, &sql, filter);
    text = buf_ok(&sql) ? arena_copy(arena, buf_bytes(&sql)) : (struct bytes){0};
    buf_done(&sql);
    out_list->stmt.sql = (const char *)text.at;
    out_list->stmt.name = arena_printf(arena, "list_%u", out_list->code);
    if (m.is_count)
        memcpy(out_list->stmt.columns, count_columns, sizeof(count_columns));
    else
        memcpy(out_list->stmt.columns, stmt_list_columns, stmt_list_columns_bytes);
    if (!out_list->stmt.sql || !out_list->stmt.name)
        return err_set(err, ERR_TOO_LARGE, "no memory for the list statement");
    return true;
}
