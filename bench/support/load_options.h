/* Command line of bench/load. */
#ifndef BENCH_LOAD_OPTIONS_H
#define BENCH_LOAD_OPTIONS_H

#include "support/traffic.h"

struct load_options {
    const char *host;
    const char *path;
    const char *headers; /* further lines, each ended by \r\n */
    const char *ids;     /* file for the first trace id of every acknowledged request */
    uint16_t port;
    uint32_t conns;
    uint64_t requests; /* 0: no limit */
    double seconds;    /* 0: no limit */
    double warm_up_s;  /* not counted */
    double rate;       /* requests per second; 0: closed loop */
    double twice_spans;
    double twice_requests;
    double pause_ms; /* of a connection that was answered with an error, closed loop */
    uint64_t seed;
    struct traffic_shape shape;
};

/* Sets defaults, then what argv says; exits with the usage when it cannot be read. */
void load_options_read(struct load_options *options, int argc, char *argv[]);

#endif
