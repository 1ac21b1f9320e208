/* Calls that a test does not try but needs. */
#ifndef TESTS_SUPPORT_MUST_H
#define TESTS_SUPPORT_MUST_H

/* Fails the test with what a local `struct err err` says. */
#define must(call)                                                                                 \
    do {                                                                                           \
        if (!(call))                                                                               \
            fail_msg("%s: %s: %s", #call, err_kind_name(err.kind), err.text);                      \
    } while (0)

#endif
