/* Times as PostgreSQL's binary forms have them: counted from 2000-01-01. */
#ifndef STORE_PG_TIME_H
#define STORE_PG_TIME_H

#include "base/clock.h"

#define PG_EPOCH_US INT64_C(946684800000000)
#define PG_EPOCH_DAY 10957

/* Nanoseconds since 1970 to microseconds since 2000, rounded towards the past. */
static inline int64_t pg_timestamp(int64_t unix_ns)
{
    int64_t us = unix_ns / NS_PER_US;

    if (unix_ns % NS_PER_US < 0)
        us--;
    return us - PG_EPOCH_US;
}

/* Days since 1970 to days since 2000. */
static inline int32_t pg_date(int64_t unix_day)
{
    return (int32_t)(unix_day - PG_EPOCH_DAY);
}

#endif
