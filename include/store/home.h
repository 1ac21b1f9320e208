/* The data directory of the embedded database: places, owner, lock, first contents.
 *
 *   DATA_DIR/lock             held (flock) by the one server that runs on it
 *   DATA_DIR/postgres.log     what PostgreSQL says; .1 is the one before
 *   DATA_DIR/spanledger.conf  settings, rewritten at every start
 *   DATA_DIR/pgdata/          PostgreSQL's own
 *
 * Nothing in a stopped data directory holds its path: it may be moved or copied. */
#ifndef STORE_HOME_H
#define STORE_HOME_H

#include "store/postmaster.h"
#include "store/proc.h"
#include "store/programs.h"

#define HOME_PATH_BYTES 1024
#define HOME_PORT 5432 /* part of the socket's name only */

struct home {
    char data_dir[HOME_PATH_BYTES]; /* real path */
    char cluster_dir[HOME_PATH_BYTES + 16];
    char socket_dir[POSTMASTER_SOCKET_DIR_BYTES]; /* in /tmp, named after data_dir: a socket's
                                                     address is short, data_dir need not be */
    struct proc_user user;                        /* whom PostgreSQL runs as */
    struct programs programs;
    int lock_fd;
    int log_fd;
};

/* Everything up to a cluster that can be started; makes what is missing. Fails with ERR_BAD_INPUT
 * (text says what helps) or ERR_UNAVAILABLE. */
MUST_CHECK bool home_open(struct home *home, const struct cfg *cfg, struct err *err);
void home_close(struct home *home);

/* Real path of the cluster in cfg data_dir, into to; false: none there. */
MUST_CHECK bool home_find(const struct cfg *cfg, char *to, size_t to_bytes, struct err *err);

/* Removes what a killed database left in socket_dir; none may run. */
void home_clear_sockets(const struct home *home);

/* The log is cut when it has grown beyond its bound. */
void home_rotate_log(const struct home *home);

/* The line of the log that says most about its end, for messages. Returns to. */
const char *home_last_log_line(const struct home *home, char *to, size_t to_bytes);

#endif
