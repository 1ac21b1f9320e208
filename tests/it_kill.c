/*
 * Kill tests: acknowledged spans lost 0, duplicates visible 0, whatever dies under load (RF-01,
 * RF-02, RF-03, RF-05, RF-06, OTLP-47, OTLP-53).
 *
 * Counts come from the environment: KILLS_SERVER, KILLS_BACKEND, KILLS_DATABASE, LOST_RESPONSES,
 * STOPS_SERVER; small ones by default, `make test-kill` sets the full ones. KILL_SEED repeats a
 * run.
 */
#include "test.h"

#include <libpq-fe.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "support/expect.h"
#include "support/ledger.h"
#include "support/load.h"
#include "support/number.h"
#include "support/server.h"

#define RESTART_MAX_MS 5000 /* RF-01: start to the first accepted span */
#define RECOVER_MAX_MS 30000
#define API_TRACES 5000

static struct server server;
static struct ledger ledger;
static struct load load;
static char ledger_path[200];
static uint64_t seed;
static uint64_t random_state;

static int64_t count_of(const char *name, int64_t fallback)
{
    const char *text = getenv(name);

    return text && text[0] ? number_at(text) : fallback;
}

static uint64_t next_random(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

static void pause_ms(int64_t ms)
{
    (void)usleep((unsigned)ms * 1000);
}

static int start(void **state)
{
    (void)state;
    seed = (uint64_t)count_of("KILL_SEED", (int64_t)(wall_ns() & 0x7fffffff));
    random_state = seed * 0x9e3779b97f4a7c15u + 1;
    print_message("seed %llu (KILL_SEED repeats it)\n", (unsigned long long)seed);
    if (!server_up(&server, NULL))
        return -1;
    (void)snprintf(ledger_path, sizeof(ledger_path), "%s/ledger", server.data_dir);
    return ledger_open(&ledger, ledger_path) ? 0 : -1;
}

static int stop(void **state)
{
    (void)state;
    ledger_close(&ledger);
    server_remove(&server);
    return 0;
}

static void begin_load(bool lose_answers)
{
    const struct load_options options = {.threads = 8,
                                         .spans = 5,
                                         .pause_ms = lose_answers ? 0 : 10,
                                         .lose_answers = lose_answers,
                                         .seed = next_random()};

    assert_true(load_start(&load, &options, &ledger, server.http_port, server.grpc_port));
}

/* Ends the load and compares everything that was ever acknowledged with what is there. */
static void end_load_and_check(void)
{
    struct ledger_findings findings;
    char conninfo[1024];

    if (!load_finish(&load))
        fail_msg("a request was not acknowledged within a minute; refused %llu, unanswered %llu",
                 (unsigned long long)load.refused, (unsigned long long)load.unanswered);
    print_message(
        "requests %llu, sent again %llu, refused with Retry-After %llu, unanswered %llu\n",
        (unsigned long long)load.requests, (unsigned long long)load.retries,
        (unsigned long long)load.refused, (unsigned long long)load.unanswered);
    if (load.bad_answers)
        fail_msg("%llu answers that senders do not retry, the first: %s",
                 (unsigned long long)load.bad_answers, load.first_bad);
    assert_true(server_conninfo(&server, conninfo, sizeof(conninfo)));
    if (!ledger_check(ledger_path, conninfo, server.http_port, API_TRACES, &findings)) {
        server_log_tail(&server, stderr);
        fail_msg("the checker could not look");
    }
    ledger_print(&findings, stdout);
    if (!ledger_is_clean(&findings))
        fail_msg("the ledger does not agree");
}

/* Sends spans until one is accepted; ms since from_ms, -1: none within RECOVER_MAX_MS. */
static int64_t first_accepted_ms(int64_t from_ms)
{
    struct buf body;
    struct test_ids ids;
    struct reply reply;
    int64_t took_ms = -1;

    buf_init(&body, 65536);
    reply_init(&reply);
    while (took_ms < 0 && mono_ms() - from_ms < RECOVER_MAX_MS) {
        buf_clear(&body);
        one_span(&body, false, &ids);
        http_export(server.http_port, false, buf_bytes(&body), &reply);
        if (reply.status == 200)
            took_ms = mono_ms() - from_ms;
        else
            pause_ms(5);
    }
    buf_done(&body);
    reply_done(&reply);
    return took_ms;
}

struct times {
    int64_t most_ms;
    int64_t sum_ms;
    int64_t in_flight; /* at the moment of the fault, over all faults */
    int64_t count;
};

static void note(struct times *t, int64_t took_ms, int in_flight)
{
    t->most_ms = took_ms > t->most_ms ? took_ms : t->most_ms;
    t->sum_ms += took_ms;
    t->in_flight += in_flight;
    t->count++;
}

static void tell(const struct times *t, const char *what)
{
    print_message("%lld %s, %.1f requests in flight at each; accepted again after %lld ms on "
                  "average, %lld ms at most\n",
                  (long long)t->count, what, (double)t->in_flight / (double)t->count,
                  (long long)(t->sum_ms / t->count), (long long)t->most_ms);
}

/* The fault must have hit: something is in flight. */
static int wait_for_hit(void)
{
    pause_ms((int64_t)(next_random() % 400));
    if (!load_wait_in_flight(&load, 10000))
        fail_msg("no request in flight within 10 s; refused %llu",
                 (unsigned long long)load.refused);
    return atomic_load(&load.in_flight);
}

/* RF-01, OTLP-47 */
static void nothing_is_lost_when_the_server_is_killed(void **state)
{
    const int64_t kills = count_of("KILLS_SERVER", 3);
    struct times times = {0};

    (void)state;
    begin_load(false);
    atomic_store(&load.server_may_vanish, true);
    for (int64_t i = 0; i < kills; i++) {
        const int in_flight = wait_for_hit();
        server_kill(&server);
        if (!server_spawn(&server) || !server_wait_ports(&server, RECOVER_MAX_MS)) {
            server_log_tail(&server, stderr);
            fail_msg("kill %lld: the server did not start again", (long long)i);
        }
        atomic_store(&load.http_port, server.http_port);
        atomic_store(&load.grpc_port, server.grpc_port);
        const int64_t took_ms = first_accepted_ms(server.started_ms);
        note(&times, took_ms, in_flight);
        if (took_ms < 0 || took_ms > RESTART_MAX_MS) {
            server_log_tail(&server, stderr);
            fail_msg("kill %lld: %lld ms to the first accepted span", (long long)i,
                     (long long)took_ms);
        }
    }
    tell(&times, "kills of the server");
    end_load_and_check();
}

/* A random backend that the server uses; 0: none. */
static pid_t random_backend(void)
{
    char conninfo[1024];
    pid_t pid = 0;

    if (!server_conninfo(&server, conninfo, sizeof(conninfo)))
        return 0;
    PGconn *db = PQconnectdb(conninfo);
    PGresult *res = PQexec(db, "SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid() "
                               "AND application_name LIKE 'spanledger%' AND state IS NOT NULL");
    const int n = PQntuples(res);
    if (n > 0)
        pid = (pid_t)number_at(PQgetvalue(res, (int)(next_random() % (uint64_t)n), 0));
    PQclear(res);
    PQfinish(db);
    return pid;
}

/* False: the process had ended by itself meanwhile. */
static bool kill_and_wait(pid_t pid, struct times *times, const char *what)
{
    const int in_flight = wait_for_hit();
    const int64_t from_ms = mono_ms();

    if (kill(pid, SIGKILL) != 0)
        return false;
    pause_ms(20);
    const int64_t took_ms = first_accepted_ms(from_ms);
    note(times, took_ms, in_flight);
    if (took_ms < 0 || !server_lives(&server)) {
        server_log_tail(&server, stderr);
        fail_msg("%s %lld: %lld ms until a span was accepted, server %s", what,
                 (long long)times->count, (long long)took_ms, server.pid ? "lives" : "is gone");
    }
    return true;
}

/* RF-02, RF-40, first half: PostgreSQL restarts all backends when one is killed */
static void nothing_is_lost_when_a_backend_is_killed(void **state)
{
    const int64_t kills = count_of("KILLS_BACKEND", 3);
    struct times times = {0};

    (void)state;
    begin_load(false);
    for (int64_t done = 0, tries_left = kills * 10; done < kills; tries_left--) {
        pid_t pid = 0;
        for (int tries = 0; tries < 100 && pid == 0; tries++, pause_ms(pid ? 0 : 50))
            pid = random_backend();
        assert_true(pid > 1 && tries_left > 0);
        done += kill_and_wait(pid, &times, "kill of a backend");
    }
    tell(&times, "kills of a backend");
    end_load_and_check();
    assert_int_equal(load.unanswered, 0);
}

/* RF-02, second half, RF-03: the database's main process, then it is started again */
static void nothing_is_lost_when_the_database_is_killed(void **state)
{
    const int64_t kills = count_of("KILLS_DATABASE", 2);
    struct times times = {0};

    (void)state;
    begin_load(false);
    for (int64_t i = 0; i < kills; i++) {
        const pid_t pid = server_database_pid(&server);
        assert_true(pid > 1);
        assert_true(kill_and_wait(pid, &times, "kill of the database"));
    }
    tell(&times, "kills of the database");
    end_load_and_check();
    assert_int_equal(load.unanswered, 0);
}

/* RF-05: the answer came after COMMIT and nobody got it; the same body comes again */
static void nothing_is_stored_twice_when_answers_are_lost(void **state)
{
    const uint64_t wanted = (uint64_t)count_of("LOST_RESPONSES", 100);

    (void)state;
    begin_load(true);
    for (int64_t until_ms = mono_ms() + 600000;
         atomic_load(&load.answers_lost) < wanted && mono_ms() < until_ms;)
        pause_ms(5);
    end_load_and_check();
    print_message("%llu answers lost after commit\n", (unsigned long long)load.answers_lost);
    assert_true(load.answers_lost >= wanted);
}

/* RF-06, OTLP-11 */
static void nothing_is_lost_when_the_server_is_stopped_in_order(void **state)
{
    const int64_t stops = count_of("STOPS_SERVER", 2);

    (void)state;
    begin_load(false);
    for (int64_t i = 0; i < stops; i++) {
        (void)wait_for_hit();
        const int64_t from_ms = mono_ms();
        atomic_store(&load.server_may_vanish, true);
        const int status = server_stop(&server, 20000);
        print_message("stopped after %lld ms with status %d\n", (long long)(mono_ms() - from_ms),
                      status);
        assert_int_equal(status, 0);
        assert_true(mono_ms() - from_ms < 10000);
        assert_true(server_start(&server));
        atomic_store(&load.http_port, server.http_port);
        atomic_store(&load.grpc_port, server.grpc_port);
        pause_ms(100);
        atomic_store(&load.server_may_vanish, false);
    }
    end_load_and_check();
}

/* The checker itself: it must see one span that is not there, one that is there twice, and one with
 * another content. */
static void the_checker_finds_what_is_planted(void **state)
{
    struct ledger_findings findings;
    struct ledger_record planted[3];
    struct test_ids ids[3];
    struct test_span spans[3];
    struct buf body;
    struct reply reply;
    char conninfo[1024];

    (void)state;
    buf_init(&body, 65536);
    reply_init(&reply);
    for (size_t i = 0; i < 3; i++) {
        test_ids_next(&ids[i]);
        memcpy(planted[i].trace_id, ids[i].trace_id, 16);
        memcpy(planted[i].span_id, ids[i].span_id, 8);
        planted[i].content = 0x1234;
        spans[i] = test_span_of(&ids[i], "content 0000000000001234");
    }
    spans[1].name = BYTES_LITERAL("content 0000000000009999");
    pb_request(&body, "planted", spans + 1, 2);
    http_export(server.http_port, false, buf_bytes(&body), &reply);
    expect_success("planted", &reply, false);
    spans[2].kind = 3; /* another identity for the store, the same for whoever looks */
    buf_clear(&body);
    pb_request(&body, "planted", spans + 2, 1);
    http_export(server.http_port, false, buf_bytes(&body), &reply);
    expect_success("planted", &reply, false);
    assert_true(ledger_add(&ledger, planted, 3));
    assert_true(server_conninfo(&server, conninfo, sizeof(conninfo)));
    assert_true(ledger_check(ledger_path, conninfo, server.http_port, 0, &findings));
    ledger_print(&findings, stdout);
    assert_int_equal(findings.lost, 1);
    assert_int_equal(findings.wrong, 1);
    assert_int_equal(findings.twice, 1);
    assert_int_equal(findings.api_lost, 1);
    assert_int_equal(findings.api_wrong, 1);
    assert_int_equal(findings.api_twice, 1);
    assert_false(ledger_is_clean(&findings));
    buf_done(&body);
    reply_done(&reply);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_lost_when_the_server_is_killed),
        cmocka_unit_test(nothing_is_lost_when_a_backend_is_killed),
        cmocka_unit_test(nothing_is_lost_when_the_database_is_killed),
        cmocka_unit_test(nothing_is_stored_twice_when_answers_are_lost),
        cmocka_unit_test(nothing_is_lost_when_the_server_is_stopped_in_order),
        cmocka_unit_test(the_checker_finds_what_is_planted), /* last: it spoils the ledger */
    };

    (void)signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, start, stop);
}
