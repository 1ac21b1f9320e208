/*
 * ledger/fold on random traces without a truth: what is plain needs no fold, and whatever is sent
 * (cycles, shared ids, flags, keys everywhere) one outcome comes of it in every order, soon.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "ledger/fold.h"
#include "support/fold.h"
#include "test.h"

#define TRACES 100000
#define MOST_SPANS 24
#define MANY ((size_t)100000)
#define ARENA_BYTES ((size_t)256 << 20)
#define MS INT64_C(1000000)

static struct arena arena;

static void fold(struct fold_span *spans, size_t count)
{
    struct err err;

    if (!fold_trace(spans, count, &arena, &err))
        fail_msg("%s", err.text);
    arena_reset(&arena);
}

static void set_tokens(struct fold_span *span, int64_t in, int64_t out)
{
    span->has_usage = true;
    span->tokens[TOKEN_INPUT] = in;
    span->tokens[TOKEN_OUTPUT] = out;
    span->total_tokens = in + out;
}

/* Few different values everywhere, so that all of them meet. Ids repeat where unique is false. */
static void make_random(struct fold_span *span, size_t position, bool unique, uint64_t *random)
{
    static const unsigned flags[] = {MEANING_COPY,      MEANING_CACHE_HIT, MEANING_PENDING,
                                     MEANING_AGGREGATE, MEANING_ESTIMATED, MEANING_SERVER,
                                     MEANING_NATIVE};

    *span = (struct fold_span){
        .span_id = unique ? (int64_t)position + 1 : 1 + (int64_t)(fold_random(random) % 9),
        .start_ns = (int64_t)(fold_random(random) % 12) * 3 * MS,
        .duration_ns = (int64_t)(fold_random(random) % 12) * 3 * MS,
        .kind = 1 + (int32_t)(fold_random(random) % 5),
        .has_parent = fold_random(random) % 8 != 0,
        .parent_span_id = 1 + (int64_t)(fold_random(random) % (unique ? position + 2 : 10)),
        .observation = (enum observation)(
            fold_random(random) % 3 ? OBSERVATION_LLM : fold_random(random) % OBSERVATION_COUNT),
        .flags = fold_random(random) % 4 ? 0 : flags[fold_random(random) % 7],
        .has_cost = fold_random(random) % 8 == 0,
        .response_key = fold_random(random) % 2 ? 0 : 1 + fold_random(random) % 5,
        .model_key = fold_random(random) % 3,
        .scope_key = fold_random(random) % 4,
    };
    if (fold_random(random) % 4 != 0)
        set_tokens(span, (int64_t)(fold_random(random) % 4) * 10,
                   (int64_t)(fold_random(random) % 3));
}

static uint64_t hash_outcome(const struct fold_span *spans, size_t count)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < count; i++) {
        const struct fold_span *s = &spans[i];
        uint64_t one = (uint64_t)s->span_id * 1009 + (uint64_t)s->start_ns;

        one = one * 1000003 + (uint64_t)s->kind * 64 + s->reason;
        one = one * 1000003 + s->call_key + (s->billable ? 1000 : 0);
        if (s->duplicate_of != SIZE_MAX) {
            assert_true(s->duplicate_of < count && s->duplicate_of != i && !s->billable);
            assert_true(spans[s->duplicate_of].billable);
            one = one * 1000003 + (uint64_t)spans[s->duplicate_of].span_id;
        }
        sum += one * UINT64_C(0x9E3779B97F4A7C15);
    }
    return sum;
}

/* The unique key of the store: no two spans share id, start and kind. */
static size_t without_doubles(struct fold_span *spans, size_t count)
{
    size_t kept = 0;

    for (size_t i = 0; i < count; i++) {
        bool again = false;

        for (size_t k = 0; k < kept; k++)
            again |= spans[k].span_id == spans[i].span_id &&
                     spans[k].start_ns == spans[i].start_ns && spans[k].kind == spans[i].kind;
        if (!again)
            spans[kept++] = spans[i];
    }
    return kept;
}

static void whatever_is_sent_one_outcome_comes_of_it(void **state)
{
    uint64_t random = 7;

    (void)state;
    arena_init(&arena, ARENA_BYTES);
    for (size_t t = 0; t < TRACES; t++) {
        struct fold_span spans[MOST_SPANS];
        size_t count = 1 + fold_random(&random) % MOST_SPANS;
        const bool unique = fold_random(&random) % 4 != 0;
        uint64_t outcome;

        memset(spans, 0, sizeof(spans));
        for (size_t i = 0; i < count; i++)
            make_random(&spans[i], i, unique, &random);
        count = without_doubles(spans, count);
        fold(spans, count);
        outcome = hash_outcome(spans, count);
        fold_shuffle(spans, count, &random);
        fold(spans, count);
        if (hash_outcome(spans, count) != outcome)
            fail_msg("trace %zu has another outcome in another order", t);
    }
    arena_done(&arena);
}

