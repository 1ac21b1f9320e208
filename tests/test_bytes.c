/* Slices and the growable buffer. */
#include "test.h"

#include "base/bytes.h"
#include "support/failing_malloc.h"

static void compares_slices_by_content(void **state)
{
    (void)state;
    assert_true(bytes_equal((struct bytes){0}, BYTES_LITERAL("")));
    assert_true(bytes_is(BYTES_LITERAL("abc"), "abc"));
    assert_false(bytes_is(BYTES_LITERAL("abc"), "ab"));
    assert_false(bytes_is(BYTES_LITERAL("ab"), "abc"));
    assert_false(bytes_equal(BYTES_LITERAL("a\0b"), BYTES_LITERAL("a\0c")));
    assert_int_equal(BYTES_LITERAL("a\0b").len, 3);
}

static void orders_slices_by_their_bytes(void **state)
{
    static const struct {
        const char *lesser;
        const char *greater;
        const char *why;
    } rows[] = {
        {"", "a", "nothing before something"},
        {"ab", "abc", "a text's beginning before it"},
        {"abc", "b", "the first byte that differs, not the length"},
        {"z", "\xc3\xa9", "bytes are unsigned"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (bytes_compare(bytes_of(rows[i].lesser), bytes_of(rows[i].greater)) >= 0 ||
            bytes_compare(bytes_of(rows[i].greater), bytes_of(rows[i].lesser)) <= 0)
            fail_msg("%s", rows[i].why);
    assert_int_equal(bytes_compare((struct bytes){0}, BYTES_LITERAL("")), 0);
    assert_int_equal(bytes_compare(BYTES_LITERAL("ab"), BYTES_LITERAL("ab")), 0);
}

static void ignores_case_of_ascii_letters_only(void **state)
{
    (void)state;
    assert_true(bytes_is_nocase(BYTES_LITERAL("GZip"), "gzip"));
    assert_true(bytes_is_nocase(BYTES_LITERAL("az-AZ"), "AZ-az"));
    assert_false(bytes_is_nocase(BYTES_LITERAL("gzip "), "gzip"));
    /* '@' and '`' differ in the bit that tells capitals from small letters. */
    assert_false(bytes_is_nocase(BYTES_LITERAL("@"), "`"));
    assert_false(bytes_is_nocase(BYTES_LITERAL("\xc3\x84"), "\xc3\xa4"));
}

static void grows_as_it_is_written(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b, 1 << 20);
    assert_null(b.at);
    for (int i = 0; i < 100000; i++)
        buf_add_byte(&b, (uint8_t)i);
    assert_true(buf_ok(&b));
    assert_int_equal(b.len, 100000);
    for (int i = 0; i < 100000; i++)
        if (b.at[i] != (uint8_t)i)
            fail_msg("byte %d was lost while the buffer moved", i);
    buf_done(&b);
    assert_null(b.at);
}

static void takes_exactly_its_maximum_and_no_byte_more(void **state)
{
    static const size_t maxima[] = {1, 2, 255, 256, 257, 1000, 4096};

    (void)state;
    for (size_t i = 0; i < sizeof(maxima) / sizeof(maxima[0]); i++) {
        struct buf b;

        buf_init(&b, maxima[i]);
        for (size_t n = 0; n < maxima[i]; n++)
            buf_add_byte(&b, 'x');
        if (!buf_ok(&b) || b.len != maxima[i])
            fail_msg("maximum %zu: failed at %zu", maxima[i], b.len);
        buf_add_byte(&b, 'x');
        if (buf_ok(&b) || b.len != maxima[i])
            fail_msg("maximum %zu: took a byte more", maxima[i]);
        buf_done(&b);
    }
}

static void remembers_a_failure_until_cleared(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b, 300);
    buf_add_text(&b, "before");
    assert_false(buf_grow(&b, SIZE_MAX)); /* an attacker's length must not wrap round */
    assert_false(buf_ok(&b));
    assert_false(buf_grow(&b, 1000));
    buf_clear(&b);
    assert_true(buf_ok(&b));
    buf_add_text(&b, "after");
    assert_true(bytes_is(buf_bytes(&b), "after"));
    buf_done(&b);
}

static void a_writer_that_goes_on_after_a_failure_leaves_no_hole(void **state)
{
    struct buf b;
    char big[400] = {0};

    (void)state;
    buf_init(&b, 300);
    buf_add_text(&b, "before");
    buf_add(&b, big, sizeof(big));
    buf_printf(&b, "%0400d", 1);
    assert_false(buf_ok(&b));
    assert_int_equal(b.len, 6);
    buf_done(&b);
}

static void shrinks_to_what_is_kept(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b, 1 << 20);
    assert_true(buf_grow(&b, 100000));
    buf_shrink(&b, 1000);
    assert_null(b.at);
    assert_int_equal(b.max, 1 << 20);
    buf_add_text(&b, "x");
    buf_shrink(&b, 1000);
    assert_non_null(b.at);
    assert_int_equal(b.len, 0);
    buf_done(&b);
}

static void prints_into_the_buffer(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b, 1 << 20);
    buf_printf(&b, "%d,", 7);
    buf_printf(&b, "%0600d", 1);
    buf_printf(&b, "%s", "");
    assert_true(buf_ok(&b));
    assert_int_equal(b.len, 602);
    assert_memory_equal(b.at, "7,000", 5);
    buf_done(&b);
}

static void survives_every_failing_allocation(void **state)
{
    (void)state;
    for (long n = 1;; n++) {
        struct buf b;

        buf_init(&b, 1 << 20);
        failing_malloc_from(n, 1);
        for (int i = 0; i < 1000; i++)
            buf_add(&b, "0123456789", 10);
        if (failing_malloc_stop() < n) {
            assert_true(buf_ok(&b));
            buf_done(&b);
            break;
        }
        assert_false(buf_ok(&b));
        assert_int_equal(b.len % 10, 0);
        buf_done(&b);
    }
}

static void integers_are_big_endian(void **state)
{
    uint8_t at[9] = {0};

    (void)state;
    put_be16(at + 1, 0x0102);
    assert_memory_equal(at + 1, "\x01\x02", 2);
    assert_int_equal(read_be16(at + 1), 0x0102);
    put_be32(at + 1, 0x01020304);
    assert_memory_equal(at + 1, "\x01\x02\x03\x04", 4);
    assert_int_equal(read_be32(at + 1), 0x01020304);
    put_be64(at + 1, UINT64_C(0x0102030405060708));
    assert_memory_equal(at + 1, "\x01\x02\x03\x04\x05\x06\x07\x08", 8);
    assert_true(read_be64(at + 1) == UINT64_C(0x0102030405060708));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(compares_slices_by_content),
        cmocka_unit_test(orders_slices_by_their_bytes),
        cmocka_unit_test(ignores_case_of_ascii_letters_only),
        cmocka_unit_test(grows_as_it_is_written),
        cmocka_unit_test(takes_exactly_its_maximum_and_no_byte_more),
        cmocka_unit_test(remembers_a_failure_until_cleared),
        cmocka_unit_test(a_writer_that_goes_on_after_a_failure_leaves_no_hole),
        cmocka_unit_test(shrinks_to_what_is_kept),
        cmocka_unit_test(prints_into_the_buffer),
        cmocka_unit_test(survives_every_failing_allocation),
        cmocka_unit_test(integers_are_big_endian),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
