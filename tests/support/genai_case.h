/* Spans for tests of genai: attributes and events from short tables. */
#ifndef TESTS_SUPPORT_GENAI_CASE_H
#define TESTS_SUPPORT_GENAI_CASE_H

#include "base/arena.h"
#include "genai/content.h"
#include "model/span.h"

/* value: a text; behind "\x01" it is JSON that becomes an array, a kvlist, a number or a truth. */
struct case_attribute {
    const char *key; /* NULL ends the list */
    const char *value;
};
#define AS_VALUE "\x01"

struct case_event {
    const char *name; /* NULL ends the list */
    struct case_attribute attributes[6];
};

/* A span with nothing but these; lives in arena. */
struct span *case_span(struct arena *arena, const struct case_attribute *attributes,
                       const struct case_event *events);

/* Messages that come again and again. */
#define HI_USER "{\"role\":\"user\",\"parts\":[{\"type\":\"text\",\"content\":\"hi\"}]}"
#define HO_ASSISTANT "{\"role\":\"assistant\",\"parts\":[{\"type\":\"text\",\"content\":\"ho\"}]}"
#define HO_STOP                                                                                    \
    "{\"role\":\"assistant\",\"parts\":[{\"type\":\"text\",\"content\":\"ho\"}],"                  \
    "\"finish_reason\":\"stop\"}"
#define CALL_PART "{\"type\":\"tool_call\",\"id\":\"c1\",\"name\":\"f\",\"arguments\":{\"a\":1}}"
#define CALL "{\"role\":\"assistant\",\"parts\":[" CALL_PART "]}"
#define RESULT                                                                                     \
    "{\"role\":\"tool\",\"parts\":[{\"type\":\"tool_call_response\",\"id\":\"c1\","                \
    "\"response\":\"42\"}]}"
#define BE_BRIEF "{\"role\":\"system\",\"parts\":[{\"type\":\"text\",\"content\":\"be brief\"}]}"

/* genai_content of a span; every JSON in it is read back, every text is UTF-8. */
struct content case_content(struct arena *arena, const char *why, const struct span *span,
                            enum observation observation);

/* Fail with why where they differ; want NULL: nothing was to be found. */
void same_json(struct arena *arena, const char *why, struct bytes found, const char *want);
void same_text(const char *why, struct bytes found, const char *want);

#endif
