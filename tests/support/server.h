/* The real binary as a child process: `spanledger serve` on ports of its own with a throw-away data
 * directory, or on a database that the test names. */
#ifndef TESTS_SUPPORT_SERVER_H
#define TESTS_SUPPORT_SERVER_H

#include <stdio.h>
#include <sys/types.h>

#include "base/bytes.h"

#define SERVER_MAX_FLAGS 24

struct server {
    pid_t pid; /* 0: not running */
    uint16_t http_port;
    uint16_t grpc_port;
    char data_dir[128]; /* made by server_prepare, removed by server_remove */
    char log_path[160]; /* what it wrote to stdout and stderr, over all its starts */
    const char *flags[SERVER_MAX_FLAGS + 1];
    int64_t started_ms; /* mono_ms of the last start */
    long log_from;      /* where the last start began in the log */
};

/* Path of the binary under test. */
void server_program(char *to, size_t to_bytes);
/* Makes the data directory. flags: further words of the command line, NULL-terminated, borrowed as
 * long as the server lives; NULL: none. With a "--db" among them no embedded database is made. */
void server_prepare(struct server *server, const char *const flags[]);

/* Starts it and waits until both addresses are printed and /readyz answers 200 (at most 60 s).
 * False: it exited or never became ready; server_log_tail says why. Nothing asserts. */
bool server_start(struct server *server);
/* Only starts it; the ports are those of the last start or 0. */
bool server_spawn(struct server *server);
/* Waits for the two addresses in the log (not for readiness). */
bool server_wait_ports(struct server *server, int wait_ms);
bool server_wait_ready(struct server *server, int wait_ms);

/* SIGTERM, waits; the exit status as waitpid gives it, -1 when it did not end within wait_ms. */
int server_stop(struct server *server, int wait_ms);
void server_kill(struct server *server); /* SIGKILL to the server alone; its database lives on */
bool server_lives(struct server *server);

/* Ends server and database, removes the directory. Safe in any state. */
void server_remove(struct server *server);

/* Main process of the embedded database; 0: none runs. */
pid_t server_database_pid(const struct server *server);

/* libpq connection string of the database it uses: --db or the embedded one; false: none runs. */
bool server_conninfo(const struct server *server, char *to, size_t to_bytes);

void server_log_tail(const struct server *server, FILE *to);
/* Resident memory of the process in KiB; field: "VmRSS" or "VmHWM". 0: unknown. */
long server_memory_kib(const struct server *server, const char *field);

/* For cmocka groups: prepares and starts, prints the log when that fails. */
bool server_up(struct server *server, const char *const flags[]);

#endif
