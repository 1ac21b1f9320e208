/* The database a command works on: the embedded one, or an external one. */
#ifndef CLI_DATABASE_H
#define CLI_DATABASE_H

#include <signal.h>

#include "base/cfg.h"
#include "store/embedded.h"

struct database {
    struct embedded *embedded; /* started by this process, or NULL */
    char conninfo[1024];
};

enum database_use {
    DATABASE_SERVE, /* this process keeps it, and takes over what a killed server left */
    DATABASE_MAKE,  /* made where there is none */
    DATABASE_FIND,  /* must be there: a wrong folder is not the place for a new one */
};

/*
 * Finds the database; starts the embedded one where none runs. One that runs for a server is used
 * as it is, but by DATABASE_SERVE. Fails as embedded_start does; ERR_NOT_FOUND: DATABASE_FIND and
 * none there.
 */
MUST_CHECK bool database_open(const struct cfg *cfg, enum database_use use,
                              struct database *out_database, struct err *err);
void database_close(struct database *database);

/* Migrates. stopped: a database that is away is waited for until a signal handler sets it; NULL: is
 * not waited for. */
MUST_CHECK bool database_migrate(const struct cfg *cfg, const struct database *database,
                                 const volatile sig_atomic_t *stopped, int *out_applied,
                                 char *engine, size_t engine_bytes, struct err *err);

#endif
