/* Points in time for JSON answers: many of one second or day, so the costly part is remembered. */
#ifndef READ_RENDER_TIME_H
#define READ_RENDER_TIME_H

#include "base/clock.h"
#include "base/json_write.h"

struct render_time {
    int64_t second; /* that `text` stands for */
    bool known;
    char text[CLOCK_RFC3339_BYTES]; /* "2026-11-21T13:15:00.000000000Z" */
};

/* "…Z" with nine digits of fraction; times before 1970 are shown as 1970. */
void render_time_json(struct render_time *memo, struct json *j, int64_t unix_ns);

/* "name_time": RFC 3339 and "name_unix_nano": decimal text, as two members of an object. */
void render_time_members(struct render_time *memo, struct json *j, const char *time_key,
                         const char *nano_key, int64_t unix_ns);

#endif
