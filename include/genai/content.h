/* What a span said and was told: input, output, messages, tools, parameters. Read when a span is
 * shown, from the attributes and events as they were sent; nothing of it is stored a second time. */
#ifndef GENAI_CONTENT_H
#define GENAI_CONTENT_H

#include "base/json_write.h"
#include "genai/read.h"

/* Which of several sources counts: for input and output the first in rank that says anything, for
 * messages one source per side (lists under keys of their own, events where they stand in rank, pieces
 * of an answer, then requests and responses under any key). A text that a model was given or gave is a
 * message too; on other spans only what is a message list. What came out again of what went in (a
 * graph's state, an agent's history) stands once. */
struct content {
    struct bytes input; /* as sent; values that are no texts as JSON. Empty: nothing; where only
                           messages were sent, their list */
    struct bytes output;
    struct bytes messages; /* JSON array [{"role","name","parts":[{"type",…}],"finish_reason"}] with
                              the parts of the convention: text, reasoning, tool_call,
                              tool_call_response, blob, uri, file; others as sent. Instructions,
                              then what went in, then what came out. Empty: none */
    struct bytes parameters;       /* JSON object, names of the convention; empty: none */
    struct bytes metadata;         /* JSON object; empty: none */
    struct bytes tool_definitions; /* JSON array; empty: none */
    struct bytes system;           /* instructions as text; also the first of messages */
    struct bytes *finish_reasons;
    uint32_t finish_reason_count;
    struct bytes tool_call_id;
    struct bytes tool_arguments; /* of a tool span, as sent; input and output are the same then */
    struct bytes tool_result;
    /* One line of at most 200 characters: the last thing a user said, or how the input begins; the
     * answer, or the tool that it calls. */
    struct bytes input_preview;
    struct bytes output_preview;
};

/* f was made with all classes. Everything lives in the arena or where the span's texts do. Fails
 * with ERR_TOO_LARGE only. */
MUST_CHECK bool genai_content(struct findings *f, const struct meaning *meaning,
                              struct sources *sources, struct content *out_content,
                              struct err *err);

/* Previews only, cheap enough for ingest: f made with FIND_FACTS | FIND_CONTENT. */
MUST_CHECK bool genai_previews(struct findings *f, struct bytes *out_input,
                               struct bytes *out_output, struct err *err);

#endif
