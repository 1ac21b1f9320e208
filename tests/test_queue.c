/* The bounded queue between threads. */
#include "test.h"

#include <pthread.h>
#include <stdlib.h>

#include "work/queue.h"

static void refuses_when_full_and_when_closed(void **state)
{
    struct queue *q = queue_new(2, STAT_INGEST_QUEUE_JOBS, STAT_INGEST_QUEUE_BYTES);
    struct queue_item items[3] = {{.bytes = 10}, {.bytes = 20}, {.bytes = 30}};

    (void)state;
    assert_true(queue_push(q, &items[0]));
    assert_true(queue_push(q, &items[1]));
    assert_false(queue_push(q, &items[2]));
    assert_int_equal(stats_get(STAT_INGEST_QUEUE_JOBS), 2);
    assert_int_equal(stats_get(STAT_INGEST_QUEUE_BYTES), 30);
    assert_ptr_equal(queue_pop(q), &items[0]);
    assert_ptr_equal(queue_try_pop(q), &items[1]);
    assert_null(queue_try_pop(q));
    assert_int_equal(stats_get(STAT_INGEST_QUEUE_JOBS), 0);
    assert_int_equal(stats_get(STAT_INGEST_QUEUE_BYTES), 0);
    assert_true(queue_push(q, &items[2]));
    queue_close(q);
    assert_false(queue_push(q, &items[0]));
    assert_ptr_equal(queue_pop(q), &items[2]); /* what was taken is given out */
    assert_null(queue_pop(q));
    queue_free(q);
}

#define ITEMS 20000
#define THREADS 4

struct shared {
    struct queue *q;
    struct queue_item *items;
    _Atomic int next;
    _Atomic int got;
};

static void *push_all(void *arg)
{
    struct shared *s = arg;
    int i;

    while ((i = s->next++) < ITEMS)
        while (!queue_push(s->q, &s->items[i]))
            sched_yield();
    return NULL;
}

static void *pop_all(void *arg)
{
    struct shared *s = arg;

    while (queue_pop(s->q))
        s->got++;
    return NULL;
}

static void loses_nothing_between_many_threads(void **state)
{
    struct shared s = {.q = queue_new(64, STAT_INGEST_QUEUE_JOBS, STAT_MAX),
                       .items = calloc(ITEMS, sizeof(struct queue_item))};
    pthread_t pushers[THREADS];
    pthread_t poppers[THREADS];

    (void)state;
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_create(&pushers[i], NULL, push_all, &s), 0);
        assert_int_equal(pthread_create(&poppers[i], NULL, pop_all, &s), 0);
    }
    for (int i = 0; i < THREADS; i++)
        (void)pthread_join(pushers[i], NULL);
    queue_close(s.q);
    for (int i = 0; i < THREADS; i++)
        (void)pthread_join(poppers[i], NULL);
    assert_int_equal(s.got, ITEMS);
    queue_free(s.q);
    free(s.items);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_when_full_and_when_closed),
        cmocka_unit_test(loses_nothing_between_many_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
