/* OTLP/JSON in short, for tests of its decoder; asserts by cmocka. */
#ifndef TESTS_SUPPORT_JSON_CASE_H
#define TESTS_SUPPORT_JSON_CASE_H

#include "otlp/decode.h"

#define JSON_ROOM ((size_t)256 << 20)
/* Ids of a span that is sound. */
#define JSON_IDS "\"traceId\":\"0102030405060708090a0b0c0d0e0f10\",\"spanId\":\"0102030405060708\""

extern const struct otlp_limits json_limits;
extern struct arena json_arena; /* where all of these live */
int json_fresh(void **state);   /* set-up of each test: the arena is empty */

struct span_array json_decode(const char *json, const char *why);
/* text: must stand in the error's. */
void json_refuse(struct bytes json, const char *text, const char *why);

/* A request with one span of sound ids and these members; the span that becomes of it. */
const char *json_request_of(const char *members);
struct span json_span_of(const char *members, const char *why);

#endif
