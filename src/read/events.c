/*
 * Events. The stored text is our own, so it is not parsed again but scanned for the one key: an
 * event may hold megabytes of prompts, and they pass through unread but for brackets and quotes.
 */
#include "read/events.h"

#include "base/text.h"

#define EVENT_DEPTH 2 /* of an event's own keys: array, object */

static const char key[] = "\"time_unix_nano\":";
#define KEY_LEN (sizeof(key) - 1)

/* Index behind the string that starts at `at`. */
static size_t string_end(struct bytes text, size_t at)
{
    for (at++; at < text.len; at++) {
        const uint8_t *next = memchr(text.at + at, '"', text.len - at);
        size_t quote;
        size_t back;

        if (!next)
            return text.len;
        quote = (size_t)(next - text.at);
        for (back = quote; back > at && text.at[back - 1] == '\\'; back--)
            ;
        if ((quote - back) % 2 == 0)
            return quote + 1;
        at = quote;
    }
    return text.len;
}

/* The number at `at`, quoted or not; false when there is none. */
static bool number_at(struct bytes text, size_t at, uint64_t *out_value)
{
    size_t end;

    if (at < text.len && text.at[at] == '"')
        at++;
    for (end = at; end < text.len && text.at[end] >= '0' && text.at[end] <= '9'; end++)
        ;
    return text_uint64((struct bytes){text.at + at, end - at}, out_value);
}

static bool is_time_key(struct bytes text, size_t at)
{
    return text.len - at >= KEY_LEN && memcmp(text.at + at, key, KEY_LEN) == 0;
}

/* Times beyond int64 (the year 2262) are shown as the last that fits; time_unix_nano has them
 * whole. */
static void add_time(struct json *j, struct render_time *time, uint64_t unix_ns)
{
    buf_add_text(j->out, "\"time\":");
    render_time_json(time, j, unix_ns > INT64_MAX ? INT64_MAX : (int64_t)unix_ns);
    buf_add_byte(j->out, ',');
}

/* text lies at that depth. */
static void copy_with_times(struct json *j, struct bytes text, unsigned depth,
                            struct render_time *time)
{
    size_t copied = 0;
    size_t at = 0;

    while (at < text.len) {
        const uint8_t c = text.at[at];
        uint64_t unix_ns;

        if (c == '"') {
            if (depth == EVENT_DEPTH && is_time_key(text, at) &&
                number_at(text, at + KEY_LEN, &unix_ns)) {
                buf_add(j->out, text.at + copied, at - copied);
                add_time(j, time, unix_ns);
                copied = at;
            }
            at = string_end(text, at);
            continue;
        }
        if (c == '{' || c == '[')
            depth++;
        else if (c == '}' || c == ']')
            depth--;
        at++;
    }
    buf_add(j->out, text.at + copied, text.len - copied);
}

void events_json(struct json *j, struct bytes stored, struct bytes logs, struct render_time *time)
{
    /* Our own arrays: brackets stand first and last, and none is empty. */
    json_open(j, '[');
    if (stored.len > 2)
        copy_with_times(j, (struct bytes){stored.at + 1, stored.len - 2}, 1, time);
    if (stored.len > 2 && logs.len > 2)
        buf_add_byte(j->out, ',');
    if (logs.len > 2)
        copy_with_times(j, (struct bytes){logs.at + 1, logs.len - 2}, 1, time);
    json_close(j, ']');
}
