/* Child processes: fork, drop rights, exec; waiting by pid. */
#include "store/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

#define POLL_NS 2000000L

static char *const child_env[] = {
    (char[]){"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
    (char[]){"LC_ALL=C"}, /* English messages: we look for some of them */
    /* glibc: a backend gives the memory of each COPY back and faults it in again for the next; kept, a
     * span costs it 8 % less processor time (docs/decisions.md). */
    (char[]){"MALLOC_TRIM_THRESHOLD_=67108864"},
    (char[]){"MALLOC_MMAP_THRESHOLD_=67108864"},
    (char[]){"MALLOC_TOP_PAD_=4194304"},
    NULL,
};

/* In the child of a process with threads: only what is async-signal-safe. */
__attribute__((noreturn)) static void become(const struct proc_spec *spec, int null_fd)
{
    const int output_fd = spec->output_fd >= 0 ? spec->output_fd : null_fd;
    const struct sigaction plain = {.sa_handler = SIG_DFL};
    char *const *argv;
    sigset_t none;

    for (int i = 1; i < 32; i++)
        (void)sigaction(i, &plain, NULL);
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    (void)setsid();
    if (dup2(null_fd, STDIN_FILENO) < 0 || dup2(output_fd, STDOUT_FILENO) < 0 ||
        dup2(output_fd, STDERR_FILENO) < 0)
        _exit(PROC_NO_PROGRAM);
    if (spec->user.change && (setgroups(0, NULL) != 0 || setgid(spec->user.gid) != 0 ||
                              setuid(spec->user.uid) != 0 || setuid(0) == 0))
        _exit(PROC_NO_USER);
    (void)umask(077);
    if (spec->directory && chdir(spec->directory) != 0)
        _exit(PROC_NO_DIRECTORY);
    (void)memcpy(&argv, &spec->argv, sizeof(argv)); /* execve's prototype forgets a const */
    (void)execve(spec->argv[0], argv, child_env);
    _exit(PROC_NO_PROGRAM);
}

bool proc_start(const struct proc_spec *spec, pid_t *out_pid, struct err *err)
{
    const int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);

    if (null_fd < 0)
        return err_set(err, ERR_UNAVAILABLE, "cannot open /dev/null: %s", strerror(errno));

    const pid_t pid = fork();
    const int fork_errno = errno;

    if (pid == 0)
        become(spec, null_fd);
    (void)close(null_fd);
    if (pid < 0)
        return err_set(err, ERR_UNAVAILABLE, "cannot start '%s': %s", spec->argv[0],
                       strerror(fork_errno));
    *out_pid = pid;
    return true;
}

bool proc_ended(pid_t pid, int64_t timeout_ms, int *out_status)
{
    const struct timespec pause = {.tv_nsec = POLL_NS};
    const int64_t deadline = clock_mono_ns() + timeout_ms * NS_PER_MS;

    for (;;) {
        int status = 0;
        const pid_t got = waitpid(pid, &status, WNOHANG);

        if (got == pid || (got < 0 && errno == ECHILD)) {
            *out_status = got == pid ? status : 0; /* reaped elsewhere: ended, nobody knows how */
            return true;
        }
        if (clock_mono_ns() >= deadline)
            return false;
        (void)nanosleep(&pause, NULL);
    }
}

/* Reads until end of file, or until the deadline: then false. What does not fit is dropped. */
static bool read_all(int fd, int64_t deadline, char *to, size_t to_bytes)
{
    size_t len = 0;

    for (;;) {
        char drop[256];
        const bool full = len + 1 >= to_bytes;
        const int64_t left_ms = (deadline - clock_mono_ns()) / NS_PER_MS;
        struct pollfd ready = {.fd = fd, .events = POLLIN};

        if (left_ms <= 0 || poll(&ready, 1, (int)left_ms) <= 0)
            return false;
        const ssize_t got =
            read(fd, full ? drop : to + len, full ? sizeof(drop) : to_bytes - 1 - len);
        if (got < 0 && errno != EINTR)
            return false;
        if (got == 0)
            break;
        if (got > 0 && !full)
            len += (size_t)got;
    }
    to[len] = '\0';
    return true;
}

bool proc_output(const struct proc_spec *spec, int64_t timeout_ms, char *to, size_t to_bytes)
{
    const int64_t deadline = clock_mono_ns() + timeout_ms * NS_PER_MS;
    struct proc_spec piped = *spec;
    struct err ignored;
    int ends[2];
    int status = -1;
    pid_t pid = 0;

    if (pipe2(ends, O_CLOEXEC) != 0)
        return false;
    piped.output_fd = ends[1];
    const bool started = proc_start(&piped, &pid, &ignored);
    (void)close(ends[1]);
    const bool whole = started && read_all(ends[0], deadline, to, to_bytes);
    (void)close(ends[0]);
    if (!started)
        return false;
    if (!whole || !proc_ended(pid, timeout_ms, &status)) {
        (void)kill(pid, SIGKILL);
        if (!proc_ended(pid, timeout_ms, &status))
            return false; /* it may not be killed: nothing more can be done here */
        return false;
    }
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

const char *proc_status_text(int status, char *to, size_t to_bytes)
{
    if (WIFSIGNALED(status))
        (void)snprintf(to, to_bytes, "signal %d", WTERMSIG(status));
    else
        (void)snprintf(to, to_bytes, "exit status %d", WEXITSTATUS(status));
    return to;
}
