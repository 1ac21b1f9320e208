/* Tokens and money as JSON: exact decimals, disjoint kinds (docs/openapi.yaml, `usage`, `cost`). */
#ifndef READ_AMOUNTS_H
#define READ_AMOUNTS_H

#include "base/json_write.h"
#include "model/spend.h"
#include "model/trace.h"

/* USD as a decimal string: exact, no exponent, no trailing zeros. */
void amounts_usd(struct json *j, wide_int pico_usd);

/* An integer of any size. */
void amounts_int(struct json *j, wide_int value);

/* `usage` of one span; null where none was sent. */
void amounts_usage(struct json *j, const struct token_usage *usage);

/* `cost` of one span; null where it neither costs nor could. */
void amounts_cost(struct json *j, const struct stored_span *span,
                  const struct trace_prices *prices);

/* The members `calls`, `unpriced_calls`, `usage` and `cost` of a sum. */
void amounts_spend_members(struct json *j, const struct spend *spend);

/* `session_id` … `output_preview` of a trace, as members. */
void amounts_facts_members(struct json *j, const struct trace_facts *facts);

/* A text, null where it is empty. */
void amounts_text_or_null(struct json *j, const char *key, struct bytes text);

/* An array of texts. */
void amounts_texts(struct json *j, const char *key, const struct bytes *texts, size_t count);

#endif
