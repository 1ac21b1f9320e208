/* Sessions, users and models as JSON. */
#include "read/group.h"

#include "base/text.h"
#include "read/amounts.h"
#include "read/list.h"
#include "read/params.h"
#include "read/render_time.h"

static bool written(const struct buf *out, struct err *err)
{
    if (!buf_ok(out))
        return err_set(err, ERR_TOO_LARGE, "the answer is larger than %zu bytes", out->max);
    return true;
}

static void time_member(struct json *j, struct render_time *time, const char *key, int64_t ns)
{
    json_key(j, key);
    render_time_json(time, j, ns);
}

static void group_members(struct json *j, struct render_time *time, enum group_by by,
                          const struct group_row *row)
{
    json_key(j, "id");
    json_text(j, row->id);
    time_member(j, time, "first_time", row->first_ns);
    time_member(j, time, "last_time", row->last_ns);
    time_member(j, time, "end_time", row->end_ns);
    json_key(j, "trace_count");
    json_int(j, row->trace_count);
    json_key(j, "error_count");
    json_int(j, row->error_count);
    if (by == GROUP_SESSION) {
        amounts_texts(j, "users", row->users.items, row->users.count);
    } else {
        json_key(j, "session_count");
        json_int(j, row->session_count);
    }
    amounts_texts(j, "environments", row->environments.items, row->environments.count);
    amounts_text_or_null(j, "input_preview", row->input_preview);
    amounts_spend_members(j, &row->spend);
}

static void range_member(struct json *j, struct render_time *time, int64_t from_ns, int64_t to_ns)
{
    json_key(j, "searched");
    json_open(j, '{');
    time_member(j, time, "from", from_ns);
    time_member(j, time, "to", to_ns);
    json_close(j, '}');
}

bool group_render(const struct group_page *page, const struct group_filter *filter, struct buf *out,
                  struct err *err)
{
    struct json j = json_into(out);
    struct render_time time = {0};

    json_open(&j, '{');
    json_key(&j, filter->by == GROUP_SESSION ? "sessions" : "users");
    json_open(&j, '[');
    for (size_t i = 0; i < page->count; i++) {
        json_item(&j);
        json_open(&j, '{');
        group_members(&j, &time, filter->by, &page->items[i]);
        json_close(&j, '}');
    }
    json_close(&j, ']');
    json_key(&j, "next_cursor");
    if (page->more) {
        buf_add_byte(out, '"');
        params_group_cursor(filter, page, out);
        buf_add_byte(out, '"');
    } else {
        json_null(&j);
    }
    range_member(&j, &time, page->stopped ? page->before_ns : filter->from_ns, filter->to_ns);
    json_close(&j, '}');
    return written(out, err);
}

bool group_render_session(const struct group_row *session, const struct trace_page *page,
                          const struct trace_filter *filter, struct buf *out, struct err *err)
{
    struct json j = json_into(out);
    struct render_time time = {0};
    int64_t running_cost = filter->cursor.running_cost;

    json_open(&j, '{');
    group_members(&j, &time, GROUP_SESSION, session);
    json_key(&j, "traces");
    json_open(&j, '[');
    for (size_t i = 0; i < page->count; i++) {
        running_cost = trace_running_cost(running_cost, &page->items[i]);
        json_item(&j);
        json_open(&j, '{');
        list_trace_members(&j, &time, &page->items[i]);
        json_key(&j, "running_cost_usd");
        amounts_usd(&j, running_cost);
        json_close(&j, '}');
    }
    json_close(&j, ']');
    list_cursor_member(&j, page, filter);
    json_close(&j, '}');
    return written(out, err);
}

bool group_render_models(const struct model_list *models, const struct group_filter *filter,
                         struct buf *out, struct err *err)
{
    struct json j = json_into(out);
    struct render_time time = {0};

    json_open(&j, '{');
    json_key(&j, "models");
    json_open(&j, '[');
    for (size_t i = 0; i < models->count && i < filter->limit; i++) {
        const struct model_row *row = &models->items[i];

        json_item(&j);
        json_open(&j, '{');
        amounts_text_or_null(&j, "provider", row->provider);
        amounts_text_or_null(&j, "model", row->model);
        json_key(&j, "errors");
        json_int(&j, row->errors);
        time_member(&j, &time, "first_time", row->first_ns);
        time_member(&j, &time, "last_time", row->last_ns);
        amounts_spend_members(&j, &row->spend);
        json_close(&j, '}');
    }
    json_close(&j, ']');
    range_member(&j, &time, models->looked_from_ns, filter->to_ns);
    json_key(&j, "complete");
    json_bool(&j, !models->stopped && models->count <= filter->limit);
    json_close(&j, '}');
    return written(out, err);
}
