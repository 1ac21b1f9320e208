/* Provider, models and response id of a call, dialect by dialect. */
#include "test.h"

#include "support/meaning_case.h"

static const struct fact provider_rows[] = {
    {"as it is", {.pairs = {"gen_ai.provider.name", "openai"}}, "openai"},
    {"capitals", {.pairs = {"gen_ai.system", "OpenAI"}}, "openai"},
    {"another name", {.pairs = {"gen_ai.provider.name", "aws.bedrock"}}, "aws"},
    {"the API behind a dot", {.pairs = {"ai.model.provider", "openai.chat"}}, "openai"},
    {"two dots", {.pairs = {"ai.model.provider", "google.vertex.chat"}}, "google"},
    {"xAI", {.pairs = {"gen_ai.provider.name", "x_ai"}}, "x-ai"},
    {"nobody lists it", {.pairs = {"gen_ai.provider.name", "Ollama"}}, "ollama"},
    {"unknown", {.pairs = {"gen_ai.provider.name", "In-House"}}, "in-house"},
    {"the host before the maker",
     {.pairs = {"llm.system", "anthropic", "llm.provider", "aws"}},
     "aws"},
    {"a framework, and a model",
     {.pairs = {"gen_ai.system", "strands-agents", "gen_ai.request.model", "gpt-4o"}},
     "openai"},
    {"a framework, and the next key",
     {.pairs = {"gen_ai.provider.name", "litellm", "gen_ai.system", "anthropic"}},
     "anthropic"},
    {"a framework alone", {.pairs = {"gen_ai.system", "langchain"}}, ""},
    {"the address",
     {.pairs = {"server.address", "x.openai.azure.com", "gen_ai.request.model", "gpt-4o"}},
     "azure"},
    {"an address that says nothing",
     {.pairs = {"server.address", "127.0.0.1", "gen_ai.request.model", "claude-x"}},
     "anthropic"},
    {"a model of Bedrock",
     {.pairs = {"gen_ai.request.model", "eu.anthropic.claude-sonnet-4-5"}},
     "aws"},
    {"a routing prefix", {.pairs = {"gen_ai.request.model", "vertex_ai/some-model"}}, "google"},
    {"OpenRouter charges for its upstream",
     {.pairs = {"openrouter.provider_slug", "anthropic"}},
     "openrouter"},
    {"a plug-in of Genkit", {.pairs = {"genkit:name", "googleai/gemini-2.5-flash"}}, "google"},
    {"the library",
     {.scope = "opentelemetry.instrumentation.mistralai",
      .pairs = {"gen_ai.operation.name", "chat"}},
     "mistral"},
    {"a library that is no provider",
     {.scope = "openinference.instrumentation.langchain",
      .pairs = {"openinference.span.kind", "LLM"}},
     ""},
    {"MLflow's quotes", {.pairs = {"mlflow.llm.provider", "\"anthropic\""}}, "anthropic"},
    {"an unknown model", {.pairs = {"gen_ai.request.model", "in-house-7b"}}, ""},
    {"no UTF-8", {.pairs = {"gen_ai.provider.name", "a\xff"}}, "a\xef\xbf\xbd"},
};

static void providers_have_the_names_of_price_lists(void **state)
{
    (void)state;
    MEANING_FACTS(provider_rows, provider);
}

static void models_are_the_responses_else_the_requests(void **state)
{
    static const struct fact models[] = {
        {"both",
         {.pairs = {"gen_ai.request.model", "gpt-4o", "gen_ai.response.model", "gpt-4o-x"}},
         "gpt-4o-x"},
        {"the request's", {.pairs = {"gen_ai.request.model", "gpt-4o"}}, "gpt-4o"},
        {"no name", {.pairs = {"gen_ai.request.model", "none", "llm.model_name", "m"}}, "m"},
        {"OpenInference's one key is the response's",
         {.pairs = {"llm.model_name", "gpt-4o-x", "llm.invocation_parameters",
                    "{\"model\": \"gpt-4o\"}"}},
         "gpt-4o-x"},
        {"a bare key on a model's span",
         {.pairs = {"gen_ai.operation.name", "chat", "model", "m"}},
         "m"},
        {"a bare key elsewhere", {.pairs = {"model", "Corolla"}}, ""},
        {"Genkit's name without its plug-in",
         {.pairs = {"genkit:metadata:subtype", "model", "genkit:name", "googleai/gemini"}},
         "gemini"},
        {"empty", {.pairs = {"gen_ai.request.model", " "}}, ""},
    };
    static const struct fact requests[] = {
        {"OpenInference's parameters",
         {.pairs = {"llm.model_name", "gpt-4o-x", "llm.invocation_parameters",
                    "{\"model\": \"gpt-4o\"}"}},
         "gpt-4o"},
        {"parameters cut off",
         {.pairs = {"llm.invocation_parameters", "{\"model\": \"gpt-4o\", \"tools\": [{\"na"}},
         "gpt-4o"},
    };

    (void)state;
    MEANING_FACTS(models, model);
    MEANING_FACTS(requests, request_model);
}

