/* spanledger version */
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
        (void)fprintf(stderr, "usage: spanledger version [--json]\n");
        return EXIT_USAGE;
    }
    printf("spanledger " SPANLEDGER_VERSION "\n");
    return EXIT_DONE;
}
