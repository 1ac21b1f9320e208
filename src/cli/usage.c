/* Words of the command line. */
#include "cli/usage.h"

#include <stdio.h>

#define HELP_MAX_BYTES (64U * 1024)

static void print_help(const char *command, const char *summary)
{
    struct buf text;

    buf_init(&text, HELP_MAX_BYTES);
    cfg_help(&text);
    printf("usage: spanledger %s [--name value ...]\n\n%s\n\n"
           "Settings, each also as environment variable SPANLEDGER_NAME and as 'name = value' in a "
           "--config file:\n\n%.*s",
           command, summary, (int)text.len, (const char *)text.at);
    buf_done(&text);
}

enum usage usage_load(struct cfg *cfg, const char *command, const char *summary, int argc,
                      char *const argv[])
{
    struct err err = {0};
    int rest = 0;

    for (int i = 0; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            print_help(command, summary);
            return USAGE_HELPED;
        }
    }
    if (!cfg_load(cfg, argc, argv, NULL, &rest, &err)) {
        (void)fprintf(stderr, "spanledger %s: %s\n", command, err.text);
        return USAGE_WRONG;
    }
    if (rest < argc) {
        (void)fprintf(stderr, "spanledger %s: '%s' is no flag; see spanledger %s --help\n", command,
                      argv[rest], command);
        cfg_done(cfg);
        return USAGE_WRONG;
    }
    return USAGE_GO_ON;
}
