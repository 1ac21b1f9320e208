/* What kind of work a span stands for, and what its kind says about counting. */
#include "genai/pick.h"

#define FIELD "observation_type"

/* Names of spans mean something only where their library is there. */
static const struct name_map {
    enum dialect dialect;
    enum genai_map map;
} name_maps[] = {
    {DIALECT_LIVEKIT, GENAI_MAP_NAME_LIVEKIT},
    {DIALECT_LITELLM, GENAI_MAP_NAME_LITELLM},
    {DIALECT_LOGFIRE, GENAI_MAP_NAME_LOGFIRE},
    {DIALECT_CODEX, GENAI_MAP_NAME_CODEX},
    {DIALECT_OPENCLAW, GENAI_MAP_NAME_OPENCLAW},
    {DIALECT_CLOUDFLARE_GATEWAY, GENAI_MAP_NAME_CLOUDFLARE_GATEWAY},
    {DIALECT_ANTHROPIC_NATIVE, GENAI_MAP_NAME_ANTHROPIC_NATIVE},
    {DIALECT_GOOGLE_ADK, GENAI_MAP_NAME_GOOGLE_ADK},
};

static const struct genai_word *named_word(struct reading *r)
{
    const struct bytes name = r->f->span->name;

    for (size_t i = 0; i < sizeof(name_maps) / sizeof(name_maps[0]); i++)
        if (findings_dialect(r->f, name_maps[i].dialect)) {
            const struct genai_word *word = genai_word(name_maps[i].map, name);

            if (word != NULL)
                return word;
        }
    return NULL;
}

/* Keys whose presence is an answer: not where the span says more by others. */
static const struct genai_word *present_word(struct reading *r, const struct finding *finding)
{
    const struct genai_row *row = &genai_rows[finding->row];
    const struct genai_word *word = &genai_words[row->word];
    struct bytes text;

    if (word->observation == OBSERVATION_TOOL && genai_first(r->f, TARGET_REQUEST_MODEL) != NULL)
        return NULL;
    if (row->dialect == DIALECT_PYDANTIC_AI && !findings_dialect(r->f, DIALECT_PYDANTIC_AI))
        return NULL;
    if (word->observation == OBSERVATION_LLM && genai_first(r->f, TARGET_TOOL_NAME) != NULL)
        return NULL;
    if (finding->attribute == NULL || finding->attribute->kind != VALUE_STRING)
        return word;
    return finding_text(r->f, finding, &text) ? word : NULL;
}

static const struct genai_word *answer(struct reading *r, const struct finding *finding)
{
    const struct genai_row *row = &genai_rows[finding->row];
    const struct genai_word *word;
    struct bytes text;

    if (row->where == GENAI_SPAN_NAME)
        return named_word(r);
    if (row->how == GENAI_IS)
        return present_word(r, finding);
    if (row->how != GENAI_WORD || !finding_text(r->f, finding, &text))
        return NULL;
    word = genai_word((enum genai_map)row->map, text);
    /* "unknown" leaves it to the next key. */
    return word != NULL && bytes_is_nocase(text, "unknown") ? NULL : word;
}

/* A model whose name says that it embeds is called so by instrumentations that know only a model. */
static bool embeds(struct bytes model)
{
    static const char word[] = "embed";

    return model.len > 0 && memmem(model.at, model.len, word, sizeof(word) - 1) != NULL;
}

/* OpenInference's patch of the ADK writes the model's last call on the span of the agent above it. */
static bool is_agent_by_name(struct reading *r)
{
    static const char agent[] = "invoke_agent ";
    const struct bytes name = r->f->span->name;

    return findings_dialect(r->f, DIALECT_GOOGLE_ADK) && name.len > sizeof(agent) - 1 &&
           memcmp(name.at, agent, sizeof(agent) - 1) == 0;
}

static void settle(struct reading *r, const struct finding *finding, const struct genai_word *word)
{
    r->m->observation = (enum observation)word->observation;
    r->m->flags |= word->flags;
    if (word->observation == OBSERVATION_LLM && is_agent_by_name(r)) {
        r->m->observation = OBSERVATION_AGENT;
        r->m->flags |= MEANING_AGGREGATE;
    } else if (word->observation == OBSERVATION_LLM) {
        const struct genai_row *row = &genai_rows[finding->row];
        const struct finding *named = row->how == GENAI_IS ? finding
                                      : row->dialect == DIALECT_LAMINAR
                                          ? genai_first(r->f, TARGET_REQUEST_MODEL)
                                          : NULL; /* Laminar knows no type for embeddings */
        struct bytes model;

        if (named != NULL && finding_text(r->f, named, &model) && embeds(model))
            r->m->observation = OBSERVATION_EMBEDDING;
    }
}

/* LiteLLM repeats a call's raw request and answer below it, under llm.PROVIDER.NAME; the span has
 * the name of the call where the application gave one. */
static bool is_raw_request(const struct findings *f)
{
    const struct attributes *attributes = &f->span->attributes;

    if (attributes->count == 0 || !findings_dialect(f, DIALECT_LITELLM))
        return false;
    for (uint32_t i = 0; i < attributes->count; i++) {
        const struct bytes key = attributes->items[i].key;

        if (key.len < 4 || memcmp(key.at, "llm.", 4) != 0)
            return false;
    }
    return true;
}

