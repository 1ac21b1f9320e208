/* The program: finds the command and runs it. */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/version.h"
#include "cli/commands.h"

static const struct command {
    const char *name;
    const char *summary;
    int (*run)(int argc, char *const argv[]);
} commands[] = {
    {"serve", "receive spans, store them, answer the API", serve_command},
    {"migrate", "bring the database to this version", migrate_command},
    {"tenant", "make tenants, list them, name them anew, delete them", tenant_command},
    {"key", "make keys, list them, revoke them", key_command},
    {"prices", "import own prices, list them, show calls without a price", prices_command},
    {"reprice", "price stored calls anew by the prices of now", reprice_command},
    {"version", "print the version", version_command},
};

static void print_commands(FILE *to)
{
    (void)fprintf(to, "spanledger " SPANLEDGER_VERSION
                      ": an OpenTelemetry trace store for GenAI applications\n\n"
                      "usage: spanledger <command> [--name value ...]\n\ncommands:\n");
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
        (void)fprintf(to, "  %-10s %s\n", commands[i].name, commands[i].summary);
    (void)fprintf(to, "\nspanledger <command> --help lists what a command takes\n");
}

int main(int argc, char *argv[])
{
    const char *name = argc > 1 ? argv[1] : "";

    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
        if (strcmp(name, commands[i].name) == 0)
            return commands[i].run(argc - 2, argv + 2);
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 || strcmp(name, "help") == 0) {
        for (size_t i = 0; argc > 2 && i < sizeof(commands) / sizeof(commands[0]); i++)
            if (strcmp(argv[2], commands[i].name) == 0)
                return commands[i].run(1, (char *const[]){(char *)(uintptr_t) "--help", NULL});
        print_commands(stdout);
        return EXIT_DONE;
    }
    if (strcmp(name, "--version") == 0)
        return version_command(0, NULL);
    if (name[0] != '\0')
        (void)fprintf(stderr, "spanledger: '%s' is no command\n\n", name);
    print_commands(stderr);
    return EXIT_USAGE;
}
