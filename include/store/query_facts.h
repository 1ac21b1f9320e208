/* What the rows of a trace say of the whole, merged over its days; and the prices of its spans. */
#ifndef STORE_QUERY_FACTS_H
#define STORE_QUERY_FACTS_H

#include "store/reader.h"

/* res: of STMT_TRACE_DAYS, in the order of days. Texts live in arena. Fails with ERR_TOO_LARGE
 * (arena) and ERR_INTERNAL. */
MUST_CHECK bool query_facts_read(const PGresult *res, struct arena *arena,
                                 struct trace_facts *out_facts, struct err *err);

/* Prices of all spans that have one. */
MUST_CHECK bool query_facts_prices(struct reader *reader, const struct trace_spans *spans,
                                   struct arena *arena, struct trace_prices *out_prices,
                                   struct err *err);

#endif
