/* Parameters, metadata, tool definitions and finish reasons of a span. */
#include "genai/content_read.h"

#include <xxhash.h>

#include "base/text.h"

#define MOST_MEMBERS 4096 /* of parameters and of metadata: more are left out */

/* An object that takes each name once; the first one stands. */
struct members {
    struct json j;
    struct arena *arena;
    uint64_t *seen; /* hashes, open addressing, 2 * MOST_MEMBERS places; 0: free */
    uint32_t count;
};

static bool is_new(struct members *m, struct bytes name)
{
    const uint64_t hash = XXH3_64bits(name.at, name.len) | 1;
    size_t at = (size_t)(hash >> 1) % (2 * (size_t)MOST_MEMBERS);

    if (!m->seen)
        m->seen = arena_array(m->arena, uint64_t, 2 * (size_t)MOST_MEMBERS);
    if (!m->seen || m->count >= MOST_MEMBERS)
        return false;
    while (m->seen[at] != 0) {
        if (m->seen[at] == hash)
            return false;
        at = (at + 1) % (2 * (size_t)MOST_MEMBERS);
    }
    m->seen[at] = hash;
    m->count++;
    return true;
}

static void add_member(struct members *m, struct bytes name, const struct value *value)
{
    if (value->kind == VALUE_EMPTY || name.len == 0 ||
        (value->kind == VALUE_STRING && !message_says(value->text)) || !is_new(m, name))
        return;
    json_key_bytes(&m->j, name);
    content_expanded(&m->j, value, m->arena);
}

static const struct value *parsed_object(struct findings *f, const struct value *value,
                                         struct value *parsed)
{
    if (value && value->kind == VALUE_STRING && message_parse(f->arena, value->text, parsed)) {
        struct value again;

        if (parsed->kind == VALUE_STRING && message_parse(f->arena, parsed->text, &again))
            *parsed = again; /* JSON in quotes of its own */
        value = parsed;
    }
    return value && value->kind == VALUE_KVLIST ? value : NULL;
}

static struct bytes close_object(struct findings *f, struct members *m, const struct buf *text)
{
    if (m->count == 0)
        return (struct bytes){0};
    json_close(&m->j, '}');
    if (buf_ok(text))
        return arena_copy(f->arena, buf_bytes(text));
    f->arena->failed = true;
    return (struct bytes){0};
}

/* Parameters that have a target of their own, under the last part of the convention's name. */
static const struct {
    const char *name;
    enum target target;
    bool number;
} parameters[] = {
    {"temperature", TARGET_TEMPERATURE, true},
    {"top_p", TARGET_TOP_P, true},
    {"top_k", TARGET_TOP_K, true},
    {"max_tokens", TARGET_MAX_TOKENS, true},
    {"frequency_penalty", TARGET_FREQUENCY_PENALTY, true},
    {"presence_penalty", TARGET_PRESENCE_PENALTY, true},
    {"stop_sequences", TARGET_STOP_SEQUENCES, false},
    {"seed", TARGET_SEED, true},
    {"choice_count", TARGET_CHOICE_COUNT, true},
    {"reasoning_effort", TARGET_REASONING_EFFORT, false},
    {"response_format", TARGET_RESPONSE_FORMAT, false},
    {"encoding_formats", TARGET_ENCODING_FORMATS, false},
    {"dimensions", TARGET_EMBEDDING_DIMENSIONS, true},
    {"tool_choice", TARGET_TOOL_CHOICE, false},
};

/* Other spellings of the above inside objects of parameters; "" is no parameter. */
static const struct {
    const char *sent;
    const char *name;
} spellings[] = {
    {"max_completion_tokens", "max_tokens"},
    {"max_output_tokens", "max_tokens"},
    {"maxOutputTokens", "max_tokens"},
    {"max_tokens_to_sample", "max_tokens"},
    {"stop", "stop_sequences"},
    {"n", "choice_count"},
    {"stream", ""},
    {"streaming", ""},
    {"model", ""},
    {"model_name", ""},
    {"model_id", ""},
    {"_type", ""},
    {"messages", ""},
    {"contents", ""},
    {"input", ""},
    {"prompt", ""},
    {"system", ""},
    {"system_instruction", ""},
    {"instructions", ""},
    {"tools", ""},
    {"functions", ""},
    {"function_tools", ""},
    {"output_tools", ""},
    {"max_retries", ""},
    {"id", ""}, /* of answers that are mixed in */
    {"created_at", ""},
    {"object", ""},
    {"usage", ""},
    {"context", ""},
};

