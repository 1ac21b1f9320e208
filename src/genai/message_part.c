/* One part of a message: text, reasoning, a tool call, its result, an image, in the shapes of the
 * providers and frameworks. */
#include "genai/message.h"

#include "genai/value_json.h"

#define CALL_IDS                                                                                   \
    ANY_OF("call_id", "toolCallId", "tool_call_id", "tool_use_id", "toolUseId", "id", "ref")
#define TEXTS ANY_OF("content", "text", "refusal", "value", "thinking", "reasoning")

enum part_kind { PART_TEXT, PART_REASONING, PART_CALL, PART_RESULT, PART_MEDIA, PART_UNKNOWN };

/* What "type" says. */
static const struct part_type {
    const char *type;
    enum part_kind kind;
} part_types[] = {
    {"text", PART_TEXT},
    {"input_text", PART_TEXT},
    {"output_text", PART_TEXT},
    {"summary_text", PART_TEXT},
    {"refusal", PART_TEXT},
    {"reasoning", PART_REASONING},
    {"thinking", PART_REASONING},
    {"redacted_thinking", PART_REASONING},
    {"reasoning_text", PART_REASONING},
    {"tool_call", PART_CALL},
    {"tool-call", PART_CALL},
    {"tool_use", PART_CALL},
    {"function", PART_CALL},
    {"function_call", PART_CALL},
    {"server_tool_use", PART_CALL},
    {"server_tool_call", PART_CALL},
    {"mcp_tool_use", PART_CALL},
    {"custom_tool_call", PART_CALL},
    {"tool_call_response", PART_RESULT},
    {"tool-result", PART_RESULT},
    {"tool-error", PART_RESULT},
    {"tool_result", PART_RESULT},
    {"mcp_tool_result", PART_RESULT},
    {"function_call_output", PART_RESULT},
    {"custom_tool_call_output", PART_RESULT},
    {"server_tool_call_response", PART_RESULT},
    {"image", PART_MEDIA},
    {"image_url", PART_MEDIA},
    {"input_image", PART_MEDIA},
    {"input_audio", PART_MEDIA},
    {"audio", PART_MEDIA},
    {"video", PART_MEDIA},
    {"document", PART_MEDIA},
    {"file", PART_MEDIA},
    {"input_file", PART_MEDIA},
    {"media", PART_MEDIA},
    {"blob", PART_MEDIA},
    {"uri", PART_MEDIA},
};

/* Parts that have no type but a member that tells. */
static const struct part_member {
    const char *member;
    enum part_kind kind;
} part_members[] = {
    {"functionCall", PART_CALL},
    {"function_call", PART_CALL},
    {"functionResponse", PART_RESULT},
    {"function_response", PART_RESULT},
    {"toolUse", PART_CALL},
    {"toolResult", PART_RESULT},
    {"toolRequest", PART_CALL},
    {"toolResponse", PART_RESULT},
    {"tool_call", PART_CALL},
    {"reasoningContent", PART_REASONING},
    {"inlineData", PART_MEDIA},
    {"inline_data", PART_MEDIA},
    {"fileData", PART_MEDIA},
    {"file_data", PART_MEDIA},
    {"media", PART_MEDIA},
    {"image", PART_MEDIA},
    {"document", PART_MEDIA},
    {"toolCallId", PART_CALL},
    {"text", PART_TEXT},
};

static const struct value *object_member(const struct value *object, const char *const *names)
{
    const struct value *value = message_member(object, names);

    return value && value->kind == VALUE_KVLIST ? value : NULL;
}

/* The kind of a part; *out_inner: the object that holds what it says. */
static enum part_kind kind_of(const struct value *part, const struct value **out_inner)
{
    const struct bytes type = message_string(part, ANY_OF("type"));

