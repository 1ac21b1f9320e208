/* What a span said and was told. */
#include "genai/content.h"

#include "genai/content_read.h"

/* One side of a conversation: what went in, or what came out. */
struct side {
    bool output;
    enum target messages; /* lists of messages */
    enum target whole;    /* what may hold one */
    const char *role;
    struct buf text;
    struct message_list list;
};

static bool is_conversation(enum observation observation)
{
    switch (observation) {
    case OBSERVATION_LLM:
    case OBSERVATION_AGENT:
    case OBSERVATION_CHAIN:
    case OBSERVATION_SPAN:
        return true;
    case OBSERVATION_EMBEDDING:
    case OBSERVATION_RETRIEVER:
    case OBSERVATION_RERANKER:
    case OBSERVATION_TOOL:
    case OBSERVATION_GUARDRAIL:
    case OBSERVATION_EVALUATOR:
    case OBSERVATION_EVENT:
    case OBSERVATION_COUNT:
        break;
    }
    return false;
}

static void note(struct sources *sources, const char *field, const struct finding *finding)
{
    if (!sources || !finding)
        return;
    sources_add(sources, &(struct source){
                             .field = field,
                             .key = finding->key,
                             .dialect = finding_dialect(finding),
                             .used = true,
                         });
}

/* The first list of messages that can be read; events once, where the first of them stands. */
static const struct finding *explicit_messages(struct findings *f, struct side *side)
{
    struct content_run run;
    bool events_done = false;

    side->list.plain_text = true;
    for (size_t at = 0; content_next(f, side->messages, &at, &run);) {
        const struct value *value;

        if (run.first->event >= 0) {
            if (!events_done && message_add_events(&side->list, f->span, side->output))
                return run.first;
            events_done = true;
            continue;
        }
        value = content_value(f, &run);
        if (value && message_add(&side->list, value))
            return run.first;
    }
    return NULL;
}

/* What the AI SDK and others send of one answer apart: reasoning, text, calls, files. */
static const struct finding *answer_pieces(struct findings *f, struct side *side)
{
    static const enum target pieces[] = {TARGET_OUTPUT_REASONING, TARGET_OUTPUT_TEXT,
                                         TARGET_OUTPUT_TOOL_CALLS, TARGET_OUTPUT_FILES};
    const struct finding *from = NULL;

    message_open(&side->list, bytes_of(side->role), (struct bytes){0}, false);
    for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
        struct content_run run;
        const uint64_t before = side->list.total_parts;

        for (size_t at = 0;
             side->list.total_parts == before && content_next(f, pieces[i], &at, &run);) {
            const struct value *value = content_value(f, &run);
            struct value parsed;

            if (!value)
                continue;
            if (value->kind == VALUE_STRING && i >= 1 &&
                message_parse(f->arena, value->text, &parsed) && parsed.kind == VALUE_ARRAY)
                value = &parsed;
            if (i == 0 && value->kind == VALUE_STRING)
                message_text(&side->list, "reasoning", value->text);
            else if (i == 2 && value->kind == VALUE_ARRAY)
                for (uint32_t k = 0; k < value->count; k++)
                    message_part_call(&side->list, &value->items[k]);
            else
                message_content(&side->list, value);
            from = run.first;
        }
    }
    message_list_end(&side->list);
    return side->list.count > 0 ? from : NULL;
}

/* Requests, responses and lists under keys that may hold anything; text where it is a model's. */
static const struct finding *implied_messages(struct findings *f, struct side *side, bool of_model)
{
    struct content_run run;

    side->list.plain_text = of_model;
    for (size_t at = 0; content_next(f, side->whole, &at, &run);) {
        const struct value *value = content_value(f, &run);

        if (value && message_add(&side->list, value))
            return run.first;
    }
    return NULL;
}

/* {"output":null} */
static bool is_empty_json(struct findings *f, struct bytes text)
{
    struct value parsed;

    if (!message_parse(f->arena, text, &parsed))
        return false;
    if (parsed.kind == VALUE_KVLIST)
        for (uint32_t i = 0; i < parsed.count; i++)
            if (parsed.entries[i].value.kind != VALUE_EMPTY)
                return false;
    return parsed.kind == VALUE_KVLIST || (parsed.kind == VALUE_ARRAY && parsed.count == 0);
}

