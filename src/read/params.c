/* Query parameters of single things, and ids. */
#include "read/params.h"

#include "base/text.h"
#include "read/params_query.h"

static bool read_format(void *target, struct bytes value, struct err *err)
{
    struct trace_view *view = target;
    char text[64];

    if (!bytes_is(value, "otlp") && !bytes_is(value, "json"))
        return err_set(err, ERR_BAD_INPUT, "format is '%s', want json or otlp",
                       params_query_quoted(value, text));
    view->otlp = bytes_is(value, "otlp");
    return true;
}

static bool read_view(void *target, struct bytes value, struct err *err)
{
    struct trace_view *view = target;
    char text[64];

    if (!bytes_is(value, "full") && !bytes_is(value, "skeleton"))
        return err_set(err, ERR_BAD_INPUT, "view is '%s', want full or skeleton",
                       params_query_quoted(value, text));
    view->skeleton = bytes_is(value, "skeleton");
    return true;
}

static bool read_window(void *target, struct bytes value, struct err *err)
{
    struct trace_view *view = target;
    const uint8_t *comma = value.len ? memchr(value.at, ',', value.len) : NULL;
    const size_t before = comma ? (size_t)(comma - value.at) : 0;
    char text[64];
    uint64_t first;
    uint64_t count;

    if (!comma || !text_uint64((struct bytes){value.at, before}, &first) ||
        !text_uint64((struct bytes){comma + 1, value.len - before - 1}, &count) ||
        first >= UINT32_MAX || count < 1 || count >= UINT32_MAX)
        return err_set(err, ERR_BAD_INPUT, "window is '%s', want OFFSET,COUNT with COUNT from 1",
                       params_query_quoted(value, text));
    view->window_first = (uint32_t)first;
    view->window_count = (uint32_t)count;
    return true;
}

static const struct param trace_params[] = {
    {"format", false, read_format},
    {"view", false, read_view},
    {"window", false, read_window},
    {NULL, false, NULL},
};

static const struct param span_params[] = {
    {"format", false, read_format},
    {NULL, false, NULL},
};

static const struct param no_params[] = {{NULL, false, NULL}};

bool params_trace(struct bytes query, struct arena *arena, struct trace_view *out_view,
                  struct err *err)
{
    struct trace_view view = {.window_count = UINT32_MAX};

    if (!params_query_read(trace_params, query, &view, arena, err))
        return false;
    if (view.otlp && (view.skeleton || view.window_count != UINT32_MAX))
        return err_set(err, ERR_BAD_INPUT, "format=otlp goes with neither view nor window");
    *out_view = view;
    return true;
}

bool params_span(struct bytes query, struct arena *arena, struct trace_view *out_view,
                 struct err *err)
{
    struct trace_view view = {.window_count = UINT32_MAX};

    if (!params_query_read(span_params, query, &view, arena, err))
        return false;
    *out_view = view;
    return true;
}

bool params_none(struct bytes query, struct arena *arena, struct err *err)
{
    return params_query_read(no_params, query, NULL, arena, err);
}

static bool read_id(struct bytes text, const char *what, uint8_t *to, size_t id_bytes,
                    struct err *err)
{
    static const uint8_t zero[16];
    char quote[64];

    if (text.len != 2 * id_bytes || !text_unhex(text, to))
        return err_set(err, ERR_BAD_INPUT, "%s id is '%s', want %zu hex digits", what,
                       params_query_quoted(text, quote), 2 * id_bytes);
    if (memcmp(to, zero, id_bytes) == 0)
        return err_set(err, ERR_BAD_INPUT, "%s id is all zero", what);
    return true;
}

bool params_trace_id(struct bytes text, struct uuid *out_id, struct err *err)
{
    struct uuid id;

    if (!read_id(text, "trace", id.at, sizeof(id.at), err))
        return false;
    *out_id = id;
    return true;
}

bool params_span_id(struct bytes text, int64_t *out_id, struct err *err)
{
    uint8_t id[8];

    if (!read_id(text, "span", id, sizeof(id), err))
        return false;
    *out_id = (int64_t)read_be64(id);
    return true;
}
