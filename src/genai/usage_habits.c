/* What senders are known to do: whether their input includes cached tokens and their output
 * reasoning (docs/genai.md). One row per exception; everything else
 * follows the convention. */
#include "genai/table.h"
#include "genai/usage_accounts.h"

#define INSIDE USAGE_HABIT_INSIDE
#define OUTSIDE USAGE_HABIT_OUTSIDE
#define UNKNOWN USAGE_HABIT_UNKNOWN

/* What a row asks of the span, beside its dialect. */
enum condition {
    ALWAYS,
    CLAUDE,          /* Anthropic's models, at Anthropic or elsewhere */
    OLD_STRANDS,     /* the same or anything on Bedrock, before Strands had the convention's keys */
    BEDROCK,         /* hands on the numbers of Bedrock's API, by the scope */
    OLD_CONVERSE,    /* OpenInference's spans of Bedrock's Converse before 0.1.60 */
    OLD_ANTHROPIC,   /* OpenInference's instrumentation of Anthropic before March 2025 */
    AI_SDK_BEFORE_6, /* any of the three: ai.usage.* without inputTokenDetails */
    AI_SDK_5_CLAUDE,
    AI_SDK_5_GOOGLE,
    POSTHOG_CLAUDE,
    OLD_PYDANTIC_AI, /* before 1: Gemini's thoughts as they come */
    OLD_ADK,         /* reasoning under its first, experimental key */
};

static const struct {
    enum dialect dialect;
    enum condition condition;
    enum usage_habit cache;
    enum usage_habit reasoning;
} rows[] = {
    {DIALECT_ANTHROPIC_NATIVE, ALWAYS, INSIDE, INSIDE},
    {DIALECT_CLAUDE_CODE, ALWAYS, OUTSIDE, INSIDE},
    {DIALECT_OPENCLAW, ALWAYS, OUTSIDE, INSIDE},
    {DIALECT_CODEX, ALWAYS, INSIDE, INSIDE},
    {DIALECT_POSTHOG, POSTHOG_CLAUDE, OUTSIDE, INSIDE},
    {DIALECT_VERCEL_AI, AI_SDK_5_CLAUDE, OUTSIDE, UNKNOWN},
    {DIALECT_VERCEL_AI, AI_SDK_5_GOOGLE, INSIDE, OUTSIDE},
    {DIALECT_VERCEL_AI, AI_SDK_BEFORE_6, INSIDE, UNKNOWN},
    {DIALECT_STRANDS, OLD_STRANDS, OUTSIDE, UNKNOWN},
    {DIALECT_SPRING_AI, CLAUDE, OUTSIDE, UNKNOWN},
    {DIALECT_PYDANTIC_AI, OLD_PYDANTIC_AI, INSIDE, OUTSIDE},
    {DIALECT_PYDANTIC_AI, ALWAYS, INSIDE, INSIDE},
    {DIALECT_LITELLM, ALWAYS, INSIDE, UNKNOWN},
    {DIALECT_GOOGLE_ADK, OLD_ADK, INSIDE, OUTSIDE},
    {DIALECT_GOOGLE_ADK, ALWAYS, INSIDE, INSIDE},
    {DIALECT_OPENINFERENCE, OLD_CONVERSE, OUTSIDE, UNKNOWN},
    {DIALECT_OPENINFERENCE, OLD_ANTHROPIC, OUTSIDE, UNKNOWN},
    {DIALECT_OPENINFERENCE, ALWAYS, INSIDE, UNKNOWN},
    {DIALECT_TRACELOOP, BEDROCK, OUTSIDE, UNKNOWN},
    {DIALECT_TRACELOOP, ALWAYS, INSIDE, UNKNOWN},
    {DIALECT_OPENLIT, CLAUDE, OUTSIDE, UNKNOWN},
    {DIALECT_LANGSMITH, ALWAYS, INSIDE, INSIDE},
    {DIALECT_LAMINAR, ALWAYS, INSIDE, UNKNOWN},
    {DIALECT_LIVEKIT, ALWAYS, INSIDE, UNKNOWN},
    {DIALECT_SENTRY, ALWAYS, INSIDE, INSIDE},
    {DIALECT_VERCEL_AI, ALWAYS, INSIDE, INSIDE},
    {DIALECT_OTEL, BEDROCK, OUTSIDE, UNKNOWN},
};

static bool is_claude(const struct meaning *m)
{
    return bytes_is(m->provider, "anthropic") || usage_contains(m->model, "claude") ||
           usage_contains(m->request_model, "claude");
}

static bool is_google(const struct meaning *m)
{
    return bytes_is(m->provider, "google") || usage_contains(m->model, "gemini") ||
           usage_contains(m->request_model, "gemini");
}

