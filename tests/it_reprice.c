/*
 * `spanledger reprice` on a real database beside a running server: a dry run changes nothing and
 * says what would change; a run that is killed again and again ends where one run would have, also
 * while spans come in; totals equal an independent recount from the tokens.
 *
 * REPRICE_TRACES (1200: more than one part) traces of the recorded agent with two billed calls each are sent.
 */
#include "test.h"

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/client.h"
#include "support/fixture.h"
#include "support/number.h"
#include "support/server.h"
#include "support/sql_value.h"

#define TEXT_BYTES 65536
#define REQUEST_BYTES 300000
#define MOST_BODIES 8
#define CALLS 2 /* billed ones of the recording */
#define NEW_PRICES                                                                                 \
    "provider,model,effective_from,input,cache_read,output\n"                                      \
    "openai,gpt-4o,2020-01-01,5,0.5,20\n"
#define OTHER_PRICES                                                                               \
    "provider,model,effective_from,input,cache_read,output\n"                                      \
    "openai,gpt-4o,2020-01-01,7,0.7,21\n"

static struct server server;
static char conninfo[1024];
static char text[TEXT_BYTES];
static long trace_count;

struct bodies {
    struct buf copy[MOST_BODIES];
    size_t count;
};

static void take_body(const struct fixture_body *body, void *context)
{
    struct bodies *bodies = context;
    struct buf *copy = &bodies->copy[bodies->count++];

    assert_true(bodies->count <= MOST_BODIES);
    buf_init(copy, 1 << 20);
    buf_add_bytes(copy, body->body);
}

/* Traces get ids of their own: field 1 of 16 bytes, whose first four say which copy it is, by
 * seven bits each: so that none of them looks like the head of a field. */
static void renumber(struct buf *body, uint32_t copy)
{
    for (size_t at = 0; at + 18 <= body->len; at++)
        if (body->at[at] == 0x0a && body->at[at + 1] == 0x10)
            for (int i = 0; i < 4; i++)
                body->at[at + 2 + (size_t)i] = (uint8_t)(0x80 | copy >> 7 * (3 - i));
}

/* Copies first .. last, many in a request: messages beside each other are one message. */
static bool send_copies(uint32_t first, uint32_t last)
{
    struct arena arena;
    struct bodies bodies = {.count = 0};
    struct buf request;
    struct reply reply;
    bool fine = true;

    arena_init(&arena, 64 << 20);
    assert_true(fixture_each(&arena, "python-strands-agent", take_body, &bodies) > 0);
    reply_init(&reply);
    buf_init(&request, 8 << 20);
    for (uint32_t copy = first; fine && copy <= last; copy++) {
        for (size_t b = 0; b < bodies.count; b++) {
            renumber(&bodies.copy[b], copy);
            buf_add_bytes(&request, buf_bytes(&bodies.copy[b]));
        }
        if (request.len < REQUEST_BYTES && copy != last)
            continue;
        /* As an exporter does: what was not taken comes again. */
        fine = false;
        for (int tries = 0; !fine && tries < 5; tries++) {
            http_export(server.http_port, false, buf_bytes(&request), &reply);
            fine = reply.status == 200;
            if (!fine)
                print_message("answer %d for copies up to %u\n", reply.status, copy);
        }
        buf_clear(&request);
    }
    buf_done(&request);
    reply_done(&reply);
    for (size_t b = 0; b < bodies.count; b++)
        buf_done(&bodies.copy[b]);
    arena_done(&arena);
    return fine;
}

static pid_t start(const char *const words[], const char *out)
{
    char program[512];
    char *argv[16] = {program};
    pid_t pid;

    server_program(program, sizeof(program));
    for (int i = 0; words[i]; i++)
        argv[i + 1] = (char *)(uintptr_t)words[i];
    pid = fork();
    if (pid == 0) {
        const int file = open(out, O_WRONLY | O_CREAT | O_TRUNC, 0600);
        (void)dup2(file, STDOUT_FILENO);
        (void)dup2(file, STDERR_FILENO);
        (void)execv(program, argv);
        _exit(127);
    }
    assert_true(pid > 0);
    return pid;
}

/* A run has done some parts and is not at its end. */
#define HALF_WAY                                                                                   \
    "SELECT count(*) FROM spanledger.price_change WHERE finished_at IS NULL AND done_trace_id IS " \
    "NOT NULL"

/* Runs the program; kill_after_ms < 0: to its end, UNTIL_HALF_WAY: until some of it is done. Its
 * words are in `text`. Wait status. */
