/* A throw-away PostgreSQL for integration tests. */
#include "support/cluster.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <libpq-fe.h>
#include <pwd.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "store/db.h"
#include "store/postmaster.h"
#include "store/proc.h"
#include "store/programs.h"

#define DIR_BYTES 80
#define MAX_ARGS 32
#define START_MS 60000

struct cluster {
    char dir[DIR_BYTES]; /* DIR/pgdata, DIR/log, DIR/files, the socket */
    char files[DIR_BYTES + 16];
    char data[DIR_BYTES + 16];
    char admin[CLUSTER_CONNINFO_BYTES]; /* connection string with which databases are made */
    const char *const *settings;
    struct programs programs;
    struct proc_user user;
    pid_t pid;      /* 0: not ours, or halted */
    int guard_fd;   /* its closing wakes the guardian */
    pid_t guardian; /* 0: none */
    int log_fd;
    unsigned databases;
};

__attribute__((noreturn, format(printf, 1, 2))) static void die(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    (void)fputs("cluster: ", stderr);
    (void)vfprintf(stderr, format, args);
    (void)fputc('\n', stderr);
    va_end(args);
    exit(99); /* not _exit: the guardian cleans up either way, and ASan may report */
}

static int remove_one(const char *path, const struct stat *now, int kind, struct FTW *where)
{
    (void)now;
    (void)kind;
    (void)where;
    (void)remove(path);
    return 0;
}

static void nap_ms(long ms)
{
    const struct timespec pause = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};

    (void)nanosleep(&pause, NULL);
}

/* Ends what runs in dir/pgdata and removes dir. Takes the pid from PostgreSQL's own file, so that it
 * is right after any restart. */
