#include "model/meaning.h"

const char *observation_name(enum observation observation)
{
    static const char *const names[OBSERVATION_COUNT] = {
#define X(id, name) [OBSERVATION_##id] = (name),
        OBSERVATIONS(X)
#undef X
    };

    return (unsigned)observation < OBSERVATION_COUNT ? names[observation] : "span";
}

bool observation_is_call(enum observation observation)
{
    return observation == OBSERVATION_LLM || observation == OBSERVATION_EMBEDDING ||
           observation == OBSERVATION_RERANKER;
}

const char *token_kind_name(enum token_kind kind)
{
    static const char *const names[TOKEN_KIND_COUNT] = {
#define X(id, name) [TOKEN_##id] = (name),
        TOKEN_KINDS(X)
#undef X
    };

    return names[kind];
}

const char *usage_rule_name(enum usage_rule rule)
{
    static const char *const names[USAGE_RULE_COUNT] = {
#define X(id, number, name, text) [USAGE_RULE_##id] = (name),
        USAGE_RULES(X)
#undef X
    };

    return (unsigned)rule < USAGE_RULE_COUNT ? names[rule] : "none";
}

const char *usage_rule_text(enum usage_rule rule)
{
    static const char *const texts[USAGE_RULE_COUNT] = {
#define X(id, number, name, text) [USAGE_RULE_##id] = (text),
        USAGE_RULES(X)
#undef X
    };

    return (unsigned)rule < USAGE_RULE_COUNT ? texts[rule] : "";
}

const char *meaning_flag_name(unsigned flag)
{
    static const struct {
        unsigned flag;
        const char *name;
    } flags[] = {
#define X(id, bit, name) {MEANING_##id, (name)},
        MEANING_FLAGS(X)
#undef X
    };

    for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
        if (flags[i].flag == flag)
            return flags[i].name;
    return NULL;
}

const char *billing_reason_name(enum billing_reason reason)
{
    static const char *const names[BILLING_REASON_COUNT] = {
#define X(id, number, name, text) [BILLING_REASON_##id] = (name),
        BILLING_REASONS(X)
#undef X
    };

    return (unsigned)reason < BILLING_REASON_COUNT ? names[reason] : "";
}

const char *billing_reason_text(enum billing_reason reason)
{
    static const char *const texts[BILLING_REASON_COUNT] = {
#define X(id, number, name, text) [BILLING_REASON_##id] = (text),
        BILLING_REASONS(X)
#undef X
    };

    return (unsigned)reason < BILLING_REASON_COUNT ? texts[reason] : "";
}

bool meaning_counts(const struct meaning *meaning)
{
    return meaning_takes_part(meaning->observation, meaning->usage.sent,
                              meaning->reported_cost != COST_UNKNOWN);
}
