/* model/forest: every set of spans gives a forest, the same in every order. */
#include "model/forest.h"
#include "support/fold.h"
#include "test.h"

#include "base/clock.h"

#define MAX_SPANS 8
#define ARENA_BYTES ((size_t)256 << 20)
#define ORDERS 50

enum { INTERNAL = 1, SERVER, CLIENT, PRODUCER, CONSUMER };
enum { SHARED = 1, ANSWER = 2, OWN = 4, ORPHAN = 8, CYCLE = 16 };

struct given { /* id 0 ends the list */
    int64_t id;
    int64_t parent; /* 0: root */
    int64_t start;
    int32_t kind;
    /* wanted */
    int below;      /* row of its parent; -1: at the top */
    unsigned flags; /* of those above */
};

/* Rows are in the order that is wanted of nodes. */
static const struct shape {
    const char *why;
    struct given rows[MAX_SPANS];
} shapes[] = {
    {"a root and its child", {{1, 0, 0, 1, -1, 0}, {2, 1, 1, 1, 0, 0}}},
    {"a child that starts before its parent is its child still",
     {{2, 1, 0, 1, 1, 0}, {1, 0, 5, 1, -1, 0}}},
    {"equal starts: by id as unsigned number", {{3, 0, 1, 1, -1, 0}, {-2, 0, 1, 1, -1, 0}}},
    {"equal starts and ids: by kind",
     {{3, 0, 1, INTERNAL, -1, SHARED}, {3, 0, 1, PRODUCER, -1, SHARED}}},
    {"no parent there", {{1, 0, 0, 1, -1, 0}, {2, 9, 1, 1, -1, ORPHAN}}},
    {"its own parent", {{1, 1, 0, 1, -1, OWN}, {2, 1, 1, 1, 0, 0}}},
    {"its own parent, and another has that id: below the other",
     {{1, 0, 0, 1, -1, SHARED}, {1, 1, 1, 1, 0, SHARED | OWN}}},
    {"two that name each other: cut above the earlier",
     {{1, 2, 0, 1, -1, CYCLE}, {2, 1, 1, 1, 0, CYCLE}}},
    {"what hangs below a cycle is no part of it",
     {{1, 2, 0, 1, -1, CYCLE}, {2, 1, 1, 1, 0, CYCLE}, {3, 2, 2, 1, 1, 0}}},
    {"two cycles",
     {{1, 2, 0, 1, -1, CYCLE},
      {2, 1, 1, 1, 0, CYCLE},
      {3, 4, 2, 1, -1, CYCLE},
      {4, 3, 3, 1, 2, CYCLE}}},
    {"a shared id: below the latest that does not start after the child",
     {{1, 0, 0, 1, -1, SHARED}, {2, 1, 1, 1, 0, 0}, {1, 0, 5, 1, -1, SHARED}, {3, 1, 6, 1, 2, 0}}},
    {"a shared id, all later: below the earliest",
     {{2, 1, 0, 1, 1, 0}, {1, 0, 1, 1, -1, SHARED}, {1, 0, 2, 1, -1, SHARED}}},
    {"client and server of one call: the server below the client, and what names the id below it",
     {{1, 0, 0, 1, -1, 0},
      {2, 1, 1, CLIENT, 0, SHARED},
      {2, 1, 2, SERVER, 1, SHARED | ANSWER},
      {3, 2, 3, 1, 2, 0}}},
    {"the server's clock is behind: below the client still",
     {{2, 9, 1, SERVER, 1, SHARED | ANSWER}, {2, 9, 2, CLIENT, -1, SHARED | ORPHAN}}},
    {"producer and consumer without parents",
     {{2, 0, 1, PRODUCER, -1, SHARED}, {2, 0, 2, CONSUMER, 0, SHARED | ANSWER}}},
    {"a server with another parent than the client's is not its answer",
     {{1, 0, 0, 1, -1, 0}, {2, 1, 1, CLIENT, 0, SHARED}, {2, 0, 2, SERVER, -1, SHARED}}},
    {"an answer is below its caller, whoever it names: it is not its own parent then",
     {{2, 2, 1, CLIENT, -1, SHARED | OWN}, {2, 2, 2, SERVER, 0, SHARED | ANSWER}}},
};

static uint32_t fill(const struct given *rows, struct forest_node *nodes)
{
    uint32_t count = 0;

    for (; count < MAX_SPANS && rows[count].id; count++)
        nodes[count] = (struct forest_node){.span = &rows[count],
                                            .start_ns = rows[count].start,
                                            .span_id = rows[count].id,
                                            .parent_span_id = rows[count].parent,
                                            .kind = rows[count].kind,
                                            .has_parent = rows[count].parent != 0};
    return count;
}

static unsigned flags_of(const struct forest_node *node)
{
    return (node->shares_id ? SHARED : 0U) | (node->is_answer ? ANSWER : 0U) |
           (node->own_parent ? OWN : 0U) | (node->is_orphan ? ORPHAN : 0U) |
           (node->in_cycle ? CYCLE : 0U);
}

static void shuffle(struct forest_node *nodes, uint32_t count, uint64_t *state)
{
    for (uint32_t i = count; i > 1; i--) {
        const uint32_t k = (uint32_t)(fold_random(state) % i);
        const struct forest_node swapped = nodes[i - 1];

        nodes[i - 1] = nodes[k];
        nodes[k] = swapped;
    }
}

