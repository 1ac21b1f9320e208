/* logfmt to stderr: level=… at=… msg="…" key=value …; one event a line. Only edges log: cli, edge,
 * work, wire/listen. */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/err.h"

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

void log_set_level(enum log_level level);
bool log_level_named(const char *name,
                     enum log_level *out_level); /* "error" "warn" "info" "debug" */

/*
 * at      static word: which edge speaks ("serve", "ingest", "http")
 * msg     static sentence without quotes in it
 * fields  printf format of `key=value` pairs, or NULL; text from outside through text_quote and in
 * single ticks Never attribute values: they hold prompts and keys. Any thread; one write(2) a line.
 */
void log_event(enum log_level level, const char *at, const char *msg, const char *fields, ...)
    PRINTF_LIKE(4, 5);

/* As log_event, but what a peer can cause: at most 10 lines a second over all callers; the number
 * held back is logged with the next. */
void log_limited(enum log_level level, const char *at, const char *msg, const char *fields, ...)
    PRINTF_LIKE(4, 5);

#endif
