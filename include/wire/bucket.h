/* Tokens that come back with time: how often a peer may do what costs it nothing. Pure. */
#ifndef WIRE_BUCKET_H
#define WIRE_BUCKET_H

#include "base/clock.h"

struct bucket {
    int64_t burst; /* tokens at most */
    int64_t per_s; /* tokens that come back in a second */
    int64_t tokens;
    int64_t filled_ns; /* monotonic */
};

static inline struct bucket bucket_full(int64_t burst, int64_t per_s, int64_t mono_now_ns)
{
    return (struct bucket){burst, per_s, burst, mono_now_ns};
}

static inline int64_t bucket_tokens(struct bucket *bucket, int64_t mono_now_ns)
{
    const int64_t back = (mono_now_ns - bucket->filled_ns) / (NS_PER_S / bucket->per_s);

    if (back > 0) {
        bucket->tokens =
            back > bucket->burst - bucket->tokens ? bucket->burst : bucket->tokens + back;
        bucket->filled_ns = mono_now_ns;
    }
    return bucket->tokens;
}

/* False: there was no token left. */
static inline bool bucket_spend(struct bucket *bucket, int64_t mono_now_ns)
{
    return bucket_tokens(bucket, mono_now_ns) > 0 ? (bucket->tokens--, true) : false;
}

#endif
