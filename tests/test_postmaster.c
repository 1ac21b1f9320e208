/* postmaster.pid: only a whole file counts. */
#include "test.h"

#include "store/postmaster.h"

#define WHOLE "4711\n/data/pgdata\n1795222800\n5432\n/tmp/s\n\n  5432001  3\n"

static void reads_the_file_that_a_running_server_writes(void **state)
{
    static const struct {
        const char *text;
        bool ready;
        bool stopping;
        const char *why;
    } rows[] = {
        {WHOLE, false, false, "status is written last"},
        {WHOLE "starting\n", false, false, "recovery"},
        {WHOLE "ready   \n", true, false, "padded to eight"},
        {WHOLE "ready", true, false, "no line end yet"},
        {WHOLE "stopping\n", false, true, "shutdown"},
        {WHOLE "standby \n", false, false, "not for us"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct postmaster found;

        if (!postmaster_parse(bytes_of(rows[i].text), &found) || found.pid != 4711 ||
            found.port != 5432 || strcmp(found.socket_dir, "/tmp/s") != 0 ||
            found.ready != rows[i].ready || found.stopping != rows[i].stopping)
            fail_msg("row %zu: %s", i, rows[i].why);
    }
}

static void refuses_a_file_that_is_not_whole(void **state)
{
    static const struct {
        const char *text;
        const char *why;
    } rows[] = {
        {"", "empty: just made, or the disk was full"},
        {"4711\n", "pid alone"},
        {"4711\n/data\n1\n5432\n", "no socket directory"},
        {"x\n/data\n1\n5432\n/tmp\n", "pid is no number"},
        {"1\n/data\n1\n5432\n/tmp\n", "pid 1 is never a postmaster: it would be signalled"},
        {"0\n/data\n1\n5432\n/tmp\n", "pid 0 would mean our own process group"},
        {"-4711\n/data\n1\n5432\n/tmp\n", "a process group; single-user servers write it"},
        {"99999999999\n/data\n1\n5432\n/tmp\n", "pid beyond its type"},
        {"4711\n/data\n1\n70000\n/tmp\n", "port beyond its range"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct postmaster found = {.pid = 42};

        if (postmaster_parse(bytes_of(rows[i].text), &found) || found.pid != 42)
            fail_msg("row %zu: %s", i, rows[i].why);
    }
}

static void refuses_a_socket_directory_that_fits_into_no_address(void **state)
{
    struct postmaster found = {.pid = 42};
    struct buf b;

    (void)state;
    buf_init(&b, 1024);
    buf_add_text(&b, "4711\n/data\n1\n5432\n/");
    for (int i = 0; i < 110; i++)
        buf_add_byte(&b, 'x');
    buf_add_text(&b, "\n\n\n");
    assert_false(postmaster_parse(buf_bytes(&b), &found));
    assert_int_equal(found.pid, 42);
    buf_done(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_the_file_that_a_running_server_writes),
        cmocka_unit_test(refuses_a_file_that_is_not_whole),
        cmocka_unit_test(refuses_a_socket_directory_that_fits_into_no_address),
    };

    return cmocka_run_group_tests_name("postmaster", tests, NULL, NULL);
}
