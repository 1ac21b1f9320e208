/* `spanledger prices` on a real database, and a running server that takes prices over. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test.h"

#include "base/clock.h"
#include "base/text.h"
#include "store/chunks.h"
#include "store/migrate.h"
#include "support/client.h"
#include "support/cluster.h"
#include "support/doc.h"
#include "support/seed.h"
#include "support/server.h"

#define OUT_BYTES 65536

static struct cluster *cluster;
static char conninfo[CLUSTER_CONNINFO_BYTES];
static struct db db;
static char path[256];
static char text_out[OUT_BYTES];
static char text_err[OUT_BYTES];

static void read_back(const char *from, char *to)
{
    struct buf text;

    buf_init(&text, OUT_BYTES - 1);
    assert_true(file_read(from, &text));
    if (text.len > 0)
        memcpy(to, text.at, text.len);
    to[text.len] = '\0';
    buf_done(&text);
}

static void redirect(const char *to, int fd)
{
    const int file = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    if (file < 0 || dup2(file, fd) < 0)
        _exit(126);
}

/* Runs `spanledger prices WORDS… FLAG PLACE`; the exit code. Its texts are in text_out and
 * text_err. */
static int run_prices_at(const char *const words[], const char *flag, char *place)
{
    char program[512];
    char out[300];
    char errors[300];
    char *argv[16] = {program, (char *)(uintptr_t) "prices"};
    int argc = 2;
    int status = 0;

    server_program(program, sizeof(program));
    (void)snprintf(out, sizeof(out), "%s.out", path);
    (void)snprintf(errors, sizeof(errors), "%s.err", path);
    for (size_t i = 0; words[i]; i++)
        argv[argc++] = (char *)(uintptr_t)words[i];
    argv[argc++] = (char *)(uintptr_t)flag;
    argv[argc] = place;
    const pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        redirect(out, STDOUT_FILENO);
        redirect(errors, STDERR_FILENO);
        (void)execv(program, argv);
        _exit(127);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    read_back(out, text_out);
    read_back(errors, text_err);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static int run_prices(const char *const words[])
{
    return run_prices_at(words, "--db", conninfo);
}

static int import(const char *content)
{
    FILE *file = fopen(path, "wb");

    assert_non_null(file);
    assert_int_equal(fwrite(content, 1, strlen(content), file), strlen(content));
    assert_int_equal(fclose(file), 0);
    return run_prices((const char *const[]){"import", path, "--source", "contract 7", NULL});
}

static void want(const char *where, const char *part)
{
    if (!strstr(where, part))
        fail_msg("'%s' is not in\n%s", part, where);
}

static int64_t number(const char *sql)
{
    DB_RESULT result = PQexec(db.conn, sql);
    int64_t value = -1;

    if (PQresultStatus(result) != PGRES_TUPLES_OK)
        fail_msg("%s", PQerrorMessage(db.conn));
    assert_true(text_int64(bytes_of(PQgetvalue(result, 0, 0)), &value));
    return value;
}

static void fresh_database(void)
{
    static const struct cfg cfg = {.partition_days_back = 400};
    struct err err = {0};
    int applied;

    cluster_new_database(cluster, conninfo);
    if (!db_open(&db, conninfo, DB_ADMIN, 0, &err) || !migrate_run(&db, &cfg, &applied, &err))
        fail_msg("%s", err.text);
}

static void imports_prices_once_and_records_what_it_replaced(void **state)
{
    (void)state;
    fresh_database();
    assert_int_equal(import("provider,model,effective_from,input,output\n"
                            "azure.ai.openai,Prod-1,,1.5,6\n"
                            "openai,gpt-4o,2026-01-01,2,8\n"),
                     0);
    want(text_out, "2 prices added, 0 replaced, 0 were there already");
    assert_int_equal(import("provider,model,effective_from,input,output\n"
                            "azure,prod-1,1970-01-01,1.50,6.000\n"
                            "openai,GPT-4o,2026-01-01T00:00:00Z,2,8\n"),
                     0);
    want(text_out, "0 prices added, 0 replaced, 2 were there already");
    assert_int_equal(number("SELECT count(*) FROM spanledger.admin_audit"), 1);
    /* Another price from the same day, and one from a later day on. */
    assert_int_equal(import("provider,model,effective_from,input,output\n"
                            "openai,gpt-4o,2026-01-01,2.25,8\n"
                            "openai,gpt-4o,2026-03-01,1,4\n"),
                     0);
    want(text_out, "1 prices added, 1 replaced, 0 were there already");
    assert_int_equal(number("SELECT count(*) FROM spanledger.model_price"), 3);
    assert_int_equal(number("SELECT count(*) FROM spanledger.admin_audit WHERE action = 'price "
                            "replaced' AND detail->'prices'->>'input' = '2' AND "
                            "detail->'new_prices'->>'input' = '2.25' AND actor LIKE 'command "
                            "line%'"),
                     1);
    db_close(&db);
}

static const struct refused {
    const char *why;
    const char *file;
    const char *reason;
} refused[] = {
    {"a negative price", "model,input\nfine,1\nbad,-1\n", "line 3: input is '-1'"},
    {"a tenant that is not there", "tenant,model,input\n,a,1\nacme,b,1\n",
     "line 3: no tenant is called 'acme'"},
    {"JSON with a wrong name", "[{\"model\":\"a\",\"input\":1},\n{\"model\":\"b\",\"imput\":1}]",
     "line 2: nothing is called 'imput'"},
    {"no file", NULL, "'/nowhere/prices.csv' cannot be opened: No such file or directory"},
};

static void refuses_a_file_with_one_bad_row_as_a_whole(void **state)
{
    (void)state;
    fresh_database();
    assert_int_equal(import("model,input\nold,3\n"), 0);
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        const struct refused *c = &refused[i];
        const int code =
            c->file ? import(c->file)
                    : run_prices((const char *const[]){"import", "/nowhere/prices.csv", NULL});

        if (code != 1 || !strstr(text_err, c->reason))
            fail_msg("%s: exit code %d, %s", c->why, code, text_err);
        assert_int_equal(number("SELECT count(*) FROM spanledger.model_price"), 1);
        assert_int_equal(number("SELECT count(*) FROM spanledger.admin_audit"), 1);
    }
    assert_int_equal(run_prices((const char *const[]){"import", NULL}), 2);
    assert_int_equal(run_prices((const char *const[]){"list", "what", NULL}), 2);
    assert_int_equal(run_prices((const char *const[]){"exprot", NULL}), 2);
    want(text_err, "'exprot' is no command");
    assert_int_equal(run_prices((const char *const[]){"unpriced", "--from", "2026-02-01", "--to",
                                                      "2026-01-01", NULL}),
                     1);
    want(text_err, "--from is not before --to");
    assert_int_equal(run_prices((const char *const[]){"list", "--provider", "openia", NULL}), 0);
    assert_string_equal(text_out, "");
    want(text_err, "no price fits");
    db_close(&db);
}

