/* Worker threads. */
#include "work/thread.h"

#define STACK_BYTES (512U * 1024)

bool thread_start(pthread_t *out_thread, void *(*run)(void *arg), void *arg, const char *what,
                  struct err *err)
{
    pthread_attr_t attr;
    int failed = pthread_attr_init(&attr);

    if (failed == 0) {
        failed = pthread_attr_setstacksize(&attr, STACK_BYTES);
        if (failed == 0)
            failed = pthread_create(out_thread, &attr, run, arg);
        (void)pthread_attr_destroy(&attr);
    }
    return failed == 0 || err_set(err, ERR_UNAVAILABLE, "cannot start %s (error %d)", what, failed);
}
