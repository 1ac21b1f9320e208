/* ledger/fold: of the spans that speak of one call one is billed, whatever the order they come in. */
#include "ledger/fold.h"
#include "support/fold.h"
#include "test.h"

#define ORDERS 20
#define ARENA_BYTES ((size_t)256 << 20)

#define SPAN OBSERVATION_SPAN
#define AGENT OBSERVATION_AGENT
#define CHAIN OBSERVATION_CHAIN
#define LLM OBSERVATION_LLM
#define EMBED OBSERVATION_EMBEDDING
#define TOOL OBSERVATION_TOOL

#define IS(reason) .want = BILLING_REASON_##reason
#define OF(reason, id) .want = BILLING_REASON_##reason, .of = (id)

static const struct story {
    const char *why;
    struct fold_row rows[FOLD_ROWS];
} stories[] = {
    /* ---- one response id (R1) ---- */
    {"OpenInference over the Anthropic SDK's own span: the native one knows the 1 h writes",
     {{"o", NULL, LLM, "oi", .in = 1400, .read = 1024, .write = 200, .out = 150, .key = "m1",
       .model = "c", OF(SAME_RESPONSE, "n")},
      {"n", "o", LLM, "sdk", .in = 1400, .read = 1024, .write = 150, .write_1h = 50, .out = 150,
       .key = "m1", .model = "c", .flags = MEANING_NATIVE, IS(CALL)}}},
    {"the same two as siblings, the one off by a token",
     {{"w", NULL, CHAIN, "tl", IS(NONE)},
      {"o", "w", LLM, "ollm", .in = 1400, .read = 1024, .write = 200, .out = 151, .key = "m1",
       .model = "c", OF(SAME_RESPONSE, "n")},
      {"n", "w", LLM, "sdk", .in = 1400, .read = 1024, .write = 150, .write_1h = 50, .out = 150,
       .key = "m1", .model = "c", .flags = MEANING_NATIVE, IS(CALL)}}},
    {"far apart in the trace is the same response still",
     {{"a", NULL, AGENT, "x", IS(NONE)},
      {"b", "a", LLM, "x", .in = 10, .out = 5, .key = "r", .model = "m", OF(SAME_RESPONSE, "e")},
      {"c", NULL, AGENT, "y", IS(NONE)},
      {"d", "c", TOOL, "y", IS(NONE)},
      {"e", "d", LLM, "y", .in = 10, .read = 4, .out = 5, .key = "r", .model = "m", IS(CALL)}}},
    {"equal in everything: the earliest",
     {{"a", NULL, LLM, "x", .in = 10, .out = 5, .key = "r", IS(CALL)},
      {"b", NULL, LLM, "x", .in = 10, .out = 5, .key = "r", OF(SAME_RESPONSE, "a")}}},
    {"different response ids are different calls, nested and with equal numbers",
     {{"a", NULL, LLM, "x", .in = 10, .out = 5, .key = "r1", IS(CALL)},
      {"b", "a", LLM, "y", .in = 10, .out = 5, .key = "r2", IS(CALL)}}},
    {"a container with the response id of a call elsewhere",
     {{"a", NULL, CHAIN, "x", .in = 10, .out = 5, .key = "r", OF(SAME_RESPONSE, "b")},
      {"b", NULL, LLM, "y", .in = 10, .out = 5, .key = "r", IS(CALL)}}},
    {"two containers with one response id, nothing below: one",
     {{"a", NULL, CHAIN, "x", .in = 10, .out = 5, .key = "r", IS(CONTAINER)},
      {"b", NULL, CHAIN, "y", .in = 10, .out = 5, .key = "r", OF(SAME_RESPONSE, "a")}}},
    {"client over the server's turn and iterations: the client knows the whole",
     {{"c", NULL, LLM, "sdk", .in = 300, .out = 30, .key = "m", .model = "c", IS(CALL)},
      {"t", "c", LLM, "api", .in = 300, .out = 30, .key = "m", .model = "c",
       .flags = MEANING_SERVER, OF(WRAPPER, "c")},
      {"i", "t", LLM, "api", .in = 100, .out = 10, .model = "c", .flags = MEANING_SERVER,
       OF(BELOW_CALL, "c")},
      {"j", "t", LLM, "api", .in = 200, .out = 20, .model = "c", .flags = MEANING_SERVER,
       OF(BELOW_CALL, "c")}}},
    {"server spans that each repeat the whole response id: the client's",
     {{"c", NULL, LLM, "sdk", .in = 300, .out = 30, .key = "m", .model = "c", IS(CALL)},
      {"i", "c", LLM, "api", .in = 100, .out = 10, .key = "m", .model = "c",
       .flags = MEANING_SERVER, OF(SAME_RESPONSE, "c")},
      {"j", "c", LLM, "api", .in = 200, .out = 20, .key = "m", .model = "c",
       .flags = MEANING_SERVER, OF(SAME_RESPONSE, "c")}}},
    {"gateway under the SDK, its own id is no other call's: numbers decide nothing against ids",
     {{"s", NULL, LLM, "sdk", .in = 10, .out = 5, .key = "p", IS(CALL)},
      {"g", "s", SPAN, "proxy", IS(NONE)},
      {"l", "g", LLM, "gw", .in = 10, .out = 5, .key = "p", .flags = MEANING_SERVER,
       OF(SAME_RESPONSE, "s")}}},

    /* ---- containers (R2) ---- */
    {"Strands: the agent's sum under the same keys",
     {{"a", NULL, AGENT, "st", .in = 2400, .read = 2048, .out = 300, OF(ABOVE_CALLS, "b")},
      {"e", "a", CHAIN, "st", IS(NONE)},
      {"b", "e", LLM, "st", .in = 1200, .read = 1024, .out = 150, IS(CALL)},
      {"t", "e", TOOL, "st", IS(NONE)},
      {"f", "a", CHAIN, "st", IS(NONE)},
      {"c", "f", LLM, "st", .in = 1200, .read = 1024, .out = 150, IS(CALL)}}},
    {"AI SDK 7: invoke_agent and steps over chat spans",
     {{"a", NULL, AGENT, "ai", .in = 2400, .out = 300, OF(ABOVE_CALLS, "c")},
      {"s", "a", CHAIN, "ai", .in = 1200, .out = 150, OF(ABOVE_CALLS, "c")},
      {"c", "s", LLM, "ai", .in = 1200, .out = 150, .key = "r1", IS(CALL)},
      {"t", "s", TOOL, "ai", IS(NONE)},
      {"u", "a", CHAIN, "ai", .in = 1200, .out = 150, OF(ABOVE_CALLS, "d")},
      {"d", "u", LLM, "ai", .in = 1200, .out = 150, .key = "r2", IS(CALL)}}},
    {"CrewAI: only the crew reports: the lowest that does is billed",
     {{"c", NULL, CHAIN, "crew", .in = 30, .out = 3, OF(ABOVE_CALLS, "a")},
      {"a", "c", AGENT, "crew", .in = 30, .out = 3, IS(CONTAINER)},
      {"t", "a", TOOL, "crew", IS(NONE)}}},
    {"a container with a cost only", {{"a", NULL, TOOL, "x", .cost = true, IS(CONTAINER)}}},
    {"a container above a cache hit: what it sums up was not paid",
     {{"a", NULL, AGENT, "x", .in = 10, .out = 5, IS(ABOVE_CALLS)},
      {"b", "a", LLM, "x", .in = 10, .out = 5, .flags = MEANING_CACHE_HIT, IS(CACHE_HIT)}}},
    {"a container above a call without usage: the call is counted, as the design says",
     {{"a", NULL, AGENT, "x", .in = 10, .out = 5, OF(ABOVE_CALLS, "b")},
      {"b", "a", LLM, "x", IS(CALL)}}},
    {"a container above a placeholder only",
     {{"a", NULL, AGENT, "x", .in = 10, .out = 5, IS(CONTAINER)},
      {"b", "a", LLM, "x", .flags = MEANING_PENDING, IS(PENDING)}}},
    {"a call whose usage is a sum over others is a container",
     {{"a", NULL, LLM, "x", .in = 20, .out = 10, .flags = MEANING_AGGREGATE, OF(ABOVE_CALLS, "b")},
      {"b", "a", LLM, "x", .in = 15, .out = 5, IS(CALL)}}},
    {"LiteLLM: raw_gen_ai_request under litellm_request",
     {{"l", NULL, LLM, "litellm", .in = 1200, .out = 150, .key = "c1", IS(CALL)},
      {"r", "l", SPAN, "litellm", .in = 1200, .out = 150, OF(BELOW_CALL, "l")}}},
    {"the same with the provider's id on the raw one: the call is known by it",
     {{"l", NULL, LLM, "litellm", .in = 1200, .out = 150, IS(CALL), .known_by = "c9"},
      {"r", "l", SPAN, "litellm", .in = 1200, .out = 150, .key = "c9", OF(BELOW_CALL, "l")}}},
    {"Mastra: chunks and steps are parts of a generation",
     {{"g", NULL, LLM, "mastra", .in = 30, .out = 20, IS(CALL)},
      {"s", "g", SPAN, "mastra", .in = 10, .out = 5, OF(BELOW_CALL, "g")},
      {"t", "g", SPAN, "mastra", .in = 20, .out = 15, OF(BELOW_CALL, "g")}}},
    {"usage in a tool under a call is somebody else's",
     {{"l", NULL, LLM, "x", .in = 30, .out = 20, IS(CALL)},
      {"t", "l", TOOL, "x", .in = 3, .out = 2, IS(CONTAINER)}}},
    {"larger than the call above it: no part of it",
     {{"l", NULL, LLM, "x", .in = 30, .out = 20, IS(CALL)},
      {"t", "l", SPAN, "x", .in = 300, .out = 2, IS(CONTAINER)}}},
    {"a call that knows nothing over a plain span that does",
     {{"l", NULL, LLM, "x", OF(WRAPPER, "s")},
      {"s", "l", SPAN, "x", .in = 30, .out = 2, IS(CONTAINER)}}},

    /* ---- calls over calls (R3) ---- */
    {"ai.generateText as a call: the sum of its doGenerate spans",
     {{"g", NULL, LLM, "ai", .in = 2400, .read = 2048, .out = 300, OF(WRAPPER, "d")},
      {"d", "g", LLM, "ai", .in = 1200, .read = 1024, .out = 150, .key = "r1", IS(CALL)},
      {"t", "g", TOOL, "ai", IS(NONE)},
      {"e", "g", LLM, "ai", .in = 1200, .read = 1024, .out = 150, .key = "r2", IS(CALL)}}},
    {"the same under the last step's response id",
     {{"g", NULL, LLM, "ai", .in = 2400, .read = 2048, .out = 300, .reasoning = 9, .key = "r2",
       OF(SAME_RESPONSE, "e")},
      {"d", "g", LLM, "ai", .in = 1200, .read = 1024, .out = 150, .key = "r1", IS(CALL)},
      {"t", "g", TOOL, "ai", IS(NONE)},
      {"e", "g", LLM, "ai", .in = 1200, .read = 1024, .out = 150, .key = "r2", IS(CALL)}}},
    {"ai.embed over doEmbed",
     {{"g", NULL, EMBED, "ai", .in = 8, OF(WRAPPER, "d")},
      {"d", "g", EMBED, "ai", .in = 8, IS(CALL)}}},
    {"AI SDK 7 embeddings: the outer one has no usage",
     {{"g", NULL, EMBED, "ai", OF(WRAPPER, "d")}, {"d", "g", EMBED, "ai", .in = 8, IS(CALL)}}},
    {"Langfuse's generation over the native span: no id above, numbers the same in other kinds",
     {{"a", NULL, AGENT, "lf", IS(NONE)},
      {"g", "a", LLM, "lf", .in = 1400, .read = 1024, .write = 200, .out = 150, .model = "c",
       OF(WRAPPER, "n")},
      {"n", "g", LLM, "sdk", .in = 1400, .read = 1024, .write = 150, .write_1h = 50, .out = 150,
       .key = "m1", .model = "c", .flags = MEANING_NATIVE, IS(CALL)},
      {"o", "a", LLM, "sdk", .in = 1400, .read = 1024, .write = 150, .write_1h = 50, .out = 150,
       .key = "m2", .model = "c", .flags = MEANING_NATIVE, IS(CALL)}}},
    {"another library's wrapper that knows the cache where the inner one lost it",
     {{"g", NULL, LLM, "lf", .in = 1200, .read = 1024, .out = 150, .model = "m", IS(CALL),
       .known_by = "r"},
      {"n", "g", LLM, "v2", .in = 1200, .out = 150, .key = "r", .model = "m",
       OF(BELOW_CALL, "g")}}},
    {"the same library's wrapper never takes the call's place",
     {{"g", NULL, LLM, "li", .in = 1200, .read = 1024, .out = 150, .model = "m", OF(WRAPPER, "n")},
      {"n", "g", LLM, "li", .in = 1200, .out = 150, .model = "m", IS(CALL)}}},
    {"LlamaIndex: three nested LLM spans are one call",
     {{"a", NULL, LLM, "li", .in = 12, .out = 5, OF(WRAPPER, "c")},
      {"b", "a", LLM, "li", .in = 12, .out = 5, OF(WRAPPER, "c")},
      {"c", "b", LLM, "oai", .in = 12, .out = 5, .key = "r", IS(CALL)}}},
    {"LiveKit: llm_request over llm_request_run, a retry that failed between",
     {{"a", NULL, LLM, "lk", .in = 12, .out = 5, OF(WRAPPER, "c")},
      {"b", "a", LLM, "lk", IS(CALL)},
      {"c", "a", LLM, "lk", .in = 12, .out = 5, IS(CALL)}}},
    {"a wrapper whose id serves the one call below it",
     {{"a", NULL, LLM, "x", .in = 12, .out = 5, .key = "r", OF(WRAPPER, "b")},
      {"b", "a", LLM, "y", .in = 12, .read = 3, .out = 5, IS(CALL), .known_by = "r"}}},
    {"that id is somebody else's too: three spans, one call",
     {{"p", NULL, SPAN, "x", IS(NONE)},
      {"a", "p", LLM, "x", .in = 12, .out = 5, .key = "r", OF(WRAPPER, "b")},
      {"b", "a", LLM, "y", .in = 12, .read = 3, .out = 5, IS(CALL), .known_by = "r"},
      {"c", "p", TOOL, "z", IS(NONE)},
      {"d", "c", LLM, "z", .in = 12, .out = 5, .key = "r", OF(SAME_CALL_BESIDE, "b")}}},
    {"an agent's sum over its one call lends it its id",
     {{"a", NULL, AGENT, "x", .in = 12, .out = 5, .key = "r", OF(ABOVE_CALLS, "b")},
      {"b", "a", LLM, "y", .in = 12, .out = 5, IS(CALL), .known_by = "r"}}},
    {"the outer one knows the numbers, the stream below knows none: one call",
     {{"a", NULL, LLM, "lc", .in = 12, .out = 5, .model = "m", IS(CALL), .known_by = "r"},
      {"b", "a", LLM, "oai", .key = "r", .model = "m", OF(BELOW_CALL, "a")}}},
    {"a guess above what is known, and below it",
     {{"a", NULL, LLM, "x", .in = 4, .out = 20, .flags = MEANING_ESTIMATED, OF(WRAPPER, "b")},
      {"b", "a", LLM, "y", .in = 12, .out = 5, IS(CALL)},
      {"c", "b", LLM, "z", .in = 4, .out = 20, .flags = MEANING_ESTIMATED, OF(BELOW_CALL, "b")}}},
    {"an agent between: the numbers may be equal, the calls are two",
     {{"a", NULL, LLM, "x", .in = 12, .out = 5, IS(CALL)},
      {"g", "a", AGENT, "x", IS(NONE)},
      {"b", "g", LLM, "x", .in = 12, .out = 5, IS(CALL)}}},
    {"agents as tools: a tool's calls count beside the caller's own",
     {{"a", NULL, LLM, "x", .in = 12, .out = 5, OF(WRAPPER, "d")},
      {"d", "a", LLM, "x", .in = 12, .out = 5, IS(CALL)},
      {"t", "a", TOOL, "x", IS(NONE)},
      {"b", "t", LLM, "x", .in = 12, .out = 5, IS(CALL)}}},
    {"numbers that are not the sum: a call of its own",
     {{"a", NULL, LLM, "x", .in = 100, .out = 5, IS(CALL)},
      {"b", "a", LLM, "x", .in = 12, .out = 5, IS(CALL)}}},
    {"only a total above",
     {{"a", NULL, LLM, "x", .only_total = 17, OF(WRAPPER, "b")},
      {"b", "a", LLM, "x", .in = 12, .out = 5, IS(CALL)}}},
    {"three attempts that failed below a span that failed: three calls",
     {{"a", NULL, LLM, "lc", OF(WRAPPER, "b")},
      {"b", "a", LLM, "oai", IS(CALL)},
      {"c", "a", LLM, "oai", IS(CALL)},
      {"d", "a", LLM, "oai", IS(CALL)}}},
    {"one response id on two sides below a wrapper stands in its sum once",
     {{"a", NULL, LLM, "x", .in = 22, .out = 11, OF(WRAPPER, "c")},
      {"b", "a", LLM, "y", .in = 10, .out = 5, .key = "r1", OF(SAME_RESPONSE, "c")},
      {"s", "a", SPAN, "z", IS(NONE)},
      {"c", "s", LLM, "z", .in = 10, .out = 5, .key = "r1", IS(CALL)},
      {"d", "a", LLM, "y", .in = 12, .out = 6, .key = "r2", IS(CALL)}}},

    /* ---- siblings (R4) ---- */
    {"OpenLLMetry LangChain in JavaScript: each call twice beside each other",
     {{"w", NULL, CHAIN, "tl", IS(NONE)},
      {"a", "w", LLM, "lc", .in = 9, .out = 4, .model = "gpt-4o", .from = 1, .until = 20,
       OF(SAME_CALL_BESIDE, "b")},
      {"b", "w", LLM, "oai", .in = 9, .read = 3, .out = 4, .model = "gpt-4o-2024-08-06", .from = 2,
       .until = 19, IS(CALL)},
      {"c", "w", LLM, "lc", .in = 9, .out = 4, .model = "gpt-4o", .from = 21, .until = 40,
       OF(SAME_CALL_BESIDE, "d")},
      {"d", "w", LLM, "oai", .in = 9, .read = 3, .out = 4, .model = "gpt-4o-2024-08-06", .from = 22,
       .until = 39, IS(CALL)}}},
    {"three at once, seen twice, are three",
     {{"a", NULL, LLM, "x", .in = 9, .out = 4, .from = 1, .until = 20, IS(CALL)},
      {"b", NULL, LLM, "x", .in = 9, .out = 4, .from = 1, .until = 20, IS(CALL)},
      {"c", NULL, LLM, "x", .in = 9, .out = 4, .from = 1, .until = 20, IS(CALL)},
      {"d", NULL, LLM, "y", .in = 9, .out = 4, .from = 2, .until = 19, OF(SAME_CALL_BESIDE, "c")},
      {"e", NULL, LLM, "y", .in = 9, .out = 4, .from = 2, .until = 19, OF(SAME_CALL_BESIDE, "b")},
      {"f", NULL, LLM, "y", .in = 9, .out = 4, .from = 2, .until = 19, OF(SAME_CALL_BESIDE, "a")}}},
    {"one instrumentation never says a thing twice",
     {{"a", NULL, LLM, "x", .in = 9, .out = 4, .from = 1, .until = 20, IS(CALL)},
      {"b", NULL, LLM, "x", .in = 9, .out = 4, .from = 2, .until = 19, IS(CALL)}}},
    {"different models, other times, other parents: different calls",
     {{"a", NULL, LLM, "x", .in = 9, .out = 4, .model = "m", .from = 1, .until = 20, IS(CALL)},
      {"b", NULL, LLM, "y", .in = 9, .out = 4, .model = "n", .from = 2, .until = 19, IS(CALL)},
      {"c", NULL, LLM, "y", .in = 9, .out = 4, .model = "m", .from = 15, .until = 30, IS(CALL)},
      {"s", NULL, SPAN, "y", .from = 1, .until = 40, IS(NONE)},
      {"d", "s", LLM, "y", .in = 9, .out = 4, .model = "m", .from = 2, .until = 19, IS(CALL)}}},
    {"an Azure deployment's name is the request's on one side",
     {{"a", NULL, LLM, "x", .in = 9, .out = 4, .model = "gpt-4o-2024-11-20", .asked = "mine",
       .from = 1, .until = 20, IS(CALL)},
      {"b", NULL, LLM, "y", .in = 9, .out = 4, .model = "mine", .from = 2, .until = 19,
       OF(SAME_CALL_BESIDE, "a")}}},
    {"orphans of one missing parent are siblings",
     {{"a", "z", LLM, "x", .in = 9, .out = 4, .from = 1, .until = 20, IS(CALL)},
      {"b", "z", LLM, "y", .in = 9, .out = 4, .from = 2, .until = 19, OF(SAME_CALL_BESIDE, "a")},
      {"c", "q", LLM, "y", .in = 9, .out = 4, .from = 2, .until = 19, IS(CALL)}}},
    {"a failed call seen twice",
     {{"a", NULL, LLM, "x", .model = "m", .from = 1, .until = 20, IS(CALL)},
      {"b", NULL, LLM, "y", .model = "m", .from = 2, .until = 19, OF(SAME_CALL_BESIDE, "a")}}},
    {"a call that failed and used nothing is not billed, its retry is",
     {{"a", NULL, AGENT, "x", IS(NONE)},
      {"b", "a", LLM, "x", .failed = true, IS(FAILED)},
      {"c", "a", LLM, "x", .in = 9, .out = 4, IS(CALL)}}},
    {"a call that failed behind its answer is billed for what it used",
     {{"a", NULL, LLM, "x", .in = 9, .out = 4, .failed = true, IS(CALL)}}},
    {"a failed wrapper over a failed call: nothing is billed",
     {{"a", NULL, LLM, "x", .failed = true, IS(WRAPPER)},
      {"b", "a", LLM, "x", .failed = true, IS(FAILED)}}},
    {"a stream of which one side knows the numbers",
     {{"a", NULL, LLM, "x", .model = "m", .from = 1, .until = 20, OF(SAME_CALL_BESIDE, "b")},
      {"b", NULL, LLM, "y", .in = 9, .out = 4, .model = "m", .from = 2, .until = 19, IS(CALL)}}},
    {"Logfire: a stream's request, and its end told afterwards",
     {{"a", NULL, LLM, "lf", .model = "m", .from = 1, .until = 5, OF(SAME_CALL_BESIDE, "b")},
      {"b", NULL, LLM, "lf", .in = 9, .out = 4, .model = "m", .flags = MEANING_STREAM_END,
       .from = 9, .until = 9, IS(CALL)}}},
    {"two streams at once, and a third that never ended: one to one, by model",
     {{"a", NULL, LLM, "lf", .model = "m", .from = 1, .until = 5, OF(SAME_CALL_BESIDE, "e")},
      {"b", NULL, LLM, "lf", .model = "m", .from = 2, .until = 5, OF(SAME_CALL_BESIDE, "d")},
      {"c", NULL, LLM, "lf", .model = "n", .from = 3, .until = 5, IS(CALL)},
      {"d", NULL, LLM, "lf", .in = 9, .out = 4, .model = "m", .flags = MEANING_STREAM_END,
       .from = 9, .until = 9, IS(CALL)},
      {"e", NULL, LLM, "lf", .in = 9, .out = 5, .model = "m", .flags = MEANING_STREAM_END,
       .from = 10, .until = 10, IS(CALL)}}},
    {"the end of a stream whose request another instrumentation wrote is a call of its own",
     {{"a", NULL, LLM, "x", .model = "m", .from = 1, .until = 5, IS(CALL)},
      {"b", NULL, LLM, "lf", .in = 9, .out = 4, .model = "m", .flags = MEANING_STREAM_END,
       .from = 9, .until = 9, IS(CALL)}}},
    {"over the provider's own span: request, native, end: one",
     {{"a", NULL, LLM, "lf", .model = "m", .from = 1, .until = 5, OF(WRAPPER, "n")},
      {"n", "a", LLM, "sdk", .in = 9, .read = 3, .out = 4, .key = "r", .model = "m",
       .flags = MEANING_NATIVE, .from = 2, .until = 4, IS(CALL)},
      {"e", NULL, LLM, "lf", .in = 9, .out = 4, .model = "m", .flags = MEANING_STREAM_END,
       .from = 9, .until = 9, OF(SAME_CALL_BESIDE, "n")}}},
    {"equal numbers: the one that has the provider's id",
     {{"a", NULL, LLM, "lc", .in = 9, .out = 4, .model = "m", .from = 1, .until = 20,
       OF(SAME_CALL_BESIDE, "b")},
      {"b", NULL, LLM, "oai", .in = 9, .out = 4, .key = "r", .model = "m", .from = 2, .until = 19,
       IS(CALL)}}},
    {"an id finds its own sibling, the one without takes the other",
     {{"a", NULL, LLM, "x", .in = 9, .out = 4, .key = "r", .from = 1, .until = 20, IS(CALL)},
      {"b", NULL, LLM, "x", .in = 9, .out = 4, .from = 1, .until = 20, IS(CALL)},
      {"c", NULL, LLM, "y", .in = 9, .out = 4, .key = "r", .from = 2, .until = 19,
       OF(SAME_RESPONSE, "a")},
      {"d", NULL, LLM, "y", .in = 9, .out = 4, .from = 2, .until = 19, OF(SAME_CALL_BESIDE, "b")}}},
    {"a wrapper over siblings that saw one call: its sum counts it once",
     {{"a", NULL, LLM, "w", .in = 9, .out = 4, .from = 1, .until = 30, OF(WRAPPER, "b")},
      {"b", "a", LLM, "x", .in = 9, .out = 4, .from = 1, .until = 20, IS(CALL)},
      {"c", "a", LLM, "y", .in = 9, .out = 4, .from = 2, .until = 19, OF(SAME_CALL_BESIDE, "b")}}},
    {"two frameworks side by side, each with its wrapper: one call",
     {{"a", NULL, LLM, "x", .in = 9, .out = 4, .from = 1, .until = 30, OF(WRAPPER, "b")},
      {"b", "a", LLM, "x", .in = 9, .out = 4, .from = 2, .until = 20, IS(CALL)},
      {"c", NULL, LLM, "y", .in = 9, .out = 4, .from = 2, .until = 29, OF(SAME_CALL_BESIDE, "b")},
      {"d", "c", LLM, "y", .in = 9, .out = 4, .from = 3, .until = 18, OF(SAME_CALL_BESIDE, "b")}}},

    /* ---- flags (R5) ---- */
    {"a copy, a cache hit and a placeholder are never billed",
     {{"a", NULL, LLM, "x", .in = 9, .out = 4, .flags = MEANING_COPY, IS(COPY)},
      {"b", NULL, LLM, "x", .in = 9, .out = 4, .key = "r", .flags = MEANING_CACHE_HIT,
       OF(CACHE_HIT, "c")},
      {"c", NULL, LLM, "x", .in = 9, .out = 4, .key = "r", IS(CALL)},
      {"d", "c", LLM, "x", .flags = MEANING_PENDING, IS(PENDING)}}},
    {"a call without usage is a call; a container without usage is nothing",
     {{"a", NULL, AGENT, "x", IS(NONE)}, {"b", "a", LLM, "x", IS(CALL)}}},

    /* ---- broken trees (R6) ---- */
    {"a cycle",
     {{"a", "b", LLM, "x", .in = 9, .out = 4, OF(WRAPPER, "b")},
      {"b", "a", LLM, "y", .in = 9, .out = 4, IS(CALL)}}},
    {"its own parent", {{"a", "a", LLM, "x", .in = 9, .out = 4, IS(CALL)}}},
};

