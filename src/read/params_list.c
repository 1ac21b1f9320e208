/* Parameters of the list of traces. */
#include <math.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/text.h"
#include "read/params.h"
#include "read/params_page.h"

struct list_target {
    struct params_page page;
    struct arena *arena;
    struct trace_filter *filter;
};

static bool read_service(void *target, struct bytes value, struct err *err)
{
    struct list_target *t = target;
    (void)err;
    t->filter->service = value;
    return true;
}

static bool read_name(void *target, struct bytes value, struct err *err)
{
    struct list_target *t = target;
    (void)err;
    t->filter->name = value;
    return true;
}

static bool read_status(void *target, struct bytes value, struct err *err)
{
    struct list_target *t = target;
    char text[64];

    for (int i = TRACE_RUNNING; i < TRACE_STATUS_MAX; i++)
        if (bytes_is(value, trace_status_name((enum trace_status)i))) {
            t->filter->status = (enum trace_status)i;
            return true;
        }
    return err_set(err, ERR_BAD_INPUT,
                   "status is '%s', want running, completed, failed or cancelled",
                   params_query_quoted(value, text));
}

static bool read_min_duration(void *target, struct bytes value, struct err *err)
{
    struct list_target *t = target;
    char text[64];
    double ms;

    /* 9e12 ms are 285 years: beyond every span that can be stored, and still an int64 of ns. */
    if (!text_real(value, &ms) || !(ms >= 0 && ms <= 9e12))
        return err_set(err, ERR_BAD_INPUT, "min_duration_ms is '%s', want milliseconds from 0",
                       params_query_quoted(value, text));
    t->filter->min_duration_ns = (int64_t)ceil(ms * (double)NS_PER_MS);
    return true;
}

/* A filter that the index of facets answers. */
static bool add_facet(struct list_target *t, enum facet_kind kind, struct bytes value,
                      struct err *err)
{
    const char *name = trace_facet_name(kind);
    struct bytes *facet = &t->filter->facets[t->filter->facet_count];
    struct buf text;

    if (value.len == 0)
        return err_set(err, ERR_BAD_INPUT, "a filter by %s has no value", name);
    if (t->filter->facet_count == TRACE_MAX_FACETS)
        return err_set(err, ERR_BAD_INPUT, "more than %d exact filters", TRACE_MAX_FACETS);
    buf_init(&text, value.len + 64);
    buf_printf(&text, "%s:", name);
    buf_add_bytes(&text, trace_facet_value(value));
    *facet = buf_ok(&text) ? arena_copy(t->arena, buf_bytes(&text)) : (struct bytes){0};
    buf_done(&text);
    if (!facet->at)
        return err_set(err, ERR_TOO_LARGE, "no memory for a filter");
    t->filter->facet_count++;
    return true;
}

static bool read_user(void *target, struct bytes value, struct err *err)
{
    struct list_target *t = target;
    return add_facet(t, FACET_USER, value, err);
}

static bool read_session(void *target, struct bytes value, struct err *err)
{
    struct list_target *t = target;
    return add_facet(t, FACET_SESSION, value, err);
}

static bool read_model(void *target, struct bytes value, struct err *err)
{
    struct list_target *t = target;
    return add_facet(t, FACET_MODEL, value, err);
}

static bool read_provider(void *target, struct bytes value, struct err *err)
{
    struct list_target *t = target;
    return add_facet(t, FACET_PROVIDER, value, err);
}

static bool read_environment(void *target, struct bytes value, struct err *err)
{
    struct list_target *t = target;
    return add_facet(t, FACET_ENVIRONMENT, value, err);
}

static bool read_type(void *target, struct bytes value, struct err *err)
{
    struct list_target *t = target;
    char text[64];
    char known[200];
    size_t at = 0;

    /* Plain spans have no entry in the index: every trace may hold them. */
    for (int i = OBSERVATION_SPAN + 1; i < OBSERVATION_COUNT; i++) {
        const char *name = observation_name((enum observation)i);

        if (bytes_is(value, name))
            return add_facet(t, FACET_TYPE, value, err);
        at += (size_t)snprintf(known + at, sizeof(known) - at, "%s%s", at ? ", " : "", name);
    }
    return err_set(err, ERR_BAD_INPUT, "type is '%s', want one of %s",
                   params_query_quoted(value, text), known);
}

/* What stands before the first colon; len 0: none. */
static struct bytes key_of(struct bytes value)
{
    const uint8_t *colon = value.len ? memchr(value.at, ':', value.len) : NULL;

    return (struct bytes){value.at, colon ? (size_t)(colon - value.at) : 0};
}