void genai_read_observation(struct reading *r)
{
    const struct genai_word *chosen = NULL;

    r->m->observation = OBSERVATION_SPAN;
    GENAI_EACH(finding, r->f, TARGET_OBSERVATION_TYPE)
    {
        const struct genai_word *word = answer(r, finding);

        if (word == NULL) {
            genai_note(r, FIELD, finding, false, "says nothing about the kind of work");
        } else if (chosen == NULL) {
            chosen = word;
            settle(r, finding, word);
            genai_note(r, FIELD, finding, true, NULL);
            if (r->sources == NULL)
                return;
        } else {
            genai_note(r, FIELD, finding, false, NULL);
            if (word->observation != chosen->observation && r->sources->count > 0)
                r->sources->items[r->sources->count - 1].conflict = true;
        }
    }
    if (chosen == NULL && is_raw_request(r->f)) {
        r->m->flags |= MEANING_COPY;
        if (r->sources != NULL)
            sources_add(r->sources,
                        &(struct source){.field = FIELD,
                                         .used = true,
                                         .reason = "LiteLLM's copy of a call's request"});
    }
}

static const struct flag_of_scope {
    const char *prefix;
    unsigned flag;
} scope_flags[] = {
    {"com.anthropic.sdk.", MEANING_NATIVE},
    {"com.anthropic.claude-platform", MEANING_SERVER},
};

static void read_service_tier(struct reading *r)
{
    const struct pick pick = {TARGET_SERVICE_TIER, "service_tier", NULL};
    const struct genai_word *word;
    struct bytes text;

    if (genai_pick(r, &pick, &text) == NULL)
        return;
    word = genai_word(GENAI_MAP_SERVICE_TIER, text);
    if (word == NULL)
        return;
    r->m->flags |= strcmp(word->means, "batch") == 0  ? MEANING_BATCH
                   : strcmp(word->means, "flex") == 0 ? MEANING_FLEX
                                                      : MEANING_PRIORITY;
}

static bool is_pending(struct reading *r, const struct finding *finding, struct bytes *text,
                       const char **out_reason)
{
    (void)r;
    (void)finding;
    *out_reason = "a placeholder for a span that is still running";
    return bytes_is(*text, "pending_span");
}

/* Logfire's span of a streamed request ends when the stream begins; a log of no length follows when
 * it is read, and has the usage. */
static bool is_stream_end(struct reading *r)
{
    GENAI_EACH(finding, r->f, TARGET_DROP_SPAN)
    {
        struct bytes text;

        if (!finding_text(r->f, finding, &text) || !bytes_is(text, "log"))
            continue;
        genai_note(r, "flags.stream_end", finding, true,
                   "told at the end of a stream that another span began");
        return true;
    }
    return false;
}

static bool is_streaming(struct reading *r)
{
    GENAI_EACH(finding, r->f, TARGET_STREAMING)
    {
        struct bytes text;

        if (!finding_text(r->f, finding, &text))
            continue;
        if (genai_rows[finding->row].how != GENAI_BOOL) {
            /* ai.streamText.doStream */
            if (memmem(text.at, text.len, "tream", 5) != NULL)
                return true;
        } else if (bytes_is_nocase(text, "true") || bytes_is(text, "1")) {
            genai_note(r, "streamed", finding, true, NULL);
            return true;
        }
    }
    return false;
}

void genai_read_flags(struct reading *r)
{
    static const struct pick pending = {TARGET_DROP_SPAN, "flags.pending", is_pending};
    const struct bytes scope = r->f->span->scope->name;
    struct bytes text;

    for (size_t i = 0; i < sizeof(scope_flags) / sizeof(scope_flags[0]); i++) {
        const size_t len = strlen(scope_flags[i].prefix);

        if (scope.len >= len && memcmp(scope.at, scope_flags[i].prefix, len) == 0)
            r->m->flags |= scope_flags[i].flag;
    }
    if (findings_dialect(r->f, DIALECT_CLOUDFLARE_GATEWAY) ||
        findings_dialect(r->f, DIALECT_VERCEL_GATEWAY) ||
        findings_dialect(r->f, DIALECT_OPENROUTER))
        r->m->flags |= MEANING_SERVER;
    if (genai_first(r->f, TARGET_DROP_SPAN) != NULL && genai_pick(r, &pending, &text) != NULL)
        r->m->flags |= MEANING_PENDING;
    if (observation_is_call(r->m->observation) && is_stream_end(r))
        r->m->flags |= MEANING_STREAM_END | MEANING_STREAMED;
    if (genai_says_yes(r, TARGET_USAGE_REDUNDANT_COPY, "flags.copy"))
        r->m->flags |= MEANING_COPY;
    if (genai_says_yes(r, TARGET_CACHE_HIT, "flags.cache_hit"))
        r->m->flags |= MEANING_CACHE_HIT;
    if (is_streaming(r))
        r->m->flags |= MEANING_STREAMED;
    read_service_tier(r);
}
