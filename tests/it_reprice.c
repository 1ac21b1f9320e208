/*
 * `spanledger reprice` on a real database beside a running server: a dry run changes nothing and
 * says what would change; a run that is killed again and again ends where one run would have; totals
 * equal an independent recount from the tokens.
 *
 * REPRICE_TRACES (150) traces of the recorded agent with two billed calls each are sent.
 */
#include "test.h"

#include <fcntl.h>
#include <libpq-fe.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/client.h"
#include "support/fixture.h"
#include "support/number.h"
#include "support/server.h"

#define TEXT_BYTES 65536
#define MOST_BODIES 8
#define CALLS 2 /* billed ones of the recording */
#define NEW_PRICES                                                                                 \
    "provider,model,effective_from,input,cache_read,output\n"                                      \
    "openai,gpt-4o,2020-01-01,5,0.5,20\n"

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

/* Traces get ids of their own: field 1 of 16 bytes, whose first four say which copy it is. */
static void renumber(struct buf *body, uint32_t copy)
{
    for (size_t at = 0; at + 18 <= body->len; at++)
        if (body->at[at] == 0x0a && body->at[at + 1] == 0x10)
            put_be32(body->at + at + 2, copy);
}

static bool send_copies(void)
{
    struct arena arena;
    struct bodies bodies = {.count = 0};
    struct reply reply;
    bool fine = true;

    arena_init(&arena, 64 << 20);
    assert_true(fixture_each(&arena, "python-strands-agent", take_body, &bodies) > 0);
    reply_init(&reply);
    for (uint32_t copy = 1; fine && copy <= (uint32_t)trace_count; copy++)
        for (size_t b = 0; fine && b < bodies.count; b++) {
            renumber(&bodies.copy[b], copy);
            http_export(server.http_port, false, buf_bytes(&bodies.copy[b]), &reply);
            fine = reply.status == 200;
        }
    reply_done(&reply);
    for (size_t b = 0; b < bodies.count; b++)
        buf_done(&bodies.copy[b]);
    arena_done(&arena);
    return fine;
}

static const char *value(const char *sql)
{
    static char answer[256];
    PGconn *conn = PQconnectdb(conninfo);
    PGresult *result = PQexec(conn, sql);

    if (PQresultStatus(result) != PGRES_TUPLES_OK)
        fail_msg("%s: %s", sql, PQerrorMessage(conn));
    (void)snprintf(answer, sizeof(answer), "%s", PQgetvalue(result, 0, 0));
    PQclear(result);
    PQfinish(conn);
    return answer;
}

