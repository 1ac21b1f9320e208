/* HTTP/2 sessions under attack (H2-1..H2-14), their deadlines and their end. */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "support/h2pair.h"

static void flood(const char *why, uint8_t type, uint8_t flags, uint32_t id, size_t len)
{
    struct pair *pair = pair_new();
    struct upload open = {.body = BYTES_LITERAL("1"), .endless = true};
    uint8_t bytes[9 + 8] = {0};
    size_t sent = 0;

    (void)submit(pair, "POST", "/x", NULL, &open);
    pump(pair);
    frame(bytes, len, type, flags, id);
    while (sent < 20000 && pair->up && !http2_done(pair->server)) {
        for (int i = 0; i < 100; i++)
            feed(pair, bytes, 9 + len);
        sent += 100;
        pump(pair);
    }
    /* The library ends some floods in its own way; what counts is that they end soon. */
    if (sent > 5000 || (pair->goaway && pair->goaway_code != NGHTTP2_ENHANCE_YOUR_CALM))
        fail_msg("%s: %zu frames, goaway %d, code %u", why, sent, pair->goaway, pair->goaway_code);
    pair_free(pair);
}

static void ends_floods_of_frames_that_carry_nothing(void **state)
{
    (void)state;
    flood("PING", NGHTTP2_PING, 0, 0, 8);
    flood("PING answers", NGHTTP2_PING, NGHTTP2_FLAG_ACK, 0, 8);
    flood("SETTINGS", NGHTTP2_SETTINGS, 0, 0, 0);
    flood("empty DATA", NGHTTP2_DATA, 0, 1, 0);
    flood("PRIORITY", NGHTTP2_PRIORITY, 0, 1, 5);
}

static void keeps_one_ping_a_second(void **state)
{
    struct pair *pair = pair_new();
    (void)state;

    pump(pair);
    for (int i = 0; i < 100; i++) {
        (void)nghttp2_submit_ping(pair->client, 0, NULL);
        assert_true(tick(pair, 1000));
    }
    assert_true(pair->up && !pair->goaway);
    pair_free(pair);
}

static void ends_rapid_resets(void **state)
{
    struct pair *pair = pair_new();
    size_t streams = 0;
    (void)state;

    pair->hold = true;
    for (; streams < 1900 && pair->up && !pair->goaway; streams++) {
        const int32_t id = submit(pair, "GET", "/x", NULL, NULL);
        pump(pair);
        (void)nghttp2_submit_rst_stream(pair->client, 0, id, NGHTTP2_CANCEL);
        pump(pair);
        if (pair->held_count == HELD_MAX)
            pair_answer(pair); /* the workers are fast; the orphans still count */
    }
    assert_true(pair->goaway);
    assert_true(streams <= 1100);        /* nghttp2's limiter */
    assert_true(pair->delivered <= 450); /* ours: no more work than that was begun */
    pair_free(pair);
}

static void ends_clients_that_make_us_reset_streams(void **state)
{
    struct pair *pair = pair_new();
    size_t streams = 0;
    const char *const wrong[] = {"connection", "close", NULL};
    (void)state;

    for (; streams < 1000 && pair->up && !pair->goaway; streams++) {
        (void)submit(pair, "GET", "/x", wrong, NULL);
        pump(pair);
    }
    assert_true(pair->goaway);
    assert_true(streams <= 150);
    pair_free(pair);
}

static void ends_connections_without_settings(void **state)
{
    struct pair *pair = pair_new();
    (void)state;

    feed(pair, HTTP2_PREFACE, HTTP2_PREFACE_BYTES);
    assert_true(pair->up);
    assert_true(tick(pair, 9000));
    struct pair *quiet = pair_new();
    bool go_on = true;
    feed(quiet, HTTP2_PREFACE, HTTP2_PREFACE_BYTES);
    (void)http2_tick(quiet->server, quiet->now_ns + 10001 * NS_PER_MS, &go_on);
    assert_false(go_on);
    pair_free(quiet);
    pair_free(pair);
}

static void ends_header_blocks_that_never_end(void **state)
{
    struct pair *pair = pair_new();
    uint8_t bytes[10];
    (void)state;

    pump(pair);
    frame(bytes, 1, NGHTTP2_HEADERS, 0, 1); /* no END_HEADERS */
    bytes[9] = 0x82;
    feed(pair, bytes, sizeof(bytes));
    assert_true(tick(pair, 9000));
    assert_false(tick(pair, 2000));
    pair_free(pair);
}