/* maxOutputTokens: max_output_tokens. */
static struct bytes snake_case(struct arena *arena, struct bytes name)
{
    uint8_t *to = arena_alloc(arena, 2 * name.len);
    size_t len = 0;

    if (!to)
        return name;
    for (size_t i = 0; i < name.len; i++) {
        const uint8_t c = name.at[i];
        const bool upper = c >= 'A' && c <= 'Z';

        if (upper && i > 0 && name.at[i - 1] >= 'a' && name.at[i - 1] <= 'z')
            to[len++] = '_';
        to[len++] = upper ? (uint8_t)(c - 'A' + 'a') : c;
    }
    return (struct bytes){to, len};
}

static void add_parameter(struct members *m, struct bytes sent, const struct value *value)
{
    struct bytes name = snake_case(m->arena, sent);

    for (size_t i = 0; i < sizeof(spellings) / sizeof(spellings[0]); i++)
        if (bytes_is(name, spellings[i].sent))
            name = bytes_of(spellings[i].name);
    if (memchr(name.at, '.', name.len)) /* ai.settings.context.userId is metadata */
        return;
    if ((value->kind == VALUE_ARRAY || value->kind == VALUE_KVLIST) && value->count == 0)
        return;
    if (value->kind == VALUE_STRING && bytes_is(value->text, "Infinity")) /* no limit */
        return;
    add_member(m, name, value);
}

static bool is_number(const struct value *value)
{
    double real;

    return value->kind == VALUE_INT || value->kind == VALUE_DOUBLE ||
           (value->kind == VALUE_STRING && text_real(value->text, &real));
}

/* The settings in a request that was sent as it went to the provider. */
static void add_request(struct findings *f, struct members *m)
{
    static const char *const bodies[] = {"/messages", "/input", "/contents", "/prompt"};
    static const char *const known[] = {"/temperature",
                                        "/top_p",
                                        "/top_k",
                                        "/max_tokens",
                                        "/max_completion_tokens",
                                        "/max_output_tokens",
                                        "/frequency_penalty",
                                        "/presence_penalty",
                                        "/stop",
                                        "/stop_sequences",
                                        "/seed",
                                        "/n",
                                        "/reasoning_effort",
                                        "/response_format",
                                        "/tool_choice"};
    struct content_run run;

    for (size_t at = 0; content_next(f, TARGET_INPUT, &at, &run);) {
        const struct value *request = run.indexed ? NULL : content_value(f, &run);
        const struct value *body = NULL;

        for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]) && !body; i++)
            body = genai_pointer(f, request, bodies[i]);
        for (size_t i = 0; i < sizeof(known) / sizeof(known[0]) && body; i++) {
            const struct value *value = genai_pointer(f, request, known[i]);

            if (value)
                add_parameter(m, bytes_of(known[i] + 1), value);
        }
    }
}

struct bytes content_parameters(struct findings *f)
{
    __attribute__((cleanup(buf_done))) struct buf text = {.max = f->arena->max_bytes};
    struct members m = {.j = json_into(&text), .arena = f->arena};
    struct content_run run;
    struct value parsed;

    json_open(&m.j, '{');
    for (size_t i = 0; i < sizeof(parameters) / sizeof(parameters[0]); i++)
        for (size_t at = 0; content_next(f, parameters[i].target, &at, &run);) {
            const struct value *value = content_value(f, &run);

            if (value && (!parameters[i].number || is_number(value)))
                add_member(&m, bytes_of(parameters[i].name), value);
        }
    for (size_t at = 0; content_next(f, TARGET_MODEL_PARAMETERS, &at, &run);) {
        const struct value *value = content_value(f, &run);
        const struct value *object = parsed_object(f, value, &parsed);

        if (run.first->rest.len > 0 && value) {
            add_parameter(&m, run.first->rest, value);
            continue;
        }
        for (uint32_t i = 0; object && i < object->count; i++)
            add_parameter(&m, object->entries[i].key, &object->entries[i].value);
    }
    add_request(f, &m);
    return close_object(f, &m, &text);
}

