/* One line of input and output for lists. */
#include "genai/content_read.h"

#include "genai/value_json.h"

static struct bytes value_line(struct findings *f, const struct value *value,
                               const struct content_words *words)
{
    __attribute__((cleanup(buf_done))) struct buf text = {.max = (size_t)2 * CONTENT_WINDOW};
    struct json j = json_into(&text);

    if (value->kind == VALUE_STRING)
        return content_line(f->arena, value->text, words);
    if (value->kind == VALUE_EMPTY)
        return (struct bytes){0};
    value_json_write(&j, value); /* a long one ends where the room does */
    return content_line(f->arena, buf_bytes(&text), words);
}

/* Indexed keys: the text of the last message of the role. */
static struct bytes indexed_line(struct findings *f, const struct content_run *run,
                                 const struct content_words *words)
{
    const struct value *last = NULL;
    uint32_t wanted = UINT32_MAX; /* index of the newest message of the role */

    for (size_t i = 0; i < run->count; i++) {
        const struct finding *finding = &run->first[i];
        const struct bytes role = {
            finding->rest.at + (finding->rest.len > 4 ? finding->rest.len - 4 : 0), 4};

        if (finding->rest.len < 4 || memcmp(role.at, "role", 4) != 0 ||
            finding->attribute->kind != VALUE_STRING)
            continue;
        for (size_t k = 0; k < 3 && words->role[k]; k++)
            if (bytes_is(finding->attribute->text, words->role[k]))
                wanted = finding->index;
    }
    for (size_t i = 0; i < run->count; i++) {
        const struct finding *finding = &run->first[i];
        const struct bytes rest = finding->rest;
        const bool text = rest.len == 0 ||
                          (rest.len >= 4 && (memcmp(rest.at + rest.len - 4, "text", 4) == 0)) ||
                          (rest.len >= 7 && memcmp(rest.at + rest.len - 7, "content", 7) == 0);

        if (text && finding->attribute->kind == VALUE_STRING &&
            message_says(finding->attribute->text) &&
            (wanted == UINT32_MAX || finding->index == wanted) &&
            (!last || finding->index == wanted))
            last = finding->attribute;
    }
    return last ? value_line(f, last, words) : (struct bytes){0};
}

/* The last event of a name. */
static struct bytes event_line(struct findings *f, bool output, const struct content_words *words)
{
    struct content_words any = *words;

    any.any = true; /* the event's name is the role */
    for (uint32_t i = f->span->event_count; i > 0; i--) {
        const struct event *event = &f->span->events[i - 1];
        const struct value attributes = {
            .kind = VALUE_KVLIST,
            .count = event->attributes.count,
            .entries = event->attributes.items,
        };
        const struct value *value;

        if (output ? !bytes_is(event->name, "gen_ai.choice") &&
                         !bytes_is(event->name, "gen_ai.content.completion") &&
                         !bytes_is(event->name, "gen_ai.client.inference.operation.details")
                   : !bytes_is(event->name, "gen_ai.user.message") &&
                         !bytes_is(event->name, "gen_ai.content.prompt") &&
                         !bytes_is(event->name, "gen_ai.client.inference.operation.details"))
            continue;
        value = message_member(
            &attributes, output ? ANY_OF("message", "gen_ai.output.messages", "gen_ai.completion",
                                         "content", "gen_ai.event.content", "body")
                                : ANY_OF("content", "gen_ai.input.messages", "gen_ai.prompt",
                                         "gen_ai.event.content", "body"));
        if (value) {
            const struct bytes line = value_line(f, value, &any);

            if (line.len > 0)
                return line;
        }
    }
    return (struct bytes){0};
}

static struct bytes preview(struct findings *f, bool output)
{
    static const enum target in[] = {TARGET_INPUT_MESSAGES, TARGET_INPUT, TARGET_TOOL_ARGUMENTS,
                                     TARGET_RETRIEVAL_QUERY};
    static const enum target out[] = {TARGET_OUTPUT_MESSAGES, TARGET_OUTPUT_TEXT, TARGET_OUTPUT,
                                      TARGET_OUTPUT_TOOL_CALLS, TARGET_TOOL_RESULT};
    static const struct content_words asked = {{"user", "human"}, "human", false};
    static const struct content_words said = {{"assistant", "ai", "model"}, "ai", true};
    const struct content_words *words = output ? &said : &asked;
    const enum target *targets = output ? out : in;
    const size_t count = output ? sizeof(out) / sizeof(out[0]) : sizeof(in) / sizeof(in[0]);
    bool events_done = false;

    for (size_t i = 0; i < count; i++) {
        struct content_run run;

        for (size_t at = 0; content_next(f, targets[i], &at, &run);) {
            struct bytes line;

            if (run.first->event >= 0 && events_done)
                continue;
            if (run.first->event >= 0) {
                line = event_line(f, output, words);
                events_done = true;
            } else if (run.indexed) {
                line = indexed_line(f, &run, words);
            } else if (run.first->attribute) {
                line = value_line(f, run.first->attribute, words);
            } else {
                continue;
            }
            if (line.len > 0)
                return line;
        }
    }
    return (struct bytes){0};
}

bool genai_previews(struct findings *f, struct bytes *out_input, struct bytes *out_output,
                    struct err *err)
{
    *out_input = preview(f, false);
    *out_output = preview(f, true);
    if (f->arena->failed)
        return err_set(err, ERR_TOO_LARGE, "previews of a span need more memory than allowed");
    return true;
}
