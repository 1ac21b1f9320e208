/* Response ids that are looked for, each between starts of its own. */
#include "test.h"

#include "store/sought.h"

#define DAY INT64_C(86400000000000)

static void ids_keep_their_own_times(void **state)
{
    struct sought sought[] = {{7, 30 * DAY, 30 * DAY, 1},
                              {3, 1, 1, 1},
                              {7, 20 * DAY, 20 * DAY, 1},
                              {9, INT64_MAX, INT64_MAX, 1}};

    (void)state;
    assert_int_equal(sought_join(sought, 4, 1), 3);
    /* A span of 1970 does not widen the others. */
    assert_true(sought[0].key == 3 && sought[0].since_ns == 0 && sought[0].until_ns == DAY + 1);
    /* Two spans with one id: everything between them. */
    assert_true(sought[1].key == 7 && sought[1].since_ns == 19 * DAY &&
                sought[1].until_ns == 31 * DAY);
    /* The last nanosecond there is stays it. */
    assert_true(sought[2].key == 9 && sought[2].until_ns == INT64_MAX &&
                sought[2].since_ns == INT64_MAX - DAY);
}

/* Whose id it is counts: who makes a text whose hash is another tenant's finds nothing of it. */
static void ids_of_several_tenants_stay_apart(void **state)
{
    struct sought sought[] = {{7, 1, 1, 2}, {7, 2, 2, 1}, {7, 3, 3, 2}};

    (void)state;
    assert_int_equal(sought_join(sought, 3, 0), 2);
    assert_true(sought[0].tenant_id == 1 && sought[0].since_ns == 2);
    assert_true(sought[1].tenant_id == 2 && sought[1].since_ns == 1 && sought[1].until_ns == 3);
}

static void nothing_stays_nothing(void **state)
{
    (void)state;
    assert_int_equal(sought_join(NULL, 0, 2), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_keep_their_own_times),
        cmocka_unit_test(ids_of_several_tenants_stay_apart),
        cmocka_unit_test(nothing_stays_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