static const struct fold_span *find(const struct fold_span *spans, size_t count, int64_t id)
{
    size_t at = 0;

    while (at < count - 1 && spans[at].span_id != id)
        at++;
    return &spans[at];
}

static void compare(const struct story *story, const struct fold_span *spans, size_t count,
                    uint64_t order)
{
    for (size_t i = 0; i < count; i++) {
        const struct fold_row *row = &story->rows[i];
        struct fold_row other = {.id = row->of};
        struct fold_span wanted;
        struct fold_span target = {0};
        const struct fold_span *got;
        const bool billed =
            row->want == BILLING_REASON_CALL || row->want == BILLING_REASON_CONTAINER;
        uint64_t key;

        fold_row_span(row, i, &wanted);
        key = row->known_by ? fold_response_key(1, bytes_of(row->known_by)) : wanted.response_key;
        if (row->of)
            fold_row_span(&other, 0, &target);
        got = find(spans, count, wanted.span_id);
        if (got->reason != row->want || got->billable != billed)
            fail_msg("%s: %s is '%s', want '%s' (order %d)", story->why, row->id,
                     billing_reason_name(got->reason), billing_reason_name(row->want), (int)order);
        if ((got->duplicate_of == SIZE_MAX) != (row->of == NULL) ||
            (row->of && spans[got->duplicate_of].span_id != target.span_id))
            fail_msg("%s: %s is a repeat of %#llx, want '%s' (order %d)", story->why, row->id,
                     got->duplicate_of == SIZE_MAX
                         ? 0ULL
                         : (unsigned long long)spans[got->duplicate_of].span_id,
                     row->of ? row->of : "", (int)order);
        if (billed && got->call_key != key)
            fail_msg("%s: %s is known by another key (order %d)", story->why, row->id, (int)order);
    }
}

