/* Faults that pass (database away, queue full, deadline) get answers that senders retry, and
 * nothing acknowledged is lost; what does not start says why (OTLP-53 … 55, 66 … 69, RF-04, RF-39). */
#include "test.h"

#include <libpq-fe.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/cluster.h"
#include "support/expect.h"
#include "support/ledger.h"
#include "support/load.h"
#include "support/logs.h"
#include "support/number.h"
#include "support/server.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

static struct reply reply;
static struct buf body;

static int fresh(void **state)
{
    (void)state;
    reply_init(&reply);
    buf_init(&body, 16 << 20);
    return 0;
}

static int drop(void **state)
{
    (void)state;
    reply_done(&reply);
    buf_done(&body);
    return 0;
}

static void expect_retry(const char *why, bool json)
{
    char wait[32] = "";

    expect_error(why, &reply, 503, json);
    (void)reply_header(&reply, "retry-after", wait, sizeof(wait));
    if (number_at(wait) < 1 || number_at(wait) > 30)
        fail_msg("%s: Retry-After is '%s', want 1 to 30", why, wait);
}

static void expect_grpc_retry(uint16_t port)
{
    struct h2_reply grpc;
    struct status_view status = {0};
    struct test_ids ids;

    h2_reply_init(&grpc);
    buf_clear(&body);
    one_span(&body, false, &ids);
    grpc_export(port, buf_bytes(&body), "", &grpc);
    if (grpc.grpc_status != 14 || !status_of_details(&grpc, &status) || !status.retry_info ||
        status.retry_ms <= 0 || status.code != 14)
        fail_msg("gRPC: code %d, details '%s', RetryInfo %d", grpc.grpc_status, grpc.grpc_details,
                 status.retry_info);
    h2_reply_done(&grpc);
}

static void expect_logs_retry(uint16_t port, const struct test_ids *ids)
{
    const struct test_log log = test_log_of(ids, "hello");

    buf_clear(&body);
    pb_log_request(&body, &log, 1);
    http_call(port, "POST", "/v1/logs", "content-type: application/x-protobuf\r\n",
              buf_bytes(&body), &reply);
    expect_retry("logs, database away", false);
}

/* OTLP-53, OTLP-54, OTLP-55, OTLP-58, OTLP-68, OTLP-69, RF-04, RF-12 */
static void database_away_is_503_and_nothing_is_lost(void **state)
{
    struct cluster *cluster = cluster_start(NULL);
    struct server server;
    struct ledger ledger;
    struct load load;
    struct ledger_findings findings;
    struct test_ids ids;
    char conninfo[CLUSTER_CONNINFO_BYTES], path[200];
    const char *const flags[] = {"--db", conninfo, NULL};
    const struct load_options options = {.threads = 8, .spans = 5, .pause_ms = 5, .seed = 1};

    (void)state;
    if (!cluster_is_ours(cluster)) {
        cluster_stop(cluster);
        skip();
    }
    cluster_new_database(cluster, conninfo);
    assert_true(server_up(&server, flags));
    (void)snprintf(path, sizeof(path), "%s/ledger", server.data_dir);
    assert_true(ledger_open(&ledger, path));
    assert_true(load_start(&load, &options, &ledger, server.http_port, server.grpc_port));
    for (int round = 0; round < 2; round++) {
        (void)usleep(300000);
        assert_true(load_wait_in_flight(&load, 10000));
        cluster_halt(cluster, round == 0 ? SIGINT : SIGQUIT);
        (void)usleep(500000);
        http_get(server.http_port, "/readyz", &reply);
        assert_int_equal(reply.status, 503);
        http_get(server.http_port, "/healthz", &reply);
        assert_int_equal(reply.status, 200);
        for (int json = 0; json < 2; json++) {
            buf_clear(&body);
            one_span(&body, json, &ids);
            http_export(server.http_port, json, buf_bytes(&body), &reply);
            expect_retry("database away", json);
            assert_null(memmem(reply.body.at, reply.body.len, "host=", 5));
        }
        expect_logs_retry(server.http_port, &ids);
        expect_grpc_retry(server.grpc_port);
        http_get(server.http_port, "/api/v1/services", &reply);
        assert_int_equal(reply.status, 503);
        cluster_resume(cluster);
        const int64_t from_ms = mono_ms();
        assert_true(server_wait_ready(&server, 10000));
        print_message("ready %lld ms after the database\n", (long long)(mono_ms() - from_ms));
    }
    assert_true(load_finish(&load));
    if (load.bad_answers)
        fail_msg("%s", load.first_bad);
    assert_true(load.refused > 0);
    assert_int_equal(load.unanswered, 0);
    assert_true(ledger_check(path, conninfo, server.http_port, 1000, &findings));
    ledger_print(&findings, stdout);
    assert_true(ledger_is_clean(&findings));
    ledger_close(&ledger);
    server_remove(&server);
    cluster_stop(cluster);
}

