/* One message: role, content, tool calls, in the shapes of the providers and frameworks. */
#include "genai/message.h"

#include "base/text.h"

#define FINISHES ANY_OF("finish_reason", "stop_reason", "finishReason", "stopReason", "done_reason")

struct bytes message_role(struct bytes sent)
{
    static const struct {
        const char *sent;
        const char *role;
    } roles[] = {
        {"user", "user"},           {"human", "user"},
        {"HumanMessage", "user"},   {"HumanMessageChunk", "user"},
        {"assistant", "assistant"}, {"ai", "assistant"},
        {"model", "assistant"},     {"AIMessage", "assistant"},
        {"bot", "assistant"},       {"AIMessageChunk", "assistant"},
        {"chatbot", "assistant"},   {"tool-call", "assistant"},
        {"system", "system"},       {"SystemMessage", "system"},
        {"tool", "tool"},           {"ToolMessage", "tool"},
        {"function", "tool"},       {"FunctionMessage", "tool"},
        {"tool-response", "tool"},  {"tool_response", "tool"},
    };

    for (size_t i = 0; i < sizeof(roles) / sizeof(roles[0]); i++)
        if (bytes_is_nocase(sent, roles[i].sent))
            return bytes_of(roles[i].role);
    return sent;
}

bool message_is_role(struct bytes word)
{
    const struct bytes role = message_role(word);

    return role.at != word.at || bytes_is(word, "developer");
}

bool message_is_parts(const struct value *value)
{
    return value->kind == VALUE_ARRAY && value->count > 0 && message_is_part(&value->items[0]);
}

/* Content: text, parts, one part, parts as JSON in a text. */
/* NOLINTNEXTLINE(misc-no-recursion): an object leads to its parts, a text to an array */
void message_content(struct message_list *l, const struct value *content)
{
    struct value parsed;

    switch (content->kind) {
    case VALUE_STRING:
        if (content->text.len > 1 && content->text.at[0] == '[' &&
            message_parse(l->arena, content->text, &parsed) && message_is_parts(&parsed))
            message_content(l, &parsed);
        else
            message_text(l, "text", content->text);
        return;
    case VALUE_ARRAY:
        for (uint32_t i = 0; i < content->count; i++)
            message_part(l, &content->items[i]);
        return;
    case VALUE_KVLIST: {
        const struct value *parts = message_member(content, ANY_OF("parts"));

        if (parts && parts->kind == VALUE_ARRAY)
            message_content(l, parts);
        else
            message_part(l, content);
        return;
    }
    case VALUE_BOOL:
    case VALUE_INT:
    case VALUE_DOUBLE:
        message_as_sent(l, content);
        return;
    case VALUE_EMPTY:
    case VALUE_BYTES:
        return;
    }
}

/* What a tool gave back, in a message of role tool. */
static void add_tool_content(struct message_list *l, const struct value *message,
                             const struct value *content)
{
    struct message_call call = {
        .id = message_string(message, ANY_OF("tool_call_id", "toolCallId", "tool_use_id", "id")),
        .name = message_string(message, ANY_OF("name", "tool_name")),
        .content = content,
    };
    struct value parsed;

    if (content && content->kind == VALUE_STRING && content->text.len > 1 &&
        content->text.at[0] == '[' && message_parse(l->arena, content->text, &parsed) &&
        message_is_parts(&parsed))
        content = &parsed;
    if (content && message_is_parts(content)) {
        const struct bytes role = message_part_role(l, &content->items[0]);

        if (bytes_is(role, "tool") || call.id.len == 0) {
            message_content(l, content);
            return;
        }
    }
    message_tool_result(l, &call);
}

