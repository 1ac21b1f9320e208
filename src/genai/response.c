/* The provider's name for a response: what one call in two traces has in common. */
#include "genai/pick.h"

#define LONGEST_ID 200
#define MOST_LOOKED_AT ((size_t)1 << 20) /* bytes of an output that are searched */

static bool starts_with(struct bytes text, const char *prefix)
{
    const size_t len = strlen(prefix);

    return text.len > len && memcmp(text.at, prefix, len) == 0;
}

/* LangChain numbers its own messages and runs; another run of the same call has another number. */
static bool is_run_id(struct bytes id)
{
    return starts_with(id, "run-") || starts_with(id, "lc_run") || starts_with(id, "lc_");
}

/* Prefixes that providers put before the ids of their responses. */
static bool is_provider_id(struct bytes id)
{
    static const char *const prefixes[] = {"chatcmpl-", "msg_",  "resp_",     "cmpl-",
                                           "gen-",      "resp-", "chatcmpl_", "embd-"};

    for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
        if (starts_with(id, prefixes[i]))
            return true;
    return false;
}

/* OpenAI's items of an answer are called so too; the answer itself is "resp_…". */
static bool is_message_id(struct bytes id)
{
    return starts_with(id, "msg_");
}

/* Whether "msg_…" is a response of this call: Anthropic's, wherever it runs. */
static bool answers_in_messages(const struct meaning *m)
{
    return (!bytes_is(m->provider, "openai") && !bytes_is(m->provider, "azure")) ||
           bytes_contains(m->model, bytes_of("claude"));
}

static bool take_id(struct reading *r, const struct finding *finding, struct bytes *text,
                    const char **out_reason)
{
    if (bytes_is(finding->key, "response_id") && !is_provider_id(*text))
        return false;
    if (bytes_is(finding->key, "request_id") && !findings_dialect(r->f, DIALECT_CLAUDE_CODE))
        return false;
    *out_reason = "a number of the framework, not of the provider";
    if (is_run_id(*text) || text->len > GENAI_MOST_FACT)
        return false;
    *out_reason = NULL;
    return true;
}

static size_t skip_space(struct bytes text, size_t at)
{
    while (at < text.len && (text.at[at] == ' ' || text.at[at] == '\n' || text.at[at] == '\t' ||
                             text.at[at] == '\r'))
        at++;
    return at;
}

/* The string behind a member's name; name ends before at. */
static bool string_behind(struct bytes text, size_t at, struct bytes *out_string)
{
    const uint8_t *end;

    at = skip_space(text, at);
    if (at == text.len || text.at[at] != ':')
        return false;
    at = skip_space(text, at + 1);
    if (at == text.len || text.at[at] != '"')
        return false;
    at++;
    end = memchr(text.at + at, '"', text.len - at < LONGEST_ID ? text.len - at : LONGEST_ID);
    if (end == NULL || end == text.at + at)
        return false;
    *out_string = (struct bytes){text.at + at, (size_t)(end - text.at) - at};
    return memchr(out_string->at, '\\', out_string->len) == NULL;
}

/* Like a provider's, or the first member of the whole, which is a response. */
static bool names_whole(struct bytes text, size_t start, size_t before, struct bytes id)
{
    return is_provider_id(id) || (text.at[start] == '{' && skip_space(text, start + 1) == before &&
                                  id.len >= 8 && bytes_contains(text, bytes_of("\"model\"")));
}

/*
 * The id in the JSON of an output. The text is searched, not parsed: outputs are long, and this
 * runs for each call as it arrives. An "id" that begins like a provider's is one wherever it
 * stands; another only as the first member of the whole. What a model wrote stands in strings,
 * where quotes are escaped, so that it is not found. A message's id gives way to its response's.
 */
static bool id_in_text(struct bytes text, bool messages, struct bytes *out_id)
{
    static const char name[] = "\"id\"";
    const size_t start = skip_space(text, 0);
    size_t at = start;
    bool any = false;

    if (start == text.len || (text.at[start] != '{' && text.at[start] != '['))
        return false;
    if (text.len > MOST_LOOKED_AT)
        text.len = MOST_LOOKED_AT;
    while (at < text.len) {
        const uint8_t *found = memmem(text.at + at, text.len - at, name, sizeof(name) - 1);
        struct bytes id;
        size_t before;

        if (found == NULL)
            break;
        before = (size_t)(found - text.at);
        at = before + sizeof(name) - 1;
        if (!string_behind(text, at, &id) || is_run_id(id))
            continue;
        if (any ? starts_with(id, "resp_")
                : !is_message_id(id) && names_whole(text, start, before, id)) {
            *out_id = id;
            return true;
        }
        if (is_message_id(id) && messages && !any) {
            *out_id = id;
            any = true;
        }
    }
    return any;
}

/* In a value that arrived as structure: the members that responses have. */
static bool id_in_value(struct reading *r, const struct value *value, bool messages,
                        struct bytes *out_id)
{
    static const char *const pointers[] = {"/id", "/llm_output/id",
                                           "/generations/0/0/message/kwargs/response_metadata/id",
                                           "/generations/0/0/message/kwargs/id"};

    for (size_t i = 0; i < sizeof(pointers) / sizeof(pointers[0]); i++) {
        const struct value *id = genai_pointer(r->f, value, pointers[i]);

        if (id != NULL && id->kind == VALUE_STRING && is_provider_id(id->text) &&
            (messages || !is_message_id(id->text))) {
            *out_id = id->text;
            return true;
        }
    }
    return false;
}

void genai_read_response_id(struct reading *r)
{
    static const struct pick pick = {TARGET_RESPONSE_ID, "response_id", take_id};
    const bool messages = answers_in_messages(r->m);

    if (genai_pick(r, &pick, &r->m->response_id) != NULL || !observation_is_call(r->m->observation))
        return;
    GENAI_EACH(finding, r->f, TARGET_RESPONSE_TEXT)
    {
        const struct value *value = finding->attribute;
        struct bytes id;

        if (value == NULL || !(value->kind == VALUE_STRING ? id_in_text(value->text, messages, &id)
                                                           : id_in_value(r, value, messages, &id)))
            continue;
        r->m->response_id = genai_clean(r->f->arena, id);
        if (r->sources != NULL)
            sources_add(r->sources, &(struct source){.field = "response_id",
                                                     .key = finding->key,
                                                     .dialect = finding_dialect(finding),
                                                     .value = id,
                                                     .used = true,
                                                     .reason = "found in the output"});
        return;
    }
}
