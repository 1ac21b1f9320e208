/* spanledger migrate */
#include <stdio.h>

#include "base/log.h"
#include "cli/commands.h"
#include "cli/database.h"
#include "cli/usage.h"

static const char *const settings[] = {
    "db", "data-dir", "pg-bin-dir", "config", "partition-days-back", NULL};

int migrate_command(int argc, char *const argv[])
{
    struct cfg cfg;
    struct database database = {0};
    struct err err = {0};
    char engine[16];
    int applied = 0;
    bool done;
    const enum usage usage =
        usage_load(&cfg, "migrate", "Brings the database to this version and chooses its engine.",
                   settings, argc, argv);

    if (usage != USAGE_GO_ON)
        return usage == USAGE_HELPED ? EXIT_DONE : EXIT_USAGE;
    done = database_open(&cfg, DATABASE_MAKE, &database, &err) &&
           database_migrate(&cfg, &database, /* stopped= */ NULL, &applied, engine, sizeof(engine),
                            &err);
    database_close(&database);
    cfg_done(&cfg);
    if (!done) {
        (void)fprintf(stderr, "spanledger migrate: %s\n", err.text);
        return EXIT_FAILED;
    }
    printf("%d migration%s applied, engine %s\n", applied, applied == 1 ? "" : "s", engine);
    return EXIT_DONE;
}
