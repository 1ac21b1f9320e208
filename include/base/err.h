/* Kinds of error and the one way to report them: return false with a filled struct err. */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include <stdbool.h>
#include <stdint.h>

#define MUST_CHECK __attribute__((warn_unused_result))
#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))

/* A kind exists only where a caller acts differently; err_http_status and err_grpc_code are the
 * only tables of answers. */
enum err_kind {
    ERR_NONE = 0,
    ERR_BAD_INPUT,          /* 400, 3:  the sender must change the request */
    ERR_UNSUPPORTED,        /* 415, 12: media type, encoding or method that is not spoken here */
    ERR_NOT_FOUND,          /* 404, 5 (gRPC service or method: 12 is chosen by the route) */
    ERR_METHOD_NOT_ALLOWED, /* 405, 12 */
    ERR_UNAUTHENTICATED,    /* 401, 16 */
    ERR_FORBIDDEN,          /* 403, 7 */
    ERR_LIMITED,            /* 429, 8 with RetryInfo: the tenant's own limit */
    ERR_TOO_LARGE,          /* 413, 8 without RetryInfo */
    ERR_HEADERS_TOO_LARGE,  /* 431, 8 */
    ERR_URI_TOO_LONG,       /* 414, 3 */
    ERR_TIMEOUT, /* 503 with Retry-After, 4: a deadline of the sender or of a statement passed */
    ERR_UNAVAILABLE, /* 503 with Retry-After, 14: queue full, database away, stopping */
    ERR_CONTENDED, /* store only: deadlock, serialization, lock timeout; the same again may go through at once. 503, 14 */
    ERR_CONFLICT,  /* store only: a unique key is there already; never reaches a client */
    ERR_NO_CHUNK,  /* store only: no partition for a row (SQLSTATE 23514); never reaches a client */
    ERR_INTERNAL,  /* 500, 13: our bug; logged with the request's number */
    ERR_KIND_MAX
};

#define ERR_TEXT_BYTES 256

struct err {
    enum err_kind kind;
    char text[ERR_TEXT_BYTES]; /* lower case, no full stop, what was found and what was wanted;
                                  never attribute values */
};

/* Fills err and returns false, so that `return err_set(…)` is the whole failing line. Text is cut
 * at a UTF-8 border. */
MUST_CHECK bool err_set(struct err *err, enum err_kind kind, const char *format, ...)
    PRINTF_LIKE(3, 4);

/* The analyzer sees one file at a time; without this it follows paths on which a failure goes on. */
#ifdef __clang_analyzer__
#define err_set(...) ((void)err_set(__VA_ARGS__), false)
#endif

/* "bad_input", "unavailable", …: for logs, metric labels and the API's error.code. Static. */
const char *err_kind_name(enum err_kind kind);

/* HTTP status and gRPC code of a kind (OTLP-50..72; table of STYLE 3.6). */
int err_http_status(enum err_kind kind);
int err_grpc_code(enum err_kind kind);

/* Whether the answer carries Retry-After / RetryInfo: the sender should come again (OTLP-53,
 * OTLP-68). */
bool err_may_retry(enum err_kind kind);

#endif
