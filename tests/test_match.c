/* Names of providers and models, as spans have them, to rows of the embedded list. */
#include <stdlib.h>

#include "test.h"

#include "base/clock.h"
#include "ledger/prices.h"

static struct prices *list;

static int make_list(void **state)
{
    struct err err = {0};

    (void)state;
    if (!prices_embedded(&list, &err))
        fail_msg("%s", err.text);
    return 0;
}

static int drop_list(void **state)
{
    (void)state;
    prices_unref(list);
    return 0;
}

static struct bytes text_of(const char *text)
{
    return text ? bytes_of(text) : (struct bytes){0};
}

static const struct name {
    const char *why;
    const char *provider;
    const char *model;
    const char *row; /* NULL: no price */
    const char *request_model;
    const char *host;
} names[] = {
    {"case and spaces do not matter", " OpenAI ", " GPT-4o ", "openai:gpt-4o", NULL, NULL},
    {"a dearer dated model has its own row", "openai", "gpt-4o-2024-05-13",
     "openai:gpt-4o-2024-05-13", NULL, NULL},
    {"an unknown date is taken off", "openai", "gpt-5.5-2031-02-03", "openai:gpt-5.5", NULL, NULL},
    {"what is no date is not", "openai", "gpt-5.5-20310231", NULL, NULL, NULL},
    {"the AI SDK's suffix", "mistral.chat", "mistral-large-latest", "mistral:mistral-large", NULL,
     NULL},
    {"a suffix behind an alias", "azure-openai.responses", "gpt-4o", "openai:gpt-4o", NULL, NULL},
    {"an ARN names the profile", "aws.bedrock",
     "arn:aws:bedrock:us-east-1:123456789012:inference-profile/"
     "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
     "aws:regional.anthropic.claude-sonnet-4-5-20250929-v1:0", NULL, NULL},
    {"an ARN without a provider", NULL,
     "arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-3-5-sonnet-20241022-v2:0",
     "aws:regional.anthropic.claude-3-5-sonnet-20241022-v2:0", NULL, NULL},
    {"OpenLLMetry takes the maker off Bedrock's ids", "aws.bedrock", "nova-pro-v1:0",
     "aws:amazon.nova-pro-v1:0", NULL, NULL},
    {"and not only Amazon's", "aws.bedrock", "llama3-1-70b-instruct-v1:0",
     "aws:meta.llama3-1-70b-instruct-v1:0", NULL, NULL},
    {"which makes no model of one that Bedrock does not have", "aws.bedrock", "gpt-4o", NULL, NULL,
     NULL},
    {"the newest of a family without a number may be any", "google", "gemini-pro-latest", NULL,
     NULL, NULL},
    {"the newest of a version is that version", "google", "gemini-1.5-flash-latest",
     "google:gemini-1.5-flash", NULL, NULL},
    {"a tag is no alias of a family", "deepseek", "deepseek-chat:latest", "deepseek:deepseek-chat",
     NULL, NULL},
    {"LiteLLM's route of Azure's global deployments, at the same price", "azure",
     "azure/global/gpt-4o-2024-11-20", "openai:gpt-4o", NULL, NULL},
    {"the route of a region is dearer: not known", "azure", "azure/eu/gpt-4o-2024-11-20", NULL,
     NULL, NULL},
    {"an application profile says nothing", "aws.bedrock",
     "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc123", NULL, NULL,
     NULL},
    {"but the model that was asked for may", "aws.bedrock",
     "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc123",
     "aws:global.anthropic.claude-sonnet-4-5-20250929-v1:0",
     "global.anthropic.claude-sonnet-4-5-20250929-v1:0", NULL},
    {"LiteLLM's region in the path", "bedrock",
     "bedrock/us-east-1/anthropic.claude-3-5-sonnet-20241022-v2:0",
     "aws:regional.anthropic.claude-3-5-sonnet-20241022-v2:0", NULL, NULL},
    {"Bedrock's shape without a provider", NULL, "global.anthropic.claude-sonnet-4-5-20250929-v1:0",
     "aws:global.anthropic.claude-sonnet-4-5-20250929-v1:0", NULL, NULL},
    {"Bedrock's shape under its maker's name", "anthropic", "global.amazon.nova-2-lite-v1:0",
     "aws:global.amazon.nova-2-lite-v1:0", NULL, NULL},
    {"a Vertex endpoint says nothing", "vertex_ai", "projects/p/locations/l/endpoints/42", NULL,
     NULL, NULL},
    {"two prefixes, the outer one is who is paid", NULL, "openrouter/anthropic/claude-sonnet-4.5",
     "openrouter:anthropic/claude-sonnet-4.5", NULL, NULL},
    {"a framework's name is none", "langchain", "claude-haiku-4-5", "anthropic:claude-haiku-4-5",
     NULL, NULL},
    {"a gateway in front", "litellm", "gateway/anthropic:claude-haiku-4-5",
     "anthropic:claude-haiku-4-5", NULL, NULL},
    {"the host where no provider is named", NULL, "llama-3.3-70b-versatile",
     "groq:llama-3.3-70b-versatile", NULL, "api.groq.com"},
    {"the host as a URL", NULL, "openai/gpt-oss-120b", "groq:openai/gpt-oss-120b", NULL,
     "https://api.groq.com/openai/v1"},
    {"OpenRouter behind the OpenAI SDK", "openai", "anthropic/claude-sonnet-4.5",
     "openrouter:anthropic/claude-sonnet-4.5", NULL, "openrouter.ai"},
    {"a maker's model that somebody else runs behind the OpenAI SDK", "openai",
     "mistralai/mistral-large-latest", NULL, NULL, "localhost"},
    {"one's own machine is not the maker", "ollama", "deepseek-chat", NULL, NULL, NULL},
    {"one's own machine as a prefix", "litellm", "ollama/deepseek-chat", NULL, NULL, NULL},
    {"a name that nobody knows is somebody's", "acme-cloud", "gpt-4o", NULL, NULL, NULL},
    {"but its prefix may say who runs it", "acme-cloud", "openai/gpt-4o", "openai:gpt-4o", NULL,
     NULL},
    {"a free variant without a provider is OpenRouter's", NULL, "deepseek/deepseek-chat:free",
     "openrouter:deepseek/deepseek-chat:free", NULL, NULL},
    {"a free variant that is not known is not priced as the paid one", NULL,
     "deepseek/deepseek-chat-9:free", NULL, NULL, NULL},
    {"the response's model first", "openai", "gpt-4o-mini", "openai:gpt-4o-mini", "gpt-4o", NULL},
    {"then the request's", "azure", "my-deployment", "openai:gpt-4o", "gpt-4o", NULL},
    {"negative look-ahead: speech has its own row", "google", "gemini-2.5-pro-preview-tts",
     "google:gemini-2.5-pro-tts", NULL, NULL},
    {"digits in a pattern are eight", "anthropic", "claude-opus-5-2025051", NULL, NULL, NULL},
    {"a fallback of the provider", "azure", "claude-haiku-4-5", "anthropic:claude-haiku-4-5", NULL,
     NULL},
    {"no model", "openai", "", NULL, NULL, NULL},
    {"only a prefix", "openai", "openai/", NULL, NULL, NULL},
    {"only signs", "openai", "///:::", NULL, NULL, NULL},
};

