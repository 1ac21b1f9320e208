/* Spans of several shapes, as they stand in memory behind the decoder. */
#ifndef BENCH_SHAPES_H
#define BENCH_SHAPES_H

#include "base/arena.h"
#include "model/span.h"

struct shape {
    const char *name;
    const struct span *spans;
    size_t count;
};

/*
 * bench_llm, bench_step   model calls and other steps of bench/load's traffic
 * otel_llm                an OpenTelemetry model call of 15 attributes without content
 * otel_llm_20k            the same with 20 KB of messages as JSON
 * openinference           a model call of OpenInference's, messages under indexed keys
 * plain                   a span of 8 attributes that has nothing to do with GenAI
 * Exits the program when memory is out. shapes_done frees what all of them live in.
 */
void shapes_make(struct shape **out_shapes, size_t *out_count);
void shapes_done(struct shape *shapes);

#endif
