/* Process-wide counters: the one global state of the program, write-only for everybody but
 * /metrics. */
#include "base/stats.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <unistd.h>

#include "base/clock.h"

static _Atomic int64_t values[STAT_MAX];

struct row {
    const char *type;
    const char *name;
    const char *labels;
    const char *help;
};

static const struct row rows[STAT_MAX] = {
#define STAT(id, type, name, labels, help) [STAT_##id] = {#type, name, labels, help},
#include "base/stats.def"
#undef STAT
};

static const double bounds_s[] = {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1,
                                  0.25,  0.5,    1,     2.5,  5,     10};
#define BOUND_COUNT (sizeof(bounds_s) / sizeof(bounds_s[0]))
static _Atomic int64_t commit_buckets[BOUND_COUNT + 1];
static _Atomic int64_t commit_sum_ns;

void stats_add(enum stat stat, int64_t delta)
{
    atomic_fetch_add_explicit(&values[stat], delta, memory_order_relaxed);
}

int64_t stats_get(enum stat stat)
{
    return atomic_load_explicit(&values[stat], memory_order_relaxed);
}

void stats_commit_time(int64_t duration_ns)
{
    const double seconds = (double)duration_ns / 1e9;
    size_t i = 0;

    while (i < BOUND_COUNT && seconds > bounds_s[i])
        i++;
    atomic_fetch_add_explicit(&commit_buckets[i], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&commit_sum_ns, duration_ns, memory_order_relaxed);
}

static void render_commit_times(struct buf *out)
{
    static const char name[] = "spanledger_commit_seconds";
    int64_t count = 0;

    buf_printf(out, "# HELP %s Duration of write transactions.\n# TYPE %s histogram\n", name, name);
    for (size_t i = 0; i < BOUND_COUNT; i++) {
        count += atomic_load(&commit_buckets[i]);
        buf_printf(out, "%s_bucket{le=\"%g\"} %" PRId64 "\n", name, bounds_s[i], count);
    }
    count += atomic_load(&commit_buckets[BOUND_COUNT]);
    buf_printf(out, "%s_bucket{le=\"+Inf\"} %" PRId64 "\n", name, count);
    buf_printf(out, "%s_sum %.9f\n%s_count %" PRId64 "\n", name,
               (double)atomic_load(&commit_sum_ns) / 1e9, name, count);
}

void stats_render(struct buf *out)
{
    for (int i = 0; i < STAT_MAX; i++) {
        const struct row *row = &rows[i];

        if (row->help[0] != '\0')
            buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", row->name, row->help, row->name,
                       row->type);
        if (row->labels[0] != '\0')
            buf_printf(out, "%s{%s} %" PRId64 "\n", row->name, row->labels, stats_get(i));
        else
            buf_printf(out, "%s %" PRId64 "\n", row->name, stats_get(i));
    }
    render_commit_times(out);
}
