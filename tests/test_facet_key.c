/* Numbers of facets are those that PostgreSQL makes of the same texts. */
#include "store/facet_key.h"
#include "test.h"

#include <string.h>

/* SELECT hashtextextended(text, tenant) */
static void numbers_are_those_of_the_database(void **state)
{
    static const struct {
        const char *why;
        const char *text;
        int32_t tenant;
        int64_t key;
    } cases[] = {
        {"nothing", "", 1, INT64_C(-150071773020461347)},
        {"a byte", "a", 1, INT64_C(3325245193489759299)},
        {"two words", "user:ada", 1, INT64_C(1214810212558324753)},
        {"no seed", "user:ada", 0, INT64_C(8467501273052394348)},
        {"the greatest seed", "user:ada", INT32_MAX, INT64_C(81197331497564407)},
        {"a seed with all bits", "user:ada", -1, INT64_C(-5393816498486713870)},
        {"three words less one byte", "abcdefghijk", 1, INT64_C(8196382510784792041)},
        {"three words", "abcdefghijkl", 1, INT64_C(-6429754808531195817)},
        {"a byte more", "abcdefghijklm", 1, INT64_C(3808842878744369845)},
        {"bytes above 127", "tag:\xc3\xa9\xc3\xbc", 1, INT64_C(-3629584511069874766)},
        {"several blocks", "session:0123456789-0123456789-0123456789", 1,
         INT64_C(-5475978985501242368)},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        if (facet_key(cases[i].tenant, bytes_of(cases[i].text)) != cases[i].key)
            fail_msg("%s", cases[i].why);
}

static void a_facet_is_its_kind_and_value(void **state)
{
    (void)state;
    assert_true(facet_key_of(1, FACET_USER, BYTES_LITERAL("ada")) ==
                facet_key(1, BYTES_LITERAL("user:ada")));
    assert_true(facet_key_of(1, FACET_ENVIRONMENT, (struct bytes){0}) ==
                facet_key(1, BYTES_LITERAL("environment:")));
    assert_true(facet_key_of(1, FACET_USER, BYTES_LITERAL("ada")) !=
                facet_key_of(2, FACET_USER, BYTES_LITERAL("ada")));
    assert_true(facet_key_of(1, FACET_USER, BYTES_LITERAL("ada")) !=
                facet_key_of(1, FACET_SESSION, BYTES_LITERAL("ada")));
}

/* 200 characters of four bytes are the longest. */
static void long_values_are_cut(void **state)
{
    enum { CHARACTERS = TRACE_FACET_CHARACTERS + 1, CHARACTER_BYTES = 4 };
    uint8_t value[CHARACTERS * CHARACTER_BYTES];
    uint8_t text[sizeof(value) + 16] = "environment:";
    const size_t kind_bytes = strlen("environment:");

    (void)state;
    for (size_t i = 0; i < CHARACTERS; i++)
        memcpy(value + CHARACTER_BYTES * i, "\xf0\x9f\x98\x80", CHARACTER_BYTES);
    memcpy(text + kind_bytes, value, sizeof(value));
    assert_true(facet_key_of(7, FACET_ENVIRONMENT, (struct bytes){value, sizeof(value)}) ==
                facet_key(7, (struct bytes){text, kind_bytes + sizeof(value) - CHARACTER_BYTES}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_those_of_the_database),
        cmocka_unit_test(a_facet_is_its_kind_and_value),
        cmocka_unit_test(long_values_are_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
