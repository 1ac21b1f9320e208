/* What --wrap=malloc, calloc and realloc call. */
#include "support/failing_malloc.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *at, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *at, size_t size);

static _Thread_local bool counting;
static _Thread_local long count;
static _Thread_local long first;
static _Thread_local long last;

void failing_malloc_from(long nth, long how_many)
{
    count = 0;
    first = nth;
    last = nth + how_many - 1;
    counting = true;
}

long failing_malloc_stop(void)
{
    counting = false;
    return count;
}

static bool fails(void)
{
    if (!counting)
        return false;
    count++;
    if (count < first || count > last)
        return false;
    errno = ENOMEM;
    return true;
}

void *__wrap_malloc(size_t size)
{
    return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count_of, size_t size)
{
    return fails() ? NULL : __real_calloc(count_of, size);
}

void *__wrap_realloc(void *at, size_t size)
{
    return fails() ? NULL : __real_realloc(at, size);
}
