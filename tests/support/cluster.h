/*
 * A throw-away PostgreSQL for integration tests: made from the installed server programs, private,
 * durable, removed at the end — also when the test fails, crashes or is killed (a guardian process
 * waits for that). TEST_DB=conninfo uses another server instead: databases are made and dropped
 * there, and tests that stop or kill the server are to be skipped (cluster_is_ours).
 *
 *     static int setup(void **state) { *state = cluster_start(NULL); return *state ? 0 : -1; }
 *     static int teardown(void **state) { cluster_stop(*state); return 0; }
 *     …
 *     char conninfo[CLUSTER_CONNINFO_BYTES];
 *     cluster_new_database(cluster, conninfo);     empty; migrate_run is the test's
 *
 * Failures are printed and end the program: without a database no test means anything.
 */
#ifndef TESTS_SUPPORT_CLUSTER_H
#define TESTS_SUPPORT_CLUSTER_H

#include <stdbool.h>
#include <sys/types.h>

#define CLUSTER_CONNINFO_BYTES 1024

struct cluster;

/* settings: further words for `postgres`, as {"-c", "fsync=off", NULL}; NULL for none. Prints
 * engine and version. */
struct cluster *cluster_start(const char *const settings[]);

/* Stops and removes everything; NULL is a no-op. */
void cluster_stop(struct cluster *cluster);

/* An empty database of a fresh name; its connection string (superuser) into conninfo. */
void cluster_new_database(struct cluster *cluster, char conninfo[CLUSTER_CONNINFO_BYTES]);

/* Whether the server is ours to stop and kill (no TEST_DB). */
bool cluster_is_ours(const struct cluster *cluster);

/* The server's main process; 0: not ours. */
pid_t cluster_pid(const struct cluster *cluster);

/* Ends the server: with SIGINT (fast, clean), SIGQUIT (as a crash) or SIGKILL, and waits. */
void cluster_halt(struct cluster *cluster, int signal);

/* Starts it again after cluster_halt, or after somebody else killed it; waits until it answers. */
void cluster_resume(struct cluster *cluster);

/* An empty directory of mode 0755 below TMPDIR or /tmp that goes with the cluster; lives as long as
 * the cluster. */
const char *cluster_directory(struct cluster *cluster);

#endif
