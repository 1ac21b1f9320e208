/* The data directory of the embedded database. */
#include "store/home.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <locale.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "store/settings.h"

#define LOG_MAX_BYTES 8388608
#define INITDB_TIMEOUT_MS 120000
#define TOOL_TIMEOUT_MS 20000
#define PATH_BYTES (HOME_PATH_BYTES + 64)
#define PASSWD_BYTES 4096

static void fd_closep(const int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
}
#define FD __attribute__((cleanup(fd_closep))) const int

static bool make_directories(const char *path, struct err *err)
{
    char part[HOME_PATH_BYTES];

    if (strlen(path) >= sizeof(part) || !path[0])
        return err_set(err, ERR_BAD_INPUT, "data-dir is empty or longer than a path may be");
    memcpy(part, path, strlen(path) + 1);
    for (char *at = part + 1;; at++) {
        if (*at != '/' && *at != '\0')
            continue;
        const char kept = *at;

        *at = '\0';
        if (mkdir(part, kept ? 0755 : 0700) != 0 && errno != EEXIST)
            return err_set(err, ERR_BAD_INPUT, "cannot make directory '%.100s': %s (--data-dir)",
                           part, strerror(errno));
        *at = kept;
        if (!kept)
            return true;
    }
}

static bool real_path(const char *path, char to[HOME_PATH_BYTES], struct err *err)
{
    char *real = realpath(path, NULL);
    const size_t len = real ? strlen(real) : 0;
    const bool fits = len > 0 && len < HOME_PATH_BYTES;

    if (!real)
        return err_set(err, ERR_UNAVAILABLE, "data-dir '%.100s': %s", path, strerror(errno));
    if (fits)
        memcpy(to, real, len + 1);
    free(real);
    return fits || err_set(err, ERR_BAD_INPUT, "data-dir has %zu bytes, want less than %d", len,
                           HOME_PATH_BYTES);
}

static bool lock(struct home *home, struct err *err)
{
    char path[PATH_BYTES];
    char pid[32] = "";

    (void)snprintf(path, sizeof(path), "%s/lock", home->data_dir);
    home->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (home->lock_fd < 0)
        return err_set(err, ERR_BAD_INPUT, "cannot open '%.120s': %s (--data-dir)", path,
                       strerror(errno));
    if (flock(home->lock_fd, LOCK_EX | LOCK_NB) != 0) {
        if (read(home->lock_fd, pid, sizeof(pid) - 1) <= 0)
            pid[0] = '\0';
        pid[strcspn(pid, "\n")] = '\0';
        return err_set(err, ERR_BAD_INPUT, "another spanledger (pid %s) runs on '%.100s'",
                       pid[0] ? pid : "unknown", home->data_dir);
    }
    const int len = snprintf(pid, sizeof(pid), "%ld\n", (long)getpid());
    if (ftruncate(home->lock_fd, 0) != 0 || pwrite(home->lock_fd, pid, (size_t)len, 0) != len)
        return err_set(err, ERR_UNAVAILABLE, "cannot write '%.120s': %s", path, strerror(errno));
    return true;
}

/* PostgreSQL refuses to run as root. An existing cluster decides by its owner. */
static bool choose_user(struct home *home, struct err *err)
{
    struct passwd entry;
    struct passwd *found = NULL;
    char text[PASSWD_BYTES];
    struct stat cluster;
    const bool there = stat(home->cluster_dir, &cluster) == 0;

    if (there)
        (void)getpwuid_r(cluster.st_uid, &entry, text, sizeof(text), &found);
    else if (geteuid() == 0)
        (void)getpwnam_r("postgres", &entry, text, sizeof(text), &found);
    else
        (void)getpwuid_r(geteuid(), &entry, text, sizeof(text), &found);

    if (there && geteuid() != 0 && cluster.st_uid != geteuid())
        return err_set(err, ERR_BAD_INPUT,
                       "the database in '%.100s' belongs to user '%.32s', not "
                       "to the one who starts this",
                       home->data_dir, found ? entry.pw_name : "?");
    if (geteuid() == 0 && (!found || entry.pw_uid == 0))
        return err_set(err, ERR_BAD_INPUT,
                       "as root the embedded database runs as user 'postgres', who is not there: "
                       "install package postgresql, or use --db");
    home->user = (struct proc_user){.change = geteuid() == 0,
                                    .uid = found ? entry.pw_uid : geteuid(),
                                    .gid = found ? entry.pw_gid : getegid()};
    (void)snprintf(home->user.name, sizeof(home->user.name), "%s", found ? entry.pw_name : "?");
    return true;
}

