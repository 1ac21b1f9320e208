/* What a span said and was told: input, output, messages, tools, parameters. Read when a span is
 * shown, from the attributes and events as they were sent; nothing of it is stored a second time. */
#ifndef GENAI_CONTENT_H
#define GENAI_CONTENT_H

#include "base/json_write.h"
#include "genai/read.h"

struct content {
    struct bytes input; /* as sent; empty: none. JSON text where it is JSON */
    struct bytes output;
    struct bytes messages;   /* JSON array [{"role","parts":[{"type":…}], …}]: input then output
                                 messages; empty: no message list was sent */
    struct bytes parameters; /* JSON object of request parameters; empty: none */
    struct bytes metadata;   /* JSON object; empty: none */
    struct bytes tool_definitions; /* JSON array; empty: none */
    struct bytes system;           /* system instructions as text; also the first of messages */
    struct bytes *finish_reasons;
    uint32_t finish_reason_count;
    struct bytes tool_call_id;
    struct bytes tool_arguments; /* as sent */
    struct bytes tool_result;
    struct bytes
        input_preview; /* one line for lists: the last user message or the input, at most 200 characters */
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
