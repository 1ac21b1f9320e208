/* Members of a span in the answers of read/render. */
#ifndef READ_RENDER_SPAN_H
#define READ_RENDER_SPAN_H

#include "base/arena.h"
#include "base/json_write.h"
#include "read/render_time.h"
#include "read/tree.h"

/* One answer while it is written. */
struct renderer {
    struct json j;
    struct render_time time;
    bool skeleton;
    const struct trace_facts *facts;   /* of the whole trace */
    const struct trace_prices *prices; /* never NULL */
    const struct stored_scope *scope;  /* whose JSON stands in scope_json */
    struct bytes scope_json;
    struct arena *arena;
    struct arena *scratch; /* reset behind each span */
};

/* An object; in a skeleton without payload. Fails with ERR_TOO_LARGE (arena) and ERR_INTERNAL (a
 * stored row cannot be read). */
MUST_CHECK bool render_span_of_tree(struct renderer *r, const struct tree_node *node,
                                    struct err *err);

/* The members of a span without its tree, trace id first. Fails as above. */
MUST_CHECK bool render_span_alone(struct renderer *r, const struct stored_span *span,
                                  struct err *err);

/* 16 hex digits. */
void render_span_id(struct json *j, int64_t id);

/* Stored marks and those of the tree, by name. */
void render_span_marks(struct json *j, unsigned stored, unsigned tree);

#endif
