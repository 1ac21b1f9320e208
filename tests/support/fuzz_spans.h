/* What must hold for spans of any decoded body: shared by fuzz_pb and fuzz_json. */
#ifndef TESTS_SUPPORT_FUZZ_SPANS_H
#define TESTS_SUPPORT_FUZZ_SPANS_H

#include "base/arena.h"
#include "model/span.h"

/* Aborts when a span that can be stored is not given back by its row, or not by its protobuf form,
 * or when a row holds text that PostgreSQL would refuse. */
void fuzz_spans_check(struct span_array *spans, struct arena *arena);

#endif
