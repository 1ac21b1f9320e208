/*
 * ledger/fold against a model that knows the truth: worlds of one to three traces are made from true
 * calls, each dressed in what instrumentations write about it. Every true call must be billed once,
 * with its tokens, and nothing else; in any order of the spans, and when late ones make the fold run
 * again. FOLD_SEED=… repeats a run, FOLD_TRACES=… makes it longer.
 */
#include <stdio.h>
#include <stdlib.h>

#include "ledger/fold.h"
#include "support/fold.h"
#include "test.h"

#define TRACES 100000
#define MAX_TRACES 3
#define MAX_SPANS 400
#define MAX_TRUTHS 200
#define MAX_DEPTH 4
#define ARENA_BYTES ((size_t)64 << 20)
#define MS INT64_C(1000000)
#define NO_TRUTH UINT32_MAX
#define SCOPES 5

/* What is true: `calls` calls with `total` tokens each (more than one where nothing tells them
 * apart). */
struct truth {
    uint32_t calls;
    int64_t total;
    uint32_t billed;
};

struct trace {
    struct fold_span spans[MAX_SPANS];
    uint32_t truth[MAX_SPANS]; /* by span id - 1 */
    size_t count;
};

struct world {
    uint64_t random;
    struct trace traces[MAX_TRACES];
    size_t trace_count;
    struct trace *trace; /* that is being made */
    struct truth truths[MAX_TRUTHS];
    uint32_t truth_count;
    uint64_t next_key;
    int64_t clock_ms;
};

/* A true call while it is dressed. */
struct call {
    uint32_t truth;
    enum observation type;
    int64_t in;
    int64_t out;
    uint64_t key;
    bool inside_sum; /* its numbers enter a wrapper's sum: no oddities */
};

static uint64_t below(struct world *w, uint64_t limit)
{
    return fold_random(&w->random) % limit;
}

static bool chance(struct world *w, unsigned percent)
{
    return below(w, 100) < percent;
}

static uint32_t new_truth(struct world *w, uint32_t calls, int64_t total)
{
    w->truths[w->truth_count] = (struct truth){.calls = calls, .total = total};
    return w->truth_count++;
}

static bool is_full(const struct world *w)
{
    return w->trace->count + 60 > MAX_SPANS || w->truth_count + 20 > MAX_TRUTHS;
}

/* A span with its time open; parent 0: none. Ids are positions + 1. */
static struct fold_span *open_span(struct world *w, int64_t parent, enum observation type,
                                   uint64_t scope, uint32_t truth)
{
    struct fold_span *span = &w->trace->spans[w->trace->count];

    w->clock_ms += 10;
    *span = (struct fold_span){
        .span_id = (int64_t)w->trace->count + 1,
        .start_ns = w->clock_ms * MS,
        .kind = 1,
        .has_parent = parent != 0,
        .parent_span_id = parent,
        .observation = type,
        .scope_key = 1 + scope,
    };
    span->trace_id.at[0] = (uint8_t)(w->trace - w->traces);
    w->trace->truth[w->trace->count++] = truth;
    return span;
}

static void close_span(struct world *w, int64_t id)
{
    struct fold_span *span = &w->trace->spans[id - 1];

    w->clock_ms += 10;
    span->duration_ns = w->clock_ms * MS - span->start_ns;
}

static void set_usage(struct world *w, struct fold_span *span, int64_t in, int64_t out)
{
    const int64_t cached = chance(w, 50) && in > 0 ? (int64_t)below(w, (uint64_t)in) : 0;
    const int64_t reasoned = chance(w, 30) && out > 0 ? (int64_t)below(w, (uint64_t)out) : 0;

    memset(span->tokens, 0, sizeof(span->tokens));
    span->has_usage = true;
    span->total_tokens = in + out;
    span->tokens[TOKEN_INPUT] = in - cached;
    span->tokens[chance(w, 50) ? TOKEN_CACHE_READ : TOKEN_CACHE_WRITE_1H] = cached;
    span->tokens[TOKEN_OUTPUT] = out - reasoned;
    span->tokens[TOKEN_REASONING] = reasoned;
}

