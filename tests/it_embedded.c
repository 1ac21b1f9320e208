/* The embedded database with real server programs: made, found, taken over, watched, moved. */
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"
#include "store/db.h"
#include "store/embedded.h"
#include "store/postmaster.h"
#include "support/must.h"

#define PATH_BYTES 256
#define NOBODY 65534
/* Sanitizers and a machine that others use as well slow everything; without them it is far less. */
#define SOON_MS 5000

static char top[PATH_BYTES - 32]; /* every data directory of this test lies below it */
static char data_dir[PATH_BYTES];
static struct cfg cfg = {.pg_bin_dir = "", .data_dir = data_dir, .partition_days_back = 400};

static int remove_one(const char *path, const struct stat *now, int kind, struct FTW *where)
{
    (void)now;
    (void)kind;
    (void)where;
    (void)remove(path);
    return 0;
}

static void pause_ms(long ms)
{
    const struct timespec pause = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};

    (void)nanosleep(&pause, NULL);
}

static int setup(void **state)
{
    const char *parent = getenv("TMPDIR");

    (void)state;
    (void)snprintf(top, sizeof(top), "%s/sle-XXXXXX", parent ? parent : "/tmp");
    return mkdtemp(top) && chmod(top, 0755) == 0 ? 0 : -1;
}

static pid_t postmaster_pid(void)
{
    char cluster_dir[PATH_BYTES + 16];
    struct postmaster found;

    (void)snprintf(cluster_dir, sizeof(cluster_dir), "%s/pgdata", data_dir);
    return postmaster_read(cluster_dir, &found) && postmaster_runs(found.pid, cluster_dir)
               ? found.pid
               : 0;
}

/* Whatever a failed test left running. */
static int teardown(void **state)
{
    (void)state;
    for (int i = 0; i < 20; i++) {
        (void)snprintf(data_dir, sizeof(data_dir), "%s/%d", top, i);
        const pid_t pid = postmaster_pid();

        if (pid > 0)
            (void)kill(pid, SIGQUIT);
        for (int k = 0; k < 500 && postmaster_pid() > 0; k++)
            pause_ms(10);
    }
    (void)nftw(top, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    return 0;
}

static void use_directory(int number)
{
    (void)snprintf(data_dir, sizeof(data_dir), "%s/%d", top, number);
}

static void run_sql(const struct embedded *e, const char *sql)
{
    struct db db;
    struct err err;

    must(db_open(&db, embedded_conninfo(e), DB_ADMIN, 0, &err));
    must(db_exec(&db, sql, &err));
    db_close(&db);
}

static int64_t count_rows(const struct embedded *e, const char *table)
{
    char sql[96];
    struct db db;
    struct err err;

    (void)snprintf(sql, sizeof(sql), "SELECT count(*) FROM public.%s", table);
    must(db_open(&db, embedded_conninfo(e), DB_ADMIN, 0, &err));
    DB_RESULT res = PQexec(db.conn, sql);
    if (PQresultStatus(res) != PGRES_TUPLES_OK)
        fail_msg("%s", PQresultErrorMessage(res));
    int64_t count = -1;
    assert_true(text_int64(bytes_of(PQgetvalue(res, 0, 0)), &count));
    db_close(&db);
    return count;
}

/* A server of its own process that starts the database, adds a row and then dies as by kill -9. */
static void run_and_kill_server(void)
{
    struct embedded *e = NULL;
    struct err err;
    int status = 0;
    const pid_t pid = fork();

    if (pid == 0) {
        if (!embedded_start(&cfg, &e, &err))
            _exit(1);
        run_sql(e, "CREATE TABLE IF NOT EXISTS public.t (n int); INSERT INTO public.t VALUES (1)");
        (void)kill(getpid(), SIGKILL);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status));
}

