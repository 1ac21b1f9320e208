/* postmaster.pid and the process that it names. */
#include "store/postmaster.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"

#define FILE_BYTES 8192

/* Lines of postmaster.pid (PostgreSQL, miscadmin.h): pid, data directory, start time, port, socket
 * directory, listen address, shared memory, status. */
enum { LINE_PID, LINE_PORT = 3, LINE_SOCKET_DIR, LINE_STATUS = 7, LINE_COUNT };

static size_t split(struct bytes text, struct bytes lines[LINE_COUNT])
{
    size_t count = 0;

    while (text.len > 0 && count < LINE_COUNT) {
        const uint8_t *end = memchr(text.at, '\n', text.len);
        const size_t len = end ? (size_t)(end - text.at) : text.len;

        lines[count++] = (struct bytes){text.at, len};
        text.at += end ? len + 1 : len;
        text.len -= end ? len + 1 : len;
    }
    return count;
}

static struct bytes trimmed(struct bytes line)
{
    while (line.len > 0 && line.at[line.len - 1] == ' ')
        line.len--;
    return line;
}

bool postmaster_parse(struct bytes text, struct postmaster *out_postmaster)
{
    struct bytes lines[LINE_COUNT] = {{NULL, 0}};
    const size_t count = split(text, lines);
    struct postmaster found = {.pid = 0};
    int64_t pid = 0;
    int64_t port = 0;

    if (count <= LINE_SOCKET_DIR || !text_int64(lines[LINE_PID], &pid) ||
        !text_int64(lines[LINE_PORT], &port) || pid <= 1 || pid > INT_MAX || port < 0 ||
        port > UINT16_MAX || lines[LINE_SOCKET_DIR].len >= sizeof(found.socket_dir))
        return false;
    found.pid = (pid_t)pid;
    found.port = (int)port;
    if (lines[LINE_SOCKET_DIR].len > 0)
        memcpy(found.socket_dir, lines[LINE_SOCKET_DIR].at, lines[LINE_SOCKET_DIR].len);
    found.ready = count > LINE_STATUS && bytes_is(trimmed(lines[LINE_STATUS]), "ready");
    found.stopping = count > LINE_STATUS && bytes_is(trimmed(lines[LINE_STATUS]), "stopping");
    *out_postmaster = found;
    return true;
}

static size_t read_file(const char *cluster_dir, uint8_t to[FILE_BYTES])
{
    char path[PATH_MAX + 32];
    ssize_t got;

    (void)snprintf(path, sizeof(path), "%s/postmaster.pid", cluster_dir);
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

    if (fd < 0)
        return 0;
    got = read(fd, to, FILE_BYTES);
    (void)close(fd);
    return got > 0 ? (size_t)got : 0;
}

bool postmaster_read(const char *cluster_dir, struct postmaster *out_postmaster)
{
    uint8_t text[FILE_BYTES];
    const size_t len = read_file(cluster_dir, text);

    return postmaster_parse((struct bytes){text, len}, out_postmaster);
}

bool postmaster_runs(pid_t pid, const char *cluster_dir)
{
    char link[64];
    char directory[PATH_MAX];

    (void)snprintf(link, sizeof(link), "/proc/%ld/cwd", (long)pid);
    const ssize_t len = readlink(link, directory, sizeof(directory) - 1);

    if (len < 0)
        return false; /* gone, or a zombie */
    directory[len] = '\0';
    return strcmp(directory, cluster_dir) == 0;
}

void postmaster_disown(const char *cluster_dir)
{
    uint8_t text[FILE_BYTES];
    char path[PATH_MAX + 32];
    char pid[24];
    const size_t len = read_file(cluster_dir, text);
    const uint8_t *rest = len ? memchr(text, '\n', len) : NULL;

    (void)snprintf(path, sizeof(path), "%s/postmaster.pid", cluster_dir);
    if (!rest) { /* empty or cut: PostgreSQL refuses it, and it names no shared memory */
        (void)unlink(path);
        return;
    }
    const int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC | O_NOFOLLOW);

    if (fd < 0)
        return;
    const int pid_len = snprintf(pid, sizeof(pid), "%ld", (long)getpid());
    if (write(fd, pid, (size_t)pid_len) != pid_len ||
        write(fd, rest, len - (size_t)(rest - text)) != (ssize_t)(len - (size_t)(rest - text)))
        (void)unlink(path); /* disk full: better no file than half a one */
    (void)close(fd);
}