static void every_story_ends_the_same_in_every_order(void **state)
{
    struct arena arena;
    uint64_t random = 88172645463325252ULL;

    (void)state;
    arena_init(&arena, ARENA_BYTES);
    for (size_t s = 0; s < sizeof(stories) / sizeof(stories[0]); s++)
        for (uint64_t order = 0; order < ORDERS; order++) {
            struct fold_span spans[FOLD_ROWS];
            size_t count = 0;
            struct err err;

            for (; count < FOLD_ROWS && stories[s].rows[count].id; count++)
                fold_row_span(&stories[s].rows[count], count, &spans[count]);
            if (order > 0)
                fold_shuffle(spans, count, &random);
            assert_true(fold_trace(spans, count, &arena, &err));
            compare(&stories[s], spans, count, order);
            arena_reset(&arena);
        }
    arena_done(&arena);
}

static void model_names_are_compared_without_what_changes(void **state)
{
    static const struct {
        const char *a;
        const char *b;
        bool same;
    } pairs[] = {
        {"gpt-4o", "gpt-4o-2024-08-06", true},
        {"claude-sonnet-4-5", "Claude-Sonnet-4-5-20250929", true},
        {"gemini-2.5-pro", "models/gemini-2.5-pro", true},
        {"openai/gpt-4o", "gpt-4o-latest", true},
        {"claude-3-haiku@20240307", "claude-3-haiku", true},
        {"gpt-4o", "gpt-4o-mini", false},
        {"model-20991399x", "model", false},
        {"20240806", "", false}, /* a date alone is a name */
    };

    (void)state;
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        const bool same =
            fold_model_key(bytes_of(pairs[i].a)) == fold_model_key(bytes_of(pairs[i].b));

        if (same != pairs[i].same)
            fail_msg("'%s' and '%s'", pairs[i].a, pairs[i].b);
    }
    assert_int_equal(fold_model_key(bytes_of("")), 0);
    assert_int_equal(fold_response_key(1, bytes_of("")), 0);
    assert_true(fold_response_key(1, bytes_of("r")) != fold_response_key(2, bytes_of("r")));
}

