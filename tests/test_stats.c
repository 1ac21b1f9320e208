/* Counters and their Prometheus text. */
#include "test.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/stats.h"

#define THREADS 4
#define ROUNDS 20000

static char *rendered(void)
{
    struct buf out;
    char *text;

    buf_init(&out, 1 << 20);
    stats_render(&out);
    assert_true(buf_ok(&out));
    text = strndup((const char *)out.at, out.len);
    buf_done(&out);
    return text;
}

static void *add_many(void *unused)
{
    for (int i = 0; i < ROUNDS; i++) {
        stats_add(STAT_CONNECTIONS, 1);
        stats_commit_time(3000000);
    }
    return unused;
}

static void loses_no_count_between_threads(void **state)
{
    const int64_t before = stats_get(STAT_CONNECTIONS);
    pthread_t threads[THREADS];
    char *text;

    (void)state;
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, add_many, NULL), 0);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_true(stats_get(STAT_CONNECTIONS) - before == (int64_t)THREADS * ROUNDS);
    text = rendered();
    assert_non_null(strstr(text, "spanledger_commit_seconds_count 80000\n"));
    assert_non_null(strstr(text, "spanledger_commit_seconds_sum 240.000000000\n"));
    free(text);
}

/* The buckets of a histogram are cumulative, and a value on a bound belongs below it. */
static void sorts_commit_times_into_cumulative_buckets(void **state)
{
    char *text;

    (void)state;
    stats_commit_time(1000000);          /* exactly 1 ms */
    stats_commit_time(INT64_C(1) << 40); /* 18 minutes */
    text = rendered();
    assert_non_null(strstr(text, "_bucket{le=\"0.001\"} 1\n"));
    assert_non_null(strstr(text, "_bucket{le=\"0.0025\"} 1\n"));
    assert_non_null(strstr(text, "_bucket{le=\"0.005\"} 80001\n"));
    assert_non_null(strstr(text, "_bucket{le=\"10\"} 80001\n"));
    assert_non_null(strstr(text, "_bucket{le=\"+Inf\"} 80002\n"));
    assert_non_null(strstr(text, "_count 80002\n"));
    free(text);
}

static void gauges_go_down(void **state)
{
    (void)state;
    stats_add(STAT_CONNECTIONS_OPEN, 5);
    stats_add(STAT_CONNECTIONS_OPEN, -3);
    assert_true(stats_get(STAT_CONNECTIONS_OPEN) == 2);
}

/* Prometheus refuses a page on which HELP and TYPE of a name do not come once, before its samples,
 * or whose samples of one name are apart. */
static void renders_what_prometheus_accepts(void **state)
{
    char *text = rendered();
    char *rest = text;
    char current[128] = "";
    char seen[4096] = "|";

    (void)state;
    for (char *line = strsep(&rest, "\n"); line && *line; line = strsep(&rest, "\n")) {
        char name[128];
        char key[160];

        if (strncmp(line, "# HELP ", 7) == 0) {
            (void)snprintf(current, sizeof(current), "%.*s", (int)strcspn(line + 7, " "), line + 7);
            (void)snprintf(key, sizeof(key), "|%s|", current);
            if (strstr(seen, key))
                fail_msg("%s: a second HELP", current);
            assert_true(strlen(seen) + strlen(current) + 2 < sizeof(seen));
            memcpy(seen + strlen(seen), key + 1, strlen(key));
            continue;
        }
        if (strncmp(line, "# TYPE ", 7) == 0)
            line += 7;
        (void)snprintf(name, sizeof(name), "%.*s", (int)strcspn(line, "{ "), line);
        if (strncmp(name, current, strlen(current)) != 0)
            fail_msg("'%s' stands below HELP of '%s'", line, current);
    }
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(loses_no_count_between_threads),
        cmocka_unit_test(sorts_commit_times_into_cumulative_buckets),
        cmocka_unit_test(gauges_go_down),
        cmocka_unit_test(renders_what_prometheus_accepts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
