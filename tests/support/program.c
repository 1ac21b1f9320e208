/* A command of the real binary. */
#include "support/program.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test.h"

#include "support/client.h"
#include "support/server.h"

#define MOST_WORDS 30

/* A file without a name, or one that is gone at once. */
static FILE *scratch(void)
{
    FILE *file = tmpfile();

    assert_non_null(file);
    return file;
}

static void read_back(FILE *file, char to[PROGRAM_OUT_BYTES])
{
    size_t len;

    rewind(file);
    len = fread(to, 1, PROGRAM_OUT_BYTES - 1, file);
    to[len] = '\0';
    assert_int_equal(fclose(file), 0);
}

int program_run(struct program *program, const char *const words[])
{
    char path[512];
    char *argv[MOST_WORDS + 2] = {path};
    int status = 0;
    FILE *out = scratch();
    FILE *errors = scratch();

    server_program(path, sizeof(path));
    for (int i = 0; words[i]; i++) {
        assert_true(i < MOST_WORDS);
        argv[i + 1] = (char *)(uintptr_t)words[i];
    }
    const pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        if (dup2(fileno(out), STDOUT_FILENO) >= 0 && dup2(fileno(errors), STDERR_FILENO) >= 0)
            (void)execv(path, argv);
        _exit(127);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    read_back(out, program->out);
    read_back(errors, program->errors);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

void program_member(const struct program *program, const char *name, char *to, size_t to_bytes)
{
    char begin[64];
    const char *at;
    const char *end;

    (void)snprintf(begin, sizeof(begin), "\"%s\":\"", name);
    at = strstr(program->out, begin);
    if (!at)
        fail_msg("no '%s' in %s%s", name, program->out, program->errors);
    else
        at += strlen(begin);
    end = at ? strchr(at, '"') : NULL;
    if (!end || (size_t)(end - at) >= to_bytes)
        fail_msg("'%s' has no end in %s", name, program->out);
    else
        (void)snprintf(to, to_bytes, "%.*s", (int)(end - at), at);
}
