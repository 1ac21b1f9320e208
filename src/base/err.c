/* Kinds of error: their names and what they become on the wire. */
#include "base/err.h"
#undef err_set

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct answer {
    const char *name;
    int http_status;
    int grpc_code;
    bool may_retry;
};

static const struct answer answers[ERR_KIND_MAX] = {
    [ERR_NONE] = {"ok", 200, 0, false},
    [ERR_BAD_INPUT] = {"bad_input", 400, 3, false},
    [ERR_UNSUPPORTED] = {"unsupported", 415, 12, false},
    [ERR_NOT_FOUND] = {"not_found", 404, 5, false},
    [ERR_METHOD_NOT_ALLOWED] = {"method_not_allowed", 405, 12, false},
    [ERR_UNAUTHENTICATED] = {"unauthenticated", 401, 16, false},
    [ERR_FORBIDDEN] = {"forbidden", 403, 7, false},
    [ERR_LIMITED] = {"limited", 429, 8, true},
    [ERR_TOO_LARGE] = {"too_large", 413, 8, false},
    [ERR_HEADERS_TOO_LARGE] = {"headers_too_large", 431, 8, false},
    [ERR_URI_TOO_LONG] = {"uri_too_long", 414, 3, false},
    [ERR_TIMEOUT] = {"timeout", 503, 4, true},
    [ERR_UNAVAILABLE] = {"unavailable", 503, 14, true},
    [ERR_CONTENDED] = {"contended", 503, 14, true},
    [ERR_CONFLICT] = {"conflict", 500, 13, false},
    [ERR_NO_CHUNK] = {"no_chunk", 500, 13, false},
    [ERR_INTERNAL] = {"internal", 500, 13, false},
};

/* Length of the longest prefix of a cut text that does not end inside a character. */
static size_t whole_characters(const char *text, size_t len)
{
    const unsigned char *at = (const unsigned char *)text;
    size_t lead = len;
    size_t want = 1;

    while (lead > 0 && (at[lead - 1] & 0xc0) == 0x80)
        lead--;
    if (lead == 0 || at[lead - 1] < 0xc0)
        return len; /* ASCII, or no UTF-8 at all */
    lead--;
    while (want < 4 && (at[lead] & (0x80 >> want)))
        want++;
    return len - lead < want ? lead : len;
}

bool err_set(struct err *err, enum err_kind kind, const char *format, ...)
{
    va_list args;
    int written;

    err->kind = kind;
    va_start(args, format);
    written = vsnprintf(err->text, sizeof(err->text), format, args);
    va_end(args);
    if (written < 0)
        err->text[0] = '\0';
    if (written >= (int)sizeof(err->text))
        err->text[whole_characters(err->text, sizeof(err->text) - 1)] = '\0';
    return false;
}

static const struct answer *answer_of(enum err_kind kind)
{
    return (unsigned)kind < ERR_KIND_MAX ? &answers[kind] : &answers[ERR_INTERNAL];
}

const char *err_kind_name(enum err_kind kind)
{
    return answer_of(kind)->name;
}

int err_http_status(enum err_kind kind)
{
    return answer_of(kind)->http_status;
}

int err_grpc_code(enum err_kind kind)
{
    return answer_of(kind)->grpc_code;
}

bool err_may_retry(enum err_kind kind)
{
    return answer_of(kind)->may_retry;
}
