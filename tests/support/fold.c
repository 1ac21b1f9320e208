#include "support/fold.h"

#define MS INT64_C(1000000)
#define TENANT 1

/* Ids are short texts: their bytes are the number. */
static int64_t id_of(const char *text)
{
    int64_t id = 0;

    for (; *text; text++)
        id = id * 256 + (uint8_t)*text;
    return id;
}

void fold_row_span(const struct fold_row *row, size_t position, struct fold_span *out_span)
{
    const bool timed = row->until > 0;
    const int64_t start = timed ? row->from : (int64_t)position * 10;
    const int64_t end = timed ? row->until : start + 5;

    *out_span = (struct fold_span){
        .span_id = id_of(row->id),
        .start_ns = INT64_C(1700000000) * 1000 * MS + start * MS,
        .duration_ns = (end - start) * MS,
        .kind = 1,
        .has_parent = row->parent != NULL,
        .parent_span_id = row->parent ? id_of(row->parent) : 0,
        .observation = row->type,
        .flags = row->flags,
        .total_tokens = row->only_total ? row->only_total : row->in + row->out,
        .has_usage = row->in + row->out + row->only_total > 0,
        .has_cost = row->cost,
        .failed = row->failed,
        .response_key = row->key ? fold_response_key(TENANT, bytes_of(row->key)) : 0,
        .model_key = row->model ? fold_model_key(bytes_of(row->model)) : 0,
        .request_model_key = row->asked ? fold_model_key(bytes_of(row->asked)) : 0,
        .scope_key = row->scope ? fold_scope_key(bytes_of(row->scope)) : 0,
    };
    out_span->tokens[TOKEN_INPUT] = row->in - row->read - row->write - row->write_1h;
    out_span->tokens[TOKEN_CACHE_READ] = row->read;
    out_span->tokens[TOKEN_CACHE_WRITE] = row->write;
    out_span->tokens[TOKEN_CACHE_WRITE_1H] = row->write_1h;
    out_span->tokens[TOKEN_OUTPUT] = row->out - row->reasoning;
    out_span->tokens[TOKEN_REASONING] = row->reasoning;
}

uint64_t fold_random(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * UINT64_C(0x2545F4914F6CDD1D);
}

void fold_shuffle(struct fold_span *spans, size_t count, uint64_t *state)
{
    for (size_t i = count; i > 1; i--) {
        const size_t k = fold_random(state) % i;
        const struct fold_span swapped = spans[i - 1];

        spans[i - 1] = spans[k];
        spans[k] = swapped;
    }
}
