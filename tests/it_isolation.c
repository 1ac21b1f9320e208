/* One bad request never fails its neighbours, whatever the database says of it: requests of one transaction, with triggers that refuse. */
#include "test.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"
#include "model/stored.h"
#include "store/migrate.h"
#include "support/cluster.h"
#include "work/ingest.h"

#define JOBS 6

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t answered = PTHREAD_COND_INITIALIZER;
static int answers;

struct request {
    struct ingest_job job;
    char body[2048];
    enum err_kind kind; /* of the answer */
    int64_t rejected;
};

static bool nobody_left(const struct ingest_job *job)
{
    (void)job;
    return false;
}

static void on_done(struct ingest_job *job, const struct otlp_partial *partial,
                    const struct err *err)
{
    struct request *r = (struct request *)job;

    r->kind = err ? err->kind : ERR_NONE;
    r->rejected = err ? 0 : partial->rejected;
    (void)pthread_mutex_lock(&lock);
    answers++;
    (void)pthread_cond_signal(&answered);
    (void)pthread_mutex_unlock(&lock);
}

/* Three spans; the middle one has the name that a trigger may refuse. */
static void make(struct request *r, int number, const char *name)
{
    const int len = snprintf(r->body, sizeof(r->body),
                             "{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":["
                             "{\"traceId\":\"%032x\",\"spanId\":\"0000000000000001\",\"name\":"
                             "\"a\",\"startTimeUnixNano\":\"%lld\"},"
                             "{\"traceId\":\"%032x\",\"spanId\":\"0000000000000002\",\"name\":\"%"
                             "s\",\"startTimeUnixNano\":\"%lld\"},"
                             "{\"traceId\":\"%032x\",\"spanId\":\"0000000000000003\",\"name\":"
                             "\"c\",\"startTimeUnixNano\":\"%lld\"}]}]}]}",
                             number, (long long)clock_wall_ns(), number, name,
                             (long long)clock_wall_ns(), number, (long long)clock_wall_ns());

    r->job = (struct ingest_job){.body = {(const uint8_t *)r->body, (size_t)len},
                                 .encoding = OTLP_JSON,
                                 .tenant_id = TENANT_DEFAULT,
                                 .received_ns = clock_wall_ns(),
                                 .gone = nobody_left,
                                 .done = on_done};
    r->kind = ERR_KIND_MAX;
}

static void wait_for(int count)
{
    (void)pthread_mutex_lock(&lock);
    while (answers < count)
        (void)pthread_cond_wait(&answered, &lock);
    (void)pthread_mutex_unlock(&lock);
}

static int64_t count_of(struct db *db, const char *sql)
{
    DB_RESULT result = PQexec(db->conn, sql);
    int64_t value = -1;

    assert_int_equal(PQresultStatus(result), PGRES_TUPLES_OK);
    assert_true(text_int64(bytes_of(PQgetvalue(result, 0, 0)), &value));
    return value;
}

static const char refusing[] =
    "CREATE FUNCTION public.refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
    "IF NEW.name = 'bad value' THEN RAISE EXCEPTION 'bad' USING ERRCODE = '22023'; END IF; "
    "IF NEW.name = 'bad server' THEN RAISE EXCEPTION 'bug' USING ERRCODE = 'XX000'; END IF; "
    "RETURN NEW; END $$;"
    "CREATE TRIGGER refuse BEFORE INSERT ON spanledger.span FOR EACH ROW EXECUTE FUNCTION "
    "public.refuse()";

/* (RF-34, and DESIGN section 4: a failed shared transaction is taken apart) */
static void neighbours_of_a_refused_request_are_stored(void **state)
{
    static const char *const names[JOBS] = {"first", "good",       "bad value",
                                            "good",  "bad server", "good"};
    struct cluster *cluster = *state;
    char conninfo[CLUSTER_CONNINFO_BYTES];
    struct cfg cfg;
    char flags[2][32] = {"--ingest-workers=1", "--test-commit-delay-ms=300"};
    char *argv[] = {flags[0], flags[1]};
    struct request *requests = calloc(JOBS, sizeof(*requests));
    struct ingest *ingest;
    struct prices *prices;
    struct prices_slot slot;
    struct db db;
    struct err err = {0};
    int applied;
    int rest;

    cluster_new_database(cluster, conninfo);
    if (!cfg_load(&cfg, 2, argv, NULL, &rest, &err) || !db_open(&db, conninfo, DB_ADMIN, 0, &err) ||
        !migrate_run(&db, &cfg, &applied, &err) || !db_exec(&db, refusing, &err) ||
        !prices_embedded(&prices, &err))
        fail_msg("%s", err.text);
    prices_slot_init(&slot, prices);
    if (!ingest_start(&cfg, conninfo, &slot, &ingest, &err))
        fail_msg("%s", err.text);
    /* The first holds the worker for 300 ms; the others wait together and share a transaction. */
    for (int i = 0; i < JOBS; i++) {
        make(&requests[i], i + 1, names[i]);
        assert_true(ingest_submit(ingest, &requests[i].job));
        if (i == 0)
            (void)usleep(150000);
    }
    wait_for(JOBS);
    for (int i = 0; i < JOBS; i++) {
        const enum err_kind kind = i == 4 ? ERR_INTERNAL : ERR_NONE;
        if (requests[i].kind != kind || requests[i].rejected != (i == 2))
            fail_msg("request %d (%s): kind %d, %d rejected", i, names[i], (int)requests[i].kind,
                     (int)requests[i].rejected);
    }
    /* Four whole requests, two spans of the third, none of the fifth. */
    assert_int_equal(count_of(&db, "SELECT count(*) FROM spanledger.span"), 14);
    assert_int_equal(count_of(&db, "SELECT sum(span_count) FROM spanledger.trace"), 14);
    ingest_stop(ingest);
    prices_slot_done(&slot);
    db_close(&db);
    cfg_done(&cfg);
    free(requests);
}

static int set_up(void **state)
{
    *state = cluster_start(NULL);
    return *state ? 0 : -1;
}

static int tear_down(void **state)
{
    cluster_stop(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(neighbours_of_a_refused_request_are_stored, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
