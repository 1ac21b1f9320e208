/* jansson on the same bytes, to compare with; apart because its names collide with ours. */
#ifndef BENCH_JANSSON_READ_H
#define BENCH_JANSSON_READ_H

#include "base/bytes.h"

bool jansson_is_here(void); /* was built in */
/* Parses text into jansson's tree and frees it. */
bool jansson_reads(struct bytes text);

#endif