static bool is_xai(const struct meaning *m)
{
    return bytes_is(m->provider, "x-ai") || bytes_is(m->provider, "xai") ||
           usage_contains(m->model, "grok");
}

static const struct usage_account *account_of_family(const struct usage_accounts *all,
                                                     unsigned family)
{
    for (size_t i = 0; i < all->count; i++)
        if (all->items[i].family == family)
            return &all->items[i];
    return NULL;
}

/* AI SDK 4 and 5 hand the provider's numbers on; 6 sends the parts of input, 7 (scope gen_ai) the
 * convention's keys. */
static bool is_ai_sdk_before_6(const struct usage_accounts *all)
{
    const struct usage_account *ai = account_of_family(all, USAGE_FAMILY_AI);

    if (ai == NULL || ai->details_only)
        return false;
    for (int field = 0; field < USAGE_FIELD_COUNT; field++)
        if (ai->from[field] != NULL && usage_contains(ai->from[field]->key, "TokenDetails."))
            return false;
    return true;
}

/* Version 0.1.N with N below first, of this scope. */
static bool is_before(const struct scope *scope, const char *name, unsigned first)
{
    const struct bytes version = scope->version;
    unsigned last = 0;

    if (!bytes_is(scope->name, name) || version.len < 5 || version.len > 6 ||
        memcmp(version.at, "0.1.", 4) != 0)
        return false;
    for (size_t i = 4; i < version.len; i++) {
        if (version.at[i] < '0' || version.at[i] > '9')
            return false;
        last = last * 10 + (unsigned)(version.at[i] - '0');
    }
    return last < first;
}

/* OpenLLMetry's and the one of OpenTelemetry for botocore. */
static bool is_bedrock(const struct scope *scope)
{
    return usage_contains(scope->name, "instrumentation.bedrock") ||
           usage_contains(scope->name, "botocore.bedrock");
}

/* Since 0.1.60 OpenInference adds cached tokens to the prompt's, as Bedrock's total does. A version
 * that is not known is judged by that: input and output make the total only then. */
static bool is_old_converse(const struct span *span, const struct usage_account *account)
{
    const struct usage_numbers *n = &account->numbers;

    if (!usage_contains(span->scope->name, "bedrock") || !usage_contains(span->name, "converse"))
        return false;
    return is_before(span->scope, "openinference.instrumentation.bedrock", 60) ||
           !usage_given(n, USAGE_TOTAL) ||
           n->of[USAGE_TOTAL] != n->of[USAGE_INPUT] + n->of[USAGE_OUTPUT];
}

static bool is_posthog_claude(const struct usage_accounts *all)
{
    const struct findings *f = all->f;

    for (uint32_t i = f->first[TARGET_USAGE_EXCLUSIVE]; i < f->first[TARGET_USAGE_EXCLUSIVE + 1];
         i++) {
        const struct value *value = f->items[i].attribute;

        if (value->kind == VALUE_BOOL)
            return value->boolean;
        if (value->kind == VALUE_STRING)
            return !bytes_is_nocase(value->text, "false");
    }
    return is_claude(all->meaning);
}

/* cache_read.input_tokens: Strands adds cached tokens to input since it sends these. */
static bool has_dotted_cache(const struct usage_account *account)
{
    const struct finding *read = account->from[USAGE_CACHE_READ];
    const struct finding *write = account->from[USAGE_CACHE_WRITE];

    return (read != NULL && usage_contains(read->key, "cache_read.input")) ||
           (write != NULL && usage_contains(write->key, "cache_creation.input"));
}

static bool holds(enum condition condition, const struct usage_accounts *all,
                  const struct usage_account *account)
{
    const struct span *span = all->f->span;
    const struct finding *reasoning = account->from[USAGE_REASONING];

    switch (condition) {
    case ALWAYS:
        return true;
    case CLAUDE:
        /* LangChain's wrappers add the parts up themselves. */
        return is_claude(all->meaning) && !usage_contains(span->name, "langchain") &&
               !usage_contains(span->scope->name, "langchain");
    case OLD_STRANDS:
        return (is_claude(all->meaning) || bytes_is(all->meaning->provider, "aws")) &&
               !has_dotted_cache(account);
    case BEDROCK:
        return is_bedrock(span->scope);
    case OLD_CONVERSE:
        return is_old_converse(span, account);
    case OLD_ANTHROPIC: /* since 0.1.14 (2025-03-25) cached tokens are in the prompt's */
        return is_before(span->scope, "openinference.instrumentation.anthropic", 14);
    case AI_SDK_BEFORE_6:
        return is_ai_sdk_before_6(all);
    case AI_SDK_5_CLAUDE:
        return is_ai_sdk_before_6(all) &&
               (is_claude(all->meaning) || bytes_is(all->meaning->provider, "aws"));
    case AI_SDK_5_GOOGLE:
        return is_ai_sdk_before_6(all) && is_google(all->meaning);
    case POSTHOG_CLAUDE:
        return is_posthog_claude(all);
    case OLD_PYDANTIC_AI:
        return reasoning != NULL && usage_contains(reasoning->key, ".thoughts_tokens") &&
               span->scope->version.len > 2 && memcmp(span->scope->version.at, "0.", 2) == 0;
    case OLD_ADK:
        return reasoning != NULL && usage_contains(reasoning->key, ".experimental.");
    }
    return false;
}

