/* Messages as JSON, written while they are read. */
#include "genai/message.h"

#include "genai/value_json.h"

#define SYSTEM_MOST_PARTS 32 /* of instructions that are shown as one text too */

void message_list_init(struct message_list *l, struct buf *out, struct arena *arena,
                       const char *role)
{
    *l = (struct message_list){.j = json_into(out), .arena = arena, .role = role};
}

static bool is_system(struct bytes role)
{
    return bytes_is(role, "system") || bytes_is(role, "developer");
}

void message_list_end(struct message_list *l)
{
    struct buf *out = l->j.out;

    if (!l->open)
        return;
    l->open = false;
    if (l->parts == 0) {
        out->len = buf_ok(out) ? l->open_at : out->len;
        l->j.comma = l->comma_before;
        return;
    }
    json_close(&l->j, ']');
    l->last_role = l->open_role;
    l->last_parts_at = l->parts_at;
    l->last_parts_len = buf_ok(out) ? out->len - l->parts_at : 0;
    if (l->finish.len > 0) {
        json_key(&l->j, "finish_reason");
        json_text(&l->j, l->finish);
    }
    json_close(&l->j, '}');
    l->last_finish = l->finish;
    if (l->count++ == 0)
        l->system_first = is_system(l->open_role);
}

void message_open(struct message_list *l, struct bytes role, struct bytes name, bool joins)
{
    if (l->open && joins && l->joins && bytes_equal(role, l->open_role))
        return;
    message_list_end(l);
    l->open = true;
    l->joins = joins;
    l->comma_before = l->j.comma;
    l->open_at = l->j.out->len;
    l->parts = 0;
    l->calls = 0;
    l->open_role = role;
    l->finish = (struct bytes){0};
    json_item(&l->j);
    json_open(&l->j, '{');
    json_key(&l->j, "role");
    json_text(&l->j, role);
    if (name.len > 0) {
        json_key(&l->j, "name");
        json_text(&l->j, name);
    }
    json_key(&l->j, "parts");
    l->parts_at = l->j.out->len;
    json_open(&l->j, '[');
}

void message_finish(struct message_list *l, struct bytes reason)
{
    if (l->open && reason.len > 0)
        l->finish = reason;
}

static void part_open(struct message_list *l, const char *type)
{
    l->parts++;
    l->total_parts++;
    json_item(&l->j);
    json_open(&l->j, '{');
    json_key(&l->j, "type");
    json_cstr(&l->j, type);
}

static void text_member(struct message_list *l, const char *key, struct bytes text)
{
    if (text.len == 0)
        return;
    json_key(&l->j, key);
    json_text(&l->j, text);
}

/* The text of the instructions that come first, part by part. */
static void keep_system(struct message_list *l, struct bytes text)
{
    if (l->count > 0 || l->parts >= SYSTEM_MOST_PARTS || !is_system(l->open_role))
        return;
    if (l->system.len == 0) {
        l->system = text;
    } else {
        uint8_t *joined = arena_alloc(l->arena, l->system.len + 1 + text.len);

        if (!joined)
            return;
        memcpy(joined, l->system.at, l->system.len);
        joined[l->system.len] = '\n';
        memcpy(joined + l->system.len + 1, text.at, text.len);
        l->system = (struct bytes){joined, l->system.len + 1 + text.len};
    }
}

void message_text(struct message_list *l, const char *type, struct bytes text)
{
    if (!message_says(text))
        return;
    keep_system(l, text);
    part_open(l, type);
    text_member(l, "content", text);
    json_close(&l->j, '}');
}

/* Arguments that are an object in a text become the object: one shape for all dialects. */
static void arguments_member(struct message_list *l, const struct value *arguments)
{
    struct value parsed;

    if (!arguments || arguments->kind == VALUE_EMPTY)
        return;
    if (arguments->kind == VALUE_STRING && !message_says(arguments->text))
        return;
    json_key(&l->j, "arguments");
    if (arguments->kind == VALUE_STRING && message_parse(l->arena, arguments->text, &parsed))
        value_json_write(&l->j, &parsed);
    else
        value_json_write(&l->j, arguments);
}

void message_tool_call(struct message_list *l, const struct message_call *call)
{
    l->calls++;
    part_open(l, "tool_call");
    text_member(l, "id", call->id);
    text_member(l, "name", call->name);
    arguments_member(l, call->content);
    json_close(&l->j, '}');
}

void message_tool_result(struct message_list *l, const struct message_call *call)
{
    const struct value *result = call->content;

    if (result && result->kind == VALUE_STRING && !message_says(result->text))
        result = NULL;
    if (!result && call->id.len == 0 && call->name.len == 0)
        return;
    part_open(l, "tool_call_response");
    text_member(l, "id", call->id);
    text_member(l, "name", call->name);
    if (result) {
        json_key(&l->j, "response");
        value_json_write(&l->j, result);
    }
    json_close(&l->j, '}');
}

void message_as_sent(struct message_list *l, const struct value *part)
{
    l->parts++;
    l->total_parts++;
    json_item(&l->j);
    value_json_write(&l->j, part);
}

/* "data:image/png;base64,iVBOR…": the media type and the data. */
static bool is_data_url(struct bytes url, struct bytes *out_mime, struct bytes *out_data)
{
    const uint8_t *comma;
    size_t head;

    if (url.len < 5 || memcmp(url.at, "data:", 5) != 0)
        return false;
    comma = memchr(url.at, ',', url.len < 256 ? url.len : 256);
    if (!comma)
        return false;
    head = (size_t)(comma - url.at);
    if (head < 12 || memcmp(comma - 7, ";base64", 7) != 0)
        return false;
    *out_mime = (struct bytes){url.at + 5, head - 12};
    *out_data = (struct bytes){comma + 1, url.len - head - 1};
    return true;
}

static struct bytes modality_of(struct bytes mime)
{
    static const char *const known[] = {"image", "audio", "video"};

    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (mime.len > 5 && memcmp(mime.at, known[i], 5) == 0)
            return bytes_of(known[i]);
    return (struct bytes){0};
}

void message_media(struct message_list *l, const struct message_media *media)
{
    struct message_media m = *media;

    if (is_data_url(m.location, &m.mime, &m.data))
        m.location.len = 0;
    if (m.modality.len == 0)
        m.modality = modality_of(m.mime);
    if (m.data.len == 0 && m.location.len == 0 && m.file_id.len == 0)
        return;
    part_open(l, m.data.len > 0 ? "blob" : m.location.len > 0 ? "uri" : "file");
    text_member(l, "mime_type", m.mime);
    text_member(l, "modality", m.modality);
    text_member(l, "content", m.data);
    if (m.data.len == 0)
        text_member(l, "uri", m.location);
    text_member(l, "file_id", m.file_id);
    json_close(&l->j, '}');
}
