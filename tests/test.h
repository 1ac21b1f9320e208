/* What every cmocka test includes. */
#ifndef TESTS_TEST_H
#define TESTS_TEST_H

/* cmocka.h needs these four before it, in this order. */
/* clang-format off */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
/* clang-format on */

#include <stdbool.h>
#include <string.h>

#endif
