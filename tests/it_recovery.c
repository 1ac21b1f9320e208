/*
 * What happens to databases in real life: the disk is full, all connections are taken, somebody
 * locks a table, a migration is killed, a dump is restored (RF-07, RF-08, RF-10, RF-11, RF-35).
 * Each time: answers that senders retry, nothing acknowledged lost, and no restart needed.
 */
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <libpq-fe.h>
#include <pwd.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cfg.h"
#include "store/programs.h"
#include "support/cluster.h"
#include "support/expect.h"
#include "support/ledger.h"
#include "support/load.h"
#include "support/number.h"
#include "support/server.h"

#define MEMORY_MAX_KIB (256L * 1024)
#define HOGS 64

/* A server on a database of its own, a ledger, and senders that go on by themselves. */
struct stage {
    struct cluster *cluster;
    char conninfo[CLUSTER_CONNINFO_BYTES];
    const char *flags[8];
    struct server server;
    struct ledger ledger;
    char ledger_path[200];
    struct load load;
};

static void run_sql(const char *conninfo, const char *sql)
{
    PGconn *conn = PQconnectdb(conninfo);
    PGresult *result = PQexec(conn, sql);

    if (PQresultStatus(result) != PGRES_COMMAND_OK && PQresultStatus(result) != PGRES_TUPLES_OK)
        fail_msg("%s: %s", sql, PQerrorMessage(conn));
    PQclear(result);
    PQfinish(conn);
}

static void open_stage(struct stage *s, const char *const settings[])
{
    memset(s, 0, sizeof(*s));
    s->cluster = cluster_start(settings);
    if (!cluster_is_ours(s->cluster)) {
        cluster_stop(s->cluster);
        skip();
    }
    cluster_new_database(s->cluster, s->conninfo);
}

static void start_stage(struct stage *s)
{
    const struct load_options options = {.threads = 4, .spans = 5, .pause_ms = 5, .seed = 7};

    s->flags[0] = "--db";
    s->flags[1] = s->conninfo;
    s->flags[2] = "--export-timeout-ms";
    s->flags[3] = "3000";
    assert_true(server_up(&s->server, s->flags));
    (void)snprintf(s->ledger_path, sizeof(s->ledger_path), "%s/ledger", s->server.data_dir);
    assert_true(ledger_open(&s->ledger, s->ledger_path));
    assert_true(
        load_start(&s->load, &options, &s->ledger, s->server.http_port, s->server.grpc_port));
}

static void wait_more(_Atomic uint64_t *counter, uint64_t more, int wait_ms, const char *what)
{
    const uint64_t from = *counter;
    const int64_t until = mono_ms() + wait_ms;

    while (*counter < from + more) {
        if (mono_ms() > until)
            fail_msg("%s: %llu after %d ms, want %llu", what, (unsigned long long)(*counter - from),
                     wait_ms, (unsigned long long)more);
        (void)usleep(20000);
    }
}

/* The server lives, its senders were told to come again, and what it acknowledged is there. */
static void close_stage(struct stage *s)
{
    struct ledger_findings findings;

    wait_more(&s->load.acknowledged, 200, 20000, "acknowledged again");
    assert_true(load_finish(&s->load));
    if (s->load.bad_answers)
        fail_msg("%s", s->load.first_bad);
    assert_int_equal(s->load.unanswered, 0);
    assert_true(server_lives(&s->server));
    assert_true(server_memory_kib(&s->server, "VmHWM") < MEMORY_MAX_KIB);
    assert_true(ledger_check(s->ledger_path, s->conninfo, s->server.http_port, 500, &findings));
    ledger_print(&findings, stdout);
    assert_true(ledger_is_clean(&findings));
    ledger_close(&s->ledger);
    server_remove(&s->server);
    cluster_stop(s->cluster);
}

/* A file system of 64 MiB that only this process and its children see; false: not allowed here. */
static bool mount_small(const char *at)
{
    const struct passwd *postgres = getpwnam("postgres");

    return geteuid() == 0 && postgres && unshare(CLONE_NEWNS) == 0 &&
           mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
           mount("tmpfs", at, "tmpfs", 0, "size=64m,mode=0700") == 0 &&
           chown(at, postgres->pw_uid, postgres->pw_gid) == 0;
}

