/* Judging traces anew by all their spans in the table. */
#ifndef STORE_SETTLE_H
#define STORE_SETTLE_H

#include "store/counting_parts.h"

/*
 * After the spans are written: judges these traces by all their spans in the table, and with them
 * whoever shares a response id; writes what has changed. Traces (one day each) whose sums are to be
 * counted anew are appended to changed, an array of struct counting_trace. Fails as counting_judge.
 */
MUST_CHECK bool settle_traces(struct counting *counting, struct db *db,
                              const struct counting_trace *traces, size_t trace_count,
                              const struct write_item *items, size_t item_count,
                              const struct buf *locked, struct buf *changed, struct err *err);

/* For its own rooms: */

/* What the table has of a span beside what counting looks at. */
struct settle_known {
    int64_t start_us;
    struct billing billing; /* as it is stored */
    bool judged;
    const struct fold_span
        *elsewhere; /* where the same call is billed, in another trace; or NULL */
};

struct settle_trace {
    int32_t tenant_id;
    int16_t bucket;
    struct uuid trace_id;
    int64_t first_day; /* between which its spans lie */
    int64_t last_day;
    bool wanted;
    struct fold_span *spans;
    struct settle_known *known;
    size_t count;
};

struct settle_round {
    struct counting *c;
    struct db *db;
    const struct buf *locked;
    struct settle_trace *traces;
    size_t count;
    uint32_t *slots; /* by trace id, open addressing: index + 1 into traces */
    size_t slot_count;
    int64_t first_day; /* between which all spans of the traces lie */
    int64_t last_day;
    struct sought *keys; /* that were looked for, ascending: those of wanted spans */
    size_t key_count;
};

/* Reads the spans of the round's traces from `first` on and folds each. */
MUST_CHECK bool settle_facts_load(struct settle_round *r, size_t first, struct err *err);

/* Finds the days near these on which the traces from `first` on have spans, and widens the round's
 * by them. */
MUST_CHECK bool settle_facts_days(struct settle_round *r, size_t first, int64_t first_day,
                                  int64_t last_day, struct err *err);

/* The last nanosecond of a day; of the last day that nanoseconds can name, the last of them. */
int64_t settle_facts_end_ns(int64_t day);

#endif