/* How an observer's numbers look. */
static void observe(struct world *w, struct fold_span *span, const struct call *call, bool knows)
{
    if (call->in + call->out > 0 && knows) {
        set_usage(w, span, call->in, call->out);
        if (!call->inside_sum && chance(w, 5))
            memset(span->tokens, 0, sizeof(span->tokens)); /* only the total */
    } else if (call->in + call->out > 0 && chance(w, 20)) {
        set_usage(w, span, 1 + (int64_t)below(w, 50), 1);
        span->flags |= MEANING_ESTIMATED;
    } else if (chance(w, 20)) {
        span->has_usage = true; /* zeros */
    }
    span->model_key = 7;
    span->request_model_key = chance(w, 50) ? 8 : 0;
}

/* Spans below the innermost observer that repeat it: no calls. */
static void add_repeats(struct world *w, int64_t parent, const struct call *call)
{
    if (call->in + call->out == 0)
        return;
    if (chance(w, 15)) {
        struct fold_span *raw = open_span(w, parent, OBSERVATION_SPAN, below(w, SCOPES), NO_TRUTH);

        set_usage(w, raw, call->in, call->out);
        raw->response_key = chance(w, 30) ? call->key : 0;
        close_span(w, raw->span_id);
    } else if (chance(w, 10) && call->in > 4) {
        for (int i = 0; i < 2; i++) {
            struct fold_span *part = open_span(w, parent, call->type, SCOPES + 2, call->truth);

            set_usage(w, part, i == 0 ? 1 : call->in - 1, i == 0 ? 0 : call->out);
            part->flags = MEANING_SERVER;
            close_span(w, part->span_id);
        }
    }
}

/* One to three spans inside each other, all of one call; at least the one at `knower` knows the
 * numbers. Returns the outermost. */
static int64_t add_layers(struct world *w, int64_t parent, const struct call *call,
                          uint64_t first_scope)
{
    const uint32_t layers = 1 + (uint32_t)below(w, 3);
    const uint32_t knower = (uint32_t)below(w, layers);
    const uint32_t keyed = (uint32_t)below(w, layers);
    int64_t ids[3];
    bool innermost_knows = false;

    for (uint32_t i = 0; i < layers; i++) {
        const uint64_t scope = i == 0 ? first_scope : below(w, SCOPES);
        struct fold_span *span = open_span(w, parent, call->type, scope, call->truth);

        innermost_knows = i == knower || chance(w, 60);
        observe(w, span, call, innermost_knows);
        if (i == keyed || chance(w, 50))
            span->response_key = call->key;
        parent = span->span_id;
        ids[i] = parent;
        if (i + 1 < layers && chance(w, 30))
            parent = open_span(w, parent, OBSERVATION_CHAIN, scope, NO_TRUTH)->span_id;
    }
    if (innermost_knows)
        add_repeats(w, ids[layers - 1], call);
    for (int64_t id = (int64_t)w->trace->count; id >= ids[0]; id--)
        if (w->trace->spans[id - 1].duration_ns == 0)
            close_span(w, id);
    return ids[0];
}

/* Another instrumentation beside the outermost span, inside its time. */
static void add_beside(struct world *w, int64_t outermost, const struct call *call)
{
    const struct fold_span outer = w->trace->spans[outermost - 1];
    const int64_t clock_ms = w->clock_ms;
    const int64_t parent = outer.has_parent ? outer.parent_span_id : 0;
    struct fold_span *span = open_span(w, parent, call->type, SCOPES, call->truth);

    w->clock_ms = clock_ms;
    span->start_ns = outer.start_ns + MS;
    span->duration_ns = outer.duration_ns - 2 * MS;
    observe(w, span, call, chance(w, 70));
    span->response_key = chance(w, 50) ? call->key : 0;
}

