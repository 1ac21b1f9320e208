/*
 * Both ends of an HTTP/2 connection in memory, with a time of their own: the session under test and
 * nghttp2's client. Asserts by cmocka.
 */
#ifndef TESTS_SUPPORT_H2PAIR_H
#define TESTS_SUPPORT_H2PAIR_H

#include <nghttp2/nghttp2.h>

#include "wire/http2.h"

#define REPLIES_MAX 4096
#define HELD_MAX 300

struct reply {
    int status;
    int heads;
    int grpc_status;
    char message[300];
    char details[300];
    char accepts[64];
    uint8_t body[2000];
    size_t body_len;
    bool closed;
    uint32_t code;
};

/* Both ends. */
struct pair {
    struct cfg cfg;
    struct wire_core core;
    struct wire_handlers handlers;
    struct http2 *server;
    nghttp2_session *client;
    int64_t now_ns;
    bool up;   /* the server goes on */
    bool hold; /* answers wait for pair_answer */
    struct wire_exchange *held[HELD_MAX];
    size_t held_count;
    size_t delivered;
    uint32_t goaway_code;
    bool goaway;
    struct reply replies[REPLIES_MAX]; /* by stream id / 2 */
    bool blocked;                      /* the client's body provider waits */
};

struct upload {
    struct bytes body;
    size_t at;
    bool endless;
};

struct pair *pair_new(void);
struct pair *pair_new_with(int32_t client_window_bytes); /* 0: the client takes no DATA */
void pair_free(struct pair *pair); /* fails when a byte is left in the account of bytes in flight */

struct reply *reply_of(struct pair *pair, int32_t id);
/* fields: name, value, …, NULL behind the four pseudo fields. Returns the stream. */
int32_t submit(struct pair *pair, const char *method, const char *path, const char *const fields[],
               struct upload *upload);
void pump(struct pair *pair);                             /* bytes both ways until none is left */
void feed(struct pair *pair, const void *at, size_t len); /* raw bytes to the server */
void take_answers(struct pair *pair);           /* what the handlers answered, as frames */
bool tick(struct pair *pair, int64_t later_ms); /* false: the server wants to end */
void pair_answer(struct pair *pair);            /* answers what is held */
void frame(uint8_t to[9], size_t len, uint8_t type, uint8_t flags, uint32_t id);

#endif
