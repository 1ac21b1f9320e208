/* Who was paid for a call, and for which model. */
#include "genai/pick.h"

/* No prefix is empty. Many are tried, and most differ in their first letter. */
static bool starts_with(struct bytes text, const char *prefix)
{
    size_t len;

    if (text.len == 0 || text.at[0] != (uint8_t)prefix[0])
        return false;
    len = strlen(prefix);
    return text.len >= len && memcmp(text.at, prefix, len) == 0;
}

static bool ends_with(struct bytes text, const char *suffix)
{
    const size_t len = strlen(suffix);

    return text.len >= len && memcmp(text.at + text.len - len, suffix, len) == 0;
}

static struct bytes lower(struct arena *arena, struct bytes text)
{
    uint8_t *copy = arena_alloc(arena, text.len);

    for (size_t i = 0; copy != NULL && i < text.len; i++)
        copy[i] = text.at[i] >= 'A' && text.at[i] <= 'Z' ? text.at[i] | 0x20 : text.at[i];
    return copy == NULL ? (struct bytes){NULL, 0} : (struct bytes){copy, text.len};
}

/* "openai.chat": the API behind the last dot is no part of the name. */
static struct bytes without_api(struct bytes name)
{
    static const char *const kinds[] = {
        ".chat",          ".messages",      ".responses",     ".completion", ".completions",
        ".embedding",     ".embeddings",    ".textEmbedding", ".image",      ".speech",
        ".generative-ai", ".transcription", ".reranking",     ".rerank",     ".realtime",
    };

    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (ends_with(name, kinds[i]) && name.len > strlen(kinds[i])) {
            name.len -= strlen(kinds[i]);
            break;
        }
    return name;
}

/* As price lists name the provider that is called so; false: a framework's name, or none. */
static bool provider_of(struct arena *arena, struct bytes name, struct bytes *out_provider)
{
    const struct genai_word *word;

    if (name.len == 0 || name.len > GENAI_MOST_FACT)
        return false;
    name = lower(arena, name);
    word = genai_word(GENAI_MAP_PROVIDER, name);
    if (word == NULL) {
        name = without_api(name);
        word = genai_word(GENAI_MAP_PROVIDER, name);
    }
    /* azure.ai.something, google.vertex.anthropic: a known first part. */
    for (struct bytes part = name; word == NULL && part.len > 0; part.len--)
        if (part.at[part.len - 1] == '.' && part.len > 1)
            word = genai_word(GENAI_MAP_PROVIDER, (struct bytes){part.at, part.len - 1});
    if (word != NULL && strcmp(word->means, "*") == 0)
        return false;
    *out_provider = word == NULL || strcmp(word->means, "-") == 0 ? name : bytes_of(word->means);
    return out_provider->len > 0;
}

#define SUFFIX(text) text, sizeof(text) - 1

static const struct host {
    const char *suffix;
    size_t len;
    const char *provider;
} hosts[] = {
    {SUFFIX("api.openai.com"), "openai"},
    {SUFFIX("api.anthropic.com"), "anthropic"},
    {SUFFIX(".openai.azure.com"), "azure"},
    {SUFFIX(".azure.com"), "azure"},
    {SUFFIX(".amazonaws.com"), "aws"},
    {SUFFIX("googleapis.com"), "google"},
    {SUFFIX("api.mistral.ai"), "mistral"},
    {SUFFIX("api.cohere.com"), "cohere"},
    {SUFFIX("api.cohere.ai"), "cohere"},
    {SUFFIX("api.groq.com"), "groq"},
    {SUFFIX("api.deepseek.com"), "deepseek"},
    {SUFFIX("api.x.ai"), "x-ai"},
    {SUFFIX("openrouter.ai"), "openrouter"},
    {SUFFIX("api.together.xyz"), "together"},
    {SUFFIX("api.together.ai"), "together"},
    {SUFFIX("api.fireworks.ai"), "fireworks"},
    {SUFFIX("api.perplexity.ai"), "perplexity"},
    {SUFFIX("api.cerebras.ai"), "cerebras"},
    {SUFFIX("api.moonshot.ai"), "moonshotai"},
    {SUFFIX("api.moonshot.cn"), "moonshotai"},
    {SUFFIX("api.voyageai.com"), "voyageai"},
    {SUFFIX("gateway.ai.cloudflare.com"), "cloudflare"},
    {SUFFIX("api.cloudflare.com"), "cloudflare"},
};

