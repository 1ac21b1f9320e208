/*
 * meaning: what it costs to understand a span on its way in, by shape of span. Nanoseconds of one
 * thread's processor time, best of the rounds:
 *   facts     find + read (tokens in it) + cost: normalising and pricing
 *   previews  one line of what went in and came out, less finding it (step find_content)
 *   ingest    all that is done to a span between decoding and the row's encoding
 *
 *   meaning [ROUNDS]               every shape
 *   meaning list                   shapes and steps, a pair per line
 *   meaning count SHAPE STEP N     N spans in one call of meaning_measured, and nothing printed: for
 *                                  valgrind --tool=callgrind --toggle-collect=meaning_measured
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "genai/content.h"
#include "genai/shape.h"
#include "support/figures.h"
#include "support/shapes.h"
#include "work/ingest_meaning.h"

#define ROOM ((size_t)64 << 20)
#define AT_ONCE 200 /* spans between two looks at the clock */

struct bench {
    const struct shape *shape;
    struct ingest_meaning ingest;
    struct arena arena; /* of the step */
    size_t understood;  /* so that nothing is left out as unused */
};

typedef void step_function(struct bench *b, const struct span *span);

static void fail(const char *what)
{
    (void)fprintf(stderr, "meaning: %s\n", what);
    exit(2);
}

static void step_facts(struct bench *b, const struct span *span)
{
    struct findings found;
    struct meaning meaning;
    struct err err;

    if (!shape_find(b->ingest.shapes, span, FIND_FACTS, &b->arena, &found, &err) ||
        !genai_read(&found, NULL, &meaning, &err))
        fail(err.text);
    if (meaning_counts(&meaning))
        cost_fill(&meaning, b->ingest.prices, 1, (int64_t)span->start_unix_nano,
                  (struct bytes){NULL, 0}, COST_PREFER_COMPUTED);
    b->understood += found.count;
    arena_reset(&b->arena);
}

static void step_previews(struct bench *b, const struct span *span)
{
    struct findings found;
    struct bytes lines[2];
    struct err err;

    if (!shape_find(b->ingest.shapes, span, FIND_FACTS | FIND_CONTENT, &b->arena, &found, &err) ||
        !genai_previews(&found, &lines[0], &lines[1], &err))
        fail(err.text);
    b->understood += lines[0].len;
    arena_reset(&b->arena);
}

/* What step_previews does besides. */
static void step_find_content(struct bench *b, const struct span *span)
{
    struct findings found;
    struct err err;

    if (!shape_find(b->ingest.shapes, span, FIND_FACTS | FIND_CONTENT, &b->arena, &found, &err))
        fail(err.text);
    b->understood += found.count;
    arena_reset(&b->arena);
}

static void step_ingest(struct bench *b, const struct span *span)
{
    struct stored_span row = {.tenant_id = 1,
                              .has_parent = span->parent_span_id.len > 0,
                              .start_unix_ns = (int64_t)span->start_unix_nano};
    struct err err;

    if (!ingest_meaning_fill(&b->ingest, span, &row, &b->arena, &err))
        fail(err.text);
    b->understood += row.meaning != NULL;
    arena_reset(&b->arena);
}

static const struct step {
    const char *name;
    step_function *run;
} steps[] = {
    {"facts", step_facts},
    {"find_content", step_find_content},
    {"previews", step_previews},
    {"ingest", step_ingest},
};
#define STEPS (sizeof(steps) / sizeof(steps[0]))

/* The name is what callgrind collects by. */
__attribute__((noinline)) void meaning_measured(struct bench *b, step_function *run, size_t count);
__attribute__((noinline)) void meaning_measured(struct bench *b, step_function *run, size_t count)
{
    for (size_t i = 0; i < count; i++)
        run(b, &b->shape->spans[i % b->shape->count]);
}

static int64_t cpu_ns(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return now.tv_sec * 1000000000 + now.tv_nsec;
}

static double best_ns(struct bench *b, step_function *run, int rounds)
{
    int64_t best = INT64_MAX;

    for (int i = 0; i < rounds; i++) {
        const int64_t start = cpu_ns();
        meaning_measured(b, run, AT_ONCE);
        const int64_t took = cpu_ns() - start;
        best = took < best ? took : best;
    }
    return (double)best / AT_ONCE;
}

static void print_all(struct bench *b, const struct shape *shapes, size_t count, int rounds)
{
    for (size_t s = 0; s < count; s++) {
        double ns[STEPS];

        b->shape = &shapes[s];
        for (size_t i = 0; i < STEPS; i++)
            ns[i] = best_ns(b, steps[i].run, rounds);
        (void)printf("%s facts_ns %.0f previews_ns %.0f ingest_ns %.0f\n", shapes[s].name, ns[0],
                     ns[2] - ns[1], ns[3]);
    }
}

static int list_all(const struct shape *shapes, size_t count)
{
    for (size_t s = 0; s < count; s++)
        for (size_t i = 0; i < STEPS; i++)
            (void)printf("%s %s\n", shapes[s].name, steps[i].name);
    return 0;
}

static int count_one(struct bench *b, const struct shape *shapes, size_t count, char *argv[])
{
    for (size_t s = 0; s < count; s++)
        for (size_t i = 0; i < STEPS; i++)
            if (strcmp(shapes[s].name, argv[2]) == 0 && strcmp(steps[i].name, argv[3]) == 0) {
                b->shape = &shapes[s];
                steps[i].run(b, &b->shape->spans[0]); /* prices remember questions */
                for (size_t k = 1; k < b->shape->count; k++)
                    steps[i].run(b, &b->shape->spans[k]);
                meaning_measured(b, steps[i].run, (size_t)figures_number("N", argv[4]));
                return 0;
            }
    fail("no such shape or step");
    return 2;
}

int main(int argc, char *argv[])
{
    struct bench b = {0};
    struct shape *shapes;
    size_t count;
    struct err err;
    int status = 0;

    shapes_make(&shapes, &count);
    ingest_meaning_init(&b.ingest, NULL);
    arena_init(&b.arena, ROOM);
    if (!prices_embedded(&b.ingest.prices, &err))
        fail(err.text);
    if (argc == 2 && strcmp(argv[1], "list") == 0)
        status = list_all(shapes, count);
    else if (argc == 5 && strcmp(argv[1], "count") == 0)
        status = count_one(&b, shapes, count, argv);
    else
        print_all(&b, shapes, count, argc > 1 ? (int)figures_number("rounds", argv[1]) : 200);
    prices_unref(b.ingest.prices);
    ingest_meaning_done(&b.ingest);
    arena_done(&b.arena);
    shapes_done(shapes);
    return status;
}
