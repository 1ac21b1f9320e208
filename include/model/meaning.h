/* What a span means to people who run models: kind of work, model, tokens, whose it is. genai/read
 * makes it from a span's attributes, ledger prices it and decides what is billed, store keeps it in
 * the columns of spanledger.span. */
#ifndef MODEL_MEANING_H
#define MODEL_MEANING_H

#include "base/bytes.h"
#include "model/money.h"

/* Column span.observation_type holds the name; SPAN is NULL there. */
#define OBSERVATIONS(X)                                                                            \
    X(SPAN, "span")                                                                                \
    X(AGENT, "agent")                                                                              \
    X(CHAIN, "chain")                                                                              \
    X(LLM, "llm")                                                                                  \
    X(EMBEDDING, "embedding")                                                                      \
    X(RETRIEVER, "retriever")                                                                      \
    X(RERANKER, "reranker")                                                                        \
    X(TOOL, "tool")                                                                                \
    X(GUARDRAIL, "guardrail")                                                                      \
    X(EVALUATOR, "evaluator")                                                                      \
    X(EVENT, "event")

enum observation {
#define X(id, name) OBSERVATION_##id,
    OBSERVATIONS(X)
#undef X
        OBSERVATION_COUNT
};

/* "llm", …; never NULL. */
const char *observation_name(enum observation observation);

/* Whether spans of this type stand for a call of a model: llm, embedding, reranker. */
bool observation_is_call(enum observation observation);

/* Disjoint kinds of tokens (docs/genai.md): no token is in two of them. Columns
 * span.NAME_tokens and span.NAME_cost. */
#define TOKEN_KINDS(X)                                                                             \
    X(INPUT, "input") /* text in, not from a cache */                                              \
    X(CACHE_READ, "cache_read")                                                                    \
    X(CACHE_WRITE, "cache_write") /* kept for five minutes */                                      \
    X(CACHE_WRITE_1H, "cache_write_1h")                                                            \
    X(OUTPUT, "output") /* text out, without reasoning */                                          \
    X(REASONING, "reasoning")                                                                      \
    X(AUDIO_INPUT, "audio_input")                                                                  \
    X(AUDIO_OUTPUT, "audio_output")                                                                \
    X(IMAGE, "image")

enum token_kind {
#define X(id, name) TOKEN_##id,
    TOKEN_KINDS(X)
#undef X
        TOKEN_KIND_COUNT
};

/* "input", …; never NULL. */
const char *token_kind_name(enum token_kind kind);

/* How the numbers as sent became disjoint ones. Column
 * span.usage_rule: never renumber. */
#define USAGE_RULES(X)                                                                             \
    X(NONE, 0, "none", "no usage was sent")                                                        \
    X(DISJOINT, 1, "disjoint", "sent as disjoint kinds")                                           \
    X(PLAIN, 2, "plain", "no part of it was sent: nothing to take apart")                          \
    X(CACHE_EXCEEDS_INPUT, 3, "cache_exceeds_input",                                               \
      "more cached than input tokens: input cannot include them")                                  \
    X(TOTAL_EXCLUSIVE, 4, "total_exclusive", "the total is only reached by adding cached tokens")  \
    X(DIALECT_EXCLUSIVE, 5, "dialect_exclusive", "this dialect sends input without cached tokens") \
    X(DIALECT_INCLUSIVE, 6, "dialect_inclusive",                                                   \
      "this dialect counts cached tokens in input and reasoning in output")                        \
    X(TOTAL_INCLUSIVE, 7, "total_inclusive", "input and output make the total")                    \
    X(DEFAULT_INCLUSIVE, 8, "default_inclusive",                                                   \
      "the convention counts cached tokens in input and reasoning in output")                      \
    X(TOTAL_ONLY, 9, "total_only", "only a total was sent")                                        \
    X(UNCACHED_SENT, 10, "uncached_sent", "the uncached part of input was sent too")               \
    X(REASONING_OUTSIDE, 11, "reasoning_outside", "reasoning is counted beside output")            \
    X(PART_EXCEEDS, 12, "part_exceeds", "a part is larger than its whole: counted beside it")      \
    X(ODD, 13, "odd",                                                                              \
      "a number was sent that is none: the others are counted, what they cost is unknown")

enum usage_rule {
#define X(id, number, name, text) USAGE_RULE_##id = (number),
    USAGE_RULES(X)
#undef X
        USAGE_RULE_COUNT
};

const char *usage_rule_name(enum usage_rule rule); /* "disjoint", … */
const char *usage_rule_text(enum usage_rule rule); /* the sentence for people */

struct token_usage {
    bool sent; /* the span carries at least one usable number */
    enum usage_rule rule;
    int64_t tokens[TOKEN_KIND_COUNT]; /* >= 0, disjoint */
    int64_t cached_audio; /* how many of CACHE_READ are audio: some lists price them apart */
    int64_t image_output; /* how many of IMAGE came out of the model */
    int64_t total;        /* sum of the above, or what was sent where only a total was */
};

