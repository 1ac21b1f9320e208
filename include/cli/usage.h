/* What every command does with its words: --help, settings, what is left over. */
#ifndef CLI_USAGE_H
#define CLI_USAGE_H

#include "base/cfg.h"

enum usage { USAGE_GO_ON, USAGE_HELPED, USAGE_WRONG };

/*
 * Reads the settings of a command. Prints help where --help or -h is among the words (USAGE_HELPED), and the fault, to stderr, where they cannot be
 * read or words are left over (USAGE_WRONG). summary: one line of what the command does.
 */
enum usage usage_load(struct cfg *cfg, const char *command, const char *summary, int argc,
                      char *const argv[]);

#endif
