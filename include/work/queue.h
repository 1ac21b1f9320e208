/* A bounded queue between threads: first in, first out, limited by jobs. */
#ifndef WORK_QUEUE_H
#define WORK_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/stats.h"

/* First member of everything that is queued. */
struct queue_item {
    struct queue_item *next;
    size_t bytes; /* of request body, for the gauge */
};

struct queue;

/* jobs and bytes: gauges to keep; bytes may be STAT_MAX for none. NULL: no memory. */
struct queue *queue_new(size_t max_jobs, enum stat jobs, enum stat bytes);
void queue_free(struct queue *queue); /* must be empty */

/* Hands the item over. False (item stays the caller's) when the queue is full or closed. Never blocks for long. */
bool queue_push(struct queue *queue, struct queue_item *item);

/* The oldest item; waits for one. NULL: closed and empty. */
struct queue_item *queue_pop(struct queue *queue);
/* The oldest item, or NULL at once. */
struct queue_item *queue_try_pop(struct queue *queue);

/* No more pushes; waiting threads get what is left, then NULL. */
void queue_close(struct queue *queue);

#endif
