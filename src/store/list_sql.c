/* The list statement, put together from constant fragments: `($7 IS NULL OR …)` for every filter
 * that is not in use would spoil the plan of those that are. */
#include "store/list_sql.h"

#include <xxhash.h>

#include "base/clock.h"
#include "base/json_write.h"
#include "queries.h"
#include "store/facet_key.h"
#include "store/pg_array.h"
#include "store/pgtypes.h"

#define TENANT_PARAMS 6
#define MAX_USES 16
#define SQL_MAX_BYTES ((size_t)64 << 10)
#define FACETS_MAX_BYTES ((size_t)1 << 10)

/* $a, $b, $c become the numbers of the parameters. */
struct fragment {
    const char *place;
    const char *text;
    unsigned types[3]; /* of $a, $b, $c; 0: none */
};

static const struct fragment in_range = {
    "range", "AND t.tenant_id = $1 AND t.start_ns >= $4 AND t.start_ns < $5", {0}};

/* `+ 0`: no other index than that of facets or names shall seem good. */
#define UNINDEXED_RANGE "AND t.tenant_id + 0 = $1 AND t.start_ns + 0 >= $4 AND t.start_ns + 0 < $5"
static const struct fragment in_facets = {
    "range", "AND t.facets @> $a " UNINDEXED_RANGE, {INT8ARRAYOID}};
/* What the index holds is the first characters of a name. */
static const struct fragment in_names = {
    "range",
    "AND t.tenant_id = $1 AND left(coalesce(t.root_name, t.first_name), 64) = left($a, 64)"
    " AND t.start_ns + 0 >= $4 AND t.start_ns + 0 < $5",
    {TEXTOID}};

/* The first ones behind the cursor, by direction (0 ascending, 1 descending). */
static const struct fragment first_of[] = {
    {"look", "ORDER BY t.start_ns, t.trace_id LIMIT $a", {INT4OID}},
    {"look", "ORDER BY t.start_ns DESC, t.trace_id DESC LIMIT $a", {INT4OID}},
};
static const struct fragment first_behind[] = {
    {"range", "AND (t.start_ns, t.trace_id) > ($a, $b)", {INT8OID, UUIDOID}},
    {"range", "AND (t.start_ns, t.trace_id) < ($a, $b)", {INT8OID, UUIDOID}},
};
static const struct fragment any_of = {"look", "LIMIT $a", {INT4OID}};

/* An index holds the traces with errors alone; whose root failed or was cancelled is among them. */
static const struct fragment with_errors = {"range", "AND t.error_count > 0", {0}};

/* Traces of several days are not among those counted: no further than the last of these. */
#define LAST_UP "ORDER BY o.start_ns DESC, o.trace_id DESC LIMIT 1"
#define LAST_DOWN "ORDER BY o.start_ns, o.trace_id LIMIT 1"
static const struct fragment frontier[] = {
    {"frontier",
     "AND ((SELECT count(*) FROM one) < $a OR (v.start_ns, v.trace_id) <="
     " (SELECT o.start_ns, o.trace_id FROM one AS o " LAST_UP "))",
     {INT4OID}},
    {"frontier",
     "AND ((SELECT count(*) FROM one) < $a OR (v.start_ns, v.trace_id) >="
     " (SELECT o.start_ns, o.trace_id FROM one AS o " LAST_DOWN "))",
     {INT4OID}},
};
static const struct fragment counts[] = {
    {"counts",
     "AND false UNION ALL SELECT (SELECT count(*) FROM one), (SELECT count(*) FROM matched),"
     " (SELECT o.start_ns FROM one AS o " LAST_UP "),"
     " (SELECT o.trace_id FROM one AS o " LAST_UP ")",
     {0}},
    {"counts",
     "AND false UNION ALL SELECT (SELECT count(*) FROM one), (SELECT count(*) FROM matched),"
     " (SELECT o.start_ns FROM one AS o " LAST_DOWN "),"
     " (SELECT o.trace_id FROM one AS o " LAST_DOWN ")",
     {0}},
};

/* IS TRUE: not for the index, see ways. */
static const struct fragment by_facets = {
    "filters", "AND (v.facets @> $a) IS TRUE", {INT8ARRAYOID}};

/* EXISTS ends the search before it begins where no such service ever sent anything; `left` is what
 * the index holds. */
static const struct fragment by_service = {
    "filters",
    "AND $a = ANY (v.services) AND EXISTS (SELECT FROM spanledger.resource AS r"
    " WHERE r.tenant_id = $1 AND left(r.service_name, 512) = left($a, 512) AND r.service_name = "
    "$a)",
    {TEXTOID}};

static const struct fragment by_session = {"filters", "AND v.session_id = $a", {TEXTOID}};
static const struct fragment by_name = {"filters", "AND v.name = $a", {TEXTOID}};
static const struct fragment by_duration = {
    "filters", "AND v.end_ns - v.start_ns >= $a", {INT8OID}};