/* "user:ada" asks what user= asks; any other text is a tag of the trace as it was sent. */
static bool read_tag(void *target, struct bytes value, struct err *err)
{
    struct list_target *t = target;
    const struct bytes key = key_of(value);
    const struct bytes rest =
        key.len > 0 ? (struct bytes){value.at + key.len + 1, value.len - key.len - 1} : value;

    for (int kind = 0; key.len > 0 && kind < FACET_KIND_COUNT; kind++)
        if (bytes_is(key, trace_facet_name((enum facet_kind)kind)))
            return add_facet(t, (enum facet_kind)kind, rest, err);
    return add_facet(t, FACET_TAG, bytes_is(key, "tags") ? rest : value, err);
}

static bool read_attr(void *target, struct bytes value, struct err *err)
{
    struct list_target *t = target;
    const struct bytes key = key_of(value);
    char text[64];

    if (key.len == 0)
        return err_set(err, ERR_BAD_INPUT, "attr is '%s', want KEY:VALUE",
                       params_query_quoted(value, text));
    t->filter->attr_key = key;
    t->filter->attr_value = (struct bytes){value.at + key.len + 1, value.len - key.len - 1};
    return true;
}

static bool read_text(void *target, struct bytes value, struct err *err)
{
    struct list_target *t = target;
    if (value.len == 0)
        return err_set(err, ERR_BAD_INPUT, "q is empty");
    t->filter->text = value;
    return true;
}

/* An exact decimal, not through a double: 0.1 USD is 10^11 pico-USD. Digits beyond the twelfth round
 * up: no trace costs less than that and as much. */
static bool pico_usd(struct bytes value, int64_t *out_pico)
{
    wide_int pico = 0;
    int fraction = -1; /* digits behind the point; -1: no point yet */
    bool digits = false;
    bool rest = false;

    for (size_t i = 0; i < value.len; i++) {
        if (value.at[i] == '.' && fraction < 0) {
            fraction = 0;
            continue;
        }
        if (value.at[i] < '0' || value.at[i] > '9' || pico > INT64_MAX)
            return false;
        digits = true;
        if (fraction >= 12) {
            rest |= value.at[i] != '0';
            continue;
        }
        pico = pico * 10 + (value.at[i] - '0');
        fraction += fraction >= 0;
    }
    for (int i = fraction < 0 ? 0 : fraction; i < 12; i++)
        pico *= 10;
    *out_pico = (int64_t)(pico + rest);
    return digits && pico + rest <= INT64_MAX;
}

static bool read_min_cost(void *target, struct bytes value, struct err *err)
{
    struct list_target *t = target;
    char text[64];

    if (!pico_usd(value, &t->filter->min_cost))
        return err_set(err, ERR_BAD_INPUT,
                       "min_cost_usd is '%s', want USD as a decimal from 0 to 9223372",
                       params_query_quoted(value, text));
    return true;
}

static bool read_min_tokens(void *target, struct bytes value, struct err *err)
{
    struct list_target *t = target;
    char text[64];

    if (!text_int64(value, &t->filter->min_tokens) || t->filter->min_tokens < 0)
        return err_set(err, ERR_BAD_INPUT, "min_tokens is '%s', want an integer from 0",
                       params_query_quoted(value, text));
    return true;
}

static bool read_sort(void *target, struct bytes value, struct err *err)
{
    struct list_target *t = target;
    static const struct {
        const char *name;
        enum trace_sort sort;
    } sorts[] = {{"start_time", TRACE_SORT_START},
                 {"duration", TRACE_SORT_DURATION},
                 {"errors", TRACE_SORT_ERRORS},
                 {"cost", TRACE_SORT_COST},
                 {"tokens", TRACE_SORT_TOKENS}};
    const bool descending = value.len > 0 && value.at[0] == '-';
    const struct bytes word = {value.at + descending, value.len - descending};
    char text[64];

    for (size_t i = 0; i < sizeof(sorts) / sizeof(sorts[0]); i++)
        if (bytes_is(word, sorts[i].name)) {
            t->filter->sort = sorts[i].sort;
            t->filter->descending = descending;
            return true;
        }
    return err_set(err, ERR_BAD_INPUT,
                   "sort is '%s', want start_time, duration, errors, cost or tokens, with '-' for"
                   " descending",
                   params_query_quoted(value, text));
}

static const struct param list_params[] = {
    PARAMS_PAGE_RANGE,
    {"service", false, read_service},
    {"name", false, read_name},
    {"status", false, read_status},
    {"min_duration_ms", false, read_min_duration},
    {"user", false, read_user},
    {"session", false, read_session},
    {"model", false, read_model},
    {"provider", false, read_provider},
    {"environment", false, read_environment},
    {"type", false, read_type},
    {"tag", false, read_tag},
    {"attr", false, read_attr},
    {"q", false, read_text},
    {"min_cost_usd", false, read_min_cost},
    {"min_tokens", false, read_min_tokens},
    {"sort", false, read_sort},
    PARAMS_PAGE_LIMIT,
    PARAMS_PAGE_CURSOR,
    {NULL, false, NULL},
};

/* A text with its place among the others; one that is not there counts as well. */
static uint32_t hash_text(uint32_t sum, struct bytes text)
{
    const uint8_t head[2] = {text.at != NULL, '|'};

    return cursor_hash(cursor_hash(sum, text), (struct bytes){head, sizeof(head)});
}

