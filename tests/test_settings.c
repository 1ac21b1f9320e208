/* The embedded database's settings: durable on every machine, sized by its memory. */
#include "test.h"

#include "store/programs.h"
#include "store/settings.h"

static void are_durable_and_sized_by_memory(void **state)
{
    static const struct {
        int64_t memory_bytes;
        const char *line;
        const char *why;
    } rows[] = {
        {INT64_C(256) << 20, "\nshared_buffers = 128MB\n",
         "never less than PostgreSQL's own default"},
        {INT64_C(2) << 30, "\nshared_buffers = 512MB\n", "a quarter"},
        {INT64_C(64) << 30, "\nshared_buffers = 2048MB\n", "the rest is the system's cache"},
        {INT64_C(64) << 30, "\neffective_cache_size = 32768MB\n", "half"},
        {INT64_C(256) << 20, "\nfsync = on\n", "acknowledged means on disk"},
        {INT64_C(64) << 30, "\nsynchronous_commit = on\n", "acknowledged means on disk"},
        {INT64_C(64) << 30, "\nfull_page_writes = on\n", "torn pages"},
        {INT64_C(64) << 30, "\nlog_error_verbosity = terse\n", "contexts of COPY hold values"},
        {INT64_C(64) << 30, "\nlog_min_error_statement = panic\n", "statements hold values"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct buf text;

        buf_init(&text, 65536);
        settings_render(&text, rows[i].memory_bytes, false);
        buf_add_byte(&text, '\0');
        assert_true(buf_ok(&text));
        if (!strstr((const char *)text.at, rows[i].line))
            fail_msg("row %zu: %s", i, rows[i].why);
        assert_null(strstr((const char *)text.at, "timescale"));
        buf_done(&text);
    }
}

static void load_timescaledb_only_where_it_is_installed(void **state)
{
    struct buf text;

    (void)state;
    buf_init(&text, 65536);
    settings_render(&text, INT64_C(1) << 30, true);
    buf_add_byte(&text, '\0');
    assert_non_null(strstr((const char *)text.at, "\nshared_preload_libraries = 'timescaledb'\n"));
    buf_done(&text);
}

static void let_the_operator_have_the_last_word(void **state)
{
    struct buf text;

    (void)state;
    buf_init(&text, 65536);
    settings_render_main(&text, true);
    buf_add_byte(&text, '\0');
    assert_non_null(strstr((const char *)text.at, "include_if_exists '../spanledger.conf'"));
    assert_non_null(strstr((const char *)text.at, "wal_compression = lz4"));
    buf_clear(&text);
    settings_render_main(&text, false);
    buf_add_byte(&text, '\0');
    assert_null(strstr((const char *)text.at, "lz4"));
    buf_done(&text);
}

static void memory_of_this_machine_is_known(void **state)
{
    (void)state;
    assert_true(settings_memory_bytes() > 1 << 20);
}

static void major_versions_are_read_from_what_programs_and_files_say(void **state)
{
    static const struct {
        const char *text;
        int major;
    } rows[] = {
        {"postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)", 15},
        {"postgres (PostgreSQL) 18beta1", 18},
        {"16\n", 16},
        {"", 0},
        {"no number", 0},
        {"99999999999999999999", 0},
        {"4294967311", 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (programs_major_of(rows[i].text) != rows[i].major)
            fail_msg("'%s' gives %d", rows[i].text, programs_major_of(rows[i].text));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(are_durable_and_sized_by_memory),
        cmocka_unit_test(load_timescaledb_only_where_it_is_installed),
        cmocka_unit_test(let_the_operator_have_the_last_word),
        cmocka_unit_test(memory_of_this_machine_is_known),
        cmocka_unit_test(major_versions_are_read_from_what_programs_and_files_say),
    };

    return cmocka_run_group_tests_name("settings", tests, NULL, NULL);
}
