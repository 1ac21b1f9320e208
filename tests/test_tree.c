/* read/tree: every set of spans gives a tree and the right marks. */
#include "base/clock.h"
#include "read/tree.h"
#include "test.h"

#define MAX_SPANS 8
#define NOW_NS (INT64_C(1800000000) * NS_PER_S)
#define ARENA_BYTES ((size_t)256 << 20)

struct given { /* id 0 ends the list */
    int64_t id;
    int64_t parent; /* 0: root */
    int64_t start;
    int64_t end;
    int32_t kind;
    enum span_outcome outcome;
};

struct wanted {
    int64_t id;
    uint32_t depth;
    int64_t self;
    unsigned marks;
};

static const struct shape {
    const char *why;
    struct given given[MAX_SPANS];
    struct wanted wanted[MAX_SPANS];
    int64_t missing[4];
    bool complete;
    enum trace_status status;
} shapes[] = {
    {"one root alone", {{1, 0, 0, 10, 0, SPAN_ENDED}}, {{1, 0, 10, 0}}, {0}, true, TRACE_COMPLETED},
    {"children in order of start, whatever the order of rows",
     {{3, 1, 5, 8, 0, 0}, {2, 1, 1, 4, 0, 0}, {1, 0, 0, 10, 0, 0}, {4, 2, 2, 3, 0, 0}},
     {{1, 0, 4, 0}, {2, 1, 2, 0}, {4, 2, 1, 0}, {3, 1, 3, 0}},
     {0},
     true,
     TRACE_COMPLETED},
    {"equal starts: the smaller id first, as unsigned number",
     {{1, 0, 0, 9, 0, 0}, {-2, 1, 1, 2, 0, 0}, {3, 1, 1, 2, 0, 0}},
     {{1, 0, 8, 0}, {3, 1, 1, 0}, {-2, 1, 1, 0}},
     {0},
     true,
     TRACE_COMPLETED},
    {"self time: overlapping children are taken off once, the part beyond the end not at all",
     {{1, 0, 0, 10, 0, 0}, {2, 1, 1, 5, 0, 0}, {3, 1, 3, 6, 0, 0}, {4, 1, 9, 20, 0, 0}},
     {{1, 0, 4, 0}, {2, 1, 4, 0}, {3, 1, 3, 0}, {4, 1, 11, TREE_MARK_OUTLIVES_PARENT}},
     {0},
     true,
     TRACE_COMPLETED},
    {"a parent that is missing: orphans at the top, the parent named once",
     {{1, 0, 0, 10, 0, 0}, {2, 99, 1, 2, 0, 0}, {3, 99, 2, 3, 0, 0}, {4, 3, 2, 3, 0, 0}},
     {{1, 0, 10, 0}, {2, 0, 1, TREE_MARK_ORPHAN}, {3, 0, 0, TREE_MARK_ORPHAN}, {4, 1, 1, 0}},
     {99},
     false,
     TRACE_COMPLETED},
    {"missing parents in ascending order, ids from 2^63 on last",
     {{1, -5, 0, 1, 0, 0}, {2, 7, 1, 2, 0, 0}},
     {{1, 0, 1, TREE_MARK_ORPHAN}, {2, 0, 1, TREE_MARK_ORPHAN}},
     {7, -5},
     false,
     TRACE_RUNNING},
    {"a span that is its own parent stands at the top and is no root",
     {{1, 1, 0, 10, 0, 0}, {2, 1, 1, 2, 0, 0}},
     {{1, 0, 9, TREE_MARK_SELF_PARENT}, {2, 1, 1, 0}},
     {0},
     false,
     TRACE_RUNNING},
    {"a cycle of three is cut above its earliest span; what hangs below stays there",
     {{1, 3, 0, 10, 0, 0}, {2, 1, 1, 9, 0, 0}, {3, 2, 2, 8, 0, 0}, {4, 3, 3, 7, 0, 0}},
     {{1, 0, 2, TREE_MARK_CYCLE},
      {2, 1, 2, TREE_MARK_CYCLE},
      {3, 2, 2, TREE_MARK_CYCLE},
      {4, 3, 4, 0}},
     {0},
     false,
     TRACE_RUNNING},
    {"two roots are both shown and marked",
     {{1, 0, 0, 10, 0, 0}, {2, 0, 5, 6, 0, 0}},
     {{1, 0, 10, TREE_MARK_SEVERAL_ROOTS}, {2, 0, 1, TREE_MARK_SEVERAL_ROOTS}},
     {0},
     true,
     TRACE_COMPLETED},
    {"a root that starts after its child: late, and the child's clock is askew",
     {{1, 0, 5, 10, 0, 0}, {2, 1, 2, 7, 0, 0}},
     {{1, 0, 3, TREE_MARK_LATE_ROOT}, {2, 1, 5, TREE_MARK_CLOCK_SKEW}},
     {0},
     true,
     TRACE_COMPLETED},
    {"a child that starts after its parent ended",
     {{1, 0, 0, 10, 0, 0}, {2, 1, 11, 12, 0, 0}},
     {{1, 0, 10, 0}, {2, 1, 1, TREE_MARK_CLOCK_SKEW}},
     {0},
     true,
     TRACE_COMPLETED},
    {"an unfinished parent has no end that a child could pass",
     {{1, 0, 0, 0, 0, SPAN_UNFINISHED}, {2, 1, 11, 12, 0, 0}},
     {{1, 0, 0, 0}, {2, 1, 1, 0}},
     {0},
     false,
     TRACE_RUNNING},
    {"client and server of one call share an id: the server below the client, its child below it",
     {{1, 0, 0, 10, 1, 0}, {2, 1, 1, 9, 3, 0}, {2, 1, 2, 8, 2, 0}, {3, 2, 3, 4, 1, 0}},
     {{1, 0, 2, 0}, {2, 1, 2, TREE_MARK_SHARED_ID}, {2, 2, 5, TREE_MARK_SHARED_ID}, {3, 3, 1, 0}},
     {0},
     true,
     TRACE_COMPLETED},
    {"shared id, the server's clock behind: still below the client",
     {{1, 0, 0, 10, 1, 0}, {2, 1, 3, 9, 3, 0}, {2, 1, 2, 8, 2, 0}},
     {{1, 0, 4, 0},
      {2, 1, 1, TREE_MARK_SHARED_ID},
      {2, 2, 6, TREE_MARK_SHARED_ID | TREE_MARK_CLOCK_SKEW}},
     {0},
     true,
     TRACE_COMPLETED},
    {"one id at two times: a child belongs to the one that had started",
     {{1, 0, 0, 100, 0, 0},
      {2, 1, 10, 20, 1, 0},
      {2, 1, 50, 60, 1, 0},
      {3, 2, 12, 13, 0, 0},
      {4, 2, 52, 53, 0, 0}},
     {{1, 0, 80, 0},
      {2, 1, 9, TREE_MARK_SHARED_ID},
      {3, 2, 1, 0},
      {2, 1, 9, TREE_MARK_SHARED_ID},
      {4, 2, 1, 0}},
     {0},
     true,
     TRACE_COMPLETED},
    {"a failed root fails the trace, though another ended well",
     {{1, 0, 0, 10, 0, SPAN_ENDED}, {2, 0, 1, 2, 0, SPAN_FAILED}},
     {{1, 0, 10, TREE_MARK_SEVERAL_ROOTS}, {2, 0, 1, TREE_MARK_SEVERAL_ROOTS}},
     {0},
     true,
     TRACE_FAILED},
    {"a cancelled root; a failed child does not count",
     {{1, 0, 0, 10, 0, SPAN_CANCELLED}, {2, 1, 1, 2, 0, SPAN_FAILED}},
     {{1, 0, 9, 0}, {2, 1, 1, 0}},
     {0},
     true,
     TRACE_CANCELLED},
};

