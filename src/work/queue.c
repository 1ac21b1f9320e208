/* The bounded queue. */
#include "work/queue.h"

#include <pthread.h>
#include <stdlib.h>

struct queue {
    pthread_mutex_t lock;
    pthread_cond_t pushed;
    struct queue_item *first;
    struct queue_item *last;
    size_t count;
    size_t max_jobs;
    bool closed;
    enum stat jobs_gauge;
    enum stat bytes_gauge;
};

struct queue *queue_new(size_t max_jobs, enum stat jobs, enum stat bytes)
{
    struct queue *q = calloc(1, sizeof(*q));

    if (!q)
        return NULL;
    q->max_jobs = max_jobs;
    q->jobs_gauge = jobs;
    q->bytes_gauge = bytes;
    if (pthread_mutex_init(&q->lock, NULL) != 0) {
        free(q);
        return NULL;
    }
    if (pthread_cond_init(&q->pushed, NULL) != 0) {
        (void)pthread_mutex_destroy(&q->lock);
        free(q);
        return NULL;
    }
    return q;
}

void queue_free(struct queue *q)
{
    if (!q)
        return;
    (void)pthread_cond_destroy(&q->pushed);
    (void)pthread_mutex_destroy(&q->lock);
    free(q);
}

static void gauge(const struct queue *q, const struct queue_item *item, int64_t sign)
{
    stats_add(q->jobs_gauge, sign);
    if (q->bytes_gauge != STAT_MAX)
        stats_add(q->bytes_gauge, sign * (int64_t)item->bytes);
}

bool queue_push(struct queue *q, struct queue_item *item)
{
    bool taken;

    (void)pthread_mutex_lock(&q->lock);
    taken = !q->closed && q->count < q->max_jobs;
    if (taken) {
        item->next = NULL;
        if (q->last)
            q->last->next = item;
        else
            q->first = item;
        q->last = item;
        q->count++;
        gauge(q, item, 1);
        (void)pthread_cond_signal(&q->pushed);
    }
    (void)pthread_mutex_unlock(&q->lock);
    return taken;
}

static struct queue_item *take_first(struct queue *q)
{
    struct queue_item *item = q->first;

    if (!item)
        return NULL;
    q->first = item->next;
    if (!q->first)
        q->last = NULL;
    q->count--;
    item->next = NULL;
    gauge(q, item, -1);
    return item;
}

struct queue_item *queue_pop(struct queue *q)
{
    struct queue_item *item;

    (void)pthread_mutex_lock(&q->lock);
    while (!q->first && !q->closed)
        (void)pthread_cond_wait(&q->pushed, &q->lock);
    item = take_first(q);
    (void)pthread_mutex_unlock(&q->lock);
    return item;
}

struct queue_item *queue_try_pop(struct queue *q)
{
    struct queue_item *item;

    (void)pthread_mutex_lock(&q->lock);
    item = take_first(q);
    (void)pthread_mutex_unlock(&q->lock);
    return item;
}

void queue_close(struct queue *q)
{
    (void)pthread_mutex_lock(&q->lock);
    q->closed = true;
    (void)pthread_cond_broadcast(&q->pushed);
    (void)pthread_mutex_unlock(&q->lock);
}
