/* Times in JSON. */
#include "read/render_time.h"

#define FRACTION_AT 20 /* position of the first digit of the fraction */
#define TEXT_LEN 30

void render_time_json(struct render_time *memo, struct json *j, int64_t unix_ns)
{
    const int64_t ns = unix_ns > 0 ? unix_ns : 0;
    int64_t fraction = ns % NS_PER_S;
    uint8_t text[TEXT_LEN + 2];

    if (!memo->known || memo->second != ns / NS_PER_S) {
        memo->second = ns / NS_PER_S;
        memo->known = true;
        (void)clock_rfc3339((uint64_t)(ns - fraction), memo->text);
    }
    text[0] = '"';
    memcpy(text + 1, memo->text, TEXT_LEN);
    for (int i = 8; i >= 0; i--) {
        text[1 + FRACTION_AT + i] = (uint8_t)('0' + fraction % 10);
        fraction /= 10;
    }
    text[TEXT_LEN + 1] = '"';
    json_raw(j, (struct bytes){text, sizeof(text)});
}

void render_time_members(struct render_time *memo, struct json *j, const char *time_key,
                         const char *nano_key, int64_t unix_ns)
{
    json_key(j, time_key);
    render_time_json(memo, j, unix_ns);
    json_key(j, nano_key);
    json_int_text(j, unix_ns);
}
