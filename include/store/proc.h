/* Child processes of the embedded database: started as a user, waited for by pid. */
#ifndef STORE_PROC_H
#define STORE_PROC_H

#include <sys/types.h>

#include "base/bytes.h"

/* Whom a child runs as. change false: as ourselves. */
struct proc_user {
    bool change;
    uid_t uid;
    gid_t gid;
    char name[64]; /* for messages */
};

struct proc_spec {
    const char *const *argv; /* argv[0] is a path; NULL-terminated; borrowed */
    const char *directory;   /* working directory of the child; NULL: ours */
    int output_fd;           /* its standard output and error; -1: /dev/null */
    struct proc_user user;
};

/* Exit statuses of a child that did not get as far as its program. */
enum { PROC_NO_USER = 124, PROC_NO_DIRECTORY = 125, PROC_NO_PROGRAM = 126 };

/* Starts a program in a session of its own (a terminal's Ctrl-C is for us, not for it), with
 * default signals and an environment of PATH and LC_ALL only. Any thread. ERR_UNAVAILABLE. */
MUST_CHECK bool proc_start(const struct proc_spec *spec, pid_t *out_pid, struct err *err);

/* Waits for a child, at most timeout_ms (0: only looks). True: it has ended, *out_status is as of
 * waitpid. Nobody else's children are touched. */
MUST_CHECK bool proc_ended(pid_t pid, int64_t timeout_ms, int *out_status);

/* Runs a program to its end, at most timeout_ms, its standard output into to (NUL-terminated,
 * cut). False: did not start, failed or was killed for its time. */
MUST_CHECK bool proc_output(const struct proc_spec *spec, int64_t timeout_ms, char *to,
                            size_t to_bytes);

/* "exit status 1", "signal 9" of a status of waitpid. */
const char *proc_status_text(int status, char *to, size_t to_bytes);

#endif
