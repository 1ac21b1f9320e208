/* Slow, half-closed and vanishing clients hurt only themselves; idle ones cost little (OTLP-11,
 * RF-15, RF-16). */
#include "test.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/expect.h"
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

static struct server quick; /* short timeouts */

static int start_quick(void **state)
{
    static const char *const flags[] = {"--header-timeout-ms",
                                        "400",
                                        "--body-timeout-ms",
                                        "400",
                                        "--idle-timeout-ms",
                                        "1500",
                                        NULL};

    (void)fresh(state);
    return server_up(&quick, flags) ? 0 : -1;
}

static int stop_quick(void **state)
{
    server_remove(&quick);
    return drop(state);
}

/* Whether the connection ends within wait_ms, with an answer before or not. */
static bool ends_within(struct client *client, int wait_ms, int *out_status)
{
    const int64_t until_ms = mono_ms() + wait_ms;

    *out_status = client_read(client, &reply, wait_ms, false) ? reply.status : 0;
    return client->fd < 0 || client_sees_end(client, (int)(until_ms - mono_ms()) + 1);
}

/* RF-16: slow heads, slow bodies, silence */
static void slow_clients_are_let_go(void **state)
{
    static const struct {
        const char *why;
        const char *text;
        int wait_ms;
    } rows[] = {
        {"half a request line", "POST /v1/tra", 3000},
        {"half a head", "POST /v1/traces HTTP/1.1\r\nHost: a\r\nContent-Ty", 3000},
        {"half a body",
         "POST /v1/traces HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
         "Content-Length: 100\r\n\r\n{",
         3000},
        {"half a chunk",
         "POST /v1/traces HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
         "Transfer-Encoding: chunked\r\n\r\n100\r\n{",
         3000},
        {"silence", "", 5000},
        {"half a preface", "PRI * HTTP/2.0\r\n\r\nSM", 5000},
        {"a preface and nothing more", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 5000},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct client client;
        int status;
        assert_true(client_open(&client, quick.http_port));
        assert_true(client_send_text(&client, rows[i].text));
        const int64_t from_ms = mono_ms();
        const bool http2 = strncmp(rows[i].text, "PRI", 3) == 0;
        if (http2) {
            /* Frames come first (SETTINGS, later GOAWAY): only the end counts. */
            while (mono_ms() - from_ms < rows[i].wait_ms) {
                client.input.len = 0;
                if (client_sees_end(&client, 100))
                    break;
            }
            if (mono_ms() - from_ms >= rows[i].wait_ms)
                fail_msg("%s: still open after %d ms", rows[i].why, rows[i].wait_ms);
        } else if (!ends_within(&client, rows[i].wait_ms, &status)) {
            fail_msg("%s: still open after %d ms", rows[i].why, rows[i].wait_ms);
        } else if (status == 200 || status == 500) {
            fail_msg("%s: status %d", rows[i].why, status);
        }
        client_close(&client);
    }
}

/* RF-16: one byte now and then keeps a head alive no longer than its deadline */
static void a_trickle_does_not_keep_a_head_alive(void **state)
{
    static struct client clients[200];
    const int64_t from_ms = mono_ms();
    bool closed = false;

    (void)state;
    for (size_t i = 0; i < COUNT(clients); i++) {
        assert_true(client_open(&clients[i], quick.http_port));
        assert_true(client_send_text(&clients[i], "GET /healthz HTTP/1.1\r\nHost: a\r\nX: "));
    }
    while (!closed && mono_ms() - from_ms < 5000) {
        (void)usleep(100000);
        closed = true;
        for (size_t i = 0; i < COUNT(clients); i++)
            closed = !client_send_text(&clients[i], "x") && closed;
        /* The service is there for everybody else. */
        http_get(quick.http_port, "/healthz", &reply);
        assert_int_equal(reply.status, 200);
    }
    assert_true(closed);
    for (size_t i = 0; i < COUNT(clients); i++)
        client_close(&clients[i]);
}

/* A gRPC stream whose body never ends */
static void a_stream_that_never_ends_is_let_go(void **state)
{
    static const struct h2_field fields[] = {{":method", "POST"},
                                             {":scheme", "http"},
                                             {":path", GRPC_EXPORT_PATH},
                                             {":authority", "127.0.0.1"},
                                             {"te", "trailers"},
                                             {"content-type", "application/grpc"},
                                             {NULL, NULL}};
    struct h2_client *client = h2_open(quick.grpc_port);
    struct h2_reply open;

    (void)state;
    assert_non_null(client);
    h2_reply_init(&open);
    assert_true(h2_submit_open(client, fields, BYTES_LITERAL("\0\0\0\0\x09zz"), &open));
    const bool ended = h2_wait(client, 5000);
    if (!ended && h2_is_open(client))
        fail_msg("the stream is open after 5 s");
    h2_reply_done(&open);
    h2_close(client);
}