static void makes_a_durable_database_and_keeps_its_rows_over_a_restart(void **state)
{
    struct embedded *e = NULL;
    struct err err;
    struct db db;

    (void)state;
    use_directory(1);
    must(embedded_start(&cfg, &e, &err));
    run_sql(e, "CREATE TABLE public.t (n int); INSERT INTO public.t VALUES (1)");
    must(db_open(&db, embedded_conninfo(e), DB_ADMIN, 0, &err));
    static const struct {
        const char *name;
        const char *value;
        const char *why;
    } rows[] = {
        {"fsync", "on", "acknowledged means on disk"},
        {"synchronous_commit", "on", "acknowledged means on disk"},
        {"full_page_writes", "on", "a torn page is a lost day"},
        {"data_checksums", "on", "a rotten page is noticed"},
        {"listen_addresses", "", "nobody else on the machine or the network gets in"},
        {"server_encoding", "UTF8", "text of every language"},
        {"jit", "off", "short queries"},
        {"max_locks_per_transaction", "1024", "a lookup without a time locks every partition"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char sql[64];

        (void)snprintf(sql, sizeof(sql), "SHOW %s", rows[i].name);
        DB_RESULT res = PQexec(db.conn, sql);
        if (strcmp(PQgetvalue(res, 0, 0), rows[i].value) != 0)
            fail_msg("%s is '%s': %s", rows[i].name, PQgetvalue(res, 0, 0), rows[i].why);
    }
    db_close(&db);
    embedded_stop(e);
    assert_int_equal(postmaster_pid(), 0);

    const int64_t start = clock_mono_ns();
    must(embedded_start(&cfg, &e, &err));
    (void)printf("start of an existing database: %ld ms\n",
                 (long)((clock_mono_ns() - start) / NS_PER_MS));
    assert_int_equal(count_rows(e, "t"), 1);
    embedded_stop(e);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* no zombies */
    assert_int_equal(errno, ECHILD);
}

static void refuses_a_second_server_on_the_same_directory(void **state)
{
    struct embedded *e = NULL;
    struct embedded *second = NULL;
    struct err err;
    char pid[32];

    (void)state;
    use_directory(1);
    must(embedded_start(&cfg, &e, &err));
    assert_false(embedded_start(&cfg, &second, &err));
    assert_int_equal(err.kind, ERR_BAD_INPUT);
    (void)snprintf(pid, sizeof(pid), "pid %ld", (long)getpid());
    assert_non_null(strstr(err.text, "another spanledger"));
    assert_non_null(strstr(err.text, pid));
    assert_null(second);
    run_sql(e, "SELECT 1"); /* the first one is as before */
    embedded_stop(e);
}

static void other_commands_find_the_database_while_it_runs(void **state)
{
    struct embedded *e = NULL;
    struct err err;
    char conninfo[512] = "untouched";
    struct db db;

    (void)state;
    use_directory(1);
    assert_false(embedded_find(&cfg, conninfo, sizeof(conninfo), &err));
    assert_int_equal(err.kind, ERR_UNAVAILABLE);
    assert_string_equal(conninfo, "untouched");
    must(embedded_start(&cfg, &e, &err));
    must(embedded_find(&cfg, conninfo, sizeof(conninfo), &err));
    must(db_open(&db, conninfo, DB_ADMIN, 0, &err));
    db_close(&db);
    embedded_stop(e);
    assert_false(embedded_find(&cfg, conninfo, sizeof(conninfo), &err));
}

static void takes_over_the_database_of_a_killed_server(void **state)
{
    struct embedded *e = NULL;
    struct err err;

    (void)state;
    use_directory(2);
    run_and_kill_server();
    for (int round = 1; round <= 3; round++) {
        const pid_t orphan = postmaster_pid();
        const int64_t start = clock_mono_ns();

        assert_true(orphan > 0); /* it stays usable */
        must(embedded_start(&cfg, &e, &err));
        const long took_ms = (long)((clock_mono_ns() - start) / NS_PER_MS);
        (void)printf("taken over in %ld ms\n", took_ms);
        assert_true(took_ms < SOON_MS);
        assert_int_equal(postmaster_pid(), orphan);
        assert_int_equal(count_rows(e, "t"), round);
        must(embedded_watch(e, &err));
        embedded_stop(e);
        assert_int_equal(postmaster_pid(), 0);
        run_and_kill_server();
    }
}

static void starts_after_server_and_database_were_both_killed(void **state)
{
    struct embedded *e = NULL;
    struct err err;

    (void)state;
    use_directory(2);
    for (int round = 1; round <= 3; round++) {
        run_and_kill_server();
        (void)kill(postmaster_pid(), SIGKILL);
        must(embedded_start(&cfg, &e, &err));
        run_sql(e, "SELECT 1");
        embedded_stop(e);
    }
}

static void ends_an_orphan_that_does_not_answer(void **state)
{
    struct embedded *e = NULL;
    struct err err;

    (void)state;
    use_directory(2);
    run_and_kill_server();
    const pid_t orphan = postmaster_pid();
    (void)kill(orphan, SIGSTOP); /* hangs */
    const int64_t start = clock_mono_ns();
    must(embedded_start(&cfg, &e, &err));
    const long took_ms = (long)((clock_mono_ns() - start) / NS_PER_MS);
    (void)printf("a hanging database replaced in %ld ms\n", took_ms);
    assert_true(took_ms < 2 * SOON_MS); /* 5 s to end it, then its recovery */
    assert_int_not_equal(postmaster_pid(), orphan);
    embedded_stop(e);
}

static void watch_starts_a_database_again_that_died(void **state)
{
    struct embedded *e = NULL;
    struct err err;
    struct db db;
    int again = 0;

    (void)state;
    use_directory(3);
    must(embedded_start(&cfg, &e, &err));
    must(embedded_watch(e, &err));
    (void)kill(postmaster_pid(), SIGKILL);
    for (int i = 0; i < 200; i++) {
        pause_ms(50);
        again += !embedded_watch(e, &err);
        if (again && db_open(&db, embedded_conninfo(e), DB_ADMIN, 0, &err))
            break;
    }
    assert_true(again > 0);
    assert_true(db_is_open(&db));
    db_close(&db);
    must(embedded_watch(e, &err));
    embedded_stop(e);
}

static void a_stopped_directory_may_be_moved_and_copied(void **state)
{
    struct embedded *e = NULL;
    struct err err;
    char old[PATH_BYTES];

    (void)state;
    use_directory(1);
    (void)memcpy(old, data_dir, sizeof(old));
    use_directory(4);
    assert_int_equal(rename(old, data_dir), 0);
    must(embedded_start(&cfg, &e, &err));
    assert_int_equal(count_rows(e, "t"), 1);
    embedded_stop(e);
}

static void a_first_start_that_was_interrupted_leaves_no_half_database(void **state)
{
    struct embedded *e = NULL;
    struct err err;
    char path[PATH_BYTES + 32];

    (void)state;
    use_directory(5);
    assert_int_equal(mkdir(data_dir, 0755), 0);
    (void)snprintf(path, sizeof(path), "%s/pgdata.new", data_dir);
    assert_int_equal(mkdir(path, 0755), 0);
    if (geteuid() == 0)
        assert_int_equal(chmod(path, 0777), 0);
    (void)snprintf(path, sizeof(path), "%s/pgdata.new/PG_VERSION", data_dir);
    const int fd = open(path, O_WRONLY | O_CREAT, 0644);
    assert_true(fd >= 0);
    (void)close(fd);
    must(embedded_start(&cfg, &e, &err));
    embedded_stop(e);
}

static void a_log_that_has_grown_is_cut(void **state)
{
    struct embedded *e = NULL;
    struct err err;
    struct stat now;
    char path[PATH_BYTES + 32];

    (void)state;
    use_directory(5);
    must(embedded_start(&cfg, &e, &err));
    (void)snprintf(path, sizeof(path), "%s/postgres.log", data_dir);
    assert_int_equal(truncate(path, (off_t)20 << 20), 0);
    must(embedded_watch(e, &err));
    assert_int_equal(stat(path, &now), 0);
    assert_true(now.st_size < 1 << 20);
    embedded_stop(e);
}

static void refuses_a_socket_directory_that_is_open_to_others(void **state)
{
    struct embedded *e = NULL;
    struct err err;
    char directory[PATH_BYTES] = "";

    (void)state;
    use_directory(5);
    must(embedded_start(&cfg, &e, &err));
    const char *conninfo = embedded_conninfo(e) + strlen("host=");
    (void)snprintf(directory, sizeof(directory), "%.*s", (int)strcspn(conninfo, " "), conninfo);
    embedded_stop(e);
    e = NULL;
    assert_int_equal(mkdir(directory, 0777), 0);
    assert_int_equal(chmod(directory, 0777), 0);
    assert_false(embedded_start(&cfg, &e, &err));
    assert_int_equal(err.kind, ERR_BAD_INPUT);
    assert_non_null(strstr(err.text, directory));
    assert_null(e);
    (void)rmdir(directory);
}

static void says_what_helps_without_usable_programs(void **state)
{
    struct embedded *e = NULL;
    struct err err;
    struct cfg other = cfg;
    char path[PATH_BYTES + 32];

    (void)state;
    use_directory(6);
    other.pg_bin_dir = "/nowhere";
    assert_false(embedded_start(&other, &e, &err));
    assert_int_equal(err.kind, ERR_BAD_INPUT);
    assert_non_null(strstr(err.text, "pg-bin-dir"));
    assert_null(e);

    /* A directory of another major version: no other program can open it. */
    (void)snprintf(path, sizeof(path), "%s/pgdata", data_dir);
    assert_int_equal(mkdir(path, 0700), 0);
    if (geteuid() == 0)
        assert_int_equal(chown(path, NOBODY, NOBODY), 0);
    (void)snprintf(path, sizeof(path), "%s/pgdata/PG_VERSION", data_dir);
    const int fd = open(path, O_WRONLY | O_CREAT, 0644);
    assert_int_equal(write(fd, "99\n", 3), 3);
    (void)close(fd);
    assert_false(embedded_start(&cfg, &e, &err));
    assert_int_equal(err.kind, ERR_BAD_INPUT);
    assert_non_null(strstr(err.text, "PostgreSQL 99"));
    assert_null(e);
}

static void as_root_names_the_user_who_cannot_reach_the_directory(void **state)
{
    struct embedded *e = NULL;
    struct err err;
    char path[PATH_BYTES + 32];

    (void)state;
    if (geteuid() != 0)
        skip();
    use_directory(7);
    assert_int_equal(mkdir(data_dir, 0700), 0);
    (void)snprintf(path, sizeof(path), "%s/inner", data_dir);
    struct cfg other = cfg;
    other.data_dir = path;
    assert_false(embedded_start(&other, &e, &err));
    assert_int_equal(err.kind, ERR_BAD_INPUT);
    assert_non_null(strstr(err.text, "user 'postgres' cannot reach"));
    assert_non_null(strstr(err.text, "--data-dir"));
    assert_null(e);
}

static void works_for_an_ordinary_user_and_then_for_root_on_the_same_directory(void **state)
{
    struct embedded *e = NULL;
    struct err err;
    int status = 0;

    (void)state;
    if (geteuid() != 0)
        skip();
    use_directory(8);
    assert_int_equal(mkdir(data_dir, 0700), 0);
    assert_int_equal(chown(data_dir, NOBODY, NOBODY), 0);
    const pid_t pid = fork();
    if (pid == 0) {
        if (setgid(NOBODY) != 0 || setuid(NOBODY) != 0 || !embedded_start(&cfg, &e, &err))
            _exit(1);
        run_sql(e, "CREATE TABLE public.t (n int); INSERT INTO public.t VALUES (1)");
        embedded_stop(e);
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    must(embedded_start(&cfg, &e, &err)); /* root: the server runs as the owner of its files */
    assert_int_equal(count_rows(e, "t"), 1);
    embedded_stop(e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(makes_a_durable_database_and_keeps_its_rows_over_a_restart),
        cmocka_unit_test(refuses_a_second_server_on_the_same_directory),
        cmocka_unit_test(other_commands_find_the_database_while_it_runs),
        cmocka_unit_test(takes_over_the_database_of_a_killed_server),
        cmocka_unit_test(starts_after_server_and_database_were_both_killed),
        cmocka_unit_test(ends_an_orphan_that_does_not_answer),
        cmocka_unit_test(watch_starts_a_database_again_that_died),
        cmocka_unit_test(a_stopped_directory_may_be_moved_and_copied),
        cmocka_unit_test(a_first_start_that_was_interrupted_leaves_no_half_database),
        cmocka_unit_test(a_log_that_has_grown_is_cut),
        cmocka_unit_test(refuses_a_socket_directory_that_is_open_to_others),
        cmocka_unit_test(says_what_helps_without_usable_programs),
        cmocka_unit_test(as_root_names_the_user_who_cannot_reach_the_directory),
        cmocka_unit_test(works_for_an_ordinary_user_and_then_for_root_on_the_same_directory),
    };

    return cmocka_run_group_tests_name("it_embedded", tests, setup, teardown);
}
