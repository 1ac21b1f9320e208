/* Log lines: one event, one line, whatever came from outside. */
#include "test.h"

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/log.h"

static int real_stderr;
static int captured;

static int capture(void **state)
{
    (void)state;
    log_set_level(LOG_INFO);
    real_stderr = dup(STDERR_FILENO);
    captured = memfd_create("log", MFD_CLOEXEC);
    return dup2(captured, STDERR_FILENO) < 0;
}

static int release(void **state)
{
    (void)state;
    (void)dup2(real_stderr, STDERR_FILENO);
    (void)close(real_stderr);
    return close(captured);
}

static size_t taken(char *to, size_t to_bytes)
{
    const ssize_t got = pread(captured, to, to_bytes - 1, 0);

    assert_true(got >= 0);
    to[got] = '\0';
    return (size_t)got;
}

static size_t lines(const char *text)
{
    size_t count = 0;

    for (; *text; text++)
        count += *text == '\n';
    return count;
}

static void writes_one_line_of_fields(void **state)
{
    char text[2048];

    (void)state;
    log_event(LOG_WARN, "ingest", "write failed, will retry", "kind=%s jobs=%d", "unavailable", 12);
    (void)taken(text, sizeof(text));
    assert_int_equal(strncmp(text, "time=2", 6), 0);
    assert_non_null(strstr(text, "Z level=warn at=ingest msg=\"write failed, will retry\" "
                                 "kind=unavailable jobs=12\n"));
    assert_int_equal(lines(text), 1);
}

static void writes_a_line_without_fields(void **state)
{
    char text[2048];

    (void)state;
    log_event(LOG_INFO, "serve", "started", NULL);
    (void)taken(text, sizeof(text));
    assert_non_null(strstr(text, " level=info at=serve msg=\"started\"\n"));
}

/* SEC-08: a line break in text from outside must not make a second, forged event. */
static void keeps_control_characters_from_making_lines(void **state)
{
    char text[2048];

    (void)state;
    log_event(LOG_INFO, "http", "refused", "path='%s'", "/a\nlevel=error\r\x1b[31m\tb");
    (void)taken(text, sizeof(text));
    assert_int_equal(lines(text), 1);
    assert_null(strchr(text, '\r'));
    assert_null(strchr(text, '\x1b'));
    assert_non_null(strstr(text, "path='/a level=error  [31m b'"));
}

static void cuts_a_long_line_and_still_ends_it(void **state)
{
    char text[4096];
    size_t len;

    (void)state;
    log_event(LOG_INFO, "http", "refused", "path='%0*d'", 3000, 1);
    len = taken(text, sizeof(text));
    assert_true(len <= 1024 && text[len - 1] == '\n');
    assert_int_equal(lines(text), 1);
}

static void stays_silent_below_its_level(void **state)
{
    char text[2048];

    (void)state;
    log_set_level(LOG_ERROR);
    log_event(LOG_WARN, "http", "no", NULL);
    log_limited(LOG_WARN, "http", "no", NULL);
    assert_int_equal(taken(text, sizeof(text)), 0);
    log_event(LOG_ERROR, "http", "yes", NULL);
    assert_true(taken(text, sizeof(text)) > 0);
}

/* A peer that sends garbage must not fill the disk. 1,000 events take far less than a second, so at
 * most two seconds' worth may come out. */
static void limits_what_a_peer_can_cause(void **state)
{
    static char text[16384];

    (void)state;
    for (int i = 0; i < 1000; i++)
        log_limited(LOG_WARN, "http", "bad request", "n=%d", i);
    (void)taken(text, sizeof(text));
    assert_in_range(lines(text), 10, 20);
    assert_non_null(strstr(text, "n=0\n"));
}

static void reads_its_level_by_name(void **state)
{
    enum log_level level = LOG_WARN;

    (void)state;
    assert_true(log_level_named("debug", &level));
    assert_int_equal(level, LOG_DEBUG);
    assert_false(log_level_named("verbose", &level));
    assert_false(log_level_named("", &level));
    assert_int_equal(level, LOG_DEBUG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(writes_one_line_of_fields, capture, release),
        cmocka_unit_test_setup_teardown(writes_a_line_without_fields, capture, release),
        cmocka_unit_test_setup_teardown(keeps_control_characters_from_making_lines, capture,
                                        release),
        cmocka_unit_test_setup_teardown(cuts_a_long_line_and_still_ends_it, capture, release),
        cmocka_unit_test_setup_teardown(stays_silent_below_its_level, capture, release),
        cmocka_unit_test_setup_teardown(limits_what_a_peer_can_cause, capture, release),
        cmocka_unit_test(reads_its_level_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