/* Stops or continues the database's sessions, the tests' own too, and the process that would make
 * new ones. */
static void signal_database(const pid_t pids[], size_t count, int signal)
{
    for (size_t i = 0; i < count; i++)
        assert_int_equal(kill(pids[i], signal), 0);
}

static size_t database_pids(const struct server *server, pid_t to[], size_t most)
{
    char conninfo[CLUSTER_CONNINFO_BYTES];
    size_t count = 0;

    assert_true(server_conninfo(server, conninfo, sizeof(conninfo)));
    PGconn *conn = PQconnectdb(conninfo);
    PGresult *res =
        PQexec(conn, "SELECT pid FROM pg_catalog.pg_stat_activity"
                     " WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()");
    to[count++] = server_database_pid(server);
    for (int i = 0; i < PQntuples(res) && count < most; i++)
        to[count++] = (pid_t)number_at(PQgetvalue(res, i, 0));
    PQclear(res);
    PQfinish(conn);
    return count;
}

/* It neither answers nor goes away, and the timeouts of its sessions stand still with it */
static void a_database_that_stands_still_is_503(void **state)
{
    static const char *const flags[] = {"--export-timeout-ms", "300", NULL};
    struct server server;
    struct test_ids ids;
    pid_t pids[64];

    (void)state;
    assert_true(server_up(&server, flags));
    one_span(&body, true, &ids);
    http_export(server.http_port, true, buf_bytes(&body), &reply);
    expect_success("before", &reply, true);
    const size_t count = database_pids(&server, pids, COUNT(pids));
    signal_database(pids, count, SIGSTOP);
    buf_clear(&body);
    one_span(&body, true, &ids);
    const int64_t from_ms = mono_ms();
    http_export(server.http_port, true, buf_bytes(&body), &reply);
    signal_database(pids, count, SIGCONT);
    print_message("answered after %lld ms\n", (long long)(mono_ms() - from_ms));
    expect_retry("standing still", true);
    http_export(server.http_port, true, buf_bytes(&body), &reply);
    expect_success("after", &reply, true);
    assert_int_equal(stored_spans(server.http_port, ids.trace_id), 1);
    server_remove(&server);
}

#define CROWD 60

/* OTLP-54, OTLP-46: all at once against a queue of four and a slow commit */
static void a_full_queue_is_503_and_what_was_taken_is_there(void **state)
{
    static const char *const flags[] = {"--test-commit-delay-ms",
                                        "200",
                                        "--queue-max-jobs",
                                        "4",
                                        "--ingest-workers",
                                        "1",
                                        "--batch-max-spans",
                                        "1",
                                        NULL};
    static struct client clients[CROWD];
    static struct test_ids ids[CROWD];
    struct server server;
    int taken = 0, refused = 0;

    (void)state;
    assert_true(server_up(&server, flags));
    for (size_t i = 0; i < CROWD; i++) {
        struct buf head;
        buf_init(&head, 65536);
        buf_clear(&body);
        one_span(&body, true, &ids[i]);
        assert_true(client_open(&clients[i], server.http_port));
        buf_printf(&head,
                   "POST /v1/traces HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
                   "Content-Length: %zu\r\n\r\n",
                   body.len);
        buf_add_bytes(&head, buf_bytes(&body));
        assert_true(client_send(&clients[i], head.at, head.len));
        buf_done(&head);
    }
    for (size_t i = 0; i < CROWD; i++) {
        assert_true(client_read(&clients[i], &reply, CLIENT_WAIT_MS, false));
        if (reply.status == 200) {
            taken++;
            assert_int_equal(stored_spans(server.http_port, ids[i].trace_id), 1);
        } else {
            refused++;
            expect_retry("queue full", true);
            assert_int_equal(stored_spans(server.http_port, ids[i].trace_id), 0);
        }
        client_close(&clients[i]);
    }
    print_message("%d taken, %d refused\n", taken, refused);
    assert_true(taken >= 4 && refused > 0);
    server_remove(&server);
}