/* As root the data directory stays ours; the user may only pass through it. */
static bool let_through(const struct home *home, struct err *err)
{
    struct stat now;

    if (!home->user.change)
        return true;
    if (stat(home->data_dir, &now) != 0 ||
        (!(now.st_mode & S_IXOTH) && (chown(home->data_dir, (uid_t)-1, home->user.gid) != 0 ||
                                      chmod(home->data_dir, (now.st_mode & 07777) | S_IXGRP) != 0)))
        return err_set(err, ERR_BAD_INPUT, "cannot open '%.100s' to user '%s': %s", home->data_dir,
                       home->user.name, strerror(errno));
    return true;
}

/* Anybody may make names in /tmp: a directory that is not ours alone would let others answer in the
 * database's place. */
static bool make_socket_dir(struct home *home, struct err *err)
{
    const uint64_t hash = XXH3_64bits(home->data_dir, strlen(home->data_dir));
    struct stat now;

    (void)snprintf(home->socket_dir, sizeof(home->socket_dir), "/tmp/spanledger-%lu-%016" PRIx64,
                   (unsigned long)home->user.uid, hash);
    if (mkdir(home->socket_dir, 0700) == 0) {
        if (home->user.change && lchown(home->socket_dir, home->user.uid, home->user.gid) != 0)
            return err_set(err, ERR_UNAVAILABLE, "cannot give '%s' to user '%s': %s",
                           home->socket_dir, home->user.name, strerror(errno));
    } else if (errno != EEXIST) {
        return err_set(err, ERR_UNAVAILABLE, "cannot make directory '%s': %s", home->socket_dir,
                       strerror(errno));
    }
    if (lstat(home->socket_dir, &now) != 0 || !S_ISDIR(now.st_mode) ||
        now.st_uid != home->user.uid || (now.st_mode & 077) != 0)
        return err_set(err, ERR_BAD_INPUT,
                       "'%s' is not a directory of mode 0700 of user '%s': remove it",
                       home->socket_dir, home->user.name);
    return true;
}

/* A killed PostgreSQL leaves its socket's lock file, and refuses the next start while the pid in it
 * is anybody's. Only the holder of our lock starts one here, so what lies there is a remnant. */
void home_clear_sockets(const struct home *home)
{
    char path[PATH_BYTES];

    (void)snprintf(path, sizeof(path), "%s/.s.PGSQL.%d.lock", home->socket_dir, HOME_PORT);
    (void)unlink(path);
    (void)snprintf(path, sizeof(path), "%s/.s.PGSQL.%d", home->socket_dir, HOME_PORT);
    (void)unlink(path);
}

static bool open_log(struct home *home, struct err *err)
{
    char path[PATH_BYTES];

    (void)snprintf(path, sizeof(path), "%s/postgres.log", home->data_dir);
    home->log_fd = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (home->log_fd < 0)
        return err_set(err, ERR_BAD_INPUT, "cannot open '%.120s': %s", path, strerror(errno));
    home_rotate_log(home);
    return true;
}

/* Copied and cut, not renamed: PostgreSQL holds the file open. */
void home_rotate_log(const struct home *home)
{
    char path[PATH_BYTES];
    char piece[8192];
    struct stat now;
    off_t at = 0;

    if (fstat(home->log_fd, &now) != 0 || now.st_size < LOG_MAX_BYTES)
        return;
    (void)snprintf(path, sizeof(path), "%s/postgres.log.1", home->data_dir);
    FD old = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    for (ssize_t got = 1; old >= 0 && got > 0; at += got) {
        got = pread(home->log_fd, piece, sizeof(piece), at);
        if (got > 0 && write(old, piece, (size_t)got) != got)
            break; /* disk full: the bound matters more than the old lines */
    }
    (void)!ftruncate(home->log_fd, 0);
}

