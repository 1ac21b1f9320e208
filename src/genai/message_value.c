/* Values that shapes of messages are read from. */
#include "genai/message.h"

#include "genai/find.h"

bool message_says(struct bytes text)
{
    return text.len > 0 && !bytes_is(text, "<REDACTED>");
}

bool message_parse(struct arena *arena, struct bytes text, struct value *out_value)
{
    bool truncated = false;

    while (text.len > 0 &&
           (text.at[0] == ' ' || text.at[0] == '\n' || text.at[0] == '\r' || text.at[0] == '\t')) {
        text.at++;
        text.len--;
    }
    if (text.len < 2 || (text.at[0] != '[' && text.at[0] != '{' && text.at[0] != '"'))
        return false;
    return genai_parse_text(text, arena, out_value, &truncated) && !truncated &&
           (out_value->kind == VALUE_ARRAY || out_value->kind == VALUE_KVLIST ||
            out_value->kind == VALUE_STRING);
}

const struct value *message_member(const struct value *object, const char *const *names)
{
    if (!object || object->kind != VALUE_KVLIST)
        return NULL;
    for (; *names; names++) {
        const struct bytes name = bytes_of(*names);

        for (uint32_t i = object->count; i > 0; i--) { /* the last of a repeated key */
            const struct attribute *entry = &object->entries[i - 1];

            if (bytes_equal(entry->key, name) && entry->value.kind != VALUE_EMPTY)
                return &entry->value;
        }
    }
    return NULL;
}

struct bytes message_string(const struct value *object, const char *const *names)
{
    for (; *names; names++) {
        const struct value *value = message_member(object, ANY_OF(*names));

        if (value && value->kind == VALUE_STRING && message_says(value->text))
            return value->text;
    }
    return (struct bytes){0};
}