/* Libraries that write the providers' names, but their own sums under them. */
static bool is_normalised(enum dialect dialect)
{
    return dialect == DIALECT_MLFLOW || dialect == DIALECT_LANGSMITH ||
           dialect == DIALECT_LITELLM || dialect == DIALECT_BRAINTRUST ||
           dialect == DIALECT_LANGWATCH || dialect == DIALECT_CREWAI || dialect == DIALECT_LIVEKIT;
}

static struct usage_habits object_habits(const struct usage_accounts *all,
                                         const struct usage_account *account)
{
    const enum dialect dialect = (enum dialect)genai_rows[account->finding->row].dialect;
    const unsigned shapes = account->object->shapes;
    struct usage_habits habits = usage_object_habits(shapes);

    if (dialect == DIALECT_LANGFUSE && !(shapes & USAGE_SHAPE_OPENAI))
        return (struct usage_habits){.disjoint = true};
    /* OpenAI's agents: input_tokens, cached_input_tokens, cache_write_input_tokens. */
    if (findings_dialect(all->f, DIALECT_LOGFIRE) && bytes_is(account->finding->key, "usage"))
        return (struct usage_habits){INSIDE, INSIDE, false};
    if (dialect == DIALECT_OPENCLAW)
        return (struct usage_habits){OUTSIDE, INSIDE, false};
    if (is_normalised(dialect))
        return (struct usage_habits){INSIDE, UNKNOWN, false};
    if ((shapes & USAGE_SHAPE_OPENAI) && is_xai(all->meaning))
        habits.reasoning = OUTSIDE;
    return habits;
}

#define BIT(dialect) (UINT64_C(1) << (dialect))

/* Whose the account is: a family of one dialect belongs to it, the shared ones to all that show. */
static uint64_t owners(const struct usage_accounts *all, const struct usage_account *account)
{
    const uint64_t never = BIT(DIALECT_CLAUDE_CODE) | BIT(DIALECT_OPENCLAW) | BIT(DIALECT_CODEX) |
                           BIT(DIALECT_POSTHOG);

    if (account->family >= USAGE_FAMILY_OTHER)
        return BIT(account->family - USAGE_FAMILY_OTHER);
    if (account->family == USAGE_FAMILY_TOKEN_COUNT)
        return BIT(DIALECT_OPENINFERENCE);
    return all->f->dialects & ~never;
}

/* Gemini's total counts thoughts, its output does not: OpenLLMetry hands on both and leaves the
 * thoughts out. Laminar adds its totals up itself. */
bool usage_add_thoughts(const struct usage_accounts *all, struct usage_account *account)
{
    struct usage_numbers *n = &account->numbers;
    const int64_t cached = n->of[USAGE_CACHE_READ];
    int64_t thoughts;

    if (account->object != NULL || !usage_given(n, USAGE_TOTAL) || !usage_given(n, USAGE_INPUT) ||
        !usage_given(n, USAGE_OUTPUT) || usage_given(n, USAGE_REASONING) ||
        !is_google(all->meaning) || findings_dialect(all->f, DIALECT_LAMINAR))
        return false;
    thoughts = n->of[USAGE_TOTAL] - n->of[USAGE_INPUT] - n->of[USAGE_OUTPUT];
    if (thoughts <= 0 || thoughts == cached)
        return false;
    usage_put(n, USAGE_REASONING, thoughts);
    return true;
}

void usage_set_habits(const struct usage_accounts *accounts, struct usage_account *account)
{
    uint64_t dialects;

    account->habits = (struct usage_habits){UNKNOWN, UNKNOWN, false};
    if (account->object != NULL) {
        account->habits = object_habits(accounts, account);
        return;
    }
    dialects = owners(accounts, account);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if ((dialects & BIT(rows[i].dialect)) != 0 && holds(rows[i].condition, accounts, account)) {
            account->habits.cache = rows[i].cache;
            account->habits.reasoning = rows[i].reasoning;
            return;
        }
}
