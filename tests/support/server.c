/* The real binary as a child process. */
#include "support/server.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/cfg.h"
#include "store/embedded.h"
#include "support/client.h"
#include "support/number.h"

#define READY_WAIT_MS 60000

/* tests lie in build[/VARIANT]/tests/, the binary one folder above them. */
void server_program(char *to, size_t to_bytes)
{
    const char *given = getenv("TEST_BIN");
    char self[512];
    ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

    if (given) {
        (void)snprintf(to, to_bytes, "%s", given);
        return;
    }
    self[n > 0 ? n : 0] = '\0';
    for (int up = 0; up < 2; up++) {
        char *slash = strrchr(self, '/');
        if (slash)
            *slash = '\0';
    }
    (void)snprintf(to, to_bytes, "%s/spanledger", self);
}

void server_prepare(struct server *server, const char *const flags[])
{
    size_t n = 0;

    *server = (struct server){0};
    const char *below = getenv("TMPDIR");
    (void)snprintf(server->data_dir, sizeof(server->data_dir), "%s/server-XXXXXX",
                   below ? below : "/tmp");
    if (!mkdtemp(server->data_dir))
        server->data_dir[0] = '\0';
    /* As root, the database runs as user postgres and must get through. */
    (void)chmod(server->data_dir, 0755);
    (void)snprintf(server->log_path, sizeof(server->log_path), "%s/server.log", server->data_dir);
    for (; flags && flags[n] && n < SERVER_MAX_FLAGS; n++)
        server->flags[n] = flags[n];
}

static const char *flag_value(const struct server *server, const char *name)
{
    for (size_t i = 0; server->flags[i]; i++)
        if (strcmp(server->flags[i], name) == 0)
            return server->flags[i + 1];
    return NULL;
}

static void exec_server(const struct server *server)
{
    char binary[600], data[160];
    const char *argv[SERVER_MAX_FLAGS + 12];
    size_t n = 0;
    int log = open(server->log_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);

    (void)dup2(log, STDOUT_FILENO);
    (void)dup2(log, STDERR_FILENO);
    server_program(binary, sizeof(binary));
    (void)snprintf(data, sizeof(data), "%s/data", server->data_dir);
    argv[n++] = binary;
    argv[n++] = "serve";
    if (!flag_value(server, "--listen")) {
        argv[n++] = "--listen";
        argv[n++] = "127.0.0.1:0";
    }
    if (!flag_value(server, "--grpc-listen")) {
        argv[n++] = "--grpc-listen";
        argv[n++] = "127.0.0.1:0";
    }
    argv[n++] = "--data-dir";
    argv[n++] = data;
    for (size_t i = 0; server->flags[i]; i++)
        argv[n++] = server->flags[i];
    argv[n] = NULL;
    /* A developer's own settings and databases stay out of the tests. */
    static const char *const ours[] = {"PGHOST", "PGPORT", "PGDATABASE", "PGUSER", "PGSERVICE"};
    for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
        (void)unsetenv(ours[i]);
    execv(binary, (char **)(uintptr_t)argv);
    (void)fprintf(stderr, "cannot start %s\n", binary);
    _exit(127);
}

bool server_spawn(struct server *server)
{
    struct stat log;

    server->log_from = stat(server->log_path, &log) == 0 ? (long)log.st_size : 0;
    server->started_ms = mono_ms();
    (void)fflush(NULL);
    server->pid = fork();
    if (server->pid == 0) {
        /* A test that dies must not leave its server behind. */
        (void)prctl(PR_SET_PDEATHSIG, SIGTERM);
        exec_server(server);
    }
    return server->pid > 0;
}

bool server_lives(struct server *server)
{
    if (server->pid <= 0)
        return false;
    if (waitpid(server->pid, NULL, WNOHANG) == 0)
        return true;
    server->pid = 0;
    return false;
}

/* The port behind `key` in the log of this start; 0: not printed yet. */
static uint16_t port_behind(const char *log, const char *key)
{
    const char *at = strstr(log, key);

    return at ? (uint16_t)number_at(at + strlen(key)) : 0;
}

static bool log_of_start(const struct server *server, struct buf *out)
{
    struct buf all;

    buf_init(&all, (size_t)256 << 20);
    bool ok = file_read(server->log_path, &all) && (size_t)server->log_from <= all.len;
    if (ok)
        buf_add(out, all.at + server->log_from, all.len - (size_t)server->log_from);
    buf_add_byte(out, 0);
    buf_done(&all);
    return ok;
}

bool server_wait_ports(struct server *server, int wait_ms)
{
    for (int64_t until_ms = mono_ms() + wait_ms; mono_ms() < until_ms && server_lives(server);) {
        struct buf log;
        buf_init(&log, (size_t)256 << 20);
        bool read = log_of_start(server, &log);
        uint16_t http = read ? port_behind((char *)log.at, "http=127.0.0.1:") : 0;
        uint16_t grpc = read ? port_behind((char *)log.at, "grpc=127.0.0.1:") : 0;
        buf_done(&log);
        if (http) {
            server->http_port = http;
            server->grpc_port = grpc;
            return true;
        }
        (void)usleep(10000);
    }
    return false;
}

bool server_wait_ready(struct server *server, int wait_ms)
{
    for (int64_t until_ms = mono_ms() + wait_ms; mono_ms() < until_ms && server_lives(server);) {
        struct reply reply;
        reply_init(&reply);
        http_get(server->http_port, "/readyz", &reply);
        bool ready = reply.status == 200;
        reply_done(&reply);
        if (ready)
            return true;
        (void)usleep(10000);
    }
    return false;
}