/* OTLP-66, OTLP-68: the deadline passes while the database is slow */
static void a_deadline_that_passes_is_deadline_exceeded(void **state)
{
    static const char *const flags[] = {"--test-commit-delay-ms", "700", "--ingest-workers", "1",
                                        NULL};
    static const struct h2_field fields[] = {
        {":method", "POST"},         {":scheme", "http"}, {":path", GRPC_EXPORT_PATH},
        {":authority", "127.0.0.1"}, {"te", "trailers"},  {"content-type", "application/grpc"},
        {"grpc-timeout", "100m"},    {NULL, NULL}};
    struct server server;
    struct h2_reply first, second;
    struct test_ids ids;
    struct buf frame;

    (void)state;
    assert_true(server_up(&server, flags));
    struct h2_client *client = h2_open(server.grpc_port);
    assert_non_null(client);
    buf_init(&frame, 65536);
    h2_reply_init(&first);
    h2_reply_init(&second);
    one_span(&body, false, &ids);
    grpc_frame(buf_bytes(&body), false, &frame);
    /* The first keeps the only worker busy, the second waits behind it for longer than it may. */
    assert_true(h2_submit(client, fields, buf_bytes(&frame), 0, &first));
    h2_run(client, 50);
    assert_true(h2_submit(client, fields, buf_bytes(&frame), 0, &second));
    const int64_t from_ms = mono_ms();
    assert_true(h2_wait(client, 10000));
    if (second.grpc_status != 4)
        fail_msg("code %d %s after %d ms", second.grpc_status, second.grpc_message,
                 (int)(mono_ms() - from_ms));
    h2_reply_done(&first);
    h2_reply_done(&second);
    h2_close(client);
    buf_done(&frame);
    server_remove(&server);
}

/* Waits for the end of a server that cannot start. */
static int exit_code(struct server *server, int wait_ms)
{
    int status;

    for (int64_t until_ms = mono_ms() + wait_ms; mono_ms() < until_ms; (void)usleep(10000)) {
        if (waitpid(server->pid, &status, WNOHANG) == server->pid) {
            server->pid = 0;
            return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
        }
    }
    return -1000;
}

/* RF-39: a clear message and an exit code */
static void says_why_it_does_not_start(void **state)
{
    static const char *const no_flags[] = {NULL};
    struct server first;
    char listen[40], used_dir[200];
    const struct {
        const char *why;
        const char *flags[4];
        const char *word; /* in what it says */
        int code;
    } rows[] = {
        {"port in use", {"--listen", listen, NULL}, listen, 1},
        {"unknown flag", {"--nonsense", "1", NULL}, "nonsense", 2},
        {"number out of range", {"--ingest-workers", "9999", NULL}, "ingest", 2},
        {"not loopback and no keys", {"--listen", "0.0.0.0:0", NULL}, "auth", 2},
        {"directory in use", {"--data-dir", used_dir, NULL}, "data", 1},
    };

    (void)state;
    assert_true(server_up(&first, no_flags));
    (void)snprintf(listen, sizeof(listen), "127.0.0.1:%u", first.http_port);
    (void)snprintf(used_dir, sizeof(used_dir), "%s/data", first.data_dir);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct server other;
        struct buf log;
        server_prepare(&other, rows[i].flags);
        assert_true(server_spawn(&other));
        const int code = exit_code(&other, 30000);
        buf_init(&log, 1 << 20);
        (void)file_read(other.log_path, &log);
        buf_add_byte(&log, 0);
        if ((code != rows[i].code && code != 1 && code != 2) ||
            !strstr((char *)log.at, rows[i].word))
            fail_msg("%s: exit code %d, want %d, said: %s", rows[i].why, code, rows[i].code,
                     (char *)log.at);
        buf_done(&log);
        server_remove(&other);
    }
    http_get(first.http_port, "/readyz", &reply);
    assert_int_equal(reply.status, 200);
    server_remove(&first);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fresh, drop)
    const struct CMUnitTest tests[] = {
        TEST(database_away_is_503_and_nothing_is_lost),
        TEST(a_database_that_stands_still_is_503),
        TEST(a_full_queue_is_503_and_what_was_taken_is_there),
        TEST(a_deadline_that_passes_is_deadline_exceeded),
        TEST(says_why_it_does_not_start),
    };

    (void)signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
