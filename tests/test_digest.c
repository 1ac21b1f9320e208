/* Secrets: digests, comparing, random bytes. */
#include "test.h"

#include "base/digest.h"
#include "base/text.h"

/* FIPS 180-4, appendix B and the empty text. */
static void digests_are_sha_256(void **state)
{
    static const struct {
        const char *text;
        const char *hex;
    } cases[] = {
        {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint8_t digest[DIGEST_BYTES];
        char hex[2 * DIGEST_BYTES + 1] = {0};

        assert_true(digest_of(bytes_of(cases[i].text), digest));
        text_hex((struct bytes){digest, sizeof(digest)}, hex);
        assert_string_equal(hex, cases[i].hex);
    }
}

/* SEC-03 */
static void digests_differ_in_any_byte(void **state)
{
    uint8_t a[DIGEST_BYTES] = {1};
    uint8_t b[DIGEST_BYTES] = {1};

    (void)state;
    assert_true(digest_same(a, b, sizeof(a)));
    for (size_t i = 0; i < sizeof(b); i++) {
        b[i] ^= 0x80;
        assert_false(digest_same(a, b, sizeof(a)));
        b[i] ^= 0x80;
    }
}

static void random_bytes_are_never_the_same(void **state)
{
    uint8_t a[DIGEST_BYTES];
    uint8_t b[DIGEST_BYTES];
    struct err err = {0};

    (void)state;
    assert_true(digest_random(a, sizeof(a), &err) && digest_random(b, sizeof(b), &err));
    assert_false(digest_same(a, b, sizeof(a)));
    assert_false(digest_random(a, 257, &err));
    assert_int_equal(err.kind, ERR_UNAVAILABLE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(digests_are_sha_256),
        cmocka_unit_test(digests_differ_in_any_byte),
        cmocka_unit_test(random_bytes_are_never_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