static void sweep(const char *dir)
{
    char data[DIR_BYTES + 16];
    struct postmaster found;

    (void)snprintf(data, sizeof(data), "%s/pgdata", dir);
    if (postmaster_read(data, &found) && postmaster_runs(found.pid, data)) {
        (void)kill(found.pid, SIGQUIT);
        for (int i = 0; i < 500 && postmaster_runs(found.pid, data); i++)
            nap_ms(10);
        if (postmaster_runs(found.pid, data))
            (void)kill(found.pid, SIGKILL);
    }
    (void)nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* The guardian: waits until the test lets go of the pipe, by cluster_stop or by its death. */
static void start_guardian(struct cluster *cluster)
{
    int ends[2];
    char byte;

    if (pipe2(ends, O_CLOEXEC) != 0)
        die("pipe: %s", strerror(errno));
    cluster->guardian = fork();
    if (cluster->guardian < 0)
        die("fork: %s", strerror(errno));
    if (cluster->guardian == 0) {
        (void)setsid();
        for (int i = 1; i < 32; i++)
            (void)signal(i, i == SIGCHLD ? SIG_DFL : SIG_IGN);
        for (int fd = 0; fd < 256; fd++) /* nobody's pipe may wait for us */
            if (fd != ends[0])
                (void)close(fd);
        while (read(ends[0], &byte, 1) < 0 && errno == EINTR)
            continue;
        sweep(cluster->dir);
        _exit(0);
    }
    (void)close(ends[0]);
    cluster->guard_fd = ends[1];
}

static void choose_user(struct cluster *cluster)
{
    const struct passwd *entry = NULL;

    if (geteuid() != 0)
        return;
    entry = getpwnam("postgres");
    if (!entry)
        die("as root the server runs as user postgres, who is not there");
    cluster->user = (struct proc_user){.change = true, .uid = entry->pw_uid, .gid = entry->pw_gid};
    if (chown(cluster->dir, entry->pw_uid, entry->pw_gid) != 0)
        die("chown %s: %s", cluster->dir, strerror(errno));
}

static void run_initdb(struct cluster *cluster)
{
    char program[PROGRAMS_PATH_BYTES + 16];
    const char *const argv[] = {
        program, "-D",   cluster->data, "-U",        "postgres",         "-A", "trust",
        "-E",    "UTF8", "--locale=C",  "--no-sync", "--data-checksums", NULL};
    const struct proc_spec spec = {.argv = argv,
                                   .directory = cluster->dir,
                                   .output_fd = cluster->log_fd,
                                   .user = cluster->user};
    struct err err;
    pid_t pid = 0;
    int status = 0;

    (void)snprintf(program, sizeof(program), "%s/initdb", cluster->programs.bin_dir);
    if (!proc_start(&spec, &pid, &err))
        die("%s", err.text);
    if (!proc_ended(pid, START_MS, &status) || status != 0)
        die("initdb in %s failed with status %d", cluster->dir, status);
}

static void make_directory(struct cluster *cluster)
{
    const char *parent = getenv("TMPDIR");
    char log[DIR_BYTES + 16];

    (void)snprintf(cluster->dir, sizeof(cluster->dir), "%s/slt-XXXXXX",
                   parent && strlen(parent) < DIR_BYTES - 30 ? parent : "/tmp");
    if (!mkdtemp(cluster->dir) || chmod(cluster->dir, 0711) != 0)
        die("mkdtemp %s: %s", cluster->dir, strerror(errno));
    (void)snprintf(cluster->data, sizeof(cluster->data), "%s/pgdata", cluster->dir);
    (void)snprintf(cluster->files, sizeof(cluster->files), "%s/files", cluster->dir);
    (void)snprintf(log, sizeof(log), "%s/log", cluster->dir);
    cluster->log_fd = open(log, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    if (cluster->log_fd < 0 || mkdir(cluster->files, 0755) != 0)
        die("%s: %s", cluster->dir, strerror(errno));
}

static void print_log(const struct cluster *cluster)
{
    char text[4096];
    const ssize_t got = pread(cluster->log_fd, text, sizeof(text) - 1, 0);

    if (got > 0)
        (void)fprintf(stderr, "%.*s", (int)got, text);
}

static void launch(struct cluster *cluster)
{
    char program[PROGRAMS_PATH_BYTES + 16];
    const char *argv[MAX_ARGS] = {program,
                                  "-D",
                                  ".",
                                  "-k",
                                  cluster->dir,
                                  "-c",
                                  "listen_addresses=",
                                  "-c",
                                  "max_locks_per_transaction=1024",
                                  "-c",
                                  "shared_buffers=64MB",
                                  "-c",
                                  "max_connections=60",
                                  "-c",
                                  "client_connection_check_interval=1s"};
    const struct proc_spec spec = {.argv = argv,
                                   .directory = cluster->data,
                                   .output_fd = cluster->log_fd,
                                   .user = cluster->user};
    struct postmaster found;
    struct err err;
    int count = 15;
    int status = 0;

    for (int i = 0; cluster->settings && cluster->settings[i] && count < MAX_ARGS - 1; i++)
        argv[count++] = cluster->settings[i];
    (void)snprintf(program, sizeof(program), "%s/postgres", cluster->programs.bin_dir);
    if (!proc_start(&spec, &cluster->pid, &err))
        die("%s", err.text);
    for (int64_t end = clock_mono_ns() + START_MS * NS_PER_MS; clock_mono_ns() < end; nap_ms(3)) {
        if (postmaster_read(cluster->data, &found) && found.pid == cluster->pid && found.ready)
            return;
        if (proc_ended(cluster->pid, 0, &status))
            break;
    }
    print_log(cluster);
    die("the server did not start (status %d)", status);
}

/* Another server's connection string with another database, quoted anew. */
static void with_database(const char *conninfo, const char *database, char *to, size_t to_bytes)
{
    char *problem = NULL;
    PQconninfoOption *options = PQconninfoParse(conninfo, &problem);
    struct buf text;

    if (!options)
        die("TEST_DB: %s", problem ? problem : "no memory");
    buf_init(&text, to_bytes);
    for (const PQconninfoOption *o = options; o->keyword; o++) {
        if (!o->val || strcmp(o->keyword, "dbname") == 0)
            continue;
        buf_printf(&text, "%s='", o->keyword);
        for (const char *c = o->val; *c; c++) {
            if (*c == '\'' || *c == '\\')
                buf_add_byte(&text, '\\');
            buf_add_byte(&text, (uint8_t)*c);
        }
        buf_add_text(&text, "' ");
    }
    buf_printf(&text, "dbname=%s", database);
    if (!buf_ok(&text) || text.len >= to_bytes)
        die("TEST_DB is too long");
    memcpy(to, text.at, text.len);
    to[text.len] = '\0';
    buf_done(&text);
    PQconninfoFree(options);
}

static void run_sql(const struct cluster *cluster, const char *sql)
{
    struct db db;
    struct err err;

    if (!db_open(&db, cluster->admin, DB_ADMIN, 0, &err) || !db_exec(&db, sql, &err))
        die("%s", err.text);
    db_close(&db);
}

static void print_version(const struct cluster *cluster)
{
    struct db db;
    struct err err;

    if (!db_open(&db, cluster->admin, DB_ADMIN, 0, &err))
        die("%s", err.text);
    DB_RESULT res = PQexec(db.conn, "SELECT count(*) FROM pg_catalog.pg_available_extensions"
                                    " WHERE name = 'timescaledb'");
    (void)printf(
        "cluster: PostgreSQL %s, TimescaleDB %s\n", PQparameterStatus(db.conn, "server_version"),
        PQntuples(res) == 1 && PQgetvalue(res, 0, 0)[0] == '1' ? "installed" : "not installed");
    (void)fflush(stdout);
    db_close(&db);
}

struct cluster *cluster_start(const char *const settings[])
{
    struct cluster *cluster = calloc(1, sizeof(*cluster));
    const struct cfg cfg = {.pg_bin_dir = ""};
    const char *other = getenv("TEST_DB");
    struct err err;

    if (!cluster)
        die("no memory");
    cluster->guard_fd = -1;
    cluster->settings = settings;
    make_directory(cluster);
    start_guardian(cluster);
    if (other && other[0]) {
        if (strlen(other) >= sizeof(cluster->admin))
            die("TEST_DB is too long");
        memcpy(cluster->admin, other, strlen(other) + 1);
        print_version(cluster);
        return cluster;
    }
    if (!programs_find(&cfg, 0, &cluster->programs, &err))
        die("%s", err.text);
    choose_user(cluster);
    run_initdb(cluster);
    launch(cluster);
    (void)snprintf(cluster->admin, sizeof(cluster->admin),
                   "host=%s port=5432 user=postgres dbname=postgres sslmode=disable options=''",
                   cluster->dir);
    print_version(cluster);
    return cluster;
}

void cluster_stop(struct cluster *cluster)
{
    int status = 0;

    if (!cluster)
        return;
    if (!cluster_is_ours(cluster)) {
        for (unsigned i = 1; i <= cluster->databases; i++) {
            char sql[96];

            (void)snprintf(sql, sizeof(sql), "DROP DATABASE IF EXISTS slt_%ld_%u WITH (FORCE)",
                           (long)getpid(), i);
            run_sql(cluster, sql);
        }
    }
    if (cluster->pid > 0)
        cluster_halt(cluster, SIGQUIT);
    (void)close(cluster->guard_fd);
    (void)waitpid(cluster->guardian, &status, 0);
    (void)close(cluster->log_fd);
    free(cluster);
}

void cluster_new_database(struct cluster *cluster, char conninfo[CLUSTER_CONNINFO_BYTES])
{
    char name[48];
    char sql[96];

    cluster->databases++;
    (void)snprintf(name, sizeof(name), "slt_%ld_%u", (long)getpid(), cluster->databases);
    (void)snprintf(sql, sizeof(sql), "CREATE DATABASE %s TEMPLATE template0", name);
    run_sql(cluster, sql);
    with_database(cluster->admin, name, conninfo, CLUSTER_CONNINFO_BYTES);
}

bool cluster_is_ours(const struct cluster *cluster)
{
    return cluster->programs.major != 0;
}

pid_t cluster_pid(const struct cluster *cluster)
{
    return cluster->pid;
}

void cluster_halt(struct cluster *cluster, int signal_number)
{
    int status = 0;

    if (!cluster_is_ours(cluster) || cluster->pid == 0)
        die("halt: the server is not ours or does not run");
    (void)kill(cluster->pid, signal_number);
    if (!proc_ended(cluster->pid, START_MS, &status))
        die("the server does not end");
    cluster->pid = 0;
}

void cluster_resume(struct cluster *cluster)
{
    char path[DIR_BYTES + 32];
    int status = 0;

    if (!cluster_is_ours(cluster))
        die("resume: the server is not ours");
    if (cluster->pid != 0 && !proc_ended(cluster->pid, 0, &status))
        return;
    postmaster_disown(cluster->data);
    (void)snprintf(path, sizeof(path), "%s/.s.PGSQL.5432.lock", cluster->dir);
    (void)unlink(path);
    nap_ms(100); /* backends of a killed server let go of its shared memory */
    launch(cluster);
}

const char *cluster_directory(struct cluster *cluster)
{
    return cluster->files;
}