static size_t fill(const struct given *given, struct stored_span *spans)
{
    size_t count = 0;

    for (; count < MAX_SPANS && given[count].id; count++)
        spans[count] = (struct stored_span){
            .span_id = given[count].id,
            .has_parent = given[count].parent != 0,
            .parent_span_id = given[count].parent,
            .start_unix_ns = given[count].start,
            .duration_ns = given[count].end - given[count].start,
            .kind = given[count].kind,
            .outcome = given[count].outcome,
            .status_code = given[count].outcome == SPAN_FAILED ? 2 : 0,
            .received_ns = NOW_NS - NS_PER_S,
        };
    return count;
}

static void check_shape(const struct shape *shape, const struct tree *tree)
{
    size_t missing = 0;

    for (size_t i = 0; i < tree->count; i++) {
        const struct tree_node *node = &tree->nodes[i];
        const struct wanted *w = &shape->wanted[i];

        if (node->span->span_id != w->id || node->depth != w->depth ||
            node->self_duration_ns != w->self || node->marks != w->marks)
            fail_msg("%s: span %zu is %lld depth %u self %lld marks %x, want %lld %u %lld %x",
                     shape->why, i, (long long)node->span->span_id, node->depth,
                     (long long)node->self_duration_ns, node->marks, (long long)w->id, w->depth,
                     (long long)w->self, w->marks);
        if (node->depth > 0 &&
            (node->parent >= i || tree->nodes[node->parent].depth + 1 != node->depth))
            fail_msg("%s: span %zu has parent %u", shape->why, i, node->parent);
    }
    while (missing < 4 && shape->missing[missing])
        missing++;
    if (tree->missing_count != missing ||
        memcmp(tree->missing_parents, shape->missing, missing * sizeof(int64_t)) != 0)
        fail_msg("%s: %zu missing parents", shape->why, tree->missing_count);
    if (tree->complete != shape->complete || tree->status != shape->status)
        fail_msg("%s: complete %d status %s", shape->why, tree->complete,
                 trace_status_name(tree->status));
}

