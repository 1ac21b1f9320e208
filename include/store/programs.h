/* Where PostgreSQL's server programs are. */
#ifndef STORE_PROGRAMS_H
#define STORE_PROGRAMS_H

#include "base/cfg.h"

#define PROGRAMS_MAJOR_LEAST 15
#define PROGRAMS_PATH_BYTES 1024

struct programs {
    char bin_dir[PROGRAMS_PATH_BYTES];
    int major;      /* 15, 16, … */
    bool timescale; /* TimescaleDB's library lies beside them */
};

/*
 * Looks in cfg pg_bin_dir; without it in the places of Debian and Red Hat, in PATH's pg_config and in
 * /usr/local, newest first.
 * major  of an existing data directory, which no other version can open; 0: any from 15 on
 * ERR_BAD_INPUT says what was looked for and what helps.
 */
MUST_CHECK bool programs_find(const struct cfg *cfg, int major, struct programs *out_programs,
                              struct err *err);

/* Major version out of `postgres -V`'s line or a PG_VERSION file; 0: none found. Pure. */
int programs_major_of(const char *text);

#endif