/* Of a failed start the last line says only that it is over, the one with FATAL says why. */
const char *home_last_log_line(const struct home *home, char *to, size_t to_bytes)
{
    char tail[2048];
    struct stat now;
    const char *line = NULL;

    (void)snprintf(to, to_bytes, "its log is empty");
    if (fstat(home->log_fd, &now) != 0)
        return to;
    const off_t from = now.st_size > (off_t)sizeof(tail) ? now.st_size - (off_t)sizeof(tail) : 0;
    ssize_t got = pread(home->log_fd, tail, sizeof(tail) - 1, from);
    while (got > 0 && tail[got - 1] == '\n')
        got--;
    if (got <= 0)
        return to;
    tail[got] = '\0';
    for (const char *at = tail; (at = strstr(at, "FATAL:")) != NULL; at++)
        line = at;
    if (!line)
        line = strrchr(tail, '\n') ? strrchr(tail, '\n') + 1 : tail;
    (void)snprintf(to, to_bytes, "%.*s", (int)strcspn(line, "\n"), line);
    return to;
}

/* Runs a tool as the user, output into the log. */
static bool run_tool(const struct home *home, const char *const argv[], const char *directory,
                     int64_t timeout_ms, struct err *err)
{
    const struct proc_spec spec = {
        .argv = argv, .directory = directory, .output_fd = home->log_fd, .user = home->user};
    char line[160];
    char how[32];
    pid_t pid = 0;
    int status = 0;

    if (!proc_start(&spec, &pid, err))
        return false;
    if (!proc_ended(pid, timeout_ms, &status)) {
        (void)kill(pid, SIGKILL);
        if (!proc_ended(pid, TOOL_TIMEOUT_MS, &status))
            return err_set(err, ERR_UNAVAILABLE, "'%s' cannot be ended", argv[0]);
        return err_set(err, ERR_UNAVAILABLE, "'%s' took too long", argv[0]);
    }
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return true;
    if (WIFEXITED(status) && WEXITSTATUS(status) == PROC_NO_DIRECTORY)
        return err_set(err, ERR_BAD_INPUT,
                       "user '%s' cannot reach '%.100s': choose a directory with --data-dir whose "
                       "parents that user may search",
                       home->user.name, home->data_dir);
    return err_set(err, ERR_UNAVAILABLE, "'%.80s' failed (%s): %s", argv[0],
                   proc_status_text(status, how, sizeof(how)),
                   home_last_log_line(home, line, sizeof(line)));
}

static bool write_file(const char *path, const struct buf *text, struct err *err)
{
    FD fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);

    if (fd < 0 || !buf_ok(text) || write(fd, text->at, text->len) != (ssize_t)text->len ||
        fchmod(fd, 0644) != 0 || fsync(fd) != 0)
        return err_set(err, ERR_UNAVAILABLE, "cannot write '%.120s': %s", path, strerror(errno));
    return true;
}

static bool write_main_settings(const struct home *home, const char *cluster, struct err *err)
{
    char program[PATH_BYTES];
    char path[PATH_BYTES];
    char answer[64] = "";
    const char *const argv[] = {program, "-C", "wal_compression", "-c", "wal_compression=lz4", "-D",
                                ".",     NULL};
    const struct proc_spec spec = {
        .argv = argv, .directory = cluster, .output_fd = -1, .user = home->user};
    struct buf text;

    (void)snprintf(program, sizeof(program), "%s/postgres", home->programs.bin_dir);
    (void)snprintf(path, sizeof(path), "%s/postgresql.conf", cluster);
    const bool lz4 = proc_output(&spec, TOOL_TIMEOUT_MS, answer, sizeof(answer)) &&
                     strncmp(answer, "lz4", 3) == 0;
    buf_init(&text, 4096);
    settings_render_main(&text, lz4);
    const bool done = write_file(path, &text, err);
    buf_done(&text);
    return done;
}

/* C.UTF-8 where the machine has it: bytes compare as bytes, and lower() knows more than ASCII. */
static const char *locale_flag(void)
{
    const locale_t c_utf8 = newlocale(LC_ALL_MASK, "C.UTF-8", (locale_t)0);

    if (!c_utf8)
        return "--locale=C";
    freelocale(c_utf8);
    return "--locale=C.UTF-8";
}

