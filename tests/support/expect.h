/* What answers of the server must look like; failing a check fails the cmocka test that runs. */
#ifndef TESTS_SUPPORT_EXPECT_H
#define TESTS_SUPPORT_EXPECT_H

#include "support/client.h"
#include "support/doc.h"
#include "support/h2client.h"
#include "support/pb.h"

/* google.rpc.Status, read by hand. */
struct status_view {
    int code;
    char message[2048];
    bool bad_request; /* a BadRequest detail */
    char field[300];  /* of its first violation */
    bool retry_info;  /* a RetryInfo detail */
    int64_t retry_ms; /* its delay */
};
/* False: it is none. */
bool status_of_protobuf(struct bytes body, struct status_view *out);
bool status_of_json(struct bytes body, struct status_view *out);
/* grpc-status-details-bin. */
bool status_of_details(const struct h2_reply *reply, struct status_view *out);

/* The reply has this HTTP status and a Status with a message in the encoding, with its content type
 * (OTLP-20..22, OTLP-50). why: of the row, for the failure. */
void expect_error(const char *why, const struct reply *reply, int http_status, bool json);
/* 200 and the empty message (OTLP-40). */
void expect_success(const char *why, const struct reply *reply, bool json);
/* 200 and partial_success with the count; its message goes to out_message (1,100 bytes) unless
 * NULL. */
void expect_partial(const char *why, const struct reply *reply, bool json, int64_t rejected,
                    char *out_message);

/* Number of spans that the API shows of a trace; 0: not known. */
int64_t stored_spans(uint16_t port, const uint8_t trace_id[16]);
/* GET of a path, 200 expected; lives in arena. */
struct doc *get_doc(struct arena *arena, uint16_t port, const char *path);
struct doc *get_trace(struct arena *arena, uint16_t port, const uint8_t trace_id[16],
                      const char *query);
/* The span of that id in an answer of /api/v1/traces/{id}; NULL: not there. */
struct doc *span_of_trace(const struct doc *trace, const uint8_t span_id[8]);
/* Value of a line of /metrics, e.g. "spanledger_spans_total{outcome=\"accepted\"}"; -1: none. */
int64_t metric(uint16_t port, const char *name);

/* A body with one sound span of its own trace; ids are what was used. */
void one_span(struct buf *out, bool json, struct test_ids *ids);

#endif