static const struct fact response_ids[] = {
    {"its key", {.pairs = {"gen_ai.response.id", "msg_1"}}, "msg_1"},
    {"Logfire: OpenAI's agents", {.pairs = {"response_id", "resp_1"}}, "resp_1"},
    {"anybody's bare key", {.pairs = {"response_id", "17"}}, ""},
    {"LangChain's own number", {.pairs = {"gen_ai.response.id", "run--1-0"}}, ""},
    {"in an OpenAI response",
     {.pairs = {"openinference.span.kind", "LLM", "output.value",
                "{\"id\": \"chatcmpl-7\", \"choices\": [], \"model\": \"m\"}"}},
     "chatcmpl-7"},
    {"in LangChain's generations, behind its own numbers",
     {.pairs = {"openinference.span.kind", "LLM", "output.value",
                "{\"generations\":[[{\"message\":{\"kwargs\":{\"id\":\"run--9-0\","
                "\"response_metadata\":{\"id\":\"chatcmpl-8\"}}}}]]}"}},
     "chatcmpl-8"},
    {"a call of a tool is no response",
     {.pairs = {"openinference.span.kind", "LLM", "output.value",
                "{\"messages\":[{\"id\":\"call_0000001\"}]}"}},
     ""},
    {"what a model wrote is no response",
     {.pairs = {"openinference.span.kind", "LLM", "output.value",
                "{\"text\":\"{\\\"id\\\":\\\"chatcmpl-9\\\"}\"}"}},
     ""},
    {"a provider that numbers otherwise",
     {.pairs = {"openinference.span.kind", "LLM", "output.value",
                "{\"id\":\"6f1c0d2e\",\"model\":\"mistral-small\"}"}},
     "6f1c0d2e"},
    {"on the span of a chain it belongs to a call below",
     {.pairs = {"openinference.span.kind", "CHAIN", "output.value", "{\"id\":\"chatcmpl-7\"}"}},
     ""},
    {"a request's id of somebody else", {.pairs = {"request_id", "r1"}}, ""},
    {"an item of OpenAI's answer, before the answer's own",
     {.pairs = {"openinference.span.kind", "LLM", "llm.provider", "openai", "output.value",
                "{\"content\":[{\"type\":\"text\",\"id\":\"msg_7\"}],"
                "\"response_metadata\":{\"id\":\"resp_7\"}}"}},
     "resp_7"},
    {"the same where nobody says whose it is",
     {.pairs = {"openinference.span.kind", "LLM", "output.value",
                "{\"content\":[{\"id\":\"msg_7\"}],\"metadata\":{\"id\":\"resp_7\"}}"}},
     "resp_7"},
    {"an item of OpenAI's answer alone",
     {.pairs = {"langfuse.observation.type", "generation", "langfuse.observation.model.name",
                "gpt-4o", "langfuse.observation.output",
                "{\"id\":\"msg_7\",\"type\":\"message\"}"}},
     ""},
    {"Anthropic's answer",
     {.pairs = {"openinference.span.kind", "LLM", "llm.provider", "anthropic", "output.value",
                "{\"id\":\"msg_8\",\"content\":[{\"id\":\"toolu_1\"}]}"}},
     "msg_8"},
    {"Anthropic's answer at Azure",
     {.pairs = {"openinference.span.kind", "LLM", "llm.provider", "azure", "llm.model_name",
                "claude-sonnet-4-5", "output.value", "{\"id\":\"msg_8\",\"content\":[]}"}},
     "msg_8"},
    {"cut in the id",
     {.pairs = {"openinference.span.kind", "LLM", "output.value", "{\"id\":\"chatcm"}},
     ""},
};

static void response_ids_are_the_providers(void **state)
{
    (void)state;
    MEANING_FACTS(response_ids, response_id);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(providers_have_the_names_of_price_lists),
        cmocka_unit_test(models_are_the_responses_else_the_requests),
        cmocka_unit_test(response_ids_are_the_providers),
    };

    return cmocka_run_group_tests(tests, meaning_setup, meaning_teardown);
}
