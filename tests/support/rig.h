/*
 * A wire server in a thread of its own, with an echo handler whose answers may wait, and a raw
 * client. Asserts by cmocka.
 *
 *   GET|POST path     "METHOD path body"
 *   /length           the body's length instead of the body
 *   /large?N          N bytes of 'x'
 *   /held             with rig->hold: answered by rig_release, from the test's thread
 *   /refused          401 before the body;   /small: at most 10 bytes of body
 */
#ifndef TESTS_SUPPORT_RIG_H
#define TESTS_SUPPORT_RIG_H

#include <pthread.h>

#include "wire/server.h"

#define RIG_HELD_MAX 512
#define RIG_WAIT_MS 5000

/* A server in a thread of its own; answers at once, or when the test says so. */
struct rig {
    struct cfg cfg;
    struct wire_handlers handlers;
    struct wire_server *server;
    pthread_t io;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct wire_exchange *held[RIG_HELD_MAX];
    size_t held_count;
    bool hold; /* requests to /held wait for rig_release; set before requests */
};

struct cfg rig_defaults(void); /* of cfg.def, on a free port of 127.0.0.1, no gRPC port */
struct rig *rig_start(void);
struct rig *rig_start_with(struct cfg cfg);
/* Fails when a byte or a connection is left in the gauges. */
void rig_stop(struct rig *rig);
uint16_t rig_port(const struct rig *rig);
void rig_wait_held(struct rig *rig, size_t count);
void rig_release(struct rig *rig); /* answers all that are held */

int dial(const struct rig *rig);
void dial_with(const struct rig *rig, int fd); /* connects a socket that is there */
void send_text(int fd, const char *text);
/* Reads until `until` was seen, or with NULL until the end. Returns whether it was. */
bool read_until(int fd, const char *until, char *to, size_t to_bytes);
void expect(int fd, const char *until);
void expect_end(int fd); /* the server closes; what it said before does not matter */

#endif
