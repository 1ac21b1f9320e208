/*
 * The private PostgreSQL cluster: started, taken over, watched, stopped.
 *
 * DESIGN: the postmaster is our child, or — taken over from a server that was killed — an orphan
 * that runs in the same data directory. It outlives us on purpose when we are killed: its sessions
 * end within a second, and the next start finds a warm database. Only the holder of the data
 * directory's lock starts or stops it.
 */
#include "store/embedded.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "store/db.h"
#include "store/home.h"

#define POLL_NS 2000000L
#define TAKE_OVER_MS 2500 /* a killed server's database answers within this long, or is ended */
#define READY_TIMEOUT_MS 600000 /* recovery after a crash replays up to 4 GB */
#define STOP_TIMEOUT_MS 60000
#define QUIT_TIMEOUT_MS 1500
#define CONNINFO_BYTES 320

struct embedded {
    struct home home;
    pid_t pid;
    bool is_child; /* else an orphan that was taken over */
    char conninfo[CONNINFO_BYTES];
};

static void nap(void)
{
    const struct timespec pause = {.tv_nsec = POLL_NS};

    (void)nanosleep(&pause, NULL);
}

static void render_conninfo(char *to, size_t to_bytes, const char *socket_dir, int port,
                            const char *database)
{
    /* options='': PGOPTIONS of the caller's environment is not for this database. */
    (void)snprintf(to, to_bytes,
                   "host=%s port=%d user=spanledger dbname=%s sslmode=disable gssencmode=disable "
                   "options=''",
                   socket_dir, port, database);
}

/* Whether the postmaster has ended. how: text for a message. */
static bool has_ended(const struct embedded *e, int64_t timeout_ms, char *how, size_t how_bytes)
{
    const int64_t deadline = clock_mono_ns() + timeout_ms * NS_PER_MS;
    int status = 0;

    if (e->is_child) {
        if (!proc_ended(e->pid, timeout_ms, &status))
            return false;
        (void)proc_status_text(status, how, how_bytes);
        return true;
    }
    (void)snprintf(how, how_bytes, "not our child");
    while (postmaster_runs(e->pid, e->home.cluster_dir)) {
        if (clock_mono_ns() >= deadline)
            return false;
        nap();
    }
    return true;
}

static bool answers(const struct postmaster *postmaster)
{
    char conninfo[CONNINFO_BYTES];
    struct db db;
    struct err ignored;

    render_conninfo(conninfo, sizeof(conninfo), postmaster->socket_dir, postmaster->port,
                    "postgres");
    /* The shortest that libpq knows: a database that hangs must not hold up the start. */
    (void)snprintf(conninfo + strlen(conninfo), sizeof(conninfo) - strlen(conninfo),
                   " connect_timeout=2");
    if (!db_open(&db, conninfo, DB_ADMIN, 0, &ignored))
        return false;
    db_close(&db);
    return true;
}

static void end_by_force(const struct embedded *e)
{
    char how[32];

    (void)kill(e->pid, SIGQUIT); /* immediate shutdown: recovery repairs, as after a crash */
    if (has_ended(e, QUIT_TIMEOUT_MS, how, sizeof(how)))
        return;
    (void)kill(e->pid, SIGKILL);
    (void)!has_ended(e, QUIT_TIMEOUT_MS, how, sizeof(how));
}

/*
 * Looks for the database of a server that was killed. True: one runs and is ours now (perhaps still
 * in its recovery). False: none runs any more.
 */
static bool take_over(struct embedded *e)
{
    const int64_t deadline = clock_mono_ns() + TAKE_OVER_MS * NS_PER_MS;
    struct postmaster found = {.pid = 0};

    e->is_child = false;
    do {
        if (!postmaster_read(e->home.cluster_dir, &found) ||
            !postmaster_runs(found.pid, e->home.cluster_dir)) {
            postmaster_disown(e->home.cluster_dir);
            return false;
        }
        e->pid = found.pid;
        if (found.ready && answers(&found))
            return true;
        nap();
    } while (clock_mono_ns() < deadline);
    if (!found.ready && !found.stopping)
        return true;
    /* It hangs, its socket is gone, or its last checkpoint takes long. */
    end_by_force(e);
    postmaster_disown(e->home.cluster_dir);
    return false;
}

static bool launch(struct embedded *e, struct err *err)
{
    char program[PROGRAMS_PATH_BYTES + 16];
    char port[16];
    const char *const argv[] = {
        program, "-D", ".", "-k", e->home.socket_dir, "-p", port, "-c", "listen_addresses=", NULL};
    const struct proc_spec spec = {.argv = argv,
                                   .directory = e->home.cluster_dir,
                                   .output_fd = e->home.log_fd,
                                   .user = e->home.user};

    (void)snprintf(program, sizeof(program), "%s/postgres", e->home.programs.bin_dir);
    (void)snprintf(port, sizeof(port), "%d", HOME_PORT);
    e->is_child = true;
    home_clear_sockets(&e->home);
    return proc_start(&spec, &e->pid, err);
}

