/* Time: wall clock and monotonic clock in nanoseconds, RFC 3339 in and out. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include "base/bytes.h"

#define NS_PER_US INT64_C(1000)
#define NS_PER_MS INT64_C(1000000)
#define NS_PER_S INT64_C(1000000000)
#define S_PER_DAY INT64_C(86400)

int64_t clock_wall_ns(void); /* nanoseconds since 1970, UTC */
int64_t clock_mono_ns(void); /* nanoseconds since some point, never goes back */

#define CLOCK_RFC3339_BYTES 40
/* "2026-11-21T13:15:00.123456789Z", always nine digits; years 1970 to 2554. Returns the length;
 * NUL-terminated. */
size_t clock_rfc3339(uint64_t unix_nano, char to[CLOCK_RFC3339_BYTES]);

/*
 * A point in time from outside: RFC 3339 (any offset, up to nine digits of fraction, date alone is
 * midnight UTC), or a number of unix seconds, milliseconds, microseconds or nanoseconds, told apart
 * by size (below 10^11: s; 10^14: ms; 10^17: µs; else ns); not of eight digits, which are a date
 * without its dashes. Fails with ERR_BAD_INPUT, whose text names what was found.
 */
MUST_CHECK bool clock_parse(struct bytes text, int64_t *out_unix_nano, struct err *err);

/* Days since 1970-01-01 of a time, rounded towards the past. */
static inline int64_t clock_day(int64_t unix_nano)
{
    const int64_t day_ns = S_PER_DAY * NS_PER_S;
    return unix_nano >= 0 ? unix_nano / day_ns : -((-unix_nano + day_ns - 1) / day_ns);
}

#endif