static struct fold_span billed(int64_t start_h, int64_t id, int64_t cached, unsigned flags,
                               enum billing_reason reason)
{
    struct fold_span span = {
        .span_id = id,
        .start_ns = start_h * 3600 * INT64_C(1000000000),
        .has_usage = true,
        .total_tokens = 100,
        .tokens = {[TOKEN_INPUT] = 100 - cached, [TOKEN_CACHE_READ] = cached},
        .flags = flags,
        .billable = true,
        .reason = reason,
        .duplicate_of = SIZE_MAX,
        .call_key = 9,
    };

    return span;
}

static void one_response_id_in_several_traces_is_billed_once_a_day(void **state)
{
    const unsigned native = MEANING_NATIVE;
    const unsigned server = MEANING_SERVER;
    const enum billing_reason call = BILLING_REASON_CALL;
    const struct {
        const char *why;
        struct fold_span spans[3]; /* in order of start */
        bool billable[3];
        size_t of[3];
    } cases[] = {
        {"more detail", {billed(0, 1, 0, 0, call), billed(1, 2, 5, 0, call)}, {false, true}, {1}},
        {"a container never before a call",
         {billed(0, 1, 5, 0, BILLING_REASON_CONTAINER), billed(1, 2, 0, 0, call)},
         {false, true},
         {1}},
        {"client before server",
         {billed(0, 1, 0, server, call), billed(1, 2, 0, 0, call), billed(2, 3, 0, native, call)},
         {false, false, true},
         {2, 2}},
        {"the earliest",
         {billed(0, 1, 0, 0, call), billed(1, 2, 0, 0, call)},
         {true, false},
         {0, 0}},
        {"the very day",
         {billed(0, 1, 0, 0, call), billed(24, 2, 0, 0, call)},
         {true, false},
         {0, 0}},
        {"further apart", {billed(0, 1, 0, 0, call), billed(25, 2, 0, 0, call)}, {true, true}, {0}},
        {"a chain: each looks a day around itself",
         {billed(0, 1, 0, 0, call), billed(20, 2, 0, 0, call), billed(40, 3, 0, 0, call)},
         {true, false, false},
         {0, 0, 1}},
    };

    (void)state;
    for (size_t c = 0; c < sizeof(cases) / sizeof(cases[0]); c++)
        for (size_t turn = 0; turn < 3; turn++) {
            struct fold_span spans[3];
            struct fold_span *order[3];
            size_t count = 0;

            memcpy(spans, cases[c].spans, sizeof(spans));
            while (count < 3 && spans[count].span_id != 0)
                count++;
            for (size_t i = 0; i < count; i++)
                order[i] = &spans[(i + turn) % count];
            fold_response(order, count);
            for (size_t i = 0; i < count; i++)
                if (spans[i].billable != cases[c].billable[i] ||
                    (!spans[i].billable &&
                     (order[spans[i].duplicate_of] != &spans[cases[c].of[i]] ||
                      spans[i].reason != BILLING_REASON_SAME_RESPONSE)))
                    fail_msg("%s: span %zu", cases[c].why, i + 1);
        }
}

