/* The order of locks. */
#include "test.h"

#include "store/locks.h"

static void keys_stand_once_in_the_order_of_signed_numbers(void **state)
{
    int64_t keys[] = {5, INT64_MIN, -1, 5, INT64_MAX, 0, -1, 5};
    static const int64_t wanted[] = {INT64_MIN, -1, 0, 5, INT64_MAX};

    (void)state;
    assert_int_equal(locks_order(keys, 8), 5);
    assert_memory_equal(keys, wanted, sizeof(wanted));
    assert_int_equal(locks_order(NULL, 0), 0);
    for (size_t i = 0; i < 5; i++)
        assert_true(locks_have(keys, 5, wanted[i]));
    assert_false(locks_have(keys, 5, 1));
    assert_false(locks_have(NULL, 0, 0));
}

static void a_trace_has_a_key_in_each_tenant(void **state)
{
    const struct uuid one = {{1}};
    const struct uuid other = {{2}};

    (void)state;
    assert_true(locks_of_trace(1, &one) == locks_of_trace(1, &one));
    assert_true(locks_of_trace(1, &one) != locks_of_trace(2, &one));
    assert_true(locks_of_trace(1, &one) != locks_of_trace(1, &other));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_stand_once_in_the_order_of_signed_numbers),
        cmocka_unit_test(a_trace_has_a_key_in_each_tenant),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
