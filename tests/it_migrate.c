/* Migrations on a real PostgreSQL: applied once, in turn, refused where they must be. */
#include "test.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/migrate.h"
#include "support/cluster.h"
#include "support/must.h"

static struct cluster *cluster;
static const struct cfg cfg = {.partition_days_back = 400};

static int setup(void **state)
{
    (void)state;
    cluster = cluster_start(NULL);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    cluster_stop(cluster);
    return 0;
}

static char conninfo[CLUSTER_CONNINFO_BYTES]; /* of the test's own empty database */
static struct db db;

static int fresh(void **state)
{
    struct err err;

    (void)state;
    cluster_new_database(cluster, conninfo);
    must(db_open(&db, conninfo, DB_ADMIN, 0, &err));
    return 0;
}

static int close_db(void **state)
{
    (void)state;
    db_close(&db);
    return 0;
}

static char *value(const char *sql)
{
    static char text[256];
    DB_RESULT res = PQexec(db.conn, sql);

    if (PQresultStatus(res) != PGRES_TUPLES_OK)
        fail_msg("%s: %s", sql, PQresultErrorMessage(res));
    assert_int_equal(PQntuples(res), 1);
    (void)snprintf(text, sizeof(text), "%s", PQgetvalue(res, 0, 0));
    return text;
}

static void brings_an_empty_database_to_the_newest_version(void **state)
{
    struct err err;
    char engine[16] = "";
    int applied = -1;
    int count = 0;

    (void)state;
    while (migrations[count].number)
        count++;
    assert_false(migrate_check(&db, &err));
    assert_int_equal(err.kind, ERR_BAD_INPUT);
    assert_non_null(strstr(err.text, "spanledger migrate"));

    must(migrate_run(&db, &cfg, &applied, &err));
    assert_int_equal(applied, count);
    must(migrate_check(&db, &err));
    must(migrate_engine(&db, engine, sizeof(engine), &err));
    (void)printf("engine: %s\n", engine);
    assert_true(strcmp(engine, "native") == 0 || strcmp(engine, "timescale") == 0);

    must(migrate_run(&db, &cfg, &applied, &err));
    assert_int_equal(applied, 0); /* the second time there is nothing to do */
    assert_string_equal(value("SELECT count(*) = max(number) FROM spanledger.schema_version"), "t");
    assert_string_equal(value("SELECT name FROM spanledger.tenant WHERE tenant_id = 1"), "default");
}

static void refuses_a_database_that_is_newer_than_the_program(void **state)
{
    struct err err;
    int applied = -1;

    (void)state;
    must(migrate_run(&db, &cfg, &applied, &err));
    must(db_exec(&db, "INSERT INTO spanledger.schema_version VALUES (999, '999_later', 'x', now())",
                 &err));
    applied = -1;
    assert_false(migrate_run(&db, &cfg, &applied, &err));
    assert_int_equal(err.kind, ERR_BAD_INPUT);
    assert_non_null(strstr(err.text, "999_later"));
    assert_int_equal(applied, -1);
    assert_false(migrate_check(&db, &err));
    assert_int_equal(err.kind, ERR_BAD_INPUT);
}

static void refuses_a_migration_whose_text_has_changed(void **state)
{
    struct err err;
    int applied = -1;

    (void)state;
    must(migrate_run(&db, &cfg, &applied, &err));
    must(
        db_exec(&db, "UPDATE spanledger.schema_version SET hash = 'other' WHERE number = 2", &err));
    applied = -1;
    assert_false(migrate_run(&db, &cfg, &applied, &err));
    assert_int_equal(err.kind, ERR_BAD_INPUT);
    assert_non_null(strstr(err.text, "002_chunks"));
    assert_int_equal(applied, -1);
}

static void names_the_grant_that_a_role_without_rights_lacks(void **state)
{
    struct err err;
    int applied = -1;

    (void)state;
    must(db_exec(&db, "DROP ROLE IF EXISTS slt_weak; CREATE ROLE slt_weak; SET ROLE slt_weak",
                 &err));
    assert_false(migrate_run(&db, &cfg, &applied, &err));
    assert_int_equal(err.kind, ERR_BAD_INPUT);
    assert_non_null(strstr(err.text, "GRANT CREATE"));
    assert_int_equal(applied, -1);
    must(db_exec(&db, "RESET ROLE; DROP ROLE slt_weak", &err));
}

