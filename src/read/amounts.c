/* Tokens and money as JSON. */
#include "read/amounts.h"

#include "read/render_time.h"

#define WIDE_CHARS 48 /* 39 digits, sign, point, quotes */
#define PICO_DIGITS 12

__extension__ typedef unsigned __int128 wide_uint;

/* Decimal digits right-aligned in `to`, at least `least`; returns where they start. */
static size_t put_digits(wide_int value, size_t least, uint8_t to[WIDE_CHARS])
{
    wide_uint rest = value < 0 ? -(wide_uint)value : (wide_uint)value;
    size_t at = WIDE_CHARS;

    while (rest > 0 || WIDE_CHARS - at < least) {
        to[--at] = (uint8_t)('0' + (unsigned)(rest % 10));
        rest /= 10;
    }
    return at;
}

void amounts_int(struct json *j, wide_int value)
{
    uint8_t digits[WIDE_CHARS];
    size_t at = put_digits(value, 1, digits);

    if (value < 0)
        digits[--at] = '-';
    json_raw(j, (struct bytes){digits + at, WIDE_CHARS - at});
}

void amounts_usd(struct json *j, wide_int pico_usd)
{
    uint8_t digits[WIDE_CHARS];
    uint8_t text[WIDE_CHARS + 4];
    const size_t at = put_digits(pico_usd, PICO_DIGITS + 1, digits);
    const size_t whole = WIDE_CHARS - PICO_DIGITS - at;
    size_t fraction = PICO_DIGITS;
    size_t len = 0;

    while (fraction > 0 && digits[WIDE_CHARS - PICO_DIGITS + fraction - 1] == '0')
        fraction--;
    text[len++] = '"';
    if (pico_usd < 0)
        text[len++] = '-';
    memcpy(text + len, digits + at, whole);
    len += whole;
    if (fraction > 0) {
        text[len++] = '.';
        memcpy(text + len, digits + WIDE_CHARS - PICO_DIGITS, fraction);
        len += fraction;
    }
    text[len++] = '"';
    json_raw(j, (struct bytes){text, len});
}

static void usd_or_null(struct json *j, const char *key, int64_t pico_usd)
{
    json_key(j, key);
    if (pico_usd == COST_UNKNOWN)
        json_null(j);
    else
        amounts_usd(j, pico_usd);
}

/* Zero kinds are left out but for input and output, which everybody looks for. */
static void tokens(struct json *j, const wide_int of[TOKEN_KIND_COUNT], wide_int total)
{
    json_open(j, '{');
    for (int i = 0; i < TOKEN_KIND_COUNT; i++) {
        if (of[i] == 0 && i != TOKEN_INPUT && i != TOKEN_OUTPUT)
            continue;
        json_key(j, token_kind_name((enum token_kind)i));
        amounts_int(j, of[i]);
    }
    json_key(j, "total");
    amounts_int(j, total);
    json_close(j, '}');
}

static void by_kind(struct json *j, const wide_int of[TOKEN_KIND_COUNT], wide_int request)
{
    json_key(j, "by_kind");
    json_open(j, '{');
    for (int i = 0; i < TOKEN_KIND_COUNT; i++) {
        if (of[i] == 0)
            continue;
        json_key(j, token_kind_name((enum token_kind)i));
        amounts_usd(j, of[i]);
    }
    if (request != 0) {
        json_key(j, "request");
        amounts_usd(j, request);
    }
    json_close(j, '}');
}

void amounts_usage(struct json *j, const struct token_usage *usage)
{
    wide_int of[TOKEN_KIND_COUNT];

    if (!usage->sent) {
        json_null(j);
        return;
    }
    for (int i = 0; i < TOKEN_KIND_COUNT; i++)
        of[i] = usage->tokens[i];
    tokens(j, of, usage->total);
}