static void add_calls(struct message_list *l, const struct value *message)
{
#define CALLS ANY_OF("tool_calls", "toolCalls")
    const struct value *calls = message_member(message, CALLS);
    const struct value *more = message_member(message, ANY_OF("additional_kwargs"));
    const struct value *old = message_member(message, ANY_OF("function_call"));
    struct value parsed;

    if (more && (!calls || calls->count == 0))
        calls = message_member(more, CALLS);
    if (calls && calls->kind == VALUE_STRING && message_parse(l->arena, calls->text, &parsed))
        calls = &parsed;
    if (calls && calls->kind == VALUE_ARRAY && calls->count > 0) {
        for (uint32_t i = 0; i < calls->count; i++) {
            const struct value *call = &calls->items[i];
            const struct value *inner = message_member(call, ANY_OF("tool_call"));

            message_part_call(l, inner ? inner : call);
        }
        return;
    }
    if (!old && more)
        old = message_member(more, ANY_OF("function_call"));
    if (old && old->kind == VALUE_KVLIST)
        message_part_call(l, old);
}

static struct bytes role_of(const struct value *object, struct bytes fallback)
{
    struct bytes role = message_string(object, ANY_OF("role"));

    if (role.len == 0) { /* LangChain's word is the type */
        role = message_string(object, ANY_OF("type"));
        if (!message_is_role(role))
            role.len = 0;
    }
    return role.len > 0 ? message_role(role) : fallback;
}

void message_add_one(struct message_list *l, const struct value *object, struct bytes role)
{
    const struct value *content = message_member(object, ANY_OF("parts", "contents", "content"));

    role = role_of(object, role);
    if (!content)
        content = message_member(object, ANY_OF("text"));
    message_open(l, role, message_string(object, ANY_OF("name")), false);
    message_text(l, "reasoning",
                 message_string(object, ANY_OF("reasoning_content", "reasoning", "thinking",
                                               "reasoningText")));
    if (bytes_is(role, "tool") && !message_member(object, ANY_OF("parts")))
        add_tool_content(l, object, content);
    else if (content)
        message_content(l, content);
    if (l->parts == 0)
        message_text(l, "text", message_string(object, ANY_OF("content", "refusal")));
    if (l->calls == 0)
        add_calls(l, object);
    message_finish(l, message_string(object, FINISHES));
}

/* LangChain: {"type":"human","data":{…}}, {"lc":1,"id":[…,"HumanMessage"],"kwargs":{…}}. */
bool message_add_langchain(struct message_list *l, const struct value *object)
{
    const struct value *kwargs = message_member(object, ANY_OF("kwargs"));
    const struct value *data = message_member(object, ANY_OF("data"));
    struct bytes role = message_string(object, ANY_OF("type"));

    if (kwargs && kwargs->kind == VALUE_KVLIST && bytes_is(role, "constructor")) {
        const struct value *id = message_member(object, ANY_OF("id"));

        if (!id || id->kind != VALUE_ARRAY || id->count == 0 ||
            id->items[id->count - 1].kind != VALUE_STRING)
            return false;
        role = id->items[id->count - 1].text;
        if (!message_is_role(role) && !message_member(kwargs, ANY_OF("role", "content")))
            return false;
        message_add_one(l, kwargs, message_is_role(role) ? message_role(role) : bytes_of(l->role));
        return true;
    }
    if (!data || data->kind != VALUE_KVLIST || !message_is_role(role))
        return false;
    message_add_one(l, data, message_role(role));
    return true;
}

/* A choice, a candidate, a generation: {"message":{…},"finish_reason":…}, {"delta":…}, {"text":…},
 * {"content":{"parts":…}}. */
void message_add_choice(struct message_list *l, const struct value *choice)
{
    const struct value *message = message_member(choice, ANY_OF("message", "delta"));
    const struct value *info = message_member(choice, ANY_OF("generation_info"));
    struct value parsed;

    if (message && message->kind == VALUE_STRING && message_parse(l->arena, message->text, &parsed))
        message = &parsed;
    if (!message) {
        message_add_one(l, choice, bytes_of(l->role));
    } else if (message->kind == VALUE_KVLIST) {
        if (!message_add_langchain(l, message))
            message_add_one(l, message, bytes_of(l->role));
    } else {
        message_open(l, bytes_of(l->role), (struct bytes){0}, false);
        message_content(l, message);
    }
    message_finish(l, message_string(choice, FINISHES));
    if (info)
        message_finish(l, message_string(info, FINISHES));
}