bool server_start(struct server *server)
{
    return server_spawn(server) && server_wait_ports(server, READY_WAIT_MS) &&
           server_wait_ready(server, READY_WAIT_MS);
}

int server_stop(struct server *server, int wait_ms)
{
    int status = -1;

    if (server->pid <= 0)
        return -1;
    (void)kill(server->pid, SIGTERM);
    for (int64_t until_ms = mono_ms() + wait_ms; mono_ms() < until_ms;) {
        if (waitpid(server->pid, &status, WNOHANG) == server->pid) {
            server->pid = 0;
            return status;
        }
        (void)usleep(5000);
    }
    return -1;
}

void server_kill(struct server *server)
{
    if (server->pid <= 0)
        return;
    (void)kill(server->pid, SIGKILL);
    (void)waitpid(server->pid, NULL, 0);
    server->pid = 0;
}

static int remove_entry(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    (void)st;
    (void)kind;
    (void)at;
    return remove(path) == 0 || errno == ENOENT ? 0 : -1;
}

/* The first line of the postmaster.pid below the data directory; 0: no database. */
static pid_t database_pid;
static char database_socket_dir[128]; /* its fifth line */

static void keep_line(const char *text, int number, char *to, size_t to_bytes)
{
    for (; number > 1 && text; number--) {
        text = strchr(text, '\n');
        text = text ? text + 1 : NULL;
    }
    (void)snprintf(to, to_bytes, "%.*s", text ? (int)strcspn(text, "\n") : 0, text ? text : "");
}

static int find_database(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    (void)st;
    if (kind == FTW_F && strcmp(path + at->base, "postmaster.pid") == 0) {
        struct buf text;
        buf_init(&text, 4096);
        if (file_read(path, &text)) {
            buf_add_byte(&text, 0);
            database_pid = (pid_t)number_at((char *)text.at);
            keep_line((char *)text.at, 5, database_socket_dir, sizeof(database_socket_dir));
        }
        buf_done(&text);
    }
    return 0;
}

pid_t server_database_pid(const struct server *server)
{
    database_pid = 0;
    (void)nftw(server->data_dir, find_database, 16, FTW_PHYS);
    return database_pid;
}

static void end_database(const struct server *server)
{
    const pid_t pid = server_database_pid(server);

    if (pid <= 1)
        return;
    (void)kill(pid, SIGQUIT);
    for (int i = 0; i < 1000 && kill(pid, 0) == 0; i++)
        (void)usleep(10000);
    (void)rmdir(database_socket_dir); /* what the server would have done */
}

/* A sanitizer's report in the log of a server fails the whole program, whatever the tests saw. */
static void fail_on_reports(const struct server *server)
{
    static const char *const words[] = {"ERROR: AddressSanitizer", "ERROR: LeakSanitizer",
                                        "runtime error: ", "WARNING: ThreadSanitizer"};
    struct buf log;
    const char *found = NULL;

    buf_init(&log, (size_t)256 << 20);
    if (file_read(server->log_path, &log)) {
        buf_add_byte(&log, 0);
        for (size_t i = 0; i < sizeof(words) / sizeof(words[0]) && !found; i++)
            found = strstr((const char *)log.at, words[i]);
    }
    if (found) {
        (void)fprintf(stderr, "%.6000s\nthe server has a sanitizer's report\n", found);
        _exit(99);
    }
    buf_done(&log);
}

void server_remove(struct server *server)
{
    if (server_lives(server) && server_stop(server, 15000) == -1)
        server_kill(server);
    if (server->data_dir[0])
        fail_on_reports(server);
    if (!server->data_dir[0])
        return;
    end_database(server);
    (void)nftw(server->data_dir, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    server->data_dir[0] = '\0';
}

bool server_conninfo(const struct server *server, char *to, size_t to_bytes)
{
    const char *db = flag_value(server, "--db");
    char data[160];
    const struct timespec pause = {.tv_nsec = 50000000};
    struct cfg cfg = {0};
    struct err err;

    if (db) {
        (void)snprintf(to, to_bytes, "%s", db);
        return true;
    }
    (void)snprintf(data, sizeof(data), "%s/data", server->data_dir);
    cfg.data_dir = data;
    cfg.pg_bin_dir = "";
    /* One that was killed may just be starting again. */
    for (int tries = 0; tries < 200; tries++) {
        if (embedded_find(&cfg, to, to_bytes, &err))
            return true;
        (void)nanosleep(&pause, NULL);
    }
    (void)fprintf(stderr, "%s\n", err.text);
    return false;
}

void server_log_tail(const struct server *server, FILE *to)
{
    struct buf log;

    buf_init(&log, (size_t)256 << 20);
    if (file_read(server->log_path, &log)) {
        size_t from = log.len > 4000 ? log.len - 4000 : 0;
        (void)fprintf(to, "--- %s\n%.*s---\n", server->log_path, (int)(log.len - from),
                      (char *)log.at + from);
    }
    buf_done(&log);
}

long server_memory_kib(const struct server *server, const char *field)
{
    char path[64], line[256];
    long kib = 0;

    (void)snprintf(path, sizeof(path), "/proc/%d/status", (int)server->pid);
    FILE *f = fopen(path, "re");
    while (f && fgets(line, sizeof(line), f))
        if (strncmp(line, field, strlen(field)) == 0 && line[strlen(field)] == ':')
            kib = (long)number_at(line + strlen(field) + 1);
    if (f)
        (void)fclose(f);
    return kib;
}

bool server_up(struct server *server, const char *const flags[])
{
    server_prepare(server, flags);
    if (server_start(server))
        return true;
    server_log_tail(server, stderr);
    return false;
}