#define UNTIL_HALF_WAY INT_MAX
static int run(const char *const words[], int kill_after_ms)
{
    char out[200];
    struct buf said;
    int status = 0;

    (void)snprintf(out, sizeof(out), "%s/said", server.data_dir);
    const pid_t pid = start(words, out);
    if (kill_after_ms == UNTIL_HALF_WAY) {
        for (int i = 0; i < 10000 && strcmp(sql_value(conninfo, HALF_WAY), "0") == 0; i++)
            (void)usleep(1000);
        (void)kill(pid, SIGKILL);
    } else if (kill_after_ms >= 0) {
        (void)usleep((unsigned)kill_after_ms * 1000);
        (void)kill(pid, SIGKILL);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    buf_init(&said, TEXT_BYTES - 1);
    assert_true(file_read(out, &said));
    if (said.len > 0) /* a run that was killed at once has said nothing */
        memcpy(text, said.at, said.len);
    text[said.len] = '\0';
    buf_done(&said);
    return status;
}

static int set_up(void **state)
{
    const char *wanted = getenv("REPRICE_TRACES");

    (void)state;
    trace_count = wanted && wanted[0] ? (long)number_at(wanted) : 1200;
    return server_up(&server, NULL) && server_conninfo(&server, conninfo, sizeof(conninfo)) &&
                   send_copies(1, (uint32_t)trace_count)
               ? 0
               : -1;
}

static int tear_down(void **state)
{
    (void)state;
    server_remove(&server);
    return 0;
}

#define BILLED "FROM spanledger.span WHERE billable"
/* Pico-USD by the prices of NEW_PRICES, from the tokens alone. */
#define RECOUNT                                                                                    \
    "SELECT sum(coalesce(input_tokens, 0) * 5000000::numeric + coalesce(cache_read_tokens, 0) * "  \
    "500000 + (coalesce(output_tokens, 0) + coalesce(reasoning_tokens, 0)) * 20000000) " BILLED

#define REPRICED                                                                                   \
    "SELECT count(*) " BILLED " AND price_id IN (SELECT price_id FROM spanledger.price WHERE "     \
    "source = 'own')"

static void must_equal(const char *left, const char *right)
{
    char first[256];

    (void)snprintf(first, sizeof(first), "%s", sql_value(conninfo, left));
    if (strcmp(first, sql_value(conninfo, right)) != 0)
        fail_msg("%s\n  is %s\n%s\n  is %s", left, first, right, sql_value(conninfo, right));
}

static void sums_agree(void)
{
    must_equal("SELECT sum(cost_total) " BILLED, "SELECT sum(cost_total) FROM spanledger.trace");
    must_equal("SELECT count(*) " BILLED, "SELECT sum(billable_calls) FROM spanledger.trace");
}

static void write_prices(const char *path, const char *prices)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    (void)fputs(prices, file);
    (void)fclose(file);
}

static void a_dry_run_says_what_would_change_and_changes_nothing(void **state)
{
    char prices[200], before[256], wanted[100];
    const char *const import[] = {"prices", "import", prices, "--db", conninfo, NULL};
    const char *const dry[] = {"reprice", "--dry-run", "--json", "--db", conninfo, NULL};

    (void)state;
    (void)snprintf(wanted, sizeof(wanted), "%ld", trace_count * CALLS);
    assert_string_equal(sql_value(conninfo, "SELECT count(*) " BILLED), wanted);
    sums_agree();
    (void)snprintf(prices, sizeof(prices), "%s/prices.csv", server.data_dir);
    write_prices(prices, NEW_PRICES);
    if (run(import, -1) != 0)
        fail_msg("%s", text);
    (void)snprintf(before, sizeof(before), "%s",
                   sql_value(conninfo, "SELECT sum(cost_total) " BILLED));
    if (run(dry, -1) != 0)
        fail_msg("%s", text);
    (void)snprintf(wanted, sizeof(wanted), "\"calls\":%ld", trace_count * CALLS);
    assert_non_null(strstr(text, wanted));
    (void)snprintf(wanted, sizeof(wanted), "\"cost_usd_after\":\"%s\"",
                   sql_value(conninfo, "SELECT api.usd((" RECOUNT "))"));
    if (!strstr(text, wanted))
        fail_msg("want %s in %s", wanted, text);
    assert_string_equal(sql_value(conninfo, "SELECT sum(cost_total) " BILLED), before);
    assert_string_equal(sql_value(conninfo, "SELECT count(*) FROM spanledger.price_change"), "0");
}

