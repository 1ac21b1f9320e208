/*
 * Overload (RF-17, OTLP-54): an open-loop sender offers ten times what the server can take; the
 * server must go on taking what it can, refuse the rest with 503 and Retry-After, keep its memory
 * under its bound, and hold what it acknowledged. The capacity is lowered by a slow commit, so that
 * sender, server and database fit on one small machine.
 *
 * OVERLOAD_SECONDS (5; `make test-overload` sets 120) is the time of the overload.
 */
#include "test.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "support/expect.h"
#include "support/ledger.h"
#include "support/number.h"
#include "support/server.h"

#define SPANS 10
#define CHANNELS 400
#define TIMES 10
#define MEMORY_MAX_KIB (256L * 1024)

static struct server server;
static struct ledger ledger;
static char ledger_path[200];
static struct buf filler; /* an attribute of the first span */

struct channel {
    struct client client;
    bool busy;
    int64_t sent_ms;
    struct ledger_record records[SPANS];
};

static struct channel channels[CHANNELS];

struct phase {
    uint64_t offered; /* requests */
    uint64_t acknowledged;
    uint64_t refused;
    uint64_t no_channel; /* the sender had no connection left: the server answers too slowly */
    uint64_t broken;
    int64_t slowest_ms;
    int64_t took_ms;
    long memory_kib; /* most seen */
};

static int start_with(const char *const flags[], size_t filler_bytes)
{
    buf_init(&filler, 1 << 20);
    while (filler.len < filler_bytes)
        buf_add_text(&filler, "what a long prompt says, ");
    for (size_t i = 0; i < CHANNELS; i++)
        channels[i].client.fd = -1;
    if (!server_up(&server, flags))
        return -1;
    (void)snprintf(ledger_path, sizeof(ledger_path), "%s/ledger", server.data_dir);
    return ledger_open(&ledger, ledger_path) ? 0 : -1;
}

static int start_small(void **state)
{
    static const char *const flags[] = {"--test-commit-delay-ms",
                                        "40",
                                        "--ingest-workers",
                                        "1",
                                        "--batch-max-spans",
                                        "50",
                                        "--queue-max-jobs",
                                        "20",
                                        NULL};

    (void)state;
    return start_with(flags, 0);
}

/* Its own limits, which are far above what fits through: bodies in flight are what bounds memory. */
static int start_large(void **state)
{
    static const char *const flags[] = {"--test-commit-delay-ms", "500", "--batch-max-spans", "50",
                                        NULL};

    (void)state;
    return start_with(flags, 400000);
}

static int stop(void **state)
{
    (void)state;
    for (size_t i = 0; i < CHANNELS; i++)
        client_close(&channels[i].client);
    ledger_close(&ledger);
    server_remove(&server);
    buf_done(&filler);
    return 0;
}

static void make_body(struct channel *c, struct buf *out)
{
    static uint64_t content;
    struct test_span spans[SPANS];
    char names[SPANS][32];
    struct test_ids ids;

    for (size_t i = 0; i < SPANS; i++) {
        struct ledger_record *r = &c->records[i];
        test_ids_next(&ids);
        if (i == 0)
            memcpy(r->trace_id, ids.trace_id, 16);
        else
            memcpy(r->trace_id, c->records[0].trace_id, 16);
        memcpy(r->span_id, ids.span_id, 8);
        r->content = ++content;
        (void)snprintf(names[i], sizeof(names[i]), "content %016llx",
                       (unsigned long long)r->content);
        spans[i] = test_span_of(&ids, names[i]);
        spans[i].trace_id.at = r->trace_id;
        spans[i].span_id.at = r->span_id;
    }
    struct buf extra;
    buf_init(&extra, 1 << 20);
    if (filler.len)
        pb_attribute(&extra, 9, BYTES_LITERAL("gen_ai.prompt"), buf_bytes(&filler));
    spans[0].extra = buf_bytes(&extra);
    pb_request(out, "overload", spans, SPANS);
    buf_done(&extra);
}

static void send_one(struct channel *c, struct phase *phase)
{
    struct buf body, out;

    buf_init(&body, 1 << 20);
    buf_init(&out, 1 << 20);
    make_body(c, &body);
    buf_printf(&out,
               "POST /v1/traces HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-protobuf\r\n"
               "Content-Length: %zu\r\n\r\n",
               body.len);
    buf_add_bytes(&out, buf_bytes(&body));
    c->sent_ms = mono_ms();
    c->busy = (c->client.fd >= 0 || client_open(&c->client, server.http_port)) &&
              client_send(&c->client, out.at, out.len);
    phase->offered++;
    if (!c->busy) {
        phase->broken++;
        client_close(&c->client);
    }
    buf_done(&body);
    buf_done(&out);
}

static void take_answer(struct channel *c, struct phase *phase)
{
    struct reply reply;
    char wait[32] = "";

    reply_init(&reply);
    c->busy = false;
    if (!client_read(&c->client, &reply, 10000, false)) {
        phase->broken++;
        client_close(&c->client);
    } else if (reply.status == 200 && reply.body.len == 0) {
        phase->acknowledged++;
        assert_true(ledger_add(&ledger, c->records, SPANS));
    } else if (reply.status == 503 && reply_header(&reply, "retry-after", wait, sizeof(wait)) &&
               number_at(wait) >= 1) {
        phase->refused++;
    } else {
        fail_msg("status %d: %.*s", reply.status, (int)reply.body.len, (char *)reply.body.at);
    }
    const int64_t took_ms = mono_ms() - c->sent_ms;
    if (took_ms > phase->slowest_ms)
        phase->slowest_ms = took_ms;
    if (c->client.fd >= 0 && reply_header_is(&reply, "connection", "close"))
        client_close(&c->client);
    reply_done(&reply);
}

