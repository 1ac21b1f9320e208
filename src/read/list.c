/* Lists as JSON. */
#include "read/list.h"

#include "base/text.h"
#include "read/amounts.h"
#include "read/head.h"
#include "read/params.h"
#include "read/render_time.h"

void list_trace_members(struct json *j, struct render_time *time, const struct trace_row *row)
{
    const struct head head = {.trace_id = &row->trace_id,
                              .name = row->name,
                              .status = row->status,
                              .start_ns = row->start_ns,
                              .end_ns = row->end_ns,
                              .span_count = row->span_count,
                              .error_count = row->error_count};

    head_members(j, time, &head);
    json_key(j, "has_root");
    json_bool(j, row->has_root);
    json_key(j, "root_service");
    json_text(j, row->root_service);
    amounts_texts(j, "services", row->services, row->service_count);
    amounts_facts_members(j, &row->facts);
    amounts_spend_members(j, &row->spend);
}

static bool written(const struct buf *out, struct err *err)
{
    if (!buf_ok(out))
        return err_set(err, ERR_TOO_LARGE, "the answer is larger than %zu bytes", out->max);
    return true;
}

void list_cursor_member(struct json *j, const struct trace_page *page,
                        const struct trace_filter *filter)
{
    json_key(j, "next_cursor");
    if (!page->more || (page->count == 0 && !page->stopped)) {
        json_null(j);
        return;
    }
    buf_add_byte(j->out, '"');
    params_cursor(filter, page, j->out);
    buf_add_byte(j->out, '"');
}

/* The part of the range that was looked at, up to this page. */
static void searched_member(struct json *j, struct render_time *time, const struct trace_page *page,
                            const struct trace_filter *filter)
{
    int64_t from_ns = filter->from_ns;
    int64_t to_ns = filter->to_ns;

    if (page->stopped && filter->descending)
        from_ns = page->stopped_ns;
    else if (page->stopped)
        to_ns = page->stopped_ns;
    json_key(j, "searched");
    json_open(j, '{');
    json_key(j, "from");
    render_time_json(time, j, from_ns);
    json_key(j, "to");
    render_time_json(time, j, to_ns);
    json_close(j, '}');
}

bool list_render(const struct trace_page *page, const struct trace_filter *filter, struct buf *out,
                 struct err *err)
{
    struct json j = json_into(out);
    struct render_time time = {0};

    json_open(&j, '{');
    json_key(&j, "traces");
    json_open(&j, '[');
    for (size_t i = 0; i < page->count; i++) {
        json_item(&j);
        json_open(&j, '{');
        list_trace_members(&j, &time, &page->items[i]);
        json_close(&j, '}');
    }
    json_close(&j, ']');
    list_cursor_member(&j, page, filter);
    searched_member(&j, &time, page, filter);
    json_key(&j, "total");
    json_open(&j, '{');
    json_key(&j, "value");
    json_int(&j, page->total);
    json_key(&j, "exact");
    json_bool(&j, page->total_exact);
    json_close(&j, '}');
    json_close(&j, '}');
    return written(out, err);
}

static void day_member(struct json *j, const char *key, int64_t day)
{
    char text[CLOCK_RFC3339_BYTES];

    (void)clock_rfc3339((uint64_t)(day > 0 ? day : 0) * (uint64_t)(S_PER_DAY * NS_PER_S), text);
    json_key(j, key);
    json_text(j, (struct bytes){(const uint8_t *)text, strlen("2026-11-21")});
}

bool list_render_services(const struct service_list *services, struct buf *out, struct err *err)
{
    struct json j = json_into(out);

    json_open(&j, '{');
    json_key(&j, "services");
    json_open(&j, '[');
    for (size_t i = 0; i < services->count; i++) {
        json_item(&j);
        json_open(&j, '{');
        json_key(&j, "name");
        json_text(&j, services->items[i].name);
        day_member(&j, "first_used", services->items[i].first_used_day);
        day_member(&j, "last_used", services->items[i].last_used_day);
        json_close(&j, '}');
    }
    json_close(&j, ']');
    json_close(&j, '}');
    return written(out, err);
}
