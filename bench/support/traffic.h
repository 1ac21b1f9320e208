/* Bodies of export requests: made once, then renewed in place before each sending, so that the
 * sender takes little of the machine that is measured. */
#ifndef BENCH_TRAFFIC_H
#define BENCH_TRAFFIC_H

#include "base/bytes.h"

#define TRACE_ID_BYTES 16
#define SPAN_ID_BYTES 8
#define TIME_DIGITS 19

struct traffic_shape {
    uint32_t spans;           /* of one request */
    uint32_t spans_per_trace; /* a root chain, then retriever, model call and tool in turn */
    uint32_t message_bytes;   /* text of a model call's input; its output and the texts of other
                                 spans are half as long */
    uint32_t llm_bytes;       /* text of a model call in all, three quarters of it input; 0: as
                                 message_bytes says */
    uint32_t services;
    double spread_s; /* traces start up to this long before `ago` */
    double ago_s;
    bool one_trace; /* every span of every request belongs to one trace, three levels deep */
    bool json;
};

/* Where the fields stand that change from sending to sending; all have a fixed width. 0: none. */
struct traffic_slot {
    uint32_t trace_id;
    uint32_t span_id;
    uint32_t parent_id;
    uint32_t start;
    uint32_t end;
    uint32_t session;
    uint32_t user;
    uint32_t response;
};

struct traffic_body {
    struct buf bytes;
    struct traffic_slot *slots; /* one per span, in order */
    uint32_t count;
    uint64_t sequence;    /* of the request, set before renewing: place in the one trace */
    bool acknowledged;    /* as it stands now it was stored: its spans may be sent again */
    uint8_t first_id[16]; /* trace id of the first trace */
};

/* Deterministic numbers (splitmix64). */
uint64_t traffic_random(uint64_t *seed);

static inline uint32_t traffic_below(uint64_t *seed, uint32_t bound)
{
    return (uint32_t)(traffic_random(seed) % bound);
}

/* number chooses the service. Exits the program when memory is out. */
void traffic_build(const struct traffic_shape *shape, uint64_t *seed, uint32_t number,
                   struct traffic_body *out_body);
void traffic_done(struct traffic_body *body);

/* Gives the spans new ids and times. Of a body that was acknowledged, about the share `kept` of the
 * spans stays as it was: those are sent a second time. Returns their number. */
uint32_t traffic_renew(const struct traffic_shape *shape, uint64_t *seed, double kept,
                       struct traffic_body *body);

#endif
