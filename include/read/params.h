/* Query parameters of the API: raw query string to plain structs. Whatever is not understood is
 * refused by name. */
#ifndef READ_PARAMS_H
#define READ_PARAMS_H

#include "base/arena.h"
#include "model/group.h"

#define PARAMS_DEFAULT_LIMIT 50
#define PARAMS_MAX_LIMIT 1000
#define PARAMS_DEFAULT_RANGE_NS (7 * INT64_C(86400) * 1000000000) /* without `from` */
/* Without `to`: senders' clocks may run ahead of ours. */
#define PARAMS_AHEAD_NS (INT64_C(86400) * 1000000000)

/*
 * All of these read `query`, the text behind '?' as it was sent (empty is fine). Fail with
 * ERR_BAD_INPUT: unknown or repeated parameter (named, with the known ones), value out of range,
 * bad percent escape, bad UTF-8, NUL, a cursor that is damaged or of another sort; ERR_TOO_LARGE
 * (arena). Texts of the result live in arena. Pure.
 */

/* GET /traces. now_ns: for the default range and status running. */
MUST_CHECK bool params_list(struct bytes query, int64_t now_ns, struct arena *arena,
                            struct trace_filter *out_filter, struct err *err);

/* GET /sessions/{id}: its traces, oldest first, of all time where no range is given. id: the part of
 * the path as it was sent. */
MUST_CHECK bool params_session(struct bytes query, struct bytes id, int64_t now_ns,
                               struct arena *arena, struct trace_filter *out_filter,
                               struct err *err);

/* GET /sessions and /users; GET /models, which has no cursor. */
MUST_CHECK bool params_groups(struct bytes query, enum group_by by, int64_t now_ns,
                              struct arena *arena, struct group_filter *out_filter,
                              struct err *err);
MUST_CHECK bool params_models(struct bytes query, int64_t now_ns, struct arena *arena,
                              struct group_filter *out_filter, struct err *err);

/* GET /traces/{trace_id}: format, view, window. */
MUST_CHECK bool params_trace(struct bytes query, struct arena *arena, struct trace_view *out_view,
                             struct err *err);

/* GET /spans/{trace_id}/{span_id}: format. */
MUST_CHECK bool params_span(struct bytes query, struct arena *arena, struct trace_view *out_view,
                            struct err *err);

/* Paths without any parameter. */
MUST_CHECK bool params_none(struct bytes query, struct arena *arena, struct err *err);

/* Ids of a path: 32 and 16 hex digits of either case, not all zero. */
MUST_CHECK bool params_trace_id(struct bytes text, struct uuid *out_id, struct err *err);
MUST_CHECK bool params_span_id(struct bytes text, int64_t *out_id, struct err *err);

/* The cursor behind the last trace of a page (at least one) made with this filter: url-safe text,
 * appended to out. It carries the range, so that pages of a default range fit together. */
void params_cursor(const struct trace_filter *filter, const struct trace_page *page,
                   struct buf *out);

/* The same behind a page of sessions or users. */
void params_group_cursor(const struct group_filter *filter, const struct group_page *page,
                         struct buf *out);

#endif