/* Half-closed sockets: a client that has said all it wants still gets its answer */
static void a_half_closed_client_gets_its_answer(void **state)
{
    struct client client;
    struct test_ids ids;

    (void)state;
    one_span(&body, true, &ids);
    assert_true(client_open(&client, quick.http_port));
    struct buf head;
    buf_init(&head, 65536);
    buf_printf(&head,
               "POST /v1/traces HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
               "Content-Length: %zu\r\n\r\n",
               body.len);
    buf_add_bytes(&head, buf_bytes(&body));
    assert_true(client_send(&client, head.at, head.len));
    assert_int_equal(shutdown(client.fd, SHUT_WR), 0);
    assert_true(client_read(&client, &reply, CLIENT_WAIT_MS, false));
    expect_success("half-closed", &reply, true);
    assert_true(client_sees_end(&client, 3000));
    client_close(&client);
    /* Half a body and then the end: nothing of it is stored, nothing hangs. */
    assert_true(client_open(&client, quick.http_port));
    assert_true(client_send(&client, head.at, head.len - 5));
    assert_int_equal(shutdown(client.fd, SHUT_WR), 0);
    int status;
    assert_true(ends_within(&client, 3000, &status));
    assert_true(status == 0 || status == 400);
    client_close(&client);
    buf_done(&head);
}

/* OTLP-11: clients that go at any moment leave nothing behind */
static void clients_that_go_leave_nothing_behind(void **state)
{
    struct test_ids ids;
    struct buf head;

    (void)state;
    buf_init(&head, 65536);
    for (int i = 0; i < 300; i++) {
        struct client client;
        const struct linger at_once = {.l_onoff = 1};
        buf_clear(&head);
        buf_clear(&body);
        one_span(&body, false, &ids);
        buf_printf(&head,
                   "POST /v1/traces HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-protobuf\r\n"
                   "Content-Length: %zu\r\n\r\n",
                   body.len);
        buf_add_bytes(&head, buf_bytes(&body));
        assert_true(client_open(&client, quick.http_port));
        assert_true(client_send(&client, head.at, head.len * (size_t)(i % 10 + 1) / 10));
        (void)setsockopt(client.fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
        client_close(&client); /* RST */
    }
    buf_done(&head);
    static const struct {
        const char *name;
        int64_t want;
    } rest[] = {{"spanledger_connections_open", 1}, /* the one that asks */
                {"spanledger_request_bytes_in_flight", 0},
                {"spanledger_queue_jobs{queue=\"ingest\"}", 0}};
    for (size_t i = 0; i < COUNT(rest); i++) {
        for (int k = 0; k < 50 && metric(quick.http_port, rest[i].name) != rest[i].want; k++)
            (void)usleep(100000);
        if (metric(quick.http_port, rest[i].name) != rest[i].want)
            fail_msg("%s stays at %lld", rest[i].name,
                     (long long)metric(quick.http_port, rest[i].name));
    }
}

#define IDLE 1500

/* RF-15: idle connections cost little and disturb nobody */
static void idle_connections_cost_little(void **state)
{
    static struct client clients[IDLE];
    static const char *const flags[] = {NULL};
    struct server server;
    struct rlimit files;
    struct test_ids ids;
    size_t open = 0;

    (void)state;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &files), 0);
    files.rlim_cur = files.rlim_max < IDLE + 200 ? files.rlim_max : IDLE + 200;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &files), 0);
    assert_true(server_up(&server, flags));
    const long before_kib = server_memory_kib(&server, "VmRSS");
    while (open < IDLE && open + 200 < files.rlim_cur &&
           client_open(&clients[open], server.http_port))
        open++;
    for (int i = 0; i < 50; i++) {
        buf_clear(&body);
        one_span(&body, false, &ids);
        http_export(server.http_port, false, buf_bytes(&body), &reply);
        expect_success("beside idle connections", &reply, false);
    }
    const long grown_kib = server_memory_kib(&server, "VmRSS") - before_kib;
    print_message("%zu idle connections: %ld KiB\n", open, grown_kib);
    assert_true(metric(server.http_port, "spanledger_connections_open") > (int64_t)open);
    if (!getenv("ASAN_OPTIONS"))
        assert_true(grown_kib < (long)open * 32);
    for (size_t i = 0; i < open; i++)
        client_close(&clients[i]);
    server_remove(&server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slow_clients_are_let_go),
        cmocka_unit_test(a_trickle_does_not_keep_a_head_alive),
        cmocka_unit_test(a_stream_that_never_ends_is_let_go),
        cmocka_unit_test(a_half_closed_client_gets_its_answer),
        cmocka_unit_test(clients_that_go_leave_nothing_behind),
        cmocka_unit_test(idle_connections_cost_little),
    };

    (void)signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, start_quick, stop_quick);
}