static void rebuilds_every_shape_with_its_marks(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
        struct stored_span spans[MAX_SPANS];
        struct trace_spans trace = {.items = spans, .count = fill(shapes[i].given, spans)};
        struct arena arena;
        struct tree tree;
        struct err err;

        arena_init(&arena, ARENA_BYTES);
        if (!tree_build(&trace, NOW_NS, &arena, &tree, &err))
            fail_msg("%s: %s", shapes[i].why, err.text);
        assert_int_equal(tree.count, trace.count);
        check_shape(&shapes[i], &tree);
        arena_done(&arena);
    }
}

static void is_running_for_an_hour_after_the_last_span_without_a_root(void **state)
{
    static const struct {
        const char *why;
        int64_t roots[4];
        int64_t age_ns;
        enum trace_status status;
    } cases[] = {
        {"no root, just now", {0, 0, 0, 0}, 0, TRACE_RUNNING},
        {"no root, a second less than an hour", {0, 0, 0, 0}, 3599 * NS_PER_S, TRACE_RUNNING},
        {"no root, an hour", {0, 0, 0, 0}, 3600 * NS_PER_S, TRACE_COMPLETED},
        {"unfinished root", {0, 0, 0, 1}, 0, TRACE_RUNNING},
        {"unfinished root, long ago", {0, 0, 0, 1}, 3601 * NS_PER_S, TRACE_COMPLETED},
        {"one root ended, another did not", {1, 0, 0, 1}, 0, TRACE_COMPLETED},
        {"failed counts before cancelled", {1, 1, 1, 1}, 0, TRACE_FAILED},
        {"cancelled counts before ended", {1, 0, 1, 1}, 0, TRACE_CANCELLED},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        if (trace_status_of(cases[i].roots, NOW_NS - cases[i].age_ns, NOW_NS) != cases[i].status)
            fail_msg("%s", cases[i].why);
}

static void of_roots_that_start_together_the_one_that_rows_choose_names_the_trace(void **state)
{
    static const struct given given[MAX_SPANS] = {{3, 0, 5, 9, 0, 0}, {-2, 0, 5, 9, 0, 0}};
    struct stored_span spans[MAX_SPANS];
    struct trace_spans trace = {.items = spans, .count = fill(given, spans)};
    struct arena arena;
    struct tree tree;
    struct err err;

    (void)state;
    arena_init(&arena, ARENA_BYTES);
    assert_true(tree_build(&trace, NOW_NS, &arena, &tree, &err));
    assert_true(tree.nodes[0].span->span_id == 3);
    assert_true(tree.root->span_id == -2 && tree.first->span_id == -2);
    arena_done(&arena);
}

static void refuses_no_spans_and_a_full_arena(void **state)
{
    struct stored_span spans[MAX_SPANS];
    struct trace_spans none = {.items = spans, .count = 0};
    struct trace_spans some = {.items = spans, .count = fill(shapes[1].given, spans)};
    struct tree tree = {.count = 77};
    struct arena arena;
    struct err err = {0};

    (void)state;
    arena_init(&arena, 16);
    assert_false(tree_build(&none, NOW_NS, &arena, &tree, &err));
    assert_false(tree_build(&some, NOW_NS, &arena, &tree, &err));
    assert_int_equal(err.kind, ERR_TOO_LARGE);
    assert_true(err.text[0] != '\0');
    assert_int_equal(tree.count, 77);
    arena_done(&arena);
}

#define MANY 100000

static const struct many {
    const char *why;
    int64_t parent_step; /* parent id is own id minus this; 0: all below the first */
    bool same_id;
    bool cycle;
} manys[] = {
    {"a chain of 100,000", 1, false, false},
    {"100,000 children of one span", 0, false, false},
    {"100,000 spans that share one id and name it as parent", 0, true, false},
    {"a cycle of 100,000", 1, false, true},
};

static void builds_100000_spans_within_a_second_whatever_their_shape(void **state)
{
    struct stored_span *spans = test_calloc(MANY, sizeof(*spans));
    struct trace_spans trace = {.items = spans, .count = MANY};

    (void)state;
    for (size_t m = 0; m < sizeof(manys) / sizeof(manys[0]); m++) {
        const struct many *many = &manys[m];
        struct arena arena;
        struct tree tree;
        struct err err;
        int64_t began_ns;

        for (int64_t i = 0; i < MANY; i++)
            spans[i] = (struct stored_span){
                .span_id = many->same_id ? 1 : i + 1,
                .has_parent = i > 0 || many->same_id || many->cycle,
                .parent_span_id = i == 0 && many->cycle ? MANY
                                  : many->parent_step   ? i + 1 - many->parent_step
                                                        : 1,
                .start_unix_ns = i,
                .duration_ns = MANY,
                .received_ns = NOW_NS,
            };
        arena_init(&arena, ARENA_BYTES);
        began_ns = clock_mono_ns();
        if (!tree_build(&trace, NOW_NS, &arena, &tree, &err))
            fail_msg("%s: %s", many->why, err.text);
        /* 15 ms alone; a second leaves room for a busy machine, not for n^2. */
        if (clock_mono_ns() - began_ns > TEST_SLOWER * NS_PER_S)
            fail_msg("%s: took %lld ms", many->why,
                     (long long)((clock_mono_ns() - began_ns) / NS_PER_MS));
        if (many->parent_step && tree.nodes[MANY - 1].depth != MANY - 1)
            fail_msg("%s: depth %u", many->why, tree.nodes[MANY - 1].depth);
        if (((tree.marks & TREE_MARK_CYCLE) != 0) != many->cycle)
            fail_msg("%s: marks %x", many->why, tree.marks);
        arena_done(&arena);
    }
    test_free(spans);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rebuilds_every_shape_with_its_marks),
        cmocka_unit_test(is_running_for_an_hour_after_the_last_span_without_a_root),
        cmocka_unit_test(of_roots_that_start_together_the_one_that_rows_choose_names_the_trace),
        cmocka_unit_test(refuses_no_spans_and_a_full_arena),
        cmocka_unit_test(builds_100000_spans_within_a_second_whatever_their_shape),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
