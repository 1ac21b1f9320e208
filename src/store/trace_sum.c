/* Sums of a batch per trace and day. */
#include "store/trace_sum.h"

#include <stdlib.h>

static bool is_earlier(const struct stored_span *a, const struct stored_span *b)
{
    if (a->start_unix_ns != b->start_unix_ns)
        return a->start_unix_ns < b->start_unix_ns;
    return a->span_id < b->span_id;
}

static void add_service(struct trace_sum *s, struct bytes service)
{
    for (uint32_t i = 0; i < s->service_count; i++)
        if (bytes_equal(s->services[i], service))
            return;
    if (s->service_count == sizeof(s->services) / sizeof(s->services[0]))
        s->recount = true;
    else
        s->services[s->service_count++] = service;
}

/* sign: 1 where of equal ranks the least text stands, -1: the greatest. */
static void add_label(struct label *label, struct bytes text, int64_t rank, int sign)
{
    if (text.len == 0)
        return;
    if (label->text.len == 0 || rank < label->rank ||
        (rank == label->rank && sign * bytes_compare(text, label->text) < 0))
        *label = (struct label){text, rank};
}

static void add_labels(struct trace_means *means, const struct stored_span *row)
{
    const struct meaning *m = row->meaning;
    const int64_t at = row->start_unix_ns;
    const int64_t last = INT64_MAX - at;
    const int64_t earliest = row->has_parent ? at : INT64_MIN + at;
    const int64_t latest = row->has_parent ? last : INT64_MIN + at;

    add_label(&means->labels[LABEL_SESSION], m->session_id, earliest, 1);
    add_label(&means->labels[LABEL_USER], m->user_id, earliest, 1);
    add_label(&means->labels[LABEL_ENVIRONMENT], m->environment, earliest, 1);
    add_label(&means->labels[LABEL_PROJECT], m->project, earliest, 1);
    add_label(&means->labels[LABEL_TRACE_NAME], m->trace_name, last, 1);
    add_label(&means->labels[LABEL_INPUT], m->input_preview, earliest, -1);
    add_label(&means->labels[LABEL_OUTPUT], m->output_preview, latest, -1);
}

static bool facets_grow(struct trace_means *means, struct arena *arena, struct err *err)
{
    const uint32_t room = means->facet_room ? 2 * means->facet_room : 16;
    struct facet *facets = arena_array(arena, struct facet, room);

    if (!facets)
        return err_set(err, ERR_UNAVAILABLE, "no memory for what a trace is found by");
    if (means->facet_count > 0)
        memcpy(facets, means->facets, means->facet_count * sizeof(*facets));
    means->facets = facets;
    means->facet_room = room;
    return true;
}

static bool add_facet(struct trace_sum *sum, enum facet_kind kind, struct bytes value,
                      struct arena *arena, struct err *err)
{
    struct trace_means *means = sum->means;

    if (value.len == 0 || sum->recount)
        return true;
    for (uint32_t i = 0; i < means->facet_count; i++)
        if (means->facets[i].kind == kind && bytes_equal(means->facets[i].value, value))
            return true;
    if (means->facet_count == TRACE_SUM_FACETS) {
        sum->recount = true;
        return true;
    }
    if (means->facet_count == means->facet_room && !facets_grow(means, arena, err))
        return false;
    means->facets[means->facet_count++] = (struct facet){kind, value};
    return true;
}

static bool add_facets(struct trace_sum *sum, const struct meaning *m, struct arena *arena,
                       struct err *err)
{
    struct bytes type = {0};

    if (m->observation != OBSERVATION_SPAN)
        type = bytes_of(observation_name(m->observation));

    if (!add_facet(sum, FACET_MODEL, m->model, arena, err) ||
        !add_facet(sum, FACET_PROVIDER, m->provider, arena, err) ||
        !add_facet(sum, FACET_TYPE, type, arena, err) ||
        !add_facet(sum, FACET_USER, m->user_id, arena, err) ||
        !add_facet(sum, FACET_SESSION, m->session_id, arena, err) ||
        !add_facet(sum, FACET_ENVIRONMENT, m->environment, arena, err) ||
        !add_facet(sum, FACET_RELEASE, m->release, arena, err) ||
        !add_facet(sum, FACET_PROMPT, m->prompt_name, arena, err) ||
        !add_facet(sum, FACET_AGENT, m->agent_name, arena, err))
        return false;
    for (uint32_t i = 0; i < m->tag_count; i++)
        if (!add_facet(sum, FACET_TAG, m->tags[i], arena, err))
            return false;
    return true;
}

static void add_billed(struct trace_means *means, const struct meaning *m)
{
    means->calls++;
    means->unpriced += m->cost.total == COST_UNKNOWN;
    for (size_t i = 0; i < TOKEN_KIND_COUNT; i++) {
        means->tokens[i] += m->usage.tokens[i];
        means->costs[i] += m->cost.by_kind[i];
    }
    means->total_tokens += m->usage.total;
    means->request += m->cost.request;
    if (m->cost.total != COST_UNKNOWN)
        means->cost_total += m->cost.total;
}

static bool add_meaning(struct trace_sum *sum, const struct stored_span *row, struct arena *arena,
                        struct err *err)
{
    if (!sum->means)
        sum->means = arena_new(arena, struct trace_means);
    if (!sum->means)
        return err_set(err, ERR_UNAVAILABLE, "no memory for the sums of a trace");
    sum->means->counted += row->billing.counted;
    sum->means->plain += row->billing.plain;
    if (row->billing.billable)
        add_billed(sum->means, row->meaning);
    add_labels(sum->means, row);
    return add_facets(sum, row->meaning, arena, err);
}

bool trace_sum_add(struct trace_sum *s, const struct stored_span *row, struct arena *arena,
                   struct err *err)
{
    enum { STATUS_ERROR = 2 };
    const int64_t end_ns = row->start_unix_ns + row->duration_ns;

    if (s->span_count == 0 || row->start_unix_ns < s->start_ns)
        s->start_ns = row->start_unix_ns;
    if (s->span_count == 0 || end_ns > s->end_ns)
        s->end_ns = end_ns;
    if (row->received_ns > s->last_received_ns)
        s->last_received_ns = row->received_ns;
    if (!s->first || is_earlier(row, s->first))
        s->first = row;
    if (!row->has_parent) {
        s->roots[row->outcome]++;
        if (!s->root || is_earlier(row, s->root))
            s->root = row;
    }
    s->span_count++;
    s->error_count += row->status_code == STATUS_ERROR || row->outcome == SPAN_FAILED ||
                      row->outcome == SPAN_CANCELLED;
    add_service(s, row->service_name);
    return !row->meaning || add_meaning(s, row, arena, err);
}

static int compare_services(const void *a, const void *b)
{
    return bytes_compare(*(const struct bytes *)a, *(const struct bytes *)b);
}

static int compare_facets(const void *a, const void *b)
{
    const struct facet *x = a;
    const struct facet *y = b;

    if (x->kind != y->kind)
        return x->kind < y->kind ? -1 : 1;
    return bytes_compare(x->value, y->value);
}

void trace_sum_finish(struct trace_sum *sum)
{
    if (sum->service_count > 1)
        qsort(sum->services, sum->service_count, sizeof(sum->services[0]), compare_services);
    if (sum->means && sum->means->facet_count > 1)
        qsort(sum->means->facets, sum->means->facet_count, sizeof(sum->means->facets[0]),
              compare_facets);
}
