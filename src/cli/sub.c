/* Commands that consist of sub-commands. */
#include "cli/sub.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json_write.h"
#include "cli/commands.h"
#include "cli/usage.h"
#include "store/migrate.h"

#define ARENA_BYTES ((size_t)1 << 30)

static const char *const settings[] = {"db", "data-dir", "pg-bin-dir", "config", NULL};

const char *sub_value(const struct sub_run *run, const char *name, const char *fallback)
{
    const char *value = usage_value(run->argc, run->argv, name);
    return value ? value : fallback;
}

const char *sub_time(int64_t unix_ns, char to[SUB_TIME_BYTES])
{
    if (unix_ns <= 0) {
        memcpy(to, "-", 2);
        return to;
    }
    (void)clock_rfc3339((uint64_t)(unix_ns / NS_PER_S * NS_PER_S), to);
    (void)snprintf(to + 19, 2, "Z"); /* without its nine zeros */
    return to;
}

void sub_time_json(struct json *j, int64_t unix_ns)
{
    char time[CLOCK_RFC3339_BYTES];

    if (unix_ns <= 0)
        json_null(j);
    else
        json_text(j, (struct bytes){(const uint8_t *)time, clock_rfc3339((uint64_t)unix_ns, time)});
}

static bool run_on_database(const struct sub *sub, const struct cfg *cfg, struct sub_run *run,
                            struct err *err)
{
    struct database database = {0};
    bool done = database_open(cfg, DATABASE_FIND, &database, err);

    arena_init(&run->arena, ARENA_BYTES);
    done = done && db_open(&run->db, database.conninfo, DB_ADMIN, 0, err) &&
           migrate_check(&run->db, err) && sub->run(run, err);
    db_close(&run->db);
    arena_done(&run->arena);
    database_close(&database);
    return done;
}

/* Moves the word at `at` to the end: flags may stand on both sides of the name. */
static void move_to_end(int argc, char *argv[], int at)
{
    char *word = argv[at];

    memmove(argv + at, argv + at + 1, (size_t)(argc - at - 1) * sizeof(*argv));
    argv[argc - 1] = word;
}

static enum usage read_words(const struct sub *sub, struct cfg *cfg, int argc, char *argv[],
                             int *out_rest)
{
    enum usage usage = usage_load_own(cfg, sub->title, sub->summary, sub->flags, sub->help,
                                      settings, argc, argv, out_rest);

    if (usage != USAGE_GO_ON || !sub->wants_name || *out_rest >= argc - 1)
        return usage;
    cfg_done(cfg);
    move_to_end(argc, argv, *out_rest);
    return usage_load_own(cfg, sub->title, sub->summary, sub->flags, sub->help, settings, argc,
                          argv, out_rest);
}

static int run_words(const char *command, const struct sub *sub, int argc, char *argv[])
{
    struct sub_run run = {.argc = argc, .argv = argv};
    struct cfg cfg;
    struct err err = {0};
    int rest = 0;
    const enum usage usage = read_words(sub, &cfg, argc, argv, &rest);

    if (usage != USAGE_GO_ON)
        return usage == USAGE_HELPED ? EXIT_DONE : EXIT_USAGE;
    if (rest != argc - (sub->wants_name ? 1 : 0)) {
        (void)fprintf(stderr, "usage: spanledger %s; see spanledger %s --help\n", sub->title,
                      sub->title);
        cfg_done(&cfg);
        return EXIT_USAGE;
    }
    run.name = sub->wants_name ? argv[rest] : NULL;
    run.argc = rest;
    run.json = sub_value(&run, "json", NULL) != NULL;
    (void)snprintf(run.actor, sizeof(run.actor), "command line, uid %u", (unsigned)getuid());
    const bool done = run_on_database(sub, &cfg, &run, &err);
    cfg_done(&cfg);
    if (done)
        return EXIT_DONE;
    (void)fprintf(stderr, "spanledger %s: %s\n", command, err.text);
    return EXIT_FAILED;
}

static int run_sub(const char *command, const struct sub *sub, int argc, char *const argv[])
{
    char **words = calloc((size_t)argc + 1, sizeof(*words));
    int code = EXIT_FAILED;

    if (words) {
        memcpy(words, argv, (size_t)argc * sizeof(*words));
        code = run_words(command, sub, argc, words);
    }
    free(words);
    return code;
}

int sub_command(const char *command, const struct sub *subs, size_t count, int argc,
                char *const argv[])
{
    const char *name = argc > 0 ? argv[0] : "";
    const bool help = strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0;

    for (size_t i = 0; i < count; i++)
        if (strcmp(name, subs[i].name) == 0)
            return run_sub(command, &subs[i], argc - 1, argv + 1);
    if (!help && name[0] != '\0')
        (void)fprintf(stderr, "spanledger %s: '%s' is no command\n\n", command, name);
    (void)fprintf(help ? stdout : stderr, "usage: spanledger %s", command);
    for (size_t i = 0; i < count; i++)
        (void)fprintf(help ? stdout : stderr, "%c%s", i > 0 ? '|' : ' ', subs[i].name);
    (void)fprintf(help ? stdout : stderr, "\n\n");
    for (size_t i = 0; i < count; i++)
        (void)fprintf(help ? stdout : stderr, "  %-20s %s\n", subs[i].title, subs[i].summary);
    (void)fprintf(help ? stdout : stderr,
                  "\nspanledger %s %s --help and so on list what each takes\n", command,
                  subs[0].name);
    return help ? EXIT_DONE : EXIT_USAGE;
}
