/* Whose a span is: session, user, environment, tags, names. */
#include "genai/pick.h"

enum { MOST_TAGS = 64, LONGEST_TAG = 200 };

/* LangSmith calls its project a session; "null" is OpenAI's agents without a group. */
static bool take_session(struct reading *r, const struct finding *finding, struct bytes *text,
                         const char **out_reason)
{
    *out_reason = "LangSmith's project, not a session";
    if (bytes_is(finding->key, "langsmith.trace.session_name") ||
        bytes_is(finding->key, "langsmith.trace.session_id"))
        return false;
    *out_reason = NULL;
    return !bytes_is(finding->key, "group_id") ||
           (findings_dialect(r->f, DIALECT_LOGFIRE) && !bytes_is(*text, "null"));
}

static bool take_project(struct reading *r, const struct finding *finding, struct bytes *text,
                         const char **out_reason)
{
    (void)r;
    (void)text;
    *out_reason = "the service has a field of its own";
    if (bytes_is(finding->key, "service.name"))
        return false;
    *out_reason = NULL;
    return true;
}

/* Names that every span of a run carries as its own are the trace's only on its root. */
static bool take_trace_name(struct reading *r, const struct finding *finding, struct bytes *text,
                            const char **out_reason)
{
    static const uint8_t none[8];
    const struct bytes parent = r->f->span->parent_span_id;
    const bool root = parent.len == 0 || (parent.len == 8 && memcmp(parent.at, none, 8) == 0);

    (void)text;
    if (bytes_is(finding->key, "langsmith.trace.name") ||
        bytes_is(finding->key, "ai.telemetry.functionId")) {
        *out_reason = root ? NULL : "the name of one span, not of the trace";
        return root;
    }
    return true;
}

/* traceloop.entity.name and graph.node.name name whatever the span is. */
static bool take_agent(struct reading *r, const struct finding *finding, struct bytes *text,
                       const char **out_reason)
{
    (void)text;
    *out_reason = "not on a span of an agent";
    if (bytes_is(finding->key, "traceloop.entity.name") ||
        bytes_is(finding->key, "graph.node.name"))
        return r->m->observation == OBSERVATION_AGENT;
    *out_reason = NULL;
    return true;
}

static bool take_tool(struct reading *r, const struct finding *finding, struct bytes *text,
                      const char **out_reason)
{
    (void)text;
    *out_reason = "not on a span of a tool";
    if (bytes_is(finding->key, "traceloop.entity.name") || bytes_is(finding->key, "genkit:name"))
        return r->m->observation == OBSERVATION_TOOL;
    if (bytes_is(finding->key, "name"))
        return r->m->observation == OBSERVATION_TOOL && findings_dialect(r->f, DIALECT_LOGFIRE);
    *out_reason = NULL;
    return true;
}

static void add_tag(struct reading *r, struct bytes tag)
{
    struct meaning *m = r->m;

    while (tag.len > 0 && (tag.at[0] == ' ' || tag.at[0] == '\t'))
        tag = (struct bytes){tag.at + 1, tag.len - 1};
    while (tag.len > 0 && (tag.at[tag.len - 1] == ' ' || tag.at[tag.len - 1] == '\t'))
        tag.len--;
    if (tag.len == 0 || tag.len > LONGEST_TAG || m->tag_count == MOST_TAGS)
        return;
    tag = genai_clean(r->f->arena, tag);
    for (uint32_t i = 0; i < m->tag_count; i++)
        if (bytes_equal(m->tags[i], tag))
            return;
    if (m->tags == NULL)
        m->tags = arena_alloc(r->f->arena, MOST_TAGS * sizeof(*m->tags));
    if (m->tags != NULL && tag.len > 0)
        m->tags[m->tag_count++] = tag;
}

/* "prod, weather" */
static void add_list(struct reading *r, struct bytes list)
{
    while (list.len > 0 && r->m->tag_count < MOST_TAGS) {
        const uint8_t *comma = memchr(list.at, ',', list.len);
        const size_t len = comma == NULL ? list.len : (size_t)(comma - list.at);

        add_tag(r, (struct bytes){list.at, len});
        if (comma == NULL)
            return;
        list = (struct bytes){comma + 1, list.len - len - 1};
    }
}

/* mlflow.traceTag.NAME = value: a tag of its own, but not those that MLflow sets itself. */
static void add_named(struct reading *r, const struct finding *finding, struct bytes value)
{
    const char *tag;

    if (finding->rest.len > LONGEST_TAG || value.len > LONGEST_TAG ||
        (finding->rest.len > 7 && memcmp(finding->rest.at, "mlflow.", 7) == 0))
        return;
    tag = arena_printf(r->f->arena, "%.*s:%.*s", (int)finding->rest.len,
                       (const char *)finding->rest.at, (int)value.len, (const char *)value.at);
    if (tag != NULL)
        add_tag(r, bytes_of(tag));
}

static void add_tags(struct reading *r, const struct finding *finding)
{
    const struct value *value = finding_value(r->f, finding);
    struct bytes text;

    if (value == NULL)
        return;
    genai_note(r, "tags", finding, true, NULL);
    if (value->kind == VALUE_ARRAY) {
        for (uint32_t i = 0; i < value->count && r->m->tag_count < MOST_TAGS; i++)
            if (genai_text(r->f, &value->items[i], &text))
                add_tag(r, text);
    } else if (genai_text(r->f, value, &text)) {
        if (finding->rest.len > 0)
            add_named(r, finding, text);
        else
            add_list(r, text);
    }
}

void genai_read_identity(struct reading *r)
{
    static const struct field {
        struct pick pick;
        size_t offset; /* of the text in struct meaning */
    } fields[] = {
        {{TARGET_SESSION_ID, "session_id", take_session}, offsetof(struct meaning, session_id)},
        {{TARGET_USER_ID, "user_id", NULL}, offsetof(struct meaning, user_id)},
        {{TARGET_ENVIRONMENT, "environment", NULL}, offsetof(struct meaning, environment)},
        {{TARGET_PROJECT, "project", take_project}, offsetof(struct meaning, project)},
        {{TARGET_RELEASE, "release", NULL}, offsetof(struct meaning, release)},
        {{TARGET_TRACE_NAME, "trace_name", take_trace_name}, offsetof(struct meaning, trace_name)},
        {{TARGET_AGENT_NAME, "agent_name", take_agent}, offsetof(struct meaning, agent_name)},
        {{TARGET_TOOL_NAME, "tool_name", take_tool}, offsetof(struct meaning, tool_name)},
        {{TARGET_PROMPT_NAME, "prompt.name", NULL}, offsetof(struct meaning, prompt_name)},
        {{TARGET_PROMPT_VERSION, "prompt.version", NULL}, offsetof(struct meaning, prompt_version)},
    };
    static const struct pick conversation = {TARGET_CONVERSATION_ID, "session_id", NULL};

    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
        if (genai_first(r->f, fields[i].pick.target) != NULL)
            (void)genai_pick(r, &fields[i].pick,
                             (struct bytes *)(void *)((char *)r->m + fields[i].offset));
    if (r->m->session_id.len == 0 && genai_first(r->f, TARGET_CONVERSATION_ID) != NULL)
        (void)genai_pick(r, &conversation, &r->m->session_id);
    GENAI_EACH(finding, r->f, TARGET_TAGS)
    {
        add_tags(r, finding);
    }
}
