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

void events_json(struct json *j, struct bytes stored, struct render_time *time)
{
    size_t copied = 0;
    size_t at = 0;
    unsigned depth = 0;

    if (stored.len == 0) {
        json_raw(j, BYTES_LITERAL("[]"));
        return;
    }
    while (at < stored.len) {
        const uint8_t c = stored.at[at];
        uint64_t unix_ns;

        if (c == '"') {
            if (depth == EVENT_DEPTH && is_time_key(stored, at) &&
                number_at(stored, at + KEY_LEN, &unix_ns)) {
                buf_add(j->out, stored.at + copied, at - copied);
                add_time(j, time, unix_ns);
                copied = at;
            }
            at = string_end(stored, at);
            continue;
        }
        if (c == '{' || c == '[')
            depth++;
        else if (c == '}' || c == ']')
            depth--;
        at++;
    }
    buf_add(j->out, stored.at + copied, stored.len - copied);
}