static void makes_no_database_in_a_wrong_folder(void **state)
{
    char place[300];

    (void)state;
    (void)snprintf(place, sizeof(place), "%s.nowhere", path);
    assert_int_equal(run_prices_at((const char *const[]){"list", NULL}, "--data-dir", place), 1);
    want(text_err, "there is no database in '");
    want(text_err, "--data-dir or --db says where it is");
    assert_int_equal(access(place, F_OK), -1);
}

static void lists_what_is_in_force_own_prices_first(void **state)
{
    struct arena arena;
    const struct doc *rows;
    const struct doc *row;

    (void)state;
    fresh_database();
    assert_int_equal(import("[{\"provider\":\"openai\",\"model\":\"gpt-4o\",\"input\":\"2.25\","
                            "\"output\":8,\"above\":{\"tokens\":1000,\"input\":4}},"
                            "{\"tenant\":\"default\",\"provider\":\"openai\",\"model\":\"gpt-4o\","
                            "\"effective_from\":\"2026-02-01\",\"input\":1,\"source\":\"deal\"}]"),
                     0);
    assert_int_equal(
        run_prices((const char *const[]){"list", "--provider", "openai", "--json", NULL}), 0);
    arena_init(&arena, 1 << 24);
    rows = doc_parse(&arena, bytes_of(text_out));
    assert_non_null(rows);
    row = doc_item(rows, 0);
    assert_true(bytes_is(doc_get(row, "name")->text, "openai:gpt-4o"));
    assert_true(bytes_is(doc_get(row, "source")->text, "contract 7"));
    assert_true(bytes_is(doc_get(doc_get(row, "usd_per_million_tokens"), "input")->text, "2.25"));
    row = doc_item(rows, 1);
    assert_true(bytes_is(doc_get(row, "source")->text, "deal"));
    assert_true(bytes_is(doc_get(row, "tenant_id")->text, "1"));
    arena_done(&arena);
    /* The list's own row for it is not in force; before its first date the tenant's is not. */
    assert_int_equal(
        run_prices((const char *const[]){"list", "--at=2026-01-31", "--model=openai:gpt-4o", NULL}),
        0);
    want(text_out, "input=2.25 output=8; above 1000 tokens: input=4 output=8  (contract 7)");
    assert_null(strstr(text_out, "deal"));
    assert_null(strstr(text_out, "input=2.5 cache_read=1.25"));
    want(text_out, "openai:gpt-4o-2024-05-13");
    db_close(&db);
}