/* Returns how many tokens it truly has, and whether it is known at all. */
static struct call add_call(struct world *w, int64_t parent, bool inside_sum)
{
    const bool failed = chance(w, 10);
    struct call call = {
        .type = chance(w, 85) ? OBSERVATION_LLM : OBSERVATION_EMBEDDING,
        .in = failed ? 0 : 100 + (int64_t)below(w, 1000000),
        .out = failed ? 0 : (int64_t)below(w, 100000),
        .key = chance(w, 60) ? ++w->next_key : 0,
        .inside_sum = inside_sum,
    };
    int64_t outermost;

    call.truth = new_truth(w, 1, call.in + call.out);
    outermost = add_layers(w, parent, &call, below(w, SCOPES));
    if (chance(w, 20))
        add_beside(w, outermost, &call);
    if (call.key != 0 && w->trace_count > 1 && chance(w, 25)) {
        struct trace *here = w->trace;

        w->trace = &w->traces[below(w, w->trace_count)];
        if (w->trace != here && !is_full(w)) {
            struct fold_span *span = open_span(w, 0, call.type, below(w, SCOPES), call.truth);

            observe(w, span, &call, true);
            span->response_key = call.key;
            close_span(w, span->span_id);
        }
        w->trace = here;
    }
    return call;
}

/* Calls at the same time with the same numbers, each seen by two instrumentations. */
static void add_parallel(struct world *w, int64_t parent)
{
    const uint32_t calls = 2 + (uint32_t)below(w, 3);
    const int64_t in = 100 + (int64_t)below(w, 1000000);
    const uint32_t truth = new_truth(w, calls, in + 7);
    const bool keyed = chance(w, 50);
    const uint64_t first_key = w->next_key + 1;

    w->next_key += calls;
    for (uint32_t i = 0; i < 2 * calls; i++) {
        const bool second = i >= calls;
        struct fold_span *span =
            open_span(w, parent, OBSERVATION_LLM, second ? SCOPES + 1 : 0, truth);

        span->start_ns = (w->clock_ms - 10 * (int64_t)(i + 1)) * MS + (second ? 2 * MS : 0);
        span->duration_ns = second ? 196 * MS : 200 * MS;
        set_usage(w, span, in, 7);
        if (keyed)
            span->response_key = first_key + i % calls;
    }
    w->clock_ms += 300;
}

static void add_flagged(struct world *w, int64_t parent)
{
    static const unsigned flags[] = {MEANING_COPY, MEANING_CACHE_HIT, MEANING_PENDING};
    struct fold_span *span = open_span(w, parent, OBSERVATION_LLM, below(w, SCOPES), NO_TRUTH);

    span->flags = flags[below(w, 3)];
    if (span->flags != MEANING_PENDING)
        set_usage(w, span, 1 + (int64_t)below(w, 1000), 5);
    close_span(w, span->span_id);
}

static void add_things(struct world *w, int64_t parent, int depth);

/* A call that only sums up others, with agents and tools beside them that it does not sum up. */
static void add_sum(struct world *w, int64_t parent, int depth)
{
    const uint32_t calls = 2 + (uint32_t)below(w, 3);
    const int64_t id = open_span(w, parent, OBSERVATION_LLM, below(w, SCOPES), NO_TRUTH)->span_id;
    int64_t in = 0;
    int64_t out = 0;
    uint32_t known = 0;

    for (uint32_t i = 0; i < calls && !is_full(w); i++) {
        const int64_t between =
            chance(w, 40) ? open_span(w, id, OBSERVATION_CHAIN, 0, NO_TRUTH)->span_id : id;
        const struct call call = add_call(w, between, true);

        in += call.in;
        out += call.out;
        known += call.in + call.out > 0;
        if (between != id)
            close_span(w, between);
        if (chance(w, 20)) {
            const int64_t tool = open_span(w, id, OBSERVATION_TOOL, 0, NO_TRUTH)->span_id;

            add_things(w, tool, depth + 1);
            close_span(w, tool);
        }
    }
    close_span(w, id);
    if (known > 1 && chance(w, 80))
        set_usage(w, &w->trace->spans[id - 1], in, out);
}

/* Agents, chains and tools, with or without usage of their own; what they say counts only where
 * nothing below them does. */