static const struct fragment by_cost = {"filters", "AND v.cost_total >= $a", {INT8OID}};
static const struct fragment by_tokens = {"filters", "AND v.total_tokens >= $a", {INT8OID}};

/* As trace_status_of decides in C; $a: what was received up to here no longer runs. */
static const struct fragment by_status[TRACE_STATUS_MAX] = {
    [TRACE_RUNNING] = {"filters",
                       "AND v.roots_failed = 0 AND v.roots_cancelled = 0"
                       " AND v.roots_ended = 0 AND v.last_received > $a",
                       {TIMESTAMPTZOID}},
    [TRACE_COMPLETED] = {"filters",
                         "AND v.roots_failed = 0 AND v.roots_cancelled = 0"
                         " AND (v.roots_ended > 0 OR v.last_received <= $a)",
                         {TIMESTAMPTZOID}},
    [TRACE_FAILED] = {"filters", "AND v.roots_failed > 0", {0}},
    [TRACE_CANCELLED] = {"filters", "AND v.roots_failed = 0 AND v.roots_cancelled > 0", {0}},
};

/* One span of the trace is enough. LIMIT 1 and not EXISTS: that would be made a join of all traces
 * with all spans. The days of the trace tell which chunks are opened.
 * $a: the text; $b: the same as it looks inside JSON. */
static const struct fragment by_text = {
    "filters",
    "AND ((SELECT true FROM spanledger.span AS s"
    " WHERE s.tenant_id = $1 AND s.trace_bucket = v.trace_bucket AND s.trace_id = v.trace_id"
    " AND s.start_time >= v.day::timestamp AT TIME ZONE 'UTC'"
    " AND s.start_time < (v.last_day + 1)::timestamp AT TIME ZONE 'UTC'"
    " AND (strpos(lower(s.name), lower($a)) > 0 OR strpos(lower(s.status_message), lower($a)) > 0"
    " OR strpos(lower(s.attributes), lower($b)) > 0 OR strpos(lower(s.events), lower($b)) > 0)"
    " LIMIT 1)"
    " OR (SELECT true FROM spanledger.span_payload AS p"
    " WHERE p.tenant_id = $1 AND p.trace_bucket = v.trace_bucket AND p.trace_id = v.trace_id"
    " AND p.start_time >= v.day::timestamp AT TIME ZONE 'UTC'"
    " AND p.start_time < (v.last_day + 1)::timestamp AT TIME ZONE 'UTC'"
    " AND (strpos(lower(p.attributes), lower($b)) > 0 OR strpos(lower(p.events), lower($b)) > 0)"
    " LIMIT 1))",
    {TEXTOID, TEXTOID}};

/* $a: key, $b: value, $c: the key as it looks inside JSON: only where it stands the text is parsed. */
static const struct fragment by_attribute = {
    "filters",
    "AND (SELECT true FROM spanledger.span AS s"
    " WHERE s.tenant_id = $1 AND s.trace_bucket = v.trace_bucket AND s.trace_id = v.trace_id"
    " AND s.start_time >= v.day::timestamp AT TIME ZONE 'UTC'"
    " AND s.start_time < (v.last_day + 1)::timestamp AT TIME ZONE 'UTC'"
    " AND (CASE WHEN strpos(s.attributes, $c) > 0 THEN s.attributes::jsonb ->> $a = $b END"
    " OR (SELECT CASE WHEN strpos(r.attributes, $c) > 0 THEN r.attributes::jsonb ->> $a = $b END"
    " FROM spanledger.resource AS r"
    " WHERE r.tenant_id = $1 AND r.resource_id = s.resource_id))"
    " LIMIT 1)",
    {TEXTOID, TEXTOID, TEXTOID}};

/* What stands behind the cursor, and the order: by sort and direction. */
#define BEHIND(value)                                                                              \
    {                                                                                              \
        {"filters", "AND (" value ", v.trace_id) > ($a, $b)", {INT8OID, UUIDOID}},                 \
        {                                                                                          \
            "filters", "AND (" value ", v.trace_id) < ($a, $b)",                                   \
            {                                                                                      \
                INT8OID, UUIDOID                                                                   \
            }                                                                                      \
        }                                                                                          \
    }
static const struct fragment behind[TRACE_SORT_MAX][2] = {
    [TRACE_SORT_START] = BEHIND("v.start_ns"),
    [TRACE_SORT_DURATION] = BEHIND("v.end_ns - v.start_ns"),
    [TRACE_SORT_ERRORS] = BEHIND("v.error_count"),
    [TRACE_SORT_COST] = BEHIND("v.cost"),
    [TRACE_SORT_TOKENS] = BEHIND("v.tokens"),
};