/* The host of a URL, or the text where it is none. */
static struct bytes host_of(struct bytes url)
{
    const uint8_t *colon = url.len > 3 ? memchr(url.at, ':', url.len) : NULL;
    const uint8_t *scheme = colon != NULL ? memmem(url.at, url.len, "://", 3) : NULL;
    size_t len = 0;

    if (scheme != NULL) {
        const size_t skip = (size_t)(scheme - url.at) + 3;
        url = (struct bytes){url.at + skip, url.len - skip};
    }
    while (len < url.len && url.at[len] != '/' && url.at[len] != ':')
        len++;
    url.len = len;
    return url;
}

static bool provider_of_host(struct bytes address, struct bytes *out_provider)
{
    const struct bytes host = host_of(address);

    for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++)
        if (host.len >= hosts[i].len &&
            host.at[host.len - hosts[i].len] == (uint8_t)hosts[i].suffix[0] &&
            memcmp(host.at + host.len - hosts[i].len, hosts[i].suffix, hosts[i].len) == 0) {
            *out_provider = bytes_of(hosts[i].provider);
            return true;
        }
    return false;
}

static bool take_provider(struct reading *r, const struct finding *finding, struct bytes *text,
                          const char **out_reason)
{
    struct bytes name = *text;

    if (bytes_is(finding->key, "server.address") ||
        bytes_is(finding->key, "gen_ai.openai.api_base")) {
        *out_reason = "inferred from the address";
        return provider_of_host(name, text);
    }
    if (bytes_is(finding->key, "openrouter.provider_slug")) {
        *out_reason = "called through OpenRouter, which charges for it";
        *text = BYTES_LITERAL("openrouter");
        return true;
    }
    if (bytes_is(finding->key, "genkit:name")) {
        const uint8_t *slash = memchr(name.at, '/', name.len);

        if (slash == NULL)
            return false;
        name.len = (size_t)(slash - name.at);
    }
    if (finding->event == FIND_ON_SCOPE) {
        const uint8_t *dot = memrchr(name.at, '.', name.len);
        const struct genai_word *word;

        if (dot == NULL)
            return false;
        name = (struct bytes){dot + 1, name.len - (size_t)(dot + 1 - name.at)};
        word = genai_word(GENAI_MAP_PROVIDER, name);
        *out_reason = "the library's name";
        if (word == NULL)
            return false; /* langchain, llama_index, …: no provider */
    }
    if (provider_of(r->f->arena, name, text))
        return true;
    *out_reason = "a framework's name, no provider";
    return false;
}

/* Shapes of names that one maker's models have. */
static const struct shape {
    const char *prefix;
    const char *provider;
} shapes[] = {
    {"gpt-", "openai"},
    {"chatgpt-", "openai"},
    {"text-embedding-3", "openai"},
    {"text-embedding-ada", "openai"},
    {"o1", "openai"},
    {"o3", "openai"},
    {"o4", "openai"},
    {"dall-e", "openai"},
    {"whisper-", "openai"},
    {"tts-1", "openai"},
    {"codex-", "openai"},
    {"davinci", "openai"},
    {"babbage", "openai"},
    {"omni-moderation", "openai"},
    {"ft:", "openai"},
    {"claude-", "anthropic"},
    {"gemini-", "google"},
    {"models/gemini", "google"},
    {"text-embedding-00", "google"},
    {"gemini-embedding", "google"},
    {"projects/", "google"},
    {"arn:aws", "aws"},
    {"mistral-", "mistral"},
    {"open-mistral", "mistral"},
    {"open-mixtral", "mistral"},
    {"codestral", "mistral"},
    {"ministral", "mistral"},
    {"pixtral", "mistral"},
    {"magistral", "mistral"},
    {"grok-", "x-ai"},
    {"deepseek-chat", "deepseek"},
    {"deepseek-reasoner", "deepseek"},
    {"command-", "cohere"},
    {"embed-english", "cohere"},
    {"embed-multilingual", "cohere"},
    {"embed-v4", "cohere"},
    {"rerank-", "cohere"},
    {"sonar", "perplexity"},
    {"voyage-", "voyageai"},
    {"kimi-", "moonshotai"},
    {"moonshot-", "moonshotai"},
    {"@cf/", "cloudflare"},
};