struct bytes content_metadata(struct findings *f)
{
    __attribute__((cleanup(buf_done))) struct buf text = {.max = f->arena->max_bytes};
    struct members m = {.j = json_into(&text), .arena = f->arena};
    struct content_run run;
    struct value parsed;

    json_open(&m.j, '{');
    for (size_t at = 0; content_next(f, TARGET_METADATA, &at, &run);) {
        const struct value *value = content_value(f, &run);
        const struct value *object;

        if (run.first->rest.len > 0 && value) {
            add_member(&m, run.first->rest, value);
            continue;
        }
        object = parsed_object(f, value, &parsed);
        for (uint32_t i = object ? object->count : 0; i > 0; i--) /* the last of a name first */
            add_member(&m, object->entries[i - 1].key, &object->entries[i - 1].value);
    }
    return close_object(f, &m, &text);
}

/* A list of definitions, or JSON of one. */
static const struct value *tool_list(struct findings *f, const struct value *value,
                                     struct value *parsed)
{
    if (value && value->kind == VALUE_STRING && message_parse(f->arena, value->text, parsed))
        value = parsed;
    if (value && (value->kind == VALUE_ARRAY || value->kind == VALUE_KVLIST) && value->count == 0)
        return NULL;
    return value;
}

/* The tools in an object of parameters or in a request. */
static const struct value *tools_inside(struct findings *f, const struct value *object)
{
    static const char *const names[] = {"/tools", "/functions", "/function_tools"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        const struct value *value = genai_pointer(f, object, names[i]);

        if (value && value->kind == VALUE_ARRAY && value->count > 0)
            return value;
    }
    return NULL;
}

static struct bytes tools_text(struct findings *f, const struct value *list)
{
    __attribute__((cleanup(buf_done))) struct buf text = {.max = f->arena->max_bytes};
    struct json j = json_into(&text);

    if (list->kind != VALUE_ARRAY)
        json_open(&j, '[');
    content_expanded(&j, list, f->arena);
    if (list->kind != VALUE_ARRAY)
        json_close(&j, ']');
    if (buf_ok(&text))
        return arena_copy(f->arena, buf_bytes(&text));
    f->arena->failed = true;
    return (struct bytes){0};
}

struct bytes content_tools(struct findings *f)
{
    static const enum target targets[] = {TARGET_TOOL_DEFINITIONS, TARGET_MODEL_PARAMETERS,
                                          TARGET_INPUT};

    for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
        struct content_run run;

        for (size_t at = 0; content_next(f, targets[i], &at, &run);) {
            const struct value *value = content_value(f, &run);
            struct value parsed;

            if (value && run.indexed)
                value = content_leaves(value, f->arena);
            value = i == 0 ? tool_list(f, value, &parsed) : tools_inside(f, value);
            if (value)
                return tools_text(f, value);
        }
    }
    return (struct bytes){0};
}

static uint32_t add_reasons(const struct value *value, struct bytes *to)
{
    uint32_t count = 0;

    if (value->kind == VALUE_STRING && message_says(value->text))
        to[count++] = value->text;
    for (uint32_t i = 0; value->kind == VALUE_ARRAY && i < value->count; i++) {
        const struct value *item = &value->items[i];

        while (item->kind == VALUE_KVLIST && item->count == 1)
            item = &item->entries[0].value;
        if (item->kind == VALUE_STRING && message_says(item->text))
            to[count++] = item->text;
    }
    return count;
}

void content_finish_reasons(struct findings *f, struct content *content, struct bytes last)
{
    struct content_run run;

    for (size_t at = 0; content_next(f, TARGET_FINISH_REASONS, &at, &run);) {
        const struct value *value = content_value(f, &run);
        struct value parsed;

        if (value && value->kind == VALUE_STRING && message_parse(f->arena, value->text, &parsed))
            value = &parsed;
        if (!value)
            continue;
        content->finish_reasons = arena_array(
            f->arena, struct bytes, value->kind == VALUE_ARRAY ? (size_t)value->count + 1 : 1);
        if (!content->finish_reasons)
            return;
        content->finish_reason_count = add_reasons(value, content->finish_reasons);
        if (content->finish_reason_count > 0)
            return;
    }
    if (last.len > 0) {
        content->finish_reasons = arena_array(f->arena, struct bytes, 1);
        if (content->finish_reasons)
            content->finish_reasons[content->finish_reason_count++] = last;
    }
}
