/* What every cmocka test includes. */
#ifndef TESTS_TEST_H
#define TESTS_TEST_H

/* clang-format off: cmocka.h needs these four before it, in this order */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
/* clang-format on */

#include <stdbool.h>
#include <string.h>

#endif
