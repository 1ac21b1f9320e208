/* Parameters of sessions, users and models. */
#include "base/clock.h"
#include "base/text.h"
#include "read/cursor.h"
#include "read/params.h"
#include "read/params_query.h"

struct group_target {
    struct group_filter *filter;
    struct cursor cursor;
    bool has_from;
    bool has_to;
};

static bool read_from(void *target, struct bytes value, struct err *err)
{
    struct group_target *t = target;

    t->has_from = true;
    return clock_parse(value, &t->filter->from_ns, err);
}

static bool read_to(void *target, struct bytes value, struct err *err)
{
    struct group_target *t = target;

    t->has_to = true;
    return clock_parse(value, &t->filter->to_ns, err);
}

static bool read_limit(void *target, struct bytes value, struct err *err)
{
    struct group_target *t = target;
    char text[PARAMS_QUOTED_BYTES];
    int64_t limit;

    if (!text_int64(value, &limit) || limit < 1 || limit > PARAMS_MAX_LIMIT)
        return err_set(err, ERR_BAD_INPUT, "limit is '%s', want 1 to %d",
                       params_query_quoted(value, text), PARAMS_MAX_LIMIT);
    t->filter->limit = (uint32_t)limit;
    return true;
}

static bool read_cursor(void *target, struct bytes value, struct err *err)
{
    struct group_target *t = target;

    return cursor_read(value, &t->cursor, err);
}

static const struct param group_params[] = {
    {"from", true, read_from},      {"to", true, read_to}, {"limit", false, read_limit},
    {"cursor", false, read_cursor}, {NULL, false, NULL},
};

static const struct param model_params[] = {
    {"from", true, read_from},
    {"to", true, read_to},
    {"limit", false, read_limit},
    {NULL, false, NULL},
};

static enum cursor_kind kind_of(enum group_by by)
{
    return by == GROUP_SESSION ? CURSOR_SESSIONS : CURSOR_USERS;
}

/* The last seven days where no range is given; that of the cursor where there is one. */
static bool use_range(struct group_target *t, int64_t now_ns, struct err *err)
{
    struct group_filter *filter = t->filter;
    const bool goes_on = t->cursor.position.given;

    if (goes_on && t->cursor.kind != kind_of(filter->by))
        return err_set(err, ERR_BAD_INPUT, "cursor belongs to another list");
    if (!t->has_to)
        filter->to_ns = goes_on ? t->cursor.to_ns : now_ns + PARAMS_AHEAD_NS;
    if (!t->has_from && goes_on) {
        filter->from_ns = t->cursor.from_ns;
    } else if (!t->has_from) {
        const int64_t last = t->has_to && filter->to_ns < now_ns ? filter->to_ns : now_ns;
        filter->from_ns = last > PARAMS_DEFAULT_RANGE_NS ? last - PARAMS_DEFAULT_RANGE_NS : 0;
    }
    if (filter->from_ns < 0)
        filter->from_ns = 0;
    if (filter->to_ns < filter->from_ns)
        return err_set(err, ERR_BAD_INPUT, "from is later than to");
    filter->has_cursor = goes_on;
    filter->before_ns = t->cursor.position.sort_value;
    filter->before_id = t->cursor.position.trace_id;
    return true;
}

bool params_groups(struct bytes query, enum group_by by, int64_t now_ns, struct arena *arena,
                   struct group_filter *out_filter, struct err *err)
{
    struct group_filter filter = {.by = by, .limit = PARAMS_DEFAULT_LIMIT};
    struct group_target target = {.filter = &filter};

    if (!params_query_read(group_params, query, &target, arena, err) ||
        !use_range(&target, now_ns, err))
        return false;
    *out_filter = filter;
    return true;
}

bool params_models(struct bytes query, int64_t now_ns, struct arena *arena,
                   struct group_filter *out_filter, struct err *err)
{
    struct group_filter filter = {.limit = PARAMS_MAX_LIMIT};
    struct group_target target = {.filter = &filter};

    if (!params_query_read(model_params, query, &target, arena, err) ||
        !use_range(&target, now_ns, err))
        return false;
    *out_filter = filter;
    return true;
}

void params_group_cursor(const struct group_filter *filter, const struct group_page *page,
                         struct buf *out)
{
    cursor_write(&(struct cursor){.kind = kind_of(filter->by),
                                  .from_ns = filter->from_ns,
                                  .to_ns = filter->to_ns,
                                  .position = {.given = true,
                                               .sort_value = page->before_ns,
                                               .trace_id = page->before_id}},
                 out);
}
