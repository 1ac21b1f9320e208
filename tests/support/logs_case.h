/* Log records decoded and stored, for tests of otlp; asserts by cmocka. */
#ifndef TESTS_SUPPORT_LOGS_CASE_H
#define TESTS_SUPPORT_LOGS_CASE_H

#include "otlp/logs.h"
#include "support/logs.h"

#define LOGS_ROOM ((size_t)256 << 20)
#define LOGS_RECORDINGS 9

extern const struct otlp_limits logs_limits;
extern struct arena logs_arena; /* where all of these live */
int logs_fresh(void **state);   /* set-up of each test: the arena is empty */
int logs_free(void **state);    /* of the group */

/* Fixtures that have log records; the bytes as they were recorded; the same in JSON, written from the
 * recording by a decoder that is not ours. */
extern const char *const logs_recordings[LOGS_RECORDINGS];
struct bytes logs_recording(const char *name);
struct bytes logs_twin(const char *name);

bool logs_decode(bool json, struct bytes body, struct arena *in, struct log_array *out_logs,
                 struct err *err);
struct log_array logs_must_decode(bool json, struct bytes body, const char *why);

/* A request with this record alone. */
struct bytes logs_request_of(bool json, const struct test_log *log);

/* The row of a record that must be taken. */
struct stored_log logs_must_store(struct log_record *log, const char *why);

#endif
