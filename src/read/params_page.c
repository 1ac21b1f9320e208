/* Range, limit and cursor of a list. */
#include "read/params_page.h"

#include "base/clock.h"
#include "base/text.h"
#include "read/params.h"

static bool read_time(const char *name, struct bytes value, int64_t *out_ns, struct err *err)
{
    struct err cause = {0};

    return clock_parse(value, out_ns, &cause) ||
           err_set(err, cause.kind, "%s: %s", name, cause.text);
}

bool params_page_from(void *target, struct bytes value, struct err *err)
{
    struct params_page *page = target;

    page->has_from = true;
    return read_time("from", value, &page->from_ns, err);
}

bool params_page_to(void *target, struct bytes value, struct err *err)
{
    struct params_page *page = target;

    page->has_to = true;
    return read_time("to", value, &page->to_ns, err);
}

bool params_page_limit(void *target, struct bytes value, struct err *err)
{
    struct params_page *page = target;
    char text[PARAMS_QUOTED_BYTES];
    int64_t limit;

    if (!text_int64(value, &limit) || limit < 1 || limit > PARAMS_MAX_LIMIT)
        return err_set(err, ERR_BAD_INPUT, "limit is '%s', want 1 to %d",
                       params_query_quoted(value, text), PARAMS_MAX_LIMIT);
    page->limit = (uint32_t)limit;
    return true;
}

bool params_page_cursor(void *target, struct bytes value, struct err *err)
{
    struct params_page *page = target;

    return cursor_read(value, &page->cursor, err);
}

/* The days before now, or before the end that was given. */
static void use_last_days(struct params_page *page, int64_t now_ns)
{
    if (!page->has_to)
        page->to_ns = now_ns + PARAMS_AHEAD_NS;
    if (!page->has_from) {
        const int64_t last = page->has_to && page->to_ns < now_ns ? page->to_ns : now_ns;
        page->from_ns = last > PARAMS_DEFAULT_RANGE_NS ? last - PARAMS_DEFAULT_RANGE_NS : 0;
    }
    /* A start that lies beyond them: the days behind it. */
    if (!page->has_to && page->to_ns < page->from_ns &&
        __builtin_add_overflow(page->from_ns, PARAMS_DEFAULT_RANGE_NS, &page->to_ns))
        page->to_ns = INT64_MAX;
}

bool params_page_settle(struct params_page *page, enum cursor_kind kind, bool all_time,
                        int64_t now_ns, struct err *err)
{
    const bool goes_on = page->cursor.position.given;

    if (goes_on && page->cursor.kind != kind)
        return err_set(err, ERR_BAD_INPUT, "cursor belongs to another list");
    if (!goes_on && !all_time)
        use_last_days(page, now_ns);
    else if (!page->has_to)
        page->to_ns = goes_on ? page->cursor.to_ns : INT64_MAX;
    if (goes_on && !page->has_from)
        page->from_ns = page->cursor.from_ns;
    if (page->from_ns < 0)
        page->from_ns = 0;
    return page->to_ns >= page->from_ns || err_set(err, ERR_BAD_INPUT, "from is later than to");
}
