/* Messages that were sent as events of a span, or as objects that once were events. */
#include "genai/message.h"

enum event_kind {
    EVENT_OTHER,
    EVENT_MESSAGE,
    EVENT_CHOICE,
    EVENT_PROMPT,
    EVENT_ANSWER,
    EVENT_CALL
};

static const struct event_name {
    const char *name;
    enum event_kind kind;
    const char *role;
} event_names[] = {
    {"gen_ai.system.message", EVENT_MESSAGE, "system"},
    {"gen_ai.user.message", EVENT_MESSAGE, "user"},
    {"gen_ai.assistant.message", EVENT_MESSAGE, "assistant"},
    {"gen_ai.tool.message", EVENT_MESSAGE, "tool"},
    {"gen_ai.choice", EVENT_CHOICE, "assistant"},
    {"gen_ai.content.prompt", EVENT_PROMPT, "user"},
    {"gen_ai.content.completion", EVENT_ANSWER, "assistant"},
    {"gen_ai.client.inference.operation.details", EVENT_CALL, "user"},
};

static const struct event_name *find_name(struct bytes name)
{
    if (name.len < 7 || memcmp(name.at, "gen_ai.", 7) != 0)
        return NULL;
    for (size_t i = 0; i < sizeof(event_names) / sizeof(event_names[0]); i++)
        if (bytes_is(name, event_names[i].name))
            return &event_names[i];
    return NULL;
}

/* What the event says may stand one level deeper, as an object or as JSON. */
static const struct value *body_of(struct message_list *l, const struct value *attributes,
                                   struct value *parsed)
{
    const struct value *body =
        message_member(attributes, ANY_OF("gen_ai.event.content", "event_body", "body",
                                          "event.body", "log.record.body"));

    if (!body)
        return attributes;
    if (body->kind == VALUE_KVLIST)
        return body;
    if (body->kind == VALUE_STRING && message_parse(l->arena, body->text, parsed) &&
        parsed->kind == VALUE_KVLIST)
        return parsed;
    return attributes;
}

static void add_choice(struct message_list *l, const struct value *body)
{
    const struct value *results = message_member(body, ANY_OF("tool.result"));

    message_add_choice(l, body);
    if (results) { /* Strands: the results of the calls stand beside them */
        message_open(l, BYTES_LITERAL("tool"), (struct bytes){0}, false);
        message_content(l, results);
    }
}

static void add_call(struct message_list *l, const struct value *body, bool output)
{
    const struct value *list = message_member(body, output ? ANY_OF("gen_ai.output.messages")
                                                           : ANY_OF("gen_ai.input.messages"));
    const struct value *system = message_member(body, ANY_OF("gen_ai.system_instructions"));

    if (system && !output)
        message_add_system(l, system);
    if (list)
        (void)message_add(l, list);
}

static void add_event(struct message_list *l, const struct event_name *name,
                      const struct value *attributes, bool output)
{
    struct value parsed;
    const struct value *body = body_of(l, attributes, &parsed);
    const struct value *text;

    switch (name->kind) {
    case EVENT_MESSAGE:
        if (!output)
            message_add_one(l, body, bytes_of(name->role));
        return;
    case EVENT_CHOICE:
        if (output)
            add_choice(l, body);
        return;
    case EVENT_PROMPT:
    case EVENT_ANSWER:
        text = message_member(attributes, output ? ANY_OF("gen_ai.completion", "content")
                                                 : ANY_OF("gen_ai.prompt", "content"));
        if (text && output == (name->kind == EVENT_ANSWER))
            (void)message_add(l, text);
        return;
    case EVENT_CALL:
        add_call(l, body, output);
        return;
    case EVENT_OTHER:
        return;
    }
}

bool message_add_event(struct message_list *l, const struct value *object)
{
    const struct event_name *name = find_name(message_string(object, ANY_OF("event.name")));
    const char *role = l->role;

    if (!name)
        return false;
    l->role = name->role;
    add_event(l, name, object, name->kind == EVENT_CHOICE || name->kind == EVENT_ANSWER);
    l->role = role;
    return true;
}

bool message_add_events(struct message_list *l, const struct span *span, bool output)
{
    const uint64_t before = l->total_parts;
    const bool plain_text = l->plain_text;

    l->plain_text = true;
    for (uint32_t i = 0; i < span->event_count; i++) {
        const struct event *event = &span->events[i];
        const struct value attributes = {
            .kind = VALUE_KVLIST,
            .count = event->attributes.count,
            .entries = event->attributes.items,
        };
        const struct event_name *name = find_name(event->name);

        if (name)
            add_event(l, name, &attributes, output);
    }
    l->plain_text = plain_text;
    return l->total_parts > before;
}