static void facts_are_those_of_the_row(void **state)
{
    struct meaning meaning = {
        .observation = OBSERVATION_LLM,
        .flags = MEANING_NATIVE,
        .model = BYTES_LITERAL("gpt-4o-2024-08-06"),
        .request_model = BYTES_LITERAL("gpt-4o"),
        .response_id = BYTES_LITERAL("r"),
        .usage = {.sent = true, .tokens = {[TOKEN_OUTPUT] = 3}, .total = 3},
        .reported_cost = 0,
    };
    const struct stored_scope scope = {.name = BYTES_LITERAL("x")};
    struct stored_span row = {.tenant_id = 4, .span_id = 5, .scope = &scope, .meaning = &meaning};
    struct fold_span span;

    (void)state;
    fold_facts(&row, &span);
    assert_true(fold_counts(&span) && fold_is_plain(&span) && span.has_cost && span.has_usage);
    assert_true(meaning_counts(&meaning));
    assert_int_equal(span.tokens[TOKEN_OUTPUT], 3);
    assert_true(span.model_key == span.request_model_key);
    assert_true(span.response_key == fold_response_key(4, BYTES_LITERAL("r")));
    meaning.flags |= MEANING_AGGREGATE;
    fold_facts(&row, &span);
    assert_false(fold_is_plain(&span));
    row.meaning = NULL;
    fold_facts(&row, &span);
    assert_false(fold_counts(&span) || span.has_cost || fold_is_plain(&span));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_story_ends_the_same_in_every_order),
        cmocka_unit_test(model_names_are_compared_without_what_changes),
        cmocka_unit_test(one_response_id_in_several_traces_is_billed_once_a_day),
        cmocka_unit_test(facts_are_those_of_the_row),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