/* What else counting must know of a span. Bits of column span.meaning_flags: never renumber. */
#define MEANING_FLAGS(X)                                                                           \
    X(STREAMED, 0, "streamed")                                                                     \
    X(AGGREGATE, 1, "aggregate")    /* its usage is a sum over other spans, whatever its type */   \
    X(COPY, 2, "copy")              /* says itself that its usage is counted elsewhere */          \
    X(NATIVE, 3, "native")          /* by the provider's own SDK: knows most of a call */          \
    X(SERVER, 4, "server")          /* by the provider's or a gateway's server */                  \
    X(CACHE_HIT, 5, "cache_hit")    /* answered from a cache of the caller: no call was made */    \
    X(PENDING, 6, "pending")        /* a placeholder for a span that is still running */           \
    X(ODD_USAGE, 7, "odd_usage")    /* a number was sent that is none, or is negative: left out */ \
    X(ESTIMATED, 8, "estimated")    /* the sender says that it guessed the counts */               \
    X(BATCH, 9, "batch")            /* service tier batch */                                       \
    X(FLEX, 10, "flex")             /* service tier flex */                                        \
    X(PRIORITY, 11, "priority")     /* service tier priority */                                    \
    X(STREAM_END, 12, "stream_end") /* told when a stream ended that a span beside it began */

enum meaning_flag {
#define X(id, bit, name) MEANING_##id = 1 << (bit),
    MEANING_FLAGS(X)
#undef X
};

/* "streamed", … of one bit; NULL when the bit has no name. */
const char *meaning_flag_name(unsigned flag);

/* Why a span is billed or is not. Column span.billing_reason: never renumber. */
#define BILLING_REASONS(X)                                                                         \
    X(NONE, 0, "", "no model call and no usage")                                                   \
    X(CALL, 1, "call", "a model call")                                                             \
    X(CONTAINER, 2, "container", "carries usage and nothing below it does")                        \
    X(ABOVE_CALLS, 3, "above_calls", "the calls below it are counted")                             \
    X(WRAPPER, 4, "wrapper", "wraps the same call")                                                \
    X(SAME_RESPONSE, 5, "same_response", "another span has the same response id")                  \
    X(SAME_CALL_BESIDE, 6, "same_call_beside", "two instrumentations saw one call")                \
    X(BELOW_CALL, 7, "below_call", "repeats the usage of the call above it")                       \
    X(COPY, 8, "copy", "says itself that it is counted elsewhere")                                 \
    X(CACHE_HIT, 9, "cache_hit", "answered from a cache: no call was made")                        \
    X(PENDING, 10, "pending", "a placeholder for a span that is still running")                    \
    X(FAILED, 11, "failed", "the call failed and used nothing")

enum billing_reason {
#define X(id, number, name, text) BILLING_REASON_##id = (number),
    BILLING_REASONS(X)
#undef X
        BILLING_REASON_COUNT
};

const char *billing_reason_name(enum billing_reason reason);
const char *billing_reason_text(enum billing_reason reason);

/* Which cost of a span counts. Column span.cost_source: never renumber. */
enum cost_source { COST_SOURCE_NONE = 0, COST_SOURCE_COMPUTED = 1, COST_SOURCE_REPORTED = 2 };

struct cost {
    int64_t total; /* pico-USD that counts where the span is billable, or COST_UNKNOWN */
    enum cost_source source;
    int64_t computed;                  /* pico-USD, or COST_UNKNOWN: no price is known */
    int64_t reported;                  /* pico-USD, or COST_UNKNOWN: none was sent */
    int64_t by_kind[TOKEN_KIND_COUNT]; /* the parts of computed */
    int64_t request;                   /* its fee per request */
    uint64_t price_id;                 /* 0: none; ledger/prices.h */
};

/* All texts are valid UTF-8 without NUL, empty where not known, and live where the span's do or in
 * the arena. */
struct meaning {
    enum observation observation;
    unsigned flags;             /* enum meaning_flag */
    struct bytes provider;      /* as price lists name it ("openai", "aws"), else as sent */
    struct bytes model;         /* response model, else request model, as sent */
    struct bytes request_model; /* as sent */
    struct bytes response_id;
    struct bytes session_id;
    struct bytes user_id;
    struct bytes environment;
    struct bytes project;
    struct bytes release;
    struct bytes level;      /* "DEBUG", "DEFAULT", "WARNING", "ERROR"; empty: none was sent */
    struct bytes trace_name; /* a name that the application gave to the whole trace */
    struct bytes agent_name;
    struct bytes tool_name;
    struct bytes prompt_name;
    struct bytes prompt_version;
    struct bytes *tags; /* distinct, in the order sent */
    uint32_t tag_count;
    struct bytes input_preview; /* one line for lists (genai_previews); kept with the trace only */
    struct bytes output_preview;
    int64_t completion_start_ns; /* first token, ns since 1970; 0: not known */
    struct token_usage usage;
    int64_t reported_cost; /* pico-USD, half-even; COST_UNKNOWN: none */
    struct cost cost;      /* filled by ledger/cost */
    bool
        failed; /* failed by other means than the status: level ERROR, an error type, an exception */
};

/* Whether a span takes part in counting: it stands for a model call, or carries usage or cost. The
 * others matter only as the tree between. */
static inline bool meaning_takes_part(enum observation observation, bool has_usage, bool has_cost)
{
    return observation_is_call(observation) || has_usage || has_cost;
}

bool meaning_counts(const struct meaning *meaning);

#endif
