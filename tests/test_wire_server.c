/* The server over real loopback sockets: requests and answers, refusals, addresses. */
#include "test.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
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

static void answers_requests_on_one_connection_in_order(void **state)
{
    struct rig *rig = rig_start();
    const int fd = dial(rig);
    (void)state;

    send_text(fd, "GET /a HTTP/1.1\r\nhost: x\r\n\r\n");
    expect(fd, "GET /a ");
    send_text(fd, "POST /b HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\n\r\nabc"
                  "POST /c HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n"
                  "2\r\nde\r\n1;x=y\r\nf\r\n0\r\ntrailer: t\r\n\r\n"
                  "GET /d HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    char seen[4096];
    assert_true(read_until(fd, NULL, seen, sizeof(seen)));
    const char *b = strstr(seen, "POST /b abc");
    const char *c = strstr(seen, "POST /c def");
    const char *d = strstr(seen, "GET /d ");
    if (!b || !c || !d || b > c || c > d)
        fail_msg("order is wrong: %s", seen);
    (void)close(fd);
    rig_stop(rig);
}

static void reads_requests_that_come_byte_by_byte(void **state)
{
    static const char text[] = "POST /a HTTP/1.1\r\n" H "content-length: 3\r\n\r\nabc"
                               "POST /b HTTP/1.1\r\n" H "transfer-encoding: chunked\r\n\r\n"
                               "3\r\ndef\r\n0\r\n\r\n";
    struct rig *rig = rig_start();
    const int fd = dial(rig);
    (void)state;

    for (size_t i = 0; i + 1 < sizeof(text); i++) {
        assert_int_equal(send(fd, text + i, 1, MSG_NOSIGNAL), 1);
        if (i % 8 == 0)
            pause_ms(1);
    }
    expect(fd, "POST /b def");
    (void)close(fd);
    rig_stop(rig);
}

static void speaks_http_1_0_and_head(void **state)
{
    struct rig *rig = rig_start();
    char seen[4096];
    int fd = dial(rig);
    (void)state;

    send_text(fd, "GET /a HTTP/1.0\r\n\r\n");
    assert_true(read_until(fd, NULL, seen, sizeof(seen)));
    assert_non_null(strstr(seen, "connection: close\r\n"));
    (void)close(fd);
    fd = dial(rig);
    send_text(fd, "GET /a HTTP/1.0\r\nconnection: keep-alive\r\n\r\n");
    expect(fd, "connection: keep-alive\r\n");
    send_text(fd, "HEAD /b HTTP/1.1\r\n" H "connection: close\r\n\r\n");
    assert_true(read_until(fd, NULL, seen, sizeof(seen)));
    assert_non_null(strstr(seen, "content-length: 8\r\n")); /* "HEAD /b " */
    assert_non_null(strstr(seen, "x-frame-options: DENY\r\n"));
    assert_string_equal(strstr(seen, "\r\n\r\n"), "\r\n\r\n");
    (void)close(fd);
    rig_stop(rig);
}

static void answers_what_a_worker_answers_later_also_after_half_close(void **state)
{
    struct rig *rig = rig_start();
    const int fd = dial(rig);
    (void)state;

    rig->hold = true;
    send_text(fd, "POST /held HTTP/1.1\r\n" H "content-length: 3\r\n\r\nabc"
                  "GET /next HTTP/1.1\r\n" H "\r\n");
    assert_int_equal(shutdown(fd, SHUT_WR), 0);
    rig_wait_held(rig, 1);
    pause_ms(20);
    assert_false(wire_exchange_gone(rig->held[0]));
    rig_release(rig);
    char seen[4096];
    assert_true(read_until(fd, NULL, seen, sizeof(seen)));
    assert_non_null(strstr(seen, "POST /held abc"));
    assert_non_null(strstr(seen, "GET /next "));
    (void)close(fd);
    rig_stop(rig);
}

static void reset_it(int fd)
{
    const struct linger now = {.l_onoff = 1};

    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now)), 0);
    (void)close(fd);
}

static void tells_a_worker_that_its_client_has_gone(void **state)
{
    struct rig *rig = rig_start();
    const int fd = dial(rig);
    (void)state;

    rig->hold = true;
    send_text(fd, "POST /held HTTP/1.1\r\n" H "content-length: 3\r\n\r\nabc");
    rig_wait_held(rig, 1);
    assert_false(wire_exchange_gone(rig->held[0]));
    reset_it(fd);
    for (int i = 0; i < 500 && !wire_exchange_gone(rig->held[0]); i++)
        pause_ms(10);
    assert_true(wire_exchange_gone(rig->held[0]));
    assert_true(stats_get(STAT_BODY_BYTES_IN_FLIGHT) > 0); /* the worker still has it */
    rig_release(rig);
    rig_stop(rig);
}