    *out_inner = part;
    for (size_t i = 0; type.len > 0 && i < sizeof(part_types) / sizeof(part_types[0]); i++)
        if (bytes_is(type, part_types[i].type)) {
            const struct value *call = object_member(part, ANY_OF("tool_call"));

            *out_inner = call ? call : part; /* OpenInference */
            return part_types[i].kind;
        }
    for (size_t i = 0; i < sizeof(part_members) / sizeof(part_members[0]); i++) {
        const struct value *inner = message_member(part, ANY_OF(part_members[i].member));

        if (!inner || (type.len > 0 && part_members[i].kind == PART_TEXT))
            continue;
        if (part_members[i].kind != PART_MEDIA && inner->kind == VALUE_KVLIST)
            *out_inner = inner;
        return part_members[i].kind;
    }
    return PART_UNKNOWN;
}

static const struct value *unwrapped(const struct value *part)
{
    const struct value *inner = object_member(part, ANY_OF("message_content"));

    if (inner &&
        object_member(part, ANY_OF("tool_call"))) /* OpenInference: the call stands beside */
        return part;
    return inner ? inner : part;
}

bool message_is_part(const struct value *object)
{
    const struct value *part = unwrapped(object);
    const struct value *inner;
    struct bytes type;

    if (object->kind != VALUE_KVLIST || message_member(object, ANY_OF("role", "parts")))
        return false;
    type = message_string(part, ANY_OF("type"));
    if (bytes_is(type, "function")) /* a definition of a tool has no id */
        return message_member(part, ANY_OF("id")) != NULL;
    if (type.len == 0 && message_member(part, ANY_OF("text", "image", "document", "media")))
        return part->count == 1 || message_member(part, ANY_OF("thought")); /* else a record */
    return kind_of(part, &inner) != PART_UNKNOWN;
}

struct bytes message_part_role(const struct message_list *l, const struct value *part)
{
    const struct value *inner;

    switch (kind_of(unwrapped(part), &inner)) {
    case PART_CALL:
    case PART_REASONING:
        return BYTES_LITERAL("assistant");
    case PART_RESULT:
        return BYTES_LITERAL("tool");
    case PART_TEXT:
    case PART_MEDIA:
    case PART_UNKNOWN:
        break;
    }
    return bytes_of(l->role);
}

/* {"type":"text","value":…} of the AI SDK is its value. */
static const struct value *without_envelope(const struct value *value)
{
    const struct value *inner;

    if (!value || value->kind != VALUE_KVLIST || value->count > 3 ||
        message_string(value, ANY_OF("type")).len == 0)
        return value;
    inner = message_member(value, ANY_OF("value"));
    return inner ? inner : value;
}

/* [{"type":"text","text":…}] with one text is that text. */
static const struct value *single_text(const struct value *value)
{
    const struct value *text;
    const struct value *inner;

    if (!value || value->kind != VALUE_ARRAY || value->count != 1)
        return value;
    if (value->items[0].kind == VALUE_STRING)
        return value;
    if (value->items[0].kind != VALUE_KVLIST || kind_of(&value->items[0], &inner) != PART_TEXT)
        return value;
    text = message_member(&value->items[0], TEXTS);
    return text && text->kind == VALUE_STRING ? text : value;
}

void message_part_call(struct message_list *l, const struct value *call)
{
    const struct value *function = message_member(call, ANY_OF("function"));
    struct message_call made = {.id = message_string(call, CALL_IDS)};

    if (function && function->kind == VALUE_KVLIST)
        call = function;
    made.name = message_string(call, ANY_OF("name", "toolName", "tool_name"));
    made.content = message_member(call, ANY_OF("arguments", "input", "args", "parameters"));
    message_tool_call(l, &made);
}

static void add_result(struct message_list *l, const struct value *part)
{
    const struct message_call call = {
        .id = message_string(part, CALL_IDS),
        .name = message_string(part, ANY_OF("name", "toolName", "tool_name")),
        .content = single_text(without_envelope(
            message_member(part, ANY_OF("response", "output", "result", "content", "error")))),
    };

    message_tool_result(l, &call);
}

