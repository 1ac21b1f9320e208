/* Words of the command line. */
#include "cli/usage.h"

#include <stdio.h>

#define HELP_MAX_BYTES (64U * 1024)

static void print_help(const char *command, const char *summary, const char *own_help,
                       const char *const settings[])
{
    struct buf text;

    buf_init(&text, HELP_MAX_BYTES);
    cfg_help(&text, settings);
    printf("usage: spanledger %s [--name value ...]\n\n%s\n\n%s%s\n\n%.*s", command, summary,
           own_help,
           settings ? "Settings (those of `spanledger serve` are all taken; these matter here):"
                    : "Settings:",
           (int)text.len, (const char *)text.at);
    buf_done(&text);
}

enum usage usage_load_own(struct cfg *cfg, const char *command, const char *summary,
                          const char *const own[], const char *own_help,
                          const char *const settings[], int argc, char *const argv[], int *out_rest)
{
    struct err err = {0};

    for (int i = 0; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            print_help(command, summary, own_help, settings);
            return USAGE_HELPED;
        }
    }
    if (!cfg_load(cfg, argc, argv, own, out_rest, &err)) {
        (void)fprintf(stderr, "spanledger %s: %s\n", command, err.text);
        return USAGE_WRONG;
    }
    return USAGE_GO_ON;
}

enum usage usage_load(struct cfg *cfg, const char *command, const char *summary,
                      const char *const settings[], int argc, char *const argv[])
{
    int rest = 0;
    const enum usage usage =
        usage_load_own(cfg, command, summary, NULL, "", settings, argc, argv, &rest);

    if (usage == USAGE_GO_ON && rest < argc) {
        (void)fprintf(stderr, "spanledger %s: '%s' is no flag; see spanledger %s --help\n", command,
                      argv[rest], command);
        cfg_done(cfg);
        return USAGE_WRONG;
    }
    return usage;
}

const char *usage_value(int argc, char *const argv[], const char *name)
{
    const size_t len = strlen(name);

    for (int i = 0; i < argc; i++) {
        const char *word = argv[i];

        if (strncmp(word, "--", 2) != 0 || strncmp(word + 2, name, len) != 0)
            continue;
        if (word[2 + len] == '=')
            return word + 2 + len + 1;
        if (word[2 + len] == '\0')
            return i + 1 < argc ? argv[i + 1] : "";
    }
    return NULL;
}
