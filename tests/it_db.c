/* Connections to a real PostgreSQL: what they refuse, how they are set, what errors become. */
#include "test.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "store/copy.h"
#include "store/db.h"
#include "support/cluster.h"
#include "support/must.h"

static struct cluster *cluster;
static char conninfo[CLUSTER_CONNINFO_BYTES];

static int setup(void **state)
{
    (void)state;
    cluster = cluster_start(NULL);
    cluster_new_database(cluster, conninfo);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    cluster_stop(cluster);
    return 0;
}

static void each_role_has_its_session(void **state)
{
    static const struct {
        enum db_role role;
        const char *name;
        const char *value;
        const char *why;
    } rows[] = {
        {DB_WRITE, "search_path", "\"\"", "nobody's function takes the place of ours"},
        {DB_WRITE, "synchronous_commit", "on", "acknowledged means on disk"},
        {DB_WRITE, "TimeZone", "UTC", "a day is a UTC day"},
        {DB_WRITE, "client_encoding", "UTF8", "text is UTF-8 whatever the environment says"},
        {DB_WRITE, "statement_timeout", "1234ms", "as asked for"},
        {DB_WRITE, "application_name", "spanledger", "to be told apart in pg_stat_activity"},
        {DB_READ, "default_transaction_read_only", "on", "readers cannot write"},
        {DB_READ, "statement_timeout", "1234ms", "no query for ever"},
        {DB_READ, "search_path", "\"\"", "as above"},
        {DB_ADMIN, "default_transaction_read_only", "off", "migrations write"},
    };

    (void)state;
    assert_int_equal(setenv("PGCLIENTENCODING", "LATIN1", 1), 0);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char sql[64];
        struct db db;
        struct err err;

        must(db_open(&db, conninfo, rows[i].role, 1234, &err));
        assert_true(db_is_open(&db));
        (void)snprintf(sql, sizeof(sql), "SHOW %s", rows[i].name);
        DB_RESULT res = PQexec(db.conn, sql);
        if (strcmp(PQgetvalue(res, 0, 0), rows[i].value) != 0)
            fail_msg("%s is '%s': %s", rows[i].name, PQgetvalue(res, 0, 0), rows[i].why);
        db_close(&db);
        assert_false(db_is_open(&db));
        db_close(&db); /* again: a no-op */
    }
    assert_int_equal(unsetenv("PGCLIENTENCODING"), 0);
}

static void a_state_of_the_server_becomes_what_callers_act_on(void **state)
{
    static const struct {
        const char *sqlstate;
        enum err_kind kind;
        const char *why;
    } rows[] = {
        {"08006", ERR_UNAVAILABLE, "connection lost"},
        {"22001", ERR_BAD_INPUT, "value too long"},
        {"22021", ERR_BAD_INPUT, "bad encoding: the caller bisects"},
        {"23502", ERR_BAD_INPUT, "not null"},
        {"23505", ERR_CONFLICT, "unique key"},
        {"23514", ERR_NO_CHUNK, "no partition"},
        {"25006", ERR_UNAVAILABLE, "a standby until it is promoted"},
        {"40001", ERR_CONTENDED, "serialization"},
        {"40P01", ERR_CONTENDED, "deadlock"},
        {"42P01", ERR_INTERNAL, "no such table: ours to mend"},
        {"42601", ERR_INTERNAL, "syntax: ours to mend"},
        {"53100", ERR_UNAVAILABLE, "disk full"},
        {"53200", ERR_UNAVAILABLE, "out of memory"},
        {"53300", ERR_UNAVAILABLE, "too many connections"},
        {"54000", ERR_BAD_INPUT, "an index entry too long: the caller bisects"},
        {"55P03", ERR_CONTENDED, "lock timeout"},
        {"57014", ERR_TIMEOUT, "statement timeout"},
        {"57P01", ERR_UNAVAILABLE, "shutdown"},
        {"57P03", ERR_UNAVAILABLE, "starting up"},
        {"58030", ERR_UNAVAILABLE, "I/O error"},
        {"XX000", ERR_INTERNAL, "the server's own bug"},
    };
    struct db db;
    struct err err;

    (void)state;
    must(db_open(&db, conninfo, DB_ADMIN, 0, &err));
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char sql[160];

        (void)snprintf(sql, sizeof(sql),
                       "DO $$ BEGIN RAISE EXCEPTION 'first line%s second' USING ERRCODE = '%s';"
                       " END $$",
                       "\n", rows[i].sqlstate);
        assert_false(db_exec(&db, sql, &err));
        if (err.kind != rows[i].kind)
            fail_msg("%s is %s: %s", rows[i].sqlstate, err_kind_name(err.kind), rows[i].why);
        if (strncmp(err.text, rows[i].sqlstate, 5) != 0 || strstr(err.text, "second"))
            fail_msg("text is '%s'", err.text);
    }
    db_close(&db);
}

static void readers_cannot_write(void **state)
{
    struct db db;
    struct err err;

    (void)state;
    must(db_open(&db, conninfo, DB_READ, 0, &err));
    assert_false(db_exec(&db, "CREATE TABLE public.t (n int)", &err));
    db_close(&db);
}

