/* A query string read by a table of names: what is unknown, repeated or badly escaped is refused by
 * name. For the rooms of read/params. */
#ifndef READ_PARAMS_QUERY_H
#define READ_PARAMS_QUERY_H

#include "base/arena.h"
#include "base/bytes.h"

/* Reads one decoded value into the caller's target. */
typedef bool (*param_fn)(void *target, struct bytes value, struct err *err);

struct param {
    const char *name; /* NULL ends the table */
    bool is_time;     /* '+' is kept where an offset may stand */
    param_fn read;
};

#define PARAMS_QUERY_MAX 32 /* rows of a table */

/* Fails as params.h says; texts live in arena. */
MUST_CHECK bool params_query_read(const struct param *params, struct bytes query, void *target,
                                  struct arena *arena, struct err *err);

enum params_plus { PARAMS_PLUS_IS_SPACE, PARAMS_PLUS_OF_TIME, PARAMS_PLUS_KEPT };

/* Percent escapes undone. Fails as params.h says. */
MUST_CHECK bool params_query_decode(struct bytes raw, enum params_plus plus, struct arena *arena,
                                    struct bytes *out_text, struct err *err);

#define PARAMS_QUOTED_BYTES 64
/* For messages. Returns to. */
const char *params_query_quoted(struct bytes text, char to[PARAMS_QUOTED_BYTES]);

#endif