/* The value that is sorted by; a start stands in every row. */
static const struct fragment keys[TRACE_SORT_MAX] = {
    [TRACE_SORT_START] = {"key", ", v.start_ns AS key", {0}},
    [TRACE_SORT_DURATION] = {"key", ", v.end_ns - v.start_ns AS key", {0}},
    [TRACE_SORT_ERRORS] = {"key", ", v.error_count AS key", {0}},
    [TRACE_SORT_COST] = {"key", ", v.cost AS key", {0}},
    [TRACE_SORT_TOKENS] = {"key", ", v.tokens AS key", {0}},
};
static const struct fragment orders[] = {
    {"order", "ORDER BY v.key, v.trace_id", {0}},
    {"order", "ORDER BY v.key DESC, v.trace_id DESC", {0}},
};
/* Each part of a walk has the order and the limit of the whole, so that it can follow an index and
 * stop. */
static const struct fragment part_orders[] = {
    {"part", "ORDER BY key, v.trace_id LIMIT $6", {0}},
    {"part", "ORDER BY key DESC, v.trace_id DESC LIMIT $6", {0}},
};

struct use {
    const struct fragment *fragment;
    int first_param; /* number of $a */
};

struct maker {
    struct use uses[MAX_USES];
    size_t use_count;
    const struct trace_filter *filter;
    int32_t tenant_id;
    struct list_sql *list;
    struct arena *arena;
};

/* The values of the fragment's parameters must be added by the caller, before the next use. */
static void use(struct maker *m, const struct fragment *fragment)
{
    struct list_sql *list = m->list;

    m->uses[m->use_count++] =
        (struct use){.fragment = fragment, .first_param = list->params.count + 1};
    for (int i = 0; i < 3 && fragment->types[i]; i++)
        list->stmt.params[list->params.count + i] = fragment->types[i];
}

static void use_base(struct maker *m, uint32_t most_rows)
{
    static const unsigned types[TENANT_PARAMS] = {INT4OID, DATEOID, DATEOID,
                                                  INT8OID, INT8OID, INT4OID};
    const struct trace_filter *filter = m->filter;
    struct row_params *p = &m->list->params;

    memcpy(m->list->stmt.params, types, sizeof(types));
    row_add_int4(p, m->tenant_id);
    row_add_day(p, clock_day(filter->from_ns));
    row_add_day(p, clock_day(filter->to_ns));
    row_add_int8(p, filter->from_ns);
    row_add_int8(p, filter->to_ns);
    row_add_int4(p, (int32_t)most_rows);
}

static void add_facets(struct maker *m)
{
    struct pg_array array;

    pg_array_init(&array, INT8OID, FACETS_MAX_BYTES);
    for (uint32_t i = 0; i < m->filter->facet_count; i++)
        pg_array_int8(&array, facet_key(m->tenant_id, m->filter->facets[i]));
    row_add_binary(&m->list->params, arena_copy(m->arena, pg_array_finish(&array)));
    pg_array_done(&array);
}

static void add_cursor(struct maker *m, const struct fragment *fragment)
{
    use(m, fragment);
    row_add_int8(&m->list->params, m->filter->cursor.sort_value);
    row_add_uuid(&m->list->params, &m->filter->cursor.trace_id);
}

static void use_look(struct maker *m, const struct fragment *fragment, uint32_t look)
{
    use(m, fragment);
    row_add_int4(&m->list->params, (int32_t)look);
}

static void use_way(struct maker *m, enum list_sql_way way, uint32_t look)
{
    const struct trace_filter *filter = m->filter;

    if (way == LIST_SQL_FACETS) {
        use(m, &in_facets);
        add_facets(m);
        use_look(m, &any_of, look);
    } else if (way == LIST_SQL_NAME) {
        use(m, &in_names);
        row_add_text(&m->list->params, filter->name);
        use_look(m, &any_of, look);
    } else {
        use(m, &in_range);
    }
    if (filter->status == TRACE_FAILED || filter->status == TRACE_CANCELLED)
        use(m, &with_errors);
    if (way == LIST_SQL_WALK) {
        use(m, &part_orders[filter->descending]);
        return;
    }
    use(m, &counts[filter->descending]);
    if (way != LIST_SQL_FIRST)
        return;
    if (filter->cursor.given)
        add_cursor(m, &first_behind[filter->descending]);
    use_look(m, &first_of[filter->descending], look);
    use_look(m, &frontier[filter->descending], look);
}

static void use_number(struct maker *m, const struct fragment *fragment, int64_t least)
{
    if (least <= 0)
        return;
    use(m, fragment);
    row_add_int8(&m->list->params, least);
}

