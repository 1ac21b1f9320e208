/* Latencies and what is printed of them. */
#ifndef BENCH_FIGURES_H
#define BENCH_FIGURES_H

#include <stddef.h>
#include <stdint.h>

struct figures {
    int64_t *items; /* ns */
    size_t count;
    size_t cap;
};

void figures_add(struct figures *figures, int64_t ns); /* exits when memory is out */
void figures_sort(struct figures *figures);
/* of sorted figures, in ms; 0 when there are none */
double figures_ms(const struct figures *figures, double quantile);
/* " p50_ms … p95_ms … p99_ms … max_ms …" to standard output; sorts */
void figures_print(struct figures *figures);
void figures_done(struct figures *figures);

/* Whole of text as a number >= 0; exits with a message that names the option when it is none. */
double figures_number(const char *option, const char *text);

#endif