/* "us.anthropic.claude-…", "amazon.nova-pro-v1:0": how Bedrock calls models. */
static bool is_bedrock(struct bytes model)
{
    static const char *const regions[] = {"us.",     "eu.", "apac.", "global.",
                                          "us-gov.", "jp.", "au."};
    static const char *const vendors[] = {"anthropic.", "amazon.", "meta.",      "mistral.",
                                          "cohere.",    "ai21.",   "stability.", "deepseek.",
                                          "openai.",    "qwen.",   "writer."};

    for (size_t i = 0; i < sizeof(regions) / sizeof(regions[0]); i++)
        if (starts_with(model, regions[i])) {
            const size_t len = strlen(regions[i]);
            model = (struct bytes){model.at + len, model.len - len};
            break;
        }
    for (size_t i = 0; i < sizeof(vendors) / sizeof(vendors[0]); i++)
        if (starts_with(model, vendors[i]))
            return true;
    return false;
}

static bool provider_of_model(struct reading *r, struct bytes model, struct bytes *out_provider)
{
    const uint8_t *slash = model.len > 0 ? memchr(model.at, '/', model.len) : NULL;

    if (model.len == 0)
        return false;
    if (is_bedrock(model)) {
        *out_provider = BYTES_LITERAL("aws");
        return true;
    }
    for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++)
        if (starts_with(model, shapes[i].prefix)) {
            *out_provider = bytes_of(shapes[i].provider);
            return true;
        }
    if (slash == NULL)
        return false;
    /* A routing prefix: "vertex_ai/gemini-2.5-pro". */
    const struct bytes prefix = {model.at, (size_t)(slash - model.at)};
    return genai_word(GENAI_MAP_PROVIDER, prefix) != NULL &&
           provider_of(r->f->arena, prefix, out_provider);
}

void genai_read_provider(struct reading *r)
{
    static const struct pick pick = {TARGET_PROVIDER, "provider", take_provider};
    const struct finding *from = genai_pick(r, &pick, &r->m->provider);
    const struct bytes models[] = {r->m->request_model, r->m->model};

    /* A host's name and a scope's are guesses; what the model's name says is a better one. */
    if (from != NULL && from->rank < 5)
        return;
    for (size_t i = 0; i < 2; i++) {
        struct bytes provider;

        if (provider_of_model(r, models[i], &provider)) {
            if (from != NULL && from->event != FIND_ON_SCOPE)
                return;
            r->m->provider = provider;
            if (r->sources != NULL)
                sources_add(r->sources, &(struct source){.field = "provider",
                                                         .value = models[i],
                                                         .used = true,
                                                         .reason = "inferred from the model"});
            return;
        }
    }
}

static bool take_model(struct reading *r, const struct finding *finding, struct bytes *text,
                       const char **out_reason)
{
    static const char *const none[] = {"none", "null", "unknown", "undefined", "n/a"};

    for (size_t i = 0; text->len <= 9 && i < sizeof(none) / sizeof(none[0]); i++)
        if (bytes_is_nocase(*text, none[i]))
            return false;
    if (bytes_is(finding->key, "model") && !observation_is_call(r->m->observation) &&
        !findings_dialect(r->f, DIALECT_CLAUDE_CODE)) {
        *out_reason = "not on a model call";
        return false;
    }
    if (bytes_is(finding->key, "genkit:name")) {
        const uint8_t *slash = memchr(text->at, '/', text->len);

        if (!observation_is_call(r->m->observation))
            return false;
        if (slash != NULL)
            *text = (struct bytes){slash + 1, text->len - (size_t)(slash + 1 - text->at)};
    }
    return text->len > 0;
}

/* OpenInference has one key for the model, which holds the response's where it is known; the
 * request's then stands among the parameters. */
static void separate_models(struct reading *r, const struct finding *from)
{
    struct bytes asked;

    if (from == NULL || !bytes_is(from->key, "llm.model_name"))
        return;
    GENAI_EACH(finding, r->f, TARGET_REQUEST_MODEL)
    {
        if (bytes_is(finding->key, "llm.invocation_parameters") &&
            finding_text(r->f, finding, &asked)) {
            r->m->model = r->m->request_model;
            r->m->request_model = genai_clean(r->f->arena, asked);
            return;
        }
    }
}

void genai_read_models(struct reading *r)
{
    static const struct pick request = {TARGET_REQUEST_MODEL, "request_model", take_model};
    static const struct pick response = {TARGET_RESPONSE_MODEL, "model", take_model};
    const struct finding *from = genai_pick(r, &request, &r->m->request_model);

    if (genai_pick(r, &response, &r->m->model) == NULL) {
        r->m->model = r->m->request_model;
        separate_models(r, from);
    }
}