/* What a list was asked for but for its range, order and page. In whatever order the facets came. */
static uint32_t hash_filters(const struct trace_filter *f)
{
    uint8_t numbers[25];
    uint32_t facets = 0;
    uint32_t sum = 0;

    numbers[0] = (uint8_t)f->status;
    put_be64(numbers + 1, (uint64_t)f->min_duration_ns);
    put_be64(numbers + 9, (uint64_t)f->min_cost);
    put_be64(numbers + 17, (uint64_t)f->min_tokens);
    for (uint32_t i = 0; i < f->facet_count; i++)
        facets += cursor_hash(0, f->facets[i]);
    sum = cursor_hash(sum, (struct bytes){numbers, sizeof(numbers)});
    sum = hash_text(sum, f->service);
    sum = hash_text(sum, f->name);
    sum = hash_text(sum, f->text);
    sum = hash_text(sum, f->attr_key);
    return hash_text(sum, f->attr_value) + facets;
}

/* What every list has goes into the filter. */
static bool use_page(struct list_target *t, enum cursor_kind kind, int64_t now_ns, struct err *err)
{
    const struct cursor *cursor = &t->page.cursor;

    if (!params_page_settle(&t->page, kind, kind == CURSOR_SESSION, now_ns, err))
        return false;
    if (cursor->position.given &&
        (cursor->sort != t->filter->sort || cursor->descending != t->filter->descending))
        return err_set(err, ERR_BAD_INPUT, "cursor belongs to another sort");
    if (cursor->position.given && cursor->filters != hash_filters(t->filter))
        return err_set(err, ERR_BAD_INPUT,
                       "cursor belongs to other filters: repeat those of the page before");
    t->filter->from_ns = t->page.from_ns;
    t->filter->to_ns = t->page.to_ns;
    t->filter->limit = t->page.limit;
    t->filter->cursor = cursor->position;
    return true;
}

bool params_list(struct bytes query, int64_t now_ns, struct arena *arena,
                 struct trace_filter *out_filter, struct err *err)
{
    struct trace_filter filter = {.sort = TRACE_SORT_START, .descending = true, .now_ns = now_ns};
    struct list_target target = {
        .page = {.limit = PARAMS_DEFAULT_LIMIT}, .arena = arena, .filter = &filter};

    if (!params_query_read(list_params, query, &target, arena, err) ||
        !use_page(&target, CURSOR_TRACES, now_ns, err))
        return false;
    if (trace_filter_searches(&filter) && filter.sort != TRACE_SORT_START)
        return err_set(err, ERR_BAD_INPUT,
                       "q and attr go with sort=start_time or -start_time only");
    *out_filter = filter;
    return true;
}

static const struct param session_params[] = {
    PARAMS_PAGE_RANGE,
    PARAMS_PAGE_LIMIT,
    PARAMS_PAGE_CURSOR,
    {NULL, false, NULL},
};

bool params_session(struct bytes query, struct bytes id, int64_t now_ns, struct arena *arena,
                    struct trace_filter *out_filter, struct err *err)
{
    struct trace_filter filter = {.sort = TRACE_SORT_START, .now_ns = now_ns};
    struct list_target target = {
        .page = {.limit = PARAMS_DEFAULT_LIMIT}, .arena = arena, .filter = &filter};

    if (!params_query_decode(id, PARAMS_PLUS_KEPT, arena, &filter.session, err) ||
        !add_facet(&target, FACET_SESSION, filter.session, err) ||
        !params_query_read(session_params, query, &target, arena, err) ||
        !use_page(&target, CURSOR_SESSION, now_ns, err))
        return false;
    *out_filter = filter;
    return true;
}

void params_cursor(const struct trace_filter *filter, const struct trace_page *page,
                   struct buf *out)
{
    struct trace_cursor position = {.given = true,
                                    .sort_value = page->stopped_ns,
                                    .seen = filter->cursor.seen + (int64_t)page->count,
                                    .total = page->total,
                                    .total_exact = page->total_exact,
                                    .running_cost = filter->cursor.running_cost,
                                    .trace_id = page->stopped_id};

    if (!page->stopped) {
        const struct trace_row *last = &page->items[page->count - 1];

        position.sort_value = trace_sort_value(filter->sort, last);
        position.trace_id = last->trace_id;
    }
    for (size_t i = 0; i < page->count && filter->session.at; i++)
        position.running_cost = trace_running_cost(position.running_cost, &page->items[i]);
    cursor_write(&(struct cursor){.kind = filter->session.at ? CURSOR_SESSION : CURSOR_TRACES,
                                  .sort = filter->sort,
                                  .descending = filter->descending,
                                  .from_ns = filter->from_ns,
                                  .to_ns = filter->to_ns,
                                  .filters = hash_filters(filter),
                                  .position = position},
                 out);
}
