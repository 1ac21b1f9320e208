/* Spans for tests of genai. */
#include "support/genai_case.h"

#include "test.h"

#include <stdlib.h>

#include "base/json_read.h"
#include "base/text.h"
#include "support/doc.h"

static struct value value_of(struct arena *arena, const struct doc *doc)
{
    struct value value = {.kind = VALUE_EMPTY};

    switch (doc->kind) {
    case DOC_NULL:
        break;
    case DOC_FALSE:
    case DOC_TRUE:
        value = (struct value){.kind = VALUE_BOOL, .boolean = doc->kind == DOC_TRUE};
        break;
    case DOC_NUMBER:
        if (memchr(doc->text.at, '.', doc->text.len))
            value = (struct value){.kind = VALUE_DOUBLE,
                                   .real = strtod((const char *)doc->text.at, NULL)};
        else
            value = (struct value){.kind = VALUE_INT,
                                   .integer = strtoll((const char *)doc->text.at, NULL, 10)};
        break;
    case DOC_STRING:
        value = (struct value){.kind = VALUE_STRING, .text = doc->text};
        break;
    case DOC_ARRAY:
        value = (struct value){.kind = VALUE_ARRAY, .count = (uint32_t)doc->count};
        value.items = arena_array(arena, struct value, doc->count);
        for (size_t i = 0; i < doc->count; i++)
            value.items[i] = value_of(arena, doc->items[i]);
        break;
    case DOC_OBJECT:
        value = (struct value){.kind = VALUE_KVLIST, .count = (uint32_t)doc->count};
        value.entries = arena_array(arena, struct attribute, doc->count);
        for (size_t i = 0; i < doc->count; i++)
            value.entries[i] = (struct attribute){doc->keys[i], value_of(arena, doc->items[i])};
        break;
    }
    return value;
}

static struct attributes attributes_of(struct arena *arena, const struct case_attribute *list)
{
    struct attributes set = {0};

    while (list && list[set.count].key)
        set.count++;
    set.items = arena_array(arena, struct attribute, set.count);
    for (uint32_t i = 0; i < set.count; i++) {
        const char *text = list[i].value;

        set.items[i].key = bytes_of(list[i].key);
        if (text[0] == AS_VALUE[0]) {
            const struct doc *doc = doc_parse(arena, bytes_of(text + 1));

            if (!doc)
                fail_msg("%s is no JSON", text + 1);
            else
                set.items[i].value = value_of(arena, doc);
        } else {
            set.items[i].value = (struct value){.kind = VALUE_STRING, .text = bytes_of(text)};
        }
    }
    return set;
}

struct span *case_span(struct arena *arena, const struct case_attribute *attributes,
                       const struct case_event *events)
{
    struct span *span = arena_new(arena, struct span);

    span->resource = arena_new(arena, struct resource);
    span->scope = arena_new(arena, struct scope);
    span->attributes = attributes_of(arena, attributes);
    while (events && events[span->event_count].name)
        span->event_count++;
    span->events = arena_array(arena, struct event, span->event_count);
    for (uint32_t i = 0; i < span->event_count; i++)
        span->events[i] = (struct event){
            .name = bytes_of(events[i].name),
            .attributes = attributes_of(arena, events[i].attributes),
        };
    return span;
}

/* Read back by the program's own reader too, and all of it is UTF-8. */
static void must_be_json(struct arena *arena, const char *why, struct bytes text)
{
    struct json_reader reader;
    enum json_token token;
    struct err err;

    if (text.len == 0)
        return;
    if (text_valid_prefix(text) != text.len)
        fail_msg("%s: no UTF-8", why);
    json_reader_init(&reader, text, arena);
    do {
        if (!json_next(&reader, &token, &err))
            fail_msg("%s: %s in %.300s", why, err.text, (const char *)text.at);
    } while (token != JSON_END);
}

struct content case_content(struct arena *arena, const char *why, const struct span *span,
                            enum observation observation)
{
    const struct meaning meaning = {.observation = observation};
    struct findings findings;
    struct content content;
    struct err err = {0};

    if (!genai_find(span, FIND_FACTS | FIND_DETAILS | FIND_CONTENT, arena, &findings, &err) ||
        !genai_content(&findings, &meaning, NULL, &content, &err))
        fail_msg("%s: %s", why, err.text);
    must_be_json(arena, why, content.messages);
    must_be_json(arena, why, content.parameters);
    must_be_json(arena, why, content.metadata);
    must_be_json(arena, why, content.tool_definitions);
    if (text_valid_prefix(content.input_preview) != content.input_preview.len ||
        text_valid_prefix(content.output_preview) != content.output_preview.len)
        fail_msg("%s: a preview is no UTF-8", why);
    return content;
}

void same_json(struct arena *arena, const char *why, struct bytes found, const char *want)
{
    const struct doc *a = found.len > 0 ? doc_parse(arena, found) : NULL;
    const struct doc *b = want ? doc_parse(arena, bytes_of(want)) : NULL;

    if (want && !b)
        fail_msg("%s: the test's own JSON is none", why);
    if (!a && !b)
        return;
    if (!a || !b || !doc_equal(arena, a, b))
        fail_msg("%s:\nfound %.*s\nwant  %s", why, (int)found.len, (const char *)found.at,
                 want ? want : "nothing");
}

void same_text(const char *why, struct bytes found, const char *want)
{
    if (!bytes_is(found, want ? want : ""))
        fail_msg("%s:\nfound %.*s\nwant  %s", why, (int)found.len, (const char *)found.at, want);
}
