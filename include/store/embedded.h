/* The private PostgreSQL cluster of the default set-up: made, started, watched, stopped. */
#ifndef STORE_EMBEDDED_H
#define STORE_EMBEDDED_H

#include "base/cfg.h"

struct embedded;

/*
 * Makes the cluster in cfg data_dir where there is none, takes over or stops a database that still
 * runs for a killed server, starts it, and waits until it answers. As root the server programs run
 * as user postgres. Unix socket only, in a short directory of its own. Fails with ERR_BAD_INPUT (no
 * server programs, directory not usable, another spanledger holds it: the text says what helps),
 * ERR_UNAVAILABLE (did not start; the text has the last line of its log).
 */
MUST_CHECK bool embedded_start(const struct cfg *cfg, struct embedded **out_embedded,
                               struct err *err);

/* libpq connection string, valid until embedded_stop. */
const char *embedded_conninfo(const struct embedded *embedded);

/* Whether the database process lives; when it has died: starts it again. Called every second or so;
 * any thread but one at a time. */
MUST_CHECK bool embedded_watch(struct embedded *embedded, struct err *err);

/* Fast shutdown, waits, frees. */
void embedded_stop(struct embedded *embedded);

/* For the other commands: connection string of the database that runs in cfg data_dir now, into to.
 * ERR_UNAVAILABLE when none runs. */
MUST_CHECK bool embedded_find(const struct cfg *cfg, char *to, size_t to_bytes, struct err *err);

#endif
