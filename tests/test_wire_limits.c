/* The server over real loopback sockets: deadlines, overload, too many connections, the end. */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/stats.h"
#include "support/h2client.h"
#include "support/rig.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define H "host: x\r\n"

static void pause_ms(long ms)
{
    const struct timespec time = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};

    (void)nanosleep(&time, NULL);
}

static void closes_slow_clients(void **state)
{
    static const struct {
        const char *why;
        const char *text;
        const char *answer; /* NULL: none */
    } cases[] = {
        {"nothing at all (idle)", "", NULL},
        {"half a head (slowloris)", "GET /a HTT", "HTTP/1.1 503 "},
        {"half a body", "POST /a HTTP/1.1\r\n" H "content-length: 9\r\n\r\nabc",
         "error timeout /a"},
        {"half a preface", "PRI * HTTP/2.0\r\n", NULL},
        {"idle behind an answer", "GET /a HTTP/1.1\r\n" H "\r\n", "GET /a "},
    };
    struct cfg cfg = rig_defaults();
    (void)state;

    cfg.idle_timeout_ms = 200;
    cfg.header_timeout_ms = 150;
    cfg.body_timeout_ms = 150;
    struct rig *rig = rig_start_with(cfg);
    for (size_t i = 0; i < COUNT(cases); i++) {
        char seen[4096];
        const int fd = dial(rig);
        const int64_t before_ns = clock_mono_ns();
        send_text(fd, cases[i].text);
        if (!read_until(fd, NULL, seen, sizeof(seen)))
            fail_msg("%s: not closed", cases[i].why);
        if (cases[i].answer ? !strstr(seen, cases[i].answer) : seen[0])
            fail_msg("%s: \"%s\"", cases[i].why, seen);
        if (clock_mono_ns() - before_ns < 100 * NS_PER_MS)
            fail_msg("%s: too early", cases[i].why);
        (void)close(fd);
    }
    rig_stop(rig);
}

static void closes_clients_that_do_not_read(void **state)
{
    struct cfg cfg = rig_defaults();
    (void)state;

    cfg.write_timeout_ms = 200;
    struct rig *rig = rig_start_with(cfg);
    const int fd = dial(rig);
    send_text(fd, "GET /large?50000000 HTTP/1.1\r\n" H "\r\n");
    for (int i = 0; i < 500 && stats_get(STAT_CONNECTIONS_OPEN) == 0; i++)
        pause_ms(5);
    for (int i = 0; i < 500 && stats_get(STAT_CONNECTIONS_OPEN) > 0; i++)
        pause_ms(10);
    assert_int_equal(stats_get(STAT_CONNECTIONS_OPEN), 0);
    (void)close(fd);
    rig_stop(rig);
}

static void lets_slow_readers_finish(void **state)
{
    struct cfg cfg = rig_defaults();
    static char piece[1 << 20];
    size_t seen = 0;
    ssize_t n;
    (void)state;

    cfg.write_timeout_ms = 300; /* between two pieces, not for the whole */
    struct rig *rig = rig_start_with(cfg);
    const int fd = dial(rig);
    send_text(fd, "GET /large?20000000 HTTP/1.1\r\n" H "connection: close\r\n\r\n");
    while ((n = recv(fd, piece, sizeof(piece), 0)) > 0) {
        seen += (size_t)n;
        if (seen < 15000000)
            pause_ms(50);
    }
    assert_true(n == 0 && seen > 20000000);
    (void)close(fd);
    rig_stop(rig);
}

static void answers_503_over_its_bytes_in_flight_and_serves_on(void **state)
{
    struct cfg cfg = rig_defaults();
    char *body = calloc(1, 600001);
    (void)state;

    assert_non_null(body);
    memset(body, 'b', 600000);
    cfg.in_flight_max_bytes = 1 << 20;
    struct rig *rig = rig_start_with(cfg);
    rig->hold = true;
    const int first = dial(rig);
    const int second = dial(rig);
    send_text(first, "POST /held HTTP/1.1\r\n" H "content-length: 600000\r\n\r\n");
    send_text(first, body);
    rig_wait_held(rig, 1);
    for (int i = 0; i < 3; i++) { /* the connection is kept (RF-17) */
        send_text(second, "POST /length HTTP/1.1\r\n" H "content-length: 600000\r\n\r\n");
        send_text(second, body);
        expect(second, "error unavailable /length");
    }
    send_text(second, "GET /a HTTP/1.1\r\n" H "\r\n");
    expect(second, "GET /a ");
    rig_release(rig);
    expect(first, "POST /held b");
    send_text(second, "POST /length HTTP/1.1\r\n" H "content-length: 600000\r\n\r\n");
    send_text(second, body);
    expect(second, "POST /length 600000");
    (void)close(first);
    (void)close(second);
    free(body);
    rig_stop(rig);
}

