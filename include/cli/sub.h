/* Commands that consist of sub-commands on a database: tenant, key. */
#ifndef CLI_SUB_H
#define CLI_SUB_H

#include "cli/database.h"
#include "store/db.h"

/* What a sub-command works with. */
struct sub_run {
    int argc;
    char *const *argv; /* its flags */
    const char *name;  /* the word that it wants, or NULL */
    bool json;
    char actor[64]; /* for the audit */
    struct db db;
    struct arena arena;
};

struct sub {
    const char *name;
    const char *title; /* with the word that it wants: "tenant create NAME" */
    bool wants_name;
    bool (*run)(struct sub_run *run, struct err *err);
    const char *summary;
    const char *flags[6]; /* as cfg_load takes them, NULL-terminated */
    const char *help;
};

/* Finds the sub-command of argv[0] and runs it; the exit code. */
int sub_command(const char *command, const struct sub *subs, size_t count, int argc,
                char *const argv[]);

/* Value of a flag, or fallback. */
const char *sub_value(const struct sub_run *run, const char *name, const char *fallback);

/* A time as RFC 3339 with seconds, or "-" for 0. */
#define SUB_TIME_BYTES 40
const char *sub_time(int64_t unix_ns, char to[SUB_TIME_BYTES]);

struct json;
/* The same as a JSON value: RFC 3339, or null for 0. */
void sub_time_json(struct json *j, int64_t unix_ns);

#endif