static void lists_billed_calls_without_a_price(void **state)
{
    const struct seed spans[] = {{.trace = 101, .span_id = 101},
                                 {.trace = 102, .span_id = 102},
                                 {.trace = 103, .span_id = 103},
                                 {.trace = 104, .span_id = 104}};
    struct err err = {0};

    (void)state;
    seed_database(cluster, conninfo, &db);
    for (size_t i = 0; i < 4; i++)
        seed_span(&db, &spans[i]);
    if (!db_exec(
            &db,
            "UPDATE spanledger.span SET billable = true, provider = 'acme', model = 'm-1',"
            " usage_rule = 2, total_tokens = 500 WHERE span_id IN (101, 102) AND name = 'step';"
            "UPDATE spanledger.span SET billable = true, model = 'm-2', cost_reported = 5"
            " WHERE span_id = 103 AND name = 'step';"
            "UPDATE spanledger.span SET billable = true, model = 'm-3', cost_computed = 0"
            " WHERE span_id = 104 AND name = 'step';",
            &err))
        fail_msg("%s", err.text);
    assert_int_equal(run_prices((const char *const[]){"unpriced", "--from", "2026-01-01", "--to",
                                                      "2027-01-01", "--json", NULL}),
                     0);
    want(text_out, "\"provider\":\"acme\",\"model\":\"m-1\",\"calls\":2,\"calls_without_usage\":0,"
                   "\"calls_with_reported_cost\":0,\"tokens\":1000,");
    want(text_out, "\"provider\":\"\",\"model\":\"m-2\",\"calls\":1,\"calls_without_usage\":1,"
                   "\"calls_with_reported_cost\":1,\"tokens\":0,");
    assert_null(strstr(text_out, "m-3"));
    assert_int_equal(run_prices((const char *const[]){"unpriced", "--to", "2020-01-01", "--from",
                                                      "2019-01-01", "--json", NULL}),
                     0);
    assert_string_equal(text_out, "[]\n");
    db_close(&db);
}

static bool log_has(const struct server *server, const char *part)
{
    struct buf text;
    bool found;

    buf_init(&text, 1 << 22);
    found = file_read(server->log_path, &text) && text.len > 0 &&
            memmem(text.at, text.len, part, strlen(part));
    buf_done(&text);
    return found;
}

static void a_running_server_takes_prices_over_within_five_seconds(void **state)
{
    struct server server = {0};
    const char *flags[] = {"--db", conninfo, NULL};
    bool seen = false;

    (void)state;
    fresh_database();
    assert_true(server_up(&server, flags));
    assert_false(log_has(&server, "own prices are in force"));
    /* What a span may be priced with can be explained. */
    assert_true(number("SELECT count(*) FROM spanledger.price") > 1700);
    assert_int_equal(
        number("SELECT count(*) FROM spanledger.price WHERE name = 'openai:gpt-4o' AND "
               "source = 'genai-prices 0.1.8' AND effective_from IS NULL AND "
               "rates->>'input' = '2500000'"),
        1);
    assert_int_equal(import("model,input\nsome,3\n"), 0);
    for (int i = 0; i < 50 && !seen; i++) {
        (void)usleep(100000);
        seen = log_has(&server, "own prices are in force");
    }
    assert_true(seen);
    assert_int_equal(
        number(
            "SELECT count(*) FROM spanledger.price WHERE name = 'some' AND source = 'contract 7'"),
        1);
    assert_int_equal(WEXITSTATUS(server_stop(&server, 10000)), 0);
    server_remove(&server);
    db_close(&db);
}

static int set_up(void **state)
{
    (void)state;
    cluster = cluster_start(NULL);
    (void)snprintf(path, sizeof(path), "%s/prices", cluster_directory(cluster));
    return cluster ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    cluster_stop(cluster);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(imports_prices_once_and_records_what_it_replaced),
        cmocka_unit_test(refuses_a_file_with_one_bad_row_as_a_whole),
        cmocka_unit_test(makes_no_database_in_a_wrong_folder),
        cmocka_unit_test(lists_what_is_in_force_own_prices_first),
        cmocka_unit_test(lists_billed_calls_without_a_price),
        cmocka_unit_test(a_running_server_takes_prices_over_within_five_seconds),
    };

    return cmocka_run_group_tests_name("it_prices", tests, set_up, tear_down);
}