static void works_for_the_owner_of_a_database_who_is_no_superuser(void **state)
{
    char sql[160];
    struct err err;
    int applied = 0;

    (void)state;
    (void)snprintf(sql, sizeof(sql),
                   "DROP ROLE IF EXISTS slt_owner; CREATE ROLE slt_owner;"
                   "ALTER DATABASE %s OWNER TO slt_owner; SET ROLE slt_owner",
                   PQdb(db.conn));
    must(db_exec(&db, sql, &err));
    must(migrate_run(&db, &cfg, &applied, &err));
    assert_true(applied > 0);
    must(migrate_check(&db, &err));
    assert_string_equal(value("SELECT tableowner FROM pg_catalog.pg_tables"
                              " WHERE schemaname = 'spanledger' AND tablename = 'span'"),
                        "slt_owner");
    (void)snprintf(sql, sizeof(sql),
                   "RESET ROLE; DROP OWNED BY slt_owner; ALTER DATABASE %s OWNER TO CURRENT_USER;"
                   "DROP ROLE slt_owner",
                   PQdb(db.conn));
    must(db_exec(&db, sql, &err));
}

struct session {
    const char *conninfo;
    int applied;
    bool done;
    struct err err;
};

static void *migrate_in_thread(void *arg)
{
    struct session *s = arg;
    struct db own;

    s->done = db_open(&own, s->conninfo, DB_ADMIN, 0, &s->err) &&
              migrate_run(&own, &cfg, &s->applied, &s->err);
    db_close(&own);
    return NULL;
}

static void several_programs_that_start_at_once_take_turns(void **state)
{
    enum { SESSIONS = 4 };
    struct session sessions[SESSIONS];
    pthread_t threads[SESSIONS];
    int with_work = 0;

    (void)state;
    for (int i = 0; i < SESSIONS; i++) {
        sessions[i] = (struct session){.conninfo = conninfo};
        assert_int_equal(pthread_create(&threads[i], NULL, migrate_in_thread, &sessions[i]), 0);
    }
    for (int i = 0; i < SESSIONS; i++) {
        (void)pthread_join(threads[i], NULL);
        if (!sessions[i].done)
            fail_msg("session %d: %s", i, sessions[i].err.text);
        with_work += sessions[i].applied > 0;
    }
    assert_int_equal(with_work, 1);
}

static void a_migration_that_fails_leaves_nothing_of_itself(void **state)
{
    struct err err;
    int applied = -1;

    (void)state;
    /* What 001 wants to make is there already. */
    must(db_exec(&db, "CREATE SCHEMA api", &err));
    assert_false(migrate_run(&db, &cfg, &applied, &err));
    assert_non_null(strstr(err.text, "001_core"));
    assert_string_equal(value("SELECT count(*) FROM pg_catalog.pg_tables"
                              " WHERE schemaname = 'spanledger'"),
                        "1"); /* schema_version alone */
    must(db_exec(&db, "DROP SCHEMA api", &err));
    must(migrate_run(&db, &cfg, &applied, &err)); /* and the next run does it all */
    assert_true(applied > 0);
}

static void every_constraint_and_every_key_has_a_name_of_ours(void **state)
{
    struct err err;
    int applied = -1;

    (void)state;
    must(migrate_run(&db, &cfg, &applied, &err));
    assert_string_equal(
        value("SELECT pg_catalog.pg_get_constraintdef(oid) FROM pg_catalog.pg_constraint"
              " WHERE conrelid = 'spanledger.span'::regclass AND conname = 'span_key'"),
        "UNIQUE (trace_id, span_id, start_time, kind, tenant_id)");
    assert_string_equal(
        value("SELECT pg_catalog.pg_get_constraintdef(oid) FROM pg_catalog.pg_constraint"
              " WHERE conrelid = 'spanledger.trace'::regclass AND conname = 'trace_key'"),
        "UNIQUE (trace_id, day, tenant_id, trace_bucket)");
}

static void sums_of_money_are_exact_in_usd(void **state)
{
    struct err err;
    int applied = -1;

    (void)state;
    must(migrate_run(&db, &cfg, &applied, &err));
    assert_string_equal(value("SELECT api.usd(123456789012345678901234)"),
                        "123456789012.345678901234");
    assert_string_equal(value("SELECT api.usd(1500000000000)"), "1.5");
    assert_string_equal(value("SELECT api.span_hex(-5)"), "fffffffffffffffb");
    assert_string_equal(value("SELECT api.time_of(1795222800123456789)"),
                        "2026-11-21 01:00:00.123456+00");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fresh, close_db)
    const struct CMUnitTest tests[] = {
        TEST(brings_an_empty_database_to_the_newest_version),
        TEST(refuses_a_database_that_is_newer_than_the_program),
        TEST(refuses_a_migration_whose_text_has_changed),
        TEST(names_the_grant_that_a_role_without_rights_lacks),
        TEST(works_for_the_owner_of_a_database_who_is_no_superuser),
        TEST(several_programs_that_start_at_once_take_turns),
        TEST(a_migration_that_fails_leaves_nothing_of_itself),
        TEST(every_constraint_and_every_key_has_a_name_of_ours),
        TEST(sums_of_money_are_exact_in_usd),
    };

    return cmocka_run_group_tests_name("it_migrate", tests, setup, teardown);
}
