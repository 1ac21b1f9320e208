/* Traces as they are read: the spans of one, the rows of a list, and what was asked for. */
#ifndef MODEL_TRACE_H
#define MODEL_TRACE_H

#include "model/spend.h"
#include "model/stored.h"

struct trace_texts {
    struct bytes *items; /* distinct, sorted */
    uint32_t count;
};

/* What the rows of a trace say of the whole: whose it is and what it was about. Empty: not known. */
struct trace_facts {
    struct bytes session_id;
    struct bytes user_id;
    struct bytes environment;
    struct bytes project;
    struct bytes trace_name; /* that the application gave to it */
    struct bytes input_preview;
    struct bytes output_preview;
    struct trace_texts tags;
    struct trace_texts models;
    struct trace_texts providers;
};

/* Rates that spans were priced with (spanledger.price), as far as they are shown. */
struct trace_price {
    uint64_t id;
    struct bytes name;
    struct bytes source;
    int64_t effective_from_ns; /* INT64_MIN: always */
};

struct trace_prices {
    struct trace_price *items; /* by id */
    size_t count;
};

struct trace_spans {
    struct stored_span *items;
    size_t count;
    struct trace_facts facts;
    struct trace_prices prices; /* of the spans, where they are known */
};

/* `status` of a trace (docs/openapi.yaml). */
enum trace_status {
    TRACE_ANY_STATUS = 0,
    TRACE_RUNNING,
    TRACE_COMPLETED,
    TRACE_FAILED,
    TRACE_CANCELLED,
    TRACE_STATUS_MAX
};

/* "running", …: the word of the API; NULL for TRACE_ANY_STATUS and beyond. */
const char *trace_status_name(enum trace_status status);

/* Status of a trace whose roots ended so: counts by enum span_outcome. */
enum trace_status trace_status_of(const int64_t roots[4], int64_t last_received_ns, int64_t now_ns);

enum trace_sort {
    TRACE_SORT_START,
    TRACE_SORT_DURATION,
    TRACE_SORT_ERRORS,
    TRACE_SORT_COST,
    TRACE_SORT_TOKENS,
    TRACE_SORT_MAX
};

/* Without a root's end, a trace counts as running this long after its last span came. */
#define TRACE_RUNNING_NS (INT64_C(3600) * 1000000000)

/* Position behind the last trace of a page: its sort value and id. */
struct trace_cursor {
    bool given;
    int64_t sort_value; /* trace_sort_value of the last trace */
    int64_t seen;       /* traces on the pages so far */
    int64_t total; /* that match, as the first page knew; at least so many when not total_exact */
    bool total_exact;
    int64_t running_cost; /* pico-USD of the pages so far, where the list shows a running cost */
    struct uuid trace_id;
};

/* What an index answers (spanledger.trace.facets), in the order of their names, which is the order
 * there. A filter has each with one value at most, but for tag that says another one. */
#define TRACE_FACETS(X)                                                                            \
    X(AGENT, "agent")                                                                              \
    X(ENVIRONMENT, "environment")                                                                  \
    X(MODEL, "model")                                                                              \
    X(PROMPT, "prompt")                                                                            \
    X(PROVIDER, "provider")                                                                        \
    X(RELEASE, "release")                                                                          \
    X(SESSION, "session")                                                                          \
    X(TAG, "tag")                                                                                  \
    X(TYPE, "type")                                                                                \
    X(USER, "user")

enum facet_kind {
#define X(id, name) FACET_##id,
    TRACE_FACETS(X)
#undef X
        FACET_KIND_COUNT
};

#define TRACE_MAX_FACETS 8 /* of one filter */

/* "model", …; never NULL. */
const char *trace_facet_name(enum facet_kind kind);

/* Values of facets are cut to this many characters: an index entry has little room.
 * schema/query/write_trace_recount.sql cuts so too. */
#define TRACE_FACET_CHARACTERS 200
struct bytes trace_facet_value(struct bytes value);

struct trace_filter {
    int64_t from_ns;      /* trace start, inclusive */
    int64_t to_ns;        /* exclusive */
    struct bytes service; /* exact, any span of the trace; at NULL: any. Empty but not NULL is a
                             filter for ''. */
    struct bytes name;    /* exact name of the trace */
    enum trace_status status;
    int64_t min_duration_ns;               /* 0: any */
    int64_t min_cost;                      /* pico-USD; 0: any */
    int64_t min_tokens;                    /* 0: any */
    struct bytes facets[TRACE_MAX_FACETS]; /* as they are stored: "user:ada" */
    uint32_t facet_count;
    struct bytes session; /* exactly the trace's own; at NULL: any. Its facet stands above too */
    /* Searches: every trace is looked into, newest first (oldest first when ascending; no other sort)
     * until the page is full or search_ns have passed. */
    struct bytes text;     /* anywhere in a span, without case; at NULL: none */
    struct bytes attr_key; /* attribute of a span or its resource; at NULL: none */
    struct bytes attr_value;
    int64_t search_ns;
    enum trace_sort sort;
    bool descending;
    uint32_t limit; /* 1 .. 1000 */
    int64_t now_ns; /* for status running */
    struct trace_cursor cursor;
};

/* One trace of a list, with the values of the whole trace. */
struct trace_row {
    struct uuid trace_id;
    int64_t start_ns;
    int64_t end_ns;
    struct bytes name;         /* of the earliest root, else of the earliest span */
    struct bytes root_service; /* of the same span */
    bool has_root;
    int64_t span_count;
    int64_t error_count;
    enum trace_status status;
    struct bytes *services; /* distinct, sorted */
    uint32_t service_count;
    int64_t last_received_ns;
    struct trace_facts facts;
    struct spend spend;
};

struct trace_page {
    struct trace_row *items;
    size_t count;
    bool more;     /* at least one trace follows */
    int64_t total; /* traces that match, this page's and all others; a lower bound when not
                      total_exact */
    bool total_exact;
    bool stopped; /* a search ran out of time: `more` follows behind the trace below, which was
                     looked into */
    int64_t stopped_ns; /* its start */
    struct uuid stopped_id;
};

/* Whether a filter is a search. */
static inline bool trace_filter_searches(const struct trace_filter *filter)
{
    return filter->text.at || filter->attr_key.at;
}

/* What the filter's sort puts the row by. */
int64_t trace_sort_value(enum trace_sort sort, const struct trace_row *row);

/* The cost of a row and all before it, pico-USD. */
int64_t trace_running_cost(int64_t so_far, const struct trace_row *row);

/* How one trace is to be shown. */
struct trace_view {
    bool otlp;             /* ?format=otlp */
    bool skeleton;         /* ?view=skeleton: without payload */
    uint32_t window_first; /* ?window=first,count over the depth-first order */
    uint32_t window_count; /* UINT32_MAX: all */
};

struct service {
    struct bytes name;
    int64_t first_used_day; /* days since 1970 */
    int64_t last_used_day;
};

struct service_list {
    struct service *items;
    size_t count;
};

#endif
