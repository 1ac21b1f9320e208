/* logfmt lines on stderr. */
#include "base/log.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"

#define LINE_BYTES 1024
#define LIMITED_PER_SECOND 10

static const char *const level_names[] = {"error", "warn", "info", "debug"};
static _Atomic int max_level = LOG_INFO;
static _Atomic int64_t limited_second;
static _Atomic unsigned limited_count;

void log_set_level(enum log_level level)
{
    atomic_store(&max_level, (int)level);
}

bool log_level_named(const char *name, enum log_level *out_level)
{
    for (int i = 0; i <= LOG_DEBUG; i++) {
        if (strcmp(name, level_names[i]) == 0) {
            *out_level = (enum log_level)i;
            return true;
        }
    }
    return false;
}

__attribute__((cold, format(printf, 5, 0))) static void write_line(enum log_level level,
                                                                   const char *at, const char *msg,
                                                                   unsigned held_back,
                                                                   const char *fields, va_list args)
{
    char line[LINE_BYTES];
    char time[CLOCK_RFC3339_BYTES];
    size_t len;

    (void)clock_rfc3339((uint64_t)clock_wall_ns(), time);
    len = (size_t)snprintf(line, sizeof(line), "time=%s level=%s at=%s msg=\"%s\"", time,
                           level_names[level], at, msg);
    if (held_back && len < sizeof(line))
        len += (size_t)snprintf(line + len, sizeof(line) - len, " held_back=%u", held_back);
    if (fields && len < sizeof(line) - 1) {
        line[len++] = ' ';
        len += (size_t)vsnprintf(line + len, sizeof(line) - len, fields, args);
    }
    if (len > sizeof(line) - 1)
        len = sizeof(line) - 1;
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)line[i] < 0x20)
            line[i] = ' '; /* one event, one line, whatever came from outside (SEC-08) */
    line[len++] = '\n';
    (void)!write(STDERR_FILENO, line, len);
}

void log_event(enum log_level level, const char *at, const char *msg, const char *fields, ...)
{
    va_list args;

    if ((int)level > atomic_load_explicit(&max_level, memory_order_relaxed))
        return;
    va_start(args, fields);
    write_line(level, at, msg, 0, fields, args);
    va_end(args);
}

void log_limited(enum log_level level, const char *at, const char *msg, const char *fields, ...)
{
    const int64_t second = clock_mono_ns() / NS_PER_S;
    int64_t seen = atomic_load(&limited_second);
    unsigned held_back = 0;
    va_list args;

    if ((int)level > atomic_load_explicit(&max_level, memory_order_relaxed))
        return;
    if (seen != second && atomic_compare_exchange_strong(&limited_second, &seen, second)) {
        const unsigned count = atomic_exchange(&limited_count, 0);
        held_back = count > LIMITED_PER_SECOND ? count - LIMITED_PER_SECOND : 0;
    }
    if (atomic_fetch_add(&limited_count, 1) >= LIMITED_PER_SECOND)
        return;
    va_start(args, fields);
    write_line(level, at, msg, held_back, fields, args);
    va_end(args);
}
