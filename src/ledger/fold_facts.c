/* What counting knows of a span, and the hashes by which it compares. */
#include "ledger/fold.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#define MODEL_KEY_BYTES 128 /* longer names are compared by what stands before */

static uint64_t never_zero(uint64_t hash)
{
    return hash ? hash : 1;
}

uint64_t fold_response_key(int32_t tenant_id, struct bytes response_id)
{
    if (response_id.len == 0)
        return 0;
    return never_zero(
        XXH3_64bits_withSeed(response_id.at, response_id.len, (uint64_t)(uint32_t)tenant_id));
}

uint64_t fold_scope_key(struct bytes scope_name)
{
    return scope_name.len == 0 ? 0 : never_zero(XXH3_64bits(scope_name.at, scope_name.len));
}

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

/* Whether at[0 .. len) is 2024-08-06 or 20240806. */
static bool is_date(const uint8_t *at, size_t len)
{
    if (len != 8 && len != 10)
        return false;
    for (size_t i = 0; i < len; i++) {
        const bool dash = len == 10 && (i == 4 || i == 7);

        if (dash ? at[i] != '-' : !is_digit(at[i]))
            return false;
    }
    return at[0] == '2' && at[1] == '0';
}

static size_t without_date(const uint8_t *at, size_t len)
{
    static const size_t date_bytes[] = {8, 10};

    for (size_t i = 0; i < sizeof(date_bytes) / sizeof(date_bytes[0]); i++) {
        const size_t bytes = date_bytes[i];

        if (len > bytes + 1 && (at[len - bytes - 1] == '-' || at[len - bytes - 1] == '@') &&
            is_date(at + len - bytes, bytes))
            return len - bytes - 1;
    }
    return len;
}

uint64_t fold_model_key(struct bytes model)
{
    static const char latest[] = "-latest";
    uint8_t name[MODEL_KEY_BYTES];
    size_t len = 0;

    for (size_t i = 0; i < model.len && len < sizeof(name); i++) {
        const uint8_t c = model.at[i];

        if (c == '/')
            len = 0; /* "openai/gpt-4o", "models/gemini-2.5-pro" */
        else
            name[len++] = c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20) : c;
    }
    len = without_date(name, len);
    if (len > sizeof(latest) - 1 &&
        memcmp(name + len - (sizeof(latest) - 1), latest, sizeof(latest) - 1) == 0)
        len -= sizeof(latest) - 1;
    if (model.len == 0)
        return 0;
    return never_zero(XXH3_64bits(name, len));
}

void fold_facts(const struct stored_span *span, struct fold_span *out_span)
{
    static const struct meaning none = {.reported_cost = COST_UNKNOWN};
    const struct meaning *meaning = span->meaning ? span->meaning : &none;

    *out_span = (struct fold_span){
        .trace_id = span->trace_id,
        .span_id = span->span_id,
        .start_ns = span->start_unix_ns,
        .kind = span->kind,
        .has_parent = span->has_parent,
        .parent_span_id = span->parent_span_id,
        .duration_ns = span->duration_ns,
        .observation = meaning->observation,
        .flags = meaning->flags,
        .total_tokens = meaning->usage.total,
        .has_usage = meaning->usage.sent,
        .has_cost = meaning->reported_cost != COST_UNKNOWN,
        .failed = span->outcome == SPAN_FAILED &&
                  (meaning->reported_cost == COST_UNKNOWN || meaning->reported_cost <= 0),
        .response_key = fold_response_key(span->tenant_id, meaning->response_id),
        .model_key = fold_model_key(meaning->model),
        .request_model_key = fold_model_key(meaning->request_model),
        .scope_key = fold_scope_key(span->scope->name),
        .duplicate_of = SIZE_MAX,
    };
    memcpy(out_span->tokens, meaning->usage.tokens, sizeof(out_span->tokens));
}

bool fold_is_plain(const struct fold_span *span)
{
    return observation_is_call(span->observation) && span->response_key != 0 && !span->failed &&
           (span->flags &
            (MEANING_AGGREGATE | MEANING_COPY | MEANING_CACHE_HIT | MEANING_PENDING)) == 0;
}
