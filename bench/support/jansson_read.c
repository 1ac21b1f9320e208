#include "support/jansson_read.h"

#if defined(BENCH_JANSSON)
#include <jansson.h>

bool jansson_is_here(void)
{
    return true;
}

bool jansson_reads(struct bytes text)
{
    json_error_t error;
    json_t *all = json_loadb((const char *)text.at, text.len, 0, &error);
    if (all == NULL)
        return false;
    json_decref(all);
    return true;
}
#else
bool jansson_is_here(void)
{
    return false;
}

bool jansson_reads(struct bytes text)
{
    (void)text;
    return false;
}
#endif
