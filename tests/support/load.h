/*
 * Threads that send spans by every protocol (HTTP/1.1 with protobuf and JSON, HTTP/2, gRPC; some
 * compressed), send again what was not acknowledged, as real exporters do, and write what was
 * acknowledged into a ledger.
 */
#ifndef TESTS_SUPPORT_LOAD_H
#define TESTS_SUPPORT_LOAD_H

#include <pthread.h>
#include <stdatomic.h>

#include "support/ledger.h"

#define LOAD_MAX_THREADS 64

struct load_options {
    unsigned threads;
    unsigned spans;    /* of one request, all of one trace */
    int pause_ms;      /* between two requests of a thread */
    bool lose_answers; /* every answer is thrown away at first: the connection is cut when it has
                          come, and the same body is sent again (RF-05) */
    uint64_t seed;
};

struct load {
    struct load_options options;
    struct ledger *ledger;
    _Atomic uint16_t http_port; /* changed while it runs when a server starts on other ports */
    _Atomic uint16_t grpc_port;
    _Atomic bool stop;
    _Atomic bool server_may_vanish; /* else a connection that ends without an answer is counted */
    _Atomic int in_flight;          /* requests sent whole and not answered */
    _Atomic uint64_t acknowledged;  /* spans */
    _Atomic uint64_t requests;      /* acknowledged requests */
    _Atomic uint64_t retries;       /* sent again */
    _Atomic uint64_t refused;       /* answered 503 or 14 */
    _Atomic uint64_t unanswered;    /* connection ended without an answer, server_may_vanish off */
    _Atomic uint64_t bad_answers;   /* neither a success nor one that senders retry */
    _Atomic uint64_t answers_lost;  /* cut on purpose */
    char first_bad[300];            /* what the first of bad_answers was */
    unsigned running;
    pthread_t threads[LOAD_MAX_THREADS];
};

bool load_start(struct load *load, const struct load_options *options, struct ledger *ledger,
                uint16_t http_port, uint16_t grpc_port);
/* Asks the threads to end; each first gets its last request acknowledged, for at most 60 s.
 * False: a request never was. */
bool load_finish(struct load *load);
/* Waits until a request is in flight; false: none within wait_ms. */
bool load_wait_in_flight(struct load *load, int wait_ms);

#endif
