/* Messages in requests, responses, lists and texts of every shape. */
#include "genai/message.h"

#define SYSTEMS ANY_OF("system", "system_instruction", "systemInstruction", "instructions")
#define LOOK_AT 8 /* items without a message, and a list is none */

static void add_value(struct message_list *l, const struct value *value);

void message_add_text(struct message_list *l, struct bytes role, struct bytes text)
{
    message_open(l, role, (struct bytes){0}, false);
    message_text(l, "text", text);
}

/* NOLINTNEXTLINE(misc-no-recursion): as add_value */
static void add_string(struct message_list *l, struct bytes text)
{
    struct value parsed;

    if (!message_says(text))
        return;
    if (message_parse(l->arena, text, &parsed))
        add_value(l, &parsed);
    else if (l->plain_text && text.at[0] != '[' && text.at[0] != '{')
        message_add_text(l, bytes_of(l->role), text);
}

/* ["user", "How is the weather?"] */
static bool add_pair(struct message_list *l, const struct value *array)
{
    if (array->count != 2 || array->items[0].kind != VALUE_STRING ||
        array->items[1].kind != VALUE_STRING || !message_is_role(array->items[0].text))
        return false;
    message_add_text(l, message_role(array->items[0].text), array->items[1].text);
    return true;
}

/* NOLINTNEXTLINE(misc-no-recursion): as add_value */
static void add_array(struct message_list *l, const struct value *array)
{
    const uint64_t before = l->total_parts;

    if (add_pair(l, array))
        return;
    for (uint32_t i = 0; i < array->count; i++) {
        const struct value *item = &array->items[i];

        if (i == LOOK_AT && l->total_parts == before)
            return;
        if (message_is_part(item)) {
            message_open(l, message_part_role(l, item), (struct bytes){0}, true);
            message_part(l, item);
        } else if (item->kind == VALUE_STRING) {
            add_string(l, item->text);
        } else {
            add_value(l, item);
        }
    }
}

static bool has_any(const struct value *object, const char *const *names)
{
    return message_member(object, names) != NULL;
}

/* A message itself, or the object of a response that is one message. */
static bool is_message(const struct value *object)
{
    const struct value *content = message_member(object, ANY_OF("content"));
    const struct value *calls = message_member(object, ANY_OF("tool_calls", "toolCalls"));

    if (message_string(object, ANY_OF("role")).len > 0)
        return has_any(object, ANY_OF("content", "parts", "contents", "tool_calls", "toolCalls",
                                      "function_call", "text", "refusal"));
    if (calls && calls->kind == VALUE_ARRAY && calls->count > 0)
        return true;
    if (!content)
        return false;
    if (message_is_role(message_string(object, ANY_OF("type"))))
        return true;
    return message_is_parts(content) || message_member(content, ANY_OF("parts")) != NULL;
}

/* NOLINTNEXTLINE(misc-no-recursion): as add_value */
static void add_choices(struct message_list *l, const struct value *choices, unsigned depth)
{
    struct value parsed;

    if (choices->kind == VALUE_STRING && message_parse(l->arena, choices->text, &parsed))
        choices = &parsed;
    if (choices->kind != VALUE_ARRAY)
        return;
    for (uint32_t i = 0; i < choices->count; i++) {
        if (choices->items[i].kind == VALUE_KVLIST)
            message_add_choice(l, &choices->items[i]);
        else if (depth == 0) /* LangChain: a list per prompt */
            add_choices(l, &choices->items[i], 1);
    }
}

/* What a provider answers. */
/* NOLINTNEXTLINE(misc-no-recursion): as add_value */
static void add_response(struct message_list *l, const struct value *object)
{
    const struct value *choices =
        message_member(object, ANY_OF("choices", "candidates", "generations"));
    const struct value *output = message_member(object, ANY_OF("output"));

    if (choices) {
        l->recognized = true;
        add_choices(l, choices, 0);
    }
    if (!choices && output)
        add_value(l, output);
}

