/* A trace and a span as JSON. */
#include "read/render.h"

#include <stdlib.h>

#include "read/amounts.h"
#include "read/head.h"
#include "read/render_span.h"

static int compare_texts(const void *a, const void *b)
{
    return bytes_compare(*(const struct bytes *)a, *(const struct bytes *)b);
}

static bool services_member(struct renderer *r, const struct trace_spans *spans, struct err *err)
{
    struct bytes *names = arena_array(r->arena, struct bytes, spans->count);
    size_t count = 0;

    if (!names)
        return err_set(err, ERR_TOO_LARGE, "no memory for the services of %zu spans", spans->count);
    for (size_t i = 0; i < spans->count; i++)
        if (count == 0 || !bytes_equal(names[count - 1], spans->items[i].service_name))
            names[count++] = spans->items[i].service_name;
    qsort(names, count, sizeof(names[0]), compare_texts);
    json_key(&r->j, "services");
    json_open(&r->j, '[');
    for (size_t i = 0; i < count; i++) {
        if (i > 0 && bytes_equal(names[i], names[i - 1]))
            continue;
        json_item(&r->j);
        json_text(&r->j, names[i]);
    }
    json_close(&r->j, ']');
    return true;
}

static void trace_head(struct renderer *r, const struct tree *tree)
{
    struct json *j = &r->j;
    const struct stored_span *named = tree->root ? tree->root : tree->first;
    const struct head head = {.trace_id = &named->trace_id,
                              .name = named->name,
                              .status = tree->status,
                              .start_ns = tree->start_ns,
                              .end_ns = tree->end_ns,
                              .span_count = (int64_t)tree->count,
                              .error_count = (int64_t)tree->error_count};

    head_members(j, &r->time, &head);
    json_key(j, "complete");
    json_bool(j, tree->complete);
    json_key(j, "missing_parents");
    json_open(j, '[');
    for (size_t i = 0; i < tree->missing_count; i++) {
        json_item(j);
        render_span_id(j, tree->missing_parents[i]);
    }
    json_close(j, ']');
    json_key(j, "root_service");
    json_text(j, named->service_name);
}

static bool written(const struct buf *out, struct err *err)
{
    if (!buf_ok(out))
        return err_set(err, ERR_TOO_LARGE,
                       "the answer is larger than %zu bytes; ask for view=skeleton or a window",
                       out->max);
    return true;
}

static void next_window_member(struct json *j, size_t behind, const struct tree *tree,
                               const struct trace_view *view)
{
    json_key(j, "next_window");
    if (behind < tree->count)
        buf_printf(j->out, "\"%u,%u\"", (unsigned)behind, view->window_count);
    else
        json_null(j);
}

static bool trace_members(struct renderer *r, const struct trace_spans *spans,
                          const struct trace_view *view, const struct tree *tree, struct err *err)
{
    const size_t first = view->window_first < tree->count ? view->window_first : tree->count;
    const size_t rest = tree->count - first;
    const size_t count = view->window_count < rest ? view->window_count : rest;

    trace_head(r, tree);
    if (!services_member(r, spans, err))
        return false;
    amounts_facts_members(&r->j, &spans->facts);
    amounts_spend_members(&r->j, &tree->spend);
    render_span_marks(&r->j, 0, tree->marks);
    next_window_member(&r->j, first + count, tree, view);
    json_key(&r->j, "spans");
    json_open(&r->j, '[');
    for (size_t i = first; i < first + count && buf_ok(r->j.out); i++) {
        json_item(&r->j);
        if (!render_span_of_tree(r, &tree->nodes[i], err))
            return false;
    }
    json_close(&r->j, ']');
    return true;
}

static struct renderer renderer_of(const struct trace_spans *spans, struct arena *arena,
                                   struct arena *scratch, struct buf *out)
{
    arena_init(scratch, arena->max_bytes);
    return (struct renderer){.j = json_into(out),
                             .facts = &spans->facts,
                             .prices = &spans->prices,
                             .arena = arena,
                             .scratch = scratch};
}

bool render_trace(const struct trace_spans *spans, const struct trace_view *view, int64_t now_ns,
                  struct arena *arena, struct buf *out, struct err *err)
{
    struct arena scratch;
    struct renderer r = renderer_of(spans, arena, &scratch, out);
    struct tree tree;
    bool done;

    r.skeleton = view->skeleton;
    json_open(&r.j, '{');
    done =
        tree_build(spans, now_ns, arena, &tree, err) && trace_members(&r, spans, view, &tree, err);
    json_close(&r.j, '}');
    arena_done(&scratch);
    return done && written(out, err);
}

static bool span_members(struct renderer *r, const struct trace_spans *spans, struct err *err)
{
    if (!render_span_alone(r, &spans->items[0], err))
        return false;
    json_key(&r->j, "same_id");
    json_open(&r->j, '[');
    for (size_t i = 1; i < spans->count; i++) {
        json_item(&r->j);
        json_open(&r->j, '{');
        if (!render_span_alone(r, &spans->items[i], err))
            return false;
        json_close(&r->j, '}');
    }
    json_close(&r->j, ']');
    return true;
}

bool render_span(const struct trace_spans *spans, struct arena *arena, struct buf *out,
                 struct err *err)
{
    struct arena scratch;
    struct renderer r;
    bool done;

    if (spans->count == 0)
        return err_set(err, ERR_INTERNAL, "no span to render");
    r = renderer_of(spans, arena, &scratch, out);
    json_open(&r.j, '{');
    done = span_members(&r, spans, err);
    json_close(&r.j, '}');
    arena_done(&scratch);
    return done && written(out, err);
}
