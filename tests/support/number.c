/* Numbers at the start of texts that are trusted. */
#include "support/number.h"

#include <ctype.h>

int64_t number_at(const char *text)
{
    uint64_t value = 0;

    while (*text == ' ' || *text == '\t')
        text++;
    const char sign = *text;
    if (sign == '-' || sign == '+')
        text++;
    for (; isdigit((unsigned char)*text); text++)
        value = value * 10 + (uint64_t)(*text - '0');
    return (int64_t)(sign == '-' ? 0 - value : value);
}

uint64_t number_at_hex(const char *text)
{
    uint64_t value = 0;

    for (; isxdigit((unsigned char)*text); text++) {
        const int c = tolower((unsigned char)*text);
        value = value * 16 + (uint64_t)(c <= '9' ? c - '0' : c - 'a' + 10);
    }
    return value;
}
