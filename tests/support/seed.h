/* Spans and trace rows put into a test's database by hand, for tests of reading that must not
 * depend on the write path. */
#ifndef TESTS_SUPPORT_SEED_H
#define TESTS_SUPPORT_SEED_H

#include "base/clock.h"
#include "model/stored.h"
#include "store/db.h"
#include "store/query.h"
#include "support/cluster.h"

#define SEED_DAY_NS (S_PER_DAY * NS_PER_S)
#define SEED_DAY INT64_C(20700)
/* Midnight before the seeds' days; SEED_NOW_NS is the time that readers are told. */
#define SEED_DAY0_NS (SEED_DAY * SEED_DAY_NS)
#define SEED_NOW_NS (SEED_DAY0_NS + 3 * SEED_DAY_NS)
#define SEED_HOUR_NS (INT64_C(3600) * NS_PER_S)

/* One span to be stored; what is 0 or NULL takes a default. */
struct seed {
    uint8_t trace; /* first byte of its id */
    int64_t span_id;
    int64_t parent;
    int64_t start_ns; /* behind SEED_DAY0_NS */
    int64_t duration_ns;
    int32_t kind;
    enum span_outcome outcome;
    const char *name;
    const char *service;
};

/* The id of a seed's trace. */
struct uuid seed_trace_id(uint8_t first);

/* A new database at this binary's version with the seeds of seed.c in it, and with
 * spanledger.keys('{user:ada,…}'): the column of facets with these of tenant 1. Ends the program when
 * something fails. */
void seed_database(struct cluster *cluster, char conninfo[CLUSTER_CONNINFO_BYTES], struct db *db);

/* One more span; then seed_traces makes the trace, resource and scope rows of all spans anew. */
void seed_span(struct db *db, const struct seed *seed);
void seed_traces(struct db *db);

/* A database with the seeds, and a reader of it. */
#define SEED_ARENA_BYTES ((size_t)512 << 20)
extern const struct cfg seed_rig_cfg;
extern struct seed_rig {
    struct cluster *cluster;
    char conninfo[CLUSTER_CONNINFO_BYTES];
    struct db db;
    struct reader *reader;
    struct arena arena;
} seed_rig;

/* meanings: statements behind the seeds, or NULL. Ends the program when something fails. */
void seed_rig_start(const char *meanings);
int seed_rig_stop(void **state); /* teardown of a group */

/* A statement without result; ends the program when it fails. */
void seed_run(struct db *db, const char *sql);

#endif