static void what_is_plain_needs_no_fold(void **state)
{
    uint64_t random = 11;

    (void)state;
    arena_init(&arena, ARENA_BYTES);
    for (size_t t = 0; t < TRACES; t++) {
        struct fold_span spans[MOST_SPANS];
        const size_t count = 1 + fold_random(&random) % MOST_SPANS;

        memset(spans, 0, sizeof(spans));
        for (size_t i = 0; i < count; i++) {
            struct fold_span *span = &spans[i];

            do {
                make_random(span, i, fold_random(&random) % 4 != 0, &random);
                span->response_key = i + 1;
            } while (fold_counts(span) && !fold_is_plain(span));
        }
        fold(spans, count);
        for (size_t i = 0; i < count; i++) {
            const bool counts = fold_counts(&spans[i]);

            if (spans[i].billable != counts || spans[i].duplicate_of != SIZE_MAX ||
                spans[i].call_key != i + 1 ||
                spans[i].reason != (counts ? BILLING_REASON_CALL : BILLING_REASON_NONE))
                fail_msg("trace %zu: a plain span is '%s'", t,
                         billing_reason_name(spans[i].reason));
        }
    }
    arena_done(&arena);
}

enum shape { CHAIN, COMB, WIDE, ONE_KEY, TWO_SIDES, RANDOM, SHAPES };

static void make_large(struct fold_span *spans, enum shape shape, uint64_t *random)
{
    for (size_t i = 0; i < MANY; i++) {
        int64_t parent = 0;

        if (shape == CHAIN)
            parent = (int64_t)i;
        else if (shape == COMB)
            parent = (int64_t)(i - i % 2);
        else if (shape == ONE_KEY || shape == RANDOM)
            parent = i == 0 ? 0 : 1 + (int64_t)(fold_random(random) % i);
        spans[i] = (struct fold_span){
            .span_id = (int64_t)i + 1,
            .start_ns = shape == TWO_SIDES ? (int64_t)(i / 2) * 10 * MS : (int64_t)i,
            .duration_ns = shape == TWO_SIDES ? (i % 2 ? 8 : 9) * MS : 1000 * MS,
            .kind = 1,
            .has_parent = parent != 0,
            .parent_span_id = parent,
            .observation = OBSERVATION_LLM,
            .response_key = shape == ONE_KEY                ? 5
                            : shape == RANDOM && i % 3 == 0 ? 1 + i / 9
                                                            : 0,
            .model_key = 3,
            .scope_key = 1 + i % 2,
        };
        set_tokens(&spans[i], shape == RANDOM ? 1 + (int64_t)(fold_random(random) % 3) : 10, 5);
    }
}

static size_t count_billed(const struct fold_span *spans)
{
    size_t billed = 0;

    for (size_t i = 0; i < MANY; i++)
        billed += spans[i].billable;
    return billed;
}

static void a_hundred_thousand_spans_take_no_long_time(void **state)
{
    static const size_t billed[SHAPES] = {
        [CHAIN] = 1, [COMB] = 1, [ONE_KEY] = 1, [TWO_SIDES] = MANY / 2};
    struct fold_span *spans = calloc(MANY, sizeof(*spans));
    uint64_t random = 3;

    (void)state;
    assert_non_null(spans);
    arena_init(&arena, ARENA_BYTES);
    for (int shape = 0; shape < SHAPES; shape++) {
        int64_t before_ns;
        int64_t took_ns;

        make_large(spans, (enum shape)shape, &random);
        fold_shuffle(spans, MANY, &random);
        before_ns = clock_mono_ns();
        fold(spans, MANY);
        took_ns = clock_mono_ns() - before_ns;
        print_message("shape %d: %d ms, %zu billed\n", shape, (int)(took_ns / MS),
                      count_billed(spans));
        if (billed[shape] > 0)
            assert_int_equal(count_billed(spans), billed[shape]);
        assert_true(took_ns < 10000 * MS); /* far from what is quadratic, whatever the machine */
    }
    arena_done(&arena);
    free(spans);
}

static void no_room_is_an_error(void **state)
{
    static struct fold_span spans[1000];
    struct err err = {0};

    (void)state;
    arena_init(&arena, 8192);
    assert_false(fold_trace(spans, 1000, &arena, &err));
    assert_int_equal(err.kind, ERR_TOO_LARGE);
    arena_done(&arena);
    arena_init(&arena, 8192);
    assert_true(fold_trace(spans, 0, &arena, &err));
    arena_done(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whatever_is_sent_one_outcome_comes_of_it),
        cmocka_unit_test(what_is_plain_needs_no_fold),
        cmocka_unit_test(a_hundred_thousand_spans_take_no_long_time),
        cmocka_unit_test(no_room_is_an_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