static void add_container(struct world *w, int64_t parent, int depth)
{
    static const enum observation types[] = {OBSERVATION_AGENT, OBSERVATION_CHAIN, OBSERVATION_TOOL,
                                             OBSERVATION_SPAN, OBSERVATION_RETRIEVER};
    const int64_t id =
        open_span(w, parent, types[below(w, 5)], below(w, SCOPES), NO_TRUTH)->span_id;
    bool counted = false;

    if (chance(w, 85))
        add_things(w, id, depth + 1);
    close_span(w, id);
    if (!chance(w, 40))
        return;
    for (size_t i = (size_t)id; i < w->trace->count; i++) {
        const struct fold_span *span = &w->trace->spans[i];

        /* Everything made since, but for what stands at the top, is below it. */
        counted |= span->has_parent && span->flags != MEANING_PENDING &&
                   (span->has_usage || span->observation == OBSERVATION_LLM ||
                    span->observation == OBSERVATION_EMBEDDING);
    }
    set_usage(w, &w->trace->spans[id - 1], 1 + (int64_t)below(w, 1000), 3);
    if (!counted)
        w->trace->truth[id - 1] = new_truth(w, 1, w->trace->spans[id - 1].total_tokens);
}

static void add_things(struct world *w, int64_t parent, int depth)
{
    const uint64_t things = 1 + below(w, 3);

    for (uint64_t i = 0; i < things && !is_full(w); i++) {
        const uint64_t what = below(w, 100);

        if (what < 45 || depth >= MAX_DEPTH)
            (void)add_call(w, parent, false);
        else if (what < 50)
            add_parallel(w, parent);
        else if (what < 57)
            add_flagged(w, parent);
        else if (what < 70)
            add_sum(w, parent, depth);
        else
            add_container(w, parent, depth);
    }
}

static void make_world(struct world *w)
{
    w->truth_count = 0;
    w->trace_count = 1 + below(w, MAX_TRACES);
    w->clock_ms = 1000;
    for (size_t i = 0; i < w->trace_count; i++)
        w->traces[i].count = 0;
    for (size_t i = 0; i < w->trace_count; i++) {
        w->trace = &w->traces[i];
        add_things(w, 0, 0);
    }
}

static int compare_keys(const void *a, const void *b)
{
    const struct fold_span *left = *(struct fold_span *const *)a;
    const struct fold_span *right = *(struct fold_span *const *)b;

    return left->call_key < right->call_key ? -1 : left->call_key > right->call_key;
}

/* As a store does it: every trace, then every response id that is billed. */
static void fold_world(struct world *w, struct arena *arena)
{
    static struct fold_span *keyed[MAX_TRACES * MAX_SPANS];
    size_t count = 0;
    size_t from = 0;

    for (size_t t = 0; t < w->trace_count; t++) {
        struct err err;

        if (!fold_trace(w->traces[t].spans, w->traces[t].count, arena, &err))
            fail_msg("%s", err.text);
        arena_reset(arena);
        for (size_t i = 0; i < w->traces[t].count; i++)
            if (w->traces[t].spans[i].billable && w->traces[t].spans[i].call_key != 0)
                keyed[count++] = &w->traces[t].spans[i];
    }
    qsort(keyed, count, sizeof(keyed[0]), compare_keys);
    for (size_t i = 1; i <= count; i++)
        if (i == count || keyed[i]->call_key != keyed[from]->call_key) {
            fold_response(keyed + from, i - from);
            from = i;
        }
}

static const struct fold_span *span_of(const struct trace *trace, int64_t id)
{
    size_t at = 0;

    while (at + 1 < trace->count && trace->spans[at].span_id != id)
        at++;
    return &trace->spans[at];
}

