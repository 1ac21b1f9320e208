#include "genai/read.h"

#include "genai/pick.h"
#include "genai/tokens.h"

#define MOST_SOURCES 1000 /* of one span: more conflicts than that tell nobody anything */

void sources_add(struct sources *sources, const struct source *source)
{
    if (sources == NULL || sources->count == MOST_SOURCES)
        return;
    if (sources->count == sources->cap) {
        const size_t cap = sources->cap == 0 ? 32 : 2 * sources->cap;
        struct source *items = arena_array(sources->arena, struct source, cap);

        if (items == NULL)
            return; /* arena->failed says so; the reading ends with it */
        if (sources->count > 0)
            memcpy(items, sources->items, sources->count * sizeof(*items));
        sources->items = items;
        sources->cap = cap;
    }
    sources->items[sources->count++] = *source;
}

bool genai_read(struct findings *f, struct sources *sources, struct meaning *out_meaning,
                struct err *err)
{
    struct reading r = {f, sources, out_meaning};

    *out_meaning = (struct meaning){
        .reported_cost = COST_UNKNOWN,
        .cost = {.total = COST_UNKNOWN, .computed = COST_UNKNOWN, .reported = COST_UNKNOWN},
    };
    genai_read_observation(&r);
    genai_read_flags(&r);
    genai_read_models(&r);
    genai_read_provider(&r);
    genai_read_response_id(&r);
    genai_read_identity(&r);
    genai_read_state(&r);
    if (f->arena->failed)
        return err_set(err, ERR_TOO_LARGE, "the meaning of a span has no room in memory");
    return genai_tokens(f, sources, out_meaning, err);
}