/* Into a directory beside, renamed when whole: a kill in between leaves no half cluster. */
static bool make_cluster(const struct home *home, struct err *err)
{
    char fresh[HOME_PATH_BYTES + 24];
    char program[PATH_BYTES];
    const char *const remove[] = {"/bin/rm", "-rf", "--", fresh, NULL};
    const char *const initdb[] = {
        program, "-D", fresh,  "-U",          "spanledger",       "-A",
        "trust", "-E", "UTF8", locale_flag(), "--data-checksums", "--no-instructions",
        NULL};
    struct err ignored;

    (void)snprintf(fresh, sizeof(fresh), "%s.new", home->cluster_dir);
    (void)snprintf(program, sizeof(program), "%s/initdb", home->programs.bin_dir);
    if (access(fresh, F_OK) == 0) /* as the user: what is in it is the user's */
        (void)!run_tool(home, remove, NULL, TOOL_TIMEOUT_MS, &ignored);
    (void)rmdir(fresh);
    if (mkdir(fresh, 0700) != 0 ||
        (home->user.change && lchown(fresh, home->user.uid, home->user.gid) != 0))
        return err_set(err, ERR_BAD_INPUT, "cannot make directory '%.120s': %s", fresh,
                       strerror(errno));
    if (!run_tool(home, initdb, fresh, INITDB_TIMEOUT_MS, err) ||
        !write_main_settings(home, fresh, err))
        return false;
    FD parent = open(home->data_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (rename(fresh, home->cluster_dir) != 0 || parent < 0 || fsync(parent) != 0)
        return err_set(err, ERR_UNAVAILABLE, "cannot rename '%.120s': %s", fresh, strerror(errno));
    return true;
}

/* Major version of the cluster; 0: there is none. */
static int cluster_major(const struct home *home)
{
    char path[PATH_BYTES];
    char text[16] = "";

    (void)snprintf(path, sizeof(path), "%s/PG_VERSION", home->cluster_dir);
    FD fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || read(fd, text, sizeof(text) - 1) <= 0)
        return 0;
    return programs_major_of(text);
}

static bool write_settings(const struct home *home, struct err *err)
{
    char path[PATH_BYTES];
    struct buf text;

    (void)snprintf(path, sizeof(path), "%s/spanledger.conf", home->data_dir);
    buf_init(&text, 16384);
    settings_render(&text, settings_memory_bytes(), home->programs.timescale);
    const bool done = write_file(path, &text, err);
    buf_done(&text);
    return done;
}

bool home_open(struct home *home, const struct cfg *cfg, struct err *err)
{
    *home = (struct home){.lock_fd = -1, .log_fd = -1};
    if (!make_directories(cfg->data_dir, err))
        return false;
    if (!real_path(cfg->data_dir, home->data_dir, err))
        return false;
    (void)snprintf(home->cluster_dir, sizeof(home->cluster_dir), "%s/pgdata", home->data_dir);
    if (!lock(home, err) || !choose_user(home, err) || !let_through(home, err) ||
        !open_log(home, err) || !make_socket_dir(home, err)) {
        home_close(home);
        return false;
    }
    const int major = cluster_major(home);
    if (!programs_find(cfg, major, &home->programs, err) ||
        (major == 0 && !make_cluster(home, err)) || !write_settings(home, err)) {
        home_close(home);
        return false;
    }
    return true;
}

void home_close(struct home *home)
{
    if (home->socket_dir[0])
        (void)rmdir(home->socket_dir); /* PostgreSQL has removed what was in it */
    fd_closep(&home->log_fd);
    fd_closep(&home->lock_fd);
    home->log_fd = -1;
    home->lock_fd = -1;
}

bool home_find(const struct cfg *cfg, char *to, size_t to_bytes, struct err *err)
{
    char data_dir[HOME_PATH_BYTES];

    if (!real_path(cfg->data_dir, data_dir, err))
        return false;
    (void)snprintf(to, to_bytes, "%s/pgdata", data_dir);
    if (access(to, R_OK | X_OK) != 0)
        return err_set(err, ERR_UNAVAILABLE, "no database to open in '%.100s': %s", data_dir,
                       strerror(errno));
    return true;
}