static const struct trace_price *find_price(const struct trace_prices *prices, uint64_t id)
{
    size_t low = 0;
    size_t high = prices->count;

    while (low < high) {
        const size_t middle = low + (high - low) / 2;

        if (prices->items[middle].id == id)
            return &prices->items[middle];
        if (prices->items[middle].id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

static void price_member(struct json *j, const struct trace_price *price)
{
    struct render_time time = {0};

    json_key(j, "price");
    if (!price) {
        json_null(j);
        return;
    }
    json_open(j, '{');
    json_key(j, "id");
    json_text(j, price->name);
    json_key(j, "effective_from");
    if (price->effective_from_ns == INT64_MIN)
        json_null(j);
    else
        render_time_json(&time, j, price->effective_from_ns);
    json_key(j, "source");
    json_text(j, price->source);
    json_key(j, "rates_id");
    json_int_text(j, (int64_t)price->id);
    json_close(j, '}');
}

static const char *source_name(enum cost_source source)
{
    static const char *const names[] = {NULL, "computed", "reported"};

    return (unsigned)source < sizeof(names) / sizeof(names[0]) ? names[source] : NULL;
}

void amounts_cost(struct json *j, const struct stored_span *span, const struct trace_prices *prices)
{
    const struct cost *cost = span->meaning ? &span->meaning->cost : NULL;
    const bool has_parts = cost && cost->computed != COST_UNKNOWN;
    wide_int of[TOKEN_KIND_COUNT] = {0};

    if (!cost || !meaning_counts(span->meaning)) {
        json_null(j);
        return;
    }
    for (int i = 0; i < TOKEN_KIND_COUNT && has_parts; i++)
        of[i] = cost->by_kind[i];
    json_open(j, '{');
    usd_or_null(j, "total_usd", span->billing.billable ? cost->total : 0);
    by_kind(j, of, has_parts ? cost->request : 0);
    json_key(j, "source");
    json_cstr(j, source_name(cost->source));
    usd_or_null(j, "computed_usd", cost->computed);
    usd_or_null(j, "reported_usd", cost->reported);
    price_member(j, cost->price_id ? find_price(prices, cost->price_id) : NULL);
    json_close(j, '}');
}

void amounts_spend_members(struct json *j, const struct spend *spend)
{
    json_key(j, "calls");
    json_int(j, spend->calls);
    json_key(j, "unpriced_calls");
    json_int(j, spend->unpriced);
    json_key(j, "usage");
    tokens(j, spend->tokens, spend->total_tokens);
    json_key(j, "cost");
    json_open(j, '{');
    json_key(j, "total_usd");
    if (spend_is_known(spend))
        amounts_usd(j, spend->cost_total);
    else
        json_null(j);
    by_kind(j, spend->cost, spend->request_cost);
    json_close(j, '}');
}

void amounts_text_or_null(struct json *j, const char *key, struct bytes text)
{
    json_key(j, key);
    if (text.len > 0)
        json_text(j, text);
    else
        json_null(j);
}

void amounts_texts(struct json *j, const char *key, const struct bytes *texts, size_t count)
{
    json_key(j, key);
    json_open(j, '[');
    for (size_t i = 0; i < count; i++) {
        json_item(j);
        json_text(j, texts[i]);
    }
    json_close(j, ']');
}

void amounts_facts_members(struct json *j, const struct trace_facts *facts)
{
    amounts_text_or_null(j, "trace_name", facts->trace_name);
    amounts_text_or_null(j, "session_id", facts->session_id);
    amounts_text_or_null(j, "user_id", facts->user_id);
    amounts_text_or_null(j, "environment", facts->environment);
    amounts_text_or_null(j, "project", facts->project);
    amounts_texts(j, "tags", facts->tags.items, facts->tags.count);
    amounts_texts(j, "models", facts->models.items, facts->models.count);
    amounts_texts(j, "providers", facts->providers.items, facts->providers.count);
    amounts_text_or_null(j, "input_preview", facts->input_preview);
    amounts_text_or_null(j, "output_preview", facts->output_preview);
}
