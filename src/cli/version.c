/* spanledger version */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/version.h"
#include "cli/commands.h"

int version_command(int argc, char *const argv[])
{
    if (argc == 1 && strcmp(argv[0], "--json") == 0) {
        printf("{\"version\":\"" SPANLEDGER_VERSION "\"}\n");
        return EXIT_DONE;
    }
    if (argc > 0) {
        const bool help = strcmp(argv[0], "--help") == 0 || strcmp(argv[0], "-h") == 0;

        (void)fprintf(help ? stdout : stderr, "usage: spanledger version [--json]\n");
        return help ? EXIT_DONE : EXIT_USAGE;
    }
    printf("spanledger " SPANLEDGER_VERSION "\n");
    return EXIT_DONE;
}