/* JSON that is no message list, or was cut off, is what was said as it is. */
static const struct finding *raw_text(struct findings *f, struct side *side, bool of_model)
{
    const enum target targets[] = {side->messages, side->whole};

    for (size_t i = 0; i < (of_model ? 2 : 1); i++) {
        struct content_run run;

        for (size_t at = 0; content_next(f, targets[i], &at, &run);) {
            const struct value *value = content_value(f, &run);

            if (!value || value->kind != VALUE_STRING || is_empty_json(f, value->text))
                continue;
            message_add_text(&side->list, bytes_of(side->role), value->text);
            return run.first;
        }
    }
    return NULL;
}

static void read_side(struct findings *f, struct side *side, enum observation observation,
                      struct sources *sources)
{
    const bool of_model = observation == OBSERVATION_LLM;
    const struct finding *from;

    side->text.max = f->arena->max_bytes;
    message_list_init(&side->list, &side->text, f->arena, side->role);
    if (observation == OBSERVATION_TOOL)
        return;
    from = explicit_messages(f, side);
    if (!from && side->output)
        from = answer_pieces(f, side);
    if (!from && is_conversation(observation))
        from = implied_messages(f, side, of_model);
    if (!from && !side->list.recognized)
        from = raw_text(f, side, of_model);
    message_list_end(&side->list);
    note(sources, side->output ? "output.messages" : "input.messages", from);
}

static void read_system(struct findings *f, struct side *side)
{
    struct content_run run;

    side->text.max = f->arena->max_bytes;
    message_list_init(&side->list, &side->text, f->arena, "system");
    for (size_t at = 0;
         side->list.total_parts == 0 && content_next(f, TARGET_SYSTEM_INSTRUCTIONS, &at, &run);) {
        const struct value *value = content_value(f, &run);

        if (value)
            message_add_system(&side->list, value);
    }
    message_list_end(&side->list);
}

/* What came out may begin with all that went in (a graph's state), or be its last message (an
 * agent's history beside its answer). */
static struct bytes new_output(const struct side *in, const struct side *out)
{
    struct bytes text = buf_bytes(&out->text);
    const struct message_list *a = &in->list;
    const struct message_list *b = &out->list;

    if (a->count == 0 || b->count == 0)
        return text;
    if (b->count == 1 && bytes_equal(a->last_role, b->last_role) &&
        a->last_parts_len == b->last_parts_len &&
        memcmp(in->text.at + a->last_parts_at, out->text.at + b->last_parts_at,
               a->last_parts_len) == 0)
        return (struct bytes){0};
    if (text.len >= in->text.len && memcmp(text.at, in->text.at, in->text.len) == 0) {
        if (text.len == in->text.len)
            return (struct bytes){0};
        if (text.at[in->text.len] == ',')
            return (struct bytes){text.at + in->text.len + 1, text.len - in->text.len - 1};
    }
    return text;
}

static struct bytes listed(struct arena *arena, const struct bytes *lists, size_t count)
{
    size_t len = 2;
    uint8_t *to;
    size_t at = 0;

    for (size_t i = 0; i < count; i++)
        len += lists[i].len + 1;
    to = arena_alloc(arena, len);
    if (!to)
        return (struct bytes){0};
    to[at++] = '[';
    for (size_t i = 0; i < count; i++) {
        if (lists[i].len == 0)
            continue;
        if (at > 1)
            to[at++] = ',';
        memcpy(to + at, lists[i].at, lists[i].len);
        at += lists[i].len;
    }
    to[at++] = ']';
    return at > 2 ? (struct bytes){to, at} : (struct bytes){0};
}

static void take_messages(struct findings *f, struct content *content, struct side *system,
                          struct side *in, struct side *out)
{
    const struct bytes all_output = buf_bytes(&out->text);
    struct bytes parts[] = {buf_bytes(&system->text), buf_bytes(&in->text), new_output(in, out)};

    if (!buf_ok(&system->text) || !buf_ok(&in->text) || !buf_ok(&out->text)) {
        f->arena->failed = true;
        return;
    }
    if (in->list.count > 0 && in->list.system_first)
        parts[0].len = 0;
    content->messages = listed(f->arena, parts, 3);
    content->system = system->list.system.len > 0 ? system->list.system : in->list.system;
    if (content->input.len == 0)
        content->input = listed(f->arena, &parts[1], 1);
    if (content->output.len == 0)
        content->output = listed(f->arena, &all_output, 1);
}

