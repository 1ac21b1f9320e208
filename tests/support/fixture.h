/* The recorded exports of tests/data/fixtures. */
#ifndef TESTS_SUPPORT_FIXTURE_H
#define TESTS_SUPPORT_FIXTURE_H

#include "base/arena.h"
#include "support/doc.h"

struct fixture_body {
    const char *name;    /* of the fixture */
    const char *request; /* "001", … */
    bool json;
    struct bytes body;       /* uncompressed */
    const struct doc *spans; /* of expect.json, all of the fixture */
};

/* Calls see for every trace body of every fixture (only: of that one), in order. Everything lives in
 * arena. Returns how many there were. */
size_t fixture_each(struct arena *arena, const char *only,
                    void (*see)(const struct fixture_body *body, void *context), void *context);

/* The same for tests/data/recordings: exports of more libraries, of which only the bodies and what
 * they mean (expect.json, genai) are kept. */
size_t fixture_each_recording(struct arena *arena,
                              void (*see)(const struct fixture_body *body, void *context),
                              void *context);

/* A file below tests/data/fixtures, uncompressed when it is gzip; fails the test when it is not
 * there. */
struct bytes fixture_file(struct arena *arena, const char *path);

#endif