/* What a provider is asked. */
/* NOLINTNEXTLINE(misc-no-recursion): as add_value */
static void add_request(struct message_list *l, const struct value *object)
{
    const struct value *list = message_member(
        object, ANY_OF("messages", "contents", "chat_messages", "items", "chat_history"));
    const struct value *text = message_member(object, ANY_OF("input", "prompt", "prompts"));
    const struct value *config = message_member(object, ANY_OF("config"));
    const struct value *system = message_member(object, SYSTEMS);
    const bool asks = l->plain_text || system || has_any(object, ANY_OF("model")) ||
                      (object->count == 1 && has_any(object, ANY_OF("prompt", "prompts")));
    const bool plain_text = l->plain_text;
    const uint64_t before = l->total_parts;

    if (!system && config)
        system = message_member(config, SYSTEMS);
    if (!list && (!text || (text->kind == VALUE_STRING && !asks)))
        return;
    if (system)
        message_add_system(l, system);
    if (list) {
        l->recognized = true;
        add_value(l, list);
    } else {
        l->plain_text = asks;
        add_value(l, text);
        l->plain_text = plain_text;
    }
    if (l->total_parts == before && !list && asks && text->kind == VALUE_STRING)
        message_add_text(l, bytes_of(l->role), text->text);
}

/* What stands around: arguments of a traced function, states of a graph, envelopes. No member is
 * looked into that add_request or add_response looked into: work would double with every level. */
/* NOLINTNEXTLINE(misc-no-recursion): as add_value */
static void add_wrapped(struct message_list *l, const struct value *object)
{
    static const char *const wraps[] = {"value",    "inputs", "outputs", "kwargs",
                                        "update",   "data",   "request", "body",
                                        "response", "result", "args",    "json"};
    const uint64_t before = l->total_parts;

    for (size_t i = 0; i < sizeof(wraps) / sizeof(wraps[0]); i++) {
        const struct value *inner = message_member(object, ANY_OF(wraps[i]));

        if (inner && (inner->kind != VALUE_STRING || l->plain_text))
            add_value(l, inner);
        if (l->total_parts > before)
            return;
    }
    if (l->plain_text && l->depth <= 2) {
        const struct bytes text = message_string(
            object, ANY_OF("text", "answer", "question", "query", "completion", "content"));

        if (text.len > 0)
            message_add_text(l, bytes_of(l->role), text);
    }
}

/* NOLINTNEXTLINE(misc-no-recursion): as add_value */
static void add_object(struct message_list *l, const struct value *object)
{
    const uint64_t before = l->total_parts;

    if (message_add_langchain(l, object) || message_add_event(l, object))
        return;
    if (is_message(object)) {
        l->recognized = true;
        message_add_one(l, object, bytes_of(l->role));
        return;
    }
    if (message_is_part(object)) {
        message_open(l, message_part_role(l, object), (struct bytes){0}, true);
        message_part(l, object);
        return;
    }
    if (message_member(object, ANY_OF("message")) &&
        message_member(object, ANY_OF("message"))->kind == VALUE_KVLIST) {
        message_add_choice(l, object);
        return;
    }
    if (bytes_is(bytes_of(l->role), "assistant"))
        add_response(l, object);
    if (l->total_parts == before)
        add_request(l, object);
    if (l->total_parts == before && !bytes_is(bytes_of(l->role), "assistant"))
        add_response(l, object);
    if (l->total_parts == before)
        add_wrapped(l, object);
}

/* NOLINTNEXTLINE(misc-no-recursion): MESSAGE_MAX_DEPTH deep at most */
static void add_value(struct message_list *l, const struct value *value)
{
    if (l->depth >= MESSAGE_MAX_DEPTH)
        return;
    l->depth++;
    if (value->kind == VALUE_STRING)
        add_string(l, value->text);
    else if (value->kind == VALUE_ARRAY)
        add_array(l, value);
    else if (value->kind == VALUE_KVLIST)
        add_object(l, value);
    l->depth--;
}

bool message_add(struct message_list *l, const struct value *value)
{
    const uint64_t before = l->total_parts;

    add_value(l, value);
    return l->total_parts > before;
}

/* NOLINTNEXTLINE(misc-no-recursion): as add_value */
void message_add_system(struct message_list *l, const struct value *value)
{
    struct value parsed;

    if (value->kind == VALUE_STRING && message_parse(l->arena, value->text, &parsed))
        value = &parsed;
    if (value->kind == VALUE_ARRAY && value->count > 0 && value->items[0].kind == VALUE_KVLIST &&
        message_member(&value->items[0], ANY_OF("role"))) {
        add_array(l, value);
        return;
    }
    message_open(l, BYTES_LITERAL("system"), (struct bytes){0}, false);
    message_content(l, value);
}