static void use_filters(struct maker *m)
{
    const struct trace_filter *filter = m->filter;
    struct row_params *p = &m->list->params;

    if (filter->facet_count > 0) {
        use(m, &by_facets);
        add_facets(m);
    }
    if (filter->service.at) {
        use(m, &by_service);
        row_add_text(p, filter->service);
    }
    if (filter->name.at) {
        use(m, &by_name);
        row_add_text(p, filter->name);
    }
    if (filter->session.at) {
        use(m, &by_session);
        row_add_text(p, filter->session);
    }
    use_number(m, &by_duration, filter->min_duration_ns);
    use_number(m, &by_cost, filter->min_cost);
    use_number(m, &by_tokens, filter->min_tokens);
    if (filter->status != TRACE_ANY_STATUS) {
        use(m, &by_status[filter->status]);
        if (by_status[filter->status].types[0])
            row_add_time_us(p, (filter->now_ns - TRACE_RUNNING_NS) / NS_PER_US);
    }
}

/* A text as it stands between the quotes of our JSON. */
static struct bytes inside_json(struct maker *m, struct bytes text, const char *behind_it)
{
    struct bytes copy;
    struct buf json;

    buf_init(&json, 6 * text.len + 16);
    (void)json_string(&json, text);
    if (buf_ok(&json))
        json.len--;
    buf_add_text(&json, behind_it);
    copy = buf_ok(&json) ? arena_copy(m->arena, buf_bytes(&json)) : (struct bytes){0};
    buf_done(&json);
    return copy;
}

static void use_searches(struct maker *m)
{
    const struct trace_filter *filter = m->filter;
    struct row_params *p = &m->list->params;

    if (filter->text.at) {
        struct bytes json = inside_json(m, filter->text, "");

        use(m, &by_text);
        row_add_text(p, filter->text);
        if (json.len > 0) { /* the opening quote is none of it */
            json.at++;
            json.len--;
        }
        row_add_text(p, json);
    }
    if (filter->attr_key.at) {
        use(m, &by_attribute);
        row_add_text(p, filter->attr_key);
        row_add_text(p, filter->attr_value);
        row_add_text(p, inside_json(m, filter->attr_key, "\":"));
    }
}

static void add_fragment(struct buf *sql, const struct use *use)
{
    buf_add_text(sql, "        ");
    for (const char *text = use->fragment->text; *text; text++) {
        if (text[0] == '$' && text[1] >= 'a' && text[1] <= 'c') {
            buf_printf(sql, "$%d", use->first_param + (text[1] - 'a'));
            text++;
        } else {
            buf_add_byte(sql, (uint8_t)*text);
        }
    }
    buf_add_byte(sql, '\n');
}

/* The base text line by line: comments are left out, places are filled. */
static void add_text(const struct maker *m, struct buf *sql)
{
    const char *line = sql_trace_list;

    while (*line) {
        const size_t len = strcspn(line, "\n");
        const struct bytes place = {(const uint8_t *)line + 3, len > 3 ? len - 3 : 0};

        if (strncmp(line, "--", 2) != 0)
            buf_add(sql, line, len + (line[len] == '\n'));
        for (size_t i = 0; strncmp(line, "--@", 3) == 0 && i < m->use_count; i++)
            if (bytes_is(place, m->uses[i].fragment->place))
                add_fragment(sql, &m->uses[i]);
        line += len + (line[len] == '\n');
    }
}

bool list_sql_make(const struct trace_filter *filter, enum list_sql_way way, int32_t tenant_id,
                   uint32_t most_rows, uint32_t look, struct arena *arena,
                   struct list_sql *out_list, struct err *err)
{
    struct maker m = {.filter = filter, .tenant_id = tenant_id, .list = out_list, .arena = arena};
    struct buf sql;
    struct bytes text;

    *out_list = (struct list_sql){.code = 0};
    use_base(&m, most_rows);
    use_way(&m, way, look);
    use_filters(&m);
    use_searches(&m);
    if (filter->cursor.given)
        add_cursor(&m, &behind[filter->sort][filter->descending]);
    use(&m, &keys[filter->sort]);
    use(&m, &orders[filter->descending]);
    buf_init(&sql, SQL_MAX_BYTES);
    add_text(&m, &sql);
    text = buf_ok(&sql) ? arena_copy(arena, buf_bytes(&sql)) : (struct bytes){0};
    buf_done(&sql);
    out_list->code = text.at ? XXH3_64bits(text.at, text.len) : 0;
    out_list->stmt.sql = (const char *)text.at;
    out_list->stmt.name = arena_printf(arena, "list_%016llx", (unsigned long long)out_list->code);
    memcpy(out_list->stmt.columns, stmt_list_columns, stmt_list_columns_bytes);
    if (!out_list->stmt.sql || !out_list->stmt.name || arena->failed)
        return err_set(err, ERR_TOO_LARGE, "no memory for the list statement");
    return true;
}
