/* A query string, by a table of names. */
#include "read/params_query.h"

#include <stdio.h>

#include "base/text.h"

const char *params_query_quoted(struct bytes text, char to[PARAMS_QUOTED_BYTES])
{
    return text_quote(text, to, PARAMS_QUOTED_BYTES);
}

static int hex_value(uint8_t c)
{
    uint8_t value;
    const uint8_t pair[2] = {'0', c};

    return text_unhex((struct bytes){pair, 2}, &value) ? value : -1;
}

/* '+' is a space in a form's query, but "…T10:00:00+02:00" typed into an address bar means its
 * plus: in a time only the one between date and hour is a space. In a path it is itself. */
static uint8_t plus_of(enum params_plus plus, size_t position)
{
    return plus == PARAMS_PLUS_KEPT || (plus == PARAMS_PLUS_OF_TIME && position != 10) ? '+' : ' ';
}

bool params_query_decode(struct bytes raw, enum params_plus plus, struct arena *arena,
                         struct bytes *out_text, struct err *err)
{
    char text[64];
    uint8_t *to = arena_alloc(arena, raw.len + 1);
    size_t len = 0;

    if (!to)
        return err_set(err, ERR_TOO_LARGE, "no memory for a query of %zu bytes", raw.len);
    for (size_t i = 0; i < raw.len; i++) {
        uint8_t c = raw.at[i];

        if (c == '%') {
            const int high = raw.len - i > 2 ? hex_value(raw.at[i + 1]) : -1;
            const int low = raw.len - i > 2 ? hex_value(raw.at[i + 2]) : -1;
            if (high < 0 || low < 0)
                return err_set(err, ERR_BAD_INPUT, "bad percent escape in '%s'",
                               params_query_quoted(raw, text));
            c = (uint8_t)(high << 4 | low);
            i += 2;
        } else if (c == '+') {
            c = plus_of(plus, len);
        }
        to[len++] = c;
    }
    *out_text = (struct bytes){to, len};
    if (text_valid_prefix(*out_text) != len)
        return err_set(err, ERR_BAD_INPUT, "query '%s' is not UTF-8 or holds NUL",
                       params_query_quoted(*out_text, text));
    return true;
}

static bool unknown(const struct param *params, struct bytes name, struct err *err)
{
    char known[320];
    char text[64];
    size_t at = 0;

    known[0] = '\0';
    for (const struct param *p = params; p->name; p++)
        at += (size_t)snprintf(known + at, sizeof(known) - at, "%s%s", at ? ", " : "", p->name);
    return err_set(err, ERR_BAD_INPUT, "unknown parameter '%s', known here: %s",
                   params_query_quoted(name, text), at ? known : "none");
}

static bool read_pair(const struct param *params, struct bytes pair, bool seen[PARAMS_QUERY_MAX],
                      void *target, struct arena *arena, struct err *err)
{
    const uint8_t *equals = memchr(pair.at, '=', pair.len);
    const size_t name_len = equals ? (size_t)(equals - pair.at) : pair.len;
    const struct bytes rest = {equals ? equals + 1 : NULL, equals ? pair.len - name_len - 1 : 0};
    struct bytes name = {0};
    struct bytes value = {0};

    if (!params_query_decode((struct bytes){pair.at, name_len}, PARAMS_PLUS_IS_SPACE, arena, &name,
                             err))
        return false;
    for (size_t i = 0; params[i].name; i++) {
        if (!bytes_is(name, params[i].name))
            continue;
        if (seen[i])
            return err_set(err, ERR_BAD_INPUT, "parameter '%s' is given more than once",
                           params[i].name);
        seen[i] = true;
        return params_query_decode(rest,
                                   params[i].is_time ? PARAMS_PLUS_OF_TIME : PARAMS_PLUS_IS_SPACE,
                                   arena, &value, err) &&
               params[i].read(target, value, err);
    }
    return unknown(params, name, err);
}

bool params_query_read(const struct param *params, struct bytes query, void *target,
                       struct arena *arena, struct err *err)
{
    bool seen[PARAMS_QUERY_MAX] = {false};

    while (query.len > 0) {
        const uint8_t *end = memchr(query.at, '&', query.len);
        const size_t len = end ? (size_t)(end - query.at) : query.len;

        if (len > 0 && !read_pair(params, (struct bytes){query.at, len}, seen, target, arena, err))
            return false;
        query.at += len + (end != NULL);
        query.len -= len + (end != NULL);
    }
    return true;
}
