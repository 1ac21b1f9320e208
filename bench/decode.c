/*
 * decode: nanoseconds per span on one core of every step between a request's body and the bytes of COPY: guard,
 * protobuf (guard included), ids and rows, what they mean and cost, COPY's encoding; the same for JSON, with the reader alone beside
 * jansson on the same body; and the head of an HTTP/1.1 request.
 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/json_read.h"
#include "otlp/decode.h"
#include "otlp/guard.h"
#include "otlp/stored.h"
#include "store/pgcopy.h"
#include "support/figures.h"
#include "support/jansson_read.h"
#include "support/traffic.h"
#include "wire/http1.h"
#include "work/ingest_meaning.h"

#define ARENA_BYTES ((size_t)512 << 20)

static const struct otlp_limits limits = {.max_depth = 64, .max_attributes = 10000};

struct bench {
    struct bytes body;
    bool json;
    struct arena arena;
    struct buf rows;
    struct ingest_meaning meaning;
    uint32_t spans;
};

static void fail(const struct err *err)
{
    (void)fprintf(stderr, "decode: %s\n", err->text);
    exit(2);
}

static void step_guard(struct bench *b)
{
    struct err err = {0};
    struct bytes clean;

    if (!otlp_guard(b->body, &b->arena, &clean, &err))
        fail(&err);
}

static void decode(struct bench *b, struct span_array *out_spans)
{
    struct err err = {0};

    if (!(b->json ? otlp_from_json : otlp_from_protobuf)(b->body, &limits, &b->arena, out_spans,
                                                         &err))
        fail(&err);
}

static void step_decode(struct bench *b)
{
    struct span_array spans = {0};
    decode(b, &spans);
}

/* How far make_rows goes. */
enum { ROWS, MEANINGS, ENCODED };

static void make_rows(struct bench *b, int how_far)
{
    struct err err = {0};
    struct span_array spans = {0};
    struct otlp_to_stored maker;

    decode(b, &spans);
    otlp_to_stored_init(&maker, &b->arena, TENANT_DEFAULT, clock_wall_ns());
    buf_clear(&b->rows);
    for (size_t i = 0; i < spans.count; i++) {
        struct stored_span *row = arena_new(&b->arena, struct stored_span);
        if (row == NULL || !otlp_check_span(&spans.items[i], &b->arena) ||
            !otlp_to_stored(&maker, &spans.items[i], row, &err))
            fail(&err);
        if (how_far >= MEANINGS &&
            !ingest_meaning_fill(&b->meaning, &spans.items[i], row, &b->arena, &err))
            fail(&err);
        if (how_far >= ENCODED)
            pgcopy_span(&b->rows, row);
    }
    otlp_to_stored_done(&maker);
}

static void step_rows(struct bench *b)
{
    make_rows(b, ROWS);
}

static void step_meanings(struct bench *b)
{
    make_rows(b, MEANINGS);
}

static void step_encode(struct bench *b)
{
    make_rows(b, ENCODED);
}

static void step_read_json(struct bench *b)
{
    struct err err = {0};
    struct json_reader reader;
    enum json_token token = JSON_NULL;

    json_reader_init(&reader, b->body, &b->arena);
    while (token != JSON_END)
        if (!json_next(&reader, &token, &err))
            fail(&err);
}

static void step_jansson(struct bench *b)
{
    if (!jansson_reads(b->body))
        exit(2);
}

/* Best of the rounds: what the code costs, without what else the machine did. */
static double best_ns(struct bench *b, void (*step)(struct bench *), int rounds)
{
    int64_t best = INT64_MAX;

    for (int i = 0; i < rounds; i++) {
        arena_reset(&b->arena);
        b->arena.max_bytes = ARENA_BYTES;
        const int64_t start = clock_mono_ns();
        step(b);
        const int64_t took = clock_mono_ns() - start;
        best = took < best ? took : best;
    }
    return (double)best;
}