static void a_statement_that_takes_too_long_is_ended(void **state)
{
    struct db db;
    struct err err;

    (void)state;
    must(db_open(&db, conninfo, DB_READ, 50, &err));
    assert_false(db_exec(&db, "SELECT pg_sleep(20)", &err));
    assert_int_equal(err.kind, ERR_TIMEOUT);
    must(db_exec(&db, "SELECT 1", &err)); /* the connection goes on */
    db_close(&db);
}

/* Its own timeouts stand still with it */
static void a_server_that_stands_still_is_given_up(void **state)
{
    static uint8_t more_than_a_socket_takes[8 << 20];
    static const struct bytes piece = {more_than_a_socket_takes, sizeof(more_than_a_socket_takes)};
    static const struct {
        const char *why;
        bool copies;
    } rows[] = {
        {"no answer comes", false},
        {"what is sent is not taken", true},
    };

    (void)state;
    if (!cluster_is_ours(cluster))
        skip();
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct db db;
        struct err err = {0};

        must(db_open(&db, conninfo, DB_WRITE, 60000, &err));
        assert_int_equal(db.wait_ms, 65000); /* the statement's own timeout comes first */
        db.wait_ms = 200;
        must(db_exec(&db, "CREATE TEMP TABLE t (n int)", &err));
        must(!rows[i].copies || copy_begin(&db, "", "pg_temp.t", "n", &err));
        const pid_t backend = PQbackendPID(db.conn);
        assert_int_equal(kill(backend, SIGSTOP), 0);
        const bool done =
            rows[i].copies ? copy_put(&db, piece, &err) : db_exec(&db, "SELECT 1", &err);
        assert_int_equal(kill(backend, SIGCONT), 0);
        if (done || err.kind != ERR_UNAVAILABLE || !strstr(err.text, "200 ms"))
            fail_msg("%s: %d %s '%s'", rows[i].why, done, err_kind_name(err.kind), err.text);
        assert_false(db_is_open(&db));
        db_close(&db);
    }
}

static void says_whether_coming_again_can_help(void **state)
{
    static const struct {
        const char *conninfo;
        enum err_kind kind;
        const char *why;
    } rows[] = {
        {"host=/nowhere", ERR_UNAVAILABLE, "no socket: it may be started"},
        {"host=127.0.0.1 port=9 connect_timeout=2", ERR_UNAVAILABLE, "nobody listens: as above"},
        {"colour=blue", ERR_BAD_INPUT, "no such option"},
        {"port=sixty", ERR_BAD_INPUT, "no port"},
    };
    char wrong[CLUSTER_CONNINFO_BYTES + 32];
    struct db db;
    struct err err;

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_false(db_open(&db, rows[i].conninfo, DB_WRITE, 0, &err));
        if (err.kind != rows[i].kind || !err.text[0])
            fail_msg("'%s' is %s (%s): %s", rows[i].conninfo, err_kind_name(err.kind), err.text,
                     rows[i].why);
        assert_false(db_is_open(&db));
    }
    (void)snprintf(wrong, sizeof(wrong), "%s dbname=not_there", conninfo);
    assert_false(db_open(&db, wrong, DB_WRITE, 0, &err));
    assert_int_equal(err.kind, ERR_BAD_INPUT);
    (void)snprintf(wrong, sizeof(wrong), "%s user=not_there", conninfo);
    assert_false(db_open(&db, wrong, DB_WRITE, 0, &err));
    assert_int_equal(err.kind, ERR_BAD_INPUT);
}

static void a_lost_server_is_unavailable_and_a_started_one_serves_again(void **state)
{
    static const int ways[] = {SIGINT, SIGQUIT, SIGKILL};
    struct db db;
    struct err err;

    (void)state;
    if (!cluster_is_ours(cluster))
        skip();
    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
        must(db_open(&db, conninfo, DB_WRITE, 0, &err));
        cluster_halt(cluster, ways[i]);
        assert_false(db_exec(&db, "SELECT 1", &err));
        assert_int_equal(err.kind, ERR_UNAVAILABLE);
        assert_false(db_exec(&db, "SELECT 1", &err));
        assert_int_equal(err.kind, ERR_UNAVAILABLE);
        assert_false(db_is_open(&db));
        db_close(&db);
        assert_false(db_exec(&db, "SELECT 1", &err));
        assert_int_equal(err.kind, ERR_UNAVAILABLE);
        cluster_resume(cluster);
    }
    must(db_open(&db, conninfo, DB_WRITE, 0, &err));
    db_close(&db);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_role_has_its_session),
        cmocka_unit_test(a_state_of_the_server_becomes_what_callers_act_on),
        cmocka_unit_test(readers_cannot_write),
        cmocka_unit_test(a_statement_that_takes_too_long_is_ended),
        cmocka_unit_test(a_server_that_stands_still_is_given_up),
        cmocka_unit_test(says_whether_coming_again_can_help),
        cmocka_unit_test(a_lost_server_is_unavailable_and_a_started_one_serves_again),
    };

    return cmocka_run_group_tests_name("it_db", tests, setup, teardown);
}
