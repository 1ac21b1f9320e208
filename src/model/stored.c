/* Facts about stored spans that more than one layer needs. */
#include "model/stored.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

int16_t stored_bucket(const struct uuid *trace_id)
{
    return (int16_t)(XXH3_64bits(trace_id->at, sizeof(trace_id->at)) % TRACE_BUCKETS);
}

const char *stored_mark_name(unsigned bit)
{
    switch (bit) {
#define X(id, position, name)                                                                      \
    case 1U << (position):                                                                         \
        return name;
        SPAN_MARKS(X)
#undef X
    default:
        return NULL;
    }
}

bool stored_is_cancellation(struct bytes error_type)
{
    static const char word[] = "cancel";
    const size_t word_len = sizeof(word) - 1;

    if (bytes_is_nocase(error_type, "AbortError"))
        return true;
    for (size_t i = 0; i + word_len <= error_type.len; i++)
        if (bytes_is_nocase((struct bytes){error_type.at + i, word_len}, word))
            return true;
    return false;
}
