/* Price cases. */
#include "support/price_case.h"

#include <stdio.h>

#include "test.h"

#include "base/clock.h"
#include "base/json_read.h"
#include "base/text.h"
#include "support/fixture.h"

static struct bytes field_of(struct bytes line, size_t index)
{
    const uint8_t *at = line.at;
    const uint8_t *end = line.at + line.len;

    for (; index > 0 && at; index--) {
        at = memchr(at, '\t', (size_t)(end - at));
        at = at ? at + 1 : NULL;
    }
    if (!at)
        return (struct bytes){0};
    const uint8_t *tab = memchr(at, '\t', (size_t)(end - at));
    return (struct bytes){at, (size_t)((tab ? tab : end) - at)};
}

size_t price_case_each(const char *file, void (*see)(const struct price_case *c, void *context),
                       void *context)
{
    struct arena arena;
    char path[128];
    size_t count = 0;

    arena_init(&arena, 1 << 24);
    (void)snprintf(path, sizeof(path), "../%s", file);
    struct bytes rest = fixture_file(&arena, path);
    for (size_t line = 1; rest.len > 0; line++) {
        const uint8_t *newline = memchr(rest.at, '\n', rest.len);
        const struct bytes text = {rest.at, newline ? (size_t)(newline - rest.at) : rest.len};
        struct bytes field[PRICE_CASE_FIELDS];

        rest.at += text.len + (newline ? 1 : 0);
        rest.len -= text.len + (newline ? 1 : 0);
        if (line == 1 || text.len == 0 || text.at[0] == '#')
            continue;
        for (size_t i = 0; i < PRICE_CASE_FIELDS; i++)
            field[i] = field_of(text, i);
        const struct price_case c = {line,     field[0], field[1], field[2], field[3],
                                     field[4], field[5], field[6], field[7]};
        see(&c, context);
        count++;
    }
    arena_done(&arena);
    return count;
}

/* Names of the numbers in a case's JSON. */
enum number {
    INPUT,
    OUTPUT,
    READ,
    WRITE,
    WRITE_1H,
    REASONING,
    AUDIO_IN,
    AUDIO_OUT,
    AUDIO_READ,
    IMAGE_IN,
    IMAGE_OUT,
    NUMBERS
};

static const char *const names[NUMBERS] = {
    "input_tokens",       "output_tokens",         "cache_read_tokens",
    "cache_write_tokens", "cache_write_1h_tokens", "output_reasoning_tokens",
    "input_audio_tokens", "output_audio_tokens",   "cache_audio_read_tokens",
    "input_image_tokens", "output_image_tokens",
};

static void read_numbers(const struct price_case *c, int64_t n[NUMBERS])
{
    struct arena arena;
    struct json_reader r;
    enum json_token token = JSON_NULL;
    struct err err = {0};
    size_t key = NUMBERS;

    arena_init(&arena, 1 << 16);
    json_reader_init(&r, c->usage_json, &arena);
    while (token != JSON_END) {
        if (!json_next(&r, &token, &err))
            fail_msg("line %zu: %s", c->line, err.text);
        if (token == JSON_KEY) {
            for (key = 0; key < NUMBERS && !bytes_is(r.text, names[key]); key++)
                continue;
            if (key == NUMBERS)
                fail_msg("line %zu: unknown key", c->line);
        } else if (token == JSON_NUMBER) {
            assert_true(text_int64(r.text, &n[key]));
        }
    }
    arena_done(&arena);
}

void price_case_meaning(const struct price_case *c, struct meaning *out_meaning,
                        int64_t *out_start_ns)
{
    int64_t n[NUMBERS] = {0};
    struct err err = {0};
    struct meaning m = {
        .observation = OBSERVATION_LLM,
        .provider = c->provider,
        .model = c->model,
        .request_model = c->model,
        .reported_cost = COST_UNKNOWN,
        .usage.sent = true,
    };
    int64_t *t = m.usage.tokens;
    const bool exclusive = bytes_is(c->semantics, "exclusive");

    read_numbers(c, n);
    if (!clock_parse(c->time, out_start_ns, &err))
        fail_msg("line %zu: %s", c->line, err.text);
    t[TOKEN_CACHE_READ] = n[READ];
    t[TOKEN_CACHE_WRITE] = n[WRITE] - n[WRITE_1H];
    t[TOKEN_CACHE_WRITE_1H] = n[WRITE_1H];
    t[TOKEN_AUDIO_INPUT] = n[AUDIO_IN] - n[AUDIO_READ];
    t[TOKEN_AUDIO_OUTPUT] = n[AUDIO_OUT];
    t[TOKEN_REASONING] = n[REASONING];
    t[TOKEN_IMAGE] = n[IMAGE_IN] + n[IMAGE_OUT];
    t[TOKEN_INPUT] =
        n[INPUT] - (exclusive ? 0 : n[READ] + n[WRITE]) - t[TOKEN_AUDIO_INPUT] - n[IMAGE_IN];
    t[TOKEN_OUTPUT] = n[OUTPUT] - n[AUDIO_OUT] - n[IMAGE_OUT] -
                      (bytes_is(c->semantics, "reasoning exclusive") ? 0 : n[REASONING]);
    m.usage.cached_audio = n[AUDIO_READ];
    m.usage.image_output = n[IMAGE_OUT];
    for (size_t i = 0; i < TOKEN_KIND_COUNT; i++) {
        if (t[i] < 0)
            fail_msg("line %zu: %s is negative", c->line, token_kind_name((enum token_kind)i));
        m.usage.total += t[i];
    }
    *out_meaning = m;
}

int64_t price_case_pico(struct bytes usd)
{
    int64_t value = 0;
    int decimals = -1;

    for (size_t i = 0; i < usd.len; i++) {
        if (usd.at[i] == '.') {
            decimals = 0;
            continue;
        }
        assert_in_range(usd.at[i], '0', '9');
        value = value * 10 + (usd.at[i] - '0');
        decimals += decimals >= 0;
    }
    for (int i = decimals < 0 ? 0 : decimals; i < 12; i++)
        value *= 10;
    return value;
}
