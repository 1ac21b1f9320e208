/* JSON of sessions, users and models. */
#ifndef READ_GROUP_H
#define READ_GROUP_H

#include "model/group.h"

/* GET /sessions and /users. They all fail with ERR_TOO_LARGE (out). */
MUST_CHECK bool group_render(const struct group_page *page, const struct group_filter *filter,
                             struct buf *out, struct err *err);

/* GET /sessions/{id}: what it comes to, and a page of its traces with the cost up to each. */
MUST_CHECK bool group_render_session(const struct group_row *session, const struct trace_page *page,
                                     const struct trace_filter *filter, struct buf *out,
                                     struct err *err);

/* GET /models. */
MUST_CHECK bool group_render_models(const struct model_list *models,
                                    const struct group_filter *filter, struct buf *out,
                                    struct err *err);

#endif