static void refuses_early_and_keeps_the_connection_where_it_can(void **state)
{
    struct rig *rig = rig_start();
    int fd = dial(rig);
    (void)state;

    send_text(fd, "POST /refused HTTP/1.1\r\n" H "content-length: 5\r\n\r\nabcde");
    expect(fd, "error unauthenticated /refused");
    send_text(fd, "POST /refused HTTP/1.1\r\n" H "content-length: 8\r\n\r\nabcd");
    expect(fd, "error unauthenticated /refused"); /* before the rest of the body */
    send_text(fd, "efghGET /a HTTP/1.1\r\n" H "\r\n");
    expect(fd, "GET /a ");
    send_text(fd, "POST /small HTTP/1.1\r\n" H "content-length: 11\r\n\r\n12345678901");
    expect(fd, "error too_large /small");
    const int64_t before_ns = clock_mono_ns();
    send_text(fd, "POST /a HTTP/1.1\r\n" H "content-length: 5368709120\r\n\r\n");
    expect(fd, "HTTP/1.1 413 ");
    assert_true(clock_mono_ns() - before_ns < NS_PER_S); /* OTLP-29 */
    expect_end(fd);
    (void)close(fd);
    fd = dial(rig);
    send_text(fd, "POST /small HTTP/1.1\r\n" H "transfer-encoding: chunked\r\n\r\n"
                  "8\r\n12345678\r\n8\r\n12345678\r\n0\r\n\r\n");
    expect(fd, "error too_large /small");
    expect_end(fd);
    (void)close(fd);
    rig_stop(rig);
}

static void says_continue_only_to_heads_that_it_takes(void **state)
{
    struct rig *rig = rig_start();
    char seen[4096];
    int fd = dial(rig);
    (void)state;

    send_text(fd, "POST /a HTTP/1.1\r\n" H "expect: 100-continue\r\ncontent-length: 3\r\n\r\n");
    expect(fd, "HTTP/1.1 100 Continue\r\n\r\n");
    send_text(fd, "abc");
    expect(fd, "POST /a abc");
    send_text(fd,
              "POST /refused HTTP/1.1\r\n" H "expect: 100-continue\r\ncontent-length: 3\r\n\r\n");
    assert_true(read_until(fd, NULL, seen, sizeof(seen)));
    assert_null(strstr(seen, "100 Continue"));
    assert_non_null(strstr(seen, "HTTP/1.1 401 "));
    (void)close(fd);
    rig_stop(rig);
}

static void answers_nothing_behind_a_bad_request(void **state)
{
    static const struct {
        const char *why;
        const char *text;
        const char *status;
    } cases[] = {
        {"CL and TE",
         "POST / HTTP/1.1\r\n" H "content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
         "400"},
        {"bare LF", "GET / HTTP/1.1\n" H "\r\n", "400"},
        {"bad chunk", "POST / HTTP/1.1\r\n" H "transfer-encoding: chunked\r\n\r\nzz\r\n", "400"},
        {"folded field", "GET / HTTP/1.1\r\n" H "a: b\r\n c\r\n\r\n", "400"},
        {"no HTTP at all", "\x16\x03\x01", "400"},
    };
    struct rig *rig = rig_start();
    (void)state;

    for (size_t i = 0; i < COUNT(cases); i++) {
        char seen[4096];
        const int fd = dial(rig);
        send_text(fd, cases[i].text);
        send_text(fd, "GET /smuggled HTTP/1.1\r\n" H "\r\n");
        if (!read_until(fd, NULL, seen, sizeof(seen)))
            fail_msg("%s: not closed", cases[i].why);
        if (strncmp(seen, "HTTP/1.1 ", 9) != 0 || strncmp(seen + 9, cases[i].status, 3) != 0 ||
            strstr(seen, "smuggled"))
            fail_msg("%s: %s", cases[i].why, seen);
        (void)close(fd);
    }
    rig_stop(rig);
}

static void takes_and_gives_large_bodies(void **state)
{
    struct rig *rig = rig_start();
    const size_t body_bytes = (size_t)20 << 20;
    char *body = malloc(body_bytes + 1);
    char *seen = malloc(body_bytes + 1000);
    const int fd = dial(rig);
    (void)state;

    assert_true(body && seen);
    memset(body, 'b', body_bytes);
    body[body_bytes] = '\0';
    send_text(fd, "POST /length HTTP/1.1\r\n" H "content-length: 20971520\r\n\r\n");
    send_text(fd, body);
    expect(fd, "POST /length 20971520");
    send_text(fd, "GET /large?20000000 HTTP/1.1\r\n" H "connection: close\r\n\r\n");
    pause_ms(50); /* the server's socket is full by then */
    assert_true(read_until(fd, NULL, seen, body_bytes + 1000));
    assert_int_equal(strlen(strstr(seen, "\r\n\r\n")), 4 + 20000000);
    (void)close(fd);
    free(body);
    free(seen);
    rig_stop(rig);
}

