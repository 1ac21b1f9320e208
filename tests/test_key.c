/* Scopes of keys. */
#include "test.h"

#include "model/key.h"

static void reads_scopes_in_any_order(void **state)
{
    unsigned scopes = 0;
    struct err err = {0};

    (void)state;
    assert_true(key_scopes_read(BYTES_LITERAL("read"), &scopes, &err));
    assert_int_equal(scopes, KEY_READ);
    assert_true(key_scopes_read(BYTES_LITERAL("admin,ingest,admin"), &scopes, &err));
    assert_int_equal(scopes, KEY_ADMIN | KEY_INGEST);
    assert_string_equal(key_scope_name(KEY_INGEST), "ingest");
    assert_string_equal(key_scope_name((enum key_scope)8), "");
}

static void refuses_what_is_no_scope_and_leaves_output_alone(void **state)
{
    static const char *const texts[] = {"", ",", "read,", ",read", "read write", "Read", "all"};

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        unsigned scopes = 77;
        struct err err = {0};

        if (key_scopes_read(bytes_of(texts[i]), &scopes, &err) || err.kind != ERR_BAD_INPUT ||
            scopes != 77)
            fail_msg("'%s' is taken", texts[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_scopes_in_any_order),
        cmocka_unit_test(refuses_what_is_no_scope_and_leaves_output_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
