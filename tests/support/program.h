/* A command of the real binary, run to its end. */
#ifndef TESTS_SUPPORT_PROGRAM_H
#define TESTS_SUPPORT_PROGRAM_H

#include "base/bytes.h"

#define PROGRAM_OUT_BYTES 65536

struct program {
    char out[PROGRAM_OUT_BYTES]; /* what it wrote, each ended by a NUL */
    char errors[PROGRAM_OUT_BYTES];
};

/* Runs `spanledger WORDS…`, NULL-terminated; the exit code. Asserts by cmocka. */
int program_run(struct program *program, const char *const words[]);

/* The text of a member of one flat JSON object in program->out; fails when it is not there. */
void program_member(const struct program *program, const char *name, char *to, size_t to_bytes);

#endif
