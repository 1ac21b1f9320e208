#include "genai/read.h"

#include "genai/pick.h"
#include "genai/tokens.h"

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