/* Runs the program; kill_after_ms < 0: to its end. Its words are in `text`. Wait status. */
static int run(const char *const words[], int kill_after_ms)
{
    char program[512];
    char out[200];
    char *argv[16] = {program};
    struct buf said;
    int status = 0;

    server_program(program, sizeof(program));
    (void)snprintf(out, sizeof(out), "%s/said", server.data_dir);
    for (int i = 0; words[i]; i++)
        argv[i + 1] = (char *)(uintptr_t)words[i];
    const pid_t pid = fork();
    if (pid == 0) {
        const int file = open(out, O_WRONLY | O_CREAT | O_TRUNC, 0600);
        (void)dup2(file, STDOUT_FILENO);
        (void)dup2(file, STDERR_FILENO);
        (void)execv(program, argv);
        _exit(127);
    }
    assert_true(pid > 0);
    if (kill_after_ms >= 0) {
        (void)usleep((unsigned)kill_after_ms * 1000);
        (void)kill(pid, SIGKILL);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    buf_init(&said, TEXT_BYTES - 1);
    assert_true(file_read(out, &said));
    memcpy(text, said.at, said.len);
    text[said.len] = '\0';
    buf_done(&said);
    return status;
}

static int set_up(void **state)
{
    const char *wanted = getenv("REPRICE_TRACES");

    (void)state;
    trace_count = wanted && wanted[0] ? (long)number_at(wanted) : 150;
    return server_up(&server, NULL) && server_conninfo(&server, conninfo, sizeof(conninfo)) &&
                   send_copies()
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

static void must_equal(const char *left, const char *right)
{
    char first[256];

    (void)snprintf(first, sizeof(first), "%s", value(left));
    if (strcmp(first, value(right)) != 0)
        fail_msg("%s\n  is %s\n%s\n  is %s", left, first, right, value(right));
}

static void sums_agree(void)
{
    must_equal("SELECT sum(cost_total) " BILLED, "SELECT sum(cost_total) FROM spanledger.trace");
    must_equal("SELECT count(*) " BILLED, "SELECT sum(billable_calls) FROM spanledger.trace");
}

static void a_dry_run_says_what_would_change_and_changes_nothing(void **state)
{
    char prices[200], before[256], wanted[100];
    const char *const import[] = {"prices", "import", prices, "--db", conninfo, NULL};
    const char *const dry[] = {"reprice", "--dry-run", "--json", "--db", conninfo, NULL};
    FILE *file;

    (void)state;
    (void)snprintf(wanted, sizeof(wanted), "%ld", trace_count * CALLS);
    assert_string_equal(value("SELECT count(*) " BILLED), wanted);
    sums_agree();
    (void)snprintf(prices, sizeof(prices), "%s/prices.csv", server.data_dir);
    file = fopen(prices, "w");
    assert_non_null(file);
    (void)fputs(NEW_PRICES, file);
    (void)fclose(file);
    if (run(import, -1) != 0)
        fail_msg("%s", text);
    (void)snprintf(before, sizeof(before), "%s", value("SELECT sum(cost_total) " BILLED));
    if (run(dry, -1) != 0)
        fail_msg("%s", text);
    (void)snprintf(wanted, sizeof(wanted), "\"calls\":%ld", trace_count * CALLS);
    assert_non_null(strstr(text, wanted));
    (void)snprintf(wanted, sizeof(wanted), "\"cost_usd_after\":\"%s\"",
                   value("SELECT api.usd((" RECOUNT "))"));
    if (!strstr(text, wanted))
        fail_msg("want %s in %s", wanted, text);
    assert_string_equal(value("SELECT sum(cost_total) " BILLED), before);
    assert_string_equal(value("SELECT count(*) FROM spanledger.price_change"), "0");
}

static void a_run_that_is_killed_goes_on_and_ends_with_the_exact_sum(void **state)
{
    const char *const all[] = {"reprice", "--db", conninfo, NULL};
    int killed = 0;

    (void)state;
    for (int round = 0; round < 12; round++) {
        killed += WIFSIGNALED(run(all, 20 + round * 15));
        sums_agree();
    }
    print_message("killed %d of 12\n", killed);
    if (run(all, -1) != 0)
        fail_msg("%s", text);
    must_equal("SELECT sum(cost_total) " BILLED, RECOUNT);
    must_equal("SELECT sum(cost_total) " BILLED,
               "SELECT sum(input_cost + cache_read_cost + output_cost + coalesce(reasoning_cost, "
               "0)) " BILLED);
    sums_agree();
    assert_string_equal(
        value("SELECT bool_and(finished_at IS NOT NULL) FROM spanledger.price_change"), "t");
    assert_string_equal(value("SELECT count(*) > 0 FROM spanledger.admin_audit WHERE action = "
                              "'reprice'"),
                        "t");
    assert_string_equal(
        value("SELECT count(*) FROM spanledger.span s WHERE price_id IS NOT NULL AND "
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

/* Half a thousand traces with long messages are more than one part may hold: it is made smaller. */
static void a_part_with_too_much_content_is_split(void **state)
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
        cmocka_unit_test(a_part_with_too_much_content_is_split),
        cmocka_unit_test(filters_choose_and_wrong_words_are_named),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
