/* The embedded database's settings: durable, and sized for the machine. */
#include "store/settings.h"

#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"

#define MIB INT64_C(1048576)

/* The limit of a cgroup (v2, v1), INT64_MAX: none. */
static int64_t limit_of(const char *path)
{
    char text[64];
    int64_t limit = INT64_MAX;
    const int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return limit;
    const ssize_t got = read(fd, text, sizeof(text) - 1);

    (void)close(fd);
    if (got <= 0)
        return limit;
    text[got] = '\0';
    if (!text_int64((struct bytes){(const uint8_t *)text, strcspn(text, "\n")}, &limit) ||
        limit <= 0)
        return INT64_MAX; /* "max" */
    return limit;
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

int64_t settings_memory_bytes(void)
{
    const int64_t machine = (int64_t)sysconf(_SC_PHYS_PAGES) * (int64_t)sysconf(_SC_PAGESIZE);

    return least(machine, least(limit_of("/sys/fs/cgroup/memory.max"),
                                limit_of("/sys/fs/cgroup/memory/memory.limit_in_bytes")));
}

static int64_t clamp_mib(int64_t bytes, int64_t least_mib, int64_t most_mib)
{
    const int64_t mib = bytes / MIB;

    return mib < least_mib ? least_mib : mib > most_mib ? most_mib : mib;
}

void settings_render(struct buf *out, int64_t memory_bytes, bool timescale)
{
    buf_add_text(out, "# Rewritten by spanledger at every start. Own settings: postgresql.conf.\n"
                      "# Durability: an acknowledged span is on disk.\n"
                      "fsync = on\n"
                      "synchronous_commit = on\n"
                      "full_page_writes = on\n"
                      "# Memory\n");
    buf_printf(out,
               "shared_buffers = %" PRId64 "MB\n"
               "effective_cache_size = %" PRId64 "MB\n"
               "maintenance_work_mem = %" PRId64 "MB\n"
               "work_mem = 16MB\n",
               clamp_mib(memory_bytes / 4, 128, 2048), clamp_mib(memory_bytes / 2, 256, 1048576),
               clamp_mib(memory_bytes / 16, 64, 512));
    buf_add_text(out,
                 "# Writing: few checkpoints, segments kept for reuse\n"
                 "max_wal_size = 4GB\n"
                 "min_wal_size = 1GB\n"
                 "checkpoint_timeout = 15min\n"
                 "checkpoint_completion_target = 0.9\n"
                 "# Many partitions, few sessions; no query is long enough for jit or workers\n"
                 "max_connections = 50\n"
                 "max_locks_per_transaction = 1024\n"
                 "jit = off\n"
                 "max_parallel_workers_per_gather = 0\n"
                 "autovacuum_max_workers = 2\n"
                 "autovacuum_naptime = 30s\n"
                 "# A session whose program was killed ends within a second, also while it waits\n"
                 "client_connection_check_interval = 1s\n"
                 "# Log: never statements or the values that stand in details and contexts\n"
                 "log_min_messages = warning\n"
                 "log_min_error_statement = panic\n"
                 "log_error_verbosity = terse\n"
                 "log_checkpoints = off\n"
                 "log_autovacuum_min_duration = -1\n"
                 "log_line_prefix = '%m [%p] '\n"
                 "log_timezone = 'UTC'\n"
                 "timezone = 'UTC'\n");
    if (timescale)
        buf_add_text(out, "shared_preload_libraries = 'timescaledb'\n"
                          "timescaledb.telemetry_level = off\n");
}

void settings_render_main(struct buf *out, bool wal_lz4)
{
    buf_printf(out,
               "# Settings of spanledger's embedded database. Lines here win over "
               "spanledger.conf.\n"
               "include_if_exists '../spanledger.conf'\n"
               "wal_compression = %s\n",
               wal_lz4 ? "lz4" : "on");
}