/* Reads every answer that has come; waits for the first at most wait_ms. */
static size_t take_answers(struct phase *phase, int wait_ms)
{
    struct pollfd fds[CHANNELS];
    struct channel *of[CHANNELS];
    nfds_t n = 0;

    for (size_t i = 0; i < CHANNELS; i++) {
        if (!channels[i].busy)
            continue;
        fds[n] = (struct pollfd){.fd = channels[i].client.fd, .events = POLLIN};
        of[n++] = &channels[i];
    }
    if (poll(fds, n, wait_ms) > 0)
        for (nfds_t i = 0; i < n; i++)
            if (fds[i].revents)
                take_answer(of[i], phase);
    return n;
}

static struct channel *idle_channel(size_t most)
{
    for (size_t i = 0; i < most; i++)
        if (!channels[i].busy)
            return &channels[i];
    return NULL;
}

static void look_at_memory(struct phase *phase)
{
    const long kib = server_memory_kib(&server, "VmRSS");

    if (kib > phase->memory_kib)
        phase->memory_kib = kib;
}

/* rate 0: closed loop over `most` connections; else open loop, requests a second. */
static struct phase run_phase(double rate, size_t most, int64_t seconds)
{
    struct phase phase = {0};
    const int64_t from_ms = mono_ms();
    int64_t looked_ms = 0;

    for (int64_t now_ms; (now_ms = mono_ms()) - from_ms < seconds * 1000;) {
        const uint64_t due = (uint64_t)((double)(now_ms - from_ms) * rate / 1000.0);
        struct channel *c;
        if (rate > 0.0) {
            while (phase.offered + phase.no_channel < due) {
                if ((c = idle_channel(most)))
                    send_one(c, &phase);
                else
                    phase.no_channel++;
            }
        } else {
            while ((c = idle_channel(most)))
                send_one(c, &phase);
        }
        (void)take_answers(&phase, 1);
        if (now_ms - looked_ms > 200) {
            look_at_memory(&phase);
            looked_ms = now_ms;
        }
    }
    phase.took_ms = mono_ms() - from_ms;
    const uint64_t in_time = phase.acknowledged;
    for (int64_t until_ms = mono_ms() + 20000;
         take_answers(&phase, 100) > 0 && mono_ms() < until_ms;)
        ;
    /* Only what was acknowledged within the time counts for the rate. */
    print_message("%s: offered %llu requests in %lld ms, acknowledged %llu, refused %llu, no "
                  "connection left %llu, broken %llu, slowest answer %lld ms, memory %ld KiB\n",
                  rate > 0.0 ? "overload" : "capacity", (unsigned long long)phase.offered,
                  (long long)phase.took_ms, (unsigned long long)phase.acknowledged,
                  (unsigned long long)phase.refused, (unsigned long long)phase.no_channel,
                  (unsigned long long)phase.broken, (long long)phase.slowest_ms, phase.memory_kib);
    phase.acknowledged = in_time;
    return phase;
}

static double per_second(const struct phase *phase)
{
    return (double)phase->acknowledged * 1000.0 / (double)phase->took_ms;
}

static void overload(int64_t seconds, size_t closed_loop)
{
    struct ledger_findings findings;
    char conninfo[1024];

    (void)run_phase(0.0, closed_loop, 1); /* warm: partitions, caches */
    const struct phase capacity = run_phase(0.0, closed_loop, seconds / 6 > 3 ? seconds / 6 : 3);
    assert_true(capacity.acknowledged > 0);
    const struct phase overload = run_phase(per_second(&capacity) * TIMES, CHANNELS, seconds);
    print_message("capacity %.0f requests/s, goodput under %d times as much %.0f requests/s: "
                  "%.0f %%\n",
                  per_second(&capacity), TIMES, per_second(&overload),
                  100.0 * per_second(&overload) / per_second(&capacity));
    assert_true(server_conninfo(&server, conninfo, sizeof(conninfo)));
    assert_true(ledger_check(ledger_path, conninfo, server.http_port, 1000, &findings));
    ledger_print(&findings, stdout);
    assert_true(ledger_is_clean(&findings));
    assert_true(overload.refused + overload.no_channel > 0);
    assert_int_equal(overload.broken, 0);
    if (!getenv("ASAN_OPTIONS") && overload.memory_kib > MEMORY_MAX_KIB)
        fail_msg("%ld KiB of memory, bound %ld", overload.memory_kib, MEMORY_MAX_KIB);
    if (per_second(&overload) < 0.8 * per_second(&capacity))
        fail_msg("goodput is below 80 %% of the capacity");
}

static int64_t overload_seconds(void)
{
    const char *given = getenv("OVERLOAD_SECONDS");

    return given && given[0] ? number_at(given) : 5;
}

/* RF-17, OTLP-54, OTLP-70 over HTTP/1.1 */
static void holds_its_bounds_at_ten_times_its_capacity(void **state)
{
    (void)state;
    overload(overload_seconds(), 15);
}

static void holds_its_memory_bound_with_its_own_limits(void **state)
{
    (void)state;
    overload(overload_seconds(), 40);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(holds_its_bounds_at_ten_times_its_capacity, start_small,
                                        stop),
        cmocka_unit_test_setup_teardown(holds_its_memory_bound_with_its_own_limits, start_large,
                                        stop),
    };

    (void)signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