static void a_run_that_is_killed_goes_on_and_ends_with_the_exact_sum(void **state)
{
    const char *const all[] = {"reprice", "--db", conninfo, NULL};
    int64_t begin_ms;
    int killed = 0;

    (void)state;
    for (int round = 0; round < 12; round++) {
        /* At first before anything is done, then in the middle, then whenever it happens. */
        const int after_ms = round < 3    ? round * 10
                             : round == 3 ? UNTIL_HALF_WAY
                                          : 20 + round * 15 + (int)(trace_count / 100);

        killed += WIFSIGNALED(run(all, after_ms));
        sums_agree();
        if (round == 3)
            print_message("half-way: %s of %ld calls\n", sql_value(conninfo, REPRICED),
                          trace_count * CALLS);
    }
    print_message("killed %d of 12\n", killed);
    begin_ms = mono_ms();
    if (run(all, -1) != 0)
        fail_msg("%s", text);
    print_message("the rest: %lld ms\n", (long long)(mono_ms() - begin_ms));
    must_equal("SELECT sum(cost_total) " BILLED, RECOUNT);
    must_equal("SELECT sum(cost_total) " BILLED,
               "SELECT sum(input_cost + cache_read_cost + output_cost + coalesce(reasoning_cost, "
               "0)) " BILLED);
    sums_agree();
    assert_string_equal(
        sql_value(conninfo,
                  "SELECT bool_and(finished_at IS NOT NULL) FROM spanledger.price_change"),
        "t");
    assert_string_equal(sql_value(conninfo,
                                  "SELECT count(*) > 0 FROM spanledger.admin_audit WHERE action = "
                                  "'reprice'"),
                        "t");
    assert_string_equal(
        sql_value(conninfo, "SELECT count(*) FROM spanledger.span s WHERE price_id IS NOT NULL AND "
                            "NOT EXISTS (SELECT FROM spanledger.price p WHERE p.price_id = "
                            "s.price_id)"),
        "0");
}

static void a_second_run_changes_nothing(void **state)
{
    const char *const all[] = {"reprice", "--json", "--db", conninfo, NULL};

    (void)state;
    if (run(all, -1) != 0)
        fail_msg("%s", text);
    assert_non_null(strstr(text, "\"changed\":0"));
    assert_null(strstr(text, "\"changed\":1"));
}

/* What was said is not read: traces of any size fit into the memory of one request. */
static void a_run_takes_little_memory(void **state)
{
    const char *const small[] = {"reprice", "--dry-run",          "--json",  "--db",
                                 conninfo,  "--decode-max-bytes", "1048576", NULL};
    char wanted[100];

    (void)state;
    if (run(small, -1) != 0)
        fail_msg("%s", text);
    (void)snprintf(wanted, sizeof(wanted), "\"calls\":%ld", trace_count * CALLS);
    if (!strstr(text, wanted))
        fail_msg("want %s in %s", wanted, text);
}

/* Old traces come again, span by span twice, and new ones, while prices change to and fro. */
static void spans_that_come_meanwhile_are_priced_too(void **state)
{
    const char *const all[] = {"reprice", "--db", conninfo, NULL};
    char prices[200], wanted[100];
    const char *const import[] = {"prices", "import", prices, "--db", conninfo, NULL};
    const uint32_t most = trace_count < 500 ? (uint32_t)trace_count : 500;
    int status = 0;

    (void)state;
    (void)snprintf(prices, sizeof(prices), "%s/prices.csv", server.data_dir);
    const pid_t pid = fork();
    if (pid == 0) {
        for (uint32_t round = 0; round < 3; round++)
            if (!send_copies(1, most) || !send_copies((uint32_t)trace_count + round * 100 + 1,
                                                      (uint32_t)trace_count + round * 100 + 100))
                _exit(1);
        _exit(0);
    }
    assert_true(pid > 0);
    for (int round = 0; round < 4; round++) {
        write_prices(prices, round % 2 ? NEW_PRICES : OTHER_PRICES);
        if (run(import, -1) != 0 || run(all, -1) != 0)
            fail_msg("%s", text);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    sums_agree();
    if (run(all, -1) != 0)
        fail_msg("%s", text);
    trace_count += 300;
    (void)snprintf(wanted, sizeof(wanted), "%ld", trace_count * CALLS);
    assert_string_equal(sql_value(conninfo, "SELECT count(*) " BILLED), wanted);
    must_equal("SELECT sum(cost_total) " BILLED, RECOUNT);
    sums_agree();
}

static void filters_choose_and_wrong_words_are_named(void **state)
{
    static const struct {
        const char *flag;
        const char *value;
        const char *said;
        int status;
    } rows[] = {
        {"--model", "GPT-4*", "\"model\":\"gpt-4o\"", 0},
        {"--model", "claude*", "[]", 0},
        {"--provider", "anthropic", "[]", 0},
        {"--tenant", "2", "tenant 2 is not known", 2},
        {"--tenant", "1", "gpt-4o", 0},
        {"--from", "2099-01-01T00:00:00Z", "[]", 0},
        {"--tenant", "none", "'none'", 2},
        {"--from", "yesterday", "--from", 2},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const char *const words[] = {"reprice",     "--dry-run", "--json", rows[i].flag,
                                     rows[i].value, "--db",      conninfo, NULL};
        const int status = run(words, -1);

        if (WEXITSTATUS(status) != rows[i].status || !strstr(text, rows[i].said))
            fail_msg("%s %s: %d: %s", rows[i].flag, rows[i].value, status, text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_dry_run_says_what_would_change_and_changes_nothing),
        cmocka_unit_test(a_run_that_is_killed_goes_on_and_ends_with_the_exact_sum),
        cmocka_unit_test(a_second_run_changes_nothing),
        cmocka_unit_test(a_run_takes_little_memory),
        cmocka_unit_test(spans_that_come_meanwhile_are_priced_too),
        cmocka_unit_test(filters_choose_and_wrong_words_are_named),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
