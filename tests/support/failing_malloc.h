/*
 * Lets the n-th allocation of our own objects fail (they are linked with --wrap=malloc, calloc and
 * realloc; libraries are not reached). Of this thread only. The pattern:
 *
 *     for (long n = 1; ; n++) {
 *         failing_malloc_from(n, 1);
 *         ok = decode(…, &err);
 *         if (failing_malloc_stop() < n) break;    (fewer than n allocations: none failed)
 *         assert(!ok && err.text[0]);
 *     }
 *
 * Memory of a job comes from an arena, whose blocks are few: to fail every single allocation of
 * one, run with max_bytes 0, 16, 32, … until success instead.
 */
#ifndef TESTS_SUPPORT_FAILING_MALLOC_H
#define TESTS_SUPPORT_FAILING_MALLOC_H

/* From now on the nth allocation (1: the next) and the how_many - 1 behind it give NULL. */
void failing_malloc_from(long nth, long how_many);

/* Allocations work again; how many were tried since failing_malloc_from. */
long failing_malloc_stop(void);

#endif
