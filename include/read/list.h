/* JSON of the list of traces and of the services. */
#ifndef READ_LIST_H
#define READ_LIST_H

#include "base/arena.h"
#include "base/json_write.h"
#include "model/trace.h"
#include "read/render_time.h"

/* GET /traces. filter is the one the page was made with. Fails with ERR_TOO_LARGE (out). */
MUST_CHECK bool list_render(const struct trace_page *page, const struct trace_filter *filter,
                            struct buf *out, struct err *err);

/* GET /services. */
MUST_CHECK bool list_render_services(const struct service_list *services, struct buf *out,
                                     struct err *err);

/* The members of one trace, and `next_cursor`, for other lists of traces. */
void list_trace_members(struct json *j, struct render_time *time, const struct trace_row *row);
void list_cursor_member(struct json *j, const struct trace_page *page,
                        const struct trace_filter *filter);

#endif
