/* Parameters of sessions, users and models. */
#include "read/params.h"

#include "read/params_page.h"

static const struct param group_params[] = {
    PARAMS_PAGE_RANGE,
    PARAMS_PAGE_LIMIT,
    PARAMS_PAGE_CURSOR,
    {NULL, false, NULL},
};

static const struct param model_params[] = {
    PARAMS_PAGE_RANGE,
    PARAMS_PAGE_LIMIT,
    {NULL, false, NULL},
};

static enum cursor_kind kind_of(enum group_by by)
{
    return by == GROUP_SESSION ? CURSOR_SESSIONS : CURSOR_USERS;
}

static bool read_filter(const struct param *params, struct bytes query, enum group_by by,
                        uint32_t default_limit, int64_t now_ns, struct arena *arena,
                        struct group_filter *out_filter, struct err *err)
{
    struct params_page page = {.limit = default_limit};

    if (!params_query_read(params, query, &page, arena, err) ||
        !params_page_settle(&page, kind_of(by), /* all_time= */ false, now_ns, err))
        return false;
    *out_filter = (struct group_filter){.by = by,
                                        .from_ns = page.from_ns,
                                        .to_ns = page.to_ns,
                                        .limit = page.limit,
                                        .has_cursor = page.cursor.position.given,
                                        .before_ns = page.cursor.position.sort_value,
                                        .before_id = page.cursor.position.trace_id};
    return true;
}

bool params_groups(struct bytes query, enum group_by by, int64_t now_ns, struct arena *arena,
                   struct group_filter *out_filter, struct err *err)
{
    return read_filter(group_params, query, by, PARAMS_DEFAULT_LIMIT, now_ns, arena, out_filter,
                       err);
}

bool params_models(struct bytes query, int64_t now_ns, struct arena *arena,
                   struct group_filter *out_filter, struct err *err)
{
    return read_filter(model_params, query, GROUP_SESSION, PARAMS_MAX_LIMIT, now_ns, arena,
                       out_filter, err);
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