static void answers_what_is_in_flight_before_it_ends(void **state)
{
    static const struct h2_field fields[] = {{":method", "POST"},
                                             {":path", "/held"},
                                             {":scheme", "http"},
                                             {":authority", "x"},
                                             {"content-type", "application/grpc"},
                                             {NULL, NULL}};
    struct rig *rig = rig_start();
    struct h2_reply reply;
    char seen[4096];
    (void)state;

    rig->hold = true;
    h2_reply_init(&reply);
    const int http1 = dial(rig);
    const int idle = dial(rig);
    struct h2_client *client = h2_open(rig_port(rig));
    send_text(idle, "GET /a HTTP/1.1\r\n" H "\r\n");
    expect(idle, "GET /a ");
    send_text(http1, "POST /held HTTP/1.1\r\n" H "content-length: 3\r\n\r\nabc");
    assert_true(h2_submit(client, fields, BYTES_LITERAL("\0\0\0\0\0"), 0, &reply));
    h2_run(client, 100);
    rig_wait_held(rig, 2);
    wire_server_stop(rig->server);
    expect_end(idle);
    h2_run(client, 100);
    assert_true(h2_saw_goaway(client));
    rig_release(rig);
    assert_true(read_until(http1, NULL, seen, sizeof(seen)));
    assert_non_null(strstr(seen, "connection: close\r\n"));
    assert_non_null(strstr(seen, "POST /held abc"));
    assert_true(h2_wait(client, RIG_WAIT_MS));
    assert_int_equal(reply.grpc_status, 0);
    h2_reply_done(&reply);
    h2_close(client);
    (void)close(http1);
    (void)close(idle);
    rig_stop(rig);
}

static void ends_in_time_when_a_worker_does_not_answer(void **state)
{
    struct cfg cfg = rig_defaults();
    (void)state;

    cfg.drain_timeout_ms = 200;
    struct rig *rig = rig_start_with(cfg);
    rig->hold = true;
    const int fd = dial(rig);
    send_text(fd, "GET /held HTTP/1.1\r\n" H "\r\n");
    rig_wait_held(rig, 1);
    const int64_t before_ns = clock_mono_ns();
    wire_server_stop(rig->server);
    expect_end(fd);
    assert_true(clock_mono_ns() - before_ns < 3 * NS_PER_S);
    rig_release(rig); /* before wire_server_free, as its contract says */
    (void)close(fd);
    rig_stop(rig);
}

static void waits_with_accepting_at_the_limit_of_connections(void **state)
{
    struct cfg cfg = rig_defaults();
    (void)state;

    cfg.connections_max = 1;
    struct rig *rig = rig_start_with(cfg);
    const int first = dial(rig);
    send_text(first, "GET /a HTTP/1.1\r\n" H "\r\n");
    expect(first, "GET /a ");
    const int second = dial(rig); /* in the backlog */
    send_text(second, "GET /b HTTP/1.1\r\n" H "\r\n");
    pause_ms(50);
    assert_int_equal(stats_get(STAT_CONNECTIONS_OPEN), 1);
    (void)close(first);
    expect(second, "GET /b ");
    (void)close(second);
    rig_stop(rig);
}

static int64_t cpu_ns(void)
{
    struct timespec time;

    assert_int_equal(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time), 0);
    return time.tv_sec * NS_PER_S + time.tv_nsec;
}

static void does_not_spin_without_file_descriptors(void **state)
{
    struct rig *rig = rig_start();
    struct rlimit limit;
    struct rlimit none;
    (void)state;

    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    none = limit;
    none.rlim_cur = (rlim_t)fd + 1; /* the next descriptor would be one too many */
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    dial_with(rig, fd);
    send_text(fd, "GET /a HTTP/1.1\r\n" H "\r\n");
    const int64_t before_ns = cpu_ns();
    pause_ms(300);
    const int64_t used_ns = cpu_ns() - before_ns;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    expect(fd, "GET /a "); /* it comes back by itself (RF-14) */
    assert_true(used_ns < 100 * NS_PER_MS);
    (void)close(fd);
    rig_stop(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(closes_slow_clients),
        cmocka_unit_test(closes_clients_that_do_not_read),
        cmocka_unit_test(lets_slow_readers_finish),
        cmocka_unit_test(answers_503_over_its_bytes_in_flight_and_serves_on),
        cmocka_unit_test(answers_what_is_in_flight_before_it_ends),
        cmocka_unit_test(ends_in_time_when_a_worker_does_not_answer),
        cmocka_unit_test(waits_with_accepting_at_the_limit_of_connections),
        cmocka_unit_test(does_not_spin_without_file_descriptors),
    };

    log_set_level(LOG_ERROR);
    return cmocka_run_group_tests_name("wire_limits", tests, NULL, NULL);
}
