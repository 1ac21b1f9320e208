/* Pricing stored spans anew: what the database has of it (work/reprice does the pricing). */
#ifndef STORE_REPRICE_H
#define STORE_REPRICE_H

#include "base/arena.h"
#include "model/stored.h"
#include "store/db.h"

/* What is to be priced anew. Texts are borrowed. */
struct reprice_scope {
    int32_t tenant_id;     /* 0: all */
    int64_t from_ns;       /* start of the span, inclusive */
    int64_t to_ns;         /* exclusive */
    struct bytes provider; /* exact; empty: any */
    struct bytes model;    /* pattern with '*', any case; empty: any */
    struct bytes prices;   /* digest of the prices: another one begins anew */
    struct bytes actor;
    bool dry_run;
};

struct reprice_trace {
    int32_t tenant_id;
    int16_t bucket;
    struct uuid trace_id;
};

struct reprice_sum {
    int32_t tenant_id;
    struct bytes provider;
    struct bytes model;
    int64_t spans;
    int64_t changed;
    int64_t calls; /* billed ones, here and below */
    int64_t unpriced_before;
    int64_t unpriced_after;
    struct bytes cost_before; /* USD in decimal */
    struct bytes cost_after;
};

struct reprice; /* one run, on a connection of its own */

/*
 * Begins a run, or goes on with one of the same scope that was interrupted. db is borrowed and may
 * write; conninfo is for a second connection, which reads. Only one runs at a time: ERR_CONTENDED
 * while there is another (an advisory lock that ends with the connection).
 */
MUST_CHECK bool reprice_open(struct db *db, const char *conninfo, const struct reprice_scope *scope,
                             struct reprice **out_reprice, struct err *err);
void reprice_free(struct reprice *reprice);

/* Whether the run goes on behind what an earlier one had done. */
bool reprice_resumed(const struct reprice *reprice);

/*
 * The next part: some traces of one day; *out_traces 0: that was all. Begins a transaction and locks
 * them (but on a dry run), so that what is read of them stays true until reprice_apply. May fail with
 * ERR_CONTENDED, then and until reprice_apply: leave it, and begin it again.
 */
MUST_CHECK bool reprice_next(struct reprice *reprice, size_t *out_traces, int64_t *out_day,
                             struct err *err);

/*
 * The next span of the part that takes part in counting, living in arena, with what a price asks for:
 * ids, start, billing.billable, meaning (facts, usage, the cost that it had), and attributes and exact
 * where the host may be among them. NULL: that was all.
 */
MUST_CHECK bool reprice_read(struct reprice *reprice, struct arena *arena,
                             struct stored_span **out_row, struct err *err);

/* A span that was looked at, with the cost that it has to have. */
MUST_CHECK bool reprice_note(struct reprice *reprice, const struct stored_span *row,
                             const struct cost *cost, bool changed, struct err *err);

/* Instead of reprice_apply: nothing of the part is kept, and reprice_next begins with it again. */
MUST_CHECK bool reprice_leave(struct reprice *reprice, struct err *err);

/* Writes what was noted (on a dry run only what it would come to) and commits. */
MUST_CHECK bool reprice_apply(struct reprice *reprice, struct err *err);

/* All is done: the run is closed. Sums live in arena. A dry run leaves nothing behind. */
MUST_CHECK bool reprice_finish(struct reprice *reprice, struct arena *arena,
                               struct reprice_sum **out_sums, size_t *out_count, struct err *err);

#endif