static void print(const struct bench *b, const char *name, double ns)
{
    (void)printf("%s ns_per_span %.0f mb_per_s %.0f\n", name, ns / b->spans,
                 (double)b->body.len * 1e3 / ns);
}

static void print_http1(int rounds)
{
    static const char sent[] =
        "POST /v1/traces HTTP/1.1\r\nHost: 127.0.0.1:4318\r\n"
        "User-Agent: OTel-OTLP-Exporter-Python/1.38.0\r\nAccept-Encoding: gzip, deflate\r\n"
        "Accept: */*\r\nConnection: keep-alive\r\nContent-Type: application/x-protobuf\r\n"
        "Content-Length: 378123\r\n\r\n";
    const size_t len = sizeof(sent) - 1;
    uint8_t head[sizeof(sent)];
    struct http_request request = {0};
    struct err err = {0};
    int64_t best = INT64_MAX;

    for (int i = 0; i < rounds * 10; i++) {
        const int64_t start = clock_mono_ns();
        for (int k = 0; k < 10; k++) {
            struct http1_scan scan = {0};
            struct http1_head parsed;
            size_t end = 0;
            request.header_count = 0;
            memcpy(head, sent, sizeof(head)); /* names are made lower case in place */
            if (!http1_scan(&scan, (struct bytes){head, len}, &end, &err) ||
                !http1_parse(head, end, &request, &parsed, &err))
                fail(&err);
        }
        const int64_t took = (clock_mono_ns() - start) / 10;
        best = took < best ? took : best;
    }
    (void)printf("http1_head ns_per_head %ld mb_per_s %.0f\n", best,
                 (double)len * 1e3 / (double)best);
}

int main(int argc, char *argv[])
{
    const int rounds = argc > 1 ? (int)figures_number("rounds", argv[1]) : 400;
    struct traffic_shape shape = {
        .spans = 500, .spans_per_trace = 10, .message_bytes = 400, .services = 8, .spread_s = 60};

    /* Memory stays with the process: neither side pays for fresh pages again and again. */
    (void)mallopt(M_TRIM_THRESHOLD, 1 << 30);
    (void)mallopt(M_MMAP_THRESHOLD, 1 << 30);
    for (int json = 0; json <= 1; json++) {
        struct bench b = {.json = json, .spans = shape.spans};
        struct traffic_body body;
        struct err err = {0};
        uint64_t seed = 42;

        shape.json = json;
        traffic_build(&shape, &seed, 0, &body);
        (void)traffic_renew(&shape, &seed, 0, &body);
        b.body = buf_bytes(&body.bytes);
        arena_init(&b.arena, ARENA_BYTES);
        buf_init(&b.rows, ARENA_BYTES);
        ingest_meaning_init(&b.meaning, NULL);
        if (!prices_embedded(&b.meaning.prices, &err))
            fail(&err);
        if (!json)
            print(&b, "protobuf_guard", best_ns(&b, step_guard, rounds));
        else
            print(&b, "json_read", best_ns(&b, step_read_json, rounds));
        if (json && jansson_is_here())
            print(&b, "json_jansson", best_ns(&b, step_jansson, rounds));
        print(&b, json ? "json_decode" : "protobuf_decode", best_ns(&b, step_decode, rounds));
        print(&b, json ? "json_decode_rows" : "protobuf_decode_rows",
              best_ns(&b, step_rows, rounds));
        print(&b, json ? "json_decode_rows_meanings" : "protobuf_decode_rows_meanings",
              best_ns(&b, step_meanings, rounds));
        print(&b, json ? "json_decode_rows_encode" : "protobuf_decode_rows_encode",
              best_ns(&b, step_encode, rounds));
        arena_done(&b.arena);
        buf_done(&b.rows);
        prices_unref(b.meaning.prices);
        ingest_meaning_done(&b.meaning);
        traffic_done(&body);
    }
    print_http1(rounds);
    return 0;
}
