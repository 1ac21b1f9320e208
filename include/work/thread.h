/* Worker threads with a stack of a known size: the code never depends on what the system's default is (PC-3). */
#ifndef WORK_THREAD_H
#define WORK_THREAD_H

#include <pthread.h>

#include "base/err.h"

/* Starts run(arg). what names the thread in the error: ERR_UNAVAILABLE, the system gives none. */
MUST_CHECK bool thread_start(pthread_t *out_thread, void *(*run)(void *arg), void *arg,
                             const char *what, struct err *err);

#endif
