/* postmaster.pid: what a running PostgreSQL says about itself in its data directory. */
#ifndef STORE_POSTMASTER_H
#define STORE_POSTMASTER_H

#include <sys/types.h>

#include "base/bytes.h"

#define POSTMASTER_SOCKET_DIR_BYTES 108 /* more does not fit into a socket's address */

struct postmaster {
    pid_t pid;
    int port;
    char socket_dir[POSTMASTER_SOCKET_DIR_BYTES];
    bool ready;    /* takes connections */
    bool stopping; /* shuts down */
};

/* Reads the text of a postmaster.pid. False: it is not whole (yet). Pure. */
bool postmaster_parse(struct bytes text, struct postmaster *out_postmaster);

/* Reads cluster_dir/postmaster.pid. False: none is there, or it is not whole (yet). */
bool postmaster_read(const char *cluster_dir, struct postmaster *out_postmaster);

/* Whether the process runs with cluster_dir (a real path) as its working directory, as every
 * postmaster does: a pid alone may have gone to another program after a crash. */
bool postmaster_runs(pid_t pid, const char *cluster_dir);

/*
 * Makes the file of a dead postmaster pass: PostgreSQL refuses to start while the pid in it belongs
 * to any process, but takes its parent's pid for a remnant — and then still checks that no orphaned
 * backend holds the old shared memory, which deleting the file would switch off.
 */
void postmaster_disown(const char *cluster_dir);

#endif