static void names_find_the_row_they_mean(void **state)
{
    size_t wrong = 0;

    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        const struct name *c = &names[i];
        const struct price_question q = {
            .tenant_id = 1,
            .provider = text_of(c->provider),
            .model = text_of(c->model),
            .request_model = text_of(c->request_model),
            .host = text_of(c->host),
            .start_ns = INT64_C(1790856000) * NS_PER_S,
        };
        struct price price = {0};

        /* The second time it is remembered. */
        for (int turn = 0; turn < 2; turn++) {
            const bool found = prices_find(list, &q, &price);

            if (found == (c->row != NULL) && (!found || bytes_is(price.name, c->row)))
                continue;
            print_message("%s: %s, want %s\n", c->why,
                          found ? (const char *)price.name.at : "nothing",
                          c->row ? c->row : "nothing");
            wrong++;
        }
    }
    assert_int_equal(wrong, 0);
}

static void names_without_end_are_refused(void **state)
{
    char *text = malloc(100000);
    struct price price;

    (void)state;
    assert_non_null(text);
    memset(text, 'a', 100000);
    for (size_t len = 200; len < 100000; len *= 3) {
        const struct bytes big = {(const uint8_t *)text, len};
        const struct price_question model = {.provider = text_of("openai"), .model = big};
        const struct price_question provider = {.provider = big, .model = text_of("gpt-4o")};
        const struct price_question host = {
            .provider = text_of("openai"), .model = text_of("gpt-4o"), .host = big};

        assert_false(prices_find(list, &model, &price));
        assert_false(prices_find(list, &provider, &price));
        assert_true(prices_find(list, &host, &price));
    }
    for (size_t i = 0; i < 256; i++)
        text[i] = "/:@-."[i % 5];
    for (size_t len = 0; len <= 256; len++) {
        const struct price_question q = {.model = {(const uint8_t *)text, len}};

        assert_false(prices_find(list, &q, &price));
    }
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_find_the_row_they_mean),
        cmocka_unit_test(names_without_end_are_refused),
    };

    return cmocka_run_group_tests(tests, make_list, drop_list);
}
