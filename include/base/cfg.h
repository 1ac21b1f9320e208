/* Settings: one const struct made at start and passed down. No reload: restart is the reload. */
#ifndef BASE_CFG_H
#define BASE_CFG_H

#include <stdint.h>

#include "base/bytes.h"

struct cfg {
#define CFG_TEXT(id, fallback, help) const char *id;
#define CFG_NUMBER(id, fallback, min, max, help) int64_t id;
#include "base/cfg.def"
#undef CFG_TEXT
#undef CFG_NUMBER
    struct buf texts;         /* owns every text that does not come from the defaults */
    bool db_from_environment; /* no db was given but PGHOST, PGSERVICE, PGDATABASE, PGPORT or PGUSER
                                 is set */
};

/*
 * Reads --config's file, then environ, then argv; a later source wins. Unknown names, values
 * out of range and a missing file are ERR_BAD_INPUT with source (file and line, variable or flag),
 * what was found and what was wanted. Called once at start, before there are threads.
 *
 * cfg       set on success only; cfg_done frees
 * argv      the words behind the command's name: "--name value" or "--name=value"; ends at "--"
 *           (which is taken) or at the first word that is no flag
 * extra     names (without --) of flags that the command itself reads, NULL-terminated, or NULL;
 *           they are skipped with their value, or alone when the name ends with '!' ("json!")
 * out_rest  index of the first word of argv that was not taken; argc: none is left
 */
MUST_CHECK bool cfg_load(struct cfg *cfg, int argc, char *const argv[], const char *const extra[],
                         int *out_rest, struct err *err);
void cfg_done(struct cfg *cfg);

/* The settings as text for --help (only: names of flags without --, NULL-terminated; NULL: all), and
 * as the Markdown table of docs/configuration.md. */
void cfg_help(struct buf *out, const char *const only[]);
void cfg_markdown(struct buf *out);

#endif
