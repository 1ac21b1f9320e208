/* A running server that gets log records; asserts by cmocka. */
#ifndef TESTS_SUPPORT_LOGS_RIG_H
#define TESTS_SUPPORT_LOGS_RIG_H

#include "store/db.h"
#include "support/expect.h"
#include "support/logs.h"
#include "support/server.h"

#define JSON_TYPE "content-type: application/json\r\n"
#define PROTOBUF_TYPE "content-type: application/x-protobuf\r\n"

extern struct logs_rig {
    struct server server;
    struct db db;       /* its database */
    struct reply reply; /* the last */
    struct arena arena;
    struct buf body;
} logs_rig;

int logs_rig_start(void **state); /* of a group */
int logs_rig_stop(void **state);
int logs_rig_clear(void **state); /* of each test: arena and body are empty */

/* The number that a statement gives. */
int64_t logs_rig_number(const char *sql);

/* POST /v1/logs; the answer stands in reply. */
void logs_rig_post(bool json, struct bytes message);

/* A span as the API shows it, and how many of its events came as log records. */
struct doc *logs_rig_span(const uint8_t trace_id[16], const char *span_id);
size_t logs_rig_events(const struct doc *span);

#endif
