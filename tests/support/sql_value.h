/* One value out of the database. */
#ifndef TESTS_SUPPORT_SQL_VALUE_H
#define TESTS_SUPPORT_SQL_VALUE_H

/* The first value that a statement answers, valid until the next call. One that fails ends the test. */
const char *sql_value(const char *conninfo, const char *sql);

#endif
