#include "support/figures.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"

void figures_add(struct figures *figures, int64_t ns)
{
    if (figures->count == figures->cap) {
        const size_t cap = figures->cap > 0 ? 2 * figures->cap : 4096;
        int64_t *items = realloc(figures->items, cap * sizeof(items[0]));
        if (items == NULL) {
            (void)fprintf(stderr, "bench: no memory for %zu figures\n", cap);
            exit(2);
        }
        figures->items = items;
        figures->cap = cap;
    }
    figures->items[figures->count++] = ns;
}

static int compare(const void *a, const void *b)
{
    const int64_t left = *(const int64_t *)a;
    const int64_t right = *(const int64_t *)b;
    return left < right ? -1 : left > right;
}

void figures_sort(struct figures *figures)
{
    if (figures->count > 0)
        qsort(figures->items, figures->count, sizeof(figures->items[0]), compare);
}

double figures_ms(const struct figures *figures, double quantile)
{
    if (figures->count == 0)
        return 0;
    size_t at = (size_t)(quantile * (double)figures->count);
    if (at >= figures->count)
        at = figures->count - 1;
    return (double)figures->items[at] / 1e6;
}

void figures_print(struct figures *figures)
{
    figures_sort(figures);
    (void)printf(" p50_ms %.3f p95_ms %.3f p99_ms %.3f max_ms %.3f", figures_ms(figures, 0.50),
                 figures_ms(figures, 0.95), figures_ms(figures, 0.99), figures_ms(figures, 1.0));
}

void figures_done(struct figures *figures)
{
    free(figures->items);
    *figures = (struct figures){0};
}

double figures_number(const char *option, const char *text)
{
    double value = 0;
    if (!text_real(bytes_of(text), &value) || value < 0) {
        (void)fprintf(stderr, "bench: %s '%s' is no number >= 0\n", option, text);
        exit(2);
    }
    return value;
}
