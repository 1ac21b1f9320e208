#include "ledger/fold_rank.h"

enum fold_strength fold_rank_strength(const struct fold_span *span)
{
    if (!span->has_usage || span->total_tokens <= 0)
        return FOLD_SILENT; /* zeros are what senders write who were told nothing */
    return span->flags & MEANING_ESTIMATED ? FOLD_GUESSED : FOLD_KNOWN;
}

static uint64_t add(uint64_t sum, int64_t tokens)
{
    if (tokens <= 0)
        return sum;
    return sum > UINT64_MAX - (uint64_t)tokens ? UINT64_MAX : sum + (uint64_t)tokens;
}

struct fold_size fold_rank_size(const struct fold_span *span)
{
    static const enum token_kind in[] = {TOKEN_INPUT, TOKEN_CACHE_READ, TOKEN_CACHE_WRITE,
                                         TOKEN_CACHE_WRITE_1H, TOKEN_AUDIO_INPUT};
    static const enum token_kind out[] = {TOKEN_OUTPUT, TOKEN_REASONING, TOKEN_AUDIO_OUTPUT};
    struct fold_size size = {.total = add(0, span->total_tokens)};

    for (size_t i = 0; i < sizeof(in) / sizeof(in[0]); i++)
        size.in = add(size.in, span->tokens[in[i]]);
    for (size_t i = 0; i < sizeof(out) / sizeof(out[0]); i++)
        size.out = add(size.out, span->tokens[out[i]]);
    return size;
}

bool fold_rank_same_size(const struct fold_size *a, const struct fold_size *b)
{
    if (a->total != b->total)
        return false;
    return a->in == b->in || a->out == b->out || (a->in == 0 && a->out == 0) ||
           (b->in == 0 && b->out == 0);
}

static int first_if(bool a, bool b)
{
    return a == b ? 0 : a ? -1 : 1;
}

int fold_rank_identity(const struct fold_span *a, const struct fold_span *b)
{
    if (a->start_ns != b->start_ns)
        return a->start_ns < b->start_ns ? -1 : 1;
    if (a->span_id != b->span_id)
        return (uint64_t)a->span_id < (uint64_t)b->span_id ? -1 : 1;
    if (a->kind != b->kind)
        return a->kind < b->kind ? -1 : 1;
    return memcmp(a->trace_id.at, b->trace_id.at, sizeof(a->trace_id.at));
}

static int first_known(const struct fold_span *a, const struct fold_span *b)
{
    const enum fold_strength a_strength = fold_rank_strength(a);
    const enum fold_strength b_strength = fold_rank_strength(b);

    if (a_strength != b_strength)
        return a_strength > b_strength ? -1 : 1;
    return first_if(a->model_key != 0, b->model_key != 0);
}

static int first_native(const struct fold_span *a, const struct fold_span *b)
{
    const int order = first_if((a->flags & MEANING_NATIVE) != 0, (b->flags & MEANING_NATIVE) != 0);

    return order ? order
                 : first_if((a->flags & MEANING_SERVER) == 0, (b->flags & MEANING_SERVER) == 0);
}

int fold_rank_anchor(const struct fold_span *a, uint32_t a_depth, const struct fold_span *b,
                     uint32_t b_depth)
{
    int order = first_known(a, b);

    if (order == 0)
        order = first_native(a, b);
    if (order == 0 && a_depth != b_depth)
        order = a_depth > b_depth ? -1 : 1; /* what lies deeper is nearer to the provider */
    return order ? order : fold_rank_identity(a, b);
}

static int kind_count(const struct fold_span *span)
{
    int kinds = 0;

    for (size_t i = 0; i < TOKEN_KIND_COUNT; i++)
        kinds += span->tokens[i] > 0;
    return kinds;
}

int fold_rank_detail(const struct fold_span *a, const struct fold_span *b)
{
    int order = first_known(a, b);

    if (order == 0)
        order = kind_count(b) - kind_count(a);
    if (order == 0)
        order = first_native(a, b);
    if (order == 0)
        order = first_if(a->has_cost, b->has_cost);
    /* Who has the provider's id has seen its answer, and the model's whole name in it. */
    return order ? order : first_if(a->response_key != 0, b->response_key != 0);
}

int fold_rank_across(const struct fold_span *a, const struct fold_span *b)
{
    int order = first_if(a->reason == BILLING_REASON_CALL, b->reason == BILLING_REASON_CALL);

    if (order == 0)
        order = fold_rank_detail(a, b);
    return order ? order : fold_rank_identity(a, b);
}