static void serves_a_hundred_streams_at_once(void **state)
{
    static struct h2_reply replies[100];
    static const struct h2_field fields[] = {{":method", "POST"},   {":path", "/held"},
                                             {":scheme", "http"},   {":authority", "x"},
                                             {"content-type", "t"}, {NULL, NULL}};
    struct rig *rig = rig_start();
    (void)state;

    rig->hold = true;
    struct h2_client *client = h2_open(rig_port(rig));
    assert_non_null(client);
    for (size_t i = 0; i < COUNT(replies); i++) {
        h2_reply_init(&replies[i]);
        assert_true(h2_submit(client, fields, BYTES_LITERAL("abc"), 0, &replies[i]));
    }
    h2_run(client, 200);
    rig_wait_held(rig, COUNT(replies));
    rig_release(rig);
    assert_true(h2_wait(client, RIG_WAIT_MS));
    for (size_t i = 0; i < COUNT(replies); i++) {
        assert_int_equal(replies[i].status, 200);
        assert_true(bytes_is(buf_bytes(&replies[i].body), "POST /held abc"));
        h2_reply_done(&replies[i]);
    }
    h2_close(client);
    rig_stop(rig);
}

static void names_bad_addresses_and_taken_ports(void **state)
{
    static const struct {
        const char *address;
        enum err_kind kind;
    } bad[] = {
        {"nonsense", ERR_BAD_INPUT},        {":1", ERR_BAD_INPUT},
        {"127.0.0.1:", ERR_BAD_INPUT},      {"127.0.0.1:x", ERR_BAD_INPUT},
        {"127.0.0.1:99999", ERR_BAD_INPUT}, {"192.0.2.1:0", ERR_BAD_INPUT},
        {"999.1.1.1:0", ERR_BAD_INPUT},
    };
    struct cfg cfg = rig_defaults();
    const struct wire_handlers none = {0};
    struct wire_server *second = NULL;
    struct err err = {0};
    (void)state;

    for (size_t i = 0; i < COUNT(bad); i++) {
        cfg.listen = bad[i].address;
        if (wire_server_new(&cfg, &none, &second, &err) || err.kind != bad[i].kind ||
            !strstr(err.text, bad[i].address) || second)
            fail_msg("%s: kind %d \"%s\"", bad[i].address, (int)err.kind, err.text);
    }
    const int taken = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in sin = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(sin);
    char address[32];
    assert_int_equal(bind(taken, (struct sockaddr *)&sin, len), 0);
    assert_int_equal(listen(taken, 1), 0);
    assert_int_equal(getsockname(taken, (struct sockaddr *)&sin, &len), 0);
    (void)snprintf(address, sizeof(address), "127.0.0.1:%u", (unsigned)ntohs(sin.sin_port));
    cfg.listen = address;
    assert_false(wire_server_new(&cfg, &none, &second, &err));
    assert_int_equal(err.kind, ERR_UNAVAILABLE);
    assert_non_null(strstr(err.text, address));
    (void)close(taken);
    cfg.listen = "[::1]:0";
    if (wire_server_new(&cfg, &none, &second, &err)) { /* not every machine has IPv6 */
        assert_int_equal(strncmp(wire_server_address(second, 0), "[::1]:", 6), 0);
        wire_server_free(second);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_requests_on_one_connection_in_order),
        cmocka_unit_test(reads_requests_that_come_byte_by_byte),
        cmocka_unit_test(speaks_http_1_0_and_head),
        cmocka_unit_test(answers_what_a_worker_answers_later_also_after_half_close),
        cmocka_unit_test(tells_a_worker_that_its_client_has_gone),
        cmocka_unit_test(refuses_early_and_keeps_the_connection_where_it_can),
        cmocka_unit_test(says_continue_only_to_heads_that_it_takes),
        cmocka_unit_test(answers_nothing_behind_a_bad_request),
        cmocka_unit_test(takes_and_gives_large_bodies),
        cmocka_unit_test(serves_a_hundred_streams_at_once),
        cmocka_unit_test(names_bad_addresses_and_taken_ports),
    };

    log_set_level(LOG_ERROR);
    return cmocka_run_group_tests_name("wire_server", tests, NULL, NULL);
}