static void check(const struct shape *shape, const struct forest_node *nodes, uint32_t count,
                  uint32_t top)
{
    uint32_t visited = 0;

    for (uint32_t i = 0; i < count; i++) {
        const struct given *row = &shape->rows[i];
        const uint32_t want = row->below < 0 ? FOREST_NONE : (uint32_t)row->below;

        if (nodes[i].span != row || nodes[i].parent != want || flags_of(&nodes[i]) != row->flags)
            fail_msg("%s: span %u is below %d with flags %x", shape->why, i, (int)nodes[i].parent,
                     flags_of(&nodes[i]));
    }
    for (uint32_t at = top; at != FOREST_NONE && visited <= count; at = forest_next(nodes, at))
        visited++;
    if (visited != count)
        fail_msg("%s: %u of %u were walked through", shape->why, visited, count);
}

static void every_shape_is_the_same_in_every_order(void **state)
{
    uint64_t random = 42;
    struct arena arena;

    (void)state;
    arena_init(&arena, ARENA_BYTES);
    for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
        struct forest_node nodes[MAX_SPANS];
        const uint32_t count = fill(shapes[i].rows, nodes);

        for (unsigned order = 0; order < ORDERS; order++) {
            uint32_t top = 77;
            struct err err;

            arena_reset(&arena);
            if (!forest_build(nodes, count, NULL, &arena, &top, &err))
                fail_msg("%s: %s", shapes[i].why, err.text);
            check(&shapes[i], nodes, count, top);
            shuffle(nodes, count, &random);
        }
    }
    arena_done(&arena);
}

/* Siblings in order, depth first: 1 (2 (4) 3) 5. */
static void a_walk_goes_down_then_right_then_up(void **state)
{
    static const struct given rows[MAX_SPANS] = {{1, 0, 0, 1, 0, 0},
                                                 {2, 1, 1, 1, 0, 0},
                                                 {3, 1, 2, 1, 0, 0},
                                                 {4, 2, 3, 1, 0, 0},
                                                 {5, 0, 4, 1, 0, 0}};
    static const int64_t want[] = {1, 2, 4, 3, 5};
    struct forest_node nodes[MAX_SPANS];
    const uint32_t count = fill(rows, nodes);
    struct arena arena;
    uint32_t at;
    struct err err;

    (void)state;
    arena_init(&arena, ARENA_BYTES);
    assert_true(forest_build(nodes, count, NULL, &arena, &at, &err));
    for (size_t i = 0; i < count; i++, at = forest_next(nodes, at))
        assert_int_equal(nodes[at].span_id, want[i]);
    assert_int_equal(at, FOREST_NONE);
    arena_done(&arena);
}

static int by_flags(const void *a, const void *b)
{
    return (int)((const struct given *)a)->flags - (int)((const struct given *)b)->flags;
}

static void equals_are_put_in_order_by_the_caller(void **state)
{
    static const struct given rows[MAX_SPANS] = {{1, 0, 0, 1, 0, 2}, {1, 0, 0, 1, 0, 1}};
    struct forest_node nodes[MAX_SPANS];
    const uint32_t count = fill(rows, nodes);
    struct arena arena;
    uint32_t top;
    struct err err;

    (void)state;
    arena_init(&arena, ARENA_BYTES);
    assert_true(forest_build(nodes, count, by_flags, &arena, &top, &err));
    assert_true(nodes[0].span == &rows[1] && nodes[1].span == &rows[0]);
    arena_done(&arena);
}

static void nothing_gives_nothing_and_a_full_arena_is_said(void **state)
{
    struct forest_node nodes[MAX_SPANS];
    const uint32_t count = fill(shapes[0].rows, nodes);
    struct arena arena;
    uint32_t top = 77;
    struct err err = {0};

    (void)state;
    arena_init(&arena, 16);
    assert_false(forest_build(nodes, count, NULL, &arena, &top, &err));
    assert_true(err.kind == ERR_TOO_LARGE && err.text[0] && top == 77);
    arena_done(&arena);
    arena_init(&arena, ARENA_BYTES);
    assert_true(forest_build(nodes, 0, NULL, &arena, &top, &err));
    assert_int_equal(top, FOREST_NONE);
    arena_done(&arena);
}

#define MANY 100000

/* A chain, a star, one id for all, one cycle: none is quadratic or recursive. */
static void takes_100000_spans_of_any_shape_in_a_second(void **state)
{
    struct forest_node *nodes = test_calloc(MANY, sizeof(*nodes));

    (void)state;
    for (int shape = 0; shape < 4; shape++) {
        struct arena arena;
        uint32_t walked = 0;
        uint32_t at;
        struct err err;
        const int64_t began_ns = clock_mono_ns();

        for (int64_t i = 0; i < MANY; i++)
            nodes[i] = (struct forest_node){
                .start_ns = MANY - i,
                .span_id = shape == 2 ? 1 : i + 1,
                .has_parent = i > 0 || shape == 3,
                .parent_span_id = shape == 0   ? i
                                  : shape == 3 ? (i + MANY - 1) % MANY + 1
                                               : 1,
                .kind = shape == 2 ? (int32_t)(i % 6) : 1,
            };
        arena_init(&arena, ARENA_BYTES);
        assert_true(forest_build(nodes, MANY, NULL, &arena, &at, &err));
        for (; at != FOREST_NONE; at = forest_next(nodes, at))
            walked++;
        assert_int_equal(walked, MANY);
        if (clock_mono_ns() - began_ns > TEST_SLOWER * NS_PER_S)
            fail_msg("shape %d took longer", shape);
        arena_done(&arena);
    }
    test_free(nodes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_shape_is_the_same_in_every_order),
        cmocka_unit_test(a_walk_goes_down_then_right_then_up),
        cmocka_unit_test(equals_are_put_in_order_by_the_caller),
        cmocka_unit_test(nothing_gives_nothing_and_a_full_arena_is_said),
        cmocka_unit_test(takes_100000_spans_of_any_shape_in_a_second),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