static void add_reasoning(struct message_list *l, const struct value *part)
{
    const struct value *inner = object_member(part, ANY_OF("reasoningText"));
    const struct value *list = message_member(part, ANY_OF("summary", "content"));

    part = inner ? inner : part;
    if (list && list->kind == VALUE_ARRAY) {
        for (uint32_t i = 0; i < list->count; i++)
            message_text(l, "reasoning", message_string(&list->items[i], TEXTS));
        return;
    }
    message_text(l, "reasoning", message_string(part, TEXTS));
}

static void add_text(struct message_list *l, const struct value *part)
{
    const struct value *text = message_member(part, TEXTS);
    const struct value *thought = message_member(part, ANY_OF("thought"));
    const bool reasoning = thought && thought->kind == VALUE_BOOL && thought->boolean;

    if (text && text->kind == VALUE_KVLIST)
        text = message_member(text, TEXTS);
    if (text && text->kind == VALUE_STRING)
        message_text(l, reasoning ? "reasoning" : "text", text->text);
}

static struct bytes modality_of(const struct value *part)
{
    const struct bytes type = message_string(part, ANY_OF("type"));
    const struct bytes modality = message_string(part, ANY_OF("modality"));

    if (modality.len > 0)
        return modality;
    if (bytes_is(type, "image") || bytes_is(type, "image_url") || bytes_is(type, "input_image"))
        return BYTES_LITERAL("image");
    if (bytes_is(type, "audio") || bytes_is(type, "input_audio"))
        return BYTES_LITERAL("audio");
    return bytes_is(type, "video") ? type : (struct bytes){0};
}

/* The object that says where an image or a file is. */
static const struct value *media_source(const struct value *part)
{
    for (unsigned i = 0; i < 3; i++) {
        const struct value *inner = object_member(
            part, ANY_OF("image_url", "input_audio", "source", "inlineData", "inline_data",
                         "fileData", "file_data", "media", "image", "document", "file", "audio"));

        if (!inner)
            break;
        part = inner;
    }
    return part;
}

static bool is_address(struct bytes text)
{
    return text.len > 5 && (memcmp(text.at, "data:", 5) == 0 ||
                            memmem(text.at, text.len < 64 ? text.len : 64, "://", 3));
}

static void add_media(struct message_list *l, const struct value *part)
{
#define MIMES                                                                                      \
    ANY_OF("mime_type", "mimeType", "media_type", "mediaType", "contentType", "format", "mime")
#define PLACES ANY_OF("url", "uri", "fileUri", "file_uri", "image_url", "gcs_uri")
#define DATA ANY_OF("data", "base64", "file_data", "bytes", "content", "image", "text")
    const struct value *source = media_source(part);
    const uint32_t before = l->parts;
    struct message_media media = {
        .mime = message_string(source, MIMES),
        .modality = modality_of(part),
        .location = message_string(source, PLACES),
        .file_id = message_string(source, ANY_OF("file_id", "fileId")),
    };

    if (media.mime.len == 0)
        media.mime = message_string(part, MIMES);
    if (media.location.len == 0 && media.file_id.len == 0) {
        media.data = message_string(source, DATA);
        if (is_address(media.data)) {
            media.location = media.data;
            media.data.len = 0;
        }
    }
    message_media(l, &media);
    if (l->parts == before)
        message_as_sent(l, part);
}

void message_part(struct message_list *l, const struct value *part)
{
    const struct value *inner;

    if (part->kind == VALUE_STRING) {
        message_text(l, "text", part->text);
        return;
    }
    if (part->kind != VALUE_KVLIST || part->count == 0)
        return;
    part = unwrapped(part);
    switch (kind_of(part, &inner)) {
    case PART_TEXT:
        add_text(l, part);
        return;
    case PART_REASONING:
        add_reasoning(l, inner);
        return;
    case PART_CALL:
        message_part_call(l, inner);
        return;
    case PART_RESULT:
        add_result(l, inner);
        return;
    case PART_MEDIA:
        add_media(l, part);
        return;
    case PART_UNKNOWN:
        message_as_sent(l, part);
    }
}
