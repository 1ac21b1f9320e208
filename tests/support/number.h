/* Numbers at the start of texts that are trusted: answers and logs of our own server. */
#ifndef TESTS_SUPPORT_NUMBER_H
#define TESTS_SUPPORT_NUMBER_H

#include <stdint.h>

int64_t number_at(const char *text); /* spaces, sign, digits; what follows is not looked at */
uint64_t number_at_hex(const char *text);

#endif