static bool wait_ready(struct embedded *e, struct err *err)
{
    const int64_t deadline = clock_mono_ns() + READY_TIMEOUT_MS * NS_PER_MS;
    struct postmaster found;
    char line[160];
    char how[32];

    for (;;) {
        if (postmaster_read(e->home.cluster_dir, &found) && found.pid == e->pid && found.ready &&
            answers(&found))
            break;
        if (has_ended(e, 0, how, sizeof(how)))
            return err_set(err, ERR_UNAVAILABLE, "the database did not start (%s): %s", how,
                           home_last_log_line(&e->home, line, sizeof(line)));
        if (clock_mono_ns() >= deadline)
            return err_set(err, ERR_UNAVAILABLE, "the database is not ready yet: %s",
                           home_last_log_line(&e->home, line, sizeof(line)));
        nap();
    }
    render_conninfo(e->conninfo, sizeof(e->conninfo), found.socket_dir, found.port, "spanledger");
    return true;
}

/* A database of our name, so that nothing of ours stands in the one that tools connect to. */
static bool make_database(const struct embedded *e, struct err *err)
{
    char conninfo[CONNINFO_BYTES];
    struct postmaster found;
    struct db db;

    if (db_open(&db, e->conninfo, DB_ADMIN, 0, err)) {
        db_close(&db);
        return true;
    }
    if (err->kind != ERR_BAD_INPUT || !postmaster_read(e->home.cluster_dir, &found))
        return false;
    render_conninfo(conninfo, sizeof(conninfo), found.socket_dir, found.port, "postgres");
    if (!db_open(&db, conninfo, DB_ADMIN, 0, err))
        return false;
    const bool done = db_exec(&db, "CREATE DATABASE spanledger", err);
    db_close(&db);
    return done;
}

/* A postmaster that was killed leaves backends that hold its shared memory for a moment; PostgreSQL
 * refuses to start beside them. */
static bool launch_until(struct embedded *e, int64_t deadline, struct err *err)
{
    char line[256];

    for (;;) {
        if (!launch(e, err))
            return false;
        if (wait_ready(e, err))
            return true;
        if (clock_mono_ns() >= deadline ||
            !strstr(home_last_log_line(&e->home, line, sizeof(line)), "shared memory"))
            return false;
        for (int i = 0; i < 50; i++)
            nap();
    }
}

static bool start(struct embedded *e, struct err *err)
{
    const int64_t deadline = clock_mono_ns() + TAKE_OVER_MS * NS_PER_MS;
    const bool running = take_over(e) ? wait_ready(e, err) : launch_until(e, deadline, err);

    return running && make_database(e, err);
}

bool embedded_start(const struct cfg *cfg, struct embedded **out_embedded, struct err *err)
{
    struct embedded *e = calloc(1, sizeof(*e));
    struct err cause;

    if (!e)
        return err_set(err, ERR_UNAVAILABLE, "no memory for the embedded database");
    if (!home_open(&e->home, cfg, err)) {
        free(e);
        return false;
    }
    if (!start(e, err)) {
        cause = *err;
        embedded_stop(e);
        *err = cause;
        return false;
    }
    *out_embedded = e;
    return true;
}

const char *embedded_conninfo(const struct embedded *embedded)
{
    return embedded->conninfo;
}

bool embedded_watch(struct embedded *embedded, struct err *err)
{
    char line[128];
    char how[32];

    home_rotate_log(&embedded->home);
    if (!has_ended(embedded, 0, how, sizeof(how)))
        return true;
    (void)home_last_log_line(&embedded->home, line, sizeof(line));
    postmaster_disown(embedded->home.cluster_dir);
    if (!launch(embedded, err))
        return false;
    return err_set(err, ERR_UNAVAILABLE,
                   "the database ended (%s), it is started again; its log: %s", how, line);
}

void embedded_stop(struct embedded *embedded)
{
    char how[32];

    if (!embedded)
        return;
    if (embedded->pid > 0 && !has_ended(embedded, 0, how, sizeof(how))) {
        (void)kill(embedded->pid, SIGINT); /* fast: sessions are ended, then a last checkpoint */
        if (!has_ended(embedded, STOP_TIMEOUT_MS, how, sizeof(how)))
            end_by_force(embedded);
    }
    home_close(&embedded->home);
    free(embedded);
}

bool embedded_find(const struct cfg *cfg, char *to, size_t to_bytes, struct err *err)
{
    char cluster_dir[HOME_PATH_BYTES + 16];
    struct postmaster found;

    if (!home_find(cfg, cluster_dir, sizeof(cluster_dir), err))
        return false;
    if (!postmaster_read(cluster_dir, &found) || !postmaster_runs(found.pid, cluster_dir) ||
        !found.ready)
        return err_set(err, ERR_UNAVAILABLE,
                       "no database runs in '%.100s' now: start `spanledger serve`", cfg->data_dir);
    render_conninfo(to, to_bytes, found.socket_dir, found.port, "spanledger");
    return true;
}
