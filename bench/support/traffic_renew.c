/* New ids and times for a body that is there. */
#include "base/clock.h"
#include "base/text.h"
#include "support/traffic.h"

#define SESSION_DIGITS 5
#define USER_DIGITS 4
#define RESPONSE_DIGITS 16

static void put_id(struct traffic_body *body, uint32_t at, const uint8_t *id, size_t width,
                   bool json)
{
    if (json)
        text_hex((struct bytes){id, width}, (char *)body->bytes.at + at);
    else
        memcpy(body->bytes.at + at, id, width);
}

static void put_digits(uint8_t *to, uint64_t value, size_t width)
{
    for (size_t i = width; i > 0; i--, value /= 10)
        to[i - 1] = (uint8_t)('0' + value % 10);
}

static void put_time(struct traffic_body *body, uint32_t at, uint64_t unix_nano, bool json)
{
    if (json)
        put_digits(body->bytes.at + at, unix_nano, TIME_DIGITS);
    else
        memcpy(body->bytes.at + at, &unix_nano, sizeof(unix_nano));
}

struct renewal {
    uint8_t trace_id[TRACE_ID_BYTES];
    uint8_t root_id[SPAN_ID_BYTES];
    uint64_t start_ns;
    uint32_t session;
    uint32_t user;
};

static void renew_trace(const struct traffic_shape *shape, uint64_t *seed, uint64_t now_ns,
                        struct renewal *trace)
{
    const uint64_t high = traffic_random(seed) | 1;
    const uint64_t low = traffic_random(seed) | 1;
    const double part = (double)traffic_below(seed, 1000000) / 1e6;

    memcpy(trace->trace_id, &high, sizeof(high));
    memcpy(trace->trace_id + sizeof(high), &low, sizeof(low));
    trace->start_ns = now_ns - (uint64_t)((part * shape->spread_s + shape->ago_s + 8) * 1e9);
    trace->session = traffic_below(seed, 20000);
    trace->user = traffic_below(seed, 5000);
}

static void renew_span(const struct traffic_shape *shape, uint64_t *seed, uint32_t position,
                       struct renewal *trace, struct traffic_body *body, struct traffic_slot *slot)
{
    const uint64_t span_id = traffic_random(seed) | 1;
    const uint64_t start = trace->start_ns + (uint64_t)position * 20000000;
    const uint64_t end = position == 0 ? start + UINT64_C(6000000000)
                                       : start + 20000000 + traffic_random(seed) % 900000000;
    uint8_t id[SPAN_ID_BYTES];

    memcpy(id, &span_id, sizeof(id));
    if (position == 0)
        memcpy(trace->root_id, id, sizeof(id));
    put_id(body, slot->trace_id, trace->trace_id, TRACE_ID_BYTES, shape->json);
    put_id(body, slot->span_id, id, SPAN_ID_BYTES, shape->json);
    if (slot->parent_id > 0)
        put_id(body, slot->parent_id, trace->root_id, SPAN_ID_BYTES, shape->json);
    put_time(body, slot->start, start, shape->json);
    put_time(body, slot->end, end, shape->json);
    put_digits(body->bytes.at + slot->session, trace->session, SESSION_DIGITS);
    put_digits(body->bytes.at + slot->user, trace->user, USER_DIGITS);
    if (slot->response > 0)
        put_digits(body->bytes.at + slot->response, span_id, RESPONSE_DIGITS);
}

/* Spans of one trace over many requests: a root, below it heads of groups, below each its group. */
static void renew_one_trace(const struct traffic_shape *shape, uint64_t *seed,
                            struct traffic_body *body)
{
    static const uint8_t none[SPAN_ID_BYTES];
    static struct renewal trace;
    static uint8_t root_id[SPAN_ID_BYTES];

    if (trace.start_ns == 0)
        renew_trace(shape, seed, (uint64_t)clock_wall_ns(), &trace);
    memcpy(body->first_id, trace.trace_id, sizeof(body->first_id));
    for (uint32_t i = 0; i < body->count; i++) {
        const uint64_t place = body->sequence * body->count + i;
        const uint32_t position = i % shape->spans_per_trace;
        struct renewal at = trace;

        at.start_ns += place * 1000000;
        memcpy(at.root_id, trace.root_id, sizeof(at.root_id));
        renew_span(shape, seed, position, &at, body, &body->slots[i]);
        if (position == 0) {
            memcpy(trace.root_id, at.root_id, sizeof(trace.root_id));
            if (place == 0)
                memcpy(root_id, at.root_id, sizeof(root_id));
            put_id(body, body->slots[i].parent_id, place == 0 ? none : root_id, SPAN_ID_BYTES,
                   shape->json);
        }
    }
}

uint32_t traffic_renew(const struct traffic_shape *shape, uint64_t *seed, double kept,
                       struct traffic_body *body)
{
    const uint64_t now_ns = (uint64_t)clock_wall_ns();
    /* Roots are never kept: the new children would hang from a span that is not there. */
    const double share = kept * shape->spans_per_trace / (shape->spans_per_trace - 1.0);
    const uint32_t threshold =
        body->acknowledged && shape->spans_per_trace > 1 ? (uint32_t)(share * 1e6) : 0;
    struct renewal trace = {.start_ns = 0};
    uint32_t kept_count = 0;

    if (shape->one_trace) {
        renew_one_trace(shape, seed, body);
        return 0;
    }
    for (uint32_t i = 0; i < body->count; i++) {
        const uint32_t position = i % shape->spans_per_trace;
        if (position == 0)
            renew_trace(shape, seed, now_ns, &trace);
        if (i == 0)
            memcpy(body->first_id, trace.trace_id, sizeof(body->first_id));
        if (position > 0 && threshold > 0 && traffic_below(seed, 1000000) < threshold) {
            kept_count++;
            continue;
        }
        renew_span(shape, seed, position, &trace, body, &body->slots[i]);
    }
    return kept_count;
}