static void refuses_a_wrong_preface(void **state)
{
    struct pair *pair = pair_new();
    (void)state;

    feed(pair, "PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n", HTTP2_PREFACE_BYTES);
    assert_false(pair->up);
    pair_free(pair);
}

static void answers_bodies_that_stop_or_crawl(void **state)
{
    struct pair *pair = pair_new();
    struct upload stopped = {.body = BYTES_LITERAL("1"), .endless = true};
    struct upload crawling = {.body = BYTES_LITERAL("1"), .endless = true};
    (void)state;

    const int32_t a = submit(pair, "POST", "/x", NULL, &stopped);
    const int32_t b = submit(pair, "POST", "/x", NULL, &crawling);
    pump(pair);
    for (int i = 0; i < 29; i++) {
        crawling.at = 0; /* another byte a second: never a pause, never an end (RF-16) */
        (void)nghttp2_session_resume_data(pair->client, b);
        pump(pair);
        assert_true(tick(pair, 1000));
    }
    assert_int_equal(reply_of(pair, a)->status, 0);
    assert_true(tick(pair, 1500));
    assert_int_equal(reply_of(pair, a)->status, 503);
    assert_int_equal(reply_of(pair, b)->status, 503);
    pair_free(pair);
}

static void gives_up_on_windows_that_stay_shut(void **state)
{
    struct pair *pair = pair_new_with(0);
    (void)state;

    const int32_t id = submit(pair, "GET", "/large", NULL, NULL);
    pump(pair);
    assert_int_equal(reply_of(pair, id)->status, 200);
    assert_true(tick(pair, 29000));
    assert_false(reply_of(pair, id)->closed);
    assert_true(tick(pair, 2000));
    assert_true(reply_of(pair, id)->closed);
    assert_int_equal(reply_of(pair, id)->code, NGHTTP2_CANCEL);
    pair_free(pair);
}

static void says_goodbye_when_idle(void **state)
{
    struct pair *pair = pair_new();
    (void)state;

    const int32_t id = submit(pair, "GET", "/x", NULL, NULL);
    pump(pair);
    assert_true(reply_of(pair, id)->closed);
    assert_true(tick(pair, 119000));
    assert_false(tick(pair, 2000));
    assert_true(pair->goaway);
    assert_int_equal(pair->goaway_code, NGHTTP2_NO_ERROR);
    pair_free(pair);
}

static void finishes_open_streams_when_it_drains(void **state)
{
    struct pair *pair = pair_new();
    (void)state;

    pair->hold = true;
    const int32_t id = submit(pair, "GET", "/x", NULL, NULL);
    pump(pair);
    http2_drain(pair->server);
    assert_true(tick(pair, 10));
    assert_true(pair->goaway);
    assert_int_equal(pair->goaway_code, NGHTTP2_NO_ERROR);
    pair_answer(pair);
    pump(pair);
    assert_int_equal(reply_of(pair, id)->status, 200);
    assert_false(tick(pair, 300));
    pair_free(pair);
}

static void gives_up_exchanges_of_a_connection_that_dies(void **state)
{
    struct pair *pair = pair_new();
    struct upload open = {.body = BYTES_LITERAL("abc"), .endless = true};
    (void)state;

    pair->hold = true;
    (void)submit(pair, "GET", "/x", NULL, NULL);
    (void)submit(pair, "POST", "/x", NULL, &open);
    pump(pair);
    http2_free(pair->server);
    pair->server = NULL;
    assert_true(wire_exchange_gone(pair->held[0]));
    pair_free(pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ends_floods_of_frames_that_carry_nothing),
        cmocka_unit_test(keeps_one_ping_a_second),
        cmocka_unit_test(ends_rapid_resets),
        cmocka_unit_test(ends_clients_that_make_us_reset_streams),
        cmocka_unit_test(ends_connections_without_settings),
        cmocka_unit_test(ends_header_blocks_that_never_end),
        cmocka_unit_test(refuses_a_wrong_preface),
        cmocka_unit_test(answers_bodies_that_stop_or_crawl),
        cmocka_unit_test(gives_up_on_windows_that_stay_shut),
        cmocka_unit_test(says_goodbye_when_idle),
        cmocka_unit_test(finishes_open_streams_when_it_drains),
        cmocka_unit_test(gives_up_exchanges_of_a_connection_that_dies),
    };

    return cmocka_run_group_tests_name("http2_attacks", tests, NULL, NULL);
}
