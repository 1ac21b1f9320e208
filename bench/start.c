/*
 * start: starts a server and prints how long it took from fork to the first accepted span, and from SIGTERM to
 * its end.
 *
 *   start PORT PROGRAM [ARGUMENT ...]
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "support/client.h"
#include "support/figures.h"
#include "support/traffic.h"

#define PATIENCE_NS (60 * NS_PER_S)

int main(int argc, char *argv[])
{
    const struct traffic_shape shape = {
        .spans = 1, .spans_per_trace = 1, .message_bytes = 400, .services = 1, .spread_s = 1};
    const struct timespec pause = {0, NS_PER_MS};
    struct traffic_body body;
    struct client client;
    struct bytes answer;
    char head[256];
    uint64_t seed = (uint64_t)clock_wall_ns();

    if (argc < 3) {
        (void)fputs("start PORT PROGRAM [ARGUMENT ...]\n", stderr);
        return 2;
    }
    client_init(&client, "127.0.0.1", (uint16_t)figures_number("PORT", argv[1]));
    traffic_build(&shape, &seed, 0, &body);
    (void)traffic_renew(&shape, &seed, 0, &body);
    const int len = snprintf(head, sizeof(head),
                             "POST /v1/traces HTTP/1.1\r\nHost: bench\r\nContent-Type: "
                             "application/x-protobuf\r\nContent-Length: %zu\r\n\r\n",
                             body.bytes.len);
    const int64_t start_ns = clock_mono_ns();
    const pid_t child = fork();
    if (child < 0)
        return 2;
    if (child == 0) {
        (void)execv(argv[2], argv + 2);
        _exit(127);
    }
    unsigned status = 0;
    while (status != 200 && clock_mono_ns() - start_ns < PATIENCE_NS &&
           waitpid(child, NULL, WNOHANG) == 0) {
        status = client_ask(&client, (struct bytes){(const uint8_t *)head, (size_t)len},
                            buf_bytes(&body.bytes), &answer);
        if (status != 200)
            (void)nanosleep(&pause, NULL);
    }
    const int64_t accepted_ns = clock_mono_ns();
    client_done(&client);
    (void)kill(child, SIGTERM);
    (void)waitpid(child, NULL, 0);
    traffic_done(&body);
    if (status != 200)
        return 1;
    (void)printf("first_span_ms %.1f stop_ms %.1f\n", (double)(accepted_ns - start_ns) / 1e6,
                 (double)(clock_mono_ns() - accepted_ns) / 1e6);
    return 0;
}
