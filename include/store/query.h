/* Reading: statements of schema/query/, rows as plain structs in an arena. Every reader function
 * opens the connection when it is not open. */
#ifndef STORE_QUERY_H
#define STORE_QUERY_H

#include "base/arena.h"
#include "base/cfg.h"
#include "model/group.h"
#include "model/stored.h"
#include "model/trace.h"

struct reader; /* one per read worker */

MUST_CHECK bool reader_new(const struct cfg *cfg, const char *conninfo, struct reader **out_reader,
                           struct err *err);
void reader_free(struct reader *reader);

/* All spans of a trace, ordered by (start, span id, kind), with their resources and scopes; count
 * 0: not known. full: with attributes, events, links, exact. */
MUST_CHECK bool reader_trace(struct reader *reader, int32_t tenant_id, const struct uuid *trace_id,
                             bool full, struct arena *arena, struct trace_spans *out_spans,
                             struct err *err);
/* One span by its ids: same order; several when ids are shared by kind or start. */
MUST_CHECK bool reader_span(struct reader *reader, int32_t tenant_id, const struct uuid *trace_id,
                            int64_t span_id, struct arena *arena, struct trace_spans *out_spans,
                            struct err *err);
MUST_CHECK bool reader_list(struct reader *reader, int32_t tenant_id,
                            const struct trace_filter *filter, struct arena *arena,
                            struct trace_page *out_page, struct err *err);
MUST_CHECK bool reader_services(struct reader *reader, int32_t tenant_id, struct arena *arena,
                                struct service_list *out_services, struct err *err);
/* Sessions or users of the traces that start in a range. */
MUST_CHECK bool reader_groups(struct reader *reader, int32_t tenant_id,
                              const struct group_filter *filter, struct arena *arena,
                              struct group_page *out_page, struct err *err);
/* One of them; trace_count 0: not known. limit and cursor do not matter. */
MUST_CHECK bool reader_group(struct reader *reader, int32_t tenant_id,
                             const struct group_filter *filter, struct bytes id,
                             struct arena *arena, struct group_row *out_row, struct err *err);
/* Billable calls of a range by model. */
MUST_CHECK bool reader_models(struct reader *reader, int32_t tenant_id,
                              const struct group_filter *filter, struct arena *arena,
                              struct model_list *out_models, struct err *err);

#endif
