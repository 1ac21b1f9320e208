/* Memory of one job. */
#include "test.h"

#include "base/arena.h"
#include "support/failing_malloc.h"

static void gives_aligned_memory_that_does_not_overlap(void **state)
{
    struct arena a;
    static uint8_t *at[2000];

    (void)state;
    arena_init(&a, 64 << 20);
    for (size_t i = 0; i < 2000; i++) {
        at[i] = arena_alloc(&a, i);
        if (!at[i] || (uintptr_t)at[i] % 16 != 0)
            fail_msg("%zu bytes: %p", i, (void *)at[i]);
        memset(at[i], (int)(i & 0xff), i);
    }
    for (size_t i = 0; i < 2000; i++)
        for (size_t k = 0; k < i; k++)
            if (at[i][k] != (uint8_t)i)
                fail_msg("allocation %zu was overwritten", i);
    assert_false(a.failed);
    arena_done(&a);
}

static void never_passes_its_cap(void **state)
{
    static const size_t caps[] = {0, 16, 100, 32768, 32769, 100000, 5 << 20};

    (void)state;
    for (size_t i = 0; i < sizeof(caps) / sizeof(caps[0]); i++) {
        struct arena a;
        size_t given = 0;

        arena_init(&a, caps[i]);
        while (arena_alloc(&a, 16))
            given += 16;
        if (!a.failed || a.used_bytes > caps[i] || given > caps[i])
            fail_msg("cap %zu: gave %zu, charged %zu", caps[i], given, a.used_bytes);
        /* Under ASan each piece has a red zone, which counts. */
        if (caps[i] >= 100 && given < caps[i] / 4)
            fail_msg("cap %zu: gave only %zu", caps[i], given);
        arena_done(&a);
    }
}

static void takes_one_allocation_as_large_as_its_cap_allows(void **state)
{
    struct arena a;

    (void)state;
    arena_init(&a, 3 << 20);
    assert_non_null(arena_alloc(&a, (3 << 20) - 64));
    assert_null(arena_alloc(&a, 1024));
    assert_true(a.failed);
    arena_done(&a);
}

static void refuses_sizes_that_wrap_round(void **state)
{
    struct arena a;

    (void)state;
    arena_init(&a, SIZE_MAX);
    assert_null(arena_alloc(&a, SIZE_MAX));
    assert_null(arena_alloc(&a, SIZE_MAX - 8));
    assert_null(arena_calloc(&a, SIZE_MAX / 8, 16));
    assert_null(arena_copy(&a, (struct bytes){(const uint8_t *)"x", SIZE_MAX}).at);
    assert_true(a.failed);
    arena_reset(&a);
    assert_false(a.failed);
    arena_done(&a);
}

static void zeroes_what_callers_expect_to_be_zero(void **state)
{
    struct arena a;

    (void)state;
    arena_init(&a, 1 << 20);
    memset(arena_alloc(&a, 1000), 0xff, 1000);
    arena_reset(&a);
    const uint64_t *numbers = arena_array(&a, uint64_t, 100);
    for (size_t i = 0; i < 100; i++)
        assert_true(numbers[i] == 0);
    arena_done(&a);
}

static void keeps_one_small_block_over_a_reset(void **state)
{
    struct arena a;

    (void)state;
    arena_init(&a, 64 << 20);
    arena_reset(&a); /* nothing there yet */
    for (int i = 0; i < 1000; i++)
        assert_non_null(arena_alloc(&a, 10000));
    arena_reset(&a);
    assert_true(a.used_bytes > 0 && a.used_bytes <= 1 << 20);
    failing_malloc_from(1, 1);
    assert_non_null(arena_alloc(&a, 100));
    assert_int_equal(failing_malloc_stop(), 0);

    /* A block made for one huge request would be kept for ever by an idle worker. */
    arena_done(&a);
    assert_non_null(arena_alloc(&a, 20 << 20));
    arena_reset(&a);
    assert_int_equal(a.used_bytes, 0);
    arena_done(&a);
}

static void fill(struct arena *a, size_t mib)
{
    for (size_t i = 0; i < mib * 16; i++)
        assert_non_null(arena_alloc(a, 60000));
}

static void keeps_what_was_used_and_gives_it_back_when_less_is_needed(void **state)
{
    struct arena a;

    (void)state;
    arena_init(&a, 256 << 20);
    fill(&a, 10);
    arena_reset(&a);
    failing_malloc_from(1, 1); /* the same again needs no memory */
    fill(&a, 7);
    assert_int_equal(failing_malloc_stop(), 0);
    assert_true(a.used_bytes <= 9 << 20); /* spare blocks are charged when they are used */

    fill(&a, 100);
    arena_reset(&a);
    assert_true(a.spare_bytes > 0 && a.spare_bytes <= ARENA_KEEP_BYTES);
    for (int i = 0; i < 10; i++)
        arena_reset(&a);
    assert_true(a.spare_bytes <= 1 << 20);
    arena_done(&a);
    assert_int_equal(a.spare_bytes, 0);
}

static void copies_texts_with_a_nul_behind(void **state)
{
    struct arena a;
    struct bytes copy;

    (void)state;
    arena_init(&a, 1 << 20);
    copy = arena_copy(&a, BYTES_LITERAL("a\0b"));
    assert_int_equal(copy.len, 3);
    assert_memory_equal(copy.at, "a\0b", 4);
    copy = arena_copy(&a, (struct bytes){0});
    assert_true(copy.at && copy.len == 0);
    assert_string_equal(arena_printf(&a, "%d of %s", 3, "four"), "3 of four");
    arena_done(&a);
    arena_init(&a, 8);
    assert_null(arena_copy(&a, BYTES_LITERAL("too long for it")).at);
    assert_null(arena_printf(&a, "%s", "too long for it"));
    arena_done(&a);
}

static void survives_every_failing_allocation(void **state)
{
    (void)state;
    for (long n = 1;; n++) {
        struct arena a;
        int given = 0;

        arena_init(&a, 64 << 20);
        failing_malloc_from(n, 1000);
        while (given < 1000 && arena_alloc(&a, 5000))
            given++;
        if (failing_malloc_stop() < n) {
            assert_int_equal(given, 1000);
            arena_done(&a);
            break;
        }
        assert_true(a.failed && given < 1000);
        arena_done(&a);
    }
}

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>

static void poisons_what_is_not_handed_out(void **state)
{
    struct arena a;
    uint8_t *first;

    (void)state;
    arena_init(&a, 1 << 20);
    first = arena_alloc(&a, 20);
    assert_true(__asan_address_is_poisoned(first + 20)); /* an overrun */
    assert_false(__asan_address_is_poisoned(first + 19));
    arena_reset(&a);
    assert_true(__asan_address_is_poisoned(first)); /* a use after reset */
    arena_done(&a);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_aligned_memory_that_does_not_overlap),
        cmocka_unit_test(never_passes_its_cap),
        cmocka_unit_test(takes_one_allocation_as_large_as_its_cap_allows),
        cmocka_unit_test(refuses_sizes_that_wrap_round),
        cmocka_unit_test(zeroes_what_callers_expect_to_be_zero),
        cmocka_unit_test(keeps_one_small_block_over_a_reset),
        cmocka_unit_test(keeps_what_was_used_and_gives_it_back_when_less_is_needed),
        cmocka_unit_test(copies_texts_with_a_nul_behind),
        cmocka_unit_test(survives_every_failing_allocation),
#if defined(__SANITIZE_ADDRESS__)
        cmocka_unit_test(poisons_what_is_not_handed_out),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