static void print_world(const struct world *w)
{
    for (size_t t = 0; t < w->trace_count; t++)
        for (int64_t id = 1; id <= (int64_t)w->traces[t].count; id++) {
            const struct trace *trace = &w->traces[t];
            const struct fold_span *s = span_of(trace, id);
            const uint32_t truth = trace->truth[id - 1];
            const bool billed_well =
                truth != NO_TRUTH && w->truths[truth].billed == w->truths[truth].calls;
            int depth = 0;

            for (int64_t up = id; up != 0; up = span_of(trace, up)->parent_span_id)
                depth++;
            printf("%zu%*s%d %s s%d key %d flags %x usage %d total %lld truth %d%s: %s\n", t,
                   depth * 2, "", (int)id, observation_name(s->observation), (int)s->scope_key,
                   (int)s->response_key, s->flags, s->has_usage, (long long)s->total_tokens,
                   (int)truth,
                   truth == NO_TRUTH ? s->billable ? " WRONG" : ""
                   : billed_well     ? ""
                                     : " WRONG",
                   billing_reason_name(s->reason));
        }
}

static const char *compare_with_truth(struct world *w)
{
    const char *wrong = NULL;

    for (uint32_t i = 0; i < w->truth_count; i++)
        w->truths[i].billed = 0;
    for (size_t t = 0; t < w->trace_count; t++)
        for (size_t i = 0; i < w->traces[t].count; i++) {
            const struct fold_span *span = &w->traces[t].spans[i];
            const uint32_t truth = w->traces[t].truth[span->span_id - 1];

            if (!span->billable)
                continue;
            if (truth == NO_TRUTH)
                wrong = "something is billed that is no call";
            else if (span->total_tokens != w->truths[truth].total)
                wrong = "a call is billed with other tokens", w->truths[truth].billed += 100;
            else
                w->truths[truth].billed++;
        }
    for (uint32_t i = 0; i < w->truth_count; i++)
        if (w->truths[i].billed != w->truths[i].calls)
            wrong = w->truths[i].billed < w->truths[i].calls ? "a call is missing"
                                                             : "a call is billed twice";
    return wrong;
}

static uint64_t outcome_hash(const struct world *w)
{
    uint64_t sum = 0;

    for (size_t t = 0; t < w->trace_count; t++)
        for (size_t i = 0; i < w->traces[t].count; i++) {
            const struct fold_span *span = &w->traces[t].spans[i];
            uint64_t one = (uint64_t)span->span_id * 31 + t;

            one = one * 1000003 + span->reason + span->billable * 64U;
            one = one * 1000003 + span->call_key;
            if (span->duplicate_of != SIZE_MAX && span->reason != BILLING_REASON_SAME_RESPONSE)
                one = one * 1000003 + (uint64_t)w->traces[t].spans[span->duplicate_of].span_id;
            sum += one * UINT64_C(0x9E3779B97F4A7C15);
        }
    return sum;
}

static void billed_calls_are_the_true_calls(void **state)
{
    static struct world w;
    const char *seed = getenv("FOLD_SEED");
    const char *wanted = getenv("FOLD_TRACES");
    const size_t traces = wanted ? strtoull(wanted, NULL, 10) : TRACES;
    size_t made = 0;
    size_t spans = 0;
    struct arena arena;

    (void)state;
    w.random = seed ? strtoull(seed, NULL, 10) : 20261121;
    print_message("seed %llu\n", (unsigned long long)w.random);
    arena_init(&arena, ARENA_BYTES);
    while (made < traces) {
        const uint64_t random = w.random;
        const char *wrong;
        uint64_t outcome;

        make_world(&w);
        fold_world(&w, &arena);
        outcome = outcome_hash(&w);
        wrong = compare_with_truth(&w);
        for (size_t t = 0; t < w.trace_count; t++) {
            fold_shuffle(w.traces[t].spans, w.traces[t].count, &w.random);
            made++;
            spans += w.traces[t].count;
        }
        fold_world(&w, &arena);
        if (!wrong && outcome_hash(&w) != outcome)
            wrong = "another order has another outcome";
        if (wrong) {
            print_world(&w);
            fail_msg("%s: FOLD_SEED=%llu", wrong, (unsigned long long)random);
        }
    }
    print_message("%zu traces, %zu spans\n", made, spans);
    arena_done(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(billed_calls_are_the_true_calls),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
