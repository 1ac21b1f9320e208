/* The memory of written keys: bounded, forgets the oldest. */
#include "test.h"

#include "store/seen.h"

static void knows_what_was_added_lately_and_forgets_the_oldest(void **state)
{
    struct seen *seen = seen_new();
    const uint64_t first = 0x123456789U;
    const uint64_t never = 0x42U;
    bool known[2];

    (void)state;
    assert_non_null(seen);
    seen_look(seen, (const uint64_t[]){first, never}, 2, known);
    assert_false(known[0]);
    seen_add(seen, &first, 1);
    seen_add(seen, &first, 1);
    seen_look(seen, (const uint64_t[]){first, never}, 2, known);
    assert_true(known[0]);
    assert_false(known[1]);
    for (uint64_t i = 1; i <= SEEN_SLOTS; i++) {
        const uint64_t hash = i * 0x9e3779b97f4a7c15U;
        seen_add(seen, &hash, 1);
    }
    seen_look(seen, (const uint64_t[]){first, SEEN_SLOTS * 0x9e3779b97f4a7c15U}, 2, known);
    assert_false(known[0]);
    assert_true(known[1]);
    seen_free(seen);
}

static void the_last_half_of_the_slots_is_always_known(void **state)
{
    struct seen *seen = seen_new();
    bool known;

    (void)state;
    for (uint64_t i = 1; i <= 3U * SEEN_SLOTS / 2; i++) {
        const uint64_t hash = i << 32 | i;
        seen_add(seen, &hash, 1);
        if (i % 4099 == 0 && i > SEEN_SLOTS / 2) {
            const uint64_t old = i - SEEN_SLOTS / 2 + 1;
            seen_look(seen, (const uint64_t[]){old << 32 | old}, 1, &known);
            assert_true(known);
        }
    }
    seen_free(seen);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_what_was_added_lately_and_forgets_the_oldest),
        cmocka_unit_test(the_last_half_of_the_slots_is_always_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