/* Writes until nothing fits any more. */
static void fill(const char *path)
{
    static const char block[65536];
    const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    size_t step = sizeof(block);

    assert_true(fd >= 0);
    while (step > 0)
        if (write(fd, block, step) <= 0)
            step /= 2;
    (void)close(fd);
}

/* RF-08 */
static void full_disk_is_503_and_ends_with_the_shortage(void **state)
{
    struct stage s;
    char small[200], hog[240], sql[700];

    (void)state;
    (void)snprintf(small, sizeof(small), "%s/spanledger-small.%d",
                   getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp", (int)getpid());
    assert_int_equal(mkdir(small, 0755), 0);
    if (!mount_small(small)) {
        print_message("SKIPPED: a small file system cannot be mounted here (want root)\n");
        (void)rmdir(small);
        skip();
    }
    open_stage(&s, NULL);
    (void)snprintf(sql, sizeof(sql), "CREATE TABLESPACE small LOCATION '%s'", small);
    run_sql(s.conninfo, sql);
    run_sql(s.conninfo, "DO $$BEGIN EXECUTE format('ALTER DATABASE %I SET default_tablespace = "
                        "small', current_database()); END$$");
    start_stage(&s);
    (void)snprintf(hog, sizeof(hog), "%s/hog", small);
    for (int round = 0; round < 3; round++) {
        wait_more(&s.load.acknowledged, 100, 20000, "acknowledged");
        fill(hog);
        wait_more(&s.load.refused, 4, 60000, "refused while the disk is full");
        assert_int_equal(unlink(hog), 0);
    }
    close_stage(&s);
    (void)umount2(small, MNT_DETACH);
    (void)rmdir(small);
}

/* All of them, also those that the server had. Returns how many. */
static size_t take_connections(const char *conninfo, PGconn *hogs[HOGS])
{
    static const char others[] = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE "
                                 "backend_type = 'client backend' AND application_name <> 'hog'";
    char hog[CLUSTER_CONNINFO_BYTES + 24];
    size_t count = 0;

    (void)snprintf(hog, sizeof(hog), "%s application_name=hog", conninfo);
    for (const int64_t until = mono_ms() + 3000; mono_ms() < until && count < HOGS;) {
        PGconn *conn = PQconnectdb(hog);

        if (PQstatus(conn) == CONNECTION_OK) {
            hogs[count++] = conn;
            continue;
        }
        PQfinish(conn);
        if (count > 0)
            PQclear(PQexec(hogs[0], others));
    }
    return count;
}

/* RF-10 */
static void no_connection_left_is_503_until_there_is_one(void **state)
{
    static const char *const settings[] = {"-c", "max_connections=20", NULL};
    struct stage s;
    PGconn *hogs[HOGS];
    size_t hog_count;

    (void)state;
    open_stage(&s, settings);
    start_stage(&s);
    for (int round = 0; round < 3; round++) {
        wait_more(&s.load.acknowledged, 100, 20000, "acknowledged");
        hog_count = take_connections(s.conninfo, hogs);
        wait_more(&s.load.refused, 4, 20000, "refused while no connection is left");
        while (hog_count > 0)
            PQfinish(hogs[--hog_count]);
    }
    close_stage(&s);
}

/* RF-11: a statement that waits for a lock is given up with its transaction. */
static void a_locked_table_is_503_within_the_deadline(void **state)
{
    struct stage s;
    PGconn *conn;

    (void)state;
    open_stage(&s, NULL);
    start_stage(&s);
    wait_more(&s.load.acknowledged, 100, 20000, "acknowledged");
    conn = PQconnectdb(s.conninfo);
    PQclear(PQexec(conn, "BEGIN"));
    PQclear(PQexec(conn, "LOCK TABLE spanledger.trace IN ACCESS EXCLUSIVE MODE"));
    wait_more(&s.load.refused, 4, 12000, "refused while the table is locked");
    PQfinish(conn);
    close_stage(&s);
}

/* Whenever the signal comes, first start and later ones. */
static void a_signal_during_the_start_leaves_no_database_behind(void **state)
{
    struct server server;
    int early = 0;

    (void)state;
    server_prepare(&server, NULL);
    for (int round = 0; round < 16; round++) {
        assert_true(server_spawn(&server));
        (void)usleep((unsigned)(10 + round * (round < 4 ? 400 : 25)) * 1000);
        const bool ready = server_wait_ports(&server, 0);
        const int status = server_stop(&server, 30000);
        early += !ready;
        if (status != 0 && status != SIGTERM) { /* the latter: before main had begun */
            server_log_tail(&server, stdout);
            fail_msg("ended with wait status %d", status);
        }
        assert_int_equal(server_database_pid(&server), 0);
    }
    print_message("%d of 16 signals came before the server was ready\n", early);
    assert_true(early > 0);
    assert_true(server_start(&server));
    server_remove(&server);
}

/* A database that never comes must not hold up who stops the server. */
static void a_signal_is_obeyed_while_the_database_is_waited_for(void **state)
{
    static const char *const flags[] = {"--db", "host=/nowhere dbname=none", NULL};
    struct server server;

    (void)state;
    server_prepare(&server, flags);
    assert_true(server_spawn(&server));
    assert_false(server_wait_ports(&server, 1500));
    assert_int_equal(server_stop(&server, 10000), 0);
    server_remove(&server);
}

static int run_program(const char *const argv[], int kill_after_ms)
{
    int status = 0;
    const pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid == 0) {
        (void)execv(argv[0], (char *const *)(uintptr_t)argv);
        _exit(127);
    }
    if (kill_after_ms >= 0) {
        (void)usleep((unsigned)kill_after_ms * 1000);
        (void)kill(pid, SIGKILL);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

/* RF-07: whatever the moment, the next migration begins where the last one had committed. */
static void a_migration_that_is_killed_starts_again_clean(void **state)
{
    char program[600];
    struct stage s;
    int killed = 0;

    (void)state;
    open_stage(&s, NULL);
    server_program(program, sizeof(program));
    const char *const argv[] = {program, "migrate", "--db", s.conninfo, NULL};
    for (int round = 0; round < 20; round++)
        killed += WIFSIGNALED(run_program(argv, round * 7));
    assert_true(killed > 0);
    print_message("killed %d of 20\n", killed);
    assert_int_equal(run_program(argv, -1), 0);
    start_stage(&s);
    close_stage(&s);
}

/* RF-35 */
static void a_restored_dump_has_every_span(void **state)
{
    struct stage s;
    struct programs programs;
    struct ledger_findings findings;
    const struct cfg cfg = {.pg_bin_dir = ""};
    struct err err;
    char restored[CLUSTER_CONNINFO_BYTES], command[4 * CLUSTER_CONNINFO_BYTES];

    (void)state;
    open_stage(&s, NULL);
    start_stage(&s);
    wait_more(&s.load.acknowledged, 1000, 20000, "acknowledged");
    assert_true(load_finish(&s.load));
    assert_int_equal(server_stop(&s.server, 20000), 0);
    assert_true(programs_find(&cfg, 0, &programs, &err));
    cluster_new_database(s.cluster, restored);
    (void)snprintf(command, sizeof(command),
                   "set -e; pg_dump --no-sync -d \"%s\" -f \"%s/dump\"; "
                   "psql -q -v ON_ERROR_STOP=1 -d \"%s\" -f \"%s/dump\" >/dev/null",
                   s.conninfo, s.server.data_dir, restored, s.server.data_dir);
    const char *const argv[] = {"/bin/sh", "-c", command, NULL};
    assert_int_equal(run_program(argv, -1), 0);
    s.flags[1] = restored;
    assert_true(server_start(&s.server));
    assert_true(ledger_check(s.ledger_path, restored, s.server.http_port, 500, &findings));
    ledger_print(&findings, stdout);
    assert_true(ledger_is_clean(&findings));
    assert_true(findings.acknowledged >= 1000);
    ledger_close(&s.ledger);
    server_remove(&s.server);
    cluster_stop(s.cluster);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_connection_left_is_503_until_there_is_one),
        cmocka_unit_test(a_locked_table_is_503_within_the_deadline),
        cmocka_unit_test(a_migration_that_is_killed_starts_again_clean),
        cmocka_unit_test(a_signal_during_the_start_leaves_no_database_behind),
        cmocka_unit_test(a_signal_is_obeyed_while_the_database_is_waited_for),
        cmocka_unit_test(a_restored_dump_has_every_span),
        /* last: it leaves this process in a name space of its own */
        cmocka_unit_test(full_disk_is_503_and_ends_with_the_shortage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