static void read_messages(struct findings *f, enum observation observation, struct sources *sources,
                          struct content *content)
{
    struct side system = {.role = "system"};
    struct side in = {
        .messages = TARGET_INPUT_MESSAGES,
        .whole = TARGET_INPUT,
        .role = "user",
    };
    struct side out = {
        .output = true,
        .messages = TARGET_OUTPUT_MESSAGES,
        .whole = TARGET_OUTPUT,
        .role = "assistant",
    };

    read_side(f, &in, observation, sources);
    read_side(f, &out, observation, sources);
    if (observation != OBSERVATION_TOOL)
        read_system(f, &system);
    take_messages(f, content, &system, &in, &out);
    content_finish_reasons(f, content, out.list.last_finish);
    buf_done(&system.text);
    buf_done(&in.text);
    buf_done(&out.text);
}

/* Strands: the event of a tool span holds the arguments, its choice the result. */
static struct bytes tool_event(struct findings *f, const char *name, const char *member)
{
    for (uint32_t i = 0; i < f->span->event_count; i++) {
        const struct event *event = &f->span->events[i];
        const struct value attributes = {
            .kind = VALUE_KVLIST,
            .count = event->attributes.count,
            .entries = event->attributes.items,
        };

        if (bytes_is(event->name, name)) {
            const struct value *value = message_member(&attributes, ANY_OF(member));

            if (value && (value->kind != VALUE_STRING || message_says(value->text)))
                return content_as_sent(f, value);
        }
    }
    return (struct bytes){0};
}

static void read_tool(struct findings *f, struct sources *sources, struct content *content)
{
    const struct finding *from = NULL;

    content->tool_arguments = content_first(f, TARGET_TOOL_ARGUMENTS, &from);
    if (content->tool_arguments.len > 0)
        note(sources, "tool_arguments", from);
    else
        content->tool_arguments = content->input;
    if (content->tool_arguments.len == 0)
        content->tool_arguments = tool_event(f, "gen_ai.tool.message", "content");
    content->tool_result = content_first(f, TARGET_TOOL_RESULT, &from);
    if (content->tool_result.len > 0)
        note(sources, "tool_result", from);
    else
        content->tool_result = content->output;
    if (content->tool_result.len == 0)
        content->tool_result = tool_event(f, "gen_ai.choice", "message");
    if (content->input.len == 0)
        content->input = content->tool_arguments;
    if (content->output.len == 0)
        content->output = content->tool_result;
}

static void read_whole(struct findings *f, enum observation observation, struct sources *sources,
                       struct content *content)
{
    const bool retrieves =
        observation == OBSERVATION_RETRIEVER || observation == OBSERVATION_RERANKER;
    const struct finding *from = NULL;

    content->input = content_first(f, TARGET_INPUT, &from);
    if (content->input.len == 0 && retrieves)
        content->input = content_first(f, TARGET_RETRIEVAL_QUERY, &from);
    if (content->input.len > 0)
        note(sources, "input", from);
    content->output = content_first(f, TARGET_OUTPUT, &from);
    if (content->output.len == 0)
        content->output = content_first(f, TARGET_OUTPUT_TEXT, &from);
    if (content->output.len == 0)
        content->output = content_first(f, TARGET_OUTPUT_TOOL_CALLS, &from);
    if (content->output.len == 0)
        content->output = content_first(f, TARGET_RETRIEVAL_DOCUMENTS, &from);
    if (content->output.len > 0)
        note(sources, "output", from);
}

bool genai_content(struct findings *f, const struct meaning *meaning, struct sources *sources,
                   struct content *out_content, struct err *err)
{
    const enum observation observation = meaning->observation;
    const struct finding *from = NULL;

    *out_content = (struct content){0};
    read_whole(f, observation, sources, out_content);
    if (observation == OBSERVATION_TOOL)
        read_tool(f, sources, out_content);
    out_content->tool_call_id = content_first(f, TARGET_TOOL_CALL_ID, &from);
    read_messages(f, observation, sources, out_content);
    out_content->parameters = content_parameters(f);
    out_content->metadata = content_metadata(f);
    out_content->tool_definitions = content_tools(f);
    if (f->arena->failed)
        return err_set(err, ERR_TOO_LARGE, "content of a span needs more memory than allowed");
    return genai_previews(f, &out_content->input_preview, &out_content->output_preview, err);
}
