/* What every command does with its words: --help, settings, what is left over. */
#ifndef CLI_USAGE_H
#define CLI_USAGE_H

#include "base/cfg.h"

#define USAGE_TIME                                                                                 \
    "TIME is a date (midnight UTC), RFC 3339 with its zone, or unix s, ms, us or ns.\n\n"

enum usage { USAGE_GO_ON, USAGE_HELPED, USAGE_WRONG };

/*
 * Reads the settings of a command. Prints help where --help or -h is among the words (USAGE_HELPED), and the fault, to stderr, where they cannot be
 * read or words are left over (USAGE_WRONG). summary: one line of what the command does. settings: those that --help shows, as cfg_help takes them; the
 * others are taken too, so that one --config file does for every command.
 */
enum usage usage_load(struct cfg *cfg, const char *command, const char *summary,
                      const char *const settings[], int argc, char *const argv[]);

/*
 * The same for a command with flags of its own. own: their names as cfg_load takes them, NULL-terminated; own_help: a line for each, for --help.
 * *out_rest: index in argv of the first word that is no flag; argc: there is none.
 */
enum usage usage_load_own(struct cfg *cfg, const char *command, const char *summary,
                          const char *const own[], const char *own_help,
                          const char *const settings[], int argc, char *const argv[],
                          int *out_rest);

/* Value of a flag of the command's own; NULL: it is not there. Of a switch: "". */
const char *usage_value(int argc, char *const argv[], const char *name);

#endif
